//! A check while others write: what they are at work on is nothing wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::rules;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// Commands of each writer.
const EACH: usize = 12;

#[test]
fn what_others_are_at_work_on_is_no_finding() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write(
        "table.csv",
        "cn\n".to_owned()
            + &(0..40)
                .map(|n| format!("row-{n}"))
                .collect::<Vec<_>>()
                .join("\n"),
    );
    sandbox.pki("crl --to-pem --chain").succeeds();
    let running = AtomicUsize::new(4);
    let write = |lines: &[String]| {
        for line in lines {
            sandbox
                .pki(line)
                .env("PKI_PASSPHRASE", PASSPHRASE)
                .succeeds();
        }
        running.fetch_sub(1, Ordering::Relaxed);
    };
    let numbered = |line: &str| -> Vec<String> {
        (0..EACH)
            .map(|n| line.replace('#', &n.to_string()))
            .collect()
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            write(&numbered(
                "issue --ca intermediate0 --cn one-# --out out --no-passphrase",
            ));
        });
        scope.spawn(|| write(&numbered("issue --ca intermediate0 --from table.csv -q")));
        scope.spawn(|| {
            let lines = numbered("#");
            let lines = lines.iter().flat_map(|n| {
                [
                    format!("issue --ca rootCA --cn away-{n}"),
                    format!("revoke --ca rootCA --cn away-{n}"),
                    "crl --to-pem --chain".to_owned(),
                ]
            });
            write(&lines.collect::<Vec<_>>());
        });
        scope.spawn(|| write(&numbered("root --name guarded-#")));
        let mut checks = 0;
        while running.load(Ordering::Relaxed) > 0 || checks == 0 {
            let check = sandbox.pki("--format json check").finish();
            assert_eq!(check.status, Some(0), "{check}");
            let mut rules = rules(&check);
            // A revocation is recorded before the next CRL is signed, that before it is published, and that before
            // its chain is written: these are so, for as long as they are.
            rules.remove("list-outdated");
            rules.remove("list-unpublished");
            rules.remove("list-copy-behind");
            // The keys of a batch wait for the last of its group, which takes long on a busy machine.
            rules.remove("key-without-record");
            assert!(rules.is_empty(), "{check}");
            checks += 1;
        }
    });
    let after = sandbox.pki("--format json check").succeeds();
    assert!(rules(&after).is_empty(), "{after}");
}

crate::engine::soak_in_a_database! {
    what_others_are_at_work_on_is_no_finding,
}
