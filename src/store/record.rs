//! Records: the types whose serialized form is the store's format.

mod encoding;
mod origin;
mod revocation;

pub(super) use encoding::base64_of_bytes_inside;
pub(crate) use origin::{BatchId, BatchRow, EntryId, TableId, WishId};

use super::format;
use super::name::CaName;
use crate::key::KeyUri;
use crate::x509::{Certificate, Fingerprint, Reason, RecordedProfile, Serial};
use encoding::{base64_bytes, fingerprint, moment, text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use time::OffsetDateTime;

/// `ca.json`. Stored: fields are added, never renamed or removed, within one format version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaRecord {
    pub(crate) name: CaName,
    /// Issuing CA; `None` for a root.
    pub(crate) parent: Option<CaName>,
    /// URLs of cRLDistributionPoints in the certificates that it issues.
    #[serde(default)]
    pub(crate) crl_urls: Vec<String>,
    /// URLs of caIssuers in the certificates that it issues.
    #[serde(default)]
    pub(crate) ca_issuers_urls: Vec<String>,
    /// URLs of OCSP responders in the certificates that it issues.
    #[serde(default)]
    pub(crate) ocsp_urls: Vec<String>,
    /// Place of its key outside the store. Since format 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_uri: Option<KeyUri>,
    /// Generation of its keys; see `new_keys`. Since format 4.
    #[serde(default, skip_serializing_if = "is_first")]
    pub(crate) keys: u32,
    /// Numbers above which it goes on if it came back from a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restored: Option<Floors>,
}

// serde hands over a reference, whatever the size.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_first(generation: &u32) -> bool {
    *generation == 0
}

impl CaRecord {
    /// Returns the record of a root without URLs, whose key is in the store.
    pub(crate) fn of_root(name: CaName) -> Self {
        Self {
            name,
            parent: None,
            crl_urls: Vec::new(),
            ca_issuers_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            key_uri: None,
            keys: 0,
            restored: None,
        }
    }

    /// Returns the format without which it can't be read.
    pub(super) fn format(&self) -> Option<u32> {
        self.key_uri.as_ref().map(|_| format::KEYS_OUTSIDE)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a record is plain data");
        json.push(b'\n');
        json
    }
}

/// Numbers that are used up, whatever counters and journals say. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Floors {
    #[serde(with = "text")]
    pub(crate) counter: u128,
    #[serde(with = "text")]
    pub(crate) crl_number: u128,
}

/// A line of `issued.jsonl`. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issuance {
    #[serde(with = "text")]
    pub(crate) serial: Serial,
    /// Most specific common name; empty if there is none.
    pub(crate) cn: String,
    /// The subject as RFC 4514 writes it.
    pub(crate) subject: String,
    /// The SANs, as `dns:…`, `ip:…`, `email:…`, `uri:…`, `upn:…` and so on.
    pub(crate) sans: Vec<String>,
    /// The profile: one of those for leaves, `root`, `subordinate`, `cross`, or the name of one that a file defines.
    pub(crate) profile: RecordedProfile,
    /// SHA-256 of the profile, in hex, if a file defines it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile_hash: Option<String>,
    /// Time from which it is valid.
    #[serde(with = "moment")]
    pub(crate) not_before: OffsetDateTime,
    #[serde(with = "moment")]
    pub(crate) not_after: OffsetDateTime,
    /// Serial number of the certificate that it renews.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub(crate) renews: Option<Serial>,
    /// The row of the table that it was issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<BatchRow>,
    /// The entry of a declaration that it was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<EntryId>,
    /// Defect. Since format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flaw: Option<String>,
    /// The highest serial counter in use when the line was written, in decimal.
    #[serde(with = "text")]
    pub(crate) counter: u128,
    /// Time of recording, which the journal writes; earlier versions did not.
    #[serde(default, skip_serializing, with = "moment::optional")]
    pub(crate) at: Option<OffsetDateTime>,
    /// Certificate; `None` if the CA came into the store without it. Since format 2.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "base64_bytes"
    )]
    pub(crate) der: Option<Vec<u8>>,
}

impl Issuance {
    /// Returns the part that is read of thousands.
    pub(super) fn brief(&self) -> BriefIssuance<'_> {
        BriefIssuance {
            serial: self.serial,
            profile: Cow::Owned(self.profile.to_string()),
            not_after: self.not_after,
        }
    }

    /// Returns whether this very certificate is recorded.
    pub(crate) fn is_of(&self, certificate: &Certificate) -> bool {
        self.der.as_deref() == Some(certificate.der())
    }
}

/// Part of a line of `issued.jsonl` that is read of thousands; nothing of it is copied.
#[derive(Deserialize)]
pub(crate) struct BriefIssuance<'a> {
    #[serde(with = "text")]
    pub(crate) serial: Serial,
    #[serde(borrow)]
    pub(crate) profile: Cow<'a, str>,
    #[serde(with = "moment")]
    pub(crate) not_after: OffsetDateTime,
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
pub(crate) struct Revoked {
    #[serde(with = "text")]
    pub(crate) reason: Reason,
    /// revocationDate: the time of recording.
    #[serde(rename = "at", with = "moment")]
    pub(crate) revoked_at: OffsetDateTime,
    /// invalidityDate: the time from which the key was suspect.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "moment::optional"
    )]
    pub(crate) invalidity_date: Option<OffsetDateTime>,
    /// The certificate's notAfter, after which it can leave the CRL.
    #[serde(with = "moment")]
    pub(crate) not_after: OffsetDateTime,
    /// The SHA-256 hash of the [`secret_part`](crate::key::PublicKey::secret_part) of a key that others
    /// have. Revocations recorded by earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "fingerprint")]
    pub(crate) key: Option<Fingerprint>,
}

/// A line of `crls.jsonl`: a CRL that was signed. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedCrl {
    /// Whether it was pre-signed, and is kept until it is due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ahead: bool,
    /// Number of the first CRL that was pre-signed together with it. CRLs pre-signed by earlier versions
    /// have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional"
    )]
    pub(crate) ahead_from: Option<u128>,
    /// Whether it was signed elsewhere, before the CA came into the store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) imported: bool,
    #[serde(with = "text")]
    pub(crate) number: u128,
    #[serde(with = "moment")]
    pub(crate) this_update: OffsetDateTime,
    #[serde(with = "moment")]
    pub(crate) next_update: OffsetDateTime,
    pub(crate) entries: usize,
    /// Part of `revoked.jsonl` that it covers.
    pub(crate) covers: Coverage,
    pub(crate) sha256: String,
}

/// A record with what the journal adds to it: the time of recording, and `USER@HOST`. Records of earlier versions,
/// and those that a CA brought along, have neither.
#[derive(Debug, Deserialize)]
pub(super) struct Stamped<T> {
    #[serde(flatten)]
    pub(super) record: T,
    #[serde(default, with = "moment::optional")]
    pub(super) at: Option<OffsetDateTime>,
    #[serde(default)]
    pub(super) by: Option<String>,
}

/// A line of `changes.jsonl`. Stored, as [`CaRecord`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChangeLine {
    pub(super) change: Change,
}

/// Change of a CA that its other journals do not record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    /// Its certificate came from a parent CA elsewhere.
    Installed,
    /// It came from another program.
    Imported,
    /// It came back from a backup.
    Restored,
    /// Its keys have another passphrase.
    PassphraseChanged,
    /// Its key is outside the store.
    KeyMoved,
    Removed,
}

/// Place in the revocations of a CA: everything up to it. Only the store makes and compares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Coverage {
    /// Bytes from the journal's beginning; in a database, the number of the record.
    pub(super) length: u64,
    /// The check of the line that ends there.
    pub(super) check: String,
}

impl Coverage {
    /// Returns the number of bytes that a CRL of all that is revoked up to here has at most, with so many bytes of
    /// the journal for each of the CRL.
    pub(super) fn crl_size(&self) -> usize {
        usize::try_from(self.length / JOURNAL_TO_CRL).unwrap_or(0)
    }
}

/// Bytes of the journal for each byte of the CRL that is made of it, at least.
const JOURNAL_TO_CRL: u64 = 3;
