//! Tests about stores run on both engines: on a directory, and once more on a database of PostgreSQL.
//!
//! There every sandbox has a database of its own, and all that runs in it has `PKI_STORE`. What is read below
//! `pki/` is a copy of the store, as `pki backup` has it, and messages have the names of its files. So tests that
//! only read those files run unchanged. Tests that change them are about the directory: here they fail.

mod database;

pub(crate) use database::OwnDatabase;

use std::cell::Cell;
use std::fs;

use crate::faults::judge::files_in;
use crate::sandbox::repository;

thread_local! {
    static IS_IN_A_DATABASE: Cell<bool> = const { Cell::new(false) };
    /// Databases of the test that had a store.
    static STORES: Cell<usize> = const { Cell::new(0) };
}

/// Runs a test with the stores of its sandboxes in databases, of which one at least comes to have a store.
pub(crate) fn in_a_database(test: fn()) {
    struct Directory;
    impl Drop for Directory {
        fn drop(&mut self) {
            IS_IN_A_DATABASE.set(false);
        }
    }
    let _then = Directory;
    IS_IN_A_DATABASE.set(true);
    STORES.set(0);
    test();
    assert!(STORES.get() > 0, "the test has no store in a database");
}

/// Returns whether the test of this thread runs on a database.
pub(crate) fn is_in_a_database() -> bool {
    IS_IN_A_DATABASE.get()
}

/// Runs these tests of a file in a database, too.
macro_rules! also_in_a_database {
    ($($test:ident,)+) => {
        mod in_a_database {
            $(
                #[test]
                fn $test() {
                    crate::engine::in_a_database(super::$test);
                }
            )+
        }
    };
}
pub(crate) use also_in_a_database;

/// The same in `make soak`, for those that take long.
macro_rules! soak_in_a_database {
    ($($test:ident,)+) => {
        mod in_a_database_soak {
            $(
                #[test]
                #[ignore = "make soak runs it"]
                fn $test() {
                    crate::engine::in_a_database(super::$test);
                }
            )+
        }
    };
}
pub(crate) use soak_in_a_database;

/// Files and directories of the suite without a test in a database, by the reason.
const WITHOUT: [(&str, &[&str]); 4] = [
    (
        "about files of a store, processes, or the system",
        &[
            "check/damages",
            "crl_recovery",
            "faults",
            "foreign_keys",
            "hostile",
            "links",
            "no_room",
            "not_a_store",
            "outside/secrets",
            "permissions",
            "saved_stores",
            "scheduled",
            "secrets",
            "unbounded",
        ],
    ),
    (
        "about the content of certificates, CRLs and responses, and about who reads them",
        &[
            "address_constraints",
            "contents",
            "crl_for/above",
            "crl_for/daemons",
            "crl_for/foreign",
            "crl_for/hash_names",
            "crl_for/limits",
            "crl_for/live",
            "crl_for/soak",
            "crl_lint",
            "crl_servers",
            "crl_verifiers",
            "csr_names",
            "fixtures",
            "foreign_contents",
            "invalid_der",
            "issuer_serials",
            "judges",
            "lint",
            "load_balancer",
            "ocsp/index",
            "ocsp/java",
            "ocsp/nginx",
            "ocsp/stapling",
            "pkits",
            "pss",
            "publish/soak",
            "story1",
            "story4",
            "targets",
            "vectors",
            "verify_foreign",
        ],
    ),
    (
        "about no store",
        &[
            "apply/schema",
            "architecture",
            "cli",
            "completions",
            "differential",
            "docs",
            "engine",
            "english",
            "injected",
            "man",
            "normalise",
            "on_terminal",
            "promises",
            "reference",
            "terminal",
            "wired_in",
        ],
    ),
    ("in a database by themselves", &["model", "postgres"]),
];

#[test]
fn every_file_about_stores_has_tests_in_a_database() {
    let suite = repository("tests/suite");
    let named: Vec<&str> = WITHOUT
        .iter()
        .flat_map(|(_, paths)| *paths)
        .copied()
        .collect();
    let mut wrong = Vec::new();
    for path in files_in(&suite) {
        let source = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&suite).unwrap().with_extension("");
        let is_named = named.iter().any(|named| path.starts_with(named));
        let has_list = source.contains("_in_a_database! {\n    ");
        if source.lines().any(|line| line == "#[test]") && is_named == has_list {
            wrong.push(path.display().to_string());
        }
    }
    assert!(
        wrong.is_empty(),
        "to be in a list, or in `WITHOUT`: {wrong:#?}"
    );
}
