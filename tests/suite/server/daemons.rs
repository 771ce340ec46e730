//! Servers of other protocols than HTTP: Mosquitto, stunnel, MariaDB, OpenVPN.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Signal, geteuid};

use super::{Kind, Server, in_sbin_too, on_a_free_port};
use crate::sandbox::Sandbox;

const MOSQUITTO: Kind = Kind {
    name: "mosquitto",
    reload: Signal::HUP,
    reloaded: "Reloading config",
};

const STUNNEL: Kind = Kind {
    name: "stunnel",
    reload: Signal::HUP,
    reloaded: "Configuration successful",
};

const MARIADB: Kind = Kind {
    name: "mariadb",
    reload: Signal::HUP,
    reloaded: "",
};

/// Line of the log of OpenVPN when it is ready for the next peer.
const LISTENING: &str = "Listening for incoming TCP connection";

const OPENVPN: Kind = Kind {
    name: "openvpn",
    reload: Signal::HUP,
    reloaded: LISTENING,
};

impl Server {
    /// Mosquitto, which demands certificates of the trust store `truststore.pem`, with these settings beside.
    #[track_caller]
    pub(crate) fn mosquitto(sandbox: &Sandbox, settings: &str) -> Self {
        let folder = sandbox.folder().display().to_string();
        // The port is open before the TLS files are read.
        on_a_free_port(
            |port| {
                let user = if geteuid().is_root() { "user root" } else { "" };
                sandbox.write(
                    "mosquitto.conf",
                    format!(
                        "{user}
persistence false
log_dest stderr
allow_anonymous true
listener {port} 127.0.0.1
cafile {folder}/truststore.pem
certfile {folder}/out/www.example.test.fullchain.pem
keyfile {folder}/out/www.example.test.key
require_certificate true
{settings}
"
                    ),
                );
                let mut command = in_sbin_too("mosquitto");
                spawned(
                    &MOSQUITTO,
                    sandbox,
                    command.args(["-c", "mosquitto.conf"]),
                    port,
                )
            },
            " running",
        )
    }

    /// stunnel, which demands certificates of the trust store `truststore.pem`, with these settings beside; it
    /// greets over HTTP.
    #[track_caller]
    pub(crate) fn stunnel(sandbox: &Sandbox, settings: &str) -> Self {
        let folder = sandbox.folder().display().to_string();
        on_a_free_port(
            |port| {
                sandbox.write(
                    "stunnel.conf",
                    format!(
                        "foreground = yes
pid =
syslog = no
debug = info
[greeting]
accept = 127.0.0.1:{port}
exec = /bin/echo
execArgs = echo hello
cert = {folder}/out/www.example.test.fullchain.pem
key = {folder}/out/www.example.test.key
CAfile = {folder}/truststore.pem
{settings}
"
                    ),
                );
                let mut command = in_sbin_too("stunnel");
                spawned(&STUNNEL, sandbox, command.arg("stunnel.conf"), port)
            },
            "Configuration successful",
        )
    }

    /// MariaDB with these settings beside, and a user `client` who needs a certificate of the trust store
    /// `truststore.pem`.
    #[track_caller]
    pub(crate) fn mariadb(sandbox: &Sandbox, settings: &str) -> Self {
        let folder = sandbox.folder().display().to_string();
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let user = if geteuid().is_root() {
            "root".into()
        } else {
            user
        };
        let made = in_sbin_too("mariadb-install-db")
            .args([
                "--no-defaults",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ])
            .arg(format!("--user={user}"))
            .arg(format!("--datadir={folder}/data"))
            .output()
            .expect("mariadb-install-db runs");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        sandbox.write("init.sql", "CREATE USER client@'127.0.0.1' REQUIRE X509;\n");
        on_a_free_port(
            |port| {
                sandbox.write(
                    "my.cnf",
                    format!(
                        "[mariadbd]
user={user}
datadir={folder}/data
socket={folder}/mariadb.sock
pid-file={folder}/mariadb.pid
bind-address=127.0.0.1
port={port}
skip-name-resolve
init-file={folder}/init.sql
innodb-buffer-pool-size=8M
innodb-log-file-size=4M
ssl_ca={folder}/truststore.pem
ssl_cert={folder}/out/www.example.test.fullchain.pem
ssl_key={folder}/out/www.example.test.key
{settings}
"
                    ),
                );
                let mut command = in_sbin_too("mariadbd");
                spawned(
                    &MARIADB,
                    sandbox,
                    command.arg("--defaults-file=my.cnf"),
                    port,
                )
            },
            "ready for connections",
        )
    }

    /// OpenVPN without a device, for one peer after the other, with these settings beside.
    #[track_caller]
    pub(crate) fn openvpn(sandbox: &Sandbox, settings: &str) -> Self {
        on_a_free_port(
            |port| {
                sandbox.write(
                    "openvpn.conf",
                    format!(
                        "dev null
tls-server
local 127.0.0.1
port {port}
proto tcp-server
ca truststore.pem
cert out/www.example.test.fullchain.pem
key out/www.example.test.key
dh none
remote-cert-tls client
verb 3
{settings}
"
                    ),
                );
                let mut command = in_sbin_too("openvpn");
                spawned(
                    &OPENVPN,
                    sandbox,
                    command.args(["--config", "openvpn.conf"]),
                    port,
                )
            },
            LISTENING,
        )
    }

    /// Number of times that OpenVPN has begun to wait for a peer; each time it reads its CRLs.
    pub(crate) fn times_listening(&self) -> usize {
        self.log().matches(LISTENING).count()
    }

    /// Waits until OpenVPN was ready for a peer so many times.
    #[track_caller]
    pub(crate) fn wait_until_listening(&self, times: usize) {
        let holds = super::comes_true(|| self.times_listening() >= times);
        assert!(holds, "openvpn does not listen again");
    }
}

/// Starts a server in the foreground; its output is its log.
pub(super) fn spawned(
    kind: &'static Kind,
    sandbox: &Sandbox,
    command: &mut Command,
    port: u16,
) -> Server {
    let log = sandbox.path(format!("{}.log", kind.name));
    let file = fs::File::create(&log).unwrap();
    let process = command
        .current_dir(sandbox.folder())
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    Server {
        kind,
        process,
        log,
        port,
    }
}
