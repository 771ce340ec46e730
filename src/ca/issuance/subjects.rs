//! Subjects of CAs: none is given to another certificate, since issuers and CRLs are looked up by name.

use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::owner::SubjectOwner;
use crate::key::PublicKey;
use crate::store::{CaName, Coverage, Store};
use crate::x509::comparison::ComparableName;
use crate::x509::{Certificate, Name, Reason};
use std::collections::HashMap;
use time::OffsetDateTime;

/// A CA that has a subject.
struct Holder {
    key: PublicKey,
    owner: SubjectOwner,
    not_after: OffsetDateTime,
}

/// The subjects of the CAs of a store, and of those whose certificates they issued.
pub(crate) struct Subjects {
    store: Store,
    holders: HashMap<ComparableName, Vec<Holder>>,
    /// Ends of the journals of certificates; `None` if a CA was pending, whose request may be replaced.
    basis: Option<Vec<(CaName, Coverage)>>,
}

impl Subjects {
    /// Reads them: what the CAs issued is not read whole.
    pub(crate) fn of(store: &Store) -> Result<Self, CaError> {
        let mut subjects = Self {
            store: store.clone(),
            holders: HashMap::new(),
            basis: None,
        };
        let all_pending = store.pending_cas()?;
        for pending in &all_pending {
            let request = pending.request();
            let owner = SubjectOwner::Ca(pending.name().clone());
            let key = request.public_key().clone();
            subjects.add(request.subject(), key, owner, OffsetDateTime::UNIX_EPOCH);
        }
        let cas = store.cas()?;
        for ca in &cas {
            let owner = SubjectOwner::Ca(ca.name().clone());
            subjects.add_certificate(ca.certificate(), owner);
        }
        let mut ends = Vec::with_capacity(cas.len());
        for ca in &cas {
            let end = ca.issuances_end()?;
            for issuance in ca.issued_authorities(&end)? {
                let certificate = issuance.der.as_deref().map(Certificate::from_der);
                if let Some(Ok(certificate)) = certificate {
                    let owner = SubjectOwner::Issued {
                        by: ca.name().clone(),
                        serial: issuance.serial,
                    };
                    subjects.add_certificate(&certificate, owner);
                }
            }
            ends.push((ca.name().clone(), end));
        }
        subjects.basis = all_pending.is_empty().then_some(ends);
        Ok(subjects)
    }

    /// Returns whether they are still the same: a CA gets no other subject, and nothing was issued.
    pub(super) fn are_current(&self) -> Result<bool, CaError> {
        Ok(self.basis.is_some() && self.basis == self.store.issuances_ends()?)
    }

    fn add_certificate(&mut self, certificate: &Certificate, owner: SubjectOwner) {
        let key = certificate.public_key().clone();
        let end = certificate.validity().not_after;
        self.add(certificate.subject(), key, owner, end);
    }

    fn add(&mut self, name: &Name, key: PublicKey, owner: SubjectOwner, not_after: OffsetDateTime) {
        let holders = self.holders.entry(ComparableName::of(name)).or_default();
        holders.push(Holder {
            key,
            owner,
            not_after,
        });
    }

    /// Refuses a subject of a leaf that any CA has.
    pub(crate) fn refuse_leaf(&self, subject: &Name, now: OffsetDateTime) -> Result<(), CaError> {
        if subject.is_empty() {
            return Ok(());
        }
        self.refuse(subject, |_| true, now)
    }

    /// Refuses a subject of a CA with this key that a CA with another key has; without a key it is to be
    /// a new one.
    pub(crate) fn refuse_ca(
        &self,
        subject: &Name,
        key: Option<&PublicKey>,
        now: OffsetDateTime,
    ) -> Result<(), CaError> {
        self.refuse(subject, |holder| key != Some(&holder.key), now)
    }

    fn refuse(
        &self,
        subject: &Name,
        is_other: impl Fn(&Holder) -> bool,
        now: OffsetDateTime,
    ) -> Result<(), CaError> {
        let holders = self.holders.get(&ComparableName::of(subject));
        for holder in holders
            .into_iter()
            .flatten()
            .filter(|holder| is_other(holder))
        {
            if self.counts(holder, now)? {
                return Err(IssuanceError::SubjectOfCa {
                    subject: subject.to_string(),
                    owner: holder.owner.clone(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Returns whether a CA that has a subject keeps it. One of the store always does, another as long as its
    /// certificate is valid; one on hold may be valid again.
    fn counts(&self, holder: &Holder, now: OffsetDateTime) -> Result<bool, CaError> {
        let SubjectOwner::Issued { by, serial } = &holder.owner else {
            return Ok(true);
        };
        if now > holder.not_after {
            return Ok(false);
        }
        let revoked = self.store.ca(by)?.revoked(serial)?;
        Ok(revoked.is_none_or(|revoked| revoked.reason == Reason::CertificateHold))
    }
}

/// Refuses a subject of a new CA that another CA has.
pub(crate) fn refuse_taken_subject(
    store: &Store,
    subject: &Name,
    key: Option<&PublicKey>,
    now: OffsetDateTime,
) -> Result<(), CaError> {
    Subjects::of(store)?.refuse_ca(subject, key, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::testing::{NOW, TestStore};

    #[test]
    fn subjects_are_read_again_once_there_is_a_new_ca() {
        let test = TestStore::new();
        let later = Name::parse("/CN=later").unwrap();
        let before = Subjects::of(&test.store).unwrap();
        before.refuse_leaf(&later, NOW).unwrap();
        assert!(before.are_current().unwrap());
        test.subordinate("later");
        assert!(!before.are_current().unwrap());
        let after = Subjects::of(&test.store).unwrap();
        assert!(after.are_current().unwrap());
        after.refuse_leaf(&later, NOW).unwrap_err();
    }
}
