//! Directory of a CA's responses: replaced as a whole.
//!
//! Responses for GET stand under the base64 of their requests, of which each slash leads into a directory; a path that
//! ends with one has the name that web servers look for. Those with SHA-1 are also in `staple`, under their serial
//! numbers.

use crate::ca::error::CaError;
use crate::ca::ocsp::error::OcspError;
use crate::store::file;
use crate::store::{CaName, FileError};
use crate::x509::Serial;
use crate::x509::ocsp::{CertIdHash, IssuerId};
use std::path::{Path, PathBuf};

const STAPLES: &str = "staple";

/// Ending of the files for stapling.
pub(super) const ENDING: &str = "ocsp";

/// File of a path that ends with a slash.
const INDEX: &str = "index.html";

/// Files that an error names.
const MOST_NAMED: usize = 5;

/// Paths in the directory of a CA's responses.
#[derive(Debug, Clone)]
pub(super) struct ResponseTree {
    pub(super) path: PathBuf,
}

impl ResponseTree {
    pub(super) fn of(out: &Path, ca: &CaName) -> Self {
        // A slash at the end would lead behind a symbolic link.
        let path = out.join(ca.as_str()).components().collect();
        Self { path }
    }

    pub(super) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(super) fn staples(&self) -> PathBuf {
        self.path.join(STAPLES)
    }

    pub(super) fn staple(&self, serial: &Serial) -> PathBuf {
        self.staples().join(format!("{serial}.{ENDING}"))
    }

    /// Returns the file of a GET request.
    pub(super) fn get(&self, issuer: &IssuerId, serial: &Serial) -> PathBuf {
        let path = issuer.path(serial);
        let file = self.path.join(&path);
        if path.ends_with('/') {
            file.join(INDEX)
        } else {
            file
        }
    }

    /// Reads the response of a GET request, unless it is missing or the file for stapling is not the same.
    pub(super) fn response(
        &self,
        issuer: &IssuerId,
        serial: &Serial,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let der = file::read_if_there(&self.get(issuer, serial))?;
        if issuer.hash == CertIdHash::Sha1 && file::read_if_there(&self.staple(serial))? != der {
            return Ok(None);
        }
        Ok(der)
    }

    /// Refuses a directory with files that are not named as responses are.
    pub(super) fn refuse_foreign(&self) -> Result<(), CaError> {
        if !file::stands(&self.path)? {
            return Ok(());
        }
        let path = self.path.clone();
        if !file::is_directory(&path)? {
            return Err(OcspError::NotADirectory { path }.into());
        }
        let mut files = Vec::new();
        for file in file::files_below(&path)? {
            let inside = file.strip_prefix(&path).unwrap_or(&file);
            if !is_response(inside) || !file::is_regular(&file)? {
                files.push(inside.display().to_string());
            }
        }
        if files.is_empty() {
            return Ok(());
        }
        files.sort();
        files.truncate(MOST_NAMED);
        Err(OcspError::Foreign { path, files }.into())
    }
}

/// Fewest characters of a path: that of a request with SHA-1 and a serial number of one byte has 92, of which file
/// systems join slashes that follow each other.
const LEAST: usize = 80;

/// Returns whether a path in the directory is one that a response has.
fn is_response(path: &Path) -> bool {
    let Some(text) = path.to_str() else {
        return false;
    };
    if let Ok(staple) = path.strip_prefix(STAPLES) {
        let stem = staple.to_str().and_then(|name| name.strip_suffix(".ocsp"));
        return stem.is_some_and(|stem| {
            !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
    }
    let base64 = text.strip_suffix(INDEX).unwrap_or(text);
    // The first byte of a SEQUENCE.
    base64.starts_with('M')
        && base64.len() >= LEAST
        && base64
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}
