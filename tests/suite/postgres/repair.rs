//! `pki check --repair` of a database.

use std::fs;

use super::Site;

#[test]
fn counters_keys_without_certificates_and_published_crls_are_repaired() {
    let site = Site::with_cas();
    let kept = site.issue("kept");
    site.pki("crl --ca intermediate0 --to-pem --out crl")
        .succeeds();
    for change in [
        "UPDATE pki.serial_counter SET counter = 0",
        "UPDATE pki.crl_counter SET number = 0",
        "INSERT INTO pki.leaf_key SELECT ca, '\\x0102', pem FROM pki.leaf_key",
    ] {
        site.psql(change);
    }
    let sandbox = &site.sandbox;
    let published = fs::read(sandbox.path("crl/intermediate0.crl")).unwrap();
    fs::remove_file(sandbox.path("crl/intermediate0.crl")).unwrap();
    let repaired = site.pki("--format json check --repair").succeeds().json();
    let repairs = repaired["repairs"].as_array().unwrap().iter();
    let mut rules: Vec<_> = repairs
        .map(|repair| repair["rule"].as_str().unwrap())
        .collect();
    rules.sort_unstable();
    assert_eq!(
        rules,
        [
            "counter-behind",
            "counter-behind",
            "counter-behind",
            "key-without-record",
            "list-missing"
        ]
    );
    assert_eq!(
        fs::read(sandbox.path("crl/intermediate0.crl")).unwrap(),
        published
    );
    assert_eq!(site.psql("SELECT count(*) FROM pki.leaf_key"), "1");
    let copies = sandbox.names_in(".");
    let copies = copies.iter().find(|name| name.starts_with(".repair-"));
    let key = format!("{}/intermediate0/keys/0102.key", copies.unwrap());
    assert!(sandbox.read(key).starts_with("-----BEGIN ENCRYPTED"));
    let next = site.issue("next");
    assert!(next > kept, "{next} {kept}");
    site.pki("check").succeeds();
}
