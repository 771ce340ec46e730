//! Codes of errors, for scripts. They are part of the contract: a code never changes its meaning, and
//! docs/json.md lists them all.

use crate::ca::{
    ApplyError, AuthorityError, CaError, CrlError, DefectError, ExportError, ImportError,
    InputError, IssuanceError, IssuerError, KeyUseError, Misfit, OcspError, ProfileError,
    RenewalError, RepositoryError, RevocationError, Secret, SelectError, TrustStoreError,
};
use crate::key::{Code, HelperError, KeyError};
use crate::store::file::Suspect;
use crate::store::{FileError, StoreError};
use std::io;

/// Code of command lines that are wrong; their exit code is 2.
pub(super) const USAGE: &str = "usage";
/// Code of standard output that cannot be written to.
pub(super) const OUTPUT: &str = "output-failed";
/// Code of a command of `--on-change` that failed.
pub(super) const ON_CHANGE: &str = "on-change-failed";
/// Code of a row or entry of a file that cannot be used.
pub(super) const BAD_ROW: &str = "invalid-row";

/// Code of a file of profiles that cannot be used.
pub(super) const INVALID_PROFILE: &str = "invalid-profile";

/// Returns the code of an error: that of its source, if the source says more.
pub(super) fn of(error: &CaError) -> &'static str {
    match error {
        CaError::Store(error) => of_store(error),
        CaError::File(error) => of_file(error),
        CaError::Key(error) => of_key_use(error),
        CaError::Issuer(error) => of_issuer(error),
        CaError::Issuance(error) => of_issuance(error),
        CaError::Authority(error) => of_authority(error),
        CaError::Crl(error) => of_crl(error),
        CaError::Ocsp(error) => of_ocsp(error),
        CaError::TrustStore(error) => of_trust_store(error),
        CaError::Export(error) => of_export(error),
        CaError::Select(error) => of_select(error),
        CaError::Revocation(error) => of_revocation(error),
        CaError::Renewal(error) => of_renewal(error),
        CaError::Import(error) => of_import(error),
        CaError::Defect(error) => of_defect(error),
        CaError::Profile(error) => of_profile(error),
        CaError::Repository(error) => of_repository(error),
        CaError::Apply(error) => of_apply(error),
        CaError::Input { source, .. } => of_input(source),
        CaError::Entry { source, .. } => of(source),
        CaError::WouldReplace { .. } => "file-foreign",
        CaError::AfterCommit { .. } => "incomplete-after-commit",
        CaError::InPlace { .. } => "not-durable",
    }
}

fn of_key_use(error: &KeyUseError) -> &'static str {
    match error {
        KeyUseError::NoPassphrase { secret, .. } => match secret {
            Secret::Passphrase => "passphrase-required",
            Secret::Pin => "pin-required",
        },
        KeyUseError::NotThere { .. } => "key-not-found",
        KeyUseError::OtherType { .. } => "key-type-mismatch",
        KeyUseError::Unusable { source, .. }
        | KeyUseError::Outside { source, .. }
        | KeyUseError::Randomness(source)
        | KeyUseError::Signing(source)
        | KeyUseError::Encoding(source)
        | KeyUseError::Verification(source) => of_key(source),
    }
}

fn of_issuer(error: &IssuerError) -> &'static str {
    match error {
        IssuerError::KeyElsewhere { .. } => "key-not-in-store",
        IssuerError::KeyOutside { .. } => "key-outside-store",
        IssuerError::LeafPassphrase { .. } => "passphrase-required",
        IssuerError::KeyMismatch { .. } => "ca-key-mismatch",
        IssuerError::CaUnusable { .. } => "ca-unusable",
        IssuerError::CaNotYetValid { .. } => "ca-not-yet-valid",
        IssuerError::RevokedCa { .. } => "ca-revoked",
    }
}

fn of_issuance(error: &IssuanceError) -> &'static str {
    match error {
        IssuanceError::Lint { .. } => "lint-failed",
        IssuanceError::Subject(_) | IssuanceError::CsrSubject { .. } => "invalid-subject",
        IssuanceError::AlternativeName(_) | IssuanceError::CsrSan { .. } => "invalid-san",
        IssuanceError::TooManyNames { .. } => "too-many-sans",
        IssuanceError::CompromisedKey { .. } => "key-compromised",
        IssuanceError::SubjectOfCa { .. } => "subject-of-ca",
        IssuanceError::Nameless | IssuanceError::ProfileSubject { .. } => "name-required",
        IssuanceError::NeedsAlternativeName { .. } => "san-required",
        IssuanceError::Validity { .. } => "invalid-validity",
        IssuanceError::UnmakeableKey { .. } => "key-type-unsupported",
        IssuanceError::OtherName { .. } => "san-not-allowed",
        IssuanceError::ProfileDays { .. } => "validity-exceeds-profile",
        IssuanceError::ProfileKeyUsage { .. } => "key-usage-unsupported",
    }
}

fn of_authority(error: &AuthorityError) -> &'static str {
    match error {
        AuthorityError::OtherRequest { .. } => "pending-ca-differs",
        AuthorityError::Misfit { source, .. } => of_misfit(source),
        AuthorityError::PathLength { .. } => "path-length-exceeded",
        AuthorityError::HasCasBelow { .. } => "ca-has-cas-below",
        AuthorityError::StillValid { .. } => "ca-still-valid",
        AuthorityError::RevokedCa { .. } => "ca-revoked",
        AuthorityError::KeyOfOther { .. } => "key-of-other-ca",
        AuthorityError::OtherKeyThere { .. } => "ca-key-mismatch",
        AuthorityError::NotARoot { .. } => "not-a-root",
        AuthorityError::NameOfPredecessor { .. } => "subject-of-ca",
        AuthorityError::NoCrossCertificate { .. } => "cross-certificate-not-found",
    }
}

fn of_crl(error: &CrlError) -> &'static str {
    match error {
        CrlError::PresignedOutdated { .. } => "presigned-crls-outdated",
        CrlError::PresignedExpired { .. } => "presigned-crls-expired",
        CrlError::NextUpdate { .. } => "invalid-next-update",
        CrlError::LosesEntries { .. } => "crl-loses-entries",
        CrlError::TooLarge { .. } => "crl-too-large",
        CrlError::NotPublished { .. } => "crl-not-published",
    }
}

fn of_ocsp(error: &OcspError) -> &'static str {
    match error {
        OcspError::Expired { .. } => "certificate-expired",
        OcspError::NoResponder { .. } => "key-not-in-store",
        OcspError::RevokedCa { .. } => "ca-revoked",
        OcspError::SamePath { .. } => "path-in-use",
        OcspError::Foreign { .. } => "file-foreign",
        OcspError::NotADirectory { .. } => "not-a-directory",
    }
}

fn of_trust_store(error: &TrustStoreError) -> &'static str {
    match error {
        TrustStoreError::Empty => "bundle-empty",
        TrustStoreError::Incomplete(_) => "chain-incomplete",
        TrustStoreError::NotACa { .. } => "not-a-ca-certificate",
    }
}

fn of_export(error: &ExportError) -> &'static str {
    match error {
        ExportError::FileName { .. } => "invalid-file-name",
        ExportError::SecretName { .. } => "invalid-secret-name",
        ExportError::KeyNeeded { .. } => "key-required",
        ExportError::NotTaken { .. } => "target-unsupported",
    }
}

fn of_select(error: &SelectError) -> &'static str {
    match error {
        SelectError::NotFound { .. } => "certificate-not-found",
        SelectError::WithoutCertificate { .. } => "certificate-not-in-store",
        SelectError::AmbiguousSerial { .. } => "serial-ambiguous",
    }
}

fn of_revocation(error: &RevocationError) -> &'static str {
    match error {
        RevocationError::InvalidityInFuture => "invalidity-date-in-future",
        RevocationError::NotOnRecord { .. } => "certificate-not-found",
        RevocationError::IssuerNotFound { .. } => "issuer-not-found",
        RevocationError::NotIssuedBy { .. } => "not-issued-by-ca",
        RevocationError::AnotherOnRecord { .. } => "serial-in-use",
        RevocationError::SerialUnusable { .. } => "invalid-serial",
        RevocationError::SignatureNotChecked { .. } => "signature-algorithm-unsupported",
        RevocationError::OnlyAdopted { .. } => "adopted-not-revoked",
        RevocationError::SeveralLive { .. } => "certificate-ambiguous",
        RevocationError::NotOnHold { .. } => "not-on-hold",
        RevocationError::OwnCertificate { .. } => "own-certificate",
    }
}

fn of_profile(error: &ProfileError) -> &'static str {
    match error {
        ProfileError::NotFound { .. } => "profile-not-found",
        ProfileError::Invalid { .. } | ProfileError::Empty { .. } | ProfileError::Broken { .. } => {
            INVALID_PROFILE
        }
        ProfileError::TooLarge => "file-too-large",
        ProfileError::Exists { .. } => "profile-exists",
    }
}

fn of_repository(error: &RepositoryError) -> &'static str {
    match error {
        RepositoryError::NoCrl { .. } => "crl-not-published",
        RepositoryError::SamePath { .. } => "path-in-use",
        RepositoryError::UnusablePath { .. } => "invalid-url",
        RepositoryError::Foreign { .. } => "file-foreign",
        RepositoryError::NotADirectory { .. } => "not-a-directory",
    }
}

fn of_apply(error: &ApplyError) -> &'static str {
    match error {
        ApplyError::OtherCas { .. } => "ca-differs",
        ApplyError::RulesBroken { .. } => "target-rules-broken",
    }
}

fn of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::File(error) => of_file(error),
        StoreError::Undecided { .. } => "commit-undecided",
        StoreError::Address(_) => "invalid-store-url",
        StoreError::Connection { .. } => "connection-failed",
        StoreError::Tls { .. } => "invalid-tls-files",
        StoreError::Unsuitable { .. } => "database-unsuitable",
        StoreError::Database { .. } => "database-error",
        StoreError::NotInDatabase { .. } => "not-in-database",
        StoreError::Overtaken { .. } | StoreError::LeaseLost { .. } => "store-changed",
        StoreError::Randomness => "cryptography-failed",
        StoreError::NoStore { .. } => "store-not-found",
        StoreError::CaRemoved { .. } => "ca-removed",
        StoreError::KeysChanged { .. } => "keys-changed",
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
        io::ErrorKind::ResourceBusy => "locked",
        _ => "file-failed",
    }
}

fn of_key(error: &KeyError) -> &'static str {
    match error {
        KeyError::Pem(_) => "invalid-pem",
        KeyError::NotAlone => "key-not-alone",
        KeyError::NotAKey { .. } => "not-a-key",
        KeyError::Malformed(_) | KeyError::Inconsistent { .. } => "invalid-key",
        KeyError::Unsupported { .. } => "key-type-unsupported",
        KeyError::Signature(_) => "invalid-signature",
        KeyError::Weak(_) => "key-weak",
        KeyError::WrongPassphrase => "passphrase-wrong",
        KeyError::Outside => "key-outside-store",
        KeyError::Helper(error) => of_helper(error),
        KeyError::Unprotected => "passphrase-required",
        KeyError::Encryption { .. } => "key-encryption-unsupported",
        KeyError::Library { .. } => "cryptography-failed",
    }
}

fn of_helper(error: &HelperError) -> &'static str {
    match error {
        HelperError::NotFound { .. } => "key-helper-not-found",
        HelperError::Answered { code, .. } => match code {
            Code::PinRequired => "pin-required",
            Code::PinWrong => "pin-wrong",
            Code::PinLocked => "pin-locked",
            Code::Absent => "token-absent",
            Code::Busy => "token-busy",
            Code::KeyNotFound => "key-not-found",
            Code::KeyAmbiguous => "key-ambiguous",
            Code::KeyExists => "key-exists",
            Code::InvalidUri => "invalid-key-uri",
            Code::Unsupported => "key-operation-unsupported",
            Code::Refused => "key-operation-refused",
            Code::Failed => "key-helper-failed",
        },
        HelperError::NotStarted { .. }
        | HelperError::Version { .. }
        | HelperError::Ended { .. }
        | HelperError::NoAnswer { .. }
        | HelperError::NotUnderstood { .. }
        | HelperError::TooLong { .. } => "key-helper-failed",
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
        RenewalError::ProfileNotFound { .. } => "profile-not-found",
        RenewalError::Purposeless { .. } => "renewal-without-purpose",
        RenewalError::Defective { .. } => "renewal-of-defect",
        RenewalError::RevokedPredecessor { .. } => "renewal-of-revoked",
        RenewalError::KeyOfRequest { .. } => "key-not-in-store",
        RenewalError::Files { source, .. } => of(source),
        RenewalError::FilesOfOther { .. } => "file-foreign",
        RenewalError::RenewedMeanwhile { .. } => "already-renewed",
        RenewalError::CaEndsFirst { .. } => "ca-expires-first",
    }
}

fn of_defect(error: &DefectError) -> &'static str {
    match error {
        DefectError::NotHere { .. } => "fixture-store-required",
        DefectError::KeyElsewhere => "key-required",
        DefectError::NoNames => "san-required",
    }
}
