//! The key derivation of PKCS #12, and the hashes that it is made of.

use super::super::iterations::limit_iterations;
use super::super::{KeyError, Passphrase};
use crate::asn1::oid;
use aws_lc_rs::{digest, hmac};
use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

/// The hash of a file, in all its roles.
pub(in super::super) struct Hash {
    pub(in super::super) oid: ObjectIdentifier,
    pub(in super::super) digest: &'static digest::Algorithm,
    pub(in super::super) hmac: hmac::Algorithm,
}

pub(in super::super) static SHA_1: Hash = Hash {
    oid: oid::SHA1,
    digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
    hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
};

pub(in super::super) static SHA_256: Hash = Hash {
    oid: oid::SHA256,
    digest: &digest::SHA256,
    hmac: hmac::HMAC_SHA256,
};

static SHA_384: Hash = Hash {
    oid: oid::SHA384,
    digest: &digest::SHA384,
    hmac: hmac::HMAC_SHA384,
};

static SHA_512: Hash = Hash {
    oid: oid::SHA512,
    digest: &digest::SHA512,
    hmac: hmac::HMAC_SHA512,
};

impl Hash {
    /// The hash of this identifier, if it is one that files have.
    pub(in super::super) fn of(oid: ObjectIdentifier) -> Option<&'static Self> {
        let known = [&SHA_1, &SHA_256, &SHA_384, &SHA_512];
        known.into_iter().find(|hash| hash.oid == oid)
    }
}

/// ID bytes of the purposes of derived bytes (RFC 7292 appendix B.3).
pub(in super::super) const ENCRYPTION_KEY: u8 = 1;
pub(in super::super) const INITIALIZATION_VECTOR: u8 = 2;
pub(in super::super) const MAC_KEY: u8 = 3;

/// The key derivation of PKCS #12 (RFC 7292 appendix B.2), whose letters name what is here.
pub(in super::super) struct Kdf<'a> {
    pub(in super::super) hash: &'static Hash,
    pub(in super::super) salt: &'a [u8],
    pub(in super::super) iterations: u32,
}

impl<'a> Kdf<'a> {
    /// Takes the parameters of a file from elsewhere, unless the iteration count exceeds the limit.
    pub(in super::super) fn foreign(
        hash: &'static Hash,
        salt: &'a [u8],
        iterations: u32,
    ) -> Result<Self, KeyError> {
        limit_iterations(iterations)?;
        Ok(Self {
            hash,
            salt,
            iterations,
        })
    }

    pub(in super::super) fn derive(
        &self,
        purpose: u8,
        passphrase: &Passphrase,
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let block = self.hash.digest.block_len();
        let diversifier = vec![purpose; block];
        let password = passphrase.bmp_string();
        let filled = |bytes: &[u8]| bytes.len().next_multiple_of(block);
        let mut input = Zeroizing::new(Vec::with_capacity(filled(self.salt) + filled(&password)));
        input.extend(self.salt.iter().cycle().take(filled(self.salt)));
        input.extend(password.iter().cycle().take(filled(&password)));
        // Room for the last block's whole hash: a buffer that grows leaves a copy behind.
        let mut derived = Zeroizing::new(Vec::with_capacity(length + block));
        while derived.len() < length {
            let hash = self.iterated(&diversifier, &input);
            derived.extend_from_slice(&hash);
            for part in input.chunks_exact_mut(block) {
                add_with_one(part, &hash);
            }
        }
        derived.truncate(length);
        derived
    }

    /// A_i: the hash of D and I, and of itself, as often as there are rounds.
    fn iterated(&self, diversifier: &[u8], input: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut context = digest::Context::new(self.hash.digest);
        context.update(diversifier);
        context.update(input);
        let mut hash = context.finish();
        for _ in 1..self.iterations {
            hash = digest::digest(self.hash.digest, hash.as_ref());
        }
        Zeroizing::new(hash.as_ref().to_vec())
    }
}

/// I_j = (I_j + B + 1) mod 2^v, where B is the hash repeated.
fn add_with_one(part: &mut [u8], hash: &[u8]) {
    let mut carry = 1;
    for (index, byte) in part.iter_mut().enumerate().rev() {
        let sum = u16::from(*byte) + u16::from(hash[index % hash.len()]) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
}
