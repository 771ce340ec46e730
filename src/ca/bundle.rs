//! Trust stores: one PEM file with every CA certificate that a relying party needs, once.

use super::error::{CaError, InputError};
use super::foreign::read_certificates;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, CaName, Store};
use crate::x509::{Certificate, path};
use std::path::{Path, PathBuf};

/// What goes into a bundle.
#[derive(Debug, Clone, Default)]
pub struct BundleRequest {
    /// CAs of the store; all of them where there is none.
    pub cas: Vec<CaName>,
    /// Files of certificates that anyone may have made.
    pub files: Vec<PathBuf>,
}

/// CA certificates: each once, the path of each complete to its root, each issuer behind what it
/// issued.
pub struct Bundle {
    /// The certificates, in the order in which they are written.
    pub certificates: Vec<Certificate>,
}

/// Gathers a bundle. What a file's path lacks is taken from the store.
pub fn bundle(store: &Store, request: &BundleRequest) -> Result<Bundle, CaError> {
    let named: Vec<Ca> = match request.cas.as_slice() {
        [] => store.cas()?,
        names => names
            .iter()
            .map(|name| store.ca(name))
            .collect::<Result<_, _>>()?,
    };
    let mut wanted = Vec::new();
    for path in &request.files {
        wanted.extend(ca_certificates(path)?);
    }
    for ca in &named {
        wanted.push(ca.certificate().clone());
        wanted.extend(
            store
                .ancestors(ca)?
                .iter()
                .map(|ancestor| ancestor.certificate().clone()),
        );
    }
    let pool: Vec<Certificate> = store
        .cas()?
        .iter()
        .map(|ca| ca.certificate().clone())
        .collect();
    if wanted.is_empty() {
        return Err(CaError::EmptyBundle);
    }
    let complete = path::complete(wanted, &pool)?;
    Ok(Bundle {
        certificates: path::issuers_last(&complete),
    })
}

/// A trust store vouches for CAs: a leaf in it would be trusted to be nothing.
fn ca_certificates(path: &Path) -> Result<Vec<Certificate>, CaError> {
    let certificates = read_certificates(path)?;
    match certificates.iter().find(|certificate| !certificate.is_ca()) {
        Some(leaf) => Err(CaError::NotForBundle {
            path: path.to_owned(),
            source: InputError::Other(format!("{} in it is not a CA", leaf.subject())),
        }),
        None => Ok(certificates),
    }
}

impl Bundle {
    /// The bundle as PEM.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}

/// Writes a bundle in the place of nothing, of another bundle, or with `overwrite` of any file.
pub fn write_bundle(
    store: &Store,
    bundle: &Bundle,
    path: &Path,
    overwrite: bool,
) -> Result<(), CaError> {
    let is_kept =
        || -> Result<bool, CaError> { Ok(store.contains_file_of_ca(path) || !is_bundle(path)?) };
    if !overwrite && file::stands(path)? && is_kept()? {
        return Err(CaError::WouldReplace {
            path: path.to_owned(),
            kind: "a bundle",
        });
    }
    Ok(file::write(
        path,
        Access::Umask,
        Existing::Replace,
        bundle.to_pem().as_bytes(),
    )?)
}

/// Whether a file holds CA certificates and nothing else: a leaf's certificate or chain is none. What
/// can't be read may be anything.
fn is_bundle(path: &Path) -> Result<bool, CaError> {
    if !file::is_regular(path)? {
        return Ok(false);
    }
    match ca_certificates(path) {
        Ok(_) => Ok(true),
        Err(error @ CaError::File(_)) => Err(error),
        Err(_) => Ok(false),
    }
}
