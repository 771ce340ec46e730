//! A store that nobody damaged, after each thing that can be done with one.

use std::collections::BTreeSet;
use std::fs;

use super::rules;
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

/// Nothing is wrong, and nothing is to be known but this.
#[track_caller]
fn assert_sound(sandbox: &Sandbox, store: &str, after: &str, known: &[&str]) {
    let check = sandbox.pki("--format json check");
    let check = match store {
        STORE => check,
        other => check.arg("--store").arg(other),
    };
    let check = check.env("PKI_PASSPHRASE", PASSPHRASE).finish();
    assert_eq!(check.status, Some(0), "after {after}: {check}");
    let known: BTreeSet<String> = known.iter().map(ToString::to_string).collect();
    assert_eq!(rules(&check), known, "after {after}: {check}");
}

/// Runs each command, and looks at the store behind it.
#[track_caller]
fn each_leaves_a_sound_store(sandbox: &Sandbox, lines: &[(&str, &[&str])]) {
    for (line, known) in lines {
        let run = sandbox.pki(line).env("PKI_PASSPHRASE", PASSPHRASE);
        run.succeeds();
        assert_sound(sandbox, "pki", line, known);
    }
}

#[test]
fn every_command_leaves_a_store_in_which_nothing_is_wrong() {
    let sandbox = Sandbox::new();
    sandbox.write("table.csv", "cn,san\nfirst,\nsecond,www.example.test\n");
    let line = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout a.key -subj /CN=a -out a.csr";
    sandbox.run("openssl", line).succeeds();
    sandbox.write(
        "a.toml",
        "[ca.declared]\nparent = \"rootCA\"\n[certificate.leaf]\nca = \"declared\"\n[crl.declared]\nto_pem = true\n",
    );
    let unlisted: &[&str] = &["list-outdated"];
    each_leaves_a_sound_store(
        &sandbox,
        &[
            ("root --name rootCA --no-passphrase", &[]),
            ("root --name other --key-type rsa2048", &[]),
            (
                "subordinate --ca rootCA --name intermediate0 --no-passphrase --path-len 0 --permit dns:example.test",
                &[],
            ),
            ("subordinate --name waiting --request waiting.csr", &[]),
            (
                "subordinate --ca other --csr waiting.csr --out waiting.crt",
                &[],
            ),
            ("subordinate --name waiting --install waiting.crt", &[]),
            (
                "issue --ca intermediate0 --cn one --out out --no-passphrase",
                &[],
            ),
            ("issue --ca other --cn guarded", &[]),
            ("issue --ca intermediate0 --csr a.csr", &[]),
            ("issue --ca intermediate0 --from table.csv", &[]),
            (
                "export --ca intermediate0 --cn one --out again --no-passphrase",
                &[],
            ),
            ("bundle --out truststore.pem", &[]),
            ("crl --to-pem --chain", &[]),
            (
                "revoke --ca intermediate0 --cn one --reason certificateHold",
                unlisted,
            ),
            ("crl --ca intermediate0", &[]),
            ("revoke --ca intermediate0 --cn one --release", unlisted),
            ("crl --if-needed", &[]),
            ("renew --ca intermediate0 --cn first --supersede", unlisted),
            ("crl --hash-names", &[]),
            ("crl --ca other --ahead 3 --every 30d", &[]),
            ("crl --ca other", &[]),
            ("crl --ca rootCA --out elsewhere", &["list-outdated"]),
            ("crl --ca rootCA", &[]),
            ("ca renew --ca intermediate0", &[]),
            ("ca renew --ca rootCA", &[]),
            ("ca rekey --ca rootCA --name root2 --no-passphrase", &[]),
            ("ca cross-sign --ca rootCA --with root2", &[]),
            ("apply a.toml --no-passphrase", &[]),
            ("check --repair", &[]),
        ],
    );
}

#[test]
fn a_ca_that_was_taken_over_is_sound_with_all_that_it_did() {
    let sandbox = Sandbox::new();
    sandbox.make_openssl_ca();
    for (name, subject) in [("a", "/CN=a"), ("b", "/CN=b"), ("c", "/CN=c")] {
        sandbox.request(&format!("{name}.csr"), subject);
        let line = format!("-notext -infiles {name}.csr");
        sandbox.old_ca(&line).succeeds();
    }
    sandbox.old_ca("-revoke old/newcerts/1000.pem").succeeds();
    sandbox.old_ca("-gencrl -out old/crl.pem").succeeds();
    sandbox.old_ca("-revoke old/newcerts/1001.pem").succeeds();
    fs::remove_file(sandbox.path("old/newcerts/1002.pem")).unwrap();
    let line = "import --openssl old --name old --no-passphrase --partial --passin";
    let import = sandbox
        .pki(line)
        .arg(format!("pass:{}", crate::import::OLD));
    import.succeeds();
    assert_sound(&sandbox, "pki", "import", &["list-unpublished"]);
    each_leaves_a_sound_store(
        &sandbox,
        &[
            ("crl --to-pem", &[]),
            ("issue --ca old --cn next", &[]),
            ("issue --ca old --cn soon --days 20", &["expiring"]),
        ],
    );
}

#[test]
fn a_fixture_store_is_sound_with_all_its_flaws() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --fixture --no-passphrase")
        .succeeds();
    for flaw in [
        "expired",
        "not-yet-valid",
        "revoked",
        "wrong-purpose",
        "no-san",
        "other-ca",
        "weak-validity",
        "self-signed",
    ] {
        let line =
            format!("issue --ca rootCA --profile server --cn {flaw}.example.test --flaw {flaw}");
        sandbox.pki(&line).succeeds();
    }
    assert_sound(&sandbox, "pki", "every flaw", &["list-unpublished"]);
    sandbox.pki("crl").succeeds();
    assert_sound(&sandbox, "pki", "every flaw and its list", &[]);
}

crate::engine::also_in_a_database! {
    a_ca_that_was_taken_over_is_sound_with_all_that_it_did, a_fixture_store_is_sound_with_all_its_flaws,
}

crate::engine::soak_in_a_database! {
    every_command_leaves_a_store_in_which_nothing_is_wrong,
}
