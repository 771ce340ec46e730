//! Certificates that a restored CA issued after its backup was made: it learns of them when they turn up.

use super::error::CaError;
use super::import;
use crate::store::{Ca, Issuance};
use crate::x509::{Certificate, path};

/// Records a certificate that has the CA's signature and of which the CA knows nothing, durably; `None` where
/// it is no such certificate, or the CA was never restored: then it knows all that it issued.
pub(super) fn record(ca: &Ca, certificate: &Certificate) -> Result<Option<Issuance>, CaError> {
    let is_restored = ca.record().restored.is_some();
    if !is_restored || !path::issued(ca.certificate(), certificate) {
        return Ok(None);
    }
    let Ok(serial) = certificate.serial() else {
        return Ok(None);
    };
    let mut locked = ca.lock()?;
    // Another certificate with its serial number is one that the CA made since.
    if ca.issuance(&serial)?.is_some() {
        return Ok(None);
    }
    let issuance = Issuance {
        counter: locked.counter(),
        ..import::issuance(certificate, serial, ca.certificate())
    };
    locked.record_issuances(std::slice::from_ref(&issuance))?;
    Ok(Some(issuance))
}
