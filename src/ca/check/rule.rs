//! Rules for a store. A rule's name never changes: scripts read it.

use crate::ca::check::finding::StoreFinding;
use crate::ca::finding::{Level, RuleFinding};

/// A rule of `pki check`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CheckRule {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    /// Whether some findings of it can be repaired.
    pub(crate) heals: bool,
}

impl CheckRule {
    pub(crate) fn broken(&'static self, message: impl Into<String>) -> StoreFinding {
        StoreFinding::of(RuleFinding::new(self.level, self.name, message))
    }
}

macro_rules! rules {
    ($($constant:ident $name:literal $level:ident $($heals:ident)?;)*) => {
        $(pub(crate) const $constant: &CheckRule = &CheckRule {
            name: $name,
            level: Level::$level,
            heals: rules!(@ $($heals)?),
        };)*

        /// Every rule, in the order of the documentation.
        #[cfg(test)]
        pub(crate) const CHECK_RULES: &[&CheckRule] = &[$($constant),*];
    };
    (@ heals) => { true };
    (@) => { false };
}

rules! {
    STORE_FORMAT "store-format" Error;
    FILE_UNREADABLE "file-unreadable" Error;
    PROFILES_INVALID "profiles-invalid" Error;
    FOREIGN_FILE "foreign-file" Warning;
    OTHER_OWNER "other-owner" Warning;
    KEY_PERMISSIONS "key-permissions" Error heals;
    WORLD_WRITABLE "world-writable" Error heals;
    LOCK_PERMISSIONS "lock-permissions" Warning heals;
    LEFTOVER "leftover" Notice heals;

    CA_UNREADABLE "ca-unreadable" Error;
    CA_PARENT "ca-parent" Error;
    CA_PATH "ca-path" Error;
    CA_EXPIRED "ca-expired" Warning;
    CA_NOT_YET_VALID "ca-not-yet-valid" Warning;
    CA_ENDS_SOON "ca-ends-soon" Notice;
    CA_REVOKED "ca-revoked" Notice;
    SERIAL_UNUSUAL "serial-unusual" Notice;
    PREVIOUS_CERTIFICATE "previous-certificate" Warning;
    WAITING_UNREADABLE "waiting-unreadable" Error;

    KEY_UNREADABLE "key-unreadable" Error;
    KEY_MISMATCH "key-mismatch" Error;
    KEY_LEFT "key-left" Warning;
    KEY_OUTSIDE "key-outside" Notice;
    KEY_ENCRYPTION "key-encryption" Warning;
    KEY_NOT_OPENED "key-not-opened" Notice;
    KEY_WITHOUT_RECORD "key-without-record" Notice heals;

    JOURNAL_MISSING "journal-missing" Error;
    JOURNAL_HEADER "journal-header" Error;
    JOURNAL_CHAIN "journal-chain" Error;
    JOURNAL_RECORD "journal-record" Error;
    JOURNAL_TORN "journal-torn" Warning heals;
    COUNTER_DAMAGED "counter-damaged" Error;
    COUNTER_BEHIND "counter-behind" Warning heals;

    CERTIFICATE_MISSING "certificate-missing" Error;
    CERTIFICATE_UNREADABLE "certificate-unreadable" Error;
    CERTIFICATE_MISMATCH "certificate-mismatch" Error;
    RECORD_MISMATCH "record-mismatch" Error;
    CERTIFICATE_SIGNATURE "certificate-signature" Error;
    SIGNATURE_NOT_CHECKED "signature-not-checked" Notice;
    CERTIFICATE_FLAW "certificate-flaw" Error;
    ISSUER_CERTIFICATE "issuer-certificate" Warning;
    SERIAL_DUPLICATE "serial-duplicate" Error;
    SERIAL_GAP "serial-gap" Notice;
    EXPIRING "expiring" Notice;

    REVOCATION_UNKNOWN "revocation-unknown" Warning;
    REVOCATION_ORDER "revocation-order" Error;
    REVOCATION_EXPIRY "revocation-expiry" Error;

    CRL_ORDER "list-order" Error;
    CRL_COVERS "list-covers" Error;
    CRL_AHEAD "list-ahead" Warning;
    CRL_UNREADABLE "list-unreadable" Error heals;
    CRL_SIGNATURE "list-signature" Error heals;
    CRL_MISSING "list-missing" Warning heals;
    CRL_NUMBER "list-number" Error;
    CRL_UNRECORDED "list-unrecorded" Warning;
    CRL_INCOMPLETE "list-incomplete" Error;
    CRL_FORGOTTEN "list-forgotten" Error;
    CRL_COPY "list-copy" Warning heals;
    CRL_COPY_BEHIND "list-copy-behind" Notice heals;
    CRL_FUTURE "list-future" Error;
    CRL_STALE "list-stale" Warning;
    CRL_ENDS_SOON "list-ends-soon" Notice;
    CRL_OUTDATED "list-outdated" Notice;
    CRL_UNPUBLISHED "list-unpublished" Notice;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_rule_with_its_level() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/check.md"));
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let written = rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`'), cells[1], cells[2] == "yes")
        });
        let rules = CHECK_RULES.iter();
        let rules = rules.map(|rule| (rule.name, rule.level.as_str(), rule.heals));
        assert_eq!(written.collect::<Vec<_>>(), rules.collect::<Vec<_>>());
    }
}
