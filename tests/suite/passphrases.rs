//! Where passphrases come from.

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

/// A root under [`PASSPHRASE`].
fn with_protected_root() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    sandbox.write("right.pass", format!("{PASSPHRASE}\nnot this line\n"));
    sandbox.write("wrong.pass", "something else\n");
    sandbox
}

#[test]
fn every_source_of_the_contract_opens_a_key() {
    let sandbox = with_protected_root();
    let line = "issue --ca rootCA --cn client --passin";
    let quiet = [
        sandbox.pki(line).arg("file:right.pass"),
        sandbox
            .pki(line)
            .arg("env:VARIABLE")
            .env("VARIABLE", PASSPHRASE),
        sandbox
            .pki(line)
            .arg("stdin")
            .stdin(format!("{PASSPHRASE}\n")),
        from_descriptor_3(&sandbox, "issue --ca rootCA --cn client --passin fd:3"),
        sandbox
            .pki("issue --ca rootCA --cn client")
            .env("PKI_PASSPHRASE", PASSPHRASE),
        sandbox
            .pki("issue --ca rootCA --cn client")
            .env("PKI_PASSPHRASE_FILE", "right.pass"),
    ];
    for run in quiet {
        let issued = run.succeeds();
        assert_eq!(issued.stderr, "", "{issued}");
    }
}

/// The shell opens the file before it becomes `pki`.
fn from_descriptor_3(sandbox: &Sandbox, line: &str) -> Run {
    let script = "exec 3<right.pass; exec \"$@\"";
    let run = sandbox.run("sh", "-c").arg(script).arg("sh");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

#[test]
fn a_passphrase_in_the_arguments_works_with_a_warning() {
    let sandbox = with_protected_root();
    let issued = sandbox
        .pki("issue --ca rootCA --cn client --passin")
        .arg(format!("pass:{PASSPHRASE}"))
        .succeeds();
    assert_text(
        &normalised(&issued.stderr),
        expect![[r#"
            warning: others can see a passphrase on the command line, for example with `ps`
        "#]],
    );
    assert!(!issued.stderr.contains(PASSPHRASE), "{issued}");
}

#[test]
fn an_option_goes_before_the_environment() {
    let sandbox = with_protected_root();
    sandbox
        .pki("issue --ca rootCA --cn client --passin file:right.pass")
        .env("PKI_PASSPHRASE", "something else")
        .succeeds();
}

#[test]
fn a_new_ca_takes_its_passphrase_from_the_environment_too() {
    let sandbox = with_protected_root();
    sandbox
        .run(
            "openssl",
            "pkey -noout -check -passin file:right.pass -in pki/rootCA/ca.key",
        )
        .succeeds();
}

#[test]
fn a_wrong_passphrase_is_said_at_once_and_names_the_key() {
    let sandbox = with_protected_root();
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn client --passin file:wrong.pass"),
        1,
        "passphrase-wrong",
        expect![[r#"
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
        "#]],
    );
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let sandbox = with_protected_root();
    let run = sandbox.pki("issue --ca rootCA --cn client");
    let cannot_ask = sandbox.refusal(run, 1, "passphrase-required");
    assert_text(
        &cannot_ask,
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE; for one CA alone with --passin NAME=SRC or PKI_PASSPHRASE_FILE_NAME
        "#]],
    );
    let run = sandbox.pki("--no-input issue --ca rootCA --cn client");
    assert_same(&sandbox.refusal(run, 1, "passphrase-required"), &cannot_ask);
    sandbox.refused(
        sandbox.pki("root --name another"),
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the new key of another
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or use --no-passphrase
        "#]],
    );
}

#[test]
fn a_new_key_is_not_left_unencrypted_by_an_empty_passphrase() {
    let sandbox = with_protected_root();
    sandbox.write("empty.pass", "\n");
    for (source, input) in [("file:empty.pass", ""), ("stdin", ""), ("env:EMPTY", "")] {
        let run = sandbox.pki("root --name another --passout").arg(source);
        let before = sandbox.store_snapshot();
        let refused = run.env("EMPTY", input).stdin(input).ends_with(1);
        assert!(refused.stderr.contains("empty"), "{refused}");
        before.assert_unchanged(&sandbox.path(STORE));
    }
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let sandbox = with_protected_root();
    let line = "issue --ca rootCA --cn client --passin";
    sandbox.refused(
        sandbox.pki(line).arg("env:NOT_SET"),
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: the variable NOT_SET is not set
        "#]],
    );
    sandbox.refused(
        sandbox.pki(line).arg("file:missing.pass"),
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: the file missing.pass can't be read: No such file or directory (os error 2)
        "#]],
    );
    sandbox.refused(
        sandbox.pki(line).arg("fd:77"),
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 77 can't be read: Bad file descriptor (os error 9)
        "#]],
    );
    sandbox.refused(sandbox.pki(line).arg("vault:x"), 2, "usage", expect![[r#"
        error: the value of --passin can't be used: it is not one of prompt, env:VAR, file:PATH, fd:N, stdin or pass:TEXT
    "#]]);
}

/// The shell opens a file, or has a pipe, under number 3 before it becomes `pki`.
fn with_lines(sandbox: &Sandbox, opening: &str, line: &str) -> Run {
    let script = format!("{opening}; exec \"$@\"");
    let run = sandbox.run("bash", "-c").arg(script).arg("bash");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

/// Whether openssl opens a key with a passphrase.
fn opens(sandbox: &Sandbox, key: &str, passphrase: &str) -> bool {
    let run = sandbox
        .run("openssl", "pkey -noout -in")
        .arg(key)
        .arg("-passin");
    run.arg(format!("pass:{passphrase}")).finish().status == Some(0)
}

/// One descriptor for both passphrases: the CA's is the first line and the other the second, whatever the
/// descriptor leads to and whichever is needed first.
#[test]
fn two_passphrases_of_one_descriptor_are_two_lines() {
    let declaration =
        "[ca.r]\n[certificate.leaf]\nca = \"r\"\nprofile = \"client\"\nout = \"out\"\n";
    let openings = [
        ("exec 3<both", "fd:3", "fd:3"),
        ("exec 3< <(cat both)", "fd:3", "fd:3"),
        ("exec <both", "stdin", "stdin"),
        ("exec < <(cat both)", "stdin", "fd:0"),
        ("exec <both", "fd:0", "stdin"),
        // Another program has read a line of it before.
        ("exec 3<behind; read -r _ <&3", "fd:3", "fd:3"),
    ];
    let commands = [
        "apply pki.toml",
        "issue --ca r --cn leaf --out out",
        "issue --ca r --from rows.csv --out out",
        "export --ca r --cn kept --name leaf --out out",
        "renew --ca r --cn kept --name leaf --out out",
    ];
    let sandbox = Sandbox::new();
    sandbox.write("ca.pass", "ca-secret\n");
    sandbox.write("both", "ca-secret\nexport-secret\n");
    sandbox.write("behind", "no secret\nca-secret\nexport-secret\n");
    sandbox.write("rows.csv", "cn,profile\nleaf,client\n");
    sandbox.write("pki.toml", declaration);
    sandbox
        .pki("root --name r --passout file:ca.pass")
        .succeeds();
    sandbox
        .pki("issue --ca r --cn kept --passin file:ca.pass")
        .succeeds();
    // Every way to open it with one command, and every command with one way to open it.
    let others = commands[1..].iter().map(|command| (openings[0], *command));
    let all = openings.map(|opening| (opening, commands[0]));
    for ((opening, passin, passout), command) in all.into_iter().chain(others) {
        let copy = sandbox.copy();
        let line = format!("{command} --passin {passin} --passout {passout}");
        let done = with_lines(&copy, opening, &line).succeeds();
        let opens = |passphrase| opens(&copy, "out/leaf.key", passphrase);
        assert!(opens("export-secret"), "{opening}: {done}");
        assert!(!opens("ca-secret"), "{opening}: {done}");
    }
}

#[test]
fn two_passphrases_of_one_file_are_its_first_line() {
    let sandbox = Sandbox::new();
    sandbox.write("both", "the first\nthe second\n");
    sandbox.pki("root --name r --passout file:both").succeeds();
    sandbox
        .pki("issue --ca r --cn leaf --out out --passin file:both --passout file:both")
        .succeeds();
    assert!(opens(&sandbox, "out/leaf.key", "the first"));
}

/// A key that needs no passphrase leaves the first line to --passin all the same.
#[test]
fn the_first_line_is_never_the_passphrase_of_an_export() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name r --no-passphrase").succeeds();
    sandbox.write("both", "ca-secret\nexport-secret\n");
    let line = "issue --ca r --cn leaf --out out --passin fd:3 --passout fd:3";
    with_lines(&sandbox, "exec 3<both", line).succeeds();
    assert!(opens(&sandbox, "out/leaf.key", "export-secret"));
    sandbox.write("both", "ca-secret\n");
    let line = "issue --ca r --cn other --out out --passin fd:3 --passout fd:3";
    with_lines(&sandbox, "exec 3<both", line).refuses(
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the exported key of other
            caused by: the passphrase of file descriptor 3 is empty
        "#]],
    );
    assert!(!sandbox.path("out/other.key").exists());
}

#[test]
fn a_descriptor_that_is_not_open_is_not_another_file_of_pki() {
    let sandbox = with_protected_root();
    let mut said = String::new();
    for number in [10, 11] {
        let line = format!("issue --ca rootCA --cn client --passin fd:{number}");
        said += &with_lines(&sandbox, "exec 10<&- 11<&-", &line).refusal(1, "passphrase-required");
    }
    assert_text(
        &said,
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 10 can't be read: Bad file descriptor (os error 9)
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 11 can't be read: Bad file descriptor (os error 9)
        "#]],
    );
    // Of those that the shell does not close, pki has some open itself.
    let closed = "for number in {3..9}; do eval \"exec $number<&-\"; done";
    let mut said = String::new();
    for number in 3..9 {
        let line = format!("issue --ca rootCA --cn client --passin fd:{number}");
        said += &with_lines(&sandbox, closed, &line).refusal(1, "passphrase-required");
    }
    assert_text(
        &said,
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 3 can't be read: Bad file descriptor (os error 9)
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 4 can't be read: Bad file descriptor (os error 9)
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 5 can't be read: Bad file descriptor (os error 9)
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 6 can't be read: Bad file descriptor (os error 9)
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 7 can't be read: Bad file descriptor (os error 9)
            error: no passphrase given for the key of rootCA
            caused by: file descriptor 8 can't be read: Bad file descriptor (os error 9)
        "#]],
    );
}

crate::engine::also_in_a_database! {
    every_source_of_the_contract_opens_a_key, a_passphrase_in_the_arguments_works_with_a_warning,
    an_option_goes_before_the_environment, a_new_ca_takes_its_passphrase_from_the_environment_too,
    a_wrong_passphrase_is_said_at_once_and_names_the_key, without_a_terminal_nothing_is_asked,
    a_new_key_is_not_left_unencrypted_by_an_empty_passphrase, a_source_that_is_not_there_is_named,
    two_passphrases_of_one_file_are_its_first_line, the_first_line_is_never_the_passphrase_of_an_export,
    a_descriptor_that_is_not_open_is_not_another_file_of_pki,
}

crate::engine::soak_in_a_database! {
    two_passphrases_of_one_descriptor_are_two_lines,
}
