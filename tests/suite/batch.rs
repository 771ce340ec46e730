//! `pki issue --from`: a certificate for every row of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;

use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::run::assert_text;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// A table of clients, in which no row is like another.
fn clients(count: usize) -> String {
    let mut table = String::from("cn,days,name\n");
    for row in 1..=count {
        writeln!(table, "client {row},{},file-{row}", 1 + row % 300).unwrap();
    }
    table
}

/// The objects on standard output, a line each.
fn objects(stdout: &str) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str(line).unwrap();
    stdout.lines().map(object).collect()
}

/// The common names in the CA's journal by their rows: each row is there once.
#[track_caller]
fn recorded_rows(sandbox: &Sandbox) -> BTreeMap<u64, String> {
    let mut rows = BTreeMap::new();
    let mut serials = BTreeSet::new();
    for record in sandbox
        .read("pki/intermediate0/issued.jsonl")
        .lines()
        .skip(1)
    {
        let record: Value = serde_json::from_str(record).unwrap();
        assert!(serials.insert(record["serial"].to_string()), "{record}");
        if let Some(row) = record["row"].as_str() {
            let number = row.rsplit_once(':').unwrap().1.parse().unwrap();
            let cn = record["cn"].as_str().unwrap().to_owned();
            assert_eq!(rows.insert(number, cn), None, "row {number} twice");
        }
    }
    rows
}

/// Every row of [`clients`] is recorded, and its file is about it.
#[track_caller]
fn assert_complete(sandbox: &Sandbox, count: usize) {
    let rows = recorded_rows(sandbox);
    assert_eq!(rows.len(), count);
    for (number, cn) in rows {
        assert_eq!(cn, format!("client {number}"));
    }
}

#[test]
fn rows_become_certificates_in_their_order() {
    let sandbox = Sandbox::with_open_ca();
    // RSA takes its time; the rows behind it still come behind it.
    let mut table = String::from("name,key_type,cn,san,profile,days\n");
    table += "slow,rsa2048,slow,,,10\n";
    table += "web,,www.example.test,\"a.example.test,10.0.0.1\",server,20\n";
    for row in 3..=1100 {
        writeln!(table, "c{row},,client {row},,,").unwrap();
    }
    table += "ed,ed25519,last,,peer,\n";
    let table = table.replace("last,,peer", "last,last.example.test,peer");
    sandbox.write("rows.csv", table);
    let issued = sandbox
        .pki("--format json issue --ca intermediate0 --from rows.csv")
        .succeeds();
    assert_eq!(issued.stderr, "");
    let objects = objects(&issued.stdout);
    assert_eq!(objects.len(), 1101);
    for (index, object) in objects.iter().enumerate() {
        assert_eq!(object["row"], index + 1);
        assert_eq!(object["already"], false);
    }
    assert_eq!(objects[0]["subject"], "CN=slow");
    let names = ["dns:www.example.test", "dns:a.example.test", "ip:10.0.0.1"];
    assert_eq!(objects[1]["sans"], serde_json::json!(names));
    assert_eq!(objects[1]["profile"], "server");
    assert_eq!(objects[1100]["profile"], "peer");
    assert_eq!(recorded_rows(&sandbox).len(), 1101);

    sandbox
        .pki("export --ca intermediate0 --cn slow --out . --no-passphrase")
        .succeeds();
    sandbox.pki("bundle --out trust.pem").succeeds();
    sandbox
        .run("openssl", "verify -x509_strict -CAfile trust.pem slow.crt")
        .succeeds();
    let text = sandbox.run("openssl", "pkey -in slow.key -noout -text");
    assert!(text.succeeds().stdout.contains("2048 bit"));
}

#[test]
fn a_table_says_the_same_as_options_do() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write(
        "rows.csv",
        "cn,san,profile,days,key_type\n\
         www.example.test,\"b.example.test,10.0.0.1\",server,30,p384\n",
    );
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv --out row --no-passphrase")
        .succeeds();
    sandbox
        .pki("issue --ca intermediate0 --cn www.example.test --san b.example.test,10.0.0.1 --profile server --days 30 --key-type p384 --out option --no-passphrase")
        .succeeds();
    let shown = |folder: &str| {
        let file = format!("{folder}/www.example.test.crt");
        let text = sandbox
            .run(
                "openssl",
                "x509 -noout -text -certopt no_serial,no_sigdump,no_pubkey,no_validity -in",
            )
            .arg(file)
            .succeeds()
            .stdout;
        let mut lines = text.lines().collect::<Vec<_>>();
        // The key's own identifier stands on the line behind.
        let own = lines
            .iter()
            .position(|line| line.contains("Subject Key Identifier"));
        lines.remove(own.unwrap() + 1);
        lines.join("\n")
    };
    assert_eq!(shown("row"), shown("option"));
    assert_eq!(sandbox.names_in("row"), sandbox.names_in("option"));
}

#[test]
fn options_hold_for_rows_that_say_nothing_else() {
    let sandbox = Sandbox::with_open_ca();
    let issued = sandbox
        .pki("--format json issue --ca intermediate0 --from - --profile email --key-type rsa2048")
        .stdin("cn,san,profile\na,a@example.test,\nb,,client\n")
        .succeeds();
    let objects = objects(&issued.stdout);
    assert_eq!(objects[0]["profile"], "email");
    assert_eq!(objects[1]["profile"], "client");
}

#[test]
fn every_row_has_its_files() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", clients(300));
    let issued = sandbox
        .pki("issue --ca intermediate0 --from rows.csv --out given --der --passout env:PASS --format json")
        .env("PASS", PASSPHRASE)
        .succeeds();
    assert_eq!(sandbox.names_in("given").len(), 5 * 300);
    for (index, object) in objects(&issued.stdout).iter().enumerate() {
        let files = object["files"].as_object().unwrap();
        let kinds: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["chain", "crt", "der", "fullchain", "key"]);
        assert_eq!(files["key"], format!("given/file-{}.key", index + 1));
        let mode = sandbox.path(files["key"].as_str().unwrap()).metadata();
        assert_eq!(mode.unwrap().permissions().mode() & 0o777, 0o600);
    }
    for row in [1, 128, 129, 300] {
        let public = |line: &str| {
            let run = sandbox.run("openssl", line).env("PASS", PASSPHRASE);
            run.succeeds().stdout
        };
        assert_eq!(
            public(&format!(
                "pkey -passin env:PASS -pubout -in given/file-{row}.key"
            )),
            public(&format!("x509 -noout -pubkey -in given/file-{row}.crt")),
        );
        let subject = public(&format!("x509 -noout -subject -in given/file-{row}.der"));
        assert_eq!(subject, format!("subject=CN = client {row}\n"));
    }
}

#[test]
fn requests_are_found_beside_the_table() {
    let sandbox = Sandbox::with_open_ca();
    std::fs::create_dir(sandbox.path("requests")).unwrap();
    sandbox
        .run("openssl", "req -new -newkey rsa:2048 -nodes -subj /CN=theirs -keyout requests/a.key -out requests/a.csr")
        .succeeds();
    sandbox.write("requests/rows.csv", "csr,name\na.csr,theirs\n");
    sandbox
        .pki("issue --ca intermediate0 --from requests/rows.csv --out given")
        .succeeds();
    let names = ["theirs.chain.pem", "theirs.crt", "theirs.fullchain.pem"];
    assert_eq!(sandbox.names_in("given"), names);
}

/// Each kind of unsound row, with what is said of it.
const UNSOUND: &str = "\
cn,san,profile,days,key_type,csr,name
sound,,,,,,
,,,,,,
zero,,,0,,,
long,,,99999,,,
web,a..b,server,,,,
mail,,email,,,,
other,,serv,,,,
kind,,,,dsa,,
both,,,,p256,a.csr,
nowhere,,,,,missing.csr,
more,,,,,,,too
sound,,,,,,
folder,,,,,,../up
intermediate0,,,,,,
";

#[test]
fn unsound_rows_are_named_and_nothing_is_issued() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "req -new -newkey ed25519 -nodes -subj /CN=a -keyout a.key -out a.csr",
        )
        .succeeds();
    sandbox.write("rows.csv", UNSOUND);
    sandbox.refused(
        sandbox.pki("issue --ca intermediate0 --from rows.csv --out given --no-passphrase"),
        1,
        "invalid-row",
        expect![[r#"
            error: rows.csv line 3, column cn: cn or csr is required
            error: rows.csv line 4, column days: "0" is not a number of days
            error: rows.csv line 5, column days: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
            error: rows.csv line 6, column san: "a..b" is not a DNS name: it has an empty label
            error: rows.csv line 7, column san: a certificate of profile email needs an e-mail address in its SANs
            error: rows.csv line 8, column profile: "serv" is not a profile; use client, server, peer, email, code-signing, ocsp or timestamp
            error: rows.csv line 9, column key_type: "dsa" is not a key type; use p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65 or ml-dsa-87
            error: rows.csv line 10, column key_type: the key is that of the csr, and of its type
            error: rows.csv line 11, column csr: could not read missing.csr: No such file or directory (os error 2)
            error: rows.csv line 12: field 8 has no column: the header has 7
            error: rows.csv line 13, column name: another row has the file name "sound"
            error: rows.csv line 14, column name: "../up" is not a safe file name
            error: rows.csv line 15, column cn: the subject CN=intermediate0 belongs to the CA intermediate0
            hint: nothing was issued; --keep-going leaves these rows out
        "#]],
    );
    assert!(!sandbox.path("given").exists());
}

#[test]
fn of_many_unsound_rows_the_first_are_named() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn,days\n".to_owned() + &"a,0\n".repeat(10_000));
    let run = sandbox.pki("issue --ca intermediate0 --from rows.csv");
    sandbox.refused(
        run,
        1,
        "invalid-row",
        expect![[r#"
            error: rows.csv line 2, column days: "0" is not a number of days
            error: rows.csv line 3, column days: "0" is not a number of days
            error: rows.csv line 4, column days: "0" is not a number of days
            error: rows.csv line 5, column days: "0" is not a number of days
            error: rows.csv line 6, column days: "0" is not a number of days
            error: rows.csv line 7, column days: "0" is not a number of days
            error: rows.csv line 8, column days: "0" is not a number of days
            error: rows.csv line 9, column days: "0" is not a number of days
            error: rows.csv line 10, column days: "0" is not a number of days
            error: rows.csv line 11, column days: "0" is not a number of days
            error: rows.csv line 12, column days: "0" is not a number of days
            error: rows.csv line 13, column days: "0" is not a number of days
            error: rows.csv line 14, column days: "0" is not a number of days
            error: rows.csv line 15, column days: "0" is not a number of days
            error: rows.csv line 16, column days: "0" is not a number of days
            error: rows.csv line 17, column days: "0" is not a number of days
            error: rows.csv line 18, column days: "0" is not a number of days
            error: rows.csv line 19, column days: "0" is not a number of days
            error: rows.csv line 20, column days: "0" is not a number of days
            error: rows.csv line 21, column days: "0" is not a number of days
            error: 9980 more rows are invalid
            hint: nothing was issued
        "#]],
    );
}

#[test]
fn sound_rows_are_issued_where_the_others_are_not_to_stop_them() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn,days\na,1\nb,0\nc,2\nd,x\ne,3\n");
    let issued = sandbox
        .pki("issue --ca intermediate0 --from rows.csv --keep-going --format json")
        .ends_with(1);
    let error = issued.error();
    for (error, place) in [
        (&error, "rows.csv line 3, column days: "),
        (&error["others"][0], "rows.csv line 5, column days: "),
    ] {
        assert_eq!(error["code"], "invalid-row", "{issued}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(place), "{issued}");
    }
    let rows = objects(&issued.stdout);
    let numbers: Vec<_> = rows
        .iter()
        .map(|row| row["row"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 3, 5]);
    assert_eq!(recorded_rows(&sandbox).len(), 3);
}

#[test]
fn tables_are_read_as_people_have_them() {
    for (table, names) in [
        ("\u{feff}cn\r\na\r\n\r\nb", "CN=a CN=b"),
        ("profile, CN\nserver,a.example\n", "CN=a.example"),
        ("cn\n\"a \"\"b\"\"\"\n", "CN=a\\ \\\"b\\\""),
        ("cn,san\n\"a\nb\",\n", ""),
        ("cn\n", "-"),
    ] {
        let sandbox = Sandbox::with_open_ca();
        let run = sandbox
            .pki("issue --ca intermediate0 --from - --format json")
            .stdin(table)
            .finish();
        let subjects = objects(&run.stdout);
        let subjects: Vec<_> = subjects
            .iter()
            .map(|row| row["subject"].as_str().unwrap())
            .collect();
        match names {
            "" => assert_eq!(run.status, Some(1), "{table:?}: {run}"),
            "-" => assert_eq!(
                (run.status, subjects.len()),
                (Some(0), 0),
                "{table:?}: {run}"
            ),
            names => assert_eq!(
                subjects.join(" ").replace("a\\ ", "a "),
                names.replace("a\\ ", "a "),
                "{table:?}"
            ),
        }
    }
}

#[test]
fn a_table_with_other_columns_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for table in ["cn,sans\n", "san,profile\n", "cn,CN\n"] {
        let run = sandbox.pki("issue --ca intermediate0 --from -");
        said += &sandbox.refusal(run.stdin(table), 1, "invalid-row");
    }
    assert_text(
        &said,
        expect![[r#"
            error: standard input line 1: unknown column "sans"; the columns are cn, san, profile, days, key_type, csr, name
            error: standard input line 1: column cn or csr is required
            error: standard input line 1: the column CN is named twice
        "#]],
    );
    let run = sandbox.pki("issue --ca intermediate0 --from - --passin stdin");
    sandbox.refused(
        run.stdin("cn\na\n"),
        2,
        "usage",
        expect![[r#"
            error: standard input can't give both the table and a passphrase
            hint: give the passphrase with file:PATH, fd:N or env:VAR
        "#]],
    );
}

/// Reads lines until there are so many.
fn read_lines(child: &mut Child, count: usize) -> BufReader<std::process::ChildStdout> {
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..count {
        reader.read_line(&mut String::new()).unwrap();
    }
    reader
}

#[test]
fn a_killed_run_is_gone_on_with_and_nothing_comes_twice() {
    let rows = 650;
    for (lines, files) in [(1, false), (513, false), (1, true), (140, true)] {
        let sandbox = Sandbox::with_open_ca();
        sandbox.write("rows.csv", clients(rows));
        let out = if files {
            " --out given --no-passphrase"
        } else {
            ""
        };
        let command = format!("issue --ca intermediate0 --from rows.csv --format json{out}");
        let mut child = sandbox.pki(&command).spawn();
        let reader = read_lines(&mut child, lines);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(reader);
        let before = recorded_rows(&sandbox);
        assert!(before.len() >= lines, "{} of {lines}", before.len());

        let again = sandbox.pki(&format!("{command} --resume")).succeeds();
        let objects = objects(&again.stdout);
        assert_eq!(objects.len(), rows);
        for (index, object) in objects.iter().enumerate() {
            assert_eq!(object["row"], index + 1);
            assert_eq!(object["already"], before.contains_key(&(index as u64 + 1)));
        }
        assert_complete(&sandbox, rows);
        if files {
            let names = sandbox.names_in("given");
            assert_eq!(
                names.len(),
                4 * rows,
                "{:?}",
                names.iter().find(|name| name.starts_with('.'))
            );
        }
    }
}

#[test]
fn an_interrupted_run_ends_where_nothing_is_half_done() {
    let rows = 2000;
    for signal in [Signal::INT, Signal::TERM] {
        let sandbox = Sandbox::with_open_ca();
        sandbox.write("rows.csv", clients(rows));
        let command = "issue --ca intermediate0 --from rows.csv";
        let mut child = sandbox.pki(command).spawn();
        let mut reader = read_lines(&mut child, 1);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let (mut rest, mut said) = (String::new(), String::new());
        reader.read_to_string(&mut rest).unwrap();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let status = child.wait().unwrap();
        let issued = rest.lines().count() + 1;
        assert!(issued < rows);
        assert_eq!(status.code(), Some(4), "{said}");
        assert_text(
            &said.replacen(&issued.to_string(), "ISSUED", 1),
            expect![[r#"
                notice: stopping after the current group; interrupt again to stop at once
                error: ISSUED of 2000 rows are issued; then an error stopped the batch
                caused by: it was interrupted
                hint: run the same command with --resume to continue
            "#]],
        );
        assert_eq!(recorded_rows(&sandbox).len(), issued);
        // No key stays without its certificate.
        assert_eq!(sandbox.names_in("pki/intermediate0/keys").len(), issued);
        sandbox.pki(&format!("{command} --resume")).succeeds();
        assert_complete(&sandbox, rows);
    }
}

#[test]
fn whoever_stops_reading_is_told_how_to_go_on() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", clients(2000));
    let mut child = sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .spawn();
    drop(read_lines(&mut child, 1));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert_text(
        &said,
        expect![[r#"
            error: the command is done, but its report could not be written to standard output
            caused by: broken pipe
            hint: the same command with --resume shows the issued certificates, and continues
        "#]],
    );
    sandbox
        .pki("issue --ca intermediate0 --from rows.csv --resume")
        .succeeds();
    assert_complete(&sandbox, 2000);
}

#[test]
fn two_that_go_on_at_once_issue_nothing_twice() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", clients(300));
    let command = "issue --ca intermediate0 --from rows.csv --resume";
    let children = [(); 3].map(|()| sandbox.pki(command).spawn());
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().count(), 300);
    }
    assert_complete(&sandbox, 300);
}

#[test]
fn another_run_of_the_same_table_issues_it_again() {
    let sandbox = Sandbox::with_open_ca();
    for _ in 0..2 {
        let run = sandbox
            .pki("issue --ca intermediate0 --from -")
            .stdin("cn\na\nb\n");
        run.succeeds();
    }
    let listed = sandbox
        .pki("list --ca intermediate0 --format json")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 4);
    // What there is to go on with is the last run, which came to its end.
    let run = sandbox.pki("issue --ca intermediate0 --from - --resume --format json");
    let again = objects(&run.stdin("cn\na\nb\n").succeeds().stdout);
    let serials: Vec<_> = again.iter().map(|row| row["serial"].clone()).collect();
    let last = listed.json().as_array().unwrap()[2..]
        .iter()
        .map(|row| row["serial"].clone())
        .collect::<Vec<_>>();
    assert_eq!(serials, last);
}

#[test]
fn others_issue_beside_a_batch() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", clients(1500));
    let mut child = sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .spawn();
    let reader = read_lines(&mut child, 1);
    for name in 0..20 {
        sandbox.issued("intermediate0", &format!("beside-{name}"));
    }
    drop(std::io::read_to_string(reader).unwrap());
    assert!(child.wait().unwrap().success());
    assert_complete(&sandbox, 1500);
    let listed = sandbox
        .pki("list --ca intermediate0 --format json")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 1520);
}

crate::engine::also_in_a_database! {
    a_table_says_the_same_as_options_do, options_hold_for_rows_that_say_nothing_else, every_row_has_its_files,
    requests_are_found_beside_the_table, unsound_rows_are_named_and_nothing_is_issued,
    of_many_unsound_rows_the_first_are_named, sound_rows_are_issued_where_the_others_are_not_to_stop_them,
    tables_are_read_as_people_have_them, a_table_with_other_columns_is_refused,
    two_that_go_on_at_once_issue_nothing_twice, another_run_of_the_same_table_issues_it_again,
    others_issue_beside_a_batch,
}

crate::engine::soak_in_a_database! {
    rows_become_certificates_in_their_order, a_killed_run_is_gone_on_with_and_nothing_comes_twice,
    an_interrupted_run_ends_where_nothing_is_half_done, whoever_stops_reading_is_told_how_to_go_on,
}
