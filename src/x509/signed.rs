//! The frame that certificates, CSRs and CRLs share: what is signed, with which algorithm, and
//! the signature (RFC 5280 sections 4.1.1 and 5.1.1, RFC 2986 section 4.2).

use crate::asn1::{Element, Encoder, Malformed, Reader, tag};
use crate::key::SignatureAlgorithm;
use std::ops::Range;

#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) tbs: Element<'a>,
    pub(super) algorithm: &'a [u8],
    /// The signature's bytes; none if it does not end on one, and so verifies under no key.
    pub(super) signature: &'a [u8],
    start: usize,
}

impl<'a> Signed<'a> {
    /// Takes a structure apart; the whole of `der` has to be it.
    pub(super) fn from_der(der: &'a [u8], what: &'static str) -> Result<Self, Malformed> {
        let mut outer = Reader::sequence_of(der, what)?;
        let start = der.len() - outer.rest().len();
        let tbs = outer.expect(tag::SEQUENCE, "the signed content")?;
        let algorithm = outer.algorithm("a signature algorithm")?.whole;
        let signature = match outer.expect(tag::BIT_STRING, "a signature")?.bits()? {
            (0, bytes) => bytes,
            _ => &[],
        };
        outer.end()?;
        Ok(Self {
            tbs,
            algorithm,
            signature,
            start,
        })
    }

    /// Returns the range of the signed bytes in the structure's DER.
    pub(super) fn tbs_range(&self) -> Range<usize> {
        self.start..self.start + self.tbs.whole.len()
    }
}

pub(crate) fn assemble(tbs: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    // Room for the AlgorithmIdentifier and the headers.
    let mut encoder = Encoder::with_capacity(tbs.len() + signature.len() + 64);
    encoder.sequence(|signed| {
        signed.raw(tbs);
        algorithm.encode(signed);
        signed.bit_string(signature);
    });
    encoder.into_bytes()
}
