//! Judges RSA and Ed25519 public keys made elsewhere: those in a CSR or in an imported certificate.
//!
//! A CA can't see how such a key was made, but the public half shows when it is too short, malformed,
//! or from a generator known to be broken. The checks of RSA keys are those that the CA/Browser Forum's Baseline
//! Requirements (BR) ask of a public CA in §6.1.1.3, §6.1.5 and §6.1.6, except its list of the keys
//! made by Debian's OpenSSL of 2006 to 2008 (CVE-2008-0166): those are known by enumeration alone,
//! and no such list is part of this program.

mod ed25519;
mod rsa;

pub use ed25519::judge_ed25519;
pub use rsa::judge_rsa;

use rsa::{MAX_EXPONENT_BITS, MAX_MODULUS_BITS, MIN_EXPONENT, MIN_MODULUS_BITS};
use std::fmt;

/// Weakness for which a public key is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeakKey {
    /// The modulus has fewer than 2048 bits.
    ModulusTooSmall { bits: u64 },
    /// The modulus has more than 8192 bits.
    ModulusTooLarge { bits: u64 },
    /// The modulus is divisible by two.
    ModulusEven,
    /// The public exponent is divisible by two, so that it has no inverse.
    ExponentEven,
    /// The public exponent is below 65537.
    ExponentTooSmall {
        /// The exponent; 3 is the usual one in certificates of old.
        exponent: u32,
    },
    /// The public exponent has more than 33 bits.
    ExponentTooLarge { bits: u64 },
    /// The modulus is divisible by an odd prime below 752.
    SmallFactor {
        /// The smallest such prime.
        prime: u32,
    },
    /// The key has the fingerprint of the ROCA generator (CVE-2017-15361).
    Roca,
    /// The Ed25519 key is a point of small order: a signature under it fits any message.
    SmallOrder,
    /// The Ed25519 key is no point of the curve in the one encoding of RFC 8032 section 5.1.3.
    NotAPoint,
    /// The modulus is the product of two numbers so close that Fermat's method finds them at once.
    ClosePrimes,
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModulusTooSmall { bits } => {
                write!(
                    f,
                    "the RSA modulus has {bits} bits, fewer than {MIN_MODULUS_BITS}"
                )
            }
            Self::ModulusTooLarge { bits } => {
                write!(
                    f,
                    "the RSA modulus has {bits} bits, more than {MAX_MODULUS_BITS}"
                )
            }
            Self::ModulusEven => f.write_str("the RSA modulus is even"),
            Self::ExponentEven => f.write_str("the RSA public exponent is even"),
            Self::ExponentTooSmall { exponent } => {
                write!(
                    f,
                    "the RSA public exponent is {exponent}, below {MIN_EXPONENT}"
                )
            }
            Self::ExponentTooLarge { bits } => {
                write!(
                    f,
                    "the RSA public exponent has {bits} bits, more than {MAX_EXPONENT_BITS}"
                )
            }
            Self::SmallFactor { prime } => write!(f, "the RSA modulus is divisible by {prime}"),
            Self::Roca => f.write_str("the RSA key has the ROCA fingerprint (CVE-2017-15361)"),
            Self::SmallOrder => f.write_str(
                "the Ed25519 key is a point of small order, so a signature under it fits any message",
            ),
            Self::NotAPoint => f.write_str("the Ed25519 key is not a point of the curve"),
            Self::ClosePrimes => {
                f.write_str("the RSA modulus is the product of two primes too close to each other")
            }
        }
    }
}

impl std::error::Error for WeakKey {}
