//! `pki ca move-key`.

use crate::ca::{Moved, Session, move_key};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use crate::cli::report::Report;
use crate::key::KeyUri;
use crate::store::CaName;
use clap::Args;
use serde::Serialize;

/// Move the key of a CA to a token or a key service
///
/// Imports the key into a token that allows it, has the token sign, verifies the signature, and removes the key
/// file from the store. Keys of leaves stay in the store under the passphrase that they have. Backups made
/// before still contain the key.
#[derive(Args)]
pub(super) struct MoveKeyArgs {
    /// The CA whose key moves
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    /// The key's new place: pkcs11:… (RFC 7512), or NAME:… for pki-key-NAME
    #[arg(long, value_name = "URI")]
    key_uri: KeyUri,
    #[command(flatten)]
    passin: PassinArgs,
    /// The PIN of the new place: as --passin
    #[command(flatten)]
    pin: PassoutArgs,
}

#[derive(Serialize)]
struct MovedEntry {
    ca: String,
    key_uri: KeyUri,
    already: bool,
}

impl MoveKeyArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if self.pin.is_none_wanted() {
            return Err(Failure::usage("--no-passphrase is for keys in the store")
                .hint("give the PIN of the token or service with --passout"));
        }
        let store = context.open_store()?;
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.pin),
            Protecting::Token,
        )?;
        let mut session = Session::new(&store, &mut passphrases, context.now);
        let moved = move_key(&mut session, &self.ca, &self.key_uri)?;
        context.notices(session.notices);
        let entry = MovedEntry {
            ca: self.ca.to_string(),
            key_uri: self.key_uri,
            already: moved == Moved::Before,
        };
        let text = match moved {
            Moved::Now => format!("moved the key of {} to {}\n", entry.ca, entry.key_uri),
            Moved::Before => format!("the key of {} is already {}\n", entry.ca, entry.key_uri),
        };
        Ok(Report::new(&entry, text).committed("the key is moved"))
    }
}
