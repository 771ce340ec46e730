//! Certificates that a CA issued, from the files of other programs.

use crate::asn1::Malformed;
use crate::ca::foreign::{
    Input, Size, is_certificate_label, is_signed_data_label, read_certificates,
};
use crate::ca::parallel::on_all_cores;
use crate::ca::{CaError, RuleFinding};
use crate::key::KeyError;
use crate::store::Issuance;
use crate::x509::{
    Certificate, Fingerprint, Name, Profile, RecordedProfile, Serial, path, signed_data,
};
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The algorithm of a signature is one that no signature is verified with here.
pub(crate) const SIGNATURE_NOT_CHECKED: &str = "signature-not-checked";

/// A certificate of the CA, and its file.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) subject: Name,
    /// Hash of its SubjectPublicKeyInfo.
    pub(crate) key: Fingerprint,
    /// Its record, without the counter.
    pub(crate) issuance: Issuance,
    /// Whether it comes from a directory that was named for its certificates.
    pub(crate) is_collected: bool,
}

/// Certificates by their serial numbers, and findings about others.
#[derive(Default)]
pub(crate) struct Certificates {
    pub(crate) found: HashMap<Serial, Found>,
    /// Serial numbers of the CA's certificates that are not imported.
    pub(crate) not_taken: Vec<Serial>,
    /// Files with a finding why nothing in them is imported.
    pub(crate) explained: HashSet<PathBuf>,
    pub(crate) findings: Vec<RuleFinding>,
}

impl Certificates {
    /// Reads files, and verifies that the CA issued their certificates.
    pub(crate) fn read(files: &[PathBuf], ca: &Certificate) -> Result<Self, CaError> {
        let results = on_all_cores(files.iter().collect(), |path| read(path, ca));
        let mut certificates = Self::default();
        for (path, result) in files.iter().zip(results) {
            match result? {
                Ok(found) => certificates.add(found),
                Err(NotTaken { serial, finding }) => {
                    certificates.explained.insert(path.clone());
                    certificates.not_taken.extend(serial);
                    certificates.findings.push(finding);
                }
            }
        }
        Ok(certificates)
    }

    /// Takes the certificates of the CA from files that may hold anything, and names the other files.
    pub(crate) fn collect(&mut self, files: &[PathBuf], ca: &Certificate) -> Result<(), CaError> {
        let mut others = Vec::new();
        let contents = on_all_cores(files.iter().collect(), |path| collected(path, ca));
        for (path, contents) in files.iter().zip(contents) {
            let contents = contents?;
            if contents.is_empty() {
                others.push(path);
            }
            for content in contents {
                match content {
                    Ok(found) => self.add(Found {
                        is_collected: true,
                        ..found
                    }),
                    Err(NotTaken { serial, finding }) => {
                        self.not_taken.extend(serial);
                        self.findings.push(finding);
                    }
                }
            }
        }
        self.findings.extend(passed_over(&others));
        Ok(())
    }

    /// Adds a certificate, which may be in two files; reports two with one serial number.
    fn add(&mut self, new: Found) {
        let serial = new.issuance.serial;
        match self.found.get(&serial) {
            None => {
                self.found.insert(serial, new);
            }
            Some(known) if known.issuance.der == new.issuance.der => {}
            Some(known) => {
                let message = format!(
                    "{} and {} are different certificates with the same serial number {serial}",
                    known.path.display(),
                    new.path.display()
                );
                self.findings
                    .push(RuleFinding::error("serial-twice", message));
            }
        }
    }
}

/// Limit of file names in one finding.
const MOST_NAMED: usize = 10;

/// Reports files without a certificate of the CA.
fn passed_over(files: &[&PathBuf]) -> Option<RuleFinding> {
    let named: Vec<String> = files
        .iter()
        .take(MOST_NAMED)
        .map(|path| path.display().to_string())
        .collect();
    let named = named.join(", ");
    let message = match files.len() {
        0 => return None,
        1 => format!("{named} has no certificate of this CA"),
        count if count <= MOST_NAMED => {
            format!("{count} files have no certificate of this CA: {named}")
        }
        count => format!(
            "{count} files have no certificate of this CA: {named} and {} more",
            count - MOST_NAMED
        ),
    };
    Some(RuleFinding::warning("certificates-passed-over", message))
}

/// Reads the certificates of the CA in a file that may hold anything.
fn collected(path: &Path, ca: &Certificate) -> Result<Vec<Read>, CaError> {
    let objects = match Input::read_of(Size::Several, path).and_then(|input| input.objects()) {
        Ok(objects) => objects,
        Err(CaError::File(error)) if error.source.kind() != ErrorKind::FileTooLarge => {
            return Err(error.into());
        }
        Err(_) => return Ok(Vec::new()),
    };
    let mut certificates = Vec::new();
    for object in objects {
        if is_signed_data_label(&object.label) {
            match signed_data::each_certificate(&object.der) {
                Ok(all) => certificates.extend(all),
                Err(error) => certificates.push(Err(error)),
            }
        } else if is_certificate_label(&object.label) {
            certificates.push(Certificate::from_der(&object.der));
        }
    }
    let is_named = |certificate: &Certificate| certificate.names_as_issuer(ca);
    let results = certificates.iter().enumerate();
    let results = results.filter_map(|(index, certificate)| match certificate {
        Err(error) => Some(Err(unreadable(path, index + 1, error))),
        Ok(certificate) if is_named(certificate) => {
            let checked = certificate.verify_signature(ca.public_key());
            let may_be_its = matches!(checked, Ok(()) | Err(KeyError::Unsupported { .. }));
            may_be_its.then(|| proven(path, certificate, ca))
        }
        Ok(_) => None,
    });
    Ok(results.collect())
}

/// Warns of a certificate that can't be read: it may be one of the CA.
fn unreadable(path: &Path, number: usize, error: &Malformed) -> NotTaken {
    let file = path.display();
    let message = format!("certificate {number} of {file} can't be read: {error}");
    NotTaken {
        serial: None,
        finding: RuleFinding::warning("certificate-unreadable", message),
    }
}

/// A certificate, or the finding about it.
type Read = Result<Found, NotTaken>;

struct NotTaken {
    /// Its serial number, if the CA has assigned it all the same.
    serial: Option<Serial>,
    finding: RuleFinding,
}

impl NotTaken {
    fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            serial: None,
            finding: RuleFinding::error(rule, message),
        }
    }
}

/// Reads the certificate in a file. If the file itself can't be read, that is an error, not a finding.
fn read(path: &Path, ca: &Certificate) -> Result<Read, CaError> {
    Ok(match read_certificates(path) {
        Ok(mut all) => found(path, &all.swap_remove(0), ca),
        Err(error @ CaError::File(_)) => return Err(error),
        Err(error) => Err(NotTaken::new("certificate-unreadable", causes(&error))),
    })
}

/// Checks a certificate in a file that may be named by its serial number.
fn found(path: &Path, certificate: &Certificate, ca: &Certificate) -> Read {
    let found = proven(path, certificate, ca)?;
    let serial = found.issuance.serial;
    let names_another = |stem: &str| {
        let named = stem.parse::<Serial>();
        stem.len().is_multiple_of(2) && named.is_ok_and(|named| named != serial)
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let is_by_serial = path.extension().is_some_and(|ending| ending == "pem");
    if is_by_serial && stem.is_some_and(names_another) {
        let message = format!(
            "{} has the certificate with serial number {serial}",
            path.display()
        );
        return Err(NotTaken {
            serial: Some(serial),
            ..NotTaken::new("file-of-another-serial", message)
        });
    }
    Ok(found)
}

/// Verifies that the CA issued a certificate.
fn proven(path: &Path, certificate: &Certificate, ca: &Certificate) -> Read {
    let shown = path.display();
    if certificate != ca && certificate.names_as_issuer(ca) {
        let checked = certificate.verify_signature(ca.public_key());
        if let Err(KeyError::Unsupported { algorithm }) = checked {
            let message = format!(
                "{shown} is signed with {algorithm}, which is not supported: whether {} issued it can't be verified",
                ca.subject()
            );
            return Err(NotTaken {
                serial: certificate.serial().ok(),
                ..NotTaken::new(SIGNATURE_NOT_CHECKED, message)
            });
        }
    }
    if certificate != ca && !path::issued(ca, certificate) {
        let message = format!(
            "{shown} is not signed by {}, but names {} as its issuer",
            ca.subject(),
            certificate.issuer()
        );
        return Err(NotTaken::new("not-issued-by-this-ca", message));
    }
    let serial = certificate.serial().map_err(|error| {
        let message = format!("{shown} has a serial number that can't be recorded: {error}");
        NotTaken::new("serial-unusable", message)
    })?;
    let issuance = issuance(certificate, serial, ca);
    Ok(Found {
        path: path.to_owned(),
        subject: certificate.subject().clone(),
        key: Fingerprint::of(certificate.public_key().spki()),
        issuance,
        is_collected: false,
    })
}

/// Makes the record of a certificate from elsewhere.
pub(crate) fn issuance(certificate: &Certificate, serial: Serial, ca: &Certificate) -> Issuance {
    let subject = certificate.subject();
    let validity = certificate.validity();
    let names = certificate.subject_alt_names();
    Issuance {
        serial,
        cn: subject.common_name().unwrap_or_default(),
        subject: subject.to_string(),
        sans: names.iter().map(ToString::to_string).collect(),
        profile: profile(certificate, ca),
        profile_hash: None,
        not_before: validity.not_before,
        not_after: validity.not_after,
        renews: None,
        row: None,
        entry: None,
        flaw: None,
        at: None,
        counter: 0,
        der: Some(certificate.der().to_vec()),
    }
}

/// Makes the record of a missing certificate.
pub(crate) fn without_certificate(
    serial: Serial,
    subject: &[u8],
    not_after: time::OffsetDateTime,
    ca: &Certificate,
) -> Issuance {
    let subject = crate::ca::import::subject::read(subject);
    Issuance {
        serial,
        cn: subject.common_name,
        subject: subject.text,
        sans: Vec::new(),
        profile: RecordedProfile::Imported,
        profile_hash: None,
        // No record tells when it was issued; not before the CA was there.
        not_before: ca.validity().not_before.min(not_after),
        not_after,
        renews: None,
        row: None,
        entry: None,
        flaw: None,
        at: None,
        counter: 0,
        der: None,
    }
}

/// Returns the profile of a certificate, judged by its extensions.
fn profile(certificate: &Certificate, ca: &Certificate) -> RecordedProfile {
    if certificate == ca {
        return RecordedProfile::Root;
    }
    if certificate.is_ca() {
        return RecordedProfile::Subordinate;
    }
    let purposes = certificate.extended_key_usage();
    let is_for = |profile: &Profile| {
        let theirs = profile.purposes();
        theirs.len() == purposes.len() && theirs.iter().all(|purpose| purposes.contains(purpose))
    };
    let known = Profile::ALL.into_iter().find(is_for);
    known.map_or(RecordedProfile::Imported, RecordedProfile::Leaf)
}

/// Joins an error and its causes.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
