//! Words of notices.

use crate::ca::{CrlNotice, Notice, RenewalNotice};
use crate::x509::validity::rfc3339;
use std::fmt;

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValidityShortened { until } => {
                write!(f, "the validity is cut to the CA's: {}", rfc3339(*until))
            }
            Self::Adopted { serial, ca } => write!(
                f,
                "{serial} was not on record; the key of {ca} signed it, so it is recorded now"
            ),
            Self::IgnoredFromRequest { what } => write!(
                f,
                "the CSR also requests {}, which is ignored",
                what.join(", ")
            ),
            Self::Underscores { names } => write!(
                f,
                "a host name has no underscore (RFC 1123), so some clients reject {}, and OpenSSL matches no wildcard with such a name",
                names.join(", ")
            ),
            Self::SameRequest { ca } => {
                write!(f, "{ca} is pending already; its key and CSR are unchanged")
            }
            Self::Imperfect { findings } => {
                write!(f, "the certificate breaks rules but is usable: {findings}")
            }
            Self::KeyTaken { uri } => write!(f, "the key {uri} was there; the new CA has it"),
            Self::RareKeyType { kind } => {
                write!(
                    f,
                    "few servers, clients and libraries support {kind} keys yet"
                )
            }
            Self::ChosenAmongSeveral {
                cn,
                count,
                serial,
                valid,
            } => write!(
                f,
                "{count} certificates have the common name {cn:?}; using {}: {serial}",
                chosen(*valid)
            ),
            Self::KeyStillCertified { serial, ca, valid } => write!(
                f,
                "{valid} of {ca} has the same key as {serial} and is still valid: `pki revoke --ca {ca} --serial 0x{valid} --reason keyCompromise` revokes it"
            ),
            Self::ResponderIssued { ca, serial, until } => write!(
                f,
                "issued a certificate for the OCSP responder of {ca}: {serial}, expires at {}",
                rfc3339(*until)
            ),
            Self::SameCertificate { ca } => {
                write!(f, "{ca} already has this certificate; nothing was changed")
            }
            Self::Crl(notice) => notice.fmt(f),
            Self::Renewal(notice) => notice.fmt(f),
        }
    }
}

fn chosen(valid: bool) -> &'static str {
    if valid {
        "the newest valid one"
    } else {
        "the newest, since none is valid"
    }
}

impl fmt::Display for CrlNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RevocationsRecovered { count, number } => write!(
                f,
                "{count} revocations were missing from the record and are restored from CRL number {number}; later ones are lost"
            ),
            Self::ClockBehind { this_update } => write!(
                f,
                "the clock is behind the last CRL, so the new CRL has its date: {}",
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
                "{count} pre-signed CRLs of {ca} are outdated now and will not be published: sign new ones with `pki crl --ca {ca} --ahead`"
            ),
            Self::FewerAhead { count, until } => write!(
                f,
                "only {count} CRLs were signed, since the CA expires at {}",
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
                "{serial} was renewed before: {newer} has the same names and expires {}",
                rfc3339(*until)
            ),
            Self::CaEnds { subject, until } => write!(
                f,
                "the certificate of the CA {subject} expires at {}; `pki ca renew --ca NAME` renews it",
                rfc3339(*until)
            ),
            Self::RenewedMeanwhile { serial, by } => {
                write!(f, "another process has renewed {serial}: {by}")
            }
            Self::FilesCalled { serial, name } => write!(
                f,
                "other certificates have the common name of {serial}, so the new files are named {name}"
            ),
            Self::EndsSooner { until, before } => write!(
                f,
                "the new certificate expires at {}, before the previous one: {}",
                rfc3339(*until),
                rfc3339(*before)
            ),
            Self::ProfileChanged {
                profile,
                serial,
                extensions,
            } => {
                write!(
                    f,
                    "profile {profile} has changed since {serial} was issued; "
                )?;
                match extensions.as_slice() {
                    [] => f.write_str("the extensions are the same"),
                    changed => write!(f, "extensions that differ: {}", changed.join(", ")),
                }
            }
            Self::NotBegun { begins } => write!(
                f,
                "the previous certificate is not valid before {}: the clock is or was wrong",
                rfc3339(*begins)
            ),
            Self::NotSuperseded { serial } => {
                write!(f, "{serial} has expired, so it is not revoked")
            }
            Self::NoCross { issuer, subject } => write!(
                f,
                "{issuer} has path length 0, so it can't cross-sign {subject}"
            ),
            Self::ShorterCross {
                issuer,
                subject,
                length,
            } => write!(
                f,
                "relying parties that trust only {issuer} accept at most {length} CAs below {subject}"
            ),
            Self::UrlLeftOut { url } => write!(
                f,
                "the old CA's {url} is not copied; set new URLs with --crl-url and --ca-issuers-url"
            ),
        }
    }
}
