//! A certificate and those whose place it took: what has a successor, and whose files are replaced.

use crate::ca::error::CaError;
use crate::ca::export::{Destination, FileKind, check_name};
use crate::ca::file_name::file_name;
use crate::ca::foreign::read_certificates;
use crate::ca::renewal::error::RenewalError;
use crate::ca::select::Status;
use crate::store::{Ca, CaName, Issuance, Journal, RenewalMark};
use crate::x509::Serial;
use std::collections::HashMap;
use std::path::Path;
use time::OffsetDateTime;

/// A certificate that is to be renewed, and those before it.
pub(crate) struct Lineage {
    ca: CaName,
    /// Base name of its files.
    name: String,
    /// The certificate itself first.
    members: Vec<Issuance>,
    /// Whether other valid certificates have its common name.
    has_namesakes: bool,
}

impl Lineage {
    /// Finds it among what the CA issued.
    pub(crate) fn of(ca: &Ca, issuance: &Issuance, now: OffsetDateTime) -> Result<Self, CaError> {
        let mut named = ca.issuances_named(&issuance.cn)?;
        let mut members = Vec::new();
        let mut next = Some(issuance.serial);
        while let Some(serial) = next {
            let place = named.iter().position(|other| other.serial == serial);
            next = place.and_then(|place| {
                let member = named.remove(place);
                let before = member.renews;
                members.push(member);
                before
            });
        }
        let mut has_namesakes = false;
        for other in named {
            let revoked = ca.revoked(&other.serial)?;
            has_namesakes |= Status::of(&other, revoked.as_ref(), now).is_live();
        }
        Ok(Self {
            ca: ca.name().clone(),
            name: file_name(issuance),
            members,
            has_namesakes,
        })
    }

    /// Returns the destination of its successor's files, which replace no other certificate's: named by
    /// the common name, or the first SAN, with the serial number behind it if another certificate has that name.
    pub(crate) fn destination(
        &self,
        directory: &Path,
        kinds: &[FileKind],
        overwrite: bool,
    ) -> Result<Destination, CaError> {
        check_name(&self.name)?;
        let serials = self.members.iter().map(|member| member.serial);
        let own = serials.clone().next();
        let numbered = |serial: Serial| format!("{}-{serial}", self.name);
        let place = |name: String, overwrite: bool| Destination {
            directory: directory.to_owned(),
            name,
            overwrite,
        };
        for name in std::iter::once(self.name.clone()).chain(serials.map(numbered)) {
            let destination = place(name, overwrite);
            if self.is_in(&destination.file(FileKind::Certificate)) {
                return Ok(destination);
            }
        }
        let plain = place(self.name.clone(), false);
        if !self.has_namesakes && plain.in_place(kinds)?.is_none() {
            return Ok(plain);
        }
        let Some(serial) = own else {
            return Ok(plain);
        };
        let numbered = place(numbered(serial), false);
        match numbered.in_place(kinds)? {
            None => Ok(numbered),
            Some(path) => Err(RenewalError::FilesOfOther {
                ca: self.ca.clone(),
                serial,
                path,
            }
            .into()),
        }
    }

    /// Returns whether a file has one of its certificates in it.
    fn is_in(&self, path: &Path) -> bool {
        if !path.is_file() {
            return false;
        }
        let Ok(certificates) = read_certificates(path) else {
            return false;
        };
        certificates.first().is_some_and(|certificate| {
            let mut members = self.members.iter();
            members.any(|member| member.is_of(certificate))
        })
    }
}

/// Certificates that were renewed since a scan.
pub(crate) struct Successors {
    /// The one before, and the one in its place.
    known: HashMap<Serial, Serial>,
    /// Moment up to which records were read.
    mark: RenewalMark,
}

impl Successors {
    /// None yet; those that are recorded from now on will be found.
    pub(crate) fn from_now_on(ca: &Ca) -> Result<Self, CaError> {
        Ok(Self {
            known: HashMap::new(),
            mark: ca.renewals_from_now_on()?,
        })
    }

    /// Refuses what another process has renewed meanwhile. The CA is locked, so that it stays so.
    pub(crate) fn refuse(&mut self, ca: &Ca, serial: Serial) -> Result<(), CaError> {
        for issuance in ca.renewals_since(&mut self.mark)? {
            if let Some(before) = issuance.renews {
                self.known.insert(before, issuance.serial);
            }
        }
        match self.known.get(&serial) {
            Some(by) if ca.revoked(by)?.is_none() => {
                ca.make_durable(Journal::Issued)?;
                Err(RenewalError::RenewedMeanwhile {
                    ca: ca.name().clone(),
                    serial,
                    by: *by,
                }
                .into())
            }
            _ => Ok(()),
        }
    }
}
