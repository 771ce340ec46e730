//! Servers on loopback that live as long as a test.

mod apache;
mod clusters;
mod daemons;
mod ocsp;
mod postgres;
mod soaked;

pub(crate) use clusters::Settings;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::sandbox::{Sandbox, repository};

/// A running server. It is ended by its own process id when the test ends,
/// however it ends; its log is shown when the test fails.
pub(crate) struct Server {
    kind: &'static Kind,
    process: Child,
    log: PathBuf,
    pub(crate) port: u16,
}

/// What is different from server to server.
struct Kind {
    name: &'static str,
    /// What tells it to read its files again.
    reload: Signal,
    /// What its log says when it has, and nobody answers by the old ones.
    reloaded: &'static str,
}

const NGINX: Kind = Kind {
    name: "nginx",
    reload: Signal::HUP,
    reloaded: "exited with code 0",
};

const HAPROXY: Kind = Kind {
    name: "haproxy",
    reload: Signal::USR2,
    reloaded: "exited with code 0",
};

const NODE: Kind = Kind {
    name: "node",
    reload: Signal::HUP,
    reloaded: "reloaded",
};

const PYTHON: Kind = Kind {
    name: "python",
    ..NODE
};

const JAVA: Kind = Kind {
    name: "java",
    ..NODE
};

impl Server {
    /// nginx with this inside its one `server` block, where `listen` and
    /// `server_name` are said already.
    #[track_caller]
    pub(crate) fn nginx(sandbox: &Sandbox, settings: &str) -> Self {
        on_a_free_port(
            |port| {
                let block = format!(
                    "listen 127.0.0.1:{port} ssl;
        server_name www.example.test;
        {settings}"
                );
                start_nginx(sandbox, &block, port)
            },
            "start worker process ",
        )
    }

    /// nginx that serves `public/` over plain HTTP, with these lines beside. It answers requests for every host, so
    /// that clients reach it as their proxy.
    #[track_caller]
    pub(crate) fn web(sandbox: &Sandbox, settings: &str) -> Self {
        if geteuid().is_root() {
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(sandbox.folder(), open).unwrap();
        }
        let block = format!("root ../public;\n        {settings}");
        on_a_free_port(
            |port| {
                let block = format!("listen 127.0.0.1:{port};\n        {block}");
                start_nginx(sandbox, &block, port)
            },
            "start worker process ",
        )
    }

    /// HAProxy with this behind the address of its one `bind`; it greets every
    /// client by its name, and logs OpenSSL's numbers for why it refused one.
    #[track_caller]
    pub(crate) fn haproxy(sandbox: &Sandbox, bind: &str) -> Self {
        on_a_free_port(|port| start_haproxy(sandbox, bind, port), "Loading success")
    }

    /// `tests/node/SCRIPT`, which prints the port it chose.
    #[track_caller]
    pub(crate) fn node(sandbox: &Sandbox, script: &str, args: &[&str]) -> Self {
        let script = repository("tests/node").join(script);
        Self::announced(sandbox, &NODE, Command::new("node").arg(script).args(args))
    }

    /// `tests/python/SCRIPT`, which prints the port it chose.
    #[track_caller]
    pub(crate) fn python(sandbox: &Sandbox, script: &str, args: &[&str]) -> Self {
        let mut python = Command::new(repository("target/test-tools/venv/bin/python"));
        let script = repository("tests/python").join(script);
        Self::announced(sandbox, &PYTHON, python.arg(script).args(args))
    }

    /// `tests/java/SOURCE`, which prints the port it chose.
    #[track_caller]
    pub(crate) fn java(sandbox: &Sandbox, source: &str, args: &[&str]) -> Self {
        let source = repository("tests/java").join(source);
        Self::announced(sandbox, &JAVA, Command::new("java").arg(source).args(args))
    }

    #[track_caller]
    fn announced(sandbox: &Sandbox, kind: &'static Kind, command: &mut Command) -> Self {
        let log = sandbox.path(format!("{}.log", kind.name));
        let mut process = command
            .current_dir(sandbox.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let mut server = Self {
            kind,
            process,
            log,
            port: 0,
        };
        let port = line.trim().parse();
        server.port = port.unwrap_or_else(|_| panic!("{} prints no port", kind.name));
        server
    }

    /// Has it read its files again, and waits until nothing is answered by the old ones.
    #[track_caller]
    pub(crate) fn reload(&self) {
        let Kind {
            name,
            reload,
            reloaded,
        } = self.kind;
        let reloads = || self.log().matches(reloaded).count();
        let before = reloads();
        kill_process(Pid::from_child(&self.process), *reload).unwrap();
        assert!(
            comes_true(|| reloads() > before),
            "{name} never said that it reloaded"
        );
    }

    /// What the server has written to its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Requires these words in the log. A client may have its answer before
    /// the server writes down why, so they are waited for.
    #[track_caller]
    pub(crate) fn assert_logs(&self, words: &str) {
        assert!(
            comes_true(|| self.log().contains(words)),
            "the log of {} never said: {words}",
            self.kind.name
        );
    }

    fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Waits until it says that it started, or has ended.
    fn starts(&mut self, started: &str) -> bool {
        let mut ended = false;
        let said = comes_true(|| {
            ended = self.has_ended();
            ended || self.log().contains(started)
        });
        assert!(
            said,
            "{} runs but never says that it started",
            self.kind.name
        );
        !ended
    }
}

impl Drop for Server {
    #[allow(clippy::print_stderr, reason = "the harness shows it with the failure")]
    fn drop(&mut self) {
        // It may have ended by itself, and its id be somebody else's by now.
        if !self.has_ended() {
            // Workers end only with a master that is asked to.
            let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
            if !comes_true(|| self.has_ended()) {
                let _ = self.process.kill();
                let _ = self.process.wait();
            }
        }
        if thread::panicking() {
            eprintln!("--- log of {}\n{}---", self.kind.name, self.log());
        }
    }
}

/// Looks again and again, for as long as a busy machine may need.
pub(crate) fn comes_true(mut holds: impl FnMut() -> bool) -> bool {
    (0..2_000).any(|_| {
        holds() || {
            thread::sleep(Duration::from_millis(10));
            false
        }
    })
}

/// The port is free when it is chosen; should another program take it before
/// the server does, the server says so and another port is tried.
#[track_caller]
fn on_a_free_port(start: impl Fn(u16) -> Server, started: &str) -> Server {
    for _ in 0..10 {
        let mut server = start(free_port());
        if server.starts(started) {
            return server;
        }
        let taken = server.log().contains("Address already in use");
        assert!(taken, "{} does not start", server.kind.name);
    }
    panic!("no free port in ten tries");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn start_nginx(sandbox: &Sandbox, block: &str, port: u16) -> Server {
    let log = sandbox.path("nginx/error.log");
    sandbox.write("nginx/error.log", "");
    // In the foreground, and every file inside the sandbox.
    sandbox.write(
        "nginx/nginx.conf",
        format!(
            "daemon off;
pid nginx.pid;
error_log error.log info;
events {{ }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        {block}
    }}
}}
"
        ),
    );
    let process = in_sbin_too("nginx")
        .arg("-p")
        .arg(sandbox.path("nginx"))
        .arg("-e")
        .arg(&log)
        .arg("-c")
        .arg("nginx.conf")
        .current_dir(sandbox.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx runs");
    Server {
        kind: &NGINX,
        process,
        log,
        port,
    }
}

fn start_haproxy(sandbox: &Sandbox, bind: &str, port: u16) -> Server {
    let log = sandbox.path("haproxy.log");
    sandbox.write(
        "haproxy.cfg",
        format!(
            "global
    log stderr format raw local0
defaults
    log global
    mode http
    timeout client 30s
    error-log-format \"refused: error %[ssl_c_err], of a CA %[ssl_c_ca_err]\"
frontend mtls
    bind 127.0.0.1:{port} ssl {bind}
    http-request return status 200 content-type text/plain lf-string \"hello %[ssl_c_s_dn(CN)]\\n\"
"
        ),
    );
    // A master that starts new workers and lets the old ones finish, as service managers run it.
    let process = in_sbin_too("haproxy")
        .args(["-W", "-f", "haproxy.cfg"])
        .current_dir(sandbox.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .expect("haproxy runs");
    Server {
        kind: &HAPROXY,
        process,
        log,
        port,
    }
}

/// Whom servers run as where the tests run as root: they want to be nobody, or insist on it.
const NOBODY: u32 = 65_534;

/// Where the tests run as root, nobody gets into the sandbox, and has the folder.
fn give_to_nobody(sandbox: &Sandbox, path: &Path) {
    if geteuid().is_root() {
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(sandbox.folder(), open).unwrap();
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// Servers live in sbin, which is not in every user's PATH.
fn in_sbin_too(program: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}
