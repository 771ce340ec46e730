//! Index of OpenSSL's `ca`, from which `openssl ocsp` answers.

use crate::ca::error::CaError;
use crate::ca::ocsp::statuses::Statuses;
use crate::store::Ca;
use crate::store::file::{self, Access, Existing, Staged};
use crate::x509::ocsp::CertStatus;
use crate::x509::{Certificate, Name, Reason, Serial, attribute};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Beside the index: several certificates may have one subject, which `openssl` refuses otherwise.
const ATTRIBUTES: &[u8] = b"unique_subject = no\n";

/// Writes the index of the unexpired certificates of a CA, and beside it the file of its attributes. Returns the number
/// of certificates.
pub(crate) fn write_index(
    ca: &Ca,
    path: &Path,
    overwrite: bool,
    now: OffsetDateTime,
) -> Result<usize, CaError> {
    refuse_other(
        path,
        |line| matches!(line.as_bytes(), [b'V' | b'R' | b'E', b'\t', ..]),
        overwrite,
    )?;
    let attributes = attributes(path);
    refuse_other(
        &attributes,
        |line| line.starts_with("unique_subject"),
        overwrite,
    )?;
    let statuses = Statuses::of(ca, now)?;
    statuses.make_durable(ca)?;
    let count = statuses.all.len();
    let statuses = statuses.all.iter();
    let mut left: HashMap<Serial, CertStatus> = statuses
        .map(|answered| (answered.serial, answered.status))
        .collect();
    let staged = Staged::new(path, Access::Umask, Existing::Replace)?;
    let mut out = BufWriter::new(staged);
    let failed = |source| file_error(path, source);
    for issuance in ca.issuances()? {
        let issuance = issuance?;
        let Some(status) = left.remove(&issuance.serial) else {
            continue;
        };
        let subject = match &issuance.der {
            Some(der) => Certificate::from_der(der)
                .ok()
                .map(|it| oneline(it.subject())),
            None => None,
        };
        let subject = subject.unwrap_or_else(|| "/".into());
        let line = line(&issuance.serial, issuance.not_after, status, &subject);
        out.write_all(line.as_bytes()).map_err(failed)?;
    }
    let mut left: Vec<_> = left.into_iter().collect();
    left.sort_by(|(one, _), (other, _)| one.magnitude().cmp(other.magnitude()));
    for (serial, status) in left {
        // Its notAfter is not on record; OpenSSL does not look at it.
        let line = line(&serial, now, status, "/");
        out.write_all(line.as_bytes()).map_err(failed)?;
    }
    let staged = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file::write(&attributes, Access::Umask, Existing::Replace, ATTRIBUTES)?;
    staged.commit()?;
    Ok(count)
}

/// Refuses to replace a file with a line that is none of an index.
fn refuse_other(
    path: &Path,
    is_own: impl Fn(&str) -> bool,
    overwrite: bool,
) -> Result<(), CaError> {
    let old = file::read_if_there(path)?.unwrap_or_default();
    let is_index = |old: &[u8]| {
        let text = std::str::from_utf8(old).ok()?;
        text.lines().all(is_own).then_some(())
    };
    if overwrite || is_index(&old).is_some() {
        return Ok(());
    }
    Err(CaError::WouldReplace {
        path: path.to_owned(),
        kind: "an index of OpenSSL",
    })
}

fn file_error(path: &Path, source: std::io::Error) -> CaError {
    crate::store::FileError {
        operation: "write",
        path: path.to_owned(),
        source,
    }
    .into()
}

fn attributes(index: &Path) -> PathBuf {
    let mut name = index.as_os_str().to_owned();
    name.push(".attr");
    name.into()
}

/// Returns a line of the index: status, notAfter, time and reason of the revocation, serial number, file, subject.
fn line(serial: &Serial, not_after: OffsetDateTime, status: CertStatus, subject: &str) -> String {
    let (flag, revoked) = match status {
        CertStatus::Revoked {
            at,
            reason: Reason::Unspecified,
        } => ('R', time(at)),
        CertStatus::Revoked { at, reason } => ('R', format!("{},{reason}", time(at))),
        CertStatus::Good | CertStatus::Unknown => ('V', String::new()),
    };
    format!(
        "{flag}\t{}\t{revoked}\t{serial}\tunknown\t{subject}\n",
        time(not_after)
    )
}

/// Returns a time as in a certificate: UTCTime through the year 2049.
fn time(time: OffsetDateTime) -> String {
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    let year = if (1950..2050).contains(&year) {
        format!("{:02}", year % 100)
    } else {
        format!("{year:04}")
    };
    let month = u8::from(month);
    format!("{year}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

/// Returns a name as OpenSSL writes it in one line, with what is not printable ASCII as `\xHH`.
fn oneline(name: &Name) -> String {
    let mut line = String::new();
    for attribute in name.attributes() {
        let kind = attribute::short_name(&attribute.kind);
        write!(line, "/{kind}=").expect("a String takes everything");
        let text = attribute.text.unwrap_or_default();
        for byte in text.bytes() {
            if matches!(byte, b' '..=b'~') {
                line.push(char::from(byte));
            } else {
                write!(line, "\\x{byte:02X}").expect("a String takes everything");
            }
        }
    }
    if line.is_empty() { "/".into() } else { line }
}
