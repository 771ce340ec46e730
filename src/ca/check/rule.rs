//! The rules by which a store is looked at. A rule's name stays as it is: scripts read it.

use crate::ca::check::finding::StoreFinding;
use crate::ca::finding::{Level, RuleFinding};

/// A rule of `pki check`.
#[derive(Debug, PartialEq, Eq)]
pub struct CheckRule {
    /// Its name.
    pub name: &'static str,
    /// How bad it is where it is broken.
    pub level: Level,
    /// Whether `--repair` can mend it; not every case need be one that it can.
    pub heals: bool,
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

        /// Every rule, in the order in which they are documented.
        #[cfg(test)]
        pub const CHECK_RULES: &[&CheckRule] = &[$($constant),*];
    };
    (@ heals) => { true };
    (@) => { false };
}

rules! {
    STORE_FORMAT "store-format" Error;
    FILE_UNREADABLE "file-unreadable" Error;
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
    EXPIRING "expiring" Notice;

    REVOCATION_UNKNOWN "revocation-unknown" Warning;
    REVOCATION_ORDER "revocation-order" Error;
    REVOCATION_EXPIRY "revocation-expiry" Error;

    LIST_ORDER "list-order" Error;
    LIST_COVERS "list-covers" Error;
    LIST_AHEAD "list-ahead" Warning;
    LIST_UNREADABLE "list-unreadable" Error heals;
    LIST_SIGNATURE "list-signature" Error heals;
    LIST_MISSING "list-missing" Warning heals;
    LIST_NUMBER "list-number" Error;
    LIST_UNRECORDED "list-unrecorded" Warning;
    LIST_INCOMPLETE "list-incomplete" Error;
    LIST_FORGOTTEN "list-forgotten" Error;
    LIST_COPY "list-copy" Warning heals;
    LIST_COPY_BEHIND "list-copy-behind" Notice heals;
    LIST_FUTURE "list-future" Error;
    LIST_STALE "list-stale" Warning;
    LIST_ENDS_SOON "list-ends-soon" Notice;
    LIST_OUTDATED "list-outdated" Notice;
    LIST_UNPUBLISHED "list-unpublished" Notice;
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
