//! Selection of one certificate among those that a CA issued.

pub(crate) mod error;

use crate::ca::error::CaError;
use crate::ca::foreign::error::InputError;
use crate::ca::notice::Notice;
use crate::ca::select::error::SelectError;
use crate::store::{Ca, Issuance, Revoked};
use crate::x509::serial::SerialReadings;
use crate::x509::{Certificate, Serial};
use std::fmt;
use time::OffsetDateTime;

/// Name of a certificate as the user gives it.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    /// Serial number: the text, and its readings.
    Serial(String, SerialReadings),
    /// Common name.
    CommonName(String),
}

/// Status of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Neither revoked nor expired, and its notBefore has passed.
    Valid,
    /// Not revoked, and before its notBefore.
    NotYetValid,
    Revoked,
    /// Past its notAfter.
    Expired,
}

impl Status {
    /// Status of a certificate at a time; revoked goes before expired.
    pub(crate) fn of(issuance: &Issuance, revoked: Option<&Revoked>, now: OffsetDateTime) -> Self {
        match revoked {
            Some(_) => Self::Revoked,
            None => Self::at(issuance.not_before, issuance.not_after, now),
        }
    }

    /// Status of a certificate that is not revoked, by its validity.
    pub(crate) fn at(
        not_before: OffsetDateTime,
        not_after: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Self {
        if now > not_after {
            Self::Expired
        } else if now < not_before {
            Self::NotYetValid
        } else {
            Self::Valid
        }
    }

    /// Status of a certificate that its issuer did not revoke.
    pub(crate) fn of_certificate(certificate: &Certificate, now: OffsetDateTime) -> Self {
        let validity = certificate.validity();
        Self::at(validity.not_before, validity.not_after, now)
    }

    /// Returns whether a certificate is valid, or will be: neither revoked nor expired.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Valid | Self::NotYetValid)
    }

    /// Name in options and reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Selects one certificate; by common name the newest valid one, with a notice if there are others.
pub(crate) fn select_one(
    ca: &Ca,
    selector: &Selector,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> Result<Issuance, CaError> {
    let missing = |wanted: String| {
        let ca = ca.name().clone();
        CaError::from(SelectError::NotFound { ca, wanted })
    };
    match selector {
        Selector::Serial(text, readings) => by_serial(ca, text, readings)?
            .ok_or_else(|| missing(format!("with serial {}", readings.first))),
        Selector::CommonName(name) => {
            let mut found = Vec::new();
            for issuance in ca.issuances_named(name)? {
                let revoked = ca.revoked(&issuance.serial)?;
                let valid = Status::of(&issuance, revoked.as_ref(), now).is_live();
                found.push((valid, issuance.not_before <= now, issuance));
            }
            found.sort_by_key(|(valid, begun, issuance)| (*valid, *begun, issuance.not_before));
            let count = found.len();
            // Records of the same second stay in the order of issuing, so the last is the newest.
            let (valid, _, newest) = found
                .pop()
                .ok_or_else(|| missing(format!("with CN {name:?}")))?;
            if count > 1 {
                let (cn, serial) = (name.clone(), newest.serial.to_string());
                notices.push(Notice::ChosenAmongSeveral {
                    cn,
                    count,
                    serial,
                    valid,
                });
            }
            Ok(newest)
        }
    }
}

/// Returns whether a record is that of a certificate with the same subject and key.
pub(crate) fn certifies_key_of(issuance: &Issuance, certificate: &Certificate) -> bool {
    let recorded = issuance.der.as_deref().map(Certificate::from_der);
    recorded
        .is_some_and(|recorded| recorded.is_ok_and(|recorded| recorded.is_of_same_ca(certificate)))
}

/// Returns the certificate of a record, if the store has it.
pub(crate) fn certificate_of(ca: &Ca, issuance: &Issuance) -> Result<Certificate, CaError> {
    match &issuance.der {
        Some(der) => recorded_certificate(ca, der),
        None => Err(SelectError::WithoutCertificate {
            ca: ca.name().clone(),
            serial: issuance.serial,
        }
        .into()),
    }
}

/// Reads the certificate of a record.
pub(crate) fn recorded_certificate(ca: &Ca, der: &[u8]) -> Result<Certificate, CaError> {
    Certificate::from_der(der).map_err(|error| CaError::Input {
        path: ca.location().to_string().into(),
        expected: "a store whose records can be read",
        source: InputError::from(error),
    })
}

/// Finds the certificate with this serial number; refuses a text that fits two under its two readings.
pub(crate) fn by_serial(
    ca: &Ca,
    text: &str,
    readings: &SerialReadings,
) -> Result<Option<Issuance>, CaError> {
    by_readings(ca, text, readings, |serial| Ok(ca.issuance(serial)?))
}

/// Same as [`by_serial`], with records from `find`.
pub(crate) fn by_readings<T>(
    ca: &Ca,
    text: &str,
    readings: &SerialReadings,
    find: impl Fn(&Serial) -> Result<Option<T>, CaError>,
) -> Result<Option<T>, CaError> {
    let first = find(&readings.first)?;
    let Some(decimal) = readings.other else {
        return Ok(first);
    };
    match (first, find(&decimal)?) {
        (Some(_), Some(_)) => Err(SelectError::AmbiguousSerial {
            ca: ca.name().clone(),
            text: text.to_owned(),
            hex: readings.first,
            decimal,
        }
        .into()),
        (first, other) => Ok(first.or(other)),
    }
}

#[cfg(test)]
mod tests;
