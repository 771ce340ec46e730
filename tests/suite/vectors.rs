//! The test vectors of Python's cryptography: some thousands of files that
//! nobody here wrote, good and bad, lists and everything but lists. Each gives
//! a result or an error in words, and a list becomes what openssl makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::run::Run;
use crate::sandbox::{Sandbox, repository};

/// How many there are in the version of `tests/requirements.txt`.
const FILES: usize = 2514;
/// How many of them `pki crl --in` converts.
const LISTS: usize = 199;
/// How many of them `pki show` shows: of PKCS #12 files, only those with an empty passphrase.
const SHOWN: usize = 906;
/// Of every tenth, how often `pki bundle --check` and `pki verify` judge it, and how often they refuse to.
const JUDGED: (usize, usize) = (305, 199);

/// A list that openssl converts and `pki` refuses, for its thisUpdate lacks a
/// digit: it is no time by X.690, and openssl itself prints `Bad time value`.
const WITHOUT_A_TIME: &str = "x509/custom/crl_invalid_time.der";

struct Vectors {
    sandbox: Sandbox,
    root: PathBuf,
    /// Paths from the root, sorted.
    files: Vec<String>,
}

/// The directory of the test vectors.
pub(crate) fn root() -> PathBuf {
    let versions = fs::read_dir(repository("target/test-tools/venv/lib")).unwrap();
    let mut roots = versions.map(|version| {
        let packages = version.unwrap().path().join("site-packages");
        packages.join("cryptography_vectors")
    });
    roots.next().expect("tests/setup made it")
}

/// Where they are, and their paths from there, sorted.
pub(crate) fn all() -> (PathBuf, Vec<String>) {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    assert_eq!(files.len(), FILES, "{}", root.display());
    (root, files)
}

impl Vectors {
    fn new() -> Self {
        let (root, files) = all();
        Self {
            sandbox: Sandbox::new(),
            root,
            files,
        }
    }

    /// What these words before the file, and those after it, make of each:
    /// its output, or nothing where it was refused.
    fn each<'a>(
        &self,
        files: &[&'a str],
        before: &str,
        after: &str,
    ) -> BTreeMap<&'a str, Option<Vec<u8>>> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = files.len().div_ceil(threads);
        thread::scope(|scope| {
            let shares = files.chunks(share).map(|files| {
                scope.spawn(move || {
                    let run = |file: &&'a str| {
                        let run = self.sandbox.pki(before).arg(self.root.join(file));
                        (*file, answer(run.words(after), file))
                    };
                    files.iter().map(run).collect::<Vec<_>>()
                })
            });
            let shares = shares.collect::<Vec<_>>();
            shares
                .into_iter()
                .flat_map(|share| share.join().unwrap())
                .collect()
        })
    }

    fn all(&self) -> Vec<&str> {
        self.files.iter().map(String::as_str).collect()
    }

    /// What openssl makes of the file, if it takes it for a list.
    fn openssl(&self, file: &str) -> Option<Vec<u8>> {
        let path = self.root.join(file);
        let is_pem = memchr::memmem::find(&fs::read(&path).unwrap(), b"-----BEGIN").is_some();
        let form = if is_pem { "PEM" } else { "DER" };
        let run = self.sandbox.run("openssl", "crl -outform PEM -inform");
        let converted = run.arg(form).arg("-in").arg(path).spawn();
        let converted = converted.wait_with_output().unwrap();
        converted.status.success().then_some(converted.stdout)
    }
}

/// The standard output of a run that did what it should, and nothing of one
/// that refused in words.
fn answer(run: Run, file: &str) -> Option<Vec<u8>> {
    let output = run.spawn().wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{file}\n{stderr}");
    let steers = |character: char| character.is_control() && character != '\n';
    assert!(!stderr.contains(steers), "{file}\n{stderr:?}");
    match output.status.code() {
        Some(0) => {
            assert!(!output.stdout.is_empty(), "{file}\n{stderr}");
            Some(output.stdout)
        }
        Some(1) => {
            assert!(output.stdout.is_empty(), "{file}\n{stderr}");
            assert!(stderr.starts_with("error: "), "{file}\n{stderr}");
            None
        }
        _ => panic!("{file}: {}\n{stderr}", output.status),
    }
}

/// Every file but those that Python compiles when it is installed.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_none_or(|end| end != "pyc") {
            let path = path.strip_prefix(root).unwrap();
            files.push(path.to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn crls_convert_as_with_openssl_and_other_files_are_refused() {
    let vectors = Vectors::new();
    let converted = vectors.each(&vectors.all(), "crl --to-pem --in", "");
    let mut lists = 0;
    for (file, pem) in &converted {
        let ends = ["crl", "pem", "der"].map(|end| format!(".{end}"));
        let may_be_a_list = ends.iter().any(|end| file.ends_with(end));
        if *file == WITHOUT_A_TIME || !(may_be_a_list || pem.is_some()) {
            continue;
        }
        assert!(*pem == vectors.openssl(file), "{file}");
        lists += usize::from(pem.is_some());
    }
    assert_eq!(lists, LISTS);
    assert_eq!(converted[WITHOUT_A_TIME], None);
    assert!(vectors.openssl(WITHOUT_A_TIME).is_some());

    // To DER and back; and of what is no list, every tenth file.
    let is_list = |file: &&str| converted[*file].is_some();
    let (lists, others) = vectors.all().into_iter().partition::<Vec<_>, _>(is_list);
    for (file, der) in vectors.each(&lists, "crl --in", "--to-der") {
        let der = der.unwrap();
        let content = fs::read(vectors.root.join(file)).unwrap();
        assert!(content == der || content.starts_with(b"-----"), "{file}");
        let run = vectors.sandbox.pki("crl --in - --to-pem").stdin(der);
        assert!(answer(run, file) == converted[file], "{file}");
    }
    let tenth = others.into_iter().step_by(10).collect::<Vec<_>>();
    let refused = vectors.each(&tenth, "crl --in", "--to-der");
    assert!(refused.values().all(Option::is_none));
    assert_eq!(refused.len(), (FILES - LISTS).div_ceil(10));
}

#[test]
fn every_file_is_shown_or_refused() {
    let vectors = Vectors::new();
    let shown = vectors.each(&vectors.all(), "show", "");
    for (file, text) in &shown {
        let Some(text) = text else { continue };
        let text = str::from_utf8(text).unwrap();
        let steers = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(steers), "{file}\n{text:?}");
    }
    assert_eq!(shown.values().flatten().count(), SHOWN);
}

/// The exit code of a run that did what it should, refused in words, or said no.
fn verdict(run: Run, file: &str) -> i32 {
    let output = run.spawn().wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{file}\n{stderr}");
    match output.status.code() {
        Some(code @ (0 | 3)) => {
            assert!(!output.stdout.is_empty(), "{file}\n{stderr}");
            code
        }
        Some(1) => {
            assert!(stderr.starts_with("error: "), "{file}\n{stderr}");
            1
        }
        _ => panic!("{file}: {}\n{stderr}", output.status),
    }
}

#[test]
fn every_tenth_file_is_judged_or_refused() {
    let vectors = Vectors::new();
    let sandbox = &vectors.sandbox;
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let tenth = vectors.files.iter().step_by(10);
    let mut verdicts = [0_usize; 4];
    for file in tenth {
        let path = vectors.root.join(file);
        let bundle = sandbox.pki("bundle --check").arg(&path);
        for run in [bundle, sandbox.pki("verify").arg(&path)] {
            verdicts[usize::try_from(verdict(run, file)).unwrap()] += 1;
        }
    }
    let [good, refused, _, bad] = verdicts;
    assert_eq!((good + bad, refused), JUDGED);
}

#[test]
fn every_request_is_certified_or_refused() {
    let vectors = Vectors::new();
    let sandbox = &vectors.sandbox;
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let is_request = |file: &&String| file.starts_with("x509/requests/");
    let mut certified = 0;
    for file in vectors.files.iter().filter(is_request) {
        let line = "issue --ca rootCA --profile client --csr";
        let run = sandbox.pki(line).arg(vectors.root.join(file));
        certified += usize::from(verdict(run, file) == 0);
    }
    assert!(certified > 5, "{certified}");
    let issued = sandbox.pki("--format json list --ca rootCA").succeeds();
    assert_eq!(issued.json().as_array().unwrap().len(), certified + 1);
}
