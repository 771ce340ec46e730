//! `pki check`: a store that is whole is called so whatever made it, and each damage by its name.

mod beside;
mod clean;
mod damages;
mod many;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::normalise::normalised;
use crate::run::{Run, Transcript, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

/// A store with all that can be damaged in one: two CAs without passphrases, of which one was renewed,
/// revoked something and has lists in every form; one with a passphrase that signed ahead; and one that
/// waits. `before` is the store as it was before anything was revoked.
fn store_with_everything() -> Sandbox {
    let sandbox = Sandbox::in_memory();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "ca renew --ca intermediate0 --days 3000",
        "issue --ca intermediate0 --cn gone",
        "issue --ca intermediate0 --cn kept",
        "subordinate --name waiting --request waiting.csr --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    copy(&sandbox.path("pki"), &sandbox.path("before"));
    sandbox
        .pki("revoke --ca intermediate0 --cn gone")
        .succeeds();
    for line in [
        "crl --to-pem --chain --ca rootCA --ca intermediate0",
        "root --name guarded",
        "issue --ca guarded --cn one",
        "issue --ca guarded --cn two",
        "crl --ca guarded --ahead 2 --every 30d",
    ] {
        let run = sandbox.pki(line).env("PKI_PASSPHRASE", PASSPHRASE);
        run.succeeds();
    }
    sandbox
}

/// The same folder again, with its permissions.
fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp")
        .args(["-a", "--"])
        .args([from, to])
        .status();
    assert!(status.unwrap().success());
}

fn copy_of(sandbox: &Sandbox) -> Sandbox {
    let copied = Sandbox::in_memory();
    for name in ["pki", "before"] {
        copy(&sandbox.path(name), &copied.path(name));
    }
    copied
}

/// The rules that a check found broken.
#[track_caller]
fn rules(transcript: &Transcript) -> BTreeSet<String> {
    let json = transcript.json();
    let findings = json["findings"].as_array().unwrap();
    let rules = findings.iter().map(|finding| finding["rule"].as_str());
    rules.map(|rule| rule.unwrap().to_owned()).collect()
}

/// The serial number of what was issued with this common name.
#[track_caller]
fn serial_of(sandbox: &Sandbox, ca: &str, cn: &str) -> String {
    let journal = sandbox.read(format!("pki/{ca}/issued.jsonl"));
    let records = journal.lines().skip(1).map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        record
    });
    let mut named = records.filter(|record| record["cn"] == cn);
    named.next().unwrap()["serial"].as_str().unwrap().to_owned()
}

fn key_of(sandbox: &Sandbox, ca: &str, cn: &str) -> String {
    format!("pki/{ca}/keys/{}.key", serial_of(sandbox, ca, cn))
}

/// Changes the lines of a journal, and gives each the check that it has to have: what a program does that
/// writes wrong things in the right way.
fn rewrite(sandbox: &Sandbox, journal: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let text = sandbox.read(journal);
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    change(&mut lines);
    let mut check = "0".repeat(32);
    let mut written = String::new();
    for mut line in lines {
        line.as_object_mut().unwrap().remove("check");
        let text = line.to_string();
        let body = text.strip_suffix('}').unwrap();
        check = format!("{:032x}", xxh3_128(format!("{check}{body}").as_bytes()));
        writeln!(written, "{body},\"check\":\"{check}\"}}").unwrap();
    }
    sandbox.write(journal, written);
}

/// Changes one record, the last of a common name.
fn rewrite_record(sandbox: &Sandbox, cn: &str, change: impl FnOnce(&mut Value)) {
    rewrite(sandbox, ISSUED, |lines| {
        let record = lines.iter_mut().rfind(|line| line["cn"] == cn).unwrap();
        change(record);
    });
}

const ISSUED: &str = "pki/intermediate0/issued.jsonl";
const REVOKED: &str = "pki/intermediate0/revoked.jsonl";
const LISTS: &str = "pki/intermediate0/crls.jsonl";

#[test]
fn what_is_found_is_told_by_ca_and_counted() {
    let sandbox = store_with_everything();
    let ok = sandbox.pki("check").succeeds();
    assert_text(
        &ok.stdout,
        expect![[r#"
            store ok: 3 CAs, 1 pending, 8 certificates, 1 revoked
        "#]],
    );
    assert_eq!(ok.stderr, "");
    let text = sandbox.read(ISSUED);
    sandbox.write(
        ISSUED,
        text.replace("\"cn\":\"kept\"", "\"cn\":\"kepd\"") + "{\"ser",
    );
    sandbox.write("pki/intermediate0/serial", "");
    sandbox.write("pki/notes.txt", "");
    let found = sandbox.pki("check").ends_with(3);
    assert_text(
        &normalised(&found.stdout),
        expect![[r#"
            the store
              warning: foreign-file  ./pki/notes.txt is not a file of the store
            intermediate0
              error: journal-chain    ./pki/intermediate0/issued.jsonl line 3 does not follow from the line before it: it was changed, or lines are missing or out of order
              error: counter-damaged  ./pki/intermediate0/serial is not a number of 39 digits and a newline; the highest number known to be in use is 1
              warning: journal-torn   ./pki/intermediate0/issued.jsonl ends with 5 bytes of an incomplete line, which was never acknowledged
            2 errors, 2 warnings; `pki check --repair` repairs 1 of them
        "#]],
    );
    let one = sandbox.pki("check --ca rootCA --ca waiting").succeeds();
    assert_text(
        &one.stdout,
        expect![[r#"
            store ok: 1 CA, 1 pending, 3 certificates, 0 revoked
        "#]],
    );
    let elsewhere = Run::new(env!("CARGO_BIN_EXE_pki"), Path::new("/"));
    let elsewhere = elsewhere
        .arg("--store")
        .arg(sandbox.path("pki"))
        .arg("check");
    let elsewhere = elsewhere.ends_with(3);
    let command = format!(
        "`pki --store {} check --repair`",
        sandbox.path("pki").display()
    );
    assert!(elsewhere.stdout.contains(&command), "{elsewhere}");
}

#[test]
fn what_is_mended_is_told_and_what_is_left() {
    let sandbox = store_with_everything();
    let text = sandbox.read(ISSUED) + "{\"ser";
    sandbox.write(ISSUED, text);
    sandbox.write("pki/intermediate0/serial", format!("{:039}\n", 0));
    fs::remove_file(sandbox.path("pki/crl/intermediate0.crl")).unwrap();
    sandbox.write("pki/notes.txt", "");
    let mended = sandbox.pki("check --repair").ends_with(3);
    let folders = sandbox.names_in("pki");
    let copies = folders
        .iter()
        .find(|name| name.starts_with(".repair-"))
        .unwrap();
    assert_text(
        &mended.stdout.replace(copies.as_str(), ".repair-TIME"),
        expect![[r#"
            repaired
              list-missing    restored ./pki/crl/intermediate0.crl from a copy
              journal-torn    moved the incomplete line of ./pki/intermediate0/issued.jsonl to another file
              counter-behind  raised ./pki/intermediate0/serial to 2
              leftover        moved ./pki/intermediate0/issued.jsonl.torn to ./pki/.repair-TIME/intermediate0/issued.jsonl.torn
            the store
              warning: foreign-file  ./pki/notes.txt is not a file of the store
            1 warning
        "#]],
    );
    let kept = |name: &str| sandbox.read(format!("pki/{copies}/intermediate0/{name}"));
    assert_eq!(kept("issued.jsonl.torn"), "{\"ser\n");
    assert_eq!(kept("serial"), format!("{:039}\n", 0));
}

#[test]
fn what_is_no_store_and_no_ca_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.pki("check").refuses(
        1,
        "store-not-found",
        expect![[r#"
            error: no store found at ./pki
            hint: create one with `pki root --name NAME`, or name an existing store with --store or PKI_STORE
        "#]],
    );
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("check --ca other").refuses(
        1,
        "ca-not-found",
        expect![[r#"
            error: CA other not found in the store
            hint: the store has intermediate0, rootCA
        "#]],
    );
}

#[test]
fn a_damaged_line_that_stops_a_command_names_the_check() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "a");
    sandbox.issued("intermediate0", "b");
    let text = sandbox.read(ISSUED).replace("\"cn\":\"a\"", "\"cn\":\"c\"");
    sandbox.write(ISSUED, text);
    sandbox.pki("list").refuses(
        1,
        "store-damaged",
        expect![[r#"
            error: the store is damaged: ./pki/intermediate0/issued.jsonl has a line 2 that does not follow from the line before it
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
}

#[test]
fn keys_are_opened_where_a_passphrase_is_at_hand() {
    let sandbox = store_with_everything();
    let keys = |run: Run| run.succeeds().json()["keys"].as_u64();
    assert_eq!(keys(sandbox.pki("--format json check")), Some(2));
    let with = sandbox
        .pki("--format json check --passin")
        .arg(format!("pass:{PASSPHRASE}"));
    assert_eq!(keys(with), Some(3));
    let from_environment = sandbox
        .pki("--format json check")
        .env("PKI_PASSPHRASE", PASSPHRASE);
    assert_eq!(keys(from_environment), Some(3));
    let wrong = sandbox
        .pki("--format json check")
        .env("PKI_PASSPHRASE", "wrong");
    let wrong = wrong.succeeds();
    assert_eq!(rules(&wrong), BTreeSet::from(["key-not-opened".into()]));
    sandbox.pki("check --keys").refuses(
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of guarded
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE; for one CA alone with --passin NAME=SRC or PKI_PASSPHRASE_FILE_NAME
        "#]],
    );
    // Only with the passphrase can it be told that two keys changed places.
    let [one, two] = ["one", "two"].map(|cn| sandbox.path(key_of(&sandbox, "guarded", cn)));
    let third = sandbox.path("third.key");
    fs::rename(&one, &third).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&third, &two).unwrap();
    sandbox.pki("check").succeeds();
    let opened = sandbox
        .pki("--format json check")
        .env("PKI_PASSPHRASE", PASSPHRASE);
    let opened = opened.ends_with(3);
    assert_eq!(rules(&opened), BTreeSet::from(["key-mismatch".into()]));
}

crate::engine::also_in_a_database! {
    what_is_no_store_and_no_ca_is_refused,
}
