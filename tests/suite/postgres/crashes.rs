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
    assert_eq!(
        site.psql(
            "SELECT count(*) FROM pki.ca c WHERE parent_missing(c) "
                .replace(
                    "parent_missing(c)",
                    "state = 'ready' AND name <> 'rootCA' AND name <> 'afterwards'
            AND NOT EXISTS (SELECT FROM pki.certificate x WHERE x.der = c.certificate)"
                )
                .as_str()
        ),
        "0"
    );
    assert_eq!(
        site.psql("SELECT count(*) FROM pki.leaf_key k LEFT JOIN pki.certificate c USING (ca, serial) WHERE c.id IS NULL"),
        "0"
    );
}

#[test]
fn what_was_acknowledged_survives_a_killed_server() {
    let mut cluster = Cluster::own("");
    let mut acknowledged = Vec::new();
    let site = Site::on(Arc::new(Cluster::own("")));
    drop(site);
    for round in 0..3 {
        let shared = Arc::new(cluster);
        let site = if round == 0 {
            let site = Site::on(Arc::clone(&shared));
            site.pki("root --name rootCA").succeeds();
            site.pki("subordinate --ca rootCA --name intermediate0")
                .succeeds();
            site
        } else {
            Site {
                sandbox: crate::sandbox::Sandbox::new(),
                cluster: Arc::clone(&shared),
                database: acknowledged_database(&shared),
            }
        };
        for number in 0..5 {
            acknowledged.push(site.issue(&format!("c{round}-{number}")));
        }
        drop(site);
        cluster = Arc::into_inner(shared).unwrap();
        cluster.server.crash_postgres_store(&cluster.folder);
    }
    let database = acknowledged_database(&cluster);
    for serial in &acknowledged {
        let found = cluster.psql(&database, &format!("SELECT count(*) FROM pki.certificate WHERE encode(serial, 'hex') = lower('{serial}')"));
        assert_eq!(found, "1", "{serial}");
    }
    let unique = cluster.psql(
        &database,
        "SELECT count(*) = count(DISTINCT counter) FROM pki.certificate WHERE ca = 2",
    );
    assert_eq!(unique, "t");
}

fn acknowledged_database(cluster: &Cluster) -> String {
    cluster.psql(
        "postgres",
        "SELECT datname FROM pg_database WHERE datname LIKE 'store%'",
    )
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
