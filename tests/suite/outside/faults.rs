//! Helpers that end, hang, lie or talk nonsense: a clear error, and nothing is recorded.

use std::fmt::Write as _;

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

const ISSUE: &str = "issue --ca intermediate0 --cn a --passin file:pin --no-passphrase";

fn with_other_key() -> Sandbox {
    let sandbox = Sandbox::with_cas_outside();
    sandbox
        .run("openssl", "genpkey -algorithm EC -out keys/other.pem")
        .words("-pkeyopt ec_paramgen_curve:P-256")
        .succeeds();
    sandbox
}

fn with_fault(sandbox: &Sandbox, fault: &str) -> Run {
    let run = sandbox.outside(ISSUE).env("PKI_KEY_TIMEOUT", "1");
    run.env("KEY_HELPER_FAULT", fault)
}

/// The counter moves when a serial number is reserved; nothing else does.
fn recorded(sandbox: &Sandbox) -> [String; 2] {
    ["issued.jsonl", "revoked.jsonl"].map(|file| sandbox.read(format!("pki/intermediate0/{file}")))
}

#[test]
fn a_helper_that_fails_records_nothing() {
    let sandbox = with_other_key();
    let before = recorded(&sandbox);
    let mut said = String::new();
    for (fault, code) in [
        ("hang@hello", "key-helper-failed"),
        ("end@hello", "key-helper-failed"),
        ("version", "key-helper-failed"),
        ("absent", "token-absent"),
        ("busy", "token-busy"),
        ("garbage@public", "key-helper-failed"),
        ("end@login", "key-helper-failed"),
        ("forgetful", "key-helper-failed"),
        ("forgetful-at-sign", "pin-required"),
        ("other-key", "ca-key-mismatch"),
        ("hang@sign", "key-helper-failed"),
        ("end@sign", "key-helper-failed"),
        ("garbage@sign", "key-helper-failed"),
        ("long@sign", "key-helper-failed"),
        ("number@sign", "key-helper-failed"),
        ("nothing@sign", "key-helper-failed"),
        ("other-signature", "invalid-signature"),
    ] {
        let refusal = with_fault(&sandbox, fault).refusal(1, code);
        write!(said, "{fault}\n{refusal}").unwrap();
        assert_eq!(recorded(&sandbox), before, "{fault}");
    }
    sandbox.outside(ISSUE).succeeds();
    sandbox.outside("check").succeeds();
    assert_text(
        &said,
        expect![[r#"
            hang@hello
            error: the key test:below cannot be used
            caused by: the key helper pki-key-test did not answer within 1 s
            hint: run the command again; PKI_KEY_TIMEOUT=SECONDS allows more time
            end@hello
            error: the key test:below cannot be used
            caused by: the key helper pki-key-test ended before it answered: the module is[31m broken
            version
            error: the key test:below cannot be used
            caused by: the key helper pki-key-test speaks version 99 of the protocol, and 1 is required
            absent
            error: the key test:below cannot be used
            caused by: pki-key-test: the token is absent
            hint: connect the token, or start the service, and run the command again
            busy
            error: the key test:below cannot be used
            caused by: pki-key-test: the token is busy
            hint: run the command again when no other program uses the token
            garbage@public
            error: the key test:below cannot be used
            caused by: the answer of the key helper pki-key-test is not understood: expected value at line 1 column 1
            end@login
            error: the key test:below cannot be used
            caused by: the key helper pki-key-test ended before it answered: the module is[31m broken
            forgetful
            error: the key test:below cannot be used
            caused by: the answer of the key helper pki-key-test is not understood: it asks for the PIN again
            forgetful-at-sign
            error: signing failed
            caused by: pki-key-test: a PIN is required
            other-key
            error: the key of intermediate0 does not match its certificate
            hint: another key is at test:below: connect the right token, or restore the CA's key there
            hang@sign
            error: signing failed
            caused by: the key helper pki-key-test did not answer within 1 s
            hint: run the command again; PKI_KEY_TIMEOUT=SECONDS allows more time
            end@sign
            error: signing failed
            caused by: the key helper pki-key-test ended before it answered: the module is[31m broken
            garbage@sign
            error: signing failed
            caused by: the answer of the key helper pki-key-test is not understood: expected value at line 1 column 1
            long@sign
            error: signing failed
            caused by: the answer of the key helper pki-key-test is not understood: a line is longer than 1048576 bytes
            number@sign
            error: signing failed
            caused by: the answer of the key helper pki-key-test is not understood: nothing has the number 12345
            nothing@sign
            error: signing failed
            caused by: the answer of the key helper pki-key-test is not understood: it has no usable "signature"
            other-signature
            error: verification failed
            caused by: the signature is invalid: it was not made with the key
        "#]],
    );
}

#[test]
fn crls_and_cas_are_not_made_with_a_signature_of_another_key() {
    let sandbox = with_other_key();
    for line in [
        "crl --ca intermediate0",
        "crl --ca intermediate0 --ahead 2 --every 30d",
        "subordinate --ca intermediate0 --name below --no-passphrase",
        "ca renew --ca rootCA",
    ] {
        let run = sandbox.outside(line).arg("--passin").arg("file:pin");
        let run = run.env("KEY_HELPER_FAULT", "other-signature");
        run.refusal(1, "invalid-signature");
    }
    assert!(!sandbox.path("pki/crl/intermediate0.crl").exists());
    assert!(!sandbox.path("pki/below").exists());
    sandbox.outside("check").succeeds();
}

/// Of a batch nothing is recorded that was not signed; another run issues all of it.
#[test]
fn a_batch_whose_helper_ends_is_resumed() {
    let sandbox = Sandbox::with_cas_outside();
    let rows: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    sandbox.write("rows.csv", format!("cn\n{}\n", rows.join("\n")));
    let batch = "issue --ca intermediate0 --from rows.csv --passin file:pin --no-passphrase";
    let run = sandbox.outside(batch).env("KEY_HELPER_FAULT", "end@sign");
    run.words("-q").ends_with(1);
    let resumed = sandbox.outside(batch).words("--resume");
    resumed.env("KEY_HELPER_SESSIONS", "4").succeeds();
    let listed = sandbox.outside("list --ca intermediate0 --format json");
    let listed = listed.succeeds().json();
    let mut serials: Vec<_> = listed.as_array().unwrap().iter().collect();
    assert_eq!(serials.len(), 100);
    serials.sort_by_key(|entry| entry["serial"].to_string());
    serials.dedup_by_key(|entry| entry["serial"].to_string());
    assert_eq!(serials.len(), 100);
    sandbox.outside("check").succeeds();
}

#[test]
fn a_wrong_pin_is_tried_once_and_a_locked_one_is_named() {
    let sandbox = Sandbox::with_cas_outside();
    let wrong = ISSUE.replace("file:pin", "file:wrong.pin");
    let tries = || sandbox.read("keys/wrong").len();
    for count in 1..=3 {
        let run = sandbox.outside(&wrong);
        sandbox.refusal(run, 1, "pin-wrong");
        assert_eq!(tries(), count);
    }
    let run = sandbox.outside(ISSUE);
    sandbox.refused(
        run,
        1,
        "pin-locked",
        expect![[r#"
            error: the key test:below cannot be used
            caused by: pki-key-test: the PIN is locked
            hint: unlock the token with its own tools
        "#]],
    );
    let run = sandbox.outside("issue --ca intermediate0 --cn a --no-passphrase");
    sandbox.refused(run, 1, "pin-required", expect![[r#"
        error: no PIN given for the key of intermediate0 (test:below)
        caused by: no prompt is possible: there is no terminal, or --no-input is set
        hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE; for one CA alone with --passin NAME=SRC or PKI_PASSPHRASE_FILE_NAME
    "#]]);
}

#[test]
fn a_helper_that_is_not_installed_is_named_with_its_places() {
    let sandbox = Sandbox::with_cas_outside();
    let run = sandbox
        .outside(ISSUE)
        .env("PKI_KEY_HELPERS", "/nowhere:/no/place");
    sandbox.refused(run, 1, "key-helper-not-found", expect![[r#"
        error: the key test:below cannot be used
        caused by: the key helper pki-key-test is not found in /nowhere, /no/place
        hint: install it in libexec/pki beside the directory of pki, or name its directory in PKI_KEY_HELPERS
    "#]]);
    // It is never looked for in PATH.
    for directories in ["/nowhere", ":", "/nowhere::"] {
        let run = sandbox.outside(ISSUE).env("PKI_KEY_HELPERS", directories);
        let run = run.env("PATH", sandbox.path("helpers"));
        sandbox.refusal(run, 1, "key-helper-not-found");
    }
    let run = sandbox.outside(ISSUE).env("PKI_KEY_TIMEOUT", "soon");
    run.refusal(2, "usage");
}

/// A token that two CAs have their keys in locks after three wrong PINs.
#[test]
fn a_pin_that_was_rejected_is_not_given_again() {
    let sandbox = Sandbox::with_cas_outside();
    for line in ["crl", "check"] {
        sandbox
            .outside(line)
            .words("--passin file:wrong.pin")
            .finish();
    }
    assert_eq!(sandbox.read("keys/wrong"), "..");
    sandbox.outside("crl").words("--passin file:pin").succeeds();
}

#[test]
fn a_helper_that_closes_its_output_and_stays_is_ended() {
    let sandbox = Sandbox::with_cas_outside();
    let run = with_fault(&sandbox, "deaf@sign");
    run.refusal(1, "key-helper-failed");
    let left = sandbox
        .run("pgrep", "-f")
        .arg(sandbox.path("keys"))
        .finish();
    assert_eq!(left.status, Some(1), "{left}");
}

/// Its own text is short, and so is what it holds open.
#[test]
fn a_program_that_a_helper_left_does_not_hold_up_the_error() {
    let sandbox = Sandbox::with_cas_outside();
    sandbox.write("helpers/pki-key-test", "#!/bin/sh\nsleep 600 &\nexit 1\n");
    let run = sandbox.outside(ISSUE).env("PKI_KEY_TIMEOUT", "600");
    run.refusal(1, "key-helper-failed");
}

#[test]
fn a_key_of_another_type_than_ordered_is_refused() {
    let sandbox = Sandbox::with_helper();
    let root = "root --name rootCA --key-type p384 --key-uri test:root --passin file:pin";
    let run = sandbox.outside(root).env("KEY_HELPER_FAULT", "other-type");
    run.refusal(1, "key-type-mismatch");
    assert!(!sandbox.path("pki").exists());
}

crate::engine::also_in_a_database! {
    a_batch_whose_helper_ends_is_resumed, a_pin_that_was_rejected_is_not_given_again,
    a_helper_that_closes_its_output_and_stays_is_ended,
}

crate::engine::soak_in_a_database! {
    a_helper_that_fails_records_nothing, crls_and_cas_are_not_made_with_a_signature_of_another_key,
    a_wrong_pin_is_tried_once_and_a_locked_one_is_named,
    a_helper_that_is_not_installed_is_named_with_its_places,
    a_program_that_a_helper_left_does_not_hold_up_the_error,
}
