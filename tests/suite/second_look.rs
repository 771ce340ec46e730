//! Everything that forbids to sign is looked at again when it is signed: revocations and keys that become known
//! while a command waits or works.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Output};

use expect_test::expect;
use serde_json::Value;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

const SECRET: &str = "a passphrase of many letters\n";

/// A root over `inter` and `leafless`, whose keys have one passphrase, and a pipe that it can come from.
fn with_protected_cas() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pass", SECRET);
    for line in [
        "root --name top --passout file:pass",
        "root --name other --passout file:pass",
        "subordinate --ca top --name inter --passin file:pass --passout file:pass",
        "subordinate --ca inter --name lower --passin file:pass --passout file:pass",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox.run("mkfifo", "pipe").succeeds();
    sandbox
}

/// Starts a command that waits for its passphrase, and gives it when `meanwhile` is done: opening a
/// pipe to write waits until the command has opened it to read.
fn answered_late(sandbox: &Sandbox, run: Run, meanwhile: impl FnOnce()) -> Output {
    let child = run.spawn();
    let pipe = fs::OpenOptions::new()
        .write(true)
        .open(sandbox.path("pipe"));
    let mut pipe = pipe.expect("the command opens it too");
    meanwhile();
    std::io::Write::write_all(&mut pipe, SECRET.as_bytes()).expect("the command reads it");
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns the code of the error object on the last line.
fn code_of(output: &Output) -> String {
    let said = said(output);
    let error: Value = serde_json::from_str(said.lines().next_back().unwrap()).unwrap();
    error["error"]["code"].as_str().unwrap().to_owned()
}

fn issued_by(sandbox: &Sandbox, ca: &str) -> usize {
    sandbox
        .read(format!("pki/{ca}/issued.jsonl"))
        .lines()
        .count()
}

#[track_caller]
fn signs_nothing_once_revoked(line: &str, signer: &str, revocation: &str, code: &str) {
    let sandbox = with_protected_cas();
    sandbox
        .run(
            "openssl",
            "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        )
        .words("-keyout their.key -out their.csr -subj /CN=their")
        .succeeds();
    sandbox
        .pki("issue --ca inter --cn before --passin file:pass --no-passphrase")
        .ends_with(2);
    sandbox
        .pki("issue --ca inter --cn before --passin file:pass")
        .succeeds();
    let before = issued_by(&sandbox, signer);
    let names = sandbox.names_in("pki");
    let output = answered_late(&sandbox, sandbox.pki(line).words("--format json"), || {
        sandbox.pki(revocation).succeeds();
    });
    assert_eq!(output.status.code(), Some(1), "{line}: {}", said(&output));
    assert_eq!(code_of(&output), code, "{line}: {}", said(&output));
    assert_eq!(issued_by(&sandbox, signer), before, "{line}");
    assert_eq!(sandbox.names_in("pki"), names, "{line}");
}

const REVOKED: &str = "revoke --ca top --cert pki/inter/ca.crt --reason keyCompromise";

#[test]
fn a_leaf_is_not_issued_by_a_ca_revoked_meanwhile() {
    for line in [
        "issue --ca inter --cn late --passin file:pipe",
        "issue --ca inter --csr their.csr --passin file:pipe",
        "renew --ca inter --cn before --passin file:pipe",
    ] {
        signs_nothing_once_revoked(line, "inter", REVOKED, "ca-revoked");
    }
}

#[test]
fn no_ca_is_certified_by_a_ca_revoked_meanwhile() {
    for line in [
        "subordinate --ca inter --name late --passin file:pipe --no-passphrase",
        "subordinate --ca inter --csr their.csr --passin file:pipe",
        "ca renew --ca lower --passin file:pipe",
    ] {
        signs_nothing_once_revoked(line, "inter", REVOKED, "ca-revoked");
    }
}

#[test]
fn a_ca_below_one_revoked_meanwhile_issues_nothing() {
    let line = "issue --ca lower --cn late --passin file:pipe";
    signs_nothing_once_revoked(line, "lower", REVOKED, "ca-revoked");
}

#[test]
fn a_ca_revoked_meanwhile_is_not_renewed() {
    let line = "ca renew --ca inter --passin file:pipe";
    signs_nothing_once_revoked(line, "top", REVOKED, "ca-revoked");
}

#[test]
fn a_declaration_issues_nothing_from_a_ca_revoked_meanwhile() {
    let sandbox = with_protected_cas();
    sandbox.write("pki.toml", "[certificate.late]\nca = \"inter\"\n");
    let before = issued_by(&sandbox, "inter");
    let apply = sandbox.pki("--format json apply pki.toml --passin file:pipe");
    let output = answered_late(&sandbox, apply, || {
        sandbox.pki(REVOKED).succeeds();
    });
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(code_of(&output), "ca-revoked", "{}", said(&output));
    assert_eq!(issued_by(&sandbox, "inter"), before);
}

#[test]
fn a_key_compromised_meanwhile_is_not_used_or_certified() {
    let sandbox = with_protected_cas();
    sandbox
        .run(
            "openssl",
            "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        )
        .words("-keyout their.key -out their.csr -subj /CN=their")
        .succeeds();
    sandbox
        .pki("issue --ca inter --csr their.csr --passin file:pass")
        .succeeds();
    let certify = sandbox.pki("--format json issue --ca other --csr their.csr --passin file:pipe");
    let output = answered_late(&sandbox, certify, || {
        let line = "revoke --ca inter --cn their --reason keyCompromise";
        sandbox.pki(line).succeeds();
    });
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(code_of(&output), "key-compromised", "{}", said(&output));

    sandbox
        .pki("ca cross-sign --ca top --with other --passin file:pass")
        .succeeds();
    let issue = sandbox.pki("--format json issue --ca top --cn late --passin file:pipe");
    let output = answered_late(&sandbox, issue, || {
        let line = "revoke --ca other --cn top --reason keyCompromise";
        sandbox.pki(line).succeeds();
    });
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(code_of(&output), "key-compromised", "{}", said(&output));
}

/// The batch can't come to its end before the revocation: nobody reads what it writes, and that is more
/// than a pipe holds.
#[test]
fn a_batch_ends_after_its_group_once_the_ca_is_revoked() {
    const ROWS: usize = 12_000;
    let sandbox = Sandbox::new();
    for line in [
        "root --name top --no-passphrase",
        "subordinate --ca top --name inter --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let rows: Vec<String> = (0..ROWS).map(|row| format!("row{row}\n")).collect();
    sandbox.write("rows.csv", format!("cn\n{}", rows.concat()));
    let mut child: Child = sandbox.pki("issue --ca inter --from rows.csv").spawn();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    assert!(out.read_line(&mut first).unwrap() > 0);
    sandbox.pki(REVOKED).succeeds();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    // The header, and a line for each that was told of.
    let recorded = issued_by(&sandbox, "inter") - 1;
    assert_eq!(recorded, rest.lines().count() + 1);
    assert!(recorded < ROWS, "{recorded}");
    let says = said(&output);
    let says = says.replacen(&recorded.to_string(), "RECORDED", 1);
    assert_text(
        &normalised(&says),
        expect![[r#"
            error: RECORDED of 12000 rows are issued; then an error stopped the batch
            caused by: inter cannot sign this: CN=inter was revoked at [time] (keyCompromise)
            hint: issue from another CA; `pki ca rekey --ca NAME --name NEW` creates one with a new key
        "#]],
    );
    // No key is left of what was not recorded.
    assert_eq!(sandbox.names_in("pki/inter/keys").len(), recorded);
    sandbox
        .pki("issue --ca inter --from rows.csv --resume")
        .ends_with(1);
}

crate::engine::soak_in_a_database! {
    a_leaf_is_not_issued_by_a_ca_revoked_meanwhile, no_ca_is_certified_by_a_ca_revoked_meanwhile,
    a_ca_below_one_revoked_meanwhile_issues_nothing, a_ca_revoked_meanwhile_is_not_renewed,
    a_declaration_issues_nothing_from_a_ca_revoked_meanwhile,
    a_batch_ends_after_its_group_once_the_ca_is_revoked,
}
