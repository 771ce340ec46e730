use crate::ca::testing::{DAY, NOW, TestStore, certificate};
use crate::ca::verify::{CheckedBy, Judgement, VerifyRequest, verify};
use crate::store::Store;
use crate::x509::verify::{Question, Refusal};
use crate::x509::{Certificate, Crl, Reason};
use time::OffsetDateTime;

fn judged(
    store: Option<&Store>,
    bundle: Option<&[Certificate]>,
    crls: &[Crl<'_>],
    certificate: &Certificate,
    now: OffsetDateTime,
) -> Judgement {
    let request = VerifyRequest {
        certificate: certificate.clone(),
        beside: Vec::new(),
        bundle: bundle.map(<[Certificate]>::to_vec),
        trusts_intermediates: false,
        crls: crls.to_vec(),
        responses: Vec::new(),
        question: Question::at(now),
    };
    verify(store, &request).unwrap()
}

#[test]
fn a_certificate_of_the_store_is_valid_until_it_is_revoked() {
    let test = TestStore::new();
    let issuance = test.issue("leaf", 30, NOW);
    let leaf = certificate(&issuance);
    let judge = |now| judged(Some(&test.store), None, &[], &leaf, now);
    let valid = judge(NOW);
    assert!(valid.refusal.is_none() && valid.path.len() == 2);
    assert_eq!(valid.revocation[0].checked_by, CheckedBy::Store);
    assert!(judge(NOW + 31 * DAY).refusal.is_some());
    test.revoke(issuance.serial, Reason::Superseded, NOW)
        .unwrap();
    let refusal = judge(NOW).refusal;
    assert!(
        matches!(refusal, Some(Refusal::Revoked { .. })),
        "{refusal:?}"
    );
}

#[test]
fn crls_that_are_given_decide_alone() {
    let test = TestStore::new();
    let request = test.crl_request();
    let issuance = test.issue("leaf", 30, NOW);
    let leaf = certificate(&issuance);
    let published = |now| {
        test.publish(&request, now);
        std::fs::read(request.place.der(&test.root)).unwrap()
    };
    let before = published(NOW);
    test.revoke(issuance.serial, Reason::Superseded, NOW)
        .unwrap();
    let after = published(NOW);
    let judge = |der: &[u8], now| {
        let crls = [Crl::from_der(der).unwrap()];
        judged(Some(&test.store), None, &crls, &leaf, now)
    };
    let valid = judge(&before, NOW);
    assert!(valid.refusal.is_none());
    assert_eq!(valid.revocation[0].checked_by, CheckedBy::Crl);
    let refusal = judge(&after, NOW).refusal;
    assert!(
        matches!(refusal, Some(Refusal::Revoked { .. })),
        "{refusal:?}"
    );
    // An expired CRL can't tell.
    let refusal = judge(&before, NOW + 8 * DAY).refusal;
    assert!(refusal.is_some_and(|refusal| refusal.is_about_revocation()));
}

#[test]
fn a_bundle_takes_the_place_of_the_store() {
    let test = TestStore::new();
    let leaf = certificate(&test.issue("leaf", 30, NOW));
    let root = test.root.certificate().clone();
    let other = TestStore::new().root.certificate().clone();
    let judge = |bundle: &[Certificate]| judged(None, Some(bundle), &[], &leaf, NOW);
    assert!(judge(&[other.clone(), root]).refusal.is_none());
    let untrusted = judge(&[other]);
    assert!(untrusted.refusal.is_some() && untrusted.path.is_empty());
}
