//! Keys that are revoked as compromised, and are those of other certificates too.

use expect_test::{Expect, expect};

use crate::run::assert_text;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// What is said of these revocations, the serials by the names that they have here.
    #[track_caller]
    fn says_of_keys(&self, line: &str, names: &[(&str, &str)], said: Expect) {
        let mut is = self.pki(line).succeeds().stderr;
        for (name, serial) in names {
            is = is.replace(serial, name);
        }
        assert_text(&is, said);
    }

    #[track_caller]
    fn serial_of(&self, line: &str) -> String {
        let made = self.pki("--format json").words(line).succeeds().json();
        made["serial"].as_str().unwrap().to_owned()
    }
}

#[test]
fn what_else_is_valid_with_a_compromised_key_is_said() {
    let sandbox = Sandbox::with_open_ca();
    let [one, two, three] = [
        "issue --ca intermediate0 --cn a",
        "renew --ca intermediate0 --cn a",
        "renew --ca intermediate0 --cn a",
    ]
    .map(|line| sandbox.serial_of(line));
    let names = [
        ("ONE", one.as_str()),
        ("TWO", two.as_str()),
        ("THREE", three.as_str()),
    ];
    let revoke = |serial: &str, reason: &str| {
        format!("revoke --ca intermediate0 --serial 0x{serial} --reason {reason}")
    };
    sandbox.says_of_keys(&revoke(&one, "superseded"), &names, expect![""]);
    sandbox.says_of_keys(
        &revoke(&two, "keyCompromise"),
        &names,
        expect![[r#"
            notice: THREE of intermediate0 has the same key as TWO and is still valid: `pki revoke --ca intermediate0 --serial 0xTHREE --reason keyCompromise` revokes it
        "#]],
    );
    sandbox.says_of_keys(&revoke(&three, "keyCompromise"), &names, expect![""]);
}

#[test]
fn a_ca_s_key_is_that_of_other_cas_certificates_too() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name one --no-passphrase",
        "root --name two --no-passphrase",
        "root --name three --no-passphrase",
        "ca cross-sign --ca one --with two",
        "ca cross-sign --ca three --with two",
    ] {
        sandbox.pki(line).succeeds();
    }
    let listed = sandbox.pki("--format json list --ca three --cn two");
    let serial = listed.succeeds().json()[0]["serial"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = sandbox.pki("--format json list --ca one --cn two");
    let revoked = listed.succeeds().json()[0]["serial"]
        .as_str()
        .unwrap()
        .to_owned();
    sandbox.says_of_keys(
        "revoke --ca one --cn two --reason cACompromise",
        &[("REVOKED", &revoked), ("OTHER", &serial)],
        expect![[r#"
            notice: OTHER of three has the same key as REVOKED and is still valid: `pki revoke --ca three --serial 0xOTHER --reason keyCompromise` revokes it
        "#]],
    );
}

/// Those that are revoked together are not said of each other.
#[test]
fn of_many_only_what_stays_valid_is_said() {
    let sandbox = Sandbox::with_open_ca();
    let mut compromised = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let serial = sandbox.serial_of(&format!("issue --ca intermediate0 --cn {name}"));
        compromised.push(serial);
    }
    let revoked = sandbox.serial_of("renew --ca intermediate0 --cn a");
    compromised.push(revoked);
    let valid = sandbox.serial_of("renew --ca intermediate0 --cn b");
    let rows = compromised
        .iter()
        .map(|serial| format!("0x{serial},keyCompromise\n"));
    sandbox.write("rows.csv", rows.collect::<String>());
    let said = sandbox
        .pki("revoke --ca intermediate0 --from rows.csv")
        .succeeds();
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    assert!(
        said.stderr
            .contains(&format!("{valid} of intermediate0 has the same key as ")),
        "{said}"
    );
}

crate::engine::also_in_a_database! {
    what_else_is_valid_with_a_compromised_key_is_said, a_ca_s_key_is_that_of_other_cas_certificates_too,
}

crate::engine::soak_in_a_database! {
    of_many_only_what_stays_valid_is_said,
}
