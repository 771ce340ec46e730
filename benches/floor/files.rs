//! Syncs, and the creation of many files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::timed;

/// Bytes of a record: a certificate in base64.
const RECORD: [u8; 900] = [b'r'; 900];

/// Appends to a file and syncs it, so many times.
pub fn syncs(count: u64) -> Result<()> {
    let mut file = File::create_new("appended")?;
    file.write_all(&RECORD)?;
    rustix::fs::sync();
    timed(|| {
        for _ in 0..count {
            file.write_all(&RECORD)?;
            file.sync_data()?;
        }
        Ok(())
    })
}

/// Writes a list of all files below a directory, in the order in which they were made: size and path, or the path
/// of the file that it is another link to.
pub fn manifest(directory: &Path, file: &Path) -> Result<()> {
    let mut inodes: BTreeMap<u64, (u64, Vec<PathBuf>)> = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(above) = pending.pop() {
        for entry in fs::read_dir(&above)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                pending.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(directory)?.to_owned();
                let (_, paths) = inodes.entry(metadata.ino()).or_default();
                paths.push(path);
                inodes
                    .entry(metadata.ino())
                    .and_modify(|(size, _)| *size = metadata.len());
            }
        }
    }
    let mut lines = String::new();
    for (size, paths) in inodes.values() {
        for (index, path) in paths.iter().enumerate() {
            let source = match index {
                0 => size.to_string(),
                _ => paths[0].display().to_string(),
            };
            let _ = writeln!(lines, "{}\t{source}", path.display());
        }
    }
    Ok(fs::write(file, lines)?)
}

/// Makes all files of a manifest below the working directory.
pub fn create(manifest: &Path, together: usize) -> Result<()> {
    let lines = fs::read_to_string(manifest)?;
    let directory = File::open(".")?;
    let content = vec![b'c'; 64 << 10];
    let mut directories = BTreeSet::new();
    timed(|| {
        for (index, line) in lines.lines().enumerate() {
            let (path, source) = line.split_once('\t').context("two columns are required")?;
            let path = Path::new(path);
            make_directory(path.parent(), &mut directories)?;
            match source.parse::<usize>() {
                Ok(size) => File::create_new(path)?.write_all(&content[..size])?,
                Err(_) => fs::hard_link(source, path)?,
            }
            if (index + 1) % together == 0 {
                rustix::fs::syncfs(&directory)?;
            }
        }
        Ok(rustix::fs::syncfs(&directory)?)
    })
}

fn make_directory<'a>(directory: Option<&'a Path>, made: &mut BTreeSet<&'a Path>) -> Result<()> {
    if let Some(directory) = directory
        && made.insert(directory)
    {
        fs::create_dir_all(directory)?;
    }
    Ok(())
}
