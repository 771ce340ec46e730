//! Java's PKIX asks nginx, by GET.

use super::{BOTH_TREES, EACH_TREE};
use crate::sandbox::Sandbox;
use crate::server::Server;

const CLIENTS: [&str; 3] = ["good", "revoked", "new"];

/// The last one was issued after the responses were signed.
const VERDICTS: [&str; 3] = [
    "good",
    "REVOKED at 0",
    "UNDETERMINED_REVOCATION_STATUS at 0",
];

/// Answers of Java about each client when it asks about the leaf, and then about the chain.
#[track_caller]
fn assert_judges(sandbox: &Sandbox, responder: &str, leaf: [&str; 3], chain: [&str; 3]) {
    let run = sandbox.java("OcspPath.java").arg("pki/rootCA/ca.crt");
    let run = run.arg(responder);
    let clients = CLIENTS.map(|client| format!("out/{client}.fullchain.pem"));
    let judged = clients.iter().fold(run, crate::run::Run::arg).succeeds();
    let verdicts = leaf.into_iter().chain(chain);
    let lines = clients.iter().cycle().zip(verdicts);
    let lines = lines.map(|(client, verdict)| format!("{client}: {verdict}"));
    let lines: Vec<String> = lines.collect();
    assert_eq!(judged.stdout.lines().collect::<Vec<_>>(), lines, "{judged}");
}

/// Revokes `revoked`, publishes, and then issues `new`.
fn publish(sandbox: &Sandbox, web: &Sandbox) {
    sandbox
        .pki("revoke --ca intermediate0 --cn revoked --reason keyCompromise")
        .succeeds();
    let run = sandbox.pki("ocsp --out").arg(web.path("public"));
    run.succeeds();
    sandbox
        .pki("issue --ca intermediate0 --out out --cn new --no-passphrase")
        .succeeds();
}

#[test]
fn java_asks_a_responder() {
    let sandbox = Sandbox::with_clients(["", ""]);
    let web = Sandbox::new();
    publish(&sandbox, &web);
    let responder = Server::web(&web, BOTH_TREES);
    let url = format!("http://127.0.0.1:{}/", responder.port);
    assert_judges(&sandbox, &url, VERDICTS, VERDICTS);
}

#[test]
fn java_asks_the_responders_that_certificates_name() {
    let web = Sandbox::new();
    web.write("public/.keep", "");
    let responder = Server::web(&web, EACH_TREE);
    let url = |ca: &str| format!("--ocsp-url http://127.0.0.1:{}/{ca}", responder.port);
    let sandbox = Sandbox::with_clients([&url("rootCA"), &url("intermediate0")]);
    publish(&sandbox, &web);
    sandbox
        .pki("revoke --ca rootCA --cn intermediate0")
        .succeeds();
    let run = sandbox.pki("ocsp --if-needed --ca rootCA --out");
    run.arg(web.path("public")).succeeds();
    assert_judges(&sandbox, "-", VERDICTS, ["REVOKED at 1"; 3]);
}
