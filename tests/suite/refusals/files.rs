//! Where files are written: with which mode, and over what never.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

const ISSUE: &str = "issue --ca intermediate0 --cn client --out out --no-passphrase";

fn under_umask(sandbox: &Sandbox, umask: &str, line: &str) -> Run {
    let script = format!("umask {umask}; exec \"$@\"");
    let run = sandbox.run("sh", "-c").arg(script).arg("sh");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

/// What is said where a file is in the way.
fn in_the_way(file: &str) -> String {
    format!(
        "error: could not create {file}\n\
         caused by: it is there already\n\
         hint: give another place, or --force to replace it\n"
    )
}

fn not_a_bundle(file: &str) -> String {
    format!(
        "error: {file} is there already and is not a bundle\n\
         hint: give another file, or --force to replace it\n"
    )
}

fn mode(sandbox: &Sandbox, file: &str) -> u32 {
    let metadata = fs::metadata(sandbox.path(file)).unwrap();
    metadata.permissions().mode() & 0o777
}

/// tang, acme.sh and certbot had keys that everyone could read, if only for a moment.
#[test]
fn every_file_that_holds_a_key_is_created_exclusively_with_mode_0600() {
    let sandbox = Sandbox::new();
    sandbox.write("export.pass", "for the export");
    let mut files_with_keys = 0;
    for (n, line) in [
        "root --name rootCA",
        "subordinate --ca rootCA --name intermediate0",
        "issue --ca intermediate0 --cn client --out out --passout file:export.pass",
        "export --ca intermediate0 --cn client --out plain --no-passphrase",
        "export --ca intermediate0 --key --out key --passout file:export.pass",
    ]
    .iter()
    .enumerate()
    {
        let trace = format!("trace-{n}");
        let script = "umask 000; exec strace -f -y -s 64 -e trace=open,openat,creat,write,pwrite64,writev -o \"$@\"";
        sandbox
            .run("sh", "-c")
            .arg(script)
            .words("sh")
            .arg(&trace)
            .arg(env!("CARGO_BIN_EXE_pki"))
            .words(line)
            .env("PKI_PASSPHRASE", PASSPHRASE)
            .succeeds();
        files_with_keys += assert_keys_are_private(&sandbox.read(&trace));
    }
    // Two CAs, a leaf in the store, and three exports.
    assert_eq!(files_with_keys, 6);
    for file in [
        "pki/rootCA/ca.key",
        "out/client.key",
        "plain/client.key",
        "key/intermediate0.key",
    ] {
        assert_eq!(mode(&sandbox, file), 0o600, "{file}");
    }
}

/// Follows each file from its creation to the write that puts a key into it.
/// Says how many there were.
#[track_caller]
fn assert_keys_are_private(trace: &str) -> usize {
    let mut created = BTreeMap::new();
    let mut with_keys = 0;
    for call in trace.lines() {
        let file = call
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        if call.contains("O_CREAT") {
            // `openat(…, "name", flags, mode) = 3</path/name>`
            let opened = call
                .rsplit_once('<')
                .map(|(_, rest)| rest.trim_end_matches('>'));
            created.insert(opened.unwrap_or_default().to_owned(), call.to_owned());
        } else if call.contains("PRIVATE KEY") {
            let (path, _) = file.expect("strace -y names the file");
            let creation = created
                .get(path)
                .unwrap_or_else(|| panic!("not created: {call}"));
            assert!(creation.contains("O_EXCL"), "{creation}");
            assert!(creation.contains(", 0600)"), "{creation}");
            with_keys += 1;
        }
    }
    with_keys
}

#[test]
fn certificates_follow_the_umask() {
    let sandbox = Sandbox::with_open_ca();
    under_umask(&sandbox, "027", ISSUE).succeeds();
    assert_eq!(mode(&sandbox, "out/client.crt"), 0o640);
    assert_eq!(mode(&sandbox, "out/client.key"), 0o600);
}

/// A server that reads the bundle must be able to read the next one too.
#[test]
fn a_bundle_that_is_replaced_under_a_narrow_umask_can_still_be_read() {
    let sandbox = Sandbox::with_open_ca();
    under_umask(&sandbox, "022", "bundle --out truststore.pem").succeeds();
    under_umask(&sandbox, "077", "bundle --out truststore.pem").succeeds();
    assert_eq!(mode(&sandbox, "truststore.pem"), 0o644);
}

#[test]
fn a_certificate_or_key_is_not_overwritten_without_force() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki(ISSUE).succeeds();
    let before = sandbox.read("out/client.key");
    sandbox.refused(sandbox.pki(ISSUE), 1, &in_the_way("out/client.crt"));
    assert_eq!(sandbox.read("out/client.key"), before);
    sandbox.pki(ISSUE).arg("--force").succeeds();
    assert_ne!(sandbox.read("out/client.key"), before);
    assert_eq!(mode(&sandbox, "out/client.key"), 0o600);
}

#[test]
fn with_one_file_in_the_way_none_of_the_others_is_written() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("out/client.fullchain.pem", "mine");
    sandbox.refused(
        sandbox.pki(ISSUE),
        1,
        &in_the_way("out/client.fullchain.pem"),
    );
    assert_eq!(sandbox.names_in("out"), ["client.fullchain.pem"]);
    assert_eq!(sandbox.read("out/client.fullchain.pem"), "mine");
}

#[test]
fn a_symbolic_link_in_the_place_of_a_key_is_not_followed() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("target", "precious");
    fs::create_dir(sandbox.path("out")).unwrap();
    symlink(sandbox.path("target"), sandbox.path("out/client.key")).unwrap();
    sandbox.refused(sandbox.pki(ISSUE), 1, &in_the_way("out/client.key"));
    sandbox.pki(ISSUE).arg("--force").finish();
    assert_eq!(sandbox.read("target"), "precious");
}

#[test]
fn a_dangling_link_in_the_place_of_a_key_creates_nothing_elsewhere() {
    let sandbox = Sandbox::with_open_ca();
    fs::create_dir(sandbox.path("out")).unwrap();
    symlink(sandbox.path("elsewhere"), sandbox.path("out/client.key")).unwrap();
    sandbox.refused(sandbox.pki(ISSUE), 1, &in_the_way("out/client.key"));
    assert!(!sandbox.path("elsewhere").exists());
}

#[test]
fn a_fifo_or_folder_in_the_place_of_a_key_is_refused_at_once() {
    let sandbox = Sandbox::with_open_ca();
    fs::create_dir(sandbox.path("out")).unwrap();
    sandbox.run("mkfifo", "out/client.key").succeeds();
    sandbox.refused(sandbox.pki(ISSUE), 1, &in_the_way("out/client.key"));
    sandbox.refused(sandbox.pki(ISSUE).arg("--force"), 1, "error: could not create out/client.key\ncaused by: what stands in its place is not a regular file\n");
    fs::remove_file(sandbox.path("out/client.key")).unwrap();
    fs::create_dir(sandbox.path("out/client.key")).unwrap();
    sandbox.refused(sandbox.pki(ISSUE), 1, &in_the_way("out/client.key"));
}

#[test]
fn an_output_folder_that_is_a_file_is_refused_before_anything_is_issued() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("out", "a file");
    sandbox.refused(
        sandbox.pki(ISSUE),
        1,
        "error: could not use out\ncaused by: not a directory\nhint: name another folder\n",
    );
}

#[test]
fn a_bundle_replaces_a_bundle_and_nothing_else() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("bundle --out truststore.pem").succeeds();
    sandbox.pki("bundle --out truststore.pem").succeeds();
    sandbox.write("notes.txt", "mine");
    sandbox.refused(
        sandbox.pki("bundle --out notes.txt"),
        1,
        &not_a_bundle("notes.txt"),
    );
    assert_eq!(sandbox.read("notes.txt"), "mine");
    sandbox.pki("bundle --out notes.txt --force").succeeds();
    assert!(
        sandbox
            .read("notes.txt")
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
}

/// A key is the one thing that must not be lost to a wrong `--out`.
#[test]
fn a_bundle_does_not_replace_a_key() {
    let sandbox = Sandbox::with_open_ca();
    let key = sandbox.read("pki/rootCA/ca.key");
    sandbox.refused(
        sandbox.pki("bundle --out pki/rootCA/ca.key"),
        1,
        &not_a_bundle("pki/rootCA/ca.key"),
    );
    assert_eq!(sandbox.read("pki/rootCA/ca.key"), key);
}

#[test]
fn an_empty_or_truncated_state_file_is_damage_and_never_a_new_store() {
    for file in [
        "store.json",
        "rootCA/ca.json",
        "rootCA/serial",
        "rootCA/ca.crt",
        "rootCA/ca.key",
    ] {
        let sandbox = Sandbox::with_open_ca();
        sandbox.pki("issue --ca rootCA --cn first").succeeds();
        fs::write(sandbox.path(STORE).join(file), "").unwrap();
        let before = sandbox.store_snapshot();
        let refused = sandbox.pki("issue --ca rootCA --cn client").ends_with(1);
        assert!(refused.stderr.contains(file), "{file}: {refused}");
        before.assert_unchanged(&sandbox.path(STORE));
    }
}

#[test]
fn a_store_of_a_newer_format_is_read_by_nobody_and_left_as_it_is() {
    let sandbox = Sandbox::with_open_ca();
    let format = sandbox.read("pki/store.json");
    let digits = |c: char| c.is_ascii_digit();
    let (start, end) = (format.find(digits).unwrap(), format.rfind(digits).unwrap());
    sandbox.write(
        "pki/store.json",
        format!("{}99{}", &format[..start], &format[end + 1..]),
    );
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn client"),
        1,
        "error: the store at ./pki has format 99; this program knows formats up to 3\n\
         hint: use the version of pki that wrote it, or a newer one\n",
    );
}
