//! What differs between two runs, replaced by what it is.

/// Serials, fingerprints and points in time as `[serial]`, `[fingerprint]`
/// and `[time]`, so that a whole transcript can be written down in a test.
pub(crate) fn normalised(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, replacement) = variable_part(rest, &out);
        match replacement {
            Some(name) => out.push_str(name),
            None => out.push(first),
        }
        rest = &rest[if length == 0 {
            first.len_utf8()
        } else {
            length
        }..];
    }
    out
}

/// How many bytes at the start of `text` change from run to run, and what they are.
fn variable_part(text: &str, before: &str) -> (usize, Option<&'static str>) {
    if before.ends_with(char::is_alphanumeric) && !before.ends_with("0x") {
        return (0, None);
    }
    if let Some(length) = time(text) {
        return (length, Some("[time]"));
    }
    let hex = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let ends = !text[hex..].starts_with(|next: char| next.is_alphanumeric());
    match hex {
        64 if ends => (hex, Some("[fingerprint]")),
        // A counter of at least one byte, and eight random ones.
        18..=40 if ends => (hex, Some("[serial]")),
        _ => (0, None),
    }
}

/// The length of an RFC 3339 date, with or without its time of day.
fn time(text: &str) -> Option<usize> {
    let date = shaped(text, "0000-00-00")?;
    let clock = shaped(&text[date..], "T00:00:00Z")
        .or_else(|| shaped(&text[date..], " 00:00:00Z"))
        .or_else(|| shaped(&text[date..], " 00:00:00 UTC"))
        .or_else(|| shaped(&text[date..], " 00:00 UTC"))
        .or_else(|| shaped(&text[date..], " 00:00:00"));
    Some(date + clock.unwrap_or(0))
}

/// The length of `shape` where `text` starts with it, `0` standing for any digit.
fn shaped(text: &str, shape: &str) -> Option<usize> {
    let start = text.as_bytes().get(..shape.len())?;
    let fits = start.iter().zip(shape.bytes()).all(|(byte, wanted)| {
        if wanted == b'0' {
            byte.is_ascii_digit()
        } else {
            *byte == wanted
        }
    });
    fits.then_some(shape.len())
}

#[test]
fn what_changes_from_run_to_run_is_named_and_the_rest_is_kept() {
    let digest = "ab".repeat(32);
    let text = format!(
        "é 01A5C03D1F2E4B7788, 0x01A5C03D1F2E4B7788, 2027-01-31, 2027-01-31T10:00:00Z {digest} DEAD\n"
    );
    assert_eq!(
        normalised(&text),
        "é [serial], 0x[serial], [time], [time] [fingerprint] DEAD\n"
    );
}
