//! The whole content of a folder, to show that nothing in it changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

#[derive(PartialEq, Eq)]
enum Entry {
    Folder { mode: u32 },
    File { mode: u32, content: Vec<u8> },
    Link { target: PathBuf },
    Special,
}

/// Every file of a folder with its mode and bytes.
#[derive(PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, Entry>);

impl Snapshot {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut entries = BTreeMap::new();
        collect(folder, &mut entries);
        Self(entries)
    }

    /// Fails with the names of the files that differ.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, folder: &Path) {
        let now = Self::of(folder);
        let mut differences = String::new();
        for (path, entry) in &self.0 {
            match now.0.get(path) {
                None => writeln!(differences, "gone: {}", path.display()).unwrap(),
                Some(other) if other != entry => {
                    writeln!(differences, "changed: {}", path.display()).unwrap();
                }
                Some(_) => {}
            }
        }
        for path in now.0.keys().filter(|path| !self.0.contains_key(*path)) {
            writeln!(differences, "new: {}", path.display()).unwrap();
        }
        assert!(differences.is_empty(), "the files changed\n{differences}");
    }
}

fn collect(folder: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    let Ok(listing) = fs::read_dir(folder) else {
        return;
    };
    for item in listing {
        let path = item.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode();
        let kind = metadata.file_type();
        let entry = if kind.is_dir() {
            collect(&path, entries);
            Entry::Folder { mode }
        } else if kind.is_file() {
            let content = fs::read(&path).unwrap();
            Entry::File { mode, content }
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            Entry::Link { target }
        } else {
            Entry::Special
        };
        entries.insert(path, entry);
    }
}
