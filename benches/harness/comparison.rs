//! Contenders that take turns, so that whatever else the machine does meets them all alike.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::contender::{Contender, Round, Sample};
use super::figure::{Figure, Ratio};
use super::statistics::Spread;

/// Rounds whose times are discarded: page cache, lazily made directories, the processor's clock.
const WARM_UP: usize = 3;

type Judge = dyn Fn(&str) -> Result<()>;

/// Contenders for the same work, and the figures that are computed of their times.
pub struct Comparison {
    title: String,
    directory: PathBuf,
    contenders: Vec<Contender>,
    figures: Vec<Figure>,
    judge: Box<Judge>,
    warm_up: usize,
}

impl Comparison {
    /// `directory` is emptied, and holds the directories of all rounds afterwards. None is removed between rounds: for
    /// minutes ext4 passes over the inodes of removed files whenever it looks for one, which would be measured.
    pub fn new(title: &str, directory: &Path) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        Ok(Self {
            title: title.to_owned(),
            directory: directory.to_owned(),
            contenders: Vec::new(),
            figures: Vec::new(),
            judge: Box::new(|_| Ok(())),
            warm_up: WARM_UP,
        })
    }

    /// Has a product of each contender judged, so that all of them did the same work.
    #[must_use]
    pub fn judged_by(mut self, judge: impl Fn(&str) -> Result<()> + 'static) -> Self {
        self.judge = Box::new(judge);
        self
    }

    /// Discards one round only, if a round takes many seconds.
    #[must_use]
    pub fn with_short_warm_up(mut self) -> Self {
        self.warm_up = 1;
        self
    }

    /// Measures the first round: each contender continues with what the one before has made. Syncs are not counted.
    #[must_use]
    pub fn without_warm_up(mut self) -> Self {
        self.warm_up = 0;
        self
    }

    /// Adds a contender.
    #[must_use]
    pub fn with(mut self, contender: Contender) -> Self {
        self.contenders.push(contender);
        self
    }

    /// Adds a ratio of contenders.
    #[must_use]
    pub fn figure(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// Lets the contenders take turns, each round beginning with another one.
    pub fn run(&self, rounds: usize) -> Result<Measured> {
        eprintln!("{}: {rounds} rounds", self.title);
        let count = self.contenders.len();
        let mut rows: Vec<Row> = self.contenders.iter().map(Row::of).collect();
        for number in 0..self.warm_up + rounds {
            for turn in 0..count {
                let index = (turn + number) % count;
                self.take_turn(index, number, &mut rows[index])?;
            }
        }
        let figures = self.figures.iter();
        Ok(Measured {
            title: self.title.clone(),
            rounds,
            ratios: figures
                .map(|figure| figure.of(&rows))
                .collect::<Result<_>>()?,
            rows,
        })
    }

    /// The first round that does not count is the one in which strace looks on.
    fn take_turn(&self, index: usize, number: usize, row: &mut Row) -> Result<()> {
        let contender = &self.contenders[index];
        let round = Round::new(&self.directory.join(index.to_string()), number)?;
        if number == 0 && self.warm_up > 0 {
            row.syncs = Some(contender.run_traced(&round)?);
        } else {
            let sample = contender.run(&round)?;
            if number >= self.warm_up {
                row.samples.push(sample);
            }
        }
        if number == 0
            && let Some(product) = contender.product(&round)
        {
            product
                .and_then(|product| (self.judge)(&product))
                .with_context(|| format!("{} did not make what was asked", contender.name()))?;
        }
        Ok(())
    }
}

/// The results of a comparison.
pub struct Measured {
    /// Name of the comparison.
    pub title: String,
    /// Number of rounds that count.
    pub rounds: usize,
    /// A row for each contender, in the order in which they were added.
    pub rows: Vec<Row>,
    /// The figures, in the order in which they were added.
    pub ratios: Vec<Ratio>,
}

/// The samples of one contender.
pub struct Row {
    /// The contender.
    pub name: String,
    /// Number of its syncs, if they were counted.
    pub syncs: Option<u64>,
    /// A sample for each round.
    pub samples: Vec<Sample>,
}

impl Row {
    fn of(contender: &Contender) -> Self {
        Self {
            name: contender.name().to_owned(),
            syncs: None,
            samples: Vec::new(),
        }
    }

    /// Wall time, in seconds.
    pub fn wall(&self) -> Spread {
        Spread::of(self.samples.iter().map(|sample| sample.wall.as_secs_f64()))
    }

    /// CPU time, in seconds.
    pub fn cpu(&self) -> Spread {
        Spread::of(self.samples.iter().map(|sample| sample.cpu.as_secs_f64()))
    }

    /// Resident bytes, if they were measured.
    pub fn memory(&self) -> Option<Spread> {
        let bytes: Option<Vec<f64>> = self.samples.iter().map(|sample| sample.memory).collect();
        bytes.map(Spread::of)
    }
}
