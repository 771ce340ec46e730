//! Servers on loopback that live as long as a test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::sandbox::{Sandbox, repository};

/// A running server. It is ended by its own process id when the test ends,
/// however it ends; its log is shown when the test fails.
pub(crate) struct Server {
    name: &'static str,
    process: Child,
    log: PathBuf,
    pub(crate) port: u16,
}

impl Server {
    /// nginx with this inside its one `server` block, where `listen` and
    /// `server_name` are said already.
    #[track_caller]
    pub(crate) fn nginx(sandbox: &Sandbox, settings: &str) -> Self {
        // The port is free when it is chosen; should another program take it
        // before nginx does, nginx says so and another port is tried.
        for _ in 0..10 {
            let mut server = start_nginx(sandbox, settings, free_port());
            if server.accepts_connections() {
                return server;
            }
            let taken = server.log().contains("Address already in use");
            assert!(taken, "nginx does not start");
        }
        panic!("nginx found no free port in ten tries");
    }

    /// `tests/node/SCRIPT`, which prints the port it chose.
    #[track_caller]
    pub(crate) fn node(sandbox: &Sandbox, script: &str, args: &[&str]) -> Self {
        let log = sandbox.path("node.log");
        let mut process = Command::new("node")
            .arg(repository("tests/node").join(script))
            .args(args)
            .current_dir(sandbox.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let mut server = Self {
            name: "node",
            process,
            log,
            port: 0,
        };
        server.port = line.trim().parse().expect("node prints its port");
        server
    }

    /// What the server has written to its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Requires these words in the log. A client may have its answer before
    /// the server writes down why, so they are waited for.
    #[track_caller]
    pub(crate) fn assert_logs(&self, words: &str) {
        for _ in 0..2_000 {
            if self.log().contains(words) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the log of {} never said: {words}", self.name);
    }

    /// Tries to connect until it works, or the server has ended.
    fn accepts_connections(&mut self) -> bool {
        for _ in 0..2_000 {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{} runs but accepts no connection", self.name);
    }
}

impl Drop for Server {
    #[allow(clippy::print_stderr, reason = "the harness shows it with the failure")]
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("--- log of {}\n{}---", self.name, self.log());
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn start_nginx(sandbox: &Sandbox, settings: &str, port: u16) -> Server {
    let log = sandbox.path("nginx/error.log");
    sandbox.write("nginx/error.log", "");
    // One process in the foreground, and every file inside the sandbox.
    sandbox.write(
        "nginx/nginx.conf",
        format!(
            "daemon off;
master_process off;
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
        listen 127.0.0.1:{port} ssl;
        server_name www.example.test;
        {settings}
    }}
}}
"
        ),
    );
    let path = std::env::var("PATH").unwrap_or_default();
    let process = Command::new("nginx")
        .arg("-p")
        .arg(sandbox.path("nginx"))
        .arg("-e")
        .arg(&log)
        .arg("-c")
        .arg("nginx.conf")
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .current_dir(sandbox.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx runs");
    Server {
        name: "nginx",
        process,
        log,
        port,
    }
}
