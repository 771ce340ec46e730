//! What a user wants to know although everything went well.

mod renewal;

pub use renewal::RenewalNotice;

use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::lint::Findings;
use crate::x509::validity::rfc3339;
use std::fmt;
use time::OffsetDateTime;

/// Something that was done, or left out, without having been asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Revocations that the journal had lost were taken from the last CRL.
    RevocationsRecovered {
        /// Number of them.
        count: usize,
        /// The CRL's number.
        number: u128,
    },
    /// The default validity was cut to the CA's end.
    ValidityShortened {
        /// The end.
        until: OffsetDateTime,
    },
    /// A certificate that the CA's key signed was not on record.
    Adopted {
        /// Its serial number.
        serial: Serial,
        /// The CA.
        ca: CaName,
    },
    /// The clock shows a time before that of the last list.
    ClockBehind {
        /// The new list's thisUpdate, which is that of the last one.
        this_update: OffsetDateTime,
    },
    /// The last CRL on record is dated in the future, and so is the new one.
    DatedInFuture {
        /// Its thisUpdate.
        this_update: OffsetDateTime,
    },
    /// The published CRL is dated in the future.
    PublishedInFuture {
        /// Its thisUpdate.
        this_update: OffsetDateTime,
    },
    /// What is recorded now makes the lists void that were signed ahead.
    AheadVoid {
        /// How many there are.
        count: usize,
        /// The CA.
        ca: CaName,
    },
    /// The CA ends before as many lists as were asked for.
    FewerAhead {
        /// How many there are.
        count: usize,
        /// The CA's end.
        until: OffsetDateTime,
    },
    /// What a request asked for and does not get.
    IgnoredFromRequest {
        /// Names of extensions and attributes.
        what: Vec<String>,
    },
    /// DNS names that are no host names.
    Underscores {
        /// The names.
        names: Vec<String>,
    },
    /// The CA waits already; its request is the one that was made before.
    SameRequest {
        /// The CA.
        ca: CaName,
    },
    /// A certificate from elsewhere can be used, and is not all that it should be.
    Imperfect {
        /// What the rules found.
        findings: Findings,
    },
    /// A key type that few relying parties take yet.
    RareKeyType {
        /// The key type.
        kind: String,
    },
    /// Of several certificates with one common name, one was taken.
    ChosenAmongSeveral {
        /// The common name.
        cn: String,
        /// How many there are.
        count: usize,
        /// The one that was taken.
        serial: String,
        /// Whether it is valid; none is where it is not.
        valid: bool,
    },
    /// A key that was revoked as compromised is that of another valid certificate.
    KeyStillCertified {
        /// The one that was revoked.
        serial: Serial,
        /// The CA of the other one.
        ca: CaName,
        /// The other one.
        valid: Serial,
    },
    /// About a renewal.
    Renewal(RenewalNotice),
    /// The key is not in the store, so that none was exported.
    NoKeyToExport,
    /// The certificate is that of a CA, whose key is not among those of leaves.
    KeyOfCa,
    /// A PKCS #12 file was written for readers that know nothing better.
    WeakPkcs12,
    /// A key store for Java has a key that older versions of Java do not know.
    OnlyNewJava {
        /// The key type.
        kind: String,
    },
    /// A certificate that was exported is no longer valid.
    ExportedInvalid {
        /// `expired`, `revoked` or `not-yet-valid`.
        status: &'static str,
    },
}

impl From<RenewalNotice> for Notice {
    fn from(notice: RenewalNotice) -> Self {
        Self::Renewal(notice)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValidityShortened { until } => {
                write!(
                    f,
                    "the validity was shortened to the end of the CA's: {}",
                    rfc3339(*until)
                )
            }
            Self::Adopted { serial, ca } => write!(
                f,
                "{serial} was not on record: the key of {ca} signed it, and the certificate is on record now"
            ),
            Self::ClockBehind { this_update } => write!(
                f,
                "the clock is behind the last list, so the new one is dated as that one: {}",
                rfc3339(*this_update)
            ),
            Self::DatedInFuture { this_update } => write!(
                f,
                "the new CRL is dated in the future ({}), as the last one is: relying parties may reject it; if the clock is right, `pki crl --date-now` dates it now",
                rfc3339(*this_update)
            ),
            Self::RevocationsRecovered { count, number } => write!(
                f,
                "revocations missing from the record: {count}; they are recorded again as CRL number {number} lists them; later ones, if any, are lost"
            ),
            Self::PublishedInFuture { this_update } => write!(
                f,
                "the published CRL is dated in the future ({}): it was signed under a wrong clock, or published before its time",
                rfc3339(*this_update)
            ),
            Self::AheadVoid { count, ca } => write!(
                f,
                "{count} lists of {ca} that were signed ahead are void now, and none of them will be published: sign new ones with `pki crl --ca {ca} --ahead`"
            ),
            Self::FewerAhead { count, until } => write!(
                f,
                "{count} lists were signed, and no more, since the CA ends at {}",
                rfc3339(*until)
            ),
            Self::IgnoredFromRequest { what } => {
                write!(
                    f,
                    "the CSR also asks for {}, which was ignored",
                    what.join(", ")
                )
            }
            Self::Underscores { names } => write!(
                f,
                "a host name has no underscore (RFC 1123), so some clients reject {}, and OpenSSL matches no wildcard with such a name",
                names.join(", ")
            ),
            Self::SameRequest { ca } => write!(
                f,
                "{ca} waits for its certificate already, and its key and request stay as they are"
            ),
            Self::Imperfect { findings } => {
                write!(
                    f,
                    "the certificate breaks rules and can be used all the same: {findings}"
                )
            }
            Self::RareKeyType { kind } => {
                write!(f, "few servers, clients and libraries take {kind} keys yet")
            }
            Self::ChosenAmongSeveral {
                cn,
                count,
                serial,
                valid,
            } => {
                let which = if *valid {
                    "the newest valid one"
                } else {
                    "none is valid; the newest"
                };
                write!(
                    f,
                    "{count} certificates have the common name {cn:?}; {which} was taken: {serial}"
                )
            }
            Self::KeyStillCertified { serial, ca, valid } => write!(
                f,
                "the key of {serial} is that of {valid} of {ca} too, which is valid: `pki revoke --ca {ca} --serial 0x{valid} --reason keyCompromise` revokes it"
            ),
            Self::Renewal(notice) => notice.fmt(f),
            Self::NoKeyToExport => {
                f.write_str("the key was made elsewhere, so there is none to export")
            }
            Self::KeyOfCa => f.write_str(
                "the certificate is that of a CA; where its key is, `pki export --ca NAME --key` exports it",
            ),
            Self::WeakPkcs12 => f.write_str(
                "3DES and SHA-1 guard the key in the .p12 file less well than --p12 modern would: delete the file once it has been imported",
            ),
            Self::OnlyNewJava { kind } => {
                write!(f, "Java reads {kind} keys from version 24 on, older versions do not")
            }
            Self::ExportedInvalid { status } => write!(f, "the certificate is {status}"),
        }
    }
}
