//! Sum of the errors of the use cases, which stand in their directories.

use crate::ca::apply::error::ApplyError;
use crate::ca::apply::kind::Kind;
use crate::ca::authority::error::AuthorityError;
use crate::ca::crl::error::CrlError;
use crate::ca::export::error::ExportError;
use crate::ca::fixture::DefectError;
use crate::ca::foreign::error::{InputError, called};
use crate::ca::import::ImportError;
use crate::ca::issuance::error::{IssuanceError, IssuerError};
use crate::ca::ocsp::error::OcspError;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::profiles::error::ProfileError;
use crate::ca::remedy::Remedy;
use crate::ca::renewal::RenewalError;
use crate::ca::repository::error::RepositoryError;
use crate::ca::revocation::error::RevocationError;
use crate::ca::select::error::SelectError;
use crate::ca::trust_store::error::TrustStoreError;
use crate::store::file::Uncommitted;
use crate::store::{FileError, StoreError};
use crate::x509::general_name::GeneralNameError;
use crate::x509::name::NameError;
use crate::x509::path::IncompletePath;
use std::path::PathBuf;

/// Reasons why a use case did not do what was asked. Unless an error says so, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Key(#[from] KeyUseError),
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error(transparent)]
    Issuance(#[from] IssuanceError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Crl(#[from] CrlError),
    #[error(transparent)]
    Ocsp(#[from] OcspError),
    #[error(transparent)]
    TrustStore(#[from] TrustStoreError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Select(#[from] SelectError),
    #[error(transparent)]
    Revocation(#[from] RevocationError),
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Defect(#[from] DefectError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A file from outside is not what was expected.
    #[error("{} is not {expected}", called(path))]
    Input {
        path: PathBuf,
        expected: &'static str,
        source: InputError,
    },
    /// Something else is in the place of an output.
    #[error("{} already exists and is not {kind}", path.display())]
    WouldReplace {
        path: PathBuf,
        /// The kind of file that would replace it.
        kind: &'static str,
    },
    /// An entry of a declaration can't be made.
    #[error("{kind} {name} can't be created")]
    Entry {
        /// The kind of entry, as the declaration calls it.
        kind: &'static str,
        name: String,
        source: Box<CaError>,
    },
    /// The store has changed, and something after that failed.
    #[error("{what} is committed to the store, but a later step failed")]
    AfterCommit {
        what: String,
        /// Remedy for the rest; `None` if the caller words it.
        remedy: Option<Remedy>,
        source: Box<CaError>,
    },
    /// A file is in its place, and others are not, or it may not outlast a power cut.
    #[error("{} is written, but a later step failed", path.display())]
    InPlace { path: PathBuf, source: FileError },
}

impl CaError {
    pub(crate) fn after_commit(
        what: impl Into<String>,
        remedy: Remedy,
        source: impl Into<Self>,
    ) -> Self {
        Self::AfterCommit {
            what: what.into(),
            remedy: Some(remedy),
            source: Box::new(source.into()),
        }
    }

    /// Names the entry of a declaration that an error is about, unless the store has changed.
    pub(crate) fn about(self, kind: Kind, name: &str) -> Self {
        match self {
            Self::AfterCommit { .. }
            | Self::InPlace { .. }
            | Self::Entry { .. }
            | Self::Store(StoreError::Undecided { .. }) => self,
            source => Self::Entry {
                kind: kind.as_str(),
                name: name.to_owned(),
                source: Box::new(source),
            },
        }
    }
}

impl From<Uncommitted> for CaError {
    fn from(error: Uncommitted) -> Self {
        let Uncommitted { in_place, source } = error;
        match in_place {
            Some(path) => Self::InPlace { path, source },
            None => source.into(),
        }
    }
}

impl From<NameError> for CaError {
    fn from(error: NameError) -> Self {
        IssuanceError::from(error).into()
    }
}

impl From<GeneralNameError> for CaError {
    fn from(error: GeneralNameError) -> Self {
        IssuanceError::from(error).into()
    }
}

impl From<IncompletePath> for CaError {
    fn from(error: IncompletePath) -> Self {
        TrustStoreError::from(error).into()
    }
}
