//! The files that a declaration writes: each is one thing's alone.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The files that something writes already.
#[derive(Default)]
pub(super) struct Outputs(BTreeSet<PathBuf>);

impl Outputs {
    /// Takes a file for one thing; what is wrong where another has it.
    pub(super) fn claim(&mut self, path: &Path) -> Option<String> {
        let is_free = self.0.insert(plain(path));
        (!is_free).then(|| format!("{} is also written by another entry", path.display()))
    }
}

/// A path from the root, without ways back.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for component in absolute.components() {
        if component == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(component);
        }
    }
    plain
}
