//! The commands that are disturbed: what each records, and what its report promises.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Disturbance;

/// A command that is run again and again, each time with one message disturbed.
pub(super) trait Subject {
    /// Returns the command line of a run.
    fn line(&self, run: usize) -> String;

    /// Makes something for the command to do.
    fn prepare(&self, _: &mut Disturbance) {}

    /// Returns the newest records of the kind that the command makes.
    fn recorded(&self, on: &mut Disturbance) -> Vec<String>;

    /// Checks a report of success against the record.
    fn acknowledged(&mut self, on: &mut Disturbance, report: &Value, recorded: &str);

    /// Runs the next command, which has to succeed, without a proxy.
    fn follow(&mut self, on: &mut Disturbance, is_recorded: bool);

    /// Returns another command, to run while a message is held.
    fn meanwhile(&self, run: usize) -> String;

    /// Checks that nothing acknowledged is missing.
    fn at_last(&mut self, on: &mut Disturbance);
}

/// `pki issue`.
#[derive(Default)]
pub(super) struct Issue {
    acknowledged: Vec<String>,
}

impl Subject for Issue {
    fn line(&self, run: usize) -> String {
        format!("issue --ca rootCA --cn disturbed{run}")
    }

    fn recorded(&self, on: &mut Disturbance) -> Vec<String> {
        on.psql.lines(&format!(
            "SELECT encode(serial, 'hex') FROM pki.certificate WHERE cn = 'disturbed{}'",
            on.run
        ))
    }

    fn acknowledged(&mut self, _: &mut Disturbance, report: &Value, recorded: &str) {
        assert_eq!(serial_in(report), recorded);
        self.acknowledged.push(recorded.to_owned());
    }

    fn follow(&mut self, on: &mut Disturbance, _: bool) {
        let line = format!("issue --ca rootCA --cn following{}", on.run);
        let report = on.direct(&line).succeeds().json();
        self.acknowledged.push(serial_in(&report));
    }

    fn meanwhile(&self, run: usize) -> String {
        if run.is_multiple_of(2) {
            // After this, the store is another one than the command looked at.
            format!("revoke --ca rootCA --cn victim{run}")
        } else {
            format!("issue --ca rootCA --cn meanwhile{run}")
        }
    }

    fn at_last(&mut self, on: &mut Disturbance) {
        let listed = on.direct("list --ca rootCA").succeeds().json();
        let listed: Vec<_> = listed.as_array().unwrap().iter().map(serial_in).collect();
        let unique: BTreeSet<_> = listed.iter().collect();
        assert_eq!(unique.len(), listed.len(), "a serial number is there twice");
        let lost: Vec<_> = self
            .acknowledged
            .iter()
            .filter(|serial| !unique.contains(serial))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
        let last = self.acknowledged.last().unwrap();
        on.direct(&format!("show --ca rootCA --serial 0x{last}"))
            .succeeds();
    }
}

/// `pki revoke`.
#[derive(Default)]
pub(super) struct Revoke {
    acknowledged: usize,
}

impl Subject for Revoke {
    fn line(&self, run: usize) -> String {
        format!("revoke --ca rootCA --cn victim{run}")
    }

    fn recorded(&self, on: &mut Disturbance) -> Vec<String> {
        on.psql.lines(&format!(
            "SELECT encode(serial, 'hex') FROM pki.revocation JOIN pki.certificate USING (ca, serial)
             WHERE cn = 'victim{}'",
            on.run
        ))
    }

    fn acknowledged(&mut self, _: &mut Disturbance, report: &Value, recorded: &str) {
        assert_eq!(serial_in(report), recorded);
        self.acknowledged += 1;
    }

    fn follow(&mut self, on: &mut Disturbance, is_recorded: bool) {
        if on.run == 0 && is_recorded {
            return;
        }
        let line = self.line(on.run);
        let report = on.direct(&line).succeeds().json();
        assert_eq!(report["already"], is_recorded, "{report}");
    }

    fn meanwhile(&self, run: usize) -> String {
        if run.is_multiple_of(2) {
            format!("revoke --ca rootCA --cn other{run}")
        } else {
            format!("issue --ca rootCA --cn meanwhile{run}")
        }
    }

    fn at_last(&mut self, on: &mut Disturbance) {
        assert!(self.acknowledged > 0);
        on.direct("crl --ca rootCA --out crl").succeeds();
        let revoked = on
            .psql
            .lines("SELECT upper(encode(serial, 'hex')) FROM pki.revocation ORDER BY 1");
        assert!(revoked.len() > on.run, "every victim is revoked");
        assert_eq!(listed_by_openssl(on), revoked);
    }
}

/// `pki crl`.
#[derive(Default)]
pub(super) struct Crl {
    highest: u128,
}

impl Crl {
    /// Takes the number of a CRL that was published; it is above all before.
    fn published(&mut self, on: &Disturbance, report: &Value) {
        let report = &report[0];
        let number: u128 = report["number"]
            .to_string()
            .trim_matches('"')
            .parse()
            .unwrap();
        assert!(number > self.highest, "{number} after {}", self.highest);
        self.highest = number;
        let text = openssl(on, "-noout -crlnumber");
        let shown = text.trim().trim_start_matches("crlNumber=0x");
        assert_eq!(u128::from_str_radix(shown, 16).unwrap(), number, "{text}");
    }
}

impl Subject for Crl {
    fn line(&self, _: usize) -> String {
        "crl --ca rootCA --out crl".to_owned()
    }

    fn prepare(&self, on: &mut Disturbance) {
        // The CRL before has an entry, and sometimes there is a new one.
        if on.run == 0 || on.run.is_multiple_of(4) {
            let line = format!("revoke --ca rootCA --cn other{}", on.run);
            on.direct(&line).succeeds();
        }
    }

    fn recorded(&self, on: &mut Disturbance) -> Vec<String> {
        on.psql
            .lines("SELECT number FROM pki.crl ORDER BY number DESC LIMIT 3")
    }

    fn acknowledged(&mut self, on: &mut Disturbance, report: &Value, recorded: &str) {
        self.published(on, report);
        assert_eq!(self.highest.to_string(), recorded);
    }

    fn follow(&mut self, on: &mut Disturbance, is_recorded: bool) {
        // Nothing was published that is not on record.
        if on.run > 0 {
            let text = openssl(on, "-noout -crlnumber");
            let shown = text.trim().trim_start_matches("crlNumber=0x");
            let shown = u128::from_str_radix(shown, 16).unwrap();
            let sql = format!("SELECT count(*) FROM pki.crl WHERE number = {shown}");
            assert_eq!(on.psql.ask(&sql), "1", "{shown}");
            assert!(shown == self.highest || is_recorded, "{shown}");
        }
        let report = on.direct(&self.line(0)).succeeds().json();
        self.published(on, &report);
        // More CRLs would be read in more pages: the messages are to stay the same.
        on.psql
            .ask("DELETE FROM pki.crl WHERE number < (SELECT max(number) - 20 FROM pki.crl)");
    }

    fn meanwhile(&self, run: usize) -> String {
        format!("revoke --ca rootCA --cn victim{run}")
    }

    fn at_last(&mut self, on: &mut Disturbance) {
        self.follow(on, true);
        let revoked = on
            .psql
            .lines("SELECT upper(encode(serial, 'hex')) FROM pki.revocation ORDER BY 1");
        assert!(!revoked.is_empty());
        assert_eq!(listed_by_openssl(on), revoked);
    }
}

#[track_caller]
fn serial_in(report: &Value) -> String {
    report["serial"].as_str().unwrap().to_lowercase()
}

/// Returns what openssl prints about the CRL that is published.
#[track_caller]
fn openssl(on: &Disturbance, options: &str) -> String {
    let shown = on
        .site
        .sandbox
        .run("openssl", "crl -inform DER -in crl/rootCA.crl")
        .words(options);
    shown.succeeds().stdout
}

/// Returns the serial numbers on the published CRL, sorted.
#[track_caller]
fn listed_by_openssl(on: &Disturbance) -> Vec<String> {
    let text = openssl(on, "-noout -text");
    let serials = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Serial Number: "));
    let mut serials: Vec<String> = serials.map(str::to_owned).collect();
    serials.sort();
    serials
}
