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
            let mut options = policies.fold(String::new(), |text, oid| text + " --policy " + &oid);
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

/// Valid paths that `pki verify` refuses by name, and the reason; docs/verify.md has the same table.
const REFUSED: [(&str, &str); 12] = [
    ("4.1.4", "DSA"),
    ("4.1.5", "DSA"),
    ("4.14.18", "CRLs by reason"),
    ("4.14.19", "CRLs by reason"),
    ("4.14.22", "indirect CRLs"),
    ("4.14.24", "indirect CRLs"),
    ("4.14.25", "indirect CRLs"),
    ("4.14.28", "indirect CRLs"),
    ("4.14.29", "indirect CRLs"),
    ("4.14.30", "indirect CRLs"),
    ("4.14.33", "indirect CRLs"),
    ("4.15.5", "delta CRLs"),
];

#[test]
fn nist_pkits_accepts_nothing_invalid() {
    let refused = BTreeMap::from(REFUSED);
    let page = fs::read_to_string(repository("docs/verify.md")).unwrap();
    let sandbox = Sandbox::new();
    let mut otherwise = Vec::new();
    for case in cases() {
        let (is_valid, said) = judged(&case, &sandbox);
        assert!(
            case.is_valid || !is_valid,
            "{} is accepted: {said}",
            case.number
        );
        match refused.get(case.number.as_str()) {
            Some(reason) => {
                assert!(case.is_valid && !is_valid, "{}: {said}", case.number);
                let row = format!("| {} | {reason} |", case.number);
                assert!(page.contains(&row), "docs/verify.md lacks {row}");
            }
            None if is_valid != case.is_valid => otherwise.push(format!("{}: {said}", case.number)),
            None => {}
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.concat());
}
