//! What has to hold, by what was acknowledged: names, states and floors, and nothing of how they are kept.
//!
//! Times are as in `2026-01-01T12:00:00Z`, so that they compare as texts.

use std::collections::{BTreeMap, BTreeSet};

/// A certificate, or a key that several have.
pub(super) type Of = (String, String);

/// What a store has.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) cas: BTreeMap<String, Authority>,
    /// In the order in which they are listed: CA after CA, each in the order of issuing.
    pub(super) certificates: Vec<Certificate>,
    /// Whether every row of a table was issued, by CA and table.
    pub(super) tables: BTreeMap<(String, usize), Rows>,
}

/// How the last run of a table ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    All,
    Unknown,
}

#[derive(Clone)]
pub(super) struct Authority {
    pub(super) above: Option<String>,
    /// Its certificate's file, and what openssl reads in it.
    pub(super) file: String,
    pub(super) serial: String,
    pub(super) begins: String,
    pub(super) ends: String,
    /// The list that is published.
    pub(super) list: Option<List>,
    /// Whether lists were signed ahead. Which of them are out is known of the published one alone.
    pub(super) ahead: bool,
    /// The thisUpdate of the last list that was published, be it deleted since.
    pub(super) list_floor: String,
}

/// A list, as openssl reads it.
#[derive(Clone)]
pub(super) struct List {
    pub(super) der: Vec<u8>,
    pub(super) number: u128,
    pub(super) this_update: String,
    pub(super) next_update: String,
    pub(super) serials: BTreeSet<String>,
}

#[derive(Clone)]
pub(super) struct Certificate {
    pub(super) ca: String,
    pub(super) serial: String,
    pub(super) cn: String,
    pub(super) profile: String,
    pub(super) fingerprint: String,
    pub(super) begins: String,
    pub(super) ends: String,
    /// Why it is revoked, where it is.
    pub(super) revoked: Option<String>,
    /// Whether it was on a list beyond its validity, and so may leave.
    pub(super) listed_beyond: bool,
    /// What its key is called here; `None` where nothing tells.
    pub(super) key: Option<String>,
}

/// What holds for ever, whatever is restored: what a CA has given out.
#[derive(Default)]
pub(super) struct Given {
    pub(super) serials: BTreeSet<Of>,
    /// The highest list number, and the highest of one that is published.
    pub(super) numbers: BTreeMap<String, u128>,
}

pub(super) const HOLD: &str = "certificateHold";

/// The reason that keeps a key from being certified again.
pub(super) const COMPROMISE: &str = "keyCompromise";

/// The key of every certificate that was issued from the request.
pub(super) const KEY_OF_REQUEST: &str = "request";

impl Certificate {
    pub(super) fn id(&self) -> Of {
        (self.ca.clone(), self.serial.clone())
    }

    pub(super) fn is_leaf(&self) -> bool {
        !matches!(self.profile.as_str(), "root" | "subordinate")
    }

    /// What a revocation by common name can be about.
    pub(super) fn is_live(&self, now: &str) -> bool {
        self.revoked.is_none() && now <= self.ends.as_str()
    }

    pub(super) fn is_held(&self) -> bool {
        self.revoked.as_deref() == Some(HOLD)
    }
}

impl Known {
    pub(super) fn names(&self) -> Vec<String> {
        self.cas.keys().cloned().collect()
    }

    pub(super) fn certificate(&self, of: &Of) -> Option<&Certificate> {
        let mut all = self.certificates.iter();
        all.find(|certificate| certificate.ca == of.0 && certificate.serial == of.1)
    }

    pub(super) fn leaves(&self) -> Vec<&Certificate> {
        let all = self.certificates.iter();
        all.filter(|certificate| certificate.is_leaf()).collect()
    }

    pub(super) fn named(&self, ca: &str, cn: &str) -> Vec<&Certificate> {
        let all = self.certificates.iter();
        all.filter(|certificate| certificate.ca == ca && certificate.cn == cn)
            .collect()
    }

    /// A CA and those above it, up to the root.
    pub(super) fn path(&self, ca: &str) -> Vec<String> {
        let mut path = vec![ca.to_owned()];
        while let Some(above) = self.cas.get(&path[path.len() - 1]) {
            match &above.above {
                Some(above) => path.push(above.clone()),
                None => break,
            }
        }
        path
    }

    /// Whether a CA may sign lists: every certificate up to the root is in its time.
    pub(super) fn is_in_time(&self, ca: &str, now: &str) -> bool {
        self.path(ca).iter().all(|name| {
            let ca = self.cas.get(name);
            ca.is_some_and(|ca| ca.begins.as_str() <= now && now <= ca.ends.as_str())
        })
    }

    /// The certificate of a CA, where one above it issued it.
    pub(super) fn certificate_of(&self, ca: &str) -> Option<&Certificate> {
        let authority = self.cas.get(ca)?;
        let above = authority.above.clone()?;
        self.certificate(&(above, authority.serial.clone()))
    }

    pub(super) fn is_taken_back(&self, ca: &str) -> bool {
        let certificate = self.certificate_of(ca);
        certificate.is_some_and(|certificate| certificate.revoked.is_some())
    }

    /// Whether a CA may issue.
    pub(super) fn may_issue(&self, ca: &str, now: &str) -> bool {
        let mut path = self.path(ca).into_iter();
        self.is_in_time(ca, now) && !path.any(|name| self.is_taken_back(&name))
    }

    /// Whether a CA has recorded that others have a key; `None` where nothing tells.
    pub(super) fn is_compromised(&self, ca: &str, key: Option<&str>) -> Option<bool> {
        let all = self.certificates.iter();
        let mut compromised = all.filter(|certificate| {
            certificate.ca == ca && certificate.revoked.as_deref() == Some(COMPROMISE)
        });
        let key = key?;
        let mut may_be = false;
        let is = compromised.any(|certificate| {
            may_be |= certificate.key.is_none();
            certificate.key.as_deref() == Some(key)
        });
        (is || !may_be).then_some(is)
    }
}
