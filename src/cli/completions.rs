//! `pki completions` and `pki man`.

use super::context::Context;
use super::failure::Failure;
use super::report::Report;
use crate::store::file::{self, Access, Existing};
use crate::x509::text::Escaped;
use clap::Args;
use clap_complete::Shell;
use serde::Serialize;
use std::path::PathBuf;

/// Print the completions of a shell
#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    // As every command does.
    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn run(self, _: &Context) -> Result<Report, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "pki", &mut script);
        Ok(Report::raw(script))
    }
}

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
            let name = page
                .get_display_name()
                .unwrap_or(page.get_name())
                .to_owned();
            let path = self.directory.join(format!("{name}.1"));
            let mut content = Vec::new();
            clap_mangen::Man::new(page)
                .render(&mut content)
                .map_err(Failure::output)?;
            file::write(&path, Access::Umask, Existing::Replace, &content)?;
            files.push(path.display().to_string());
        }
        let lines = files.iter().map(|file| format!("{}\n", Escaped(file)));
        let text: String = lines.collect();
        Ok(Report::new(&Pages { files }, text).committed("the pages are written"))
    }
}

/// The command itself and each of its subcommands.
fn pages(command: &clap::Command) -> Vec<clap::Command> {
    let visible = command.get_subcommands();
    let visible = visible.filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    std::iter::once(command.clone())
        .chain(visible.cloned())
        .collect()
}
