//! The rows of `pki issue --from`.

use super::IssueArgs;
use crate::ca::{
    CaError, CsrNames, End, ExportError, FileKind, IssuanceError, KeyUseError, LeafProfile,
    LeafRequest, Lifetime, Profiles, TableRow, cost_of,
};
use crate::cli::failure::{Failure, REPLACE_CSR_NAMES};
use crate::cli::options::{key_source, named_csr};
use crate::cli::table::{BadRow, Columns, Header, Row};
use crate::key::KeyType;
use crate::store::Store;
use crate::x509::{GeneralName, Name};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(in crate::cli) const COLUMNS: &Columns = &Columns {
    names: &["cn", "san", "profile", "days", "key_type", "csr", "name"],
    needed: &["cn", "csr"],
    header: Header::Required,
};

/// Defaults of rows, from the options.
#[derive(Default)]
pub(in crate::cli) struct Defaults {
    profile: LeafProfile,
    profiles: Profiles,
    lifetime: Lifetime,
    key_type: KeyType,
    csr_names: CsrNames,
    /// Directory that the paths of CSRs are relative to.
    folder: PathBuf,
}

impl Defaults {
    pub(super) fn new(args: &IssueArgs, table: &Path, store: &Store) -> Result<Self, Failure> {
        Ok(Self {
            profile: args.profile.find(store)?,
            profiles: args.profile.file.read(store)?,
            lifetime: args.lifetime.lifetime(),
            key_type: args.key_type.unwrap_or_default(),
            csr_names: args.csr_names(),
            folder: table.parent().map(Path::to_owned).unwrap_or_default(),
        })
    }
}

/// A row that asks for a certificate.
pub(in crate::cli) struct CertificateRow {
    row: Row,
    defaults: Arc<Defaults>,
}

impl CertificateRow {
    pub(in crate::cli) fn new(row: Row, defaults: &Arc<Defaults>) -> Self {
        Self {
            row,
            defaults: defaults.clone(),
        }
    }

    /// Base name of its files, if the row has one.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.row.field("name")
    }

    /// The bytes of its fields.
    pub(super) fn length(&self) -> usize {
        self.row.length()
    }

    /// Returns whether its key is made here.
    pub(super) fn makes_key(&self) -> bool {
        self.row.field("csr").is_none()
    }

    /// Returns the failure of a column.
    pub(super) fn bad(&self, column: &'static str, problem: impl std::fmt::Display) -> Failure {
        self.row.bad(Some(column), problem).into()
    }

    /// Returns the failure of its files.
    pub(super) fn unplaced(&self, error: CaError) -> Failure {
        self.bad("name", in_one_line(error))
    }

    pub(super) fn place(&self) -> String {
        self.row.place()
    }

    fn read(&self) -> Result<LeafRequest, BadRow> {
        let Self { row, defaults } = self;
        row.check()?;
        let csr = row.parsed("csr", |path| {
            let path = defaults.folder.join(path);
            named_csr(&path)
                .map(|request| (path, request))
                .map_err(in_one_line)
        })?;
        if row.field("cn").is_none() && csr.is_none() {
            return Err(row.bad(Some("cn"), "cn or csr is required"));
        }
        let key_type = row.parsed("key_type", str::parse::<KeyType>)?;
        if csr.is_some() && key_type.is_some() {
            let problem = "the key is that of the csr, and of its type";
            return Err(row.bad(Some("key_type"), problem));
        }
        let days = row.parsed("days", |text| {
            let days = text.parse::<NonZeroU32>().map(NonZeroU32::get);
            days.map_err(|_| format!("{text:?} is not a number of days"))
        });
        Ok(LeafRequest {
            subject: row.parsed("cn", Name::from_common_name)?,
            alternative_names: row
                .parsed("san", GeneralName::parse_list)?
                .unwrap_or_default(),
            profile: row
                .parsed("profile", |name| defaults.profiles.find(name))?
                .unwrap_or_else(|| defaults.profile.clone()),
            lifetime: Lifetime {
                end: days?.map(End::Days).or(defaults.lifetime.end),
                ..defaults.lifetime
            },
            key: key_source(
                csr,
                defaults.csr_names,
                key_type.unwrap_or(defaults.key_type),
            ),
        })
    }
}

impl TableRow for CertificateRow {
    type Error = Failure;

    fn number(&self) -> u64 {
        self.row.number
    }

    fn cost(&self) -> usize {
        let kind = self.row.field("key_type").map(str::parse::<KeyType>);
        let key = match kind {
            _ if !self.makes_key() => 1,
            kind => cost_of(kind.and_then(Result::ok).unwrap_or(self.defaults.key_type)),
        };
        // Rows of thousands of SANs take time and memory too.
        key + self.length() / 1024
    }

    fn request(&self) -> Result<LeafRequest, Failure> {
        Ok(self.read()?)
    }

    fn refused(&self, error: CaError) -> Failure {
        let column = match &error {
            // About the store, and not about the row.
            CaError::Store(_)
            | CaError::File(_)
            | CaError::Key(
                KeyUseError::Randomness(_)
                | KeyUseError::Signing(_)
                | KeyUseError::Encoding(_)
                | KeyUseError::Verification(_),
            ) => return error.into(),
            CaError::Issuance(error) => column_of(error),
            CaError::Export(ExportError::FileName { .. }) => Some("name"),
            CaError::Input { .. } => Some("csr"),
            _ => None,
        };
        let is_csr_san = matches!(error, CaError::Issuance(IssuanceError::CsrSan { .. }));
        let refused = Failure::from(self.row.bad(column, in_one_line(error)));
        if is_csr_san {
            refused.hint(REPLACE_CSR_NAMES)
        } else {
            refused
        }
    }
}

/// Returns the column that an error is about.
fn column_of(error: &IssuanceError) -> Option<&'static str> {
    match error {
        IssuanceError::Validity { .. } | IssuanceError::ProfileDays { .. } => Some("days"),
        IssuanceError::NeedsAlternativeName { .. }
        | IssuanceError::AlternativeName(_)
        | IssuanceError::OtherName { .. }
        | IssuanceError::TooManyNames { .. } => Some("san"),
        IssuanceError::SubjectOfCa { .. }
        | IssuanceError::Subject(_)
        | IssuanceError::ProfileSubject { .. }
        | IssuanceError::Nameless => Some("cn"),
        IssuanceError::CsrSubject { .. } | IssuanceError::CsrSan { .. } => Some("csr"),
        IssuanceError::Lint { .. }
        | IssuanceError::ProfileKeyUsage { .. }
        | IssuanceError::CompromisedKey { .. }
        | IssuanceError::UnmakeableKey { .. } => None,
    }
}

/// An error and its causes.
fn in_one_line(error: CaError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// The files that a row's certificate gets.
pub(super) fn kinds(row: &CertificateRow, der: bool) -> Vec<FileKind> {
    FileKind::usual(true, row.makes_key(), der)
}
