//! `pki backup` and `pki restore`.

use super::context::Context;
use super::failure::Failure;
use super::report::{Lines, Report};
use crate::store::file::{Access, Existing, Staged};
use crate::store::{
    BackedUp, BackupError, FileError, LocalCopy, RestoreError, Restored, Snapshot, Store,
    StoreError,
};
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Bytes that are held on their way into or out of an archive.
const BUFFER: usize = 256 * 1024;

/// Back up the whole store to one file
///
/// The tar archive is a snapshot of the store: certificates, records, CRLs, and keys as they are stored.
/// Other commands can run meanwhile. No passphrase is needed.
#[derive(Args)]
pub(super) struct BackupArgs {
    /// The file to write; - is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

/// Restore a store from a backup
///
/// The directory of --store must be missing or empty. The whole archive is checked first, and the store
/// appears in one step. Serial numbers and CRL numbers continue far above those in the backup, so none is
/// used twice.
#[derive(Args)]
pub(super) struct RestoreArgs {
    /// The backup; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct BackupEntry {
    file: String,
    cas: Vec<CaEntry>,
    waiting: Vec<String>,
    files: u64,
    octets: u64,
}

#[derive(Serialize)]
struct CaEntry {
    ca: String,
    certificates: u64,
}

#[derive(Serialize)]
struct RestoreEntry {
    store: String,
    made_at: String,
    cas: Vec<RestoredEntry>,
    waiting: Vec<String>,
    files: u64,
}

#[derive(Serialize)]
struct RestoredEntry {
    ca: String,
    certificates: u64,
    serial_counter: String,
    crl_number: String,
}

impl BackupArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        raise_limit_of_open_files();
        if self.file == Path::new("-") {
            return self.on_standard_output(context);
        }
        let store = context.open_store()?;
        let written = back_up(&store, &self.file, self.force, context)?;
        Ok(Report::new(
            &BackupEntry {
                file: self.file.display().to_string(),
                cas: written
                    .cas
                    .iter()
                    .map(|ca| CaEntry {
                        ca: ca.name.to_string(),
                        certificates: ca.certificates,
                    })
                    .collect(),
                waiting: written.pending.iter().map(ToString::to_string).collect(),
                files: written.files,
                octets: written.bytes,
            },
            text_of_backup(&written, &self.file),
        )
        .committed("the backup is complete"))
    }

    fn on_standard_output(&self, context: &Context) -> Result<Report, Failure> {
        if self.force {
            return Err(Failure::usage("--force needs a file, not -"));
        }
        if io::stdout().is_terminal() {
            return Err(Failure::usage("a backup is not written to a terminal")
                .hint("give a file, or pipe it to a program: `pki backup - | …`"));
        }
        let store = context.open_store()?;
        let context = context.clone();
        Ok(Report::stream(move |_, out| {
            let copy = local_copy(&store, &context)?;
            let store = copy.as_ref().map_or(&store, LocalCopy::store);
            let written = hold(store, &context)?.write(&mut { out });
            let written = written.map_err(|error| match error {
                BackupError::Store(error) => Failure::from(error),
                // Half a backup is no result, as half a listing may be.
                BackupError::Output(error) => Failure::output(io::Error::other(error.to_string())),
            })?;
            context.notice(text_of_backup(&written, Path::new("standard output")).trim_end());
            Ok(())
        })
        .answer())
    }
}

/// Writes a backup of the store to a file.
pub(super) fn back_up(
    store: &Store,
    file: &Path,
    force: bool,
    context: &Context,
) -> Result<BackedUp, Failure> {
    raise_limit_of_open_files();
    if store.contains(file) {
        let problem = format!("{} is inside the store that is backed up", file.display());
        return Err(Failure::usage(problem)
            .hint("use a file outside the store, preferably on another disk"));
    }
    let existing = Existing::unless(force);
    let mut staged = Staged::new(file, Access::Owner, existing)?;
    let copy = local_copy(store, context)?;
    let snapshot = hold(copy.as_ref().map_or(store, LocalCopy::store), context)?;
    let mut out = BufWriter::with_capacity(BUFFER, &mut staged);
    let written = snapshot.write(&mut out).map_err(|error| match error {
        BackupError::Store(error) => Failure::from(error),
        BackupError::Output(error) => FileError::of("write", file)(error).into(),
    })?;
    drop(out);
    staged.commit()?;
    Ok(written)
}

/// Returns a place for a temporary copy of a store in a database.
fn temporary_place(context: &Context) -> PathBuf {
    let moment = context.moment.unix_timestamp_nanos();
    std::env::temp_dir().join(format!("pki-{}-{moment}", std::process::id()))
}

fn local_copy(store: &Store, context: &Context) -> Result<Option<LocalCopy>, StoreError> {
    store.local_copy(&temporary_place(context), context.operator())
}

/// Holds the store as it is now, and says what its owner wants to know of that.
fn hold<'a>(store: &'a Store, context: &Context) -> Result<Snapshot<'a>, StoreError> {
    let snapshot = store.snapshot(context.now)?;
    let open: Vec<String> = snapshot.unencrypted().map(ToString::to_string).collect();
    if !open.is_empty() {
        context.notice(format!(
            "the keys of these CAs are not encrypted, neither in the store nor in the backup: {}",
            open.join(", ")
        ));
    }
    for ca in store.cas()? {
        if let Some(uri) = &ca.record().key_uri {
            context.notice(format!(
                "the key of {} is outside the store, so it is not in the backup: {uri}",
                ca.name()
            ));
        }
    }
    for path in snapshot.left_out() {
        context.notice(format!(
            "{path} is not a file of the store, so it is not in the backup"
        ));
    }
    Ok(snapshot)
}

/// The files of a snapshot are open at the same time, and a store may have many CAs.
fn raise_limit_of_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it can't be raised, the store may be small enough all the same.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
}

fn text_of_backup(written: &BackedUp, to: &Path) -> String {
    let mut lines = Lines::default();
    for ca in &written.cas {
        lines = lines.row(ca.name.as_str(), counted(ca.certificates, "certificate"));
    }
    for name in &written.pending {
        lines = lines.row(name.as_str(), "pending, without a certificate");
    }
    let heading = format!(
        "backed up {} to {}, {} in {} files",
        counted(written.cas.len() as u64, "CA"),
        to.display(),
        counted(written.bytes, "byte"),
        written.files
    );
    lines.under(&heading)
}

fn counted(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

impl RestoreArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let from = self.file.as_path();
        let restored = if from == Path::new("-") {
            restore(io::stdin().lock(), Path::new("standard input"), context)?
        } else {
            let file = File::open(from).map_err(FileError::of("open", from))?;
            restore(file, from, context)?
        };
        let entry = RestoreEntry {
            store: context.store.to_string(),
            made_at: restored.made_at.clone(),
            cas: restored
                .cas
                .iter()
                .map(|ca| RestoredEntry {
                    ca: ca.name.to_string(),
                    certificates: ca.certificates,
                    serial_counter: ca.floors.counter.to_string(),
                    crl_number: ca.floors.crl_number.to_string(),
                })
                .collect(),
            waiting: restored.pending.iter().map(ToString::to_string).collect(),
            files: restored.files,
        };
        Ok(Report::new(&entry, text_of_restored(&restored, context)).committed(COMPLETE))
    }
}

/// Hint for a store that is restored, when something after that failed.
const COMPLETE: &str = "the store is restored: `pki tree` shows its CAs";

fn restore(input: impl Read, from: &Path, context: &Context) -> Result<Restored, Failure> {
    let input = BufReader::with_capacity(BUFFER, input);
    let (target, operator) = (&context.store, &context.operator());
    let place = temporary_place(context);
    let restored = Store::restore(input, from, target, &place, context.moment, operator);
    restored.map_err(|error| match error {
        RestoreError::Store(error) => error.into(),
        RestoreError::Place(error) => {
            let failure = Failure::from(error);
            failure.hint(COMPLETE)
        }
    })
}

fn text_of_restored(restored: &Restored, context: &Context) -> String {
    let mut lines = Lines::default();
    for ca in &restored.cas {
        lines = lines.row(
            ca.name.as_str(),
            format!(
                "{}; continues above serial counter {}, CRL number {}",
                counted(ca.certificates, "certificate"),
                ca.floors.counter,
                ca.floors.crl_number
            ),
        );
    }
    for name in &restored.pending {
        lines = lines.row(name.as_str(), "pending, without a certificate");
    }
    let heading = format!(
        "restored {} to {}, as of {}, {} files",
        counted(restored.cas.len() as u64, "CA"),
        context.store,
        restored.made_at,
        restored.files
    );
    let mut text = lines.under(&heading);
    let _ = writeln!(
        text,
        "anything issued, revoked or signed after {} is not in it:",
        restored.made_at
    );
    text.push_str(&context.commands(
        "  revoke again     `pki revoke --ca NAME --serial S`\n  revoke unknown   `pki revoke --ca NAME --cert FILE`\n  sign new lists   `pki crl`\n",
    ));
    text
}
