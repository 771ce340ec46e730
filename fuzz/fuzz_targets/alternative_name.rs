#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pki_fuzz::words::alternative_name(data));
