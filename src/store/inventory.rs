//! Inventory of a store's directory: kinds, owners and permissions of all that is in it.

use super::error::{FileError, StoreError};
use super::layout::{CaLayout, Inside, Kind, Leftover, StoreLayout};
use super::location::Location;
use super::name::CaName;
use super::place::Place;
use super::{Store, file};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// File or directory in the store's directory.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) location: Location,
    pub(crate) ca: Option<CaName>,
    pub(crate) what: What,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
}

/// Kind of a file or directory in the store's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// World-readable file or directory.
    Open,
    /// File or directory of keys, for its owner alone.
    Secret { is_directory: bool },
    /// Lock file, for its owner alone: a user who can open it can lock it.
    Lock,
    /// Remains of an interrupted command, or work of a running one.
    Leftover(Leftover),
    /// File or directory that no version of `pki` put there.
    Foreign { problem: &'static str },
}

/// Classifies an entry of a directory.
type KindOf<'a> = &'a dyn Fn(&str) -> Option<Kind>;
type OwnedKindOf = Box<dyn Fn(&str) -> Option<Kind>>;

impl Store {
    /// Calls `each` for everything in the store's directory, and for the directory. Takes no lock: files that
    /// disappear meanwhile are left out.
    pub(crate) fn inventory(&self, mut each: impl FnMut(Item)) -> Result<(), StoreError> {
        let Place::Directory(layout) = &self.place else {
            return Ok(());
        };
        let root = layout.root();
        let metadata = fs::metadata(root).map_err(FileError::of("look at", root))?;
        each(Item::of(root, None, What::Open, &metadata));
        let mut within = |ca: Option<&CaName>, inside: &Inside| self.within(ca, inside);
        walk(root, None, &StoreLayout::kind_of, &mut within, &mut each)
    }

    /// Returns the possible contents of a directory of the store.
    fn within(&self, ca: Option<&CaName>, inside: &Inside) -> Option<Directory> {
        let ca = match inside {
            // A directory without a CA's files is not the store's.
            Inside::Ca(name)
                if matches!(
                    self.layout()
                        .and_then(|layout| layout.ca(name).is_of_a_ca()),
                    Ok(false)
                ) =>
            {
                return None;
            }
            Inside::Ca(name) | Inside::Pending(name) | Inside::Removed(name) => Some(name.clone()),
            Inside::PublishedCrls => None,
            Inside::PreviousCertificates | Inside::PresignedCrls => ca.cloned(),
        };
        let inside = inside.clone();
        let others = (inside == Inside::PublishedCrls).then_some(Kind::Plain);
        Some(Directory {
            ca,
            // Servers read published CRLs, and others may have theirs beside them.
            kind_of: Box::new(move |entry| inside.kind_of(entry).or_else(|| others.clone())),
        })
    }
}

/// Possible contents of a directory of the store.
struct Directory {
    ca: Option<CaName>,
    kind_of: OwnedKindOf,
}

type Within<'a> = dyn FnMut(Option<&CaName>, &Inside) -> Option<Directory> + 'a;

fn walk(
    directory: &Path,
    ca: Option<&CaName>,
    kind_of: KindOf<'_>,
    within: &mut Within<'_>,
    each: &mut impl FnMut(Item),
) -> Result<(), StoreError> {
    for entry in entries(directory)? {
        let entry = entry.map_err(FileError::of("read", directory))?;
        let path = entry.path();
        let Some(metadata) = file::found(&path)? else {
            continue;
        };
        let kind = entry.file_name().to_str().and_then(kind_of);
        let led_to = if metadata.is_symlink() {
            fs::metadata(&path).ok()
        } else {
            Some(metadata.clone())
        };
        let led_to = led_to.filter(Metadata::is_dir);
        // The permissions of a link are nobody's.
        let meant = led_to.as_ref().unwrap_or(&metadata);
        let mut add = |ca: Option<&CaName>, what| each(Item::of(&path, ca, what, meant));
        let foreign = |problem| What::Foreign { problem };
        match kind {
            Some(Kind::Copies) => {}
            Some(Kind::Directory(_) | Kind::LeafKeys) if led_to.is_none() => {
                add(ca, foreign("is not a file of the store"));
            }
            Some(Kind::Directory(_) | Kind::LeafKeys) if file::is_foreign_link(&metadata) => {
                add(ca, foreign("is a symbolic link of another user"));
            }
            Some(Kind::Directory(inside)) => match within(ca, &inside) {
                Some(Directory { ca, kind_of }) => {
                    add(ca.as_ref(), inside.what());
                    walk(&path, ca.as_ref(), &kind_of, within, each)?;
                }
                None => add(ca, foreign("is not a directory of the store")),
            },
            Some(Kind::LeafKeys) => {
                add(ca, What::Secret { is_directory: true });
                walk(&path, ca, &CaLayout::kind_of_leaf_key, within, each)?;
            }
            kind => add(ca, What::of_file(kind, metadata.is_file(), ca.is_some())),
        }
    }
    Ok(())
}

impl Inside {
    fn what(&self) -> What {
        match self {
            // A pre-signed CRL lacks the revocations that come before its time.
            Self::PresignedCrls => What::Secret { is_directory: true },
            _ => What::Open,
        }
    }
}

impl What {
    fn of_file(kind: Option<Kind>, is_regular: bool, is_in_ca: bool) -> Self {
        let problem = "is not a regular file";
        match kind {
            None => Self::Foreign {
                problem: "is not a file of the store",
            },
            Some(Kind::Leftover(leftover @ Leftover::UnfinishedCa(_))) => Self::Leftover(leftover),
            Some(Kind::Leftover(_) | Kind::Lock) if !is_regular => Self::Foreign { problem },
            Some(Kind::Leftover(leftover)) => Self::Leftover(leftover),
            // Beside published CRLs anybody may put a directory or a link.
            Some(_) if !is_regular && is_in_ca => Self::Foreign { problem },
            Some(Kind::Secret) => Self::Secret {
                is_directory: false,
            },
            Some(Kind::Lock) => Self::Lock,
            Some(_) => Self::Open,
        }
    }
}

fn entries(directory: &Path) -> Result<impl Iterator<Item = io::Result<fs::DirEntry>>, FileError> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(FileError::of("read", directory)(error)),
    }
}

impl Item {
    fn of(path: &Path, ca: Option<&CaName>, what: What, metadata: &Metadata) -> Self {
        Self {
            location: path.into(),
            ca: ca.cloned(),
            what,
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
        }
    }
}
