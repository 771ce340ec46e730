//! Tables, colours and counts on a terminal.

use std::fmt::Write as _;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// Runs `pki` on a terminal of so many columns.
fn at(sandbox: &Sandbox, columns: usize, line: &str) -> Run {
    let run = sandbox.python("terminal.py").arg(columns.to_string());
    let run = run.arg(env!("CARGO_BIN_EXE_pki")).words(line);
    run.env("TERM", "xterm")
}

fn with_certificates() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "issue --ca intermediate0 --cn localclient --not-after 2040-01-01",
        "issue --ca intermediate0 --profile server --cn www.example.test --san www.example.org,mail.example.org",
        "revoke --ca intermediate0 --cn localclient",
    ] {
        let line = line.replace("--not-after 2040-01-01", "");
        sandbox.pki(&line).succeeds();
    }
    sandbox
}

#[test]
fn tables_fit_the_terminal() {
    let sandbox = with_certificates();
    let mut said = String::new();
    for columns in [60, 80, 200] {
        let table = at(&sandbox, columns, "list").env("NO_COLOR", "1").finish();
        for line in table.stdout.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        let table = normalised(&table.stdout);
        write!(said, "{columns} columns\n{table}").unwrap();
    }
    assert_text(
        &said,
        expect![[r#"
            60 columns
            STATUS   EXPIRES     SERIAL              SUBJECT
            valid    [time]  [serial]  CN=rootCA
            valid    [time]  [serial]  CN=intermediate0
            revoked  [time]  [serial]  CN=localclient
            valid    [time]  [serial]  CN=www.example.tes…
            4 certificates
            80 columns
            STATUS   EXPIRES     CA             SERIAL              SUBJECT
            valid    [time]  rootCA         [serial]  CN=rootCA
            valid    [time]  rootCA         [serial]  CN=intermediate0
            revoked  [time]  intermediate0  [serial]  CN=localclient
            valid    [time]  intermediate0  [serial]  CN=www.example.test [dn…
            4 certificates
            200 columns
            STATUS   EXPIRES               PROFILE      CA             SERIAL              SUBJECT
            valid    [time]  root         rootCA         [serial]  CN=rootCA
            valid    [time]  subordinate  rootCA         [serial]  CN=intermediate0
            revoked  [time]  client       intermediate0  [serial]  CN=localclient
            valid    [time]  server       intermediate0  [serial]  CN=www.example.test [dns:www.example.test, dns:www.example.org, dns:mail.example.org]
            4 certificates
        "#]],
    );
}

#[test]
fn lines_of_the_log_fit_the_terminal() {
    let sandbox = with_certificates();
    let log = at(&sandbox, 60, "log").finish().stdout;
    assert!(log.contains('…'), "{log}");
    for line in log.lines() {
        assert!(line.chars().count() <= 60, "{line}");
    }
    let log = at(&sandbox, 200, "log").finish().stdout;
    assert!(!log.contains('…') && !log.contains("  "), "{log}");
}

#[test]
fn status_words_and_labels_have_colours() {
    let sandbox = with_certificates();
    let shown = at(&sandbox, 80, "list").finish().stdout;
    assert!(shown.contains("\u{1b}[31mrevoked\u{1b}[0m"), "{shown:?}");
    assert!(shown.contains("\u{1b}[32mvalid\u{1b}[0m"), "{shown:?}");
    let shown = at(&sandbox, 80, "show --ca other").finish().stdout;
    assert!(shown.contains("\u{1b}[31merror:\u{1b}[0m"), "{shown:?}");
    assert!(shown.contains("\u{1b}[36mhint:\u{1b}[0m"), "{shown:?}");
    for (variable, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
        let plain = at(&sandbox, 80, "list").env(variable, value).finish();
        assert!(!plain.stdout.contains('\u{1b}'), "{variable}: {plain}");
    }
    let piped = sandbox.pki("list").env("TERM", "xterm").succeeds();
    assert!(!piped.stdout.contains('\u{1b}'), "{piped}");
}

#[test]
fn quiet_commands_print_nothing_and_answers_are_printed() {
    let sandbox = Sandbox::new();
    sandbox.write("hierarchy.toml", "[ca.declared]\n");
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "issue --ca intermediate0 --cn a --out out --no-passphrase",
        "export --ca intermediate0 --cn a --out exported --no-passphrase",
        "renew --ca intermediate0 --cn a",
        "ca renew --ca intermediate0",
        "revoke --ca intermediate0 --cn a --all",
        "crl --to-pem",
        "bundle",
        "backup a.tar",
        "apply hierarchy.toml --no-passphrase",
        "request --cn b --no-passphrase",
        "man man1",
    ] {
        let done = sandbox.pki(&format!("-q {line}")).succeeds();
        assert_eq!(
            (done.stdout.as_str(), done.stderr.as_str()),
            ("", ""),
            "{line}"
        );
        if line.starts_with("crl") {
            let json = sandbox.pki("-q --format json crl").succeeds().json();
            assert_eq!(json[0]["ca"], "intermediate0");
        }
    }
    for line in [
        "list",
        "show --ca rootCA",
        "tree",
        "verify out/a.crt",
        "check",
        "crl --check",
        "bundle --check truststore.pem",
        "apply hierarchy.toml --dry-run",
        "log",
        "completions bash",
    ] {
        let answer = sandbox.pki(&format!("-q {line}")).finish();
        assert!(!answer.stdout.is_empty(), "{line}");
    }
}
