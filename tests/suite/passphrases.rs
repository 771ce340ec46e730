//! Where passphrases come from.

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

/// A root under [`PASSPHRASE`].
fn with_protected_root() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    sandbox.write("right.pass", format!("{PASSPHRASE}\nnot this line\n"));
    sandbox.write("wrong.pass", "something else\n");
    sandbox
}

#[test]
fn every_source_of_the_contract_opens_a_key() {
    let sandbox = with_protected_root();
    let line = "issue --ca rootCA --cn client --passin";
    let quiet = [
        sandbox.pki(line).arg("file:right.pass"),
        sandbox
            .pki(line)
            .arg("env:VARIABLE")
            .env("VARIABLE", PASSPHRASE),
        sandbox
            .pki(line)
            .arg("stdin")
            .stdin(format!("{PASSPHRASE}\n")),
        from_descriptor_3(&sandbox, "issue --ca rootCA --cn client --passin fd:3"),
        sandbox
            .pki("issue --ca rootCA --cn client")
            .env("PKI_PASSPHRASE", PASSPHRASE),
        sandbox
            .pki("issue --ca rootCA --cn client")
            .env("PKI_PASSPHRASE_FILE", "right.pass"),
    ];
    for run in quiet {
        let issued = run.succeeds();
        assert_eq!(issued.stderr, "", "{issued}");
    }
}

/// The shell opens the file before it becomes `pki`.
fn from_descriptor_3(sandbox: &Sandbox, line: &str) -> Run {
    let script = "exec 3<right.pass; exec \"$@\"";
    let run = sandbox.run("sh", "-c").arg(script).arg("sh");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

#[test]
fn a_passphrase_in_the_arguments_works_with_a_warning() {
    let sandbox = with_protected_root();
    let issued = sandbox
        .pki("issue --ca rootCA --cn client --passin")
        .arg(format!("pass:{PASSPHRASE}"))
        .succeeds();
    assert!(issued.stderr.contains("can be seen by others"), "{issued}");
    assert!(!issued.stderr.contains(PASSPHRASE), "{issued}");
}

#[test]
fn an_option_goes_before_the_environment() {
    let sandbox = with_protected_root();
    sandbox
        .pki("issue --ca rootCA --cn client --passin file:right.pass")
        .env("PKI_PASSPHRASE", "something else")
        .succeeds();
}

#[test]
fn a_new_ca_takes_its_passphrase_from_the_environment_too() {
    let sandbox = with_protected_root();
    sandbox
        .run(
            "openssl",
            "pkey -noout -check -passin file:right.pass -in pki/rootCA/ca.key",
        )
        .succeeds();
}

#[test]
fn a_wrong_passphrase_is_said_at_once_and_names_the_key() {
    let sandbox = with_protected_root();
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn client --passin file:wrong.pass"),
        1,
        "error: the key ./pki/rootCA/ca.key can't be used\n\
         caused by: the passphrase is wrong\n\
         hint: give the right one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE\n",
    );
}

const CANNOT_ASK: &str = "error: there is no passphrase for the key of rootCA\n\
    caused by: it can't be asked for: there is no terminal, or --no-input was given\n\
    hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE\n";

#[test]
fn without_a_terminal_nothing_is_asked_and_the_options_are_named() {
    let sandbox = with_protected_root();
    sandbox.refused(sandbox.pki("issue --ca rootCA --cn client"), 1, CANNOT_ASK);
    sandbox.refused(
        sandbox.pki("--no-input issue --ca rootCA --cn client"),
        1,
        CANNOT_ASK,
    );
    sandbox.refused(sandbox.pki("root --name another"), 1, "error: there is no passphrase for the new key of another\n\
         caused by: it can't be asked for: there is no terminal, or --no-input was given\n\
         hint: give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or say --no-passphrase\n");
}

#[test]
fn a_new_key_is_not_left_unencrypted_by_an_empty_passphrase() {
    let sandbox = with_protected_root();
    sandbox.write("empty.pass", "\n");
    for (source, input) in [("file:empty.pass", ""), ("stdin", ""), ("env:EMPTY", "")] {
        let run = sandbox.pki("root --name another --passout").arg(source);
        let before = sandbox.store_snapshot();
        let refused = run.env("EMPTY", input).stdin(input).ends_with(1);
        assert!(refused.stderr.contains("empty"), "{refused}");
        before.assert_unchanged(&sandbox.path(STORE));
    }
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let sandbox = with_protected_root();
    let line = "issue --ca rootCA --cn client --passin";
    sandbox.refused(sandbox.pki(line).arg("env:NOT_SET"), 1, "error: there is no passphrase for the key of rootCA\ncaused by: the variable NOT_SET is not set\n");
    sandbox.refused(
        sandbox.pki(line).arg("file:missing.pass"),
        1,
        "error: there is no passphrase for the key of rootCA\ncaused by: the file missing.pass can't be read: No such file or directory (os error 2)\n",
    );
    sandbox.refused(
        sandbox.pki(line).arg("fd:77"),
        1,
        "error: there is no passphrase for the key of rootCA\ncaused by: file descriptor 77 can't be read: No such file or directory (os error 2)\n",
    );
    sandbox.refused(sandbox.pki(line).arg("vault:x"), 2, "error: the value of --passin can't be used: it is none of prompt, env:VAR, file:PATH, fd:N, stdin and pass:TEXT\n");
}
