//! CAs whose parents are on other machines: two stores that exchange nothing but files, and openssl as
//! the CA above or below.

mod install;
mod odd;
mod waiting;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;
use serde_json::json;

use crate::normalise::normalised;
use crate::run::{assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

/// What a CA's certificate needs, as openssl's extension files write it.
const CA: &str = "basicConstraints = critical, CA:TRUE\n\
                  keyUsage = critical, keyCertSign, cRLSign\n\
                  subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n";

impl Sandbox {
    /// A store with nothing but `inter0`, which waits; its request is `inter0.csr`.
    fn with_request() -> Self {
        let sandbox = Self::new();
        sandbox
            .pki("subordinate --name inter0 --request inter0.csr --no-passphrase")
            .succeeds();
        sandbox
    }

    /// `NAME.key` and `NAME.crt`: a root made by openssl, with these extensions beside those of a CA.
    fn foreign_root(&self, name: &str, extensions: &[&str]) {
        let added = extensions.iter().map(|text| format!(" -addext {text}"));
        self.run("openssl", "req -x509 -newkey ec -nodes -days 3650")
            .words("-pkeyopt ec_paramgen_curve:P-256 -addext keyUsage=critical,keyCertSign,cRLSign")
            .words(&format!("-keyout {name}.key -out {name}.crt"))
            .words(&added.collect::<String>())
            .arg("-subj")
            .arg(format!("/O=Elsewhere/CN={name}"))
            .succeeds();
    }

    /// `OUT.crt`, of `REQUEST.csr`, by `openssl x509 -req` with these extensions.
    fn signed_by_openssl(&self, root: &str, request: &str, out: &str, extensions: &str) {
        self.write("extensions.cnf", extensions);
        self.run("openssl", "x509 -req -days 1000 -extfile extensions.cnf")
            .words(&format!(
                "-in {request}.csr -CA {root}.crt -CAkey {root}.key"
            ))
            .words(&format!("-out {out}.crt"))
            .succeeds();
    }

    /// Whether openssl takes a certificate, by the letter of RFC 5280.
    #[track_caller]
    fn openssl_verifies(&self, root: &str, untrusted: &str, file: &str) {
        self.run("openssl", "verify -x509_strict -purpose sslclient")
            .words(&format!("-CAfile {root} -untrusted {untrusted} {file}"))
            .succeeds();
    }

    /// Carries a file to another machine.
    fn carry(&self, file: &str, to: &Self) {
        fs::copy(self.path(file), to.path(file)).unwrap();
    }

    fn mode(&self, file: &str) -> u32 {
        let metadata = fs::metadata(self.path(file)).unwrap();
        metadata.permissions().mode() & 0o777
    }
}

/// The root's machine and that of the CA below, after request, signature and installation.
fn two_machines() -> (Sandbox, Sandbox) {
    let (above, below) = (Sandbox::new(), Sandbox::new());
    above
        .with_passphrase(
            "root --name rootCA --path-len 1 --crl-url http://pki.example.test/root.crl",
        )
        .succeeds();
    below
        .with_passphrase("subordinate --name inter0 --request inter0.csr")
        .words("--crl-url http://pki.example.test/inter0.crl")
        .succeeds();
    below.carry("inter0.csr", &above);
    above
        .with_passphrase("subordinate --ca rootCA --csr inter0.csr --out inter0.crt")
        .succeeds();
    above.pki("bundle --out chain.pem").succeeds();
    above.carry("inter0.crt", &below);
    above.carry("chain.pem", &below);
    below
        .pki("subordinate --name inter0 --install inter0.crt --chain chain.pem")
        .succeeds();
    (above, below)
}

#[test]
fn what_each_machine_says_on_the_way() {
    let (above, below) = (Sandbox::new(), Sandbox::new());
    above.with_passphrase("root --name rootCA").succeeds();
    let request = "subordinate --name inter0 --request inter0.csr --subject /O=Example/CN=Issuing";
    let requested = below.with_passphrase(request).succeeds();
    assert_text(
        &normalised(&requested.stdout),
        expect![[r#"
            CA inter0 is pending: its certificate is not installed yet
              subject   CN=Issuing,O=Example
              key type  p256
              request   inter0.csr
        "#]],
    );
    below.carry("inter0.csr", &above);
    let signed = above
        .with_passphrase("subordinate --ca rootCA --csr inter0.csr --out inter0.crt --path-len 0")
        .succeeds();
    assert_same(&signed.stderr, "");
    assert_same(
        &normalised(&signed.stdout),
        "signed the certificate of a CA
  issuer       rootCA
  subject      CN=Issuing,O=Example
  serial       [serial]
  key type     p256
  path length  0
  expires      [time]
  certificate  inter0.crt
",
    );
    let listed = above.pki("list --ca rootCA").succeeds();
    assert!(listed.stdout.contains(" subordinate "), "{listed}");
    let tree = above.pki("tree").succeeds();
    assert_eq!(tree.stdout.lines().count(), 1, "{tree}");

    above.carry("inter0.crt", &below);
    fs::copy(above.path("pki/rootCA/ca.crt"), below.path("root.crt")).unwrap();
    let installed = below
        .pki("subordinate --name inter0 --install inter0.crt --chain root.crt")
        .succeeds();
    assert_same(&installed.stderr, "");
    assert_text(
        &normalised(&installed.stdout),
        expect![[r#"
            installed the certificate of inter0
              issuer        rootCA
              subject       CN=Issuing,O=Example
              serial        [serial]
              key type      p256
              path length   0
              expires       [time]
              certificate   ./pki/inter0/ca.crt
              added         rootCA, without keys
              root SHA-256  [fingerprint]
        "#]],
    );
    let tree = below.pki("tree").succeeds();
    assert_text(
        &normalised(&tree.stdout),
        expect![[r#"
            rootCA  CN=rootCA  (p256, until [time], key not in this store)
            └─ inter0  CN=Issuing,O=Example  (p256, until [time], path length 0)
        "#]],
    );
    assert!(!below.path("pki/.waiting-inter0").exists());
}

#[test]
fn what_a_ca_issues_whose_root_is_elsewhere_is_taken_by_openssl() {
    let (above, below) = two_machines();
    below
        .with_passphrase("issue --ca inter0 --cn localclient --out out --no-passphrase")
        .succeeds();
    let root = above.path("pki/rootCA/ca.crt");
    let root = root.to_str().unwrap();
    below.openssl_verifies(root, "pki/inter0/ca.crt", "out/localclient.crt");
    let leaf = below
        .run("openssl", "x509 -noout -text -in out/localclient.crt")
        .succeeds();
    let url = "URI:http://pki.example.test/inter0.crl";
    assert!(leaf.stdout.contains(url), "{leaf}");
    let ca = below
        .run("openssl", "x509 -noout -text -in pki/inter0/ca.crt")
        .succeeds();
    for part in [
        "CA:TRUE, pathlen:0",
        "Certificate Sign, CRL Sign",
        "URI:http://pki.example.test/root.crl",
    ] {
        assert!(ca.stdout.contains(part), "no {part}: {ca}");
    }
    assert_eq!(below.mode("pki/inter0/ca.key"), 0o600);
    let key = below
        .run("openssl", "pkey -noout -in pki/inter0/ca.key -passin")
        .arg(format!("pass:{PASSPHRASE}"));
    key.succeeds();
}

#[test]
fn the_request_is_what_openssl_takes_for_that_of_a_ca() {
    let sandbox = Sandbox::with_request();
    let text = sandbox
        .run("openssl", "req -verify -noout -text -in inter0.csr")
        .succeeds();
    for part in [
        "Subject: CN = inter0",
        "X509v3 Basic Constraints: critical\n                    CA:TRUE\n",
        "X509v3 Key Usage: critical\n                    Certificate Sign, CRL Sign\n",
        "X509v3 Subject Key Identifier: ",
    ] {
        assert!(text.stdout.contains(part), "no {part}: {text}");
    }
    assert!(text.stderr.contains("verify OK"), "{text}");
}

/// openssl below: it asks, and issues with what it got.
#[test]
fn a_request_that_openssl_made_is_signed_as_that_of_a_ca() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -keyout their.key",
        )
        .words("-subj /O=Theirs/CN=their-ca -out their.csr")
        .succeeds();
    let signed = sandbox
        .pki("subordinate --ca rootCA --csr their.csr --out their.crt --days 30")
        .words("--permit dns:example.test --path-len 0")
        .succeeds();
    assert_same(&signed.stderr, "");
    sandbox.write("leaf.cnf", "extendedKeyUsage = clientAuth\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\nsubjectAltName = DNS:a.example.test\n");
    for line in [
        "req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf -out leaf.csr",
        "x509 -req -in leaf.csr -CA their.crt -CAkey their.key -extfile leaf.cnf -out leaf.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    sandbox.openssl_verifies("pki/rootCA/ca.crt", "their.crt", "leaf.crt");
    assert_eq!(
        sandbox.names_in("pki"),
        ["intermediate0", "lock", "rootCA", "store.json"]
    );
    let listed = sandbox.pki("--format json list --cn their-ca").succeeds();
    assert_eq!(listed.json()[0]["profile"], "subordinate");
    // It is revoked by whoever signed it, like any other.
    sandbox
        .pki("revoke --ca rootCA --cert their.crt --reason cACompromise")
        .succeeds();
}

#[test]
fn without_a_file_the_certificate_goes_to_standard_output() {
    let (above, below) = (Sandbox::with_open_ca(), Sandbox::with_request());
    below.carry("inter0.csr", &above);
    for line in [
        "subordinate --ca rootCA --csr inter0.csr",
        "subordinate --ca rootCA --csr inter0.csr --out -",
    ] {
        let signed = above.pki(line).succeeds();
        let subject = above
            .run("openssl", "x509 -noout -subject")
            .stdin(signed.stdout.as_str())
            .succeeds();
        assert_eq!(subject.stdout, "subject=CN = inter0\n");
    }
    let requested = below
        .pki("subordinate --name inter0 --request -")
        .succeeds();
    assert_same(&requested.stdout, &below.read("inter0.csr"));
}

#[test]
fn extensions_of_a_csr_for_a_ca_are_ignored_with_a_notice() {
    let sandbox = Sandbox::with_csrs();
    let signed = sandbox
        .pki("subordinate --ca rootCA --csr csrs/greedy-all.csr --out greedy.crt --days 9")
        .succeeds();
    assert_text(
        &normalised(&signed.stderr),
        expect![[r#"
            notice: the CSR also requests basicConstraints, extKeyUsage, nameConstraints, certificatePolicies, subjectKeyIdentifier, 1.3.6.1.4.1.99999.1, which is ignored
        "#]],
    );
    sandbox
        .pki("subordinate --ca rootCA --csr csrs/plain.csr --out plain.crt --days 9")
        .succeeds();
    let extensions = |file: &str| {
        let options = "no_serial,no_validity,no_sigdump,no_pubkey,no_subject";
        let line = format!("x509 -noout -text -certopt {options} -in {file}");
        let printed = sandbox.run("openssl", &line).succeeds().stdout;
        let lines = printed
            .lines()
            .filter(|line| !line.contains(':') || !line.contains("Subject"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let kinds = |file: &str| {
        let all = extensions(file).into_iter();
        all.filter(|line| line.contains("X509v3"))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("greedy.crt"), kinds("plain.crt"));
}

#[test]
fn weak_keys_and_names_that_no_ca_may_have_are_refused() {
    let sandbox = Sandbox::with_csrs();
    let mut said = String::new();
    for weak in ["rsa-exponent-1", "rsa-exponent-3", "rsa-roca"] {
        let run = sandbox.pki("subordinate --ca rootCA --csr");
        let run = run.arg(format!("csrs/{weak}.csr"));
        said += &sandbox.refusal(run, 1, "key-weak");
    }
    assert_text(
        &said,
        expect![[r#"
            error: csrs/rsa-exponent-1.csr is not a CSR that can be used
            caused by: the public key is weak: the RSA public exponent is 1, below 65537
            error: csrs/rsa-exponent-3.csr is not a CSR that can be used
            caused by: the public key is weak: the RSA public exponent is 3, below 65537
            error: csrs/rsa-roca.csr is not a CSR that can be used
            caused by: the public key is weak: the RSA key has the ROCA fingerprint (CVE-2017-15361)
        "#]],
    );
    let ask = |name: &str| {
        let line = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout their.key";
        sandbox
            .run("openssl", line)
            .words(&format!("-out their.csr -subj {name}"))
            .succeeds();
        sandbox.pki("subordinate --ca rootCA --csr their.csr --out their.crt")
    };
    sandbox.refused(
        ask("/CN=rootCA"),
        1,
        "subject-of-ca",
        expect![[r#"
            error: the subject CN=rootCA belongs to the CA rootCA
            hint: use another subject: --cn or --subject
        "#]],
    );
    sandbox.refused(
        ask("/"),
        1,
        "lint-failed",
        expect![[r#"
            error: the certificate fails lint
            caused by: a CA has no subject (subject_of_a_ca_is_not_empty, RFC 5280 4.1.2.6); neither a subject nor a SAN is given (alternative_names_stand_in_for_an_empty_subject, RFC 5280 4.2.1.6)
        "#]],
    );
    assert!(!sandbox.path("their.crt").exists());
}

#[test]
fn what_the_ca_above_does_not_allow_is_not_signed() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --path-len 1 --permit dns:example.test --days 100",
        "subordinate --ca rootCA --name lowest --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let asker = Sandbox::with_request();
    asker.carry("inter0.csr", &sandbox);
    let sign = |options: &str| {
        sandbox
            .pki("subordinate --csr inter0.csr --out inter0.crt")
            .words(options)
    };
    sandbox.refused(
        sign("--ca lowest"),
        1,
        "ca-unusable",
        expect![[r#"
            error: lowest cannot sign this: its path length is 0: no CA is allowed below it
        "#]],
    );
    sandbox.refused(
        sign("--ca rootCA --path-len 1"),
        1,
        "path-length-exceeded",
        expect![[r#"
            error: rootCA allows at most 1 CAs below it, so the new one can't have path length 1
            hint: use --path-len 0 or less, or another parent than rootCA
        "#]],
    );
    sandbox.refused(
        sign("--ca rootCA --days 101"),
        1,
        "invalid-validity",
        expect![[r#"
            error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
            hint: choose other times with --days, --not-before or --not-after
        "#]],
    );
    sandbox.write("inter0.crt", "mine");
    sandbox.refused(
        sign("--ca rootCA"),
        1,
        "file-exists",
        expect![[r#"
            error: could not create inter0.crt
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    sign("--ca rootCA --force").succeeds();
}

#[test]
fn json_of_the_three_steps() {
    let (above, below) = (Sandbox::with_open_ca(), Sandbox::new());
    let requested = below
        .pki("--format json subordinate --name inter0 --request inter0.csr --no-passphrase")
        .succeeds()
        .json();
    assert_eq!(
        requested,
        json!({"ca": "inter0", "subject": "CN=inter0", "key_type": "p256", "request": "inter0.csr"})
    );
    let tree = below.pki("--format json tree").succeeds().json();
    assert_eq!(
        tree,
        json!([{
            "ca": "inter0", "subject": "CN=inter0", "not_before": null, "not_after": null, "key_type": "p256",
            "key_here": true, "path_length": null, "status": "waiting", "fixture": false, "subordinates": [],
        }])
    );
    below.carry("inter0.csr", &above);
    let signed = above
        .pki("--format json subordinate --ca rootCA --csr inter0.csr --out inter0.crt")
        .succeeds()
        .json();
    assert_eq!(signed["ca"], json!(null));
    assert_eq!(signed["parent"], "rootCA");
    assert_eq!(signed["certificate"], "inter0.crt");
    above.carry("inter0.crt", &below);
    fs::copy(above.path("pki/rootCA/ca.crt"), below.path("root.crt")).unwrap();
    let installed = below
        .pki("--format json subordinate --name inter0 --install inter0.crt --chain root.crt")
        .succeeds()
        .json();
    assert_eq!(installed["ca"], "inter0");
    assert_eq!(installed["added"], json!(["rootCA"]));
    for field in [
        "subject",
        "serial",
        "not_after",
        "fingerprint_sha256",
        "key_type",
    ] {
        assert_eq!(installed[field], signed[field], "{field}");
    }
}

#[test]
fn a_ca_whose_key_is_elsewhere_signs_and_revokes_nothing_here() {
    let (_, below) = two_machines();
    let mut said = BTreeSet::new();
    for line in [
        "issue --ca rootCA --cn x",
        "subordinate --ca rootCA --name other --no-passphrase",
        "subordinate --ca rootCA --csr inter0.csr",
        "export --ca rootCA --out out --key --no-passphrase",
        "revoke --ca rootCA --cert inter0.crt",
    ] {
        said.insert(below.refusal(below.pki(line), 1, "key-not-in-store"));
    }
    // This one makes the directory of the CRLs.
    said.insert(below.pki("crl --ca rootCA").refusal(1, "key-not-in-store"));
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: the key of rootCA is not in the store
            hint: run the command on the machine with the key, or restore ca.key in the CA's directory
        "#]],
    );
    for file in ["issued", "revoked", "crls"] {
        let journal = below.read(format!("pki/rootCA/{file}.jsonl"));
        assert_eq!(journal.lines().count(), 1, "{journal}");
    }
    let bundle = below.pki("--format json bundle").succeeds().json();
    assert_eq!(bundle["certificates"][1]["subject"], "CN=rootCA");
    below.pki("export --ca inter0 --out ca").succeeds();
    assert_eq!(
        below.names_in("ca"),
        ["inter0.chain.pem", "inter0.crt", "inter0.fullchain.pem"]
    );
}

/// The root's list comes the way the certificate came.
#[test]
fn the_list_of_the_root_takes_its_place_in_the_chain() {
    let (above, below) = two_machines();
    let without = below.with_passphrase("crl --chain").ends_with(4);
    assert_text(
        &without.stderr,
        expect![[r#"
            error: the new CRL is committed to the store, but a later step failed
            caused by: CRL of rootCA not found at ./pki/crl/rootCA.crl
            hint: `pki crl --chain --if-needed` writes the chain file once the other CRLs exist
        "#]],
    );
    let missing = below.pki("crl --check").ends_with(3);
    let line = "rootCA: missing: no CRL of this CA at ./pki/crl/rootCA.crl\n";
    assert!(missing.stdout.ends_with(line), "{missing}");

    above.with_passphrase("crl --days 90").succeeds();
    above.carry("pki/crl/rootCA.crl", &below);
    below.pki("crl --chain --if-needed").succeeds();
    let chain = below.read("pki/crl/inter0.chain.crl.pem");
    assert_eq!(chain.matches("BEGIN X509 CRL").count(), 2);
    let checked = below.pki("crl --check").succeeds();
    assert_text(
        &normalised(&checked.stdout),
        expect![[r#"
            inter0: fresh until [time]
            rootCA: fresh until [time]
        "#]],
    );

    // What is not its list is none, whoever put it there.
    fs::copy(
        below.path("pki/crl/inter0.crl"),
        below.path("pki/crl/rootCA.crl"),
    )
    .unwrap();
    let checked = below.pki("crl --check --ca rootCA").ends_with(3);
    assert_text(
        &normalised(&checked.stdout),
        expect![[r#"
            rootCA: missing: no CRL of this CA at ./pki/crl/rootCA.crl
        "#]],
    );
}

/// The store knows nothing of what was revoked on the other machine, and does not say that it does.
#[test]
fn a_revocation_on_the_root_s_machine_shows_with_its_list() {
    let (above, below) = two_machines();
    below
        .with_passphrase("issue --ca inter0 --cn leaf --out out --no-passphrase")
        .succeeds();
    let verified = below.pki("verify out/leaf.crt").succeeds();
    assert_text(
        &normalised(&verified.stdout),
        expect![[r#"
            valid: CN=leaf, by inter0, rootCA
              expires                    [time]
              not revoked, by the store  CN=leaf
              revocation not checked     CN=inter0
        "#]],
    );
    above
        .pki("revoke --ca rootCA --cert inter0.crt --reason cACompromise")
        .succeeds();
    above.with_passphrase("crl").succeeds();
    below.with_passphrase("crl").succeeds();
    above.carry("pki/crl/rootCA.crl", &below);
    let refused = below
        .pki("verify out/leaf.crt --crl pki/crl/inter0.crl --crl pki/crl/rootCA.crl")
        .ends_with(3);
    assert_text(
        &normalised(&refused.stdout),
        expect![[r#"
            not valid: CN=inter0 was revoked at [time] (cACompromise), serial [serial]
        "#]],
    );
}

crate::engine::also_in_a_database! {
    what_each_machine_says_on_the_way, the_request_is_what_openssl_takes_for_that_of_a_ca,
    without_a_file_the_certificate_goes_to_standard_output,
    extensions_of_a_csr_for_a_ca_are_ignored_with_a_notice,
    weak_keys_and_names_that_no_ca_may_have_are_refused, what_the_ca_above_does_not_allow_is_not_signed,
    json_of_the_three_steps, the_list_of_the_root_takes_its_place_in_the_chain,
}

crate::engine::soak_in_a_database! {
    what_a_ca_issues_whose_root_is_elsewhere_is_taken_by_openssl,
    a_ca_whose_key_is_elsewhere_signs_and_revokes_nothing_here,
    a_revocation_on_the_root_s_machine_shows_with_its_list,
}
