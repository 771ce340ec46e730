//! `openssl ocsp` answers nginx and Apache from the index of `pki ocsp --index`.

use super::{assert_let_in, assert_out, curl, nginx_that_asks};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// `revoked` is revoked, `gone` is not in the index, and `stranger` is of another CA of the same name; the responder's
/// certificate and key are exported.
fn begin() -> Sandbox {
    let sandbox = Sandbox::with_revoked_client();
    for line in [
        "ocsp --ca intermediate0 --out responses",
        "issue --ca intermediate0 --out out --cn gone --no-passphrase",
        "ocsp --ca intermediate0 --index index.txt",
        "--store other root --name intermediate0 --no-passphrase",
        "--store other issue --ca intermediate0 --out out --cn stranger --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
        .pki("export --ca intermediate0 --cn")
        .arg("intermediate0 OCSP responder")
        .words("--name ocsp --out responder --no-passphrase")
        .succeeds();
    let index = sandbox.read("index.txt");
    let serial = sandbox.serial_of_cn("intermediate0", "gone");
    let mut lines: Vec<&str> = index.lines().collect();
    lines.retain(|line| !line.contains(&serial));
    // `good`, `revoked`, the server and the responder.
    assert_eq!(lines.len(), 4, "{index}");
    sandbox.write("index.txt", lines.join("\n") + "\n");
    sandbox
}

fn responder(sandbox: &Sandbox) -> Server {
    Server::openssl_ocsp(
        sandbox,
        "-index index.txt -CA pki/intermediate0/ca.crt -rsigner responder/ocsp.crt -rkey responder/ocsp.key",
    )
}

#[test]
fn openssl_says_the_status_of_each_certificate() {
    let sandbox = begin();
    let responder = responder(&sandbox);
    for hash in ["sha1", "sha256"] {
        for (cn, status) in [
            ("good", "good"),
            ("revoked", "revoked"),
            ("gone", "unknown"),
        ] {
            let asked = sandbox
                .run("openssl", "ocsp -CAfile pki/rootCA/ca.crt -url")
                .arg(format!("http://127.0.0.1:{}/", responder.port))
                .words(&format!("-{hash} -issuer pki/intermediate0/ca.crt"))
                .words(&format!("-cert out/{cn}.crt"));
            super::assert_says(asked, status);
        }
    }
}

#[test]
fn nginx_asks_openssl() {
    let sandbox = begin();
    let responder = responder(&sandbox);
    let settings = format!(
        "ssl_ocsp leaf;
        ssl_ocsp_responder http://127.0.0.1:{}/;",
        responder.port
    );
    let server = nginx_that_asks(&sandbox, &settings);
    assert_let_in(&sandbox, &server, "good");
    assert_out(&sandbox, &server, "revoked");
    server.assert_logs("certificate revoked");
    assert_out(&sandbox, &server, "gone");
    assert_out(&sandbox, &server, "stranger");
}

#[test]
fn apache_asks_openssl() {
    let sandbox = begin();
    // With the CA of the responder in it: mod_ssl does not take that from the client's chain.
    sandbox.pki("bundle --out truststore.pem").succeeds();
    let responder = responder(&sandbox);
    let server = Server::apache(
        &sandbox,
        &format!(
            "SSLCertificateFile ../out/www.example.test.fullchain.pem
            SSLCertificateKeyFile ../out/www.example.test.key
            SSLCACertificateFile ../truststore.pem
            SSLVerifyDepth 3
            SSLOCSPEnable leaf
            SSLOCSPOverrideResponder on
            SSLOCSPDefaultResponder http://127.0.0.1:{}/",
            responder.port
        ),
    );
    assert_let_in(&sandbox, &server, "good");
    for client in ["revoked", "gone", "stranger"] {
        let answer = curl(&sandbox, &server, client);
        assert_ne!(answer.status, Some(0), "{answer}");
        assert_eq!(answer.stdout, "status:000", "{answer}");
    }
    server.assert_logs("certificate revoked");
}
