//! Giving certificates and keys out, as the files that servers and clients take.

use super::error::CaError;
use crate::key::{PrivateKey, Protection};
use crate::store::file::{self, Access, Existing, Staged};
use crate::store::{FileError, is_device_name};
use crate::x509::Certificate;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where files are put, and whether they may take the place of others.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The folder; made where it is missing.
    pub directory: PathBuf,
    /// The files' common name.
    pub name: String,
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

/// Files that are open and have no names yet: whatever hinders them has shown before anything is
/// issued.
pub struct OpenExport {
    certificate: Staged,
    chains: Option<Chains>,
    key: Option<Staged>,
    der: Option<Staged>,
}

struct Chains {
    chain: Staged,
    full_chain: Staged,
}

/// What an export is to hold beside the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The chains: a root has none.
    pub chains: bool,
    /// The key.
    pub key: bool,
}

/// The files that were written, kind and path, in the order in which they are documented.
pub type Exported = Vec<(&'static str, PathBuf)>;

impl Destination {
    /// Opens `NAME.crt`, `NAME.chain.pem`, `NAME.fullchain.pem`, and `NAME.key`, `NAME.der` where they
    /// are wanted.
    pub fn open(&self, parts: Parts) -> Result<OpenExport, CaError> {
        check_name(&self.name)?;
        file::create_directories(&self.directory)?;
        let existing = if self.overwrite {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let stage = |ending: &str, access| {
            Staged::new(
                &self.directory.join(format!("{}.{ending}", self.name)),
                access,
                existing,
            )
        };
        let chains = || -> Result<Chains, FileError> {
            Ok(Chains {
                chain: stage("chain.pem", Access::Umask)?,
                full_chain: stage("fullchain.pem", Access::Umask)?,
            })
        };
        Ok(OpenExport {
            certificate: stage("crt", Access::Umask)?,
            chains: parts.chains.then(chains).transpose()?,
            key: parts.key.then(|| stage("key", Access::Owner)).transpose()?,
            der: self.der.then(|| stage("der", Access::Umask)).transpose()?,
        })
    }
}

/// Whether a name is that of a file and of nothing else, on any system.
fn check_name(name: &str) -> Result<(), CaError> {
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

impl OpenExport {
    /// Writes the certificate, its chains from `issuers` (its issuer first, the root last) and its
    /// key: all files or none.
    pub fn write(
        self,
        certificate: &Certificate,
        issuers: &[Certificate],
        key: Option<&KeyOutput<'_>>,
    ) -> Result<Exported, CaError> {
        let Self {
            certificate: certificate_file,
            chains,
            key: key_file,
            der,
        } = self;
        let mut files = vec![(
            "crt",
            filled(certificate_file, certificate.to_pem().as_bytes())?,
        )];
        if let Some(Chains { chain, full_chain }) = chains {
            files.push(("chain", filled(chain, pem_of(issuers).as_bytes())?));
            let below_root = &issuers[..issuers.len().saturating_sub(1)];
            let text = certificate.to_pem() + &pem_of(below_root);
            files.push(("fullchain", filled(full_chain, text.as_bytes())?));
        }
        if let (Some(file), Some(KeyOutput { key, protection })) = (key_file, key) {
            let text = protection.to_pem(key).map_err(CaError::NewKey)?;
            files.push(("key", filled(file, &text)?));
        }
        if let Some(file) = der {
            files.push(("der", filled(file, certificate.der())?));
        }
        let exported = files
            .iter()
            .map(|(kind, file)| (*kind, file.path().to_owned()))
            .collect();
        file::commit_all(files.into_iter().map(|(_, file)| file).collect())?;
        Ok(exported)
    }
}

/// One file that is open and has no name yet.
pub struct OpenFile(Staged);

impl OpenFile {
    /// Opens it; with `overwrite` it takes the place of a file that is there.
    pub fn open(path: &Path, overwrite: bool) -> Result<Self, CaError> {
        let existing = if overwrite {
            Existing::Replace
        } else {
            Existing::Keep
        };
        Ok(Self(Staged::new(path, Access::Umask, existing)?))
    }

    /// Gives it its content and its name.
    pub fn write(self, content: &[u8]) -> Result<(), CaError> {
        Ok(filled(self.0, content)?.commit()?)
    }
}

fn pem_of(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}

fn filled(mut file: Staged, content: &[u8]) -> Result<Staged, FileError> {
    match file.write_all(content) {
        Ok(()) => Ok(file),
        Err(source) => Err(FileError {
            operation: "write",
            path: file.path().to_owned(),
            source,
        }),
    }
}
