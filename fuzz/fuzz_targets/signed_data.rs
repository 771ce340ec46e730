#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pki_fuzz::objects::signed_data(data));
