//! RSASSA-PSS (RFC 8017 section 8.1) with a salt of any length: AWS-LC verifies only a salt as long as the hash.

use super::rsa::rsa_numbers;
use crate::asn1::{Malformed, Reader, oid, tag};
use aws_lc_rs::digest::{self, Algorithm};
use num_bigint::BigUint;
use std::fmt;

/// Sizes of moduli in bytes: those of AWS-LC's verifiers.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// Bytes of an exponent: a longer one makes verifying slow.
const LONGEST_EXPONENT: usize = 5;
/// RFC 4055 section 3.1: the salt's length if none is named.
const DEFAULT_SALT: u32 = 20;

/// A hash of RSASSA-PSS; its mask is made with the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PssHash {
    Sha256,
    Sha384,
    Sha512,
}

impl PssHash {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// Reads an AlgorithmIdentifier; `None` for another hash.
    fn from_reader(mut identifier: Reader<'_>) -> Result<Option<Self>, Malformed> {
        let hash = identifier.oid("a hash algorithm")?;
        Ok(match hash {
            oid::SHA256 => Some(Self::Sha256),
            oid::SHA384 => Some(Self::Sha384),
            oid::SHA512 => Some(Self::Sha512),
            _ => None,
        })
    }
}

impl fmt::Display for PssHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

/// RSASSA-PSS-params (RFC 4055 section 3.1): one hash, MGF1 with the same, trailer 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pss {
    pub(crate) hash: PssHash,
    pub(crate) salt_length: u32,
}

impl Pss {
    /// Reads what follows the algorithm's identifier; `None` for parameters that are not supported here,
    /// as SHA-1, which is the hash if none is named.
    pub(super) fn from_parameters(mut reader: Reader<'_>) -> Result<Option<Self>, Malformed> {
        let Some(parameters) = reader.optional(tag::SEQUENCE)? else {
            return Ok(None);
        };
        let mut parameters = parameters.reader();
        let hash = match parameters.optional(tag::explicit(0))? {
            Some(hash) => PssHash::from_reader(hash.reader().sequence("a hash algorithm")?)?,
            None => None,
        };
        let mask = match parameters.optional(tag::explicit(1))? {
            Some(mask) => mask_hash(mask.reader().sequence("a mask generation function")?)?,
            None => None,
        };
        let salt_length = match parameters.optional(tag::explicit(2))? {
            Some(length) => Reader::single(length.content)?.small()?,
            None => DEFAULT_SALT,
        };
        let trailer = match parameters.optional(tag::explicit(3))? {
            Some(trailer) => Reader::single(trailer.content)?.small()?,
            None => 1,
        };
        parameters.end()?;
        let is_supported = hash == mask && trailer == 1;
        let of_hash = |hash| Self { hash, salt_length };
        Ok(hash.filter(|_| is_supported).map(of_hash))
    }

    /// Returns whether the salt is as long as the hash.
    pub(crate) fn is_usual(self) -> bool {
        usize::try_from(self.salt_length) == Ok(self.hash.algorithm().output_len())
    }

    /// RSASSA-PSS-VERIFY with the RSAPublicKey in `key`.
    pub(super) fn verifies(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Ok((modulus, exponent)) = rsa_numbers(key) else {
            return false;
        };
        if !MODULUS.contains(&modulus.len())
            || exponent.len() > LONGEST_EXPONENT
            || signature.len() != modulus.len()
        {
            return false;
        }
        let [modulus, exponent, signature] =
            [modulus, exponent, signature].map(BigUint::from_bytes_be);
        if signature >= modulus {
            return false;
        }
        let bits = modulus.bits() - 1;
        let encoded = signature.modpow(&exponent, &modulus).to_bytes_be();
        self.is_encoding_of(message, &encoded, bits)
    }

    /// EMSA-PSS-VERIFY (section 9.1.2); `encoded` lacks its leading zeros.
    fn is_encoding_of(self, message: &[u8], encoded: &[u8], bits: u64) -> bool {
        let hash = self.hash.algorithm();
        let (Ok(length), Ok(salt_length)) = (
            usize::try_from(bits.div_ceil(8)),
            usize::try_from(self.salt_length),
        ) else {
            return false;
        };
        let Some(zeros) = length
            .checked_sub(hash.output_len() + 2)
            .and_then(|rest| rest.checked_sub(salt_length))
        else {
            return false;
        };
        if encoded.len() > length {
            return false;
        }
        let encoded = [vec![0; length - encoded.len()].as_slice(), encoded].concat();
        let (masked, rest) = encoded.split_at(length - hash.output_len() - 1);
        let [mhash @ .., 0xbc] = rest else {
            return false;
        };
        let unused = length * 8 - usize::try_from(bits).unwrap_or(usize::MAX);
        let top = 0xff_u8
            .checked_shr(u32::try_from(unused).unwrap_or(8))
            .unwrap_or(0);
        if masked[0] & !top != 0 {
            return false;
        }
        let mask = mgf1(hash, mhash, masked.len());
        let mut block: Vec<u8> = masked.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        block[0] &= top;
        let (padding, salt) = block.split_at(zeros + 1);
        let is_padded = padding[..zeros].iter().all(|byte| *byte == 0) && padding[zeros] == 1;
        let digest = digest::digest(hash, message);
        let again = digest::digest(hash, &[&[0; 8], digest.as_ref(), salt].concat());
        is_padded && again.as_ref() == mhash
    }
}

/// The hash of MGF1; `None` for another mask generation function.
fn mask_hash(mut identifier: Reader<'_>) -> Result<Option<PssHash>, Malformed> {
    let function = identifier.oid("a mask generation function")?;
    if function != oid::MGF1 {
        return Ok(None);
    }
    PssHash::from_reader(identifier.sequence("a hash algorithm")?)
}

/// MGF1 (appendix B.2.1).
fn mgf1(hash: &'static Algorithm, seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = length.div_ceil(hash.output_len());
    let mut mask = Vec::with_capacity(blocks * hash.output_len());
    for counter in (0u32..).take(blocks) {
        let block = digest::digest(hash, &[seed, &counter.to_be_bytes()].concat());
        mask.extend_from_slice(block.as_ref());
    }
    mask.truncate(length);
    mask
}
