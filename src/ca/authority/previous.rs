//! Certificates of a CA before the one in force, which what it issued may name as its issuer.

use crate::asn1::{encode, tag};
use crate::ca::error::CaError;
use crate::ca::select::Status;
use crate::store::{Ca, Store};
use crate::x509::Certificate;
use time::OffsetDateTime;

/// Live certificates that name as their issuer, by its serial number, a certificate of the CA before the one
/// in force: relying parties that compare it, such as OpenSSL and Java, verify them with that one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamingPrevious {
    /// Number of end-entity certificates.
    pub(crate) leaves: usize,
    /// Number of CA certificates.
    pub(crate) cas: usize,
    /// The time when the last of them, or the certificate that it names, expires.
    pub(crate) until: OffsetDateTime,
}

impl NamingPrevious {
    fn add(found: &mut Option<Self>, certificate: &Certificate, previous: &Certificate) {
        let until = certificate.validity().not_after;
        let until = until.min(previous.validity().not_after);
        let all = found.get_or_insert(Self {
            leaves: 0,
            cas: 0,
            until,
        });
        all.leaves += usize::from(!certificate.is_ca());
        all.cas += usize::from(certificate.is_ca());
        all.until = all.until.max(until);
    }
}

/// The CA's certificate, and those before it that are valid and that its issuer did not revoke.
pub(crate) fn standing_certificates(
    store: &Store,
    ca: &Ca,
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, CaError> {
    let mut certificates = ca.certificates()?.into_iter();
    let mut standing: Vec<Certificate> = certificates.next().into_iter().collect();
    for certificate in certificates {
        let is_valid = Status::of_certificate(&certificate, now) == Status::Valid;
        if is_valid && !is_revoked(store, ca, &certificate)? {
            standing.push(certificate);
        }
    }
    Ok(standing)
}

/// Returns whether the CA above, or a root itself, has revoked a certificate of the CA.
pub(crate) fn is_revoked(
    store: &Store,
    ca: &Ca,
    certificate: &Certificate,
) -> Result<bool, CaError> {
    let Ok(serial) = certificate.serial() else {
        return Ok(false);
    };
    Ok(match &ca.record().parent {
        Some(parent) => store.ca(parent)?.revoked(&serial)?,
        None => ca.revoked(&serial)?,
    }
    .is_some())
}

/// Counts what will name a previous certificate once the one in force is replaced; `new`, if it is known, is
/// the one in its place. Reads the journal as it goes.
pub(crate) fn naming_previous(
    store: &Store,
    ca: &Ca,
    new: Option<&Certificate>,
    now: OffsetDateTime,
) -> Result<Option<NamingPrevious>, CaError> {
    let mut found: Option<NamingPrevious> = None;
    let mut serials: Vec<Vec<u8>> = Vec::new();
    let all_revoked = ca.all_revoked()?;
    for previous in standing_certificates(store, ca, now)? {
        if serials
            .iter()
            .any(|known| *known == previous.serial_bytes())
        {
            continue;
        }
        serials.push(previous.serial_bytes().to_vec());
        let named = encode(|value| value.primitive(tag::context(2), previous.serial_bytes()));
        for issuance in ca.issuances_holding(&named)? {
            let issuance = issuance?;
            if issuance.not_after < now || all_revoked.contains_key(&issuance.serial) {
                continue;
            }
            let certificate = issuance.der.as_deref().map(Certificate::from_der);
            let Some(Ok(certificate)) = certificate else {
                continue;
            };
            if depends_on(&certificate, &previous, new) {
                NamingPrevious::add(&mut found, &certificate, &previous);
            }
        }
        for child in store.cas()? {
            let certificate = child.certificate();
            if child.record().parent.as_ref() == Some(ca.name())
                && certificate.validity().not_after >= now
                && depends_on(certificate, &previous, new)
                && !is_on_record(ca, certificate)?
            {
                NamingPrevious::add(&mut found, certificate, &previous);
            }
        }
    }
    Ok(found)
}

/// Returns whether a certificate verifies with a previous certificate of its issuer alone.
fn depends_on(
    certificate: &Certificate,
    previous: &Certificate,
    new: Option<&Certificate>,
) -> bool {
    names_serial(certificate, previous)
        && !new.is_some_and(|new| certificate.names_certificate(new))
        && certificate.public_key().spki() != previous.public_key().spki()
}

/// Returns whether a CA has a record of a certificate: a CA that was imported without an index may have none of a
/// CA below it.
fn is_on_record(ca: &Ca, certificate: &Certificate) -> Result<bool, CaError> {
    Ok(match certificate.serial() {
        Ok(serial) => ca.issuance(&serial)?.is_some(),
        Err(_) => false,
    })
}

/// Returns whether a certificate names another as its issuer, by its serial number too.
fn names_serial(certificate: &Certificate, issuer: &Certificate) -> bool {
    let authority = certificate.authority();
    authority.is_ok_and(|authority| authority.is_some_and(|authority| authority.serial.is_some()))
        && certificate.names_certificate(issuer)
}
