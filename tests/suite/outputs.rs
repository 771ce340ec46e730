//! Outputs that are symbolic links, pipes and devices: the file behind links is replaced, and pipes are
//! written to.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};

use rustix::process::geteuid;

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

const NOBODY: u32 = 65_534;

const APPLIED: &str = "[crl.rootCA]\nto_pem = true\nchain = true\nout = \"www\"\n";

const BUNDLE: &str = "bundle --ca rootCA --out";

fn link(sandbox: &Sandbox, target: &str, name: &str) {
    symlink(target, sandbox.path(name)).unwrap();
}

/// A bundle of both CAs as `etc/real.pem`, which links lead to.
fn with_links() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    fs::create_dir(sandbox.path("etc")).unwrap();
    sandbox.pki("bundle --out etc/real.pem").succeeds();
    link(&sandbox, "real.pem", "etc/link.pem");
    link(&sandbox, "etc/link.pem", "relative.pem");
    let absolute = sandbox.path("relative.pem");
    symlink(absolute, sandbox.path("absolute.pem")).unwrap();
    sandbox
}

fn is_link(sandbox: &Sandbox, name: &str) -> bool {
    fs::symlink_metadata(sandbox.path(name))
        .unwrap()
        .is_symlink()
}

#[test]
fn the_bundle_behind_links_is_replaced() {
    let root = with_links().read("pki/rootCA/ca.crt").lines().count();
    for name in ["etc/link.pem", "relative.pem", "absolute.pem"] {
        let sandbox = with_links();
        let inode = |name: &str| fs::metadata(sandbox.path(name)).unwrap().ino();
        let before = inode("etc/real.pem");
        let written = sandbox.pki(&format!("--format json {BUNDLE} {name}"));
        let written = written.succeeds().json();
        assert_eq!(written["file"], name);
        assert_eq!(written["changes"]["removed"].as_array().unwrap().len(), 1);
        assert!(is_link(&sandbox, name), "{name}");
        assert_eq!(sandbox.read("etc/real.pem").lines().count(), root);
        // Whoever has the old file open goes on reading the old one.
        assert_ne!(inode("etc/real.pem"), before);
        assert_eq!(sandbox.names_in("etc"), ["link.pem", "real.pem"]);
    }
}

#[test]
fn a_link_that_leads_nowhere_gets_its_file() {
    let sandbox = with_links();
    link(&sandbox, "etc/new.pem", "dangling.pem");
    sandbox.pki(&format!("{BUNDLE} dangling.pem")).succeeds();
    assert!(is_link(&sandbox, "dangling.pem"));
    assert_eq!(
        sandbox.read("etc/new.pem"),
        sandbox.read("pki/rootCA/ca.crt")
    );
    link(&sandbox, "missing/new.pem", "astray.pem");
    let run = sandbox.pki(&format!("{BUNDLE} astray.pem"));
    run.refuses(
        1,
        "file-not-found",
        expect![[r#"
            error: could not create missing/new.pem
            caused by: No such file or directory (os error 2)
        "#]],
    );
}

#[test]
fn what_a_link_leads_to_is_replaced_only_if_it_may_be() {
    let sandbox = with_links();
    sandbox.write("notes.txt", "precious\n");
    link(&sandbox, "notes.txt", "notes.pem");
    link(&sandbox, "etc", "directory.pem");
    link(&sandbox, "round.pem", "round.pem");
    link(&sandbox, "pki/rootCA/issued.jsonl", "journal.pem");
    link(&sandbox, "pki/rootCA/ca.crt", "ca.pem");
    let mut said = String::new();
    let mut refuses = |name: &str, options: &str, code: &str| {
        let line = format!("{BUNDLE} {name}.pem {options}");
        said += &sandbox.pki(&line).refusal(1, code);
    };
    let before = sandbox.store_snapshot();
    refuses("notes", "", "file-foreign");
    refuses("directory", "", "file-foreign");
    refuses("directory", "--force", "file-failed");
    refuses("round", "--force", "file-failed");
    // The store's own files are reached through no link.
    refuses("journal", "--force", "file-suspect");
    refuses("ca", "--force", "file-suspect");
    assert_text(
        &said,
        expect![[r#"
            error: notes.pem already exists and is not a bundle
            hint: use another file, or --force to replace it
            error: directory.pem already exists and is not a bundle
            hint: use another file, or --force to replace it
            error: could not create etc
            caused by: it exists and is not a regular file
            error: could not follow round.pem
            caused by: Too many levels of symbolic links (os error 40)
            hint: the symbolic links form a loop: remove one, or use another path
            error: could not follow journal.pem
            caused by: it is a symbolic link into the directory of a CA, or to a file of the store's own
            hint: use another --out, or remove the link
            error: could not follow ca.pem
            caused by: it is a symbolic link into the directory of a CA, or to a file of the store's own
            hint: use another --out, or remove the link
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
    assert_eq!(sandbox.read("notes.txt"), "precious\n");
    sandbox
        .pki(&format!("{BUNDLE} notes.pem --force"))
        .succeeds();
    assert_eq!(sandbox.read("notes.txt"), sandbox.read("pki/rootCA/ca.crt"));
}

#[test]
fn a_link_of_another_user_is_not_followed() {
    if !geteuid().is_root() {
        return;
    }
    let sandbox = with_links();
    lchown(sandbox.path("etc/link.pem"), Some(NOBODY), None).unwrap();
    let before = sandbox.read("etc/real.pem");
    let mut said = String::new();
    for name in ["etc/link.pem", "relative.pem"] {
        let run = sandbox.pki(&format!("{BUNDLE} {name} --force"));
        said += &run.refusal(1, "file-suspect");
    }
    assert_text(
        &said,
        expect![[r#"
            error: could not follow etc/link.pem
            caused by: it is a symbolic link that belongs to user 65534
            hint: find out who created the link; remove it, or replace it with the file or directory itself
            error: could not follow etc/link.pem
            caused by: it is a symbolic link that belongs to user 65534
            hint: find out who created the link; remove it, or replace it with the file or directory itself
        "#]],
    );
    assert_eq!(sandbox.read("etc/real.pem"), before);
}

/// `www/` with links to the CRLs of `etc/`, in every form.
fn with_linked_crls() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --to-pem --chain --out etc").succeeds();
    fs::create_dir(sandbox.path("www")).unwrap();
    for name in sandbox.names_in("etc") {
        link(&sandbox, &format!("../etc/{name}"), &format!("www/{name}"));
    }
    sandbox
}

#[test]
fn the_crls_behind_links_of_a_directory_are_replaced() {
    let sandbox = with_linked_crls();
    sandbox.pki("crl --out www").succeeds();
    for name in sandbox.names_in("etc") {
        assert!(is_link(&sandbox, &format!("www/{name}")), "{name}");
        assert_eq!(sandbox.list_in(&format!("etc/{name}")).number, 2, "{name}");
    }
    assert_eq!(sandbox.names_in("www"), sandbox.names_in("etc"));
    // A published CRL that a link leads to is known: none is signed without need, and none loses entries.
    let kept = sandbox.pki("--format json crl --out www --if-needed");
    assert_eq!(kept.succeeds().json()[0]["signed"], false);
    sandbox.pki("crl --check").ends_with(3);
    sandbox.write("etc/rootCA.crl", "precious");
    let run = sandbox.pki("crl --ca rootCA --out www");
    run.refuses(
        1,
        "file-foreign",
        expect![[r#"
            error: www/rootCA.crl already exists and is not a CRL of this CA
            hint: use another file, or --force to replace it
        "#]],
    );
    assert_eq!(sandbox.read("etc/rootCA.crl"), "precious");
}

#[test]
fn links_in_the_store_are_not_followed() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    let published = sandbox.path("pki/crl/rootCA.crl");
    fs::rename(&published, sandbox.path("moved.crl")).unwrap();
    symlink(sandbox.path("moved.crl"), &published).unwrap();
    let before = fs::read(sandbox.path("moved.crl")).unwrap();
    sandbox.pki("crl --ca rootCA").ends_with(1);
    assert_eq!(fs::read(sandbox.path("moved.crl")).unwrap(), before);
}

#[test]
fn a_converted_crl_follows_links_too() {
    let sandbox = with_linked_crls();
    link(&sandbox, "etc/rootCA.crl", "out.crl");
    sandbox
        .pki("crl --in etc/intermediate0.crl --to-der --out out.crl")
        .succeeds();
    assert!(is_link(&sandbox, "out.crl"));
    let [one, other] = ["etc/rootCA.crl", "etc/intermediate0.crl"];
    let bytes = |name: &str| fs::read(sandbox.path(name)).unwrap();
    assert_eq!(bytes(one), bytes(other));
}

/// A shell, so that redirections and process substitutions are those that users write.
fn shell(sandbox: &Sandbox, line: &str) -> Run {
    let pki = format!("pki() {{ {} \"$@\"; }}; ", env!("CARGO_BIN_EXE_pki"));
    sandbox.run("bash", "-c").arg(pki + line)
}

#[test]
fn standard_output_and_open_files_take_a_bundle() {
    let sandbox = Sandbox::with_open_ca();
    let root = sandbox.read("pki/rootCA/ca.crt");
    for name in ["/dev/stdout", "/dev/fd/1", "-"] {
        let line = format!("{BUNDLE} {name}");
        assert_eq!(sandbox.pki(&line).succeeds().stdout, root, "{name}");
    }
    // What is in a file before and after stays, as with any program that is redirected.
    let around = "{ echo before; pki bundle --ca rootCA --out /dev/stdout; echo after; } >file";
    shell(&sandbox, around).succeeds();
    assert_eq!(sandbox.read("file"), format!("before\n{root}after\n"));
    let third = "echo before >file; pki bundle --ca rootCA --out /dev/fd/3 3>>file";
    let said = shell(&sandbox, third).succeeds();
    assert_eq!(sandbox.read("file"), format!("before\n{root}"));
    assert!(said.stdout.contains("/dev/fd/3"), "{said}");
    sandbox.pki(&format!("{BUNDLE} /dev/null")).succeeds();
}

#[test]
fn a_pipe_takes_a_bundle_a_crl_and_a_certificate() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    sandbox
        .pki("subordinate --name below --request below.csr --no-passphrase")
        .succeeds();
    sandbox.run("mkfifo", "pipe").succeeds();
    link(&sandbox, "pipe", "link");
    for (line, object) in [
        ("bundle --ca rootCA --out pipe", "CERTIFICATE"),
        ("bundle --ca rootCA --out link", "CERTIFICATE"),
        (
            "crl --in pki/crl/rootCA.crl --to-pem --out pipe",
            "X509 CRL",
        ),
        (
            "subordinate --ca rootCA --csr below.csr --out pipe",
            "CERTIFICATE",
        ),
    ] {
        let both = format!("cat pipe >taken & pki {line} >/dev/null; wait");
        shell(&sandbox, &both).succeeds();
        let taken = sandbox.read("taken");
        assert!(
            taken.starts_with(&format!("-----BEGIN {object}-----")),
            "{line}: {taken}"
        );
        assert!(
            taken.ends_with(&format!("-----END {object}-----\n")),
            "{line}: {taken}"
        );
    }
    let substituted = "pki bundle --ca rootCA --out >(cat >taken) >/dev/null; wait $!";
    shell(&sandbox, substituted).succeeds();
    assert_eq!(sandbox.read("taken"), sandbox.read("pki/rootCA/ca.crt"));
}

/// Keys are created where nothing is, whatever links there are.
#[test]
fn no_key_goes_through_a_link_or_into_a_pipe() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("elsewhere", "precious\n");
    fs::create_dir(sandbox.path("out")).unwrap();
    for key in ["a.key", "b.key"] {
        link(&sandbox, "../elsewhere", &format!("out/{key}"));
    }
    link(&sandbox, "../new", "out/c.key");
    sandbox.run("mkfifo", "out/d.key").succeeds();
    for (cn, force) in [("a", ""), ("b", "--force"), ("c", ""), ("d", "--force")] {
        let line = format!("issue --ca intermediate0 --cn {cn} --out out --no-passphrase {force}");
        sandbox.pki(&line).ends_with(1);
    }
    link(&sandbox, "elsewhere", "backup.tar");
    sandbox.pki("backup backup.tar --force").ends_with(1);
    assert_eq!(sandbox.read("elsewhere"), "precious\n");
    assert!(!sandbox.path("new").exists());
    let mode = fs::metadata(sandbox.path("elsewhere"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o200, 0o200);
}

/// Links that `pki crl --out www` would follow to what only a store writes.
#[test]
fn no_link_leads_a_crl_to_a_file_of_a_store() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    sandbox
        .pki("crl --ca rootCA --to-pem --chain --hash-names --out www")
        .succeeds();
    sandbox
        .pki("subordinate --name pending --request pending.csr --no-passphrase")
        .succeeds();
    sandbox
        .pki("--store other root --name r --no-passphrase")
        .succeeds();
    let names = sandbox.names_in("www");
    let refuses = |run: Run, name: &str| {
        let said = run.refusal(1, "file-suspect");
        assert!(said.contains(name), "{said}");
    };
    let [before, other] = ["pki", "other"].map(|store| files_below(&sandbox, store));
    for target in [
        "pki/rootCA/ca.key",
        "pki/rootCA/new",
        "pki/rootCA/keys/01.key",
        "pki/store.json",
        "pki/lock",
        "pki/.waiting-pending/ca.key",
        "other/r/ca.key",
    ] {
        link(&sandbox, target, "out.crl");
        let line = "crl --in pki/crl/intermediate0.crl --to-der --out out.crl --force";
        refuses(sandbox.pki(line), "out.crl");
        fs::remove_file(sandbox.path("out.crl")).unwrap();
        for name in &names {
            let published = sandbox.path(format!("www/{name}"));
            let kept = fs::read(&published).unwrap();
            fs::remove_file(&published).unwrap();
            link(&sandbox, &format!("../{target}"), &format!("www/{name}"));
            let line = "crl --ca rootCA --chain --hash-names --out www --force";
            refuses(sandbox.pki(line), name);
            fs::remove_file(&published).unwrap();
            fs::write(&published, kept).unwrap();
        }
    }
    // Nothing was signed in vain, either.
    assert_eq!(files_below(&sandbox, "pki"), before);
    assert_eq!(files_below(&sandbox, "other"), other);
}

fn files_below(sandbox: &Sandbox, directory: &str) -> String {
    let line = format!("find {directory} -type f ! -name lock | sort | xargs sha256sum");
    sandbox.run("sh", "-c").arg(line).succeeds().stdout
}

/// What is not one of the store's own files may be behind a link, also beside the CAs.
#[test]
fn links_lead_to_published_crls_and_to_files_beside_the_cas() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    fs::create_dir(sandbox.path("www")).unwrap();
    link(&sandbox, "../pki/crl/rootCA.crl", "www/rootCA.crl");
    sandbox.pki("crl --ca rootCA --out www").succeeds();
    assert_eq!(sandbox.list_in("pki/crl/rootCA.crl").number, 2);
    link(&sandbox, "pki/crl/rootCA.crl", "link.crl");
    sandbox
        .pki("crl --in pki/crl/rootCA.crl --to-der --out link.crl")
        .succeeds();
    link(&sandbox, "pki/bundle.pem", "bundle.pem");
    sandbox.pki(&format!("{BUNDLE} bundle.pem")).succeeds();
    // Another program's file of this name makes a directory no store.
    sandbox.write("store.json", "{}");
    fs::create_dir(sandbox.path("certs")).unwrap();
    link(&sandbox, "certs/bundle.pem", "other.pem");
    sandbox.pki(&format!("{BUNDLE} other.pem")).succeeds();
}

/// A CA's directory may be elsewhere than the store, behind a link of its owner.
#[test]
fn no_link_leads_into_a_ca_that_is_behind_a_link() {
    let sandbox = Sandbox::with_open_ca();
    fs::rename(sandbox.path("pki/rootCA"), sandbox.path("moved")).unwrap();
    link(&sandbox, "../moved", "pki/rootCA");
    let key = sandbox.read("moved/ca.key");
    for target in ["moved/ca.key", "pki/rootCA/ca.key"] {
        link(&sandbox, target, "out.pem");
        let refused = sandbox.pki(&format!("{BUNDLE} out.pem --force"));
        refused.refuses(1, "file-suspect", expect![[r#"
            error: could not follow out.pem
            caused by: it is a symbolic link into the directory of a CA, or to a file of the store's own
            hint: use another --out, or remove the link
        "#]]);
        fs::remove_file(sandbox.path("out.pem")).unwrap();
    }
    assert_eq!(sandbox.read("moved/ca.key"), key);
}

#[test]
fn links_in_a_circle_are_refused_with_a_hint() {
    let sandbox = Sandbox::with_open_ca();
    link(&sandbox, "there.pem", "here.pem");
    link(&sandbox, "here.pem", "there.pem");
    let refused = sandbox.pki(&format!("{BUNDLE} here.pem --force"));
    refused.refuses(
        1,
        "file-failed",
        expect![[r#"
            error: could not follow here.pem
            caused by: Too many levels of symbolic links (os error 40)
            hint: the symbolic links form a loop: remove one, or use another path
        "#]],
    );
}

/// Runs `pki` under strace, and gives the calls of these names.
fn calls(sandbox: &Sandbox, names: &str, line: &str) -> Vec<String> {
    sandbox
        .run("strace", "--follow-forks --quiet=all -y --output=calls -e")
        .arg(format!("trace={names}"))
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words(line)
        .succeeds();
    sandbox.read("calls").lines().map(str::to_owned).collect()
}

/// Whoever can change a link must not have another file replaced than the one that was looked at.
#[test]
fn no_link_is_followed_again_after_its_file_was_judged() {
    let sandbox = with_linked_crls();
    let names = "openat,readlink,readlinkat";
    let calls = calls(&sandbox, names, "crl --ca intermediate0 --out www");
    let last = |call: &str, path: &str| {
        let path = format!("{path}\"");
        let is_it = |line: &String| line.contains(call) && line.contains(&path);
        let last = calls.iter().rposition(is_it);
        last.unwrap_or_else(|| panic!("{call} {path} is in {calls:#?}"))
    };
    for name in ["crl", "crl.pem", "chain.crl.pem"] {
        let followed = last("readlink", &format!("www/intermediate0.{name}"));
        let judged = last("openat", &format!("etc/intermediate0.{name}"));
        assert!(followed < judged, "{name}: {calls:#?}");
        let number = sandbox.list_in(&format!("etc/intermediate0.{name}")).number;
        assert_eq!(number, 2, "{name}");
    }
}

/// The process that gave a file its name may have been killed before it synced the directory.
#[test]
fn the_directory_of_every_crl_that_is_kept_is_synced() {
    let sandbox = Sandbox::with_open_ca();
    let line = "crl --ca rootCA --to-pem --chain --hash-names --if-needed --out www";
    sandbox.pki(line).succeeds();
    let names = sandbox.names_in("www");
    for (number, name) in names.iter().enumerate() {
        let [from, to] = ["www".to_owned(), format!("d{number}")].map(|it| format!("{it}/{name}"));
        fs::create_dir(sandbox.path(format!("d{number}"))).unwrap();
        fs::rename(sandbox.path(&from), sandbox.path(&to)).unwrap();
        link(&sandbox, &format!("../{to}"), &from);
    }
    let synced = |line: &str, directory: &str| {
        let calls = calls(&sandbox, "fsync", line);
        let end = format!("/{directory}>)");
        let of_it = |line: &&String| line.contains(&end) && line.ends_with("= 0");
        assert!(
            calls.iter().any(|line| of_it(&line)),
            "{directory}: {calls:#?}"
        );
    };
    assert_eq!(names.len(), 4);
    for (number, name) in names.iter().enumerate() {
        synced(line, &format!("d{number}"));
        if !name.contains(".r") {
            sandbox.write("pki.toml", APPLIED);
            synced("apply pki.toml", &format!("d{number}"));
        }
    }
    synced(line, "www");
    assert_eq!(sandbox.list_in("www/rootCA.crl").number, 1);
}

/// Nobody knows who reads the pipe of another user, and whether anybody ever does.
#[test]
fn a_pipe_of_another_user_is_refused_at_once() {
    if !geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    sandbox
        .pki("subordinate --name below --request below.csr --no-passphrase")
        .succeeds();
    sandbox.run("mkfifo", "pipe").succeeds();
    link(&sandbox, "pipe", "link");
    fs::create_dir(sandbox.path("www")).unwrap();
    link(&sandbox, "../pipe", "www/rootCA.crl");
    lchown(sandbox.path("pipe"), Some(NOBODY), None).unwrap();
    let lines = [
        "bundle --ca rootCA --force --out pipe",
        "bundle --ca rootCA --out link",
        "crl --in pki/crl/rootCA.crl --to-pem --out pipe",
        "crl --ca rootCA --force --out www",
        "subordinate --ca rootCA --csr below.csr --out link",
    ];
    let run = |line: &str| {
        let pki = env!("CARGO_BIN_EXE_pki");
        sandbox.run("timeout", "30").arg(pki).words(line)
    };
    let mut said = BTreeSet::new();
    for line in lines {
        said.insert(run(line).refusal(1, "file-suspect"));
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: could not open pipe
            caused by: it is a named pipe that belongs to user 65534
            hint: find out who created the link; remove it, or replace it with the file or directory itself
            error: could not open www/../pipe
            caused by: it is a named pipe that belongs to user 65534
            hint: find out who created the link; remove it, or replace it with the file or directory itself
        "#]],
    );
    // Pipes that the shell opened are nobody's to refuse, whoever made them.
    let open = "timeout 30 cat pipe >taken & pki bundle --ca rootCA --out /dev/fd/3 3>pipe; wait";
    shell(&sandbox, open).succeeds();
    assert_eq!(sandbox.read("taken"), sandbox.read("pki/rootCA/ca.crt"));
}

crate::engine::also_in_a_database! {
    the_bundle_behind_links_is_replaced, a_link_that_leads_nowhere_gets_its_file,
    what_a_link_leads_to_is_replaced_only_if_it_may_be, a_link_of_another_user_is_not_followed,
    the_crls_behind_links_of_a_directory_are_replaced, a_converted_crl_follows_links_too,
    standard_output_and_open_files_take_a_bundle, a_pipe_takes_a_bundle_a_crl_and_a_certificate,
    no_key_goes_through_a_link_or_into_a_pipe, links_in_a_circle_are_refused_with_a_hint,
    no_link_is_followed_again_after_its_file_was_judged, the_directory_of_every_crl_that_is_kept_is_synced,
    a_pipe_of_another_user_is_refused_at_once,
}
