//! The file of profiles in the store. Its content is the use cases' affair.

use super::Store;
use super::address::Address;
use super::database::Session;
use super::error::{FileError, StoreError};
use super::file::{self, Access, Existing};
use super::location::Location;
use super::lock::Lock;
use super::place::Place;
use std::io;

/// Most bytes of the file.
const MOST_BYTES: u64 = 1 << 20;

impl Store {
    /// Reads the file of profiles; `None` if there is none.
    pub(crate) fn profiles(&self) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(session) = self.session() {
            return Ok(session.facts()?.profiles.clone().map(String::into_bytes));
        }
        let path = self.layout()?.profiles();
        if file::found(&path)?.is_some_and(|found| found.len() > MOST_BYTES) {
            let problem = io::Error::new(io::ErrorKind::FileTooLarge, "it exceeds 1 MiB");
            return Err(FileError::of("read", &path)(problem).into());
        }
        Ok(file::read_if_there(&path)?)
    }

    pub(crate) fn profiles_location(&self) -> Location {
        match &self.place {
            Place::Directory(layout) => layout.profiles().into(),
            Place::Database(session) => session.location("the profiles"),
        }
    }

    /// Reads the file of profiles in a directory that may hold a store.
    pub(crate) fn profiles_in(address: &Address) -> Option<Vec<u8>> {
        let path = match address {
            Address::Directory(path) => path,
            Address::Database(url) => {
                let facts = Session::open(url).ok()??.facts().ok()?;
                return facts.profiles.clone().map(String::into_bytes);
            }
        };
        let layout = super::layout::StoreLayout::new(path);
        file::read_if_there(&layout.profiles()).ok()?
    }

    /// Replaces the file of profiles by what `change` returns, if it returns a text, while no other process does.
    pub(crate) fn change_profiles<R, E: From<StoreError>>(
        &self,
        change: impl FnOnce() -> Result<(Option<String>, R), E>,
    ) -> Result<R, E> {
        if let Some(session) = self.session() {
            session.look()?;
            let (text, result) = change()?;
            if let Some(text) = text {
                session.alone(|| session.set_profiles(&text))?;
            }
            return Ok(result);
        }
        let _lock = Lock::acquire(&self.layout()?.lock(), &self.operator)?;
        let (text, result) = change()?;
        if let Some(text) = text {
            let path = self.layout()?.profiles();
            file::write(&path, Access::Store, Existing::Replace, text.as_bytes())
                .map_err(|error| StoreError::from(error.source))?;
        }
        Ok(result)
    }
}
