//! Input that does not end, or is larger than anything that is meant: refused in words, in little memory.

use std::fmt::Write as _;
use std::fs::File;

use crate::run::Run;
use crate::sandbox::Sandbox;

/// `pki` with an address space of 2 GB: what grows beyond it ends the process.
fn limited(sandbox: &Sandbox, line: &str) -> Run {
    let run = sandbox.run("prlimit", "--as=2000000000");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

#[track_caller]
fn assert_refused(run: Run, says: &str) {
    let refused = run.ends_with(1);
    assert!(refused.stderr.contains(says), "{says:?}\n{refused}");
    assert!(refused.stderr.len() < 100_000, "{}", refused.stderr.len());
}

/// Every way in which a file gets in, with what its size is limited to.
const WAYS: [(&str, &str); 14] = [
    ("issue --ca intermediate0 --from @", "it exceeds "),
    ("revoke --ca intermediate0 --from @", "it exceeds "),
    (
        "issue --ca intermediate0 --csr @",
        "it exceeds the limit of 1 MiB",
    ),
    (
        "subordinate --ca rootCA --csr @",
        "it exceeds the limit of 1 MiB",
    ),
    ("apply @", "it exceeds the limit of 16 MiB"),
    (
        "import --openssl old --name old --cert pki/rootCA/ca.crt --key @",
        "it exceeds the limit of 1 MiB",
    ),
    ("show @", "it exceeds the limit of 512 MiB"),
    ("verify @", "it exceeds the limit of 512 MiB"),
    (
        "verify pki/rootCA/ca.crt --bundle @",
        "it exceeds the limit of 512 MiB",
    ),
    (
        "verify pki/rootCA/ca.crt --bundle pki/rootCA/ca.crt --crl @",
        "it exceeds the limit of 512 MiB",
    ),
    ("bundle --check @", "it exceeds the limit of 512 MiB"),
    ("bundle --add @", "it exceeds the limit of 512 MiB"),
    ("crl --in @ --to-pem", "it exceeds the limit of 512 MiB"),
    (
        "revoke --ca intermediate0 --cert @",
        "it exceeds the limit of 512 MiB",
    ),
];

#[test]
fn a_sparse_file_is_refused_unread() {
    let sandbox = Sandbox::with_open_ca();
    let file = File::create(sandbox.path("sparse")).unwrap();
    file.set_len(20 << 30).unwrap();
    sandbox.write("old/index.txt", "");
    sandbox.write("old/serial", "01\n");
    for (line, says) in WAYS {
        assert_refused(limited(&sandbox, &line.replace('@', "sparse")), says);
    }
}

/// Input that has no size is read as far as its limit.
#[test]
fn a_device_without_end_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    for (line, says) in &WAYS[..5] {
        assert_refused(limited(&sandbox, &line.replace('@', "/dev/zero")), says);
    }
    assert_refused(
        limited(&sandbox, "show /dev/zero"),
        "it exceeds the limit of 128 MiB",
    );
    let line = "issue --ca intermediate0 --cn a --out out --passout file:/dev/zero";
    assert_refused(limited(&sandbox, line), "its first line is too long");
}

#[test]
fn a_row_without_end_is_refused_and_a_long_one_is_not() {
    let sandbox = Sandbox::with_open_ca();
    let row = vec![b'a'; 3 << 20];
    for line in [
        "issue --ca intermediate0 --from -",
        "revoke --ca intermediate0 --from -",
    ] {
        let says = "standard input line 1: it exceeds 1 MiB, the limit of a row\n";
        assert_refused(limited(&sandbox, line).stdin(row.clone()), says);
        let quoted = [b"cn\n\"", row.as_slice(), b"\"\n"].concat();
        let says = "standard input line 2: it exceeds 1 MiB, the limit of a row\n";
        assert_refused(limited(&sandbox, line).stdin(quoted), says);
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
}

#[test]
fn more_sans_than_a_certificate_has_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    let names =
        |count: u32| -> Vec<String> { (0..count).map(|name| format!("h{name}.test")).collect() };
    let table = format!("cn,san\na,\"{}\"\n", names(50_000).join(","));
    let says = "line 2, column san: the certificate has 50000 SANs; at most 10000 are issued\n";
    assert_refused(
        limited(&sandbox, "issue --ca intermediate0 --from -").stdin(table),
        says,
    );

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
    let says = "error: the certificate has 20000 SANs; at most 10000 are issued\n";
    assert_refused(
        limited(&sandbox, "issue --ca intermediate0 --csr a.csr"),
        says,
    );
}

#[test]
fn more_rows_than_a_table_has_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("table.csv", "cn\n".to_owned() + &"a\n".repeat(2_000_001));
    let says = "table.csv line 2000002: the table has more than 2000000 rows: split it\n";
    assert_refused(
        limited(&sandbox, "issue --ca intermediate0 --from table.csv"),
        says,
    );
}

#[test]
fn a_table_of_unsound_rows_is_given_up() {
    let sandbox = Sandbox::with_open_ca();
    for (line, header) in [("issue", "cn,days\n"), ("revoke", "serial,date\n")] {
        let line = format!("{line} --ca intermediate0 --keep-going --from -");
        let run = limited(&sandbox, &line).stdin(header.to_owned() + &",x\n".repeat(150_000));
        assert_refused(run, " more rows are not sound either\nhint: nothing was ");
    }
}

/// Problems are told up to a number, and found in a time that grows with the file.
#[test]
fn a_declaration_of_many_unknown_tables_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let mut text = String::new();
    (0..200_000).for_each(|number| writeln!(text, "[thing-{number}]").unwrap());
    sandbox.write("many.toml", text);
    let says = "error: many.toml line 100, column 2: unknown field `thing-99`";
    assert_refused(limited(&sandbox, "apply many.toml"), says);
    let says = "error: 199900 more problems are in the file\nhint: nothing was changed\n";
    assert_refused(limited(&sandbox, "apply many.toml"), says);

    // Each is under the next, so that the last has to be made first.
    let mut text = String::new();
    for number in 0..20_000 {
        writeln!(text, "[ca.c{number}]\nparent = \"c{}\"", number + 1).unwrap();
    }
    sandbox.write("deep.toml", text + "[ca.c20000]\nparent = \"c19999\"\n");
    let says = "error: deep.toml line 1, column 5: c0 is above itself";
    assert_refused(limited(&sandbox, "apply deep.toml"), says);
}

#[test]
fn a_pem_file_of_more_objects_than_are_read_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write(
        "many.pem",
        "-----BEGIN X-----\nAAAA\n-----END X-----\n".repeat(100_001),
    );
    let says = "line 300001: more than 100000 PEM objects are in the file";
    assert_refused(limited(&sandbox, "show many.pem"), says);
    let checked = limited(&sandbox, "bundle --check many.pem").ends_with(3);
    assert!(checked.stdout.contains(says), "{}", checked.stdout.len());
    // Lines that are no base64 are headers, of which there are few.
    let headers = "a:\n".repeat(1_000_000);
    sandbox.write(
        "headers.pem",
        format!("-----BEGIN X-----\n{headers}AAAA\n-----END X-----\n"),
    );
    let says = "X is not base64 between its markers";
    assert_refused(limited(&sandbox, "show headers.pem"), says);
}

/// A journal is never read as one line.
#[test]
fn a_journal_with_a_line_without_end_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    let journal = sandbox.path("pki/intermediate0/issued.jsonl");
    let file = File::options().append(true).open(journal).unwrap();
    file.set_len(20 << 30).unwrap();
    assert_refused(
        limited(&sandbox, "list --ca intermediate0"),
        "has a line of more than 64 MiB",
    );
}
