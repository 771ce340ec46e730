//! One way to do the measured work: the processes that it takes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{cpu, syncs};

/// The place and the name of one piece of work.
pub struct Round {
    directory: PathBuf,
    number: usize,
}

impl Round {
    /// A new, empty directory under `parent`.
    pub fn new(parent: &Path, number: usize) -> Result<Self> {
        let directory = parent.join(number.to_string());
        fs::create_dir_all(&directory)?;
        Ok(Self { directory, number })
    }

    /// The working directory of the round's processes.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The round's number, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// A common name that no other round has.
    pub fn common_name(&self) -> String {
        format!("client-{}", self.number)
    }

    /// Puts a file into the directory.
    pub fn write(&self, name: &str, contents: &str) -> Result<()> {
        fs::write(self.directory.join(name), contents).context(format!("cannot write {name}"))
    }

    /// Reads a file of the directory.
    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.directory.join(name)).context(format!("cannot read {name}"))
    }
}

/// Cost of one round.
#[derive(Clone, Copy)]
pub struct Sample {
    /// From the first process's start to the last one's end.
    pub wall: Duration,
    /// User and system time of all of them.
    pub cpu: Duration,
    /// The largest resident set of any of them, in bytes, if it was asked for.
    pub memory: Option<f64>,
}

/// In place of the machine's trust store. `openssl x509 -req` and programs in Go read all of that
/// where there is one, which is several times the work that is measured here, and no part of it.
const NO_TRUST_STORE: &str = "/dev/null";

type Commands = dyn Fn(&Round) -> Result<Vec<Command>>;
type Product = dyn Fn(&Round) -> Result<String>;

/// A program, or a sequence of programs, that does the work of a round.
pub struct Contender {
    name: String,
    commands: Box<Commands>,
    product: Option<Box<Product>>,
    weighs: bool,
    times_itself: bool,
}

impl Contender {
    /// `commands` prepares a round, off the clock, and names the processes that are then timed.
    pub fn new(
        name: impl Into<String>,
        commands: impl Fn(&Round) -> Result<Vec<Command>> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            commands: Box::new(commands),
            product: None,
            weighs: false,
            times_itself: false,
        }
    }

    /// Names the file of a round's product, so that it can be judged.
    #[must_use]
    pub fn product_in(self, file: impl Fn(&Round) -> String + 'static) -> Self {
        self.product_from(move |round| round.read(&file(round)))
    }

    /// Gets a round's product, as PEM.
    #[must_use]
    pub fn product_from(mut self, product: impl Fn(&Round) -> Result<String> + 'static) -> Self {
        self.product = Some(Box::new(product));
        self
    }

    /// Does the work so many times in a round.
    #[must_use]
    pub fn repeated(self, times: usize) -> Self {
        let once = self.commands;
        let commands = move |round: &Round| {
            let all: Result<Vec<_>> = (0..times).map(|_| once(round)).collect();
            Ok(all?.into_iter().flatten().collect())
        };
        Self {
            commands: Box::new(commands),
            ..self
        }
    }

    /// Has the memory of each process measured, by GNU time, which costs a millisecond for each.
    #[must_use]
    pub fn weighed(mut self) -> Self {
        self.weighs = true;
        self
    }

    /// Takes the times that the process prints, in nanoseconds: those of a part of its work.
    #[must_use]
    pub fn timing_itself(mut self) -> Self {
        self.times_itself = true;
        self
    }

    /// Has the table call it something else.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self
        }
    }

    /// As the table calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The product that the round made, if this contender leaves one.
    pub fn product(&self, round: &Round) -> Option<Result<String>> {
        self.product.as_ref().map(|product| product(round))
    }

    /// Does the work once, off the clock and in this directory, and counts its syncs.
    pub fn rehearse(&self, directory: &Path) -> Result<u64> {
        const NUMBER: usize = 9_999;
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        let round = Round::new(directory, NUMBER)?;
        fs::rename(round.directory(), directory.join("product"))?;
        let round = Round {
            directory: directory.join("product"),
            ..round
        };
        self.run_traced(&round)
    }

    /// Does the work of a round off the clock, and counts its syncs.
    pub fn run_traced(&self, round: &Round) -> Result<u64> {
        let commands = (self.commands)(round)?;
        let traced = commands.iter().enumerate().map(syncs::traced).collect();
        let count = self.run_all(round, traced)?;
        (0..count)
            .map(|index| syncs::counted(&round.read(&syncs::file(index))?))
            .sum()
    }

    /// Does the work of a round; a process that fails ends the benchmark.
    pub fn run(&self, round: &Round) -> Result<Sample> {
        let mut commands = (self.commands)(round)?;
        if self.weighs {
            commands = commands.iter().enumerate().map(under_gnu_time).collect();
        }
        // Nobody waits for what the one before has left to be written.
        rustix::fs::sync();
        let cpu_before = cpu::of_children()?;
        let start = Instant::now();
        let count = self.run_all(round, commands)?;
        let wall = start.elapsed();
        let cpu = cpu::of_children()?.saturating_sub(cpu_before);
        let memory = if self.weighs {
            Some(largest(round, count)?)
        } else {
            None
        };
        let (wall, cpu) = if self.times_itself {
            printed(&round.read("0.out")?)?
        } else {
            (wall, cpu)
        };
        Ok(Sample { wall, cpu, memory })
    }

    fn run_all(&self, round: &Round, mut commands: Vec<Command>) -> Result<usize> {
        for (index, command) in commands.iter_mut().enumerate() {
            command
                .current_dir(round.directory())
                .env("SSL_CERT_FILE", NO_TRUST_STORE)
                .env("SSL_CERT_DIR", NO_TRUST_STORE)
                .stdin(Stdio::null())
                .stdout(File::create(
                    round.directory().join(format!("{index}.out")),
                )?)
                .stderr(File::create(
                    round.directory().join(format!("{index}.err")),
                )?);
        }
        for (index, command) in commands.iter_mut().enumerate() {
            let status = command
                .status()
                .with_context(|| format!("{} does not start", self.name))?;
            if !status.success() {
                let said = round.read(&format!("{index}.err")).unwrap_or_default();
                bail!("{}: {command:?} ended with {status}\n{said}", self.name);
            }
        }
        Ok(commands.len())
    }
}

fn under_gnu_time((index, command): (usize, &Command)) -> Command {
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M", "-o", &format!("{index}.kib")]);
    followed_by(timed, command)
}

/// A program that executes the command behind its own arguments.
pub(super) fn followed_by(mut program: Command, command: &Command) -> Command {
    program.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            program.env(name, value);
        }
    }
    program
}

fn largest(round: &Round, commands: usize) -> Result<f64> {
    let mut largest: f64 = 0.0;
    for index in 0..commands {
        let kibibytes: f64 = round.read(&format!("{index}.kib"))?.trim().parse()?;
        largest = largest.max(kibibytes * 1024.0);
    }
    Ok(largest)
}

/// Wall time and CPU time, as [`crate::floor`] prints them.
fn printed(line: &str) -> Result<(Duration, Duration)> {
    let (wall, cpu) = line
        .trim()
        .split_once(' ')
        .context("a floor prints two times")?;
    Ok((
        Duration::from_nanos(wall.parse()?),
        Duration::from_nanos(cpu.parse()?),
    ))
}
