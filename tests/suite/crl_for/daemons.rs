//! Servers of other protocols than HTTP, with the settings that `crl --for` says: the good client is let in, the
//! revoked one and a stranger are not; one that is revoked later is out once the CRLs were read again.

use super::settings;
use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;
use crate::server::Server;

const CRL_FOR: &str = "crl --ca intermediate2 --for";

/// Clients `good`, `revoked`, `later` and `stranger`, and the CRLs for a target, with the settings that were said.
pub(super) fn clients_for(target: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::with_clients_below_three_tiers("p256");
    for line in [
        "issue --ca intermediate2 --cn later --out out --no-passphrase",
        "revoke --ca intermediate2 --cn revoked --reason keyCompromise",
        "bundle --out truststore.pem",
        "--store other root --name other --no-passphrase",
        "--store other issue --ca other --cn stranger --out out --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let said = settings(&sandbox.pki(CRL_FOR).arg(target).succeeds());
    (sandbox, said.join("\n"))
}

/// Revokes `later`, and publishes the CRL for a target.
pub(super) fn revoke_later(sandbox: &Sandbox, target: &str) {
    sandbox
        .pki("revoke --ca intermediate2 --cn later")
        .succeeds();
    sandbox.pki(CRL_FOR).arg(target).succeeds();
}

/// The alert with which a server ends the handshake of a client under TLS 1.2; the alert of TLS 1.3 may be lost.
pub(super) fn alert(sandbox: &Sandbox, server: &Server, client: &str, options: &str) -> String {
    let said = sandbox
        .run("openssl", "s_client -tls1_2 -connect")
        .arg(format!("127.0.0.1:{}", server.port))
        .words(&format!("-cert out/{client}.crt -key out/{client}.key"))
        .words(&format!("-cert_chain out/{client}.fullchain.pem {options}"))
        .finish();
    let said = said.stdout + &said.stderr;
    let (_, alert) = said.split_once(" alert ").unwrap_or_default();
    alert.split(':').next().unwrap_or_default().to_owned()
}

/// Outcome of a connection: what the client said if it was refused.
pub(super) type Connected = Result<(), Transcript>;

pub(super) fn if_it_succeeds(connection: Transcript) -> Connected {
    match connection.status {
        Some(0) => Ok(()),
        _ => Err(connection),
    }
}

#[track_caller]
pub(super) fn assert_let_in(connected: Connected) {
    if let Err(refused) = connected {
        panic!("{refused}");
    }
}

/// Answers to the clients of a server, before and after a revocation that it reads when `reload` has run.
#[track_caller]
fn assert_revocation_is_seen(
    sandbox: &Sandbox,
    target: &str,
    connect: impl Fn(&str) -> Connected,
    why: impl Fn(&str) -> String,
    reload: impl Fn(),
) {
    assert_let_in(connect("good"));
    assert_let_in(connect("later"));
    for (client, reason) in [
        ("revoked", "certificate revoked"),
        ("stranger", "unknown ca"),
    ] {
        assert!(connect(client).is_err(), "{client}");
        assert_eq!(why(client), reason, "{client}");
    }
    revoke_later(sandbox, target);
    assert_let_in(connect("later"));
    reload();
    assert_let_in(connect("good"));
    assert!(connect("later").is_err());
    assert_eq!(why("later"), "certificate revoked");
}

#[test]
fn mosquitto() {
    let (sandbox, said) = clients_for("mosquitto");
    let server = Server::mosquitto(&sandbox, &said);
    let connect = |client: &str| {
        // The certificate is for another name than the address; its path is verified all the same.
        let connection = sandbox
            .run(
                "mosquitto_pub",
                "-h 127.0.0.1 --insecure --cafile truststore.pem -t t -m hello -p",
            )
            .arg(server.port.to_string())
            .words(&format!(
                "--cert out/{client}.fullchain.pem --key out/{client}.key"
            ))
            .finish();
        if_it_succeeds(connection)
    };
    let why = |client: &str| alert(&sandbox, &server, client, "");
    assert_revocation_is_seen(&sandbox, "mosquitto", connect, why, || server.reload());
}

#[test]
fn stunnel() {
    let (sandbox, said) = clients_for("stunnel");
    let server = Server::stunnel(&sandbox, &said);
    let connect = |client: &str| {
        let answer = sandbox
            .run(
                "openssl",
                "s_client -quiet -verify_quiet -CAfile truststore.pem -connect",
            )
            .arg(format!("127.0.0.1:{}", server.port))
            .words(&format!("-cert out/{client}.crt -key out/{client}.key"))
            .words(&format!("-cert_chain out/{client}.fullchain.pem"))
            .finish();
        if answer.stdout.contains("hello") {
            Ok(())
        } else {
            Err(answer)
        }
    };
    let why = |client: &str| alert(&sandbox, &server, client, "");
    assert_revocation_is_seen(&sandbox, "stunnel", connect, why, || server.reload());
}

#[test]
fn mariadb() {
    let (sandbox, said) = clients_for("mariadb");
    let server = Server::mariadb(&sandbox, &said);
    let mariadb = |options: &str| -> Run { sandbox.run("mariadb", "--no-defaults").words(options) };
    let connect = |client: &str| {
        let connection = mariadb("-h 127.0.0.1 -u client --ssl-ca=truststore.pem -N -e")
            .arg("SELECT 1")
            .words(&format!("-P {}", server.port))
            .words(&format!(
                "--ssl-cert=out/{client}.fullchain.pem --ssl-key=out/{client}.key"
            ))
            .finish();
        if_it_succeeds(connection)
    };
    let why = |client: &str| alert(&sandbox, &server, client, "-starttls mysql");
    let reload = || {
        let flushed = mariadb("-S mariadb.sock -u root -e").arg("FLUSH SSL");
        flushed.succeeds();
    };
    assert_revocation_is_seen(&sandbox, "mariadb", connect, why, reload);
}

/// OpenVPN reads the CRLs before it waits for the next peer, so a revocation counts from the connection after the
/// next.
#[test]
fn openvpn() {
    let (sandbox, said) = clients_for("openvpn");
    let server = Server::openvpn(&sandbox, &said);
    let mut times = 0;
    let mut connect = |client: &str| {
        times += 1;
        server.wait_until_listening(times);
        let ended = sandbox
            .python("until.py")
            .arg("Initialization Sequence Completed")
            .words("openvpn --dev null --tls-client --nobind --tls-exit --remote 127.0.0.1")
            .words(&format!("{} tcp-client --ca truststore.pem", server.port))
            .words(&format!(
                "--cert out/{client}.fullchain.pem --key out/{client}.key"
            ))
            .words("--remote-cert-tls server --connect-retry-max 1 --verb 3")
            .finish();
        ended.status == Some(0)
    };
    assert!(connect("good"));
    assert!(!connect("revoked"));
    server.assert_logs("error=certificate revoked: CN=revoked");
    assert!(!connect("stranger"));
    server.assert_logs("error=unable to get local issuer certificate: CN=stranger");
    assert!(connect("later"));
    server.wait_until_listening(5);
    revoke_later(&sandbox, "openvpn");
    assert!(connect("good"));
    assert!(!connect("later"));
    server.assert_logs("error=certificate revoked: CN=later");
    assert!(connect("good"));
}
