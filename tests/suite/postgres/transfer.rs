//! Backups carry a store from a directory to a database and back, and dumps one from a database to another.

use super::Site;
use crate::sandbox::PASSPHRASE;

#[test]
fn a_store_goes_from_a_directory_to_a_database_and_back() {
    let site = Site::new();
    let local = |line: &str| site.sandbox.pki(line).env("PKI_PASSPHRASE", PASSPHRASE);
    for line in [
        "root --name rootCA",
        "subordinate --ca rootCA --name intermediate0",
        "issue --ca intermediate0 --cn a",
        "issue --ca intermediate0 --cn b",
        "revoke --ca intermediate0 --cn a --reason keyCompromise",
        "crl --out crl",
        "revoke --ca intermediate0 --cn b",
        "ca renew --ca intermediate0",
        "subordinate --name waiting --request waiting.csr",
        "backup first.tar",
    ] {
        local(line).succeeds();
    }
    site.pki("restore first.tar").succeeds();
    let listed = |run: crate::run::Run| run.succeeds().stdout;
    assert_eq!(
        listed(site.pki("--format json list")),
        listed(local("--format json list"))
    );
    site.pki("check").finish();
    site.issue("c");
    site.pki("crl --ca intermediate0 --out crl").succeeds();
    site.pki("restore first.tar")
        .refusal(1, "directory-not-empty");
    site.pki("backup second.tar").succeeds();
    local("restore second.tar --store back").succeeds();
    assert_eq!(
        listed(local("--format json list --store back")),
        listed(site.pki("--format json list"))
    );
    local("export --ca intermediate0 --cn c --out out --no-passphrase --store back").succeeds();
    local("issue --ca intermediate0 --cn d --store back").succeeds();
    local("crl --ca intermediate0 --out crl --store back").succeeds();
    let checked = local("check --store back").finish();
    assert_eq!(checked.status, Some(0), "{checked}");
    let log = listed(local("log --store back"));
    assert!(log.contains("restored"), "{log}");
}

#[test]
fn a_dump_of_a_database_is_a_store_in_another() {
    let site = Site::with_cas();
    let kept = site.issue("kept");
    site.issue("revoked");
    site.pki("revoke --ca intermediate0 --cn revoked")
        .succeeds();
    site.pki("crl --ca intermediate0 --out crl").succeeds();
    let dumped = site
        .sandbox
        .run("pg_dump", "--no-owner --file dump.sql --dbname")
        .arg(site.url());
    dumped.succeeds();
    let other = Site::new();
    let loaded = site
        .sandbox
        .run(
            "psql",
            "--no-psqlrc --quiet --set ON_ERROR_STOP=1 --file dump.sql",
        )
        .arg(other.url());
    loaded.succeeds();
    assert_eq!(other.content(), site.content());
    let shown = other.pki(&format!("show --ca intermediate0 --serial 0x{kept}"));
    shown.succeeds();
    other.issue("after");
    other.pki("crl --ca intermediate0 --out crl").succeeds();
    other.pki("check").succeeds();
}
