//! `pki completions`.

use super::context::Context;
use super::failure::Failure;
use super::report::Report;
use clap::Args;
use clap_complete::Shell;

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
