//! Files of the store: damaged, or written by somebody else. `fuzz/targets` replaces one of them and calls
//! the function of that file with the store's directory.

use super::{Known, NOW, harmless, said};
use crate::ca::{Lifetime, NewCa, create_root};
use crate::key::KeyType;
use crate::store::{Ca, Operator, Store, StoreError};
use crate::x509::text::Escaped;
use crate::x509::{Name, NameConstraints, Serial};
use std::collections::HashSet;
use std::path::Path;

/// Name of the one CA.
pub const CA: &str = "ca";

/// Makes a store with a root whose key is not encrypted.
pub fn make(store: &Path) {
    let new = NewCa {
        name: CA.parse().expect("it is a name"),
        subject: Name::from_common_name(CA).expect("it is a name"),
        lifetime: Lifetime::default(),
        length: None,
        key_type: None,
        usual_type: KeyType::P256,
        key_uri: None,
        path_length: None,
        constraints: NameConstraints::default(),
        crl_urls: Vec::new(),
        ca_issuers_urls: Vec::new(),
        ocsp_urls: Vec::new(),
    };
    create_root(&store.into(), operator(), &new, &mut Known, NOW).expect("a root is made");
}

/// Asserts that no notice steers a terminal.
pub(super) fn operator() -> Operator {
    Operator::new(NOW, |notice| {
        harmless(&Escaped(&notice.to_string()).to_string());
    })
}

fn look_at(store: &Path, look: impl FnOnce(&Store) -> Result<(), StoreError>) {
    let store = Store::open(&store.into(), operator());
    if let Err(error) = store.and_then(|store| look(&store)) {
        said(&error);
    }
}

fn look_at_ca(store: &Path, look: impl FnOnce(&Ca) -> Result<(), StoreError>) {
    look_at(store, |store| {
        look(&store.ca(&CA.parse().expect("it is a name"))?)
    });
}

/// Reads `issued.jsonl` in every way.
pub fn issued_journal(store: &Path) {
    look_at_ca(store, |ca| {
        let mut serials = HashSet::from([one()]);
        for issuance in ca.issuances()?.take_while(Result::is_ok).flatten() {
            serials.insert(issuance.serial);
        }
        let spki = ca.certificate().public_key().spki();
        all_said([
            ca.each_issuance(&serials, &HashSet::new(), |_, _| (), |()| ()),
            ca.each_issuance(&serials, &serials, |_, _| (), |()| ()),
            ca.each_of_all(|_| None, |()| ()),
            ca.issuances()?
                .try_for_each(|issuance| issuance.map(|_| ())),
            ca.issuances_of_entries()?
                .try_for_each(|issuance| issuance.map(|_| ())),
            ca.issuances_named(CA).map(|_| ()),
            ca.renewals_from_now_on().map(|_| ()),
            ca.issuances_about(spki).map(|_| ()),
            ca.last_issuance().map(|_| ()),
        ]);
        let counter = ca.lock()?.raise_counter(0)?;
        assert_eq!(ca.lock()?.raise_counter(0)?, counter);
        Ok(())
    });
}

/// Reads `revoked.jsonl` in every way. Returns its length once a lock repaired it, if it is readable.
pub fn revoked_journal(store: &Path) -> Option<u64> {
    let mut length = None;
    look_at_ca(store, |ca| {
        all_said([
            ca.standings().map(|_| ()),
            ca.all_revoked().map(|_| ()),
            ca.compromised(None).map(|_| ()),
            ca.standing(&one()).map(|_| ()),
            ca.lock_crls().map(|_| ()),
        ]);
        ca.lock_revocations()?;
        let end = serde_json::to_value(ca.revocations_end()?);
        length = end.expect("it is a number and a text")["length"].as_u64();
        Ok(())
    });
    length
}

fn one() -> Serial {
    Serial::from_magnitude(&[1]).expect("it is a serial number")
}

fn all_said<const COUNT: usize>(read: [Result<(), StoreError>; COUNT]) {
    for error in read.into_iter().filter_map(Result::err) {
        said(&error);
    }
}

/// Reads `crls.jsonl` in every way.
pub fn crl_journal(store: &Path) {
    look_at_ca(store, |ca| {
        for crl in ca.recent_crls()?.iter().chain(&ca.crls_without_news(NOW)?) {
            if let Err(error) = ca.presigned_crl(crl) {
                said(&error);
            }
        }
        ca.lock_crls().map(|_| ())
    });
}

/// Reads `ca.json`.
pub fn ca_record(store: &Path) {
    look_at(store, |store| {
        for ca in store.cas()? {
            assert_eq!(ca.name().as_str(), CA);
            store.ancestors(&ca)?;
        }
        Ok(())
    });
}

/// Reads `store.json`.
pub fn store_format(store: &Path) {
    look_at(store, |store| store.cas().map(|_| ()));
}

/// Reads `serial`, whose content is `data`: a number is taken as it is written, or refused.
pub fn counter(store: &Path, data: &[u8]) {
    look_at_ca(store, |ca| {
        let counter = ca.lock()?.raise_counter(0)?;
        assert!(counter <= 1 || format!("{counter:039}\n").as_bytes() == data);
        Ok(())
    });
}

/// Reads `crlnumber`.
pub fn crl_number(store: &Path) {
    look_at_ca(store, |ca| ca.lock_crls().map(|_| ()));
}
