//! Records made of an index, certificates and CRLs.

use crate::ca::finding::Level;
use crate::ca::import::certificates::Certificates;
use crate::ca::import::index::rows;
use crate::ca::import::records::Records;
use crate::ca::testing::{DAY, NOW, TestStore, certificate};
use crate::store::{Issuance, RevocationChange};
use crate::x509::Reason;
use std::path::{Path, PathBuf};

/// A store as the source of certificates, each in a file named by its serial number.
struct Source {
    test: TestStore,
    issued: Vec<Issuance>,
    files: Vec<PathBuf>,
}

fn source(names: &[&str]) -> Source {
    let test = TestStore::new();
    let issued: Vec<Issuance> = names.iter().map(|cn| test.issue(cn, 30, NOW)).collect();
    let file = |issuance: &Issuance| {
        let name = format!("{}.pem", issuance.serial);
        test.write(&name, certificate(issuance).to_pem())
    };
    let files = issued.iter().map(file).collect();
    Source {
        test,
        issued,
        files,
    }
}

impl Source {
    /// Rules of findings, and revocations, of an index.
    fn records(&self, index: &str) -> (Vec<(Level, &'static str)>, Vec<RevocationChange>) {
        let ca = self.test.root.certificate();
        let mut certificates = Certificates::read(&self.files, ca).unwrap();
        assert!(
            certificates.findings.is_empty(),
            "{:?}",
            certificates.findings
        );
        let mut records = Records::new(ca, true, NOW);
        for row in rows(index.as_bytes()) {
            records.take_row(row, &mut certificates, Path::new("newcerts"));
        }
        records.take_others(certificates);
        let findings = records.findings.iter();
        let rules = findings
            .map(|finding| (finding.level, finding.rule))
            .collect();
        (rules, records.changes())
    }
}

#[test]
fn rows_are_compared_with_their_certificates() {
    let source = source(&["a", "b"]);
    let [a, b] = [0, 1].map(|index: usize| source.issued[index].serial);
    let row = |serial, cn| format!("V\t260131120000Z\t\t{serial}\tunknown\t/CN={cn}\n");
    let whole = row(a, "a") + &row(b, "b");
    assert_eq!(source.records(&whole), (vec![], vec![]));
    for (index, rule) in [
        (row(a, "a") + &row(b, "c"), "row-and-certificate-differ"),
        (
            whole.replacen("260131", "260130", 1),
            "row-and-certificate-differ",
        ),
        (row(a, "a"), "row-missing"),
        (whole.clone() + &row(a, "a"), "serial-twice"),
        (
            whole.clone() + "V\t260131120000Z\t\t0A\tunknown\t/CN=x\n",
            "certificate-missing",
        ),
        (
            whole.clone() + "V\tnever\t\t0A\tunknown\t/CN=x\n",
            "row-broken",
        ),
    ] {
        assert_eq!(source.records(&index).0, [(Level::Error, rule)], "{index}");
    }
}

#[test]
fn revocations_of_an_index_stay() {
    let source = source(&["a", "b"]);
    let [a, b] = [0, 1].map(|index: usize| source.issued[index].serial);
    let row =
        |date: &str, serial, cn| format!("R\t260131120000Z\t{date}\t{serial}\tunknown\t/CN={cn}\n");
    // The later line is about the earlier revocation.
    let index =
        row("260103000000Z,superseded", a, "a") + &row("260102000000Z,certificateHold", b, "b");
    let (findings, changes) = source.records(&index);
    assert!(findings.is_empty(), "{findings:?}");
    let changes = changes.iter().map(|change| match change {
        RevocationChange::Revoke(serial, revoked) => (*serial, revoked.reason, revoked.not_after),
        other => panic!("{other:?}"),
    });
    let end = NOW + 30 * DAY;
    let expected = [
        (b, Reason::CertificateHold, end),
        (a, Reason::Superseded, end),
    ];
    assert!(changes.eq(expected));
}

#[test]
fn a_broken_row_that_may_revoke_keeps_the_certificate_revoked() {
    let source = source(&["a"]);
    let serial = source.issued[0].serial;
    let broken = format!("R\t260131120000Z\tyesterday\t{serial}\tunknown\t/CN=a\n");
    let (findings, changes) = source.records(&broken);
    assert_eq!(findings, [(Level::Error, "row-broken")]);
    match changes.as_slice() {
        [RevocationChange::Revoke(revoked, how)] => {
            assert_eq!((*revoked, how.revoked_at), (serial, NOW));
        }
        other => panic!("{other:?}"),
    }
    let (findings, changes) = source.records("R\t260131120000Z\tyesterday\t?\tunknown\t/CN=a\n");
    assert!(changes.is_empty());
    assert_eq!(findings[0], (Level::Error, "revocation-unreadable"));
}

#[test]
fn certificates_of_another_ca_are_not_imported() {
    let (own, other) = (source(&["a"]), source(&["b"]));
    let files = [own.files.clone(), other.files.clone()].concat();
    let ca = own.test.root.certificate();
    let read = Certificates::read(&files, ca).unwrap();
    assert!(read.found.keys().eq([&own.issued[0].serial]));
    let rules: Vec<&str> = read.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["not-issued-by-this-ca"]);
    assert!(read.explained.contains(&other.files[0]));
    let mut collected = Certificates::default();
    collected.collect(&files, ca).unwrap();
    assert!(collected.found.keys().eq([&own.issued[0].serial]));
    let rules: Vec<&str> = collected
        .findings
        .iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(rules, ["certificates-passed-over"]);
}

#[test]
fn a_file_named_by_another_serial_number_is_not_imported() {
    let source = source(&["a"]);
    let pem = certificate(&source.issued[0]).to_pem();
    let named = source.test.write("0102.pem", pem);
    let ca = source.test.root.certificate();
    let read = Certificates::read(&[named], ca).unwrap();
    assert!(read.found.is_empty());
    assert_eq!(read.not_taken, [source.issued[0].serial]);
    assert_eq!(read.findings[0].rule, "file-of-another-serial");
}
