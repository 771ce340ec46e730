//! The files of a certificate that is being issued, for its owner.

use super::export::exported_files;
use super::failure::Failure;
use super::passphrase::{PassoutArgs, UserPassphrases};
use crate::ca::{
    CaError, Destination, ExportPlace, FileKind, Issued, KeyOutput, Lineage, OpenExport,
    ProtectedKey, protection_for,
};
use crate::key::Protection;
use crate::store::Ca;
use crate::x509::Certificate;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Destination of the files for the owner.
#[derive(Args)]
pub(super) struct OutArgs {
    /// Also write the certificate, its chains and its key to this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also write the certificate as DER
    #[arg(long, requires = "out")]
    der: bool,
    /// Replace existing files
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) passout: PassoutArgs,
}

/// Files to write after the certificate is recorded.
pub(super) struct Delivery {
    files: OpenExport,
    protection: Protection,
}

impl OutArgs {
    pub(super) fn is_given(&self) -> bool {
        self.out.is_some()
    }

    /// Returns whether DER is among them.
    pub(super) fn der(&self) -> bool {
        self.der
    }

    /// The folder for the files of many certificates.
    pub(super) fn folder(&self) -> Option<ExportPlace> {
        self.out.as_ref().map(|directory| ExportPlace {
            directory: directory.clone(),
            overwrite: self.force,
        })
    }

    /// Refuses options about files without `--out`. The stored key of a leaf whose CA has its key outside the store
    /// has a passphrase of its own.
    pub(super) fn check(&self, ca: &Ca) -> Result<(), Failure> {
        let Some(directory) = &self.out else {
            if self.force {
                return Err(Failure::usage("--force needs --out"));
            }
            if self.passout.is_given() && ca.record().key_uri.is_none() {
                return Err(Failure::usage(
                    "--passout and --no-passphrase need --out",
                )
                .hint("the key stays in the store under the CA's passphrase; `pki export` writes it to a file"));
            }
            return Ok(());
        };
        if directory.as_os_str() == "-" {
            return Err(Failure::usage("--out has to be a directory here, not -"));
        }
        Ok(())
    }

    /// Opens the files that are wanted: what hinders them has to show before anything is issued.
    pub(super) fn open(&self, name: &str, has_key: bool) -> Result<Option<OpenExport>, CaError> {
        let Some(directory) = &self.out else {
            return Ok(None);
        };
        let destination = Destination {
            directory: directory.clone(),
            name: name.to_owned(),
            overwrite: self.force,
        };
        destination.open(&self.kinds(has_key)).map(Some)
    }

    /// Opens those of a certificate's successor, which is one of many, and says what they are called: see
    /// [`Lineage::destination`].
    pub(super) fn open_beside_others(
        &self,
        lineage: &Lineage,
        has_key: bool,
    ) -> Result<Option<(String, OpenExport)>, CaError> {
        let Some(directory) = &self.out else {
            return Ok(None);
        };
        let kinds = self.kinds(has_key);
        let destination = lineage.destination(directory, &kinds, self.force)?;
        let files = destination.open(&kinds)?;
        Ok(Some((destination.name, files)))
    }

    /// The files that are wanted.
    fn kinds(&self, has_key: bool) -> Vec<FileKind> {
        FileKind::usual(true, has_key, self.der)
    }
}

impl Delivery {
    /// Files that are open, and how the key among them is written.
    pub(super) fn new(
        files: OpenExport,
        name: &str,
        has_key: bool,
        passphrases: &mut UserPassphrases,
    ) -> Result<Self, CaError> {
        let protection = if has_key {
            protection_of(&format!("the exported key of {name}"), passphrases)?
        } else {
            Protection::None
        };
        Ok(Self { files, protection })
    }

    /// Returns the protection of the exported key.
    pub(super) fn protection(&self) -> &Protection {
        &self.protection
    }

    pub(super) fn write(
        self,
        issued: &Issued,
        path: &[Certificate],
    ) -> Result<BTreeMap<&'static str, String>, CaError> {
        let Self { files, protection } = self;
        let key = issued.key.as_ref().map(|key| KeyOutput {
            key,
            protection: &protection,
            passphrase: None,
        });
        Ok(exported_files(&files.write(
            &issued.certificate,
            path,
            key.as_ref(),
        )?))
    }
}

/// Returns the protection of a key that is not under a CA's passphrase.
pub(super) fn protection_of(
    label: &str,
    passphrases: &mut UserPassphrases,
) -> Result<Protection, CaError> {
    protection_for(ProtectedKey::outside(label), passphrases)
}
