//! What the store keeps: the types whose serialized form is the store's format.

mod encoding;
mod origin;

pub(super) use encoding::base64_of_bytes_inside;
pub use origin::{BatchId, BatchRow, EntryId, TableId, WishId};

use super::name::CaName;
use crate::x509::{Certificate, Fingerprint, Reason, Serial};
use encoding::{base64_bytes, fingerprint, moment, text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use time::OffsetDateTime;

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
    #[serde(with = "text")]
    pub counter: u128,
    /// The number of the last CRL.
    #[serde(with = "text")]
    pub crl_number: u128,
}

/// A line of `issued.jsonl`. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuance {
    /// The serial number.
    #[serde(with = "text")]
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
        with = "text::optional"
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
    #[serde(with = "text")]
    pub counter: u128,
    /// The certificate; `None` where the CA came into the store without it. Since format 2.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64_bytes"
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
    #[serde(with = "text")]
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

/// A line of `revoked.jsonl`. Stored, as [`CaRecord`] is.
///
/// The first line about a serial says that it is revoked. Lines about a serial that has one already
/// are rare, and start with `again`, so that they are found at once: the release of a hold, or a
/// reason that takes the place of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RevocationLine {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) again: bool,
    #[serde(with = "text")]
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
    #[serde(with = "text")]
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
    #[serde(default, skip_serializing_if = "Option::is_none", with = "fingerprint")]
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
        with = "text::optional"
    )]
    pub ahead_from: Option<u128>,
    /// Whether it was signed elsewhere, before the CA came into the store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// cRLNumber.
    #[serde(with = "text")]
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
