//! Errors of files from outside.

use crate::asn1::Malformed;
use crate::key::KeyError;
use crate::pem::PemError;
use crate::x509::general_name::GeneralNameError;
use std::fmt::Display;
use std::path::Path;

/// Reasons why a file from outside can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Name(#[from] GeneralNameError),
    #[error("it is UTF-16 text")]
    Utf16,
    /// It is the base64 of an object, without the lines around it.
    #[error("it is base64 without the lines -----BEGIN …----- and -----END …-----")]
    BareBase64,
    #[error("{0}")]
    Other(String),
}

/// Returns how a message calls a file: `-` is standard input.
pub(crate) fn called(path: &Path) -> impl Display {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
