//! The stores of `fixtures/stores`, one for each format, as the program of that format left them: they
//! are opened, used and upgraded.

use crate::sandbox::{Sandbox, repository};

/// Names that each of them has, with their statuses.
const CERTIFICATES: [(&str, &str); 5] = [
    ("kept", "valid"),
    ("row-1", "valid"),
    ("row-2", "valid"),
    ("row-3", "valid"),
    ("revoked", "revoked"),
];

fn saved(format: u32) -> Sandbox {
    let sandbox = Sandbox::new();
    let archive = repository(&format!("fixtures/stores/format-{format}.tar"));
    sandbox
        .run("tar", "-xp --no-same-owner -f")
        .arg(archive)
        .succeeds();
    let stored = sandbox.run("jq", ".format pki/store.json").succeeds();
    assert_eq!(stored.stdout, format!("{format}\n"));
    sandbox
}

/// Returns what `pki list` says of each common name of the issuing CA.
fn listed(sandbox: &Sandbox) -> Vec<(String, String)> {
    let json = sandbox
        .pki("--format json list --ca intermediate0")
        .succeeds()
        .json();
    let text = |entry: &serde_json::Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let entries = json.as_array().unwrap().iter();
    entries
        .map(|entry| {
            let subject = text(entry, "subject");
            let name = subject.strip_prefix("CN=").unwrap().to_owned();
            (name, text(entry, "status"))
        })
        .collect()
}

/// Each line of a journal is read by jq, and has a check.
fn checks(sandbox: &Sandbox, journal: &str) -> usize {
    let path = format!("pki/intermediate0/{journal}.jsonl");
    let read = sandbox.run("jq", "-r .check").arg(&path).succeeds();
    assert_eq!(
        read.stdout.lines().count(),
        sandbox.read(&path).lines().count()
    );
    read.stdout
        .lines()
        .filter(|check| check.len() == 32)
        .count()
}

fn is_used(sandbox: &Sandbox) {
    let before = ["issued", "revoked", "crls"].map(|journal| (journal, checks(sandbox, journal)));
    sandbox.write("rows.csv", "cn\nnew-1\nnew-2\nnew-3\n");
    for line in [
        "issue --ca intermediate0 --cn new --out out --no-passphrase",
        // Lines that say where their append began, behind lines that do not.
        "issue --ca intermediate0 --from rows.csv",
        "revoke --ca intermediate0 --cn kept",
        "crl",
        "export --ca intermediate0 --cn row-2 --out out --no-passphrase",
        "export --ca intermediate0 --cn kept --out out --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let after = ["issued", "revoked", "crls"].map(|journal| (journal, checks(sandbox, journal)));
    let added: Vec<usize> = before.iter().zip(&after).map(|(a, b)| b.1 - a.1).collect();
    assert_eq!(added, [4, 1, 1]);
    let chain = "-crl_check_all -CAfile pki/rootCA/ca.crt -untrusted pki/intermediate0/ca.crt \
                 -CRLfile root.pem -CRLfile intermediate.pem";
    for (ca, pem) in [
        ("rootCA", "root.pem"),
        ("intermediate0", "intermediate.pem"),
    ] {
        sandbox
            .run("openssl", "crl -inform DER -in")
            .words(&format!(
                "pki/crl/{ca}.crl -CAfile pki/{ca}/ca.crt -out {pem}"
            ))
            .succeeds();
    }
    for (name, status) in [("new", 0), ("row-2", 0), ("kept", 2)] {
        let verified = sandbox
            .run("openssl", "verify")
            .words(&format!("{chain} out/{name}.crt"))
            .finish();
        assert_eq!(verified.status, Some(status), "{name}: {verified}");
    }
}

#[test]
fn a_store_of_every_format_opens_and_is_used() {
    for format in [1, 2, 3, 4] {
        let sandbox = saved(format);
        let all = listed(&sandbox);
        for (name, status) in CERTIFICATES {
            let found = all.iter().find(|(found, _)| found == name);
            assert_eq!(
                found.map(|(_, status)| status.as_str()),
                Some(status),
                "{name}"
            );
        }
        let checked = sandbox.pki("--format json check").finish();
        assert!(!checked.stdout.contains("\"level\":\"error\""), "{checked}");
        is_used(&sandbox);
        let checked = sandbox.pki("--format json check").finish();
        assert!(!checked.stdout.contains("\"level\":\"error\""), "{checked}");
        // It stays one of its format.
        let stored = sandbox.run("jq", ".format pki/store.json").succeeds();
        assert_eq!(stored.stdout, format!("{format}\n"));
    }
}

#[test]
fn what_is_special_about_a_format_is_still_read() {
    let sandbox = saved(2);
    let json = sandbox.pki("--format json list --ca old").succeeds().json();
    let lacking = json.as_array().unwrap().iter();
    let lacking = lacking.filter(|entry| entry["fingerprint_sha256"].is_null());
    assert_eq!(lacking.count(), 1, "{json}");
    sandbox.pki("revoke --ca old --serial 1001").succeeds();
    sandbox.pki("crl --ca old").succeeds();
    let text = sandbox
        .run(
            "openssl",
            "crl -inform DER -noout -text -in pki/crl/old.crl",
        )
        .succeeds();
    assert!(text.stdout.contains("Serial Number: 1001"), "{text}");

    let sandbox = saved(3);
    assert!(
        sandbox
            .pki("list --ca intermediate0")
            .succeeds()
            .stdout
            .contains("CN=wrong")
    );
    sandbox
        .pki("issue --ca intermediate0 --cn again --flaw expired")
        .succeeds();
}

/// A store becomes one of format 2 when a CA comes into it of which certificates are missing.
#[test]
fn a_store_of_format_1_is_upgraded_when_that_is_needed() {
    let sandbox = saved(1);
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.request("leaf.csr", "/CN=leaf");
    sandbox.old_ca("-notext -infiles leaf.csr").succeeds();
    std::fs::remove_file(sandbox.path("old/newcerts/1000.pem")).unwrap();
    sandbox
        .pki("import --openssl old --name added --no-passphrase --partial")
        .succeeds();
    let stored = sandbox.run("jq", ".format pki/store.json").succeeds();
    assert_eq!(stored.stdout, "2\n");
    is_used(&sandbox);
}
