//! The counters: one decimal number in a file, as wide as it can become.
//!
//! A counter is written over in place. Its line never changes length, so that the write is one
//! sector and needs one sync, and a file that is empty, short or not a number is damage.

use super::error::StoreError;
use super::file;
use std::path::Path;

/// Digits of the largest number, 2^128 - 1.
const WIDTH: usize = 39;

/// Returns the line of a file with this number.
pub(super) fn line(number: u128) -> String {
    format!("{number:0WIDTH$}\n")
}

pub(super) fn read(path: &Path) -> Result<u128, StoreError> {
    let Some(bytes) = file::read_if_there(path)? else {
        return Err(StoreError::damaged(path, "is missing"));
    };
    let text = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n'));
    match text {
        Some(digits)
            if digits.len() == WIDTH && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            digits
                .parse()
                .map_err(|_| StoreError::damaged(path, "holds a number that is too large"))
        }
        _ => Err(StoreError::damaged(
            path,
            "is not a number of 39 digits and a newline",
        )),
    }
}

pub(super) fn write(path: &Path, number: u128) -> Result<(), StoreError> {
    Ok(file::overwrite(path, line(number).as_bytes())?)
}
