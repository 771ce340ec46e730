//! The directory of a repository: written whole, in the place of the one before.

use crate::ca::error::CaError;
use crate::ca::repository::contents::Repository;
use crate::ca::repository::error::RepositoryError;
use crate::ca::repository::{PAGE, STATUS, SUMS};
use crate::store::FileError;
use crate::store::file::{self, Access, StagedDirectory};
use crate::x509::Fingerprint;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files that an error names.
const MOST_NAMED: usize = 5;

/// Most directories in each other.
const DEEPEST: usize = 32;

/// How a directory took the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// There was none.
    New,
    /// In one step.
    Exchanged,
    /// In two, since the file system can't exchange: for a moment there was none.
    Moved,
}

/// Writes a repository; the directory is the old one or the new one, whatever interrupts that.
pub(crate) fn write_repository(
    repository: &Repository,
    out: &Path,
) -> Result<Replacement, CaError> {
    // A slash at the end would lead behind a symbolic link.
    let out: &Path = &out.components().collect::<PathBuf>();
    refuse_foreign(out)?;
    let staged = StagedDirectory::new(out)?;
    let mut directories = BTreeSet::new();
    for (path, content) in &repository.files {
        let place = staged.hidden().join(path);
        for directory in parents(path) {
            if directories.insert(directory.to_owned()) {
                file::create_directory(&staged.hidden().join(directory), Access::Umask)?;
            }
        }
        file::create(&place, Access::Umask, &content.content)?;
    }
    for directory in &directories {
        file::sync_directory(&staged.hidden().join(directory))?;
    }
    if !file::stands(out)? {
        staged.commit()?;
        return Ok(Replacement::New);
    }
    // What came there meanwhile is not removed either.
    refuse_foreign(out)?;
    Ok(if staged.commit_over()? {
        Replacement::Exchanged
    } else {
        Replacement::Moved
    })
}

/// Returns the directories of a file, the outermost first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Returns the SHA-256 of each file that a repository put into a directory; none if the list of hashes is not that of a
/// repository, as other directories have such lists too.
fn listed(out: &Path) -> Result<HashMap<PathBuf, String>, FileError> {
    let sums = out.join(SUMS);
    match fs::symlink_metadata(&sums) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(HashMap::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(source) => return Err(failed(&sums, source)),
    }
    let text = file::read_if_there(&sums)?.unwrap_or_default();
    let mut own: HashMap<PathBuf, String> = String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, path)| (out.join(path), hash.to_owned()))
        .collect();
    if ![PAGE, STATUS]
        .iter()
        .all(|path| own.contains_key(&out.join(path)))
    {
        return Ok(HashMap::new());
    }
    own.insert(sums, Fingerprint::of(&text).to_string());
    Ok(own)
}

/// Refuses a directory with files that no repository put there, or that were changed since.
fn refuse_foreign(out: &Path) -> Result<(), CaError> {
    let found = match fs::symlink_metadata(out) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(out, source).into()),
    };
    if !found.is_dir() {
        let path = out.to_owned();
        return Err(RepositoryError::NotADirectory { path }.into());
    }
    let own = listed(out)?;
    let mut foreign = Vec::new();
    find_foreign(out, out, &own, DEEPEST, &mut foreign)?;
    if foreign.is_empty() {
        return Ok(());
    }
    foreign.sort();
    foreign.truncate(MOST_NAMED);
    let path = out.to_owned();
    Err(RepositoryError::Foreign {
        path,
        files: foreign,
    }
    .into())
}

fn find_foreign(
    out: &Path,
    directory: &Path,
    own: &HashMap<PathBuf, String>,
    depth: usize,
    foreign: &mut Vec<String>,
) -> Result<(), FileError> {
    for entry in fs::read_dir(directory).map_err(|source| failed(directory, source))? {
        let entry = entry.map_err(|source| failed(directory, source))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|source| failed(&path, source))?;
        if kind.is_dir() && depth > 0 {
            find_foreign(out, &path, own, depth - 1, foreign)?;
        } else if !kind.is_file() || !is_as_listed(&path, own)? {
            let inside = path.strip_prefix(out).unwrap_or(&path);
            foreign.push(inside.display().to_string());
        }
    }
    Ok(())
}

fn is_as_listed(path: &Path, own: &HashMap<PathBuf, String>) -> Result<bool, FileError> {
    let Some(hash) = own.get(path) else {
        return Ok(false);
    };
    let content = file::read_if_there(path)?.unwrap_or_default();
    Ok(Fingerprint::of(&content).to_string() == *hash)
}

fn failed(path: &Path, source: std::io::Error) -> FileError {
    FileError {
        operation: "read",
        path: path.to_owned(),
        source,
    }
}
