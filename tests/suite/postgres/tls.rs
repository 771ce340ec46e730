//! TLS with certificates that `pki` made, and URLs with several hosts.

use std::fs;
use std::sync::Arc;

use super::{Cluster, Site};
use crate::run::Run;

/// A server with TLS that only lets in who has a certificate of its CA, and knows users by their common names.
fn cluster() -> Cluster {
    let folder = crate::sandbox::Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "issue --ca rootCA --cn localhost --profile server --san localhost,127.0.0.1 --out out --no-passphrase",
        "issue --ca rootCA --cn host1 --out out --no-passphrase",
        "issue --ca rootCA --cn host2 --out out --no-passphrase",
        "root --name strangers --no-passphrase",
        "issue --ca strangers --cn stranger --out out --no-passphrase",
    ] {
        folder.pki(line).succeeds();
    }
    Cluster::with_tls(folder)
}

fn on(site: &Site, line: &str, authority: &str, more: &str) -> Run {
    let folder = site.cluster.folder.folder().display();
    let root = format!("{folder}/pki/rootCA/ca.crt");
    let database = &site.database;
    let url = format!("postgres://{authority}/{database}?sslrootcert={root}{more}");
    site.sandbox.pki(line).env("PKI_STORE", url)
}

fn client(site: &Site, name: &str) -> String {
    let out = site.cluster.folder.path("out");
    let out = out.display();
    format!("&sslcert={out}/{name}.fullchain.pem&sslkey={out}/{name}.key")
}

#[test]
fn hosts_connect_with_their_certificates_and_others_do_not() {
    let site = Site::on(Arc::new(cluster()));
    let port = site.cluster.server.port;
    for user in ["host1", "host2"] {
        site.psql(&format!("CREATE ROLE {user} LOGIN SUPERUSER"));
    }
    let host1 = format!("host1@localhost:{port}");
    on(
        &site,
        "root --name rootCA --no-passphrase",
        &host1,
        &client(&site, "host1"),
    )
    .succeeds();
    let host2 = format!("host2@localhost:{port}");
    on(
        &site,
        "issue --ca rootCA --cn second",
        &host2,
        &client(&site, "host2"),
    )
    .succeeds();
    assert_eq!(site.psql("SELECT count(*) FROM pki.certificate"), "2");
    // No certificate, one of another name, and one of a CA that the server does not know.
    for more in [
        String::new(),
        client(&site, "host2"),
        client(&site, "stranger"),
    ] {
        on(&site, "list", &host1, &more).refusal(1, "connection-failed");
    }
    // A server that is called otherwise, and one whose CA is unknown.
    let other = format!("host1@127.0.0.2:{port}");
    on(&site, "list", &other, &client(&site, "host1")).refusal(1, "connection-failed");
    let strangers =
        client(&site, "host1").replace("&sslcert", "&sslrootcert=strangers.pem&sslcert");
    let unknown = site.cluster.folder.read("pki/strangers/ca.crt");
    site.sandbox.write("strangers.pem", unknown);
    on(&site, "list", &host1, &strangers).refusal(1, "connection-failed");
}

#[test]
fn tls_is_not_given_up_silently() {
    let site = Site::on(Arc::new(cluster()));
    let port = site.cluster.server.port;
    let url = |more: &str| format!("postgres://host1@localhost:{port}/{}{more}", site.database);
    let listed = |more: &str| site.sandbox.pki("list").env("PKI_STORE", url(more));
    listed("").refusal(1, "invalid-tls-files");
    listed("?sslmode=prefer").refusal(1, "invalid-tls-files");
    let said = listed("?sslmode=disable").refusal(1, "connection-failed");
    assert!(said.contains("no encryption"), "{said}");
    let encrypted = site.sandbox.path("encrypted.key");
    fs::write(
        &encrypted,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    let key = client(&site, "host1").replace("host1.key", "../../encrypted.key");
    on(&site, "list", &format!("host1@localhost:{port}"), &key).refusal(1, "invalid-tls-files");
}

#[test]
fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let cluster = Arc::new(Cluster::own(""));
    let site = Site::on(Arc::clone(&cluster));
    site.psql("CREATE ROLE ca LOGIN SUPERUSER PASSWORD 'pw'");
    let port = cluster.server.port;
    // Nothing listens at the first.
    let url = |attributes: &str| {
        format!(
            "postgres://ca@127.0.0.1:1,127.0.0.1:{port}/{}?sslmode=disable{attributes}",
            site.database
        )
    };
    let run = |line: &str, attributes: &str| {
        let run = site.sandbox.pki(line).env("PGPASSWORD", "pw");
        run.env("PKI_STORE", url(attributes))
    };
    run(
        "root --name rootCA --no-passphrase",
        "&target_session_attrs=read-write",
    )
    .succeeds();
    site.psql(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        site.database
    ));
    run("list", "&target_session_attrs=read-write").refusal(1, "connection-failed");
    run("list", "").succeeds();
    run("issue --ca rootCA --cn a", "").refusal(1, "database-error");
}
