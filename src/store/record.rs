//! What the store keeps: the types whose serialized form is the store's format.

use super::name::CaName;
use crate::x509::validity::{parse_rfc3339, rfc3339, whole_second};
use crate::x509::{Certificate, Fingerprint, Reason, Serial};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use time::OffsetDateTime;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// `ca.json`. Stored: fields are added, never renamed or removed, within one format version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaRecord {
    /// The CA's name in the store.
    pub name: CaName,
    /// The CA that issued its certificate; `None` for a root.
    pub parent: Option<CaName>,
    /// Where what it issues says that its CRL is: cRLDistributionPoints.
    #[serde(default)]
    pub crl_urls: Vec<String>,
    /// Where what it issues says that its certificate is: caIssuers in authorityInfoAccess.
    #[serde(default)]
    pub ca_issuers_urls: Vec<String>,
    /// Where what it issues says that its OCSP responder is.
    #[serde(default)]
    pub ocsp_urls: Vec<String>,
    /// Above what it goes on where it came back from a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Floors>,
}

impl CaRecord {
    /// What `ca.json` holds.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a record is plain data");
        json.push(b'\n');
        json
    }
}

/// Numbers that are used up, whatever counters and journals say. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floors {
    /// The serial counter.
    #[serde(with = "decimal")]
    pub counter: u128,
    /// The number of the last CRL.
    #[serde(with = "decimal")]
    pub crl_number: u128,
}

/// A line of `issued.jsonl`. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuance {
    /// The serial number.
    #[serde(with = "serial")]
    pub serial: Serial,
    /// The most specific common name; empty where there is none.
    pub cn: String,
    /// The subject as RFC 4514 writes it.
    pub subject: String,
    /// The alternative names, as `dns:…`, `ip:…`, `email:…`, `uri:…`.
    pub sans: Vec<String>,
    /// The profile: one of those for leaves, `root`, `subordinate`, or `cross`.
    pub profile: String,
    /// When it becomes valid.
    #[serde(with = "moment")]
    pub not_before: OffsetDateTime,
    /// When it ceases to be valid.
    #[serde(with = "moment")]
    pub not_after: OffsetDateTime,
    /// The serial of the certificate that it takes the place of.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "serial::optional"
    )]
    pub renews: Option<Serial>,
    /// The row of the table that it was issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<BatchRow>,
    /// The entry of a declaration that it was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryId>,
    /// What is wrong with it on purpose. Since format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// The highest serial counter in use when the line was written, in decimal.
    #[serde(with = "decimal")]
    pub counter: u128,
    /// The certificate; `None` where the CA came into the store without it. Since format 2.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64_bytes::optional"
    )]
    pub der: Option<Vec<u8>>,
}

impl Issuance {
    /// Whether this very certificate is recorded.
    pub fn is_of(&self, certificate: &Certificate) -> bool {
        self.der.as_deref() == Some(certificate.der())
    }
}

/// What is asked of thousands of lines of `issued.jsonl`; nothing of it is copied.
#[derive(Deserialize)]
pub struct BriefIssuance<'a> {
    /// As [`Issuance::serial`].
    #[serde(with = "serial")]
    pub serial: Serial,
    /// As [`Issuance::profile`].
    #[serde(borrow)]
    pub profile: Cow<'a, str>,
    /// As [`Issuance::not_after`].
    #[serde(with = "moment")]
    pub not_after: OffsetDateTime,
}

/// How lines about a serial that was revoked before start; see [`RevocationLine`].
pub(super) const AGAIN: &[u8] = b"{\"again\":true,";

/// A row of a table of certificates. Stored as `TABLE-RUN:NUMBER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchRow {
    /// The batch.
    pub batch: BatchId,
    /// The row's number, from 1.
    pub number: u64,
}

/// One time that certificates were issued from a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchId {
    /// The table.
    pub table: TableId,
    /// What tells this time from others: a random number.
    pub run: u64,
}

/// What tells tables apart: the 128-bit XXH3 hash of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TableId(u128);

impl TableId {
    /// That of what a reader has.
    pub fn of(mut from: impl Read) -> io::Result<Self> {
        let mut hash = Xxh3Default::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(Self(hash.digest128())),
                Ok(length) => hash.update(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for BatchRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            batch: BatchId { table, run },
            number,
        } = self;
        serializer.collect_str(&format_args!("{table}-{run:016x}:{number}"))
    }
}

impl<'de> Deserialize<'de> for BatchRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let (table, rest) = text.split_once('-')?;
            let (run, number) = rest.split_once(':')?;
            let table = TableId(u128::from_str_radix(table, 16).ok()?);
            let run = u64::from_str_radix(run, 16).ok()?;
            Some(Self {
                batch: BatchId { table, run },
                number: number.parse().ok()?,
            })
        };
        parsed(deserializer, |text| {
            read(text).ok_or_else(|| format!("{text:?} is no row of a table"))
        })
    }
}

/// An entry of a declaration, and what it said when a certificate was issued for it. Stored as
/// `WISH:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryId {
    /// The entry's name.
    pub name: String,
    /// What it asked for.
    pub wish: WishId,
}

/// What tells wishes apart: the 128-bit XXH3 hash of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WishId(u128);

impl WishId {
    /// That of a wish's text.
    pub fn of(text: &[u8]) -> Self {
        Self(xxh3_128(text))
    }
}

impl Serialize for EntryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            name,
            wish: WishId(wish),
        } = self;
        serializer.collect_str(&format_args!("{wish:032x}:{name}"))
    }
}

impl<'de> Deserialize<'de> for EntryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let (wish, name) = text.split_once(':')?;
            Some(Self {
                name: name.to_owned(),
                wish: WishId(u128::from_str_radix(wish, 16).ok()?),
            })
        };
        parsed(deserializer, |text| {
            read(text).ok_or_else(|| format!("{text:?} is no entry of a declaration"))
        })
    }
}

/// A line of `revoked.jsonl`. Stored, as [`CaRecord`] is.
///
/// The first line about a serial says that it is revoked. Lines about a serial that has one already
/// are rare, and start with `again`, so that they are found at once: the release of a hold, or a
/// reason that takes the place of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RevocationLine {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) again: bool,
    #[serde(with = "serial")]
    pub(super) serial: Serial,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revoked: Option<Revoked>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "moment::optional"
    )]
    pub(super) released_at: Option<OffsetDateTime>,
}

/// That a certificate is revoked: why, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The reason.
    #[serde(with = "reason")]
    pub reason: Reason,
    /// revocationDate: when it was recorded.
    #[serde(rename = "at", with = "moment")]
    pub revoked_at: OffsetDateTime,
    /// invalidityDate: since when the key was suspect.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "moment::optional"
    )]
    pub invalidity_date: Option<OffsetDateTime>,
    /// The certificate's notAfter, which tells when it can leave the CRL.
    #[serde(with = "moment")]
    pub not_after: OffsetDateTime,
    /// The SHA-256 hash of the [`secret_part`](crate::key::PublicKey::secret_part) of a key that others
    /// have. Revocations recorded by earlier versions have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "fingerprint::optional"
    )]
    pub key: Option<Fingerprint>,
}

/// A line of `crls.jsonl`: a CRL that was signed. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCrl {
    /// Whether it was signed ahead of its time, and is kept until then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
    /// The number of the first CRL that was signed ahead together with it. CRLs signed ahead by
    /// earlier versions have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "decimal::optional"
    )]
    pub ahead_from: Option<u128>,
    /// Whether it was signed elsewhere, before the CA came into the store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// cRLNumber.
    #[serde(with = "decimal")]
    pub number: u128,
    /// thisUpdate.
    #[serde(with = "moment")]
    pub this_update: OffsetDateTime,
    /// nextUpdate.
    #[serde(with = "moment")]
    pub next_update: OffsetDateTime,
    /// How many entries it has.
    pub entries: usize,
    /// How much of `revoked.jsonl` it covers.
    pub covers: Coverage,
    /// The SHA-256 hash of its DER, in hex.
    pub sha256: String,
}

/// A place in a journal: everything up to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Bytes from the journal's beginning.
    pub(super) length: u64,
    /// The check of the line that ends there.
    pub(super) check: String,
}

impl Coverage {
    /// Returns the number of bytes that a CRL of all that is revoked up to here has at most.
    pub fn crl_size(&self) -> usize {
        usize::try_from(self.length / JOURNAL_TO_CRL).unwrap_or(0)
    }
}

/// Bytes of the journal for each byte of the CRL that is made of it, at least.
const JOURNAL_TO_CRL: u64 = 3;

/// Reads what is written as one text; nothing is copied on the way.
fn parsed<'de, D: Deserializer<'de>, T, E: fmt::Display>(
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

mod moment {
    use super::{
        Deserializer, OffsetDateTime, Serializer, parse_rfc3339, parsed, rfc3339, whole_second,
    };

    pub(super) fn serialize<S: Serializer>(
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

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        parsed(deserializer, |text| {
            parse_rfc3339(text).ok_or_else(|| format!("{text:?} is no time as RFC 3339 writes it"))
        })
    }

    /// For fields that are left out where there is nothing to say.
    pub(super) mod optional {
        use super::{Deserializer, OffsetDateTime, Serializer};

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(in super::super) fn serialize<S: Serializer>(
            moment: &Option<OffsetDateTime>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time::serde::rfc3339::option::serialize(moment, serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<OffsetDateTime>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

mod reason {
    use super::{Deserializer, Reason, Serializer, parsed};

    // serde hands over a reference, whatever the size.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(
        reason: &Reason,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(reason.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Reason, D::Error> {
        parsed(deserializer, str::parse)
    }
}

mod serial {
    use super::{Deserializer, Serial, Serializer, parsed};

    pub(super) fn serialize<S: Serializer>(
        serial: &Serial,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(serial)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Serial, D::Error> {
        parsed(deserializer, str::parse)
    }

    /// For fields that are left out where there is nothing to say.
    pub(super) mod optional {
        use super::{Deserializer, Serial, Serializer};

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(in super::super) fn serialize<S: Serializer>(
            serial: &Option<Serial>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match serial {
                Some(serial) => serializer.collect_str(serial),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Serial>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

mod fingerprint {
    /// For fields that are left out where there is nothing to say.
    pub(super) mod optional {
        use super::super::{Deserializer, Fingerprint, Serializer, parsed};

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(in super::super) fn serialize<S: Serializer>(
            fingerprint: &Option<Fingerprint>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match fingerprint {
                Some(fingerprint) => serializer.collect_str(fingerprint),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Fingerprint>, D::Error> {
            let read = |text: &str| Fingerprint::parse(text).ok_or("is no SHA-256 hash");
            parsed(deserializer, read).map(Some)
        }
    }
}

mod decimal {
    use super::{Deserializer, Serializer, parsed};

    pub(super) fn serialize<S: Serializer>(
        number: &u128,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        parsed(deserializer, str::parse)
    }

    /// For fields that are left out where there is nothing to say.
    pub(super) mod optional {
        use super::{Deserializer, Serializer};

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(in super::super) fn serialize<S: Serializer>(
            number: &Option<u128>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match number {
                Some(number) => serializer.collect_str(number),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<u128>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

/// How bytes look in Base64 wherever they stand among others: one text for each place that they can
/// have in a group of three.
pub(super) fn base64_of_bytes_inside(bytes: &[u8]) -> [String; 3] {
    use base64::Engine;
    [0, 1, 2].map(|skipped| {
        let rest = bytes.get(skipped..).unwrap_or_default();
        let whole = &rest[..rest.len() / 3 * 3];
        base64::engine::general_purpose::STANDARD.encode(whole)
    })
}

mod base64_bytes {
    /// For fields that are left out where there is nothing to say.
    pub(super) mod optional {
        use super::super::{Deserializer, Serializer, parsed};
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;

        // serde hands over a reference, whatever the size.
        #[allow(clippy::ref_option)]
        pub(in super::super) fn serialize<S: Serializer>(
            bytes: &Option<Vec<u8>>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match bytes {
                Some(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Vec<u8>>, D::Error> {
            parsed(deserializer, |text| STANDARD.decode(text)).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::base64_of_bytes_inside;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn octets_are_found_in_base64_wherever_they_stand() {
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
