//! Two commands, one after the other: the first is killed when something that it wrote is not durable
//! yet, the second answers, and then power is cut.

use std::collections::BTreeSet;
use std::io::Write as _;

use crate::sandbox::Sandbox;

use super::disk::{self, Disk, Tree};
use super::judge::{Standing, Verdict};
use super::page;
use super::power::{digest, step};
use super::recording::{play, play_on};
use super::sweep::{Sweep, each_of};

/// A command that is killed, and the one that answers after it.
pub(super) struct Pair {
    pub(super) first: &'static str,
    pub(super) second: Sweep,
}

/// State that a power cut left after both.
struct Left {
    described: String,
    tree: Tree,
    /// Whether the second command said that it was done.
    is_done: bool,
}

impl Pair {
    /// Cuts power after every kill of the first command that leaves something unsynced.
    #[track_caller]
    pub(super) fn run(self) {
        let Self { first, second } = &self;
        let standing = Standing::of(&second.begin.copy()).unwrap();
        let killed = self.killed();
        let left: Vec<Left> = killed
            .iter()
            .flat_map(|(call, disk)| self.after_both(call, disk))
            .collect();
        assert!(left.iter().any(|left| left.is_done), "{first}: never done");
        let tried: Vec<&Left> = left.iter().step_by(step(left.len())).collect();
        let problems = each_of(
            &tried,
            |left| left.described.clone(),
            |left| judge(second, &standing, left),
        );
        assert!(
            problems.is_empty(),
            "pki {first}\npki {}\n{problems}",
            second.command
        );
        let tally = page::PairTally {
            first,
            second: second.command,
            kills: killed.len(),
            cuts: left.len(),
        };
        writeln!(std::io::stderr().lock(), "{tally}").unwrap();
        page::hold_pair(&tally);
    }

    /// Returns what the first command leaves if it is killed behind a call, with something unsynced.
    fn killed(&self) -> Vec<(String, Disk)> {
        let sandbox = self.second.begin.copy_into(Sandbox::new());
        let mut killed = Vec::new();
        play(&sandbox, &words(self.first), |player, call| {
            if player.disk.is_unsynced() {
                killed.push((call.to_owned(), player.disk.clone()));
            }
        });
        killed
    }

    /// Returns what power cuts leave when the second command has answered.
    fn after_both(&self, call: &str, disk: &Disk) -> Vec<Left> {
        let sandbox = Sandbox::new();
        disk::put(&disk.seen(), sandbox.folder());
        let played = play_on(
            disk.clone(),
            &sandbox,
            &words(self.second.command),
            |_, _| {},
        );
        let mut seen = BTreeSet::new();
        let mut left = Vec::new();
        let mut cuts = played.disk.after_a_cut();
        // What is durable is what is seen, too.
        cuts.push((
            (disk::Namings::Kept, disk::Content::Kept),
            played.disk.seen(),
        ));
        for (how, tree) in cuts {
            if seen.insert(digest(&tree)) {
                left.push(Left {
                    described: format!("killed behind {call}, unsynced {how:?}"),
                    tree,
                    is_done: played.status == Some(0),
                });
            }
        }
        left
    }
}

fn words(command: &str) -> Vec<&str> {
    let program = [env!("CARGO_BIN_EXE_pki")].into_iter();
    program.chain(command.split(' ')).collect()
}

fn judge(second: &Sweep, standing: &Standing, left: &Left) -> Verdict {
    let sandbox = Sandbox::in_memory();
    disk::put(&left.tree, sandbox.folder());
    if left.is_done {
        (second.done)(&sandbox)?;
    }
    second.goes_on(&sandbox, standing)
}
