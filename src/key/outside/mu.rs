//! Message representatives of ML-DSA: services limit the length of messages, and the hash of one is enough.

use shake::Shake256;
use shake::digest::{ExtendableOutput, Update, XofReader};

/// Bytes of a hash of a public key, and of a message representative.
const LENGTH: usize = 64;

/// Returns μ of a message without context (FIPS 204 algorithm 7, line 6, under algorithm 2).
pub(super) fn representative(public_key: &[u8], message: &[u8]) -> [u8; LENGTH] {
    let hash = shake256(&[public_key]);
    shake256(&[&hash, &[0, 0], message])
}

fn shake256(parts: &[&[u8]]) -> [u8; LENGTH] {
    let mut hash = Shake256::default();
    parts.iter().for_each(|part| hash.update(part));
    let mut output = [0; LENGTH];
    hash.finalize_xof().read(&mut output);
    output
}
