//! The inputs of a target, in their order.

use std::fs;
use std::path::Path;

use pki::fuzzing::objects::objects_in;

use super::mutate::{Sequence, mutated};
use super::nests::nests;
use crate::sandbox::repository;
use crate::vectors;

/// With how many mutations each target is executed, where nobody says otherwise.
const MUTATIONS: usize = 700;

/// The largest test vector that is taken.
const LARGEST: usize = 32 * 1024;

/// What a target is executed with.
pub(super) struct Inputs {
    /// Each as it is, and mutated.
    seeds: Vec<Vec<u8>>,
    nests: Vec<Vec<u8>>,
    /// How many of the seeds are stored in the corpus.
    pub(super) stored: usize,
    /// How many of them are test vectors.
    pub(super) vectors: usize,
    pub(super) executions: usize,
    sequence: Sequence,
}

impl Inputs {
    pub(super) fn of(target: &str) -> Self {
        let mutations = std::env::var("FUZZ_EXECUTIONS");
        let mutations = mutations.map_or(MUTATIONS, |number| number.parse().unwrap());
        let mut seeds = stored(&repository("fuzz/corpus").join(target));
        let stored = seeds.len();
        assert!(stored > 0, "fuzz/corpus/{target} is empty");
        seeds.extend(vectors_for(target));
        let nests = nests();
        Self {
            vectors: seeds.len() - stored,
            executions: seeds.len() + nests.len() + mutations,
            sequence: Sequence::of(target),
            stored,
            seeds,
            nests,
        }
    }

    /// The next input, which depends on those before it alone.
    pub(super) fn input(&mut self, index: usize) -> Vec<u8> {
        let Self { seeds, nests, .. } = self;
        let mut as_they_are = seeds.iter().chain(nests.iter());
        if let Some(input) = as_they_are.nth(index) {
            return input.clone();
        }
        let other = self.sequence.below(seeds.len());
        mutated(
            &seeds[index % seeds.len()],
            &seeds[other],
            &mut self.sequence,
        )
    }
}

/// The files of a folder, by their names.
fn stored(folder: &Path) -> Vec<Vec<u8>> {
    let listing = fs::read_dir(folder).unwrap();
    let mut paths = listing
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The test vectors that a target is about.
fn vectors_for(target: &str) -> Vec<Vec<u8>> {
    let label: &[&str] = match target {
        "certificate" | "der" => &["CERTIFICATE", "X509 CERTIFICATE"],
        "request" => &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"],
        "list" => &["X509 CRL"],
        "signed_data" => &["PKCS7"],
        "pkcs12" => &["PKCS12"],
        "pem" | "show" | "bundle" | "verify" | "key" => &[],
        _ => return Vec::new(),
    };
    let (root, files) = vectors::all();
    let contents = files.iter().filter_map(|file| {
        let content = fs::read(root.join(file)).unwrap();
        (content.len() <= LARGEST).then_some(content)
    });
    let contents =
        contents.filter_map(|content| objects_in(&content).map(|objects| (content, objects)));
    if label.is_empty() {
        let is_wanted = |label: &str| target != "key" || label.ends_with("PRIVATE KEY");
        let wanted =
            contents.filter(|(_, objects)| objects.iter().any(|(label, _)| is_wanted(label)));
        return wanted.map(|(content, _)| content).collect();
    }
    let objects = contents.flat_map(|(_, objects)| objects);
    let wanted = objects.filter(|(found, _)| label.contains(&found.as_str()));
    let mut wanted = wanted.map(|(_, der)| der).collect::<Vec<_>>();
    wanted.sort();
    wanted.dedup();
    wanted
}
