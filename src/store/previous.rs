//! The certificates of a CA's key: the one in force, and those before it.

use super::ca::{Ca, read_certificate};
use super::error::StoreError;
use super::place::CaPlace;
use crate::x509::Certificate;
use std::cmp::Reverse;

impl Ca {
    /// Returns the certificate in force, and those before it with the same name and key, the last to
    /// expire first.
    pub(crate) fn certificates(&self) -> Result<Vec<Certificate>, StoreError> {
        let own = match &self.place {
            CaPlace::Directory(layout) => read_certificate(&layout.certificate())?,
            CaPlace::Database(_) => self.certificate().clone(),
        };
        let mut certificates = Vec::new();
        for seen in self.previous_certificates()? {
            let certificate = seen.certificate?;
            if certificate.is_of_same_ca(&own) && certificate != own {
                certificates.push(certificate);
            }
        }
        certificates.sort_by_key(|certificate| Reverse(certificate.validity().not_after));
        certificates.insert(0, own);
        Ok(certificates)
    }

    /// Returns the CA with the certificate that `below` names as its issuer: the one in force, unless
    /// `below` names one before it.
    pub(crate) fn named_by(self, below: &Certificate) -> Result<Self, StoreError> {
        if below.names_certificate(self.certificate()) {
            return Ok(self);
        }
        let mut certificates = self.certificates()?.into_iter();
        let named = certificates.find(|certificate| below.names_certificate(certificate));
        Ok(match named {
            Some(certificate) => self.with_certificate(&certificate),
            None => self,
        })
    }
}
