//! The targets that `make soak` tries, which installs them: Dovecot, OpenLDAP, lighttpd, Redis, Caddy, Go, wolfSSL,
//! Mbed TLS, Erlang.

use super::daemons::{alert, assert_let_in, clients_for, if_it_succeeds, revoke_later};
use crate::run::Transcript;
use crate::sandbox::{Sandbox, repository};
use crate::server::Server;

/// The CRL of each CA of the path, for programs that take a CRL per file.
const CRLS: &str =
    "pki/crl/rootCA.crl.pem pki/crl/intermediate1.crl.pem pki/crl/intermediate2.crl.pem";

const CHAIN: &str = "pki/crl/intermediate2.chain.crl.pem";

fn curl(sandbox: &Sandbox, server: &Server, client: &str, url: &str) -> Transcript {
    let to = format!("www.example.test:{0}:127.0.0.1:{0}", server.port);
    sandbox
        .run("curl", "--silent --show-error --noproxy * --max-time 20")
        .words("--cacert truststore.pem --connect-to")
        .arg(to)
        .words(&format!(
            "--cert out/{client}.fullchain.pem --key out/{client}.key"
        ))
        .words(url)
        .finish()
}

fn https(sandbox: &Sandbox, server: &Server, client: &str) -> Transcript {
    let url = format!("https://www.example.test:{}/", server.port);
    curl(sandbox, server, client, &url)
}

/// The good client is let in; the revoked one and a stranger are not.
#[track_caller]
fn assert_told_apart(connect: impl Fn(&str) -> Transcript) {
    assert_let_in(if_it_succeeds(connect("good")));
    for client in ["revoked", "stranger"] {
        assert!(if_it_succeeds(connect(client)).is_err(), "{client}");
    }
}

/// Dovecot refuses at the login, after the handshake.
#[test]
#[ignore = "make soak runs it"]
fn dovecot() {
    let (sandbox, _) = clients_for("dovecot");
    let join = || {
        let ca = sandbox.read("truststore.pem") + &sandbox.read(CHAIN);
        sandbox.write("ca.pem", ca);
    };
    join();
    let server = Server::dovecot(&sandbox);
    let login = |client: &str| {
        let url = format!("imaps://www.example.test:{}/", server.port);
        let words = format!("{url} -u {client}:x -X CAPABILITY");
        curl(&sandbox, &server, client, &words)
    };
    assert_told_apart(login);
    assert_let_in(if_it_succeeds(login("later")));
    revoke_later(&sandbox, "dovecot");
    join();
    server.reload();
    assert_let_in(if_it_succeeds(login("good")));
    assert!(if_it_succeeds(login("later")).is_err());
    // Without CRLs everyone is refused.
    sandbox.write("ca.pem", sandbox.read("truststore.pem"));
    server.reload();
    assert!(if_it_succeeds(login("good")).is_err());
}

#[test]
#[ignore = "make soak runs it"]
fn openldap() {
    let (sandbox, said) = clients_for("openldap");
    let server = Server::slapd(&sandbox, &said);
    let search = |client: &str| {
        sandbox
            .run("ldapsearch", "-x -b")
            .arg("")
            .words("-s base -LLL -H")
            .arg(format!("ldaps://127.0.0.1:{}/", server.port))
            .arg("namingContexts")
            // The certificate is for another name than the address.
            .env("LDAPTLS_REQCERT", "never")
            .env("LDAPTLS_CACERT", "truststore.pem")
            .env("LDAPTLS_CERT", format!("out/{client}.fullchain.pem"))
            .env("LDAPTLS_KEY", format!("out/{client}.key"))
            .finish()
    };
    assert_told_apart(search);
}

#[test]
#[ignore = "make soak runs it"]
fn lighttpd() {
    let (sandbox, said) = clients_for("lighttpd");
    let server = Server::lighttpd(&sandbox, &said);
    assert_told_apart(|client| https(&sandbox, &server, client));
    assert_eq!(
        alert(&sandbox, &server, "revoked", ""),
        "certificate revoked"
    );
    assert_let_in(if_it_succeeds(https(&sandbox, &server, "later")));
    revoke_later(&sandbox, "lighttpd");
    server.reload();
    assert_let_in(if_it_succeeds(https(&sandbox, &server, "good")));
    assert!(if_it_succeeds(https(&sandbox, &server, "later")).is_err());
}

/// Programs that check no CRL let the revoked client in, as `bundle --for` warns.
#[test]
#[ignore = "make soak runs it"]
fn redis_and_caddy_let_the_revoked_client_in() {
    let (sandbox, _) = clients_for("nginx");
    let redis = Server::redis(&sandbox);
    let ping = |client: &str| {
        sandbox
            .run("redis-cli", "-h 127.0.0.1 --tls --cacert truststore.pem")
            .words("--sni www.example.test -p")
            .arg(redis.port.to_string())
            .words(&format!(
                "--cert out/{client}.fullchain.pem --key out/{client}.key ping"
            ))
            .finish()
    };
    let caddy = Server::caddy(&sandbox);
    for client in ["good", "revoked"] {
        assert_let_in(if_it_succeeds(ping(client)));
        assert_let_in(if_it_succeeds(https(&sandbox, &caddy, client)));
    }
    assert!(if_it_succeeds(ping("stranger")).is_err());
    assert!(if_it_succeeds(https(&sandbox, &caddy, "stranger")).is_err());
}

#[test]
#[ignore = "make soak runs it"]
fn erlang() {
    let (sandbox, _) = clients_for("erlang");
    let server = Server::erlang(
        &sandbox,
        &[
            "truststore.pem",
            "out/www.example.test.fullchain.pem",
            "out/www.example.test.key",
            CHAIN,
        ],
    );
    assert_eq!(alert(&sandbox, &server, "good", ""), "");
    assert_eq!(
        alert(&sandbox, &server, "revoked", ""),
        "certificate revoked"
    );
    assert_eq!(alert(&sandbox, &server, "stranger", ""), "unknown ca");
}

/// Compiles a program of `tests/soak`.
fn compiled(sandbox: &Sandbox, compiler: &str, options: &str, source: &str, libraries: &str) {
    sandbox
        .run(compiler, options)
        .words("-o verifier")
        .arg(repository("tests/soak").join(source))
        .words(libraries)
        .env("HOME", sandbox.folder())
        .succeeds();
}

#[test]
#[ignore = "make soak runs it"]
fn mbedtls() {
    let (sandbox, _) = clients_for("mbedtls");
    compiled(
        &sandbox,
        "cc",
        "-Wall",
        "mbedtls.c",
        "-lmbedx509 -lmbedcrypto",
    );
    assert_told_apart(|client| {
        let words = format!("truststore.pem {CHAIN} out/{client}.fullchain.pem");
        sandbox.run("./verifier", &words).finish()
    });
}

#[test]
#[ignore = "make soak runs it"]
fn wolfssl() {
    let (sandbox, _) = clients_for("wolfssl");
    compiled(&sandbox, "cc", "-Wall", "wolfssl.c", "-lwolfssl");
    assert_told_apart(|client| {
        let words = format!("truststore.pem out/{client}.crt {CRLS}");
        sandbox.run("./verifier", &words).finish()
    });
}

#[test]
#[ignore = "make soak runs it"]
fn go() {
    let (sandbox, _) = clients_for("go");
    compiled(&sandbox, "go", "build", "verify.go", "");
    assert_told_apart(|client| {
        let words = format!("truststore.pem out/{client}.fullchain.pem {CRLS}");
        sandbox.run("./verifier", &words).finish()
    });
}
