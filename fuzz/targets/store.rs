//! The store's own files: damaged, or written by somebody else.

use super::objects::Known;
use super::{NOW, harmless, said};
use pki::ca::{Lifetime, NewCa, create_root};
use pki::key::KeyType;
use pki::store::{Ca, Observer, Store, StoreError};
use pki::x509::text::Escaped;
use pki::x509::{Name, NameConstraints, Serial};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3Default;

/// The CA of every store here.
const CA: &str = "ca";

/// The files of a CA that hostile octets take the place of.
const FILES: [&str; 6] = [
    "issued.jsonl",
    "revoked.jsonl",
    "crls.jsonl",
    "ca.json",
    "serial",
    "crlnumber",
];

/// A store with a root whose key is not encrypted.
pub(super) struct Place {
    folder: TempDir,
    /// Each file as it was made.
    originals: Vec<(PathBuf, Vec<u8>)>,
}

thread_local! {
    static PLACE: Place = Place::new();
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().expect("there is room for a folder");
        let new = NewCa {
            name: CA.parse().expect("it is a name"),
            subject: Name::from_common_name(CA).expect("it is a name"),
            lifetime: Lifetime::default(),
            length: None,
            key_type: KeyType::P256,
            path_length: None,
            constraints: NameConstraints::default(),
            crl_urls: Vec::new(),
            ca_issuers_urls: Vec::new(),
            ocsp_urls: Vec::new(),
        };
        let store = folder.path().join("pki");
        create_root(&store, observer(), &new, &mut Known, NOW).expect("a root is made");
        let in_ca = FILES.map(|file| store.join(CA).join(file));
        let files = in_ca.into_iter().chain([store.join("store.json")]);
        let original = |path: PathBuf| (path.clone(), fs::read(path).expect("it was made"));
        Self {
            originals: files.map(original).collect(),
            folder,
        }
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("pki")
    }

    /// A file of the CA.
    pub(super) fn in_ca(&self, file: &str) -> PathBuf {
        self.store().join(CA).join(file)
    }

    /// Puts `content` into the place of a file, looks at the store, and puts the file back.
    fn with(
        &self,
        path: &Path,
        content: &[u8],
        look: impl FnOnce(&Store) -> Result<(), StoreError>,
    ) {
        fs::write(path, content).expect("a file is written");
        let store = Store::open(&self.store(), observer());
        if let Err(error) = store.and_then(|store| look(&store)) {
            said(&error);
        }
        let original = self.originals.iter().find(|(known, _)| known == path);
        let (_, original) = original.expect("it is one of them");
        fs::write(path, original).expect("a file is written");
        let torn = path.with_extension("jsonl.torn");
        if torn.exists() {
            fs::remove_file(torn).expect("it is there");
        }
    }
}

/// Sees that no notice steers a terminal.
pub(super) fn observer() -> Observer {
    Arc::new(|notice| harmless(&Escaped(&notice.to_string()).to_string()))
}

/// A journal as it is, and once more with the checks that its lines would have if they were whole: else
/// the first of them would be all that is ever read.
fn journal(name: &str, file: &str, data: &[u8], look: impl Fn(&Ca) -> Result<(), StoreError>) {
    PLACE.with(|place| {
        for content in [data.to_vec(), with_checks(name, data)] {
            place.with(&place.in_ca(file), &content, |store| {
                look(&store.ca(&CA.parse().expect("it is a name"))?)
            });
        }
    });
}

fn with_checks(name: &str, lines: &[u8]) -> Vec<u8> {
    let header = format!("{{\"journal\":\"{name}\",\"ca\":\"{CA}\"}}");
    let mut journal = Vec::new();
    let mut check = "0".repeat(32);
    let lines = lines.split(|octet| *octet == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    for line in std::iter::once(header.as_bytes()).chain(lines) {
        let body = line.strip_suffix(b"}").unwrap_or(line);
        let mut hash = Xxh3Default::new();
        hash.update(check.as_bytes());
        hash.update(body);
        check = format!("{:032x}", hash.digest128());
        journal.extend_from_slice(body);
        journal.extend_from_slice(format!(",\"check\":\"{check}\"}}\n").as_bytes());
    }
    journal
}

/// `issued.jsonl`, in every way in which it is read.
pub fn issued_journal(data: &[u8]) {
    journal("issued", "issued.jsonl", data, |ca| {
        let mut serials = HashSet::from([Serial::from_magnitude(&[1]).expect("it is one")]);
        for issuance in ca.issuances()?.take_while(Result::is_ok).flatten() {
            serials.insert(issuance.serial);
        }
        let read = [
            ca.each_issuance(&serials, &HashSet::new(), |_, _| (), |()| ()),
            ca.each_issuance(&serials, &serials, |_, _| (), |()| ()),
            ca.each_of_all(|_| None, |()| ()),
            ca.issuances()?
                .try_for_each(|issuance| issuance.map(|_| ())),
            ca.issuances_of_entries()?
                .try_for_each(|issuance| issuance.map(|_| ())),
            ca.issuances_named(CA).map(|_| ()),
            ca.issuances_since(0).map(|_| ()),
            ca.issuances_about(ca.certificate().public_key().spki())
                .map(|_| ()),
            ca.last_issuance().map(|_| ()),
        ];
        read.into_iter()
            .filter_map(Result::err)
            .for_each(|error| said(&error));
        let counter = ca.lock()?.counter();
        assert_eq!(ca.lock()?.counter(), counter);
        Ok(())
    });
}

/// `revoked.jsonl`.
pub fn revoked_journal(data: &[u8]) {
    journal("revoked", "revoked.jsonl", data, |ca| {
        let read = [
            ca.standings().map(|_| ()),
            ca.all_revoked().map(|_| ()),
            ca.compromised().map(|_| ()),
            ca.standing(&Serial::from_magnitude(&[1]).expect("it is one"))
                .map(|_| ()),
            ca.lock_crls().map(|_| ()),
        ];
        read.into_iter()
            .filter_map(Result::err)
            .for_each(|error| said(&error));
        ca.lock_revocations()?;
        let end = ca.revocations_end()?;
        let octets = fs::metadata(ca.path().join("revoked.jsonl")).map(|found| found.len());
        assert_eq!(octets.ok(), Some(end.length));
        Ok(())
    });
}

/// `crls.jsonl`.
pub fn list_journal(data: &[u8]) {
    journal("crls", "crls.jsonl", data, |ca| {
        for list in ca.recent_crls()?.iter().chain(&ca.crls_without_news(NOW)?) {
            if let Err(error) = ca.presigned_crl(list) {
                said(&error);
            }
        }
        ca.lock_crls().map(|_| ())
    });
}

/// `ca.json`.
pub fn ca_record(data: &[u8]) {
    PLACE.with(|place| {
        place.with(&place.in_ca("ca.json"), data, |store| {
            for ca in store.cas()? {
                assert_eq!(ca.name().as_str(), CA);
                store.ancestors(&ca)?;
            }
            Ok(())
        });
    });
}

/// `store.json`.
pub fn store_format(data: &[u8]) {
    PLACE.with(|place| {
        place.with(&place.store().join("store.json"), data, |store| {
            store.cas().map(|_| ())
        });
    });
}

/// The counters: a number is taken as it stands, or refused.
pub fn counter(data: &[u8]) {
    PLACE.with(|place| {
        let ca = |store: &Store| store.ca(&CA.parse().expect("it is a name"));
        place.with(&place.in_ca("serial"), data, |store| {
            let counter = ca(store)?.lock()?.counter();
            assert!(counter <= 1 || format!("{counter:039}\n").as_bytes() == data);
            Ok(())
        });
        place.with(&place.in_ca("crlnumber"), data, |store| {
            ca(store)?.lock_crls().map(|_| ())
        });
    });
}
