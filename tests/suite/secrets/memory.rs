//! The memory of a process that has done its work: nothing of a passphrase, of a key or of what encrypts one is
//! left in it.
//!
//! `pki` is stopped when the standard library takes leave of its main thread, behind all that is ours,
//! and what it could write to is read. The kernel gives that to root alone.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use rustix::process::{Pid, Signal, kill_process};

use crate::import::OLD;
use crate::run::Run;
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

use super::{EXPORT, Secret, files_under, passphrases};

/// Of the main thread: one that asks, one that gives a signal its stack, one that takes it back.
const TAKING_LEAVE: &str = "inject=sigaltstack:signal=SIGSTOP:when=3";

/// What the memory held that could be written to, each with what it is.
struct Memory(Vec<(String, Vec<u8>)>);

impl Memory {
    /// Of `pki` at its end, whatever its arguments are.
    #[track_caller]
    fn at_the_end(sandbox: &Sandbox, arguments: impl FnOnce(Run) -> Run) -> Self {
        let strace = sandbox
            .run("strace", "-e trace=sigaltstack -e")
            .arg(TAKING_LEAVE);
        let mut strace = arguments(strace.arg(env!("CARGO_BIN_EXE_pki"))).spawn();
        let said = BufReader::new(strace.stderr.take().unwrap());
        let mut lines = Vec::new();
        for line in said.lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap().contains("stopped by SIGSTOP") {
                break;
            }
        }
        let children = format!("/proc/{0}/task/{0}/children", strace.id());
        let child = fs::read_to_string(children).unwrap();
        let stopped = lines
            .last()
            .is_some_and(|line| line.contains("stopped by SIGSTOP"));
        assert!(stopped, "{}", lines.join("\n"));
        let child: i32 = child.trim().parse().unwrap();
        let memory = Self::of(child);
        kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
        strace.wait().unwrap();
        memory
    }

    fn of(process: i32) -> Self {
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        let mut memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
        let mut parts = Vec::new();
        for map in maps.lines() {
            let fields: Vec<&str> = map.split_whitespace().collect();
            if !fields[1].contains('w') {
                continue;
            }
            let (from, to) = fields[0].split_once('-').unwrap();
            let [from, to] = [from, to].map(|place| u64::from_str_radix(place, 16).unwrap());
            let mut part = vec![0; usize::try_from(to - from).unwrap()];
            memory.seek(SeekFrom::Start(from)).unwrap();
            memory.read_exact(&mut part).unwrap();
            parts.push((fields.get(5).unwrap_or(&"").to_string(), part));
        }
        assert!(parts.iter().any(|(name, _)| name == "[heap]"), "{maps}");
        assert!(parts.iter().any(|(name, _)| name == "[stack]"), "{maps}");
        Self(parts)
    }

    /// The kinds of memory that hold a secret.
    fn with(&self, secret: &Secret) -> Vec<&str> {
        let parts = self.0.iter().filter(|(_, part)| secret.is_in(part));
        parts.map(|(name, _)| name.as_str()).collect()
    }

    #[track_caller]
    fn assert_clean(&self, line: &str, secrets: &[Secret]) {
        for secret in secrets {
            let found = self.with(secret);
            assert!(found.is_empty(), "{line}: {} is in {found:?}", secret.name);
        }
    }
}

impl Secret {
    /// The key that a passphrase and a file's salt make, by Python's own derivation.
    fn encrypting(sandbox: &Sandbox, file: &str, passphrase: &str) -> Self {
        let parsed = sandbox.run("openssl", "asn1parse -in").arg(file).succeeds();
        let salt = parsed.stdout.split("[HEX DUMP]:").nth(1).unwrap();
        let salt = salt.lines().next().unwrap().trim();
        let script = "import hashlib, sys; print(hashlib.pbkdf2_hmac('sha256', sys.argv[1].encode(), \
                      bytes.fromhex(sys.argv[2]), 600000).hex())";
        let derived = sandbox.run("python3", "-c").arg(script).arg(passphrase);
        let derived = derived.arg(salt).succeeds().stdout;
        let octets: Vec<u8> = (0..64)
            .step_by(2)
            .map(|index| u8::from_str_radix(&derived[index..index + 2], 16).unwrap())
            .collect();
        Self::new(format!("what encrypts {file}"), &octets)
    }
}

/// Both halves: an expanded AES key begins with the key, and its second half stands in the reversed one.
#[test]
fn what_encrypts_a_key_is_not_in_memory_at_the_end() {
    let sandbox = Sandbox::with_passphrase_files();
    let mut found = Vec::new();
    for line in [
        "root --name rootCA --passout file:ca.pass",
        "subordinate --ca rootCA --name s --passin file:ca.pass --passout file:ca.pass",
        "issue --ca rootCA --cn client --out out --passin file:ca.pass --passout file:export.pass",
        "renew --ca rootCA --cn client --passin file:ca.pass",
        "export --ca rootCA --cn client --out again --passin file:ca.pass --passout file:export.pass",
        "export --ca rootCA --cn client --out p12 --p12 modern --passin file:ca.pass --passout file:export.pass",
        "crl --ca rootCA --passin file:ca.pass",
        "check --keys --passin file:ca.pass",
    ] {
        found.push((line, Memory::at_the_end(&sandbox, |run| run.words(line))));
    }
    let secrets = [
        ("pki/rootCA/ca.key", PASSPHRASE),
        ("pki/s/ca.key", PASSPHRASE),
        ("out/client.key", EXPORT),
        ("again/client.key", EXPORT),
    ];
    let secrets = secrets.map(|(file, passphrase)| Secret::encrypting(&sandbox, file, passphrase));
    for (line, memory) in &found {
        memory.assert_clean(line, &secrets);
    }
}

#[test]
fn memory_at_exit_holds_neither_passphrase_nor_key() {
    let sandbox = Sandbox::with_passphrase_files();
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("ec", "-aes256");
    let mut found = Vec::new();
    for line in [
        "root --name rootCA --passout file:ca.pass",
        "issue --ca rootCA --cn client --out out --passin file:ca.pass --passout file:export.pass",
        "issue --ca rootCA --cn rsa --key-type rsa2048 --passin file:ca.pass",
        "issue --ca rootCA --cn edwards --key-type ed25519 --passin file:ca.pass",
        "export --ca rootCA --cn client --out compat --p12 compat --passin file:ca.pass --passout file:export.pass",
        "export --ca rootCA --cn rsa --out plain --no-passphrase --passin file:ca.pass",
        "import --openssl old --name old --passin file:old.pass --passout file:ca.pass",
        "crl --passin file:ca.pass",
        "show plain/rsa.key",
    ] {
        let before = files_under(sandbox.folder());
        let memory = Memory::at_the_end(&sandbox, |run| run.words(line));
        assert!(
            line.starts_with("crl")
                || line.starts_with("show")
                || files_under(sandbox.folder()) != before,
            "{line}"
        );
        found.push((line, memory));
    }
    let mut secrets = passphrases();
    secrets.extend(sandbox.secrets_of_store());
    assert!(secrets.len() >= 3 + 5, "{}", secrets.len());
    for (line, memory) in &found {
        memory.assert_clean(line, &secrets);
    }
}

/// What comes in the environment, the kernel wrote to the stack before `pki` began; there it stays, and
/// there the search finds it.
#[test]
fn a_passphrase_from_the_environment_is_not_copied_in_memory() {
    let sandbox = Sandbox::with_passphrase_files();
    sandbox
        .pki("root --name rootCA --passout file:ca.pass")
        .succeeds();
    let memory = Memory::at_the_end(&sandbox, |run| {
        run.words("crl --ca rootCA")
            .env("PKI_PASSPHRASE", PASSPHRASE)
    });
    assert!(sandbox.path(STORE).join("crl/rootCA.crl").exists());
    let [passphrase, ..] = &passphrases()[..] else {
        unreachable!("there are some")
    };
    assert_eq!(memory.with(passphrase), ["[stack]"]);
    memory.assert_clean("crl", &sandbox.secrets_of_store());
    memory.assert_clean("crl", &[Secret::new("another", OLD.as_bytes())]);
}
