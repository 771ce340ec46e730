//! Backups of a store at which others are at work.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::sandbox::Sandbox;

/// Serials that were acknowledged: issued, and revoked.
#[derive(Clone, Default)]
struct Acknowledged {
    issued: BTreeSet<String>,
    revoked: BTreeSet<String>,
    cas: BTreeSet<String>,
}

#[test]
fn a_backup_during_writes_has_everything_acknowledged_before() {
    const BACKUPS: usize = 6;
    let sandbox = Sandbox::with_open_ca();
    let sandbox = &sandbox;
    let (done, acknowledged) = (AtomicBool::new(false), Mutex::new(Acknowledged::default()));
    let work = |each: &dyn Fn(usize)| {
        for number in 0.. {
            if done.load(Ordering::Relaxed) {
                break;
            }
            each(number);
        }
    };
    let issue = |process: usize| {
        work(&|number| {
            let cn = format!("c-{process}-{number}");
            let serial = sandbox.issued("intermediate0", &cn);
            acknowledged.lock().unwrap().issued.insert(serial.clone());
            if number.is_multiple_of(2) {
                let line = format!("revoke --ca intermediate0 --serial 0x{serial}");
                sandbox.pki(&line).succeeds();
                acknowledged.lock().unwrap().revoked.insert(serial);
            }
        });
    };
    let sign = || {
        work(&|_| {
            sandbox.pki("-q crl --to-pem --chain").succeeds();
            sandbox
                .pki("-q crl --ca rootCA --ahead 2 --every 30d")
                .succeeds();
        });
    };
    let certify = || {
        work(&|number| {
            let name = format!("below-{number}");
            let line = format!("subordinate --ca rootCA --name {name} --no-passphrase");
            sandbox.pki(&line).succeeds();
            acknowledged.lock().unwrap().cas.insert(name);
        });
    };
    let snapshots = thread::scope(|scope| {
        scope.spawn(|| issue(0));
        scope.spawn(|| issue(1));
        scope.spawn(sign);
        scope.spawn(certify);
        let backups = scope.spawn(|| {
            (0..BACKUPS)
                .map(|index| {
                    let before = acknowledged.lock().unwrap().clone();
                    let run = sandbox.pki(&format!("-q backup {index}.tar"));
                    (before, run.finish())
                })
                .collect::<Vec<_>>()
        });
        let backups = backups.join();
        // Said before a panic is passed on: the others must end too.
        done.store(true, Ordering::Relaxed);
        backups.unwrap()
    });
    for (index, (before, made)) in snapshots.into_iter().enumerate() {
        assert_eq!(made.status, Some(0), "{made}");
        let store = format!("new-{index}");
        let run = sandbox.pki(&format!("--store {store} restore {index}.tar"));
        assert_eq!(run.succeeds().stderr, "");
        assert_has(sandbox, &store, &before);
    }
}

#[track_caller]
fn assert_has(sandbox: &Sandbox, store: &str, before: &Acknowledged) {
    let pki = |line: &str| sandbox.pki(&format!("--store {store} {line}"));
    let listed = pki("--format json list").succeeds().json();
    let listed = listed.as_array().unwrap();
    let of = |field: &str, value: &str| -> BTreeSet<String> {
        let found = listed.iter().filter(|entry| entry[field] == value);
        let serials = found.map(|entry| entry["serial"].as_str().unwrap().to_owned());
        serials.collect()
    };
    let (issued, revoked) = (of("ca", "intermediate0"), of("status", "revoked"));
    assert!(before.issued.is_subset(&issued), "{store}");
    assert!(before.revoked.is_subset(&revoked), "{store}");
    // Every key of what is on record, and every CA with the record of its certificate.
    for serial in &issued {
        let key = format!("{store}/intermediate0/keys/{serial}.key");
        assert!(sandbox.path(&key).exists(), "{key}");
    }
    let certified = listed
        .iter()
        .filter(|entry| entry["profile"] == "subordinate");
    let certified: BTreeSet<String> = certified
        .map(|entry| entry["subject"].as_str().unwrap()[3..].to_owned())
        .collect();
    let tree = pki("--format json tree").succeeds().json();
    let below: BTreeSet<String> = tree[0]["subordinates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["ca"].as_str().unwrap().to_owned())
        .collect();
    assert!(before.cas.is_subset(&below), "{store}");
    assert_eq!(certified, below, "{store}");
    // No list is ahead of its journal: the next is made of all that it has.
    pki("-q crl").succeeds();
    for ca in ["rootCA", "intermediate0"] {
        let list = sandbox.list_in(&format!("{store}/crl/{ca}.crl"));
        assert!(list.number > super::STEP, "{}", list.text);
    }
    let list = sandbox.list_in(&format!("{store}/crl/intermediate0.crl"));
    assert_eq!(list.serials.into_iter().collect::<BTreeSet<_>>(), revoked);
}

crate::engine::soak_in_a_database! {
    a_backup_during_writes_has_everything_acknowledged_before,
}
