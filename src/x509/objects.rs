//! Objects in files of certificates, CSRs, CRLs or keys: PEM, or DER of one.

use crate::asn1::{Malformed, Reader, tag};
use crate::pem::{self, PemError, PemObject};
use zeroize::Zeroizing;

/// PEM label of an OCSPResponse, as OpenSSL and others write it.
pub(crate) const OCSP_RESPONSE_LABEL: &str = "OCSP RESPONSE";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoObjects {
    #[error("the file is empty")]
    Empty,
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("it is UTF-16 text")]
    Utf16,
    #[error("it is base64 without the lines -----BEGIN …----- and -----END …-----")]
    BareBase64,
    #[error("it is neither PEM nor DER")]
    Neither,
    #[error("it is cut off: it starts as DER, but ends before its length")]
    CutOff,
    #[error("it is DER with bytes after its end")]
    Continued,
    #[error("it is DER of another type")]
    OtherKind,
}

/// Reads every object of PEM, or the one of DER, which gets the label that PEM has for its kind.
pub(crate) fn objects(content: &[u8]) -> Result<Vec<PemObject>, NoObjects> {
    if content.is_empty() {
        return Err(NoObjects::Empty);
    }
    if pem::looks_like_pem(content) {
        return Ok(pem::decode(content)?);
    }
    let label = der_label(content).ok_or_else(|| why_not_der(content))?;
    Ok(vec![PemObject {
        label: label.into(),
        headers: Vec::new(),
        der: Zeroizing::new(content.to_vec()),
    }])
}

/// Label of a DER structure, by the shape of its first fields.
fn der_label(der: &[u8]) -> Option<&'static str> {
    let mut outer = Reader::sequence_of(der, "").ok()?;
    let first = outer.any().ok()?;
    if first.tag == tag::INTEGER {
        return Some(match outer.peek() {
            Some(tag::OCTET_STRING) => "EC PRIVATE KEY",
            Some(tag::INTEGER) => "RSA PRIVATE KEY",
            // RFC 7292: no private key has this version.
            Some(tag::SEQUENCE) if first.content == [3] => "PKCS12",
            _ => "PRIVATE KEY",
        });
    }
    if first.tag == tag::OBJECT_IDENTIFIER {
        return Some("PKCS7");
    }
    if first.tag == tag::ENUMERATED {
        return Some(OCSP_RESPONSE_LABEL);
    }
    if first.tag != tag::SEQUENCE {
        return None;
    }
    match outer.peek() {
        Some(tag::OCTET_STRING) => return Some("ENCRYPTED PRIVATE KEY"),
        Some(tag::BIT_STRING) => return Some("PUBLIC KEY"),
        _ => {}
    }
    let mut inner = first.reader();
    let mut tags = Vec::new();
    while let Ok(element) = inner.any() {
        tags.push((element.tag, element.content));
    }
    let numbered = usize::from(tags.first()?.0 == tag::INTEGER);
    match tags.first()?.0 {
        found if found == tag::explicit(0) => Some("CERTIFICATE"),
        // A CSR's version is 0 and a subject follows; a v1 certificate's serial, an algorithm and
        // an issuer; a CRL's version 1, an algorithm, an issuer and a time.
        tag::INTEGER
            if tags.len() >= 6 && tags.get(3).is_some_and(|(tag, _)| *tag == tag::SEQUENCE) =>
        {
            Some("CERTIFICATE")
        }
        _ if is_time(tags.get(numbered + 2)?.0) => Some("X509 CRL"),
        tag::INTEGER => Some("CERTIFICATE REQUEST"),
        _ => None,
    }
}

/// Returns the reason for which no object is in a file without PEM markers.
fn why_not_der(content: &[u8]) -> NoObjects {
    // A text may start with the byte of a SEQUENCE, which is the digit 0.
    let in_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if pem::is_utf16(content) {
        NoObjects::Utf16
    } else if pem::is_bare_base64(content) {
        NoObjects::BareBase64
    } else if content.first() != Some(&tag::SEQUENCE) || content.iter().all(in_text) {
        NoObjects::Neither
    } else {
        let mut reader = Reader::new(content);
        match reader.any() {
            Err(Malformed::Truncated) => NoObjects::CutOff,
            Err(_) => NoObjects::Neither,
            Ok(_) if reader.is_empty() => NoObjects::OtherKind,
            Ok(_) => NoObjects::Continued,
        }
    }
}

fn is_time(tag: u8) -> bool {
    tag == tag::UTC_TIME || tag == tag::GENERALIZED_TIME
}

/// Returns whether PEM calls a certificate so.
pub(crate) fn is_certificate_label(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

/// Returns whether PEM calls a file of certificates so (RFC 7468 sections 8 and 9).
pub(crate) fn is_signed_data_label(label: &str) -> bool {
    matches!(label, "PKCS7" | "CMS")
}
