//! The cloud private-CA hierarchy and its trust store: one PEM file, every
//! path complete to the root, no certificate twice.

use std::collections::BTreeSet;

use crate::sandbox::Sandbox;

/// Three tiers, and a client exported from each CA that issues.
fn with_two_clients() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.write("client0.pass", "chosen for client0\n");
    sandbox.write("client2.pass", "chosen for client2\n");
    for line in [
        "issue --ca intermediate0 --cn client0",
        "issue --ca intermediate2 --cn client2",
        "export --ca intermediate0 --cn client0 --out client0 --passout file:client0.pass",
        "export --ca intermediate2 --cn client2 --out client2 --passout file:client2.pass",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// The subjects of a PEM file, in its order, as openssl reads them.
#[track_caller]
fn subjects(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let printed = sandbox
        .run("openssl", "storeutl -noout -text -certs")
        .arg(file)
        .succeeds();
    let names = printed.stdout.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("Subject: CN=")?;
        Some(name.to_owned())
    });
    names.collect()
}

/// The fingerprints of a PEM file, as openssl computes them.
#[track_caller]
fn fingerprints(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let pem = sandbox.read(file);
    let blocks = pem.split_inclusive("-----END CERTIFICATE-----\n");
    let digests = blocks.map(|block| {
        let digest = sandbox.run("openssl", "x509 -noout -fingerprint -sha256");
        digest.stdin(block).succeeds().stdout
    });
    digests.collect()
}

#[track_caller]
fn assert_no_duplicates(sandbox: &Sandbox, file: &str) {
    let all = fingerprints(sandbox, file);
    let distinct = all.iter().collect::<BTreeSet<_>>();
    assert_eq!(
        distinct.len(),
        all.len(),
        "{file} holds a certificate twice"
    );
}

/// Each issuer follows what it issued.
#[track_caller]
fn assert_issuers_follow(order: &[String], pairs: &[(&str, &str)]) {
    let place = |name: &str| order.iter().position(|other| other == name);
    for (issued, issuer) in pairs {
        assert!(
            place(issued) < place(issuer),
            "{issued}, {issuer}: {order:?}"
        );
    }
}

/// As a gateway would: every certificate of the trust store is an anchor.
#[track_caller]
fn assert_verifies(sandbox: &Sandbox, truststore: &str, leaf: &str) {
    let verified = sandbox
        .run("openssl", "verify -x509_strict -purpose sslclient -CAfile")
        .arg(truststore)
        .arg(leaf)
        .succeeds();
    assert_eq!(verified.stdout, format!("{leaf}: OK\n"));
}

#[test]
fn an_export_has_leaf_chain_and_key_under_the_chosen_passphrase() {
    let sandbox = with_two_clients();
    for (client, chain) in [
        ("client0", vec!["intermediate0", "rootCA"]),
        ("client2", vec!["intermediate2", "intermediate1", "rootCA"]),
    ] {
        let file = |suffix: &str| format!("{client}/{client}.{suffix}");
        assert_eq!(subjects(&sandbox, &file("crt")), [client]);
        assert_eq!(subjects(&sandbox, &file("chain.pem")), chain);
        let without_root = &chain[..chain.len() - 1];
        let served = [&[client], without_root].concat();
        assert_eq!(subjects(&sandbox, &file("fullchain.pem")), served);
        sandbox
            .run("openssl", "pkey -noout -check -in")
            .arg(file("key"))
            .arg("-passin")
            .arg(format!("file:{client}.pass"))
            .succeeds();
    }
}

#[test]
fn a_trust_store_has_each_ca_once_and_verifies_every_leaf() {
    let sandbox = with_two_clients();
    sandbox.pki("bundle --out truststore.pem").succeeds();
    let order = subjects(&sandbox, "truststore.pem");
    let names = order.iter().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(
        names,
        BTreeSet::from(["intermediate0", "intermediate1", "intermediate2", "rootCA"])
    );
    assert_no_duplicates(&sandbox, "truststore.pem");
    assert_issuers_follow(
        &order,
        &[
            ("intermediate2", "intermediate1"),
            ("intermediate1", "rootCA"),
            ("intermediate0", "rootCA"),
        ],
    );
    assert_verifies(&sandbox, "truststore.pem", "client0/client0.crt");
    assert_verifies(&sandbox, "truststore.pem", "client2/client2.crt");
}

#[test]
fn the_trust_store_of_one_ca_accepts_its_clients_only() {
    let sandbox = with_two_clients();
    sandbox
        .pki("bundle --ca intermediate0 --out truststore.pem")
        .succeeds();
    assert_eq!(
        subjects(&sandbox, "truststore.pem"),
        ["intermediate0", "rootCA"]
    );
    assert_verifies(&sandbox, "truststore.pem", "client0/client0.crt");
    let stranger = sandbox
        .run(
            "openssl",
            "verify -purpose sslclient -CAfile truststore.pem",
        )
        .arg("client2/client2.crt")
        .ends_with(2);
    assert!(
        stranger
            .stderr
            .contains("unable to get local issuer certificate"),
        "{stranger}"
    );
}

#[test]
fn adding_a_full_chain_adds_only_missing_certificates() {
    let sandbox = with_two_clients();
    sandbox
        .pki("bundle --ca intermediate0 --out truststore.pem")
        .succeeds();
    let before = fingerprints(&sandbox, "truststore.pem");
    sandbox
        .pki("export --ca intermediate2 --out intermediate2")
        .succeeds();
    sandbox.write(
        "fullchain.pem",
        sandbox.read("intermediate2/intermediate2.crt")
            + &sandbox.read("intermediate2/intermediate2.chain.pem"),
    );
    assert_eq!(
        subjects(&sandbox, "fullchain.pem"),
        ["intermediate2", "intermediate1", "rootCA"]
    );
    // The trust store and the chain are anyone's files: no CA is named but by them.
    sandbox
        .pki("bundle --ca intermediate0 --add truststore.pem --add fullchain.pem --out truststore.pem")
        .succeeds();
    let after = fingerprints(&sandbox, "truststore.pem");
    assert_eq!(after.len(), 4);
    assert!(before.iter().all(|kept| after.contains(kept)));
    assert_no_duplicates(&sandbox, "truststore.pem");
    assert_issuers_follow(
        &subjects(&sandbox, "truststore.pem"),
        &[
            ("intermediate2", "intermediate1"),
            ("intermediate1", "rootCA"),
            ("intermediate0", "rootCA"),
        ],
    );
    assert_verifies(&sandbox, "truststore.pem", "client0/client0.crt");
    assert_verifies(&sandbox, "truststore.pem", "client2/client2.crt");
}

#[test]
fn one_certificate_added_as_der_and_pem_counts_once() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "x509 -in pki/intermediate0/ca.crt -outform DER -out again.der",
        )
        .succeeds();
    sandbox
        .pki("bundle --add again.der --add pki/intermediate0/ca.crt --out truststore.pem")
        .succeeds();
    assert_eq!(
        subjects(&sandbox, "truststore.pem"),
        ["intermediate0", "rootCA"]
    );
}

#[test]
fn a_bundle_is_pem_as_load_balancers_want_it() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.pki("bundle --out truststore.pem").succeeds();
    let pem = sandbox.read("truststore.pem");
    assert!(pem.ends_with("-----END CERTIFICATE-----\n"));
    for line in pem.lines() {
        assert!(!line.is_empty(), "a blank line");
        assert!(line.len() <= 64, "longer than 64: {line}");
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        assert!(
            line.starts_with("-----") || line.bytes().all(is_base64),
            "neither a marker nor base64: {line}"
        );
    }
}

#[test]
fn the_tree_shows_the_three_tiers() {
    let sandbox = Sandbox::with_three_tiers();
    let tree = sandbox.pki("tree").succeeds();
    let depth = |name: &str| {
        let line = tree.stdout.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_else(|| panic!("no {name}\n{tree}"));
        line[..line.find(name).unwrap()].chars().count()
    };
    assert!(depth("rootCA") < depth("intermediate0"), "{tree}");
    assert_eq!(depth("intermediate0"), depth("intermediate1"), "{tree}");
    assert!(depth("intermediate1") < depth("intermediate2"), "{tree}");
}

crate::engine::also_in_a_database! {
    an_export_has_leaf_chain_and_key_under_the_chosen_passphrase,
    a_trust_store_has_each_ca_once_and_verifies_every_leaf, the_trust_store_of_one_ca_accepts_its_clients_only,
    adding_a_full_chain_adds_only_missing_certificates, one_certificate_added_as_der_and_pem_counts_once,
    a_bundle_is_pem_as_load_balancers_want_it, the_tree_shows_the_three_tiers,
}
