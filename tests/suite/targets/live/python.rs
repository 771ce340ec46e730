//! Python's `ssl` with strict checks, at both ends.

use super::{
    DEEP, OTHER, assert_greets, assert_no_answer, assert_refuses_others, curl, three_tiers,
};
use crate::sandbox::Sandbox;
use crate::server::Server;

fn server(sandbox: &Sandbox) -> Server {
    sandbox.pki("bundle --ca intermediate2").succeeds();
    Server::python(
        sandbox,
        "mtls_server.py",
        &[
            "out/www.example.test.fullchain.pem",
            "out/www.example.test.key",
            "truststore.pem",
        ],
    )
}

#[test]
fn a_strict_server_lets_in_the_deepest_client() {
    let sandbox = three_tiers();
    let server = server(&sandbox);
    assert_greets(&curl(&sandbox, &server, DEEP), "hello deep\n");
    assert_no_answer(&curl(&sandbox, &server, OTHER));
    let reasons = [
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        "unable to get local issuer certificate",
    ];
    assert_refuses_others(&sandbox, &server, reasons);
}

#[test]
fn a_strict_client_takes_the_server_and_no_other() {
    let sandbox = three_tiers();
    let server = server(&sandbox);
    let client = |root: &str, client: &str| {
        sandbox
            .python("mtls_client.py")
            .arg(server.port.to_string())
            .arg(root)
            .arg(format!("{client}.fullchain.pem"))
            .arg(format!("{client}.key"))
            .succeeds()
            .stdout
    };
    assert_eq!(client("pki/rootCA/ca.crt", "out/deep"), "hello deep\n");
    assert_eq!(
        client("doubles/rootCA/ca.crt", "out/deep"),
        "refused: unable to get local issuer certificate\n"
    );
    // Whether the server's alert comes before the end of the connection is a race.
    let refused = client("pki/rootCA/ca.crt", "doubles/out/deep");
    assert!(refused.starts_with("refused: "), "{refused}");
    server.assert_logs("unable to get local issuer certificate");
}
