//! rustls, the library itself as a server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::hierarchy::for_p256_and_rsa;
use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;

const LISTS: &str = "pki/crl/intermediate2.chain.crl.pem";

/// How long a client may keep the server waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// `rootCA` over `intermediate1` over `intermediate2`, with a server and the
/// clients `good` and `revoked`; a trust store and lists; and a stranger's `good`.
fn three_tiers(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::with_clients_below_three_tiers(key_type);
    for line in [
        "--store doubles root --name rootCA",
        "--store doubles issue --ca rootCA --out doubles/out --cn good",
    ] {
        let made = sandbox.pki(line).arg("--no-passphrase");
        made.arg("--key-type").arg(key_type).succeeds();
    }
    sandbox.pki("crl --to-pem --chain").succeeds();
    let made = sandbox.pki("bundle --for rustls").succeeds();
    assert_eq!(made.stderr, "");
    sandbox
}

/// A server that has read everything as it is now.
fn server(sandbox: &Sandbox, lists: &str) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(sandbox, "truststore.pem") {
        roots.add(certificate).unwrap();
    }
    let lists = sandbox.read(lists);
    let lists = CertificateRevocationListDer::pem_slice_iter(lists.as_bytes());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .with_crls(lists.map(Result::unwrap))
        .enforce_revocation_expiration()
        .build()
        .unwrap();
    let key = sandbox.read("out/www.example.test.key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            certificates(sandbox, "out/www.example.test.fullchain.pem"),
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        );
    Arc::new(config.unwrap())
}

fn certificates(sandbox: &Sandbox, file: &str) -> Vec<CertificateDer<'static>> {
    let pem = sandbox.read(file);
    let all = CertificateDer::pem_slice_iter(pem.as_bytes());
    all.map(Result::unwrap).collect()
}

/// Serves one client; the error is why rustls refused it.
fn serve(server: Arc<ServerConfig>, mut client: TcpStream) -> Result<(), String> {
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut connection = ServerConnection::new(server).unwrap();
    let mut stream = Stream::new(&mut connection, &mut client);
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).map_err(|error| error.to_string())? {
            0 => return Err("the client went away".into()),
            read => request.extend_from_slice(&part[..read]),
        }
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nlet in";
    stream.write_all(answer).map_err(|error| error.to_string())
}

/// What curl as a client gets, and why the server refused it.
fn visit(
    sandbox: &Sandbox,
    server: &Arc<ServerConfig>,
    client: Option<&str>,
) -> (Transcript, Result<(), String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut run: Run = sandbox
        .run("curl", "--silent --show-error --noproxy *")
        .words("--cacert pki/rootCA/ca.crt --connect-to")
        .arg(format!("www.example.test:443:{address}"));
    if let Some(client) = client {
        run = run.words(&format!("--cert {client}.fullchain.pem --key {client}.key"));
    }
    thread::scope(|scope| {
        let visitor = scope.spawn(move || {
            let answer = run.arg("https://www.example.test/").finish();
            // Should curl have ended before it connected, this is who is served.
            drop(TcpStream::connect(address));
            answer
        });
        let served = serve(server.clone(), listener.accept().unwrap().0);
        (visitor.join().unwrap(), served)
    })
}

#[track_caller]
fn assert_let_in((answer, served): &(Transcript, Result<(), String>)) {
    assert_eq!(served, &Ok(()), "{answer}");
    assert_eq!(answer.stdout, "let in", "{answer}");
}

#[track_caller]
fn assert_refused((answer, served): &(Transcript, Result<(), String>), why: &str) {
    let said = served.as_ref().unwrap_err();
    assert!(said.contains(why), "{said}\n{answer}");
    assert_ne!(answer.status, Some(0), "{answer}");
    assert_eq!(answer.stdout, "", "{answer}");
}

fn our_clients_are_let_in_and_no_others(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let server = server(&sandbox, LISTS);
    assert_let_in(&visit(&sandbox, &server, Some("out/good")));
    assert_refused(&visit(&sandbox, &server, None), "peer sent no certificates");
    let double = visit(&sandbox, &server, Some("doubles/out/good"));
    assert_refused(&double, "invalid peer certificate: BadSignature");
}

fn a_revoked_client_is_out_once_the_new_lists_are_read(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let before = server(&sandbox, LISTS);
    sandbox
        .pki("revoke --ca intermediate2 --cn revoked --reason keyCompromise")
        .succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    assert_let_in(&visit(&sandbox, &before, Some("out/revoked")));
    let after = server(&sandbox, LISTS);
    assert_let_in(&visit(&sandbox, &after, Some("out/good")));
    let revoked = visit(&sandbox, &after, Some("out/revoked"));
    assert_refused(&revoked, "invalid peer certificate: Revoked");
}

/// rustls takes nobody for good of whose issuer it has no list.
fn the_list_of_the_root_alone_is_not_enough(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let server = server(&sandbox, "pki/crl/rootCA.crl.pem");
    let refused = visit(&sandbox, &server, Some("out/good"));
    assert_refused(
        &refused,
        "invalid peer certificate: UnknownRevocationStatus",
    );
}

for_p256_and_rsa! {
    our_clients_are_let_in_and_no_others
    a_revoked_client_is_out_once_the_new_lists_are_read
    the_list_of_the_root_alone_is_not_enough
}
