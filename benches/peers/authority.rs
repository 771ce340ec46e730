//! The CA that all peers issue from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{command, output};

/// What kind of key CA and leaf have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on NIST P-256.
    P256,
    /// RSA with 2048 bits.
    Rsa2048,
}

impl KeyKind {
    /// As `openssl req` is asked for a new key of this kind.
    pub fn openssl_arguments(self) -> &'static str {
        match self {
            Self::P256 => "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
            Self::Rsa2048 => "-newkey rsa:2048",
        }
    }
}

/// A self-signed CA without a passphrase, made by openssl.
#[derive(Clone)]
pub struct Authority {
    /// Kind of the CA's key, and of those it issues for.
    pub kind: KeyKind,
    /// Its certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PKCS#8 in PEM.
    pub key: PathBuf,
    directory: PathBuf,
}

impl Authority {
    /// Makes one in a new directory, under the names at which mkcert looks for its own.
    pub fn new(directory: &Path, kind: KeyKind) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let certificate = directory.join("rootCA.pem");
        let key = directory.join("rootCA-key.pem");
        let algorithm = kind.openssl_arguments();
        let line = format!("openssl req -x509 -new {algorithm} -nodes -days 3650 -subj /CN=peers");
        output(
            command(&line)
                .args(["-addext", "keyUsage=critical,keyCertSign,cRLSign"])
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate),
        )?;
        Ok(Self {
            kind,
            certificate,
            key,
            directory: directory.to_owned(),
        })
    }

    /// The directory that holds certificate and key.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A CSR for a new key of the CA's kind.
    pub fn request(&self) -> Result<PathBuf> {
        let request = self.directory.join("request.csr");
        let algorithm = self.kind.openssl_arguments();
        let line =
            format!("openssl req -new {algorithm} -nodes -subj /CN=request -keyout /dev/null");
        output(command(&line).arg("-out").arg(&request))?;
        Ok(request)
    }
}
