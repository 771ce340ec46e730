//! A store that somebody else can write to: what is put there leads no write to other files.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::Path;

use rustix::process::geteuid;

use expect_test::{Expect, expect};

use crate::run::{Run, Transcript, assert_text};
use crate::sandbox::Sandbox;

const NOBODY: u32 = 65_534;

/// Content of a file that `pki` has no business with.
const PRECIOUS: &str = "precious\n";

/// A root with a certificate and a published CRL, and beside the store a directory with a file.
fn with_elsewhere() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name r --no-passphrase").succeeds();
    sandbox
        .pki("issue --ca r --cn a --profile client")
        .succeeds();
    sandbox.pki("crl").succeeds();
    sandbox.write("elsewhere/file", PRECIOUS);
    sandbox
}

/// Half a line at the end of a journal, as an interrupted command leaves it.
fn tear(sandbox: &Sandbox, journal: &str) {
    let mut lines = sandbox.read(journal);
    lines.push_str("nobody ALL=(ALL) NOPASSWD: ALL");
    sandbox.write(journal, lines);
}

#[track_caller]
fn assert_nothing_elsewhere(sandbox: &Sandbox, said: &Transcript) {
    assert_eq!(sandbox.names_in("elsewhere"), ["file"], "{said}");
    assert_eq!(sandbox.read("elsewhere/file"), PRECIOUS, "{said}");
}

/// Requires that a run is refused for this path, and that nothing happens elsewhere.
#[track_caller]
fn refused(sandbox: &Sandbox, run: Run, path: &str, says: Expect) {
    let said = run.words("--format json").ends_with(1);
    assert_eq!(said.error()["code"], "file-suspect", "{said}");
    let text = said.text_of_stderr().replace(path, "PATH");
    assert_text(&text[text.find("error: ").unwrap()..], says);
    assert_nothing_elsewhere(sandbox, &said);
}

/// Every file that is opened to write to it, and a command that does so.
const WRITTEN: [(&str, &str); 6] = [
    ("pki/r/lock", "issue --ca r --cn b"),
    ("pki/lock", "root --name other --no-passphrase"),
    ("pki/r/serial", "issue --ca r --cn b"),
    ("pki/r/crlnumber", "crl"),
    ("pki/r/issued.jsonl", "issue --ca r --cn b"),
    ("pki/r/revoked.jsonl", "revoke --ca r --cn a"),
];

#[test]
fn nothing_is_written_through_a_symbolic_link_of_the_store() {
    for (path, command) in WRITTEN {
        let sandbox = with_elsewhere();
        let original = sandbox.path("original");
        if sandbox.path(path).exists() {
            fs::rename(sandbox.path(path), &original).unwrap();
        }
        // To a file that is there with the same content, to one that is not, and to another file.
        for target in ["original", "elsewhere/new", "elsewhere/file"] {
            let content = fs::read(&original).ok();
            symlink(sandbox.path(target), sandbox.path(path)).unwrap();
            let said = sandbox.pki(command).ends_with(1);
            assert_nothing_elsewhere(&sandbox, &said);
            assert_eq!(fs::read(&original).ok(), content, "{path}: {said}");
            if target == "original" && content.is_some() {
                assert!(said.stderr.contains(path), "{said}");
            }
            fs::remove_file(sandbox.path(path)).unwrap();
        }
    }
}

#[test]
fn a_torn_line_goes_through_no_link_and_into_no_pipe() {
    for (journal, command) in [
        ("pki/r/issued.jsonl", "issue --ca r --cn b"),
        ("pki/r/revoked.jsonl", "crl"),
        ("pki/r/crls.jsonl", "crl"),
    ] {
        let sandbox = with_elsewhere();
        tear(&sandbox, journal);
        let torn = format!("{journal}.torn");
        for target in ["elsewhere/new", "elsewhere/file"] {
            symlink(sandbox.path(target), sandbox.path(&torn)).unwrap();
            refused(
                &sandbox,
                sandbox.pki(command),
                &torn,
                expect![[r#"
                    error: could not open ./PATH
                    caused by: it is a symbolic link
                    hint: find out who created the link; remove it, or replace it with the file or directory itself
                "#]],
            );
            fs::remove_file(sandbox.path(&torn)).unwrap();
        }
        fs::hard_link(sandbox.path("elsewhere/file"), sandbox.path(&torn)).unwrap();
        refused(
            &sandbox,
            sandbox.pki(command),
            &torn,
            expect![[r#"
                error: could not open ./PATH
                caused by: it has a second name (a hard link)
                hint: find out who created the link; remove it, or replace it with the file or directory itself
            "#]],
        );
        fs::remove_file(sandbox.path(&torn)).unwrap();
        sandbox.run("mkfifo", &torn).succeeds();
        refused(
            &sandbox,
            sandbox.pki(command),
            &torn,
            expect![[r#"
                error: could not open ./PATH
                caused by: it is not a regular file
                hint: find out who created the link; remove it, or replace it with the file or directory itself
            "#]],
        );
        fs::remove_file(sandbox.path(&torn)).unwrap();
        // A file of an earlier command is appended to.
        sandbox.write(&torn, "earlier\n");
        sandbox.pki(command).succeeds();
        let kept = sandbox.read(&torn);
        assert_eq!(kept, "earlier\nnobody ALL=(ALL) NOPASSWD: ALL\n");
    }
}

#[test]
fn a_lock_that_is_a_link_stops_writers_and_not_readers() {
    let sandbox = with_elsewhere();
    fs::remove_file(sandbox.path("pki/lock")).unwrap();
    symlink(sandbox.path("elsewhere/new"), sandbox.path("pki/lock")).unwrap();
    fs::create_dir(sandbox.path("pki/.new-x")).unwrap();
    let said = sandbox.pki("list").succeeds();
    assert_nothing_elsewhere(&sandbox, &said);
    let command = "root --name other --no-passphrase";
    refused(
        &sandbox,
        sandbox.pki(command),
        "pki/lock",
        expect![[r#"
            error: could not open ./PATH
            caused by: it is a symbolic link
            hint: find out who created the link; remove it, or replace it with the file or directory itself
        "#]],
    );
    let checked = sandbox.pki("check").ends_with(3);
    let all = checked.stdout.clone() + &checked.stderr;
    assert!(all.contains("foreign-file"), "{checked}");
}

#[test]
fn a_file_of_another_user_or_a_hard_link_is_not_written_to() {
    let sandbox = with_elsewhere();
    let serial = "pki/r/serial";
    fs::hard_link(sandbox.path(serial), sandbox.path("again")).unwrap();
    refused(
        &sandbox,
        sandbox.pki("issue --ca r --cn b"),
        serial,
        expect![[r#"
            error: could not open ./PATH
            caused by: it has a second name (a hard link)
            hint: find out who created the link; remove it, or replace it with the file or directory itself
        "#]],
    );
    fs::remove_file(sandbox.path("again")).unwrap();
    if geteuid().is_root() {
        chown(sandbox.path(serial), Some(NOBODY), None).unwrap();
        refused(
            &sandbox,
            sandbox.pki("issue --ca r --cn b"),
            serial,
            expect![[r#"
                error: could not open ./PATH
                caused by: it belongs to user 65534, its directory to user 0
                hint: find out who created the link; remove it, or replace it with the file or directory itself
            "#]],
        );
        chown(sandbox.path(serial), Some(0), None).unwrap();
    }
    sandbox.pki("issue --ca r --cn b").succeeds();
}

/// A process that runs as root on a store of another user follows none of that user's links.
#[test]
fn a_directory_that_another_user_made_a_link_is_not_used() {
    for (directory, command) in [
        ("pki/r", "issue --ca r --cn b"),
        ("pki/r/keys", "issue --ca r --cn b"),
        ("pki/crl", "crl"),
        ("pki/r/previous", "issue --ca r --cn b"),
        ("pki/.new-x", "root --name x --no-passphrase"),
    ] {
        let sandbox = with_elsewhere();
        if sandbox.path(directory).exists() {
            let moved = sandbox.path("moved");
            fs::rename(sandbox.path(directory), moved).unwrap();
        } else {
            fs::create_dir(sandbox.path("moved")).unwrap();
        }
        symlink(sandbox.path("moved"), sandbox.path(directory)).unwrap();
        if !directory.contains(".new-") {
            // A link of one's own is what it says.
            sandbox.pki(command).succeeds();
        }
        if geteuid().is_root() {
            lchown(sandbox.path(directory), Some(NOBODY), None).unwrap();
            let before = files_in(&sandbox.path("moved"));
            refused(
                &sandbox,
                sandbox.pki(command),
                directory,
                expect![[r#"
                    error: could not use ./PATH
                    caused by: it is a symbolic link that belongs to user 65534
                    hint: find out who created the link; remove it, or replace it with the file or directory itself
                "#]],
            );
            assert_eq!(files_in(&sandbox.path("moved")), before, "{directory}");
        }
    }
}

fn files_in(directory: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let mut files: Vec<(String, u64)> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, entry.metadata().unwrap().len())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_store_that_is_reached_through_a_link_works() {
    let sandbox = with_elsewhere();
    fs::rename(sandbox.path("pki"), sandbox.path("real")).unwrap();
    symlink("real", sandbox.path("pki")).unwrap();
    if geteuid().is_root() {
        lchown(sandbox.path("pki"), Some(NOBODY), None).unwrap();
    }
    sandbox.pki("issue --ca r --cn b").succeeds();
    sandbox.pki("crl").succeeds();
    sandbox
        .pki("subordinate --ca r --name s --no-passphrase")
        .succeeds();
    sandbox.pki("check").succeeds();
}

/// Root works on a store of another user, and the store's owner on what root left there.
#[test]
fn root_works_on_the_store_of_another_user() {
    if !geteuid().is_root() {
        return;
    }
    let sandbox = with_elsewhere();
    sandbox.run("chown", "-R 65534:65534 pki").succeeds();
    for command in [
        "issue --ca r --cn b",
        "revoke --ca r --cn a",
        "crl",
        "subordinate --ca r --name s --no-passphrase",
        "issue --ca s --cn c",
    ] {
        sandbox.pki(command).succeeds();
    }
}

/// A repair changes the permissions of the file that is there, not of what a link leads to.
#[test]
fn a_repair_changes_no_permissions_elsewhere() {
    let sandbox = with_elsewhere();
    let elsewhere = sandbox.path("elsewhere/file");
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o666)).unwrap();
    for name in [
        "pki/r/keys/01.key",
        "pki/crl/other",
        "pki/r/issued.jsonl.torn",
    ] {
        symlink(&elsewhere, sandbox.path(name)).unwrap();
    }
    let _ = sandbox.pki("check --repair").finish();
    assert_eq!(fs::metadata(&elsewhere).unwrap().mode() & 0o777, 0o666);
    assert_eq!(sandbox.read("elsewhere/file"), PRECIOUS);
}
