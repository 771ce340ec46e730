//! Fuzz targets: one function for each parser of files and words from outside.
//!
//! Each takes any bytes, and panics if an invariant does not hold. libFuzzer calls them (`fuzz_targets`), and
//! `tests/suite/hostile.rs` with the stored inputs.

pub mod store;
pub mod takeover;

pub use pki::fuzzing::{encodings, keys, objects, tables, words};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("pem", objects::pem),
    ("der", encodings::der),
    ("certificate", objects::certificate),
    ("request", objects::request),
    ("list", objects::list),
    ("signed_data", objects::signed_data),
    ("show", objects::show),
    ("bundle", objects::bundle),
    ("verify", objects::verify),
    ("key", keys::key),
    ("pkcs12", keys::pkcs12),
    ("certificate_table", tables::certificate_table),
    ("revocation_table", tables::revocation_table),
    ("declaration", tables::declaration),
    ("openssl_index", takeover::openssl_index),
    ("openssl_numbers", takeover::openssl_numbers),
    ("issued_journal", store::issued_journal),
    ("revoked_journal", store::revoked_journal),
    ("list_journal", store::list_journal),
    ("ca_record", store::ca_record),
    ("store_format", store::store_format),
    ("counter", store::counter),
    ("name", words::name),
    ("alternative_name", words::alternative_name),
    ("serial", words::serial),
    ("moment", words::moment),
    ("text", words::text),
];
