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

    /// Fills a store that has one CA with copies of a certificate, which `issue` makes, and of its key: each copy has a
    /// serial number, a common name and a key hash of its own. Indexes are built afterwards.
    pub fn fill(
        &self,
        database: &str,
        count: u32,
        issue: impl FnOnce(&str) -> Result<()>,
    ) -> Result<()> {
        eprintln!("fills a store with {count} certificates");
        let start = Instant::now();
        let mut client = self.client(database)?;
        client.batch_execute("UPDATE pki.serial_counter SET counter = 20000000")?;
        issue("device-00000000")?;
        client.batch_execute(&FILL.replace("COUNT", &count.to_string()))?;
        let row = client.query_one(SIZES, &[])?;
        let bytes = |index: usize| row.get::<_, i64>(index) / i64::from(count);
        eprintln!(
            "{} s; bytes for each: certificates {}, their indexes {}, keys {}, their index {}",
            start.elapsed().as_secs(),
            bytes(0),
            bytes(1),
            bytes(2),
            bytes(3),
        );
        Ok(())
    }
}

/// The serial number, 12 bytes with the counter first, the common name and the certificate have the same lengths in
/// each copy.
const FILL: &str = r#"
    SET maintenance_work_mem = '512MB';
    CREATE TEMP TABLE rebuilt AS
        SELECT i.indrelid::regclass::text AS of_table, i.indexrelid::regclass::text AS name,
            pg_get_indexdef(i.indexrelid) AS definition, c.conname, pg_get_constraintdef(c.oid) AS constraint_definition
        FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
        WHERE i.indrelid IN ('pki.certificate'::regclass, 'pki.leaf_key'::regclass);
    CREATE TEMP TABLE template AS SELECT c.*, k.pem FROM pki.certificate c JOIN pki.leaf_key k USING (ca, serial)
        WHERE cn = 'device-00000000';
    CREATE TEMP TABLE copy AS SELECT n, counter + n AS counter, 'device-' || lpad(n::text, 8, '0') AS cn,
            int4send((counter + n)::integer) || substr(sha256(int4send(n)), 1, 8) AS serial
        FROM template, generate_series(1, COUNT) n;
    DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT * FROM rebuilt LOOP
            IF one.conname IS NULL THEN EXECUTE format('DROP INDEX %s', one.name);
            ELSE EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.of_table, one.conname); END IF;
        END LOOP;
    END $$;
    INSERT INTO pki.certificate (ca, serial, counter, cn, key, is_entry, record, der)
        SELECT t.ca, c.serial, c.counter, c.cn, hashint8extended(c.n, 0), false,
            replace(replace(replace(t.record, t.cn, c.cn), '"' || t.counter || '"', '"' || c.counter || '"'),
                upper(encode(t.serial, 'hex')), upper(encode(c.serial, 'hex'))),
            overlay(overlay(t.der PLACING c.serial FROM position(t.serial IN t.der))
                PLACING convert_to(c.cn, 'UTF8') FROM position(convert_to(t.cn, 'UTF8') IN t.der))
        FROM template t, copy c;
    INSERT INTO pki.leaf_key (ca, serial, pem) SELECT t.ca, c.serial, t.pem FROM template t, copy c;
    DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT * FROM rebuilt LOOP
            IF one.conname IS NULL THEN EXECUTE one.definition;
            ELSE EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', one.of_table, one.conname,
                one.constraint_definition); END IF;
        END LOOP;
    END $$;
    UPDATE pki.serial_counter SET counter = counter + COUNT"#;

const SIZES: &str = "SELECT pg_table_size('pki.certificate'), pg_indexes_size('pki.certificate'),
    pg_table_size('pki.leaf_key'), pg_indexes_size('pki.leaf_key')";

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
