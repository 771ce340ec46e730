//! Writing CRLs.

use crate::asn1::{Encoder, encode, encode_generalized_time, encode_time, oid, tag};
use crate::key::{KeyError, PrivateKey};
use crate::x509::revocation::Reason;
use crate::x509::{Extension, Name, Serial};
use time::OffsetDateTime;

/// Entry of a CRL that is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) serial: &'a Serial,
    pub(crate) revoked_at: OffsetDateTime,
    /// reasonCode; left out if it is unspecified (section 5.3.1).
    pub(crate) reason: Reason,
    pub(crate) invalidity_date: Option<OffsetDateTime>,
}

/// The fields of a CRL beside its entries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    /// issuer: the bytes of the CA's subject.
    pub(crate) issuer: &'a Name,
    /// authorityKeyIdentifier: the CA's subject key identifier.
    pub(crate) key_identifier: &'a [u8],
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
    pub(crate) number: u128,
}

/// Room in front of the entries for everything that precedes them, beside the issuer.
const HEADROOM: usize = 256;

#[derive(Clone)]
pub(crate) struct CrlBuilder {
    buffer: Vec<u8>,
    headroom: usize,
    entries: usize,
}

impl CrlBuilder {
    /// Starts a CRL whose buffer is not moved until its entries take more than `bytes`.
    pub(crate) fn with_capacity(issuer: &Name, bytes: usize) -> Self {
        let headroom = HEADROOM + issuer.der().len();
        let mut buffer = Vec::with_capacity(2 * headroom + bytes);
        buffer.resize(headroom, 0);
        Self {
            buffer,
            headroom,
            entries: 0,
        }
    }

    pub(crate) fn push(&mut self, entry: &Entry<'_>) {
        let mut encoder = Encoder::onto(std::mem::take(&mut self.buffer));
        encode_entry(&mut encoder, entry);
        self.buffer = encoder.into_bytes();
        self.entries += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// Bytes that a CRL of these entries has at least.
    pub(crate) fn least_bytes(&self) -> usize {
        self.buffer.len() - HEADROOM
    }

    /// Puts the headers around the entries and signs.
    pub(crate) fn sign(self, header: &Header<'_>, key: &PrivateKey) -> Result<Vec<u8>, KeyError> {
        let Self {
            mut buffer,
            headroom,
            entries,
        } = self;
        let Header {
            issuer,
            key_identifier,
            this_update,
            next_update,
            number,
        } = *header;
        let algorithm = key.signature_algorithm();
        let mut start = headroom;
        if entries > 0 {
            // An empty CRL has no revokedCertificates at all (section 5.1.2.6).
            let entries_length = buffer.len() - headroom;
            put_in_front(
                &mut buffer,
                &mut start,
                &header_of(tag::SEQUENCE, entries_length),
            );
        }
        let fields = encode(|tbs| {
            tbs.unsigned(&[1]); // v2
            algorithm.encode(tbs);
            tbs.raw(issuer.der());
            encode_time(tbs, this_update);
            encode_time(tbs, next_update);
        });
        put_in_front(&mut buffer, &mut start, &fields);
        buffer.extend_from_slice(&encode(|tbs| {
            tbs.explicit(0, |wrapper| {
                wrapper.sequence(|crl| {
                    Extension::authority_key_identifier(key_identifier).encode(crl);
                    Extension::crl_number(number).encode(crl);
                });
            });
        }));
        let tbs_length = buffer.len() - start;
        put_in_front(
            &mut buffer,
            &mut start,
            &header_of(tag::SEQUENCE, tbs_length),
        );
        let signature = key.sign(&buffer[start..])?;
        buffer.extend_from_slice(&encode(|signed| {
            algorithm.encode(signed);
            signed.bit_string(&signature);
        }));
        let length = buffer.len() - start;
        put_in_front(&mut buffer, &mut start, &header_of(tag::SEQUENCE, length));
        buffer.drain(..start);
        Ok(buffer)
    }
}

fn header_of(tag: u8, length: usize) -> Vec<u8> {
    encode(|encoder| encoder.header(tag, length))
}

/// Writes `bytes` so that they end where the buffer's used part starts.
fn put_in_front(buffer: &mut [u8], start: &mut usize, bytes: &[u8]) {
    let end = *start;
    *start = end
        .checked_sub(bytes.len())
        .expect("the headroom was made for all headers");
    buffer[*start..end].copy_from_slice(bytes);
}

fn encode_entry(encoder: &mut Encoder, entry: &Entry<'_>) {
    let Entry {
        serial,
        revoked_at,
        reason,
        invalidity_date,
    } = entry;
    encoder.sequence(|fields| {
        serial.encode(fields);
        encode_time(fields, *revoked_at);
        if *reason == Reason::Unspecified && invalidity_date.is_none() {
            return;
        }
        fields.sequence(|extensions| {
            if *reason != Reason::Unspecified {
                extensions.sequence(|extension| {
                    extension.oid(&oid::REASON_CODE);
                    extension.primitive(tag::OCTET_STRING, &[tag::ENUMERATED, 1, reason.code()]);
                });
            }
            if let Some(date) = invalidity_date {
                let value = encode(|value| encode_generalized_time(value, *date));
                Extension {
                    oid: oid::INVALIDITY_DATE,
                    critical: false,
                    value,
                }
                .encode(extensions);
            }
        });
    });
}
