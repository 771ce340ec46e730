//! Secrets that helpers get, and the only way of the PIN to them.

use crate::sandbox::Sandbox;

const ISSUE: &str = "issue --ca intermediate0 --cn a --passin file:pin --passout file:leaf.pass";

/// System calls of a command and of its helper, with the whole of what they carry.
fn traced(sandbox: &Sandbox, line: &str) -> String {
    let run = sandbox.run(
        "strace",
        "-f -v -s 100000 -o trace -e trace=execve,write,writev,pwrite64,openat",
    );
    run.arg(env!("CARGO_BIN_EXE_pki"))
        .words(line)
        .env("PKI_KEY_HELPERS", sandbox.path("helpers"))
        .env("KEY_HELPER_KEYS", sandbox.path("keys"))
        .env("PKI_PASSPHRASE", "of another CA")
        .succeeds();
    sandbox.read("trace")
}

#[test]
fn a_pin_goes_to_the_helper_through_a_pipe_alone() {
    let sandbox = Sandbox::with_cas_outside();
    let trace = traced(&sandbox, ISSUE);
    let with_pin: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains("1234 5678"))
        .collect();
    let [line] = with_pin[..] else {
        panic!("{with_pin:?}");
    };
    assert!(
        line.contains("write(") && line.contains("\\\"do\\\":\\\"login\\\""),
        "{line}"
    );
}

#[test]
fn a_helper_gets_no_variable_with_a_passphrase() {
    let sandbox = Sandbox::with_cas_outside();
    let trace = traced(&sandbox, ISSUE);
    let started: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains("execve(") && line.contains("pki-key-test\""))
        .collect();
    assert!(!started.is_empty());
    for line in started {
        assert!(line.contains("KEY_HELPER_KEYS="), "{line}");
        assert!(!line.contains("PKI_PASSPHRASE"), "{line}");
    }
}

/// Also if helpers are installed.
#[test]
fn a_store_without_keys_outside_starts_no_program() {
    let sandbox = Sandbox::with_helper();
    sandbox.write("rows.csv", "cn\na\nb\n");
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "issue --ca intermediate0 --cn a",
        "issue --ca intermediate0 --from rows.csv",
        "renew --ca intermediate0 --cn b",
        "revoke --ca intermediate0 --cn b --all",
        "crl --to-pem --chain",
        "crl --ca intermediate0 --ahead 2 --every 30d",
        "ca renew --ca rootCA",
        "ca rekey --ca rootCA --name other --no-passphrase",
        "bundle --ca intermediate0 --out truststore.pem",
        "check",
        "tree",
        "backup away.tar",
    ] {
        let trace = traced(&sandbox, line);
        let programs = trace.lines().filter(|line| line.contains("execve("));
        assert_eq!(programs.count(), 1, "{line}\n{trace}");
    }
}
