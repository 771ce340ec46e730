//! CRLs, written and read again.

use super::*;
use crate::asn1::{Reader, oid, tag};
use crate::key::{KeyType, PrivateKey};
use crate::x509::Name;
use crate::x509::revocation::Reason;
use crate::x509::signed::{Signed, assemble};
use ::time::macros::datetime;

fn crl(entries: &[Entry<'_>]) -> (Vec<u8>, PrivateKey, Name) {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let issuer = Name::from_common_name("ca").unwrap();
    let mut builder = CrlBuilder::with_capacity(&issuer, 0);
    entries.iter().for_each(|entry| builder.push(entry));
    let header = Header {
        issuer: &issuer,
        key_identifier: &[1; 20],
        this_update: datetime!(2026-01-01 0:00 UTC),
        next_update: datetime!(2026-01-08 0:00 UTC),
        number: 300,
    };
    let der = builder.sign(&header, &key).unwrap();
    (der, key, issuer)
}

#[test]
fn what_is_written_reads_back() {
    let serial = "0102030405060708090A".parse().unwrap();
    let entry = Entry {
        serial: &serial,
        revoked_at: datetime!(2025-12-31 1:02:03 UTC),
        reason: Reason::KeyCompromise,
        invalidity_date: Some(datetime!(2025-12-30 0:00 UTC)),
    };
    let plain = Entry {
        reason: Reason::Unspecified,
        invalidity_date: None,
        ..entry.clone()
    };
    let (der, key, issuer) = crl(&[entry.clone(), plain]);
    let read = Crl::from_der(&der).unwrap();
    assert_eq!(
        (read.version(), read.number(), read.issuer()),
        (2, Some(300), &issuer)
    );
    assert!(read.verify_signature(key.public()).is_ok());
    let entries: Vec<_> = read.entries().map(Result::unwrap).collect();
    assert_eq!(entries.len(), 2);
    assert!(entries[0].is(&serial));
    assert_eq!(entries[0].revoked_at, entry.revoked_at);
    assert_eq!(entries[0].reason, Some(Reason::KeyCompromise));
    assert_eq!(entries[0].invalidity_date, entry.invalidity_date);
    assert_eq!(
        (entries[1].reason, entries[1].invalidity_date),
        (None, None)
    );
}

#[test]
fn a_negative_serial_is_none() {
    let entry = |serial: &'static [u8]| ReadEntry {
        serial,
        revoked_at: datetime!(2026-01-01 0:00 UTC),
        reason: None,
        invalidity_date: None,
        removes: false,
        has_critical: false,
        names_issuer: false,
        has_unknown_critical: false,
    };
    for (serial, expected) in [
        (&[0x7f][..], Some("7F")),
        (&[0, 0xff], Some("FF")),
        (&[0xff], None),
        (&[0x80, 0], None),
        (&[0], None),
        (&[], None),
        (&[0x7f; 21], None),
    ] {
        let read = entry(serial).serial().map(|serial| serial.to_string());
        assert_eq!(read.as_deref(), expected, "{serial:x?}");
    }
}

#[test]
fn reasons_are_written_by_number_and_unspecified_is_omitted() {
    let serial = "01".parse().unwrap();
    for (reason, code) in [
        (Reason::Unspecified, None),
        (Reason::KeyCompromise, Some(1)),
        (Reason::CaCompromise, Some(2)),
        (Reason::AffiliationChanged, Some(3)),
        (Reason::Superseded, Some(4)),
        (Reason::CessationOfOperation, Some(5)),
        (Reason::CertificateHold, Some(6)),
        (Reason::PrivilegeWithdrawn, Some(9)),
        (Reason::AaCompromise, Some(10)),
    ] {
        for invalidity_date in [None, Some(datetime!(2025-12-30 0:00 UTC))] {
            let (der, ..) = crl(&[Entry {
                serial: &serial,
                revoked_at: datetime!(2025-12-31 0:00 UTC),
                reason,
                invalidity_date,
            }]);
            // The extension of section 5.3.1, without what is in front of its number.
            let extension = [0x06, 3, 0x55, 0x1d, 0x15, 0x04, 3, 0x0a, 1];
            let at = memchr::memmem::find(&der, &extension);
            let written = at.map(|at| der[at + extension.len()]);
            assert_eq!(written, code, "{reason}");
            let read = Crl::from_der(&der).unwrap();
            let entry = read.entries().next().unwrap().unwrap();
            assert_eq!(entry.reason.unwrap_or_default(), reason);
            assert_eq!(entry.invalidity_date, invalidity_date);
        }
    }
}

#[test]
fn a_signature_with_unused_bits_is_read_and_never_verifies() {
    let (mut der, key, _) = crl(&[]);
    let signature = Signed::from_der(&der, "").unwrap().signature.len();
    let (unused, last) = (der.len() - signature - 1, der.len() - 1);
    (der[unused], der[last]) = (3, der[last] & 0xf8);
    let read = Crl::from_der(&der).unwrap();
    assert!(read.verify_signature(key.public()).is_err());
    // Unused bits are zero.
    der[last] |= 1;
    assert!(Crl::from_der(&der).is_err());
    (der[unused], der[last]) = (8, 0);
    assert!(Crl::from_der(&der).is_err());
}

#[test]
fn an_invalidity_date_that_is_not_allowed_is_left_out() {
    let serial = "01".parse().unwrap();
    let (mut der, ..) = crl(&[Entry {
        serial: &serial,
        revoked_at: datetime!(2025-12-31 0:00 UTC),
        reason: Reason::KeyCompromise,
        invalidity_date: Some(datetime!(2025-12-30 1:02:03 UTC)),
    }]);
    let date = b"20251230010203Z";
    let at = memchr::memmem::find(&der, date).unwrap();
    der[at + date.len() - 3] = b'.';
    let entries: Vec<_> = Crl::from_der(&der).unwrap().entries().collect();
    let entry = entries[0].as_ref().unwrap();
    assert_eq!(entry.reason, Some(Reason::KeyCompromise));
    assert_eq!(entry.invalidity_date, None);
}

#[test]
fn an_empty_crl_has_no_entries() {
    let (der, ..) = crl(&[]);
    let tbs = Reader::single(&der).unwrap().reader().any().unwrap();
    let tags: Vec<u8> = std::iter::successors(Some(tbs.reader()), |reader| {
        let mut next = *reader;
        next.any().ok().map(|_| next)
    })
    .filter_map(|reader| reader.peek())
    .collect();
    let expected = [
        tag::INTEGER,
        tag::SEQUENCE,
        tag::SEQUENCE,
        tag::UTC_TIME,
        tag::UTC_TIME,
        tag::explicit(0),
    ];
    assert_eq!(tags, expected);
}

#[test]
fn a_crl_that_names_two_algorithms_is_not_believed() {
    let (der, key, _) = crl(&[]);
    let signed = Signed::from_der(&der, "a CRL").unwrap();
    let mut tbs = signed.tbs.whole.to_vec();
    let sha256 = oid::ECDSA_WITH_SHA256.as_bytes();
    let at = memchr::memmem::find(&tbs, sha256).unwrap();
    tbs[at..at + sha256.len()].copy_from_slice(oid::ECDSA_WITH_SHA384.as_bytes());
    let signature = key.sign(&tbs).unwrap();
    let forged = assemble(&tbs, key.signature_algorithm(), &signature);
    let read = Crl::from_der(&forged).unwrap();
    assert!(read.verify_signature(key.public()).is_err());
}

#[test]
fn a_crl_that_is_cut_off_is_refused_at_every_byte() {
    let (der, ..) = crl(&[]);
    assert!((0..der.len()).all(|length| Crl::from_der(&der[..length]).is_err()));
}
