//! Certificate revocation lists (RFC 5280 section 5).
//!
//! A CRL is written into one buffer, entry by entry, and its headers in front of them afterwards:
//! what it costs in memory is its own size. It is read in place, entry by entry.

mod builder;
mod reader;

pub(crate) use builder::{CrlBuilder, Entry, Header};
pub(crate) use reader::{Crl, ReadEntry};

#[cfg(test)]
mod tests;
