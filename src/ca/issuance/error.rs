//! Errors of issuing certificates, and of the CA that signs. Nothing was changed.

use crate::ca::foreign::error::{InputError, called};
use crate::ca::owner::{KeyOf, SubjectOwner};
use crate::key::KeyUri;
use crate::store::CaName;
use crate::x509::general_name::GeneralNameError;
use crate::x509::lint::Findings;
use crate::x509::name::NameError;
use crate::x509::validity::rfc3339;
use crate::x509::{Reason, Serial};
use const_oid::ObjectIdentifier;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Reasons why a CA can't sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuerError {
    #[error("the key of {ca} is not in the store")]
    KeyElsewhere { ca: CaName },
    /// Only a key in the store can be changed or exported.
    #[error("the key of {ca} is outside the store: {uri}")]
    KeyOutside { ca: CaName, uri: KeyUri },
    /// The CA's key has no passphrase that could protect the keys of leaves.
    #[error("a new leaf key of {ca} needs a passphrase of its own")]
    LeafPassphrase { ca: CaName },
    #[error("the key of {ca} does not match its certificate")]
    KeyMismatch {
        ca: CaName,
        /// Its place outside the store.
        uri: Option<KeyUri>,
    },
    /// The certificate of the CA does not allow what was asked, or its path is broken.
    #[error("{ca} cannot sign this: {problem}")]
    CaUnusable {
        ca: CaName,
        problem: String,
        /// The CA whose renewal repairs that: it names a previous certificate of its parent CA.
        to_renew: Option<CaName>,
    },
    /// The certificate of the CA, or of one above it, is not valid yet.
    #[error("{ca} cannot sign this: {subject} is not valid before {}", rfc3339(*not_before))]
    CaNotYetValid {
        ca: CaName,
        subject: String,
        not_before: OffsetDateTime,
    },
    /// The certificate of the CA, or of one above it, is revoked.
    #[error("{ca} cannot sign this: {subject} was revoked at {} ({reason})", rfc3339(*at))]
    RevokedCa {
        ca: CaName,
        /// The subject of the revoked certificate.
        subject: String,
        at: OffsetDateTime,
        reason: Reason,
        /// The CA whose renewal repairs that: it names a previous certificate of its parent CA.
        to_renew: Option<CaName>,
    },
}

/// Reasons why a certificate is not issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuanceError {
    #[error("the certificate fails lint")]
    Lint {
        #[source]
        findings: Findings,
    },
    #[error("invalid subject")]
    Subject(#[from] NameError),
    #[error("invalid SAN")]
    AlternativeName(#[from] GeneralNameError),
    /// A CSR asks for a subject that no certificate gets.
    #[error("invalid subject in {}", called(path))]
    CsrSubject { path: PathBuf, source: NameError },
    /// A CSR asks for a SAN that no certificate gets.
    #[error("invalid SAN in {}", called(path))]
    CsrSan { path: PathBuf, source: InputError },
    #[error("the certificate has {count} SANs; at most {most} are issued")]
    TooManyNames { count: usize, most: usize },
    /// A certificate about the same key was revoked for keyCompromise.
    #[error(
        "{whose} is compromised: certificate {serial} of {ca}, which has it too, is revoked for that"
    )]
    CompromisedKey {
        /// The CA that revoked it.
        ca: CaName,
        serial: Serial,
        whose: KeyOf,
    },
    #[error("the subject {subject} belongs to {owner}")]
    SubjectOfCa {
        subject: String,
        owner: SubjectOwner,
    },
    #[error("the certificate has neither a subject nor a SAN")]
    Nameless,
    /// The profile needs a kind of SAN.
    #[error("a certificate of profile {profile} needs {kind} in its SANs")]
    NeedsAlternativeName { profile: String, kind: &'static str },
    /// Only a profile of a file allows this type of otherName.
    #[error("profile {profile} does not allow SANs of type {kind} (profile-other-name)")]
    OtherName {
        kind: ObjectIdentifier,
        profile: String,
    },
    #[error("the subject of profile {profile} needs a common name")]
    ProfileSubject { profile: String },
    /// Keys of the type do not have the key usage.
    #[error(
        "profile {profile} has the key usage {usage}, which keys of type {kind} do not have (profile-key-usage)"
    )]
    ProfileKeyUsage {
        profile: String,
        usage: &'static str,
        kind: String,
    },
    #[error("the validity exceeds the {most} days that profile {profile} allows (profile-days)")]
    ProfileDays { profile: String, most: u32 },
    #[error("invalid validity: {problem}")]
    Validity { problem: String },
    /// A kind of key that is read and not made.
    #[error("new keys of type {kind} are not supported")]
    UnmakeableKey { kind: String },
}
