//! CRLs of a store with a root.

use crate::ca::crl::entries::gather_entries;
use crate::ca::crl::error::CrlError;
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::publish::{Outlook, outlook, publish_crl, sign_ahead};
use crate::ca::crl::request::{AheadRequest, CrlRequest, Origin};
use crate::ca::crl::state::State;
use crate::ca::crl::{Dating, Freshness, check_crl};
use crate::ca::error::CaError;
use crate::ca::notice::{CrlNotice, Notice};
use crate::ca::revocation::Verdict;
use crate::ca::session::Session;
use crate::ca::testing::{DAY, NOW, NoPassphrases, TestStore};
use crate::key::{KeyType, PrivateKey};
use crate::store::StoreError;
use crate::x509::crl::{Crl, CrlBuilder, Entry, Header};
use crate::x509::{Reason, Serial};
use time::Duration;

const YEAR: Duration = Duration::days(365);

#[test]
fn numbers_and_times_never_go_back_with_the_clock() {
    let test = TestStore::new();
    let request = test.crl_request();
    let first = test.publish(&request, NOW + YEAR).crl;
    let second = test.publish(&request, NOW).crl;
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(second.this_update, first.this_update);
    let dated_now = CrlRequest {
        dating: Dating::Now,
        ..request
    };
    let third = test.publish(&dated_now, NOW);
    assert_eq!((third.crl.number, third.crl.this_update), (3, NOW));
    assert!(
        third
            .notices
            .contains(&Notice::from(CrlNotice::PublishedInFuture {
                this_update: NOW + YEAR
            }))
    );
}

#[test]
fn the_highest_number_is_used_and_none_after_it() {
    let test = TestStore::new();
    let mut request = test.crl_request();
    request.place.directory = test.directory.path().to_owned();
    test.write("pki/rootCA/crlnumber", format!("{:039}\n", u128::MAX - 1));
    assert_eq!(test.publish(&request, NOW).crl.number, u128::MAX);
    let used_up = publish_crl(
        &mut Session::new(&test.store, &mut NoPassphrases, NOW),
        &test.root,
        &request,
    );
    let used_up = used_up.unwrap_err();
    assert!(matches!(
        used_up,
        CaError::Store(StoreError::CrlNumbersUsedUp { .. })
    ));
}

#[test]
fn a_lost_counter_does_not_lower_the_number() {
    let test = TestStore::new();
    let request = test.crl_request();
    test.publish(&request, NOW);
    test.publish(&request, NOW);
    test.write("pki/rootCA/crlnumber", format!("{:039}\n", 0));
    assert_eq!(test.publish(&request, NOW).crl.number, 3);
}

#[test]
fn a_clock_that_is_a_little_behind_is_told_and_followed() {
    let test = TestStore::new();
    let request = test.crl_request();
    let later = NOW + Duration::MINUTE;
    test.publish(&request, later);
    let second = test.publish(&request, NOW);
    assert_eq!(second.crl.this_update, later);
    assert_eq!(
        second.notices,
        [Notice::from(CrlNotice::ClockBehind { this_update: later })]
    );
}

#[test]
fn an_expired_entry_stays_one_crl_more() {
    let test = TestStore::new();
    let request = test.crl_request();
    let short = test.issue("short", 1, NOW).serial;
    let long = test.issue("long", 30, NOW).serial;
    for serial in [short, long] {
        test.revoke(serial, Reason::Unspecified, NOW).unwrap();
    }
    let published = |now| {
        test.publish(&request, now);
        test.published(&request)
    };
    assert_eq!(published(NOW), [short, long]);
    assert_eq!(published(NOW + 2 * DAY), [short, long]);
    assert_eq!(published(NOW + 3 * DAY), [long]);
}

#[test]
fn an_expired_certificate_stays_listed_for_one_more_crl() {
    let test = TestStore::new();
    let request = test.crl_request();
    let serial = test.issue("leaf", 1, NOW).serial;
    test.publish(&request, NOW + 2 * DAY);
    test.revoke(serial, Reason::Unspecified, NOW + 3 * DAY)
        .unwrap();
    test.publish(&request, NOW + 3 * DAY);
    assert_eq!(test.published(&request), [serial]);
}

#[test]
fn a_released_hold_leaves_the_crl() {
    let test = TestStore::new();
    let request = test.crl_request();
    let serial = test.issue("leaf", 30, NOW).serial;
    test.revoke(serial, Reason::CertificateHold, NOW).unwrap();
    test.publish(&request, NOW);
    assert_eq!(test.published(&request), [serial]);
    test.decide(serial, Verdict::Release, NOW).unwrap();
    test.publish(&request, NOW);
    assert!(test.published(&request).is_empty());
}

#[test]
fn a_crl_that_would_lose_an_entry_is_refused() {
    let test = TestStore::new();
    let unknown: Serial = "0102".parse().unwrap();
    let subject = test.root.certificate().subject();
    let mut builder = CrlBuilder::with_capacity(subject, 0);
    builder.push(&Entry {
        serial: &unknown,
        revoked_at: NOW,
        reason: Reason::Unspecified,
        invalidity_date: None,
    });
    let header = Header {
        issuer: subject,
        key_identifier: b"key",
        this_update: NOW,
        next_update: NOW + DAY,
        number: 1,
    };
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let der = builder.sign(&header, &key).unwrap();
    let predecessor = Crl::from_der(&der).unwrap();
    let covers = test.root.revocations_end().unwrap();
    let gathered = gather_entries(&test.root, Some(&predecessor), &[], &covers, NOW, NOW);
    match gathered {
        Err(CaError::Crl(CrlError::LosesEntries { serials, .. })) => assert_eq!(serials, [unknown]),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was lost"),
    }
}

#[test]
fn if_needed_signs_after_revocations_or_at_a_third_of_validity() {
    let test = TestStore::new();
    let request = CrlRequest {
        if_needed: true,
        ..test.crl_request()
    };
    let outlook_at = |now| outlook(&test.store, &test.root, &request, false, now).unwrap();
    assert_eq!(outlook_at(NOW), Outlook::New);
    test.publish(&request, NOW);
    assert_eq!(outlook_at(NOW + 4 * DAY), Outlook::Stands);
    assert_eq!(test.publish(&request, NOW + 4 * DAY).origin, Origin::Kept);
    assert_eq!(outlook_at(NOW + 5 * DAY), Outlook::New);
    let serial = test.issue("leaf", 30, NOW).serial;
    test.revoke(serial, Reason::Unspecified, NOW).unwrap();
    assert_eq!(outlook_at(NOW), Outlook::New);
    assert_eq!(test.publish(&request, NOW).origin, Origin::Signed);
}

#[test]
fn a_missing_pem_file_is_written_without_another_crl() {
    let test = TestStore::new();
    let mut request = test.crl_request();
    test.publish(&request, NOW);
    request.place.pem = true;
    request.if_needed = true;
    let outlook_now = || outlook(&test.store, &test.root, &request, false, NOW).unwrap();
    assert_eq!(outlook_now(), Outlook::Written);
    let kept = test.publish(&request, NOW);
    assert_eq!((kept.origin, kept.crl.number), (Origin::Kept, 1));
    let kinds: Vec<&str> = kept.files.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, ["der", "pem"]);
    assert_eq!(outlook_now(), Outlook::Stands);
}

/// Signs three CRLs, 30 days apart.
fn sign_three(test: &TestStore, request: &CrlRequest) {
    let ahead = AheadRequest {
        count: 3,
        every: 30 * DAY,
    };
    let signed = sign_ahead(
        &mut Session::new(&test.store, &mut NoPassphrases, NOW),
        &test.root,
        request,
        ahead,
    );
    let signed = signed.unwrap();
    assert_eq!((signed.origin, signed.crl.number), (Origin::Signed, 1));
    assert_eq!(signed.ahead, Some((2, NOW + 100 * DAY)));
}

#[test]
fn pre_signed_crls_are_published_when_they_are_due() {
    let test = TestStore::new();
    let request = test.crl_request();
    sign_three(&test, &request);
    for (days, number, left) in [(31, 2, 1), (61, 3, 0)] {
        let due = test.publish(&request, NOW + days * DAY);
        assert_eq!(due.origin, Origin::SignedAhead);
        assert_eq!(due.crl.number, number);
        assert_eq!(due.ahead, Some((left, NOW + 100 * DAY)));
    }
    // After a clock went back, the later one stays.
    let kept = test.publish(&request, NOW + 31 * DAY);
    assert_eq!((kept.origin, kept.crl.number), (Origin::Kept, 3));
    // After the last, a CRL is signed.
    let next = test.publish(&request, NOW + 101 * DAY);
    assert_eq!((next.origin, next.crl.number), (Origin::Signed, 4));
}

#[test]
fn a_revocation_makes_pre_signed_crls_void() {
    let test = TestStore::new();
    let request = test.crl_request();
    let serial = test.issue("leaf", 30, NOW).serial;
    sign_three(&test, &request);
    let outcomes = test.revoke(serial, Reason::Unspecified, NOW).unwrap();
    let ca = test.root.name().clone();
    assert_eq!(
        outcomes.notices,
        [Notice::from(CrlNotice::AheadVoid { count: 3, ca })]
    );
    let state = State::read(&test.root, &request.place, NOW).unwrap();
    assert_eq!(state.ahead(), Ahead::Void { count: 3 });
    let next = test.publish(&request, NOW + 31 * DAY);
    assert_eq!((next.origin, next.crl.number), (Origin::Signed, 4));
    assert_eq!(test.published(&request), [serial]);
}

#[test]
fn pre_signed_crls_have_to_overlap_and_end_with_the_ca() {
    let test = TestStore::new();
    let sign = |request: &CrlRequest, count, every, now| {
        let ahead = AheadRequest { count, every };
        sign_ahead(
            &mut Session::new(&test.store, &mut NoPassphrases, now),
            &test.root,
            request,
            ahead,
        )
    };
    let request = CrlRequest {
        end: Some(crate::ca::issuance::End::Days(30)),
        ..test.crl_request()
    };
    let apart = sign(&request, 2, 30 * DAY, NOW).unwrap_err();
    assert!(
        matches!(apart, CaError::Crl(CrlError::NextUpdate { .. })),
        "{apart}"
    );
    let end = test.root.certificate().validity().not_after;
    let request = test.crl_request();
    let signed = sign(&request, 5, 30 * DAY, end - 40 * DAY).unwrap();
    assert_eq!(signed.ahead, Some((1, end)));
    assert_eq!(
        signed.notices,
        [Notice::from(CrlNotice::FewerAhead {
            count: 2,
            until: end
        })]
    );
}

#[test]
fn another_file_is_not_replaced() {
    let test = TestStore::new();
    let mut request = test.crl_request();
    request.place.directory = test.directory.path().to_owned();
    test.write("rootCA.crl", test.root.certificate().to_pem());
    let publish = |request: &CrlRequest| {
        publish_crl(
            &mut Session::new(&test.store, &mut NoPassphrases, NOW),
            &test.root,
            request,
        )
    };
    let refused = publish(&request).unwrap_err();
    assert!(matches!(refused, CaError::WouldReplace { .. }), "{refused}");
    assert!(test.root.recent_crls().unwrap().is_empty());
    request.place.overwrite = true;
    assert_eq!(publish(&request).unwrap().crl.number, 1);
}

#[test]
fn a_check_tells_a_crl_that_expires_from_one_that_lacks_news() {
    let test = TestStore::new();
    let request = test.crl_request();
    let check = |within: Duration, now| {
        let (store, ca) = (&test.store, &test.root);
        check_crl(store, ca, &request.place, within, now).unwrap().0
    };
    assert_eq!(check(Duration::ZERO, NOW), Freshness::Missing);
    test.publish(&request, NOW);
    assert_eq!(check(Duration::ZERO, NOW), Freshness::Fresh);
    assert_eq!(check(8 * DAY, NOW), Freshness::EndsSoon);
    assert_eq!(check(Duration::ZERO, NOW - DAY), Freshness::InFuture);
    assert_eq!(check(Duration::ZERO, NOW + 8 * DAY), Freshness::Stale);
    let serial = test.issue("leaf", 30, NOW).serial;
    test.revoke(serial, Reason::Unspecified, NOW).unwrap();
    assert_eq!(check(Duration::ZERO, NOW), Freshness::Outdated);
}
