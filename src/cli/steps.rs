//! Steps after the renewal of a CA, and their times.

use super::context::Context;
use crate::ca::NamingPrevious;
use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::text::Escaped;
use crate::x509::validity::rfc3339;
use serde::Serialize;
use std::fmt::Write as _;
use time::OffsetDateTime;

#[derive(Serialize)]
pub(super) struct Step {
    /// `now`, a condition, or a time.
    when: String,
    /// The step, and its reason.
    what: String,
    /// The commands that do it.
    commands: Vec<String>,
}

const NOW: &str = "now";

const EVERYBODY_HAS_IT: &str = "when every relying party has it";

fn step(when: impl Into<String>, what: impl Into<String>, commands: &[String]) -> Step {
    Step {
        when: when.into(),
        what: what.into(),
        commands: commands.to_vec(),
    }
}

/// The steps with commands that are about this store.
pub(super) fn in_store(mut steps: Vec<Step>, context: &Context) -> Vec<Step> {
    for step in &mut steps {
        for command in &mut step.commands {
            *command = context.command(command);
        }
    }
    steps
}

pub(super) fn text(steps: &[Step]) -> String {
    let mut text = String::from("next\n");
    for (index, step) in steps.iter().enumerate() {
        let Step {
            when,
            what,
            commands,
        } = step;
        writeln!(text, "  {}. {when}: {}", index + 1, Escaped(what))
            .expect("a String takes everything");
        for command in commands {
            writeln!(text, "       {}", Escaped(command)).expect("a String takes everything");
        }
    }
    text
}

const WRITE_BUNDLE: &str = "pki bundle --out truststore.pem";

/// Words what names a certificate of the CA before the new one as its issuer, by its serial number.
pub(super) fn names_previous(ca: &CaName, naming: &NamingPrevious) -> String {
    let NamingPrevious { leaves, cas, until } = *naming;
    let counts = [(leaves, "leaf", "leaves"), (cas, "CA", "CAs")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let (name, verify) = if leaves + cas == 1 {
        ("names", "it verifies")
    } else {
        ("name", "they verify")
    };
    let command = if leaves > 0 {
        format!("pki renew --ca {ca} --cn NAME")
    } else {
        "pki ca renew --ca NAME".to_owned()
    };
    format!(
        "{} of {ca} {name} the serial number of its previous certificate: {verify} only with that one, until {} at the latest; renew with `{command}`",
        counts.join(" and "),
        rfc3339(until)
    )
}

/// After a new certificate of the same key.
pub(super) fn after_renewal(
    ca: &CaName,
    is_root: bool,
    before_ends: OffsetDateTime,
    naming: Option<&NamingPrevious>,
    now: OffsetDateTime,
) -> Vec<Step> {
    let valid_under = match naming {
        None => format!("certificates of {ca} are valid under either"),
        Some(_) => "the bundle keeps the previous one until it expires".to_owned(),
    };
    let mut steps = vec![step(
        NOW,
        format!("put the new certificate of {ca} into trust stores; {valid_under}"),
        &[WRITE_BUNDLE.to_owned()],
    )];
    if let Some(naming) = naming {
        let mut commands = Vec::new();
        if naming.leaves > 0 {
            commands.push(format!("pki renew --ca {ca} --cn NAME --out DIR"));
        }
        if naming.cas > 0 {
            commands.push("pki ca renew --ca NAME".to_owned());
        }
        steps.push(step(
            format!("before {}", rfc3339(naming.until)),
            "renew the certificates that name the previous one; the new ones are valid under either",
            &commands,
        ));
    }
    if !is_root {
        steps.push(step(
            NOW,
            format!("give the servers and clients below {ca} chains with it, at any time"),
            &[format!("pki export --ca {ca} --serial S --out DIR --force")],
        ));
    }
    if before_ends >= now {
        steps.push(step(
            rfc3339(before_ends),
            "the previous certificate expires: relying parties without the new one reject certificates below it",
            &[],
        ));
    }
    steps
}

/// A CA, the one that follows it, and what is known of the two.
pub(super) struct Change<'a> {
    pub(super) old: &'a CaName,
    pub(super) new: &'a CaName,
    /// The CA above, and what it has issued to the old one's key; `None` for roots.
    pub(super) parent: Option<(&'a CaName, Vec<Serial>)>,
    /// The certificates with which the old root certifies the new one, and the new the old one.
    pub(super) new_by_old: Option<Serial>,
    pub(super) old_by_new: Option<Serial>,
    /// Expiry of the last certificate that the old one issued.
    pub(super) last_end: Option<OffsetDateTime>,
    /// Whether others have the old one's key.
    pub(super) is_compromised: bool,
    /// Whether CAs may stand below the new one.
    pub(super) takes_cas: bool,
    /// The CAs that stay when the old one goes, with all that is below it.
    pub(super) remaining: Vec<CaName>,
}

impl Change<'_> {
    /// The trust store without the old one.
    fn write_remaining(&self) -> String {
        let names = self.remaining.iter().map(|name| format!(" --ca {name}"));
        format!(
            "pki bundle{} --out truststore.pem",
            names.collect::<String>()
        )
    }

    fn issue_from_new(&self) -> String {
        let Self { new, .. } = self;
        match &self.parent {
            None if self.takes_cas => format!("pki subordinate --ca {new} --name NAME"),
            _ => format!("pki issue --ca {new} --cn NAME"),
        }
    }
}

/// After a new CA in the place of an old one.
pub(super) fn after_succession(change: &Change<'_>) -> Vec<Step> {
    if change.is_compromised {
        return after_compromise(change);
    }
    let Change { old, new, .. } = change;
    let mut steps = vec![step(
        NOW,
        format!("add {new} to the trust stores, keep {old}, and publish its CRL"),
        &[WRITE_BUNDLE.to_owned(), format!("pki crl --ca {new}")],
    )];
    if change.new_by_old.is_some() {
        steps.push(step(
            NOW,
            format!("give relying parties that trust only {old} a chain that ends at {old}, not at {new}"),
            &[format!("pki export --ca {new} --cn NAME --out DIR --via {old}")],
        ));
    }
    steps.push(step(
        EVERYBODY_HAS_IT,
        format!("issue from {new}, no longer from {old}"),
        &[change.issue_from_new()],
    ));
    let (end, until) = match change.last_end {
        Some(end) => (rfc3339(end), format!("until {}", rfc3339(end))),
        None => (EVERYBODY_HAS_IT.to_owned(), EVERYBODY_HAS_IT.to_owned()),
    };
    if change.last_end.is_some() {
        steps.push(step(
            until,
            format!("keep publishing CRLs of {old} for the certificates that it issued"),
            &[format!("pki crl --ca {old}")],
        ));
    }
    steps.push(retirement(change, end));
    steps
}

/// After a new CA in the place of one whose key others have: nothing of the old one can wait.
fn after_compromise(change: &Change<'_>) -> Vec<Step> {
    let Change { old, new, .. } = change;
    let mut steps = vec![step(
        NOW,
        format!("replace {old} with {new} in the trust stores, and publish its CRL"),
        &[change.write_remaining(), format!("pki crl --ca {new}")],
    )];
    if let Some((parent, serials)) = &change.parent {
        steps.push(step(
            NOW,
            format!("have {parent} revoke the certificates of the key of {old}"),
            &take_back(parent, serials, "keyCompromise"),
        ));
    }
    steps.push(step(
        NOW,
        format!("issue from {new} what {old} issued: an attacker with its key can issue the same"),
        &[change.issue_from_new()],
    ));
    steps
}

/// Revokes these certificates, and makes it known.
fn take_back(issuer: &CaName, serials: &[Serial], reason: &str) -> Vec<String> {
    let revoke = |serial| format!("pki revoke --ca {issuer} --serial 0x{serial} --reason {reason}");
    let mut commands: Vec<String> = serials.iter().map(revoke).collect();
    commands.push(format!("pki crl --ca {issuer}"));
    commands
}

fn retirement(change: &Change<'_>, when: String) -> Step {
    let Change { old, new, .. } = change;
    let (issuer, serials, then) = if let Some((parent, serials)) = &change.parent {
        let then = format!("have {parent} revoke it");
        (*parent, serials.clone(), then)
    } else {
        let serials = change.old_by_new.into_iter().collect();
        (
            *new,
            serials,
            format!("revoke the cross-certificate of {new} for it"),
        )
    };
    let mut commands = vec![change.write_remaining()];
    if !serials.is_empty() {
        commands.extend(take_back(issuer, &serials, "superseded"));
    }
    let what = format!(
        "all certificates of {old} have expired: remove it from the trust stores, and {then}"
    );
    step(when, what, &commands)
}
