//! RSA public keys.

use crate::asn1::{Malformed, Reader, tag};

/// Modulus and exponent of an RSAPublicKey (RFC 8017 appendix A.1.1).
pub(super) fn rsa_numbers(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut reader = Reader::sequence_of(bytes, "an RSAPublicKey")?;
    let modulus = reader.expect(tag::INTEGER, "an RSA modulus")?.unsigned()?;
    let exponent = reader.expect(tag::INTEGER, "an RSA exponent")?.unsigned()?;
    reader.end()?;
    Ok((modulus, exponent))
}
