//! Ratios of what one contender takes to what others take.

use anyhow::{Context, Result};

use super::comparison::Row;
use super::contender::Sample;
use super::statistics::Spread;

/// The quantity that a ratio is of.
#[derive(Clone, Copy)]
enum Quantity {
    Wall,
    Cpu,
    Memory,
}

/// A ratio that is to be computed: a contender to a floor, or to another program.
pub struct Figure {
    name: String,
    contender: String,
    quantity: Quantity,
    floor: Vec<String>,
    at_most: Option<f64>,
    bound: &'static str,
}

/// A ratio, computed within each round.
pub struct Ratio {
    /// The contender and the quantity.
    pub figure: String,
    /// The contenders that it is measured against.
    pub floor: String,
    /// The ratios of the rounds.
    pub spread: Spread,
    /// The goal.
    pub at_most: Option<f64>,
    /// Reason that it is no less.
    pub bound: &'static str,
}

impl Figure {
    /// Wall time against the sum of the wall times of these contenders.
    pub fn wall(contender: &str, floor: &[impl AsRef<str>]) -> Self {
        Self::new(contender, Quantity::Wall, floor)
    }

    /// CPU time against the sum of the CPU times of these contenders.
    pub fn cpu(contender: &str, floor: &[impl AsRef<str>]) -> Self {
        Self::new(contender, Quantity::Cpu, floor)
    }

    /// Memory against that of another contender.
    pub fn memory(contender: &str, other: &str) -> Self {
        Self::new(contender, Quantity::Memory, &[other])
    }

    fn new(contender: &str, quantity: Quantity, floor: &[impl AsRef<str>]) -> Self {
        Self {
            name: contender.to_owned(),
            contender: contender.to_owned(),
            quantity,
            floor: floor.iter().map(|name| name.as_ref().to_owned()).collect(),
            at_most: None,
            bound: "",
        }
    }

    /// Has the table call it something else than its contender.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets a goal.
    #[must_use]
    pub fn at_most(mut self, ratio: f64) -> Self {
        self.at_most = Some(ratio);
        self
    }

    /// Says why the ratio is no less.
    #[must_use]
    pub fn bound_by(mut self, bound: &'static str) -> Self {
        self.bound = bound;
        self
    }

    /// Computes the ratio of each round.
    pub(super) fn of(&self, rows: &[Row]) -> Result<Ratio> {
        let named = |name: &String| {
            let row = rows.iter().find(|row| row.name == *name);
            row.with_context(|| format!("no contender is called {name}"))
        };
        let own = named(&self.contender)?;
        let floors = self.floor.iter().map(named).collect::<Result<Vec<_>>>()?;
        let ratio = |round: usize| {
            let amount = |row: &Row| self.quantity.of(&row.samples[round]);
            amount(own) / floors.iter().map(|row| amount(row)).sum::<f64>()
        };
        Ok(Ratio {
            figure: format!("{}{}", self.name, self.quantity.shown()),
            floor: self.floor.join(" + "),
            spread: Spread::of((0..own.samples.len()).map(ratio)),
            at_most: self.at_most,
            bound: self.bound,
        })
    }
}

impl Quantity {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Wall => sample.wall.as_secs_f64(),
            Self::Cpu => sample.cpu.as_secs_f64(),
            Self::Memory => sample.memory.unwrap_or(f64::NAN),
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Wall => "",
            Self::Cpu => ": CPU time",
            Self::Memory => ": memory",
        }
    }
}
