//! Stores in PostgreSQL: one server for the tests that run at a time, a database for each. It keeps what it
//! acknowledges (`fsync` is on), and is ended by its own process id.

mod commands;
mod connections;
mod crashes;
mod hosts;
mod ledger;
mod namespaces;
mod pair;
mod proxied;
mod psql;
mod standbys;
mod tls;
mod transfer;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};
use crate::server::Server;

/// A server, in a directory of its own.
pub(crate) struct Cluster {
    server: Server,
    folder: Sandbox,
}

impl Cluster {
    /// Returns the server that other tests are using, or starts one.
    pub(crate) fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = running.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::own(""));
        *running = Arc::downgrade(&cluster);
        cluster
    }

    /// Starts a server with these settings for one test.
    pub(crate) fn own(settings: &str) -> Self {
        let folder = Sandbox::new();
        let server = Server::postgres_store(&folder, settings);
        Self { server, folder }
    }

    /// Starts a server with the certificate `localhost` of this folder, for clients with certificates of `rootCA`.
    pub(crate) fn with_tls(folder: Sandbox) -> Self {
        let server = Server::postgres_store_with_tls(&folder);
        Self { server, folder }
    }

    /// Output of psql for a statement, without a frame.
    #[track_caller]
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let socket = self.folder.path("postgres");
        let ran = self
            .folder
            .run("psql", "--no-psqlrc --quiet --tuples-only --no-align")
            .words(&format!("--host {}", socket.display()))
            .words(&format!(
                "--port {} --username administrator",
                self.server.port
            ))
            .words(&format!("--dbname {database} --command"))
            .arg(sql)
            .succeeds();
        ran.stdout.trim_end().to_owned()
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
        static COUNT: Mutex<u32> = Mutex::new(0);
        let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        let database = format!("store{count}");
        cluster.psql("postgres", &format!("CREATE DATABASE {database}"));
        Self {
            sandbox: Sandbox::new(),
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
        let tables =
            self.psql("SELECT tablename FROM pg_tables WHERE schemaname = 'pki' ORDER BY 1");
        let tables = tables.lines().map(|table| {
            let rows = self.psql(&format!("SELECT * FROM pki.{table} ORDER BY 1, 2"));
            format!("{table}\n{rows}\n")
        });
        tables.collect()
    }
}
