//! What comes back, and what is refused of it: openssl is the CA above.

use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::Sandbox;

use super::CA;

const INSTALL: &str = "subordinate --name inter0 --install";

impl Sandbox {
    /// `inter0` waits, openssl has `root`, and `inter0.crt` is what it made of the request.
    fn answered(extensions: &str) -> Self {
        let sandbox = Self::with_request();
        sandbox.foreign_root("root", &[]);
        sandbox.signed_by_openssl("root", "inter0", "inter0", extensions);
        sandbox
    }

    fn install(&self, files: &str) -> Run {
        self.pki(INSTALL).words(files)
    }

    /// `OUT.crt` by `openssl ca`, with the name and the times that it is told.
    fn signed_by_openssl_ca(&self, options: &str, out: &str) {
        self.write("index.txt", "");
        self.write("extensions.cnf", CA);
        self.write(
            "ca.cnf",
            "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\n\
             default_md = sha256\npolicy = any\nunique_subject = no\n\
             [any]\ncommonName = supplied\norganizationName = optional\n",
        );
        self.run(
            "openssl",
            "ca -batch -notext -config ca.cnf -extfile extensions.cnf",
        )
        .words("-cert root.crt -keyfile root.key -in inter0.csr")
        .words(&format!("{options} -out {out}.crt"))
        .succeeds();
    }

    /// It issues, and openssl takes what it issued.
    #[track_caller]
    fn inter0_works(&self, root: &str) {
        self.pki("issue --ca inter0 --cn leaf --out out --no-passphrase")
            .succeeds();
        self.openssl_verifies(root, "out/leaf.chain.pem", "out/leaf.crt");
        self.pki("crl --ca inter0").succeeds();
        self.pki("verify out/leaf.crt").succeeds();
    }
}

#[test]
fn what_openssl_x509_made_of_the_request_is_installed() {
    let sandbox = Sandbox::answered(CA);
    let installed = sandbox.install("inter0.crt --chain root.crt").succeeds();
    assert_same(&installed.stderr, "");
    sandbox.inter0_works("root.crt");
}

#[test]
fn what_openssl_ca_made_of_the_request_is_installed() {
    let sandbox = Sandbox::with_request();
    sandbox.foreign_root("root", &[]);
    sandbox.signed_by_openssl_ca("-days 100", "inter0");
    sandbox.install("inter0.crt --chain root.crt").succeeds();
    sandbox.inter0_works("root.crt");
}

#[test]
fn der_and_a_chain_in_one_file_and_standard_input_are_taken() {
    let der = |sandbox: &Sandbox| {
        let line = "x509 -in inter0.crt -outform DER -out inter0.der";
        sandbox.run("openssl", line).succeeds();
        sandbox.install("inter0.der --chain root.crt").succeeds();
    };
    let one_file = |sandbox: &Sandbox| {
        let both = sandbox.read("inter0.crt") + &sandbox.read("root.crt");
        sandbox.write("both.pem", both);
        sandbox.install("both.pem").succeeds();
    };
    let root_first = |sandbox: &Sandbox| {
        let both = sandbox.read("root.crt") + &sandbox.read("inter0.crt");
        sandbox.install("-").stdin(both).succeeds();
    };
    for install in [&der as &dyn Fn(&Sandbox), &one_file, &root_first] {
        let sandbox = Sandbox::answered(CA);
        install(&sandbox);
        sandbox.inter0_works("root.crt");
    }
}

/// Two CAs above, one of them named like a CA of the store, given in the wrong order; then a second
/// CA below the same.
#[test]
fn the_cas_above_come_in_once_under_names_of_their_own() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name middle --no-passphrase").succeeds();
    sandbox.foreign_root("Root_CA:_No._1", &[]);
    for name in ["inter0", "inter1"] {
        sandbox
            .pki("subordinate --no-passphrase --name")
            .words(&format!("{name} --request {name}.csr"))
            .succeeds();
    }
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -keyout middle.key",
        )
        .words("-subj /CN=middle -out middle.csr")
        .succeeds();
    sandbox.signed_by_openssl("Root_CA:_No._1", "middle", "middle", CA);
    for name in ["inter0", "inter1"] {
        sandbox.signed_by_openssl("middle", name, name, CA);
    }
    let first = sandbox
        .pki("--format json subordinate --name inter0 --install inter0.crt")
        .words("--chain Root_CA:_No._1.crt --chain middle.crt")
        .succeeds();
    assert_eq!(
        first.json()["added"],
        serde_json::json!(["Root_CA-_No._1", "middle-2"])
    );
    // Those above are in the store by now.
    sandbox
        .pki("subordinate --name inter1 --install inter1.crt")
        .succeeds();
    let tree = sandbox.pki("tree").succeeds();
    assert_text(
        &normalised(&tree.stdout),
        expect![[r#"
            Root_CA-_No._1  CN=Root_CA:_No._1,O=Elsewhere  (p256, until [time], key not in this store)
            └─ middle-2  CN=middle  (rsa2048, until [time], key not in this store)
               ├─ inter0  CN=inter0  (p256, until [time])
               └─ inter1  CN=inter1  (p256, until [time])
            middle  CN=middle  (p256, until [time])
        "#]],
    );
    sandbox.inter0_works("Root_CA:_No._1.crt");
}

#[test]
fn a_certificate_that_breaks_rules_installs_with_a_notice() {
    let sandbox = Sandbox::answered(
        "basicConstraints = CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n",
    );
    let installed = sandbox.install("inter0.crt --chain root.crt").succeeds();
    assert_text(
        &installed.stderr,
        expect![[r#"
            notice: the certificate breaks rules but is usable: basicConstraints is not critical (basic_constraints_are_critical, RFC 5280 4.2.1.9)
        "#]],
    );
    sandbox.pki("issue --ca inter0 --cn leaf").succeeds();
}

#[test]
fn a_certificate_for_another_key_is_refused() {
    let sandbox = Sandbox::answered(CA);
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -keyout other.key",
        )
        .words("-subj /CN=inter0 -out other.csr")
        .succeeds();
    sandbox.signed_by_openssl("root", "other", "inter0", CA);
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "install-key-mismatch",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: no certificate in it has the public key of the CSR
            hint: install a certificate for the CSR that `pki subordinate --name inter0 --request FILE` writes
        "#]],
    );
}

#[test]
fn a_certificate_about_another_subject_is_refused() {
    let sandbox = Sandbox::answered(CA);
    sandbox.signed_by_openssl_ca("-days 9 -subj /O=Other/CN=inter0", "inter0");
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "install-subject-mismatch",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: the CSR has the subject CN=inter0, the certificate O=Other,CN=inter0
            hint: have it signed with the subject of the CSR, or make a CSR with that subject under another name
        "#]],
    );
}

#[test]
fn a_certificate_that_is_not_that_of_a_ca_is_refused() {
    let mut said = String::new();
    for extensions in [
        CA.replace("TRUE", "FALSE"),
        "subjectKeyIdentifier = hash\n".into(),
        CA.replace("keyCertSign, ", ""),
        CA.replace(", cRLSign", ""),
        CA.replace("keyUsage = critical, keyCertSign, cRLSign\n", ""),
    ] {
        let sandbox = Sandbox::answered(&extensions);
        let run = sandbox.install("inter0.crt --chain root.crt");
        said += &sandbox.refusal(run, 1, "install-not-a-ca");
    }
    assert_text(
        &said,
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: it is not a CA certificate: basicConstraints does not have CA:TRUE
            hint: have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign
            error: inter0.crt cannot be installed as inter0
            caused by: it is not a CA certificate: basicConstraints does not have CA:TRUE
            hint: have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign
            error: inter0.crt cannot be installed as inter0
            caused by: its keyUsage lacks keyCertSign
            hint: have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign
            error: inter0.crt cannot be installed as inter0
            caused by: its keyUsage lacks cRLSign
            hint: have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign
            error: inter0.crt cannot be installed as inter0
            caused by: its keyUsage lacks keyCertSign
            hint: have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign
        "#]],
    );
}

#[test]
fn a_certificate_without_its_own_chain_is_refused() {
    let sandbox = Sandbox::answered(CA);
    let missing = sandbox.refusal(sandbox.install("inter0.crt"), 1, "install-path-invalid");
    assert_text(
        &missing,
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: the issuer of CN=inter0 is missing: CN=root,O=Elsewhere
            hint: give the certificates of its issuing CAs, up to the root, with --chain
        "#]],
    );
    sandbox.foreign_root("stranger", &[]);
    let stranger = sandbox.install("inter0.crt --chain stranger.crt");
    assert_same(
        &sandbox.refusal(stranger, 1, "install-path-invalid"),
        &missing,
    );
    // Another root of the same name, with another key.
    fs::rename(sandbox.path("root.crt"), sandbox.path("right.crt")).unwrap();
    sandbox.foreign_root("root", &[]);
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "install-path-invalid",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: the issuer of CN=inter0 is missing: the given CN=root,O=Elsewhere has another key
            hint: give the certificates of its issuing CAs, up to the root, with --chain
        "#]],
    );
    sandbox.install("inter0.crt --chain right.crt").succeeds();
}

#[test]
fn a_path_that_does_not_reach_a_root_is_refused() {
    let sandbox = Sandbox::answered(CA);
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -keyout middle.key",
        )
        .words("-subj /CN=middle -out middle.csr")
        .succeeds();
    sandbox.signed_by_openssl("root", "middle", "middle", CA);
    sandbox.signed_by_openssl("middle", "inter0", "inter0", CA);
    sandbox.refused(
        sandbox.install("inter0.crt --chain middle.crt"),
        1,
        "install-path-invalid",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: the issuer of CN=middle is missing: CN=root,O=Elsewhere
            hint: give the certificates of its issuing CAs, up to the root, with --chain
        "#]],
    );
}

#[test]
fn a_certificate_that_was_tampered_with_is_refused() {
    let sandbox = Sandbox::answered(CA);
    let line = "x509 -in inter0.crt -outform DER -out inter0.der";
    sandbox.run("openssl", line).succeeds();
    let mut der = fs::read(sandbox.path("inter0.der")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    sandbox.write("inter0.crt", der);
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "install-path-invalid",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: CN=inter0 is not signed with the key of CN=root,O=Elsewhere
        "#]],
    );
}

#[test]
fn a_certificate_that_is_not_valid_now_is_refused() {
    let sandbox = Sandbox::answered(CA);
    let mut said = String::new();
    for times in [
        "-startdate 20200101000000Z -enddate 20210101000000Z",
        "-startdate 20480101000000Z -enddate 20490101000000Z",
    ] {
        sandbox.signed_by_openssl_ca(times, "inter0");
        let install = sandbox.install("inter0.crt --chain root.crt");
        said += &sandbox.refusal(install, 1, "install-path-invalid");
    }
    assert_text(
        &said,
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: CN=inter0 expired at [time]
            error: inter0.crt cannot be installed as inter0
            caused by: CN=inter0 is not valid before [time]
        "#]],
    );
}

#[test]
fn a_certificate_outside_of_what_the_root_allows_is_refused() {
    let sandbox = Sandbox::with_request();
    sandbox.foreign_root("root", &[]);
    let line = "req -x509 -key root.key -days 3650 -subj /O=Elsewhere/CN=root -out root.crt";
    sandbox
        .run("openssl", line)
        .words("-addext keyUsage=critical,keyCertSign,cRLSign")
        .words("-addext basicConstraints=critical,CA:TRUE,pathlen:0")
        .succeeds();
    sandbox.signed_by_openssl("root", "inter0", "inter0", CA);
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "lint-failed",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: CN=root,O=Elsewhere allows 0 CAs below it, but this is number 1 (path_lengths_are_held, RFC 5280 6.1.4)
        "#]],
    );
}

#[test]
fn a_certificate_whose_names_the_root_excludes_is_refused() {
    let sandbox = Sandbox::with_request();
    sandbox.write(
        "root.cnf",
        "[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n[dn]\nO = Elsewhere\nCN = root\n\
         [ext]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\nnameConstraints = critical, excluded;dirName:excluded\n[excluded]\nCN = inter0\n",
    );
    sandbox
        .run(
            "openssl",
            "req -x509 -newkey rsa:2048 -nodes -days 99 -config root.cnf",
        )
        .words("-keyout root.key -out root.crt")
        .succeeds();
    sandbox.signed_by_openssl("root", "inter0", "inter0", CA);
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "install-path-invalid",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: CN=root,O=Elsewhere does not allow CN=inter0: dirname:CN=inter0 is in the excluded subtree dirname:CN=inter0
        "#]],
    );
}

#[test]
fn a_file_that_is_cut_or_is_something_else_is_refused() {
    let sandbox = Sandbox::answered(CA);
    let whole = sandbox.read("inter0.crt");
    sandbox.write("cut.crt", &whole[..whole.len() / 2]);
    sandbox.write("empty.crt", "");
    for file in [
        "cut.crt",
        "empty.crt",
        "inter0.csr",
        "root.key",
        "nowhere.crt",
    ] {
        for line in [
            format!("{file} --chain root.crt"),
            format!("inter0.crt --chain {file}"),
        ] {
            let before = sandbox.store_snapshot();
            let refused = sandbox.install(&line).ends_with(1);
            assert!(refused.stderr.contains(file), "{refused}");
            before.assert_unchanged(&sandbox.path("pki"));
        }
    }
    sandbox.install("inter0.crt --chain root.crt").succeeds();
}

#[test]
fn only_a_ca_that_waits_gets_a_certificate() {
    let sandbox = Sandbox::answered(CA);
    sandbox.refused(
        sandbox.pki("subordinate --name other --install inter0.crt --chain root.crt"),
        1,
        "ca-not-pending",
        expect![[r#"
            error: CA other is not pending
            hint: `pki subordinate --name other --request FILE` makes its key and a CSR
        "#]],
    );
    sandbox.install("inter0.crt --chain root.crt").succeeds();
    sandbox.refused(
        sandbox.install("inter0.crt --chain root.crt"),
        1,
        "ca-not-pending",
        expect![[r#"
            error: CA inter0 is not pending
            hint: its certificate is installed; `pki tree` shows which CAs are pending
        "#]],
    );
}

/// Both steps in one store: the parent has the record, and its revocation counts.
#[test]
fn a_request_may_be_signed_in_the_store_in_which_it_waits() {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "subordinate --name inter0 --request inter0.csr --no-passphrase",
        "subordinate --ca rootCA --csr inter0.csr --out inter0.crt",
    ] {
        sandbox.pki(line).succeeds();
    }
    let kept = sandbox.copy();
    sandbox.install("inter0.crt").succeeds();
    sandbox.inter0_works("pki/rootCA/ca.crt");

    kept.pki("revoke --ca rootCA --cn inter0").succeeds();
    kept.install("inter0.crt").refuses(
        1,
        "install-path-invalid",
        expect![[r#"
            error: inter0.crt cannot be installed as inter0
            caused by: CN=inter0 was revoked at [time] (unspecified), serial [serial]
        "#]],
    );
}

crate::engine::also_in_a_database! {
    a_request_may_be_signed_in_the_store_in_which_it_waits,
    what_openssl_x509_made_of_the_request_is_installed, what_openssl_ca_made_of_the_request_is_installed,
    der_and_a_chain_in_one_file_and_standard_input_are_taken,
    the_cas_above_come_in_once_under_names_of_their_own,
    a_certificate_that_breaks_rules_installs_with_a_notice, a_certificate_for_another_key_is_refused,
    a_certificate_about_another_subject_is_refused, a_certificate_without_its_own_chain_is_refused,
    a_path_that_does_not_reach_a_root_is_refused, a_certificate_that_was_tampered_with_is_refused,
    a_certificate_that_is_not_valid_now_is_refused, a_certificate_outside_of_what_the_root_allows_is_refused,
    a_certificate_whose_names_the_root_excludes_is_refused,
    a_file_that_is_cut_or_is_something_else_is_refused, only_a_ca_that_waits_gets_a_certificate,
}

crate::engine::soak_in_a_database! {
    a_certificate_that_is_not_that_of_a_ca_is_refused,
}
