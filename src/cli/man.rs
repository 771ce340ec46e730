//! `pki man`: the manual pages.

use super::context::Context;
use super::failure::Failure;
use super::help::EXAMPLES;
use super::report::Report;
use crate::store::file::{self, Access, Existing};
use crate::x509::text::Escaped;
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};
use serde::Serialize;
use std::io;
use std::path::PathBuf;

/// Write the manual pages to a directory
#[derive(Args)]
pub(super) struct ManArgs {
    /// The directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Serialize)]
struct Pages {
    files: Vec<String>,
}

impl ManArgs {
    pub(super) fn run(self, _: &Context) -> Result<Report, Failure> {
        let mut command = super::command();
        command.build();
        file::create_directories(&self.directory, Access::Umask)?;
        let mut files = Vec::new();
        for page in pages(&command) {
            let path = self.directory.join(format!("{}.1", title(page)));
            let content = content(page).map_err(Failure::output)?;
            file::write(&path, Access::Umask, Existing::Replace, &content)?;
            files.push(path.display().to_string());
        }
        let lines = files.iter().map(|file| format!("{}\n", Escaped(file)));
        let text: String = lines.collect();
        Ok(Report::new(&Pages { files }, text).committed("the pages are written"))
    }
}

/// Lists the command itself and all below it.
fn pages(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands();
    let below = below.filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    std::iter::once(command)
        .chain(below.flat_map(pages))
        .collect()
}

/// Returns `pki-issue` or `pki-ca-renew`.
fn title(page: &Command) -> &str {
    page.get_display_name().unwrap_or(page.get_name())
}

/// Returns the words behind `pki`, as in `ca renew`.
fn name(page: &Command) -> String {
    let words = page.get_bin_name().unwrap_or_default();
    words.trim_start_matches("pki").trim_start().to_owned()
}

/// Writes a page in the sections of man-pages(7).
fn content(page: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(page.clone().after_help("").disable_help_subcommand(true));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    if page.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    man.render_options_section(&mut out)?;
    terms("EXIT STATUS", &EXIT_STATUS).to_writer(&mut out)?;
    terms("ENVIRONMENT", &ENVIRONMENT).to_writer(&mut out)?;
    terms("FILES", &FILES).to_writer(&mut out)?;
    examples(&name(page)).to_writer(&mut out)?;
    see_also(page).to_writer(&mut out)?;
    Ok(out)
}

const EXIT_STATUS: [(&str, &str); 5] = [
    ("0", "Done."),
    ("1", "Failed; nothing was changed."),
    ("2", "The command line is wrong."),
    (
        "3",
        "A check failed: verify, check, crl --check or bundle --check.",
    ),
    (
        "4",
        "The store was changed, but a later step failed; the message says how to complete it.",
    ),
];

const ENVIRONMENT: [(&str, &str); 5] = [
    (
        "PKI_STORE",
        "Directory of the store, if --store is not given.",
    ),
    (
        "PKI_PASSPHRASE_FILE",
        "File whose first line is the passphrase of CA keys, if --passin is not given; for a new CA also instead of --passout.",
    ),
    (
        "PKI_PASSPHRASE_FILE_NAME",
        "The same for the key of the CA NAME: in upper case, every other character as _.",
    ),
    (
        "PKI_PASSPHRASE",
        "The passphrase itself. Other processes of the same user can read it.",
    ),
    ("NO_COLOR", "If set, nothing is coloured."),
];

const FILES: [(&str, &str); 3] = [
    (
        "./pki",
        "The store, unless --store or PKI_STORE names another.",
    ),
    (
        "./pki/NAME",
        "A CA: its certificate, its encrypted key, and the records of what it issued and revoked.",
    ),
    (
        "./pki/crl",
        "The published CRLs, unless --out names another directory.",
    ),
];

fn terms(section: &str, terms: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [section]);
    for (term, meaning) in terms {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
    roff
}

fn examples(name: &str) -> Roff {
    let mut roff = Roff::new();
    if let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == name) {
        roff.control("SH", ["EXAMPLES"]);
        for example in *examples {
            roff.control("PP", []);
            roff.control("EX", []);
            roff.text([roman(*example)]);
            roff.control("EE", []);
        }
    }
    roff
}

/// Names the pages above and below, and for pki(1) the other command of that name.
fn see_also(page: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let below = pages(page).into_iter().skip(1).map(title);
    let mut names: Vec<&str> = below.collect();
    if name(page).is_empty() {
        names.push("openssl");
    } else {
        names.insert(0, "pki");
    }
    let references = names.iter().enumerate().flat_map(|(index, name)| {
        let comma = if index == 0 { "" } else { ", " };
        [roman(comma), bold(*name), roman("(1)")]
    });
    roff.text(references.collect::<Vec<Inline>>());
    if name(page).is_empty() {
        roff.control("SH", ["NOTES"]);
        roff.text([roman(
            "strongSwan has a command of the same name with other options; its page is pki(1) of the package strongswan-pki.",
        )]);
    }
    roff
}
