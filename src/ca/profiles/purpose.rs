//! Names of key purposes.

use crate::asn1::oid;
use crate::x509::general_name::object_identifier;
use const_oid::ObjectIdentifier;

/// Purposes with a name; any other is given by its object identifier.
const NAMED: [ObjectIdentifier; 17] = [
    oid::SERVER_AUTH,
    oid::CLIENT_AUTH,
    oid::CODE_SIGNING,
    oid::EMAIL_PROTECTION,
    oid::TIME_STAMPING,
    oid::OCSP_SIGNING,
    oid::EAP_OVER_PPP,
    oid::EAP_OVER_LAN,
    oid::IPSEC_IKE,
    oid::IPSEC_IKE_INTERMEDIATE,
    oid::DOCUMENT_SIGNING,
    oid::MICROSOFT_DOCUMENT_SIGNING,
    oid::PKINIT_CLIENT,
    oid::PKINIT_KDC,
    oid::SMARTCARD_LOGON,
    oid::REMOTE_DESKTOP,
    oid::ANY_EXTENDED_KEY_USAGE,
];

/// Returns the names of purposes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let named = NAMED.iter().filter_map(oid::name);
    named.filter(|name| *name != "anyExtendedKeyUsage")
}

/// Reads a purpose: its name in any case, or its object identifier in dots.
pub(super) fn parse(text: &str) -> Result<ObjectIdentifier, String> {
    let has_name = |purpose: &&ObjectIdentifier| {
        oid::name(purpose).is_some_and(|name| name.eq_ignore_ascii_case(text))
    };
    if let Some(purpose) = NAMED.iter().find(has_name) {
        return Ok(*purpose);
    }
    object_identifier(text).map_err(|_| {
        let names: Vec<&str> = names().collect();
        format!(
            "{text:?} is not a key purpose; use an object identifier, or one of {}",
            names.join(", ")
        )
    })
}
