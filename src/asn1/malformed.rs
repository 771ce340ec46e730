//! Errors about DER.

use const_oid::ObjectIdentifier;
use der::{ErrorKind, Tag};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// The bytes end inside an element.
    #[error("it ends in the middle of a value")]
    Truncated,
    /// An indefinite or needlessly long length, or bytes after the end.
    #[error("it is not DER: {0}")]
    NotDer(&'static str),
    /// Another element than the structure has in this place.
    #[error("{0} is expected")]
    Unexpected(&'static str),
    /// The structure is right and the value is not allowed in it.
    #[error("{0}")]
    Value(&'static str),
    /// An extension that is there more than once.
    #[error("it has the extension {} twice", super::oid::called(.0))]
    Twice(ObjectIdentifier),
}

impl Malformed {
    pub(super) const INDEFINITE_LENGTH: Self = Self::NotDer("an indefinite length");
    pub(super) const BYTES_AFTER_END: Self = Self::NotDer("bytes after the end");
    pub(super) const LONG_INTEGER: Self = Self::NotDer("an INTEGER has more bytes than necessary");
    pub(super) const NEGATIVE: Self = Self::Value("an INTEGER is negative");
    pub(super) const BAD_BOOLEAN: Self = Self::Value("a BOOLEAN is neither TRUE nor FALSE");
    /// An OBJECT IDENTIFIER that breaks X.690 section 8.19.
    pub(crate) const BAD_OID: Self = Self::Value("an OBJECT IDENTIFIER is malformed");

    /// Words an error of the der crate; `what` is the structure that was to be read.
    pub(crate) fn of_der(error: &der::Error, what: &'static str) -> Self {
        match error.kind() {
            ErrorKind::Incomplete { .. } => Self::Truncated,
            ErrorKind::IndefiniteLength => Self::INDEFINITE_LENGTH,
            ErrorKind::TrailingData { .. } => Self::BYTES_AFTER_END,
            ErrorKind::Noncanonical { tag: Tag::Integer } => Self::LONG_INTEGER,
            ErrorKind::Noncanonical { tag: Tag::Boolean }
            | ErrorKind::Length { tag: Tag::Boolean } => Self::BAD_BOOLEAN,
            ErrorKind::Value { tag: Tag::Integer } => Self::NEGATIVE,
            ErrorKind::OidMalformed => Self::BAD_OID,
            _ => Self::Unexpected(what),
        }
    }
}
