//! Tests about stores run on both engines: on a directory, and once more on a database of PostgreSQL.
//!
//! There every sandbox has a database of its own, and all that runs in it has `PKI_STORE`. What is read below
//! `pki/` is a copy of the store, as `pki backup` has it, and messages have the names of its files. So tests that
//! only read those files run unchanged. Tests that change them are about the directory: here they fail.

mod database;

pub(crate) use database::OwnDatabase;

use std::cell::Cell;

thread_local! {
    static IS_IN_A_DATABASE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test with the stores of its sandboxes in databases.
pub(crate) fn in_a_database(test: fn()) {
    struct Directory;
    impl Drop for Directory {
        fn drop(&mut self) {
            IS_IN_A_DATABASE.set(false);
        }
    }
    let _then = Directory;
    IS_IN_A_DATABASE.set(true);
    test();
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
