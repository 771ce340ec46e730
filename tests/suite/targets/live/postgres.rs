//! PostgreSQL, to which a client's common name is its user, and psql.

use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::server::Server;

const SETTINGS: &str = "ssl_ca_file = '../truststore.pem'
ssl_crl_file = '../intermediate2.chain.crl.pem'";

/// `rootCA` over `intermediate1` over `intermediate2`, with a server and the
/// clients `good` and `revoked`; the server has the trust store and the lists.
fn site() -> (Sandbox, Server) {
    let sandbox = Sandbox::with_clients_below_three_tiers("p256");
    for line in [
        "--store doubles root --name rootCA --no-passphrase",
        "--store doubles issue --ca rootCA --out doubles/out --cn good --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    std::fs::create_dir(sandbox.path("postgres")).unwrap();
    let made = sandbox.pki("bundle --for postgres --out postgres/truststore.pem");
    assert_eq!(made.succeeds().stderr, "");
    publish(&sandbox);
    let server = Server::postgres(&sandbox, SETTINGS, &["good", "revoked"]);
    (sandbox, server)
}

fn publish(sandbox: &Sandbox) {
    sandbox
        .pki("crl --out postgres --to-pem --chain")
        .succeeds();
}

/// psql as a user with a certificate and key; it holds the server to its name.
fn psql(sandbox: &Sandbox, server: &Server, user: &str, client: &str) -> Transcript {
    let port = server.port;
    sandbox
        .run("psql", "--no-psqlrc --tuples-only --no-align --dbname")
        .arg(format!(
            "host=www.example.test hostaddr=127.0.0.1 port={port} user={user} dbname=postgres \
             sslmode=verify-full sslrootcert=pki/rootCA/ca.crt {client}"
        ))
        .arg("--command")
        .arg("SELECT 'hello ' || current_user")
        .finish()
}

fn of(folder: &str, name: &str) -> String {
    format!("sslcert={folder}/{name}.fullchain.pem sslkey={folder}/{name}.key")
}

#[track_caller]
fn assert_let_in(sandbox: &Sandbox, server: &Server, user: &str) {
    let answer = psql(sandbox, server, user, &of("out", user));
    assert_eq!(answer.stdout, format!("hello {user}\n"), "{answer}");
    assert_eq!(answer.status, Some(0), "{answer}");
}

#[track_caller]
fn assert_refused(answer: &Transcript, why: &str) {
    assert_eq!(answer.status, Some(2), "{answer}");
    assert_eq!(answer.stdout, "", "{answer}");
    assert!(answer.stderr.contains(why), "{answer}");
}

#[test]
fn a_client_is_the_user_of_its_name_and_of_no_other() {
    let (sandbox, server) = site();
    assert_let_in(&sandbox, &server, "good");
    assert_refused(
        &psql(&sandbox, &server, "revoked", &of("out", "good")),
        "authentication failed for user \"revoked\"",
    );
    server.assert_logs(
        "provided user name (revoked) and authenticated user name (good) do not match",
    );
    assert_refused(
        &psql(&sandbox, &server, "good", ""),
        "connection requires a valid client certificate",
    );
    assert_refused(
        &psql(&sandbox, &server, "good", &of("doubles/out", "good")),
        "alert unknown ca",
    );
    server.assert_logs("could not accept SSL connection: certificate verify failed");
}

#[test]
fn psql_refuses_a_server_of_another_name() {
    let (sandbox, server) = site();
    let client = format!("{} host=other.example.test", of("out", "good"));
    assert_refused(
        &psql(&sandbox, &server, "good", &client),
        "server certificate for \"www.example.test\" does not match host name \"other.example.test\"",
    );
}

#[test]
fn a_revoked_client_is_out_once_the_lists_are_reloaded() {
    let (sandbox, server) = site();
    assert_let_in(&sandbox, &server, "revoked");
    sandbox
        .pki("revoke --ca intermediate2 --cn revoked --reason keyCompromise")
        .succeeds();
    publish(&sandbox);
    assert_let_in(&sandbox, &server, "revoked");
    server.reload();
    assert_refused(
        &psql(&sandbox, &server, "revoked", &of("out", "revoked")),
        "alert certificate revoked",
    );
    assert_let_in(&sandbox, &server, "good");
}
