//! Database of a sandbox, and the copy of it that tests read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use tempfile::TempDir;

use crate::postgres::Cluster;
use crate::sandbox::STORE;
use crate::snapshot::Snapshot;

/// Database of a sandbox, made when it is first used.
#[derive(Default)]
pub(crate) struct OwnDatabase {
    made: OnceLock<(Arc<Cluster>, String)>,
    copy: Mutex<Copy>,
}

/// Copy of the store, which tests read.
#[derive(Default)]
struct Copy {
    age: Age,
    made: Option<(PathBuf, Snapshot)>,
}

#[derive(Default, PartialEq, Eq)]
enum Age {
    #[default]
    Outdated,
    UpToDate,
    /// A process that was started may still change the store.
    Unknown,
}

impl Copy {
    /// Fails if a test has changed it, in the place of the store.
    #[track_caller]
    fn assert_only_read(&self) {
        if let Some((folder, made)) = &self.made {
            made.assert_unchanged(folder);
        }
    }
}

impl OwnDatabase {
    fn made(&self) -> &(Arc<Cluster>, String) {
        self.made.get_or_init(|| {
            let cluster = Cluster::shared();
            let name = cluster.database();
            (cluster, name)
        })
    }

    pub(crate) fn url(&self) -> String {
        let (cluster, name) = self.made();
        cluster.url(name)
    }

    /// Returns a database with the same content.
    pub(crate) fn copy(&self) -> Self {
        let (cluster, name) = self.made();
        let copy = cluster.copy_of(name);
        Self {
            made: (Arc::clone(cluster), copy).into(),
            copy: Mutex::default(),
        }
    }

    /// Output of psql for a statement, without a frame.
    #[track_caller]
    pub(crate) fn psql(&self, sql: &str) -> String {
        let (cluster, name) = self.made();
        cluster.psql(name, sql)
    }

    /// Everything in the tables, to compare.
    #[track_caller]
    pub(crate) fn content(&self) -> String {
        let (cluster, name) = self.made();
        cluster.content(name)
    }

    /// Requires that the tables are as they were.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, before: &str) {
        let now = self.content();
        let more = |of: &str, than: &str| -> Vec<String> {
            let than: BTreeSet<&str> = than.lines().collect();
            let of = of.lines().filter(|line| !than.contains(line));
            of.map(str::to_owned).collect()
        };
        let (gone, new) = (more(before, &now), more(&now, before));
        assert!(now == before, "gone: {gone:#?}\nnew: {new:#?}");
    }

    fn copied(&self) -> MutexGuard<'_, Copy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a process was started, which may change the store for as long as it runs.
    pub(crate) fn has_started(&self) {
        self.copied().age = Age::Unknown;
    }

    /// Notes that a command has run.
    pub(crate) fn has_changed(&self) {
        let mut copied = self.copied();
        if copied.age == Age::UpToDate {
            copied.age = Age::Outdated;
        }
    }

    /// Notes that every process that was started has ended.
    pub(crate) fn has_ended(&self) {
        self.copied().age = Age::Outdated;
    }

    /// Notes that the copy was removed.
    pub(crate) fn forget_copy(&self) {
        *self.copied() = Copy::default();
    }

    /// Brings the copy of the store in this folder up to date.
    #[track_caller]
    pub(crate) fn show_in(&self, folder: &Path) {
        let mut copied = self.copied();
        if copied.age == Age::UpToDate {
            return;
        }
        copied.assert_only_read();
        let folder = folder.join(STORE);
        copied.made = None;
        self.copy_to(&folder);
        copied.made = Some((folder.clone(), Snapshot::of(&folder)));
        if copied.age == Age::Outdated {
            copied.age = Age::UpToDate;
        }
    }

    fn copy_to(&self, copy: &Path) {
        if copy.exists() {
            fs::remove_dir_all(copy).unwrap();
        }
        let place = TempDir::new().unwrap();
        let archive = place.path().join("backup.tar");
        let backup = Command::new(env!("CARGO_BIN_EXE_pki"))
            .env("PKI_STORE", self.url())
            .args(["backup", "--quiet"])
            .arg(&archive)
            .output()
            .expect("pki runs");
        if !backup.status.success() {
            // There is no store yet.
            return;
        }
        fs::create_dir(copy).unwrap();
        let extracted = Command::new("tar")
            .args(["--extract", "--strip-components=1", "--file"])
            .arg(&archive)
            .arg("--directory")
            .arg(copy)
            .arg("store")
            .status()
            .expect("tar runs");
        assert!(extracted.success());
        if copy.with_file_name("crl").exists() {
            // Where CRLs are published, if nothing else is said.
            symlink("../crl", copy.join("crl")).unwrap();
        }
    }

    /// Returns what was said, with the names that places have on a directory.
    pub(crate) fn as_on_a_directory(&self, said: &str, default_crls: bool) -> String {
        let url = self.url();
        let said = said.replace(&format!(" --store '{url}'"), "");
        let place = format!(" in {url}");
        let named = said.split_inclusive(&place).map(|part| {
            let rows = part.strip_suffix(&place);
            rows.and_then(path_of).unwrap_or_else(|| part.to_owned())
        });
        let mut said = named.collect::<String>().replace(&url, "./pki");
        if default_crls {
            for before in [" ", "\"", "("] {
                said = said.replace(&format!("{before}crl/"), &format!("{before}./pki/crl/"));
            }
        }
        said
    }
}

/// Replaces rows of a CA, at the end of a text, by the path of the file that has them.
fn path_of(said: &str) -> Option<String> {
    const FILES: [(&str, &str); 7] = [
        ("the certificate", "ca.crt"),
        ("key", "ca.key"),
        ("the certificates", "issued.jsonl"),
        ("the revocations", "revoked.jsonl"),
        ("the CRLs", "crls.jsonl"),
        ("the serial counter", "serial"),
        ("the CRL number", "crlnumber"),
    ];
    let (rows, ca) = said.rsplit_once(" of ")?;
    let mut files = FILES.iter();
    let known = files.find_map(|(name, file)| Some((rows.strip_suffix(name)?, (*file).to_owned())));
    let (before, file) = known.or_else(|| {
        let (before, fingerprint) = rows.rsplit_once("the previous certificate ")?;
        Some((before, format!("previous/{fingerprint}.crt")))
    })?;
    // "key PATH", and the path alone for "the key".
    let before = match before.strip_suffix("the ") {
        Some(before) => before.to_owned(),
        None if file == "ca.key" => format!("{before}key "),
        None => before.to_owned(),
    };
    Some(format!("{before}./pki/{ca}/{file}"))
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.copied().assert_only_read();
        }
        if let Some((cluster, name)) = self.made.take() {
            let had_store = cluster.give_back(name);
            super::STORES.set(super::STORES.get() + usize::from(had_store));
        }
    }
}
