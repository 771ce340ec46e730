//! Errors as JSON: their shape, and their codes, which docs/json.md lists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::normalise::normalised;
use crate::run::{Run, assert_same};
use crate::sandbox::{Sandbox, repository};

/// Runs a command that fails, and returns the object that it writes to standard error.
#[track_caller]
fn error(run: Run, status: i32) -> Value {
    let transcript = run.words("--format json").ends_with(status);
    let mut lines = transcript.stderr.lines();
    let error = lines.next_back().expect("standard error has a line");
    for line in lines {
        let other: Value = serde_json::from_str(line).unwrap();
        assert!(other.get("error").is_none(), "{transcript}");
    }
    let mut document: Value = serde_json::from_str(error).unwrap();
    document["error"].take()
}

#[test]
fn an_error_has_its_code_message_causes_and_hint() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("wrong.pass", "not the passphrase");
    sandbox.write("right.pass", "right");
    sandbox
        .pki("root --name kept --passout file:right.pass")
        .succeeds();
    let line = "issue --ca kept --cn a --passin file:wrong.pass";
    let wrong = error(sandbox.pki(line), 1);
    assert_eq!(wrong["code"], "passphrase-wrong");
    assert_eq!(wrong["causes"].as_array().unwrap().len(), 1, "{wrong}");
    assert!(
        wrong["message"].as_str().unwrap().contains("ca.key"),
        "{wrong}"
    );
    assert!(
        wrong["hint"].as_str().unwrap().contains("--passin"),
        "{wrong}"
    );
    assert!(wrong.get("others").is_none(), "{wrong}");
    let odd = error(sandbox.pki("list --ca nobody"), 1);
    assert_eq!(odd["code"], "ca-not-found");
    assert_eq!(odd["causes"], Value::Array(Vec::new()));
}

#[test]
fn codes_of_errors() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("table.csv", "cn,days\na,1\nb,never\nc,1\n");
    sandbox.write("odd.pem", "odd");
    sandbox.write("\u{202e}.pem", "odd");
    for (line, status, code) in [
        (
            "issue --ca intermediate0 --cn a --days 100000",
            1,
            "invalid-validity",
        ),
        (
            "issue --ca intermediate0 --profile server --subject /O=a",
            1,
            "san-required",
        ),
        ("issue --ca intermediate0 --csr odd.pem", 1, "invalid-input"),
        (
            "issue --ca intermediate0 --csr none.pem",
            1,
            "file-not-found",
        ),
        (
            "issue --ca intermediate0 --from table.csv",
            1,
            "invalid-row",
        ),
        ("show \u{202e}.pem", 1, "invalid-input"),
        (
            "show --ca intermediate0 --serial 77",
            1,
            "certificate-not-found",
        ),
        (
            "revoke --ca intermediate0 --cn nobody",
            1,
            "certificate-not-found",
        ),
        ("root --name rootCA --no-passphrase", 1, "ca-exists"),
        ("subordinate --name x --install odd.pem", 1, "invalid-input"),
        ("--store none list", 1, "store-not-found"),
        ("crl --in odd.pem --to-der", 1, "invalid-input"),
        ("issue --ca intermediate0", 2, "usage"),
        ("issue --ca intermediate0 --never", 2, "usage"),
        ("issue --ca intermediate0 --days many", 2, "usage"),
        ("nothing", 2, "usage"),
    ] {
        let json = sandbox.pki(line).words("--format json");
        let json = json.ends_with(status);
        assert_eq!(json.error()["code"], code, "{json}");
        // Of one failure both formats say the same; text has bidi marks escaped, and the usage of a command.
        if code != "usage" && line.is_ascii() {
            let text = sandbox.pki(line).ends_with(status);
            // A second may pass between the two.
            let text = normalised(&text.stderr);
            assert_same(&text, &normalised(&json.text_of_stderr()));
        }
    }
}

#[test]
fn a_wrong_command_line_is_one_object_too() {
    let sandbox = Sandbox::new();
    let found = error(sandbox.pki("issue --ca intermediate0 --sam a"), 2);
    assert_eq!(found["message"], "unexpected argument '--sam' found");
    assert!(found["hint"].as_str().unwrap().contains("--san"), "{found}");
    let before = sandbox.pki("--format=json never").ends_with(2);
    assert!(
        before.stderr.starts_with("{\"error\":{\"code\":\"usage\","),
        "{before}"
    );
}

#[test]
fn rows_that_cannot_be_used_stand_beside_the_first() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("table.csv", "cn,days\na,never\nb,1\nc,ever\n");
    let found = error(sandbox.pki("issue --ca intermediate0 --from table.csv"), 1);
    assert!(
        found["message"].as_str().unwrap().contains("line 2"),
        "{found}"
    );
    let others = found["others"].as_array().unwrap();
    assert_eq!(others.len(), 1, "{found}");
    assert_eq!(others[0]["code"], "invalid-row");
    assert!(
        others[0]["message"].as_str().unwrap().contains("line 4"),
        "{found}"
    );
}

#[test]
fn notices_and_warnings_are_json_too() {
    let sandbox = Sandbox::with_open_ca();
    let line = "--format json export --ca intermediate0 --key --out o --passout pass:seen-by-all";
    let transcript = sandbox.pki(line).succeeds();
    let first: Value = serde_json::from_str(transcript.stderr.lines().next().unwrap()).unwrap();
    assert!(
        first["warning"].as_str().unwrap().contains("ps"),
        "{transcript}"
    );
    let quiet = sandbox.pki("--quiet").words(line).arg("--force").succeeds();
    let first: Value = serde_json::from_str(quiet.stderr.lines().next().unwrap()).unwrap();
    assert!(first.get("warning").is_some(), "{quiet}");
}

/// String literals that follow a text, perhaps on the next line.
fn literals_after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let behind = text.split(before).skip(1);
    let literals = behind.filter_map(|rest| rest.trim_start().strip_prefix('"'));
    literals
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect()
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_reference_lists_every_code_once_in_order() {
    let mut texts = Vec::new();
    sources(&repository("src/cli"), &mut texts);
    let codes_file = fs::read_to_string(repository("src/cli/failure/code.rs")).unwrap();
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    codes.extend(literals_after(&codes_file, "=>"));
    codes.extend(literals_after(&codes_file, "return"));
    codes.extend(literals_after(&codes_file, "&str ="));
    for text in &texts {
        codes.extend(literals_after(text, "Failure::plain("));
    }
    let page = fs::read_to_string(repository("docs/json.md")).unwrap();
    let (_, table) = page.split_once("| code | meaning |").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<&str> = rows
        .filter_map(|row| Some(row.split_once('`')?.0))
        .collect();
    assert_eq!(listed, codes.into_iter().collect::<Vec<_>>());
}

crate::engine::also_in_a_database! {
    an_error_has_its_code_message_causes_and_hint, codes_of_errors,
    rows_that_cannot_be_used_stand_beside_the_first, notices_and_warnings_are_json_too,
}
