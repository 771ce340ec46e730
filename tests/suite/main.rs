//! `pki` as its users meet it: the binary is run, and programs that nobody
//! here wrote judge what it made. `tests/setup` installs those programs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on stops where it is"
)]

mod apply;
mod architecture;
mod backup;
mod batch;
mod ca_subjects;
mod check;
mod cli;
mod clock;
mod compromised_anywhere;
mod crl;
mod crl_ahead;
mod crl_clock;
mod crl_convert;
mod crl_for;
mod crl_lint;
mod crl_servers;
mod crl_verifiers;
mod csrs;
mod docs;
mod exports;
mod faults;
mod fixtures;
mod flaws;
mod foreign_keys;
mod hierarchy;
mod hostile;
mod import;
mod injected;
mod keys;
mod lint;
mod load_balancer;
mod machines;
mod model;
mod no_room;
mod normalise;
mod parallel;
mod passphrases;
mod promises;
mod published;
mod readers;
mod reference;
mod refusals;
mod renew;
mod revoke;
mod rollover;
mod room;
mod run;
mod sandbox;
mod scheduled;
mod second_look;
mod secrets;
mod server;
mod snapshot;
mod story1;
mod story2;
mod story4;
mod targets;
mod terminal;
mod vectors;
mod verify;
mod verify_foreign;
mod wired_in;
