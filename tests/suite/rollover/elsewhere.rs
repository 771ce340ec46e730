//! CAs whose issuers are on other machines: a request with the key that they have, and what comes back.

use expect_test::{Expect, expect};

use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::Sandbox;

/// `inter0`, whose root is in another store, with a leaf in `out/`.
pub(super) fn two_machines() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "--store vault root --name rootCA --no-passphrase --days 1000",
        "subordinate --name inter0 --subject /O=Example/CN=inter0 --request inter0.csr --no-passphrase",
        "--store vault subordinate --ca rootCA --csr inter0.csr --out inter0.crt --days 100 --path-len 0",
        "subordinate --name inter0 --install inter0.crt --chain vault/rootCA/ca.crt",
        "issue --ca inter0 --cn www.example.test --profile server --days 50 --out out --no-passphrase",
        "ca renew --ca inter0 --request again.csr",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

impl Sandbox {
    fn renews_with(&self, answer: &str) -> Run {
        self.pki("ca renew --ca inter0 --install").words(answer)
    }

    /// `answer.crt`, of the request, by openssl with the root's key.
    fn answered_by_openssl(&self, request: &str, extensions: &str, more: &str) {
        self.write("extensions.cnf", extensions);
        self.run("openssl", "x509 -req -days 500 -extfile extensions.cnf")
            .words(&format!(
                "-in {request} -CA vault/rootCA/ca.crt -CAkey vault/rootCA/ca.key"
            ))
            .words(&format!("-out answer.crt {more}"))
            .succeeds();
    }
}

const CA: &str = "basicConstraints = critical, CA:TRUE, pathlen:0\n\
                  keyUsage = critical, keyCertSign, cRLSign\nauthorityKeyIdentifier = keyid\n";

#[test]
fn an_installed_renewal_keeps_what_was_issued_valid() {
    let sandbox = two_machines();
    sandbox.refused(
        sandbox.pki("ca renew --ca inter0"),
        1,
        "key-not-in-store",
        expect![[r#"
            error: the key of rootCA is not in the store
            hint: write a CSR for it with `pki ca renew --ca inter0 --request FILE`, and install the certificate with --install
        "#]],
    );
    let line = "--store vault subordinate --ca rootCA --csr again.csr --out answer.crt --days 500";
    sandbox.pki(line).words("--path-len 0").succeeds();
    let renewed = sandbox.renews_with("answer.crt").succeeds();
    assert_same(&renewed.stderr, "");
    let now = sandbox.read("pki/inter0/ca.crt");
    assert_eq!(now, sandbox.read("answer.crt"));
    sandbox
        .pki("issue --ca inter0 --cn new.example.test --days 400 --out out --no-passphrase")
        .succeeds();
    for leaf in ["www.example.test", "new.example.test"] {
        for ca in ["inter0.crt", "answer.crt"] {
            let root = "vault/rootCA/ca.crt";
            let line = format!("verify -x509_strict -CAfile {root} -untrusted {ca} out/{leaf}.crt");
            sandbox.run("openssl", &line).succeeds();
        }
    }
    let before = sandbox.store_snapshot();
    let again = sandbox.renews_with("answer.crt").succeeds();
    assert_text(
        &again.stderr,
        expect![[r#"
            notice: inter0 already has this certificate; nothing was changed
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

#[test]
fn a_new_key_takes_a_request_of_its_own() {
    let sandbox = two_machines();
    sandbox.refused(
        sandbox.pki("ca rekey --ca inter0 --name inter1 --no-passphrase"),
        1,
        "key-not-in-store",
        expect![[r#"
            error: the key of rootCA is not in the store
            hint: `pki subordinate --name inter1 --request FILE` makes its key and a CSR for the offline CA
        "#]],
    );
}

#[test]
fn openssl_answers_the_request_too() {
    let sandbox = two_machines();
    let text = sandbox
        .run("openssl", "req -verify -noout -text -in again.csr")
        .succeeds();
    assert!(text.stdout.contains("CA:TRUE, pathlen:0"), "{text}");
    let copied = "-copy_extensions copyall";
    sandbox.answered_by_openssl("again.csr", "authorityKeyIdentifier = keyid\n", copied);
    sandbox.renews_with("answer.crt").succeeds();
    let line = "verify -x509_strict -CAfile vault/rootCA/ca.crt -untrusted pki/inter0/ca.crt";
    sandbox
        .run("openssl", line)
        .arg("out/www.example.test.crt")
        .succeeds();
}

/// The key of the root is elsewhere: no key is needed to put its new certificate in place.
#[test]
fn a_root_without_its_key_takes_its_new_certificate() {
    let sandbox = two_machines();
    sandbox
        .pki("--store vault ca renew --ca rootCA --days 5000")
        .succeeds();
    sandbox
        .pki("ca renew --ca rootCA --install vault/rootCA/ca.crt")
        .succeeds();
    sandbox.pki("bundle").succeeds();
    let (bundle, root) = ("truststore.pem", "vault/rootCA/ca.crt");
    assert!(sandbox.read(bundle).contains(&sandbox.read(root)));
    sandbox.pki("verify out/www.example.test.crt").succeeds();
}

#[test]
fn what_is_of_another_key_name_or_issuer_is_refused() {
    let sandbox = two_machines();
    let refused = |file: &str, code: &str, said: Expect| {
        let (file, chain) = file.split_once(' ').unwrap_or((file, ""));
        sandbox.refused(sandbox.renews_with(file).words(chain), 1, code, said);
    };
    refused(
        "vault/rootCA/ca.crt",
        "install-key-mismatch",
        expect![[r#"
            error: vault/rootCA/ca.crt cannot be installed as inter0
            caused by: no certificate in it has the CA's public key
            hint: install a certificate for the CSR that `pki ca renew --ca inter0 --request FILE` writes
        "#]],
    );
    sandbox.answered_by_openssl(
        "again.csr",
        &format!("{CA}subjectKeyIdentifier = 00:01:02\n"),
        "",
    );
    refused(
        "answer.crt",
        "install-key-identifier-mismatch",
        expect![[r#"
            error: answer.crt cannot be installed as inter0
            caused by: its subject key identifier differs from the CA's, so issued certificates would not chain to it
            hint: have it signed with the exact subject and key identifier of the CSR
        "#]],
    );
    // The same name in other string types.
    sandbox.reencoded();
    refused(
        "answer.crt",
        "install-subject-mismatch",
        expect![[r#"
            error: answer.crt cannot be installed as inter0
            caused by: its subject differs from the CA's in encoding, so issued certificates would not chain to it
            hint: have it signed with the exact subject and key identifier of the CSR
        "#]],
    );
    for line in [
        "--store other root --name otherRoot --no-passphrase",
        "--store other subordinate --ca otherRoot --csr again.csr --out other.crt",
    ] {
        sandbox.pki(line).succeeds();
    }
    refused(
        "other.crt --chain other/otherRoot/ca.crt",
        "install-issuer-mismatch",
        expect![[r#"
            error: other.crt cannot be installed as inter0
            caused by: its issuer CN=otherRoot differs from the issuer of the certificate that it replaces
            hint: a CA can't change its parent; create a new CA with `pki subordinate`
        "#]],
    );
    // All is right but that it is no CA.
    let identifier = sandbox.openssl_x509("pki/inter0/ca.crt", "-ext subjectKeyIdentifier");
    let identifier = identifier.lines().nth(1).unwrap().trim();
    sandbox.answered_by_openssl(
        "again.csr",
        &format!(
            "keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = {identifier}\n\
             authorityKeyIdentifier = keyid\n"
        ),
        "",
    );
    refused(
        "answer.crt",
        "install-not-a-ca",
        expect![[r#"
            error: answer.crt cannot be installed as inter0
            caused by: it is not a CA certificate: basicConstraints does not have CA:TRUE
            hint: have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign
        "#]],
    );
}

impl Sandbox {
    /// `answer.crt` with the subject's strings as PrintableString, where the request has UTF8String.
    fn reencoded(&self) {
        self.write(
            "req.cnf",
            "[req]\nstring_mask = pkix\ndistinguished_name = dn\nprompt = no\n[dn]\nO = Example\nCN = inter0\n",
        );
        self.run(
            "openssl",
            "req -new -config req.cnf -key pki/inter0/ca.key -out printable.csr",
        )
        .succeeds();
        self.answered_by_openssl(
            "printable.csr",
            &format!("{CA}subjectKeyIdentifier = hash\n"),
            "",
        );
    }
}

crate::engine::also_in_a_database! {
    an_installed_renewal_keeps_what_was_issued_valid, a_new_key_takes_a_request_of_its_own,
    openssl_answers_the_request_too, a_root_without_its_key_takes_its_new_certificate,
}

crate::engine::soak_in_a_database! {
    what_is_of_another_key_name_or_issuer_is_refused,
}
