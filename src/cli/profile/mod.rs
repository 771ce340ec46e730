//! `pki profile`.

mod description;

use super::context::Context;
use super::failure::Failure;
use super::options::input_of;
use super::report::Report;
use crate::ca::{Addition, LeafProfile, ProfileTable, Profiles, Size, add_profiles};
use crate::x509::Profile;
use clap::{Args, Subcommand};
use description::{Description, Summary, listed};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Add profiles of certificates to the store, list and show them
///
/// A profile decides what certificates are for: extended key usage, key usage, policies, validity, and
/// extensions. `pki issue --profile NAME` uses it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(super) struct ProfileArgs {
    /// Print an example file of profiles
    #[arg(long, exclusive = true)]
    example: bool,
    /// Print the JSON Schema of the file, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
    #[command(subcommand)]
    command: Option<ProfileCommand>,
}

#[derive(Subcommand)]
enum ProfileCommand {
    Add(AddArgs),
    List(ListArgs),
    Show(ShowArgs),
}

/// Add the profiles of a file to the store
#[derive(Args)]
struct AddArgs {
    /// The file (pki profile --example prints one); - is standard input
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// Replace profiles of the store that differ
    #[arg(long)]
    force: bool,
}

/// List the profiles that can be used
#[derive(Args)]
struct ListArgs {}

/// Show a profile
#[derive(Args)]
struct ShowArgs {
    /// The profile
    #[arg(value_name = "NAME")]
    profile: String,
}

const EXAMPLE: &str = include_str!("../../../fixtures/profiles.toml");

/// Profiles of certificates, for `pki profile add` and `--profiles`.
#[derive(JsonSchema)]
#[schemars(title = "pki profile", deny_unknown_fields)]
#[allow(dead_code, reason = "its fields are what the schema is made of")]
struct File {
    /// Profiles, by their names.
    profile: BTreeMap<String, ProfileTable>,
}

impl ProfileArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        match self.command {
            Some(ProfileCommand::Add(args)) => args.run(context),
            Some(ProfileCommand::List(_)) => list(context),
            Some(ProfileCommand::Show(args)) => args.run(context),
            None if self.schema => Ok(Report::raw(super::schema::of::<File>())),
            None => Ok(Report::raw(EXAMPLE)),
        }
    }
}

/// A profile that was added, or was there.
#[derive(Serialize)]
struct Added<'a> {
    name: &'a str,
    hash: &'a str,
    already: bool,
    replaced: bool,
}

impl AddArgs {
    fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let input = input_of(Size::Single, &self.file)?;
        let mut text = String::new();
        let mut entries = Vec::new();
        let outcomes = add_profiles(&store, &input, self.force)?;
        for (profile, addition) in &outcomes {
            let done = match addition {
                Addition::Added => "added",
                Addition::Replaced => "replaced",
                Addition::Already => "is in the store already",
            };
            writeln!(text, "profile {} {done}", profile.name()).expect("a String takes everything");
            entries.push(Added {
                name: profile.name(),
                hash: profile.hash(),
                already: *addition == Addition::Already,
                replaced: *addition == Addition::Replaced,
            });
        }
        Ok(Report::new(&entries, text).committed("`pki profile list` shows them"))
    }
}

fn list(context: &Context) -> Result<Report, Failure> {
    let profiles = Profiles::of_store(&context.open_store()?)?;
    let known = Profile::ALL.into_iter().map(LeafProfile::from);
    let custom = profiles.iter().cloned().map(LeafProfile::Custom);
    let summaries: Vec<Summary> = known.chain(custom).map(|each| Summary::of(&each)).collect();
    Ok(Report::new(&summaries, listed(&summaries)).answer())
}

impl ShowArgs {
    fn run(self, context: &Context) -> Result<Report, Failure> {
        let profiles = Profiles::of_store(&context.open_store()?)?;
        let profile = profiles.find(&self.profile)?;
        let text = match &profile {
            LeafProfile::Known(_) => Description::of(&profile).text(),
            LeafProfile::Custom(custom) => Profiles::toml_of(custom),
        };
        Ok(Report::new(&Description::of(&profile), text).answer())
    }
}
