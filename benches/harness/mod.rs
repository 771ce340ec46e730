//! Times whole processes against each other and writes down what came out.
//!
//! A benchmark hands a [`Comparison`] its [`Contender`]s; what is measured goes into a [`Report`],
//! which prints it and puts it into the documentation.

#![allow(
    dead_code,
    reason = "every benchmark includes these modules and uses a part of them"
)]

mod comparison;
mod contender;
mod cpu;
mod figure;
mod machine;
mod report;
mod statistics;
mod syncs;

use anyhow::{Context, Result};

pub use comparison::Comparison;
pub use contender::{Contender, Round};
pub use cpu::of_this_process;
pub use figure::Figure;
pub use report::Report;

/// The number behind `--rounds`.
pub fn rounds_asked() -> Result<Option<usize>> {
    let mut arguments = std::env::args()
        .skip_while(|argument| argument != "--rounds")
        .skip(1);
    let number = arguments.next().map(|number| number.parse());
    number.transpose().context("--rounds takes a number")
}
