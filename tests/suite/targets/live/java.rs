//! Java, with key stores of `export --for java` and trust stores of `bundle --for java`.

use super::{
    DEEP, OTHER, assert_greets, assert_no_answer, assert_refuses_others, curl, three_tiers,
};
use crate::sandbox::{PASSPHRASE, Sandbox};
use crate::server::Server;

/// [`three_tiers`], with a key store each for the server and the clients, and a trust store.
fn with_stores() -> Sandbox {
    let sandbox = three_tiers();
    sandbox.write("passphrase", PASSPHRASE);
    for line in [
        "export --ca intermediate2 --cn www.example.test --for java --out java",
        "export --ca intermediate2 --cn deep --for java --out java",
        "--store doubles export --ca intermediate2 --cn deep --for java --out doubles/java",
        "bundle --for java --ca intermediate2",
        "--store doubles bundle --for java --out doubles.p12",
    ] {
        sandbox
            .pki(line)
            .words("--passout file:passphrase")
            .succeeds();
    }
    sandbox
}

fn server(sandbox: &Sandbox) -> Server {
    let stores = ["java/www.example.test.p12", "truststore.p12", PASSPHRASE];
    Server::java(sandbox, "MutualServer.java", &stores)
}

#[test]
fn a_server_lets_in_the_deepest_client() {
    let sandbox = with_stores();
    let server = server(&sandbox);
    assert_greets(&curl(&sandbox, &server, DEEP), "hello CN=deep\n");
    assert_no_answer(&curl(&sandbox, &server, OTHER));
    let reasons = [
        "Empty client certificate chain",
        "PKIX path validation failed",
    ];
    assert_refuses_others(&sandbox, &server, reasons);
}

#[test]
fn a_client_takes_the_server_under_its_name_and_no_other() {
    let sandbox = with_stores();
    let server = server(&sandbox);
    let client = |name: &str, key_store: &str, trust_store: &str| {
        sandbox
            .java("MutualClient.java")
            .arg(server.port.to_string())
            .words(&format!("{name} {key_store} {trust_store}"))
            .arg(PASSPHRASE)
            .succeeds()
            .stdout
    };
    let (ours, theirs) = ("java/deep.p12", "doubles/java/deep.p12");
    assert_eq!(
        client("www.example.test", ours, "truststore.p12"),
        "hello CN=deep\n"
    );
    let refused = client("other.example.test", ours, "truststore.p12");
    assert!(
        refused.contains("refused: No subject alternative DNS name matching"),
        "{refused}"
    );
    let refused = client("www.example.test", ours, "doubles.p12");
    assert!(refused.contains("refused: PKIX path"), "{refused}");
    let refused = client("www.example.test", theirs, "truststore.p12");
    assert!(refused.starts_with("refused: "), "{refused}");
    server.assert_logs("refused: PKIX path validation failed");
}
