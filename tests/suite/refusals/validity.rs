//! What is issued ends with its CA, and a CA issues only while it is one.

use expect_test::expect;

use super::refusals;
use crate::sandbox::Sandbox;

refusals! { Sandbox::with_open_ca();
    more_days_than_the_ca_has: "issue --ca intermediate0 --cn client --days 36500" => 1, "invalid-validity", expect![[r#"
        error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
        hint: choose other times with --days, --not-before or --not-after
    "#]];
    an_end_after_the_ca_s: "issue --ca intermediate0 --cn client --not-after 2999-01-01" => 1, "invalid-validity", expect![[r#"
        error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
        hint: choose other times with --days, --not-before or --not-after
    "#]];
    a_beginning_before_the_ca_s: "issue --ca intermediate0 --cn client --not-before 2001-01-01" => 1, "invalid-validity", expect![[r#"
        error: invalid validity: notBefore [time] is before the issuing CA's, [time]
        hint: choose other times with --days, --not-before or --not-after
    "#]];
    an_end_before_the_beginning: "issue --ca intermediate0 --cn client --not-before 30d --not-after 10d" => 1, "invalid-validity", expect![[r#"
        error: invalid validity: notAfter [time] is not after notBefore [time]
        hint: choose other times with --days, --not-before or --not-after
    "#]];
    no_days_at_all: "issue --ca intermediate0 --cn client --days 0" => 2, "usage", expect![[r#"
        error: invalid value '0' for '--days <N>': 0 is not in 1..=4294967295
    "#]];
    a_date_that_is_none: "issue --ca intermediate0 --cn client --not-after 2027-02-30" => 2, "usage", expect![[r#"
        error: invalid value '[time]' for '--not-after <TIME>': "[time]" is not a time: write [time], [time], or a duration from now such as 90d, 12h or 1y
    "#]];
    days_and_an_end: "issue --ca intermediate0 --cn client --days 3 --not-after 2027-01-01" => 2, "usage", expect![[r#"
        error: the argument '--days <N>' cannot be used with '--not-after <TIME>'
        hint: pki issue --ca <NAME> --cn <NAME> --days <N> --format <FORMAT>
    "#]];
    a_subordinate_that_outlives_its_parent: "subordinate --ca rootCA --name late --not-after 2999-01-01 --no-passphrase" => 1, "invalid-validity", expect![[r#"
        error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
        hint: choose other times with --days, --not-before or --not-after
    "#]];
    a_root_to_the_year_10000: "root --name other --days 9999999 --no-passphrase" => 1, "invalid-validity", expect![[r#"
        error: invalid validity: it ends after the year 9999
        hint: choose other times with --days, --not-before or --not-after
    "#]];
}

#[test]
fn an_end_up_to_an_hour_past_the_ca_s_is_cut() {
    let sandbox = Sandbox::new();
    let begin = "2026-01-01 00:00:00";
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name sub --days 300 --no-passphrase",
    ] {
        sandbox.pki_at(begin, line).succeeds();
    }
    let show = sandbox.pki("show --ca sub --format json").succeeds();
    let ca_ends = show.json()["validity"]["not_after"].clone();
    for (moment, code) in [
        ("2026-01-01 00:00:01", 0),
        ("2026-01-01 01:00:00", 0),
        ("2026-01-01 01:00:01", 1),
    ] {
        let line = "issue --ca sub --cn client --days 300 --format json";
        let run = sandbox.pki_at(moment, line).ends_with(code);
        if code == 0 {
            assert_eq!(run.json()["not_after"], ca_ends, "{moment}");
            assert!(run.stderr.contains("notice"), "{run}");
        }
    }
    // A CA below is cut too: with a notice, if its validity was asked for.
    for (line, is_told) in [
        ("subordinate --ca sub --name cut --days 300", true),
        ("subordinate --ca sub --name usual", false),
    ] {
        let run = sandbox.pki_at("2026-01-01 00:30:00", line);
        let run = run.arg("--no-passphrase").succeeds();
        assert_eq!(run.stderr.contains("notice: "), is_told, "{run}");
    }
}

#[test]
fn a_path_longer_than_the_ca_allows() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --path-len 1 --no-passphrase",
        "subordinate --ca rootCA --name last --path-len 0 --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox.refused(
        sandbox.pki("subordinate --ca last --name further --no-passphrase"),
        1,
        "ca-unusable",
        expect![[r#"
            error: last cannot sign this: its path length is 0: no CA is allowed below it
        "#]],
    );
    sandbox.refused(
        sandbox.pki("subordinate --ca rootCA --name wide --path-len 1 --no-passphrase"),
        1,
        "path-length-exceeded",
        expect![[r#"
            error: rootCA allows at most 1 CAs below it, so the new one can't have path length 1
            hint: use --path-len 0 or less, or another parent than rootCA
        "#]],
    );
}

/// Under a clock that faketime sets; `pki` sees no other.
fn at(sandbox: &Sandbox, moment: &str, line: &str) -> crate::run::Run {
    let run = sandbox.run("faketime", "").arg(moment);
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

#[test]
fn a_ca_that_has_ended_and_a_ca_that_has_not_begun() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --not-before 2030-01-01 --not-after 2031-01-01 --no-passphrase")
        .succeeds();
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn client"),
        1,
        "ca-not-yet-valid",
        expect![[r#"
            error: rootCA cannot sign this: CN=rootCA is not valid before [time]
            hint: check the clock, or wait until the CA's certificate is valid
        "#]],
    );
    let line = "issue --ca rootCA --cn client";
    sandbox.refused(
        at(&sandbox, "2032-01-01 00:00:00", line),
        1,
        "ca-unusable",
        expect![[r#"
            error: rootCA cannot sign this: CN=rootCA expired at [time]
        "#]],
    );
    at(&sandbox, "2030-06-01 00:00:00", line).succeeds();
}

/// A CA of the store never outlives its root; one that was installed may: see `machines::odd`.
#[test]
fn a_ca_that_expired_with_its_root_issues_nothing() {
    let sandbox = Sandbox::new();
    for (day, line) in [
        (
            "2026-01-01 00:00:00",
            "root --name rootCA --days 30 --no-passphrase",
        ),
        (
            "2026-01-02 00:00:00",
            "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        ),
    ] {
        at(&sandbox, day, line).succeeds();
    }
    sandbox.refused(
        at(
            &sandbox,
            "2026-03-01 00:00:00",
            "issue --ca intermediate0 --cn client",
        ),
        1,
        "ca-unusable",
        expect![[r#"
            error: intermediate0 cannot sign this: CN=intermediate0 expired at [time]
        "#]],
    );
}

#[test]
fn the_default_validity_is_shortened_to_the_cas_end() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --days 30 --no-passphrase")
        .succeeds();
    let issued = sandbox
        .pki("issue --ca rootCA --cn client --out out --no-passphrase")
        .succeeds();
    assert!(issued.stderr.contains("notice: "), "{issued}");
    let end = |file: &str| {
        let printed = sandbox.run("openssl", "x509 -noout -enddate -in").arg(file);
        printed.succeeds().stdout
    };
    assert_eq!(end("out/client.crt"), end("pki/rootCA/ca.crt"));
}

/// RFC 5280, 4.1.2.5: `UTCTime` through 2049, `GeneralizedTime` from 2050.
#[test]
fn an_end_in_2049_is_utc_time_and_in_2050_generalized_time() {
    let sandbox = Sandbox::new();
    for (name, end, printed) in [
        (
            "a",
            "2049-12-31T23:59:59Z",
            "UTCTIME           :491231235959Z",
        ),
        (
            "b",
            "2050-01-01T00:00:00Z",
            "GENERALIZEDTIME   :20500101000000Z",
        ),
    ] {
        sandbox
            .pki("root --no-passphrase --name")
            .words(&format!("{name} --not-after {end}"))
            .succeeds();
        let parsed = sandbox
            .run("openssl", "asn1parse -in")
            .arg(format!("pki/{name}/ca.crt"))
            .succeeds();
        assert!(parsed.stdout.contains(printed), "{parsed}");
    }
}

crate::engine::also_in_a_database! {
    an_end_up_to_an_hour_past_the_ca_s_is_cut, a_path_longer_than_the_ca_allows,
    a_ca_that_has_ended_and_a_ca_that_has_not_begun, a_ca_that_expired_with_its_root_issues_nothing,
    the_default_validity_is_shortened_to_the_cas_end, an_end_in_2049_is_utc_time_and_in_2050_generalized_time,
}
