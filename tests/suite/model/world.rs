//! A sandbox, what has to hold of it, and how each step is done to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Output};
use std::sync::mpsc::channel;
use std::thread;

use time::format_description::BorrowedFormatItem;
use time::macros::{datetime, format_description};
use time::{Duration, OffsetDateTime};

use crate::clock::forget_killed;
use crate::engine::OwnDatabase;
use crate::faults::judge::{Verdict, ensure};
use crate::run::{Run, Transcript};
use crate::sandbox::{STORE, Sandbox};
use crate::snapshot::Snapshot;

use super::Engine;
use super::facts::{Fact, facts};
use super::known::{Given, Known, Rows};
use super::order::{DECLARED, Order, Situation, TABLES};
use super::plan::{Action, Counter, Outputs, Pick, Step};
use super::reading;

const BEGIN: OffsetDateTime = datetime!(2026-01-01 12:00:00 UTC);

/// Where the clock stays: what every case begins with is valid there, and so is what it makes.
const EARLIEST: OffsetDateTime = datetime!(2021-01-01 00:00:00 UTC);
const LATEST: OffsetDateTime = datetime!(2030-01-01 00:00:00 UTC);

/// Everything is given out into one folder.
pub(super) const OUT: &str = "out";

const DECLARATION: &str = r#"
[defaults]
ca = "sub-a"
days = 400
out = "declared"
no_passphrase = true

[ca.root-a]

[ca.sub-a]
parent = "root-a"

[certificate.declared]

[certificate.taken-back]
revoked = { reason = "superseded" }

[crl.root-a]
to_pem = true
chain = true

[crl.sub-a]
to_pem = true
chain = true

[bundle.declared]
"#;

/// A command that ended.
pub(super) struct Ended {
    pub(super) order: Order,
    /// `None` where it was killed.
    pub(super) status: Option<i32>,
    pub(super) stdout: String,
    stderr: String,
    pub(super) facts: Vec<Fact>,
}

impl Ended {
    /// Whether it may have done what it has not said.
    pub(super) fn is_uncertain(&self) -> bool {
        !matches!(self.status, Some(0 | 1 | 3))
    }

    pub(super) fn is_done(&self) -> bool {
        self.status == Some(0)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            order,
            status,
            stdout,
            stderr,
            ..
        } = self;
        let line = &order.line;
        writeln!(f, "$ pki {line}\n{stdout}{stderr}--- exit code {status:?}")
    }
}

struct Backup {
    file: String,
    /// What was acknowledged before it began, and when it had ended.
    before: Known,
    after: Known,
}

/// What a case has done, for the count of all of them.
#[derive(Default)]
pub(super) struct Done {
    pub(super) steps: usize,
    pub(super) at_once: usize,
    pub(super) killed: usize,
    /// Commands by name, and how many of them were refused.
    pub(super) commands: BTreeMap<String, (usize, usize)>,
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) sandbox: Sandbox,
    pub(super) known: Known,
    pub(super) given: Given,
    clock: OffsetDateTime,
    /// The files in [`OUT`].
    pub(super) given_out: BTreeSet<String>,
    pub(super) lists_are_gone: bool,
    /// The CAs of which an older counter was put back.
    pub(super) behind: BTreeSet<String>,
    /// The contents that counters had, by their files.
    counters: BTreeMap<String, Vec<String>>,
    backups: Vec<Backup>,
    /// How many files of rows, and of backups, have a name.
    files: usize,
    pub(super) done: Done,
}

/// What every case begins with.
pub(super) fn beginning(engine: Engine) -> Sandbox {
    let sandbox = engine.sandbox();
    let validity = "--no-passphrase --not-before 2020-01-01 --not-after 2040-01-01";
    for line in ["root --name root-a", "subordinate --ca root-a --name sub-a"] {
        let made = sandbox.pki_at(&spoken(BEGIN), line).words(validity);
        made.succeeds();
    }
    sandbox
        .run(
            "openssl",
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes",
        )
        .words("-keyout client.key -out client.csr -subj /CN=of-a-request")
        .succeeds();
    for (index, rows) in TABLES.iter().enumerate() {
        sandbox.write(
            &format!("table-{index}.csv"),
            "cn\n".to_owned() + &rows.join("\n"),
        );
    }
    assert!(
        DECLARED
            .iter()
            .all(|cn| DECLARATION.contains(&format!("[certificate.{cn}]")))
    );
    sandbox.write("pki.toml", DECLARATION);
    sandbox
}

fn formatted(moment: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    moment.format(format).expect("a year of four digits")
}

/// As faketime reads it.
fn spoken(moment: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    formatted(moment, format)
}

impl World {
    pub(super) fn begin(engine: Engine, beginning: &Sandbox) -> Result<Self, String> {
        let mut world = Self {
            engine,
            sandbox: beginning.copy(),
            known: Known::default(),
            given: Given::default(),
            clock: BEGIN,
            given_out: BTreeSet::new(),
            lists_are_gone: false,
            behind: BTreeSet::new(),
            counters: BTreeMap::new(),
            backups: Vec::new(),
            files: 0,
            done: Done::default(),
        };
        world.take_over()?;
        world.remember_counters();
        Ok(world)
    }

    /// The moment, as it is written everywhere.
    pub(super) fn now(&self) -> String {
        formatted(
            self.clock,
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"),
        )
    }

    /// Seconds since 1970.
    pub(super) fn timestamp(&self) -> i64 {
        self.clock.unix_timestamp()
    }

    /// A command, at this moment.
    pub(super) fn pki(&self, line: &str) -> Run {
        self.pki_of(&self.sandbox, line)
    }

    /// The same in another sandbox.
    pub(super) fn pki_of(&self, sandbox: &Sandbox, line: &str) -> Run {
        let line = format!("--format json -q {line}");
        sandbox.pki_alone_at(&spoken(self.clock), &line)
    }

    pub(super) fn step(&mut self, step: &Step) -> Verdict {
        self.done.steps += 1;
        match step {
            Step::Commands { actions, killed } => return self.commands(actions, *killed),
            Step::Clock { hours } => {
                let clock = self.clock + Duration::hours(i64::from(*hours));
                self.clock = clock.clamp(EARLIEST, LATEST);
            }
            Step::OldCounter {
                ca,
                counter,
                version,
            } => self.put_back(*ca, *counter, *version),
            Step::NoCounter { ca, counter } => self.without_counter(*ca, *counter)?,
            Step::Deleted(outputs) => self.delete(*outputs),
            Step::Restored { backup } => self.restore(*backup)?,
        }
        self.judge(&self.known.clone(), &[])
    }

    fn commands(&mut self, actions: &[Action], killed: Option<Pick>) -> Verdict {
        let mut orders = Vec::new();
        for action in actions {
            let now = self.now();
            let situation = Situation {
                known: &self.known,
                now: &now,
                lists_are_gone: self.lists_are_gone,
                given_out: &self.given_out,
                next_file: self.files,
            };
            if let Some(order) = situation.order(action) {
                self.write_rows(&order);
                self.files += 1;
                orders.push(order);
            }
        }
        for index in 0..orders.len() {
            let (front, rest) = orders.split_at_mut(index);
            let (order, back) = rest.split_first_mut().expect("it has one more");
            order.beside(front.iter().chain(&*back));
        }
        let before = self.known.clone();
        let victim = killed.filter(|_| orders.len() > 1);
        let victim = victim.map(|pick| usize::from(pick.0) % orders.len());
        let ended = self.run(orders, victim);
        self.count(&ended);
        let verdict = self.judge(&before, &ended);
        for run in ended.iter().filter(|run| run.is_done()) {
            if let Some(file) = &run.order.backup {
                self.backups.push(Backup {
                    file: file.clone(),
                    before: before.clone(),
                    after: self.known.clone(),
                });
            }
        }
        verdict.map_err(|problem| {
            let runs: String = ended.iter().map(ToString::to_string).collect();
            format!("{problem}\nat {}\n{runs}", self.now())
        })
    }

    /// The rows of `revoke --from`, which its order names.
    fn write_rows(&self, order: &Order) {
        let file = format!("rows-{}.csv", self.files);
        if order.line.ends_with(&file) {
            let rows = order.records.iter().map(|((_, serial), reason)| {
                format!("0x{serial},{}\n", reason.as_deref().unwrap_or_default())
            });
            self.sandbox.write(&file, rows.collect::<String>());
        }
    }

    /// Runs them at once. The victim is killed as soon as any other has ended.
    fn run(&self, orders: Vec<Order>, victim: Option<usize>) -> Vec<Ended> {
        let children = orders.iter().map(|order| self.pki(&order.line).spawn());
        let mut children: Vec<Option<Child>> = children.map(Some).collect();
        let doomed = victim.and_then(|index| children[index].take());
        let outputs = thread::scope(|scope| {
            let (ends, an_end) = channel();
            let waiting: Vec<_> = children
                .into_iter()
                .map(|child| {
                    let ends = ends.clone();
                    child.map(|child| {
                        scope.spawn(move || {
                            let output = child.wait_with_output().unwrap();
                            let _ = ends.send(());
                            output
                        })
                    })
                })
                .collect();
            let killed = doomed.map(|child| {
                an_end.recv().expect("one of the others ends");
                kill(child)
            });
            let mut killed = killed.into_iter();
            let outputs = waiting.into_iter().map(|waiting| match waiting {
                Some(waiting) => waiting.join().unwrap(),
                None => killed.next().expect("it is the one"),
            });
            outputs.collect::<Vec<_>>()
        });
        if let Some(database) = self.sandbox.database() {
            database.has_ended();
        }
        let pairs = orders.into_iter().zip(outputs);
        pairs.map(|(order, output)| ended(order, output)).collect()
    }

    fn count(&mut self, ended: &[Ended]) {
        self.done.at_once += usize::from(ended.len() > 1);
        for run in ended {
            self.done.killed += usize::from(run.status.is_none());
            let counts = self.done.commands.entry(run.order.command().to_owned());
            let (all, refused) = counts.or_default();
            *all += 1;
            *refused += usize::from(matches!(run.status, Some(1)));
        }
    }

    fn counter_file(&self, ca: Pick, counter: Counter) -> (String, String) {
        let names = self.known.names();
        let ca = ca.of(&names).expect("a case begins with CAs").clone();
        let file = format!("{STORE}/{ca}/{}", counter.file());
        (ca, file)
    }

    fn put_back(&mut self, ca: Pick, counter: Counter, version: Pick) {
        let (ca, file) = self.counter_file(ca, counter);
        if let Some(content) = self.counters.get(&file).and_then(|all| version.of(all)) {
            self.sandbox.write(&file, content);
            self.behind.insert(ca);
        }
    }

    /// Remembers what is in the counters now.
    pub(super) fn remember_counters(&mut self) {
        if self.engine == Engine::Database {
            return;
        }
        for ca in self.known.names() {
            for counter in [Counter::Serial, Counter::ListNumber] {
                let file = format!("{STORE}/{ca}/{}", counter.file());
                let content = self.sandbox.read(&file);
                let all = self.counters.entry(file).or_default();
                if all.last() != Some(&content) {
                    all.push(content);
                }
            }
        }
    }

    /// A counter that is gone is damage: what needs it refuses, and changes nothing.
    fn without_counter(&self, ca: Pick, counter: Counter) -> Verdict {
        let (ca, file) = self.counter_file(ca, counter);
        let line = match counter {
            Counter::Serial => format!("issue --ca {ca} --cn without-a-counter"),
            // What was signed ahead needs no number; another end does.
            Counter::ListNumber => format!("crl --ca {ca} --days 5"),
        };
        let (refused, differences) = match self.sandbox.database() {
            None => self.without_file(&file, &line),
            Some(database) => self.without_row(database, &ca, counter, &line),
        };
        ensure(refused.status == Some(1) && differences.is_empty(), || {
            format!("{file} was gone, and {differences:?}\n{refused}")
        })?;
        let now = self.now();
        let could = match counter {
            Counter::Serial => self.known.may_issue(&ca, &now),
            Counter::ListNumber => self.known.is_in_time(&ca, &now),
        };
        ensure(!could || refused.stderr.contains(&file), || {
            format!("{file} was gone, and is not named\n{refused}")
        })
    }

    /// Runs a command without a file of the store; returns what it said, and what it changed.
    fn without_file(&self, file: &str, line: &str) -> (Transcript, Vec<String>) {
        let content = self.sandbox.read(file);
        fs::remove_file(self.sandbox.path(file)).unwrap();
        let store = self.sandbox.path(STORE);
        let before = Snapshot::of(&store);
        let refused = self.pki(line).finish();
        let mut differences = before.differences(&store);
        // The first process that takes a lock creates its file.
        differences.retain(|line| !line.ends_with("/crl") && !line.ends_with("/lock"));
        self.sandbox.write(file, content);
        (refused, differences)
    }

    /// The same without a row of a table.
    fn without_row(
        &self,
        database: &OwnDatabase,
        ca: &str,
        counter: Counter,
        line: &str,
    ) -> (Transcript, Vec<String>) {
        let table = counter.table();
        let of_ca = format!("ca = (SELECT id FROM pki.ca WHERE name = '{ca}')");
        database.psql(&format!(
            "CREATE TABLE kept AS SELECT * FROM {table} WHERE {of_ca}; DELETE FROM {table} WHERE {of_ca}"
        ));
        let before = database.content();
        let refused = self.pki(line).finish();
        let now = database.content();
        let differences = (now != before).then(|| "changed: a table".to_owned());
        database.psql(&format!(
            "INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"
        ));
        (refused, differences.into_iter().collect())
    }

    pub(super) fn delete(&mut self, outputs: Outputs) {
        let remove = |folder: &str, is_meant: &dyn Fn(&str) -> bool| {
            for entry in fs::read_dir(self.sandbox.path(folder))
                .into_iter()
                .flatten()
            {
                let entry = entry.unwrap();
                if is_meant(&entry.file_name().to_string_lossy()) {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        };
        match outputs {
            Outputs::GivenOut => {
                remove(OUT, &|_| true);
                remove(".", &|name| name == "truststore.pem");
                self.given_out.clear();
                return;
            }
            Outputs::ListsOf(pick) => {
                let names = self.known.names();
                let ca = pick.of(&names).expect("a case begins with CAs");
                remove("pki/crl", &|name| name.starts_with(&format!("{ca}.")));
            }
            Outputs::MadeOfLists => remove("pki/crl", &|name| name.contains(".crl.pem")),
            Outputs::Lists => remove("pki/crl", &|_| true),
        }
        for (name, ca) in &mut self.known.cas {
            if !Path::new(&self.sandbox.path(format!("pki/crl/{name}.crl"))).exists() {
                self.lists_are_gone |= ca.list.is_some();
                ca.list = None;
                if ca.ahead {
                    ca.list_floor.clear();
                }
            }
        }
    }

    /// The store is lost, and goes on as it was backed up.
    fn restore(&mut self, backup: Pick) -> Verdict {
        let Some(backup) = backup.of(&self.backups) else {
            return Ok(());
        };
        let (before, after, file) = (
            backup.before.clone(),
            backup.after.clone(),
            backup.file.clone(),
        );
        self.sandbox.lose_store();
        let restored = self.pki(&format!("restore {file}")).finish();
        ensure(restored.status == Some(0), || restored.to_string())?;
        self.known = before.clone();
        self.take_over()?;
        // What ran beside the backup may be in it.
        for table in after.tables.into_keys() {
            self.known.tables.entry(table).or_insert(Rows::Unknown);
        }
        for certificate in &before.certificates {
            let is_there = self.known.certificate(&certificate.id()).is_some();
            ensure(is_there, || format!("a backup lost {}", certificate.serial))?;
        }
        for certificate in &self.known.certificates {
            let mut all = after.certificates.iter();
            let known = all.find(|known| known.id() == certificate.id());
            let is_known = known.is_some_and(|known| known.fingerprint == certificate.fingerprint);
            ensure(is_known, || {
                format!("a backup made up {}", certificate.serial)
            })?;
        }
        Ok(())
    }
}

fn kill(mut child: Child) -> Output {
    let process = child.id();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    forget_killed(process);
    output
}

fn ended(order: Order, output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let stdout = text(output.stdout);
    Ended {
        facts: facts(order.says, &stdout),
        status: output.status.code(),
        stderr: text(output.stderr),
        stdout,
        order,
    }
}

/// The names in a folder, which need not be there.
pub(super) fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

impl World {
    /// What stands in the store is what is known from now on: where a case begins, or goes on with what
    /// a backup had.
    pub(super) fn take_over(&mut self) -> Verdict {
        let before = std::mem::take(&mut self.known);
        for name in reading::names_of_cas(&self.sandbox) {
            let known = before.cas.get(&name);
            let mut authority = reading::authority(&self.sandbox, &name, known)?;
            authority.list = reading::list(&self.sandbox, &name, None)?;
            if let Some(list) = &authority.list {
                authority.list_floor = list.this_update.clone();
            }
            self.known.cas.insert(name, authority);
        }
        self.known.certificates = self.listed(&before)?;
        self.known.tables = before.tables;
        self.lists_are_gone = self.known.cas.values().any(|ca| ca.list.is_none());
        for certificate in &self.known.certificates {
            self.given.serials.insert(certificate.id());
        }
        for (name, ca) in &self.known.cas {
            let number = ca.list.as_ref().map_or(0, |list| list.number);
            let highest = self.given.numbers.entry(name.clone()).or_default();
            *highest = number.max(*highest);
        }
        Ok(())
    }
}
