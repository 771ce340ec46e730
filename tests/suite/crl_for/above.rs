//! The lists of the CAs above, which a target reads too: kept up as the others are, and looked at.

use std::fs;

use expect_test::expect;
use serde_json::Value;

use super::assert_refused;
use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;
use crate::targets::rules;

/// A root, two CAs below it and one below the first of them, made in 2026, with lists for nginx of
/// thirty days.
fn published() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name sub --no-passphrase",
        "subordinate --ca rootCA --name other --no-passphrase",
        "crl --for nginx --ca sub --days 30",
    ] {
        at(&sandbox, "01-01 00:00:00", line).succeeds();
    }
    sandbox
}

/// `pki` at a moment of 2026.
fn at(sandbox: &Sandbox, moment: &str, line: &str) -> Run {
    sandbox.pki_at(&format!("2026-{moment}"), line)
}

fn take_the_key_away(sandbox: &Sandbox) {
    let key = sandbox.path("pki/rootCA/ca.key");
    fs::rename(key, sandbox.path("root.key")).unwrap();
}

/// The numbers of the published lists of the CA and of the root.
fn numbers(sandbox: &Sandbox) -> [u128; 2] {
    ["sub", "rootCA"].map(|ca| sandbox.published(ca).number)
}

/// The same command at a moment of 2026; these warnings, and what it reports.
#[track_caller]
fn done(sandbox: &Sandbox, moment: &str, line: &str, warnings: &[&str]) -> Value {
    let done = at(sandbox, moment, "--format json").words(line).succeeds();
    let report = done.json();
    assert_eq!(rules(&report, "warning"), warnings, "{done}");
    report
}

const HOURLY: &str = "crl --for nginx --ca sub --if-needed";

#[test]
fn a_ca_that_is_revoked_above_is_on_the_list_of_the_next_run() {
    let sandbox = published();
    at(&sandbox, "01-02 00:00:00", HOURLY).succeeds();
    assert_eq!(numbers(&sandbox), [1, 1]);
    let line = "revoke --ca rootCA --cert pki/other/ca.crt --reason cACompromise";
    at(&sandbox, "01-02 00:00:00", line).succeeds();
    let check = "crl --check --for nginx --ca sub";
    let checked = at(&sandbox, "01-02 00:00:00", check).ends_with(3);
    assert_text(
        &normalised(&checked.stdout),
        expect![[r#"
            sub: fresh until [time]
            rootCA: outdated: ./pki/crl/rootCA.crl or its PEM file lacks revocations that are on record
            the set of CRLs fits nginx
        "#]],
    );
    done(&sandbox, "01-02 00:00:00", HOURLY, &[]);
    assert_eq!(numbers(&sandbox), [1, 2]);
    assert_eq!(sandbox.published("rootCA").serials.len(), 1);
    at(&sandbox, "01-02 00:00:00", check).succeeds();
    let verified = sandbox
        .run("openssl", "verify -crl_check_all -CAfile pki/rootCA/ca.crt")
        .words("-CRLfile pki/crl/sub.chain.crl.pem -attime 1767312000 pki/other/ca.crt")
        .ends_with(2);
    assert!(
        verified.stderr.contains("certificate revoked"),
        "{verified}"
    );
}

#[test]
fn the_list_above_is_renewed_at_the_same_third_as_the_others() {
    let sandbox = published();
    // The list of the CA itself stays longer.
    at(&sandbox, "01-02 00:00:00", "crl --ca sub --days 300").succeeds();
    at(&sandbox, "01-20 23:59:59", HOURLY).succeeds();
    assert_eq!(numbers(&sandbox), [2, 1]);
    let check = "crl --check --for nginx --ca sub --within";
    at(&sandbox, "01-21 00:00:01", check).arg("9d").succeeds();
    let soon = at(&sandbox, "01-21 00:00:01", check)
        .arg("11d")
        .ends_with(3);
    assert_text(
        &normalised(&soon.stdout),
        expect![[r#"
            sub: fresh until [time]
            rootCA: expires soon, at [time]
            the set of CRLs fits nginx
        "#]],
    );
    at(&sandbox, "01-21 00:00:01", HOURLY).succeeds();
    assert_eq!(numbers(&sandbox), [2, 2]);
}

#[test]
fn a_crl_above_that_cannot_be_renewed_is_warned_of() {
    let sandbox = published();
    take_the_key_away(&sandbox);
    done(&sandbox, "01-20 23:59:59", HOURLY, &[]);
    let soon = done(&sandbox, "01-21 00:00:01", HOURLY, &["list-ends-soon"]);
    assert_text(
        soon["findings"][0]["message"].as_str().unwrap(),
        expect![[r#"
            the CRL of rootCA expires at 2026-01-31T00:00:00Z, and its key is not here
        "#]],
    );
    let line = "revoke --ca rootCA --cert pki/other/ca.crt --reason cACompromise";
    at(&sandbox, "01-21 00:00:01", line).succeeds();
    let lacks = done(&sandbox, "01-21 00:00:01", HOURLY, &["list-outdated"]);
    assert_text(
        lacks["findings"][0]["message"].as_str().unwrap(),
        expect![[r#"
            the CRL of rootCA lacks later revocations or releases, and its key is not here
        "#]],
    );
    let before = sandbox.store_snapshot();
    let refused = at(&sandbox, "01-31 00:00:01", "--format json").words(HOURLY);
    assert_eq!(
        rules(&refused.ends_with(1).json(), "error"),
        ["list-valid-now"]
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

/// Lists that were signed ahead are published in their turn for the CAs below too.
#[test]
fn a_pre_signed_crl_above_is_published_when_it_is_due() {
    let sandbox = published();
    let line = "crl --ca rootCA --ahead 3 --every 30d";
    at(&sandbox, "01-02 00:00:00", line).succeeds();
    take_the_key_away(&sandbox);
    for (moment, number) in [
        ("01-31 23:59:59", 2),
        ("02-01 00:00:00", 3),
        ("02-02 00:00:00", 3),
        ("03-03 00:00:00", 4),
    ] {
        done(&sandbox, moment, HOURLY, &[]);
        assert_eq!(numbers(&sandbox)[1], number, "{moment}");
        // What is said of a new list says nothing of one that is signed.
        done(&sandbox, moment, "crl --for nginx --ca sub --days 3", &[]);
        assert_eq!(numbers(&sandbox)[1], number, "{moment}");
    }
    at(&sandbox, "03-03 00:00:00", "crl --ca rootCA --days 3").succeeds();
    assert_eq!(numbers(&sandbox)[1], 4);
}

#[test]
fn an_end_that_is_asked_for_does_not_keep_a_due_list_back() {
    let sandbox = published();
    let line = "crl --ca rootCA --ahead 3 --every 30d";
    at(&sandbox, "01-02 00:00:00", line).succeeds();
    take_the_key_away(&sandbox);
    for (moment, line, number) in [
        ("02-01 00:00:00", "crl --ca rootCA --days 3", 3),
        (
            "03-03 00:00:00",
            "crl --for nginx --ca sub --next-update 3d",
            4,
        ),
    ] {
        at(&sandbox, moment, line).succeeds();
        assert_eq!(numbers(&sandbox)[1], number);
    }
}

/// What was signed ahead and is void, or over, is none that could be published.
#[test]
fn lists_signed_ahead_that_are_void_or_over_stand_for_none() {
    let sandbox = published();
    let line = "crl --ca rootCA --ahead 2 --every 10d";
    at(&sandbox, "01-02 00:00:00", line).succeeds();
    take_the_key_away(&sandbox);
    let refused = |moment: &str, options: &str| {
        let before = sandbox.store_snapshot();
        let line = "--format json crl --for nginx --ca sub";
        let refused = at(&sandbox, moment, line).words(options).ends_with(1);
        before.assert_unchanged(&sandbox.path("pki"));
        rules(&refused.json(), "error")
    };
    assert_eq!(refused("03-01 00:00:00", ""), ["list-valid-now"]);
    let line = "revoke --ca rootCA --cert pki/other/ca.crt --reason cACompromise";
    at(&sandbox, "01-03 00:00:00", line).succeeds();
    assert_eq!(refused("03-01 00:00:00", ""), ["list-valid-now"]);
    fs::create_dir(sandbox.path("lists")).unwrap();
    assert_eq!(refused("01-03 00:00:00", "--out lists"), ["list-missing"]);
    assert!(sandbox.names_in("lists").is_empty());
    // Nor where it is chosen itself.
    fs::remove_file(sandbox.path("pki/crl/rootCA.crl")).unwrap();
    let line = "crl --for nginx --ca sub --ca rootCA";
    assert_refused(&sandbox, line, &["list-missing"]);
}

#[test]
fn ahead_is_for_the_cas_that_are_named() {
    let sandbox = published();
    let line = "crl --for nginx --out lists --ca sub --ahead 3 --every 30d";
    let report = done(&sandbox, "01-02 00:00:00", line, &[]);
    assert_eq!(report["lists"][0]["ahead"]["lists"], 2);
    assert_eq!(report["lists"][1]["ca"], "rootCA");
    assert_eq!(report["lists"][1]["ahead"], Value::Null);
    assert!(sandbox.path("pki/sub/ahead").exists());
    assert!(!sandbox.path("pki/rootCA/ahead").exists());
    // Nor is one without its key among them, unless it is named.
    let line = "crl --ca rootCA --ahead 3 --every 30d";
    at(&sandbox, "01-02 00:00:00", line).succeeds();
    take_the_key_away(&sandbox);
    let line = "crl --for nginx --ahead 3 --every 30d";
    done(&sandbox, "02-02 00:00:00", line, &[]);
}

/// Node reads a file of each CA.
#[test]
fn check_looks_into_the_files_of_every_ca_that_are_read() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --for node").succeeds();
    let check = "crl --check --for node --ca intermediate0";
    sandbox.pki(check).succeeds();
    let other = sandbox.read("pki/crl/intermediate0.crl.pem");
    sandbox.write("pki/crl/rootCA.crl.pem", other);
    let checked = sandbox.pki(check).ends_with(3);
    assert_text(
        &normalised(&checked.stdout),
        expect![[r#"
            intermediate0: fresh until [time]
            rootCA: outdated: ./pki/crl/rootCA.crl or its PEM file lacks revocations that are on record
            the set of CRLs fits Node.js
        "#]],
    );
}
