//! Random commands of several processes at once, and what befalls a store between them, against a model.
//!
//! A case begins with two CAs. Each step runs a command, or two to four at once, of which one may be
//! killed; or the clock jumps, an older counter is put back, a counter or outputs are deleted, the store
//! is lost and restored from a backup. The model is what was acknowledged: CAs, certificates and how they
//! stand, list numbers and times. After each step the store is held to it. Of commands that ran at once
//! any order is good. At the end, a backup is restored on both engines, which then have equal archives.
//!
//! The same cases run on a directory and on a database. No older counter is put back in a database: it promises
//! nothing of one that goes back in time by other means than `pki restore`, unless its timeline tells so, as
//! `postgres::standbys` tries. Lists are beside a database, and are lost with it.
//!
//! `make test` tries the same cases every time, `make soak` others in every run. Of a case that fails the shortest that still does is printed, with the
//! seed: `PROPTEST_RNG_SEED` tries the same cases again, `PROPTEST_CASES` more of them. How processes
//! take turns is no matter of the seed. What was found gets a test of its own, and no file keeps seeds.

mod carried;
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

/// Place of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Directory,
    Database,
}

impl Engine {
    fn sandbox(self) -> Sandbox {
        match self {
            Self::Directory => Sandbox::on_a_directory(),
            Self::Database => Sandbox::on_a_database(),
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Directory => Self::Database,
            Self::Database => Self::Directory,
        }
    }

    fn cases(self) -> u32 {
        match (self, is_long()) {
            (Self::Directory, false) => 30,
            (Self::Directory, true) => 300,
            (Self::Database, false) => 10,
            (Self::Database, true) => 100,
        }
    }
}

fn config(engine: Engine) -> Config {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_MAX_SHRINK_ITERS").is_none() {
        config.max_shrink_iters = 400;
    }
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = engine.cases();
    }
    if config.rng_seed == RngSeed::Random && !is_long() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one("seed"));
    }
    config
}

fn try_case(
    engine: Engine,
    beginning: &Sandbox,
    steps: &[Step],
    tally: &RefCell<Tally>,
) -> Verdict {
    let mut world = World::begin(engine, beginning)?;
    let verdict = steps.iter().enumerate().try_for_each(|(index, step)| {
        let verdict = world.step(step);
        verdict.map_err(|problem| format!("in step {index}, {step:?}: {problem}"))
    });
    let verdict = verdict.and_then(|()| {
        let carried = world.is_carried_to_both_engines();
        carried.map_err(|problem| format!("behind the last step: {problem}"))
    });
    tally.borrow_mut().add(&world.done);
    verdict
}

#[test]
fn random_commands_crashes_and_losses_lose_nothing_acknowledged() {
    on(Engine::Directory);
}

#[test]
fn random_commands_lose_nothing_acknowledged_in_a_database() {
    on(Engine::Database);
}

fn on(engine: Engine) {
    let beginning = world::beginning(engine);
    let tally = RefCell::new(Tally::default());
    let config = config(engine);
    let seed = config.rng_seed;
    let outcome = TestRunner::new(config).run(&plan::steps(engine), |steps| {
        try_case(engine, &beginning, &steps, &tally).map_err(TestCaseError::fail)
    });
    let tally = tally.into_inner();
    // Past the capture of the test harness: the numbers are of interest when all is well.
    writeln!(
        std::io::stderr().lock(),
        "model, {engine:?}, seed {seed}: {tally}"
    )
    .unwrap();
    outcome.unwrap_or_else(|failure| panic!("PROPTEST_RNG_SEED={seed}\n{failure}"));
    page::hold(engine, &tally, is_long());
}
