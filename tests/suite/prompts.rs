//! Passphrases that are typed at a terminal.

use std::fs;

use serde_json::{Value, json};

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A program that is talked to on a terminal of its own; see `tests/python/dialog.py`.
fn dialog(sandbox: &Sandbox, steps: &Value) -> Run {
    sandbox.python("dialog.py").arg(steps.to_string())
}

fn pki(sandbox: &Sandbox, line: &str, steps: &Value) -> Value {
    let run = dialog(sandbox, steps).arg(env!("CARGO_BIN_EXE_pki"));
    run.words(line).succeeds().json()
}

/// Types a passphrase, or a part of one, at a prompt that shows this.
fn typed(expect: &str, text: &str) -> Value {
    json!({"expect": expect, "type": text, "hidden": true})
}

/// Sends a signal at a prompt that shows this.
fn sent(expect: &str, signal: &str) -> Value {
    json!({"expect": expect, "signal": signal, "hidden": true})
}

#[track_caller]
fn assert_restored(said: &Value) {
    for setting in ["echo", "lines", "signals"] {
        assert_eq!(said[setting], true, "{setting}: {said}");
    }
}

#[test]
fn two_equal_passphrases_protect_a_new_key_without_echo() {
    let sandbox = Sandbox::new();
    let typed = [
        typed("Passphrase for", &format!("{PASSPHRASE}\r")),
        typed("The same again", &format!("{PASSPHRASE}\r")),
    ];
    let said = pki(&sandbox, "root --name rootCA", &json!(typed));
    assert_eq!(said["exit"], 0, "{said}");
    assert!(
        !said["shown"].as_str().unwrap().contains("correct"),
        "{said}"
    );
    assert_restored(&said);
    let opens = |passphrase: &str| {
        let line = "pkey -noout -in pki/rootCA/ca.key -passin";
        let run = sandbox.run("openssl", line).arg(passphrase);
        run.finish().status == Some(0)
    };
    assert!(opens(&format!("pass:{PASSPHRASE}")));
    assert!(!opens("pass:"));
}

#[test]
fn two_different_new_passphrases_are_refused() {
    let sandbox = Sandbox::new();
    for again in ["another one\r", "correct horse\r", "\r"] {
        let first = typed("Passphrase for", &format!("{PASSPHRASE}\r"));
        let second = typed("The same again", again);
        let steps = json!([first, second, first, second, first, second]);
        let said = pki(&sandbox, "root --name rootCA", &steps);
        assert_eq!(said["exit"], 1, "{said}");
        assert_restored(&said);
        assert!(!sandbox.path("pki/rootCA").exists(), "{said}");
    }
}

#[test]
fn a_typed_passphrase_opens_a_key_and_a_wrong_one_does_not() {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    let line = "issue --ca rootCA --cn client";
    // Typed wrong and corrected, as terminals do it.
    let corrected = typed("Passphrase for", &format!("x\u{7f}{PASSPHRASE}\r"));
    let said = pki(&sandbox, line, &json!([corrected]));
    assert_eq!(said["exit"], 0, "{said}");
    let before = sandbox.store_snapshot();
    let wrong = typed("Passphrase for", "something else\r");
    let right = typed("Passphrase for", &format!("{PASSPHRASE}\r"));
    for (steps, exit) in [
        (json!([wrong, wrong, wrong]), 1),
        (json!([typed("Passphrase for", "\r")]), 1),
        (json!([typed("Passphrase for", "\u{4}")]), 1),
    ] {
        let said = pki(&sandbox, line, &steps);
        assert_eq!(said["exit"], exit, "{said}");
        assert_restored(&said);
    }
    before.assert_unchanged(&sandbox.path("pki"));
    let said = pki(&sandbox, line, &json!([wrong, wrong, right]));
    assert_eq!(said["exit"], 0, "{said}");
}

#[test]
fn a_new_passphrase_has_eight_characters_and_three_attempts() {
    let sandbox = Sandbox::new();
    let short = typed("Passphrase for", "7 chars\r");
    let first = typed("Passphrase for", &format!("{PASSPHRASE}\r"));
    let same = typed("The same again", &format!("{PASSPHRASE}\r"));
    let other = typed("The same again", "another one\r");
    let line = "root --name rootCA";
    let said = pki(&sandbox, line, &json!([short, short, short]));
    assert_eq!(said["exit"], 1, "{said}");
    assert!(!sandbox.path("pki/rootCA").exists(), "{said}");
    let said = pki(&sandbox, line, &json!([short, first, other, first, same]));
    assert_eq!(said["exit"], 0, "{said}");
    assert_restored(&said);
}

#[test]
fn what_was_typed_before_a_prompt_is_discarded_with_a_notice() {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    // The terminal has a line before the program that asks begins.
    let script = format!(
        "echo ready; read -r go; exec {} issue --ca rootCA --cn client",
        env!("CARGO_BIN_EXE_pki")
    );
    let steps = json!([
        {"expect": "ready", "type": "go\rtoo early\r"},
        typed("Passphrase for", &format!("{PASSPHRASE}\r")),
    ]);
    let run = dialog(&sandbox, &steps).words("bash -c").arg(script);
    let said = run.succeeds().json();
    assert_eq!(said["exit"], 0, "{said}");
    assert!(
        said["shown"].as_str().unwrap().contains("is discarded"),
        "{said}"
    );
}

#[test]
fn a_signal_at_a_prompt_restores_the_terminal_and_ends_pki() {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    let before = sandbox.store_snapshot();
    let first = typed("Passphrase for", "a secret\r");
    let cases = [
        (json!([typed("Passphrase for", "\u{3}")]), SIGINT),
        (json!([typed("Passphrase for", "half\u{3}")]), SIGINT),
        (json!([sent("Passphrase for", "SIGINT")]), SIGINT),
        (json!([sent("Passphrase for", "SIGTERM")]), SIGTERM),
        (json!([first, typed("The same again", "\u{3}")]), SIGINT),
        (json!([first, sent("The same again", "SIGTERM")]), SIGTERM),
    ];
    for (steps, signal) in cases {
        let said = pki(&sandbox, "root --name another", &steps);
        // The shell has 128 and the signal as its exit code.
        assert_eq!(said["exit"], -signal, "{steps}: {said}");
        assert_restored(&said);
        assert!(!said["shown"].as_str().unwrap().contains("error"), "{said}");
    }
    before.assert_unchanged(&sandbox.path("pki"));
}

#[test]
fn a_signal_after_a_prompt_ends_pki_as_before_one() {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    let lock = fs::File::open(sandbox.path("pki/rootCA/lock")).unwrap();
    lock.lock().unwrap();
    let passphrase = typed("Passphrase for", &format!("{PASSPHRASE}\r"));
    for (then, signal) in [
        (json!({"expect": "waiting", "type": "\u{3}"}), SIGINT),
        (json!({"expect": "waiting", "signal": "SIGTERM"}), SIGTERM),
    ] {
        let steps = json!([passphrase, then]);
        let said = pki(&sandbox, "issue --ca rootCA --cn client", &steps);
        assert_eq!(said["exit"], -signal, "{said}");
        assert_restored(&said);
    }
}

crate::engine::also_in_a_database! {
    two_equal_passphrases_protect_a_new_key_without_echo,
    a_new_passphrase_has_eight_characters_and_three_attempts,
    what_was_typed_before_a_prompt_is_discarded_with_a_notice,
    a_signal_at_a_prompt_restores_the_terminal_and_ends_pki,
}

crate::engine::soak_in_a_database! {
    a_typed_passphrase_opens_a_key_and_a_wrong_one_does_not,
}
