//! Serialized forms of values in records.

use crate::x509::validity::{parse_rfc3339, rfc3339, whole_second};
use serde::de::Visitor;
use serde::{Deserializer, Serializer};
use std::fmt;
use time::OffsetDateTime;

pub(super) fn parsed<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<F>(F);

    impl<T, E: fmt::Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<Error: serde::de::Error>(self, text: &str) -> Result<T, Error> {
            (self.0)(text).map_err(Error::custom)
        }
    }

    deserializer.deserialize_str(Text(parse))
}

/// Times in RFC 3339.
pub(super) mod moment {
    use super::{
        Deserializer, OffsetDateTime, Serializer, parse_rfc3339, parsed, rfc3339, whole_second,
    };

    pub(crate) fn serialize<S: Serializer>(
        moment: &OffsetDateTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if whole_second(*moment).is_some_and(|second| second == *moment) && moment.offset().is_utc()
        {
            serializer.serialize_str(&rfc3339(*moment))
        } else {
            time::serde::rfc3339::serialize(moment, serializer)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        parsed(deserializer, |text| {
            parse_rfc3339(text).ok_or_else(|| format!("{text:?} is not an RFC 3339 time"))
        })
    }

    pub(crate) mod optional {
        use super::{Deserializer, OffsetDateTime, Serializer};

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(crate) fn serialize<S: Serializer>(
            moment: &Option<OffsetDateTime>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time::serde::rfc3339::option::serialize(moment, serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<OffsetDateTime>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

/// Values in the text that they are shown as.
pub(super) mod text {
    use super::{Deserializer, Serializer, fmt, parsed};
    use std::str::FromStr;

    pub(crate) fn serialize<S: Serializer>(
        value: &impl fmt::Display,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: fmt::Display>,
    {
        parsed(deserializer, str::parse)
    }

    pub(crate) mod optional {
        use super::{Deserializer, FromStr, Serializer, fmt};

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(crate) fn serialize<S: Serializer>(
            value: &Option<impl fmt::Display>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.collect_str(value),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
        where
            D: Deserializer<'de>,
            T: FromStr<Err: fmt::Display>,
        {
            super::deserialize(deserializer).map(Some)
        }
    }
}

/// Fingerprints in hex.
pub(super) mod fingerprint {
    use super::{Deserializer, parsed};
    use crate::x509::Fingerprint;

    pub(crate) use super::text::optional::serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Fingerprint>, D::Error> {
        let read = |text: &str| Fingerprint::parse(text).ok_or("is not a SHA-256 hash");
        parsed(deserializer, read).map(Some)
    }
}

/// Bytes in Base64.
pub(super) mod base64_bytes {
    use super::{Deserializer, Serializer, parsed};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    // serde hands over a reference, whatever the size.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        parsed(deserializer, |text| STANDARD.decode(text)).map(Some)
    }
}

/// Encodes bytes in Base64 as they look among others: one text for each place in a group of three.
pub(in crate::store) fn base64_of_bytes_inside(bytes: &[u8]) -> [String; 3] {
    use base64::Engine;
    [0, 1, 2].map(|skipped| {
        let rest = bytes.get(skipped..).unwrap_or_default();
        let whole = &rest[..rest.len() / 3 * 3];
        base64::engine::general_purpose::STANDARD.encode(whole)
    })
}

#[cfg(test)]
mod tests {
    use super::base64_of_bytes_inside;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn bytes_are_found_in_base64_at_any_offset() {
        let bytes: Vec<u8> = (1..=48).collect();
        for before in 0..7 {
            let text = STANDARD.encode([&vec![255; before][..], &bytes, &[254; 5]].concat());
            let needles = base64_of_bytes_inside(&bytes);
            assert!(
                needles.iter().any(|needle| text.contains(needle)),
                "{before}"
            );
        }
    }
}
