//! `pki revoke`: which certificate is meant, what is recorded about it, and what is refused.

mod keys;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::normalise::normalised;
use crate::run::{Transcript, assert_text};
use crate::sandbox::{STORE, Sandbox};

const ISSUED: &str = "pki/intermediate0/issued.jsonl";
const RECORDED: &str = "pki/intermediate0/revoked.jsonl";

fn revoke(sandbox: &Sandbox, what: &str) -> Transcript {
    let run = sandbox.pki("revoke --ca intermediate0").words(what);
    run.succeeds()
}

/// One object for one certificate.
fn revoke_json(sandbox: &Sandbox, what: &str) -> Value {
    let run = sandbox.pki("--format json revoke --ca intermediate0");
    run.words(what).succeeds().json()
}

#[track_caller]
fn assert_says(transcript: &Transcript, text: Expect) {
    assert_text(&normalised(&transcript.stdout), text);
    assert_eq!(transcript.stderr, "");
}

/// How many lines stand in the journal of revocations below its head.
fn recorded(sandbox: &Sandbox) -> usize {
    sandbox.read(RECORDED).lines().count() - 1
}

fn list_revoked(sandbox: &Sandbox) -> Value {
    let line = "--format json list --ca intermediate0 --status revoked";
    sandbox.pki(line).succeeds().json()
}

#[test]
fn a_serial_is_taken_in_every_notation() {
    let sandbox = Sandbox::with_open_ca();
    let serial = sandbox.issued("intermediate0", "client");
    let number = u128::from_str_radix(&serial, 16).unwrap();
    let octets = serial.as_bytes().chunks(2);
    let colons = octets.map(|octet| str::from_utf8(octet).unwrap());
    let colons = colons.collect::<Vec<_>>().join(":");
    let notations = [
        serial.clone(),
        serial.to_lowercase(),
        serial.trim_start_matches('0').to_owned(),
        format!("0000{serial}"),
        format!("0x{serial}"),
        format!("0X{}", serial.to_lowercase()),
        colons.to_lowercase(),
        colons,
        format!("dec:{number}"),
        number.to_string(),
    ];
    let done = revoke(&sandbox, &format!("--serial {serial}"));
    assert_says(
        &done,
        expect![[r#"
            revoked [serial] of intermediate0 at [time] (unspecified)
            `pki crl --ca intermediate0` publishes it
        "#]],
    );
    for notation in notations {
        let again = revoke_json(&sandbox, &format!("--serial {notation}"));
        assert_eq!(again["serial"], serial.as_str(), "{notation}");
        assert_eq!(again["already"], true, "{notation}");
    }
    assert_eq!(recorded(&sandbox), 1);
}

/// Adds an issuance of this serial to the journal, as docs/store-format.md
/// says how: no two serials of ours would ever fit one number.
fn forge_issuance(sandbox: &Sandbox, serial: &str) {
    let journal = sandbox.read(ISSUED);
    let mut line: Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    let above = line["check"].as_str().unwrap().to_owned();
    line["serial"] = json!(serial);
    line.as_object_mut().unwrap().shift_remove("check");
    let line = line.to_string();
    let body = line.strip_suffix('}').unwrap();
    let digest = sandbox
        .run("xxhsum", "-H2")
        .stdin(format!("{above}{body}"))
        .succeeds();
    let check = &digest.stdout[..32];
    sandbox.write(ISSUED, format!("{journal}{body},\"check\":\"{check}\"}}\n"));
}

#[test]
fn a_bare_number_that_fits_two_certificates_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "client");
    let bare = "1000000000000000000";
    // The number in hex, and in decimal.
    forge_issuance(&sandbox, "01000000000000000000");
    forge_issuance(&sandbox, "0DE0B6B3A7640000");
    let run = sandbox.pki("revoke --ca intermediate0 --serial").arg(bare);
    sandbox.refused(run, 1, "serial-ambiguous", expect![[r#"
        error: [serial] matches two certificates of intermediate0: [serial] read as hex, 0DE0B6B3A7640000 read as decimal
        hint: write 0x… for hexadecimal or dec:… for decimal
    "#]]);

    let hex = revoke_json(&sandbox, &format!("--serial 0x{bare}"));
    assert_eq!(hex["serial"], "01000000000000000000");
    let decimal = revoke_json(&sandbox, &format!("--serial dec:{bare}"));
    assert_eq!(decimal["serial"], "0DE0B6B3A7640000");
}

#[test]
fn a_common_name_is_enough_for_the_one_live_certificate() {
    let sandbox = Sandbox::with_open_ca();
    let old = sandbox.issued("intermediate0", "client");
    revoke(&sandbox, &format!("--serial {old}"));
    let live = sandbox.issued("intermediate0", "client");
    let done = revoke_json(&sandbox, "--cn client --reason superseded");
    assert_eq!(done["serial"], live.as_str());
    assert_eq!(done["already"], false);
}

#[test]
fn a_common_name_of_several_live_certificates_takes_all() {
    let sandbox = Sandbox::with_open_ca();
    let serials = [(); 3].map(|()| sandbox.issued("intermediate0", "client"));
    sandbox.issued("intermediate0", "client-2");
    let before = sandbox.store_snapshot();
    let run = sandbox.pki("--format json revoke --ca intermediate0 --cn client");
    let refused = run.ends_with(1);
    assert_text(
        &normalised(&refused.text_of_stderr()),
        expect![[r#"
            error: 3 live certificates of intermediate0 have the CN "client": [serial], [serial], [serial]
            hint: choose one with --serial, or all of them with --all
        "#]],
    );
    assert_eq!(refused.error()["code"], "certificate-ambiguous");
    assert!(refused.stderr.contains(&serials.join(", ")), "{refused}");
    before.assert_unchanged(&sandbox.path(STORE));

    revoke(&sandbox, &format!("--serial {}", serials[1]));
    let done = sandbox
        .pki("--format json revoke --ca intermediate0 --cn client --all")
        .succeeds();
    let lines = done.stdout.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["already"], false);
        object["serial"].as_str().unwrap().to_owned()
    });
    assert_eq!(lines.collect::<Vec<_>>(), [&*serials[0], &*serials[2]]);
    assert_eq!(list_revoked(&sandbox).as_array().unwrap().len(), 3);
}

#[test]
fn a_certificate_file_says_which_and_a_chain_s_first_is_meant() {
    let sandbox = Sandbox::with_open_ca();
    for name in ["a", "b"] {
        let line = format!("issue --ca intermediate0 --cn {name} --out out --no-passphrase");
        sandbox.pki(&line).succeeds();
    }
    sandbox
        .run("openssl", "x509 -in out/b.crt -outform DER -out b.der")
        .succeeds();
    for file in ["out/a.fullchain.pem", "b.der"] {
        let done = revoke(&sandbox, &format!("--cert {file}"));
        assert_says(
            &done,
            expect![[r#"
                revoked [serial] of intermediate0 at [time] (unspecified)
                `pki crl --ca intermediate0` publishes it
            "#]],
        );
    }
    let names = list_revoked(&sandbox);
    assert_eq!(names[0]["subject"], "CN=a");
    assert_eq!(names[1]["subject"], "CN=b");
}

#[test]
fn rows_of_a_csv_are_revoked_together() {
    let sandbox = Sandbox::with_open_ca();
    let serials = ["a", "b", "c"].map(|cn| sandbox.issued("intermediate0", cn));
    let [a, b, c] = &serials;
    sandbox.write(
        "rows.csv",
        format!("serial,reason,date\r\n{a}\r\n0x{b}, key-compromise\r\n{c},4,2026-01-31\r\n"),
    );
    assert_says(
        &revoke(&sandbox, "--from rows.csv"),
        expect![[r#"
            revoked [serial] of intermediate0 at [time] (unspecified)
            revoked [serial] of intermediate0 at [time] (keyCompromise)
            revoked [serial] of intermediate0 at [time] (superseded)
            `pki crl --ca intermediate0` publishes it
        "#]],
    );
    assert_eq!(recorded(&sandbox), 3);

    // Again, from standard input: nothing is recorded.
    let before = sandbox.store_snapshot();
    let again = sandbox
        .pki("--format json revoke --ca intermediate0 --from -")
        .stdin(sandbox.read("rows.csv"))
        .succeeds();
    let already = again.stdout.matches("\"already\":true").count();
    assert_eq!(already, 3, "{again}");
    before.assert_unchanged(&sandbox.path(STORE));

    sandbox.pki("crl --ca intermediate0").succeeds();
    let list = sandbox.published("intermediate0");
    assert_eq!(list.serials, serials);
    let text = &list.text.stdout;
    assert!(text.contains("Invalidity Date"), "{text}");
    assert!(text.contains("Jan 31 00:00:00 2026 GMT"), "{text}");
}

#[test]
fn sound_rows_are_revoked_where_the_others_are_not_to_stop_them() {
    let sandbox = Sandbox::with_open_ca();
    let [a, b] = ["a", "b"].map(|cn| sandbox.issued("intermediate0", cn));
    let table = format!("reason,serial\nsuperseded,{a}\n,77\n,{b}\nwhatever,{b}\n");
    let run = sandbox.pki("revoke --ca intermediate0 --from - --keep-going --format json");
    let run = run.stdin(table).ends_with(1);
    let revoked: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(revoked.len(), 2, "{run}");
    assert_eq!(
        (&revoked[0]["serial"], &revoked[0]["reason"]),
        (&json!(a), &json!("superseded"))
    );
    assert_eq!(revoked[1]["serial"], json!(b));
    let error = run.error();
    let others = error["others"].as_array().unwrap();
    assert_eq!(others.len(), 1, "{run}");
    for (error, place) in [
        (&error, "standard input line 3, column serial: "),
        (&others[0], "standard input line 5, column reason: "),
    ] {
        assert!(
            error["message"].as_str().unwrap().starts_with(place),
            "{run}"
        );
    }
    assert_eq!(recorded(&sandbox), 2);
}

#[test]
fn a_row_knows_of_the_rows_above_it() {
    let sandbox = Sandbox::with_open_ca();
    let names = ["a", "b", "c", "d"];
    let serials = names.map(|cn| sandbox.issued("intermediate0", cn));
    let [a, b, c, d] = &serials;
    let table =
        format!("{a},certificateHold\n{b}\n{c}\n{d}\n{a},superseded\n0x{a},certificateHold\n{b}\n");
    let run = sandbox.pki("revoke --ca intermediate0 --from -");
    assert_says(
        &run.stdin(table).succeeds(),
        expect![[r#"
            revoked [serial] of intermediate0 at [time] (certificateHold)
            revoked [serial] of intermediate0 at [time] (unspecified)
            revoked [serial] of intermediate0 at [time] (unspecified)
            revoked [serial] of intermediate0 at [time] (unspecified)
            revoked [serial] of intermediate0 at [time] (superseded)
            [serial] of intermediate0 was revoked already, at [time] (superseded)
            [serial] of intermediate0 was revoked already, at [time] (unspecified)
            `pki crl --ca intermediate0` publishes it
        "#]],
    );
    assert_eq!(recorded(&sandbox), 5);
    sandbox.pki("crl --ca intermediate0").succeeds();
    assert_eq!(sandbox.published("intermediate0").serials, serials);
}

#[test]
fn thousands_of_rows_are_recorded_in_one_scan() {
    let sandbox = Sandbox::with_open_ca();
    let names: Vec<String> = (0..2000).map(|row| format!("client-{row}")).collect();
    let issued = sandbox
        .pki("issue --ca intermediate0 --from - --format json")
        .stdin("cn\n".to_owned() + &names.join("\n"))
        .succeeds();
    let serials = issued.stdout.lines().map(|line| {
        let issued: Value = serde_json::from_str(line).unwrap();
        issued["serial"].as_str().unwrap().to_owned()
    });
    let serials: Vec<String> = serials.skip(1).collect();
    let run = sandbox.pki("revoke --ca intermediate0 --from -");
    let run = run.stdin(serials.join("\n")).succeeds();
    assert_eq!(run.stdout.lines().count(), 2000);
    sandbox.pki("crl --ca intermediate0").succeeds();
    assert_eq!(sandbox.published("intermediate0").serials, serials);
}

#[test]
fn a_bad_row_names_file_line_and_column_and_nothing_is_recorded() {
    let sandbox = Sandbox::with_open_ca();
    let good = sandbox.issued("intermediate0", "good");
    let mut said = String::new();
    for row in [
        "zz",
        "1234",
        ",superseded",
        "GOOD,whatever",
        "GOOD,superseded,yesterday",
        "GOOD,superseded,2026-01-31,x",
    ] {
        sandbox.write(
            "rows.csv",
            format!("{good}\n{good}\n{row}\n").replace("GOOD", &good),
        );
        let run = sandbox.pki("revoke --ca intermediate0 --from rows.csv");
        said += &sandbox.refusal(run, 1, "invalid-row");
    }
    assert_text(
        &said,
        expect![[r#"
            error: rows.csv line 3, column serial: "zz" is not a serial number
            hint: nothing was revoked; --keep-going leaves these rows out
            error: rows.csv line 3, column serial: no certificate with serial 1234 found for intermediate0
            hint: nothing was revoked; --keep-going leaves these rows out
            error: rows.csv line 3, column serial: a serial number is required
            hint: nothing was revoked; --keep-going leaves these rows out
            error: rows.csv line 3, column reason: "whatever" is not a reason; use unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise
            hint: nothing was revoked; --keep-going leaves these rows out
            error: rows.csv line 3, column date: "yesterday" is not a time: write [time], [time], or a duration from now such as 90d, 12h or 1y
            hint: nothing was revoked; --keep-going leaves these rows out
            error: rows.csv line 3: field 4 has no column: the header has 3
            hint: nothing was revoked; --keep-going leaves these rows out
        "#]],
    );
    assert_eq!(list_revoked(&sandbox), json!([]));
}

#[test]
fn every_reason_is_taken_in_every_style_and_reaches_the_list() {
    const REASONS: [(&str, &str, &str); 9] = [
        ("0", "unspecified", ""),
        ("1", "keyCompromise", "Key Compromise"),
        ("2", "cACompromise", "CA Compromise"),
        ("3", "affiliationChanged", "Affiliation Changed"),
        ("4", "superseded", "Superseded"),
        ("5", "cessationOfOperation", "Cessation Of Operation"),
        ("6", "certificateHold", "Certificate Hold"),
        ("9", "privilegeWithdrawn", "Privilege Withdrawn"),
        ("10", "aACompromise", "AA Compromise"),
    ];
    let sandbox = Sandbox::with_open_ca();
    for (number, name, _) in REASONS {
        let mut kebab = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !kebab.ends_with('a') && !kebab.ends_with('c') {
                kebab.push('-');
            }
            kebab.push(letter.to_ascii_lowercase());
        }
        let snake = kebab.replace('-', "_").to_uppercase();
        for style in [number, name, &name.to_uppercase(), &kebab, &snake] {
            let serial = sandbox.issued("intermediate0", "client");
            let done = revoke_json(&sandbox, &format!("--serial {serial} --reason {style}"));
            assert_eq!(done["reason"], name, "{style}");
        }
    }
    sandbox.pki("crl --ca intermediate0").succeeds();
    let text = sandbox.published("intermediate0").text.stdout;
    for (_, name, printed) in REASONS {
        let count = text.lines().filter(|line| line.trim() == printed).count();
        assert_eq!(count, if printed.is_empty() { 0 } else { 5 }, "{name}");
    }
    // Left out where it is unspecified.
    assert_eq!(text.matches("Serial Number: ").count(), 45);
    assert_eq!(text.matches("Reason Code").count(), 40);
}

#[test]
fn a_hold_is_lifted_and_only_a_hold() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "client");
    let hold = revoke(&sandbox, "--cn client --reason certificateHold");
    assert_says(
        &hold,
        expect![[r#"
            revoked [serial] of intermediate0 at [time] (certificateHold)
            `pki crl --ca intermediate0` publishes it
        "#]],
    );
    let lifted = revoke(&sandbox, "--cn client --release");
    assert_says(
        &lifted,
        expect![[r#"
            released [serial] of intermediate0
            `pki crl --ca intermediate0` publishes it
        "#]],
    );
    assert_eq!(list_revoked(&sandbox), json!([]));

    let release = || sandbox.pki("revoke --ca intermediate0 --cn client --release");
    sandbox.refused(
        release(),
        1,
        "not-on-hold",
        expect![[r#"
            error: certificate [serial] of intermediate0 is not on hold: it is not revoked
        "#]],
    );
    let again = revoke(&sandbox, "--cn client --reason keyCompromise");
    assert_says(
        &again,
        expect![[r#"
            revoked [serial] of intermediate0 at [time] (keyCompromise)
            `pki crl --ca intermediate0` publishes it
        "#]],
    );
    let revoked = list_revoked(&sandbox);
    assert_eq!(revoked.as_array().map(Vec::len), Some(1), "{revoked}");
    sandbox.pki("crl --ca intermediate0").succeeds();
    let list = sandbox.published("intermediate0").text;
    assert!(list.stdout.contains("Key Compromise"), "{list}");

    sandbox.issued("intermediate0", "for-good");
    revoke(&sandbox, "--cn for-good");
    sandbox.refused(
        sandbox.pki("revoke --ca intermediate0 --cn for-good --release"),
        1,
        "not-on-hold",
        expect![[r#"
            error: certificate [serial] of intermediate0 is not on hold: its revocation is final
        "#]],
    );
}

#[test]
fn a_hold_that_becomes_final_keeps_its_first_date() {
    let sandbox = Sandbox::new();
    let at = |moment: &str, line: &str| sandbox.pki_at(moment, line).succeeds();
    let midnight = "2026-02-01 00:00:00";
    at(midnight, "root --name rootCA --no-passphrase");
    at(midnight, "issue --ca rootCA --cn client");
    let hold = "revoke --ca rootCA --cn client --reason certificateHold";
    at("2026-03-01 00:00:00", hold);
    at("2026-03-01 12:00:00", "crl");
    let held = sandbox.published("rootCA").text;
    assert!(held.stdout.contains("Certificate Hold"), "{held}");

    let line = "revoke --ca rootCA --cn client --reason keyCompromise";
    let replaced = at("2026-04-01 00:00:00", line);
    let first_date = "at 2026-03-01T00:00:0";
    assert!(replaced.stdout.contains(first_date), "{replaced}");
    assert!(replaced.stdout.contains("(keyCompromise)\n"), "{replaced}");
    at("2026-04-01 12:00:00", "crl");
    let list = sandbox.published("rootCA");
    let text = &list.text.stdout;
    assert_eq!(list.serials.len(), 1, "{text}");
    assert!(text.contains("Revocation Date: Mar  1 00:00:0"), "{text}");
    assert!(text.contains("Key Compromise"), "{text}");

    // What is final stays: neither another reason nor a hold takes its place.
    for reason in ["superseded", "certificateHold"] {
        let before = sandbox.store_snapshot();
        let line = format!("revoke --ca rootCA --cn client --reason {reason}");
        let kept = at("2026-05-01 00:00:00", &line);
        assert!(kept.stdout.contains(first_date), "{kept}");
        assert_text(
            &normalised(&kept.stdout),
            expect![[r#"
                [serial] of rootCA was revoked already, at [time] (keyCompromise)
            "#]],
        );
        assert!(kept.stdout.ends_with("(keyCompromise)\n"), "{kept}");
        before.assert_unchanged(&sandbox.path(STORE));
    }
}

#[test]
fn revoked_already_is_said_and_records_nothing() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "client");
    revoke(&sandbox, "--cn client --reason keyCompromise");
    let before = sandbox.store_snapshot();
    let again = revoke(&sandbox, "--cn client --reason superseded");
    assert_says(
        &again,
        expect![[r#"
            [serial] of intermediate0 was revoked already, at [time] (keyCompromise)
        "#]],
    );
    before.assert_unchanged(&sandbox.path(STORE));
}

#[test]
fn revoked_by_many_at_once_is_recorded_once() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "client");
    let line = "--format json revoke --ca intermediate0 --cn client";
    let running = [(); 8].map(|()| sandbox.pki(line).spawn());
    let first = running.map(|process| {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        u32::from(object["already"] == false)
    });
    assert_eq!(first.iter().sum::<u32>(), 1);
    assert_eq!(recorded(&sandbox), 1);
    sandbox.pki("crl --ca intermediate0").succeeds();
    assert_eq!(sandbox.published("intermediate0").serials.len(), 1);
}

#[test]
fn a_root_can_t_revoke_itself() {
    let sandbox = Sandbox::with_open_ca();
    for what in ["--cert pki/rootCA/ca.crt", "--cn rootCA"] {
        sandbox.refused(
            sandbox.pki("revoke --ca rootCA").words(what),
            1,
            "own-certificate",
            expect![[r#"
                error: rootCA cannot revoke its own certificate
                hint: the parent CA revokes a CA; a root is removed from the trust stores
            "#]],
        );
    }
}

#[test]
fn a_revoked_subordinate_signs_crls_and_nothing_else() {
    let sandbox = Sandbox::with_three_tiers();
    let serial = sandbox.issued("intermediate2", "client");
    sandbox
        .pki("revoke --ca rootCA --cert pki/intermediate1/ca.crt --reason cACompromise")
        .succeeds();
    let mut said = String::new();
    for ca in ["intermediate1", "intermediate2"] {
        let run = sandbox.pki(&format!("issue --ca {ca} --cn another"));
        said += &sandbox.refusal(run, 1, "ca-revoked");
    }
    assert_text(
        &said,
        expect![[r#"
            error: intermediate1 cannot sign this: CN=intermediate1 was revoked at [time] (cACompromise)
            hint: issue from another CA; `pki ca rekey --ca NAME --name NEW` creates one with a new key
            error: intermediate2 cannot sign this: CN=intermediate1 was revoked at [time] (cACompromise)
            hint: issue from another CA; `pki ca rekey --ca NAME --name NEW` creates one with a new key
        "#]],
    );
    sandbox.issued("intermediate0", "beside-it");

    sandbox
        .pki("revoke --ca intermediate2 --cn client")
        .succeeds();
    sandbox.pki("crl --chain").succeeds();
    assert_eq!(sandbox.published("intermediate2").serials, [serial]);
    assert_eq!(sandbox.published("intermediate1").number, 1);
    assert_eq!(sandbox.published("rootCA").serials.len(), 1);
}

#[test]
fn list_shows_the_revoked_with_their_reasons_and_times() {
    let sandbox = Sandbox::with_open_ca();
    let mut rows = String::new();
    for (cn, reason) in [("a", "keyCompromise"), ("b", "superseded")] {
        let serial = sandbox.issued("intermediate0", cn);
        writeln!(rows, "{serial},{reason}").unwrap();
    }
    sandbox.issued("intermediate0", "valid");
    sandbox.write("rows.csv", rows);
    revoke(&sandbox, "--from rows.csv");

    let text = sandbox
        .pki("list --ca intermediate0 --status revoked")
        .succeeds();
    assert_eq!(text.stdout.lines().count(), 3, "{text}");
    for cn in ["a", "b"] {
        let row = text
            .stdout
            .lines()
            .find(|line| line.starts_with("revoked ") && line.ends_with(&format!(" CN={cn}")));
        assert!(row.is_some(), "{text}");
    }
    let listed = list_revoked(&sandbox);
    for (index, reason) in ["keyCompromise", "superseded"].into_iter().enumerate() {
        assert_eq!(listed[index]["status"], "revoked");
        assert_eq!(listed[index]["reason"], reason);
        let at = listed[index]["revoked_at"].as_str().unwrap();
        assert_eq!(normalised(at), "[time]");
    }
    let valid = sandbox
        .pki("--format json list --ca intermediate0 --status valid")
        .succeeds()
        .json();
    assert_eq!(valid.as_array().unwrap().len(), 1);
    assert!(valid[0].get("reason").is_none_or(Value::is_null));
}

#[test]
fn json_has_the_certificate_reason_time_and_already() {
    let sandbox = Sandbox::with_open_ca();
    let serial = sandbox.issued("intermediate0", "client");
    let keys = |object: &Value| {
        let keys = object.as_object().unwrap().keys().cloned();
        keys.collect::<Vec<_>>().join(" ")
    };
    let done = revoke_json(&sandbox, "--cn client --reason certificateHold");
    assert_eq!(keys(&done), "ca serial reason revoked_at already adopted");
    assert_eq!(done["ca"], "intermediate0");
    assert_eq!(done["serial"], serial.as_str());
    assert_eq!(done["reason"], "certificateHold");
    assert_eq!(normalised(done["revoked_at"].as_str().unwrap()), "[time]");
    assert_eq!(done["already"], false);

    let again = revoke_json(&sandbox, "--cn client");
    assert_eq!(again["revoked_at"], done["revoked_at"]);

    sandbox.issued("intermediate0", "other");
    revoke(&sandbox, "--cn other --reason certificateHold");
    let lifted = revoke_json(&sandbox, "--cn other --release");
    assert_eq!(keys(&lifted), "ca serial reason revoked_at already adopted");
    assert_eq!(lifted["reason"], Value::Null);
    assert_eq!(lifted["revoked_at"], Value::Null);
    assert_eq!(lifted["already"], false);
}

#[test]
fn what_cannot_be_revoked_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "client");
    sandbox
        .pki("--store others root --name intermediate0 --no-passphrase")
        .succeeds();
    let mut said = String::new();
    for (what, code) in [
        ("--serial 1234", "certificate-not-found"),
        ("--cn nobody", "certificate-not-found"),
        ("--cn nobody --all", "certificate-not-found"),
        // Of the same name, and not of its making.
        ("--cert others/intermediate0/ca.crt", "not-issued-by-ca"),
        ("--cert pki/intermediate0/ca.crt", "not-issued-by-ca"),
        ("--cert pki/rootCA/ca.key", "invalid-input"),
        ("--cert missing.crt", "file-not-found"),
    ] {
        let run = sandbox.pki("revoke --ca intermediate0").words(what);
        said += &sandbox.refusal(run, 1, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: certificate 1234 of intermediate0 not found
            hint: `pki list --ca intermediate0` shows the record; `pki revoke --cert FILE` revokes a certificate that is not on record
            error: no certificate with CN "nobody" found for intermediate0
            hint: `pki list --ca intermediate0` shows what it has issued
            error: no certificate with CN "nobody" found for intermediate0
            hint: `pki list --ca intermediate0` shows what it has issued
            error: intermediate0 did not issue the certificate others/intermediate0/ca.crt, which names it as issuer: the signature does not verify with its key
            error: intermediate0 did not issue the certificate pki/intermediate0/ca.crt
            hint: remove --ca: the certificate identifies the CA
            error: pki/rootCA/ca.key is not a file of certificates
            caused by: its object 1 is "PRIVATE KEY"
            error: could not read missing.crt
            caused by: No such file or directory (os error 2)
        "#]],
    );
    let before = sandbox.store_snapshot();
    for what in [
        "--cn client --invalidity-date 2999-01-01",
        "--cn client --serial 1234",
        "--cn client --reason removeFromCRL",
        "--cn client --reason 8",
        "--cn client --reason 7",
        "--cn client --reason 11",
        "--cn client --release --reason superseded",
        "--serial 1234 --all",
        "--serial xyz",
        "",
    ] {
        let refused = sandbox.pki("revoke --ca intermediate0").words(what);
        let refused = refused.finish();
        assert!(matches!(refused.status, Some(1 | 2)), "{refused}");
        assert!(refused.stderr.starts_with("error: "), "{refused}");
        before.assert_unchanged(&sandbox.path(STORE));
    }
}

crate::engine::also_in_a_database! {
    a_serial_is_taken_in_every_notation, a_common_name_is_enough_for_the_one_live_certificate,
    a_certificate_file_says_which_and_a_chain_s_first_is_meant,
    sound_rows_are_revoked_where_the_others_are_not_to_stop_them, revoked_already_is_said_and_records_nothing,
    list_shows_the_revoked_with_their_reasons_and_times, json_has_the_certificate_reason_time_and_already,
}

crate::engine::soak_in_a_database! {
    a_common_name_of_several_live_certificates_takes_all, rows_of_a_csv_are_revoked_together,
    a_row_knows_of_the_rows_above_it, thousands_of_rows_are_recorded_in_one_scan,
    a_bad_row_names_file_line_and_column_and_nothing_is_recorded,
    every_reason_is_taken_in_every_style_and_reaches_the_list, a_hold_is_lifted_and_only_a_hold,
    a_hold_that_becomes_final_keeps_its_first_date, revoked_by_many_at_once_is_recorded_once,
    a_root_can_t_revoke_itself, a_revoked_subordinate_signs_crls_and_nothing_else,
    what_cannot_be_revoked_is_refused,
}
