//! A primary and its standby, each in a directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::psql::Psql;
use crate::sandbox::Sandbox;
use crate::server::{Server, Settings};

/// Addresses of the two servers of a pair, and users who may connect.
#[derive(Default)]
pub(super) struct Surroundings {
    /// Lines of `postgresql.conf`.
    pub(super) lines: String,
    /// Lines of `pg_hba.conf` about connections that do not come over the socket.
    pub(super) access: String,
    /// Program, with its arguments, that starts another in a network namespace.
    pub(super) entrance: Vec<String>,
    /// Files for the directory above the data, with their contents.
    pub(super) files: Vec<(&'static str, Vec<u8>)>,
}

impl Surroundings {
    fn settings(&self) -> Settings<'_> {
        Settings {
            lines: &self.lines,
            access: &self.access,
            entrance: &self.entrance,
        }
    }
}

pub(super) struct Pair {
    primary: Server,
    standby: Server,
    of_primary: Sandbox,
    of_standby: Sandbox,
    surroundings: Surroundings,
}

impl Pair {
    /// Starts both, with an empty database. The primary does not wait for the standby yet.
    pub(super) fn new(mut surroundings: Surroundings, database: &str) -> Self {
        surroundings.lines += "\nwal_retrieve_retry_interval = '100ms'\n";
        surroundings.access = format!(
            "local all all trust\nlocal replication all trust\n{}",
            surroundings.access
        );
        let (of_primary, of_standby) = (Sandbox::new(), Sandbox::new());
        for folder in [&of_primary, &of_standby] {
            for (name, content) in &surroundings.files {
                let name = format!("postgres/{name}");
                folder.write(&name, content);
                let mode = fs::Permissions::from_mode(0o600);
                fs::set_permissions(folder.path(&name), mode).unwrap();
            }
        }
        let settings = surroundings.settings();
        let primary = Server::postgres_primary(&of_primary, &settings);
        Psql::open(&of_primary, &primary, "postgres").ask(&format!("CREATE DATABASE {database}"));
        let standby = primary.standby_of_primary(&of_primary, &of_standby, &settings);
        Self {
            primary,
            standby,
            of_primary,
            of_standby,
            surroundings,
        }
    }

    pub(super) fn ports(&self) -> [u16; 2] {
        [self.primary.port, self.standby.port]
    }

    /// Returns options of psql, with which the administrator reaches the primary and the standby.
    pub(super) fn sockets(&self) -> Vec<String> {
        let servers = [
            (&self.of_primary, &self.primary),
            (&self.of_standby, &self.standby),
        ];
        let options = servers.map(|(folder, server)| {
            let socket = folder.path("postgres");
            format!(
                "--username administrator --host {} --port {}",
                socket.display(),
                server.port
            )
        });
        options.to_vec()
    }

    /// Returns the URL of a database for the administrator, over the socket of the primary.
    pub(super) fn url_of_primary(&self, database: &str) -> String {
        format!(
            "postgres://administrator@/{database}?host={}&port={}",
            self.of_primary.path("postgres").display(),
            self.primary.port
        )
    }

    /// Requires these words in the log of the server that was the primary at first, since it was started last, and in
    /// the log of the other.
    #[track_caller]
    pub(super) fn assert_both_log(&self, words: &str) {
        self.primary.assert_logs(words);
        self.standby.assert_logs(words);
    }

    pub(super) fn on_primary(&self, database: &str) -> Psql {
        Psql::open(&self.of_primary, &self.primary, database)
    }

    pub(super) fn on_standby(&self, database: &str) -> Psql {
        Psql::open(&self.of_standby, &self.standby, database)
    }

    /// From now on, what the primary commits is on the standby before it is acknowledged.
    pub(super) fn make_synchronous(&self) {
        let mut psql = self.on_primary("postgres");
        psql.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        psql.ask("SELECT pg_reload_conf()");
        psql.wait_until("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')");
    }

    /// Waits until the standby has everything, and keeps it from getting more.
    pub(super) fn cut_standby_off(&self) {
        let mut primary = self.on_primary("postgres");
        primary.wait_until(
            "EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn())",
        );
        let mut standby = self.on_standby("postgres");
        standby.ask("ALTER SYSTEM SET primary_conninfo = ''");
        standby.ask("SELECT pg_reload_conf()");
        standby.wait_until("NOT EXISTS (SELECT FROM pg_stat_wal_receiver)");
    }

    /// Kills the primary and all of its processes, and starts it again.
    pub(super) fn crash_primary(&mut self) {
        self.primary.kill();
        let settings = self.surroundings.settings();
        self.primary
            .start_postgres_again(&self.of_primary, &settings);
    }

    /// Kills the primary, and makes the standby take its place.
    pub(super) fn fail_over(&mut self) {
        self.primary.kill();
        let mut standby = self.on_standby("postgres");
        assert_eq!(standby.ask("SELECT pg_promote()"), "t");
        standby.wait_until("NOT pg_is_in_recovery()");
    }
}
