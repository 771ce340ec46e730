//! A connection that is cut, delayed or cut in the middle of a message, at every message of the protocol.

mod subjects;
mod wire;

use std::process::{Child, Output};

use super::Site;
use super::psql::Psql;
use crate::run::Run;
use crate::server::comes_true;
use subjects::{Crl, Issue, Revoke, Subject};
use wire::{Fault, Point, Proxy, Sender};

/// Certificates that are there to be revoked, and more of them in a long run.
const VICTIMS: usize = 400;
const MORE_VICTIMS: usize = 900;

/// Returns whether everything is tried, as by `make soak`.
pub(super) fn is_long() -> bool {
    std::env::var_os("SOAK").is_some_and(|value| value == "1")
}

/// A store with a CA, and the commands on it through a proxy and without one.
struct Disturbance {
    site: Site,
    psql: Psql,
    run: usize,
}

impl Disturbance {
    fn new() -> Self {
        let site = Site::new();
        let mut psql = site.cluster.session(&site.database);
        // The database may have been another test's.
        psql.ask(&format!("DROP ROLE IF EXISTS {}", site.database));
        psql.ask(&format!(
            "CREATE ROLE {} LOGIN SUPERUSER PASSWORD 'correct horse'",
            site.database
        ));
        site.pki("root --name rootCA --no-passphrase").succeeds();
        let victims = 0..if is_long() { MORE_VICTIMS } else { VICTIMS };
        let rows = victims.map(|number| format!("victim{number}\nother{number}\n"));
        site.sandbox
            .write("victims.csv", format!("cn\n{}", rows.collect::<String>()));
        site.pki("issue --ca rootCA --from victims.csv").succeeds();
        Self { site, psql, run: 0 }
    }

    /// `pki` on the store, through a proxy.
    fn through(&self, proxy: &Proxy, line: &str) -> Run {
        let database = &self.site.database;
        let url = format!(
            "postgres://{database}@127.0.0.1:{}/{database}?sslmode=disable",
            proxy.port
        );
        let run = self.site.pki(line).words("--format json");
        run.env("PKI_STORE", url).env("PGPASSWORD", "correct horse")
    }

    fn direct(&self, line: &str) -> Run {
        self.site.pki(line).words("--format json")
    }

    /// Disturbs every so many messages of each side of a command, in each way.
    fn at_every(&mut self, step: usize, subject: &mut dyn Subject) {
        subject.prepare(self);
        subject.follow(self, true);
        self.run += 1;
        let counts = self.undisturbed(subject);
        let step = if is_long() { 1 } else { step };
        for fault in [Fault::Cut, Fault::Truncate, Fault::Delay] {
            for (sender, count) in counts {
                for index in (0..count).step_by(step) {
                    self.run += 1;
                    let point = Point {
                        sender,
                        index,
                        fault,
                    };
                    if fault == Fault::Delay {
                        self.delayed(point, subject);
                    } else {
                        self.broken(point, subject);
                    }
                    assert_eq!(self.psql.ask(HALF_DONE), "", "{point:?}");
                }
            }
        }
        self.run += 1;
        assert_eq!(
            self.undisturbed(subject),
            counts,
            "each message had its turn"
        );
        subject.at_last(self);
    }

    /// Returns the number of messages of each side.
    fn undisturbed(&mut self, subject: &mut dyn Subject) -> [(Sender, usize); 2] {
        subject.prepare(self);
        let proxy = Proxy::start(self.site.cluster.server.port, None);
        let line = subject.line(self.run);
        let ran = self.through(&proxy, &line).succeeds();
        let recorded = subject.recorded(self);
        subject.acknowledged(self, &ran.json(), recorded.first().unwrap());
        self.psql.wait_for_quiet();
        let counts = proxy.counts();
        assert!(counts.iter().all(|(_, count)| *count > 10), "{counts:?}");
        counts
    }

    /// Runs a command whose connection ends at a point.
    fn broken(&mut self, point: Point, subject: &mut dyn Subject) {
        subject.prepare(self);
        let before = subject.recorded(self);
        let proxy = Proxy::start(self.site.cluster.server.port, Some(point));
        let line = subject.line(self.run);
        let ran = self.through(&proxy, &line).finish();
        self.psql.wait_for_quiet();
        assert!(proxy.has_struck(), "{point:?} never came\n{ran}");
        // A lease ends by itself; a test does not wait for it.
        self.psql
            .ask("UPDATE pki.crl_counter SET lease = NULL, leased_until = NULL");
        let after = subject.recorded(self);
        let new: Vec<_> = after
            .into_iter()
            .filter(|record| !before.contains(record))
            .collect();
        assert!(new.len() <= 1, "{point:?}: {new:?}\n{ran}");
        match ran.status {
            Some(0) => {
                let recorded = new.first();
                let recorded = recorded.unwrap_or_else(|| panic!("{point:?} is lost\n{ran}"));
                subject.acknowledged(self, &ran.json(), recorded);
            }
            Some(1) => assert!(new.is_empty(), "{point:?}: {new:?}\n{ran}"),
            Some(4) => {
                assert_eq!(ran.error()["code"], "commit-undecided", "{point:?}\n{ran}");
                // Before that, nothing can have been committed, and the command knows it.
                assert!(proxy.may_commit(), "{point:?}\n{ran}");
            }
            _ => panic!("{point:?}\n{ran}"),
        }
        if !proxy.may_commit() {
            assert_eq!(ran.status, Some(1), "{point:?}\n{ran}");
        }
        subject.follow(self, !new.is_empty());
    }

    /// Runs a command of which one message waits until another command has done its work, or waits for this one.
    fn delayed(&mut self, point: Point, subject: &mut dyn Subject) {
        subject.prepare(self);
        let before = subject.recorded(self);
        let proxy = Proxy::start(self.site.cluster.server.port, Some(point));
        let line = subject.line(self.run);
        let held = self.through(&proxy, &line).spawn();
        assert!(comes_true(|| proxy.is_holding()), "{point:?} never came");
        let mut other = self.direct(&subject.meanwhile(self.run)).spawn();
        let is_waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock')";
        let goes_on =
            comes_true(|| other.try_wait().unwrap().is_some() || self.psql.ask(is_waiting) == "t");
        assert!(goes_on, "{point:?}: the other neither ends nor waits");
        proxy.release();
        let told = done(held, point);
        done(other, point);
        let after = subject.recorded(self);
        let new: Vec<_> = after
            .into_iter()
            .filter(|record| !before.contains(record))
            .collect();
        assert_eq!(new.len(), 1, "{point:?}: {new:?}");
        let report = serde_json::from_slice(&told.stdout).unwrap();
        subject.acknowledged(self, &report, &new[0]);
        self.psql.wait_for_quiet();
    }
}

/// Kinds of things that are half done; none of them in a store that is as it should be.
const HALF_DONE: &str = "
    SELECT 'key without certificate' FROM pki.leaf_key k LEFT JOIN pki.certificate c USING (ca, serial)
        WHERE c.id IS NULL
    UNION ALL SELECT 'certificate without key' FROM pki.certificate c LEFT JOIN pki.leaf_key k USING (ca, serial)
        WHERE k.ca IS NULL AND c.record::json ->> 'profile' <> 'root'
    UNION ALL SELECT 'counter used twice' FROM pki.certificate GROUP BY ca, counter HAVING count(*) > 1
    UNION ALL SELECT 'counter behind' FROM pki.serial_counter s
        WHERE counter < (SELECT max(counter) FROM pki.certificate c WHERE c.ca = s.ca)
    UNION ALL SELECT 'gap in the revocations' FROM pki.revocation_end e
        WHERE number <> (SELECT count(*) FROM pki.revocation r WHERE r.ca = e.ca)
            OR number <> (SELECT coalesce(max(number), 0) FROM pki.revocation r WHERE r.ca = e.ca)
    UNION ALL SELECT 'revoked twice' FROM pki.revocation GROUP BY ca, serial HAVING count(*) > 1
    UNION ALL SELECT 'CRL number behind' FROM pki.crl_counter n
        WHERE number < (SELECT max(number) FROM pki.crl c WHERE c.ca = n.ca)";

/// Waits for a command, and requires exit code 0.
#[track_caller]
fn done(child: Child, point: Point) -> Output {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{point:?}: {}\n{said}",
        output.status
    );
    output
}

#[test]
fn an_issue_command_is_right_about_every_disturbed_message() {
    Disturbance::new().at_every(1, &mut Issue::default());
}

#[test]
fn a_revoke_command_is_right_about_every_disturbed_message() {
    Disturbance::new().at_every(2, &mut Revoke::default());
}

#[test]
fn a_crl_command_is_right_about_every_disturbed_message() {
    Disturbance::new().at_every(2, &mut Crl::default());
}
