//! The server, in a directory of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use postgres::{Client, NoTls};
use rustix::process::{Pid, Signal, geteuid, kill_process};

const PROGRAMS: &str = "/usr/lib/postgresql";

/// A server that keeps what it acknowledges; it ends with this.
pub struct Server {
    process: Child,
    directory: PathBuf,
    pub port: u16,
}

impl Server {
    pub fn start() -> Result<Self> {
        let directory =
            std::env::temp_dir().join(format!("pki-bench-postgres-{}", std::process::id()));
        fs::create_dir(&directory)?;
        if geteuid().is_root() {
            run(Command::new("chown").arg("nobody").arg(&directory))?;
        }
        let data = directory.join("data");
        run(as_nobody("initdb")?
            .args(["--username", "bench", "--auth", "trust", "--pgdata"])
            .arg(&data))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nmax_wal_size = '8GB'\n",
            directory.display()
        );
        fs::write(data.join("postgresql.auto.conf"), settings)?;
        let process = as_nobody("postgres")?
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self {
            process,
            directory,
            port,
        };
        server.wait()?;
        Ok(server)
    }

    fn wait(&self) -> Result<()> {
        let start = Instant::now();
        while self.client("postgres").is_err() {
            ensure!(
                start.elapsed() < Duration::from_secs(60),
                "the server does not start"
            );
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn client(&self, database: &str) -> Result<Client> {
        let url = format!("postgres://bench@127.0.0.1:{}/{database}", self.port);
        Ok(Client::connect(&url, NoTls)?)
    }

    /// Makes a database; returns its URL.
    pub fn database(&self, name: &str) -> Result<String> {
        self.client("postgres")?
            .batch_execute(&format!("CREATE DATABASE {name}"))?;
        Ok(format!(
            "postgres://bench@127.0.0.1:{}/{name}?sslmode=disable",
            self.port
        ))
    }

    pub fn version(&self) -> Result<String> {
        let row = self
            .client("postgres")?
            .query_one("SHOW server_version", &[])?;
        Ok(format!("PostgreSQL {}", row.get::<_, &str>(0)))
    }

    /// Multiplies the only certificate of a store.
    pub fn fill(&self, database: &str, count: u32) -> Result<()> {
        eprintln!("fills a store with {count} certificates");
        Ok(self.client(database)?.batch_execute(&format!(
            "SET synchronous_commit = off; SET maintenance_work_mem = '1GB';
            CREATE TEMP TABLE definition AS SELECT indexdef FROM pg_indexes WHERE schemaname = 'pki'
                AND tablename = 'certificate' AND indexname LIKE 'certificate_%' AND indexname NOT LIKE '%key'
                AND indexname NOT LIKE '%_serial_%';
            DO $$ DECLARE one record; BEGIN
                FOR one IN SELECT indexname FROM pg_indexes WHERE schemaname = 'pki' AND tablename = 'certificate'
                    AND indexdef IN (SELECT indexdef FROM definition)
                LOOP EXECUTE 'DROP INDEX pki.' || one.indexname; END LOOP;
            END $$;
            INSERT INTO pki.certificate (ca, serial, counter, cn, profile, not_after, key, is_entry, is_ca, record, der)
                SELECT c.ca, int8send(n) || c.serial, n, 'device-' || n, 'client', c.not_after,
                    sha256(int8send(n)), false, false,
                    replace(replace(c.record, '\"cn\":\"benchmark\"', '\"cn\":\"device-' || n || '\"'),
                        encode(c.serial, 'hex'), encode(int8send(n) || c.serial, 'hex')), c.der
                FROM (SELECT * FROM pki.certificate LIMIT 1) c, generate_series(2, {count}) n;
            DO $$ DECLARE one record; BEGIN
                FOR one IN SELECT indexdef FROM definition LOOP EXECUTE one.indexdef; END LOOP;
            END $$;
            ANALYZE pki.certificate; CHECKPOINT"
        ))?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::INT);
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A program of PostgreSQL, which does not run as root.
fn as_nobody(program: &str) -> Result<Command> {
    let program = newest()?.join("bin").join(program);
    if !geteuid().is_root() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg(program)
        .current_dir("/");
    Ok(command)
}

fn newest() -> Result<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).context("PostgreSQL is not installed")?;
    let mut versions: Vec<PathBuf> = versions
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    versions.retain(|version| Path::new(version).join("bin/postgres").exists());
    versions.sort();
    versions.pop().context("PostgreSQL is not installed")
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
