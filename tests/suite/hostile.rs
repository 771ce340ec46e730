//! Hostile input: the targets of `fuzz/targets` with the inputs of `fuzz/corpus`, with test vectors, with
//! what is nested too deep, and with mutations of all of these, the same ones each time.
//!
//! Each target is replayed in a process of its own, so that what ends a process is seen too: an abort, a
//! stack that overflows. In it memory is counted, and what does not come to its end is ended. With
//! `FUZZ_EXECUTIONS` there are as many mutations for each as that says.

mod inputs;
mod limits;
mod mutate;
mod nests;
mod page;
mod replay;

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;

use peak_alloc::PeakAlloc;

use crate::sandbox::repository;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

macro_rules! replayed {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                replay::replay(stringify!($target));
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
    };
}

replayed! {
    pem
    der
    certificate
    request
    list
    signed_data
    show
    bundle
    verify
    key
    pkcs12
    certificate_table
    revocation_table
    declaration
    openssl_index
    openssl_numbers
    issued_journal
    revoked_journal
    list_journal
    ca_record
    store_format
    counter
    name
    alternative_name
    serial
    moment
    text
}

#[test]
fn every_target_is_replayed_fuzzed_and_has_inputs() {
    let targets: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(REPLAYED, targets);
    let names_in = |folder: &str| {
        let entries = fs::read_dir(repository(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<String>>()
    };
    let named = |end: &str| targets.iter().map(|name| format!("{name}{end}")).collect();
    let same: BTreeSet<String> = named("");
    assert_eq!(names_in("fuzz/corpus"), same);
    let programs: BTreeSet<String> = named(".rs");
    assert_eq!(names_in("fuzz/fuzz_targets"), programs);
    let manifest = fs::read_to_string(repository("fuzz/Cargo.toml")).unwrap();
    for (name, program) in same.iter().zip(&programs) {
        let binary = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{program}\"\n");
        assert!(manifest.contains(&binary), "{binary}");
        let source = fs::read_to_string(repository("fuzz/fuzz_targets").join(program)).unwrap();
        assert!(source.contains(&format!("::{name}(data)")), "{source}");
    }
}
