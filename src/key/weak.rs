//! Judges RSA and Ed25519 public keys made elsewhere: those in a CSR or in an imported certificate.
//!
//! A CA can't see how such a key was made, but the public half shows when it is too short, malformed,
//! or from a generator known to be broken. The checks of RSA keys are those that the CA/Browser Forum's Baseline
//! Requirements (BR) ask of a public CA in §6.1.1.3, §6.1.5 and §6.1.6, except its list of the keys
//! made by Debian's OpenSSL of 2006 to 2008 (CVE-2008-0166): those are known by enumeration alone,
//! and no such list is part of this program.

mod ed25519;
mod rsa;

pub(crate) use ed25519::judge_ed25519;
pub(crate) use rsa::judge_rsa;

use rsa::{MAX_EXPONENT_BITS, MAX_MODULUS_BITS, MIN_EXPONENT, MIN_MODULUS_BITS};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakKey {
    #[error("the RSA modulus has {bits} bits, fewer than {MIN_MODULUS_BITS}")]
    ModulusTooSmall { bits: u64 },
    #[error("the RSA modulus has {bits} bits, more than {MAX_MODULUS_BITS}")]
    ModulusTooLarge { bits: u64 },
    #[error("the RSA modulus is even")]
    ModulusEven,
    #[error("the RSA public exponent is even")]
    ExponentEven,
    #[error("the RSA public exponent is {exponent}, below {MIN_EXPONENT}")]
    ExponentTooSmall { exponent: u32 },
    #[error("the RSA public exponent has {bits} bits, more than {MAX_EXPONENT_BITS}")]
    ExponentTooLarge { bits: u64 },
    #[error("the RSA modulus is divisible by {prime}")]
    SmallFactor { prime: u32 },
    #[error("the RSA key has the ROCA fingerprint (CVE-2017-15361)")]
    Roca,
    #[error("the Ed25519 key is a point of small order, so a signature under it fits any message")]
    SmallOrder,
    #[error("the Ed25519 key is not a point of the curve")]
    NotAPoint,
    #[error("the RSA modulus is the product of two primes too close to each other")]
    ClosePrimes,
}
