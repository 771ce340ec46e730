//! Older counters that were put back, as from a copy of the store: no number is used again.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

const SERIAL: &str = "pki/intermediate0/serial";
const CRL_NUMBER: &str = "pki/intermediate0/crlnumber";

/// The counter in front of the 64 random bits of a serial number.
fn counter_of(serial: &str) -> u128 {
    u128::from_str_radix(&serial[..serial.len() - 16], 16).unwrap()
}

#[test]
fn a_serial_counter_from_before_a_batch_is_not_believed() {
    let sandbox = Sandbox::with_open_ca();
    let older = sandbox.read(SERIAL);
    let table = (1..=600).map(|row| format!("client-{row}\n"));
    let batch = sandbox
        .pki("--format json issue --ca intermediate0 --from -")
        .stdin("cn\n".to_owned() + &table.collect::<String>())
        .succeeds();
    let serial = |line: &str| {
        let issued: serde_json::Value = serde_json::from_str(line).unwrap();
        issued["serial"].as_str().unwrap().to_owned()
    };
    let highest = batch.stdout.lines().map(|line| counter_of(&serial(line)));
    let highest = highest.max().unwrap();
    assert!(highest >= 600, "{highest}");
    sandbox.write(SERIAL, &older);
    let next = sandbox.issued("intermediate0", "after");
    assert!(counter_of(&next) > highest, "{next} after {highest}");
    // The same if another batch is what follows.
    sandbox.write(SERIAL, &older);
    let again = sandbox.pki("--format json issue --ca intermediate0 --from -");
    let again = again.stdin("cn\none\ntwo\n").succeeds();
    for line in again.stdout.lines() {
        let counter = counter_of(&serial(line));
        assert!(counter > counter_of(&next), "{counter}");
    }
}

#[test]
fn an_older_crl_number_is_not_used_without_a_published_crl() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --ca intermediate0").succeeds();
    let older = sandbox.read(CRL_NUMBER);
    for _ in 0..2 {
        sandbox.pki("crl --ca intermediate0").succeeds();
    }
    sandbox.write(CRL_NUMBER, &older);
    fs::remove_file(sandbox.path("pki/crl/intermediate0.crl")).unwrap();
    sandbox.pki("crl --ca intermediate0").succeeds();
    assert_eq!(sandbox.published("intermediate0").number, 4);

    sandbox.write(CRL_NUMBER, &older);
    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    sandbox
        .pki("crl --ca intermediate0 --out elsewhere")
        .succeeds();
    assert_eq!(sandbox.list_in("elsewhere/intermediate0.crl").number, 5);
}

/// In the place of a CRL that is to be published, where a command finds it or a declaration.
#[test]
fn a_file_that_is_no_crl_is_not_replaced() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("pki.toml", "[crl.intermediate0]\nout = \"lists\"\n");
    let mut said = BTreeSet::new();
    for content in ["notes\n", "", "0\u{1}"] {
        sandbox.write("lists/intermediate0.crl", content);
        for line in ["crl --ca intermediate0 --out lists", "apply pki.toml"] {
            said.insert(sandbox.pki(line).refusal(1, "file-foreign"));
            assert_eq!(sandbox.read("lists/intermediate0.crl"), content);
        }
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: lists/intermediate0.crl already exists and is not a CRL of this CA
            hint: use another file, or --force to replace it
        "#]],
    );
    sandbox
        .pki("crl --ca intermediate0 --out lists --force")
        .succeeds();
    assert_eq!(sandbox.list_in("lists/intermediate0.crl").number, 1);
}

/// Windows has devices of these names in every directory.
#[test]
fn the_name_of_a_device_is_no_file_name() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "a");
    for name in ["con", "NUL", "Aux.crt", "com1", "com1.x", "LPT9.a.b", "prn"] {
        for line in [
            "issue --ca intermediate0 --cn b",
            "export --ca intermediate0 --cn a",
        ] {
            let line = format!("{line} --name {name} --out given --no-passphrase");
            let said = sandbox.pki(&line).refusal(1, "invalid-file-name");
            assert!(said.contains(name), "{said}");
        }
    }
    assert!(!sandbox.path("given").exists());
    for name in ["console", "com", "com10", "nul-a", "a.con"] {
        let line = "export --ca intermediate0 --cn a --out given --no-passphrase --name";
        sandbox.pki(line).arg(name).succeeds();
        assert!(sandbox.path(format!("given/{name}.crt")).exists());
    }
}

crate::engine::also_in_a_database! {
    a_file_that_is_no_crl_is_not_replaced, the_name_of_a_device_is_no_file_name,
}
