//! What can go wrong with a CA's work.

use crate::asn1::Malformed;
use crate::ca::apply::kind::Kind;
use crate::ca::fixture::FlawError;
use crate::ca::import::ImportError;
use crate::ca::owner::KeyOf;
use crate::ca::owner::SubjectOwner;
use crate::ca::remedy::Remedy;
use crate::ca::renewal::RenewalError;
use crate::key::KeyError;
use crate::pem::PemError;
use crate::store::file::Uncommitted;
use crate::store::{CaName, FileError, Location, StoreError};
use crate::x509::general_name::GeneralNameError;
use crate::x509::lint::Findings;
use crate::x509::name::NameError;
use crate::x509::path::IncompletePath;
use crate::x509::serial::SerialError;
use crate::x509::validity::rfc3339;
use crate::x509::verify::Refusal;
use crate::x509::{Reason, Serial};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Why a use case did not do what was asked. Unless it says so, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key of the store or of a file can't be used.
    #[error("the key {path} can't be used")]
    Key {
        /// The key's file.
        path: Location,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A key could not be made or encoded.
    #[error("a key could not be made")]
    NewKey(#[source] KeyError),
    /// No passphrase is to be had.
    #[error("there is no passphrase for {key}")]
    NoPassphrase {
        /// The key it was wanted for.
        key: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The CA's key is not in the store.
    #[error("the key of {ca} is not in the store")]
    KeyElsewhere {
        /// The CA.
        ca: CaName,
    },
    /// What was signed ahead lacks what was recorded since.
    #[error("the {count} lists that {ca} signed ahead lack what was revoked or released since")]
    AheadVoid {
        /// The CA.
        ca: CaName,
        /// How many there are.
        count: usize,
        /// Why no other list was signed.
        source: Box<CaError>,
    },
    /// What was signed ahead is used up.
    #[error("no list that {ca} signed ahead is for now; the last ends at {}", rfc3339(*until))]
    AheadOver {
        /// The CA.
        ca: CaName,
        /// When the last of them ends.
        until: OffsetDateTime,
        /// Why no other list was signed.
        source: Box<CaError>,
    },
    /// The CA's key is not the one in its certificate.
    #[error("the key of {ca} is not the one that its certificate certifies")]
    KeyMismatch {
        /// The CA.
        ca: CaName,
    },
    /// A CA's certificate does not allow what was asked, or does not stand.
    #[error("{ca} can't sign this: {problem}")]
    CaUnusable {
        /// The CA.
        ca: CaName,
        /// Why.
        problem: String,
        /// The CA whose renewal repairs that: it names a previous certificate of the CA above it.
        to_renew: Option<CaName>,
    },
    /// The certificate of the CA, or of one above it, is not valid yet.
    #[error("{ca} can't sign this: {subject} is not valid before {}", rfc3339(*not_before))]
    CaNotYetValid {
        /// The CA.
        ca: CaName,
        /// Subject of the certificate that is not valid yet.
        subject: String,
        /// Its notBefore.
        not_before: OffsetDateTime,
    },
    /// The CA waits already, for the certificate of another request.
    #[error("{ca} waits for the certificate of another request: {problem}")]
    OtherRequest {
        /// The CA.
        ca: CaName,
        /// What differs.
        problem: String,
    },
    /// What came back can't be the certificate of the CA that waits.
    #[error("{} can't be installed as {ca}", path.display())]
    Misfit {
        /// The certificate's file.
        path: PathBuf,
        /// The CA.
        ca: CaName,
        /// Why not.
        source: Misfit,
    },
    /// A CA of another program can't be taken over.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// What would be issued breaks rules.
    #[error("the certificate would not be right")]
    Lint {
        /// What the rules found.
        #[source]
        findings: Findings,
    },
    /// The subject can't be a name.
    #[error("the subject can't be used")]
    Subject(#[from] NameError),
    /// An alternative name can't be one.
    #[error("the alternative name can't be used")]
    AlternativeName(#[from] GeneralNameError),
    /// A CSR asks for a subject that no certificate gets.
    #[error("the subject of {} can't be used", called(path))]
    CsrSubject {
        /// The CSR's file.
        path: PathBuf,
        /// What is wrong with it.
        source: NameError,
    },
    /// A CSR asks for a SAN that no certificate gets.
    #[error("a SAN of {} can't be used", called(path))]
    CsrSan {
        /// The CSR's file.
        path: PathBuf,
        /// What is wrong with it.
        source: InputError,
    },
    /// The certificate would have more SANs than are issued.
    #[error("the certificate has {count} SANs; at most {most} are issued")]
    TooManyNames {
        /// Number of its SANs.
        count: usize,
        /// The limit.
        most: usize,
    },
    /// A certificate can't be renewed so.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// A certificate is not issued with a flaw.
    #[error(transparent)]
    Flaw(#[from] FlawError),
    /// A certificate about the same key was revoked because others have it.
    #[error(
        "{whose} is compromised: for that {serial} of {ca}, which is about it too, was revoked"
    )]
    CompromisedKey {
        /// The CA that revoked it.
        ca: CaName,
        /// Its serial.
        serial: Serial,
        /// Whose key it is.
        whose: KeyOf,
    },
    /// The subject is that of a CA.
    #[error("the subject {subject} belongs to {owner}")]
    SubjectOfCa {
        /// The subject.
        subject: String,
        /// Owner of the subject.
        owner: SubjectOwner,
    },
    /// A CA that was revoked, or is below one that was, issues nothing.
    #[error("{ca} can't sign this: {subject} was revoked at {} ({reason})", rfc3339(*at))]
    RevokedCa {
        /// The CA.
        ca: CaName,
        /// The subject of the one that was revoked.
        subject: String,
        /// When it was revoked.
        at: OffsetDateTime,
        /// Why.
        reason: Reason,
        /// The CA whose renewal repairs that: it names a previous certificate of the CA above it.
        to_renew: Option<CaName>,
    },
    /// Neither a subject nor an alternative name was given.
    #[error("the certificate would have neither a subject nor an alternative name")]
    Nameless,
    /// The profile needs an alternative name.
    #[error("a certificate of profile {profile} needs {kind} among its alternative names")]
    NeedsAlternativeName {
        /// The profile.
        profile: String,
        /// What kind of name.
        kind: &'static str,
    },
    /// The times asked for can't be had.
    #[error("the validity can't be had: {problem}")]
    Validity {
        /// Why.
        problem: String,
    },
    /// A key can't be suspect from tomorrow on.
    #[error("the invalidity date is in the future")]
    InvalidityInFuture,
    /// A list's nextUpdate can't be had.
    #[error("the list can't be replaced then: {problem}")]
    NextUpdate {
        /// Why.
        problem: String,
    },
    /// A path length that the CA above does not allow.
    #[error(
        "{ca} allows at most {allowed} CAs below it, so the new one can't have path length {asked}"
    )]
    PathLength {
        /// The CA above.
        ca: CaName,
        /// What the CA above allows.
        allowed: u32,
        /// What was asked for.
        asked: u32,
    },
    /// A file that is not what was expected.
    #[error("{} is not {expected}", called(path))]
    Input {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
        /// What is wrong with it.
        source: InputError,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no certificate of that name or number.
    #[error("{ca} has issued no certificate {wanted}")]
    NoSuchCertificate {
        /// The CA.
        ca: CaName,
        /// What was looked for, as in "with serial 0A".
        wanted: String,
    },
    /// No record of the CA has that serial number, and there is no certificate to adopt.
    #[error("{ca} has issued no certificate with serial {serial}")]
    NotOnRecord {
        /// The CA.
        ca: CaName,
        /// The serial number.
        serial: Serial,
    },
    /// No CA of the store issued a certificate.
    #[error("no CA of the store issued the certificate in {}", path.display())]
    IssuedByNone {
        /// The certificate's file.
        path: PathBuf,
    },
    /// A CA did not sign a certificate.
    #[error("{ca} did not issue the certificate in {}{}", path.display(), if *is_named { ", which names it as issuer: the signature is not by its key" } else { "" })]
    NotIssuedBy {
        /// The CA.
        ca: CaName,
        /// The certificate's file.
        path: PathBuf,
        /// Whether the certificate names the CA as its issuer.
        is_named: bool,
    },
    /// Another certificate with the same serial number is on record.
    #[error("{ca} has another certificate with the serial number {serial} on record than that in {}", path.display())]
    AnotherOnRecord {
        /// The CA.
        ca: CaName,
        /// The certificate's file.
        path: PathBuf,
        /// The serial number of both.
        serial: Serial,
    },
    /// A certificate cannot be recorded under its serial number.
    #[error("the certificate in {} cannot be recorded", path.display())]
    SerialUnusable {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with the number.
        source: SerialError,
    },
    /// Whether the CA signed a certificate is not known.
    #[error("{} is signed with {algorithm}, which is not checked", path.display())]
    SignatureNotChecked {
        /// The certificate's file.
        path: PathBuf,
        /// The algorithm.
        algorithm: String,
    },
    /// A certificate is on record now, and its revocation is not.
    #[error("{serial} of {ca} is on record now, but could not be revoked")]
    OnlyAdopted {
        /// The CA.
        ca: CaName,
        /// The certificate's serial number.
        serial: Serial,
        /// What failed.
        source: Box<CaError>,
    },
    /// The CA came into the store without a certificate that it had issued.
    #[error("the certificate {serial} of {ca} is not in the store: the CA was imported without it")]
    WithoutCertificate {
        /// The CA.
        ca: CaName,
        /// The certificate's serial.
        serial: Serial,
    },
    /// A serial number's text fits two certificates.
    #[error("{text} fits two certificates of {ca}: {hex} if it is hex, {decimal} if it is decimal")]
    AmbiguousSerial {
        /// The CA.
        ca: CaName,
        /// What was written.
        text: String,
        /// The certificate's serial under the first reading.
        hex: Serial,
        /// The certificate's serial under the second.
        decimal: Serial,
    },
    /// A name that can't be that of a file.
    #[error("{name:?} can't be a file name")]
    FileName {
        /// The name.
        name: String,
    },
    /// A name that can't be that of a Kubernetes Secret.
    #[error("{name:?} can't be the name of a Kubernetes Secret")]
    SecretName {
        /// The name.
        name: String,
    },
    /// The files asked for hold a key, and there is none.
    #[error("its key is not here, and without it there is no {what}")]
    KeyNeeded {
        /// What was to be written.
        what: &'static str,
    },
    /// What a party does not take.
    #[error("{party} does not take {what}")]
    NotTaken {
        /// Who.
        party: &'static str,
        /// What.
        what: String,
    },
    /// There is nothing to put into a bundle.
    #[error("there is no CA to put into the bundle")]
    EmptyBundle,
    /// A bundle whose paths don't reach their roots.
    #[error("the bundle would not be complete")]
    IncompleteBundle(#[from] IncompletePath),
    /// A file holds other things where only CA certificates may be.
    #[error("{} can't go into a bundle", called(path))]
    NotForBundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InputError,
    },
    /// A PKCS #12 trust store can't be opened.
    #[error("the trust store {} can't be opened", path.display())]
    TrustStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// What stands in the place of an output is something else.
    #[error("{} is there already and is not {kind}", path.display())]
    WouldReplace {
        /// The file.
        path: PathBuf,
        /// What it would be replaced by.
        kind: &'static str,
    },
    /// A list without entries that its predecessor has.
    #[error("the new list of {ca} would lack {} that the published one has: {}", plural(.serials.len(), "revocation"), first_few(.serials))]
    ListWouldShrink {
        /// The CA.
        ca: CaName,
        /// The serials that the store knows nothing of.
        serials: Vec<Serial>,
    },
    /// A list of more octets than its reader takes.
    #[error("the new list of {ca} would have {octets} octets, and {party} takes at most {most}")]
    ListTooLarge {
        /// The CA.
        ca: CaName,
        /// Who reads it.
        party: &'static str,
        /// Octets of its file.
        octets: usize,
        /// Octets that are taken.
        most: usize,
    },
    /// A list is needed that is not published.
    #[error("there is no list of {ca} at {}", path.display())]
    NoPublishedList {
        /// The CA.
        ca: CaName,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A common name that several live certificates have.
    #[error("{} of {ca} have the common name {cn:?}: {}", plural(.serials.len(), "live certificate"), first_few(.serials))]
    SeveralLive {
        /// The CA.
        ca: CaName,
        /// The common name.
        cn: String,
        /// Their serials.
        serials: Vec<Serial>,
    },
    /// A hold to be lifted that there is not.
    #[error("{serial} of {ca} is not on hold: {problem}")]
    NotOnHold {
        /// The CA.
        ca: CaName,
        /// The serial.
        serial: Serial,
        /// How it stands.
        problem: &'static str,
    },
    /// A CA asked to revoke itself.
    #[error("{ca} can't revoke its own certificate")]
    OwnCertificate {
        /// The CA.
        ca: CaName,
    },
    /// CAs that are there, and can't become what a declaration says.
    #[error("what is in the store is not what the file says: {}", .differences.join("; "))]
    OtherCas {
        /// What differs, each with the CA's name before it.
        differences: Vec<String>,
    },
    /// Something that a declaration names can't be made.
    #[error("{kind} {name} can't be made")]
    Entry {
        /// What kind of thing, as the declaration calls it.
        kind: &'static str,
        /// Its name there.
        name: String,
        /// Why.
        source: Box<CaError>,
    },
    /// What would be written breaks rules of who reads it.
    #[error("{what} would break rules: {}", .rules.join("; "))]
    RulesBroken {
        /// What.
        what: String,
        /// The rules.
        rules: Vec<String>,
    },
    /// The store has changed, and something after that failed.
    #[error("{what} stands in the store, but what follows could not be done")]
    AfterCommit {
        /// What was committed.
        what: String,
        /// How to get the rest; `None` if the caller words it.
        remedy: Option<Remedy>,
        /// What failed.
        source: Box<CaError>,
    },
    /// A file is in its place, and others are not, or it may not outlast a power cut.
    #[error("{} is in its place, but what follows could not be done", path.display())]
    InPlace {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: FileError,
    },
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

    /// The same, about something that a declaration names. What has changed the store says so itself.
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

/// Returns how a message calls a file: `-` is standard input.
fn called(path: &Path) -> impl Display {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn first_few(serials: &[Serial]) -> String {
    const FEW: usize = 10;
    let mut shown: Vec<String> = serials.iter().take(FEW).map(ToString::to_string).collect();
    if serials.len() > FEW {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// Why a certificate is not the one that a CA waits for.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    /// It certifies another key.
    #[error("none of its certificates is about the key of the request")]
    Key,
    /// It certifies another key than the certificate before.
    #[error("none of its certificates is about the CA's key")]
    OwnKey,
    /// It is about somebody else.
    #[error("the request is about {asked}, and the certificate about {found}")]
    Subject {
        /// The request's subject.
        asked: String,
        /// The certificate's.
        found: String,
    },
    /// It names its subject in other bytes than the certificate before.
    #[error(
        "its subject is not the CA's to the byte, so that nothing that was issued would find it"
    )]
    SubjectBytes,
    /// It calls the key otherwise than the certificate before.
    #[error(
        "its subject key identifier is not the CA's, so that nothing that was issued would find it"
    )]
    KeyIdentifier,
    /// It stands under another CA than the one before.
    #[error("its issuer {found} is not the one of the certificate that it would replace")]
    Issuer {
        /// Its issuer.
        found: String,
    },
    /// It does not make its subject a CA.
    #[error("the certificate is not that of a CA: its basicConstraints do not say CA:TRUE")]
    NotACa,
    /// Its key may not be used for what a CA does.
    #[error("the certificate has no {missing} in its keyUsage")]
    KeyUsage {
        /// The bit that is missing.
        missing: &'static str,
    },
    /// There is no good path above it.
    #[error(transparent)]
    Path(Box<Refusal>),
    /// It breaks rules without which it is of no use.
    #[error(transparent)]
    Rules(Findings),
}

/// What is wrong with a file from outside.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It is no readable PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Its DER is broken.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its key is not right.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A SAN in it can't be used.
    #[error(transparent)]
    Name(#[from] GeneralNameError),
    /// It is text that neither PEM nor DER is in.
    #[error("it is UTF-16 text")]
    Utf16,
    /// It is the base64 of an object, without the lines around it.
    #[error("it is base64 without the lines -----BEGIN …----- and -----END …-----")]
    BareBase64,
    /// Something else is in it.
    #[error("{0}")]
    Other(String),
}
