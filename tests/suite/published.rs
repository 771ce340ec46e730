//! A revocation list, as openssl reads it.

use crate::run::Transcript;
use crate::sandbox::Sandbox;

/// What is on a list. Times are as in `2026-02-01 12:00:00Z`, so that they compare.
pub(crate) struct Published {
    pub(crate) number: u128,
    pub(crate) this_update: String,
    pub(crate) next_update: String,
    pub(crate) serials: Vec<String>,
    pub(crate) text: Transcript,
}

impl Sandbox {
    /// The list of a CA in the store's own folder for lists.
    #[track_caller]
    pub(crate) fn published(&self, ca: &str) -> Published {
        self.list_in(&format!("pki/crl/{ca}.crl"))
    }

    /// The list in a file, DER or PEM.
    #[track_caller]
    pub(crate) fn list_in(&self, file: &str) -> Published {
        let text = self
            .run(
                "openssl",
                "crl -noout -text -lastupdate -nextupdate -dateopt iso_8601 -in",
            )
            .arg(file)
            .succeeds();
        let after = |label: &str| {
            let (_, rest) = text.stdout.split_once(label).expect(label);
            rest.trim_start().lines().next().unwrap().trim().to_owned()
        };
        let serials = text.stdout.lines().filter_map(|line| {
            let serial = line.trim().strip_prefix("Serial Number: ")?;
            Some(serial.to_owned())
        });
        Published {
            number: after("X509v3 CRL Number:").parse().unwrap(),
            this_update: after("lastUpdate="),
            next_update: after("nextUpdate="),
            serials: serials.collect(),
            text,
        }
    }

    /// Issues a certificate without keeping its key, and gives its serial.
    #[track_caller]
    pub(crate) fn issued(&self, ca: &str, cn: &str) -> String {
        let line = format!("--format json issue --ca {ca} --cn {cn}");
        let issued = self.pki(&line).succeeds().json();
        issued["serial"].as_str().unwrap().to_owned()
    }
}
