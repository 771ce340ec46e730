//! nginx and curl while one root takes the place of another.

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;
use crate::server::Server;

const CURL_PEER_FAILED_VERIFICATION: i32 = 60;

/// The old root over `inter0` and the new one over `inter2`, each with a client in `NAME/`; the server's
/// certificate is of the new one, in `server/` as it is and in `across/` for who has the old root alone.
fn during_the_change() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name inter0 --no-passphrase",
        "issue --ca inter0 --cn before --out before --no-passphrase",
        "ca rekey --ca rootCA --name root2 --no-passphrase",
        "subordinate --ca root2 --name inter2 --no-passphrase",
        "issue --ca inter2 --cn after --out after --no-passphrase",
        "issue --ca inter2 --cn www.example.test --profile server --out server --no-passphrase",
        "export --ca inter2 --cn www.example.test --via rootCA --out across --no-passphrase",
        "bundle --out both.pem",
        "bundle --ca rootCA --ca inter0 --out old.pem",
        "bundle --ca root2 --ca inter2 --out new.pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

fn nginx(sandbox: &Sandbox, files: &str, clients: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../{files}/www.example.test.fullchain.pem;
        ssl_certificate_key ../{files}/www.example.test.key;
        ssl_client_certificate ../{clients};
        ssl_verify_depth 3;
        ssl_verify_client on;
        location / {{ return 200 \"hello $ssl_client_s_dn\\n\"; }}"
        ),
    )
}

/// curl, which trusts one root alone.
fn curl(sandbox: &Sandbox, server: &Server, root: &str, client: &str) -> Transcript {
    let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
    let run: Run = sandbox
        .run("curl", "--silent --show-error --noproxy *")
        .words("--write-out status:%{http_code} --connect-to")
        .arg(to)
        .words(&format!("--cacert pki/{root}/ca.crt"))
        .words(&format!(
            "--cert {client}/{client}.fullchain.pem --key {client}/{client}.key"
        ));
    run.arg("https://www.example.test/").finish()
}

#[test]
fn clients_of_both_roots_are_accepted_and_accept_the_server() {
    let sandbox = during_the_change();
    let server = nginx(&sandbox, "across", "both.pem");
    for root in ["rootCA", "root2"] {
        for client in ["before", "after"] {
            let answer = curl(&sandbox, &server, root, client);
            assert_eq!(
                answer.stdout,
                format!("hello CN={client}\nstatus:200"),
                "{answer}"
            );
        }
    }
}

/// Without the certificate between the roots who has the old one alone refuses the server.
#[test]
fn the_cross_certificate_is_what_leads_there() {
    let sandbox = during_the_change();
    let server = nginx(&sandbox, "server", "both.pem");
    let answer = curl(&sandbox, &server, "rootCA", "before");
    assert_eq!(
        answer.status,
        Some(CURL_PEER_FAILED_VERIFICATION),
        "{answer}"
    );
    let answer = curl(&sandbox, &server, "root2", "before");
    assert_eq!(answer.stdout, "hello CN=before\nstatus:200", "{answer}");
}

/// Before and after the change: the trust store says who is let in.
#[test]
fn a_trust_store_with_one_root_lets_in_the_clients_of_that_one() {
    let sandbox = during_the_change();
    for (store, in_, out) in [
        ("old.pem", "before", "after"),
        ("new.pem", "after", "before"),
    ] {
        let server = nginx(&sandbox, "across", store);
        let answer = curl(&sandbox, &server, "root2", in_);
        assert_eq!(
            answer.stdout,
            format!("hello CN={in_}\nstatus:200"),
            "{answer}"
        );
        let answer = curl(&sandbox, &server, "root2", out);
        assert!(answer.stdout.ends_with("status:400"), "{answer}");
    }
}

crate::engine::soak_in_a_database! {
    clients_of_both_roots_are_accepted_and_accept_the_server, the_cross_certificate_is_what_leads_there,
    a_trust_store_with_one_root_lets_in_the_clients_of_that_one,
}
