//! Validity (RFC 5280 section 4.1.2.5), and the ways in which users write times.

use std::str::FromStr;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// A span of time; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

/// A point in time as a user writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// RFC 3339, or a date.
    At(OffsetDateTime),
    /// A duration from now.
    FromNow(Duration),
}

/// A text that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a time: write 2027-01-31, 2027-01-31T12:00:00Z, or a duration from now such as 90d, 12h or 1y"
)]
pub(crate) struct MomentError(String);

impl Moment {
    pub(crate) fn resolve(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let time = match self {
            Self::At(time) => time,
            Self::FromNow(duration) => now.checked_add(duration)?,
        };
        whole_second(time).filter(|time| (1950..=9999).contains(&time.year()))
    }
}

/// The same time in UTC without its fraction.
pub(crate) fn whole_second(time: OffsetDateTime) -> Option<OffsetDateTime> {
    time.checked_to_offset(UtcOffset::UTC)?
        .replace_nanosecond(0)
        .ok()
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        if let Some(duration) = parse_duration(text) {
            return Ok(Self::FromNow(duration));
        }
        if let Some(time) = parse_rfc3339(text) {
            return Ok(Self::At(time));
        }
        let day = time::macros::format_description!("[year]-[month]-[day]");
        match Date::parse(text, day) {
            Ok(date) => Ok(Self::At(date.midnight().assume_utc())),
            Err(_) => Err(MomentError(text.to_owned())),
        }
    }
}

/// A duration such as `90d`, `12h`, `1y` (365 days), `2w`, `30m`, `45s`, or several in a row as in
/// `1d12h`; a minus makes it one that has passed.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            b'y' => 31_536_000,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty() && text != "-").then(|| Duration::seconds(sign * seconds))
}

/// RFC 3339 in UTC, to the second: the way in which times are shown and stored.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let utc = whole_second(time).unwrap_or(time);
    utc_second(utc).unwrap_or_else(|| utc.format(&Rfc3339).unwrap_or_else(|_| utc.to_string()))
}

/// As [`Rfc3339`] writes a whole second in UTC, of which a journal may have millions, quickly.
fn utc_second(time: OffsetDateTime) -> Option<String> {
    let year = u16::try_from(time.year()).ok()?;
    if year > 9999 || time.nanosecond() != 0 || !time.offset().is_utc() {
        return None;
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    let digits = |number: u8| [b'0' + number / 10, b'0' + number % 10];
    for (at, number) in [
        (0, u8::try_from(year / 100).ok()?),
        (2, u8::try_from(year % 100).ok()?),
        (5, time.month().into()),
        (8, time.day()),
        (11, time.hour()),
        (14, time.minute()),
        (17, time.second()),
    ] {
        text[at..at + 2].copy_from_slice(&digits(number));
    }
    Some(std::str::from_utf8(&text).ok()?.to_owned())
}

/// Reads RFC 3339; the form that [`rfc3339`] writes, of which a journal may have millions, quickly.
pub(crate) fn parse_rfc3339(text: &str) -> Option<OffsetDateTime> {
    parse_utc_second(text.as_bytes()).or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok())
}

/// `YYYY-MM-DDTHH:MM:SSZ`.
fn parse_utc_second(text: &[u8]) -> Option<OffsetDateTime> {
    let (text, []) = text.split_first_chunk::<20>()? else {
        return None;
    };
    let marks = [4, 7, 10, 13, 16, 19].map(|at| text[at]);
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u16, |number, digit| {
            let value = digit.is_ascii_digit().then(|| digit - b'0')?;
            Some(number * 10 + u16::from(value))
        })
    };
    let field = |at: usize| number(&text[at..at + 2]).and_then(|field| u8::try_from(field).ok());
    let month = Month::try_from(field(5)?).ok()?;
    let date = Date::from_calendar_date(number(&text[..4])?.into(), month, field(8)?).ok()?;
    let time = Time::from_hms(field(11)?, field(14)?, field(17)?).ok()?;
    (marks == *b"--T::Z").then(|| PrimitiveDateTime::new(date, time).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_quick_way_to_read_a_time_agrees_with_the_other() {
        for text in [
            "2026-11-21T23:59:58Z",
            "2028-02-29T00:00:00Z",
            "2027-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T23:59:60Z",
            "2026-11-21 23:59:58Z",
            "2026-11-21T23:59:58z",
            "2026-11-21T2a:59:58Z",
            "2026-11-21T23:59:58ZZ",
            "2026-11-21T23:59:58.5Z",
            "2026-11-21T23:59:58+02:00",
            "",
        ] {
            let slowly = OffsetDateTime::parse(text, &Rfc3339).ok();
            assert_eq!(parse_rfc3339(text), slowly, "{text}");
            let quickly = parse_utc_second(text.as_bytes());
            assert!(quickly.is_none() || quickly == slowly, "{text}");
        }
    }

    #[test]
    fn the_quick_way_to_write_a_time_agrees_with_the_other() {
        for time in [
            datetime!(0000-01-01 0:00 UTC),
            datetime!(0987-06-05 4:03:02 UTC),
            datetime!(2026-11-21 23:59:58 UTC),
            datetime!(2028-02-29 0:00:01 UTC),
            datetime!(9999-12-31 23:59:59 UTC),
        ] {
            let slowly = time.format(&Rfc3339).unwrap();
            assert_eq!(utc_second(time), Some(slowly));
        }
        for time in [
            datetime!(-0001-01-01 0:00 UTC),
            datetime!(2026-11-21 23:59:58.5 UTC),
            datetime!(2026-11-21 23:59:58 +02:00),
        ] {
            assert_eq!(utc_second(time), None);
        }
    }

    #[test]
    fn every_way_of_writing_a_time() {
        let now = datetime!(2026-01-01 12:00:00.5 UTC);
        for (text, expected) in [
            ("90d", datetime!(2026-04-01 12:00 UTC)),
            ("1y", datetime!(2027-01-01 12:00 UTC)),
            ("1d12h", datetime!(2026-01-03 0:00 UTC)),
            ("-5m", datetime!(2026-01-01 11:55 UTC)),
            ("2027-01-31", datetime!(2027-01-31 0:00 UTC)),
            ("2027-01-31T12:00:00+02:00", datetime!(2027-01-31 10:00 UTC)),
        ] {
            assert_eq!(
                text.parse::<Moment>().unwrap().resolve(now),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            "d",
            "90",
            "90x",
            "2027-13-01",
            "tomorrow",
            "99999999999999999999d",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        assert_eq!("9000y".parse::<Moment>().unwrap().resolve(now), None);
        assert_eq!("1949-12-31".parse::<Moment>().unwrap().resolve(now), None);
    }
}
