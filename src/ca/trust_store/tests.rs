//! Bundles of a store with a root and a CA below it.

use crate::ca::error::CaError;
use crate::ca::testing::{NOW, TestStore, certificate};
use crate::ca::trust_store::error::TrustStoreError;
use crate::ca::trust_store::targets::{RelyingParty, party};
use crate::ca::trust_store::{Bundle, BundleRequest, Changes, bundle, marked, write_bundle};
use crate::x509::Certificate;
use std::path::{Path, PathBuf};

fn made(test: &TestStore, cas: &[&str], files: &[PathBuf], target: Option<&str>) -> Bundle {
    let request = BundleRequest {
        cas: cas.iter().map(|name| name.parse().unwrap()).collect(),
        files: files.to_vec(),
        given: Vec::new(),
        party: target.map(|name| -> &RelyingParty { party(name).unwrap() }),
    };
    bundle(&test.store, &request, NOW).unwrap()
}

fn subjects(certificates: &[Certificate]) -> Vec<String> {
    let subjects = certificates.iter().map(Certificate::subject);
    subjects.map(ToString::to_string).collect()
}

#[test]
fn each_certificate_is_in_it_once_with_its_issuer_after_it() {
    let test = TestStore::new();
    test.subordinate("sub");
    let root = test.directory.path().join("pki/rootCA/ca.crt");
    let whole = ["CN=sub", "CN=rootCA"];
    for (cas, files) in [
        (&["rootCA", "sub"][..], vec![]),
        (&["sub", "rootCA", "sub"][..], vec![root.clone()]),
        (&["sub"][..], vec![]),
        (&[][..], vec![root]),
    ] {
        let bundle = made(&test, cas, &files, None);
        assert_eq!(subjects(&bundle.certificates), whole, "{cas:?}");
    }
    let alone = made(&test, &["rootCA"], &[], None);
    assert_eq!(subjects(&alone.certificates), ["CN=rootCA"]);
}

#[test]
fn files_follow_the_form_of_the_target() {
    let test = TestStore::new();
    test.subordinate("sub");
    let names = |target| {
        let files = made(&test, &["sub"], &[], Some(target)).files(Path::new("out.pem"), None);
        let files = files.unwrap().into_iter();
        let file = |path: PathBuf| path.to_str().unwrap().to_owned();
        files
            .map(|placed| (file(placed.path), subjects(&placed.certificates)))
            .collect::<Vec<_>>()
    };
    let file = |name: &str, subjects: &[&str]| {
        let subjects = subjects.iter().map(ToString::to_string).collect::<Vec<_>>();
        (name.to_owned(), subjects)
    };
    assert_eq!(names("nginx"), [file("out.pem", &["CN=sub", "CN=rootCA"])]);
    assert_eq!(names("iot"), [file("out.pem", &["CN=sub"])]);
    let apart = [
        file("out.pem", &["CN=rootCA"]),
        file("out.intermediates.pem", &["CN=sub"]),
    ];
    assert_eq!(names("gcp"), apart);
}

#[test]
fn a_leaf_is_refused() {
    let test = TestStore::new();
    let issued = certificate(&test.issue("leaf", 30, NOW));
    let leaf = test.write("leaf.pem", issued.to_pem());
    let request = BundleRequest {
        files: vec![leaf],
        given: Vec::new(),
        ..BundleRequest::default()
    };
    let refused = bundle(&test.store, &request, NOW).err().unwrap();
    assert!(
        matches!(refused, CaError::TrustStore(TrustStoreError::NotACa { .. })),
        "{refused}"
    );
}

#[test]
fn a_written_bundle_tells_what_it_changed() {
    let test = TestStore::new();
    let out = test.directory.path().join("bundle.pem");
    let write = |cas: &[&str]| {
        let files = made(&test, cas, &[], None).files(&out, None).unwrap();
        write_bundle(&test.store, &files, false, None)
    };
    assert!(write(&["rootCA"]).unwrap().is_none());
    test.subordinate("sub");
    let Changes {
        added,
        removed,
        kept,
    } = write(&["sub"]).unwrap().unwrap();
    assert_eq!(subjects(&added), ["CN=sub"]);
    assert_eq!(
        (removed.len(), subjects(&kept)),
        (0, vec!["CN=rootCA".to_owned()])
    );
    test.write("bundle.pem", "no bundle");
    let refused = write(&["sub"]).err().unwrap();
    assert!(matches!(refused, CaError::WouldReplace { .. }), "{refused}");
}

#[test]
fn a_mark_goes_before_the_ending() {
    for (out, becomes) in [
        ("a/trust.pem", "a/trust.2.pem"),
        ("trust", "trust.2"),
        ("trust.store.pem", "trust.store.2.pem"),
    ] {
        assert_eq!(marked(Path::new(out), "2"), Path::new(becomes));
    }
}
