//! A folder of its own for one test, and the programs run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use expect_test::Expect;
use tempfile::TempDir;

use crate::engine::{OwnDatabase, is_in_a_database};
use crate::run::{Run, assert_text};
use crate::snapshot::Snapshot;

/// The store that `pki` uses when nothing else is said.
pub(crate) const STORE: &str = "pki";

/// The passphrase of every protected CA and export, unless a test is about passphrases.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

pub(crate) struct Sandbox {
    /// Database of the store, if the test runs on one.
    database: Option<Arc<OwnDatabase>>,
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::of(TempDir::new().unwrap())
    }

    /// In a folder that is there.
    pub(crate) fn new_in(folder: &Path) -> Self {
        Self::of(TempDir::new_in(folder).unwrap())
    }

    /// With its store in the directory `pki/`, whatever the test runs on.
    pub(crate) fn on_a_directory() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            database: None,
        }
    }

    /// With its store in a database, whatever the test runs on.
    pub(crate) fn on_a_database() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            database: Some(Arc::default()),
        }
    }

    /// Database of the store, if it is in one.
    pub(crate) fn database(&self) -> Option<&OwnDatabase> {
        self.database.as_deref()
    }

    /// Loses the store, with the CRLs that it published: the next one is in an empty directory or database.
    pub(crate) fn lose_store(&mut self) {
        let _ = fs::remove_dir_all(self.folder().join(STORE));
        if let Some(database) = &mut self.database {
            database.forget_copy();
            *database = Arc::default();
            let _ = fs::remove_dir_all(self.folder().join("crl"));
        }
    }

    fn of(folder: TempDir) -> Self {
        Self {
            folder,
            database: is_in_a_database().then(Arc::default),
        }
    }

    /// In memory where the system has such a place: for runs that are many and short.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let memory = memory.is_dir().then(|| TempDir::new_in(memory).ok());
        memory.flatten().map_or_else(Self::new, Self::of)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let name = name.as_ref();
        if let Some(database) = &self.database
            && name.strip_prefix(".").unwrap_or(name).starts_with(STORE)
        {
            database.show_in(self.folder());
        }
        self.folder().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The same files, with the same modes, in another folder, in memory where that can be.
    pub(crate) fn copy(&self) -> Self {
        self.copy_into(Self::in_memory())
    }

    /// The same files, with the same modes, in another sandbox, which is empty.
    pub(crate) fn copy_into(&self, copy: Self) -> Self {
        copy_files(self.folder(), copy.folder());
        let database = self.database.as_ref();
        Self {
            database: database.map(|database| Arc::new(database.copy())),
            ..copy
        }
    }

    /// The names in a folder, sorted.
    pub(crate) fn names_in(&self, folder: &str) -> Vec<String> {
        let listing = fs::read_dir(self.path(folder)).unwrap();
        let mut names = listing
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>();
        names.sort();
        names
    }

    /// `pki` with the words of `line` as its arguments.
    pub(crate) fn pki(&self, line: &str) -> Run {
        self.run(env!("CARGO_BIN_EXE_pki"), line)
    }

    /// Any other program of this machine.
    pub(crate) fn run(&self, program: &str, line: &str) -> Run {
        self.program(program).words(line)
    }

    fn program(&self, program: impl AsRef<OsStr>) -> Run {
        let run = Run::new(program, self.folder());
        match &self.database {
            None => run,
            Some(database) => run.in_database(database),
        }
    }

    /// A script of `tests/python`, with the packages of `tests/requirements.txt`.
    pub(crate) fn python(&self, script: &str) -> Run {
        let python = repository("target/test-tools/venv/bin/python");
        self.program(python)
            .arg(repository("tests/python").join(script))
    }

    /// A script of `tests/node`.
    pub(crate) fn node(&self, script: &str) -> Run {
        self.program("node")
            .arg(repository("tests/node").join(script))
    }

    /// A program of `tests/java`, from its source.
    pub(crate) fn java(&self, source: &str) -> Run {
        self.program("java")
            .arg(repository("tests/java").join(source))
    }

    /// Every byte of the store as it is now.
    pub(crate) fn store_snapshot(&self) -> Snapshot {
        Snapshot::of(&self.path(STORE))
    }

    /// Returns the text of a [`Run::refusal`] that leaves the store the same to the byte.
    #[track_caller]
    pub(crate) fn refusal(&self, run: Run, status: i32, code: &str) -> String {
        if let Some(database) = &self.database {
            let before = database.content();
            let said = run.refusal(status, code);
            database.assert_unchanged(&before);
            return said;
        }
        let before = self.store_snapshot();
        let said = run.refusal(status, code);
        before.assert_unchanged(&self.path(STORE));
        said
    }

    /// Requires a [`Sandbox::refusal`] of this code and this text.
    #[track_caller]
    pub(crate) fn refused(&self, run: Run, status: i32, code: &str, said: Expect) {
        assert_text(&self.refusal(run, status, code), said);
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_files(&entry.path(), &to);
            fs::set_permissions(&to, entry.metadata().unwrap().permissions()).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A path in the checkout that the suite was built from.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
