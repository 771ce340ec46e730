//! `pki ocsp --check`, and files that are not replaced.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// With the responses of both CAs in `responses`, and the one of `good` in `staple`.
fn published() -> Sandbox {
    let sandbox = Sandbox::with_clients(["", ""]);
    for line in [
        "ocsp --out responses",
        "ocsp --ca intermediate0 --cn good --out staple",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

const TREE: &str = "--ca intermediate0 --out responses";
const STAPLE: &str = "--ca intermediate0 --cn good --out staple";

/// The finding of a check of one CA, and the serial numbers in it.
#[track_caller]
fn finding(sandbox: &Sandbox, options: &str, status: &str) -> Vec<String> {
    let report = sandbox.checked(&format!("{TREE} {options}"), 3);
    assert_eq!(report[0]["status"], status, "{report}");
    let findings = report[0]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report}");
    assert_eq!(findings[0]["status"], status, "{report}");
    let serials = findings[0]["serials"].as_array().unwrap();
    assert_eq!(findings[0]["count"], serials.len(), "{report}");
    serials
        .iter()
        .map(|serial| serial.as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn single_is(sandbox: &Sandbox, options: &str, status: &str) {
    let code = if status == "current" { 0 } else { 3 };
    let report = sandbox.checked(&format!("{STAPLE} {options}"), code);
    assert_eq!(report["status"], status, "{report}");
    assert_eq!(report["file"], "staple/good.ocsp", "{report}");
}

#[test]
fn responses_are_current() {
    let sandbox = published();
    let report = sandbox.checked("--out responses", 0);
    let of = |report: &Value| {
        report
            .as_array()
            .unwrap()
            .iter()
            .fold(Vec::new(), |mut all, ca| {
                all.push((
                    ca["ca"].clone(),
                    ca["status"].clone(),
                    ca["certificates"].clone(),
                ));
                all
            })
    };
    // The subordinate CA, the root itself and the responder; three leaves and the responder.
    assert_eq!(
        of(&report),
        [
            (json!("intermediate0"), json!("current"), json!(4)),
            (json!("rootCA"), json!("current"), json!(3)),
        ]
    );
    assert_eq!(report[0]["findings"], json!([]));
    single_is(&sandbox, "", "current");
    single_is(&sandbox, "--within 6d", "current");
}

#[test]
fn a_missing_response_is_found() {
    let sandbox = published();
    sandbox.pki("issue --ca intermediate0 --cn new").succeeds();
    let new = sandbox.serial_of_cn("intermediate0", "new");
    assert_eq!(finding(&sandbox, "", "missing"), [new]);
    sandbox.pki("ocsp --if-needed").words(TREE).succeeds();
    sandbox.checked(TREE, 0);

    let good = sandbox.serial_of_cn("intermediate0", "good");
    let staple = format!("responses/intermediate0/staple/{good}.ocsp");
    fs::remove_file(sandbox.path(&staple)).unwrap();
    assert_eq!(finding(&sandbox, "", "missing"), [good]);
    fs::remove_file(sandbox.path("staple/good.ocsp")).unwrap();
    single_is(&sandbox, "", "missing");
    fs::remove_dir_all(sandbox.path("responses/intermediate0")).unwrap();
    assert_eq!(finding(&sandbox, "", "missing").len(), 5);
}

/// `--check` sees that a file for stapling is missing; so does the next run.
#[test]
fn a_missing_staple_is_written_again() {
    let sandbox = published();
    let good = sandbox.serial_of_cn("intermediate0", "good");
    let staple = format!("responses/intermediate0/staple/{good}.ocsp");
    fs::remove_file(sandbox.path(&staple)).unwrap();
    sandbox.pki("ocsp --if-needed").words(TREE).succeeds();
    assert!(sandbox.path(&staple).exists());
    sandbox.checked(TREE, 0);
}

/// One revocation makes every response older than it.
#[test]
fn responses_older_than_a_revocation_are_found() {
    let sandbox = published();
    let line = "revoke --ca intermediate0 --cn revoked";
    let revoked = sandbox.serial_of_cn("intermediate0", "revoked");
    sandbox.pki(line).succeeds();
    let report = sandbox.checked(TREE, 3);
    assert_eq!(report[0]["status"], "outdated", "{report}");
    let found = report[0]["findings"][0]["serials"].as_array().unwrap();
    assert!(found.contains(&json!(revoked)), "{report}");
    sandbox.pki("ocsp --if-needed").words(TREE).succeeds();
    sandbox.checked(TREE, 0);
    let line = "revoke --ca intermediate0 --cn good";
    sandbox.pki(line).succeeds();
    single_is(&sandbox, "", "outdated");
    sandbox.pki("ocsp --if-needed").words(STAPLE).succeeds();
    single_is(&sandbox, "", "current");
}

#[test]
fn a_hold_is_answered_until_it_is_lifted() {
    let sandbox = published();
    let good = sandbox.serial_of_cn("intermediate0", "good");
    let staple = sandbox.path(format!("responses/intermediate0/staple/{good}.ocsp"));
    for (options, status, reason) in [
        ("--reason certificateHold", "REVOKED", "certificateHold"),
        ("--release", "GOOD", "-"),
        ("--reason superseded", "REVOKED", "superseded"),
    ] {
        let line = format!("revoke --ca intermediate0 --cn good {options}");
        sandbox.pki(&line).succeeds();
        let report = sandbox.checked(TREE, 3);
        assert_eq!(report[0]["status"], "outdated", "{report}");
        single_is(&sandbox, "", "outdated");
        for line in [TREE, STAPLE] {
            sandbox.pki("ocsp --if-needed").words(line).succeeds();
        }
        let files = [staple.clone(), sandbox.path("staple/good.ocsp")];
        for read in sandbox.read_responses(&files) {
            assert_eq!((&*read.status, &*read.reason), (status, reason));
        }
        sandbox.checked(TREE, 0);
        single_is(&sandbox, "", "current");
    }
}

#[test]
fn responses_that_expire_soon_are_found() {
    let sandbox = published();
    assert_eq!(finding(&sandbox, "--within 8d", "ends_soon").len(), 4);
    single_is(&sandbox, "--within 8d", "ends_soon");
    let run = sandbox.pki("ocsp --within 8d").words(TREE);
    assert_eq!(run.finish().status, Some(2));
}

#[test]
fn expired_and_future_responses_are_found() {
    let sandbox = Sandbox::new();
    let at = |day: &str, line: &str| sandbox.pki_at(&format!("2031-03-{day} 12:00:00"), line);
    for line in [
        "root --name intermediate0 --no-passphrase",
        "issue --ca intermediate0 --cn good --out out --no-passphrase",
        "ocsp --ca intermediate0 --out responses",
        "ocsp --ca intermediate0 --cn good --out staple",
    ] {
        at("10", line).succeeds();
    }
    for (day, status, code) in [
        ("10", "current", 0),
        ("17", "current", 0),
        ("18", "expired", 3),
        ("09", "in_future", 3),
    ] {
        let check = format!("ocsp --check --format json {TREE}");
        let report = at(day, &check).ends_with(code).json();
        assert_eq!(report[0]["status"], status, "{report}");
        let check = format!("ocsp --check --format json {STAPLE}");
        let report = at(day, &check).ends_with(code).json();
        assert_eq!(report["status"], status, "{report}");
    }
    // In the last third they are signed again, and before it they are not.
    for (day, signed) in [("14", false), ("15", true), ("16", false)] {
        let line = format!("ocsp --if-needed --format json {TREE}");
        let report = at(day, &line).succeeds().json();
        assert_eq!(report[0]["signed"] != 0, signed, "{day} {report}");
    }
}

#[test]
fn a_tampered_response_is_found() {
    let sandbox = published();
    let good = sandbox.serial_of_cn("intermediate0", "good");
    let revoked = sandbox.serial_of_cn("intermediate0", "revoked");
    // The response about another certificate in its place.
    let files = sandbox.files_below("responses/intermediate0");
    let read = sandbox.read_responses(&files);
    let of = |serial: &str, hash: &str| {
        let mut places = files.iter().zip(&read);
        let place = places.find(|(_, read)| read.serial == serial && read.hash == hash);
        place.unwrap().0.clone()
    };
    let right = fs::read(of(&good, "sha256")).unwrap();
    fs::write(
        of(&good, "sha256"),
        fs::read(of(&revoked, "sha256")).unwrap(),
    )
    .unwrap();
    assert_eq!(finding(&sandbox, "", "invalid"), [&*good]);
    // A byte of the envelope, of the CertID, and of the signature.
    for at in [0, right.len() / 8, right.len() / 3] {
        let mut tampered = right.clone();
        tampered[at] ^= 1;
        fs::write(of(&good, "sha256"), &tampered).unwrap();
        let report = sandbox.checked(TREE, 3);
        assert_eq!(report[0]["status"], "invalid", "{at} {report}");
    }
    fs::write(of(&good, "sha256"), "not a response").unwrap();
    assert_eq!(finding(&sandbox, "", "invalid"), [&*good]);
    sandbox.pki("ocsp --if-needed").words(TREE).succeeds();
    sandbox.checked(TREE, 0);
    sandbox.write("staple/good.ocsp", "not a response");
    single_is(&sandbox, "", "invalid");
}

/// Clients verify the signature by the certificate in the response, not by the one on record.
#[test]
fn a_damaged_certificate_in_a_response_is_found() {
    let sandbox = published();
    let mut der = fs::read(sandbox.path("staple/good.ocsp")).unwrap();
    // The last byte of the signature of the responder's certificate.
    *der.last_mut().unwrap() ^= 1;
    sandbox.write("staple/good.ocsp", der);
    let judged = sandbox.respin("staple/good.ocsp", "good", "sha1").finish();
    assert!(!judged.stderr.contains("Response verify OK"), "{judged}");
    single_is(&sandbox, "", "invalid");
    sandbox.pki("ocsp --if-needed").words(STAPLE).succeeds();
    single_is(&sandbox, "", "current");
}

#[test]
fn responses_of_a_revoked_responder_are_found() {
    let sandbox = published();
    let serial = sandbox.serial_of_cn("intermediate0", "intermediate0 OCSP responder");
    let line = format!("revoke --ca intermediate0 --serial {serial} --reason superseded");
    sandbox.pki(&line).succeeds();
    let report = sandbox.checked(TREE, 3);
    let status = report[0]["status"].as_str().unwrap();
    // Its own revocation is newer than the responses, unless both are of one second.
    assert!(["outdated", "signer_invalid"].contains(&status), "{report}");
    let renewed = sandbox.pki("ocsp --if-needed").words(TREE).succeeds();
    assert!(renewed.stderr.contains("issued a certificate"), "{renewed}");
    sandbox.checked(TREE, 0);
}

#[test]
fn foreign_files_are_refused_and_stay() {
    let sandbox = published();
    let before = sandbox.files_below("responses");
    for file in [
        "responses/intermediate0/notes.txt",
        "responses/intermediate0/staple/notes.txt",
        "responses/intermediate0/M/notes.txt",
    ] {
        sandbox.write(file, "keep me");
        for options in ["", "--if-needed"] {
            let run = sandbox.pki("ocsp").words(options).words(TREE);
            let said = run.refusal(1, "file-foreign");
            assert!(said.contains("notes.txt"), "{said}");
            assert_eq!(sandbox.read(file), "keep me");
        }
        fs::remove_file(sandbox.path(file)).unwrap();
    }
    std::os::unix::fs::symlink(
        sandbox.path("pki"),
        sandbox.path("responses/intermediate0/MEow"),
    )
    .unwrap();
    let run = sandbox.pki("ocsp").words(TREE);
    run.refusal(1, "file-foreign");
    fs::remove_file(sandbox.path("responses/intermediate0/MEow")).unwrap();
    assert_eq!(sandbox.files_below("responses"), before);
    // Beside the directories of CAs are other people's files, which nobody minds.
    sandbox.write("responses/notes.txt", "keep me");
    sandbox.pki("ocsp").words(TREE).succeeds();
    assert_eq!(sandbox.read("responses/notes.txt"), "keep me");
}

#[test]
fn a_file_in_the_place_of_a_directory_is_refused() {
    let sandbox = Sandbox::with_clients(["", ""]);
    sandbox.write("responses/intermediate0", "keep me");
    let run = sandbox.pki("ocsp").words(TREE);
    let ended = run.words("--format json").ends_with(1);
    assert!(ended.stderr.contains("is not a directory"), "{ended}");
    assert_eq!(sandbox.read("responses/intermediate0"), "keep me");
}

#[test]
fn a_file_that_is_no_response_needs_force() {
    let sandbox = published();
    for content in ["not a response", ""] {
        sandbox.write("staple/good.ocsp", content);
        for options in ["", "--if-needed"] {
            let run = sandbox.pki("ocsp").words(STAPLE).words(options);
            let ended = run.words("--format json").ends_with(1);
            assert!(ended.stderr.contains("staple/good.ocsp"), "{ended}");
            assert_eq!(sandbox.read("staple/good.ocsp"), content);
        }
    }
    sandbox.pki("ocsp --force").words(STAPLE).succeeds();
    single_is(&sandbox, "", "current");
}

/// A response is outdated by the revocation of any certificate of its CA.
#[test]
fn one_revocation_makes_every_response_due() {
    let sandbox = Sandbox::new();
    let at = |day: u32, line: &str| sandbox.pki_at(&format!("2031-03-{day:02} 12:00:00"), line);
    for line in [
        "root --name ca --no-passphrase",
        "issue --ca ca --cn one",
        "issue --ca ca --cn two",
        "ocsp --ca ca --out responses",
    ] {
        at(1, line).succeeds();
    }
    at(3, "revoke --ca ca --cn one").succeeds();
    let report = at(3, "ocsp --ca ca --out responses --check --format json");
    let report = report.ends_with(3).json();
    let finding = &report[0]["findings"][0];
    // The root, its responder, and both leaves.
    assert_eq!(finding["status"], "outdated", "{report}");
    assert_eq!(finding["count"], 4, "{report}");
    let line = "ocsp --ca ca --out responses --if-needed --format json";
    assert_eq!(at(3, line).succeeds().json()[0]["signed"], 8);
}

crate::engine::also_in_a_database! {
    responses_are_current, a_missing_response_is_found, a_missing_staple_is_written_again,
    responses_older_than_a_revocation_are_found, responses_that_expire_soon_are_found,
    expired_and_future_responses_are_found, a_tampered_response_is_found,
    a_damaged_certificate_in_a_response_is_found, responses_of_a_revoked_responder_are_found,
    foreign_files_are_refused_and_stay, a_file_in_the_place_of_a_directory_is_refused,
    a_file_that_is_no_response_needs_force, one_revocation_makes_every_response_due,
}

crate::engine::soak_in_a_database! {
    a_hold_is_answered_until_it_is_lifted,
}
