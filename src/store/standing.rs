//! Whether a certificate is revoked, and changes of that.

use super::record::{RevocationLine, Revoked};
use crate::x509::Serial;
use time::OffsetDateTime;

/// Something to be recorded about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationChange {
    /// It is revoked from now on, for the first time.
    Revoke(Serial, Revoked),
    /// It was on hold, or released from one, and is revoked now.
    RevokeAgain(Serial, Revoked),
    /// Its hold is lifted.
    Release(Serial, OffsetDateTime),
}

/// How a certificate stands.
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
    /// That it is revoked, if it is.
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
