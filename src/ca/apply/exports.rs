//! The files of entries: whether they are as they should be, and whose they are.

use crate::ca::apply::declaration::{Declaration, Entry};
use crate::ca::apply::entries::Record;
use crate::ca::apply::files::EntryFiles;
use crate::ca::apply::step::Step;
use crate::ca::error::CaError;
use crate::ca::export::{ExportPlace, Exported, FileKind, GroupExport, KeyOutput};
use crate::ca::foreign::read_certificates;
use crate::ca::issuance::KeySource;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, passphrase_for};
use crate::key::{Passphrase, PrivateKey, Protection};
use crate::store::{CaName, Store, file};
use crate::x509::Certificate;
use std::collections::HashSet;
use std::path::PathBuf;

impl EntryFiles {
    fn kinds(&self, has_key: bool) -> Vec<FileKind> {
        let mut kinds = FileKind::usual(true, has_key, self.der);
        kinds.extend(self.pkcs12.filter(|_| has_key).map(FileKind::Pkcs12));
        kinds
    }

    pub(crate) fn paths(&self, has_key: bool) -> Vec<PathBuf> {
        let kinds = self.kinds(has_key).into_iter();
        kinds
            .map(|kind| self.place().path(&self.name, kind))
            .collect()
    }

    /// The folder. Which files may be replaced there is looked at before.
    pub(crate) fn place(&self) -> ExportPlace {
        ExportPlace {
            directory: self.directory.clone(),
            overwrite: true,
        }
    }

    /// Kinds of files of a certificate.
    pub(crate) fn export<'a>(
        &'a self,
        certificate: &'a Certificate,
        makes_key: bool,
        key: Option<&'a PrivateKey>,
        keys: &'a ExportKeys<'_>,
    ) -> GroupExport<'a> {
        let output = |key| match (&keys.opened, self.protected) {
            (Some((protection, passphrase)), true) => KeyOutput {
                key,
                protection,
                passphrase: passphrase.as_ref(),
            },
            _ => KeyOutput {
                key,
                protection: &Protection::None,
                passphrase: None,
            },
        };
        GroupExport {
            name: self.name.clone(),
            kinds: self.kinds(makes_key),
            certificate,
            key: key.map(output),
        }
    }

    /// The files, where all of them are there and hold what they should; of those with a key it is enough
    /// that they are there.
    pub(crate) fn standing(
        &self,
        certificate: &Certificate,
        issuers: &[Certificate],
        makes_key: bool,
    ) -> Result<Option<Exported>, CaError> {
        let export = GroupExport {
            name: self.name.clone(),
            kinds: self.kinds(makes_key),
            certificate,
            key: None,
        };
        self.place().holding(&export, issuers)
    }

    /// Refuses files in the place of those of an entry that hold none of its certificates.
    pub(crate) fn refuse_others(&self, records: &[Record], makes_key: bool) -> Result<(), CaError> {
        let place = self.place();
        place.check(&self.name, &self.kinds(makes_key))?;
        let mut known = false;
        let mut other = None;
        for kind in self.kinds(makes_key) {
            let path = place.path(&self.name, kind);
            if !file::stands(&path)? {
                continue;
            }
            let names_owner = matches!(
                kind,
                FileKind::Certificate | FileKind::FullChain | FileKind::Der
            );
            if !names_owner {
                other.get_or_insert(path);
                continue;
            }
            let certificates = read_certificates(&path).unwrap_or_default();
            let is_own = certificates.first().is_some_and(|certificate| {
                records
                    .iter()
                    .any(|record| record.issuance.is_of(certificate))
            });
            if !is_own {
                return Err(not_of_entry(path));
            }
            known = true;
        }
        match other {
            Some(path) if !known => Err(not_of_entry(path)),
            _ => Ok(()),
        }
    }
}

fn not_of_entry(path: PathBuf) -> CaError {
    CaError::WouldReplace {
        path,
        kind: "a file of this entry",
    }
}

/// Protection of keys that leave the store.
pub(crate) struct ExportKeys<'a> {
    passphrases: &'a mut dyn Passphrases,
    opened: Option<(Protection, Option<Passphrase>)>,
}

impl<'a> ExportKeys<'a> {
    pub(crate) fn new(passphrases: &'a mut dyn Passphrases) -> Self {
        Self {
            passphrases,
            opened: None,
        }
    }

    /// Asks for the passphrase if a key that is planned to be written needs it, or one whose CA has its key outside
    /// the store.
    pub(crate) fn prepare(
        &mut self,
        wishes: &Declaration,
        plan: &[Step],
        store: Option<&Store>,
    ) -> Result<(), CaError> {
        let written = plan.iter().filter(|step| step.action.is_change());
        let written: HashSet<_> = written.filter_map(Step::entry).collect();
        let is_written = |entry: &&Entry| written.contains(&(&entry.ca, entry.name.as_str()));
        let outside = names_of_cas_outside(wishes, store)?;
        let needs = |entry: &&Entry| {
            entry.has_protected_key() || entry.makes_key() && outside.contains(&entry.ca)
        };
        let mut entries = wishes.certificates.iter();
        match entries.find(|entry| needs(entry) && is_written(entry)) {
            Some(_) => self.open(),
            None => Ok(()),
        }
    }

    /// Returns the protection, if it was asked for.
    pub(crate) fn protection(&self) -> Option<&Protection> {
        self.opened.as_ref().map(|(protection, _)| protection)
    }

    /// Asks for the passphrase, unless that was done.
    pub(crate) fn open(&mut self) -> Result<(), CaError> {
        if self.opened.is_none() {
            let passphrase =
                passphrase_for(ProtectedKey::outside("the exported keys"), self.passphrases)?;
            let protection = match &passphrase {
                Some(passphrase) => Protection::new(passphrase).map_err(KeyUseError::Encoding)?,
                None => Protection::None,
            };
            self.opened = Some((protection, passphrase));
        }
        Ok(())
    }
}

/// Returns the names of CAs, of the file and of the store, whose keys are outside the store.
fn names_of_cas_outside(
    wishes: &Declaration,
    store: Option<&Store>,
) -> Result<HashSet<CaName>, CaError> {
    let wished = wishes.cas.iter().filter(|ca| ca.new.key_uri.is_some());
    let mut names: HashSet<CaName> = wished.map(|ca| ca.new.name.clone()).collect();
    if let Some(store) = store {
        let cas = store.cas()?;
        let outside = cas.iter().filter(|ca| ca.record().key_uri.is_some());
        names.extend(outside.map(|ca| ca.name().clone()));
    }
    Ok(names)
}

impl Entry {
    /// Returns whether its key is made here.
    pub(crate) fn makes_key(&self) -> bool {
        matches!(self.request.key, KeySource::Generate(_))
    }

    /// Returns whether its files hold a key under a passphrase.
    pub(crate) fn has_protected_key(&self) -> bool {
        let files = self.files.as_ref();
        self.makes_key() && files.is_some_and(|files| files.protected)
    }
}
