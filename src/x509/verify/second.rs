//! The second opinion: rustls-webpki, and the host name, of which it alone judges.

use super::refusal::{Refusal, called, first_few};
use super::{Hostname, Question};
use crate::asn1::oid;
use crate::key::SignatureAlgorithm;
use crate::x509::{Certificate, GeneralName, Subtree};
use const_oid::ObjectIdentifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use time::OffsetDateTime;
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    KeyUsage, anchor_from_trusted_cert,
};

/// CAs between a leaf and its root that webpki follows.
const MOST_SUBORDINATES: usize = 6;

/// Holds a path that the rules found good to webpki's, and the certificate to the host name.
pub(super) fn check(path: &[Certificate], question: &Question) -> Result<(), Refusal> {
    let subject = &path[0];
    let ders: Vec<CertificateDer<'_>> = path
        .iter()
        .map(|certificate| CertificateDer::from(certificate.der()))
        .collect();
    let refused = |error: Error| Refusal::SecondOpinion {
        subject: called(subject),
        problem: in_words(&error),
    };
    if let Some(time) = webpki_time(question)
        && can_judge(path)
    {
        judge(&ders, question, time).map_err(refused)?;
    }
    match &question.hostname {
        Some(hostname) => {
            let leaf = EndEntityCert::try_from(&ders[0]).map_err(refused)?;
            let judged = leaf.verify_is_valid_for_subject_name(&hostname.0);
            if judged.is_err() || !is_named_without_wildcard(subject, hostname) {
                return Err(wrong_host(subject, hostname));
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// Returns whether webpki judges such a path. It refuses these unjudged, or counts them otherwise than RFC 5280: CA
/// certificates in the place of a leaf, long paths, CAs that issued themselves, constraints of names other than
/// hosts and addresses, names that are equal but not to the byte, and what [`can_read`] excludes.
fn can_judge(path: &[Certificate]) -> bool {
    let Some((anchor, below)) = path.split_last() else {
        return false;
    };
    let Some((leaf, subordinates)) = below.split_first() else {
        return false;
    };
    let mut issuers = subordinates.iter().chain([anchor]);
    path.iter().all(can_read)
        && path
            .windows(2)
            .all(|pair| pair[0].issuer() == pair[1].subject())
        && !leaf.is_ca()
        && subordinates.len() <= MOST_SUBORDINATES
        && !subordinates.iter().any(Certificate::is_self_issued)
        && issuers.all(has_only_known_constraints)
}

/// webpki reads no time before 1970, no unique identifiers, no critical extension about policies, and of
/// RSASSA-PSS only salts as long as the hash.
fn can_read(certificate: &Certificate) -> bool {
    const POLICIES: [ObjectIdentifier; 4] = [
        oid::CERTIFICATE_POLICIES,
        oid::POLICY_MAPPINGS,
        oid::POLICY_CONSTRAINTS,
        oid::INHIBIT_ANY_POLICY,
    ];
    let mut extensions = certificate.extensions().iter();
    let is_usual = match certificate.signature_algorithm() {
        Some(SignatureAlgorithm::Pss(pss)) => pss.is_usual(),
        _ => true,
    };
    is_usual
        && certificate.validity().not_before >= OffsetDateTime::UNIX_EPOCH
        && !certificate.has_unique_identifiers()
        && !extensions.any(|it| it.critical && POLICIES.contains(&it.oid))
}

fn has_only_known_constraints(issuer: &Certificate) -> bool {
    let constraints = issuer.name_constraints().unwrap_or_default();
    let mut subtrees = constraints.permitted.iter().chain(&constraints.excluded);
    subtrees.all(|subtree| matches!(subtree, Subtree::Dns(_) | Subtree::Ip(..)))
}

/// webpki knows no time before 1970.
fn webpki_time(question: &Question) -> Option<UnixTime> {
    let seconds = u64::try_from(question.time.unix_timestamp()).ok()?;
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

fn judge(ders: &[CertificateDer<'_>], question: &Question, time: UnixTime) -> Result<(), Error> {
    let last = ders.len() - 1;
    let anchors = [anchor_from_trusted_cert(&ders[last])?];
    let leaf = EndEntityCert::try_from(&ders[0])?;
    let purposes: &[ObjectIdentifier] = question.purpose.map_or(&[], |purpose| purpose.purposes());
    let usages = purposes
        .iter()
        .map(|purpose| Usage::For(KeyUsage::required_if_present(purpose.as_bytes())));
    for usage in std::iter::once(Usage::Any).chain(usages) {
        leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            &ders[1..last],
            time,
            usage,
            None,
            None,
        )?;
    }
    Ok(())
}

/// Returns whether a host name with an underscore is a SAN itself: OpenSSL matches no wildcard with such a
/// name, which is no host name of RFC 1123. Of other names it is not asked.
fn is_named_without_wildcard(certificate: &Certificate, hostname: &Hostname) -> bool {
    let wanted = hostname.to_string();
    let is_it = |name: &GeneralName| matches!(name, GeneralName::Dns(host) if host.eq_ignore_ascii_case(&wanted));
    !wanted.contains('_') || certificate.subject_alt_names().iter().any(is_it)
}

/// The key purposes that a path has to have.
enum Usage {
    /// Whichever they are.
    Any,
    For(KeyUsage),
}

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        match self {
            Self::Any => purposes.try_for_each(|purpose| purpose.map(drop)),
            Self::For(usage) => usage.validate(purposes),
        }
    }
}

fn wrong_host(certificate: &Certificate, hostname: &Hostname) -> Refusal {
    let names = certificate.subject_alt_names();
    Refusal::Hostname {
        subject: called(certificate),
        hostname: hostname.to_string(),
        has: if names.is_empty() {
            "no SAN".to_owned()
        } else {
            first_few(&names)
        },
    }
}

/// Words what is left for webpki to find in a path that the rules found good.
fn in_words(error: &Error) -> &'static str {
    match error {
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => {
            "it can't read one of its certificates"
        }
        Error::InvalidCertValidity => "a certificate expires before it begins",
        Error::InvalidSerialNumber => "a serial number is not one of 1 to 20 bytes",
        Error::UnsupportedCertVersion => "a certificate is not of version 3",
        Error::UnsupportedCriticalExtension => "a critical extension that it does not support",
        Error::UnsupportedNameType => "a name type that it does not support",
        Error::InvalidSignatureForPublicKey => "a signature does not verify",
        Error::SignatureAlgorithmMismatch => "its two signature algorithms differ",
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature algorithm that it does not support"
        }
        Error::NameConstraintViolation => "a name constraint is violated",
        Error::InvalidNetworkMaskConstraint | Error::MalformedNameConstraint => {
            "a name constraint is malformed"
        }
        Error::MalformedDnsIdentifier => "a SAN is not a host name",
        Error::PathLenConstraintViolated => "a path length constraint is violated",
        Error::ExtensionValueInvalid | Error::MalformedExtensions => "an extension is malformed",
        Error::EmptyEkuExtension => "an extKeyUsage is empty",
        Error::RequiredEkuNotFoundContext(_) => "an extKeyUsage lacks the purpose",
        Error::CertDistrusted => "a key is distrusted",
        Error::CaUsedAsEndEntity | Error::EndEntityUsedAsCa => {
            "a CA certificate is used as an end-entity certificate, or the reverse"
        }
        Error::UnknownIssuer => "it finds no path to the trusted certificate",
        Error::MaximumNameConstraintComparisonsExceeded => {
            "the names and name constraints exceed its limit of comparisons"
        }
        Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => "the path exceeds its limit of length",
        _ => "an unknown reason",
    }
}
