//! Servers of `make soak`: Dovecot, OpenLDAP, lighttpd, Redis, Caddy, and one of Erlang.

use std::process::Command;

use rustix::process::Signal;

use super::daemons::spawned;
use super::{Kind, Server, in_sbin_too, on_a_free_port};
use crate::sandbox::{Sandbox, repository};

const DOVECOT: Kind = Kind {
    name: "dovecot",
    reload: Signal::HUP,
    reloaded: "SIGHUP received",
};

const SLAPD: Kind = Kind {
    name: "slapd",
    ..NEVER
};

const LIGHTTPD: Kind = Kind {
    name: "lighttpd",
    reload: Signal::USR1,
    reloaded: "server started",
};

const REDIS: Kind = Kind {
    name: "redis",
    ..NEVER
};

const CADDY: Kind = Kind {
    name: "caddy",
    ..NEVER
};

const ERLANG: Kind = Kind {
    name: "erlang",
    ..NEVER
};

/// A server that reads its files only when it starts.
const NEVER: Kind = Kind {
    name: "",
    reload: Signal::HUP,
    reloaded: "",
};

impl Server {
    /// Dovecot for IMAP, with the trust store and the CRLs in the file `ca.pem`.
    #[track_caller]
    pub(crate) fn dovecot(sandbox: &Sandbox) -> Self {
        let folder = sandbox.folder().display().to_string();
        on_a_free_port(
            |port| {
                sandbox.write(
                    "dovecot.conf",
                    format!(
                        "protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
ssl = required
ssl_cert = <{folder}/out/www.example.test.fullchain.pem
ssl_key = <{folder}/out/www.example.test.key
ssl_ca = <{folder}/ca.pem
ssl_verify_client_cert = yes
auth_ssl_require_client_cert = yes
auth_ssl_username_from_cert = yes
verbose_ssl = yes
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={folder}/mail/%u
}}
mail_location = maildir:~/Maildir
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"
                    ),
                );
                let mut command = in_sbin_too("dovecot");
                spawned(
                    &DOVECOT,
                    sandbox,
                    command.args(["-F", "-c", "dovecot.conf"]),
                    port,
                )
            },
            "starting up",
        )
    }

    /// OpenLDAP's server with these settings beside.
    #[track_caller]
    pub(crate) fn slapd(sandbox: &Sandbox, settings: &str) -> Self {
        let folder = sandbox.folder().display().to_string();
        std::fs::create_dir_all(sandbox.path("ldif")).unwrap();
        on_a_free_port(
            |port| {
                sandbox.write(
                    "slapd.conf",
                    format!(
                        "include /etc/ldap/schema/core.schema
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_ldif
TLSCACertificateFile {folder}/truststore.pem
TLSCertificateFile {folder}/out/www.example.test.fullchain.pem
TLSCertificateKeyFile {folder}/out/www.example.test.key
TLSVerifyClient demand
{settings}
database ldif
directory {folder}/ldif
suffix \"dc=example\"
"
                    ),
                );
                let mut command = in_sbin_too("slapd");
                let command = command.args(["-f", "slapd.conf", "-d", "stats", "-h"]);
                let command = command.arg(format!("ldaps://127.0.0.1:{port}/"));
                spawned(&SLAPD, sandbox, command, port)
            },
            "slapd starting",
        )
    }

    /// lighttpd with these settings beside.
    #[track_caller]
    pub(crate) fn lighttpd(sandbox: &Sandbox, settings: &str) -> Self {
        let folder = sandbox.folder().display().to_string();
        sandbox.write("www/index.html", "hello\n");
        on_a_free_port(
            |port| {
                sandbox.write(
                    "lighttpd.conf",
                    format!(
                        "server.modules = ( \"mod_openssl\" )
server.document-root = \"{folder}/www\"
index-file.names = ( \"index.html\" )
server.port = {port}
server.bind = \"127.0.0.1\"
ssl.engine = \"enable\"
ssl.pemfile = \"{folder}/out/www.example.test.fullchain.pem\"
ssl.privkey = \"{folder}/out/www.example.test.key\"
ssl.verifyclient.activate = \"enable\"
ssl.verifyclient.enforce = \"enable\"
ssl.verifyclient.depth = 3
ssl.verifyclient.ca-file = \"{folder}/truststore.pem\"
{settings}
"
                    ),
                );
                let mut command = in_sbin_too("lighttpd");
                spawned(
                    &LIGHTTPD,
                    sandbox,
                    command.args(["-D", "-f", "lighttpd.conf"]),
                    port,
                )
            },
            "server started",
        )
    }

    #[track_caller]
    pub(crate) fn redis(sandbox: &Sandbox) -> Self {
        on_a_free_port(
            |port| {
                let mut command = in_sbin_too("redis-server");
                command
                    .args(["--port", "0", "--bind", "127.0.0.1", "--save", ""])
                    .args(["--tls-auth-clients", "yes"])
                    .args(["--tls-cert-file", "out/www.example.test.fullchain.pem"])
                    .args(["--tls-key-file", "out/www.example.test.key"])
                    .args(["--tls-ca-cert-file", "truststore.pem", "--tls-port"])
                    .arg(port.to_string());
                spawned(&REDIS, sandbox, &mut command, port)
            },
            "Ready to accept connections",
        )
    }

    #[track_caller]
    pub(crate) fn caddy(sandbox: &Sandbox) -> Self {
        let folder = sandbox.folder().display().to_string();
        on_a_free_port(
            |port| {
                sandbox.write(
                    "Caddyfile",
                    format!(
                        "{{
  admin off
  auto_https off
  storage file_system {folder}/caddy
}}
https://www.example.test:{port} {{
  bind 127.0.0.1
  tls {folder}/out/www.example.test.fullchain.pem {folder}/out/www.example.test.key {{
    client_auth {{
      mode require_and_verify
      trusted_ca_cert_file {folder}/pki/rootCA/ca.crt
    }}
  }}
  respond \"hello\"
}}
"
                    ),
                );
                let mut command = Command::new("caddy");
                command.args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"]);
                spawned(&CADDY, sandbox, command.env("HOME", &folder), port)
            },
            "serving initial configuration",
        )
    }

    /// `tests/soak/server.escript`, which prints the port it chose.
    #[track_caller]
    pub(crate) fn erlang(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut escript = Command::new("escript");
        let script = repository("tests/soak/server.escript");
        Self::announced(sandbox, &ERLANG, escript.arg(script).args(args))
    }
}
