//! The directory of a repository: written whole, in the place of the one before.

use crate::ca::error::CaError;
use crate::ca::repository::SUMS;
use crate::ca::repository::contents::Repository;
use crate::ca::repository::error::RepositoryError;
use crate::store::FileError;
use crate::store::file::{self, Access, StagedDirectory};
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

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

/// Refuses a directory with files that no repository put there.
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
    let sums = file::read_if_there(&out.join(SUMS))?.unwrap_or_default();
    let sums = String::from_utf8_lossy(&sums);
    let lines = sums.lines().filter_map(|line| line.split_once("  "));
    let mut own: HashSet<PathBuf> = lines.map(|(_, path)| out.join(path)).collect();
    own.insert(out.join(SUMS));
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
    own: &HashSet<PathBuf>,
    depth: usize,
    foreign: &mut Vec<String>,
) -> Result<(), FileError> {
    for entry in fs::read_dir(directory).map_err(|source| failed(directory, source))? {
        let entry = entry.map_err(|source| failed(directory, source))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|source| failed(&path, source))?;
        if kind.is_dir() && depth > 0 {
            find_foreign(out, &path, own, depth - 1, foreign)?;
        } else if !kind.is_file() || !own.contains(&path) {
            let inside = path.strip_prefix(out).unwrap_or(&path);
            foreign.push(inside.display().to_string());
        }
    }
    Ok(())
}

fn failed(path: &Path, source: std::io::Error) -> FileError {
    FileError {
        operation: "read",
        path: path.to_owned(),
        source,
    }
}
