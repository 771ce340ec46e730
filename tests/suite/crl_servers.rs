//! Servers that check revocation let a client in until they have read the list
//! that it is on, and its neighbour afterwards too; and curl does so with a server.

use crate::hierarchy::for_p256_and_rsa;
use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::server::Server;

const LISTS: &str = "pki/crl/intermediate2.chain.crl.pem";

/// curl's code for a peer certificate that it does not accept.
const CURL_PEER_FAILED_VERIFICATION: i32 = 60;

/// OpenSSL's X509_V_ERR_CERT_REVOKED.
const CERTIFICATE_REVOKED: u32 = 23;

/// `rootCA` over `intermediate1` over `intermediate2`, which issued to a server
/// and to the clients `good` and `revoked`, all in `out/`; a trust store and the
/// lists, on which nobody is yet.
fn three_tiers(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::with_clients_below_three_tiers(key_type);
    sandbox.pki("bundle --out truststore.pem").succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    sandbox
}

/// curl as one of the clients; it ends with the status of the answer.
fn curl(sandbox: &Sandbox, server: &Server, client: &str) -> Transcript {
    let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
    sandbox
        .run("curl", "--silent --show-error --noproxy *")
        .words("--cacert pki/rootCA/ca.crt --write-out status:%{http_code}")
        .arg("--connect-to")
        .arg(to)
        .words(&format!("--cert out/{client}.fullchain.pem"))
        .words(&format!("--key out/{client}.key"))
        .arg("https://www.example.test/")
        .finish()
}

#[track_caller]
fn assert_let_in(sandbox: &Sandbox, server: &Server, client: &str) {
    let answer = curl(sandbox, server, client);
    assert_eq!(answer.status, Some(0), "{answer}");
    assert_eq!(answer.stdout, format!("hello {client}\nstatus:200"));
}

/// Both are in; one is revoked and the list published; once the server has
/// reloaded, and not before, that one is out, and the other still in.
#[track_caller]
fn assert_out_once_reloaded(
    sandbox: &Sandbox,
    server: &Server,
    assert_refused: impl Fn(&Transcript),
) {
    assert_let_in(sandbox, server, "good");
    assert_let_in(sandbox, server, "revoked");
    sandbox
        .pki("revoke --ca intermediate2 --cn revoked --reason keyCompromise")
        .succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    assert_let_in(sandbox, server, "revoked");
    server.reload();
    assert_let_in(sandbox, server, "good");
    assert_refused(&curl(sandbox, server, "revoked"));
}

/// nginx with the lists, and with these settings beside.
fn nginx_with(sandbox: &Sandbox, settings: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../out/www.example.test.fullchain.pem;
        ssl_certificate_key ../out/www.example.test.key;
        ssl_client_certificate ../truststore.pem;
        ssl_crl ../{LISTS};
        ssl_verify_client on;
        ssl_verify_depth 3;
        {settings}
        location / {{
            if ($ssl_client_s_dn ~ CN=(.*)) {{ return 200 \"hello $1\n\"; }}
        }}"
        ),
    )
}

fn nginx(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let server = nginx_with(&sandbox, "");
    assert_out_once_reloaded(&sandbox, &server, |answer| {
        assert_eq!(answer.status, Some(0), "{answer}");
        let page = &answer.stdout;
        assert!(page.contains("The SSL certificate error"), "{answer}");
        assert!(page.ends_with("status:400"), "{answer}");
    });
    server.assert_logs("client SSL certificate verify error: (23:certificate revoked)");
}

/// What openssl says, as the client that will be revoked, about a TLS session and the answer.
fn session(sandbox: &Sandbox, server: &Server, options: &str) -> Transcript {
    sandbox
        .run("openssl", "s_client -tls1_2 -ign_eof -connect")
        .arg(format!("127.0.0.1:{}", server.port))
        .words("-cert out/revoked.crt -key out/revoked.key")
        .words(options)
        .stdin("GET / HTTP/1.0\r\n\r\n")
        .finish()
}

/// A session from before the revocation, taken up again after the reload.
fn session_of_a_revoked_client(settings: &str) -> Transcript {
    let sandbox = three_tiers("p256");
    let server = nginx_with(&sandbox, settings);
    let first = session(&sandbox, &server, "-sess_out session.pem");
    assert!(first.stdout.contains("hello revoked"), "{first}");
    sandbox
        .pki("revoke --ca intermediate2 --cn revoked")
        .succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    server.reload();
    session(&sandbox, &server, "-sess_in session.pem")
}

#[test]
fn a_session_with_nginx_from_before_does_not_outlive_the_reload() {
    let later = session_of_a_revoked_client("");
    assert!(later.stdout.contains("New, TLSv1.2"), "{later}");
    assert!(later.stdout.contains("400 Bad Request"), "{later}");
}

/// The page about revocation warns of it.
#[test]
fn a_session_in_a_shared_cache_of_nginx_outlives_the_reload() {
    let later = session_of_a_revoked_client(
        "ssl_session_cache shared:sessions:1m; ssl_session_tickets off;",
    );
    assert!(later.stdout.contains("Reused, TLSv1.2"), "{later}");
    assert!(later.stdout.contains("hello revoked"), "{later}");
}

fn haproxy(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let both = ["fullchain.pem", "key"];
    let both = both.map(|file| sandbox.read(format!("out/www.example.test.{file}")));
    sandbox.write("server.pem", both.concat());
    let server = Server::haproxy(
        &sandbox,
        &format!("crt server.pem ca-file truststore.pem verify required crl-file {LISTS}"),
    );
    assert_out_once_reloaded(&sandbox, &server, assert_no_answer);
    server.assert_logs(&format!(
        "refused: error {CERTIFICATE_REVOKED}, of a CA 0\n"
    ));
}

fn apache(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let server = Server::apache(
        &sandbox,
        &format!(
            "SSLCertificateFile ../out/www.example.test.fullchain.pem
            SSLCertificateKeyFile ../out/www.example.test.key
            SSLCACertificateFile ../truststore.pem
            SSLVerifyDepth 3
            SSLCARevocationCheck chain
            SSLCARevocationFile ../{LISTS}"
        ),
    );
    assert_out_once_reloaded(&sandbox, &server, assert_no_answer);
    server.assert_logs("Certificate Verification: Error (23): certificate revoked");
}

const NODE: [&str; 3] = [
    "out/www.example.test.fullchain.pem",
    "out/www.example.test.key",
    "truststore.pem",
];

fn node(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let lists = ["intermediate2", "intermediate1", "rootCA"];
    let lists = lists.map(|ca| format!("pki/crl/{ca}.crl.pem"));
    let lists = lists.each_ref().map(String::as_str);
    let server = Server::node(&sandbox, "crl-server.js", &[&NODE[..], &lists].concat());
    assert_out_once_reloaded(&sandbox, &server, assert_no_answer);
    server.assert_logs("refused: CERT_REVOKED");
}

#[track_caller]
fn assert_no_answer(answer: &Transcript) {
    assert_ne!(answer.status, Some(0), "{answer}");
    assert_eq!(answer.stdout, "status:000", "{answer}");
}

/// One after the other, the lists are a file of which Node reads the first
/// alone; it misses those of the CAs above, and refuses even who is on no list.
#[test]
fn node_refuses_everyone_where_the_lists_are_one_file() {
    let sandbox = three_tiers("p256");
    let server = Server::node(&sandbox, "crl-server.js", &[&NODE[..], &[LISTS]].concat());
    assert_no_answer(&curl(&sandbox, &server, "good"));
    server.assert_logs("refused: UNABLE_TO_GET_CRL");
}

fn curl_with_the_lists(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let server = Server::nginx(
        &sandbox,
        "ssl_certificate ../out/www.example.test.fullchain.pem;
        ssl_certificate_key ../out/www.example.test.key;
        location / { return 200 \"hello\\n\"; }",
    );
    let ask = || {
        let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
        sandbox
            .run("curl", "--silent --show-error --noproxy *")
            .words("--cacert pki/rootCA/ca.crt --crlfile")
            .arg(LISTS)
            .words("--connect-to")
            .arg(to)
            .arg("https://www.example.test/")
    };
    assert_eq!(ask().succeeds().stdout, "hello\n");
    sandbox
        .pki("revoke --ca intermediate2 --cn www.example.test --reason superseded")
        .succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    let refused = ask().ends_with(CURL_PEER_FAILED_VERIFICATION);
    assert_eq!(refused.stdout, "", "{refused}");
    let says = "curl: (60) SSL certificate problem: certificate revoked\n";
    assert!(refused.stderr.starts_with(says), "{refused}");
}

for_p256_and_rsa! {
    nginx
    haproxy
    apache
    node
    curl_with_the_lists
}
