//! Revocations of a store with a root.

use crate::ca::error::CaError;
use crate::ca::revocation::error::RevocationError;
use crate::ca::revocation::{Target, Verdict, revoke};
use crate::ca::select::Selector;
use crate::ca::select::error::SelectError;
use crate::ca::testing::{DAY, NOW, TestStore};
use crate::store::Revoked;
use crate::x509::{Reason, Serial};

const SUPERSEDED: Verdict = Verdict::Revoke {
    reason: Reason::Superseded,
    invalidity_date: None,
};

fn named(test: &TestStore, cn: &str, verdict: Verdict) -> Result<Vec<Serial>, CaError> {
    let target = Target::Selected(Selector::CommonName(cn.to_owned()));
    decide(test, &target, verdict)
}

fn decide(test: &TestStore, target: &Target, verdict: Verdict) -> Result<Vec<Serial>, CaError> {
    let outcomes = revoke(&test.store, &test.root, target, verdict, NOW + 2 * DAY)?;
    let certificates = outcomes.certificates.iter();
    Ok(certificates.map(|outcome| outcome.serial).collect())
}

fn on_record(test: &TestStore, serial: Serial) -> Option<Revoked> {
    test.root.revoked(&serial).unwrap()
}

#[test]
fn a_name_means_the_live_certificate() {
    let test = TestStore::new();
    test.issue("leaf", 1, NOW);
    let live = test.issue("leaf", 30, NOW).serial;
    assert_eq!(named(&test, "leaf", SUPERSEDED).unwrap(), [live]);
    // Nothing is live any more: the newest is revoked already.
    assert_eq!(named(&test, "leaf", SUPERSEDED).unwrap(), [live]);
    let missing = named(&test, "other", SUPERSEDED).unwrap_err();
    assert!(matches!(
        missing,
        CaError::Select(SelectError::NotFound { .. })
    ));
}

#[test]
fn a_name_of_several_live_certificates_is_refused() {
    let test = TestStore::new();
    let both = ["leaf", "leaf"].map(|cn| test.issue(cn, 30, NOW).serial);
    match named(&test, "leaf", SUPERSEDED).unwrap_err() {
        CaError::Revocation(RevocationError::SeveralLive { serials, .. }) => {
            assert_eq!(serials, both);
        }
        error => panic!("{error}"),
    }
    let all = Target::AllNamed("leaf".to_owned());
    assert_eq!(decide(&test, &all, SUPERSEDED).unwrap(), both);
}

#[test]
fn a_second_revocation_changes_nothing() {
    let test = TestStore::new();
    let serial = test.issue("leaf", 30, NOW).serial;
    test.revoke(serial, Reason::Superseded, NOW).unwrap();
    let first = on_record(&test, serial);
    let again = test
        .revoke(serial, Reason::KeyCompromise, NOW + DAY)
        .unwrap();
    assert!(again.certificates[0].already);
    assert_eq!(on_record(&test, serial), first);
}

#[test]
fn a_hold_that_becomes_final_keeps_its_date() {
    let test = TestStore::new();
    let serial = test.issue("leaf", 30, NOW).serial;
    test.revoke(serial, Reason::CertificateHold, NOW).unwrap();
    test.revoke(serial, Reason::Superseded, NOW + DAY).unwrap();
    let revoked = on_record(&test, serial).unwrap();
    assert_eq!(
        (revoked.reason, revoked.revoked_at),
        (Reason::Superseded, NOW)
    );
}

#[test]
fn only_a_hold_is_released() {
    let test = TestStore::new();
    let serial = test.issue("leaf", 30, NOW).serial;
    let release = || test.decide(serial, Verdict::Release, NOW);
    assert!(matches!(
        release().unwrap_err(),
        CaError::Revocation(RevocationError::NotOnHold { .. })
    ));
    test.revoke(serial, Reason::CertificateHold, NOW).unwrap();
    release().unwrap();
    assert_eq!(on_record(&test, serial), None);
    test.revoke(serial, Reason::Superseded, NOW).unwrap();
    assert!(matches!(
        release().unwrap_err(),
        CaError::Revocation(RevocationError::NotOnHold { .. })
    ));
}

#[test]
fn a_root_and_a_date_in_the_future_are_refused() {
    let test = TestStore::new();
    let own = test.root.certificate().serial().unwrap();
    let refused = test.revoke(own, Reason::Unspecified, NOW).unwrap_err();
    assert!(matches!(
        refused,
        CaError::Revocation(RevocationError::OwnCertificate { .. })
    ));
    let serial = test.issue("leaf", 30, NOW).serial;
    let verdict = Verdict::Revoke {
        reason: Reason::KeyCompromise,
        invalidity_date: Some(NOW + DAY),
    };
    let refused = test.decide(serial, verdict, NOW).unwrap_err();
    assert!(matches!(
        refused,
        CaError::Revocation(RevocationError::InvalidityInFuture)
    ));
    assert_eq!(on_record(&test, serial), None);
}
