//! What is done with hostile input: one function for each parser of files and words that others wrote.
//!
//! Each takes any octets, and panics where a promise is broken. They are called by libFuzzer
//! (`fuzz_targets`), and with the stored inputs by `tests/suite/hostile.rs`.

pub mod keys;
pub mod objects;
pub mod store;
pub mod tables;
pub mod takeover;
pub mod words;

use std::error::Error;
use time::OffsetDateTime;
use time::macros::datetime;

/// One of them.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("pem", objects::pem),
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

/// When it is.
const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);

/// Rounds of key derivation up to which files are opened: what more do is slow, as it is meant to be.
const FEW_ROUNDS: u64 = 10_000;

/// The passphrase of the files in the corpora.
const PASSPHRASE: &str = "secret";

/// Says an error with all its causes, and that nothing in it steers a terminal once it is written as it is.
fn said(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push('\n');
        text.push_str(&error.to_string());
        cause = error.source();
    }
    harmless(&pki::x509::text::Escaped(&text).to_string());
}

/// Nothing in it but line breaks steers a terminal.
fn harmless(text: &str) {
    let steers = |character: char| character != '\n' && pki::x509::text::is_deceptive(character);
    assert!(!text.contains(steers), "{text:?}");
}
