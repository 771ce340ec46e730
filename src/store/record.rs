//! Records: the types whose serialized form is the store's format.

mod encoding;
mod origin;

pub(super) use encoding::base64_of_bytes_inside;
pub use origin::{BatchId, BatchRow, EntryId, TableId, WishId};

use super::name::CaName;
use crate::x509::RecordedProfile;
use crate::x509::{Certificate, Fingerprint, Reason, Serial};
use encoding::{base64_bytes, fingerprint, moment, text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use time::OffsetDateTime;

/// `ca.json`. Stored: fields are added, never renamed or removed, within one format version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaRecord {
    pub name: CaName,
    /// Issuing CA; `None` for a root.
    pub parent: Option<CaName>,
    /// URLs of cRLDistributionPoints in the certificates that it issues.
    #[serde(default)]
    pub crl_urls: Vec<String>,
    /// URLs of caIssuers in the certificates that it issues.
    #[serde(default)]
    pub ca_issuers_urls: Vec<String>,
    /// URLs of OCSP responders in the certificates that it issues.
    #[serde(default)]
    pub ocsp_urls: Vec<String>,
    /// Numbers above which it goes on if it came back from a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Floors>,
}

impl CaRecord {
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a record is plain data");
        json.push(b'\n');
        json
    }
}

/// Numbers that are used up, whatever counters and journals say. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floors {
    #[serde(with = "text")]
    pub counter: u128,
    #[serde(with = "text")]
    pub crl_number: u128,
}

/// A line of `issued.jsonl`. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuance {
    #[serde(with = "text")]
    pub serial: Serial,
    /// Most specific common name; empty if there is none.
    pub cn: String,
    /// The subject as RFC 4514 writes it.
    pub subject: String,
    /// The alternative names, as `dns:…`, `ip:…`, `email:…`, `uri:…`.
    pub sans: Vec<String>,
    /// The profile: one of those for leaves, `root`, `subordinate`, or `cross`.
    pub profile: RecordedProfile,
    /// When it becomes valid.
    #[serde(with = "moment")]
    pub not_before: OffsetDateTime,
    #[serde(with = "moment")]
    pub not_after: OffsetDateTime,
    /// Serial number of the certificate that it renews.
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
    /// Defect. Since format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// The highest serial counter in use when the line was written, in decimal.
    #[serde(with = "text")]
    pub counter: u128,
    /// Certificate; `None` if the CA came into the store without it. Since format 2.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64_bytes"
    )]
    pub der: Option<Vec<u8>>,
}

impl Issuance {
    /// Returns whether this very certificate is recorded.
    pub fn is_of(&self, certificate: &Certificate) -> bool {
        self.der.as_deref() == Some(certificate.der())
    }
}

/// Part of a line of `issued.jsonl` that is read of thousands; nothing of it is copied.
#[derive(Deserialize)]
pub struct BriefIssuance<'a> {
    #[serde(with = "text")]
    pub serial: Serial,
    #[serde(borrow)]
    pub profile: Cow<'a, str>,
    #[serde(with = "moment")]
    pub not_after: OffsetDateTime,
}

/// Start of lines about a serial number that was revoked before; see [`RevocationLine`].
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

/// Revocation of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    #[serde(with = "text")]
    pub reason: Reason,
    /// revocationDate: the time of recording.
    #[serde(rename = "at", with = "moment")]
    pub revoked_at: OffsetDateTime,
    /// invalidityDate: the time from which the key was suspect.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "moment::optional"
    )]
    pub invalidity_date: Option<OffsetDateTime>,
    /// The certificate's notAfter, after which it can leave the CRL.
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
    /// Whether it was pre-signed, and is kept until it is due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
    /// Number of the first CRL that was pre-signed together with it. CRLs pre-signed by earlier versions
    /// have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub ahead_from: Option<u128>,
    /// Whether it was signed elsewhere, before the CA came into the store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    #[serde(with = "text")]
    pub number: u128,
    #[serde(with = "moment")]
    pub this_update: OffsetDateTime,
    #[serde(with = "moment")]
    pub next_update: OffsetDateTime,
    pub entries: usize,
    /// Part of `revoked.jsonl` that it covers.
    pub covers: Coverage,
    pub sha256: String,
}

/// Place in a journal: everything up to it. Only the store makes and compares it.
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
