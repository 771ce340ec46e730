//! Revocation status of a certificate, and changes of it.

use super::record::{RevocationLine, Revoked};
use crate::x509::Serial;
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RevocationChange {
    /// First revocation.
    Revoke(Serial, Revoked),
    /// Revocation after a hold, or after the release of one.
    RevokeAgain(Serial, Revoked),
    /// Release of a hold.
    Release(Serial, OffsetDateTime),
}

/// Revocation status of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    NeverRevoked,
    Released,
    Revoked(Revoked),
}

impl Standing {
    /// Returns the revocation, if the certificate is revoked.
    pub(crate) fn revoked(self) -> Option<Revoked> {
        match self {
            Self::Revoked(revoked) => Some(revoked),
            Self::NeverRevoked | Self::Released => None,
        }
    }
}

impl RevocationLine {
    /// Returns the status after this record.
    pub(super) fn standing(&self) -> Standing {
        self.revoked.map_or(Standing::Released, Standing::Revoked)
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
