//! Serial numbers: a counter, and 64 bits that nobody can guess.

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
    let distinct: std::collections::HashSet<_> = random.iter().collect();
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
    let rows: String = (0..MANY).map(|number| format!("x{number}\n")).collect();
    sandbox.write("rows.csv", format!("cn\n{rows}"));
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
    let mut files = Vec::new();
    for number in 0..3 {
        sandbox
            .pki("root --no-passphrase --name")
            .arg(format!("root{number}"))
            .succeeds();
        sandbox
            .pki("subordinate --no-passphrase --name")
            .words(&format!("sub{number} --ca root{number}"))
            .succeeds();
        files.push(format!("pki/root{number}/ca.crt"));
        files.push(format!("pki/sub{number}/ca.crt"));
    }
    for number in 0..3 {
        let line =
            format!("subordinate --name pending{number} --request p{number}.csr --no-passphrase");
        sandbox.pki(&line).succeeds();
        let line = format!("subordinate --ca root0 --csr p{number}.csr --out p{number}.crt");
        sandbox.pki(&line).succeeds();
        files.push(format!("p{number}.crt"));
    }
    let mut random: Vec<_> = files.iter().map(|file| random_of(&sandbox, file)).collect();
    random.sort();
    random.dedup();
    assert_eq!(random.len(), files.len(), "{random:?}");
}

fn random_of(sandbox: &Sandbox, file: &str) -> String {
    let printed = sandbox.run("openssl", "x509 -noout -serial -in");
    let serial = printed.arg(file).succeeds().stdout;
    let serial = serial.trim();
    let random = &serial[serial.len() - 16..];
    assert_ne!(random, "0".repeat(16), "{file}");
    random.to_owned()
}
