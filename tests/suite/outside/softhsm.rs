//! Keys in PKCS #11 tokens of SoftHSM, by `pki-key-pkcs11`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::run::Run;
use crate::sandbox::Sandbox;

/// System calls of the helper from one kill to the next, but for those that write; `make soak` kills at each.
const STRIDE: usize = 12;

impl Sandbox {
    /// With two tokens, `root` and `below`, each with a PIN of its own.
    fn with_tokens() -> Self {
        let sandbox = Self::new();
        sandbox.write("tokens/.keep", "");
        let directory = sandbox.path("tokens");
        sandbox.write(
            "softhsm2.conf",
            format!("directories.tokendir = {}\n", directory.display()),
        );
        for (token, pin) in [("root", "1234"), ("below", "4321")] {
            sandbox.write(&format!("{token}.pin"), format!("{pin}\n"));
            let label = format!("--init-token --free --so-pin 5678 --label {token} --pin {pin}");
            sandbox
                .run("softhsm2-util", &label)
                .env("SOFTHSM2_CONF", sandbox.path("softhsm2.conf"))
                .succeeds();
        }
        sandbox
    }

    /// `pki` with the helper, and the PINs of both CAs.
    pub(crate) fn token(&self, line: &str) -> Run {
        self.with_module(self.pki(line))
    }

    fn with_module(&self, run: Run) -> Run {
        let programs = Path::new(env!("CARGO_BIN_EXE_pki")).parent().unwrap();
        run.env("PKI_KEY_HELPERS", programs)
            .env("PKI_PKCS11_MODULE", "/usr/lib/softhsm/libsofthsm2.so")
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
            .env("PKI_PASSPHRASE_FILE_ROOTCA", "root.pin")
            .env("PKI_PASSPHRASE_FILE_INTERMEDIATE0", "below.pin")
    }

    pub(crate) fn with_cas_in_tokens() -> Self {
        let sandbox = Self::with_tokens();
        for line in [
            "root --name rootCA --key-uri pkcs11:token=root;object=rootCA",
            "subordinate --ca rootCA --name intermediate0 --key-uri pkcs11:token=below;object=int0",
        ] {
            sandbox.token(line).succeeds();
        }
        sandbox
    }

    /// openssl and GnuTLS accept a leaf, and openssl the CRLs above it.
    fn accepted(&self, leaf: &str) {
        self.verified(leaf);
        let chain = self.read(leaf) + &self.read("pki/intermediate0/ca.crt");
        self.write("chain.pem", chain);
        let line = "--verify --load-ca-certificate pki/rootCA/ca.crt --infile chain.pem";
        let judged = self.run("certtool", line).succeeds();
        let verified = "Chain verification output: Verified.";
        assert!(judged.stdout.contains(verified), "{judged}");
    }
}

#[test]
fn a_hierarchy_has_its_keys_in_two_tokens() {
    let sandbox = Sandbox::with_cas_in_tokens();
    for line in [
        "issue --ca intermediate0 --cn a --out out --no-passphrase",
        "issue --ca intermediate0 --profile server --cn www.example.test --out out --no-passphrase",
        "renew --ca intermediate0 --cn a --rekey --out out --force --no-passphrase",
        "revoke --ca intermediate0 --cn www.example.test",
        "crl --to-pem --chain",
        "crl --ca intermediate0 --ahead 2 --every 30d",
        "ca renew --ca intermediate0",
        "ca rekey --ca rootCA --name rootB --key-uri pkcs11:token=root;object=rootB --passin rootB=file:root.pin",
        "check",
    ] {
        sandbox.token(line).succeeds();
    }
    for leaf in ["out/a.crt", "out/www.example.test.crt"] {
        sandbox.accepted(leaf);
    }
    let crl = "verify -crl_check_all -CAfile pki/rootCA/ca.crt -untrusted pki/intermediate0/ca.crt \
               -CRLfile pki/crl/intermediate0.chain.crl.pem";
    sandbox.run("openssl", crl).arg("out/a.crt").succeeds();
    let revoked = sandbox.run("openssl", crl).arg("out/www.example.test.crt");
    let revoked = revoked.finish();
    assert!(revoked.stderr.contains("certificate revoked"), "{revoked}");
    // The two roots are cross-signed.
    let cross = sandbox.token("list --ca rootCA --format json").succeeds();
    let cross = cross.json();
    assert!(cross.to_string().contains("\"cross\""), "{cross}");
}

#[test]
fn two_thousand_certificates_are_signed_in_a_token() {
    let sandbox = Sandbox::with_cas_in_tokens();
    let rows: Vec<String> = (0..2000).map(|number| format!("c{number}")).collect();
    sandbox.write("rows.csv", format!("cn\n{}\n", rows.join("\n")));
    sandbox
        .token("issue --ca intermediate0 --from rows.csv --no-passphrase")
        .succeeds();
    let listed = sandbox.token("list --ca intermediate0 --format json");
    let listed = listed.succeeds().json();
    let serials = listed.as_array().unwrap().iter();
    let serials: BTreeSet<String> = serials.map(|entry| entry["serial"].to_string()).collect();
    assert_eq!(serials.len(), 2000);
    sandbox.token("check").succeeds();
    sandbox
        .token("export --ca intermediate0 --cn c1999 --out out --no-passphrase")
        .succeeds();
    sandbox.accepted("out/c1999.crt");
}

#[test]
fn every_type_of_key_that_a_token_has_signs() {
    let sandbox = Sandbox::with_tokens();
    let kinds = ["p384", "p521", "ed25519", "rsa2048", "rsa3072", "rsa4096"];
    for kind in kinds {
        let key = format!("--key-type {kind} --key-uri pkcs11:token=root;object={kind}");
        let root = format!("root --name {kind} {key} --passin file:root.pin");
        sandbox.token(&root).succeeds();
        let crl = format!("crl --ca {kind} --passin file:root.pin");
        sandbox.token(&crl).succeeds();
        let own = format!("verify -CAfile pki/{kind}/ca.crt pki/{kind}/ca.crt");
        sandbox.run("openssl", &own).succeeds();
        let crl = format!("crl -noout -verify -in pki/crl/{kind}.crl -CAfile pki/{kind}/ca.crt");
        sandbox.run("openssl", &crl).succeeds();
    }
    let none = "root --name m --key-type ml-dsa-65 --key-uri pkcs11:token=root;object=m";
    let run = sandbox.token(none).words("--passin file:root.pin");
    sandbox.refusal(run, 1, "key-operation-unsupported");
}

/// A key that the token generated cannot leave it; one that was moved there cannot either.
#[test]
fn keys_in_a_token_cannot_be_exported() {
    let sandbox = Sandbox::with_cas_in_tokens();
    sandbox.write("ca.pass", "a passphrase\n");
    sandbox
        .token("root --name moved --passout file:ca.pass")
        .succeeds();
    sandbox
        .token("ca move-key --ca moved --key-uri pkcs11:token=root;object=moved")
        .words("--passin file:ca.pass --passout file:root.pin")
        .succeeds();
    sandbox
        .token("issue --ca moved --cn a --passin file:root.pin --out out --no-passphrase")
        .succeeds();
    sandbox
        .run("openssl", "verify -CAfile pki/moved/ca.crt out/a.crt")
        .succeeds();
    let listed = sandbox.run(
        "pkcs11-tool",
        "--list-objects --type privkey --token-label root",
    );
    let listed = listed
        .words("--module /usr/lib/softhsm/libsofthsm2.so --login --pin 1234")
        .env("SOFTHSM2_CONF", sandbox.path("softhsm2.conf"))
        .succeeds();
    let keys: Vec<&str> = listed.stdout.split("Private Key Object").skip(1).collect();
    assert_eq!(keys.len(), 2, "{listed}");
    for key in keys {
        let access = key.lines().find(|line| line.contains("Access:"));
        let access = access.unwrap_or_else(|| panic!("{key}"));
        assert!(access.contains("sensitive"), "{key}");
        assert!(
            access.contains("never extractable") || !key.contains(" extractable"),
            "{key}"
        );
    }
}

#[test]
fn a_restored_store_signs_with_the_token() {
    let sandbox = Sandbox::with_cas_in_tokens();
    sandbox.token("backup store.tar").succeeds();
    fs::remove_dir_all(sandbox.path("pki")).unwrap();
    sandbox.token("restore store.tar").succeeds();
    sandbox
        .token("issue --ca intermediate0 --cn a --out out --no-passphrase")
        .succeeds();
    sandbox.accepted("out/a.crt");
}

#[test]
fn a_wrong_pin_or_token_is_named() {
    let sandbox = Sandbox::with_cas_in_tokens();
    let issue = "issue --ca intermediate0 --cn a --no-passphrase";
    let run = sandbox
        .token(issue)
        .words("--passin intermediate0=file:root.pin");
    sandbox.refusal(run, 1, "pin-wrong");
    fs::rename(sandbox.path("tokens"), sandbox.path("away")).unwrap();
    sandbox.write("tokens/.keep", "");
    sandbox.refusal(sandbox.token(issue), 1, "token-absent");
}

/// Nothing is recorded that was not signed, and no serial number is used twice.
#[test]
fn a_helper_is_killed_at_its_system_calls() {
    let sandbox = Sandbox::with_cas_in_tokens();
    let helper = Path::new(env!("CARGO_BIN_EXE_pki")).with_file_name("pki-key-pkcs11");
    let issue = |options: &str| {
        let script = format!(
            "#!/bin/sh\nexec strace -f -o trace {options} '{}'\n",
            helper.display()
        );
        sandbox.write("helpers/pki-key-pkcs11", script);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(sandbox.path("helpers/pki-key-pkcs11"), mode).unwrap();
        let run = sandbox.token("issue --ca intermediate0 --cn a --no-passphrase -q");
        run.env("PKI_KEY_HELPERS", sandbox.path("helpers")).finish()
    };
    assert_eq!(issue("").status, Some(0));
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for line in sandbox.read("trace").lines() {
        let call = line.split_whitespace().nth(1).unwrap_or_default();
        if let Some((name, _)) = call.split_once('(').filter(|(name, _)| *name != "<...") {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    assert!(calls.values().sum::<usize>() > 100, "{calls:?}");
    let mut issued = 1;
    let is_whole = std::env::var_os("SOAK").is_some();
    for (name, count) in calls {
        let stride = if is_whole || name == "write" {
            1
        } else {
            STRIDE
        };
        for nth in (1..=count).step_by(stride) {
            let ended = issue(&format!("-e inject={name}:signal=KILL:when={nth}"));
            assert!(matches!(ended.status, Some(0 | 1)), "{name} {nth}: {ended}");
            issued += usize::from(ended.status == Some(0));
            let lines = sandbox.read("pki/intermediate0/issued.jsonl");
            // The journal begins with a header.
            assert_eq!(lines.lines().count(), issued + 1, "{name} {nth}: {ended}");
        }
    }
    let listed = sandbox.token("list --ca intermediate0 --format json");
    let listed = listed.succeeds().json();
    let serials = listed.as_array().unwrap().iter();
    let serials: BTreeSet<String> = serials.map(|entry| entry["serial"].to_string()).collect();
    assert_eq!(serials.len(), issued);
    sandbox.token("check").succeeds();
}

/// As `pki` itself: its memory has the PIN.
#[test]
fn the_helper_writes_no_core_file() {
    let sandbox = Sandbox::with_cas_in_tokens();
    let helper = Path::new(env!("CARGO_BIN_EXE_pki")).with_file_name("pki-key-pkcs11");
    // It waits for a request that does not come.
    let script = "\"$0\" <>fifo >answers & helper=$!
        until [ \"$(cut -d' ' -f2 /proc/$helper/comm)\" = pki-key-pkcs11 ] && grep -q State.*sleeping /proc/$helper/status
        do kill -0 $helper || exit 1; done
        grep 'Max core' /proc/$helper/limits; stat -c %u /proc/$helper/environ; kill -ABRT $helper; wait $helper";
    sandbox.run("mkfifo", "fifo").succeeds();
    let run = sandbox.run("timeout", "60 bash -c").arg(script).arg(helper);
    let ended = sandbox.with_module(run).finish();
    assert_eq!(ended.status, Some(134), "{ended}");
    let limits: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert_eq!(limits[4..6], ["0", "0"], "{ended}");
    let names = sandbox.names_in(".");
    assert!(
        !names.iter().any(|name| name.starts_with("core")),
        "{names:?}"
    );
}

crate::engine::also_in_a_database! {
    keys_in_a_token_cannot_be_exported, a_wrong_pin_or_token_is_named, the_helper_writes_no_core_file,
}

crate::engine::soak_in_a_database! {
    a_hierarchy_has_its_keys_in_two_tokens, two_thousand_certificates_are_signed_in_a_token,
    every_type_of_key_that_a_token_has_signs, a_helper_is_killed_at_its_system_calls,
}
