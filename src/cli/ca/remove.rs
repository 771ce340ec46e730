//! `pki ca remove`.

use crate::ca::{check_removable, remove_ca, remove_pending_ca};
use crate::cli::backup::back_up;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::report::{Lines, Report};
use crate::store::{CaName, StoreError};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Remove a CA from the store, after a backup
///
/// Removes a pending CA, or a CA whose certificate is revoked or has expired and that has no CAs below it. Its
/// keys are deleted; they are in the backup. Its records stay readable with `pki log`, and its name, serial
/// numbers and CRL numbers are never used again. The name of a pending CA is free again.
#[derive(Args)]
pub(super) struct CaRemoveArgs {
    /// The CA to remove
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    /// The file for a backup of the whole store, which is written first
    #[arg(long, value_name = "FILE")]
    backup: PathBuf,
    /// Replace an existing backup file
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Removed {
    ca: String,
    pending: bool,
    backup: String,
}

impl CaRemoveArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if self.backup.as_os_str() == "-" {
            return Err(Failure::usage("--backup has to be a file here, not -"));
        }
        let store = context.open_store()?;
        // What hinders it shows before the backup.
        let pending = match store.ca(&self.ca) {
            Ok(ca) => {
                check_removable(&store, &ca, context.now)?;
                false
            }
            Err(StoreError::CaPending { .. }) => true,
            Err(error) => return Err(error.into()),
        };
        back_up(&store, &self.backup, self.force, context)?;
        if pending {
            remove_pending_ca(&store, &self.ca)?;
        } else {
            remove_ca(&store, &self.ca, context.now)?;
        }
        let removed = Removed {
            ca: self.ca.to_string(),
            pending,
            backup: self.backup.display().to_string(),
        };
        let text = Lines::default()
            .row("backup", &removed.backup)
            .under(&format!("removed the CA {}", self.ca));
        Ok(Report::new(&removed, text).committed("the CA is removed"))
    }
}
