//! RSA public keys.

use super::WeakKey;
use num_bigint::BigUint;
use std::iter::successors;

/// BR §6.1.5 and NIST SP 800-131A §3: a shorter modulus is below 112 bits of strength.
pub(super) const MIN_MODULUS_BITS: u64 = 2048;

/// The longest that rustls verifies with (`RSA_PKCS1_2048_8192_SHA256`); OpenSSL's limit is 16384.
pub(super) const MAX_MODULUS_BITS: u64 = 8192;

/// FIPS 186-5 §A.1.1 and SP 800-89 §5.3.3 demand 2^16 < e < 2^256; BR §6.1.6 demands an odd e of 3 or
/// more and recommends that range. The stricter bound is taken: forged signatures (CVE-2006-4339) and
/// broadcast attacks need a tiny e, and *ring* refuses to sign with one.
pub(super) const MIN_EXPONENT: u32 = 65_537;

/// `BoringSSL`, aws-lc and *ring* refuse a longer exponent, because it makes verifying slow at the
/// verifier's cost; OpenSSL refuses more than 64 bits if the modulus has more than 3072.
pub(super) const MAX_EXPONENT_BITS: u64 = 33;

/// SP 800-89 §5.3.3 and BR §6.1.6: the modulus has "no factors smaller than 752".
const SMALL_FACTOR_BOUND: u32 = 752;

/// BR §6.1.1.3 refuses what Fermat's method factors "within 100 rounds".
const FERMAT_ROUNDS: u32 = 100;

/// Judges the key of this modulus and public exponent, both big-endian and unsigned; leading zeros
/// don't count.
///
/// # Errors
/// The first weakness found, the cheapest check first.
pub(crate) fn judge_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), WeakKey> {
    let modulus = BigUint::from_bytes_be(modulus);
    judge_length(&modulus)?;
    judge_exponent(&BigUint::from_bytes_be(exponent))?;
    if let Some(prime) = small_factor(&modulus) {
        return Err(WeakKey::SmallFactor { prime });
    }
    if has_roca_fingerprint(&modulus) {
        return Err(WeakKey::Roca);
    }
    if has_close_factors(&modulus) {
        return Err(WeakKey::ClosePrimes);
    }
    Ok(())
}

fn judge_length(modulus: &BigUint) -> Result<(), WeakKey> {
    match modulus.bits() {
        bits if bits < MIN_MODULUS_BITS => Err(WeakKey::ModulusTooSmall { bits }),
        bits if bits > MAX_MODULUS_BITS => Err(WeakKey::ModulusTooLarge { bits }),
        _ if !modulus.bit(0) => Err(WeakKey::ModulusEven),
        _ => Ok(()),
    }
}

fn judge_exponent(exponent: &BigUint) -> Result<(), WeakKey> {
    if !exponent.bit(0) {
        return Err(WeakKey::ExponentEven);
    }
    match u32::try_from(exponent) {
        Ok(exponent) if exponent < MIN_EXPONENT => Err(WeakKey::ExponentTooSmall { exponent }),
        Err(_) if exponent.bits() > MAX_EXPONENT_BITS => Err(WeakKey::ExponentTooLarge {
            bits: exponent.bits(),
        }),
        _ => Ok(()),
    }
}

fn small_factor(modulus: &BigUint) -> Option<u32> {
    odd_primes_below(SMALL_FACTOR_BOUND).find(|&prime| remainder(modulus, prime) == 0)
}

/// Returns whether the modulus is a power of 65537 modulo the product of the primes up to 167.
///
/// Nemec et al., "The Return of Coppersmith's Attack" (CCS 2017), §2.1 and §2.2: the generator made
/// primes of the form k·M + (65537^a mod M), so that their product is a power of 65537 modulo M too.
/// M is the product of the first primes, the more of them the longer the key; the 39 primes up to 167
/// are the least, so they are in every M. An ordinary modulus passes for such a power with a
/// probability of 2^-154.
///
/// The power exists if it exists modulo each prime, and the exponents found there agree.
fn has_roca_fingerprint(modulus: &BigUint) -> bool {
    let exponents: Option<Vec<CyclicExponent>> = odd_primes_below(168)
        .map(|prime| CyclicExponent::of(remainder(modulus, prime), prime))
        .collect();
    exponents.is_some_and(|all| {
        all.iter()
            .enumerate()
            .all(|(i, one)| all[..i].iter().all(|other| one.agrees_with(other)))
    })
}

/// The exponents a with 65537^a ≡ residue modulo a prime: `least`, and every `order` further on.
struct CyclicExponent {
    least: usize,
    order: usize,
}

impl CyclicExponent {
    fn of(residue: u32, prime: u32) -> Option<Self> {
        let generator = 65_537 % prime;
        let next = |power: &u32| Some(power * generator % prime).filter(|&power| power != 1);
        let powers: Vec<u32> = successors(Some(1), next).collect();
        let least = powers.iter().position(|&power| power == residue)?;
        Some(Self {
            least,
            order: powers.len(),
        })
    }

    /// Returns whether one exponent serves both. By the Chinese remainder theorem for moduli with common
    /// factors, pairwise agreement makes one exponent serve all.
    fn agrees_with(&self, other: &Self) -> bool {
        self.least
            .abs_diff(other.least)
            .is_multiple_of(gcd(self.order, other.order))
    }
}

/// Fermat's method: with a = (p + q) / 2 and b = (p - q) / 2 the modulus is a² - b², and if p and q
/// are close, a is hardly above the modulus's square root. The square of a prime is the case b = 0.
fn has_close_factors(modulus: &BigUint) -> bool {
    let mut root = modulus.sqrt();
    if &root * &root < *modulus {
        root += 1u32;
    }
    (0..=FERMAT_ROUNDS).any(|round| {
        let a = &root + round;
        is_square(&(&a * &a - modulus))
    })
}

fn is_square(n: &BigUint) -> bool {
    // Taking the root is dear. Of a hundred numbers that are no square, 99 are none modulo one of
    // these either (Cohen, "A Course in Computational Algebraic Number Theory", algorithm 1.7.3).
    let may_be = [64, 63, 65, 11].into_iter().all(|modulus| {
        let residue = remainder(n, modulus);
        (0..modulus).any(|root| root * root % modulus == residue)
    });
    may_be && n.sqrt().pow(2) == *n
}

fn remainder(n: &BigUint, divisor: u32) -> u32 {
    (n % divisor).iter_u32_digits().next().unwrap_or(0)
}

fn odd_primes_below(bound: u32) -> impl Iterator<Item = u32> {
    (3..bound).step_by(2).filter(|n| {
        let mut divisors = (3..)
            .step_by(2)
            .take_while(|divisor| divisor * divisor <= *n);
        divisors.all(|divisor| n % divisor != 0)
    })
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F4: &[u8] = &[1, 0, 1];

    fn number(hex: &str) -> BigUint {
        BigUint::parse_bytes(hex.as_bytes(), 16).expect("the constant is hexadecimal")
    }

    fn judge(modulus: &BigUint) -> Result<(), WeakKey> {
        judge_rsa(&modulus.to_bytes_be(), F4)
    }

    fn judge_exponent_of(exponent: &[u8]) -> Result<(), WeakKey> {
        judge_rsa(&number(ORDINARY_2048).to_bytes_be(), exponent)
    }

    /// The product of the primes up to 167.
    fn roca_product() -> BigUint {
        odd_primes_below(168).fold(BigUint::from(2u32), |product, prime| product * prime)
    }

    /// A 2048-bit number of that residue modulo the product of the primes up to 167, without a factor
    /// below 752.
    fn with_residue(residue: &BigUint) -> BigUint {
        let product = roca_product();
        let ordinary = number(ORDINARY_2048);
        let first = &ordinary - &ordinary % &product + residue;
        successors(Some(first), |n| Some(n + &product))
            .find(|n| small_factor(n).is_none())
            .expect("the succession is endless")
    }

    #[test]
    fn ordinary_keys_are_good() {
        for modulus in [ORDINARY_2048, ORDINARY_3072, ORDINARY_4096] {
            assert_eq!(judge(&number(modulus)), Ok(()));
        }
    }

    #[test]
    fn leading_zeros_do_not_count() {
        let mut modulus = vec![0; 300];
        modulus.extend(number(ORDINARY_2048).to_bytes_be());
        assert_eq!(judge_rsa(&modulus, &[0, 0, 0, 0, 0, 0, 1, 0, 1]), Ok(()));
        modulus[300] = 0;
        assert!(matches!(
            judge_rsa(&modulus, F4),
            Err(WeakKey::ModulusTooSmall { .. })
        ));
    }

    #[test]
    fn moduli_have_2048_to_8192_bits() {
        let odd_of = |bits: u32| (BigUint::from(1u32) << (bits - 1)) + 1u32;
        assert_eq!(
            judge_length(&odd_of(2047)),
            Err(WeakKey::ModulusTooSmall { bits: 2047 })
        );
        assert_eq!(judge_length(&odd_of(2048)), Ok(()));
        assert_eq!(judge_length(&odd_of(8192)), Ok(()));
        assert_eq!(
            judge_length(&odd_of(8193)),
            Err(WeakKey::ModulusTooLarge { bits: 8193 })
        );
        assert_eq!(
            judge_rsa(&[], F4),
            Err(WeakKey::ModulusTooSmall { bits: 0 })
        );
    }

    #[test]
    fn moduli_are_odd() {
        assert_eq!(
            judge(&(number(ORDINARY_2048) - 1u32)),
            Err(WeakKey::ModulusEven)
        );
    }

    #[test]
    fn exponents_are_odd() {
        for even in [
            &[][..],
            &[0],
            &[2],
            &[1, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(judge_exponent_of(even), Err(WeakKey::ExponentEven));
        }
    }

    #[test]
    fn exponents_are_from_65537_to_33_bits() {
        for (small, exponent) in [(&[1][..], 1), (&[3], 3), (&[35], 35), (&[255, 255], 65_535)] {
            assert_eq!(
                judge_exponent_of(small),
                Err(WeakKey::ExponentTooSmall { exponent })
            );
        }
        assert_eq!(judge_exponent_of(&[1, 0, 3]), Ok(()));
        assert_eq!(judge_exponent_of(&[1, 255, 255, 255, 255]), Ok(()));
        let bits = 34;
        assert_eq!(
            judge_exponent_of(&[2, 0, 0, 0, 1]),
            Err(WeakKey::ExponentTooLarge { bits })
        );
    }

    #[test]
    fn factors_below_752_are_found() {
        let modulus = number(ORDINARY_2048);
        for prime in [3, 5, 167, 173, 743, 751] {
            assert_eq!(
                judge(&(&modulus * prime)),
                Err(WeakKey::SmallFactor { prime })
            );
        }
        assert_eq!(
            judge(&(&modulus * 751u32 * 757u32 * 13u32)),
            Err(WeakKey::SmallFactor { prime: 13 })
        );
        assert_eq!(judge(&(&modulus * 757u32)), Ok(()));
    }

    #[test]
    fn powers_of_65537_have_the_roca_fingerprint() {
        let generator = BigUint::from(65_537u32);
        for exponent in [1u64, 2, 77, 65_537, 2_454_106_387_091_158_799] {
            let residue = generator.modpow(&exponent.into(), &roca_product());
            assert_eq!(judge(&with_residue(&residue)), Err(WeakKey::Roca));
        }
    }

    #[test]
    fn a_power_modulo_each_prime_alone_is_no_roca_fingerprint() {
        // 65537^6 modulo every prime but 167, and 65537^7 modulo that.
        let product = roca_product();
        let without_167 = &product / 167u32;
        let sixth = BigUint::from(65_537u32).pow(6);
        let mixed = successors(Some(&sixth % &without_167), |n| Some(n + &without_167))
            .find(|n| remainder(n, 167) == remainder(&(&sixth * 65_537u32), 167))
            .expect("167 is prime to the other primes");
        let modulus = with_residue(&mixed);
        let mut primes = odd_primes_below(168);
        assert!(
            primes.all(|prime| CyclicExponent::of(remainder(&modulus, prime), prime).is_some())
        );
        assert_eq!(judge(&modulus), Ok(()));
    }

    #[test]
    fn neighbouring_primes_are_found() {
        assert_eq!(judge(&number(NEIGHBOURS)), Err(WeakKey::ClosePrimes));
        let square = number(ORDINARY_2048).pow(2);
        assert_eq!(judge(&square), Err(WeakKey::ClosePrimes));
    }

    #[test]
    fn fermat_s_method_is_given_100_rounds() {
        // With b² just above 2·a·k, the root of a² - b² is rounded up to a - k, k rounds before a.
        let a = BigUint::from(1u32) << 1024u32;
        let found_in_round = |k: u32| {
            let b = (&a * (2 * k)).sqrt() + 1u32;
            &a * &a - &b * &b
        };
        assert!(has_close_factors(&found_in_round(FERMAT_ROUNDS)));
        assert!(!has_close_factors(&found_in_round(FERMAT_ROUNDS + 1)));
    }

    #[test]
    fn a_finding_is_told_in_lower_case() {
        for (found, text) in [
            (
                WeakKey::ModulusTooSmall { bits: 1024 },
                "the RSA modulus has 1024 bits, fewer than 2048",
            ),
            (
                WeakKey::ModulusTooLarge { bits: 16_384 },
                "the RSA modulus has 16384 bits, more than 8192",
            ),
            (
                WeakKey::ExponentTooSmall { exponent: 3 },
                "the RSA public exponent is 3, below 65537",
            ),
            (
                WeakKey::SmallFactor { prime: 13 },
                "the RSA modulus is divisible by 13",
            ),
            (
                WeakKey::Roca,
                "the RSA key has the ROCA fingerprint (CVE-2017-15361)",
            ),
        ] {
            assert_eq!(found.to_string(), text);
        }
    }

    const ORDINARY_2048: &str = "\
    d21634ca994dcb0f9cc97070d94dadd6cfe1984ba337708024da7383dd4fb2d7\
    d69acb47802c77858b50c3d5308dd38b2ec5be2d37f7c50cfe138239642798e4\
    258463ebbdc7c5df81afc35050a5985d90cf98dc2504fee8ec48a0d628bf1854\
    3f9cdaf09dc8595d4cc6b9f9997b9736ae8cc96cfa1022da48316c15ca5929b7\
    b3d9d112abda8bcef409087b008b08919b13b87f835c931144b2fba223480d59\
    e0b8a201efc27ae3a9a49f28c70707dec1d48d99a49fac7623ba407129a7875b\
    983bb1adac1174c03fbd37a15feadb3e5810e50a93677a82f6218686c2a9c08d\
    13a32b1344e45922285ac7679af9124a95e5ef75aa9345f25097eed87f07ff2b";

    const ORDINARY_3072: &str = "\
    a9b52006256cc64c6f0e266bb9e85daea92955966e6d727d9441bfe1e66bf8a7\
    c02acf9f121a2510e52a545aba64c2c322e7bb92df1e84130d97165ee0c53ead\
    aa90d977d7d9a9f5e661c0ef5b2bf7d378f5791da4160581ea549a0f227a8e2d\
    c694aa639dc4ab00453d0be4f092194a68f791640b1ef1618ccdb71060a0fa10\
    9f716157d542c2705c73b6f6fe1c4c1cb20d8ce5c8506bc95257cc4e2949a14d\
    ac8fa7f455f74960f6734faf49b172cae810172823d01b3a7c68efedfb2703ee\
    5b3ad8192318cf5d960961cad58d38975e977dd31bf6c22e928910a3765f97b1\
    fb4731e97fa34f36d42b12c6e63c03159c62e62ce25f7b77b635f79712de301c\
    9c46be21c4512259c010a3afe9f07a427da6fe81853d725c5e7bf5f2c791c706\
    4cadbee7bee44b30766b0d9364d33c9a22e4528cee15023a2c661ea4975e62ed\
    4cc1f989619737e86d6e241943e6e83a04aa3b55cfd6c6f6acd44d445cad98ad\
    6bce0972bfac0b20467e0a8a9d21e9ad80600bafc48f9c78b667641453a2d29f";

    const ORDINARY_4096: &str = "\
    a19d713254fbb277aa8aa2f406fc9095bfad6d276f33cf91184e4ed4e74f9b49\
    d00aa13c55bc097a9945c0ec6b4f807a35c81c1c28f87f8c3f4d076372ffb19f\
    e96e18098a6342d0ab331bd635d8375ca3e485e3347cbdaeb6254118c77d27c9\
    e31dea3307f8a35c3ed35510f43d8aea9b96e07c768f943ec611340ca7ab5658\
    88d96417c717bb09f7ca1ebea481e73dffddf6981bf62a5d3c43c016a5259f3f\
    ee852ee7cabe9b520665988587b013a2de23e05bcb34d3cb7b4ce4d25235c92f\
    0a1e8936ef233627fc1f9d4940aab153dfc66b0f90b7a8cab3cdfab5c3c220a2\
    7f904d826951881a346eb61d00a252fd6d95641df158122020a65ff96b69ba61\
    864ff6ce9466ee2430ce6af4d52cb72dd2bee587a67e53a3172476ac2fe640c0\
    142edc39e6e6a81589f30aee2cd2ca6d8fdc8230f6d8617e5335d0921fcc0094\
    c500ba5616f7d35a0a9de87c79973f81a17e1388b217bff72c8f68c954a7ca32\
    3583218cb5cab2668897ea506392318e4370813132d36e34a2e033b6bb55dc04\
    fbb48fe6bd75d8d473581c9c23643af26af122d4e82035064657323a9eb9b8af\
    b3ba205827b98cab1aec089b0e4597ef60acaacd9145353c46a42f065f0f3315\
    f71237fb8c1ec23edc761a89d39232b9cfc7bc17ce136312c9f02ef25036ba26\
    b76372a53f3c048abf83eaa9bae795ff14ac3f2b9858529557c00aa05d2ffda7";

    const NEIGHBOURS: &str = "\
    e7f2b2123101371b5443de21c87c3d69f3fa4a0425df7b955af760938448fe7b\
    8b65c6e1efa4134772865613915c6e89f430349aabb96d9d48281fddbdf02d7b\
    125f8cfdc7a3c9caac89fda1f7e953733723ba4c50e404d51ede7c9e93a602b0\
    609b2d6d67ad3d284170296d17d44ae766f08b63269f81c68a8e0e018d7ba6ff\
    046581a409f93b119bf539d99af950aad48528d07b8417e534f11539dc501cee\
    a1e25272785357927209e18c5ad442c99c82a7dd799f0ebd11a9adeedbe594e1\
    5a88dc3a265766ae051d8ac5afc50583aaecd9dfdc37a7f9cdab7e611638c2df\
    7448b926e35baf26ceffc9cc8fbd5e5da75a2ad7b807e5d71acefea0103f502b";
}
