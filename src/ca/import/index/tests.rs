use crate::ca::import::index::*;
use time::macros::datetime;

fn one(line: &str) -> Result<Row, Broken> {
    let mut all = rows(line.as_bytes());
    let first = all.next().unwrap();
    assert!(all.next().is_none());
    first
}

fn revoked(field: &str) -> Result<Revocation, String> {
    let row = one(&format!("R\t270918025602Z\t{field}\t1001\tunknown\t/CN=a"));
    row.map(|row| row.revoked.unwrap())
        .map_err(|broken| broken.problem)
}

#[test]
fn every_kind_of_row_reads() {
    let valid = one("V\t20510918025602Z\t\t00\\\tA1\tunknown\t/CN=a").unwrap_err();
    assert!(valid.problem.contains("serial number"), "{valid:?}");
    let valid = one("V\t20510918025602Z\t\t10A1\tany file\t/CN=a\\\tb\r").unwrap();
    assert_eq!(valid.not_after, datetime!(2051-09-18 02:56:02 UTC));
    assert_eq!(valid.serial.to_string(), "10A1");
    assert_eq!(valid.subject, b"/CN=a\tb");
    assert_eq!(valid.revoked, None);
    let expired = one("# comment\n\nE\t9909180256Z\t\t01\tunknown\t/CN=a").unwrap();
    assert_eq!(expired.line, 3);
    assert_eq!(expired.not_after, datetime!(1999-09-18 02:56 UTC));
}

#[test]
fn every_kind_of_revocation_reads() {
    let at = datetime!(2026-11-22 02:56:03 UTC);
    let since = Some(datetime!(2020-01-01 0:00 UTC));
    for (field, reason, invalidity_date, is_lifted) in [
        ("", Reason::Unspecified, None, false),
        (",unspecified", Reason::Unspecified, None, false),
        (",CACompromise", Reason::CaCompromise, None, false),
        (",superseded", Reason::Superseded, None, false),
        (",certificateHold", Reason::CertificateHold, None, false),
        (
            ",holdInstruction,holdInstructionReject",
            Reason::CertificateHold,
            None,
            false,
        ),
        (
            ",certificateHold,1.2.840.10040.2.2",
            Reason::CertificateHold,
            None,
            false,
        ),
        (
            ",keyTime,20200101000000Z",
            Reason::KeyCompromise,
            since,
            false,
        ),
        (
            ",CAkeyTime,20200101000000Z",
            Reason::CaCompromise,
            since,
            false,
        ),
        (",removeFromCRL", Reason::CertificateHold, None, true),
    ] {
        let expected = Revocation {
            at,
            reason,
            invalidity_date,
            is_lifted,
        };
        for date in ["261122025603Z", "20261122025603Z"] {
            assert_eq!(revoked(&format!("{date}{field}")), Ok(expected), "{field}");
        }
    }
    for field in [
        "",
        "yesterday",
        "261122025603Z,stolen",
        "261122025603Z,keyTime",
        "261122025603Z,keyTime,tomorrow",
        "261322025603Z",
    ] {
        assert!(revoked(field).is_err(), "{field}");
    }
}

#[test]
fn what_is_broken_says_what_it_can() {
    let broken = one("R\t270918025602Z\t?\t1001\tunknown\t/CN=a").unwrap_err();
    assert_eq!(broken.serial.unwrap().to_string(), "1001");
    assert!(broken.may_revoke && broken.not_after.is_some());
    for line in [
        "V\t270918025602Z\t\t1001\tunknown",
        "X\t270918025602Z\t\t1001\tunknown\t/CN=a",
        "V\t270918025602\t\t1001\tunknown\t/CN=a",
        "V\t270918025602Z\t261122025603Z\t1001\tunknown\t/CN=a",
        "V\t270918025602Z\t\t\tunknown\t/CN=a",
        "V\t270918025602Z\t\t00\tunknown\t/CN=a",
        "V\t270918025602Z\t\t-01\tunknown\t/CN=a",
        "\0\0",
    ] {
        assert!(one(line).is_err(), "{line}");
    }
}

#[test]
fn what_may_revoke_is_told_from_what_does_not() {
    for (line, serial, may_revoke) in [
        ("R\t270918025602Z\t261122025603Z\t1001\t/CN=a", "1001", true),
        ("R\t270918025602Z\t1001\tunknown\t/CN=a", "1001", true),
        (
            "R\t270918025602Z\t261122025603Z\t1001\tunknown\t/CN=a\tb",
            "1001",
            true,
        ),
        ("V\t270918025602Z\t261122025603Z\t1001\t/CN=a", "1001", true),
        ("V\t270918025602Z\t?\t1001\tunknown\t/CN=a", "1001", true),
        ("V\t270918025602Z\t\t1001\t/CN=a", "1001", false),
        ("V\t27", "", false),
        // A field that is cut off may have had more digits.
        ("R\t270918025602Z\t261122025603Z\t10", "", true),
        (
            "R\t270918025602Z\t261122025603Z\t1001\t1002\t/CN=a\t",
            "",
            true,
        ),
        ("R\t270918025602Z\t\tone\tunknown\t/CN=a", "", true),
        ("R 270918025602Z 261122025603Z 1001 unknown /CN=a", "", true),
        ("\0\0", "", true),
    ] {
        let broken = one(line).unwrap_err();
        let read = broken.serial.map(|serial| serial.to_string());
        assert_eq!(read.unwrap_or_default(), serial, "{line}");
        assert_eq!(broken.may_revoke, may_revoke, "{line}");
    }
}
