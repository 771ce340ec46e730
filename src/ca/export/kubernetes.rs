//! A certificate and its key as the manifest of a Kubernetes Secret of type kubernetes.io/tls.

use crate::ca::error::CaError;
use crate::ca::export::error::ExportError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(crate) struct TlsSecret<'a> {
    /// Its name, which [`secret_name`] gave.
    pub(crate) name: &'a str,
    /// The root.
    pub(crate) ca: &'a str,
    /// The certificate, then the CAs below the root.
    pub(crate) certificate: &'a str,
    /// The key, not encrypted.
    pub(crate) key: &'a [u8],
}

impl TlsSecret<'_> {
    /// Writes the manifest as YAML.
    pub(crate) fn manifest(&self) -> Zeroizing<Vec<u8>> {
        let Self {
            name,
            ca,
            certificate,
            key,
        } = self;
        // A name of digits, or `null`, is text only in quotes.
        let head = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{name}\"\ntype: kubernetes.io/tls\ndata:\n"
        );
        let entries = [
            ("ca.crt", ca.as_bytes()),
            ("tls.crt", certificate.as_bytes()),
            ("tls.key", *key),
        ];
        // Room from the start: a buffer that grows leaves a copy of the key behind.
        let room: usize = entries.iter().map(|(_, pem)| pem.len() * 4 / 3 + 16).sum();
        let mut manifest = Zeroizing::new(Vec::with_capacity(head.len() + room));
        manifest.extend_from_slice(head.as_bytes());
        for (entry, pem) in entries {
            let base64 = Zeroizing::new(STANDARD.encode(pem));
            manifest.extend_from_slice(format!("  {entry}: ").as_bytes());
            manifest.extend_from_slice(base64.as_bytes());
            manifest.push(b'\n');
        }
        manifest
    }
}

/// Turns the name of files into one for a Secret: a DNS subdomain (RFC 1123) in lowercase.
pub(crate) fn secret_name(name: &str) -> Result<String, CaError> {
    let lowercase = name.trim_start_matches('_').to_ascii_lowercase();
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if lowercase.len() <= 253 && lowercase.split('.').all(label) {
        Ok(lowercase)
    } else {
        Err(ExportError::SecretName {
            name: name.to_owned(),
        }
        .into())
    }
}
