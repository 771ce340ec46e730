//! `pki apply`: a hierarchy from one file, judged by programs that know nothing of the file.

mod changes;
mod flaws;
mod interrupted;
mod refusals;
mod schema;

use std::fmt::Write as _;
use std::fs;

use expect_test::expect;
use serde_json::Value;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};
use crate::snapshot::Snapshot;

/// A root, a CA, a server and a client of it.
pub(super) const SMALL: &str = r#"
[defaults]
ca = "intermediate0"
out = "certs"
no_passphrase = true

[ca.rootCA]

[ca.intermediate0]
parent = "rootCA"
path_len = 0

[certificate.www]
profile = "server"
cn = "www.example.test"

[certificate.localclient]
days = 90

[crl.intermediate0]
to_pem = true

[bundle.truststore]
ca = ["intermediate0"]
"#;

impl Sandbox {
    /// A declaration, without passphrases.
    pub(super) fn apply(&self, file: &str) -> Run {
        self.pki(&format!("apply {file} --no-passphrase"))
    }

    pub(super) fn applied(file: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("a.toml", file);
        sandbox.apply("a.toml").succeeds();
        sandbox
    }

    /// The second run finds nothing to do, and changes not a byte.
    #[track_caller]
    pub(super) fn assert_settled(&self, file: &str) {
        let before = Snapshot::of(self.folder());
        let again = self.apply(file).succeeds();
        assert_eq!(again.stdout.lines().count(), 1, "{again}");
        assert_eq!(again.stderr, "", "{again}");
        before.assert_unchanged(self.folder());
    }

    /// The certificates that a CA recorded for an entry, oldest first.
    pub(super) fn of_entry(&self, ca: &str, name: &str) -> Vec<Value> {
        let journal = self.read(format!("pki/{ca}/issued.jsonl"));
        let records = journal.lines().skip(1);
        let records = records.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ending = format!(":{name}");
        let is_of = |record: &Value| {
            let entry = record["entry"].as_str();
            entry.is_some_and(|entry| entry.ends_with(&ending))
        };
        records.filter(is_of).collect()
    }

    #[track_caller]
    pub(super) fn verifies(&self, options: &str, file: &str) {
        self.run("openssl", &format!("verify -x509_strict {options} {file}"))
            .succeeds();
    }
}

#[test]
fn apply_makes_a_hierarchy_and_then_has_nothing_to_do() {
    let sandbox = Sandbox::new();
    sandbox.write("a.toml", SMALL);
    let made = sandbox.apply("a.toml").succeeds();
    assert_text(
        &normalised(&made.stdout),
        expect![[r#"
            created the root CA rootCA as [serial]
            created the CA intermediate0 under rootCA as [serial]
            issued www under intermediate0 as [serial]
            issued localclient under intermediate0 as [serial]
            signed the CRL of intermediate0
            wrote the bundle truststore
            6 steps done, 0 unchanged
        "#]],
    );
    assert_eq!(made.stderr, "");
    sandbox.verifies(
        "-CAfile truststore.pem -purpose sslserver -verify_hostname www.example.test",
        "certs/www.crt",
    );
    sandbox.verifies(
        "-CAfile truststore.pem -crl_check -CRLfile pki/crl/intermediate0.crl.pem -purpose sslclient",
        "certs/localclient.crt",
    );
    for name in ["www", "localclient"] {
        let own = format!("x509 -in certs/{name}.crt -noout -pubkey");
        let key = format!("pkey -in certs/{name}.key -pubout");
        let text = |line: &str| sandbox.run("openssl", line).succeeds().stdout;
        assert_eq!(text(&own), text(&key));
    }
    sandbox.assert_settled("a.toml");
}

#[test]
fn a_plan_says_what_would_be_done_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a.toml", SMALL);
    let planned = sandbox.pki("apply a.toml --dry-run").succeeds();
    assert_text(
        &planned.stdout,
        expect![[r#"
            would create the root CA rootCA
            would create the CA intermediate0 under rootCA
            would issue www under intermediate0
            would issue localclient under intermediate0
            would sign the CRL of intermediate0
            would write the bundle truststore
            6 steps to do, 0 unchanged
        "#]],
    );
    assert_eq!(sandbox.names_in("."), ["a.toml"]);

    sandbox.apply("a.toml").succeeds();
    fs::remove_file(sandbox.path("certs/www.chain.pem")).unwrap();
    sandbox.write(
        "a.toml",
        SMALL.replace(
            "days = 90",
            "days = 91\nrevoked = { reason = \"superseded\" }",
        ),
    );
    let before = Snapshot::of(sandbox.folder());
    let planned = sandbox
        .pki("--format json apply a.toml --dry-run")
        .succeeds();
    before.assert_unchanged(sandbox.folder());
    let done = sandbox
        .pki("--format json apply a.toml --no-passphrase")
        .succeeds();
    // What was said to be done is what is done.
    let actions = |steps: &Value| {
        let steps = steps.as_array().unwrap().iter();
        let mut actions = steps
            .map(|step| format!("{} {} {}", step["kind"], step["name"], step["action"]))
            .collect::<Vec<_>>();
        actions.sort();
        actions
    };
    assert_eq!(actions(&planned.json()), actions(&done.json()));
    let planned = planned.json();
    let planned = planned.as_array().unwrap().iter();
    let changes = planned.filter(|step| step["action"] != "keep").count();
    assert_eq!(changes, 4, "written, reissued, revoked, signed");
}

#[test]
fn json_names_every_step() {
    let sandbox = Sandbox::new();
    sandbox.write("a.toml", SMALL);
    let steps = sandbox
        .pki("--format json apply a.toml --no-passphrase")
        .succeeds()
        .json();
    let issued = &steps[2];
    assert_eq!(issued["action"], "issue");
    assert_eq!(issued["kind"], "certificate");
    assert_eq!(issued["name"], "www");
    assert_eq!(issued["ca"], "intermediate0");
    assert_eq!(issued["reason"], Value::Null);
    assert_eq!(issued["files"]["key"], "certs/www.key");
    let record = sandbox.of_entry("intermediate0", "www");
    assert_eq!(record[0]["serial"], issued["serial"]);
}

#[test]
fn the_example_works_as_it_is() {
    let sandbox = Sandbox::new();
    let example = sandbox.pki("apply --example").succeeds().stdout;
    sandbox.write("a.toml", example);
    sandbox.apply("a.toml").succeeds();
    let lists = sandbox.read("pki/crl/intermediate0.chain.crl.pem");
    sandbox.write("lists.pem", lists);
    for name in ["www", "localclient"] {
        sandbox.verifies(
            "-CAfile truststore.pem -crl_check_all -CRLfile lists.pem",
            &format!("certs/{name}.crt"),
        );
    }
    let stolen = sandbox
        .run(
            "openssl",
            "verify -CAfile truststore.pem -crl_check_all -CRLfile lists.pem certs/stolen.crt",
        )
        .ends_with(2);
    assert!(stolen.stderr.contains("certificate revoked"), "{stolen}");
    sandbox.assert_settled("a.toml");
}

#[test]
fn paths_start_from_the_folder_of_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("there/a.toml", SMALL);
    sandbox.apply("there/a.toml").succeeds();
    assert_eq!(sandbox.names_in("."), ["pki", "there"]);
    assert_eq!(
        sandbox.names_in("there"),
        ["a.toml", "certs", "truststore.pem"]
    );
    let piped = sandbox.apply("-").stdin(SMALL).succeeds();
    assert_text(
        &normalised(&piped.stdout),
        expect![[r#"
            wrote the files of www under intermediate0 as [serial]: its files are missing or differ
            wrote the files of localclient under intermediate0 as [serial]: its files are missing or differ
            wrote the bundle truststore
            3 steps done, 3 unchanged
        "#]],
    );
    assert!(sandbox.path("certs/www.key").exists());
}

#[test]
fn keys_are_under_the_passphrases_that_are_given() {
    let sandbox = Sandbox::new();
    let file = SMALL
        .replace("no_passphrase = true\n", "")
        .replace(
            "[certificate.www]",
            "[certificate.www]\nno_passphrase = true",
        )
        .replace("days = 90", "days = 90\np12 = \"modern\"");
    sandbox.write("a.toml", file);
    let refused = sandbox
        .pki("--no-input apply a.toml")
        .env("PKI_PASSPHRASE", PASSPHRASE);
    let refused = refused.ends_with(1);
    assert_text(
        &refused.stderr,
        expect![[r#"
            error: no passphrase given for the exported keys
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout, or use --no-passphrase
        "#]],
    );
    assert_eq!(sandbox.names_in("."), ["a.toml"]);

    let apply = || {
        sandbox
            .pki("apply a.toml --passin env:CA --passout env:GIVEN")
            .env("CA", "given")
            .env("GIVEN", "given")
    };
    apply().succeeds();
    let opens = |line: &str| {
        let line = format!("{line} -passin pass:given");
        sandbox.run("openssl", &line).succeeds();
    };
    opens("pkey -noout -in pki/intermediate0/ca.key");
    opens("pkey -noout -in certs/localclient.key");
    opens("pkcs12 -noout -in certs/localclient.p12");
    assert!(sandbox.read("certs/www.key").contains("BEGIN PRIVATE KEY"));
    assert!(sandbox.read("certs/localclient.key").contains("ENCRYPTED"));
    // What is as it should be needs no passphrase.
    let again = sandbox.pki("--no-input apply a.toml").succeeds();
    assert_text(
        &again.stdout,
        expect![[r#"
            nothing to do, 6 unchanged
        "#]],
    );
}

#[test]
fn thirty_certificates_are_one_batch_each_with_its_files() {
    let sandbox = Sandbox::new();
    let mut file = SMALL.to_owned();
    for number in 1..=28 {
        writeln!(file, "[certificate.client-{number}]").unwrap();
    }
    sandbox.write("a.toml", file);
    sandbox.apply("a.toml").succeeds();
    assert_eq!(sandbox.names_in("certs").len(), 30 * 4);
    let listed = sandbox
        .pki("--format json list --ca intermediate0")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 30);
    sandbox.assert_settled("a.toml");
}

crate::engine::also_in_a_database! {
    apply_makes_a_hierarchy_and_then_has_nothing_to_do, a_plan_says_what_would_be_done_and_changes_nothing,
    json_names_every_step, the_example_works_as_it_is, keys_are_under_the_passphrases_that_are_given,
    thirty_certificates_are_one_batch_each_with_its_files,
}
