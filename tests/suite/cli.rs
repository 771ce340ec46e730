//! The contract with scripts: exit codes, JSON, what is written where.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;
use serde_json::Value;

use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::{STORE, Sandbox};

#[track_caller]
fn assert_fields(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(object.get(field).is_some(), "no {field} in {object:#}");
    }
}

#[test]
fn on_a_missing_store_every_command_but_root_says_how_to_start() {
    let sandbox = Sandbox::new();
    for line in [
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "issue --ca rootCA --cn client",
        "export --ca rootCA --out out",
        "bundle",
        "list",
        "tree",
        "show --ca rootCA",
    ] {
        let refused = sandbox.pki(line).ends_with(1);
        assert_eq!(refused.stdout, "", "{refused}");
        assert_text(
            &normalised(&refused.stderr),
            expect![[r#"
                error: no store found at ./pki
                hint: create one with `pki root --name NAME`, or name an existing store with --store or PKI_STORE
            "#]],
        );
        assert!(!sandbox.path(STORE).exists(), "{line} made a store");
    }
}

#[test]
fn a_missing_store_is_refused_in_these_words() {
    Sandbox::new().pki("list").refuses(1, "store-not-found", expect![[r#"
        error: no store found at ./pki
        hint: create one with `pki root --name NAME`, or name an existing store with --store or PKI_STORE
    "#]]);
}

#[test]
fn a_store_that_is_a_url_is_refused_by_its_scheme() {
    let sandbox = Sandbox::new();
    let mut said = String::new();
    for store in [
        "mysql://host/db",
        "s3://bucket/pki",
        "file:///srv/pki",
        "PG+x.1-2://h",
    ] {
        let root = "root --name rootCA --no-passphrase";
        said += &sandbox
            .pki(root)
            .env("PKI_STORE", store)
            .refusal(2, "usage");
        assert!(sandbox.names_in("").is_empty(), "{store}");
    }
    assert_text(
        &said,
        expect![[r#"
            error: the store is a URL, and mysql:// is not supported: give a directory, or postgres://HOST/DATABASE
            error: the store is a URL, and s3:// is not supported: give a directory, or postgres://HOST/DATABASE
            error: the store is a URL, and file:// is not supported: give a directory, or postgres://HOST/DATABASE
            error: the store is a URL, and PG+x.1-2:// is not supported: give a directory, or postgres://HOST/DATABASE
        "#]],
    );
    let plain = "root --name rootCA --no-passphrase --store a:b";
    sandbox.pki(plain).succeeds();
}

#[test]
fn a_missing_ca_is_refused_with_the_names_of_those_there_are() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.refused(
        sandbox.pki("issue --ca intermediate1 --cn client"),
        1,
        "ca-not-found",
        expect![[r#"
            error: CA intermediate1 not found in the store
            hint: the store has intermediate0, rootCA
        "#]],
    );
}

#[test]
fn the_store_comes_from_option_then_variable_then_default() {
    let sandbox = Sandbox::new();
    let root = "root --no-passphrase --name";
    sandbox.pki(root).arg("inDefault").succeeds();
    sandbox
        .pki(root)
        .arg("inVariable")
        .env("PKI_STORE", "variable")
        .succeeds();
    sandbox
        .pki("--store option")
        .words(root)
        .arg("inOption")
        .env("PKI_STORE", "variable")
        .succeeds();
    for (store, ca) in [
        ("pki", "inDefault"),
        ("variable", "inVariable"),
        ("option", "inOption"),
    ] {
        assert!(sandbox.path(store).join(ca).join("ca.crt").exists(), "{ca}");
    }
    assert_eq!(sandbox.names_in(".").len(), 3);
}

#[test]
fn a_usage_error_is_exit_code_2_and_changes_nothing() {
    let sandbox = Sandbox::with_open_ca();
    let before = sandbox.store_snapshot();
    for line in [
        "",
        "frobnicate",
        "issue",
        "issue --cn client",
        "issue --ca intermediate0",
        "issue --ca intermediate0 --cn a --no-such-option",
        "issue --ca intermediate0 --cn a --days many",
        "issue --ca intermediate0 --cn a --key-type rsa1024",
        "issue --ca intermediate0 --cn a --out o --passout stdin --no-passphrase",
        "--format yaml list",
        "root --name ../up --no-passphrase",
    ] {
        let refused = sandbox.pki(line).ends_with(2);
        assert_eq!(refused.stdout, "", "{refused}");
        assert!(
            refused.stderr.starts_with("error: ") || line.is_empty(),
            "{refused}"
        );
    }
    before.assert_unchanged(&sandbox.path(STORE));
}

#[test]
fn help_and_version_are_answers_on_stdout() {
    let sandbox = Sandbox::new();
    for line in ["--help", "issue --help", "--version"] {
        let answered = sandbox.pki(line).succeeds();
        assert!(!answered.stdout.is_empty(), "{answered}");
        assert_eq!(answered.stderr, "", "{answered}");
    }
}

#[test]
fn issue_answers_in_json_with_the_fields_of_the_contract() {
    let sandbox = Sandbox::with_open_ca();
    let issued = sandbox
        .pki("--format json issue --ca intermediate0 --profile server --out out --no-passphrase")
        .words("--cn www.example.test --san 192.0.2.7")
        .succeeds()
        .json();
    assert_fields(
        &issued,
        &[
            "ca",
            "serial",
            "subject",
            "sans",
            "profile",
            "not_before",
            "not_after",
        ],
    );
    assert_fields(&issued, &["fingerprint_sha256", "files"]);
    assert_eq!(issued["ca"], "intermediate0");
    assert_eq!(issued["profile"], "server");
    assert_eq!(issued["subject"], "CN=www.example.test");

    let printed = sandbox
        .run(
            "openssl",
            "x509 -noout -serial -in out/www.example.test.crt",
        )
        .succeeds();
    let serial = issued["serial"].as_str().unwrap();
    assert_eq!(printed.stdout, format!("serial={serial}\n"));
    let printed = sandbox
        .run(
            "openssl",
            "x509 -noout -fingerprint -sha256 -in out/www.example.test.crt",
        )
        .succeeds();
    let digest = printed.stdout.trim().rsplit('=').next().unwrap();
    let digest = digest.replace(':', "").to_ascii_lowercase();
    let fingerprint = issued["fingerprint_sha256"].as_str().unwrap();
    assert_eq!(fingerprint.to_ascii_lowercase(), digest);
    for file in issued["files"].as_object().unwrap().values() {
        assert!(sandbox.path(file.as_str().unwrap()).is_file(), "{file}");
    }
}

#[test]
fn list_answers_in_json_and_filters() {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "issue --ca intermediate0 --cn client",
        "issue --ca intermediate0 --cn www.example.test --profile server",
        "issue --ca rootCA --cn client",
    ] {
        sandbox.pki(line).succeeds();
    }
    let listed = |filter: &str| {
        let all = sandbox
            .pki("--format json list")
            .words(filter)
            .succeeds()
            .json();
        all.as_array().unwrap().clone()
    };
    let all = listed("");
    assert_eq!(all.len(), 5, "three leaves and two CAs: {all:#?}");
    for certificate in &all {
        assert_fields(certificate, &["ca", "serial", "subject", "sans", "status"]);
        assert_fields(
            certificate,
            &["not_before", "not_after", "fingerprint_sha256"],
        );
        assert_eq!(certificate["status"], "valid");
    }
    assert_eq!(listed("--ca intermediate0").len(), 2);
    assert_eq!(listed("--cn client").len(), 2);
    assert_eq!(listed("--ca rootCA --cn client").len(), 1);
    assert_eq!(listed("--san www.example.test").len(), 1);
    assert_eq!(listed("--status valid").len(), 5);
    assert_eq!(listed("--status expired").len(), 0);
    assert_eq!(listed("--ca intermediate0 --expiring 30d").len(), 0);
    assert_eq!(listed("--ca intermediate0 --expiring 400d").len(), 2);
}

#[test]
fn bundle_answers_in_json_with_the_fields_of_the_contract() {
    let sandbox = Sandbox::with_open_ca();
    let bundled = sandbox
        .pki("--format json bundle --out truststore.pem")
        .succeeds()
        .json();
    assert_fields(&bundled, &["certificates", "findings", "file"]);
    let certificates = bundled["certificates"].as_array().unwrap();
    assert_eq!(certificates.len(), 2);
    for certificate in certificates {
        assert_fields(certificate, &["subject", "fingerprint_sha256", "not_after"]);
    }
}

#[test]
fn every_command_writes_json_and_errors_leave_stdout_empty() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "issue --ca intermediate0 --cn client",
        "export --ca intermediate0 --cn client --out out --no-passphrase",
        "export --ca intermediate0 --out out",
        "bundle --out truststore.pem",
        "list",
        "show --ca intermediate0 --cn client",
        "show --ca rootCA",
        "show out/client.crt",
        "show out/client.key",
        "show truststore.pem",
        "tree",
    ] {
        sandbox.pki("--format json").words(line).succeeds().json();
    }
    let refused = sandbox.pki("--format json show missing.crt").ends_with(1);
    assert_eq!(refused.stdout, "");
}

#[test]
fn quiet_says_nothing_but_the_result() {
    let sandbox = Sandbox::new();
    for line in [
        "-q root --name rootCA --no-passphrase",
        // Shortened to the root's end, which is a notice.
        "-q subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "-q issue --ca intermediate0 --cn client",
    ] {
        let done = sandbox.pki(line).succeeds();
        assert_eq!(done.stderr, "", "{done}");
    }
}

#[test]
fn an_export_has_its_files_and_a_key_of_mode_0600() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run("sh", "-c")
        .arg("umask 022; exec \"$@\"")
        .words("sh")
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words("issue --ca intermediate0 --cn localclient --out out --no-passphrase")
        .succeeds();
    assert_eq!(
        sandbox.names_in("out"),
        [
            "localclient.chain.pem",
            "localclient.crt",
            "localclient.fullchain.pem",
            "localclient.key"
        ]
    );
    let mode = |file: &str| {
        let metadata = std::fs::metadata(sandbox.path(file)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("out/localclient.key"), 0o600);
    assert_eq!(mode("out/localclient.crt"), 0o644);
    assert_eq!(mode("out/localclient.chain.pem"), 0o644);
}

#[test]
fn the_ca_s_own_export_holds_its_key_only_when_asked() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("export --ca intermediate0 --out out")
        .succeeds();
    let names = sandbox.names_in("out");
    assert!(names.contains(&"intermediate0.crt".to_owned()), "{names:?}");
    assert!(
        names.contains(&"intermediate0.chain.pem".to_owned()),
        "{names:?}"
    );
    assert!(
        !names.contains(&"intermediate0.key".to_owned()),
        "{names:?}"
    );
    sandbox
        .pki("export --ca intermediate0 --out with-key --key --no-passphrase")
        .succeeds();
    assert!(sandbox.path("with-key/intermediate0.key").is_file());
}

#[test]
fn der_is_the_same_certificate() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn client --out out --no-passphrase")
        .succeeds();
    sandbox
        .pki("export --ca intermediate0 --cn client --der --out der --no-passphrase")
        .succeeds();
    let pem = sandbox
        .run("openssl", "x509 -inform DER -in der/client.der")
        .succeeds();
    assert_eq!(pem.stdout, sandbox.read("out/client.crt"));
}

#[test]
fn of_certificates_with_one_name_the_newest_is_exported() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn client")
        .succeeds();
    let newest = sandbox
        .pki("--format json issue --ca intermediate0 --cn client")
        .succeeds()
        .json();
    let serial = newest["serial"].as_str().unwrap();
    let exported = sandbox
        .pki("export --ca intermediate0 --cn client --out out --no-passphrase")
        .succeeds();
    assert_text(
        &normalised(&exported.stderr),
        expect![[r#"
            notice: 2 certificates have the common name "client"; using the newest valid one: [serial]
        "#]],
    );
    let printed = sandbox.run("openssl", "x509 -noout -serial -in out/client.crt");
    assert_eq!(printed.succeeds().stdout, format!("serial={serial}\n"));
}

#[test]
fn a_serial_is_found_in_every_notation() {
    let sandbox = Sandbox::with_open_ca();
    let issued = sandbox
        .pki("--format json issue --ca intermediate0 --cn client")
        .succeeds()
        .json();
    let serial = issued["serial"].as_str().unwrap();
    let pairs = serial
        .as_bytes()
        .chunks(2)
        .map(|pair| str::from_utf8(pair).unwrap());
    let colons = pairs.collect::<Vec<_>>().join(":");
    let decimal = u128::from_str_radix(serial, 16).unwrap();
    for notation in [
        serial.to_owned(),
        serial.to_ascii_lowercase(),
        format!("0x{serial}"),
        format!("0000{serial}"),
        colons,
        format!("dec:{decimal}"),
    ] {
        let shown = sandbox
            .pki("--format json show --ca intermediate0 --serial")
            .arg(&notation)
            .succeeds();
        assert!(shown.stdout.contains(serial), "{notation}: {shown}");
    }
}

#[test]
fn a_bundle_goes_to_stdout_where_out_is_a_dash() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("bundle --out truststore.pem").succeeds();
    let printed = sandbox.pki("bundle --out -").succeeds();
    assert_eq!(printed.stdout, sandbox.read("truststore.pem"));
    assert!(!sandbox.path("-").exists());
}

#[test]
fn a_broken_pipe_after_the_commit_is_exit_code_4() {
    let sandbox = Sandbox::with_open_ca();
    // The shell closes stdout; /dev/full takes nothing.
    sandbox
        .run("sh", "-c")
        .arg("exec \"$@\" >/dev/full")
        .words("sh")
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words("issue --ca intermediate0 --cn client")
        .refuses(
            4,
            "output-failed",
            expect![[r#"
                error: the command is done, but its report could not be written to standard output
                caused by: No space left on device (os error 28)
                hint: `pki export --ca intermediate0 --serial 0x[serial] --out DIR` writes its files
            "#]],
        );
    let listed = sandbox
        .pki("--format json list --ca intermediate0")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 1);
}

/// `pki list | head`: a reader that has seen enough is no error.
#[test]
fn a_reader_that_closes_at_once_is_no_error() {
    let sandbox = Sandbox::with_open_ca();
    let mut rows = String::from("cn,profile\n");
    for row in 0..3000 {
        writeln!(rows, "name-{row}.example.test,client").unwrap();
    }
    sandbox.write("rows.csv", rows);
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .succeeds();
    for line in [
        "list",
        "list --format json",
        "tree",
        "show --ca intermediate0 --cn name-0.example.test",
    ] {
        let mut child = sandbox.pki(line).spawn();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
        assert_eq!(said, "", "{line}");
    }
    // As a shell has it, behind a page of it.
    let script = "set -o pipefail; \"$@\" list | head -n 1";
    let piped = sandbox.run("bash", "-c").arg(script).arg("bash");
    let piped = piped.arg(env!("CARGO_BIN_EXE_pki")).succeeds();
    assert_eq!(piped.stderr, "", "{piped}");
    assert_eq!(piped.stdout.lines().count(), 1, "{piped}");
}
