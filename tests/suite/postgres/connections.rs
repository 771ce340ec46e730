//! Connecting: what is refused, and that no secret is shown.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use super::{Cluster, Site};

#[test]
fn a_missing_store_is_said_and_a_missing_database_too() {
    let site = Site::new();
    site.pki("list").refusal(1, "store-not-found");
    let url = site.cluster.url("nowhere");
    let said = site
        .sandbox
        .pki("list")
        .env("PKI_STORE", url)
        .refusal(1, "connection-failed");
    assert!(said.contains("\"nowhere\" does not exist"), "{said}");
}

#[test]
fn settings_that_lose_what_was_acknowledged_are_refused() {
    let site = Site::new();
    let database = &site.database;
    site.psql(&format!(
        "ALTER DATABASE {database} SET synchronous_commit = off"
    ));
    let said = site
        .pki("root --name rootCA")
        .refusal(1, "database-unsuitable");
    assert!(said.contains("synchronous_commit is off"), "{said}");
    site.psql(&format!(
        "ALTER DATABASE {database} RESET synchronous_commit"
    ));
    assert_eq!(site.psql("SELECT to_regclass('pki.store') IS NULL"), "t");
}

#[test]
fn a_password_is_neither_taken_from_the_command_line_nor_shown() {
    let site = Site::new();
    let secret = "postgres://ca:hidden@/nowhere?host=/nonexistent";
    let said = site
        .sandbox
        .pki("list --store")
        .arg(secret)
        .refusal(2, "usage");
    assert!(!said.contains("hidden"), "{said}");
    let said = site
        .sandbox
        .pki("list")
        .env("PKI_STORE", secret)
        .refusal(1, "connection-failed");
    assert!(
        !said.contains("hidden") && said.contains("postgres://ca@/nowhere"),
        "{said}"
    );
}

#[test]
fn the_password_comes_from_a_file_that_only_its_owner_reads() {
    let cluster = Arc::new(Cluster::own(""));
    let site = Site::on(Arc::clone(&cluster));
    site.psql("CREATE ROLE ca LOGIN PASSWORD 'correct horse'");
    site.psql(&format!("ALTER DATABASE {} OWNER TO ca", site.database));
    let port = cluster.server.port;
    let url = format!(
        "postgres://ca@127.0.0.1:{port}/{}?sslmode=disable",
        site.database
    );
    let root = |site: &Site| {
        let run = site.sandbox.pki("root --name rootCA --no-passphrase");
        run.env("PKI_STORE", &url).env("PGPASSFILE", "pgpass")
    };
    site.sandbox
        .write("pgpass", format!("127.0.0.1:{port}:*:ca:correct horse\n"));
    let path = site.sandbox.path("pgpass");
    let mode = |mode| std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    root(&site).refusal(1, "file-failed");
    mode(0o600);
    root(&site).succeeds();
    site.sandbox.write("pgpass", "*:*:*:*:wrong\n");
    mode(0o600);
    let said = root(&site).refusal(1, "connection-failed");
    assert!(!said.contains("wrong"), "{said}");
}

#[test]
fn a_reader_reads_everything_but_keys_and_changes_nothing() {
    let site = Site::with_cas();
    site.issue("a");
    let script =
        std::fs::read_to_string(crate::sandbox::repository("packaging/postgres/roles.sql"))
            .unwrap();
    let before = site.content();
    let role = |name: &str| format!("{name}_{}", site.database);
    let script = ["pki_issuer", "pki_revoker", "pki_reader"]
        .iter()
        .fold(script, |script, name| script.replace(name, &role(name)));
    site.psql(&script);
    let run = |user: &str, line: &str| {
        let url = site.url().replace("administrator@", &format!("{user}@"));
        site.pki(line).env("PKI_STORE", url)
    };
    for (name, memberships) in [
        ("reader", "reader"),
        ("revoker", "revoker"),
        ("issuer", "issuer"),
    ] {
        let (user, role) = (role(name), role(&format!("pki_{memberships}")));
        site.psql(&format!("CREATE ROLE {user} LOGIN IN ROLE {role}"));
    }
    let reader = role("reader");
    run(&reader, "list").succeeds();
    run(&reader, "tree").succeeds();
    run(&reader, "bundle --out bundle.pem").succeeds();
    run(&reader, "issue --ca intermediate0 --cn b").refusal(1, "database-error");
    run(&reader, "revoke --ca intermediate0 --cn a").refusal(1, "database-error");
    run(
        &reader,
        "export --ca intermediate0 --cn a --out out --no-passphrase",
    )
    .refusal(1, "database-error");
    assert_eq!(site.content(), before);
    let revoker = role("revoker");
    run(&revoker, "issue --ca intermediate0 --cn b").refusal(1, "database-error");
    assert_eq!(site.content(), before);
    run(&revoker, "revoke --ca intermediate0 --cn a").succeeds();
    let issuer = role("issuer");
    run(&issuer, "issue --ca intermediate0 --cn b").succeeds();
    run(&issuer, "crl --ca intermediate0 --out crl").succeeds();
}
