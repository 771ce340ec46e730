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
    /// Whether the subject is empty: openssl writes the serial number then, so that no two are the same.
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
    let lines = text.split(|octet| *octet == b'\n').enumerate();
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
        (b"V" | b"E", _) => Err("it has a revocation date, and is not revoked".to_owned()),
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

/// Whether a line may be about a revoked certificate: its status is neither valid nor expired, or the field of
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
    for octet in line {
        let field = fields.last_mut().expect("there is always one");
        match octet {
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
    let mut parts = text.splitn(3, |octet| *octet == b',');
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
mod tests {
    use crate::ca::import::index::*;
    use time::macros::datetime;

    fn one(line: &str) -> Result<Row, Broken> {
        let mut all = rows(line.as_bytes());
        let first = all.next().unwrap();
        assert!(all.next().is_none());
        first
    }

    fn revoked(field: &str) -> Result<Revocation, String> {
        let row = one(&format!("R\t270918025602Z\t{field}\t1001\tunknown\t/CN=a"));
        row.map(|row| row.revoked.unwrap())
            .map_err(|broken| broken.problem)
    }

    #[test]
    fn every_kind_of_row_reads() {
        let valid = one("V\t20510918025602Z\t\t00\\\tA1\tunknown\t/CN=a").unwrap_err();
        assert!(valid.problem.contains("serial number"), "{valid:?}");
        let valid = one("V\t20510918025602Z\t\t10A1\tany file\t/CN=a\\\tb\r").unwrap();
        assert_eq!(valid.not_after, datetime!(2051-09-18 02:56:02 UTC));
        assert_eq!(valid.serial.to_string(), "10A1");
        assert_eq!(valid.subject, b"/CN=a\tb");
        assert_eq!(valid.revoked, None);
        let expired = one("# comment\n\nE\t9909180256Z\t\t01\tunknown\t/CN=a").unwrap();
        assert_eq!(expired.line, 3);
        assert_eq!(expired.not_after, datetime!(1999-09-18 02:56 UTC));
    }

    #[test]
    fn every_kind_of_revocation_reads() {
        let at = datetime!(2026-11-22 02:56:03 UTC);
        let since = Some(datetime!(2020-01-01 0:00 UTC));
        for (field, reason, invalidity_date, is_lifted) in [
            ("", Reason::Unspecified, None, false),
            (",unspecified", Reason::Unspecified, None, false),
            (",CACompromise", Reason::CaCompromise, None, false),
            (",superseded", Reason::Superseded, None, false),
            (",certificateHold", Reason::CertificateHold, None, false),
            (
                ",holdInstruction,holdInstructionReject",
                Reason::CertificateHold,
                None,
                false,
            ),
            (
                ",certificateHold,1.2.840.10040.2.2",
                Reason::CertificateHold,
                None,
                false,
            ),
            (
                ",keyTime,20200101000000Z",
                Reason::KeyCompromise,
                since,
                false,
            ),
            (
                ",CAkeyTime,20200101000000Z",
                Reason::CaCompromise,
                since,
                false,
            ),
            (",removeFromCRL", Reason::CertificateHold, None, true),
        ] {
            let expected = Revocation {
                at,
                reason,
                invalidity_date,
                is_lifted,
            };
            for date in ["261122025603Z", "20261122025603Z"] {
                assert_eq!(revoked(&format!("{date}{field}")), Ok(expected), "{field}");
            }
        }
        for field in [
            "",
            "yesterday",
            "261122025603Z,stolen",
            "261122025603Z,keyTime",
            "261122025603Z,keyTime,tomorrow",
            "261322025603Z",
        ] {
            assert!(revoked(field).is_err(), "{field}");
        }
    }

    #[test]
    fn what_is_broken_says_what_it_can() {
        let broken = one("R\t270918025602Z\t?\t1001\tunknown\t/CN=a").unwrap_err();
        assert_eq!(broken.serial.unwrap().to_string(), "1001");
        assert!(broken.may_revoke && broken.not_after.is_some());
        for line in [
            "V\t270918025602Z\t\t1001\tunknown",
            "X\t270918025602Z\t\t1001\tunknown\t/CN=a",
            "V\t270918025602\t\t1001\tunknown\t/CN=a",
            "V\t270918025602Z\t261122025603Z\t1001\tunknown\t/CN=a",
            "V\t270918025602Z\t\t\tunknown\t/CN=a",
            "V\t270918025602Z\t\t00\tunknown\t/CN=a",
            "V\t270918025602Z\t\t-01\tunknown\t/CN=a",
            "\0\0",
        ] {
            assert!(one(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_may_revoke_is_told_from_what_does_not() {
        for (line, serial, may_revoke) in [
            ("R\t270918025602Z\t261122025603Z\t1001\t/CN=a", "1001", true),
            ("R\t270918025602Z\t1001\tunknown\t/CN=a", "1001", true),
            (
                "R\t270918025602Z\t261122025603Z\t1001\tunknown\t/CN=a\tb",
                "1001",
                true,
            ),
            ("V\t270918025602Z\t261122025603Z\t1001\t/CN=a", "1001", true),
            ("V\t270918025602Z\t?\t1001\tunknown\t/CN=a", "1001", true),
            ("V\t270918025602Z\t\t1001\t/CN=a", "1001", false),
            ("V\t27", "", false),
            // A field that is cut off may have had more digits.
            ("R\t270918025602Z\t261122025603Z\t10", "", true),
            (
                "R\t270918025602Z\t261122025603Z\t1001\t1002\t/CN=a\t",
                "",
                true,
            ),
            ("R\t270918025602Z\t\tone\tunknown\t/CN=a", "", true),
            ("R 270918025602Z 261122025603Z 1001 unknown /CN=a", "", true),
            ("\0\0", "", true),
        ] {
            let broken = one(line).unwrap_err();
            let read = broken.serial.map(|serial| serial.to_string());
            assert_eq!(read.unwrap_or_default(), serial, "{line}");
            assert_eq!(broken.may_revoke, may_revoke, "{line}");
        }
    }
}
