//! `pki issue --from`: a certificate for every row of a table.

use super::check::{RowCheck, Seen};
use super::rows::{COLUMNS, CertificateRow, Defaults, kinds};
use super::{CertificateEntry, IssueArgs};
use crate::ca::{
    Batch, CaError, ExportFolder, GroupExport, Issued, Issuer, KeyOutput, ProtectedKey, Purpose,
    RowOutcome, TableRow, certificate_of, file_name, last_batch, new_batch, plural, protection_for,
};
use crate::cli::context::Context;
use crate::cli::export::exported_files;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::{Format, write_json};
use crate::cli::passphrase::{Protecting, UserPassphrases};
use crate::cli::progress::Progress;
use crate::cli::report::{Lines, Report};
use crate::cli::table::TableFile;
use crate::key::{PrivateKey, Protection};
use crate::store::{BatchId, Ca, CaName, Issuance, Journal, LockedBatches};
use crate::x509::Certificate;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Cost of the rows that are recorded together: some tens of milliseconds.
const GROUP: usize = 512;
/// The same where each row has files, which are open until all of them are durable.
const GROUP_WITH_FILES: usize = 128;

/// A table whose rows were looked at, and what is needed to issue them.
struct Run {
    table: TableFile,
    batch: BatchId,
    issuer: Issuer,
    defaults: Arc<Defaults>,
    files: Option<Files>,
    keeps_going: bool,
    /// Certificates of earlier runs that this one resumes.
    issued: HashSet<u64>,
    seen: Seen,
    passphrases: UserPassphrases,
    context: Context,
    _lock: LockedBatches,
}

type FileNames = BTreeMap<&'static str, String>;

/// Destination of the files of the rows.
struct Files {
    folder: ExportFolder,
    protection: Protection,
    der: bool,
}

pub(super) fn run(args: &IssueArgs, path: &Path, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let ca = store.ca(&args.ca)?;
    args.out.check(&ca)?;
    let mut passphrases = UserPassphrases::new(
        context,
        Some(&args.passin),
        Some(&args.out.passout),
        Protecting::Export,
    )?;
    if path == Path::new("-") && passphrases.read_standard_input() {
        return Err(
            Failure::usage("standard input can't give both the table and a passphrase")
                .hint("give the passphrase with file:PATH, fd:N or env:VAR"),
        );
    }
    let defaults = Arc::new(Defaults::new(args, path, &store)?);
    let table = TableFile::open(path)?;
    let lock = ca.lock_batches(args.resume)?;
    let (batch, issued) = begin(args, &table, &ca, context)?;
    let purpose = Purpose::Certificates;
    let mut issuer = Issuer::open(&store, &args.ca, purpose, &mut passphrases, context.now)?;
    context.detail(format!("opened the key of {}", args.ca));
    let folder = args.out.folder();
    let place = folder.as_ref().map(|folder| (folder, args.out.der()));
    let seen = RowCheck::new(&issuer, place, &issued, context).look_at(&table, &defaults)?;
    if !args.keep_going && !seen.unsound.is_empty() {
        return Err(seen.refusal());
    }
    if args.dry_run {
        return Ok(dry_run(&args.ca, &issued, seen));
    }
    let protection = if folder.is_some() || issuer.has_key_outside() {
        let label = match folder {
            Some(_) => "the exported keys",
            None => "the keys of the certificates",
        };
        key_protection(&seen, label, &mut passphrases)?
    } else {
        Protection::None
    };
    issuer.protect_leaf_keys(&protection);
    let files = match folder {
        Some(folder) => Some(Files {
            protection,
            folder: folder.open()?,
            der: args.out.der(),
        }),
        None => None,
    };
    let run = Run {
        table,
        batch,
        issuer,
        defaults,
        files,
        keeps_going: args.keep_going,
        issued,
        seen,
        passphrases,
        context: context.clone(),
        _lock: lock,
    };
    let report = Report::stream(move |format, out| run.issue(format, out));
    Ok(report
        .committed("the same command with --resume shows the issued certificates, and continues"))
}

/// Result of a run that issues nothing.
#[derive(Serialize)]
struct DryRunReport {
    ca: String,
    dry_run: bool,
    rows: u64,
    already: usize,
    invalid: usize,
}

fn dry_run(ca: &CaName, issued: &HashSet<u64>, seen: Seen) -> Report {
    let (already, invalid) = (issued.len(), seen.unsound.len());
    let report = DryRunReport {
        ca: ca.to_string(),
        dry_run: true,
        rows: seen.count,
        already,
        invalid,
    };
    let rows = usize::try_from(seen.count).unwrap_or(usize::MAX);
    let left = rows.saturating_sub(already + invalid);
    let text = Lines::default()
        .row_if("issued already", (already > 0).then_some(already))
        .row_if("invalid", (invalid > 0).then_some(invalid))
        .under(&format!(
            "would issue {} from {ca}",
            plural(left, "certificate")
        ));
    let report = Report::new(&report, text).answer();
    if invalid == 0 {
        return report;
    }
    report.failing(Failure::of_rows(seen.unsound.into_values().collect(), 0))
}

/// The batch, and which rows of it are issued already.
fn begin(
    args: &IssueArgs,
    table: &TableFile,
    ca: &Ca,
    context: &Context,
) -> Result<(BatchId, HashSet<u64>), Failure> {
    let id = table.id()?;
    if args.resume {
        if let Some(last) = last_batch(ca, id)? {
            return Ok(last);
        }
        context.notice(format!(
            "nothing was issued from {} before; this is the first run",
            table.path().display()
        ));
    }
    Ok((new_batch(id)?, HashSet::new()))
}

fn key_protection(
    seen: &Seen,
    label: &str,
    passphrases: &mut UserPassphrases,
) -> Result<Protection, CaError> {
    if seen.makes_keys {
        protection_for(ProtectedKey::outside(label), passphrases)
    } else {
        Ok(Protection::None)
    }
}

impl Run {
    /// Issues what is not issued yet, and writes a line for each row.
    fn issue(mut self, format: Format, out: &mut dyn Write) -> Result<(), Failure> {
        let interrupt = Interrupt::noted().map_err(|error| {
            Failure::plain(
                "signals-failed",
                format!("signal handlers can't be installed: {error}"),
            )
        })?;
        self.show_issued(format, out)?;
        let left = self.seen.count - self.issued.len() as u64;
        let progress = Progress::of_rows(&self.context, "issuing", left);
        let batch = Batch {
            issuer: &self.issuer,
            id: Some(self.batch),
            group: if self.files.is_some() {
                GROUP_WITH_FILES
            } else {
                GROUP
            },
            keeps_going: self.keeps_going,
            now: self.context.now,
        };
        let (issued, defaults) = (&self.issued, &self.defaults);
        let mut failures = std::mem::take(&mut self.seen.unsound);
        let unsound: HashSet<u64> = failures.keys().copied().collect();
        let rows = self.table.rows(COLUMNS)?;
        let rows = rows.map(|row| CertificateRow::new(row, defaults));
        let is_left = |row: &CertificateRow| {
            !issued.contains(&row.number()) && !unsound.contains(&row.number())
        };
        let mut count = issued.len() as u64;
        let ended = batch.issue(rows.filter(is_left), |group| {
            progress.advance(group.len());
            let (issued, failed) = parted(group);
            count += issued.len() as u64;
            let entries = self.entries(&issued)?;
            progress.suspend(|| write_all(&entries, format, out))?;
            for (number, failure) in failed {
                if !self.keeps_going {
                    return Err(failure);
                }
                failures.insert(number, failure);
            }
            if interrupt.came() {
                return Err(Failure::plain("interrupted", "it was interrupted"));
            }
            Ok(())
        });
        drop(progress);
        ended.map_err(|failure| failure.among_rows(count, self.seen.count))?;
        if failures.is_empty() {
            return Ok(());
        }
        Err(Failure::of_rows(failures.into_values().collect(), 0))
    }

    /// Reports the certificates of a group, after their files are written.
    fn entries(
        &self,
        group: &[(CertificateRow, Issued)],
    ) -> Result<Vec<CertificateEntry>, Failure> {
        let files = match &self.files {
            Some(files) => files.write(group, self.issuer.path())?,
            None => vec![BTreeMap::new(); group.len()],
        };
        let entries = group.iter().zip(files).map(|((row, issued), files)| {
            CertificateEntry::new(self.issuer.ca().name(), &issued.issuance, files)
                .of_row(row.number(), false)
        });
        Ok(entries.collect())
    }

    /// Writes a line for each row that was issued before, in the order of the rows, and the files that
    /// an earlier run did not come to.
    fn show_issued(&mut self, format: Format, out: &mut dyn Write) -> Result<(), Failure> {
        if self.issued.is_empty() {
            return Ok(());
        }
        let ca = self.issuer.ca().clone();
        ca.make_durable(Journal::Issued)?;
        if let Some(files) = &self.files {
            files.folder.make_names_durable()?;
        }
        let mut records = ca.issuances_of_table(self.batch.table)?;
        // Those of rows that are still to come.
        let mut ahead: HashMap<u64, Issuance> = HashMap::new();
        let rows = self.table.rows(COLUMNS)?;
        for row in rows.map(|row| CertificateRow::new(row, &self.defaults)) {
            let number = row.number();
            if !self.issued.contains(&number) {
                continue;
            }
            while !ahead.contains_key(&number)
                && let Some(issuance) = records.next().transpose()?
            {
                let of_batch = issuance.row.filter(|row| row.batch == self.batch);
                if let Some(row) = of_batch {
                    ahead.insert(row.number, issuance);
                }
            }
            let issuance = ahead.remove(&number).expect("it was there a moment ago");
            let files = match &self.files {
                Some(files) => {
                    files.complete(&row, &issuance, &mut self.issuer, &mut self.passphrases)?
                }
                None => BTreeMap::new(),
            };
            let entry = CertificateEntry::new(ca.name(), &issuance, files).of_row(number, true);
            write_all(&[entry], format, out)?;
        }
        Ok(())
    }
}

impl Files {
    /// Writes the files of certificates that were just issued.
    fn write(
        &self,
        group: &[(CertificateRow, Issued)],
        issuers: &[Certificate],
    ) -> Result<Vec<FileNames>, CaError> {
        let exports: Vec<GroupExport<'_>> = group
            .iter()
            .map(|(row, issued)| {
                let key = issued.key.as_ref();
                self.export(row, &issued.issuance, &issued.certificate, key)
            })
            .collect();
        let written = self.folder.write(&exports, issuers)?;
        Ok(written.iter().map(exported_files).collect())
    }

    /// Writes the files of a certificate that was issued before, where they are not there.
    fn complete(
        &self,
        row: &CertificateRow,
        issuance: &Issuance,
        issuer: &mut Issuer,
        passphrases: &mut UserPassphrases,
    ) -> Result<FileNames, CaError> {
        let certificate = certificate_of(issuer.ca(), issuance)?;
        let export = self.export(row, issuance, &certificate, None);
        if let Some(there) = self.folder.with(&export)? {
            return Ok(exported_files(&there));
        }
        let key = issuer.leaf_key(&issuance.serial, &certificate, passphrases)?;
        let export = self.export(row, issuance, &certificate, key.as_ref());
        let written = self.folder.write(&[export], issuer.path())?;
        Ok(written
            .iter()
            .map(exported_files)
            .next()
            .unwrap_or_default())
    }

    fn export<'a>(
        &'a self,
        row: &'a CertificateRow,
        issuance: &'a Issuance,
        certificate: &'a Certificate,
        key: Option<&'a PrivateKey>,
    ) -> GroupExport<'a> {
        GroupExport {
            name: row
                .file_name()
                .map_or_else(|| file_name(issuance), ToOwned::to_owned),
            kinds: kinds(row, self.der),
            certificate,
            key: key.map(|key| KeyOutput {
                key,
                protection: &self.protection,
                passphrase: None,
            }),
        }
    }
}

/// Rows that were issued, and those that were not.
type Parted = (Vec<(CertificateRow, Issued)>, Vec<(u64, Failure)>);

fn parted(group: Vec<RowOutcome<CertificateRow, Issued>>) -> Parted {
    let mut parted = Parted::default();
    for RowOutcome { row, outcome } in group {
        match outcome {
            Ok(issued) => parted.0.push((row, issued)),
            Err(failure) => parted.1.push((row.number(), failure)),
        }
    }
    parted
}

fn write_all(
    entries: &[CertificateEntry],
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let line = |out: &mut dyn Write, entry: &CertificateEntry| match format {
        Format::Text => writeln!(out, "{}", entry.line()),
        Format::Json => {
            write_json(out, entry)?;
            writeln!(out)
        }
    };
    let written = entries.iter().try_for_each(|entry| line(out, entry));
    written.and_then(|()| out.flush()).map_err(Failure::output)
}
