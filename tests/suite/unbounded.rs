//! Input that does not end, or is larger than anything that is meant: refused in words, in little memory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// `pki` with an address space of 2 GB: what grows beyond it ends the process.
fn limited(sandbox: &Sandbox, line: &str) -> Run {
    let run = sandbox.run("prlimit", "--as=2000000000");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

#[track_caller]
fn refusal(run: Run) -> String {
    let refused = run.ends_with(1);
    let said = normalised(&refused.stderr);
    assert!(said.len() < 100_000, "{}", said.len());
    // Of many lines the first and the last two.
    let lines: Vec<&str> = said.lines().collect();
    match lines[..] {
        [first, .., before, last] if lines.len() > 4 => format!("{first}\n…\n{before}\n{last}\n"),
        _ => said,
    }
}

/// Every option that takes a file.
const WAYS: [&str; 14] = [
    "issue --ca intermediate0 --from @",
    "revoke --ca intermediate0 --from @",
    "issue --ca intermediate0 --csr @",
    "subordinate --ca rootCA --csr @",
    "apply @",
    "import --openssl old --name old --cert pki/rootCA/ca.crt --key @",
    "show @",
    "verify @",
    "verify pki/rootCA/ca.crt --bundle @",
    "verify pki/rootCA/ca.crt --bundle pki/rootCA/ca.crt --crl @",
    "bundle --check @",
    "bundle --add @",
    "crl --in @ --to-pem",
    "revoke --ca intermediate0 --cert @",
];

#[test]
fn a_sparse_file_is_refused_unread() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = BTreeSet::new();
    let file = File::create(sandbox.path("sparse")).unwrap();
    file.set_len(20 << 30).unwrap();
    sandbox.write("old/index.txt", "");
    sandbox.write("old/serial", "01\n");
    for line in WAYS {
        said.insert(refusal(limited(&sandbox, &line.replace('@', "sparse"))));
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: could not read sparse
            caused by: it exceeds 1 GiB, the limit of a table: split it
            error: could not read sparse
            caused by: it exceeds the limit of 1 MiB
            error: could not read sparse
            caused by: it exceeds the limit of 16 MiB
            error: could not read sparse
            caused by: it exceeds the limit of 512 MiB
        "#]],
    );
}

/// Input that has no size is read as far as its limit.
#[test]
fn a_device_without_end_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for line in &WAYS[..5] {
        said += &refusal(limited(&sandbox, &line.replace('@', "/dev/zero")));
    }
    said += &refusal(limited(&sandbox, "show /dev/zero"));
    let line = "issue --ca intermediate0 --cn a --out out --passout file:/dev/zero";
    said += &refusal(limited(&sandbox, line));
    assert_text(
        &said,
        expect![[r#"
            error: could not read /dev/zero
            caused by: it exceeds 256 MiB, the limit of a table: split it
            error: could not read /dev/zero
            caused by: it exceeds 256 MiB, the limit of a table: split it
            error: could not read /dev/zero
            caused by: it exceeds the limit of 1 MiB
            error: could not read /dev/zero
            caused by: it exceeds the limit of 1 MiB
            error: could not read /dev/zero
            caused by: it exceeds the limit of 16 MiB
            error: could not read /dev/zero
            caused by: it exceeds the limit of 128 MiB for a pipe
            error: no passphrase given for the exported key of a
            caused by: the file /dev/zero can't be read: its first line is too long
        "#]],
    );
}

#[test]
fn a_row_without_end_is_refused_and_a_long_one_is_not() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    let row = vec![b'a'; 3 << 20];
    for line in [
        "issue --ca intermediate0 --from -",
        "revoke --ca intermediate0 --from -",
    ] {
        said += &refusal(limited(&sandbox, line).stdin(row.clone()));
        let quoted = [b"cn\n\"", row.as_slice(), b"\"\n"].concat();
        said += &refusal(limited(&sandbox, line).stdin(quoted));
    }
    let mut table = String::from("cn,san\n");
    for row in 0..3 {
        let names: Vec<String> = (0..9_000)
            .map(|name| format!("host-{name}.example.test"))
            .collect();
        writeln!(table, "row-{row},\"{}\"", names.join(",")).unwrap();
    }
    let issued = limited(&sandbox, "--format json issue --ca intermediate0 --from -")
        .stdin(table)
        .succeeds();
    assert_eq!(issued.stdout.lines().count(), 3);
    assert_text(
        &said,
        expect![[r#"
            error: standard input line 1: it exceeds 1 MiB, the limit of a row
            error: standard input line 2: it exceeds 1 MiB, the limit of a row
            error: standard input line 1: it exceeds 1 MiB, the limit of a row
            error: standard input line 2: it exceeds 1 MiB, the limit of a row
        "#]],
    );
}

#[test]
fn more_sans_than_a_certificate_has_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    let names =
        |count: u32| -> Vec<String> { (0..count).map(|name| format!("h{name}.test")).collect() };
    let table = format!("cn,san\na,\"{}\"\n", names(50_000).join(","));
    said += &refusal(limited(&sandbox, "issue --ca intermediate0 --from -").stdin(table));

    let mut config = String::from(
        "[req]\ndistinguished_name = dn\nreq_extensions = ext\n[dn]\n[ext]\nsubjectAltName = @names\n[names]\n",
    );
    for (number, name) in names(20_000).iter().enumerate() {
        writeln!(config, "DNS.{number} = {name}").unwrap();
    }
    sandbox.write("req.cnf", config);
    let line =
        "req -new -newkey ed25519 -nodes -keyout a.key -subj /CN=a -config req.cnf -out a.csr";
    sandbox.run("openssl", line).succeeds();
    said += &refusal(limited(&sandbox, "issue --ca intermediate0 --csr a.csr"));
    assert_text(
        &said,
        expect![[r#"
            error: standard input line 2, column san: the certificate has 50000 SANs; at most 10000 are issued
            hint: nothing was issued
            error: the certificate has 20000 SANs; at most 10000 are issued
            hint: issue several certificates, each with some of the SANs
        "#]],
    );
}

#[test]
fn more_rows_than_a_table_has_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    sandbox.write("table.csv", "cn\n".to_owned() + &"a\n".repeat(2_000_001));
    said += &refusal(limited(
        &sandbox,
        "issue --ca intermediate0 --from table.csv",
    ));
    assert_text(
        &said,
        expect![[r#"
            error: table.csv line 2000002: the table has more than 2000000 rows: split it
        "#]],
    );
}

#[test]
fn a_table_of_unsound_rows_is_given_up() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for (line, header) in [("issue", "cn,days\n"), ("revoke", "serial,date\n")] {
        let line = format!("{line} --ca intermediate0 --keep-going --from -");
        let run = limited(&sandbox, &line).stdin(header.to_owned() + &",x\n".repeat(150_000));
        said += &refusal(run);
    }
    assert_text(
        &said,
        expect![[r#"
            error: standard input line 2, column cn: cn or csr is required
            …
            error: 102380 more rows are invalid
            hint: nothing was issued
            error: standard input line 2, column serial: a serial number is required
            …
            error: 99980 more rows are invalid
            hint: nothing was revoked
        "#]],
    );
}

/// Problems are told up to a number, and found in a time that grows with the file.
#[test]
fn a_declaration_of_many_unknown_tables_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    let mut text = String::new();
    (0..200_000).for_each(|number| writeln!(text, "[thing-{number}]").unwrap());
    sandbox.write("many.toml", text);
    said += &refusal(limited(&sandbox, "apply many.toml"));

    // Each is under the next, so that the last has to be made first.
    let mut text = String::new();
    for number in 0..20_000 {
        writeln!(text, "[ca.c{number}]\nparent = \"c{}\"", number + 1).unwrap();
    }
    sandbox.write("deep.toml", text + "[ca.c20000]\nparent = \"c19999\"\n");
    said += &refusal(limited(&sandbox, "apply deep.toml"));
    assert_text(
        &said,
        expect![[r#"
            error: many.toml line 1, column 2: unknown field `thing-0`, expected one of `fixture`, `defaults`, `profile`, `ca`, `certificate`, `crl`, `bundle`
            …
            error: the file has 199900 more problems
            hint: nothing was changed
            error: deep.toml line 1, column 5: c0 is its own ancestor
            …
            error: the file has 19901 more problems
            hint: nothing was changed
        "#]],
    );
}

#[test]
fn a_pem_file_of_more_objects_than_are_read_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    sandbox.write(
        "many.pem",
        "-----BEGIN X-----\nAAAA\n-----END X-----\n".repeat(100_001),
    );
    said += &refusal(limited(&sandbox, "show many.pem"));
    let checked = limited(&sandbox, "bundle --check many.pem").ends_with(3);
    said += &checked.stdout;
    // Lines that are no base64 are headers, of which there are few.
    let headers = "a:\n".repeat(1_000_000);
    sandbox.write(
        "headers.pem",
        format!("-----BEGIN X-----\n{headers}AAAA\n-----END X-----\n"),
    );
    said += &refusal(limited(&sandbox, "show headers.pem"));
    assert_text(
        &said,
        expect![[r#"
            error: many.pem is not a file with certificates, CSRs, CRLs or keys
            caused by: line 300001: the file has more than 100000 PEM objects
            many.pem does not fit the general rules: 2 errors
              error: readable        line 300001: the file has more than 100000 PEM objects
              error: no-certificate  it has no certificate
            error: headers.pem is not a file with certificates, CSRs, CRLs or keys
            caused by: line 1: X is not base64 between its markers
        "#]],
    );
}

/// A journal is never read as one line.
#[test]
fn a_journal_with_a_line_without_end_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    let journal = sandbox.path("pki/intermediate0/issued.jsonl");
    let file = File::options().append(true).open(journal).unwrap();
    file.set_len(20 << 30).unwrap();
    said += &refusal(limited(&sandbox, "list --ca intermediate0"));
    assert_text(
        &said,
        expect![[r#"
            error: could not read ./pki/intermediate0/issued.jsonl
            caused by: has a line of more than 64 MiB
        "#]],
    );
}
