//! Servers staple the files of `pki ocsp --cn`, and clients judge them.

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// curl's code for a stapled response that it does not accept.
const CURL_INVALID_STATUS: i32 = 91;

/// With `site.pem`: the server's certificate, its chain and its key; and beside it the response.
fn begin() -> Sandbox {
    let sandbox = Sandbox::with_clients(["", ""]);
    staple(&sandbox, "");
    let both = ["fullchain.pem", "key"];
    let both = both.map(|file| sandbox.read(format!("out/www.example.test.{file}")));
    sandbox.write("site.pem", both.concat());
    sandbox
}

/// Signs the response, and gives it the name that HAProxy looks for.
fn staple(sandbox: &Sandbox, options: &str) {
    let line = format!("ocsp --ca intermediate0 --cn www.example.test --out responses {options}");
    sandbox.pki(&line).succeeds();
    let response = sandbox.path("responses/www.example.test.ocsp");
    std::fs::copy(response, sandbox.path("site.pem.ocsp")).unwrap();
}

fn s_client(sandbox: &Sandbox, server: &Server) -> Transcript {
    sandbox
        .run("openssl", "s_client -status -verify_return_error")
        .words("-CAfile pki/rootCA/ca.crt -servername www.example.test -connect")
        .arg(format!("127.0.0.1:{}", server.port))
        .succeeds()
}

fn curl(sandbox: &Sandbox, server: &Server) -> Run {
    sandbox
        .run("curl", "--silent --show-error --noproxy * --cert-status")
        .words("--cacert pki/rootCA/ca.crt --connect-to")
        .arg(format!("www.example.test:443:127.0.0.1:{}", server.port))
        .arg("https://www.example.test/")
}

fn gnutls(sandbox: &Sandbox, server: &Server) -> Run {
    sandbox
        .run("gnutls-cli", "--x509cafile pki/rootCA/ca.crt --port")
        .arg(server.port.to_string())
        .words("--sni-hostname www.example.test --verify-hostname www.example.test 127.0.0.1")
}

/// All three clients accept the server until it is revoked, and the new response stapled.
#[track_caller]
fn assert_staples(sandbox: &Sandbox, server: &Server) {
    let said = s_client(sandbox, server);
    for words in ["OCSP Response Status: successful", "Cert Status: good"] {
        assert!(said.stdout.contains(words), "{said}");
    }
    curl(sandbox, server).succeeds();
    let judged = gnutls(sandbox, server).succeeds();
    assert!(
        judged
            .stdout
            .contains("- Status: The certificate is trusted"),
        "{judged}"
    );
    sandbox
        .pki("revoke --ca intermediate0 --cn www.example.test --reason keyCompromise")
        .succeeds();
    staple(sandbox, "--if-needed");
    server.reload();
    let said = s_client(sandbox, server);
    assert!(said.stdout.contains("Cert Status: revoked"), "{said}");
    let refused = curl(sandbox, server).ends_with(CURL_INVALID_STATUS);
    assert!(refused.stderr.contains("keyCompromise"), "{refused}");
    let refused = gnutls(sandbox, server).finish();
    assert_ne!(refused.status, Some(0), "{refused}");
    assert!(refused.stdout.contains("revoked"), "{refused}");
}

#[test]
fn haproxy_staples_a_response() {
    let sandbox = begin();
    let server = Server::haproxy(&sandbox, "crt site.pem");
    assert_staples(&sandbox, &server);
}

#[test]
fn nginx_staples_a_response() {
    let sandbox = begin();
    let server = Server::nginx(
        &sandbox,
        "ssl_certificate ../site.pem;
        ssl_certificate_key ../site.pem;
        ssl_stapling on;
        ssl_stapling_file ../site.pem.ocsp;
        location / { return 200 \"hello\\n\"; }",
    );
    assert_staples(&sandbox, &server);
}
