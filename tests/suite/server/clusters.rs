//! PostgreSQL servers of one test: a primary and its standby, or one in a network of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postgres::{ADMINISTRATOR, initialize, program, started, unprivileged};
use super::{Server, give_to_nobody, on_a_free_port};
use crate::sandbox::Sandbox;

/// Line that a server logs when it takes connections.
const STARTED: &str = "database system is ready to accept connections";
const STANDBY_STARTED: &str = "database system is ready to accept read-only connections";

/// Settings of a server of a test.
pub(crate) struct Settings<'a> {
    /// Lines of `postgresql.conf`.
    pub(crate) lines: &'a str,
    /// Lines of `pg_hba.conf`.
    pub(crate) access: &'a str,
    /// Program, with its arguments, that starts another in a network namespace.
    pub(crate) entrance: &'a [String],
}

impl Server {
    /// Starts PostgreSQL with an empty cluster in the directory `postgres` of a sandbox. Files of that directory
    /// that the settings name are there already.
    #[track_caller]
    pub(crate) fn postgres_primary(sandbox: &Sandbox, settings: &Settings<'_>) -> Self {
        let folder = prepared(sandbox);
        initialize(sandbox, &folder);
        configure(sandbox, &folder, settings);
        on_a_free_port(|port| start(sandbox, &folder, settings, port), STARTED)
    }

    /// Copies this server into another sandbox, and starts the copy as its standby.
    #[track_caller]
    pub(crate) fn standby_of_primary(
        &self,
        of: &Sandbox,
        sandbox: &Sandbox,
        settings: &Settings<'_>,
    ) -> Self {
        let folder = prepared(sandbox);
        let source = format!(
            "host={} port={} user={ADMINISTRATOR} application_name=standby",
            of.path("postgres").display(),
            self.port
        );
        let copied = unprivileged(&program("pg_basebackup"))
            .args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"])
            .arg("--pgdata")
            .arg(folder.join("data"))
            .arg(format!("--dbname={source}"))
            .current_dir(&folder)
            .output()
            .expect("pg_basebackup runs");
        let said = String::from_utf8_lossy(&copied.stderr);
        assert!(copied.status.success(), "{said}");
        configure(sandbox, &folder, settings);
        on_a_free_port(
            |port| start(sandbox, &folder, settings, port),
            STANDBY_STARTED,
        )
    }

    /// Starts a server that was killed, at the same port. The processes of the one before may be ending still.
    #[track_caller]
    pub(crate) fn start_postgres_again(&mut self, sandbox: &Sandbox, settings: &Settings<'_>) {
        let folder = sandbox.path("postgres");
        let port = self.port;
        let mut said = String::new();
        for _ in 0..200 {
            let mut server = start(sandbox, &folder, settings, port);
            if server.starts(STARTED) {
                *self = server;
                return;
            }
            said = server.log();
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("postgres does not start again:\n{said}");
    }
}

fn prepared(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.path("postgres");
    fs::create_dir_all(&folder).unwrap();
    give_to_nobody(sandbox, &folder);
    for file in fs::read_dir(&folder).unwrap() {
        give_to_nobody(sandbox, &file.unwrap().path());
    }
    folder
}

fn configure(sandbox: &Sandbox, folder: &Path, settings: &Settings<'_>) {
    sandbox.write(
        "postgres/data/postgresql.conf",
        format!(
            "unix_socket_directories = '{}'
max_connections = 50
shared_buffers = 32MB
{}
",
            folder.display(),
            settings.lines
        ),
    );
    sandbox.write("postgres/data/pg_hba.conf", settings.access);
}

fn start(sandbox: &Sandbox, folder: &Path, settings: &Settings<'_>, port: u16) -> Server {
    let server = unprivileged(&program("postgres"));
    let mut words = settings.entrance.iter();
    let command = match words.next() {
        None => server,
        Some(entrance) => {
            let mut command = Command::new(entrance);
            command
                .args(words)
                .arg(server.get_program())
                .args(server.get_args());
            command
        }
    };
    started(command, sandbox, folder, port)
}
