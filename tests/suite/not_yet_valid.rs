//! Certificates and CAs that are not valid yet: each command that looks at them says so.

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// `later`, a certificate that is valid from 2035 on, and `future`, a CA that is from 2034 on.
fn with_both() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn later --not-before 2035-01-01 --days 30")
        .succeeds();
    sandbox.issued("intermediate0", "now");
    in_future(&sandbox, "root --name future --no-passphrase").succeeds();
    sandbox
}

fn in_future(sandbox: &Sandbox, line: &str) -> Run {
    let pki = env!("CARGO_BIN_EXE_pki");
    sandbox
        .run("faketime", "-f")
        .arg("2034-01-01 00:00:00")
        .arg(pki)
        .words(line)
}

fn names(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let listed = sandbox.pki(&format!("--format json {line}"));
    let listed = listed.succeeds().json();
    let entries = listed.as_array().unwrap().iter();
    entries
        .map(|entry| format!("{} {}", entry["subject"], entry["status"]).replace('"', ""))
        .collect()
}

#[test]
fn list_has_the_status_and_filters_by_it() {
    let sandbox = with_both();
    let list = "list --ca intermediate0";
    assert_eq!(
        names(&sandbox, list),
        ["CN=later not-yet-valid", "CN=now valid"]
    );
    let only = |status: &str| names(&sandbox, &format!("{list} --status {status}"));
    assert_eq!(only("not-yet-valid"), ["CN=later not-yet-valid"]);
    assert_eq!(only("valid"), ["CN=now valid"]);
    assert_eq!(only("expired"), Vec::<String>::new());
    let table = sandbox.pki(list).succeeds();
    assert_text(
        &normalised(&table.stdout),
        expect![[r#"
            STATUS        EXPIRES              PROFILE        CA               SERIAL               SUBJECT
            not-yet-valid [time] client         intermediate0    [serial]   CN=later
            valid         [time] client         intermediate0    [serial]   CN=now
        "#]],
    );
    // It ends within the time, and is listed as what it is.
    let soon = names(&sandbox, &format!("{list} --cn later --expiring 10y"));
    assert_eq!(soon, ["CN=later not-yet-valid"]);
    let shown = sandbox.pki("--format json show --ca intermediate0 --cn later");
    assert_eq!(shown.succeeds().json()["status"], "not-yet-valid");
    // Revoked before it is valid, it is revoked.
    sandbox
        .pki("revoke --ca intermediate0 --cn later")
        .succeeds();
    assert_eq!(only("revoked"), ["CN=later revoked"]);
    assert_eq!(only("not-yet-valid"), Vec::<String>::new());
}

#[test]
fn a_ca_that_cannot_sign_yet_is_reported() {
    let sandbox = with_both();
    let from = "not valid before 2034-01-01T00:00:00Z";
    let tree = sandbox.pki("tree").succeeds();
    assert!(tree.stdout.contains(from), "{tree}");
    let tree = sandbox.pki("--format json tree").succeeds().json();
    let nodes = tree.as_array().unwrap().iter();
    let future = nodes.filter(|node| node["ca"] == "future");
    let future: Vec<_> = future.collect();
    assert_eq!(future[0]["status"], "not-yet-valid");
    assert_eq!(future[0]["not_before"], "2034-01-01T00:00:00Z");
    let shown = sandbox.pki("--format json show --ca future").succeeds();
    assert_eq!(shown.json()["status"], "not-yet-valid");
    assert!(shown.stderr.contains(from), "{shown}");
    let checked = sandbox.pki("check").ends_with(3);
    assert!(checked.stdout.contains("ca-not-yet-valid"), "{checked}");
    for line in ["issue --ca future --cn x", "crl --ca future"] {
        sandbox.pki(line).refuses(
            1,
            "ca-not-yet-valid",
            expect![[r#"
                error: future cannot sign this: CN=future is not valid before [time]
                hint: check the clock, or wait until the CA's certificate is valid
            "#]],
        );
    }
    // From then on it is a CA like any other.
    in_future(&sandbox, "issue --ca future --cn x").succeeds();
    let then = in_future(&sandbox, "--format json tree").succeeds().json();
    let nodes = then.as_array().unwrap().iter();
    let valid = nodes.filter(|node| node["ca"] == "future" && node["status"] == "valid");
    assert_eq!(valid.count(), 1);
}

#[test]
fn the_status_of_a_shown_ca_is_that_of_its_certificate() {
    let sandbox = Sandbox::with_open_ca();
    let status = || {
        let line = "--format json show --ca intermediate0";
        sandbox.pki(line).succeeds().json()["status"].clone()
    };
    assert_eq!(status(), "valid");
    sandbox
        .pki("revoke --cert pki/intermediate0/ca.crt")
        .succeeds();
    assert_eq!(status(), "revoked");
}

crate::engine::also_in_a_database! {
    list_has_the_status_and_filters_by_it, a_ca_that_cannot_sign_yet_is_reported,
    the_status_of_a_shown_ca_is_that_of_its_certificate,
}
