//! Files that `pki` wrote, with the objects that are in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::contents::{self, Kind, Signed};
use super::keys;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// A private key, opened.
pub(super) struct Key {
    pub(super) was_encrypted: bool,
    pkcs8: Vec<u8>,
}

/// PEM objects of a file, if the judge finds as many as there are BEGIN markers.
pub(super) fn objects(content: &[u8]) -> Option<Vec<pem::Pem>> {
    let objects = pem::parse_many(content).ok()?;
    let markers = memchr::memmem::find_iter(content, b"-----BEGIN ").count();
    (markers > 0 && objects.len() == markers).then_some(objects)
}

/// Objects of all files of a sandbox, each with its file's name.
#[derive(Default)]
pub(super) struct Written {
    pub(super) certificates: Vec<(String, Vec<u8>)>,
    pub(super) crls: Vec<(String, Vec<u8>)>,
    pub(super) csrs: Vec<(String, Vec<u8>)>,
    pub(super) keys: Vec<Key>,
}

impl Written {
    pub(super) fn read(sandbox: &Sandbox) -> Self {
        let mut written = Self::default();
        written.read_directory(sandbox.folder());
        written
    }

    fn read_directory(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.read_directory(&path);
            } else {
                self.read_file(&path);
            }
        }
    }

    /// Reads a file of a known kind; another one is a gap of this test.
    fn read_file(&mut self, path: &Path) {
        let content = fs::read(path).unwrap();
        let shown = path.display().to_string();
        let name = path.file_name().unwrap().to_str().unwrap();
        let (_, end) = name.rsplit_once('.').unwrap_or(("", name));
        match end {
            "crt" | "pem" | "csr" | "key" => self.read_pem(&shown, &content),
            "der" | "cer" => self.certificates.push((shown, content)),
            "crl" => self.crls.push((shown, content)),
            "jsonl" => self.read_journal(&shown, &content),
            "json" | "serial" | "crlnumber" | "lock" => {}
            _ => panic!("{shown}: a kind of file that no judge reads"),
        }
    }

    fn read_pem(&mut self, path: &str, content: &[u8]) {
        for object in objects(content).unwrap_or_else(|| panic!("{path}: it is not PEM")) {
            let der = || (path.to_owned(), object.contents().to_vec());
            match object.tag() {
                "CERTIFICATE" => self.certificates.push(der()),
                "X509 CRL" => self.crls.push(der()),
                "CERTIFICATE REQUEST" => self.csrs.push(der()),
                _ => {
                    let pkcs8 = keys::open(&object, PASSPHRASE);
                    self.keys.push(Key {
                        was_encrypted: object.tag() == "ENCRYPTED PRIVATE KEY",
                        pkcs8: pkcs8.unwrap_or_else(|| panic!("{path}: it is not opened")),
                    });
                }
            }
        }
    }

    /// Reads the certificates of `issued.jsonl`, and of other journals none.
    fn read_journal(&mut self, path: &str, content: &[u8]) {
        for line in content.split(|byte| *byte == b'\n') {
            let Ok(record) = serde_json::from_slice::<Value>(line) else {
                assert!(line.is_empty(), "{path}");
                continue;
            };
            if let Some(der) = record["der"].as_str() {
                let der = STANDARD.decode(der).unwrap();
                self.certificates.push((path.to_owned(), der));
            }
        }
    }

    pub(super) fn distinct_certificates(&self) -> usize {
        let der = self.certificates.iter().map(|(_, der)| der);
        der.collect::<BTreeSet<_>>().len()
    }

    /// Has every judge look at everything.
    #[track_caller]
    pub(super) fn judge(&self) {
        self.judge_encodings();
        let mut verified = BTreeMap::new();
        for (path, der) in &self.certificates {
            self.assert_signed(path, &Signed::certificate(der), &mut verified);
        }
        for (path, der) in &self.crls {
            self.assert_signed(path, &Signed::crl(der), &mut verified);
        }
        for (path, der) in &self.csrs {
            let (csr, spki) = Signed::csr(der);
            assert_ne!(csr.is_signed_by(&spki), Some(false), "{path}");
        }
        let certified = self.certificates.iter();
        let certified = certified.map(|(_, der)| contents::spki(der));
        let requested = self.csrs.iter().map(|(_, der)| Signed::csr(der).1);
        let certified: BTreeSet<_> = certified.chain(requested).collect();
        for key in &self.keys {
            // RustCrypto has no ML-DSA that is released.
            if let Some(public) = keys::public(&key.pkcs8) {
                assert!(certified.contains(&public), "a key that fits nothing");
            }
        }
    }

    /// Asserts that each structure, and each extension in it, is encoded to the same bytes.
    #[track_caller]
    pub(super) fn judge_encodings(&self) {
        for (kind, objects) in [
            (Kind::Certificate, &self.certificates),
            (Kind::Crl, &self.crls),
            (Kind::Csr, &self.csrs),
        ] {
            for (path, der) in objects {
                assert!(contents::is_encoded_again(kind, der), "{path}");
            }
        }
        for (path, der) in &self.certificates {
            let unknown = contents::unread_extensions(der);
            assert_eq!(unknown, [""; 0], "{path}");
        }
    }

    /// Asserts that a key of a certificate with the issuer's name verifies the signature.
    #[track_caller]
    fn assert_signed<'a>(
        &'a self,
        path: &str,
        signed: &Signed,
        verified: &mut BTreeMap<Vec<u8>, bool>,
    ) {
        let issuers = self.certificates.iter().map(|(_, der)| der);
        let mut issuers: Vec<&'a Vec<u8>> = issuers
            .filter(|der| contents::subject(der) == signed.issuer)
            .collect();
        issuers.sort();
        issuers.dedup();
        assert!(!issuers.is_empty(), "{path}: its issuer is not there");
        let is_verified = *verified.entry(signed.tbs.clone()).or_insert_with(|| {
            let mut verdicts = issuers
                .iter()
                .map(|issuer| signed.is_signed_by(&contents::spki(issuer)));
            verdicts.any(|verdict| verdict != Some(false))
        });
        assert!(is_verified, "{path}: no issuer verifies the signature");
    }
}
