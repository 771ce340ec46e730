//! A large store: what is held of it does not grow with the certificates themselves.

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

const MANY: usize = 20_000;

/// Loosely: the program by itself, some blocks of the journal for every processor, and the serial numbers.
const MOST_KIB: u64 = 64 * 1024;

#[test]
fn many_certificates_are_all_proved_and_not_all_held() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout a.key -subj /CN=a -out a.csr",
        )
        .succeeds();
    let mut rows = String::from("cn,csr\n");
    for number in 0..MANY {
        writeln!(rows, "client-{number},a.csr").unwrap();
    }
    sandbox.write("table.csv", rows);
    sandbox
        .pki("issue --ca intermediate0 --from table.csv -q")
        .succeeds();
    let journal = sandbox.path("pki/intermediate0/issued.jsonl");
    let octets = journal.metadata().unwrap().len();
    // GNU time tells how much was held at most.
    let check = sandbox
        .run("/usr/bin/time", "-f %M")
        .arg(env!("CARGO_BIN_EXE_pki"));
    let check = check.words("--format json check").succeeds();
    let json = check.json();
    assert_eq!(json["certificates"], MANY + 2);
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    let held: u64 = check.stderr.trim().parse().unwrap();
    assert!(
        held < MOST_KIB,
        "{held} KiB were held of a journal of {octets} bytes"
    );
}

crate::engine::soak_in_a_database! {
    many_certificates_are_all_proved_and_not_all_held,
}
