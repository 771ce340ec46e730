//! Repositories that nginx serves, and programs that fetch from them what certificates name.

use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// Media types as docs/publish.md has them for nginx.
const TYPES: &str = "types {
            text/html html;
            application/json json;
            application/pkix-crl crl;
            application/pkix-cert cer;
            application/pkcs7-mime p7c;
        }";

/// `rootCA` over `middle` over `below`, which issued `good` and `revoked`; `elder` and `rootCA` are
/// cross-signed. Every certificate leads to files of `http://pki.example.test`.
fn three_tiers() -> Sandbox {
    let sandbox = Sandbox::new();
    let ca = |line: &str, name: &str, end: &str| {
        let made = sandbox.pki(line).words(&format!(
            "--name {name} --no-passphrase --crl-url http://pki.example.test/crl/{name}.crl --ca-issuers-url http://pki.example.test/ca/{name}.{end}"
        ));
        made.succeeds();
    };
    ca("root", "elder", "p7c");
    ca("root", "rootCA", "p7c");
    ca("subordinate --ca rootCA", "middle", "cer");
    ca("subordinate --ca middle", "below", "p7c");
    for line in [
        "ca cross-sign --ca rootCA --with elder",
        "issue --ca below --cn good --out out --no-passphrase",
        "issue --ca below --cn revoked --out out --no-passphrase",
        "revoke --ca below --cn revoked --reason keyCompromise",
        "crl",
        "publish --out public --base-url http://pki.example.test",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

#[test]
fn openssl_downloads_crls() {
    let sandbox = three_tiers();
    let server = Server::web(&sandbox, TYPES);
    let between = ["middle", "below"].map(|ca| sandbox.read(format!("pki/{ca}/ca.crt")));
    sandbox.write("between.pem", between.concat());
    let verify = |client: &str| {
        sandbox
            .run("openssl", "verify -crl_check -crl_download -x509_strict")
            .words("-CAfile pki/rootCA/ca.crt -untrusted between.pem")
            .arg(format!("out/{client}.crt"))
            .env("http_proxy", format!("http://127.0.0.1:{}", server.port))
    };
    verify("good").succeeds();
    let refused = verify("revoked").ends_with(2);
    let code = "error 23 at 0 depth lookup: certificate revoked";
    assert!(refused.stderr.contains(code), "{refused}");
}

/// From the leaf alone, to either root: the way to the elder one leads through the cross-certificate.
#[test]
fn java_fetches_certificates_and_crls() {
    let sandbox = three_tiers();
    let server = Server::web(&sandbox, TYPES);
    let build = |root: &str| {
        let java = Run::new("java", sandbox.folder())
            .words("-Dcom.sun.security.enableAIAcaIssuers=true -Dcom.sun.security.enableCRLDP=true")
            .words("-Dhttp.proxyHost=127.0.0.1")
            .arg(format!("-Dhttp.proxyPort={}", server.port))
            .arg(crate::sandbox::repository("tests/java/FetchPath.java"))
            .words(&format!("pki/{root}/ca.crt out/good.crt out/revoked.crt"));
        java.succeeds().stdout
    };
    assert_text(
        &build("rootCA"),
        expect![[r#"
            out/good.crt: good, 3 certificates
            out/revoked.crt: revoked
        "#]],
    );
    assert_text(
        &build("elder"),
        expect![[r#"
            out/good.crt: good, 4 certificates
            out/revoked.crt: revoked
        "#]],
    );
}

/// Fetches a file with curl, and returns its media type.
fn fetched(sandbox: &Sandbox, server: &Server, path: &str) -> String {
    let url = format!("http://127.0.0.1:{}/{path}", server.port);
    let curl = sandbox
        .run("curl", "--silent --show-error --fail --noproxy *")
        .words("--output fetched --write-out %{content_type}")
        .arg(url);
    let media_type = curl.succeeds().stdout;
    let got = fs::read(sandbox.path("fetched")).unwrap();
    assert!(got == fs::read(sandbox.path("public").join(path)).unwrap());
    media_type
}

#[test]
fn a_served_repository_has_the_right_media_types() {
    let sandbox = three_tiers();
    let server = Server::web(&sandbox, TYPES);
    for (path, media_type) in [
        ("crl/below.crl", "application/pkix-crl"),
        ("ca/below.cer", "application/pkix-cert"),
        ("ca/below.p7c", "application/pkcs7-mime"),
        ("index.html", "text/html"),
    ] {
        assert_eq!(fetched(&sandbox, &server, path), media_type);
    }
    let check = |server: &Server| {
        let line = format!("publish --check http://127.0.0.1:{}", server.port);
        sandbox.pki(&line)
    };
    check(&server).succeeds();
    drop(server);
    let server = Server::web(&sandbox, "default_type text/plain;\n        types { }");
    fs::remove_file(sandbox.path("public/crl/elder.crl")).unwrap();
    let checked = check(&server).ends_with(3).stdout;
    let port = server.port.to_string();
    let url = format!("publish --check http://127.0.0.1:{port}");
    assert_text(
        &normalised(&checked).replace(&port, "[port]"),
        expect![[r#"
        http://127.0.0.1:[port] is not current: 1 error
          warning: media-type  ca/below.cer has the media type "text/plain"; it should be application/pkix-cert
          warning: media-type  ca/below.p7c has the media type "text/plain"; it should be application/pkcs7-mime
          warning: media-type  ca/elder.cer has the media type "text/plain"; it should be application/pkix-cert
          warning: media-type  ca/elder.p7c has the media type "text/plain"; it should be application/pkcs7-mime
          warning: media-type  ca/middle.cer has the media type "text/plain"; it should be application/pkix-cert
          warning: media-type  ca/middle.p7c has the media type "text/plain"; it should be application/pkcs7-mime
          warning: media-type  ca/rootCA.cer has the media type "text/plain"; it should be application/pkix-cert
          warning: media-type  ca/rootCA.p7c has the media type "text/plain"; it should be application/pkcs7-mime
          warning: media-type  crl/below.crl has the media type "text/plain"; it should be application/pkix-crl
          error: file-missing  crl/elder.crl is missing
          warning: media-type  crl/middle.crl has the media type "text/plain"; it should be application/pkix-crl
          warning: media-type  crl/rootCA.crl has the media type "text/plain"; it should be application/pkix-crl
    "#]],
    );
    drop(server);
    let checked = sandbox.pki(&url).ends_with(3).stdout;
    assert_text(
        &normalised(&checked).replace(&port, "[port]"),
        expect![[r#"
        http://127.0.0.1:[port] is not current: 1 error
          error: file-unreachable  16 files can't be fetched: Connection refused (os error 111)
    "#]],
    );
}

/// A CRL of 49 MB, with limited memory.
#[test]
fn a_large_crl_is_published_and_checked() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.revoke_many("intermediate0", 1_230_000);
    sandbox.pki("crl").succeeds();
    let limited = |line: &str| {
        let pki = env!("CARGO_BIN_EXE_pki");
        sandbox
            .run("sh", "-c")
            .arg(format!("ulimit -v 1000000; exec {pki} {line}"))
    };
    limited("publish --out public").succeeds();
    let published = fs::metadata(sandbox.path("public/crl/intermediate0.crl"));
    assert!(published.unwrap().len() >= 49_000_000);
    let server = Server::web(&sandbox, TYPES);
    fetched(&sandbox, &server, "crl/intermediate0.crl");
    limited(&format!("publish --check http://127.0.0.1:{}", server.port)).succeeds();
}

crate::engine::also_in_a_database! {
    openssl_downloads_crls,
}

crate::engine::soak_in_a_database! {
    a_served_repository_has_the_right_media_types,
}
