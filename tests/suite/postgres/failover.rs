//! A standby that is promoted after its primary was killed.

use std::sync::Arc;

use super::{Cluster, Site};
use crate::run::Run;
use crate::sandbox::Sandbox;

/// A primary and its standby, with a store.
struct Pair {
    site: Site,
    standby: Cluster,
}

impl Pair {
    fn new() -> Self {
        let site = Site::on(Arc::new(Cluster::own("")));
        site.psql("CREATE ROLE ca LOGIN SUPERUSER PASSWORD 'pw'");
        let folder = Sandbox::new();
        let primary = &site.cluster;
        let server = primary.server.postgres_standby(&folder, &primary.folder);
        let standby = Cluster { server, folder };
        Self { site, standby }
    }

    /// `pki` on whichever of the two takes writes.
    fn pki(&self, line: &str) -> Run {
        let (first, second) = (self.site.cluster.server.port, self.standby.server.port);
        let url = format!(
            "postgres://ca@127.0.0.1:{first},127.0.0.1:{second}/{}?sslmode=disable&target_session_attrs=read-write",
            self.site.database
        );
        let run = self.site.sandbox.pki(line).env("PGPASSWORD", "pw");
        run.env("PKI_STORE", url)
    }

    fn issue(&self, cn: &str) -> String {
        let issued = self.pki(&format!("--format json issue --ca rootCA --cn {cn}"));
        issued.succeeds().json()["serial"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn on_standby(&self, sql: &str) -> String {
        self.standby.psql(&self.site.database, sql)
    }

    /// Kills the primary and promotes the standby.
    fn fail_over(&mut self) {
        let cluster = Arc::get_mut(&mut self.site.cluster).unwrap();
        cluster.server.kill();
        assert_eq!(self.on_standby("SELECT pg_promote()"), "t");
    }
}

#[test]
fn a_synchronous_standby_has_all_that_was_acknowledged() {
    let mut pair = Pair::new();
    pair.site
        .psql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    pair.site.psql("SELECT pg_reload_conf()");
    pair.pki("root --name rootCA --no-passphrase").succeeds();
    let mut serials: Vec<String> = (0..6)
        .map(|number| pair.issue(&format!("c{number}")))
        .collect();
    pair.pki(&format!("revoke --ca rootCA --serial 0x{}", serials[0]))
        .succeeds();
    let number = |pair: &Pair| {
        let signed = pair
            .pki("--format json crl --ca rootCA --out crl")
            .succeeds();
        let number = signed.json()[0]["number"].to_string();
        number.trim_matches('"').parse::<u64>().unwrap()
    };
    let before = number(&pair);
    pair.fail_over();
    serials.extend((6..9).map(|number| pair.issue(&format!("c{number}"))));
    assert!(number(&pair) > before + 1_000_000);
    let listed = pair.pki("--format json list").succeeds().stdout;
    for serial in &serials {
        assert!(listed.contains(serial.as_str()), "{serial} is lost");
    }
    assert_eq!(pair.on_standby("SELECT count(*) FROM pki.revocation"), "1");
    let counters = "SELECT count(*) = count(DISTINCT counter), max(counter) > 1700000000000000 FROM pki.certificate";
    assert_eq!(pair.on_standby(counters), "t|t");
}

#[test]
fn an_asynchronous_standby_repeats_no_number() {
    let mut pair = Pair::new();
    pair.pki("root --name rootCA --no-passphrase").succeeds();
    pair.issue("replicated");
    let replayed =
        "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_flush_lsn()";
    while pair.site.psql(replayed) != "1" {}
    // What comes now does not reach the standby.
    pair.on_standby("ALTER SYSTEM SET primary_conninfo = ''");
    pair.on_standby("SELECT pg_reload_conf()");
    while pair.site.psql("SELECT count(*) FROM pg_stat_replication") != "0" {}
    let lost = pair.issue("lost");
    pair.fail_over();
    let after = pair.issue("after");
    let listed = pair.pki("--format json list").succeeds().stdout;
    assert!(
        !listed.contains(&lost) && listed.contains(&after),
        "{listed}"
    );
    let counter = |serial: &str| u128::from_str_radix(&serial[..serial.len() - 16], 16).unwrap();
    assert!(
        counter(&after) > counter(&lost) + 1_000_000,
        "{after} {lost}"
    );
}
