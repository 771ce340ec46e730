//! PostgreSQL.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::{Kind, NOBODY, Server, give_to_nobody, on_a_free_port};
use crate::sandbox::Sandbox;

const POSTGRES: Kind = Kind {
    name: "postgres",
    reload: Signal::HUP,
    reloaded: "received SIGHUP, reloading configuration files",
};

/// What it and its files are called by those who make the cluster.
pub(super) const ADMINISTRATOR: &str = "administrator";

impl Server {
    /// PostgreSQL with these settings, which name files of the folder
    /// `postgres/`, and with TLS under the certificate and the key of `out/`. It
    /// knows these users by their certificates alone.
    #[track_caller]
    pub(crate) fn postgres(sandbox: &Sandbox, settings: &str, users: &[&str]) -> Self {
        let folder = sandbox.path("postgres");
        fs::create_dir_all(&folder).unwrap();
        give_to_nobody(sandbox, &folder);
        for (from, to) in [("fullchain.pem", "server.crt"), ("key", "server.key")] {
            let to = folder.join(to);
            fs::copy(sandbox.path(format!("out/www.example.test.{from}")), &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            give_to_nobody(sandbox, &to);
        }
        make_cluster(sandbox, &folder, settings);
        let server = on_a_free_port(
            |port| start(sandbox, &folder, port),
            "database system is ready to accept connections",
        );
        for user in users {
            let socket = folder.display();
            sandbox
                .run("psql", &format!("--host {socket} --port {}", server.port))
                .words(&format!("--username {ADMINISTRATOR} --dbname postgres"))
                .arg("--command")
                .arg(format!("CREATE ROLE \"{user}\" LOGIN"))
                .succeeds();
        }
        server
    }
}

impl Server {
    /// PostgreSQL for stores: on its socket without a password, and on the loopback address with one.
    #[track_caller]
    pub(crate) fn postgres_store(sandbox: &Sandbox, settings: &str) -> Self {
        let folder = folder_of(sandbox);
        let remote = "host all all 127.0.0.1/32 scram-sha-256\n";
        Self::of_cluster(sandbox, &folder, settings, remote)
    }

    /// The same with TLS, for clients whose certificates have the names of their users.
    #[track_caller]
    pub(crate) fn postgres_store_with_tls(sandbox: &Sandbox) -> Self {
        let folder = folder_of(sandbox);
        for (from, to) in [
            ("out/localhost.fullchain.pem", "server.crt"),
            ("out/localhost.key", "server.key"),
            ("pki/rootCA/ca.crt", "ca.crt"),
        ] {
            let to = folder.join(to);
            fs::copy(sandbox.path(from), &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            give_to_nobody(sandbox, &to);
        }
        let settings = "ssl = on
ssl_cert_file = '../server.crt'
ssl_key_file = '../server.key'
ssl_ca_file = '../ca.crt'";
        let remote = "hostssl all all 127.0.0.0/8 cert\n";
        Self::of_cluster(sandbox, &folder, settings, remote)
    }

    /// Kills it, and leaves it.
    pub(crate) fn kill(&mut self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }

    /// Has it ended, and its sandbox removed, when the process of the tests is gone, however that ends: what is
    /// static is never dropped.
    pub(crate) fn end_with_this_process(&self, sandbox: &Sandbox) {
        // Its input ends with the process that holds the other end.
        let script = "trap '' HUP INT TERM; read -r _; kill -QUIT \"$1\"; tail --pid=\"$1\" -f /dev/null; rm -rf \"$2\"";
        let guard = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(self.process.id().to_string())
            .arg(sandbox.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        std::mem::forget(guard);
    }

    fn of_cluster(sandbox: &Sandbox, folder: &Path, settings: &str, remote: &str) -> Self {
        initialize(sandbox, folder);
        sandbox.write(
            "postgres/data/postgresql.conf",
            format!(
                "listen_addresses = '127.0.0.1, 127.0.0.2'
unix_socket_directories = '{}'
max_connections = 50
{settings}
",
                folder.display()
            ),
        );
        sandbox.write(
            "postgres/data/pg_hba.conf",
            format!("local all all trust\nlocal replication all trust\n{remote}"),
        );
        on_a_free_port(
            |port| start(sandbox, folder, port),
            "database system is ready to accept connections",
        )
    }

    /// Kills it and all of its processes, and starts it again in the same folder.
    #[track_caller]
    pub(crate) fn crash_postgres_store(&mut self, sandbox: &Sandbox) {
        let folder = sandbox.path("postgres");
        let _ = kill_process(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
        let port = self.port;
        for _ in 0..100 {
            *self = start(sandbox, &folder, port);
            if self.starts("database system is ready to accept connections") {
                return;
            }
            // Its processes see that it is gone, and end; until then they have its memory.
            let log = self.log();
            assert!(log.contains("shared memory block"), "{log}");
        }
        panic!("the server does not start again");
    }
}

fn folder_of(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.path("postgres");
    fs::create_dir_all(&folder).unwrap();
    give_to_nobody(sandbox, &folder);
    folder
}

#[track_caller]
pub(super) fn initialize(sandbox: &Sandbox, folder: &Path) {
    let made = unprivileged(&program("initdb"))
        .args([
            "--auth=trust",
            "--no-sync",
            "--locale=C",
            "--encoding=UTF8",
            "--username",
        ])
        .arg(ADMINISTRATOR)
        .arg("--pgdata")
        .arg(folder.join("data"))
        .current_dir(sandbox.folder())
        .output()
        .expect("initdb runs");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
}

#[track_caller]
fn make_cluster(sandbox: &Sandbox, folder: &Path, settings: &str) {
    let data = folder.join("data");
    let made = unprivileged(&program("initdb"))
        .args(["--auth=trust", "--no-sync", "--locale=C", "--username"])
        .arg(ADMINISTRATOR)
        .arg("--pgdata")
        .arg(&data)
        .current_dir(folder)
        .output()
        .expect("initdb runs");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    sandbox.write(
        "postgres/data/postgresql.conf",
        format!(
            "listen_addresses = '127.0.0.1'
unix_socket_directories = '{}'
fsync = off
ssl = on
ssl_cert_file = '../server.crt'
ssl_key_file = '../server.key'
{settings}
",
            folder.display()
        ),
    );
    sandbox.write(
        "postgres/data/pg_hba.conf",
        format!(
            "local all {ADMINISTRATOR} trust
hostssl all all 127.0.0.1/32 trust clientcert=verify-full
"
        ),
    );
}

fn start(sandbox: &Sandbox, folder: &Path, port: u16) -> Server {
    started(unprivileged(&program("postgres")), sandbox, folder, port)
}

/// Starts a server by a command, which may enter a namespace before.
pub(super) fn started(mut command: Command, sandbox: &Sandbox, folder: &Path, port: u16) -> Server {
    let log = sandbox.path("postgres.log");
    let process = command
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .expect("postgres runs");
    Server {
        kind: &POSTGRES,
        process,
        log,
        port,
    }
}

/// Debian has a folder for each version, and none of them in the PATH.
#[track_caller]
pub(super) fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let programs = versions.map(|version| version.unwrap().path().join("bin").join(name));
    let found = programs.filter(|program| program.exists()).max();
    found.unwrap_or_else(|| panic!("there is no {name}"))
}

/// PostgreSQL refuses to be root. `setpriv` becomes the program, so that its process id stays.
pub(super) fn unprivileged(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let nobody = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    command
        .args(nobody)
        .args(["--clear-groups", "--"])
        .arg(program);
    command
}
