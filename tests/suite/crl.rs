//! `pki crl`: what it publishes, what it refuses to, and what it says about what is published.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::thread;
use std::time::Duration;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

const LIST: &str = "pki/crl/intermediate0.crl";

/// A root and a subordinate that begin in 2020 and end in 2030.
fn from_2020_to_2030() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --not-before 2020-01-01 --not-after 2030-01-01",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase --not-before 2020-01-01 --not-after 2030-01-01",
    ] {
        sandbox.pki_at("2026-01-01 00:00:00", line).succeeds();
    }
    sandbox
}

/// A certificate that was valid for ten days from the first of January.
fn short_lived(sandbox: &Sandbox, cn: &str) -> String {
    let line = format!(
        "--format json issue --ca intermediate0 --cn {cn} --not-before 2026-01-01 --not-after 2026-01-11"
    );
    let issued = sandbox.pki_at("2026-01-01 12:00:00", &line).succeeds();
    issued.json()["serial"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_published(sandbox: &Sandbox, serials: &[&String]) {
    let list = sandbox.published("intermediate0");
    assert_eq!(list.serials.iter().collect::<Vec<_>>(), serials);
}

#[test]
fn a_list_for_every_ca_as_der_as_pem_and_with_those_above() {
    let sandbox = Sandbox::with_three_tiers();
    let done = sandbox.pki("crl --to-pem --chain").succeeds();
    let one = |ca: &str| {
        format!(
            "signed the CRL of {ca}
  number       1
  entries      0
  next update  [time]
  der          ./pki/crl/{ca}.crl
  pem          ./pki/crl/{ca}.crl.pem
  chain        ./pki/crl/{ca}.chain.crl.pem
"
        )
    };
    let all = ["intermediate0", "intermediate1", "intermediate2", "rootCA"];
    assert_same(&normalised(&done.stdout), &all.map(one).concat());
    assert_eq!(done.stderr, "");

    let pem = |ca: &str| sandbox.read(format!("pki/crl/{ca}.crl.pem"));
    let chain = |ca: &str| sandbox.read(format!("pki/crl/{ca}.chain.crl.pem"));
    for ca in all {
        let converted = sandbox
            .run("openssl", "crl -inform DER -outform PEM -in")
            .arg(format!("pki/crl/{ca}.crl"))
            .succeeds();
        assert_same(&pem(ca), &converted.stdout);
    }
    assert_same(&chain("rootCA"), &pem("rootCA"));
    let set = ["intermediate2", "intermediate1", "rootCA"].map(pem);
    assert_same(&chain("intermediate2"), &set.concat());
}

#[test]
fn json_holds_an_object_for_every_ca_that_was_named() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.issued("intermediate0", "client");
    sandbox
        .pki("revoke --ca intermediate0 --cn client")
        .succeeds();
    let done = sandbox
        .pki("--format json crl --ca rootCA --ca intermediate0 --out lists --to-pem")
        .succeeds();
    let lists = done.json();
    let lists = lists.as_array().unwrap();
    assert_eq!(lists.len(), 2, "{done}");
    for (list, (ca, entries)) in lists.iter().zip([("rootCA", 0), ("intermediate0", 1)]) {
        assert_eq!(list["ca"], ca);
        assert_eq!(list["number"], "1");
        assert_eq!(list["entries"], entries);
        assert_eq!(list["signed"], true);
        assert_eq!(list["files"]["der"], format!("lists/{ca}.crl"));
        assert_eq!(list["files"]["pem"], format!("lists/{ca}.crl.pem"));
        let read = sandbox.list_in(&format!("lists/{ca}.crl"));
        let printed = |time: &str| time.replace(' ', "T");
        assert_eq!(list["this_update"], printed(&read.this_update));
        assert_eq!(list["next_update"], printed(&read.next_update));
    }
    assert_eq!(sandbox.names_in("lists").len(), 4);
}

#[test]
fn a_file_is_no_folder_to_publish_in() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("lists", "");
    let run = sandbox.pki("crl --ca rootCA --out lists");
    sandbox.refused(
        run,
        1,
        "not-a-directory",
        expect![[r#"
            error: could not use lists
            caused by: not a directory
            hint: use another directory
        "#]],
    );
}

#[test]
fn an_empty_crl_has_its_extensions_and_no_entries_field() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    let parsed = sandbox
        .run("openssl", "asn1parse -inform DER -in")
        .arg(LIST)
        .succeeds();
    let lines = parsed.stdout.lines();
    let fields = lines.filter(|line| line.contains(":d=2 ") && !line.contains("OBJECT"));
    let kinds = fields.map(|line| {
        let kind = line.split_once(": ").unwrap().1;
        kind.split_whitespace().next().unwrap()
    });
    let version_to_extensions = [
        "INTEGER", "SEQUENCE", "SEQUENCE", "UTCTIME", "UTCTIME", "cont",
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), version_to_extensions, "{parsed}");

    let list = sandbox.published("intermediate0");
    let text = &list.text.stdout;
    assert!(text.contains("Version 2 (0x1)"), "{text}");
    assert!(text.contains("X509v3 Authority Key Identifier"), "{text}");
    assert!(text.contains("No Revoked Certificates"), "{text}");
}

#[test]
fn with_the_clock_set_back_number_and_this_update_stay() {
    let sandbox = from_2020_to_2030();
    let line = "crl --ca intermediate0";
    sandbox.pki_at("2026-06-01 00:00:00", line).succeeds();
    let before = sandbox.published("intermediate0");
    let back = sandbox.pki_at("2025-06-01 00:00:00", line).succeeds();
    assert_text(
        &normalised(&back.stderr),
        expect![[r#"
            notice: intermediate0: the new CRL is dated in the future ([time]), as the last one is: relying parties may reject it; if the clock is right, `pki crl --date-now` dates it now
        "#]],
    );
    let after = sandbox.published("intermediate0");
    assert_eq!(after.number, before.number + 1);
    assert_eq!(after.this_update, before.this_update);
    assert!(after.next_update >= before.next_update);
}

#[test]
fn with_the_clock_set_back_no_entry_is_after_this_update() {
    let sandbox = from_2020_to_2030();
    let serial = short_lived(&sandbox, "client");
    sandbox
        .pki_at("2026-01-05 00:00:00", "crl --ca intermediate0")
        .succeeds();
    sandbox
        .pki_at(
            "2026-01-08 00:00:00",
            "revoke --ca intermediate0 --cn client",
        )
        .succeeds();
    sandbox
        .pki_at("2026-01-06 00:00:00", "crl --ca intermediate0")
        .succeeds();
    let list = sandbox.published("intermediate0");
    assert_eq!(list.serials, [serial]);
    let parsed = sandbox
        .run("openssl", "asn1parse -inform DER -in")
        .arg(LIST)
        .succeeds();
    let times = parsed.stdout.lines().filter_map(|line| {
        let (_, time) = line.split_once("UTCTIME           :")?;
        Some(time)
    });
    let [this_update, _, revoked_at] = times.collect::<Vec<_>>()[..] else {
        panic!("{parsed}");
    };
    assert!(revoked_at <= this_update, "{parsed}");
}

/// A clock that was ahead made the list before: by it the certificate had expired, and no list had it yet.
#[test]
fn with_the_clock_set_back_an_expired_certificate_is_listed() {
    let sandbox = from_2020_to_2030();
    let serials = ["revoked", "held"].map(|cn| short_lived(&sandbox, cn));
    let at = |moment: &str, line: &str| sandbox.pki_at(moment, line).succeeds();
    let hold = "revoke --ca intermediate0 --cn held --reason certificateHold";
    at("2026-01-05 00:00:00", hold);
    at(
        "2026-01-05 00:00:00",
        "revoke --ca intermediate0 --cn held --release",
    );
    at("2027-06-01 00:00:00", "crl --ca intermediate0");
    for line in ["revoke --ca intermediate0 --cn revoked", hold] {
        at("2026-01-06 00:00:00", line);
    }
    at("2026-01-06 00:00:00", "crl --ca intermediate0");
    let mut listed = sandbox.published("intermediate0").serials;
    listed.sort_unstable();
    assert_eq!(listed, serials);
    // They are valid by this clock: they stay until they have expired.
    at("2026-01-07 00:00:00", "crl --ca intermediate0");
    assert_eq!(sandbox.published("intermediate0").serials.len(), 2);
    at("2026-01-12 00:00:00", "crl --ca intermediate0");
    assert_published(&sandbox, &[]);
}

#[test]
fn a_crl_number_file_that_is_gone_or_empty_is_damage() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    sandbox.write("pki/intermediate0/crlnumber", "");
    sandbox.refused(sandbox.pki("crl --ca intermediate0"), 1, "store-damaged", expect![[r#"
        error: the store is damaged: ./pki/intermediate0/crlnumber is not a number of 39 digits and a newline
        hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
    "#]]);

    fs::remove_file(sandbox.path("pki/intermediate0/crlnumber")).unwrap();
    sandbox.refused(
        sandbox.pki("crl --ca intermediate0"),
        1,
        "store-damaged",
        expect![[r#"
            error: the store is damaged: ./pki/intermediate0/crlnumber is missing
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
}

#[test]
fn an_older_number_counter_put_back_repeats_no_number() {
    let sandbox = Sandbox::with_open_ca();
    let line = "crl --ca intermediate0";
    sandbox.pki(line).succeeds();
    let older = ["crlnumber", "crls.jsonl"].map(|name| {
        let path = format!("pki/intermediate0/{name}");
        (sandbox.read(&path), path)
    });
    sandbox.pki(line).succeeds();
    sandbox.pki(line).succeeds();
    let (counter, path) = &older[0];
    sandbox.write(path, counter);
    sandbox.pki(line).succeeds();
    assert_eq!(sandbox.published("intermediate0").number, 4);

    // The journal of what was signed is old too: the published list still tells.
    for (content, path) in &older {
        sandbox.write(path, content);
    }
    sandbox.pki(line).succeeds();
    assert_eq!(sandbox.published("intermediate0").number, 5);
}

#[test]
fn if_needed_without_news_signs_nothing_and_asks_nothing() {
    let sandbox = Sandbox::new();
    sandbox
        .with_passphrase("root --name rootCA --cn Example")
        .succeeds();
    sandbox
        .with_passphrase("issue --ca rootCA --cn client")
        .succeeds();
    sandbox.with_passphrase("crl --if-needed").succeeds();
    let before = sandbox.store_snapshot();
    let kept = sandbox.pki("crl --if-needed").succeeds();
    assert_text(
        &normalised(&kept.stdout),
        expect![[r#"
            no new revocations: kept the CRL of rootCA
              number       1
              entries      0
              next update  [time]
              der          ./pki/crl/rootCA.crl
        "#]],
    );
    let kept = sandbox.pki("--format json crl --if-needed").succeeds();
    assert_eq!(kept.json()[0]["signed"], false);
    before.assert_unchanged(&sandbox.path(STORE));

    // PEM beside it takes no key either.
    sandbox.pki("crl --if-needed --to-pem --chain").succeeds();
    assert_eq!(sandbox.list_in("pki/crl/rootCA.crl.pem").number, 1);
    assert_eq!(sandbox.list_in("pki/crl/rootCA.chain.crl.pem").number, 1);

    sandbox.pki("revoke --ca rootCA --cn client").succeeds();
    let before = sandbox.store_snapshot();
    let locked = sandbox.pki("crl --if-needed").ends_with(1);
    assert!(locked.stderr.contains("passphrase"), "{locked}");
    before.assert_unchanged(&sandbox.path(STORE));
    sandbox.with_passphrase("crl --if-needed").succeeds();
    assert_eq!(sandbox.published("rootCA").serials.len(), 1);
    sandbox.pki("crl --if-needed").succeeds();
    assert_eq!(sandbox.published("rootCA").number, 2);
}

#[test]
fn if_needed_signs_when_a_third_of_the_validity_is_left() {
    let sandbox = from_2020_to_2030();
    let needed = |moment: &str| {
        let line = "--format json crl --ca intermediate0 --if-needed --days 3";
        let done = sandbox.pki_at(moment, line).succeeds();
        done.json()[0]["signed"].as_bool().unwrap()
    };
    assert!(needed("2026-02-01 00:00:00"));
    assert!(!needed("2026-02-02 23:00:00"));
    assert!(needed("2026-02-03 01:00:00"));
    assert!(!needed("2026-02-03 02:00:00"));
    assert!(needed("2027-02-03 02:00:00"));
    fs::remove_file(sandbox.path(LIST)).unwrap();
    assert!(needed("2027-02-03 03:00:00"));
}

/// A list is as good as the next one while nothing happens between them, wherever each is.
#[test]
fn lists_in_two_folders_are_good_until_something_is_revoked() {
    let sandbox = Sandbox::new();
    sandbox
        .with_passphrase("root --name rootCA --cn Example")
        .succeeds();
    let folders = ["", "--out x"];
    for folder in folders {
        sandbox
            .with_passphrase("crl --if-needed")
            .words(folder)
            .succeeds();
    }
    let before = sandbox.store_snapshot();
    for folder in folders {
        let kept = sandbox.pki("--format json crl --if-needed").words(folder);
        assert_eq!(kept.succeeds().json()[0]["signed"], false, "{folder}");
        sandbox.pki("crl --check").words(folder).succeeds();
    }
    before.assert_unchanged(&sandbox.path(STORE));
    sandbox
        .with_passphrase("issue --ca rootCA --cn client")
        .succeeds();
    sandbox.pki("revoke --ca rootCA --cn client").succeeds();
    for folder in folders {
        sandbox.pki("crl --check").words(folder).ends_with(3);
        sandbox
            .with_passphrase("crl --if-needed")
            .words(folder)
            .succeeds();
    }
    for folder in folders {
        sandbox.pki("crl --check").words(folder).succeeds();
    }
}

#[test]
fn check_reports_each_crl_and_fails_unless_all_are_fresh() {
    let sandbox = from_2020_to_2030();
    let check = |moment: &str, line: &str, status: i32, says: &str| {
        let before = sandbox.store_snapshot();
        let done = sandbox.pki_at(moment, line).ends_with(status);
        assert_eq!(done.stderr, "");
        assert_same(&done.stdout, says);
        before.assert_unchanged(&sandbox.path(STORE));
    };
    let noon = "2026-02-01 12:00:00";
    check(
        noon,
        "crl --check",
        3,
        "intermediate0: missing: no CRL of this CA at ./pki/crl/intermediate0.crl\n\
         rootCA: missing: no CRL of this CA at ./pki/crl/rootCA.crl\n",
    );
    let end = "--next-update 2026-02-08T12:00:00Z";
    sandbox.pki_at(noon, &format!("crl {end}")).succeeds();
    let all_fresh = "intermediate0: fresh until 2026-02-08T12:00:00Z\n\
         rootCA: fresh until 2026-02-08T12:00:00Z\n";
    check("2026-02-01 13:00:00", "crl --check", 0, all_fresh);
    check(
        "2026-02-07 11:00:00",
        "crl --check --within 24h",
        0,
        all_fresh,
    );
    check(
        "2026-02-07 13:00:00",
        "crl --check --within 24h --ca rootCA",
        3,
        "rootCA: expires soon, at 2026-02-08T12:00:00Z\n",
    );
    check(
        "2026-02-08 13:00:00",
        "crl --check --ca rootCA",
        3,
        "rootCA: stale since 2026-02-08T12:00:00Z\n",
    );

    short_lived(&sandbox, "client");
    sandbox
        .pki_at(noon, "revoke --ca intermediate0 --cn client")
        .succeeds();
    check(
        "2026-02-01 13:00:00",
        "crl --check",
        3,
        "intermediate0: outdated: ./pki/crl/intermediate0.crl or its PEM file lacks revocations that are on record\n\
         rootCA: fresh until 2026-02-08T12:00:00Z\n",
    );
    sandbox
        .pki_at("2026-02-01 14:00:00", &format!("crl {end}"))
        .succeeds();
    check("2026-02-01 15:00:00", "crl --check", 0, all_fresh);

    // Another CA's list in its place is as good as none.
    fs::copy(sandbox.path("pki/crl/rootCA.crl"), sandbox.path(LIST)).unwrap();
    let done = sandbox
        .pki_at("2026-02-01 15:00:00", "--format json crl --check")
        .ends_with(3);
    let json = done.json();
    assert_eq!(json[0]["ca"], "intermediate0");
    assert_eq!(json[0]["status"], "missing");
    assert_eq!(json[0]["next_update"], serde_json::Value::Null);
    assert_eq!(json[1]["status"], "fresh");
    assert_eq!(json[1]["next_update"], "2026-02-08T12:00:00Z");
}

#[test]
fn an_expired_revoked_certificate_stays_for_one_more_list() {
    let sandbox = from_2020_to_2030();
    let listed = short_lived(&sandbox, "listed-in-time");
    let late = short_lived(&sandbox, "listed-late");
    let run = |moment: &str, line: &str| {
        sandbox.pki_at(moment, line).succeeds();
    };
    run(
        "2026-01-03 00:00:00",
        "revoke --ca intermediate0 --cn listed-in-time",
    );
    run("2026-01-05 00:00:00", "crl --ca intermediate0");
    assert_published(&sandbox, &[&listed]);
    run(
        "2026-01-06 00:00:00",
        "revoke --ca intermediate0 --cn listed-late",
    );
    // Both have expired; the one that no list has named yet is named too.
    run("2026-01-20 00:00:00", "crl --ca intermediate0");
    assert_published(&sandbox, &[&listed, &late]);
    for moment in ["2026-01-21 00:00:00", "2026-01-22 00:00:00"] {
        run(moment, "crl --ca intermediate0");
        assert_published(&sandbox, &[]);
    }
}

#[test]
fn a_list_that_would_lose_revocations_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let first = sandbox.issued("intermediate0", "first");
    let second = sandbox.issued("intermediate0", "second");
    let journals = ["revoked.jsonl", "crls.jsonl"].map(|name| format!("pki/intermediate0/{name}"));
    sandbox
        .pki("revoke --ca intermediate0 --cn first")
        .succeeds();
    sandbox.pki("crl --ca intermediate0").succeeds();
    let older = journals.each_ref().map(|path| sandbox.read(path));
    sandbox
        .pki("revoke --ca intermediate0 --cn second")
        .succeeds();
    sandbox.pki("crl --ca intermediate0").succeeds();

    sandbox.write(&journals[0], &older[0]);
    sandbox.refused(
        sandbox.pki("crl --ca intermediate0 --out elsewhere"),
        1,
        "revocations-lost",
        expect![[r#"
            error: the store is damaged: ./pki/intermediate0/revoked.jsonl has lost revocations that CRL number 2 covers
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
    sandbox.write(&journals[1], &older[1]);
    sandbox.refused(sandbox.pki("crl --ca intermediate0"), 1, "crl-loses-entries", expect![[r#"
        error: the new CRL of intermediate0 would lack 1 revocation of the published CRL: [serial]
        hint: the store is older than the published CRL: restore the newest backup, or record them with `pki revoke`
    "#]]);
    assert_published(&sandbox, &[&first, &second]);
}

#[test]
fn a_released_hold_leaves_the_next_list() {
    let sandbox = Sandbox::with_open_ca();
    let held = sandbox.issued("intermediate0", "held");
    let other = sandbox.issued("intermediate0", "other");
    for line in [
        "revoke --ca intermediate0 --cn held --reason certificateHold",
        "revoke --ca intermediate0 --cn other",
        "crl --ca intermediate0",
    ] {
        sandbox.pki(line).succeeds();
    }
    assert_published(&sandbox, &[&held, &other]);
    sandbox
        .pki("revoke --ca intermediate0 --cn held --release")
        .succeeds();
    sandbox.pki("crl --ca intermediate0 --if-needed").succeeds();
    assert_published(&sandbox, &[&other]);
}

#[test]
fn what_stands_in_a_list_s_place_and_is_none_is_not_replaced() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --to-pem --chain").succeeds();
    sandbox.write("elsewhere", "mine\n");
    let counter = sandbox.read("pki/intermediate0/crlnumber");
    let in_its_place = |name: &str, put: &dyn Fn(&std::path::Path)| {
        let path = sandbox.path("pki/crl").join(name);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        put(&path);
        let run = sandbox.pki("crl --ca intermediate0 --to-pem");
        let refusal = sandbox.refusal(run, 1, "file-foreign");
        assert!(refusal.contains(name), "{refusal}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, whole).unwrap();
    };
    for name in ["intermediate0.crl", "intermediate0.crl.pem"] {
        in_its_place(name, &|path| fs::write(path, "mine\n").unwrap());
        in_its_place(name, &|path| fs::write(path, "").unwrap());
        // So large that it is read under the lock alone.
        in_its_place(name, &|path| {
            fs::write(path, "mine\n".repeat(20_000)).unwrap();
        });
        in_its_place(name, &|path| {
            fs::copy(sandbox.path("pki/rootCA/ca.crt"), path).unwrap();
        });
        in_its_place(name, &|path| {
            std::os::unix::fs::symlink(sandbox.path("elsewhere"), path).unwrap();
        });
    }
    assert_eq!(sandbox.read("elsewhere"), "mine\n");
    assert_eq!(sandbox.read("pki/intermediate0/crlnumber"), counter);

    for name in ["crl", "crl.pem", "chain.crl.pem"] {
        sandbox.write(&format!("pki/crl/intermediate0.{name}"), "mine\n");
    }
    sandbox
        .pki("crl --ca intermediate0 --to-pem --chain --force")
        .succeeds();
    let number = sandbox.published("intermediate0").number;
    for name in ["crl.pem", "chain.crl.pem"] {
        let file = format!("pki/crl/intermediate0.{name}");
        assert_eq!(sandbox.list_in(&file).number, number, "{name}");
    }
}

#[test]
fn crls_signed_at_once_have_distinct_numbers() {
    let sandbox = Sandbox::with_open_ca();
    let mut numbers = thread::scope(|scope| {
        let workers = [(); 4].map(|()| {
            scope.spawn(|| {
                let sign = || {
                    let line = "--format json crl --ca intermediate0 --to-pem";
                    let done = sandbox.pki(line).succeeds().json();
                    let number = done[0]["number"].as_str().unwrap();
                    number.parse::<u128>().unwrap()
                };
                (0..5).map(|_| sign()).collect::<Vec<_>>()
            })
        });
        let numbers = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap());
        numbers.collect::<Vec<_>>()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u128>>());
    assert_eq!(sandbox.published("intermediate0").number, 20);
    assert_eq!(sandbox.list_in("pki/crl/intermediate0.crl.pem").number, 20);
}

/// A slow process has read the lists and is about to write the chain, when another signs a list and
/// publishes its own chain.
#[test]
fn a_chain_of_old_crls_does_not_replace_one_of_new_crls() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --to-pem").succeeds();
    let mut slow = sandbox
        .run("strace", "--follow-forks --quiet=all --output=calls")
        .words("--trace-path=./pki/crl/.intermediate0.chain.crl.pem.part")
        .words("--inject=openat:delay_enter=2s:when=1")
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words("crl --ca intermediate0 --if-needed --chain")
        .spawn();
    let calls = || fs::read_to_string(sandbox.path("calls")).unwrap_or_default();
    while !calls().contains("openat") && slow.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    sandbox.pki("crl --ca intermediate0 --chain").succeeds();
    assert!(slow.wait_with_output().unwrap().status.success());
    let lists = ["intermediate0", "rootCA"].map(|ca| format!("pki/crl/{ca}.crl.pem"));
    assert_same(
        &sandbox.read("pki/crl/intermediate0.chain.crl.pem"),
        &lists.map(|list| sandbox.read(list)).concat(),
    );
}

#[test]
fn a_ca_that_fails_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    sandbox
        .with_passphrase("subordinate --ca rootCA --name intermediate0")
        .succeeds();
    let wrong = sandbox
        .pki("--format json crl")
        .env("PKI_PASSPHRASE", "wrong")
        .ends_with(4);
    assert_eq!(wrong.json().as_array().unwrap().len(), 1, "{wrong}");
    assert_eq!(wrong.json()[0]["ca"], "rootCA");
    assert!(wrong.stderr.contains("pki/intermediate0/ca.key"), "{wrong}");
    assert_eq!(sandbox.published("rootCA").number, 1);
    assert!(!sandbox.path(LIST).exists());

    // Where nothing was signed, nothing has changed.
    let before = sandbox.store_snapshot();
    sandbox
        .pki("crl --ca intermediate0")
        .env("PKI_PASSPHRASE", "wrong")
        .ends_with(1);
    before.assert_unchanged(&sandbox.path(STORE));
    sandbox
        .pki("crl")
        .env("PKI_PASSPHRASE", PASSPHRASE)
        .succeeds();
    assert_eq!(sandbox.published("intermediate0").number, 1);
    assert_eq!(sandbox.published("rootCA").number, 2);
}

#[test]
fn a_chain_without_the_crl_above_is_reported_after_publishing() {
    let sandbox = Sandbox::with_open_ca();
    let half = sandbox.pki("crl --ca intermediate0 --chain").ends_with(4);
    assert_text(
        &half.stderr,
        expect![[r#"
            error: the new CRL is committed to the store, but a later step failed
            caused by: CRL of rootCA not found at ./pki/crl/rootCA.crl
            hint: `pki crl --ca intermediate0 --chain --if-needed` writes the chain file once the other CRLs exist
        "#]],
    );
    assert_eq!(sandbox.names_in("pki/crl"), ["intermediate0.crl"]);
    sandbox.pki("crl --ca rootCA").succeeds();
    sandbox.pki("crl --chain --if-needed").succeeds();
    let chain = sandbox.read("pki/crl/intermediate0.chain.crl.pem");
    assert_eq!(chain.matches("BEGIN X509 CRL").count(), 2);
    assert_eq!(sandbox.published("intermediate0").number, 1);
}

/// The root's list is in the chains of all: one that was left behind would end before it.
#[test]
fn a_new_list_gets_into_the_chains_below_that_are_published() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.pki("crl --ca intermediate1 --ca rootCA").succeeds();
    sandbox.pki("crl --ca intermediate2 --chain").succeeds();
    sandbox
        .pki("revoke --ca rootCA --cert pki/intermediate0/ca.crt")
        .succeeds();
    let signed = sandbox.pki("crl --ca rootCA --to-pem").succeeds();
    assert_text(
        &signed.stderr,
        expect![[r#"
            notice: the new CRL of rootCA is also in ./pki/crl/intermediate2.chain.crl.pem
        "#]],
    );
    let chain = sandbox.read("pki/crl/intermediate2.chain.crl.pem");
    assert!(chain.ends_with(&sandbox.read("pki/crl/rootCA.crl.pem")));
    assert_eq!(chain.matches("BEGIN X509 CRL").count(), 3);
    // Where none was wanted, none appears.
    assert_eq!(
        sandbox.names_in("pki/crl"),
        [
            "intermediate1.crl",
            "intermediate2.chain.crl.pem",
            "intermediate2.crl",
            "rootCA.crl",
            "rootCA.crl.pem",
        ]
    );
}

#[test]
fn check_finds_a_chain_that_was_left_behind() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --chain").succeeds();
    let chain = "pki/crl/intermediate0.chain.crl.pem";
    let old = sandbox.read(chain);
    sandbox.pki("crl --ca rootCA").succeeds();
    sandbox.pki("crl --check").succeeds();
    sandbox.write(chain, old);
    let checked = sandbox.pki("crl --check").ends_with(3);
    assert_text(
        &normalised(&checked.stdout),
        expect![[r#"
            intermediate0: outdated: ./pki/crl/intermediate0.crl or its PEM file lacks revocations that are on record
            rootCA: fresh until [time]
        "#]],
    );
    sandbox.pki("crl --if-needed --chain").succeeds();
    sandbox.pki("crl --check").succeeds();
}

/// Who watches the folder sees a change only where there is one.
#[test]
fn files_of_lists_in_which_nothing_is_new_are_not_touched() {
    let sandbox = Sandbox::with_open_ca();
    let publish = || sandbox.pki("crl --if-needed --to-pem --chain").succeeds();
    let files = || {
        let names = sandbox.names_in("pki/crl").into_iter();
        let files = names.map(|name| {
            let file = fs::metadata(sandbox.path("pki/crl").join(&name)).unwrap();
            (name, file.ino(), file.modified().unwrap())
        });
        files.collect::<Vec<_>>()
    };
    publish();
    let before = files();
    assert_eq!(before.len(), 6);
    publish();
    assert_eq!(files(), before);
}

#[test]
fn one_ca_that_fails_after_its_commit_is_exit_code_4() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    sandbox
        .with_passphrase("subordinate --ca rootCA --name intermediate0")
        .succeeds();
    // What stands in the way of the chain shows only when the list is signed.
    fs::create_dir_all(sandbox.path("pki/crl/.rootCA.chain.crl.pem.part")).unwrap();
    let half = sandbox
        .pki("crl --chain")
        .env("PKI_PASSPHRASE", "wrong")
        .ends_with(4);
    assert_text(
        &normalised(&half.stderr),
        expect![[r#"
            error: key ./pki/intermediate0/ca.key cannot be used
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
            error: the new CRL is committed to the store, but a later step failed
            caused by: could not create ./pki/crl/rootCA.chain.crl.pem
            caused by: its temporary name is taken by something that is not a file
            hint: fix the cause, then `pki crl --chain --if-needed` writes the other files
        "#]],
    );
}

/// Spread over the whole life of a `pki crl`, which is a few milliseconds.
fn some_moment() -> Duration {
    Duration::from_micros(RandomState::new().hash_one("moment") % 25_000)
}

#[test]
fn kill_9_at_any_moment_leaves_whole_lists_whose_numbers_rise() {
    let sandbox = Sandbox::with_open_ca();
    let serials = ["a", "b", "c"].map(|cn| sandbox.issued("intermediate0", cn));
    sandbox.write("rows.csv", serials.join("\n"));
    sandbox
        .pki("revoke --ca intermediate0 --from rows.csv")
        .succeeds();
    sandbox.pki("crl --to-pem --chain").succeeds();
    let mut last = 1;
    for _ in 0..60 {
        let mut signing = sandbox.pki("crl --to-pem --chain").spawn();
        thread::sleep(some_moment());
        signing.kill().unwrap();
        signing.wait().unwrap();
        for file in ["crl", "crl.pem", "chain.crl.pem"] {
            let file = format!("pki/crl/intermediate0.{file}");
            let verified = sandbox
                .run("openssl", "crl -noout -CAfile pki/intermediate0/ca.crt -in")
                .arg(&file)
                .succeeds();
            assert!(verified.stderr.contains("verify OK"), "{verified}");
            assert_eq!(sandbox.list_in(&file).serials, serials);
        }
        let number = sandbox.published("intermediate0").number;
        assert!(number >= last, "{number} after {last}");
        last = number;
    }
    sandbox.pki("crl --to-pem --chain").succeeds();
    assert!(sandbox.published("intermediate0").number > last);
}

#[test]
fn next_update_is_not_past_the_ca_s_end_and_that_is_said() {
    let sandbox = from_2020_to_2030();
    let cut = sandbox
        .pki_at("2029-12-30 00:00:00", "crl --ca intermediate0 --days 30")
        .succeeds();
    assert_text(
        &normalised(&cut.stderr),
        expect![[r#"
            notice: intermediate0: the validity is cut to the CA's: [time]
        "#]],
    );
    assert_eq!(
        sandbox.published("intermediate0").next_update,
        "2030-01-01 00:00:00Z"
    );
    let asked = sandbox
        .pki_at(
            "2029-12-30 00:00:00",
            "crl --ca intermediate0 --next-update 2029-12-31",
        )
        .succeeds();
    assert_eq!(asked.stderr, "");
    assert_eq!(
        sandbox.published("intermediate0").next_update,
        "2029-12-31 00:00:00Z"
    );
    let before = sandbox.store_snapshot();
    sandbox
        .pki_at(
            "2029-12-30 00:00:00",
            "crl --ca intermediate0 --next-update 2029-12-29",
        )
        .ends_with(1);
    before.assert_unchanged(&sandbox.path(STORE));
}

#[test]
fn lists_follow_the_umask() {
    let sandbox = Sandbox::with_open_ca();
    for (umask, mode) in [
        ("000", 0o666),
        ("022", 0o644),
        ("027", 0o640),
        ("077", 0o600),
    ] {
        sandbox
            .run("sh", "-c")
            .arg(format!(
                "umask {umask}; exec {} crl --to-pem --chain --out u{umask}",
                env!("CARGO_BIN_EXE_pki")
            ))
            .succeeds();
        for name in sandbox.names_in(&format!("u{umask}")) {
            let found = fs::metadata(sandbox.path(format!("u{umask}")).join(&name)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, mode, "{umask} {name}");
        }
    }
}

crate::engine::also_in_a_database! {
    a_list_for_every_ca_as_der_as_pem_and_with_those_above, json_holds_an_object_for_every_ca_that_was_named,
    a_file_is_no_folder_to_publish_in, an_empty_crl_has_its_extensions_and_no_entries_field,
    with_the_clock_set_back_number_and_this_update_stay,
    with_the_clock_set_back_no_entry_is_after_this_update,
    with_the_clock_set_back_an_expired_certificate_is_listed,
    if_needed_without_news_signs_nothing_and_asks_nothing,
    if_needed_signs_when_a_third_of_the_validity_is_left,
    lists_in_two_folders_are_good_until_something_is_revoked,
    check_reports_each_crl_and_fails_unless_all_are_fresh,
    an_expired_revoked_certificate_stays_for_one_more_list, a_released_hold_leaves_the_next_list,
    what_stands_in_a_list_s_place_and_is_none_is_not_replaced, crls_signed_at_once_have_distinct_numbers,
    a_chain_of_old_crls_does_not_replace_one_of_new_crls, a_ca_that_fails_does_not_stop_the_others,
    a_chain_without_the_crl_above_is_reported_after_publishing,
    a_new_list_gets_into_the_chains_below_that_are_published, check_finds_a_chain_that_was_left_behind,
    files_of_lists_in_which_nothing_is_new_are_not_touched,
    next_update_is_not_past_the_ca_s_end_and_that_is_said, lists_follow_the_umask,
}

crate::engine::soak_in_a_database! {
    kill_9_at_any_moment_leaves_whole_lists_whose_numbers_rise,
}
