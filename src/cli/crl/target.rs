//! Rules of a target, and settings for its configuration, as `pki crl --for` reports them.

use crate::ca::{BundleFinding, CrlForm, Place, RelyingParty, above_no_other};
use crate::cli::bundle::{errors, finding_entries, finding_lines, verdict};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::report::Report;
use crate::store::{Ca, Store};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Nothing was signed: the findings, and what to do about them.
pub(super) fn refused(party: &RelyingParty, findings: &[BundleFinding]) -> Report {
    let heading = verdict("the set of CRLs", Some(party), findings);
    let report = json!({ "lists": [], "findings": finding_entries(findings) });
    let text = finding_lines(findings).under(&heading);
    let failure = Failure::plain(
        "target-rules-broken",
        "nothing was signed: the CRLs would break rules of the target",
    );
    Report::new(&report, text).failing(if party.crls.form == CrlForm::None {
        failure
    } else {
        failure.hint("choose other CAs with --ca, or fix the findings")
    })
}

/// A list that anyone made, which is not converted.
pub(super) fn judged(
    path: &Path,
    party: &RelyingParty,
    findings: &[BundleFinding],
    checks: bool,
) -> Report {
    let file = path.display().to_string();
    let heading = verdict(&file, Some(party), findings);
    let written = checks.then_some(file);
    let report = json!({ "file": written, "findings": finding_entries(findings) });
    let report = Report::new(&report, finding_lines(findings).under(&heading));
    if checks {
        return report.verdict(errors(findings) == 0);
    }
    report.failing(Failure::plain(
        "target-rules-broken",
        "nothing was written: the CRL breaks rules of the target",
    ))
}

/// Reports findings that stop nothing.
pub(super) fn tell(context: &Context, party: &RelyingParty, findings: &[BundleFinding]) {
    findings.iter().for_each(|finding| context.warning(finding));
    if let Some(note) = party.crls.note {
        context.notice(format!("{}: {note}", party.title));
    }
}

/// The lines of a configuration that put the files to use.
pub(super) struct Settings {
    lines: Vec<String>,
    /// Whether everything that they name was there before.
    are_old: bool,
}

impl Settings {
    /// Reports the settings; if no CRL is new, they were reported already.
    pub(super) fn tell(self, context: &Context, any_signed: bool) {
        if any_signed || !self.are_old {
            context.notices(self.lines);
        }
    }
}

/// The lines of a configuration that put the files to use, for each CA that no other of them is below.
pub(super) fn settings(
    store: &Store,
    chosen: &[Ca],
    place: &Place,
    party: &RelyingParty,
    has_folder: bool,
) -> Result<Settings, Failure> {
    let rules = &party.crls;
    let mut said = Vec::new();
    if has_folder && !rules.folder_settings.is_empty() {
        let folder = rules.grammar.quote(&absolute(&place.directory));
        let lines = rules.folder_settings.iter();
        let lines = lines.map(|line| line.replace("DIRECTORY", &folder));
        return Ok(Settings {
            lines: lines
                .map(|line| format!("set in the configuration: {line}"))
                .collect(),
            are_old: place.directory.exists(),
        });
    }
    let mut are_old = true;
    let lowest = above_no_other(store, chosen)?;
    for ca in &lowest {
        let files = match rules.form {
            CrlForm::PemOfPath => {
                let above = store.ancestors(ca)?;
                let path = std::iter::once(*ca).chain(&above);
                path.map(|ca| place.pem(ca)).collect()
            }
            _ => vec![place.chain(ca)],
        };
        are_old &= files.iter().all(|path| path.exists());
        let files = files
            .iter()
            .map(|path| rules.grammar.quote(&absolute(path)));
        let files: Vec<String> = files.collect();
        let whose = match lowest.len() {
            1 => String::new(),
            _ => format!(" for certificates of {}", ca.name()),
        };
        let lines = rules.settings.iter();
        let lines = lines.map(|line| line.replace("FILE", &files.join(", ")));
        said.extend(lines.map(|line| format!("set in the configuration{whose}: {line}")));
    }
    Ok(Settings {
        lines: said,
        are_old,
    })
}

/// Servers have working directories of their own.
fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    let path: PathBuf = absolute.unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}
