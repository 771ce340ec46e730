//! Each kind of change, and what it leads to.

use std::fs;

use expect_test::expect;

use super::SMALL;
use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// The lines of the steps, without the last, which counts them.
#[track_caller]
fn steps(sandbox: &Sandbox) -> String {
    let applied = sandbox.apply("a.toml").succeeds();
    let lines = normalised(&applied.stdout);
    let (steps, _) = lines.trim_end().rsplit_once('\n').unwrap_or_default();
    steps.to_owned()
}

#[test]
fn a_changed_entry_is_reissued_and_the_old_one_stays_valid() {
    let sandbox = Sandbox::applied(SMALL);
    let old = fs::read(sandbox.path("certs/localclient.crt")).unwrap();
    sandbox.write("a.toml", SMALL.replace("days = 90", "days = 91"));
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            reissued localclient under intermediate0 as [serial]: the entry differs from certificate [serial], which stays valid until [time]
        "#]],
    );
    assert_ne!(
        fs::read(sandbox.path("certs/localclient.crt")).unwrap(),
        old
    );
    let records = sandbox.of_entry("intermediate0", "localclient");
    assert_eq!(records.len(), 2);
    let listed = sandbox
        .pki("--format json list --ca intermediate0 --status valid --cn localclient")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
    sandbox.assert_settled("a.toml");

    // An entry that says again what it said has its certificate still.
    sandbox.write("a.toml", SMALL);
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            wrote the files of localclient under intermediate0 as [serial]: its files are missing or differ
        "#]],
    );
    assert_eq!(
        fs::read(sandbox.path("certs/localclient.crt")).unwrap(),
        old
    );
}

#[test]
fn an_entry_is_renewed_when_it_is_due_and_not_before() {
    let sandbox = Sandbox::new();
    let asks = |before: &str| {
        let asked = format!("days = 90\nrenew_before = \"{before}\"");
        sandbox.write("a.toml", SMALL.replace("days = 90", &asked));
    };
    let apply_at = |day: &str| {
        let moment = format!("{day} 12:00:00");
        let applied = sandbox.pki_at(&moment, "apply a.toml --no-passphrase");
        applied.succeeds().stdout
    };
    asks("20d");
    apply_at("2030-01-01");
    let is_renewed = |applied: &str| applied.contains("renewed localclient");
    // It ends on 2030-04-01.
    assert!(!is_renewed(&apply_at("2030-03-12")));
    assert!(is_renewed(&apply_at("2030-03-13")));
    assert!(apply_at("2030-03-13").starts_with("nothing to do"));
    let records = sandbox.of_entry("intermediate0", "localclient");
    let ends = records.iter().map(|record| record["not_after"].clone());
    let ends = ends.collect::<Vec<_>>();
    assert_eq!(ends, ["2030-04-01T12:00:00Z", "2030-06-11T12:00:00Z"]);
    // A longer time is no other wish, and is due sooner.
    asks("60d");
    assert!(!is_renewed(&apply_at("2030-04-12")));
    assert!(is_renewed(&apply_at("2030-04-13")));
}

#[test]
fn what_ends_at_a_time_that_is_written_down_has_no_successor() {
    let sandbox = Sandbox::new();
    let file = SMALL.replace("days = 90", "not_after = \"2030-02-01\"");
    sandbox.write("a.toml", file);
    let apply_at = |moment: &str| {
        let applied = sandbox.pki_at(moment, "apply a.toml --no-passphrase");
        applied.succeeds().stdout
    };
    apply_at("2030-01-01 12:00:00");
    apply_at("2030-01-31 12:00:00");
    assert!(apply_at("2030-01-31 12:00:00").starts_with("nothing to do"));
    assert_eq!(sandbox.of_entry("intermediate0", "localclient").len(), 1);
}

#[test]
fn what_is_short_lived_is_not_due_at_once() {
    let file = SMALL.replace("days = 90", "days = 3");
    let file = file.replace("[ca.rootCA]", "renew_before = \"30d\"\n[ca.rootCA]");
    let sandbox = Sandbox::applied(&file);
    sandbox.assert_settled("a.toml");
}

#[test]
fn an_entry_that_is_to_be_revoked_is_revoked_once() {
    let sandbox = Sandbox::applied(SMALL);
    let revoked = "days = 90\nrevoked = { reason = \"keyCompromise\", invalidity_date = \"-1d\" }";
    sandbox.write("a.toml", SMALL.replace("days = 90", revoked));
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            revoked localclient under intermediate0 as [serial]
            signed the CRL of intermediate0
        "#]],
    );
    let list = "crl -in pki/crl/intermediate0.crl -noout -text";
    let list = sandbox.run("openssl", list).succeeds().stdout;
    let serial = sandbox.of_entry("intermediate0", "localclient")[0]["serial"].to_string();
    assert!(list.contains(serial.trim_matches('"')), "{list}");
    assert!(list.contains("Key Compromise"), "{list}");
    assert!(list.contains("Invalidity Date"), "{list}");
    sandbox.assert_settled("a.toml");

    // One that is no longer to be revoked gets another certificate.
    sandbox.write("a.toml", SMALL);
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            issued localclient under intermediate0 as [serial]: [serial] is revoked
        "#]],
    );
    sandbox.assert_settled("a.toml");
}

#[test]
fn a_certificate_that_somebody_revoked_is_replaced() {
    let sandbox = Sandbox::applied(SMALL);
    let revoke = "revoke --ca intermediate0 --cn www.example.test";
    sandbox.pki(revoke).succeeds();
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            issued www under intermediate0 as [serial]: [serial] is revoked
            signed the CRL of intermediate0
        "#]],
    );
    sandbox.assert_settled("a.toml");
}

#[test]
fn files_that_are_missing_or_changed_are_written_again() {
    let sandbox = Sandbox::applied(SMALL);
    let names = [
        "certs/www.key",
        "certs/www.fullchain.pem",
        "pki/crl/intermediate0.crl.pem",
        "truststore.pem",
    ];
    let before = names.map(|name| sandbox.read(name));
    for name in names {
        fs::remove_file(sandbox.path(name)).unwrap();
    }
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            wrote the files of www under intermediate0 as [serial]: its files are missing or differ
            wrote the CRL of intermediate0
            wrote the bundle truststore
        "#]],
    );
    assert_eq!(names.map(|name| sandbox.read(name)), before);
    sandbox.write("certs/www.chain.pem", "");
    assert!(steps(&sandbox).starts_with("wrote the files of www"));
    sandbox.assert_settled("a.toml");
    assert_eq!(sandbox.of_entry("intermediate0", "www").len(), 1);
}

#[test]
fn what_the_file_no_longer_names_is_said_and_left_alone() {
    let sandbox = Sandbox::applied(SMALL);
    let (before, after) = SMALL.split_once("[certificate.localclient]").unwrap();
    let (_, after) = after.split_once("[crl").unwrap();
    sandbox.write("a.toml", format!("{before}[crl{after}"));
    let snapshot = sandbox.store_snapshot();
    let applied = sandbox.apply("a.toml").succeeds();
    assert_text(
        &normalised(&applied.stderr),
        expect![[r#"
            notice: localclient was removed from the file; its certificate [serial] of intermediate0 is unchanged
        "#]],
    );
    assert_text(
        &applied.stdout,
        expect![[r#"
            nothing to do, 5 unchanged
        "#]],
    );
    snapshot.assert_unchanged(&sandbox.path("pki"));
    assert!(sandbox.path("certs/localclient.key").exists());
}

#[test]
fn a_successor_that_renew_issued_is_the_entrys_certificate() {
    let sandbox = Sandbox::applied(SMALL);
    let renew = "renew --ca intermediate0 --cn localclient --days 90";
    sandbox.pki(renew).succeeds();
    assert!(steps(&sandbox).starts_with("wrote the files of localclient"));
    let records = sandbox.of_entry("intermediate0", "localclient");
    assert_eq!(records.len(), 2);
    sandbox.assert_settled("a.toml");
}

#[test]
fn a_new_ca_is_in_the_bundle_of_all() {
    let file = SMALL.replace(
        "[bundle.truststore]\nca = [\"intermediate0\"]",
        "[bundle.truststore]",
    );
    let sandbox = Sandbox::applied(&file);
    let more = "[ca.intermediate1]\nparent = \"rootCA\"\n";
    sandbox.write("a.toml", file + more);
    assert_text(
        &steps(&sandbox),
        expect![[r#"
            created the CA intermediate1 under rootCA as [serial]
            wrote the bundle truststore: 1 added, 0 removed
        "#]],
    );
    sandbox.assert_settled("a.toml");
}

#[test]
fn a_request_is_certified_and_another_one_again() {
    let sandbox = Sandbox::new();
    let request = || {
        let line = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout a.key -subj /CN=device -out a.csr";
        sandbox.run("openssl", line).succeeds();
    };
    request();
    let file = SMALL.replace("days = 90", "csr = \"a.csr\"");
    sandbox.write("a.toml", &file);
    sandbox.apply("a.toml").succeeds();
    assert!(!sandbox.path("certs/localclient.key").exists());
    sandbox.verifies("-CAfile truststore.pem", "certs/localclient.crt");
    sandbox.assert_settled("a.toml");
    request();
    assert!(steps(&sandbox).starts_with("reissued localclient"));
    sandbox.assert_settled("a.toml");
}

crate::engine::also_in_a_database! {
    a_changed_entry_is_reissued_and_the_old_one_stays_valid,
    an_entry_is_renewed_when_it_is_due_and_not_before,
    what_ends_at_a_time_that_is_written_down_has_no_successor, what_is_short_lived_is_not_due_at_once,
    an_entry_that_is_to_be_revoked_is_revoked_once, a_certificate_that_somebody_revoked_is_replaced,
    files_that_are_missing_or_changed_are_written_again, what_the_file_no_longer_names_is_said_and_left_alone,
    a_successor_that_renew_issued_is_the_entrys_certificate, a_new_ca_is_in_the_bundle_of_all,
    a_request_is_certified_and_another_one_again,
}
