//! Giving certificates and keys out, as the files that servers and clients take.

use super::error::CaError;
use super::notice::Notice;
use crate::key::{PrivateKey, Protection};
use crate::pem;
use crate::store::file::{self, Access, Existing};
use crate::store::{FileError, is_device_name};
use crate::x509::Certificate;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where files are put, and whether they may take the place of others.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The folder; made where it is missing.
    pub directory: PathBuf,
    /// Whether files that are there already may be replaced.
    pub overwrite: bool,
    /// Whether the certificate is also written as DER.
    pub der: bool,
}

/// A private key to be written, and how.
pub struct KeyOutput<'a> {
    /// The key.
    pub key: &'a PrivateKey,
    /// How it is written.
    pub protection: &'a Protection,
}

/// What is given out.
pub struct Export<'a> {
    /// The files' common name.
    pub name: &'a str,
    /// The certificate.
    pub certificate: &'a Certificate,
    /// Its issuer, and so on up to the root; empty for a root.
    pub issuers: &'a [Certificate],
    /// Its key.
    pub key: Option<KeyOutput<'a>>,
}

/// The files that were written, by what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Kind and path, in the order in which they are documented.
    pub files: Vec<(&'static str, PathBuf)>,
    /// What the user wants to know.
    pub notices: Vec<Notice>,
}

impl Export<'_> {
    /// Whether the name is that of a file and of nothing else, on any system.
    pub fn check_name(name: &str) -> Result<(), CaError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
        let safe = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.len() <= 128
            && name.bytes().all(allowed)
            && !name.ends_with('.')
            && !is_device_name(name);
        if safe {
            Ok(())
        } else {
            Err(CaError::FileName {
                name: name.to_owned(),
            })
        }
    }

    /// Whether [`Export::write`] would find something in the place of one of its files.
    pub fn check_destination(
        name: &str,
        has_key: bool,
        destination: &Destination,
    ) -> Result<(), CaError> {
        Self::check_name(name)?;
        for kind in ["crt", "chain.pem", "fullchain.pem", "key", "der"] {
            let wanted = match kind {
                "key" => has_key,
                "der" => destination.der,
                _ => true,
            };
            let path = destination.directory.join(format!("{name}.{kind}"));
            if wanted && !destination.overwrite && std::fs::symlink_metadata(&path).is_ok() {
                let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
                return Err(FileError {
                    operation: "create",
                    path,
                    source,
                }
                .into());
            }
        }
        Ok(())
    }

    /// Writes `NAME.crt`, `NAME.chain.pem`, `NAME.fullchain.pem`, and `NAME.key`, `NAME.der` where
    /// they are wanted: all of them or none.
    pub fn write(&self, destination: &Destination) -> Result<Exported, CaError> {
        Self::check_name(self.name)?;
        file::create_directories(&destination.directory)?;
        let path = |ending: &str| {
            destination
                .directory
                .join(format!("{}.{ending}", self.name))
        };
        let existing = if destination.overwrite {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let mut staged = Vec::new();
        let mut files = Vec::new();
        let mut stage = |kind, path: PathBuf, access, content: &[u8]| -> Result<(), FileError> {
            let mut new = file::Staged::new(&path, access, existing)?;
            new.write_all(content).map_err(|source| FileError {
                operation: "write",
                path: path.clone(),
                source,
            })?;
            staged.push(new);
            files.push((kind, path));
            Ok(())
        };
        stage(
            "crt",
            path("crt"),
            Access::Umask,
            self.certificate.to_pem().as_bytes(),
        )?;
        if !self.issuers.is_empty() {
            stage(
                "chain",
                path("chain.pem"),
                Access::Umask,
                self.chain().as_bytes(),
            )?;
        }
        if self.is_below_a_root() {
            stage(
                "fullchain",
                path("fullchain.pem"),
                Access::Umask,
                self.full_chain().as_bytes(),
            )?;
        }
        if let Some(KeyOutput { key, protection }) = &self.key {
            let text = protection.to_pem(key).map_err(CaError::NewKey)?;
            stage("key", path("key"), Access::Owner, text.as_bytes())?;
        }
        if destination.der {
            stage("der", path("der"), Access::Umask, self.certificate.der())?;
        }
        file::commit_all(staged)?;
        Ok(Exported {
            files,
            notices: Vec::new(),
        })
    }

    fn is_below_a_root(&self) -> bool {
        !self.issuers.is_empty()
    }

    /// From the issuing CA up to the root.
    fn chain(&self) -> String {
        self.issuers.iter().map(Certificate::to_pem).collect()
    }

    /// From the certificate up to the CA below the root: what a server sends.
    fn full_chain(&self) -> String {
        let below_root = self
            .issuers
            .iter()
            .take(self.issuers.len().saturating_sub(1));
        std::iter::once(self.certificate)
            .chain(below_root)
            .map(Certificate::to_pem)
            .collect()
    }
}

/// Whether the file in a place is made of PEM objects of this kind alone.
pub(super) fn holds_only(path: &Path, label: &str) -> bool {
    std::fs::read(path)
        .ok()
        .and_then(|content| pem::decode(&content).ok())
        .is_some_and(|objects| {
            !objects.is_empty() && objects.iter().all(|object| object.label == label)
        })
}
