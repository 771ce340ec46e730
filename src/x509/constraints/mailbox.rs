//! Mailboxes, also those with quotes, which are not issued.

use crate::x509::general_name::{GeneralName, host_name};
use crate::x509::text::is_deceptive;

/// The parts of a mailbox that is well formed (RFC 5321 section 4.1.2): its local part, perhaps in
/// quotes, and its host.
pub(super) fn mailbox(address: &str) -> Option<(&str, &str)> {
    let (local, host) = address.rsplit_once('@')?;
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_well_formed = match quoted {
        Some(text) => is_quoted(text) && host_name(host, false).is_ok(),
        None => GeneralName::email(address).is_ok(),
    };
    is_well_formed.then_some((local, host))
}

/// Returns whether a text may stand in quotes: visible, each quote and backslash behind a backslash.
fn is_quoted(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let next = match character {
            '"' => None,
            '\\' => characters.next(),
            other => Some(other),
        };
        if next.is_none_or(is_deceptive) {
            return false;
        }
    }
    true
}
