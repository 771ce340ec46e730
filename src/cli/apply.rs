//! `pki apply`.

mod outputs;
mod profiles;
mod reader;
mod report;
mod source;
mod tables;

use super::context::Context;
use super::failure::Failure;
use super::options::input_of;
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::Report;
use crate::ca::{Application, Declaration, Input, Secrets, Size, Step};
use crate::store::{Address, Store, StoreError};
use clap::Args;
use reader::Reader;
use report::{StepEntry, Tense};
use source::Source;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Create a whole hierarchy from one file
///
/// A TOML file declares CAs, certificates, revocations, CRLs and trust stores. Run again, the command makes
/// only what is missing, changed in the file, or due.
#[derive(Args)]
pub(super) struct ApplyArgs {
    /// The declaration (--example prints one); - is standard input
    #[arg(value_name = "FILE.toml", required_unless_present_any = ["example", "schema"])]
    file: Option<PathBuf>,
    /// Print what the command would do, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print an example declaration
    #[arg(long, exclusive = true)]
    example: bool,
    /// Print the JSON Schema of the file, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
    /// Replace files that are in the way
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

const EXAMPLE: &str = include_str!("apply/example.toml");

impl ApplyArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let Some(path) = &self.file else {
            return Ok(if self.example {
                Report::raw(EXAMPLE)
            } else {
                Report::raw(tables::schema())
            });
        };
        let passphrases = UserPassphrases::with_new_cas(
            context,
            Some(&self.passin),
            Some(&self.passout),
            Protecting::NewCa,
        )?;
        if path == Path::new("-") && passphrases.read_standard_input() {
            return Err(
                Failure::usage("standard input can't give both the file and a passphrase")
                    .hint("give the passphrase with file:PATH, fd:N or env:VAR"),
            );
        }
        let file = input_of(Size::Several, path)?;
        let store = existing_store(context)?;
        let wishes = declared(&file, store.as_ref(), &context.store, context.now)?;
        drop((store, file));
        let cas = wishes.cas.iter().map(|wished| wished.new.name.clone());
        passphrases.check_names(&cas.collect::<Vec<_>>())?;
        let application = Application {
            store: &context.store,
            operator: context.operator(),
            wishes: &wishes,
            overwrite: self.force,
            now: context.now,
        };
        if self.dry_run {
            let steps = application.plan()?;
            report::tell(context, &steps);
            return Ok(reported(&steps, Tense::Planned));
        }
        apply(&application, passphrases, context)
    }
}

/// Reads a declaration for a store that exists, or will be at `place`.
pub(super) fn declared(
    file: &Input,
    store: Option<&Store>,
    place: &Address,
    now: OffsetDateTime,
) -> Result<Declaration, Failure> {
    let source = Source::new(file)?;
    let lists = Store::published_crls_in(place);
    Reader::new(&source, store, lists, now)?.read()
}

fn apply(
    application: &Application<'_>,
    mut keys: UserPassphrases,
    context: &Context,
) -> Result<Report, Failure> {
    let mut exports = keys.for_exports();
    let secrets = Secrets {
        keys: &mut keys,
        exports: &mut exports,
    };
    let mut steps: Vec<Step> = Vec::new();
    let applied = application.apply(secrets, &mut |step| {
        let name = &step.name;
        context.notices(
            step.notices
                .iter()
                .map(|notice| format!("{name}: {notice}")),
        );
        steps.push(step);
    });
    report::tell(context, &steps);
    let any_done = steps.iter().any(|step| step.action.is_change());
    let remedy = "run the same command again to continue with the rest";
    let Err(error) = applied else {
        return Ok(reported(&steps, Tense::Done).committed("`pki list` shows what was issued"));
    };
    let failure = Failure::of_several(vec![error], any_done, remedy);
    match failure {
        Some(failure) if any_done => Ok(reported(&steps, Tense::Done).failing(failure)),
        Some(failure) => Err(failure),
        None => Ok(reported(&steps, Tense::Done)),
    }
}

fn reported(steps: &[Step], tense: Tense) -> Report {
    let entries: Vec<StepEntry> = steps.iter().map(StepEntry::of).collect();
    let report = Report::new(&entries, report::text(steps, tense));
    match tense {
        Tense::Done => report,
        Tense::Planned => report.answer(),
    }
}

/// The store, where there is one.
fn existing_store(context: &Context) -> Result<Option<Store>, Failure> {
    match Store::open(&context.store, context.operator()) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::NoStore { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
