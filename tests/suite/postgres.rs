//! Stores in PostgreSQL: one server for the tests that run at a time, a database for each. It keeps what it
//! acknowledges (`fsync` is on), and is ended by its own process id.

mod commands;
mod connections;
mod crashes;
mod hosts;
mod leases;
mod ledger;
mod namespaces;
mod pair;
mod proxied;
mod psql;
mod repair;
mod standbys;
mod tls;
mod transfer;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};
use crate::server::Server;

/// A server, in a directory of its own.
pub(crate) struct Cluster {
    server: Server,
    folder: Sandbox,
    /// Empty databases that were used before.
    free: Mutex<Vec<String>>,
    /// Databases that were made.
    made: AtomicU32,
}

impl Cluster {
    /// Returns the server that all tests use.
    pub(crate) fn shared() -> Arc<Self> {
        static RUNNING: OnceLock<Arc<Cluster>> = OnceLock::new();
        let cluster = RUNNING.get_or_init(|| {
            let cluster = Self::own("");
            cluster.server.end_with_this_process(&cluster.folder);
            Arc::new(cluster)
        });
        Arc::clone(cluster)
    }

    /// Starts a server with these settings for one test.
    pub(crate) fn own(settings: &str) -> Self {
        let folder = Sandbox::on_a_directory();
        let server = Server::postgres_store(&folder, settings);
        Self::of(server, folder)
    }

    /// Starts a server with the certificate `localhost` of this folder, for clients with certificates of `rootCA`.
    pub(crate) fn with_tls(folder: Sandbox) -> Self {
        let server = Server::postgres_store_with_tls(&folder);
        Self::of(server, folder)
    }

    fn of(server: Server, folder: Sandbox) -> Self {
        Self {
            server,
            folder,
            free: Mutex::default(),
            made: AtomicU32::default(),
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<String>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the name of an empty database, for one sandbox.
    #[track_caller]
    pub(crate) fn database(&self) -> String {
        let free = self.free().pop();
        free.unwrap_or_else(|| self.create(""))
    }

    /// Returns the name of a new database with the content of another.
    #[track_caller]
    pub(crate) fn copy_of(&self, database: &str) -> String {
        self.create(&format!("TEMPLATE {database}"))
    }

    #[track_caller]
    fn create(&self, more: &str) -> String {
        let database = format!("store{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {database} {more}"));
        database
    }

    /// Empties a database for another sandbox, since to drop it would take a second. Returns whether it had a store.
    pub(crate) fn give_back(&self, database: String) -> bool {
        let others = "SELECT to_regnamespace('pki') IS NOT NULL, count(pg_terminate_backend(pid))
            FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let emptied = self
            .psql_run(&database, others)
            .arg("--command")
            .arg("DROP SCHEMA IF EXISTS pki CASCADE")
            .finish();
        if emptied.status == Some(0) {
            self.free().push(database);
        }
        emptied.stdout.starts_with('t')
    }

    /// Everything in the tables of a store, to compare.
    #[track_caller]
    pub(crate) fn content(&self, database: &str) -> String {
        self.psql(
            database,
            "SELECT tablename, query_to_xml(format('SELECT * FROM pki.%I ORDER BY 1, 2', tablename), false, true, '')
             FROM pg_tables WHERE schemaname = 'pki' ORDER BY tablename",
        )
    }

    /// Output of psql for a statement, without a frame.
    #[track_caller]
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let ran = self.psql_run(database, sql).succeeds();
        ran.stdout.trim_end().to_owned()
    }

    fn psql_run(&self, database: &str, sql: &str) -> Run {
        let socket = self.folder.path("postgres");
        self.folder
            .run("psql", "--no-psqlrc --quiet --tuples-only --no-align")
            .words(&format!("--host {}", socket.display()))
            .words(&format!(
                "--port {} --username administrator",
                self.server.port
            ))
            .words(&format!("--dbname {database} --command"))
            .arg(sql)
    }

    /// The URL of a database, over the server's socket.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.folder.path("postgres");
        format!(
            "postgres://administrator@/{database}?host={}&port={}",
            socket.display(),
            self.server.port
        )
    }
}

/// A folder, and an empty database in which its store is.
pub(crate) struct Site {
    pub(crate) sandbox: Sandbox,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) database: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::on(Cluster::shared())
    }

    pub(crate) fn on(cluster: Arc<Cluster>) -> Self {
        let database = cluster.database();
        Self {
            sandbox: Sandbox::on_a_directory(),
            cluster,
            database,
        }
    }

    /// With `rootCA`, and below it `intermediate0`.
    pub(crate) fn with_cas() -> Self {
        let site = Self::new();
        site.pki("root --name rootCA").succeeds();
        site.pki("subordinate --ca rootCA --name intermediate0")
            .succeeds();
        site
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.url(&self.database)
    }

    /// `pki` on the store in the database.
    pub(crate) fn pki(&self, line: &str) -> Run {
        self.sandbox
            .pki(line)
            .env("PKI_STORE", self.url())
            .env("PKI_PASSPHRASE", PASSPHRASE)
    }

    #[track_caller]
    pub(crate) fn psql(&self, sql: &str) -> String {
        self.cluster.psql(&self.database, sql)
    }

    /// The serial number of the certificate that is issued.
    #[track_caller]
    pub(crate) fn issue(&self, cn: &str) -> String {
        let issued = self
            .pki(&format!("--format json issue --ca intermediate0 --cn {cn}"))
            .succeeds();
        issued.json()["serial"].as_str().unwrap().to_owned()
    }

    /// Everything in the tables of the store, to compare.
    #[track_caller]
    pub(crate) fn content(&self) -> String {
        self.cluster.content(&self.database)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.cluster.give_back(std::mem::take(&mut self.database));
    }
}
