//! Check of a repository in a directory or on a server: every file that certificates name is there, of the right type,
//! and current.

use crate::ca::finding::RuleFinding;
use crate::ca::plural;
use crate::ca::repository::contents::{FileType, Repository, RepositoryFile, ShownCa};
use crate::ca::repository::{PAGE, STATUS, SUMS};
use crate::ca::select::Status;
use crate::store::CaName;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Crl, Fingerprint, signed_data};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A file that was fetched.
pub(crate) struct Fetched {
    pub(crate) content: Vec<u8>,
    /// Media type in the answer of the server; `None` in a directory.
    pub(crate) media_type: Option<String>,
}

/// Problem with a file that is not fetched.
pub(crate) enum FetchError {
    /// The server does not answer, so no other file can be fetched either.
    NoAnswer(String),
    File(String),
}

/// Gets a file of a repository by its path: `None` if there is none.
pub(crate) type Fetching<'a> = &'a mut dyn FnMut(&str) -> Result<Option<Fetched>, FetchError>;

/// Compares what can be fetched with what the store would publish.
pub(crate) fn check_repository(
    expected: &Repository,
    fetch: Fetching<'_>,
    now: OffsetDateTime,
) -> Vec<RuleFinding> {
    let mut findings: Vec<RuleFinding> = expected.without_current_crl.iter().map(needed).collect();
    let mut lists = BTreeMap::new();
    for (index, (path, file)) in expected.files.iter().enumerate() {
        let fetched = match fetch(path) {
            Ok(Some(fetched)) => fetched,
            Ok(None) => {
                findings.push(RuleFinding::error(
                    "file-missing",
                    format!("{path} is missing"),
                ));
                continue;
            }
            Err(FetchError::File(problem)) => {
                let message = format!("{path} can't be fetched: {problem}");
                findings.push(RuleFinding::error("file-unreachable", message));
                continue;
            }
            Err(FetchError::NoAnswer(problem)) => {
                let left = expected.files.len() - index;
                let message = format!("{} can't be fetched: {problem}", plural(left, "file"));
                findings.push(RuleFinding::error("file-unreachable", message));
                return findings;
            }
        };
        findings.extend(wrong_type(path, file, &fetched));
        // These change with every publication.
        if [PAGE, STATUS, SUMS].contains(&path.as_str()) {
            lists.insert(path.as_str(), fetched.content);
            continue;
        }
        let ca = expected
            .cas
            .iter()
            .find(|ca| Some(&ca.name) == file.ca.as_ref());
        findings.extend(differing(path, file, &fetched.content, ca, now));
    }
    findings.extend(unlisted(&lists));
    findings
}

fn needed(ca: &CaName) -> RuleFinding {
    let message = format!(
        "the published CRL of {ca} is not current: it has expired, or later revocations are not in it; sign another, and publish again"
    );
    RuleFinding::error("crl-needed", message)
}

/// Finds a page or status whose hash is not in SHA256SUMS, such as after half an upload.
fn unlisted(lists: &BTreeMap<&str, Vec<u8>>) -> Vec<RuleFinding> {
    let Some(sums) = lists.get(SUMS) else {
        return Vec::new();
    };
    let sums = String::from_utf8_lossy(sums);
    let is_listed = |path: &str, content: &[u8]| {
        let line = format!("{}  {path}", Fingerprint::of(content));
        sums.lines().any(|listed| listed == line)
    };
    let others = lists.iter().filter(|(path, _)| **path != SUMS);
    others
        .filter(|(path, content)| !is_listed(path, content))
        .map(|(path, _)| {
            let message = format!("{path} is not the one that {SUMS} lists: publish again");
            RuleFinding::error("file-outdated", message)
        })
        .collect()
}

/// Finds a media type with which programs do not read a certificate or CRL. Other files may have any.
fn wrong_type(path: &str, file: &RepositoryFile, fetched: &Fetched) -> Option<RuleFinding> {
    let found = fetched.media_type.as_deref()?;
    let found = found.split(';').next().unwrap_or_default().trim();
    let wanted = match file.file_type {
        FileType::Certificate | FileType::Pkcs7 | FileType::Crl => file.file_type.media_type(),
        _ => return None,
    };
    let is_right = found.eq_ignore_ascii_case(wanted)
        || file.file_type == FileType::Certificate
            && found.eq_ignore_ascii_case("application/x-x509-ca-cert")
        || file.file_type == FileType::Pkcs7
            && found.eq_ignore_ascii_case("application/x-pkcs7-certificates");
    (!is_right).then(|| {
        let message = format!("{path} has the media type {found:?}; it should be {wanted}");
        RuleFinding::warning("media-type", message)
    })
}

fn differing(
    path: &str,
    file: &RepositoryFile,
    content: &[u8],
    ca: Option<&ShownCa>,
    now: OffsetDateTime,
) -> Option<RuleFinding> {
    let unreadable = |problem: String| {
        Some(RuleFinding::error(
            "file-unreadable",
            format!("{path}: {problem}"),
        ))
    };
    let readable = match file.file_type {
        FileType::Certificate => Certificate::from_der(content).map(drop),
        FileType::Pkcs7 => signed_data::certificates(content).map(drop),
        FileType::Crl => {
            return match Crl::from_der(content) {
                Ok(crl) => crl_problem(path, &crl, file, ca, now),
                Err(problem) => unreadable(problem.to_string()),
            };
        }
        _ => Ok(()),
    };
    if let Err(problem) = readable {
        return unreadable(problem.to_string());
    }
    (content != file.content).then(|| {
        let message = format!("{path} differs from the store: publish again");
        RuleFinding::error("file-outdated", message)
    })
}

fn crl_problem(
    path: &str,
    crl: &Crl<'_>,
    file: &RepositoryFile,
    ca: Option<&ShownCa>,
    now: OffsetDateTime,
) -> Option<RuleFinding> {
    let certificate = &ca?.certificate;
    if crl.verify_signature(certificate.public_key()).is_err() {
        let message = format!("{path} is not signed by {}", certificate.subject());
        return Some(RuleFinding::error("crl-signature", message));
    }
    // An expired CA signs no other.
    let is_over = Status::of_certificate(certificate, now) == Status::Expired;
    if let Some(next) = crl.next_update().filter(|next| *next <= now && !is_over) {
        let message = format!("{path} expired at {}", rfc3339(next));
        return Some(RuleFinding::error("crl-expired", message));
    }
    (crl.der() != file.content).then(|| {
        let number =
            |number: Option<u128>| number.map_or_else(|| "?".into(), |number| number.to_string());
        let known = Crl::from_der(&file.content)
            .ok()
            .and_then(|known| known.number());
        let message = format!(
            "{path} is CRL number {}, and the store has {}: publish again",
            number(crl.number()),
            number(known)
        );
        RuleFinding::error("crl-outdated", message)
    })
}
