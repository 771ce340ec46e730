//! A folder of its own for one test, and the programs run in it.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::Expect;
use tempfile::TempDir;

use crate::run::{Run, assert_text};
use crate::snapshot::Snapshot;

/// The store that `pki` uses when nothing else is said.
pub(crate) const STORE: &str = "pki";

/// The passphrase of every protected CA and export, unless a test is about passphrases.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// In a folder that is there.
    pub(crate) fn new_in(folder: &Path) -> Self {
        Self(TempDir::new_in(folder).unwrap())
    }

    /// In memory where the system has such a place: for runs that are many and short.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let memory = memory.is_dir().then(|| TempDir::new_in(memory).ok());
        memory.flatten().map_or_else(Self::new, Self)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
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
        copy
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
        Run::new(program, self.folder()).words(line)
    }

    /// A script of `tests/python`, with the packages of `tests/requirements.txt`.
    pub(crate) fn python(&self, script: &str) -> Run {
        let python = repository("target/test-tools/venv/bin/python");
        Run::new(python, self.folder()).arg(repository("tests/python").join(script))
    }

    /// A script of `tests/node`.
    pub(crate) fn node(&self, script: &str) -> Run {
        Run::new("node", self.folder()).arg(repository("tests/node").join(script))
    }

    /// A program of `tests/java`, from its source.
    pub(crate) fn java(&self, source: &str) -> Run {
        Run::new("java", self.folder()).arg(repository("tests/java").join(source))
    }

    /// Every byte of the store as it is now.
    pub(crate) fn store_snapshot(&self) -> Snapshot {
        Snapshot::of(&self.path(STORE))
    }

    /// Returns the text of a [`Run::refusal`] that leaves the store the same to the byte.
    #[track_caller]
    pub(crate) fn refusal(&self, run: Run, status: i32, code: &str) -> String {
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
