//! Names of the files of certificates whose names are no safe file names.

use std::fmt::Write as _;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// Files that each certificate gets, by every command that writes them.
#[test]
fn every_command_gives_files_the_same_names() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for names in [
        ["--cn", "*.example.test"],
        ["--cn", "日本"],
        ["--cn", "a b"],
        ["--cn", "../x"],
        ["--cn", "_wildcard.example.test"],
        ["--san", "*.other.test"],
        ["--san", "spiffe://example.test/a"],
        ["--san", "2001:db8::1"],
    ] {
        let issue = "--format json issue --ca intermediate0 --no-passphrase --out issued";
        let issued = sandbox.pki(issue).arg(names[0]).arg(names[1]);
        let issued = issued.succeeds().json();
        let serial = issued["serial"].as_str().unwrap();
        let select = format!("--ca intermediate0 --serial 0x{serial} --no-passphrase");
        for line in [
            format!("export {select} --out exported"),
            format!("renew {select} --out renewed"),
        ] {
            sandbox.pki(&line).succeeds();
        }
        let file = issued["files"]["key"].as_str().unwrap();
        writeln!(said, "{} {file}", names[1]).unwrap();
    }
    assert_text(
        &said,
        expect![[r#"
            *.example.test issued/_wildcard.example.test.key
            日本 issued/%E6%97%A5%E6%9C%AC.key
            a b issued/a%20b.key
            ../x issued/%2E.%2Fx.key
            _wildcard.example.test issued/%5Fwildcard.example.test.key
            *.other.test issued/_wildcard.other.test.key
            spiffe://example.test/a issued/spiffe%3A%2F%2Fexample.test%2Fa.key
            2001:db8::1 issued/2001%3Adb8%3A%3A1.key
        "#]],
    );
    let issued = sandbox.names_in("issued");
    assert_eq!(issued, sandbox.names_in("exported"));
    assert_eq!(issued, sandbox.names_in("renewed"));
}

#[test]
fn rows_of_a_table_get_the_same_names() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn,san\n*.example.test,\na b,\n");
    let line = "issue --ca intermediate0 --from rows.csv --out batch --no-passphrase";
    sandbox.pki(line).succeeds();
    let names = sandbox.names_in("batch");
    let certificates = names.iter().filter_map(|name| name.strip_suffix(".crt"));
    assert_eq!(
        certificates.collect::<Vec<_>>(),
        ["_wildcard.example.test", "a%20b"]
    );
}

#[test]
fn a_wildcard_becomes_a_kubernetes_secret() {
    let sandbox = Sandbox::with_open_ca();
    let line = "issue --ca intermediate0 --profile server --cn";
    sandbox.pki(line).arg("*.example.test").succeeds();
    let line = "export --ca intermediate0 --for kubernetes --no-passphrase --out . --cn";
    sandbox.pki(line).arg("*.example.test").succeeds();
    let manifest = sandbox.read("_wildcard.example.test.secret.yaml");
    assert!(
        manifest.contains("name: \"wildcard.example.test\"\n"),
        "{manifest}"
    );
}

crate::engine::also_in_a_database! {
    every_command_gives_files_the_same_names, rows_of_a_table_get_the_same_names,
    a_wildcard_becomes_a_kubernetes_secret,
}
