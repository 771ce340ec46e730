//! A standby takes the place of a primary that is killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use super::ledger::{Ledger, listed_by_openssl};
use super::pair::{Pair, Surroundings};
use super::proxied::is_long;
use crate::run::Run;
use crate::sandbox::Sandbox;

const DATABASE: &str = "store";

/// A pair on the loopback address, and `pki` on whichever of the two takes writes.
struct Hosts {
    pair: Pair,
    ports: [u16; 2],
    sandbox: Sandbox,
}

impl Hosts {
    fn new() -> Self {
        let surroundings = Surroundings {
            lines: "listen_addresses = '127.0.0.1'".into(),
            access: "host all all 127.0.0.1/32 trust\n".into(),
            ..Surroundings::default()
        };
        let pair = Pair::new(surroundings, DATABASE);
        let ports = pair.ports();
        Self {
            pair,
            ports,
            sandbox: Sandbox::new(),
        }
    }

    fn pki(&self, line: &str) -> Run {
        pki(&self.sandbox, self.ports, line)
    }
}

fn pki(sandbox: &Sandbox, [primary, standby]: [u16; 2], line: &str) -> Run {
    let url = format!(
        "postgres://administrator@127.0.0.1:{primary},127.0.0.1:{standby}/{DATABASE}\
         ?sslmode=disable&target_session_attrs=read-write"
    );
    sandbox.pki(line).env("PKI_STORE", url)
}

/// Issues certificates until it is told to stop, and revokes every third.
fn issue_and_revoke(
    pki: &(dyn Fn(&str) -> Run + Sync),
    ledger: &Ledger,
    stop: &AtomicBool,
    host: usize,
) {
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let line = format!("issue --ca rootCA --cn client{host}-{number}");
        let issued = ledger.issue(pki(&line), None);
        for serial in issued.iter().filter(|_| number % 3 == 0) {
            let line = format!("revoke --ca rootCA --serial 0x{serial}");
            ledger.revoke(serial, || pki(&line), None);
        }
    }
}

#[test]
fn a_synchronous_standby_has_all_that_was_acknowledged() {
    let mut hosts = Hosts::new();
    hosts.pair.make_synchronous();
    hosts.pki("root --name rootCA --no-passphrase").succeeds();
    let (ledger, stop) = (Ledger::default(), AtomicBool::new(false));
    let more = if is_long() { 500 } else { 40 };
    let Hosts {
        pair,
        ports,
        sandbox,
    } = &mut hosts;
    let pki = |line: &str| pki(sandbox, *ports, line);
    let mut before = 0;
    thread::scope(|scope| {
        for host in 0..2 {
            let (pki, ledger, stop) = (&pki, &ledger, &stop);
            scope.spawn(move || issue_and_revoke(pki, ledger, stop, host));
        }
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let run = pki("crl --ca rootCA --out crl");
                ledger.sign(run, None, (sandbox, "crl/rootCA.crl"));
            }
        });
        let stopping = Stopping(&stop);
        ledger.wait_for(more);
        pair.fail_over();
        // A lease ends by itself; a test does not wait for it.
        let mut standby = pair.on_standby(DATABASE);
        standby.ask("UPDATE pki.crl_counter SET lease = NULL, leased_until = NULL");
        before = ledger.crls().len();
        ledger.wait_for(ledger.issued() + more);
        drop(stopping);
    });
    let last = pki("crl --ca rootCA --out crl");
    assert!(ledger.sign(last, None, (sandbox, "crl/rootCA.crl")));
    assert!(ledger.crls().len() > before, "a CRL is signed afterwards");
    let mut psql = pair.on_standby(DATABASE);
    ledger.assert_kept(&mut psql);
    assert_eq!(psql.ask(COUNTERS), "2|t|t");
}

/// Timeline of the counter, and whether the numbers moved up far when it changed.
const COUNTERS: &str = "
    SELECT s.timeline, max(c.counter) - min(c.counter) >= 4294967296,
        (SELECT max(number) - min(number) >= 4294967296 FROM pki.crl)
    FROM pki.serial_counter s JOIN pki.certificate c USING (ca) GROUP BY s.timeline";

/// Stops the clients, also if the test fails meanwhile.
pub(super) struct Stopping<'a>(pub(super) &'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A pair of which the standby lacks what is called `lost`, and the revocation of `kept1`.
struct Lagging {
    hosts: Hosts,
    ledger: Ledger,
    kept: Vec<String>,
    lost: Vec<String>,
}

impl Lagging {
    fn new() -> Self {
        let hosts = Hosts::new();
        hosts.pki("root --name rootCA --no-passphrase").succeeds();
        let mut lagging = Self {
            hosts,
            ledger: Ledger::default(),
            kept: Vec::new(),
            lost: Vec::new(),
        };
        lagging.kept = lagging.issue("kept", 3);
        lagging.pki("revoke --ca rootCA --cn kept0").succeeds();
        lagging.sign("crl");
        lagging.hosts.pair.cut_standby_off();
        lagging.lost = lagging.issue("lost", 5);
        for line in [
            "revoke --ca rootCA --cn lost0",
            "revoke --ca rootCA --cn kept1",
            "export --ca rootCA --cn lost0 --out out --no-passphrase",
        ] {
            lagging.pki(line).succeeds();
        }
        for _ in 0..3 {
            lagging.sign("crl");
        }
        lagging
    }

    fn pki(&self, line: &str) -> Run {
        self.hosts.pki(line)
    }

    fn issue(&self, cn: &str, count: usize) -> Vec<String> {
        let issue = |number| {
            let run = self.pki(&format!("issue --ca rootCA --cn {cn}{number}"));
            self.ledger.issue(run, None).expect("it is issued")
        };
        (0..count).map(issue).collect()
    }

    /// Signs a CRL, with a number above all before.
    #[track_caller]
    fn sign(&self, out: &str) {
        let run = self.pki(&format!("crl --ca rootCA --out {out}"));
        let published = format!("{out}/rootCA.crl");
        let sandbox = &self.hosts.sandbox;
        assert!(self.ledger.sign(run, None, (sandbox, &published)));
    }

    /// Returns the rules and messages of what `pki check` finds.
    #[track_caller]
    fn found(&self) -> String {
        let checked = self.pki("--format json check").ends_with(3);
        checked.stdout
    }
}

#[test]
fn an_asynchronous_standby_gives_no_lost_number_out_again() {
    let mut lagging = Lagging::new();
    let highest = lagging.kept.iter().chain(&lagging.lost);
    let highest = highest.map(|serial| counter(serial)).max().unwrap();
    lagging.hosts.pair.fail_over();
    let mut psql = lagging.hosts.pair.on_standby(DATABASE);
    let missing = psql.ask("SELECT count(*) FROM pki.certificate WHERE cn LIKE 'lost%'");
    assert_eq!(missing, "0", "the standby had been cut off");
    for serial in lagging.issue("after", 5) {
        assert!(counter(&serial) > highest, "{serial}");
    }
    // A host that does not have the lost CRLs.
    lagging.sign("elsewhere");
    assert_eq!(lagging.ledger.crls().len(), 5);
    assert_eq!(psql.ask(COUNTERS), "2|t|t");
}

#[test]
fn what_a_promoted_server_lacks_is_found_and_on_the_next_crl() {
    let mut lagging = Lagging::new();
    lagging.hosts.pair.fail_over();
    let revoked = [&lagging.kept[1], &lagging.lost[0]].map(|serial| serial.to_uppercase());
    let found = lagging.found();
    assert!(found.contains("list-number"), "{found}");
    assert_eq!(behind_gaps(&found), [lagging.kept[2].to_uppercase()]);
    for serial in &revoked {
        assert!(found.contains(serial.as_str()), "{found}");
    }
    let refused = lagging
        .pki("--format json crl --ca rootCA --out crl")
        .ends_with(1);
    assert_eq!(refused.error()["code"], "crl-loses-entries", "{refused}");
    for serial in &revoked {
        assert!(refused.stderr.contains(serial.as_str()), "{refused}");
    }
    lagging.pki("revoke --ca rootCA --cn kept1").succeeds();
    lagging.pki("revoke --cert out/lost0.crt").succeeds();
    lagging.sign("crl");
    lagging.issue("after", 1);
    let listed = listed_by_openssl(&lagging.hosts.sandbox, "crl/rootCA.crl");
    let wanted = [&lagging.kept[0], &lagging.kept[1], &lagging.lost[0]];
    assert_eq!(listed, wanted.map(String::to_owned).into());
    let found = lagging.pki("--format json check").succeeds().stdout;
    // It is recorded again, for its revocation.
    assert_eq!(behind_gaps(&found), [lagging.lost[0].to_uppercase()]);
}

/// Returns the serial numbers behind which `pki check` misses some.
fn behind_gaps(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let gaps = findings.filter(|finding| finding["rule"] == "serial-gap");
    let serials = gaps.map(|finding| finding["serial"].as_str().unwrap().to_uppercase());
    serials.collect()
}

/// Returns the counter in a serial number, of which the last 64 bits are random.
fn counter(serial: &str) -> u128 {
    u128::from_str_radix(&serial[..serial.len() - 16], 16).unwrap()
}
