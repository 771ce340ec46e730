//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result};

/// Processor, cores, kernel and the file system under `directory`, in a line.
pub fn described(directory: &Path) -> Result<String> {
    let cores = thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{}, {cores} cores · Linux {} · {}",
        processor()?,
        kernel.trim(),
        file_system(directory)?
    ))
}

fn processor() -> Result<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    Ok(model
        .map_or("unnamed processor", |model| {
            model.trim_matches([' ', '\t', ':'])
        })
        .to_owned())
}

/// The type of the mount with the longest path above the directory (proc(5), `mountinfo`): the mount
/// point is the fifth field, the type the first after the lone dash.
fn file_system(directory: &Path) -> Result<String> {
    let directory = directory.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    mounts
        .lines()
        .filter_map(|line| {
            let (mount, source) = line.split_once(" - ")?;
            Some((mount.split(' ').nth(4)?, source.split(' ').next()?))
        })
        .filter(|(point, _)| directory.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind.to_owned())
        .context("no mount holds the directory")
}
