//! What is said where there is no room, and where nothing may be written; and that what is there can be read.
//!
//! `faults` takes every command that writes through every shortage.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use rustix::process::geteuid;

use expect_test::{Expect, expect};

use crate::room::Room;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

const NOBODY: u32 = 65_534;

/// Commands that only read.
const READING: [&str; 8] = [
    "list",
    "tree",
    "show --ca intermediate0",
    "show --ca intermediate0 --cn kept",
    "verify given/kept.crt",
    "check",
    "crl --check",
    "crl --in pki/crl/rootCA.crl --to-pem --out -",
];

/// A certificate with its files, lists, and a certificate that can still be revoked.
fn begin() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "issue --ca intermediate0 --cn kept --out given --no-passphrase",
        "issue --ca intermediate0 --cn victim",
        "crl --to-pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Requires that each command is refused with this code, and that not a byte of any file is other than before.
#[track_caller]
fn refuses(sandbox: &Sandbox, run: impl Fn(&str) -> Run, lines: &[&str], code: &str, says: Expect) {
    let before = Snapshot::of(sandbox.folder());
    let mut said = String::new();
    for line in lines {
        said += &run(line).refusal(1, code);
        let changed = before.differences(sandbox.folder());
        // Numbers are used up.
        let is_used = |line: &String| line.ends_with("/serial") || line.ends_with("/crlnumber");
        assert!(changed.iter().all(is_used), "{line}: {changed:?}");
    }
    assert_text(&said, says);
}

/// What each of the commands that read says.
fn said(run: impl Fn(&str) -> Run) -> Vec<String> {
    let said = READING.map(|line| run(line).succeeds().to_string());
    said.to_vec()
}

#[test]
fn a_disk_that_is_full_is_said_with_what_could_not_be_written() {
    let mut room = Room::new();
    let sandbox = begin().copy_into(room.sandbox());
    let reading = said(|line| sandbox.pki(line));
    room.leave_pages(0);
    refuses(
        &sandbox,
        |line| sandbox.pki(line),
        &[
            "issue --ca intermediate0 --cn fresh",
            "crl",
            "root --name other --no-passphrase",
            "export --ca intermediate0 --cn kept --out given --force --no-passphrase",
            "bundle --out truststore.pem",
        ],
        "no-space",
        expect![[r#"
            error: could not write ./pki/intermediate0/keys/[serial].key
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not write ./pki/crl/intermediate0.crl
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not write ./pki/crl/rootCA.crl
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not write ./pki/.new-other/ca.key
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not write given/kept.crt
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not write truststore.pem
            caused by: No space left on device (os error 28)
            hint: free some space and try again
        "#]],
    );
    assert_eq!(said(|line| sandbox.pki(line)), reading);
    room.has_room();
    sandbox
        .pki("issue --ca intermediate0 --cn fresh")
        .succeeds();
    sandbox.pki("check").succeeds();
}

/// A command that can say that it is done, and can't: its output goes to the disk that is full.
#[test]
fn a_result_that_has_no_room_on_standard_output_is_no_success() {
    let mut room = Room::new();
    let sandbox = begin().copy_into(room.sandbox());
    room.leave_pages(0);
    for line in ["list", "crl --in pki/crl/rootCA.crl --to-pem --out -"] {
        let into_file = sandbox
            .run("sh", "-c")
            .arg("exec \"$@\" >output")
            .arg("sh")
            .arg(env!("CARGO_BIN_EXE_pki"))
            .words(line);
        let cut = into_file.ends_with(1);
        assert_text(
            &cut.stderr,
            expect![[r#"
                error: could not write to standard output
                caused by: No space left on device (os error 28)
            "#]],
        );
    }
    room.has_room();
}

#[test]
fn a_disk_without_inodes_is_said_with_what_could_not_be_made() {
    let mut room = Room::new();
    let sandbox = begin().copy_into(room.sandbox());
    let reading = said(|line| sandbox.pki(line));
    room.leave_inodes(0);
    refuses(
        &sandbox,
        |line| sandbox.pki(line),
        &[
            "issue --ca intermediate0 --cn fresh",
            "issue --ca intermediate0 --cn fresh --out out --no-passphrase",
            "crl",
            "backup backup.tar",
        ],
        "no-space",
        expect![[r#"
            error: could not create ./pki/intermediate0/keys/[serial].key
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not create out
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not create ./pki/crl/intermediate0.crl
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not create ./pki/crl/rootCA.crl
            caused by: No space left on device (os error 28)
            hint: free some space and try again
            error: could not create backup.tar
            caused by: No space left on device (os error 28)
            hint: free some space and try again
        "#]],
    );
    assert_eq!(said(|line| sandbox.pki(line)), reading);
    // A line of a journal needs no inode, and no page while the last one has room.
    sandbox
        .pki("revoke --ca intermediate0 --cn victim")
        .succeeds();
    room.has_room();
    sandbox.pki("crl").succeeds();
    sandbox.pki("check").succeeds();
}

/// SIGXFSZ ends a process that does not ignore it, and leaves a core where there is a limit for it.
#[test]
fn a_limit_on_the_size_of_files_ends_no_process() {
    let sandbox = begin();
    let limited = |line: &str| {
        let run = sandbox.run("prlimit", "--fsize=10 --core=unlimited");
        run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
    };
    refuses(
        &sandbox,
        limited,
        &[
            "issue --ca intermediate0 --cn fresh",
            "revoke --ca intermediate0 --cn victim",
            "crl",
            "bundle --out truststore.pem",
        ],
        "file-too-large",
        expect![[r#"
            error: could not write ./pki/intermediate0/serial
            caused by: File too large (os error 27)
            hint: raise the limit on the size of files: `ulimit -f`
            error: could not write ./pki/intermediate0/revoked.jsonl
            caused by: File too large (os error 27)
            hint: raise the limit on the size of files: `ulimit -f`
            error: could not write ./pki/intermediate0/crlnumber
            caused by: File too large (os error 27)
            hint: raise the limit on the size of files: `ulimit -f`
            error: could not write ./pki/rootCA/crlnumber
            caused by: File too large (os error 27)
            hint: raise the limit on the size of files: `ulimit -f`
            error: could not write truststore.pem
            caused by: File too large (os error 27)
            hint: raise the limit on the size of files: `ulimit -f`
        "#]],
    );
    sandbox.pki("check").succeeds();
}

#[test]
fn a_read_only_file_system_is_read_and_left_alone() {
    let mut room = Room::new();
    let sandbox = begin().copy_into(room.sandbox());
    let reading = said(|line| sandbox.pki(line));
    room.be_read_only();
    refuses(
        &sandbox,
        |line| sandbox.pki(line),
        &[
            "issue --ca intermediate0 --cn fresh",
            "revoke --ca intermediate0 --cn victim",
            "crl",
            "root --name other --no-passphrase",
            "export --ca intermediate0 --cn kept --out out --no-passphrase",
            "bundle --out truststore.pem",
        ],
        "read-only",
        expect![[r#"
            error: could not open ./pki/intermediate0/issued.jsonl
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
            error: could not open ./pki/intermediate0/revoked.jsonl
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
            error: could not open ./pki/intermediate0/revoked.jsonl
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
            error: could not open ./pki/rootCA/revoked.jsonl
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
            error: could not create ./pki/.new-other
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
            error: could not create out
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
            error: could not create truststore.pem
            caused by: Read-only file system (os error 30)
            hint: mount it writable, or use another place
        "#]],
    );
    assert_eq!(said(|line| sandbox.pki(line)), reading);
    // Results go where there is room for them.
    let beside = Sandbox::new();
    for (line, name) in [
        (
            "export --ca intermediate0 --cn kept --no-passphrase --out",
            "out",
        ),
        ("bundle --out", "truststore.pem"),
        ("backup", "backup.tar"),
    ] {
        sandbox.pki(line).arg(beside.path(name)).succeeds();
    }
    beside.pki("restore backup.tar").succeeds();
    room.has_room();
    sandbox
        .pki("issue --ca intermediate0 --cn fresh")
        .succeeds();
}

/// Somebody who may read everything, and write nothing.
#[test]
fn a_read_only_directory_is_read_and_left_alone() {
    let sandbox = begin();
    let program = sandbox.path("pki-binary");
    fs::copy(env!("CARGO_BIN_EXE_pki"), &program).unwrap();
    let reading = said(|line| sandbox.pki(line));
    let is_root = geteuid().is_root();
    if is_root {
        own(sandbox.folder(), NOBODY);
    }
    may_be_written(sandbox.folder(), false);
    let as_reader = |line: &str| {
        if is_root {
            let to_nobody = format!("--reuid={NOBODY} --regid={NOBODY} --clear-groups");
            let run = sandbox.run("setpriv", &to_nobody).arg(&program);
            run.words(line)
        } else {
            sandbox.pki(line)
        }
    };
    refuses(
        &sandbox,
        as_reader,
        &[
            "issue --ca intermediate0 --cn fresh",
            "revoke --ca intermediate0 --cn victim",
            "crl",
            "root --name other --no-passphrase",
            "export --ca intermediate0 --cn kept --out out --no-passphrase",
        ],
        "permission-denied",
        expect![[r#"
            error: could not open ./pki/intermediate0/lock
            caused by: Permission denied (os error 13)
            hint: check the permissions of the directory and the file
            error: could not open ./pki/intermediate0/lock
            caused by: Permission denied (os error 13)
            hint: check the permissions of the directory and the file
            error: could not open ./pki/intermediate0/lock
            caused by: Permission denied (os error 13)
            hint: check the permissions of the directory and the file
            error: could not open ./pki/rootCA/lock
            caused by: Permission denied (os error 13)
            hint: check the permissions of the directory and the file
            error: could not open ./pki/lock
            caused by: Permission denied (os error 13)
            hint: check the permissions of the directory and the file
            error: could not create out
            caused by: Permission denied (os error 13)
            hint: check the permissions of the directory and the file
        "#]],
    );
    let read = said(as_reader);
    may_be_written(sandbox.folder(), true);
    let after_command = |said: &str| said.split_once("\n--- stdout\n").unwrap().1.to_owned();
    for (read, reading) in read.iter().zip(&reading) {
        assert_same(&after_command(read), &after_command(reading));
    }
}

/// Gives everything in a folder, and itself, to a user.
fn own(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            own(&entry.unwrap().path(), user);
        }
    }
}

/// Takes the right to write from everything in a folder, and from itself; or gives it to the owner.
fn may_be_written(path: &Path, may: bool) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    let mode = if may { mode | 0o200 } else { mode & !0o222 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            may_be_written(&entry.unwrap().path(), may);
        }
    }
}
