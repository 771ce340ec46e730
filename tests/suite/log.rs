//! `pki log`: who did what, and when.

use std::fmt::Write as _;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// The log without times, users and hosts, which have to be those of this test.
fn log(sandbox: &Sandbox, options: &str) -> String {
    let user = sandbox.run("id", "-un").succeeds().stdout;
    let host = sandbox.run("uname", "-n").succeeds().stdout;
    let line = format!("--format json log {options}");
    let entries = sandbox.pki(&line).succeeds().json();
    let mut said = String::new();
    for entry in entries.as_array().unwrap() {
        assert_eq!(entry["user"], user.trim(), "{entry}");
        assert_eq!(entry["host"], host.trim(), "{entry}");
        let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
        writeln!(
            said,
            "{} {} {} {} {}",
            text("ca"),
            text("event"),
            text("profile"),
            text("subject"),
            text("reason")
        )
        .unwrap();
    }
    said
}

#[test]
fn every_record_names_the_user_and_the_host() {
    let sandbox = Sandbox::with_open_ca();
    let lines = [
        "issue --ca intermediate0 --cn a",
        "revoke --ca intermediate0 --cn a --reason certificateHold",
        "revoke --ca intermediate0 --cn a --release",
        "crl",
        "passphrase --ca intermediate0 --passout env:NEW",
        "ca renew --ca rootCA",
    ];
    for (second, line) in lines.iter().enumerate() {
        // Records of one second may be in another order.
        let moment = format!("2027-01-01 12:00:{second:02}");
        let run = sandbox.pki_at(&moment, line);
        run.env("NEW", "another one").succeeds();
    }
    assert_text(
        &log(&sandbox, ""),
        expect![[r#"
            rootCA issued root CN=rootCA -
            rootCA issued subordinate CN=intermediate0 -
            intermediate0 issued client CN=a -
            intermediate0 revoked - - certificateHold
            intermediate0 released - - -
            intermediate0 crl-signed - - -
            rootCA crl-signed - - -
            intermediate0 passphrase-changed - - -
            rootCA issued root CN=rootCA -
        "#]],
    );
    assert_text(
        &log(&sandbox, "--ca intermediate0 --since 2026-12-31"),
        expect![[r#"
            intermediate0 issued client CN=a -
            intermediate0 revoked - - certificateHold
            intermediate0 released - - -
            intermediate0 crl-signed - - -
            intermediate0 passphrase-changed - - -
        "#]],
    );
    assert_eq!(log(&sandbox, "--since 2099-01-01"), "");
}

#[test]
fn records_are_in_order_and_carry_their_time() {
    let sandbox = Sandbox::new();
    let make = "root --name rootCA --no-passphrase";
    sandbox.pki_at("2026-12-01 12:00:00", make).succeeds();
    let issue = "issue --ca rootCA --cn later --not-before 2026-12-24";
    sandbox.pki_at("2026-12-02 12:00:00", issue).succeeds();
    let issue = "issue --ca rootCA --cn last";
    sandbox.pki_at("2026-12-03 12:00:00", issue).succeeds();
    let log = sandbox.pki("log").succeeds().stdout;
    let lines = log.lines().map(|line| {
        let (at, rest) = line.split_once(' ').unwrap();
        format!("{at} {}\n", rest.rsplit_once(' ').unwrap().1)
    });
    assert_text(
        &lines.collect::<String>(),
        expect![[r#"
            2026-12-01T12:00:00Z CN=rootCA
            2026-12-02T12:00:00Z CN=later
            2026-12-03T12:00:00Z CN=last
        "#]],
    );
}

#[test]
fn a_ca_from_elsewhere_and_a_restored_one_say_so() {
    let sandbox = Sandbox::new();
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    let import = "import --openssl old --name old --no-passphrase";
    sandbox.pki(import).succeeds();
    sandbox.pki("backup a.tar").succeeds();
    sandbox.pki("--store restored restore a.tar").succeeds();
    let log = sandbox.pki("--store restored --format json log").succeeds();
    let entries = log.json();
    let entries = entries.as_array().unwrap();
    let events: Vec<&str> = entries
        .iter()
        .filter(|entry| !entry["user"].is_null())
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["imported", "restored"]);
    let check = sandbox.pki("--store restored check").finish();
    assert!(!check.stdout.contains("journal"), "{check}");
}

crate::engine::also_in_a_database! {
    every_record_names_the_user_and_the_host, records_are_in_order_and_carry_their_time,
    a_ca_from_elsewhere_and_a_restored_one_say_so,
}
