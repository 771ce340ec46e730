//! Rules about the fields of a TBSCertificate.

use super::Candidate;
use crate::asn1::{encode_time, sequence};

pub(super) fn version_is_3(candidate: &Candidate<'_>) -> Option<String> {
    let version = candidate.certificate.version();
    (version != 3).then(|| format!("the version is {version}"))
}

pub(super) fn serial_is_positive_and_at_most_20_octets(
    candidate: &Candidate<'_>,
) -> Option<String> {
    candidate
        .certificate
        .serial()
        .err()
        .map(|error| error.to_string())
}

pub(super) fn signature_algorithms_are_the_same(candidate: &Candidate<'_>) -> Option<String> {
    let certificate = candidate.certificate;
    (certificate.inner_algorithm() != certificate.outer_algorithm())
        .then(|| "the two signature algorithms differ".to_owned())
}

pub(super) fn signature_does_not_rest_on_sha1(candidate: &Candidate<'_>) -> Option<String> {
    match candidate.certificate.signature_algorithm() {
        Some(algorithm) if algorithm.uses_sha1() => {
            Some(format!("the signature algorithm is {algorithm}"))
        }
        Some(_) => None,
        None => Some("the signature algorithm is unknown".to_owned()),
    }
}

pub(super) fn validity_runs_forward(candidate: &Candidate<'_>) -> Option<String> {
    let validity = candidate.certificate.validity();
    (validity.not_after < validity.not_before).then(|| "notAfter is before notBefore".to_owned())
}

pub(super) fn times_are_utc_through_2049(candidate: &Candidate<'_>) -> Option<String> {
    let validity = candidate.certificate.validity();
    let expected = sequence(|times| {
        encode_time(times, validity.not_before);
        encode_time(times, validity.not_after);
    });
    memchr::memmem::find(candidate.certificate.tbs(), &expected)
        .is_none()
        .then(|| "a time has the wrong type (UTCTime or GeneralizedTime)".to_owned())
}

pub(super) fn subject_of_a_ca_is_not_empty(candidate: &Candidate<'_>) -> Option<String> {
    let certificate = candidate.certificate;
    (certificate.is_ca() && certificate.subject().is_empty())
        .then(|| "a CA has no subject".to_owned())
}

pub(super) fn subject_attributes_are_within_their_bounds(
    candidate: &Candidate<'_>,
) -> Option<String> {
    candidate
        .certificate
        .subject()
        .check()
        .err()
        .map(|error| error.to_string())
}

pub(super) fn public_key_is_strong(candidate: &Candidate<'_>) -> Option<String> {
    candidate
        .certificate
        .public_key()
        .check_certifiable()
        .err()
        .map(|error| error.to_string())
}
