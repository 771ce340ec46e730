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
mod machine;
mod report;
mod statistics;

pub use comparison::Comparison;
pub use contender::{Contender, Round};
pub use report::Report;
