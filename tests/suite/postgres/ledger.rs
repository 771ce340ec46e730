//! Ledger of what commands have acknowledged, while other commands run and some are killed.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::psql::Psql;
use crate::run::Run;
use crate::sandbox::Sandbox;
use crate::server::comes_true;

#[derive(Default)]
pub(super) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// Serial numbers of certificates.
    issued: BTreeSet<String>,
    revoked: BTreeSet<String>,
    /// Numbers of CRLs.
    crls: BTreeSet<u128>,
    killed: usize,
    failed: usize,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap()
    }

    /// Returns the number of certificates.
    pub(super) fn issued(&self) -> usize {
        self.entries().issued.len()
    }

    /// Returns how many commands were killed, and how many failed.
    pub(super) fn troubles(&self) -> (usize, usize) {
        let entries = self.entries();
        (entries.killed, entries.failed)
    }

    /// Returns the numbers of CRLs.
    pub(super) fn crls(&self) -> BTreeSet<u128> {
        self.entries().crls.clone()
    }

    /// Waits until so many certificates are issued, as long as there is progress.
    #[track_caller]
    pub(super) fn wait_for(&self, count: usize) {
        let mut before = self.issued();
        while before < count {
            let goes_on = (0..6).any(|_| comes_true(|| self.issued() > before));
            assert!(goes_on, "nothing is issued any more after {before}");
            before = self.issued();
        }
    }

    /// Runs a command to its end, or kills it after some time. Returns its output if it has succeeded.
    fn ran(&self, run: Run, killed_after: Option<Duration>) -> (bool, Output) {
        let mut child = run.words("--format json").spawn();
        if let Some(after) = killed_after {
            thread::sleep(after);
            if child.try_wait().unwrap().is_none() {
                let _ = kill_process(Pid::from_child(&child), Signal::KILL);
            }
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => return (true, output),
            Some(1 | 4) => self.entries().failed += 1,
            None if killed_after.is_some() => self.entries().killed += 1,
            _ => panic!("{}: {said}", output.status),
        }
        (false, output)
    }

    /// Issues a certificate; returns its serial number if it is acknowledged.
    pub(super) fn issue(&self, run: Run, killed_after: Option<Duration>) -> Option<String> {
        let (_, output) = self.ran(run, killed_after);
        // A killed command may have written its report.
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        let serial = serial_in(&report);
        self.take(&serial);
        Some(serial)
    }

    /// Issues a table; returns whether the whole of it is issued.
    pub(super) fn issue_table(&self, run: Run, killed_after: Option<Duration>) -> bool {
        let (is_done, output) = self.ran(run, killed_after);
        let text = String::from_utf8_lossy(&output.stdout);
        // The last line of a killed command may be a part of one.
        for row in text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            let serial = serial_in(&row);
            if row["already"] == true {
                self.entries().issued.insert(serial);
            } else {
                self.take(&serial);
            }
        }
        is_done
    }

    fn take(&self, serial: &str) {
        let is_new = self.entries().issued.insert(serial.to_owned());
        assert!(is_new, "{serial} is given out twice");
    }

    /// Revokes a certificate, with as many tries as it needs.
    pub(super) fn revoke(&self, serial: &str, run: impl Fn() -> Run, first: Option<Duration>) {
        let mut killed_after = first;
        let is_done = comes_true(|| {
            let (is_done, _) = self.ran(run(), killed_after.take());
            is_done
        });
        assert!(is_done, "{serial} cannot be revoked");
        self.entries().revoked.insert(serial.to_owned());
    }

    /// Signs a CRL; returns whether it is acknowledged. It has a number above all that were acknowledged before, and
    /// every revocation.
    pub(super) fn sign(
        &self,
        run: Run,
        killed_after: Option<Duration>,
        published: (&Sandbox, &str),
    ) -> bool {
        let (highest, revoked) = {
            let entries = self.entries();
            (entries.crls.last().copied(), entries.revoked.clone())
        };
        let (is_done, output) = self.ran(run, killed_after);
        if !is_done {
            return false;
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let number = report[0]["number"].to_string();
        let number: u128 = number.trim_matches('"').parse().unwrap();
        assert!(
            highest.is_none_or(|highest| number > highest),
            "{number} after {highest:?}"
        );
        assert!(self.entries().crls.insert(number), "{number} comes twice");
        let listed = listed_by_openssl(published.0, published.1);
        let missing: Vec<_> = revoked.difference(&listed).collect();
        assert!(missing.is_empty(), "CRL {number} lacks {missing:?}");
        true
    }

    /// Requires that a database has everything that was acknowledged, and no number twice.
    pub(super) fn assert_kept(&self, psql: &mut Psql) {
        let found = |psql: &mut Psql, sql: &str| -> BTreeSet<String> {
            psql.lines(sql).into_iter().collect()
        };
        let entries = self.entries();
        let certificates = found(psql, "SELECT encode(serial, 'hex') FROM pki.certificate");
        let lost: Vec<_> = entries.issued.difference(&certificates).collect();
        assert!(lost.is_empty(), "lost certificates: {lost:?}");
        let revocations = found(psql, "SELECT encode(serial, 'hex') FROM pki.revocation");
        let lost: Vec<_> = entries.revoked.difference(&revocations).collect();
        assert!(lost.is_empty(), "lost revocations: {lost:?}");
        let crls = found(psql, "SELECT number::text FROM pki.crl");
        let lost: Vec<_> = entries
            .crls
            .iter()
            .filter(|number| !crls.contains(&number.to_string()))
            .collect();
        assert!(lost.is_empty(), "lost CRLs: {lost:?}");
        assert_eq!(psql.ask(REPEATED), "");
    }
}

/// Numbers that occur twice, and gaps.
const REPEATED: &str = "
    SELECT 'serial number', ca, encode(serial, 'hex') FROM pki.certificate GROUP BY ca, serial HAVING count(*) > 1
    UNION ALL SELECT 'counter', ca, counter::text FROM pki.certificate GROUP BY ca, counter HAVING count(*) > 1
    UNION ALL SELECT 'CRL number', ca, number::text FROM pki.crl GROUP BY ca, number HAVING count(*) > 1
    UNION ALL SELECT 'revoked twice', ca, encode(serial, 'hex') FROM pki.revocation GROUP BY ca, serial
        HAVING count(*) > 1
    UNION ALL SELECT 'gap in the revocations', ca, max(number)::text FROM pki.revocation GROUP BY ca
        HAVING count(*) <> max(number)";

fn serial_in(report: &Value) -> String {
    report["serial"].as_str().unwrap().to_lowercase()
}

/// Returns the serial numbers on a CRL.
#[track_caller]
pub(super) fn listed_by_openssl(sandbox: &Sandbox, crl: &str) -> BTreeSet<String> {
    let shown = sandbox.run(
        "openssl",
        &format!("crl -inform DER -in {crl} -noout -text"),
    );
    let text = shown.succeeds().stdout;
    let lines = text.lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("Serial Number: "))
        .map(str::to_lowercase)
        .collect()
}
