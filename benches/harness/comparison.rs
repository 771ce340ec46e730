//! Contenders that take turns, so that whatever else the machine does meets them all alike.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::contender::{Contender, Round, Sample};
use super::statistics::Spread;

/// Rounds whose times are thrown away: page cache, lazily made directories, the processor's clock.
const WARM_UP: usize = 3;

type Judge = dyn Fn(&str) -> Result<()>;

/// Contenders for the same work; the first is what the others are compared to.
pub struct Comparison {
    title: String,
    folder: PathBuf,
    contenders: Vec<Contender>,
    judge: Box<Judge>,
    warm_up: usize,
}

impl Comparison {
    /// `folder` is emptied, and holds the folders of all rounds afterwards.
    pub fn new(title: &str, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        Ok(Self {
            title: title.to_owned(),
            folder: folder.to_owned(),
            contenders: Vec::new(),
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

    /// Throws away one round only, where a round takes many seconds.
    #[must_use]
    pub fn with_short_warm_up(mut self) -> Self {
        self.warm_up = 1;
        self
    }

    /// Measures the first round: each contender goes on with what the one before has made.
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

    /// Lets the contenders take turns, each round beginning with another one.
    pub fn run(&self, rounds: usize) -> Result<Measured> {
        eprintln!("{}: {rounds} rounds", self.title);
        let count = self.contenders.len();
        let mut samples = vec![Vec::with_capacity(rounds); count];
        for number in 0..self.warm_up + rounds {
            for turn in 0..count {
                let index = (turn + number) % count;
                let sample = self.take_turn(index, number)?;
                if number >= self.warm_up {
                    samples[index].push(sample);
                }
            }
        }
        let names = self
            .contenders
            .iter()
            .map(|contender| contender.name().to_owned());
        Ok(Measured {
            title: self.title.clone(),
            rows: names.zip(samples).collect(),
        })
    }

    fn take_turn(&self, index: usize, number: usize) -> Result<Sample> {
        let contender = &self.contenders[index];
        let round = Round::new(&self.folder.join(index.to_string()), number)?;
        let sample = contender.run(&round)?;
        if number == 0
            && let Some(product) = contender.product(&round)
        {
            product
                .and_then(|product| (self.judge)(&product))
                .with_context(|| format!("{} did not make what was asked", contender.name()))?;
        }
        Ok(sample)
    }
}

/// The samples of a comparison.
pub struct Measured {
    /// What was compared.
    pub title: String,
    rows: Vec<(String, Vec<Sample>)>,
}

/// One contender's times.
pub struct Row<'a> {
    /// The contender.
    pub name: &'a str,
    /// Wall time, in seconds.
    pub wall: Spread,
    /// Processor time, in seconds.
    pub cpu: Spread,
    /// Wall time divided by the first contender's in the same round.
    pub ratio: Spread,
    /// Resident bytes, where they were measured.
    pub memory: Option<Spread>,
}

impl Measured {
    /// How many rounds were counted.
    pub fn rounds(&self) -> usize {
        self.rows.first().map_or(0, |(_, samples)| samples.len())
    }

    /// A row for each contender, in the order in which they were added.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let first = self.rows.first().map_or(&[][..], |(_, samples)| samples);
        self.rows
            .iter()
            .map(|(name, samples)| row(name, samples, first))
            .collect()
    }
}

fn row<'a>(name: &'a str, samples: &[Sample], first: &[Sample]) -> Row<'a> {
    let pairs = samples.iter().zip(first);
    Row {
        name,
        wall: Spread::of(samples.iter().map(|sample| sample.wall.as_secs_f64())),
        cpu: Spread::of(samples.iter().map(|sample| sample.cpu.as_secs_f64())),
        ratio: Spread::of(
            pairs.map(|(one, base)| one.wall.as_secs_f64() / base.wall.as_secs_f64()),
        ),
        memory: memory(samples),
    }
}

fn memory(samples: &[Sample]) -> Option<Spread> {
    let octets: Option<Vec<f64>> = samples.iter().map(|sample| sample.memory).collect();
    octets.map(Spread::of)
}
