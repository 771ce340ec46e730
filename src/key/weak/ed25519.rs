//! Ed25519 public keys.

use super::WeakKey;
use num_bigint::BigUint;

/// The y-coordinates of the eight points whose order divides 8, each as the number that RFC 8032
/// writes in little-endian order: those of order 1, 2, 4 (twice) and 8 (four times).
const SMALL_ORDER: [&str; 5] = [
    "01",
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
    "00",
    "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
    "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7",
];

/// Judges an Ed25519 key: a point of the curve in its one encoding, and of large order.
///
/// # Errors
/// The weakness, if the point is off the curve, has small order, or is encoded in another way.
pub(crate) fn judge_ed25519(key: &[u8]) -> Result<(), WeakKey> {
    let prime = (BigUint::from(1u32) << 255u32) - 19u32;
    let mut y = BigUint::from_bytes_le(key);
    y.set_bit(255, false);
    let reduced = &y % &prime;
    let known = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16);
    if SMALL_ORDER
        .into_iter()
        .any(|hex| known(hex).as_ref() == Some(&reduced))
    {
        return Err(WeakKey::SmallOrder);
    }
    // x² = (y² - 1) / (d·y² + 1) with d = -121665/121666; a quotient is a square if the product is.
    let square = &y * &y;
    let numerator = (&square + &prime - 1u32) * 121_666u32;
    let denominator = (&prime - 121_665u32) * &square + 121_666u32;
    let is_square =
        (numerator * denominator).modpow(&(&prime >> 1u32), &prime) == BigUint::from(1u32);
    if key.len() == 32 && y == reduced && is_square {
        Ok(())
    } else {
        Err(WeakKey::NotAPoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(hex: &str) -> BigUint {
        BigUint::parse_bytes(hex.as_bytes(), 16).expect("the constant is hexadecimal")
    }

    /// The keys of RFC 8032 section 7.1.
    #[test]
    fn ed25519_keys_are_points_of_large_order() {
        let bytes = |hex: &str| {
            let mut bytes = number(hex).to_bytes_be();
            bytes.splice(0..0, std::iter::repeat_n(0, 32 - bytes.len()));
            bytes
        };
        for key in [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        ] {
            assert_eq!(judge_ed25519(&bytes(key)), Ok(()));
        }
        // y = 2 is on no point, and neither is what is not 32 bytes long.
        let two = [&[2][..], &[0; 31]].concat();
        assert_eq!(judge_ed25519(&two), Err(WeakKey::NotAPoint));
        assert_eq!(judge_ed25519(&[9; 31]), Err(WeakKey::NotAPoint));
    }

    #[test]
    fn every_encoding_of_a_point_of_small_order_is_found() {
        let prime = (BigUint::from(1u32) << 255u32) - 19u32;
        let mut found = 0;
        for hex in SMALL_ORDER {
            for y in [number(hex), number(hex) + &prime] {
                if y.bits() > 255 {
                    continue;
                }
                for sign in [false, true] {
                    let mut y = y.clone();
                    y.set_bit(255, sign);
                    let mut key = y.to_bytes_le();
                    key.resize(32, 0);
                    assert_eq!(judge_ed25519(&key), Err(WeakKey::SmallOrder), "{key:02x?}");
                    found += 1;
                }
            }
        }
        assert_eq!(found, 14);
        // Any other number of the prime or more is refused as well.
        for above in 2u32..19 {
            let key = (&prime + above).to_bytes_le();
            assert_eq!(judge_ed25519(&key), Err(WeakKey::NotAPoint));
        }
    }
}
