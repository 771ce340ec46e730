//! Servers with what `--for` made for them: the deepest of our clients is in; who has no
//! certificate, and who has one of another CA, is not.

mod java;
mod postgres;
mod python;
mod rustls;

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// The client of our lowest CA.
const DEEP: &[&str] = &["--cert", "out/deep.crt", "--key", "out/deep.key"];

/// The client of a CA that the trust store of `--ca intermediate2` does not have.
const OTHER: &[&str] = &["--cert", "out/other.crt", "--key", "out/other.key"];

/// The client of CAs with the names of ours, and other keys.
const DOUBLE: &[&str] = &[
    "--cert",
    "doubles/out/deep.fullchain.pem",
    "--key",
    "doubles/out/deep.key",
];

/// curl's codes for a handshake that failed, for an answer without anything in
/// it, and for a failure to send and to receive.
const REFUSALS: [i32; 4] = [35, 52, 55, 56];

/// Three CAs one below the other, the lowest with a server and a client in
/// `out/`, and a client of another CA; and strangers with the same names.
fn three_tiers() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "issue --ca intermediate2 --out out --cn deep",
        "issue --ca intermediate0 --out out --cn other",
        "issue --ca intermediate2 --out out --cn www.example.test --profile server",
        "--store doubles root --name rootCA",
        "--store doubles subordinate --ca rootCA --name intermediate1",
        "--store doubles subordinate --ca intermediate1 --name intermediate2",
        "--store doubles issue --ca intermediate2 --out doubles/out --cn deep",
    ] {
        sandbox.pki(line).arg("--no-passphrase").succeeds();
    }
    sandbox
}

/// The line of a server's configuration that `pki bundle` asks for with `--for`.
#[track_caller]
fn setting_said(sandbox: &Sandbox, target: &str) -> String {
    let line = format!("bundle --for {target} --ca intermediate2");
    let said = sandbox.pki(&line).succeeds().stderr;
    let (_, setting) = said
        .trim_end()
        .split_once("paths of this length: ")
        .unwrap();
    setting.to_owned()
}

/// The client sends its certificate alone, if it has one: the whole path is in the trust store.
fn curl(sandbox: &Sandbox, server: &Server, client: &[&str]) -> Transcript {
    let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
    let run = sandbox
        .run("curl", "--silent --show-error --noproxy *")
        .words("--cacert pki/rootCA/ca.crt --connect-to")
        .arg(to);
    let run = client.iter().fold(run, Run::arg);
    run.arg("https://www.example.test/").finish()
}

#[track_caller]
fn assert_greets(answer: &Transcript, greeting: &str) {
    assert_eq!(answer.stdout, greeting, "{answer}");
    assert_eq!(answer.status, Some(0), "{answer}");
}

/// In the handshake, or in TLS 1.3 when the client has ended it: somebody is
/// there, and gives no answer.
#[track_caller]
fn assert_no_answer(answer: &Transcript) {
    let refused = answer.status.is_some_and(|code| REFUSALS.contains(&code));
    assert!(refused, "{answer}");
    assert_eq!(answer.stdout, "", "{answer}");
}

/// Who has no certificate and who has one of another CA is refused in the
/// handshake, and the log says why.
#[track_caller]
fn assert_refuses_others(sandbox: &Sandbox, server: &Server, [none, double]: [&str; 2]) {
    assert_no_answer(&curl(sandbox, server, &[]));
    server.assert_logs(none);
    assert_no_answer(&curl(sandbox, server, DOUBLE));
    server.assert_logs(double);
}

fn nginx(sandbox: &Sandbox, setting: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../out/www.example.test.fullchain.pem;
            ssl_certificate_key ../out/www.example.test.key;
            ssl_client_certificate ../truststore.pem;
            ssl_verify_client on;
            {setting}
            location / {{ return 200 \"hello $ssl_client_s_dn\\n\"; }}"
        ),
    )
}

#[test]
fn nginx_accepts_the_deepest_client_only_with_the_named_depth() {
    let sandbox = three_tiers();
    let setting = setting_said(&sandbox, "nginx");
    sandbox.pki("bundle --for nginx").succeeds();
    let server = nginx(&sandbox, &setting);
    assert_greets(&curl(&sandbox, &server, DEEP), "hello CN=deep\n");
    assert_greets(&curl(&sandbox, &server, OTHER), "hello CN=other\n");
    let refused = |server: &Server, client: &[&str], why: &str| {
        let page = curl(&sandbox, server, client).stdout;
        assert!(page.contains(why), "{page}");
    };
    refused(&server, &[], "400 No required SSL certificate was sent");
    refused(&server, DOUBLE, "400 The SSL certificate error");
    drop(server);
    let server = nginx(&sandbox, "");
    assert_greets(&curl(&sandbox, &server, OTHER), "hello CN=other\n");
    refused(&server, DEEP, "400 The SSL certificate error");
    // How OpenSSL says that it may not look for one more.
    server.assert_logs("unable to get issuer certificate");
}

#[test]
fn haproxy_lets_in_the_deepest_client_without_a_word() {
    let sandbox = three_tiers();
    let line = "bundle --for haproxy --ca intermediate2";
    assert_eq!(sandbox.pki(line).succeeds().stderr, "");
    let served = sandbox.read("out/www.example.test.fullchain.pem");
    let key = sandbox.read("out/www.example.test.key");
    sandbox.write("server.pem", served + &key);
    let server = Server::haproxy(
        &sandbox,
        "crt server.pem ca-file truststore.pem verify required",
    );
    assert_greets(&curl(&sandbox, &server, DEEP), "hello deep\n");
    assert_no_answer(&curl(&sandbox, &server, OTHER));
    let reasons = [
        "refused: error 0, of a CA 0\n",
        "refused: error 0, of a CA 20\n",
    ];
    // 20 is OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY.
    assert_refuses_others(&sandbox, &server, reasons);
}

fn apache(sandbox: &Sandbox, setting: &str) -> Server {
    Server::apache(
        sandbox,
        &format!(
            "SSLCertificateFile ../out/www.example.test.fullchain.pem
            SSLCertificateKeyFile ../out/www.example.test.key
            SSLCACertificateFile ../truststore.pem
            {setting}"
        ),
    )
}

#[test]
fn apache_accepts_the_deepest_client_only_with_the_named_depth() {
    let sandbox = three_tiers();
    let setting = setting_said(&sandbox, "apache");
    assert_eq!(setting, "SSLVerifyDepth 3");
    let server = apache(&sandbox, &setting);
    assert_greets(&curl(&sandbox, &server, DEEP), "hello deep\n");
    assert_no_answer(&curl(&sandbox, &server, OTHER));
    let reasons = [
        "peer did not return a certificate",
        "unable to get local issuer certificate",
    ];
    assert_refuses_others(&sandbox, &server, reasons);
    drop(server);
    for setting in ["", "SSLVerifyDepth 2"] {
        let server = apache(&sandbox, setting);
        assert_no_answer(&curl(&sandbox, &server, DEEP));
        server.assert_logs("AH02040: Certificate Verification: Certificate Chain too long");
    }
}

#[test]
fn node_lets_in_the_deepest_client_without_a_word() {
    let sandbox = three_tiers();
    let line = "bundle --for node --ca intermediate2";
    assert_eq!(sandbox.pki(line).succeeds().stderr, "");
    let server = Server::node(
        &sandbox,
        "mtls-server.js",
        &[
            "out/www.example.test.fullchain.pem",
            "out/www.example.test.key",
            "truststore.pem",
        ],
    );
    assert_greets(&curl(&sandbox, &server, DEEP), "hello deep\n");
    assert_no_answer(&curl(&sandbox, &server, OTHER));
    let reasons = [
        "refused: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
        "refused: UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    ];
    assert_refuses_others(&sandbox, &server, reasons);
}
