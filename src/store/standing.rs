//! Revocation status of a certificate, and changes of it.

use super::record::{RevocationLine, Revoked};
use crate::x509::Serial;
use time::OffsetDateTime;

/// A change to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationChange {
    /// It is revoked from now on, for the first time.
    Revoke(Serial, Revoked),
    /// It was on hold, or released from one, and is revoked now.
    RevokeAgain(Serial, Revoked),
    /// Its hold is lifted.
    Release(Serial, OffsetDateTime),
}

/// Revocation status of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It never was revoked.
    NeverRevoked,
    /// It was on hold, which was lifted.
    Released,
    /// It is revoked.
    Revoked(Revoked),
}

impl Standing {
    /// Returns the revocation, if the certificate is revoked.
    pub fn revoked(self) -> Option<Revoked> {
        match self {
            Self::Revoked(revoked) => Some(revoked),
            Self::NeverRevoked | Self::Released => None,
        }
    }
}

impl From<&RevocationChange> for RevocationLine {
    fn from(change: &RevocationChange) -> Self {
        let (again, serial, revoked, released_at) = match change {
            RevocationChange::Revoke(serial, revoked) => (false, serial, Some(*revoked), None),
            RevocationChange::RevokeAgain(serial, revoked) => (true, serial, Some(*revoked), None),
            RevocationChange::Release(serial, at) => (true, serial, None, Some(*at)),
        };
        Self {
            again,
            serial: *serial,
            revoked,
            released_at,
        }
    }
}
