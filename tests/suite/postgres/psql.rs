//! Session of psql that stays open, for tests that ask often.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};

use super::Cluster;
use crate::sandbox::Sandbox;
use crate::server::{Server, comes_true};

/// Line that psql prints behind each answer.
const END: &str = "-- end of the answer --";

pub(super) struct Psql {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Psql {
    /// Connects as the administrator, over the socket in the directory `postgres` of a sandbox.
    #[track_caller]
    pub(super) fn open(sandbox: &Sandbox, server: &Server, database: &str) -> Self {
        let socket = sandbox.path("postgres");
        let mut process = sandbox
            .run("psql", "--no-psqlrc --quiet --tuples-only --no-align")
            .words("--set ON_ERROR_STOP=1 --username administrator")
            .words(&format!(
                "--host {} --port {}",
                socket.display(),
                server.port
            ))
            .words(&format!("--dbname {database}"))
            .spawn_open();
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            input,
            output,
        }
    }

    /// Returns what psql prints for a statement.
    #[track_caller]
    pub(super) fn ask(&mut self, sql: &str) -> String {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{sql};\n\\echo {END}").unwrap();
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                let mut said = String::new();
                let stderr = self.process.stderr.as_mut().unwrap();
                stderr.read_to_string(&mut said).unwrap();
                panic!("{sql}: {said}");
            }
            if line.trim_end() == END {
                return answer.trim_end().to_owned();
            }
            answer += &line;
        }
    }

    /// Returns the lines of an answer.
    #[track_caller]
    pub(super) fn lines(&mut self, sql: &str) -> Vec<String> {
        self.ask(sql).lines().map(str::to_owned).collect()
    }

    /// Waits until a condition holds.
    #[track_caller]
    pub(super) fn wait_until(&mut self, condition: &str) {
        let sql = format!("SELECT {condition}");
        assert!(comes_true(|| self.ask(&sql) == "t"), "never: {condition}");
    }

    /// Waits until the server has ended what killed or cut off commands had begun.
    #[track_caller]
    pub(super) fn wait_for_quiet(&mut self) {
        self.wait_until(
            "NOT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'pki')",
        );
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

impl Cluster {
    #[track_caller]
    pub(super) fn session(&self, database: &str) -> Psql {
        Psql::open(&self.folder, &self.server, database)
    }
}
