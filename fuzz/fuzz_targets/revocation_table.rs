#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pki_fuzz::tables::revocation_table(data));
