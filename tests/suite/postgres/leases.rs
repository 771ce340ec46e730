//! The lease of a CA's CRLs ends while its holder signs.

use std::fs::OpenOptions;

use super::Site;
use crate::run::Run;
use crate::sandbox::Sandbox;

/// A root whose key is in a helper, in a database.
fn site() -> Site {
    let mut site = Site::new();
    site.sandbox = Sandbox::with_helper();
    outside(
        &site,
        "root --name rootCA --key-uri test:root --passin file:pin",
    )
    .succeeds();
    site
}

fn outside(site: &Site, line: &str) -> Run {
    site.sandbox.outside(line).env("PKI_STORE", site.url())
}

#[test]
fn a_crl_whose_lease_another_process_took_over_is_not_recorded() {
    let site = site();
    let sandbox = &site.sandbox;
    sandbox.run("mkfifo", "keys/gate").succeeds();
    let slow = outside(&site, "--format json crl --out slow --passin file:pin")
        .env("KEY_HELPER_FAULT", "gate@sign")
        .spawn();
    // The helper is asked for a signature as soon as it has the other end.
    let gate = OpenOptions::new()
        .write(true)
        .open(sandbox.path("keys/gate"));
    site.psql("UPDATE pki.crl_counter SET leased_until = clock_timestamp() - interval '1 second'");
    outside(&site, "crl --out quick --passin file:pin").succeeds();
    drop(gate);
    let slow = slow.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&slow.stderr);
    assert_eq!(slow.status.code(), Some(1), "{said}");
    assert!(said.contains("\"code\":\"store-changed\""), "{said}");
    assert!(!sandbox.path("slow/rootCA.crl").exists());
    assert_eq!(site.psql("SELECT number FROM pki.crl"), "2");
    assert_eq!(
        site.psql("SELECT lease IS NULL AND leased_until IS NULL FROM pki.crl_counter"),
        "t"
    );
    outside(&site, "check").succeeds();
}
