//! `pki` as its users meet it: the binary is run, and programs that nobody
//! here wrote judge what it made. `tests/setup` installs those programs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on stops where it is"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::needless_raw_string_hashes,
    reason = "a snapshot is written by expect-test where it is compared, and compared once"
)]

mod address_constraints;
mod adoption;
mod apply;
mod architecture;
mod backup;
mod batch;
mod ca_passphrases;
mod ca_subjects;
mod changed_passphrases;
mod check;
mod cli;
mod clock;
mod completions;
mod compromised_anywhere;
mod contents;
mod counters;
mod crl;
mod crl_ahead;
mod crl_clock;
mod crl_convert;
mod crl_for;
mod crl_lint;
mod crl_recovery;
mod crl_servers;
mod crl_verifiers;
mod csr_files;
mod csr_names;
mod csrs;
mod der;
mod differential;
mod docs;
mod dry_run;
mod engine;
mod english;
mod error_codes;
mod exports;
mod faults;
mod file_names;
mod fixtures;
mod flaws;
mod foreign_contents;
mod foreign_keys;
mod hierarchy;
mod hostile;
mod import;
mod injected;
mod invalid_der;
mod issuer_serials;
mod judges;
mod keys;
mod links;
mod lint;
mod load_balancer;
mod log;
mod machines;
mod man;
mod many;
mod model;
mod moments;
mod no_room;
mod normalise;
mod not_a_store;
mod not_yet_valid;
mod ocsp;
mod on_change;
mod on_terminal;
mod outputs;
mod outside;
mod parallel;
mod passphrases;
mod permissions;
mod pkcs12;
mod pkits;
mod postgres;
mod profiles;
mod promises;
mod prompts;
mod pss;
mod publish;
mod published;
mod readers;
mod reference;
mod refusals;
mod removed;
mod renew;
mod request;
mod revoke;
mod rollover;
mod room;
mod run;
mod sandbox;
mod saved_stores;
mod scheduled;
mod second_look;
mod secrets;
mod server;
mod snapshot;
mod story1;
mod story2;
mod story4;
mod tables;
mod targets;
mod terminal;
mod unbounded;
mod vectors;
mod verify;
mod verify_foreign;
mod verify_ocsp;
mod wired_in;
