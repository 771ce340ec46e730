//! Random commands of several processes at once, and what befalls a store between them, against a model.
//!
//! A case begins with two CAs. Each step runs a command, or two to four at once, of which one may be
//! killed; or the clock jumps, an older counter is put back, a counter or outputs are deleted, the store
//! is lost and restored from a backup. The model is what was acknowledged: CAs, certificates and how they
//! stand, list numbers and times. After each step the store is held to it. Of commands that ran at once
//! any order is good.
//!
//! `make test` tries the same cases every time, `make soak` others in every run. Of a case that fails the shortest that still does is printed, with the
//! seed: `PROPTEST_RNG_SEED` tries the same cases again, `PROPTEST_CASES` more of them. How processes
//! take turns is no matter of the seed. What was found gets a test of its own, and no file keeps seeds.

mod facts;
mod judge;
mod known;
mod order;
mod page;
mod plan;
mod reading;
mod world;

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use crate::faults::judge::Verdict;
use crate::sandbox::Sandbox;

use page::Tally;
use plan::Step;
use world::World;

/// Whether it is run at length, as by `make soak`.
fn is_long() -> bool {
    std::env::var_os("SOAK").is_some_and(|value| value == "1")
}

fn config() -> Config {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_MAX_SHRINK_ITERS").is_none() {
        config.max_shrink_iters = 400;
    }
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = if is_long() { 300 } else { 30 };
    }
    if config.rng_seed == RngSeed::Random && !is_long() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one("seed"));
    }
    config
}

fn try_case(beginning: &Sandbox, steps: &[Step], tally: &RefCell<Tally>) -> Verdict {
    let mut world = World::begin(beginning)?;
    let verdict = steps.iter().enumerate().try_for_each(|(index, step)| {
        let verdict = world.step(step);
        verdict.map_err(|problem| format!("in step {index}, {step:?}: {problem}"))
    });
    tally.borrow_mut().add(&world.done);
    verdict
}

#[test]
fn random_commands_crashes_and_losses_lose_nothing_acknowledged() {
    let beginning = world::beginning();
    let tally = RefCell::new(Tally::default());
    let config = config();
    let seed = config.rng_seed;
    let outcome = TestRunner::new(config).run(&plan::steps(), |steps| {
        try_case(&beginning, &steps, &tally).map_err(TestCaseError::fail)
    });
    let tally = tally.into_inner();
    // Past the capture of the test harness: the numbers are of interest when all is well.
    writeln!(std::io::stderr().lock(), "model, seed {seed}: {tally}").unwrap();
    outcome.unwrap_or_else(|failure| panic!("PROPTEST_RNG_SEED={seed}\n{failure}"));
    page::hold(&tally, is_long());
}
