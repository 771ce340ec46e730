//! The one order of steps in which every certificate is issued: its serial number is reserved durably, the
//! draft signed, the signature verified, what belongs to the certificate made durable, and the certificate
//! recorded. Each step takes what only the step before it makes.

use crate::ca::error::CaError;
use crate::ca::issuance::draft::Draft;
use crate::ca::issuance::issuer::Issuer;
use crate::ca::passphrases::error::KeyUseError;
use crate::key::{KeyError, PrivateKey};
use crate::store::{BatchRow, EntryId, Issuance, LockedCa, StoreError};
use crate::x509::{Certificate, Serial};
use aws_lc_rs::rand;

/// Serial number that is durably reserved, for one certificate.
pub(super) struct Reserved(Serial);

/// Certificate that is signed and verified, and its record, which is still to be written.
pub(super) struct Signed {
    pub(super) certificate: Certificate,
    pub(super) issuance: Issuance,
}

/// References of a record to other records.
#[derive(Default)]
pub(crate) struct References {
    /// Certificate whose place it takes.
    pub(crate) renews: Option<Serial>,
    /// Entry of a declaration that it is issued for.
    pub(crate) entry: Option<EntryId>,
    /// Row of a table that it is issued for.
    pub(crate) row: Option<BatchRow>,
}

/// Additions of one kind of certificate to the steps.
pub(crate) trait Steps {
    /// Refuses, under the CA's lock, what is forbidden since the draft was made.
    fn check(&mut self, issuer: &Issuer, draft: &Draft) -> Result<(), CaError>;

    /// Key that signs in the place of the CA's: only certificates with a defect have another.
    fn key(&self) -> Option<&PrivateKey> {
        None
    }

    /// Makes durable what must be there once the certificate is recorded.
    fn keep(
        &mut self,
        _serial: &Serial,
        _certificate: &Certificate,
        _ca: &LockedCa<'_>,
    ) -> Result<(), CaError> {
        Ok(())
    }

    /// Removes what was kept, if the certificate is not recorded. A failure is not reported: the one
    /// before it is.
    fn discard(&mut self, _serial: &Serial, _ca: &LockedCa<'_>) {}
}

/// Kinds of certificates that only add a check.
impl<F: FnMut(&Issuer, &Draft) -> Result<(), CaError>> Steps for F {
    fn check(&mut self, issuer: &Issuer, draft: &Draft) -> Result<(), CaError> {
        self(issuer, draft)
    }
}

/// The CA of an issuer, which no other process changes: what is signed now is recorded, unless the CA
/// was revoked since the issuer was opened.
pub(super) struct Signing<'a> {
    issuer: &'a Issuer,
    locked: LockedCa<'a>,
}

impl Issuer {
    /// Issues one certificate.
    pub(crate) fn issue(
        &self,
        draft: &Draft,
        references: References,
        steps: &mut impl Steps,
    ) -> Result<(Certificate, Issuance), CaError> {
        let random = random_u64()?;
        let mut signing = self.lock()?;
        steps.check(self, draft)?;
        let reserved = signing.reserve(&[random])?.pop();
        let reserved = reserved.expect("one is reserved for every number");
        let key = steps.key().unwrap_or_else(|| self.key());
        let serial = reserved.0;
        let mut signed = [Signed::new(draft, reserved, references, key)?];
        let kept = steps.keep(&serial, &signed[0].certificate, &signing.locked);
        let mut recorded = match kept {
            Ok(()) => signing.record(&mut signed),
            Err(error) if is_overtaken(&error) => Err(error),
            Err(error) => return Err(error),
        };
        for _ in 0..MOST_TRIES {
            if !recorded.as_ref().is_err_and(is_overtaken) {
                break;
            }
            recorded = signing.locked.look_again().map_err(CaError::from);
            recorded = recorded
                .and_then(|()| steps.check(self, draft))
                .and_then(|()| steps.keep(&serial, &signed[0].certificate, &signing.locked))
                .and_then(|()| signing.record(&mut signed));
        }
        if let Err(error) = recorded {
            if !is_undecided(&error) {
                steps.discard(&serial, &signing.locked);
            }
            return Err(error);
        }
        let [
            Signed {
                certificate,
                issuance,
            },
        ] = signed;
        Ok((certificate, issuance))
    }

    /// Waits until no other process changes the CA, and checks again whether it may sign.
    pub(super) fn lock(&self) -> Result<Signing<'_>, CaError> {
        let locked = self.ca().lock()?;
        self.look_again()?;
        Ok(Signing {
            issuer: self,
            locked,
        })
    }
}

impl Signing<'_> {
    /// Reserves a serial number for each random number.
    pub(super) fn reserve(&mut self, random: &[u64]) -> Result<Vec<Reserved>, CaError> {
        let serials = self.locked.reserve_serials(random)?;
        Ok(serials.into_iter().map(Reserved).collect())
    }

    /// Records certificates, durably. The last look at what forbids it comes right before.
    pub(super) fn record(&mut self, signed: &mut [Signed]) -> Result<(), CaError> {
        for one in signed.iter_mut() {
            one.issuance.counter = self.locked.counter_with(&one.issuance.serial);
        }
        self.issuer.look_again()?;
        let issuances: Vec<Issuance> = signed.iter().map(|one| one.issuance.clone()).collect();
        Ok(self.locked.record_issuances(&issuances)?)
    }
}

impl Signed {
    /// Signs a draft and verifies the signature.
    pub(super) fn new(
        draft: &Draft,
        Reserved(serial): Reserved,
        references: References,
        key: &PrivateKey,
    ) -> Result<Self, CaError> {
        let certificate = draft.sign(&serial, key)?;
        let issuance = Issuance {
            renews: references.renews,
            entry: references.entry,
            row: references.row,
            ..draft.issuance(&serial, &certificate)
        };
        Ok(Self {
            certificate,
            issuance,
        })
    }
}

/// Signs a certificate with its own key, under the first serial number of a CA that is not in the store yet.
/// The caller makes the record durable together with the CA.
pub(crate) fn self_issue(
    draft: &Draft,
    key: &PrivateKey,
) -> Result<(Certificate, Issuance), CaError> {
    let serial = Serial::from_counter(1, random_u64()?).expect("a counter of one byte fits");
    let Signed {
        certificate,
        issuance,
    } = Signed::new(draft, Reserved(serial), References::default(), key)?;
    let issuance = Issuance {
        counter: 1,
        ..issuance
    };
    Ok((certificate, issuance))
}

/// Times that a record is tried again if another process has changed the store.
pub(super) const MOST_TRIES: u32 = 50;

/// Returns whether nothing was recorded since another process has changed the store, so that all checks are to be
/// repeated.
pub(super) fn is_overtaken(error: &CaError) -> bool {
    matches!(error, CaError::Store(StoreError::Overtaken { .. }))
}

/// Returns whether a record may be durable although writing it failed.
pub(super) fn is_undecided(error: &CaError) -> bool {
    matches!(error, CaError::Store(StoreError::Undecided { .. }))
}

/// Returns 64 bits from the system's random source.
pub(super) fn random_u64() -> Result<u64, CaError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| {
        KeyUseError::Randomness(KeyError::Library {
            operation: "read random bytes",
        })
    })?;
    Ok(u64::from_be_bytes(bytes))
}
