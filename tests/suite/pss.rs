//! RSASSA-PSS as openssl makes it, with salts of every length.

use crate::sandbox::Sandbox;

/// A root and a leaf that openssl signed with this hash and salt, and a CSR.
fn made(hash: &str, salt: &str) -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    let pss = format!("-{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}");
    for line in [
        format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 30 -subj /CN=root {pss} \
             -addext keyUsage=critical,keyCertSign,cRLSign"
        ),
        format!(
            "req -new -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf {pss}"
        ),
        format!(
            "req -x509 -key leaf.key -CA root.crt -CAkey root.key -subj /CN=leaf -days 20 -out leaf.crt {pss}"
        ),
    ] {
        sandbox.run("openssl", &line).succeeds();
    }
    sandbox
}

#[test]
fn pss_signatures_with_any_salt_verify() {
    for (hash, salt) in [
        ("sha256", "max"),
        ("sha256", "0"),
        ("sha256", "20"),
        ("sha384", "32"),
        ("sha512", "100"),
        ("sha512", "digest"),
    ] {
        let sandbox = made(hash, salt);
        sandbox
            .run("openssl", "verify -CAfile root.crt leaf.crt")
            .succeeds();
        sandbox.pki("verify leaf.crt --bundle root.crt").succeeds();
        sandbox.pki("bundle --check root.crt").succeeds();
        sandbox
            .pki("issue --ca intermediate0 --csr leaf.csr")
            .succeeds();
    }
}

#[test]
fn pss_signatures_that_were_changed_are_refused() {
    let sandbox = made("sha256", "20");
    sandbox
        .run("openssl", "x509 -in leaf.crt -outform DER -out leaf.der")
        .succeeds();
    let der = std::fs::read(sandbox.path("leaf.der")).unwrap();
    // Bytes of what is signed, and of the signature.
    for place in [
        der.len() / 2,
        der.len() - 256,
        der.len() - 100,
        der.len() - 1,
    ] {
        let mut changed = der.clone();
        changed[place] ^= 1;
        sandbox.write("changed.der", changed);
        let judged = sandbox.pki("verify changed.der --bundle root.crt").finish();
        assert!(matches!(judged.status, Some(1 | 3)), "{place}: {judged}");
    }
}
