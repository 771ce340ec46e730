use crate::ca::error::CaError;
use crate::ca::notice::Notice;
use crate::ca::select::error::SelectError;
use crate::ca::select::{
    Selector, Status, by_readings, certificate_of, certifies_key_of, select_one,
};
use crate::ca::testing::{DAY, NOW, TestStore};
use crate::x509::serial::SerialReadings;
use crate::x509::{Reason, Serial};
use time::Duration;

#[test]
fn a_certificate_is_valid_to_the_last_second() {
    let end = NOW + DAY;
    for (now, status) in [
        (NOW - Duration::SECOND, Status::NotYetValid),
        (NOW, Status::Valid),
        (end, Status::Valid),
        (end + Duration::SECOND, Status::Expired),
    ] {
        assert_eq!(Status::at(NOW, end, now), status, "{now}");
    }
}

#[test]
fn a_name_selects_the_newest_live_certificate() {
    let test = TestStore::new();
    let mut notices = Vec::new();
    let mut select = || {
        let selector = Selector::CommonName("leaf".to_owned());
        let later = NOW + 2 * DAY;
        let selected = select_one(&test.root, &selector, later, &mut notices);
        selected.map(|issuance| issuance.serial)
    };
    assert!(matches!(
        select(),
        Err(CaError::Select(SelectError::NotFound { .. }))
    ));
    let first = test.issue("leaf", 30, NOW).serial;
    assert_eq!(select().unwrap(), first);
    let expired = test.issue("leaf", 1, NOW).serial;
    assert_eq!(select().unwrap(), first);
    let newest = test.issue("leaf", 30, NOW + DAY).serial;
    assert_eq!(select().unwrap(), newest);
    for serial in [first, newest] {
        test.revoke(serial, Reason::Superseded, NOW + DAY).unwrap();
    }
    // None is live: the newest of all.
    assert_eq!(select().unwrap(), newest);
    assert_ne!(expired, newest);
    let last = Notice::ChosenAmongSeveral {
        cn: "leaf".to_owned(),
        count: 3,
        serial: newest.to_string(),
        valid: false,
    };
    assert_eq!((notices.len(), notices.last()), (3, Some(&last)));
}

#[test]
fn a_serial_number_that_reads_as_two_certificates_is_refused() {
    let test = TestStore::new();
    let [hex, decimal] = ["10", "0A"].map(|text| text.parse::<Serial>().unwrap());
    let readings = SerialReadings {
        first: hex,
        other: Some(decimal),
    };
    let find = |known: &[Serial]| {
        let known = known.to_vec();
        by_readings(&test.root, "10", &readings, |serial| {
            Ok(known.contains(serial).then_some(*serial))
        })
    };
    assert_eq!(find(&[hex]).unwrap(), Some(hex));
    assert_eq!(find(&[decimal]).unwrap(), Some(decimal));
    assert_eq!(find(&[]).unwrap(), None);
    let both = find(&[hex, decimal]).unwrap_err();
    assert!(
        matches!(both, CaError::Select(SelectError::AmbiguousSerial { .. })),
        "{both}"
    );
}

#[test]
fn a_record_without_its_certificate_is_named() {
    let test = TestStore::new();
    let mut issuance = test.issue("leaf", 30, NOW);
    let certificate = certificate_of(&test.root, &issuance).unwrap();
    assert!(certifies_key_of(&issuance, &certificate));
    assert!(!certifies_key_of(
        &test.issue("leaf", 30, NOW),
        &certificate
    ));
    issuance.der = None;
    let missing = certificate_of(&test.root, &issuance).unwrap_err();
    assert!(matches!(
        missing,
        CaError::Select(SelectError::WithoutCertificate { .. })
    ));
    assert!(!certifies_key_of(&issuance, &certificate));
}
