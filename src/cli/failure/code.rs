//! Codes of errors, for scripts. They are part of the contract: a code never changes its meaning, and
//! docs/json.md lists them all.

use crate::ca::{CaError, FlawError, ImportError, InputError, Misfit, RenewalError};
use crate::key::KeyError;
use crate::store::file::Suspect;
use crate::store::{FileError, StoreError};
use std::io;

/// Code of command lines that are wrong; their exit code is 2.
pub(super) const USAGE: &str = "usage";
/// Code of standard output that cannot be written to.
pub(super) const OUTPUT: &str = "output-failed";
/// Code of a row or entry of a file that cannot be used.
pub(super) const BAD_ROW: &str = "invalid-row";

/// Returns the code of an error: that of its source, if the source says more.
pub(super) fn of(error: &CaError) -> &'static str {
    match error {
        CaError::Store(error) => of_store(error),
        CaError::File(error) => of_file(error),
        CaError::Import(error) => of_import(error),
        CaError::Renewal(error) => of_renewal(error),
        CaError::Flaw(error) => of_defect(error),
        CaError::NewKey(source)
        | CaError::Key { source, .. }
        | CaError::TrustStore { source, .. } => of_key(source),
        CaError::Misfit { source, .. } => of_misfit(source),
        CaError::Input { source, .. } => of_input(source),
        CaError::Entry { source, .. } => of(source),
        CaError::NoPassphrase { .. } => "passphrase-required",
        CaError::KeyElsewhere { .. } => "key-not-in-store",
        CaError::AheadVoid { .. } => "presigned-crls-outdated",
        CaError::AheadOver { .. } => "presigned-crls-expired",
        CaError::KeyMismatch { .. } => "ca-key-mismatch",
        CaError::CaUnusable { .. } => "ca-unusable",
        CaError::CaNotYetValid { .. } => "ca-not-yet-valid",
        CaError::IssuedByNone { .. } => "issuer-not-found",
        CaError::NotIssuedBy { .. } => "not-issued-by-ca",
        CaError::AnotherOnRecord { .. } => "serial-in-use",
        CaError::SerialUnusable { .. } => "invalid-serial",
        CaError::SignatureNotChecked { .. } => "signature-algorithm-unsupported",
        CaError::OnlyAdopted { .. } => "adopted-not-revoked",
        CaError::OtherRequest { .. } => "pending-ca-differs",
        CaError::Lint { .. } => "lint-failed",
        CaError::Subject(_) | CaError::CsrSubject { .. } => "invalid-subject",
        CaError::AlternativeName(_) | CaError::CsrSan { .. } => "invalid-san",
        CaError::TooManyNames { .. } => "too-many-sans",
        CaError::CompromisedKey { .. } => "key-compromised",
        CaError::SubjectOfCa { .. } => "subject-of-ca",
        CaError::RevokedCa { .. } => "ca-revoked",
        CaError::Nameless => "name-required",
        CaError::NeedsAlternativeName { .. } => "san-required",
        CaError::Validity { .. } => "invalid-validity",
        CaError::InvalidityInFuture => "invalidity-date-in-future",
        CaError::NextUpdate { .. } => "invalid-next-update",
        CaError::PathLength { .. } => "path-length-exceeded",
        CaError::NoSuchCertificate { .. } | CaError::NotOnRecord { .. } => "certificate-not-found",
        CaError::WithoutCertificate { .. } => "certificate-not-in-store",
        CaError::AmbiguousSerial { .. } => "serial-ambiguous",
        CaError::FileName { .. } => "invalid-file-name",
        CaError::SecretName { .. } => "invalid-secret-name",
        CaError::KeyNeeded { .. } => "key-required",
        CaError::NotTaken { .. } => "target-unsupported",
        CaError::EmptyBundle => "bundle-empty",
        CaError::IncompleteBundle(_) => "chain-incomplete",
        CaError::NotForBundle { .. } => "not-a-ca-certificate",
        CaError::WouldReplace { .. } => "file-foreign",
        CaError::ListWouldShrink { .. } => "crl-loses-entries",
        CaError::ListTooLarge { .. } => "crl-too-large",
        CaError::NoPublishedList { .. } => "crl-not-published",
        CaError::SeveralLive { .. } => "certificate-ambiguous",
        CaError::NotOnHold { .. } => "not-on-hold",
        CaError::OwnCertificate { .. } => "own-certificate",
        CaError::OtherCas { .. } => "ca-differs",
        CaError::RulesBroken { .. } => "target-rules-broken",
        CaError::AfterCommit { .. } => "incomplete-after-commit",
        CaError::InPlace { .. } => "not-durable",
    }
}

fn of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::File(error) => of_file(error),
        StoreError::Undecided { .. } => "commit-undecided",
        StoreError::NoStore { .. } => "store-not-found",
        StoreError::NotAStore { .. } => "not-a-store",
        StoreError::Newer { .. } => "store-newer",
        StoreError::NoFixtureStore { .. } => "fixture-store-required",
        StoreError::Damaged { .. } => "store-damaged",
        StoreError::RevocationsLost { .. } => "revocations-lost",
        StoreError::NoSuchCa { .. } => "ca-not-found",
        StoreError::CaExists { .. } => "ca-exists",
        StoreError::CaPending { .. } => "ca-pending",
        StoreError::NotPending { .. } => "ca-not-pending",
        StoreError::Locked { .. } => "locked",
        StoreError::NotEmpty { .. } => "directory-not-empty",
        StoreError::BadArchive { .. } => "invalid-backup",
        StoreError::SerialsUsedUp { .. } => "serials-exhausted",
        StoreError::CrlNumbersUsedUp { .. } => "crl-numbers-exhausted",
    }
}

pub(super) fn of_file(error: &FileError) -> &'static str {
    let cause = error.source.get_ref();
    let suspect = cause.and_then(|cause| cause.downcast_ref::<Suspect>());
    if suspect.is_some() {
        return "file-suspect";
    }
    match error.source.kind() {
        io::ErrorKind::NotFound => "file-not-found",
        io::ErrorKind::AlreadyExists => "file-exists",
        io::ErrorKind::PermissionDenied => "permission-denied",
        io::ErrorKind::NotADirectory => "not-a-directory",
        io::ErrorKind::IsADirectory => "is-a-directory",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "no-space",
        io::ErrorKind::ReadOnlyFilesystem => "read-only",
        io::ErrorKind::FileTooLarge => "file-too-large",
        io::ErrorKind::InvalidData => "file-unreadable",
        _ => "file-failed",
    }
}

fn of_key(error: &KeyError) -> &'static str {
    match error {
        KeyError::Pem(_) => "invalid-pem",
        KeyError::NotAKey { .. } => "not-a-key",
        KeyError::Malformed(_) | KeyError::Inconsistent { .. } => "invalid-key",
        KeyError::Unsupported { .. } => "key-type-unsupported",
        KeyError::Weak(_) => "key-weak",
        KeyError::WrongPassphrase => "passphrase-wrong",
        KeyError::Unprotected => "passphrase-required",
        KeyError::Encryption { .. } => "key-encryption-unsupported",
        KeyError::Library { .. } => "cryptography-failed",
    }
}

fn of_input(error: &InputError) -> &'static str {
    match error {
        InputError::Pem(_) => "invalid-pem",
        InputError::Malformed(_) => "invalid-der",
        InputError::Key(source) => of_key(source),
        InputError::Name(_) => "invalid-san",
        InputError::Utf16 => "utf-16",
        InputError::BareBase64 => "pem-without-lines",
        InputError::Other(_) => "invalid-input",
    }
}

fn of_misfit(misfit: &Misfit) -> &'static str {
    match misfit {
        Misfit::Key | Misfit::OwnKey => "install-key-mismatch",
        Misfit::Subject { .. } | Misfit::SubjectBytes => "install-subject-mismatch",
        Misfit::KeyIdentifier => "install-key-identifier-mismatch",
        Misfit::Issuer { .. } => "install-issuer-mismatch",
        Misfit::NotACa | Misfit::KeyUsage { .. } => "install-not-a-ca",
        Misfit::Path(_) => "install-path-invalid",
        Misfit::Rules(_) => "lint-failed",
    }
}

fn of_import(error: &ImportError) -> &'static str {
    match error {
        ImportError::NoFolder { .. } => "import-directory-not-found",
        ImportError::Missing { .. } => "import-file-not-found",
        ImportError::Several { .. } => "import-file-ambiguous",
        ImportError::KeyDoesNotFit { .. } => "ca-key-mismatch",
        ImportError::NotACa { .. } => "not-a-ca-certificate",
        ImportError::SignatureNotChecked { .. } => "signature-algorithm-unsupported",
        ImportError::AlreadyHere { .. } => "ca-exists",
        ImportError::HereWithoutKey { .. } => "ca-exists-without-key",
        ImportError::NumbersUsedUp { .. } => "serials-exhausted",
    }
}

fn of_renewal(error: &RenewalError) -> &'static str {
    match error {
        RenewalError::NotALeaf { .. } => "renewal-of-ca",
        RenewalError::Purposeless { .. } => "renewal-without-purpose",
        RenewalError::Flawed { .. } => "renewal-of-defect",
        RenewalError::RevokedPredecessor { .. } => "renewal-of-revoked",
        RenewalError::KeyOfRequest { .. } => "key-not-in-store",
        RenewalError::RevokedCa { .. } => "ca-revoked",
        RenewalError::NotARoot { .. } => "not-a-root",
        RenewalError::NameOfPredecessor { .. } => "subject-of-ca",
        RenewalError::NoCrossCertificate { .. } => "cross-certificate-not-found",
        RenewalError::UnmakeableKey { .. } => "key-type-unsupported",
        RenewalError::Files { source, .. } => of(source),
        RenewalError::FilesOfOther { .. } => "file-foreign",
        RenewalError::RenewedMeanwhile { .. } => "already-renewed",
        RenewalError::CaEndsFirst { .. } => "ca-expires-first",
    }
}

fn of_defect(error: &FlawError) -> &'static str {
    match error {
        FlawError::NotHere { .. } => "fixture-store-required",
        FlawError::KeyElsewhere => "key-required",
        FlawError::NoNames => "san-required",
    }
}
