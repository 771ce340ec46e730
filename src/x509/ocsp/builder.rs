//! Signing responses.

use super::{CertStatus, IssuerId};
use crate::asn1::{Encoder, encode, encode_generalized_time, oid, sequence, tag};
use crate::key::{KeyError, PrivateKey};
use crate::x509::{Certificate, Reason, Serial};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use time::OffsetDateTime;

/// Signer of responses, with the parts that all of its responses have.
pub(crate) struct Responder {
    key: PrivateKey,
    /// responderID, by the hash of the key.
    id: Vec<u8>,
    /// certs: the certificate of the responder, unless the CA signs itself.
    certificates: Vec<u8>,
}

/// Statement about one certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SingleStatus<'a> {
    pub(crate) serial: &'a Serial,
    pub(crate) status: CertStatus,
    /// thisUpdate and producedAt.
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
}

impl Responder {
    /// Prepares a responder; `delegated` is its certificate, if it is not the CA.
    pub(crate) fn new(key: PrivateKey, delegated: Option<&Certificate>) -> Self {
        // The hash is SHA-1 by definition (RFC 6960 section 4.2.1).
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.public().key_bytes());
        let id = encode(|id| id.explicit(2, |key| key.octet_string(hash.as_ref())));
        let certificates = delegated.map_or_else(Vec::new, |certificate| {
            encode(|basic| {
                basic.explicit(0, |certs| {
                    certs.sequence(|certs| certs.raw(certificate.der()));
                });
            })
        });
        Self {
            key,
            id,
            certificates,
        }
    }

    pub(crate) fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// Signs an OCSPResponse about one certificate (RFC 6960 section 4.2.1, RFC 9919 section 3.2), and verifies the
/// signature.
pub(crate) fn sign_response(
    responder: &Responder,
    issuer: &IssuerId,
    single: &SingleStatus<'_>,
) -> Result<Vec<u8>, KeyError> {
    let data = sequence(|data| {
        data.raw(&responder.id);
        encode_generalized_time(data, single.this_update);
        data.sequence(|responses| encode_single(responses, issuer, single));
    });
    let algorithm = responder.key.signature_algorithm();
    let signature = responder.key.sign(&data)?;
    algorithm.verify(responder.key.public(), &data, &signature)?;
    // Room for the headers and the identifiers.
    let room = data.len() + signature.len() + responder.certificates.len() + 64;
    let mut basic = Encoder::with_capacity(room);
    basic.sequence(|basic| {
        basic.raw(&data);
        algorithm.encode(basic);
        basic.bit_string(&signature);
        basic.raw(&responder.certificates);
    });
    let mut response = Encoder::with_capacity(room + 64);
    response.sequence(|response| {
        response.primitive(tag::ENUMERATED, &[0]); // successful
        response.explicit(0, |bytes| {
            bytes.sequence(|bytes| {
                bytes.oid(&oid::OCSP_BASIC);
                bytes.octet_string(&basic.into_bytes());
            });
        });
    });
    Ok(response.into_bytes())
}

fn encode_single(responses: &mut Encoder, issuer: &IssuerId, single: &SingleStatus<'_>) {
    responses.sequence(|response| {
        issuer.encode(response, single.serial);
        match single.status {
            CertStatus::Good => response.primitive(tag::context(0), &[]),
            CertStatus::Unknown => response.primitive(tag::context(2), &[]),
            CertStatus::Revoked { at, reason } => response.constructed(tag::explicit(1), |info| {
                encode_generalized_time(info, at);
                if reason != Reason::Unspecified {
                    info.explicit(0, |value| {
                        value.primitive(tag::ENUMERATED, &[reason.code()]);
                    });
                }
            }),
        }
        encode_generalized_time(response, single.this_update);
        response.explicit(0, |next| encode_generalized_time(next, single.next_update));
    });
}
