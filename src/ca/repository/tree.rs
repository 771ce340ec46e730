//! Directory of a repository: written whole, in the place of the old one.

use crate::ca::error::CaError;
use crate::ca::repository::contents::Repository;
use crate::ca::repository::error::RepositoryError;
use crate::ca::repository::{PAGE, STATUS, SUMS};
use crate::store::FileError;
use crate::store::file::{self, Access, StagedDirectory};
use crate::x509::Fingerprint;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Files that an error names.
const MOST_NAMED: usize = 5;

/// Number of steps in which a directory took the place of another.
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
    // Files that were added meanwhile are not removed either.
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

/// Returns the SHA-256 of each file that `pki` published in a directory. A SHA256SUMS without the page and the status is
/// not of a repository: other directories have such a file too.
fn listed(out: &Path) -> Result<HashMap<PathBuf, String>, FileError> {
    let sums = out.join(SUMS);
    if !file::is_regular(&sums)? {
        return Ok(HashMap::new());
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

/// Refuses a directory with files that `pki` did not publish, or that were changed since.
fn refuse_foreign(out: &Path) -> Result<(), CaError> {
    if !file::stands(out)? {
        return Ok(());
    }
    let path = out.to_owned();
    if !file::is_directory(out)? {
        return Err(RepositoryError::NotADirectory { path }.into());
    }
    let own = listed(out)?;
    let mut files = Vec::new();
    for file in file::files_below(out)? {
        if !is_as_listed(&file, &own)? {
            let inside = file.strip_prefix(out).unwrap_or(&file);
            files.push(inside.display().to_string());
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    files.sort();
    files.truncate(MOST_NAMED);
    Err(RepositoryError::Foreign { path, files }.into())
}

fn is_as_listed(path: &Path, own: &HashMap<PathBuf, String>) -> Result<bool, FileError> {
    let Some(hash) = own.get(path) else {
        return Ok(false);
    };
    if !file::is_regular(path)? {
        return Ok(false);
    }
    let content = file::read_if_there(path)?.unwrap_or_default();
    Ok(Fingerprint::of(&content).to_string() == *hash)
}
