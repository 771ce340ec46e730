//! Words of notices.

use crate::ca::{CrlNotice, Notice, RenewalNotice};
use crate::x509::validity::rfc3339;
use std::fmt;

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValidityShortened { until } => write!(
                f,
                "the validity was shortened to the end of the CA's: {}",
                rfc3339(*until)
            ),
            Self::Adopted { serial, ca } => write!(
                f,
                "{serial} was not on record: the key of {ca} signed it, and the certificate is on record now"
            ),
            Self::IgnoredFromRequest { what } => write!(
                f,
                "the CSR also asks for {}, which was ignored",
                what.join(", ")
            ),
            Self::Underscores { names } => write!(
                f,
                "a host name has no underscore (RFC 1123), so some clients reject {}, and OpenSSL matches no wildcard with such a name",
                names.join(", ")
            ),
            Self::SameRequest { ca } => write!(
                f,
                "{ca} waits for its certificate already, and its key and request stay as they are"
            ),
            Self::Imperfect { findings } => write!(
                f,
                "the certificate breaks rules and can be used all the same: {findings}"
            ),
            Self::RareKeyType { kind } => {
                write!(f, "few servers, clients and libraries take {kind} keys yet")
            }
            Self::ChosenAmongSeveral {
                cn,
                count,
                serial,
                valid,
            } => write!(
                f,
                "{count} certificates have the common name {cn:?}; {} was taken: {serial}",
                chosen(*valid)
            ),
            Self::KeyStillCertified { serial, ca, valid } => write!(
                f,
                "the key of {serial} is that of {valid} of {ca} too, which is valid: `pki revoke --ca {ca} --serial 0x{valid} --reason keyCompromise` revokes it"
            ),
            Self::SameCertificate { ca } => write!(
                f,
                "it is the certificate that {ca} has already; nothing was changed"
            ),
            Self::Crl(notice) => notice.fmt(f),
            Self::Renewal(notice) => notice.fmt(f),
        }
    }
}

fn chosen(valid: bool) -> &'static str {
    if valid {
        "the newest valid one"
    } else {
        "none is valid; the newest"
    }
}

impl fmt::Display for CrlNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RevocationsRecovered { count, number } => write!(
                f,
                "revocations missing from the record: {count}; they are recorded again as CRL number {number} lists them; later ones, if any, are lost"
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
        }
    }
}

impl fmt::Display for RenewalNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerExists {
                serial,
                newer,
                until,
            } => write!(
                f,
                "{serial} has a newer one with the same names already: {newer}, valid until {}",
                rfc3339(*until)
            ),
            Self::CaEnds { subject, until } => write!(
                f,
                "the certificate of the CA {subject} ends at {}; `pki renew --ca NAME --self` renews it",
                rfc3339(*until)
            ),
            Self::RenewedMeanwhile { serial, by } => {
                write!(f, "{serial} was renewed meanwhile by another process: {by}")
            }
            Self::FilesCalled { serial, name } => write!(
                f,
                "others have the common name of {serial}, so the files of its successor are called {name}"
            ),
            Self::EndsSooner { until, before } => write!(
                f,
                "the new certificate ends at {}, sooner than the one before: {}",
                rfc3339(*until),
                rfc3339(*before)
            ),
            Self::NotBegun { begins } => write!(
                f,
                "the certificate before is not valid before {}: the clock is wrong now, or was when that one was made",
                rfc3339(*begins)
            ),
            Self::NotSuperseded { serial } => {
                write!(f, "{serial} has expired, so there is nothing to revoke")
            }
            Self::NoCross { issuer, subject } => write!(
                f,
                "{issuer} has path length 0, so it can't certify the key of {subject}"
            ),
            Self::ShorterCross {
                issuer,
                subject,
                length,
            } => write!(
                f,
                "the path length of {issuer} leaves {length} CAs below {subject} for whoever trusts {issuer} alone"
            ),
            Self::UrlLeftOut { url } => write!(
                f,
                "{url} is that of the old CA, and was left out; --crl-url and --ca-issuers-url give others"
            ),
        }
    }
}
