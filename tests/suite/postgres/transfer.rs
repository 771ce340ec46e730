//! Backups carry a store from a directory to a database and back.

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
