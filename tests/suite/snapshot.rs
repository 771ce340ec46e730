//! The whole content of a folder, to show that nothing in it changed.

use std::collections::BTreeMap;
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
        let differences = self.differences(folder).join("\n");
        assert!(differences.is_empty(), "the files changed\n{differences}");
    }

    /// The files that differ, as `gone: path`, `changed: path` and `new: path`.
    pub(crate) fn differences(&self, folder: &Path) -> Vec<String> {
        let now = Self::of(folder);
        let before = self.0.iter().filter_map(|(path, entry)| {
            let change = match now.0.get(path) {
                None => "gone",
                Some(other) if other != entry => "changed",
                Some(_) => return None,
            };
            Some(format!("{change}: {}", path.display()))
        });
        let new = now.0.keys().filter(|path| !self.0.contains_key(*path));
        before
            .chain(new.map(|path| format!("new: {}", path.display())))
            .collect()
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
