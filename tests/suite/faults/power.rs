//! Power cuts: what a command did is played on a disk that forgets, and cut off behind every call.

use std::collections::BTreeSet;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use crate::sandbox::Sandbox;

use super::disk::{self, Content, Disk, Namings, Tree};
use super::judge::{Standing, Verdict};
use super::recording::play;
use super::sweep::{Sweep, each_of, is_whole};

/// What a power cut left.
struct Cut {
    /// Behind which of the calls, and what became of that which was not synced.
    moment: usize,
    call: String,
    how: (Namings, Content),
    tree: Tree,
    /// What had been said by then, or [`DONE`].
    said: String,
}

/// All has been said.
const DONE: &str = "done";

/// How many ways there are in which a power cut leaves things, and what was wrong after some of them.
pub(super) fn cut(sweep: &Sweep, standing: &Standing) -> (usize, String) {
    let cuts = cuts(sweep);
    let described = |cut: &&Cut| {
        let Cut {
            moment, call, how, ..
        } = cut;
        format!("power cut after change {moment}, {call}, unsynced {how:?}")
    };
    let tried: Vec<&Cut> = cuts.iter().step_by(step(cuts.len())).collect();
    let problems = each_of(&tried, described, |cut| judge(sweep, standing, cut));
    (cuts.len(), problems)
}

/// All of them are tried for `make soak` and for the page; otherwise some of them, from all over the run.
pub(super) fn step(count: usize) -> usize {
    const SOME: usize = 12;
    if is_whole() { 1 } else { count.div_ceil(SOME) }
}

/// What power cuts leave that is not what they find, each once for what had been said by then.
fn cuts(sweep: &Sweep) -> Vec<Cut> {
    // On a disk, where that is where temporary files are: some calls depend on it.
    let sandbox = sweep.begin.copy_into(Sandbox::new());
    let begin = disk::tree_of(sandbox.folder());
    let mut seen = BTreeSet::from([(digest(&begin), String::new())]);
    let (mut cuts, mut moment) = (Vec::new(), 0);
    let mut add = |disk: &Disk, said: &str, call: &str| {
        moment += 1;
        for (how, tree) in disk.after_a_cut() {
            if seen.insert((digest(&tree), said.to_owned())) {
                cuts.push(Cut {
                    moment,
                    call: call.to_owned(),
                    how,
                    tree,
                    said: said.to_owned(),
                });
            }
        }
    };
    let program = [env!("CARGO_BIN_EXE_pki")].into_iter();
    let words: Vec<&str> = program.chain(sweep.command.split(' ')).collect();
    let played = play(&sandbox, &words, |player, call| {
        add(&player.disk, &player.said, call);
    });
    add(&played.disk, DONE, "exit");
    for cut in &mut cuts {
        if cut.said == played.said && !cut.said.is_empty() {
            cut.said = DONE.to_owned();
        }
        let is_judged = cut.said.is_empty() || cut.said == DONE;
        assert!(
            is_judged,
            "said in parts, which nobody judges: {}",
            cut.said
        );
    }
    cuts
}

pub(super) fn digest(tree: &Tree) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    for (path, (mode, content)) in tree {
        digest.update(path.as_os_str().as_encoded_bytes());
        digest.update(&mode.to_be_bytes());
        let length = content
            .as_ref()
            .map_or(u64::MAX, |content| content.len() as u64);
        digest.update(&length.to_be_bytes());
        digest.update(content.as_deref().unwrap_or_default());
    }
    digest.finish().as_ref().to_vec()
}

fn judge(sweep: &Sweep, standing: &Standing, cut: &Cut) -> Verdict {
    let sandbox = Sandbox::in_memory();
    disk::put(&cut.tree, sandbox.folder());
    if cut.said == DONE {
        (sweep.done)(&sandbox)?;
    }
    sweep.goes_on(&sandbox, standing)
}

/// What a shell's line may leave of the file `to`, in which there was `old`.
fn left_of(line: &str) -> BTreeSet<Option<String>> {
    let sandbox = Sandbox::new();
    sandbox.write("to", "old");
    let mut left = BTreeSet::new();
    let mut add = |disk: &Disk| {
        for (_, tree) in disk.after_a_cut() {
            let content = tree
                .get(Path::new("to"))
                .and_then(|(_, content)| content.clone());
            left.insert(content.map(|content| String::from_utf8_lossy(&content).into_owned()));
        }
    };
    let played = play(&sandbox, &["sh", "-c", line], |player, _| add(&player.disk));
    add(&played.disk);
    left
}

/// The disk forgets what is known to be forgotten, and keeps what was synced.
#[test]
fn what_was_not_synced_is_lost_in_every_way() {
    let all = |left: &[&str]| -> BTreeSet<Option<String>> {
        left.iter().map(|left| Some((*left).to_owned())).collect()
    };
    // The name came before the content: none of it, half of it, as long as it but zeros, or a hole.
    let unsynced = left_of("printf newer >from; exec mv from to");
    assert_eq!(unsynced, all(&["", "ne", "\0\0wer", "\0\0\0\0\0", "old"]));
    // With the content synced the name is the old one's or the new one's, but is not known to last.
    let without_folder = "printf newer >from; sync from; exec mv from to";
    assert_eq!(left_of(without_folder), all(&["old"]));
    let synced = "printf newer >from; sync from; mv from to; exec sync .";
    assert_eq!(left_of(synced), all(&["newer", "old"]));
    // What is written over in place is old or new, and what is appended may be there by half.
    let over = "printf new 1<>to; exec sync to";
    assert_eq!(left_of(over), all(&["new", "old"]));
    let appended = "printf er >>to; exec sync to";
    assert_eq!(
        left_of(appended),
        all(&["old", "olde", "old\0r", "old\0\0", "older"])
    );
}
