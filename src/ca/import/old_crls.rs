//! CRLs that a CA signed before the import. Their revocations stay in force; the last complete one is the
//! predecessor of our first CRL.

use crate::asn1::oid;
use crate::ca::foreign::{Input, crls_in};
use crate::ca::import::certificates::{SIGNATURE_NOT_CHECKED, causes};
use crate::ca::{CaError, RuleFinding};
use crate::key::KeyError;
use crate::store::ForeignCrl;
use crate::x509::{Certificate, Crl, Fingerprint};
use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// CRLs that the CA's key signed.
#[derive(Default)]
pub(crate) struct OldCrls {
    crls: Vec<OnFile>,
    pub(crate) findings: Vec<RuleFinding>,
}

struct OnFile {
    path: PathBuf,
    der: Vec<u8>,
    /// Whether its signature was verified, and it covers every certificate of the CA.
    is_whole: bool,
}

impl OnFile {
    fn crl(&self) -> Crl<'_> {
        Crl::from_der(&self.der).expect("it was read before")
    }
}

/// The last CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OldCrl {
    pub(crate) path: PathBuf,
    /// cRLNumber, if it has one.
    pub(crate) number: Option<u128>,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) entries: usize,
}

impl OldCrls {
    /// Reads files, and takes the CRLs that the CA signed.
    pub(crate) fn read(files: &[PathBuf], ca: &Certificate) -> Result<Self, CaError> {
        let mut old = Self::default();
        for path in files {
            match Input::read(path).and_then(|input| crls_in(&input)) {
                Ok(crls) => {
                    for der in crls {
                        old.take(path, der, ca);
                    }
                }
                Err(error @ (CaError::File(_) | CaError::Store(_))) => return Err(error),
                Err(error) => old.found("old-list-unreadable", causes(&error)),
            }
        }
        Ok(old)
    }

    fn take(&mut self, path: &Path, der: Vec<u8>, ca: &Certificate) {
        let crl = Crl::from_der(&der).expect("it was read before");
        let shown = path.display();
        let signed = crl.verify_signature(ca.public_key());
        let is_its = crl.issuer() == ca.subject();
        if let (true, Err(KeyError::Unsupported { algorithm })) = (is_its, &signed) {
            let message = format!(
                "{shown} is signed with {algorithm}, which is not supported: whether it is a CRL of {} can't be verified",
                ca.subject()
            );
            self.found(SIGNATURE_NOT_CHECKED, message);
        } else if !is_its || signed.is_err() {
            let message = format!(
                "{shown} is a CRL of {}, and is not signed with the key of {}",
                crl.issuer(),
                ca.subject()
            );
            return self.found("old-list-of-another-ca", message);
        }
        if let Some(Err(error)) = crl.entries().find(Result::is_err) {
            return self.found("old-list-unreadable", format!("{shown}: {error}"));
        }
        if self.crls.iter().any(|known| known.der == der) {
            return;
        }
        let limit = limit(&crl);
        if let Some(limit) = limit {
            let message = format!(
                "{shown} has {limit}, so it is a partial CRL: its revocations are compared, but it does not count as the last CRL"
            );
            self.findings
                .push(RuleFinding::warning("old-list-partial", message));
        }
        self.crls.push(OnFile {
            path: path.to_owned(),
            is_whole: signed.is_ok() && limit.is_none(),
            der,
        });
    }

    fn found(&mut self, rule: &'static str, message: String) {
        self.findings.push(RuleFinding::error(rule, message));
    }

    pub(crate) fn newest_first(&self) -> Vec<(&Path, Crl<'_>)> {
        let crls = self.crls.iter();
        sorted(crls.map(|on_file| (on_file.path.as_path(), on_file.crl())))
    }

    /// Returns the newest complete one.
    pub(crate) fn last(&self) -> Option<(&Path, Crl<'_>)> {
        let whole = self.crls.iter().filter(|on_file| on_file.is_whole);
        let sorted = sorted(whole.map(|on_file| (on_file.path.as_path(), on_file.crl())));
        sorted.into_iter().next()
    }

    /// Returns the record for the store: of the last one, or of a partial one. Without a number of its own it
    /// gets the highest there is; and our first CRL is dated before none of them.
    pub(crate) fn to_store(&self, highest_number: u128, is_complete: bool) -> Option<ForeignCrl> {
        let all = self.newest_first();
        let newest = all.first()?.1.this_update();
        let last = self.last();
        // A CRL without a nextUpdate promises nothing, and neither does a partial one.
        let promised = last.as_ref().and_then(|(_, crl)| crl.next_update());
        let crl = last.map_or_else(|| all[0].1.clone(), |(_, crl)| crl);
        Some(ForeignCrl {
            number: crl.number().unwrap_or(highest_number),
            this_update: newest,
            next_update: promised.map_or(newest, |promised| promised.max(newest)),
            entries: crl.entries().count(),
            fingerprint: Fingerprint::of(crl.der()),
            is_complete,
        })
    }

    /// Summary of the last one.
    pub(crate) fn summary(&self) -> Option<OldCrl> {
        let (path, crl) = self.last()?;
        Some(OldCrl {
            path: path.to_owned(),
            number: crl.number(),
            this_update: crl.this_update(),
            entries: crl.entries().count(),
        })
    }
}

/// Sorts CRLs, newest first, by date and then by number. Some programs number none.
fn sorted<'a>(crls: impl Iterator<Item = (&'a Path, Crl<'a>)>) -> Vec<(&'a Path, Crl<'a>)> {
    let mut sorted: Vec<_> = crls.collect();
    sorted.sort_by_key(|(_, crl)| Reverse((crl.this_update(), crl.number())));
    sorted
}

/// Returns the extension by which a CRL does not cover every certificate of its CA (RFC 5280 sections 5.2.4
/// and 5.2.5).
fn limit(crl: &Crl<'_>) -> Option<&'static str> {
    let limits = [oid::DELTA_CRL_INDICATOR, oid::ISSUING_DISTRIBUTION_POINT];
    let mut extensions = crl.extensions().iter();
    let limit = extensions.find(|extension| limits.contains(&extension.oid))?;
    oid::name(&limit.oid)
}
