//! Differences between a certificate and what its profile gives today.

use crate::asn1::oid;
use crate::x509::Extension;
use const_oid::ObjectIdentifier;

/// Extensions that a profile does not decide.
const OTHERS: [ObjectIdentifier; 6] = [
    oid::BASIC_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::AUTHORITY_INFO_ACCESS,
];

/// Returns the names of the extensions of a profile that are added, removed or changed.
pub(crate) fn changed_extensions(before: &[Extension], now: &[Extension]) -> Vec<String> {
    let missing = |these: &[Extension], others: &[Extension]| -> Vec<ObjectIdentifier> {
        let differ = these.iter().filter(|extension| !others.contains(extension));
        differ.map(|extension| extension.oid).collect()
    };
    let mut changed = [missing(before, now), missing(now, before)].concat();
    changed.retain(|oid| !OTHERS.contains(oid));
    changed.sort();
    changed.dedup();
    changed.iter().map(oid::called).collect()
}
