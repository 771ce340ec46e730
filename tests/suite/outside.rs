//! Keys outside the store, in a helper that `tests/key_helper` has: its keys are PEM files, so that openssl judges
//! what they sign.

mod faults;
mod moved;
mod secrets;
mod softhsm;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::{Sandbox, repository};

const PIN: &str = "file:pin";

/// Passphrase of keys of leaves.
const LEAF: &str = "the leaves' own";

impl Sandbox {
    /// With a helper for keys `test:NAME`, which needs a PIN.
    pub(crate) fn with_helper() -> Self {
        let sandbox = Self::new();
        let python = repository("target/test-tools/venv/bin/python");
        let helper = repository("tests/key_helper/helper.py");
        let script = format!(
            "#!/bin/sh\nexec '{}' '{}'\n",
            python.display(),
            helper.display()
        );
        sandbox.write("helpers/pki-key-test", script);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(sandbox.path("helpers/pki-key-test"), mode).unwrap();
        sandbox.write("keys/pin", "1234 5678\n");
        sandbox.write("pin", "1234 5678\n");
        sandbox.write("wrong.pin", "0000 0000\n");
        sandbox.write("leaf.pass", format!("{LEAF}\n"));
        sandbox
    }

    /// `pki` with the helper.
    pub(crate) fn outside(&self, line: &str) -> Run {
        self.pki(line)
            .env("PKI_KEY_HELPERS", self.path("helpers"))
            .env("KEY_HELPER_KEYS", self.path("keys"))
    }

    /// With a root and an intermediate CA whose keys are outside.
    fn with_cas_outside() -> Self {
        let sandbox = Self::with_helper();
        let root = "root --name rootCA --key-uri test:root --passin file:pin";
        sandbox.outside(root).succeeds();
        let below = "subordinate --ca rootCA --name intermediate0 --key-uri test:below";
        sandbox.outside(below).words("--passin file:pin").succeeds();
        sandbox
    }

    fn verified(&self, leaf: &str) {
        self.run("openssl", "verify -x509_strict -CAfile pki/rootCA/ca.crt")
            .words("-untrusted pki/intermediate0/ca.crt")
            .arg(leaf)
            .succeeds();
    }
}

#[test]
fn every_command_that_signs_works_with_keys_outside() {
    let sandbox = Sandbox::with_cas_outside();
    sandbox.write("rows.csv", "cn,profile\na,client\nb.example.test,server\n");
    for line in [
        "issue --ca intermediate0 --cn c --out out --passout file:leaf.pass",
        "issue --ca intermediate0 --from rows.csv --out out --no-passphrase",
        "renew --ca intermediate0 --cn a --out out --force --no-passphrase",
        "crl --to-pem --chain",
        "crl --ca intermediate0 --ahead 2 --every 30d",
        "ca renew --ca rootCA",
        "ca renew --ca intermediate0",
        "ca rekey --ca rootCA --name rootB --key-uri test:b",
        "ca rekey --ca intermediate0 --name intermediate1 --key-uri test:below1",
        "subordinate --name away --request away.csr --key-uri test:away",
        "subordinate --ca rootCA --csr away.csr --out away.crt",
        "root --name old --key-type p384 --key-uri test:old",
        "ca rekey --ca old --name new --key-uri test:new",
    ] {
        sandbox.outside(line).arg("--passin").arg(PIN).succeeds();
    }
    sandbox
        .outside("subordinate --name away --install away.crt")
        .succeeds();
    sandbox
        .outside("issue --ca away --cn d --passin file:pin --no-passphrase")
        .succeeds();
    for leaf in ["out/a.crt", "out/c.crt", "out/b.example.test.crt"] {
        sandbox.verified(leaf);
    }
    for ca in ["rootCA", "intermediate0"] {
        let crl = format!("crl -noout -verify -in pki/crl/{ca}.crl -CAfile pki/{ca}/ca.crt");
        sandbox.run("openssl", &crl).succeeds();
    }
    sandbox.outside("check").succeeds();
    assert_eq!(sandbox.read("pki/store.json"), "{\"format\":5}\n");
    let new = sandbox.outside("show --ca new --format json").succeeds();
    assert_eq!(new.json()["subject_public_key_info"]["algorithm"], "p384");
}

#[test]
fn every_type_of_key_signs_certificates_and_crls() {
    let sandbox = Sandbox::with_helper();
    let kinds = [
        "p256",
        "p384",
        "p521",
        "ed25519",
        "rsa2048",
        "ml-dsa-44",
        "ml-dsa-65",
        "ml-dsa-87",
    ];
    for kind in kinds {
        let root = format!("root --name {kind} --key-type {kind} --key-uri test:{kind}");
        sandbox.outside(&root).arg("--passin").arg(PIN).succeeds();
        let crl = format!("crl --ca {kind}");
        sandbox.outside(&crl).arg("--passin").arg(PIN).succeeds();
    }
    // openssl of Debian 12 knows no ML-DSA: pyca signs in the helper, and `pki` verifies.
    let signed = sandbox.read("keys/signed");
    for (kind, algorithm) in [
        ("p256", "ecdsa-sha256"),
        ("p384", "ecdsa-sha384"),
        ("p521", "ecdsa-sha512"),
        ("ed25519", "ed25519"),
        ("rsa2048", "rsa-pkcs1-sha256"),
        ("ml-dsa-44", "ml-dsa-44"),
        ("ml-dsa-65", "ml-dsa-65"),
        ("ml-dsa-87", "ml-dsa-87"),
    ] {
        let lines = signed.lines();
        let of_key = lines.filter(|line| *line == format!("{kind} {algorithm}"));
        assert_eq!(of_key.count(), 2, "{kind}: {signed}");
    }
    for kind in &kinds[..5] {
        let own = format!("verify -CAfile pki/{kind}/ca.crt pki/{kind}/ca.crt");
        sandbox.run("openssl", &own).succeeds();
    }
}

#[test]
fn a_key_that_is_there_is_taken_unless_its_type_is_another() {
    let sandbox = Sandbox::with_helper();
    sandbox
        .run("openssl", "genpkey -algorithm EC -out keys/there.pem")
        .words("-pkeyopt ec_paramgen_curve:P-384")
        .succeeds();
    let root = "root --name rootCA --key-uri test:there --passin file:pin";
    let other = sandbox.outside(root).words("--key-type p256");
    other.refuses(
        1,
        "key-type-mismatch",
        expect![[r#"
            error: the key test:there is of type p384, not p256
            hint: leave out --key-type to take the key, or give the URI of a key that is not there yet
        "#]],
    );
    assert!(!sandbox.path("pki").exists());
    let made = sandbox.outside(root).succeeds();
    let same = "root --name other --key-uri test:there --passin file:pin";
    sandbox.refused(sandbox.outside(same), 1, "key-of-other-ca", expect![[r#"
        error: the key is that of rootCA
        hint: give the URI of a key that is not there yet; `pki ca renew` gives a CA another certificate
    "#]]);
    assert_text(
        &made.stderr,
        expect![[r#"
            notice: the key test:there was there; the new CA has it
        "#]],
    );
}

/// The CA has no passphrase that could protect them.
#[test]
fn keys_of_leaves_have_passphrases_of_their_own() {
    let sandbox = Sandbox::with_cas_outside();
    let issue = "issue --ca intermediate0 --passin file:pin";
    sandbox
        .outside(issue)
        .words("--cn a --passout file:leaf.pass")
        .succeeds();
    sandbox
        .outside(issue)
        .words("--cn b --no-passphrase")
        .succeeds();
    let run = sandbox.outside(issue).words("--cn c");
    sandbox.refused(
        run,
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of c
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout, or use --no-passphrase
        "#]],
    );
    // A successor's key stays under the passphrase of the one before; the PIN is another secret.
    let renew = "renew --ca intermediate0 --cn a --rekey --passin intermediate0=file:pin";
    sandbox
        .outside(renew)
        .words("--passin file:leaf.pass")
        .succeeds();
    let run = sandbox.outside("export --ca intermediate0 --cn a --out out");
    let run = run.words("--passin file:pin --no-passphrase");
    sandbox.refusal(run, 1, "passphrase-wrong");
    let export = "export --ca intermediate0 --cn a --out out --passin file:leaf.pass";
    sandbox.outside(export).words("--no-passphrase").succeeds();
    sandbox
        .outside("export --ca intermediate0 --cn b --out out --no-passphrase")
        .succeeds();
    sandbox
        .run("openssl", "pkey -noout -in out/a.key")
        .succeeds();
    sandbox.verified("out/a.crt");
    sandbox.outside("check").succeeds();
}

#[test]
fn reports_say_where_the_key_is() {
    let sandbox = Sandbox::with_cas_outside();
    let mut said = String::new();
    for line in [
        "tree",
        "check",
        "check --passin file:pin",
        "check --passin file:wrong.pin",
        "backup away.tar",
        "export --ca rootCA --key --out out --no-passphrase",
        "passphrase --ca rootCA",
    ] {
        let run = sandbox.outside(line).finish();
        write!(said, "$ pki {line}\n{}{}", run.stdout, run.stderr).unwrap();
    }
    let shown = sandbox.outside("show --ca rootCA --format json").succeeds();
    let shown = shown.json();
    writeln!(said, "{} {}", shown["key"], shown["key_uri"]).unwrap();
    let tree = sandbox.outside("tree --format json").succeeds().json();
    writeln!(said, "{} {}", tree[0]["key_here"], tree[0]["key_uri"]).unwrap();
    assert_text(
        &normalised(&said),
        expect![[r#"
            $ pki tree
            rootCA  CN=rootCA  (p256, until [time], key test:root)
            └─ intermediate0  CN=intermediate0  (p256, until [time], key test:below)
            $ pki check
            intermediate0
              notice: key-outside  the key of intermediate0 is outside the store: test:below
            rootCA
              notice: key-outside  the key of rootCA is outside the store: test:root
            store ok: 2 CAs, 2 certificates, 0 revoked
            $ pki check --passin file:pin
            intermediate0
              notice: key-outside  the key of intermediate0 is outside the store: test:below, and is that of its certificate
            rootCA
              notice: key-outside  the key of rootCA is outside the store: test:root, and is that of its certificate
            store ok: 2 CAs, 2 certificates, 0 revoked
            $ pki check --passin file:wrong.pin
            intermediate0
              notice: key-not-opened  the key of intermediate0 (test:below) was not opened: pki-key-test: the PIN is wrong
            rootCA
              notice: key-not-opened  the key of rootCA (test:root) was not opened: pki-key-test: the PIN is wrong
            store ok: 2 CAs, 2 certificates, 0 revoked
            $ pki backup away.tar
            backed up 2 CAs to away.tar, 25600 bytes in 15 files
              intermediate0  0 certificates
              rootCA         2 certificates
            notice: the key of intermediate0 is outside the store, so it is not in the backup: test:below
            notice: the key of rootCA is outside the store, so it is not in the backup: test:root
            $ pki export --ca rootCA --key --out out --no-passphrase
            error: the key of rootCA is outside the store: test:root
            hint: use the tools of the token or service that has the key
            $ pki passphrase --ca rootCA
            error: the key of rootCA is outside the store: test:root
            hint: use the tools of the token or service that has the key
            "outside the store" "test:root"
            true "test:root"
        "#]],
    );
}

#[test]
fn a_declaration_makes_cas_with_keys_outside() {
    let sandbox = Sandbox::with_helper();
    let declaration = "[ca.rootCA]\nkey_uri = \"test:root\"\n[ca.intermediate0]\nparent = \"rootCA\"\n\
                       key_uri = \"test:below\"\nkey_type = \"p384\"\n[certificate.a]\nca = \"intermediate0\"\n";
    sandbox.write("pki.toml", declaration);
    let apply = "apply pki.toml --passin file:pin --passout file:leaf.pass";
    sandbox.outside(apply).succeeds();
    let again = sandbox.outside("apply pki.toml --format json").succeeds();
    let changes = again.json();
    assert!(!changes.to_string().contains("\"issue\""), "{changes}");
    sandbox.write("pki.toml", declaration.replace("test:below", "test:other"));
    let run = sandbox.outside("apply pki.toml");
    sandbox.refused(run, 1, "ca-differs", expect![[r#"
        error: CAs of the store differ from the file: intermediate0: key_uri is test:below, but test:other in the file
        hint: a CA can't change: restore its entry in the file, or give the new CA another name
    "#]]);
    sandbox.write(
        "pki.toml",
        declaration.replace("test:below", "pkcs11:object=a?pin-value=1"),
    );
    let run = sandbox.outside("apply pki.toml");
    let said = sandbox.refusal(run, 1, "invalid-row");
    assert!(!said.contains("pin-value=1"), "{said}");
}

#[test]
fn options_about_keys_outside_are_refused_beside_others() {
    let sandbox = Sandbox::with_helper();
    for line in [
        "root --name r --key-uri test:r --passout file:leaf.pass",
        "root --name r --key-uri test:r --no-passphrase",
        "root --name r --passin file:pin",
        "root --name r --key-uri test",
        "root --name r --key-uri pkcs11:object=a?pin-source=file:pin",
        "subordinate --name r --request r.csr --passin file:pin --no-passphrase",
    ] {
        sandbox.outside(line).refusal(2, "usage");
    }
    assert!(!sandbox.path("pki").exists());
}

crate::engine::also_in_a_database! {
    a_key_that_is_there_is_taken_unless_its_type_is_another, reports_say_where_the_key_is,
    a_declaration_makes_cas_with_keys_outside,
}

crate::engine::soak_in_a_database! {
    every_command_that_signs_works_with_keys_outside, every_type_of_key_signs_certificates_and_crls,
    keys_of_leaves_have_passphrases_of_their_own,
}
