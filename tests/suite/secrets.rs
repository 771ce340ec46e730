//! Passphrases and private keys: the only places where they are.
//!
//! What is looked for is every form in which a secret could be somewhere: its bytes, base64 wherever
//! it begins in it, and hex.

mod calls;
mod memory;
mod process;
mod said;

use std::fs;
use std::path::{Path, PathBuf};

use crate::import::OLD;
use crate::run::Run;
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

/// The passphrase of whatever leaves the store.
const EXPORT: &str = "for the exports alone";

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Something that must not be found.
struct Secret {
    name: String,
    /// Each of them is long enough to be nowhere by chance.
    forms: Vec<Vec<u8>>,
}

impl Secret {
    fn new(name: impl Into<String>, octets: &[u8]) -> Self {
        let hex = |digit: fn(&u8) -> String| octets.iter().map(digit).collect::<String>();
        let mut forms = vec![octets.to_vec()];
        forms.push(hex(|octet| format!("{octet:02x}")).into_bytes());
        forms.push(hex(|octet| format!("{octet:02X}")).into_bytes());
        // Numbers are held with their last byte first.
        forms.push(octets.iter().rev().copied().collect());
        forms.extend((0..3).map(|before| base64_behind(before, octets)));
        Self {
            name: name.into(),
            // A part is as bad as the whole.
            forms: forms
                .iter()
                .map(|form| form[..form.len().min(20)].to_vec())
                .collect(),
        }
    }

    /// What a key that `passphrase` opens is about: a private number or seed, or a prime of RSA.
    fn of_key(sandbox: &Sandbox, file: &Path, passphrase: &str) -> Self {
        let printed = sandbox
            .run("openssl", "pkey -noout -text -passin")
            .arg(format!("pass:{passphrase}"))
            .arg("-in")
            .arg(file)
            .succeeds()
            .stdout;
        let behind = |label| printed.split_once(label).map(|(_, behind)| behind);
        let number = behind("prime1:").or_else(|| behind("priv:")).unwrap();
        let lines = number
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with(' '));
        let octets = lines.flat_map(|line| line.trim().split(':').filter(|part| !part.is_empty()));
        let octets: Vec<u8> = octets
            .map(|octet| u8::from_str_radix(octet, 16).unwrap())
            .collect();
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        assert!(octets.len() - zeros >= 28, "{printed}");
        Self::new(file.display().to_string(), &octets[zeros..])
    }

    /// Whether any of its forms is there, also where PEM breaks its lines.
    fn is_in(&self, octets: &[u8]) -> bool {
        let is_line_break = |octet: &u8| *octet == b'\n';
        let joined: Vec<u8> = octets
            .iter()
            .copied()
            .filter(|octet| !is_line_break(octet))
            .collect();
        let found = |form: &Vec<u8>| {
            [octets, &joined]
                .iter()
                .any(|octets| memchr::memmem::find(octets, form).is_some())
        };
        self.forms.iter().any(found)
    }
}

/// The base64 of what stands behind so many other bytes, without the digits that those take part in.
fn base64_behind(before: usize, octets: &[u8]) -> Vec<u8> {
    let skipped = (3 - before) % 3;
    let whole = octets[skipped..].chunks_exact(3);
    let digits = |three: &[u8]| {
        let bits = three
            .iter()
            .fold(0, |bits, octet| bits << 8 | usize::from(*octet));
        [18, 12, 6, 0].map(|shift| BASE64[bits >> shift & 63])
    };
    whole.flat_map(digits).collect()
}

/// The passphrases that [`with_passphrase_files`] writes.
fn passphrases() -> Vec<Secret> {
    let secret = |text: &str| Secret::new(text, text.as_bytes());
    vec![secret(PASSPHRASE), secret(EXPORT), secret(OLD)]
}

impl Sandbox {
    fn with_passphrase_files() -> Self {
        let sandbox = Self::new();
        sandbox.write("ca.pass", PASSPHRASE);
        sandbox.write("export.pass", EXPORT);
        sandbox.write("old.pass", OLD);
        sandbox
    }

    /// `pki` that is told where the passphrase is.
    fn told(&self, line: &str) -> Run {
        self.pki(line).env("PKI_PASSPHRASE_FILE", "ca.pass")
    }

    /// The keys in the store, also of a CA in the making.
    fn secrets_of_store(&self) -> Vec<Secret> {
        let files = files_under(&self.path(STORE));
        let keys = files
            .iter()
            .filter(|file| file.extension().is_some_and(|end| end == "key"));
        keys.map(|key| Secret::of_key(self, key, PASSPHRASE))
            .collect()
    }
}

/// Every file under a folder, sorted.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_form_of_a_secret_is_found() {
    let octets: Vec<u8> = (0..=32).map(|n| n * 7 + 3).collect();
    let secret = Secret::new("a key", &octets);
    let sandbox = Sandbox::new();
    for before in 0..4 {
        sandbox.write("plain", [&b"xyz!"[..before], &octets, b"behind"].concat());
        let base64 = sandbox.run("base64", "-w 0 plain").succeeds().stdout;
        assert!(secret.is_in(base64.as_bytes()), "{before}: {base64}");
        assert!(secret.is_in(&fs::read(sandbox.path("plain")).unwrap()));
    }
    let hex = sandbox.run("od", "-An -v -tx1 plain").succeeds().stdout;
    assert!(
        secret.is_in(hex.replace([' ', '\n'], "").as_bytes()),
        "{hex}"
    );
    assert!(!secret.is_in(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
}
