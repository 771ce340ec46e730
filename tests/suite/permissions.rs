//! Users who may read and write what `pki` makes, and who may stop it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::geteuid;

use crate::run::Run;
use crate::sandbox::Sandbox;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// `pki` under this umask.
fn under(sandbox: &Sandbox, umask: &str, line: &str) -> Run {
    let script = format!("umask {umask}; exec \"$@\"");
    let run = sandbox.run("sh", "-c").arg(script).arg("sh");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

/// Commands that make every kind of file of a store.
const EVERYTHING: [&str; 14] = [
    "root --name r --no-passphrase",
    "subordinate --ca r --name s --no-passphrase",
    "issue --ca s --cn a --out out --no-passphrase",
    "issue --ca s --cn b",
    "revoke --ca s --cn b",
    "crl --to-pem --chain",
    "crl --ca r --ahead 2 --every 30d",
    "ca renew --ca s --days 3000",
    "subordinate --name w --request w.csr --no-passphrase",
    "backup store.tar",
    "restore store.tar --store restored",
    "check --repair",
    "issue --ca s --from rows.csv",
    "bundle --out truststore.pem",
];

#[track_caller]
fn assert_owner_writes_alone(directory: &Path, umask: u32, seen: &mut usize) {
    let assert_mode = |path: &Path| {
        let mode = mode(path);
        assert_eq!(
            mode & 0o022,
            0,
            "{umask:03o}: {}: {mode:04o}",
            path.display()
        );
        let is_private = ["lock", "keys"].iter().any(|name| path.ends_with(name))
            || path.extension().is_some_and(|extension| extension == "key");
        let expected = match (path.is_dir(), is_private) {
            (true, false) => 0o755 & !umask,
            (true, true) => 0o700,
            (false, false) => 0o644 & !umask,
            (false, true) => 0o600,
        };
        // Pre-signed CRLs and copies are nobody else's.
        let is_closed = path
            .iter()
            .any(|part| part == "ahead" || part.to_string_lossy().starts_with(".repair-"));
        assert!(
            is_closed || mode == expected,
            "{umask:03o}: {}: {mode:04o}",
            path.display()
        );
    };
    assert_mode(directory);
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        *seen += 1;
        if path.is_dir() {
            assert_owner_writes_alone(&path, umask, seen);
        } else {
            assert_mode(&path);
        }
    }
}

#[test]
fn nobody_else_writes_to_a_store_whatever_the_umask() {
    for (text, umask) in [("000", 0), ("002", 0o002), ("022", 0o022), ("077", 0o077)] {
        let sandbox = Sandbox::new();
        sandbox.write("rows.csv", "cn,profile\nx,client\ny,client\n");
        for line in EVERYTHING {
            under(&sandbox, text, line).succeeds();
        }
        for store in ["pki", "restored"] {
            let mut seen = 0;
            assert_owner_writes_alone(&sandbox.path(store), umask, &mut seen);
            assert!(seen > 25, "{store}: {seen}");
        }
        // What leaves the store follows the umask.
        for (path, open) in [
            ("out", 0o777),
            ("out/a.crt", 0o666),
            ("truststore.pem", 0o666),
        ] {
            assert_eq!(mode(&sandbox.path(path)), open & !umask, "{text}: {path}");
        }
        assert_eq!(mode(&sandbox.path("out/a.key")), 0o600);
    }
}

#[test]
fn a_replaced_file_keeps_its_readers_and_no_other_writers() {
    let sandbox = Sandbox::with_open_ca();
    let export = "issue --ca intermediate0 --cn a --out out --no-passphrase";
    sandbox.pki(export).succeeds();
    sandbox.pki("bundle --out truststore.pem").succeeds();
    sandbox.pki("crl --to-pem --out lists").succeeds();
    for (before, after) in [
        (0o666, 0o644),
        (0o664, 0o644),
        (0o640, 0o640),
        (0o600, 0o600),
        (0o622, 0o600),
    ] {
        let files = [
            "truststore.pem",
            "lists/intermediate0.crl",
            "lists/intermediate0.crl.pem",
            "out/a.crt",
        ];
        for file in files {
            set_mode(&sandbox.path(file), before);
        }
        set_mode(&sandbox.path("out/a.key"), before);
        for (umask, line) in [
            ("000", "bundle --out truststore.pem --force --ca rootCA"),
            ("000", "bundle --out truststore.pem --force"),
            ("000", "crl --out lists"),
            (
                "000",
                "export --ca intermediate0 --cn a --out out --force --no-passphrase",
            ),
        ] {
            under(&sandbox, umask, line).succeeds();
        }
        for file in files {
            assert_eq!(mode(&sandbox.path(file)), after, "{file}: {before:04o}");
        }
        assert_eq!(mode(&sandbox.path("out/a.key")), 0o600);
    }
}

/// The locks of a store, each with a command that takes it.
const LOCKS: [(&str, &str); 3] = [
    ("pki/lock", "root --name other --no-passphrase"),
    ("pki/rootCA/lock", "issue --ca rootCA --cn a"),
    ("pki/intermediate0/lock", "issue --ca intermediate0 --cn a"),
];

#[test]
fn locks_are_for_the_owner_alone_and_older_ones_become_so() {
    let sandbox = Sandbox::with_open_ca();
    for (lock, command) in LOCKS {
        assert_eq!(mode(&sandbox.path(lock)), 0o600, "{lock}");
        set_mode(&sandbox.path(lock), 0o644);
        let checked = sandbox.pki("check --format json").ends_with(3);
        let finding = &checked.json()["findings"][0];
        assert_eq!(finding["rule"], "lock-permissions", "{checked}");
        assert!(
            finding["path"].as_str().unwrap().ends_with(lock),
            "{checked}"
        );
        sandbox.pki("check --repair").succeeds();
        assert_eq!(mode(&sandbox.path(lock)), 0o600, "{lock}");
        // So does the next command that takes it.
        set_mode(&sandbox.path(lock), 0o664);
        sandbox.pki(command).succeeds();
        assert_eq!(mode(&sandbox.path(lock)), 0o600, "{lock}");
    }
}

#[test]
fn another_user_can_open_no_lock() {
    if !geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::with_open_ca();
    set_mode(sandbox.folder(), 0o755);
    let as_nobody = "--reuid 65534 --regid 65534 --clear-groups flock -n -s";
    for lock in [
        "pki/lock",
        "pki/intermediate0/lock",
        "pki/intermediate0/keys",
    ] {
        let refused = sandbox
            .run("setpriv", as_nobody)
            .words(lock)
            .arg("true")
            .finish();
        assert_ne!(refused.status, Some(0), "{lock}: {refused}");
        assert!(refused.stderr.contains("Permission denied"), "{refused}");
    }
}

/// Holds a shared lock on a file until it is dropped, as anybody can who may read it.
struct Holder(Child);

impl Holder {
    fn of(file: &Path) -> Self {
        let mut holder = std::process::Command::new("flock")
            .arg("-s")
            .arg(file)
            .args(["sh", "-c", "echo held; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("flock runs");
        let mut line = String::new();
        let stdout = holder.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(holder)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Closing its input ends it.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A file that an interrupted command left under a hidden name is readable, and so anybody can lock it.
#[test]
fn a_locked_leftover_stops_nobody() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    let leftovers = [
        ("pki/crl/.intermediate0.crl.part", "crl"),
        (
            "pki/intermediate0/.ca.crt.part",
            "ca renew --ca intermediate0",
        ),
        (".truststore.pem.part", "bundle --out truststore.pem"),
        (
            "out/.a.crt.part",
            "issue --ca intermediate0 --cn a --out out --no-passphrase",
        ),
    ];
    let mut holders = Vec::new();
    for (leftover, _) in leftovers {
        sandbox.write(leftover, "half");
        holders.push(Holder::of(&sandbox.path(leftover)));
    }
    for (leftover, command) in leftovers {
        let done = sandbox.pki(command).succeeds();
        assert!(!done.stderr.contains("waiting"), "{done}");
        assert_eq!(sandbox.read(leftover), "half");
    }
    assert!(sandbox.path("truststore.pem").exists());
    drop(holders);
    // Nobody holds them any more: the next writer clears them away.
    sandbox
        .pki("bundle --out truststore.pem --force")
        .succeeds();
    assert!(!sandbox.path(leftovers[2].0).exists());
}
