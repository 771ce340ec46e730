//! The first and the last second of a validity: both belong to it, and no others do.

use crate::normalise::normalised;
use crate::sandbox::Sandbox;

const FIRST: &str = "2030-01-02T03:04:05Z";
const LAST: &str = "2030-02-03T04:05:06Z";

/// Seconds around a validity of [`FIRST`] to [`LAST`], and what is said there of a subject.
const SECONDS: [(&str, Option<&str>); 6] = [
    ("2030-01-02T03:04:04Z", Some("is not valid before [time]")),
    (FIRST, None),
    ("2030-01-02T03:04:06Z", None),
    ("2030-02-03T04:05:05Z", None),
    (LAST, None),
    ("2030-02-03T04:05:07Z", Some("expired at [time]")),
];

/// A path of which one certificate alone is valid from [`FIRST`] to [`LAST`], and what is in it as long.
fn path(short_lived: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let times = |name: &str| {
        if name == short_lived {
            format!("--not-before {FIRST} --not-after {LAST}")
        } else {
            "--not-before 2029-01-01 --not-after 2031-01-01".to_owned()
        }
    };
    sandbox
        .pki("root --name rootCA --no-passphrase")
        .words(&times("rootCA"))
        .succeeds();
    if short_lived != "rootCA" {
        sandbox
            .pki_at(
                "2030-01-10 00:00:00",
                "issue --ca rootCA --cn leaf --out out --no-passphrase",
            )
            .words(&times("leaf"))
            .succeeds();
    }
    sandbox
}

/// The rules and rustls-webpki both judge a leaf; of a root alone the rules.
#[test]
fn verify_counts_both_ends_of_a_validity() {
    for (name, file) in [("leaf", "out/leaf.crt"), ("rootCA", "pki/rootCA/ca.crt")] {
        let sandbox = path(name);
        for (second, problem) in SECONDS {
            let judged = sandbox
                .pki(&format!("verify {file} --at {second}"))
                .finish();
            let said = normalised(&judged.stdout);
            match problem {
                None => assert!(
                    judged.status == Some(0) && said.starts_with("valid: "),
                    "{second}: {judged}"
                ),
                Some(problem) => {
                    assert_eq!(judged.status, Some(3), "{second}: {judged}");
                    assert_eq!(said, format!("not valid: CN={name} {problem}\n"));
                }
            }
            if second == LAST {
                // By RFC 5280 section 4.1.2.5 it belongs to the validity; openssl 3.0 has it expired.
                continue;
            }
            let openssl = sandbox.run("openssl", "verify -CAfile pki/rootCA/ca.crt");
            let openssl = openssl
                .words(&format!(
                    "-attime {} {file}",
                    seconds_since_1970(&sandbox, second)
                ))
                .finish();
            assert_eq!(
                openssl.status == Some(0),
                problem.is_none(),
                "{second}: {openssl}"
            );
        }
    }
}

fn seconds_since_1970(sandbox: &Sandbox, second: &str) -> String {
    let printed = sandbox.run("date", "-u +%s -d").arg(second).succeeds();
    printed.stdout.trim().to_owned()
}

/// `2030-01-02T03:04:05Z` as faketime takes it.
fn clock(second: &str) -> String {
    second.replace('T', " ").replace('Z', "")
}

#[test]
fn a_ca_signs_from_its_first_to_its_last_second() {
    let sandbox = path("rootCA");
    for (second, problem) in SECONDS {
        let issue = "issue --ca rootCA --cn x --not-before 2030-01-10 --not-after 2030-01-11";
        let issued = sandbox.pki_at(&clock(second), issue).finish();
        match problem {
            None => assert_eq!(issued.status, Some(0), "{second}: {issued}"),
            Some(problem) => {
                assert_eq!(issued.status, Some(1), "{second}: {issued}");
                let error = format!("error: rootCA cannot sign this: CN=rootCA {problem}");
                let said = normalised(&issued.stderr);
                assert_eq!(said.lines().next(), Some(&*error), "{issued}");
            }
        }
    }
}

/// A validity may begin and end with the CA's; it may not begin before, nor end more than an hour after.
#[test]
fn a_leaf_may_have_exactly_the_validity_of_its_ca() {
    let sandbox = path("rootCA");
    for (first, last, status) in [
        (FIRST, LAST, 0),
        ("2030-01-02T03:04:04Z", LAST, 1),
        (FIRST, "2030-02-03T05:05:06Z", 0),
        (FIRST, "2030-02-03T05:05:07Z", 1),
    ] {
        let line = format!(
            "--format json issue --ca rootCA --cn x --not-before {first} --not-after {last}"
        );
        let issued = sandbox.pki_at("2030-01-10 00:00:00", &line).finish();
        assert_eq!(issued.status, Some(status), "{first} {last}: {issued}");
        if status == 1 {
            assert_eq!(issued.error()["code"], "invalid-validity", "{issued}");
        }
    }
}

#[test]
fn a_certificate_is_listed_as_expired_after_its_last_second() {
    let sandbox = path("leaf");
    for (second, status) in [
        ("2030-02-03T04:05:06Z", "valid"),
        ("2030-02-03T04:05:07Z", "expired"),
    ] {
        let listed = sandbox.pki_at(&clock(second), "--format json list --ca rootCA");
        let listed = listed.succeeds().json();
        let leaf = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["subject"] == "CN=leaf");
        assert_eq!(leaf.unwrap()["status"], status, "{second}");
    }
}

/// A CRL counts through its nextUpdate.
#[test]
fn a_crl_counts_to_its_last_second() {
    let sandbox = path("leaf");
    let listed = "crl --ca rootCA --to-pem --days 7";
    sandbox.pki_at("2030-01-10 00:00:00", listed).succeeds();
    for (second, status) in [
        ("2030-01-10T00:00:00Z", 0),
        ("2030-01-17T00:00:00Z", 0),
        ("2030-01-17T00:00:01Z", 3),
    ] {
        let line = format!("verify out/leaf.crt --crl pki/crl/rootCA.crl.pem --at {second}");
        let judged = sandbox.pki(&line).finish();
        assert_eq!(judged.status, Some(status), "{second}: {judged}");
        let ended = judged.stdout.contains("CN=leaf may be revoked: ");
        assert_eq!(ended, status == 3, "{judged}");
    }
}

crate::engine::also_in_a_database! {
    a_ca_signs_from_its_first_to_its_last_second, a_leaf_may_have_exactly_the_validity_of_its_ca,
    a_certificate_is_listed_as_expired_after_its_last_second, a_crl_counts_to_its_last_second,
}

crate::engine::soak_in_a_database! {
    verify_counts_both_ends_of_a_validity,
}
