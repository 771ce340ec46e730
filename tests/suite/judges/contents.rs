//! Certificates, CRLs and CSRs as `x509-cert` has them.

use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
    ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::request::CertReq;

use super::signatures::is_signature;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Certificate,
    Crl,
    Csr,
}

/// Whether it is decoded, and encoded to the same bytes.
pub(super) fn is_encoded_again(kind: Kind, der: &[u8]) -> bool {
    match kind {
        Kind::Certificate => is_same::<Certificate>(der),
        Kind::Crl => is_same::<CertificateList>(der),
        Kind::Csr => is_same::<CertReq>(der),
    }
}

fn is_same<'a, T: Decode<'a, Error = x509_cert::der::Error> + Encode>(der: &'a [u8]) -> bool {
    T::from_der(der).is_ok_and(|value| value.to_der().is_ok_and(|again| again == der))
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der).expect("x509-cert decodes it")
}

pub(super) fn spki(der: &[u8]) -> Vec<u8> {
    let certificate = certificate(der);
    let spki = certificate.tbs_certificate().subject_public_key_info();
    spki.to_der().unwrap()
}

pub(super) fn subject(der: &[u8]) -> Vec<u8> {
    let certificate = certificate(der);
    certificate.tbs_certificate().subject().to_der().unwrap()
}

/// Object identifiers of extensions whose values are not encoded to the same bytes.
pub(super) fn unread_extensions(der: &[u8]) -> Vec<String> {
    let certificate = certificate(der);
    let extensions = certificate.tbs_certificate().extensions();
    let unread = extensions.into_iter().flatten();
    let unread = unread.filter(|extension| !is_read(extension));
    unread
        .map(|extension| extension.extn_id.to_string())
        .collect()
}

fn is_read(extension: &Extension) -> bool {
    let value = extension.extn_value.as_bytes();
    match extension.extn_id.to_string().as_str() {
        "2.5.29.14" => is_same::<SubjectKeyIdentifier>(value),
        "2.5.29.15" => is_same::<KeyUsage>(value),
        "2.5.29.17" => is_same::<SubjectAltName>(value),
        "2.5.29.19" => is_same::<BasicConstraints>(value),
        "2.5.29.30" => is_same::<NameConstraints>(value),
        "2.5.29.31" => is_same::<CrlDistributionPoints>(value),
        "2.5.29.35" => is_same::<AuthorityKeyIdentifier>(value),
        "2.5.29.37" => is_same::<ExtendedKeyUsage>(value),
        "1.3.6.1.5.5.7.1.1" => is_same::<AuthorityInfoAccessSyntax>(value),
        // id-pkix-ocsp-nocheck is NULL.
        "1.3.6.1.5.5.7.48.1.5" => value == [5, 0],
        _ => false,
    }
}

/// Bytes that were signed, and their signature.
pub(super) struct Signed {
    pub(super) issuer: Vec<u8>,
    pub(super) tbs: Vec<u8>,
    algorithm: String,
    signature: Vec<u8>,
}

impl Signed {
    pub(super) fn certificate(der: &[u8]) -> Self {
        let certificate = certificate(der);
        let tbs = certificate.tbs_certificate();
        Self {
            issuer: tbs.issuer().to_der().unwrap(),
            tbs: tbs.to_der().unwrap(),
            algorithm: certificate.signature_algorithm().oid.to_string(),
            signature: certificate.signature().raw_bytes().to_vec(),
        }
    }

    pub(super) fn crl(der: &[u8]) -> Self {
        let crl: CertificateList = CertificateList::from_der(der).expect("x509-cert decodes it");
        Self {
            issuer: crl.tbs_cert_list.issuer.to_der().unwrap(),
            tbs: crl.tbs_cert_list.to_der().unwrap(),
            algorithm: crl.signature_algorithm.oid.to_string(),
            signature: crl.signature.raw_bytes().to_vec(),
        }
    }

    /// Reads a CSR, and its public key.
    pub(super) fn csr(der: &[u8]) -> (Self, Vec<u8>) {
        let csr = CertReq::from_der(der).expect("x509-cert decodes it");
        let signed = Self {
            issuer: Vec::new(),
            tbs: csr.info.to_der().unwrap(),
            algorithm: csr.algorithm.oid.to_string(),
            signature: csr.signature.raw_bytes().to_vec(),
        };
        (signed, csr.info.public_key.to_der().unwrap())
    }

    /// Whether this key verifies the signature; none for ML-DSA, which no judge has.
    pub(super) fn is_signed_by(&self, spki: &[u8]) -> Option<bool> {
        is_signature(&self.algorithm, spki, &self.tbs, &self.signature)
    }
}

/// Whether a certificate is decoded and this key verifies it.
pub(super) fn signed_by(der: &[u8], spki: &[u8]) -> bool {
    let is_decoded = Certificate::from_der(der).is_ok();
    is_decoded && Signed::certificate(der).is_signed_by(spki) == Some(true)
}
