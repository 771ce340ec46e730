//! `pki passphrase`.

use super::context::Context;
use super::failure::Failure;
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{Session, change_passphrase, change_passphrase_of_file, plural};
use crate::store::CaName;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Change the passphrase of a CA's keys, or of a key file
///
/// With --ca the key of the CA and the keys of its leaves in the store get the new passphrase in one step. If the
/// command is interrupted, the old one still opens all of them. A key file becomes PKCS#8.
#[derive(Args)]
#[group(id = "what", required = true, multiple = false, args = ["ca", "file"])]
pub(super) struct PassphraseArgs {
    /// The CA of the keys
    #[arg(long, value_name = "NAME")]
    ca: Option<CaName>,
    /// A key file outside the store
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

#[derive(Serialize)]
struct Changed {
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf_keys: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    encrypted: bool,
}

impl PassphraseArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        // Variables give the passphrase that opens the keys, never the new one.
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.passout),
            Protecting::Export,
        )?;
        match (&self.ca, &self.file) {
            (Some(ca), _) => self.of_ca(ca, &mut passphrases, context),
            (None, file) => of_file(file.as_deref().unwrap_or(Path::new("-")), &mut passphrases),
        }
    }

    fn of_ca(
        &self,
        ca: &CaName,
        passphrases: &mut UserPassphrases,
        context: &Context,
    ) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let mut session = Session::new(&store, passphrases, context.now);
        let leaf_keys = change_passphrase(&mut session, ca)?;
        let changed = Changed {
            ca: Some(ca.to_string()),
            leaf_keys: Some(leaf_keys),
            file: None,
            encrypted: !self.passout.is_none_wanted(),
        };
        let heading = if changed.encrypted {
            format!("changed the passphrase of the keys of {ca}")
        } else {
            format!("removed the passphrase of the keys of {ca}")
        };
        let text = Lines::default()
            .row(
                "keys",
                format!("its own and {}", plural(leaf_keys, "leaf key")),
            )
            .under(&heading);
        Ok(Report::new(&changed, text).committed("the keys have the new passphrase"))
    }
}

fn of_file(path: &Path, passphrases: &mut UserPassphrases) -> Result<Report, Failure> {
    if path == Path::new("-") {
        return Err(Failure::usage(
            "a key file is replaced, so - is not possible",
        ));
    }
    let encrypted = change_passphrase_of_file(path, passphrases)?;
    let changed = Changed {
        ca: None,
        leaf_keys: None,
        file: Some(path.display().to_string()),
        encrypted,
    };
    let what = if encrypted { "changed" } else { "removed" };
    let text = Lines::default().under(&format!("{what} the passphrase of {}", path.display()));
    Ok(Report::new(&changed, text).committed("the file is written"))
}
