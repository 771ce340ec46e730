//! Where files are written: with which mode, and over what never.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::{STORE, Sandbox};

const ISSUE: &str = "issue --ca intermediate0 --cn client --out out --no-passphrase";

fn under_umask(sandbox: &Sandbox, umask: &str, line: &str) -> Run {
    let script = format!("umask {umask}; exec \"$@\"");
    let run = sandbox.run("sh", "-c").arg(script).arg("sh");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

/// Requires that the run is refused for what stands in the place of this file.
#[track_caller]
fn assert_in_the_way(sandbox: &Sandbox, run: Run, code: &str, file: &str) {
    let refused = sandbox.refusal(run, 1, code);
    assert!(refused.contains(file), "{refused}");
}

fn mode(sandbox: &Sandbox, file: &str) -> u32 {
    let metadata = fs::metadata(sandbox.path(file)).unwrap();
    metadata.permissions().mode() & 0o777
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
fn a_bundle_replaced_under_a_narrow_umask_stays_readable() {
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
    sandbox.refused(
        sandbox.pki(ISSUE),
        1,
        "file-exists",
        expect![[r#"
            error: could not create out/client.crt
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    assert_eq!(sandbox.read("out/client.key"), before);
    sandbox.pki(ISSUE).arg("--force").succeeds();
    assert_ne!(sandbox.read("out/client.key"), before);
    assert_eq!(mode(&sandbox, "out/client.key"), 0o600);
}

#[test]
fn with_one_file_in_the_way_none_of_the_others_is_written() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("out/client.fullchain.pem", "mine");
    assert_in_the_way(
        &sandbox,
        sandbox.pki(ISSUE),
        "file-exists",
        "out/client.fullchain.pem",
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
    assert_in_the_way(
        &sandbox,
        sandbox.pki(ISSUE),
        "file-exists",
        "out/client.key",
    );
    sandbox.pki(ISSUE).arg("--force").finish();
    assert_eq!(sandbox.read("target"), "precious");
}

#[test]
fn a_dangling_link_in_the_place_of_a_key_creates_nothing() {
    let sandbox = Sandbox::with_open_ca();
    fs::create_dir(sandbox.path("out")).unwrap();
    symlink(sandbox.path("elsewhere"), sandbox.path("out/client.key")).unwrap();
    assert_in_the_way(
        &sandbox,
        sandbox.pki(ISSUE),
        "file-exists",
        "out/client.key",
    );
    assert!(!sandbox.path("elsewhere").exists());
}

#[test]
fn a_fifo_or_folder_in_the_place_of_a_key_is_refused_at_once() {
    let sandbox = Sandbox::with_open_ca();
    fs::create_dir(sandbox.path("out")).unwrap();
    sandbox.run("mkfifo", "out/client.key").succeeds();
    assert_in_the_way(
        &sandbox,
        sandbox.pki(ISSUE),
        "file-exists",
        "out/client.key",
    );
    sandbox.refused(
        sandbox.pki(ISSUE).arg("--force"),
        1,
        "file-failed",
        expect![[r#"
            error: could not create out/client.key
            caused by: it exists and is not a regular file
        "#]],
    );
    fs::remove_file(sandbox.path("out/client.key")).unwrap();
    fs::create_dir(sandbox.path("out/client.key")).unwrap();
    assert_in_the_way(
        &sandbox,
        sandbox.pki(ISSUE),
        "file-exists",
        "out/client.key",
    );
}

/// The name under which a file is made before it has its own is known to everyone.
#[test]
fn a_link_under_the_hidden_name_of_a_key_is_not_followed() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn client")
        .succeeds();
    fs::create_dir(sandbox.path("out")).unwrap();
    let mut said = String::new();
    for (hidden, export) in [
        (".client.key.part", "--no-passphrase"),
        (
            ".client.secret.yaml.part",
            "--for kubernetes --no-passphrase",
        ),
        (".client.p12.part", "--for java --passout env:NEW"),
    ] {
        symlink(sandbox.path("elsewhere"), sandbox.path("out").join(hidden)).unwrap();
        let export = sandbox
            .pki("export --ca intermediate0 --cn client --out out")
            .words(export);
        said += &export.env("NEW", "a new one").refusal(1, "file-failed");
        assert!(!sandbox.path("elsewhere").exists(), "{hidden}");
        assert_eq!(sandbox.names_in("out"), [hidden]);
        fs::remove_file(sandbox.path("out").join(hidden)).unwrap();
    }
    assert_text(
        &said,
        expect![[r#"
            error: could not create out/client.key
            caused by: its temporary name is taken by something that is not a file
            error: could not create out/client.secret.yaml
            caused by: its temporary name is taken by something that is not a file
            error: could not create out/client.p12
            caused by: its temporary name is taken by something that is not a file
        "#]],
    );
}

#[test]
fn what_stands_in_the_place_of_a_key_store_stays() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn client")
        .succeeds();
    for (file, export) in [
        ("out/client.p12", "--for java --passout env:NEW"),
        ("out/client.secret.yaml", "--for kubernetes --no-passphrase"),
    ] {
        let export = || {
            let run = sandbox
                .pki("export --ca intermediate0 --cn client --out out")
                .words(export);
            run.env("NEW", "a new one")
        };
        sandbox.write(file, "precious");
        assert_in_the_way(&sandbox, export(), "file-exists", file);
        assert_eq!(sandbox.read(file), "precious");
        fs::remove_file(sandbox.path(file)).unwrap();
        symlink(sandbox.path("elsewhere"), sandbox.path(file)).unwrap();
        assert_in_the_way(&sandbox, export(), "file-exists", file);
        assert_in_the_way(&sandbox, export().arg("--force"), "file-failed", file);
        assert!(!sandbox.path("elsewhere").exists(), "{file}");
        fs::remove_file(sandbox.path(file)).unwrap();
    }
}

#[test]
fn an_output_directory_that_is_a_file_is_refused_at_once() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("out", "a file");
    sandbox.refused(
        sandbox.pki(ISSUE),
        1,
        "not-a-directory",
        expect![[r#"
            error: could not use out
            caused by: not a directory
            hint: use another directory
        "#]],
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
        "file-foreign",
        expect![[r#"
            error: notes.txt already exists and is not a bundle
            hint: use another file, or --force to replace it
        "#]],
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
    let run = sandbox.pki("bundle --out pki/rootCA/ca.key");
    assert_in_the_way(&sandbox, run, "file-foreign", "pki/rootCA/ca.key");
    assert_eq!(sandbox.read("pki/rootCA/ca.key"), key);
}

#[test]
fn an_empty_state_file_is_damage_and_not_a_new_store() {
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
        let run = sandbox.pki("issue --ca rootCA --cn client");
        let is_key = file.ends_with("ca.key");
        let code = if is_key { "not-a-key" } else { "store-damaged" };
        assert_in_the_way(&sandbox, run, code, file);
    }
}

#[test]
fn a_store_of_a_newer_format_is_refused_and_left_alone() {
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
        "store-newer",
        expect![[r#"
            error: the store at ./pki has format 99; this program supports formats up to 5
            hint: use the version of pki that wrote it, or a newer one
        "#]],
    );
}

crate::engine::also_in_a_database! {
    certificates_follow_the_umask, a_bundle_replaced_under_a_narrow_umask_stays_readable,
    a_certificate_or_key_is_not_overwritten_without_force,
    with_one_file_in_the_way_none_of_the_others_is_written,
    a_symbolic_link_in_the_place_of_a_key_is_not_followed,
    a_dangling_link_in_the_place_of_a_key_creates_nothing,
    a_fifo_or_folder_in_the_place_of_a_key_is_refused_at_once,
    a_link_under_the_hidden_name_of_a_key_is_not_followed, what_stands_in_the_place_of_a_key_store_stays,
    an_output_directory_that_is_a_file_is_refused_at_once, a_bundle_replaces_a_bundle_and_nothing_else,
    a_bundle_does_not_replace_a_key,
}
