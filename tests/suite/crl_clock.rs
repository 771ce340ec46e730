//! CRLs that were signed under a clock that was ahead, or published before their time.

use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, Transcript, assert_text};
use crate::sandbox::Sandbox;

const PUBLISHED: &str = "pki/crl/top.crl";

fn at(sandbox: &Sandbox, moment: &str, line: &str) -> Run {
    sandbox.pki_at(&format!("2031-{moment}"), line)
}

/// A root of 2031, and the serials of leaves of 20 and of 300 days.
fn with_leaves() -> (Sandbox, [String; 2]) {
    let sandbox = Sandbox::new();
    at(
        &sandbox,
        "03-01 00:00:00",
        "root --name top --no-passphrase",
    )
    .succeeds();
    let serials = [("short", 20), ("long", 300)].map(|(cn, days)| {
        let line = format!("--format json issue --ca top --cn {cn} --days {days}");
        let issued = at(&sandbox, "03-01 00:00:00", &line).succeeds();
        issued.json()["serial"].as_str().unwrap().to_owned()
    });
    (sandbox, serials)
}

#[track_caller]
fn lists(sandbox: &Sandbox, serials: &[&String]) {
    let mut found = sandbox.published("top").serials;
    found.sort_unstable();
    assert_eq!(found.iter().collect::<Vec<_>>(), serials);
}

/// OpenSSL accepts the CRL, and takes the certificate for revoked, at a time of 2031.
#[track_caller]
fn openssl_refuses(sandbox: &Sandbox, cn: &str, seconds: u64) -> Transcript {
    sandbox
        .run("openssl", "crl -inform DER -out list.pem -in")
        .arg(PUBLISHED)
        .succeeds();
    sandbox
        .pki(&format!(
            "export --ca top --cn {cn} --out out --no-passphrase --force"
        ))
        .succeeds();
    sandbox
        .run(
            "openssl",
            "verify -crl_check -CAfile pki/top/ca.crt -CRLfile list.pem",
        )
        .words(&format!("-attime {seconds} out/{cn}.crt"))
        .ends_with(2)
}

/// 2031-03-02T00:00:00Z.
const SECOND_OF_MARCH: u64 = 1_930_176_000;

#[test]
fn a_clock_once_ahead_drops_no_unexpired_revocation() {
    let (sandbox, [short, _]) = with_leaves();
    at(&sandbox, "03-01 01:00:00", "revoke --ca top --cn short").succeeds();
    at(&sandbox, "03-01 02:00:00", "crl").succeeds();
    // Twice: the second has every reason to drop it, by that clock.
    for moment in ["06-01 00:00:00", "06-01 01:00:00", "06-01 02:00:00"] {
        at(&sandbox, moment, "crl").succeeds();
    }
    let next = at(&sandbox, "03-01 03:00:00", "crl").succeeds();
    assert!(next.stderr.contains("(2031-06-01T"), "{next}");
    lists(&sandbox, &[&short]);

    let back = at(&sandbox, "03-02 00:00:00", "crl --date-now").succeeds();
    assert_text(
        &normalised(&back.stderr),
        expect![[r#"
            notice: top: the published CRL is dated in the future ([time]): it was signed under a wrong clock, or published before its time
        "#]],
    );
    let list = sandbox.published("top");
    assert_eq!(list.number, 6);
    assert!(
        list.this_update.starts_with("2031-03-02 00:00:00"),
        "{}",
        list.this_update
    );
    lists(&sandbox, &[&short]);
    let refused = openssl_refuses(&sandbox, "short", SECOND_OF_MARCH + 60);
    assert!(refused.stderr.contains("certificate revoked"), "{refused}");
    let next = at(&sandbox, "03-02 01:00:00", "crl").succeeds();
    assert_eq!(next.stderr, "");
    // It leaves when it has been on a CRL of a right clock beyond its end.
    for (moment, listed) in [("03-22 00:00:00", vec![&short]), ("03-22 01:00:00", vec![])] {
        at(&sandbox, moment, "crl").succeeds();
        lists(&sandbox, &listed);
    }
}

#[test]
fn a_future_date_on_record_is_reported_until_it_has_come() {
    let (sandbox, _) = with_leaves();
    at(&sandbox, "03-09 00:00:00", "crl --days 90").succeeds();
    for (moment, status) in [
        ("03-08 00:00:00", 3),
        ("03-08 23:56:00", 0),
        ("03-09 00:00:00", 0),
    ] {
        let crl = at(&sandbox, moment, "--format json crl --check").ends_with(status);
        let is_future = crl.json()[0]["status"] == "in_future";
        assert_eq!(is_future, status == 3, "{crl}");
        let check = at(&sandbox, moment, "check").ends_with(status);
        assert_eq!(check.stdout.contains("list-future"), status == 3, "{check}");
    }
    // Also if only the record says so.
    fs::remove_file(sandbox.path(PUBLISHED)).unwrap();
    let check = at(&sandbox, "03-08 00:00:00", "check").ends_with(3);
    assert!(check.stdout.contains("list-future"), "{check}");
    assert!(
        check.stdout.contains("`pki crl --ca top --date-now`"),
        "{check}"
    );
    at(&sandbox, "03-08 00:00:00", "crl --date-now").succeeds();
    at(&sandbox, "03-08 00:00:00", "check").succeeds();
}

#[test]
fn a_pre_signed_crl_published_too_early_does_not_count() {
    let (sandbox, serials) = with_leaves();
    at(&sandbox, "03-01 01:00:00", "revoke --ca top --cn short").succeeds();
    at(&sandbox, "03-01 01:00:00", "crl --ahead 10 --every 30d").succeeds();
    let early = sandbox.path("pki/top/ahead/9.crl");
    fs::copy(early, sandbox.path(PUBLISHED)).unwrap();
    let check = at(&sandbox, "03-01 02:00:00", "--format json crl --check").ends_with(3);
    assert_eq!(check.json()[0]["status"], "in_future");
    at(&sandbox, "03-01 02:00:00", "check").ends_with(3);
    let kept = at(&sandbox, "03-01 02:00:00", "crl").succeeds();
    assert_text(
        &normalised(&kept.stderr),
        expect![[r#"
            notice: top: the published CRL is dated in the future ([time]): it was signed under a wrong clock, or published before its time
        "#]],
    );

    at(&sandbox, "03-01 03:00:00", "revoke --ca top --cn long").succeeds();
    let next = at(&sandbox, "03-02 00:00:00", "crl").succeeds();
    assert_text(
        &normalised(&next.stderr),
        expect![[r#"
            notice: top: the published CRL is dated in the future ([time]): it was signed under a wrong clock, or published before its time
        "#]],
    );
    let list = sandbox.published("top");
    assert_eq!(list.number, 11);
    assert!(
        list.this_update.starts_with("2031-03-02 00:00:00"),
        "{}",
        list.this_update
    );
    lists(&sandbox, &serials.iter().collect::<Vec<_>>());
    let refused = openssl_refuses(&sandbox, "long", SECOND_OF_MARCH + 60);
    assert!(refused.stderr.contains("certificate revoked"), "{refused}");
    at(&sandbox, "03-02 00:00:00", "crl --check").succeeds();
}

#[test]
fn the_due_pre_signed_crl_replaces_an_early_one_on_demand() {
    let (sandbox, _) = with_leaves();
    at(&sandbox, "03-01 01:00:00", "crl --ahead 4 --every 30d").succeeds();
    fs::copy(sandbox.path("pki/top/ahead/3.crl"), sandbox.path(PUBLISHED)).unwrap();
    fs::rename(sandbox.path("pki/top/ca.key"), sandbox.path("offline.key")).unwrap();
    at(&sandbox, "03-01 02:00:00", "crl --ca top --date-now").succeeds();
    assert_eq!(sandbox.published("top").number, 1);
}

#[test]
fn pre_signed_crls_are_for_the_owner_until_they_are_published() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name top --no-passphrase").succeeds();
    let modes = |paths: &str| {
        let stat = sandbox.run("stat", "-c %a").words(paths).succeeds();
        stat.stdout
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let signs = "umask 022; \"$0\" crl --ahead 3 --every 30d";
    let pki = env!("CARGO_BIN_EXE_pki");
    sandbox.run("sh", "-c").arg(signs).arg(pki).succeeds();
    let ahead = "pki/top/ahead pki/top/ahead/1.crl pki/top/ahead/3.crl";
    assert_eq!(modes(ahead), ["700", "600", "600"]);
    assert_eq!(modes(PUBLISHED), ["644"]);

    sandbox.run("chmod", "755 pki/top/ahead").succeeds();
    sandbox.run("chmod", "644 pki/top/ahead/3.crl").succeeds();
    let check = sandbox.pki("check").ends_with(3);
    assert_eq!(
        check.stdout.matches("key-permissions").count(),
        2,
        "{check}"
    );
    sandbox.pki("check --repair").succeeds();
    assert_eq!(modes(ahead), ["700", "600", "600"]);

    sandbox.pki("backup store.backup").succeeds();
    sandbox.pki("--store back restore store.backup").succeeds();
    let back = "back/top/ahead back/top/ahead/1.crl back/top/ahead/3.crl";
    assert_eq!(modes(back), ["700", "600", "600"]);
}

crate::engine::also_in_a_database! {
    a_clock_once_ahead_drops_no_unexpired_revocation, a_future_date_on_record_is_reported_until_it_has_come,
    a_pre_signed_crl_published_too_early_does_not_count,
}
