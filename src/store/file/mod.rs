//! Every change to a file: inside the store, and where results are put.
//!
//! A file comes into being whole or not at all, and is durable when a function here returns. A sync
//! that failed is reported and never repeated, since the kernel forgets what it could not write.

mod access;
mod appending;
mod create;
mod directory;
mod group;
mod hidden;
mod names;
mod open;
mod output;
mod read;
mod staged;

pub(crate) use super::error::Uncommitted;
pub(crate) use access::{Access, Existing};
pub(crate) use appending::Appending;
pub(crate) use create::{
    append_or_create, create, create_filled, link, overwrite, remove, remove_if_there, tighten,
};
pub(crate) use directory::StagedDirectory;
pub(crate) use group::Group;
pub(crate) use hidden::take_leftover_away;
pub(crate) use names::{
    create_directories, create_directory, directory_of, exchange, remove_directory, rename_new,
    sync, sync_directory,
};
pub(crate) use open::Suspect;
pub(super) use open::{is_foreign_link, keep_others_out, open_own, refuse_foreign_link};
pub(crate) use output::{Output, Stream, StreamPlace};
pub(crate) use read::{files_below, is_directory, is_regular, stands};
pub(super) use read::{found, names_in, names_read_as};
pub(crate) use read::{read, read_if_there};
pub(crate) use staged::check_place;
pub(crate) use staged::{Staged, commit_all, write};
