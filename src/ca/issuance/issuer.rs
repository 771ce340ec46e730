//! The one way to a CA's signing key.

use crate::ca::error::CaError;
use crate::ca::issuance::compromised::CompromisedKeys;
use crate::ca::issuance::draft::{Content, Draft};
use crate::ca::issuance::error::{IssuanceError, IssuerError};
use crate::ca::issuance::standing::{Purpose, standing_path};
use crate::ca::issuance::subjects::Subjects;
use crate::ca::outside_key;
use crate::ca::owner::{KeyOf, SubjectOwner};
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, Unlocked};
use crate::key::{PrivateKey, Protection, PublicKey, SignatureAlgorithm};
use crate::store::{Ca, CaName, Coverage, Store, StoreError};
use crate::x509::comparison::ComparableName;
use crate::x509::crl::{CrlBuilder, Header};
use crate::x509::{Certificate, CertificationRequest, Crl, Extension, Fingerprint, Name, Serial};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use time::OffsetDateTime;

/// Bytes of a list from which on it is proved and written at the same time.
const WORTH_A_THREAD: usize = 1 << 20;

/// A CA whose key is open, after proof that it may sign: the key is the certificate's, the
/// certificate is that of a CA with the key usage wanted, it is valid now, and so is every one above
/// it, each signed by the next.
pub(crate) struct Issuer {
    store: Store,
    ca: Ca,
    /// The CA's certificate and those above it, up to the root.
    path: Vec<Certificate>,
    key: PrivateKey,
    /// Opens the keys of leaves.
    unlocked: Unlocked,
    /// Protects new keys of leaves: that of the CA's own key, or one of their own.
    protection: Option<Protection>,
    purpose: Purpose,
    now: OffsetDateTime,
    /// Basis of the proof.
    seen: Mutex<Arc<Seen>>,
    /// Read when something is drafted; before it is signed they are read again.
    subjects: OnceLock<Subjects>,
}

/// Age of a certificate's key: other certificates may have one that is known.
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

impl Issuer {
    /// Opens a CA's key.
    pub(crate) fn open(
        store: &Store,
        name: &CaName,
        purpose: Purpose,
        passphrases: &mut dyn Passphrases,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let seen = Seen::now(store)?;
        let ca = store.ca(name)?;
        let path = standing_path(store, &ca, purpose, now)?;
        let mut unlocked = Unlocked::new();
        let (key, protection) = if let Some(uri) = &ca.record().key_uri {
            (outside_key::open_to_sign(uri, name, passphrases)?, None)
        } else {
            let content = ca
                .key_file()?
                .ok_or_else(|| IssuerError::KeyElsewhere { ca: name.clone() })?;
            let label = format!("the key of {name}");
            let wanted = ProtectedKey::of(name, &label);
            let key = unlocked.open(ca.key_location(), wanted, &content, passphrases)?;
            (key, Some(unlocked.protection()?))
        };
        if key.public().spki() != ca.certificate().public_key().spki() {
            return Err(IssuerError::KeyMismatch {
                ca: name.clone(),
                uri: ca.record().key_uri.clone(),
            }
            .into());
        }
        Ok(Self {
            store: store.clone(),
            ca,
            path,
            key,
            protection,
            unlocked,
            purpose,
            now,
            seen: Mutex::new(Arc::new(seen)),
            subjects: OnceLock::new(),
        })
    }

    /// Repeats the proof if anything was revoked since the last one.
    pub(super) fn look_again(&self) -> Result<(), CaError> {
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

    /// The key of a certificate that the CA issued, opened as its own was; `None` if it was made
    /// elsewhere.
    pub(crate) fn leaf_key(
        &mut self,
        serial: &Serial,
        certificate: &Certificate,
        passphrases: &mut dyn Passphrases,
    ) -> Result<Option<PrivateKey>, CaError> {
        let unlocked = &mut self.unlocked;
        let key = open_leaf_key(&self.ca, serial, certificate, unlocked, passphrases)?;
        if key.is_some() && self.has_key_outside() {
            // Its successor's key has the same passphrase.
            self.protection = Some(self.unlocked.protection()?);
        }
        Ok(key)
    }

    /// The store that the CA is in.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The CA.
    pub(crate) fn ca(&self) -> &Ca {
        &self.ca
    }

    /// The CA's certificate, its issuer's, and so on up to the root.
    pub(crate) fn path(&self) -> &[Certificate] {
        &self.path
    }

    /// Returns whether the CA's key is outside the store, so that keys of leaves have passphrases of their own.
    pub(crate) fn has_key_outside(&self) -> bool {
        self.ca.record().key_uri.is_some()
    }

    /// Sets the protection of new keys of leaves, if the CA's key is outside the store.
    pub(crate) fn protect_leaf_keys(&mut self, protection: &Protection) {
        if self.has_key_outside() {
            self.protection = Some(protection.clone());
        }
    }

    /// Returns the protection of new keys of leaves.
    pub(crate) fn protection(&self) -> Result<&Protection, IssuerError> {
        self.protection
            .as_ref()
            .ok_or_else(|| IssuerError::LeafPassphrase {
                ca: self.ca.name().clone(),
            })
    }

    /// Returns the number of signatures that can be made at a time, if the key is outside the store.
    pub(crate) fn sessions(&self) -> Option<usize> {
        self.key.sessions()
    }

    /// The algorithm with which the CA signs.
    pub(crate) fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.key.signature_algorithm()
    }

    /// Returns the key identifier for CRLs: that of the CA's certificate, or that which it would have.
    pub(crate) fn key_identifier(&self) -> Vec<u8> {
        let certificate = self.ca.certificate();
        let own = certificate.subject_key_identifier();
        own.unwrap_or_else(|| certificate.public_key().key_identifier().to_vec())
    }

    /// Signs a list, and proves that what came out is what was meant. `meanwhile` gets the list while
    /// the proof goes on; what it made is dropped if that fails.
    pub(crate) fn sign_crl<T: Send>(
        &self,
        crl: CrlBuilder,
        header: &Header<'_>,
        meanwhile: impl FnOnce(&[u8]) -> T + Send,
    ) -> Result<(Vec<u8>, Fingerprint, T), CaError> {
        let entries = crl.len();
        let der = crl.sign(header, &self.key).map_err(KeyUseError::Signing)?;
        if der.len() < WORTH_A_THREAD {
            self.verify_crl(&der, entries)?;
            let fingerprint = Fingerprint::of(&der);
            let prepared = meanwhile(&der);
            return Ok((der, fingerprint, prepared));
        }
        let (fingerprint, prepared) = thread::scope(|scope| {
            let meanwhile = scope.spawn(|| meanwhile(&der));
            self.verify_crl(&der, entries)?;
            let fingerprint = Fingerprint::of(&der);
            let prepared = meanwhile.join().expect("it does not panic");
            Ok::<_, CaError>((fingerprint, prepared))
        })?;
        Ok((der, fingerprint, prepared))
    }

    fn verify_crl(&self, der: &[u8], entries: usize) -> Result<(), CaError> {
        let read = Crl::from_der(der).expect("what was just written reads back");
        read.verify_signature(self.key.public())
            .map_err(KeyUseError::Verification)?;
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
        let known = match self.subjects.get() {
            Some(known) if known.are_current()? => Some(known),
            _ => None,
        };
        let read = known
            .is_none()
            .then(|| Subjects::of(&self.store))
            .transpose()?;
        let subjects = known
            .or(read.as_ref())
            .expect("they are read unless they are known");
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
            return Err(IssuanceError::SubjectOfCa {
                subject: subject.to_string(),
                owner: SubjectOwner::Ca(self.ca.name().clone()),
            }
            .into());
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
            .map_err(KeyUseError::Verification)?;
        let request =
            CertificationRequest::from_der(&der).expect("what was just written reads back");
        request.verify().map_err(KeyUseError::Verification)?;
        Ok(request)
    }

    /// Lints a certificate that the CA would issue.
    pub(crate) fn draft(&self, content: Content) -> Result<Draft, CaError> {
        Draft::new(content, self.path(), self.signature_algorithm())
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Returns the key of a CA that signs OCSP responses itself.
    pub(crate) fn into_key(self) -> PrivateKey {
        self.key
    }
}

/// Opens the stored key of a certificate that a CA issued; `None` if it was made elsewhere.
pub(crate) fn open_leaf_key(
    ca: &Ca,
    serial: &Serial,
    certificate: &Certificate,
    unlocked: &mut Unlocked,
    passphrases: &mut dyn Passphrases,
) -> Result<Option<PrivateKey>, CaError> {
    let Some(content) = ca.leaf_key_file(serial)? else {
        return Ok(None);
    };
    let path = ca.leaf_key_location(serial);
    let label = format!("the key of {} {serial}", ca.name());
    let wanted = if ca.record().key_uri.is_some() {
        ProtectedKey::outside(&label)
    } else {
        ProtectedKey::of(ca.name(), &label)
    };
    let key = unlocked.open(&path, wanted, &content, passphrases)?;
    if key.public().spki() != certificate.public_key().spki() {
        let problem = format!("does not match certificate {serial}");
        return Err(StoreError::damaged(&path, problem).into());
    }
    Ok(Some(key))
}
