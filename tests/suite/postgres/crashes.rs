//! Processes that are killed, and a server that is.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Cluster, Site};

#[test]
fn a_killed_client_leaves_nothing_half_done() {
    let site = Site::with_cas();
    let lines = [
        "issue --ca intermediate0 --cn killed",
        "subordinate --ca rootCA --name killed",
        "revoke --ca rootCA --cn intermediate0",
        "crl --ca rootCA --out crl",
    ];
    for (step, line) in (0..24).zip(lines.iter().cycle()) {
        let mut child = site.pki(line).spawn();
        // Each time it gets a little further.
        std::thread::sleep(Duration::from_millis(3 * step));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        child.wait().unwrap();
    }
    site.pki("root --name afterwards").succeeds();
    site.pki("issue --ca afterwards --cn works").succeeds();
    // A lease ends by itself; a test does not wait for it.
    site.psql("UPDATE pki.crl_counter SET leased_until = NULL");
    site.pki("crl --ca rootCA --out crl").succeeds();
    let unrecorded = "SELECT count(*) FROM pki.ca c WHERE state = 'ready'
        AND NOT EXISTS (SELECT FROM pki.certificate x WHERE x.der = c.certificate)";
    assert_eq!(site.psql(unrecorded), "0");
    assert_eq!(
        site.psql("SELECT count(*) FROM pki.leaf_key k LEFT JOIN pki.certificate c USING (ca, serial) WHERE c.id IS NULL"),
        "0"
    );
}

#[test]
fn what_was_acknowledged_survives_a_killed_server() {
    let mut site = Site::on(Arc::new(Cluster::own("")));
    site.pki("root --name rootCA").succeeds();
    site.pki("subordinate --ca rootCA --name intermediate0")
        .succeeds();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        acknowledged.extend((0..5).map(|number| site.issue(&format!("c{round}-{number}"))));
        let cluster = Arc::get_mut(&mut site.cluster).unwrap();
        cluster.server.crash_postgres_store(&cluster.folder);
    }
    for serial in &acknowledged {
        let found = format!(
            "SELECT count(*) FROM pki.certificate WHERE encode(serial, 'hex') = lower('{serial}')"
        );
        assert_eq!(site.psql(&found), "1", "{serial}");
    }
    let unique = "SELECT count(*) = count(DISTINCT counter) FROM pki.certificate WHERE ca = 2";
    assert_eq!(site.psql(unique), "t");
}

#[test]
fn after_a_failover_numbers_go_on_far_above() {
    let site = Site::with_cas();
    site.issue("before");
    // As on a server with another timeline, which may lack the last reservations.
    site.psql(
        "UPDATE pki.serial_counter SET timeline = 99; UPDATE pki.crl_counter SET timeline = 99",
    );
    site.issue("after");
    let counters = "SELECT max(counter) > 1700000000000000 FROM pki.certificate WHERE ca = 2";
    assert_eq!(site.psql(counters), "t");
    let signed = site
        .pki("--format json crl --ca intermediate0 --out crl")
        .succeeds();
    let number = signed.json()[0]["number"].to_string();
    assert!(
        number.trim_matches('"').parse::<u64>().unwrap() > 1_700_000_000_000_000,
        "{number}"
    );
    site.issue("next");
    assert_eq!(
        site.psql("SELECT max(counter) - min(counter) FROM (SELECT counter FROM pki.certificate WHERE ca = 2 ORDER BY id DESC LIMIT 2) c"),
        "1"
    );
}
