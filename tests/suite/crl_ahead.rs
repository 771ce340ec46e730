//! `pki crl --ahead`: lists that are signed while the key is at hand, and
//! published in their turn while it is not.

use std::fmt::Write as _;
use std::fs;

use xxhash_rust::xxh3::xxh3_128;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, Transcript, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

const LIST: &str = "pki/crl/rootCA.crl";

/// A root with a passphrase and a subordinate, made on the first of January.
fn with_protected_root() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --days 3650",
        "subordinate --ca rootCA --name intermediate0 --passout env:OTHER",
        "subordinate --ca rootCA --name intermediate1 --passout env:OTHER",
    ] {
        at("01-01 12:00:00", &sandbox, line)
            .env("PKI_PASSPHRASE", PASSPHRASE)
            .env("OTHER", "another one")
            .succeeds();
    }
    sandbox
}

/// `pki` at a moment of 2026.
fn at(moment: &str, sandbox: &Sandbox, line: &str) -> Run {
    sandbox.pki_at(&format!("2026-{moment}"), line)
}

/// Three lists, thirty days apart, signed on the first of January.
#[track_caller]
fn sign_three(sandbox: &Sandbox) -> Transcript {
    at(
        "01-01 12:00:00",
        sandbox,
        "crl --ca rootCA --ahead 3 --every 30d --to-pem",
    )
    .env("PKI_PASSPHRASE", PASSPHRASE)
    .succeeds()
}

fn take_the_key_away(sandbox: &Sandbox) {
    fs::rename(
        sandbox.path("pki/rootCA/ca.key"),
        sandbox.path("offline.key"),
    )
    .unwrap();
}

fn bring_the_key_back(sandbox: &Sandbox) {
    fs::rename(
        sandbox.path("offline.key"),
        sandbox.path("pki/rootCA/ca.key"),
    )
    .unwrap();
}

/// The published list's number, as openssl reads it after it has verified the list, DER and PEM.
#[track_caller]
fn published_number(sandbox: &Sandbox) -> u128 {
    for file in [LIST, "pki/crl/rootCA.crl.pem"] {
        let verified = sandbox
            .run("openssl", "crl -noout -CAfile pki/rootCA/ca.crt -in")
            .arg(file)
            .succeeds();
        assert_eq!(verified.stderr, "verify OK\n");
    }
    let number = sandbox.list_in(LIST).number;
    assert_eq!(sandbox.list_in("pki/crl/rootCA.crl.pem").number, number);
    number
}

#[test]
fn each_list_is_published_in_its_turn_and_without_the_key() {
    let sandbox = with_protected_root();
    let signed = sign_three(&sandbox);
    assert_text(
        &signed.stdout,
        expect![[r#"
            signed the CRL of rootCA
              number       1
              entries      0
              next update  2026-02-10T12:00:00Z
              ahead        2 more, until 2026-04-11T12:00:00Z
              der          ./pki/crl/rootCA.crl
              pem          ./pki/crl/rootCA.crl.pem
        "#]],
    );
    take_the_key_away(&sandbox);
    for (moment, number, says) in [
        (
            "01-01 12:00:00",
            1,
            "no new revocations: kept the CRL of rootCA",
        ),
        (
            "01-31 11:59:59",
            1,
            "no new revocations: kept the CRL of rootCA",
        ),
        ("01-31 12:00:00", 2, "published a pre-signed CRL of rootCA"),
        (
            "02-15 00:00:00",
            2,
            "no new revocations: kept the CRL of rootCA",
        ),
        // The clock goes back: what is out stays out.
        (
            "01-02 00:00:00",
            2,
            "no new revocations: kept the CRL of rootCA",
        ),
        ("04-11 12:00:00", 3, "published a pre-signed CRL of rootCA"),
    ] {
        let done = at(moment, &sandbox, "--no-input crl --ca rootCA --if-needed").succeeds();
        assert!(done.stdout.starts_with(&format!("{says}\n")), "{done}");
        let said = format!("\n  number       {number}\n");
        assert!(done.stdout.contains(&said), "{done}");
        assert_eq!(published_number(&sandbox), number);
    }
    at("04-11 12:00:01", &sandbox, "crl --ca rootCA").refuses(
        1,
        "presigned-crls-expired",
        expect![[r#"
            error: no pre-signed CRL of rootCA is valid now; the last expires at [time]
            caused by: the key of rootCA is not in the store
            hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
        "#]],
    );
    assert_eq!(published_number(&sandbox), 3);
}

#[test]
fn numbers_follow_each_other_and_windows_overlap() {
    let sandbox = with_protected_root();
    at("01-01 12:00:00", &sandbox, "crl --ca rootCA --days 3")
        .env("PKI_PASSPHRASE", PASSPHRASE)
        .succeeds();
    let signed = at(
        "01-02 12:00:00",
        &sandbox,
        "--format json crl --ca rootCA --ahead 3 --every 30d --days 35",
    )
    .env("PKI_PASSPHRASE", PASSPHRASE)
    .succeeds();
    let list = &signed.json()[0];
    assert_eq!(list["number"], "2");
    assert_eq!(list["signed"], true);
    assert_eq!(list["ahead"]["lists"], 2);
    assert_eq!(list["ahead"]["until"], "2026-04-07T12:00:00Z");
    let windows = [2, 3, 4].map(|number| {
        let file = format!("pki/rootCA/ahead/{number}.crl");
        let list = sandbox.list_in(&file);
        assert_eq!(list.number, number);
        (list.this_update, list.next_update)
    });
    let expected = [
        ("2026-01-02 12:00:00Z", "2026-02-06 12:00:00Z"),
        ("2026-02-01 12:00:00Z", "2026-03-08 12:00:00Z"),
        ("2026-03-03 12:00:00Z", "2026-04-07 12:00:00Z"),
    ]
    .map(|(this, next)| (this.to_owned(), next.to_owned()));
    assert_eq!(windows, expected);
}

#[test]
fn a_default_run_publishes_what_a_ca_without_a_key_has_left() {
    let sandbox = with_protected_root();
    sign_three(&sandbox);
    take_the_key_away(&sandbox);
    let done = at("01-31 12:00:00", &sandbox, "crl --chain")
        .env("PKI_PASSPHRASE", "another one")
        .succeeds();
    let heads = done.stdout.lines().filter(|line| !line.starts_with(' '));
    assert_eq!(
        heads.collect::<Vec<_>>(),
        [
            "signed the CRL of intermediate0",
            "signed the CRL of intermediate1",
            "published a pre-signed CRL of rootCA",
        ]
    );
    sandbox.write("none.pem", "");
    sandbox
        .run("openssl", "verify -crl_check_all -x509_strict -CAfile")
        .words("pki/rootCA/ca.crt -CRLfile pki/crl/intermediate0.chain.crl.pem -attime 1769900000")
        .arg("pki/intermediate0/ca.crt")
        .succeeds();
}

#[test]
fn a_new_revocation_makes_them_void_until_new_ones_are_signed() {
    let sandbox = with_protected_root();
    sign_three(&sandbox);
    take_the_key_away(&sandbox);
    let line = "revoke --ca rootCA --cert pki/intermediate1/ca.crt --reason cACompromise";
    let revoked = at("01-05 12:00:00", &sandbox, line).succeeds();
    assert_text(
        &revoked.stderr,
        expect![[r#"
            notice: 3 pre-signed CRLs of rootCA are outdated now and will not be published: sign new ones with `pki crl --ca rootCA --ahead`
        "#]],
    );
    let again = at("01-05 12:00:00", &sandbox, line).succeeds();
    assert_eq!(again.stderr, "");

    let before = fs::read(sandbox.path(LIST)).unwrap();
    let mut said = String::new();
    for moment in ["01-05 12:00:00", "01-31 12:00:00"] {
        for line in ["crl --ca rootCA", "crl --ca rootCA --if-needed"] {
            said += &at(moment, &sandbox, line).refusal(1, "presigned-crls-outdated");
        }
    }
    assert_text(
        &said,
        expect![[r#"
            error: the 3 pre-signed CRLs of rootCA lack later revocations or releases
            caused by: the key of rootCA is not in the store
            hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
            error: the 3 pre-signed CRLs of rootCA lack later revocations or releases
            caused by: the key of rootCA is not in the store
            hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
            error: the 3 pre-signed CRLs of rootCA lack later revocations or releases
            caused by: the key of rootCA is not in the store
            hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
            error: the 3 pre-signed CRLs of rootCA lack later revocations or releases
            caused by: the key of rootCA is not in the store
            hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
        "#]],
    );
    assert!(fs::read(sandbox.path(LIST)).unwrap() == before);
    let check = at("01-05 12:00:00", &sandbox, "crl --check --ca rootCA").ends_with(3);
    assert_text(
        &normalised(&check.stdout),
        expect![[r#"
            rootCA: outdated: ./pki/crl/rootCA.crl or its PEM file lacks revocations that are on record
        "#]],
    );

    bring_the_key_back(&sandbox);
    at("02-01 12:00:00", &sandbox, "--no-input crl --ca rootCA").refuses(
        1,
        "presigned-crls-outdated",
        expect![[r#"
            error: the 3 pre-signed CRLs of rootCA lack later revocations or releases
            caused by: no passphrase given for the key of rootCA
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
        "#]],
    );
    at(
        "02-01 12:00:00",
        &sandbox,
        "crl --ca rootCA --ahead 2 --every 30d",
    )
    .env("PKI_PASSPHRASE", PASSPHRASE)
    .succeeds();
    take_the_key_away(&sandbox);
    let first = sandbox.list_in(LIST);
    assert_eq!((first.number, first.serials.len()), (4, 1));
    assert_eq!(sandbox.names_in("pki/rootCA/ahead"), ["4.crl", "5.crl"]);
    at("03-03 12:00:00", &sandbox, "crl --ca rootCA").succeeds();
    assert_eq!(published_number(&sandbox), 5);
}

#[test]
fn a_list_that_is_signed_for_now_ends_what_was_signed_ahead() {
    let sandbox = with_protected_root();
    sign_three(&sandbox);
    at("01-02 12:00:00", &sandbox, "crl --ca rootCA --days 7")
        .env("PKI_PASSPHRASE", PASSPHRASE)
        .succeeds();
    assert_eq!(published_number(&sandbox), 4);
    assert!(sandbox.names_in("pki/rootCA/ahead").is_empty());
    take_the_key_away(&sandbox);
    at("01-31 12:00:00", &sandbox, "crl --ca rootCA").refuses(
        1,
        "key-not-in-store",
        expect![[r#"
            error: the key of rootCA is not in the store
            hint: run the command on the machine with the key, or restore ca.key in the CA's directory
        "#]],
    );
    assert_eq!(published_number(&sandbox), 4);
}

#[test]
fn a_check_says_when_the_next_one_is_due() {
    let sandbox = with_protected_root();
    sign_three(&sandbox);
    take_the_key_away(&sandbox);
    let check = |moment, status| {
        let line = "crl --check --ca rootCA";
        let said = at(moment, &sandbox, line).ends_with(status);
        normalised(&said.stdout)
    };
    assert_text(
        &check("01-20 12:00:00", 0),
        expect![[r#"
            rootCA: fresh until [time]
        "#]],
    );
    let due = check("01-31 12:00:00", 3);
    assert!(due.starts_with("rootCA: outdated: "), "{due}");
    at("01-31 12:00:00", &sandbox, "crl --ca rootCA").succeeds();
    assert_text(
        &check("01-31 12:00:00", 0),
        expect![[r#"
            rootCA: fresh until [time]
        "#]],
    );
    assert_text(
        &check("03-13 00:00:00", 3),
        expect![[r#"
            rootCA: stale since [time]
        "#]],
    );
}

#[test]
fn no_list_goes_past_the_end_of_the_ca() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --days 70",
        "crl --ca rootCA --ahead 5 --every 30d --to-pem",
    ] {
        let done = at("01-01 12:00:00", &sandbox, line).succeeds();
        if line.starts_with("crl") {
            assert_text(
                &done.stderr,
                expect![[r#"
                    notice: rootCA: only 3 CRLs were signed, since the CA expires at 2026-03-12T12:00:00Z
                "#]],
            );
        }
    }
    let refused = sandbox
        .pki_at(
            "2026-03-12 12:00:00",
            "crl --ca rootCA --ahead 2 --every 30d",
        )
        .ends_with(1);
    assert_eq!(refused.stderr.matches("2026-03-12T12:00:00Z").count(), 2);
    assert_text(
        &normalised(&refused.stderr),
        expect![[r#"
            error: invalid CRL validity: thisUpdate [time] is not before the CA's notAfter [time]
            hint: choose another time with --days or --next-update
        "#]],
    );
    let last = sandbox.list_in("pki/rootCA/ahead/3.crl");
    assert_eq!(last.this_update, "2026-03-02 12:00:00Z");
    assert_eq!(last.next_update, "2026-03-12 12:00:00Z");
}

#[test]
fn a_list_that_was_changed_in_the_store_is_not_published() {
    let sandbox = with_protected_root();
    sign_three(&sandbox);
    take_the_key_away(&sandbox);
    let second = sandbox.path("pki/rootCA/ahead/2.crl");
    fs::copy(sandbox.path("pki/rootCA/ahead/3.crl"), &second).unwrap();
    at("01-31 12:00:00", &sandbox, "crl --ca rootCA").refuses(
        1,
        "store-damaged",
        expect![[r#"
            error: the store is damaged: ./pki/rootCA/ahead/2.crl is not the list that was signed
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
    fs::remove_file(second).unwrap();
    at("01-31 12:00:00", &sandbox, "crl --ca rootCA").refuses(
        1,
        "store-damaged",
        expect![[r#"
            error: the store is damaged: ./pki/rootCA/ahead/2.crl is missing
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
    assert_eq!(published_number(&sandbox), 1);
}

#[test]
fn gaps_and_lists_that_all_end_at_once_are_refused() {
    let sandbox = with_protected_root();
    let refused = at(
        "01-01 12:00:00",
        &sandbox,
        "crl --ca rootCA --ahead 2 --every 30d --days 30",
    )
    .env("PKI_PASSPHRASE", PASSPHRASE)
    .ends_with(1);
    assert_eq!(refused.stderr.matches("2026-01-31T12:00:00Z").count(), 2);
    assert_text(
        &normalised(&refused.stderr),
        expect![[r#"
            error: invalid CRL validity: a CRL would expire at [time], before the thisUpdate of the next one, [time]
            hint: choose another time with --days or --next-update
        "#]],
    );
    at("01-01 12:00:00", &sandbox, "crl --ca rootCA --ahead 2 --every 30d --next-update 2027-01-01")
        .refuses(
            2,
            "usage",
            expect![[r#"
                error: --ahead signs CRLs that expire one after the other, so --next-update has to be a duration such as 40d
            "#]],
        );
    for line in [
        "crl --ahead 2",
        "crl --every 30d",
        "crl --ahead 0 --every 30d",
        "crl --ahead 2 --every 0d",
        "crl --ahead 2 --every -1d",
    ] {
        at("01-01 12:00:00", &sandbox, line).ends_with(2);
    }
    assert!(!sandbox.path("pki/crl/rootCA.crl").exists());
}

/// Lists are signed ahead again before the first have been used up: those are gone.
#[test]
fn of_lists_that_were_signed_ahead_twice_the_last_count() {
    for records_are_old in [false, true] {
        let sandbox = with_protected_root();
        sign_three(&sandbox);
        let again = "--format json crl --ca rootCA --ahead 3 --every 30d --to-pem";
        let again = at("01-05 12:00:00", &sandbox, again).env("PKI_PASSPHRASE", PASSPHRASE);
        let list = &again.succeeds().json()[0];
        assert_eq!(list["number"], "4");
        assert_eq!(list["ahead"]["lists"], 2);
        if records_are_old {
            forget_what_was_signed_together(&sandbox);
        }
        take_the_key_away(&sandbox);
        // The clock is behind the first of them.
        at("01-02 12:00:00", &sandbox, "crl --ca rootCA").refuses(
            1,
            "presigned-crls-expired",
            expect![[r#"
                error: no pre-signed CRL of rootCA is valid now; the last expires at [time]
                caused by: the key of rootCA is not in the store
                hint: sign new ones on the machine with the key: `pki crl --ca rootCA --ahead N --every 30d`
            "#]],
        );
        at("02-05 12:00:00", &sandbox, "crl --ca rootCA").succeeds();
        assert_eq!(published_number(&sandbox), 5);
        let line = "revoke --ca rootCA --cert pki/intermediate1/ca.crt --reason cACompromise";
        let revoked = at("01-05 12:00:00", &sandbox, line).succeeds();
        assert_text(
            &normalised(&revoked.stderr),
            expect![[r#"
                notice: 3 pre-signed CRLs of rootCA are outdated now and will not be published: sign new ones with `pki crl --ca rootCA --ahead`
            "#]],
        );
        let void = at("01-05 12:00:00", &sandbox, "crl --ca rootCA");
        void.refusal(1, "presigned-crls-outdated");
    }
}

/// Makes the journal of lists what earlier versions wrote.
fn forget_what_was_signed_together(sandbox: &Sandbox) {
    let journal = "pki/rootCA/crls.jsonl";
    let mut check = "0".repeat(32);
    let mut text = String::new();
    for line in sandbox.read(journal).lines() {
        let (body, _) = line.rsplit_once(",\"check\":").unwrap();
        let body = match body.split_once("\"ahead_from\":\"") {
            Some((before, after)) => before.to_owned() + after.split_once("\",").unwrap().1,
            None => body.to_owned(),
        };
        check = format!("{:032x}", xxh3_128(format!("{check}{body}").as_bytes()));
        writeln!(text, "{body},\"check\":\"{check}\"}}").unwrap();
    }
    assert!(!text.contains("ahead_from"));
    sandbox.write(journal, text);
}

crate::engine::also_in_a_database! {
    numbers_follow_each_other_and_windows_overlap, no_list_goes_past_the_end_of_the_ca,
    gaps_and_lists_that_all_end_at_once_are_refused,
}
