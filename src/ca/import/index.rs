//! `index.txt`, the database of `openssl ca`: a line for each certificate, with tabs between its fields.

use crate::asn1::{Element, parse_time, tag};
use crate::x509::{Reason, Serial};
use time::OffsetDateTime;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) serial: Serial,
    pub(crate) not_after: OffsetDateTime,
    /// Its revocation; its expiry follows from its notAfter.
    pub(crate) revoked: Option<Revocation>,
    /// In the form of `X509_NAME_oneline`.
    pub(crate) subject: Vec<u8>,
}

impl Row {
    /// Returns whether the subject is empty: openssl writes the serial number then, so that no two are the same.
    pub(crate) fn is_nameless(&self) -> bool {
        self.subject.is_empty() || shown(&self.subject).parse() == Ok(self.serial)
    }
}

/// Revocation of a certificate, or a hold that was lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revocation {
    pub(crate) at: OffsetDateTime,
    pub(crate) reason: Reason,
    pub(crate) invalidity_date: Option<OffsetDateTime>,
    /// removeFromCRL: it was on hold, and is no more (RFC 5280 section 5.3.1).
    pub(crate) is_lifted: bool,
}

impl Revocation {
    /// Rank of a line among those about one certificate: a final revocation before a hold, and a hold before
    /// none.
    pub(crate) fn firmness(&self) -> u8 {
        match self.reason {
            _ if self.is_lifted => 0,
            Reason::CertificateHold => 1,
            _ => 2,
        }
    }
}

/// A line that can't be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) problem: String,
    pub(crate) serial: Option<Serial>,
    /// Whether it may be about a revoked certificate.
    pub(crate) may_revoke: bool,
    pub(crate) not_after: Option<OffsetDateTime>,
    pub(crate) subject: Vec<u8>,
}

/// Reads every line that is not empty and no comment.
pub(crate) fn rows(text: &[u8]) -> impl Iterator<Item = Result<Row, Broken>> {
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.map(|(index, line)| (index + 1, line.strip_suffix(b"\r").unwrap_or(line)));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
        .map(|(number, line)| row(number, line))
}

fn row(line: usize, text: &[u8]) -> Result<Row, Broken> {
    let fields = fields(text);
    let mut broken = Broken {
        line,
        problem: String::new(),
        serial: None,
        may_revoke: may_revoke(&fields),
        not_after: None,
        subject: Vec::new(),
    };
    let [status, not_after, revocation, serial, _file, subject] = fields.as_slice() else {
        let is_subject = |field: &&Vec<u8>| field.starts_with(b"/");
        return Err(Broken {
            problem: format!("it has {} fields instead of 6", fields.len()),
            serial: only_serial(&fields),
            not_after: fields.get(1).and_then(|field| time(field)),
            subject: fields.iter().find(is_subject).cloned().unwrap_or_default(),
            ..broken
        });
    };
    broken.subject = subject.clone();
    broken.not_after = time(not_after);
    let serial = match shown(serial).parse::<Serial>() {
        Ok(serial) => serial,
        Err(error) => {
            let problem = format!("its serial number: {error}");
            return Err(Broken { problem, ..broken });
        }
    };
    broken.serial = Some(serial);
    let revoked = match (status.as_slice(), revocation.as_slice()) {
        (b"V" | b"E", b"") => Ok(None),
        (b"V" | b"E", _) => Err("it has a revocation date, but is not revoked".to_owned()),
        (b"R", revocation) => self::revocation(revocation).map(Some),
        (other, _) => Err(format!("{:?} is not a status", shown(other))),
    };
    let not_after = broken
        .not_after
        .ok_or_else(|| format!("{:?} is not a time", shown(not_after)));
    match (revoked, not_after) {
        (Ok(revoked), Ok(not_after)) => Ok(Row {
            line,
            serial,
            not_after,
            revoked,
            subject: broken.subject,
        }),
        (Err(problem), _) | (_, Err(problem)) => Err(Broken { problem, ..broken }),
    }
}

/// Returns whether a line may be about a revoked certificate: its status is neither valid nor expired, or the field of
/// the revocation date is not empty.
fn may_revoke(fields: &[Vec<u8>]) -> bool {
    let is_valid = matches!(fields[0].as_slice(), b"V" | b"E");
    let mut behind_end = fields.iter().skip(2);
    let has_date = behind_end.any(|field| revocation(field).is_ok());
    let has_something = fields.len() == 6 && !fields[2].is_empty();
    !is_valid || has_date || has_something
}

/// Finds the one serial number in a line with a field too few or too many. The last field may be cut off.
fn only_serial(fields: &[Vec<u8>]) -> Option<Serial> {
    let (_, whole) = fields.split_last()?;
    let mut serials = whole
        .iter()
        .skip(1)
        .filter_map(|field| shown(field).parse::<Serial>().ok());
    let first = serials.next()?;
    serials.all(|other| other == first).then_some(first)
}

/// Splits a line at tabs without a backslash in front of them.
fn fields(line: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = vec![Vec::new()];
    for byte in line {
        let field = fields.last_mut().expect("there is always one");
        match byte {
            b'\t' if field.last() == Some(&b'\\') => {
                field.pop();
                field.push(b'\t');
            }
            b'\t' => fields.push(Vec::new()),
            other => field.push(*other),
        }
    }
    fields
}

/// Reads `DATE[,REASON[,ARGUMENT]]`.
fn revocation(text: &[u8]) -> Result<Revocation, String> {
    let mut parts = text.splitn(3, |byte| *byte == b',');
    let date = parts.next().unwrap_or_default();
    let at = time(date).ok_or_else(|| format!("{:?} is not a time", shown(date)))?;
    let plain = |reason| Revocation {
        at,
        reason,
        invalidity_date: None,
        is_lifted: false,
    };
    let Some(reason) = parts.next() else {
        return Ok(plain(Reason::Unspecified));
    };
    let argument = parts.next();
    let since = |reason| {
        let date = argument.unwrap_or_default();
        let since = time(date).ok_or_else(|| format!("{:?} is not a time", shown(date)))?;
        Ok(Revocation {
            invalidity_date: Some(since),
            ..plain(reason)
        })
    };
    match shown(reason).to_ascii_lowercase().as_str() {
        // Both stand for a reason and the date from which on the key is suspect.
        "keytime" => since(Reason::KeyCompromise),
        "cakeytime" => since(Reason::CaCompromise),
        // An instruction for relying parties, which RFC 5280 no longer has.
        "holdinstruction" => Ok(plain(Reason::CertificateHold)),
        "removefromcrl" => Ok(Revocation {
            is_lifted: true,
            ..plain(Reason::CertificateHold)
        }),
        name => Reason::ALL
            .into_iter()
            .find(|reason| reason.as_str().eq_ignore_ascii_case(name))
            .map(plain)
            .ok_or_else(|| format!("{:?} is not a reason", shown(reason))),
    }
}

/// Reads a UTCTime or GeneralizedTime, with or without seconds.
fn time(text: &[u8]) -> Option<OffsetDateTime> {
    let digits = text.strip_suffix(b"Z")?;
    let (tag, with_seconds) = match digits.len() {
        10 => (tag::UTC_TIME, [digits, b"00Z"].concat()),
        12 => (tag::UTC_TIME, text.to_vec()),
        14 => (tag::GENERALIZED_TIME, text.to_vec()),
        _ => return None,
    };
    let element = Element {
        tag,
        content: &with_seconds,
        whole: &[],
    };
    parse_time(&element).ok()
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests;
