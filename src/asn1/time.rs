//! The two time types of RFC 5280 section 4.1.2.5.

use super::{Element, Encoder, Malformed, tag};
use ::time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Appends a time: UTCTime through the year 2049, GeneralizedTime from 2050 on.
///
/// Fractions of a second are dropped, as the RFC demands.
pub(crate) fn encode_time(encoder: &mut Encoder, time: OffsetDateTime) {
    if (1950..2050).contains(&time.year()) {
        // The year's first two digits are the only difference.
        encoder.primitive(tag::UTC_TIME, &digits(time)[2..]);
    } else {
        encode_generalized_time(encoder, time);
    }
}

/// Appends a GeneralizedTime, whatever the year.
pub(crate) fn encode_generalized_time(encoder: &mut Encoder, time: OffsetDateTime) {
    encoder.primitive(tag::GENERALIZED_TIME, &digits(time));
}

/// `YYYYMMDDHHMMSSZ`.
fn digits(time: OffsetDateTime) -> [u8; 15] {
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    let year = u16::try_from(year).unwrap_or(0);
    let pairs = [
        u8::try_from(year / 100 % 100).expect("two digits fit a byte"),
        u8::try_from(year % 100).expect("two digits fit a byte"),
        u8::from(month),
        day,
        hour,
        minute,
        second,
    ];
    let mut digits = [b'Z'; 15];
    for (place, pair) in digits.chunks_exact_mut(2).zip(pairs) {
        place[0] = b'0' + pair / 10;
        place[1] = b'0' + pair % 10;
    }
    digits
}

/// The time in a UTCTime or GeneralizedTime that ends in `Z` and has seconds.
pub(crate) fn parse_time(element: &Element<'_>) -> Result<OffsetDateTime, Malformed> {
    const BAD: Malformed = Malformed::Value("a time is not in the format of RFC 5280");
    let text = std::str::from_utf8(element.content).map_err(|_| BAD)?;
    let digits = text.strip_suffix('Z').ok_or(BAD)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BAD);
    }
    let (year, rest) = match (element.tag, digits.len()) {
        (tag::UTC_TIME, 12) => {
            let short = number(&digits[..2]);
            (
                if short >= 50 {
                    1900 + short
                } else {
                    2000 + short
                },
                &digits[2..],
            )
        }
        (tag::GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
        (tag::UTC_TIME | tag::GENERALIZED_TIME, _) => return Err(BAD),
        _ => return Err(Malformed::Unexpected("a time")),
    };
    let field = |at: usize| u8::try_from(number(&rest[at..at + 2])).expect("two digits fit a byte");
    let date = Month::try_from(field(0))
        .and_then(|month| Date::from_calendar_date(i32::from(year), month, field(2)))
        .map_err(|_| BAD)?;
    let time = Time::from_hms(field(4), field(6), field(8)).map_err(|_| BAD)?;
    Ok(PrimitiveDateTime::new(date, time).assume_utc())
}

/// The value of up to four decimal digits.
fn number(digits: &str) -> u16 {
    digits
        .bytes()
        .fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{Reader, encode};
    use ::time::macros::datetime;

    #[test]
    fn utc_time_through_2049_then_generalized_time() {
        for (time, expected) in [
            (
                datetime!(1950-01-01 0:00 UTC),
                &b"\x17\x0d500101000000Z"[..],
            ),
            (datetime!(2049-12-31 23:59:59 UTC), b"\x17\x0d491231235959Z"),
            (datetime!(2050-01-01 0:00 UTC), b"\x18\x0f20500101000000Z"),
            (
                datetime!(9999-12-31 23:59:59 UTC),
                b"\x18\x0f99991231235959Z",
            ),
        ] {
            let der = encode(|encoder| encode_time(encoder, time));
            assert_eq!(der, expected);
            assert_eq!(parse_time(&Reader::single(&der).unwrap()), Ok(time));
        }
    }

    #[test]
    fn times_with_offsets_without_seconds_or_impossible_are_refused() {
        for content in [
            "4912312359Z",
            "491231235959+0000",
            "491331235959Z",
            "490230000000Z",
            "49123123595xZ",
        ] {
            let element = Element {
                tag: tag::UTC_TIME,
                content: content.as_bytes(),
                whole: &[],
            };
            assert!(parse_time(&element).is_err(), "{content}");
        }
    }
}
