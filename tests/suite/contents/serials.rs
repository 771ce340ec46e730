//! Serial numbers: a counter, and 64 bits that nobody can guess.

use std::collections::HashSet;

use crate::sandbox::Sandbox;

/// Enough that a bit which is not random is the same in all of them.
const MANY: usize = 64;

/// Serials of the leaves, in the order in which they were issued, as openssl reads them.
fn serials(sandbox: &Sandbox, names: impl Iterator<Item = String>) -> Vec<u128> {
    let serials = names.map(|name| {
        let printed = sandbox
            .run("openssl", "x509 -noout -serial -in")
            .arg(format!("out/{name}.crt"))
            .succeeds();
        let hex = printed
            .stdout
            .trim()
            .trim_start_matches("serial=")
            .to_owned();
        u128::from_str_radix(&hex, 16).unwrap()
    });
    serials.collect()
}

#[track_caller]
fn assert_counted_and_random(serials: &[u128]) {
    let counters: Vec<_> = serials.iter().map(|serial| serial >> 64).collect();
    let first = counters[0];
    let in_a_row: Vec<_> = (first..).take(serials.len()).collect();
    assert_eq!(counters, in_a_row);
    let random = serials
        .iter()
        .map(|serial| u64::try_from(serial & u128::from(u64::MAX)).unwrap());
    let random: Vec<_> = random.collect();
    let set_somewhere = random.iter().fold(0, |all, bits| all | bits);
    let set_everywhere = random.iter().fold(u64::MAX, |all, bits| all & bits);
    assert_eq!(
        (set_somewhere, set_everywhere),
        (u64::MAX, 0),
        "{random:x?}"
    );
    let distinct: HashSet<_> = random.iter().collect();
    assert_eq!(distinct.len(), random.len(), "{random:x?}");
}

#[test]
fn every_one_of_64_bits_is_random_in_certificates_issued_alone() {
    let sandbox = Sandbox::with_open_ca();
    for number in 0..MANY {
        sandbox
            .pki("issue --ca intermediate0 --out out --no-passphrase --cn")
            .arg(format!("x{number}"))
            .succeeds();
    }
    let names = (0..MANY).map(|number| format!("x{number}"));
    assert_counted_and_random(&serials(&sandbox, names));
}

#[test]
fn every_one_of_64_bits_is_random_in_certificates_of_a_table() {
    let sandbox = Sandbox::with_open_ca();
    let rows: Vec<_> = (0..MANY).map(|number| format!("x{number}\n")).collect();
    sandbox.write("rows.csv", format!("cn\n{}", rows.concat()));
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv --out out --no-passphrase")
        .succeeds();
    let names = (0..MANY).map(|number| format!("x{number}"));
    assert_counted_and_random(&serials(&sandbox, names));
}

/// Roots, CAs below, cross-certificates and renewals take theirs in other places than leaves do.
#[test]
fn the_random_bits_of_every_kind_of_certificate_differ() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name one --no-passphrase",
        "root --name two --no-passphrase",
        "root --name three --no-passphrase",
        "subordinate --ca one --name sub1 --no-passphrase",
        "subordinate --ca one --name sub2 --no-passphrase",
        "subordinate --name pending1 --request pending1.csr --no-passphrase",
        "subordinate --name pending2 --request pending2.csr --no-passphrase",
        "subordinate --ca one --csr pending1.csr --out pending1.crt",
        "subordinate --ca one --csr pending2.csr --out pending2.crt",
        "ca renew --ca one",
        "ca renew --ca two",
        "ca renew --ca sub1",
        "ca renew --ca sub2",
        "ca cross-sign --ca one --with two",
        "ca cross-sign --ca one --with three",
        "ca rekey --ca one --name four --no-passphrase",
        "issue --ca one --cn leaf",
        "renew --ca one --cn leaf",
        "renew --ca one --cn leaf --rekey",
    ] {
        sandbox.pki(line).succeeds();
    }
    let listed = sandbox.pki("--format json list").succeeds().json();
    let serials = listed.as_array().unwrap().iter();
    let serials: Vec<_> = serials
        .map(|entry| entry["serial"].as_str().unwrap())
        .collect();
    assert!(serials.len() >= 17, "{serials:?}");
    let random: HashSet<_> = serials
        .iter()
        .map(|serial| &serial[serial.len() - 16..])
        .collect();
    assert_eq!(random.len(), serials.len(), "{serials:?}");
    assert!(!random.contains("0000000000000000"), "{serials:?}");
}
