//! The one way to a CA's signing key.

use crate::ca::authority::Subjects;
use crate::ca::error::CaError;
use crate::ca::issuance::compromised::{CompromisedKeys, key_of, refuse_compromised_cas};
use crate::ca::issuance::draft::Draft;
use crate::ca::owner::KeyOf;
use crate::ca::owner::SubjectOwner;
use crate::ca::passphrases::{Passphrases, ProtectedKey, Unlocked};
use crate::key::{PrivateKey, Protection, PublicKey, SignatureAlgorithm};
use crate::store::{Ca, CaName, Coverage, Issuance, LockedCa, Store, StoreError};
use crate::x509::comparison::ComparableName;
use crate::x509::crl::{Header, ListBuilder};
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};
use crate::x509::validity::rfc3339;
use crate::x509::{
    Certificate, CertificationRequest, Extension, Fingerprint, Name, RevocationList, Serial, path,
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use time::OffsetDateTime;

/// What a CA's key is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing certificates.
    Certificates,
    /// Signing revocation lists.
    Lists,
    /// Signing, or asking for, a certificate of its own key, which may have expired.
    OwnCertificate,
}

/// Octets of a list from which on it is proved and written at the same time.
const WORTH_A_THREAD: usize = 1 << 20;

/// A CA whose key is open, after proof that it may sign: the key is the certificate's, the
/// certificate is that of a CA with the key usage wanted, it is valid now, and so is every one above
/// it, each signed by the next.
pub struct Issuer {
    store: Store,
    ca: Ca,
    /// The CA's certificate and those above it, up to the root.
    path: Vec<Certificate>,
    key: PrivateKey,
    unlocked: Unlocked,
    protection: Protection,
    purpose: Purpose,
    now: OffsetDateTime,
    /// Basis of the proof.
    seen: Mutex<Arc<Seen>>,
    /// Read when something is drafted; before it is signed they are read again.
    subjects: OnceLock<Subjects>,
}

/// Whether a key was made for the certificate, or there may be others about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAge {
    /// It was made a moment ago.
    New,
    /// It came with a CSR, or is that of the certificate before.
    Known,
}

/// Revocations by the CAs of the store at the time of the look.
struct Seen {
    revocations: Vec<(CaName, Coverage)>,
    /// Read when somebody else's key is to be certified.
    compromised: OnceLock<CompromisedKeys>,
}

impl Seen {
    /// Returns how far the journals go. To be taken before they are looked into.
    fn now(store: &Store) -> Result<Self, CaError> {
        Ok(Self {
            revocations: store.revocations_ends()?,
            compromised: OnceLock::new(),
        })
    }

    fn compromised(&self, store: &Store) -> Result<&CompromisedKeys, CaError> {
        if let Some(known) = self.compromised.get() {
            return Ok(known);
        }
        let read = CompromisedKeys::of(store)?;
        Ok(self.compromised.get_or_init(|| read))
    }
}

/// The CA of an issuer, which no other process changes: what is signed now is recorded, unless the CA
/// was revoked since the issuer was opened.
pub(crate) struct Signing<'a> {
    issuer: &'a Issuer,
    locked: LockedCa<'a>,
}

impl Signing<'_> {
    /// Same as [`LockedCa::reserve_serial`].
    pub(crate) fn reserve_serial(&mut self, random: u64) -> Result<Serial, CaError> {
        Ok(self.locked.reserve_serial(random)?)
    }

    /// Same as [`LockedCa::reserve_serials`].
    pub(crate) fn reserve_serials(&mut self, random: &[u64]) -> Result<Vec<Serial>, CaError> {
        Ok(self.locked.reserve_serials(random)?)
    }

    /// The CA, to keep keys of leaves, and its counter.
    pub(crate) fn locked(&self) -> &LockedCa<'_> {
        &self.locked
    }

    /// Records certificates, durably. The last look at what forbids it comes right before.
    pub(crate) fn record(&mut self, issuances: &[Issuance]) -> Result<(), CaError> {
        self.issuer.look_again()?;
        Ok(self.locked.record_issuances(issuances)?)
    }
}

impl Issuer {
    /// Opens a CA's key.
    pub fn open(
        store: &Store,
        name: &CaName,
        purpose: Purpose,
        passphrases: &mut dyn Passphrases,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let seen = Seen::now(store)?;
        let ca = store.ca(name)?;
        let path = standing_path(store, &ca, purpose, now)?;
        let content = ca
            .key_file()?
            .ok_or_else(|| CaError::KeyElsewhere { ca: name.clone() })?;
        let mut unlocked = Unlocked::new();
        let label = format!("the key of {name}");
        let wanted = ProtectedKey::of(name, &label);
        let key = unlocked.open(&ca.key_path(), wanted, &content, passphrases)?;
        if key.public().spki() != ca.certificate().public_key().spki() {
            return Err(CaError::KeyMismatch { ca: name.clone() });
        }
        Ok(Self {
            store: store.clone(),
            ca,
            path,
            key,
            protection: unlocked.protection()?,
            unlocked,
            purpose,
            now,
            seen: Mutex::new(Arc::new(seen)),
            subjects: OnceLock::new(),
        })
    }

    /// Waits until no other process changes the CA, and looks again whether it may sign.
    pub(crate) fn lock(&self) -> Result<Signing<'_>, CaError> {
        let locked = self.ca.lock()?;
        self.look_again()?;
        Ok(Signing {
            issuer: self,
            locked,
        })
    }

    /// Repeats the proof if anything was revoked since the last one.
    fn look_again(&self) -> Result<(), CaError> {
        let now = Seen::now(&self.store)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.revocations != now.revocations {
            let ca = self.store.ca(self.ca.name())?;
            standing_path(&self.store, &ca, self.purpose, self.now)?;
            *seen = Arc::new(now);
        }
        Ok(())
    }

    /// Refuses a key that any CA of the store revoked as compromised, as far as the last look goes.
    pub(crate) fn refuse_compromised(&self, key: &PublicKey, whose: KeyOf) -> Result<(), CaError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Arc::clone(&seen);
        seen.compromised(&self.store)?.refuse(key, whose)
    }

    /// The key of a certificate that the CA issued, opened as its own was; `None` where it was made
    /// elsewhere.
    pub fn leaf_key(
        &mut self,
        serial: &Serial,
        certificate: &Certificate,
        passphrases: &mut dyn Passphrases,
    ) -> Result<Option<PrivateKey>, CaError> {
        let Some(content) = self.ca.leaf_key_file(serial)? else {
            return Ok(None);
        };
        let path = self.ca.leaf_key_path(serial);
        let label = format!("the key of {} {serial}", self.ca.name());
        let wanted = ProtectedKey::of(self.ca.name(), &label);
        let key = self.unlocked.open(&path, wanted, &content, passphrases)?;
        if key.public().spki() != certificate.public_key().spki() {
            let problem = format!("is not the key of the certificate {serial}");
            return Err(StoreError::damaged(&path, problem).into());
        }
        Ok(Some(key))
    }

    /// The store that the CA is in.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The CA.
    pub fn ca(&self) -> &Ca {
        &self.ca
    }

    /// The CA's certificate, its issuer's, and so on up to the root.
    pub fn path(&self) -> &[Certificate] {
        &self.path
    }

    /// How keys that the CA keeps are written: as its own.
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// The algorithm with which the CA signs.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.key.signature_algorithm()
    }

    /// What lists name as the CA's key: its subject key identifier, or for a certificate without one
    /// what it would have.
    pub fn key_identifier(&self) -> Vec<u8> {
        let certificate = self.ca.certificate();
        let own = certificate.subject_key_identifier();
        own.unwrap_or_else(|| certificate.public_key().key_identifier().to_vec())
    }

    /// Signs a list, and proves that what came out is what was meant. `meanwhile` gets the list while
    /// the proof goes on; what it made is dropped if that fails.
    pub(crate) fn sign_list<T: Send>(
        &self,
        list: ListBuilder,
        header: &Header<'_>,
        meanwhile: impl FnOnce(&[u8]) -> T + Send,
    ) -> Result<(Vec<u8>, Fingerprint, T), CaError> {
        let entries = list.len();
        let der = list.sign(header, &self.key).map_err(CaError::NewKey)?;
        if der.len() < WORTH_A_THREAD {
            self.prove_list(&der, entries)?;
            let fingerprint = Fingerprint::of(&der);
            let prepared = meanwhile(&der);
            return Ok((der, fingerprint, prepared));
        }
        let (fingerprint, prepared) = thread::scope(|scope| {
            let meanwhile = scope.spawn(|| meanwhile(&der));
            self.prove_list(&der, entries)?;
            let fingerprint = Fingerprint::of(&der);
            let prepared = meanwhile.join().expect("it does not panic");
            Ok::<_, CaError>((fingerprint, prepared))
        })?;
        Ok((der, fingerprint, prepared))
    }

    fn prove_list(&self, der: &[u8], entries: usize) -> Result<(), CaError> {
        let read = RevocationList::from_der(der).expect("what was just written reads back");
        read.verify_signature(self.key.public())
            .map_err(CaError::NewKey)?;
        assert_eq!(
            read.entries().flatten().count(),
            entries,
            "every entry reads back"
        );
        Ok(())
    }

    /// Refuses a subject of a leaf that a CA has, as far as is known.
    pub(crate) fn refuse_subject_of_ca(&self, subject: &Name) -> Result<(), CaError> {
        let subjects = if let Some(known) = self.subjects.get() {
            known
        } else {
            let read = Subjects::of(&self.store)?;
            self.subjects.get_or_init(|| read)
        };
        subjects.refuse_leaf(subject, self.now)
    }

    /// Repeats for drafts of leaves, under the lock, what was looked at when they were made: that no CA has
    /// the subject, and that the key is not compromised if it is not new.
    pub(crate) fn look_at_leaves<'d>(
        &self,
        drafts: impl IntoIterator<Item = (&'d Draft, KeyAge)>,
    ) -> Result<(), CaError> {
        let subjects = Subjects::of(&self.store)?;
        for (draft, age) in drafts {
            subjects.refuse_leaf(draft.subject(), self.now)?;
            if age == KeyAge::Known {
                self.refuse_compromised(draft.public_key(), KeyOf::Request)?;
            }
        }
        Ok(())
    }

    /// Refuses the subject of the CA, or of one above it, whatever the key.
    pub(crate) fn refuse_own_name(&self, subject: &Name) -> Result<(), CaError> {
        let comparable = ComparableName::of(subject);
        let is_own =
            |certificate: &&Certificate| ComparableName::of(certificate.subject()) == comparable;
        if self.path.iter().any(|certificate| is_own(&certificate)) {
            return Err(CaError::SubjectOfCa {
                subject: subject.to_string(),
                owner: SubjectOwner::Ca(self.ca.name().clone()),
            });
        }
        Ok(())
    }

    /// A request for a certificate of the CA's key and subject.
    pub(crate) fn request(
        &self,
        extensions: &[Extension],
    ) -> Result<CertificationRequest, CaError> {
        let subject = self.ca.certificate().subject();
        let der = CertificationRequest::create(&self.key, subject, extensions)
            .map_err(CaError::NewKey)?;
        let request =
            CertificationRequest::from_der(&der).expect("what was just written reads back");
        request.verify().map_err(CaError::NewKey)?;
        Ok(request)
    }

    /// Signs what passed the rules as a draft, under its final serial number, and proves that what
    /// came out is what was meant.
    pub fn sign(&self, draft: &Draft, serial: &Serial) -> Result<Certificate, CaError> {
        draft.sign(serial, &self.key)
    }
}

/// The certificates from the CA up to its root, after proof that all of them stand.
fn standing_path(
    store: &Store,
    ca: &Ca,
    purpose: Purpose,
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, CaError> {
    let unusable = |problem: String| CaError::CaUnusable {
        ca: ca.name().clone(),
        problem,
        to_renew: None,
    };
    let mut ancestors = store.ancestors(ca)?;
    if purpose != Purpose::Certificates {
        // Verifiers of a CRL look at its signature, whatever certificate the CA names; and a CA that names an
        // old one is renewed.
        let in_force = |ancestor: &Ca| store.ca(ancestor.name());
        ancestors = ancestors.iter().map(in_force).collect::<Result<_, _>>()?;
    }
    let mut certificates = vec![ca.certificate().clone()];
    certificates.extend(
        ancestors
            .iter()
            .map(|ancestor| ancestor.certificate().clone()),
    );
    if purpose != Purpose::Lists {
        refuse_revoked(store, ca, &ancestors)?;
        let members = std::iter::once(ca).chain(&ancestors);
        refuse_compromised_cas(store, &members.map(key_of).collect::<Vec<_>>())?;
    }
    let (bit, bit_name) = match purpose {
        Purpose::Lists => (CRL_SIGN, "cRLSign"),
        Purpose::Certificates | Purpose::OwnCertificate => (KEY_CERT_SIGN, "keyCertSign"),
    };
    if !ca.certificate().is_ca() {
        return Err(unusable("its certificate is not that of a CA".into()));
    }
    if ca
        .certificate()
        .key_usage()
        .is_some_and(|usage| usage & bit == 0)
    {
        return Err(unusable(format!("its certificate has no {bit_name}")));
    }
    for (index, certificate) in certificates.iter().enumerate() {
        let subject = certificate.subject();
        let validity = certificate.validity();
        let needs_to_be_valid = purpose != Purpose::OwnCertificate;
        if needs_to_be_valid && now < validity.not_before {
            return Err(CaError::CaNotYetValid {
                ca: ca.name().clone(),
                subject: subject.to_string(),
                not_before: validity.not_before,
            });
        }
        if needs_to_be_valid && now > validity.not_after {
            return Err(CaError::CaUnusable {
                ca: ca.name().clone(),
                problem: format!("{subject} expired at {}", rfc3339(validity.not_after)),
                to_renew: to_renew(store, ca, &ancestors, index)?,
            });
        }
        let issuer = certificates.get(index + 1).unwrap_or(certificate);
        if !path::issued(issuer, certificate) {
            return Err(unusable(format!(
                "{subject} is not signed by {}",
                issuer.subject()
            )));
        }
    }
    Ok(certificates)
}

/// Nobody would trust what a revoked CA issues; its list it may still sign.
fn refuse_revoked(store: &Store, ca: &Ca, ancestors: &[Ca]) -> Result<(), CaError> {
    let members = std::iter::once(ca).chain(ancestors);
    for (index, (member, issuer)) in members.zip(ancestors).enumerate() {
        // A CA is revoked if the certificate in force is, though one below it may name a previous one.
        let in_force = store.ca(member.name())?;
        for certificate in [member.certificate(), in_force.certificate()] {
            let Ok(serial) = certificate.serial() else {
                continue;
            };
            let Some(revoked) = issuer.revoked(&serial)? else {
                continue;
            };
            let is_in_force = certificate == in_force.certificate();
            return Err(CaError::RevokedCa {
                ca: ca.name().clone(),
                subject: certificate.subject().to_string(),
                at: revoked.revoked_at,
                reason: revoked.reason,
                // A new certificate below would be of the same key above.
                to_renew: if is_in_force || revoked.reason.is_compromise() {
                    None
                } else {
                    to_renew(store, ca, ancestors, index)?
                },
            });
        }
    }
    Ok(())
}

/// The CA below a certificate that can't be used, if it names that one and not the one in force of the CA
/// above it. `index` counts from the certificate of `ca`.
fn to_renew(
    store: &Store,
    ca: &Ca,
    ancestors: &[Ca],
    index: usize,
) -> Result<Option<CaName>, CaError> {
    let Some(above) = index.checked_sub(1) else {
        return Ok(None);
    };
    let in_force = store.ca(ancestors[above].name())?;
    let is_previous = in_force.certificate() != ancestors[above].certificate();
    let below = above.checked_sub(1).map_or(ca, |below| &ancestors[below]);
    Ok(is_previous.then(|| below.name().clone()))
}
