//! OpenSSL accepts responses by the root alone, whatever the keys and the signer; and refuses others.

use std::fs;

use super::assert_says;
use crate::sandbox::Sandbox;

const SIGNERS: [&str; 2] = ["delegated", "by-ca"];

/// Both CAs, the clients and the responder with keys of one type; every kind of response in directories of its own.
fn accepts(key_type: &str) {
    let key = format!("--key-type {key_type}");
    let sandbox = Sandbox::with_clients([&key, &key]);
    sandbox
        .pki("revoke --ca intermediate0 --cn revoked --reason keyCompromise")
        .succeeds();
    for signer in SIGNERS {
        let option = match signer {
            "by-ca" => "--by-ca",
            _ => &key,
        };
        let whole = format!("ocsp --ca intermediate0 --out {signer} {option}");
        sandbox.pki(&whole).succeeds();
        for (cn, status) in [("good", "good"), ("revoked", "revoked")] {
            for hash in ["sha1", "sha256"] {
                let out = format!("{signer}-{hash}");
                let line = format!(
                    "ocsp --ca intermediate0 --cn {cn} --cert-id {hash} --out {out} {option}"
                );
                sandbox.pki(&line).succeeds();
                let response = format!("{out}/{cn}.ocsp");
                assert_says(sandbox.respin(&response, cn, hash), status);
            }
            let serial = sandbox.serial_of_cn("intermediate0", cn);
            let staple = format!("{signer}/intermediate0/staple/{serial}.ocsp");
            assert_says(sandbox.respin(&staple, cn, "sha1"), status);
        }
        let revoked = sandbox.respin(&format!("{signer}-sha1/revoked.ocsp"), "revoked", "sha1");
        let revoked = revoked.succeeds();
        assert!(
            revoked.stdout.contains("Reason: keyCompromise"),
            "{revoked}"
        );
    }
    // The responder was issued once, and nobody asks about it.
    assert_eq!(sandbox.responders().len(), 1);
}

#[test]
fn openssl_accepts_responses_of_p256() {
    accepts("p256");
}

#[test]
fn openssl_accepts_responses_of_p384() {
    accepts("p384");
}

#[test]
fn openssl_accepts_responses_of_ed25519() {
    accepts("ed25519");
}

#[test]
fn openssl_accepts_responses_of_rsa2048() {
    accepts("rsa2048");
}

#[test]
fn openssl_refuses_a_response_about_another_certificate() {
    let sandbox = Sandbox::with_revoked_client();
    let line = "ocsp --ca intermediate0 --cn good --out staple";
    sandbox.pki(line).succeeds();
    let judged = sandbox
        .respin("staple/good.ocsp", "revoked", "sha1")
        .finish();
    let said = format!("{}{}", judged.stdout, judged.stderr);
    assert!(said.contains("No Status found"), "{judged}");
    assert!(!said.contains("revoked.crt: good"), "{judged}");
    // Its CertID has another hash algorithm.
    let judged = sandbox
        .respin("staple/good.ocsp", "good", "sha256")
        .finish();
    let said = format!("{}{}", judged.stdout, judged.stderr);
    assert!(said.contains("No Status found"), "{judged}");
}

/// Each byte of the tbsResponseData and of the signature matters; some of them are tried.
#[test]
fn openssl_refuses_a_tampered_response() {
    let sandbox = Sandbox::with_revoked_client();
    for option in ["", "--by-ca"] {
        let line = format!("ocsp --ca intermediate0 --cn revoked --out staple {option}");
        sandbox.pki(&line).succeeds();
        let der = fs::read(sandbox.path("staple/revoked.ocsp")).unwrap();
        assert_says(
            sandbox.respin("staple/revoked.ocsp", "revoked", "sha1"),
            "revoked",
        );
        let serial = sandbox.serial_of_cn("intermediate0", "revoked");
        let serial: Vec<u8> = (0..serial.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&serial[at..at + 2], 16).unwrap())
            .collect();
        let at = der.windows(serial.len()).position(|part| part == serial);
        // The status follows the serial number: [1] of the revocation. The times are behind it.
        let after = at.unwrap() + serial.len();
        assert_eq!(der[after], 0xA1);
        for at in [after, after + 6, after + 30, after + 50] {
            let mut tampered = der.clone();
            tampered[at] ^= 1;
            sandbox.write("tampered.ocsp", &tampered);
            let judged = sandbox.respin("tampered.ocsp", "revoked", "sha1").finish();
            let said = format!("{}{}", judged.stdout, judged.stderr);
            assert!(!said.contains("Response verify OK"), "{at}: {judged}");
        }
    }
}

/// A responder of one CA has no say about the certificates of another.
#[test]
fn openssl_refuses_the_responder_of_another_ca() {
    let sandbox = Sandbox::with_revoked_client();
    for line in [
        "subordinate --ca rootCA --name other --no-passphrase",
        "issue --ca other --cn someone",
        "ocsp --ca other --out other",
        "export --ca other --cn",
    ] {
        let run = sandbox.pki(line);
        let run = if line.starts_with("export") {
            run.arg("other OCSP responder")
                .words("--name ocsp --out other-responder --no-passphrase")
        } else {
            run
        };
        run.succeeds();
    }
    sandbox
        .pki("ocsp --ca intermediate0 --index index.txt")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "ocsp -index index.txt -issuer pki/intermediate0/ca.crt",
        )
        .words("-CA pki/intermediate0/ca.crt -cert out/revoked.crt -reqout request.der")
        .words("-rsigner other-responder/ocsp.crt -rkey other-responder/ocsp.key")
        .words("-respout forged.ocsp -noverify")
        .succeeds();
    let judged = sandbox.respin("forged.ocsp", "revoked", "sha1").finish();
    assert!(!judged.stderr.contains("Response verify OK"), "{judged}");
}

crate::engine::also_in_a_database! {
    openssl_refuses_a_response_about_another_certificate, openssl_refuses_a_tampered_response,
    openssl_refuses_the_responder_of_another_ca,
}

crate::engine::soak_in_a_database! {
    openssl_accepts_responses_of_p256, openssl_accepts_responses_of_p384,
    openssl_accepts_responses_of_ed25519, openssl_accepts_responses_of_rsa2048,
}
