//! Mutual TLS from nothing, on one machine: servers that require a client
//! certificate, and curl with the right one, with none, and with a stranger's.

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// curl's code for a failure in the handshake, and for one while reading what
/// follows it: in TLS 1.3 the client has finished before the server judges it.
const CURL_HANDSHAKE_FAILED: i32 = 35;
const CURL_EMPTY_REPLY: i32 = 52;
const CURL_RECEIVE_FAILED: i32 = 56;

const SERVER_KEY: &str = "server key";
const CLIENT_KEY: &str = "client key";

/// A hierarchy, what a server needs in `server/`, what clients need in
/// `client/` (encrypted key), `plain/` (unencrypted) and `stranger/` (the same
/// name from another CA).
fn two_parties() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("server.pass", SERVER_KEY);
    sandbox.write("client.pass", CLIENT_KEY);
    for line in [
        "issue --ca intermediate0 --profile server --cn www.example.test --out server --passout file:server.pass",
        "issue --ca intermediate0 --cn localclient --out client --passout file:client.pass",
        "export --ca intermediate0 --cn localclient --out plain --no-passphrase",
        "bundle --ca intermediate0 --out truststore.pem",
        "--store strangers root --name strangers --no-passphrase",
        "--store strangers issue --ca strangers --cn localclient --out stranger --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

fn nginx(sandbox: &Sandbox) -> Server {
    Server::nginx(
        sandbox,
        "ssl_certificate ../server/www.example.test.fullchain.pem;
        ssl_certificate_key ../server/www.example.test.key;
        ssl_password_file ../server.pass;
        ssl_client_certificate ../truststore.pem;
        ssl_verify_client on;
        location / { return 200 \"hello $ssl_client_s_dn\\n\"; }",
    )
}

fn node(sandbox: &Sandbox) -> Server {
    Server::node(
        sandbox,
        "mtls-server.js",
        &[
            "server/www.example.test.fullchain.pem",
            "server/www.example.test.key",
            "truststore.pem",
            SERVER_KEY,
        ],
    )
}

/// curl, which trusts `rootCA` and ends with the status of the answer.
fn curl(sandbox: &Sandbox, server: &Server, client: &[&str]) -> Transcript {
    let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
    let run = sandbox
        .run(
            "curl",
            "--silent --show-error --noproxy * --cacert pki/rootCA/ca.crt",
        )
        .words("--write-out status:%{http_code} --connect-to")
        .arg(to);
    let run = client.iter().fold(run, Run::arg);
    run.arg("https://www.example.test/").finish()
}

const PLAIN: [&str; 4] = [
    "--cert",
    "plain/localclient.fullchain.pem",
    "--key",
    "plain/localclient.key",
];
const ENCRYPTED: [&str; 6] = [
    "--cert",
    "client/localclient.fullchain.pem",
    "--key",
    "client/localclient.key",
    "--pass",
    CLIENT_KEY,
];
const STRANGER: [&str; 4] = [
    "--cert",
    "stranger/localclient.fullchain.pem",
    "--key",
    "stranger/localclient.key",
];

#[track_caller]
fn assert_let_in(answer: &Transcript, body: &str) {
    assert_eq!(answer.status, Some(0), "{answer}");
    assert_eq!(answer.stdout, format!("{body}status:200"), "{answer}");
}

#[test]
fn nginx_lets_in_a_client_with_a_plain_key() {
    let sandbox = two_parties();
    let server = nginx(&sandbox);
    let answer = curl(&sandbox, &server, &PLAIN);
    assert_let_in(&answer, "hello CN=localclient\n");
}

#[test]
fn nginx_lets_in_a_client_whose_encrypted_key_curl_opens() {
    let sandbox = two_parties();
    let server = nginx(&sandbox);
    let answer = curl(&sandbox, &server, &ENCRYPTED);
    assert_let_in(&answer, "hello CN=localclient\n");
}

#[test]
fn nginx_refuses_a_client_without_a_certificate() {
    let sandbox = two_parties();
    let server = nginx(&sandbox);
    let answer = curl(&sandbox, &server, &[]);
    assert_eq!(answer.status, Some(0), "{answer}");
    assert!(answer.stdout.ends_with("status:400"), "{answer}");
    assert!(
        answer
            .stdout
            .contains("No required SSL certificate was sent"),
        "{answer}"
    );
}

#[test]
fn nginx_refuses_a_client_of_another_ca() {
    let sandbox = two_parties();
    let server = nginx(&sandbox);
    let answer = curl(&sandbox, &server, &STRANGER);
    assert_eq!(answer.status, Some(0), "{answer}");
    assert!(answer.stdout.ends_with("status:400"), "{answer}");
    assert!(
        answer.stdout.contains("The SSL certificate error"),
        "{answer}"
    );
    server.assert_logs("unable to verify the first certificate");
}

#[test]
fn node_lets_in_a_client_with_a_plain_key() {
    let sandbox = two_parties();
    let server = node(&sandbox);
    let answer = curl(&sandbox, &server, &PLAIN);
    assert_let_in(&answer, "hello localclient\n");
}

#[test]
fn node_lets_in_a_client_whose_encrypted_key_curl_opens() {
    let sandbox = two_parties();
    let server = node(&sandbox);
    let answer = curl(&sandbox, &server, &ENCRYPTED);
    assert_let_in(&answer, "hello localclient\n");
}

#[test]
fn node_refuses_a_client_without_a_certificate_in_the_handshake() {
    let sandbox = two_parties();
    let server = node(&sandbox);
    let answer = curl(&sandbox, &server, &[]);
    assert_refused_by_node(&answer);
    assert!(answer.stderr.contains("certificate required"), "{answer}");
    server.assert_logs("refused: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
    assert!(!server.log().contains("let in"), "{}", server.log());
}

#[test]
fn node_refuses_a_client_of_another_ca() {
    let sandbox = two_parties();
    let server = node(&sandbox);
    let answer = curl(&sandbox, &server, &STRANGER);
    assert_refused_by_node(&answer);
    server.assert_logs("refused: UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert!(!server.log().contains("let in"), "{}", server.log());
}

#[track_caller]
fn assert_refused_by_node(answer: &Transcript) {
    let refusals = [CURL_HANDSHAKE_FAILED, CURL_EMPTY_REPLY, CURL_RECEIVE_FAILED];
    let refused = answer.status.is_some_and(|code| refusals.contains(&code));
    assert!(refused, "{answer}");
    assert_eq!(answer.stdout, "status:000", "{answer}");
}

#[test]
fn curl_refuses_a_server_whose_name_is_not_in_the_certificate() {
    const CURL_PEER_FAILED_VERIFICATION: i32 = 60;
    let sandbox = two_parties();
    let server = nginx(&sandbox);
    let answer = sandbox
        .run(
            "curl",
            "--silent --show-error --noproxy * --cacert pki/rootCA/ca.crt",
        )
        .arg(format!("https://127.0.0.1:{}/", server.port))
        .finish();
    assert_eq!(
        answer.status,
        Some(CURL_PEER_FAILED_VERIFICATION),
        "{answer}"
    );
}
