//! Reports of `pki apply`.

use crate::ca::{Action, Kind, Step, plural};
use crate::cli::context::Context;
use crate::x509::text::Escaped;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct StepEntry {
    action: &'static str,
    kind: &'static str,
    name: String,
    ca: Option<String>,
    reason: Option<String>,
    serial: Option<String>,
    files: BTreeMap<&'static str, String>,
}

impl StepEntry {
    pub(super) fn of(step: &Step) -> Self {
        let files = step.files.iter();
        Self {
            action: step.action.as_str(),
            kind: step.kind.as_str(),
            name: step.name.clone(),
            ca: step.ca.as_ref().map(ToString::to_string),
            reason: step.reason.clone(),
            serial: step.serial.map(|serial| serial.to_string()),
            files: files
                .map(|(kind, path)| (*kind, path.display().to_string()))
                .collect(),
        }
    }
}

/// Tense of a report: the steps are done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    Done,
    Planned,
}

/// Returns a line for each step that changes something, and one for all.
pub(super) fn text(steps: &[Step], tense: Tense) -> String {
    let changes = steps.iter().filter(|step| step.action.is_change());
    let lines = changes.map(|step| line(step, tense) + "\n");
    lines.collect::<String>() + &summary(steps, tense) + "\n"
}

/// Tells of the steps that change nothing.
pub(super) fn tell(context: &Context, steps: &[Step]) {
    for step in steps {
        let name = Escaped(&step.name);
        match step.action {
            Action::Keep => context.detail(format!("unchanged: {} {name}", step.kind.as_str())),
            Action::Leave => context.notice(format!(
                "{name} was removed from the file; its certificate {} of {} is unchanged",
                step.serial
                    .map(|serial| serial.to_string())
                    .unwrap_or_default(),
                step.ca
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            )),
            _ => {}
        }
    }
}

/// Returns the words for an action, done and to be done.
fn words(step: &Step) -> (&'static str, &'static str) {
    match (step.action, step.kind) {
        (Action::Make, _) if step.ca.is_none() => ("created the root CA", "create the root CA"),
        (Action::Make, _) => ("created the CA", "create the CA"),
        (Action::Issue, _) => ("issued", "issue"),
        (Action::Reissue, _) => ("reissued", "reissue"),
        (Action::Renew, _) => ("renewed", "renew"),
        (Action::Write, Kind::Certificate) => ("wrote the files of", "write the files of"),
        (Action::Write, Kind::Crl) => ("wrote the CRL of", "write the CRL of"),
        (Action::Write, _) => ("wrote the bundle", "write the bundle"),
        (Action::Revoke, _) => ("revoked", "revoke"),
        (Action::Sign, _) => ("signed the CRL of", "sign the CRL of"),
        (Action::Keep, _) => ("kept", "keep"),
        (Action::Leave, _) => ("left", "leave"),
    }
}

fn line(step: &Step, tense: Tense) -> String {
    let (done, to_do) = words(step);
    let verb = match tense {
        Tense::Done => done.to_owned(),
        Tense::Planned => format!("would {to_do}"),
    };
    let under = step.ca.as_ref().map(|ca| format!(" under {ca}"));
    let serial = step.serial.map(|serial| format!(" as {serial}"));
    let reason = step.reason.as_ref().map(|reason| format!(": {reason}"));
    let parts = [under, serial, reason].into_iter().flatten();
    let line = format!("{verb} {}{}", step.name, parts.collect::<String>());
    Escaped(&line).to_string()
}

fn summary(steps: &[Step], tense: Tense) -> String {
    let kept = steps.iter().filter(|step| step.action == Action::Keep);
    let kept = kept.count();
    let changed = steps.iter().filter(|step| step.action.is_change()).count();
    let steps = plural(changed, "step");
    match (changed, tense) {
        (0, _) => format!("nothing to do, {kept} unchanged"),
        (_, Tense::Done) => format!("{steps} done, {kept} unchanged"),
        (_, Tense::Planned) => format!("{steps} to do, {kept} unchanged"),
    }
}
