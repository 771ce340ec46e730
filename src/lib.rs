//! A private certificate authority: the library under the `pki` command.
pub mod asn1;
pub mod ca;
pub mod cli;
pub mod key;
pub mod pem;
pub mod store;
pub mod x509;
