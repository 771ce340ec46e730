//! A private certificate authority: the library under the `pki` command.
pub mod asn1;
pub mod key;
pub mod pem;
pub mod x509;
pub mod store;
pub mod ca;
