//! Files of a store: foreign ones, owners and permissions.

use crate::ca::check::finding::{Found, Remedy, SHORT, StoreFinding, settled, unreadable};
use crate::ca::check::rule::{
    FILE_UNREADABLE, FOREIGN_FILE, KEY_PERMISSIONS, LEFTOVER, LOCK_PERMISSIONS, OTHER_OWNER,
    WORLD_WRITABLE,
};
use crate::store::{CaName, Item, Leftover, Store, What};

/// All permissions but to write for the group and others.
const WRITABLE_BY_OWNER: u32 = 0o7755;

/// Checks everything in the store's directory, or in those of some CAs.
pub(crate) fn check_files(store: &Store, chosen: &[CaName], pauses: &[u64]) -> Vec<StoreFinding> {
    // Lasting findings are not looked at again for those that may pass.
    let mut lasting = look(store, chosen);
    if lasting.iter().any(may_pass) {
        let pauses = if pauses.is_empty() { pauses } else { SHORT };
        let passing = settled(pauses, || {
            look(store, chosen).into_iter().filter(may_pass).collect()
        });
        lasting.retain(|finding| !may_pass(finding));
        lasting.extend(passing);
    }
    lasting
}

/// Returns whether a file may be one that a command creates, and removes when it is done.
fn may_pass(finding: &StoreFinding) -> bool {
    finding.finding.rule == LEFTOVER.name || finding.finding.rule == FILE_UNREADABLE.name
}

fn look(store: &Store, chosen: &[CaName]) -> Vec<StoreFinding> {
    let mut found = Found::default();
    let mut owner = None;
    let looked = store.inventory(|item| {
        let owner = *owner.get_or_insert(item.owner);
        let is_chosen = |ca: &CaName| chosen.contains(ca);
        if chosen.is_empty() || item.ca.as_ref().is_some_and(is_chosen) {
            check_item(&item, owner, &mut found);
        }
    });
    if let Err(error) = looked {
        found.push(unreadable(FILE_UNREADABLE, &error, store.location()));
    }
    found.finish()
}

fn check_item(item: &Item, owner: u32, found: &mut Found) {
    let Item {
        location,
        ca,
        what,
        mode,
        ..
    } = item;
    let shown = location;
    let mut push = |finding: StoreFinding| {
        found.push(StoreFinding {
            ca: ca.clone(),
            ..finding.at(location)
        });
    };
    match what {
        What::Foreign { problem } => push(FOREIGN_FILE.broken(format!("{shown} {problem}"))),
        What::Leftover(leftover) => push(left(item, leftover)),
        What::Secret { is_directory } if mode & 0o077 != 0 => {
            let (kind, least) = if *is_directory {
                ("directory", 0o700)
            } else {
                ("file", 0o600)
            };
            let message = format!(
                "{shown} has mode {mode:04o}: other users than the owner have access to the {kind}"
            );
            push(
                KEY_PERMISSIONS
                    .broken(message)
                    .healed_by(Remedy::Tighten(least)),
            );
        }
        What::Lock if mode & 0o077 != 0 => {
            let message = format!(
                "{shown} has mode {mode:04o}: other users than the owner can hold the lock"
            );
            let remedy = Remedy::Tighten(0o600);
            push(LOCK_PERMISSIONS.broken(message).healed_by(remedy));
        }
        What::Open if mode & 0o022 != 0 => {
            let who = if mode & 0o002 == 0 {
                "its group"
            } else {
                "everyone"
            };
            let message = format!("{shown} has mode {mode:04o}: {who} can write to it");
            let remedy = Remedy::Tighten(WRITABLE_BY_OWNER);
            push(WORLD_WRITABLE.broken(message).healed_by(remedy));
        }
        What::Open | What::Lock | What::Secret { .. } => {}
    }
    let is_ours = !matches!(what, What::Foreign { .. });
    if is_ours && item.owner != owner {
        let message = format!(
            "{shown} belongs to user {}, but the store belongs to user {owner}",
            item.owner
        );
        push(OTHER_OWNER.broken(message));
    }
}

fn left(item: &Item, leftover: &Leftover) -> StoreFinding {
    let shown = &item.location;
    match leftover {
        Leftover::UnfinishedCa(name) => LEFTOVER
            .broken(format!(
                "{shown} is left from an interrupted command on {name}; the next command completes it or rolls it back"
            ))
            .healed_by(Remedy::Settle),
        Leftover::UnfinishedFile => LEFTOVER
            .broken(format!("{shown} is a temporary file of an interrupted command"))
            .healed_by(Remedy::TakeAway),
        Leftover::TornLines => LEFTOVER
            .broken(format!(
                "{shown} has incomplete lines of interrupted commands; they were never acknowledged"
            ))
            .healed_by(Remedy::TakeAway),
    }
}

#[cfg(test)]
mod tests {
    use crate::ca::check::files::*;
    use std::path::PathBuf;

    #[test]
    fn what_belongs_to_another_user_than_the_store_is_found() {
        let item = |owner| Item {
            location: PathBuf::from("pki/rootCA/ca.crt").into(),
            ca: None,
            what: What::Open,
            mode: 0o644,
            owner,
        };
        let mut found = Found::default();
        check_item(&item(1000), 1000, &mut found);
        check_item(&item(0), 1000, &mut found);
        let findings = found.finish();
        let rules: Vec<&str> = findings
            .iter()
            .map(|finding| finding.finding.rule)
            .collect();
        assert_eq!(rules, ["other-owner"]);
    }
}
