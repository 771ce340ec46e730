//! Writing archives.

use super::sums::Sums;
use super::{BLOCK, BackupError, END, Entry, GROUP, WINDOW, padding};
use crate::store::error::{FileError, StoreError};
use crate::x509::Fingerprint;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::path::Path;

pub(in crate::store) struct Writer<'a> {
    out: &'a mut dyn Write,
    sums: Sums,
    written: u64,
    modified: u64,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Begins one; what describes other entries has this time.
    pub(in crate::store) fn new(out: &'a mut dyn Write, modified: u64) -> Self {
        Self {
            out,
            sums: Sums::default(),
            written: 0,
            modified,
            buffer: vec![0; WINDOW],
        }
    }

    pub(in crate::store) fn directory(&mut self, entry: &Entry) -> Result<(), BackupError> {
        self.put(entry.header()?.as_bytes())
    }

    pub(in crate::store) fn whole(
        &mut self,
        entry: &Entry,
        content: &[u8],
    ) -> Result<(), BackupError> {
        self.put_whole(entry, content)?;
        self.summed(entry, &Fingerprint::of(content))
    }

    /// Adds the file that says what the archive is.
    pub(in crate::store) fn description(
        &mut self,
        name: &str,
        content: &[u8],
    ) -> Result<(), BackupError> {
        self.whole(&self.described(name.to_owned(), content), content)
    }

    /// Adds as much of a file as its entry says, which is read from `path`; `each` sees what is read.
    pub(in crate::store) fn file(
        &mut self,
        entry: &Entry,
        path: &Path,
        mut from: impl Read,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), BackupError> {
        self.put(entry.header()?.as_bytes())?;
        let mut hash = Sha256::new();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut left = entry.size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(WINDOW).min(WINDOW);
            let bytes = match from.read(&mut buffer[..most]) {
                Ok(0) => return Err(StoreError::damaged(path, "became shorter meanwhile").into()),
                Ok(read) => &buffer[..read],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(FileError::of("read", path)(error).into()),
            };
            hash.update(bytes);
            each(bytes);
            self.put(bytes)?;
            left -= bytes.len() as u64;
        }
        self.buffer = buffer;
        self.put(&[0; BLOCK][..padding(entry.size)])?;
        self.summed(entry, &Fingerprint(hash.finalize().into()))
    }

    /// Adds the last entries; returns the numbers of files and of bytes.
    pub(in crate::store) fn finish(mut self) -> Result<(u64, u64), BackupError> {
        if self.sums.count > 0 {
            self.put_sums()?;
        }
        let end = self.sums.end();
        self.put_whole(&self.described(END.to_owned(), &end), &end)?;
        self.put(&[0; 2 * BLOCK])?;
        self.out.flush()?;
        Ok((self.sums.files, self.written))
    }

    fn described(&self, name: String, content: &[u8]) -> Entry {
        Entry {
            name,
            is_directory: false,
            mode: 0o644,
            modified: self.modified,
            size: content.len() as u64,
        }
    }

    fn summed(&mut self, entry: &Entry, hash: &Fingerprint) -> Result<(), BackupError> {
        self.sums.add(entry, hash);
        if self.sums.count == GROUP {
            self.put_sums()?;
        }
        Ok(())
    }

    fn put_sums(&mut self) -> Result<(), BackupError> {
        let (name, content) = self.sums.close();
        self.put_whole(&self.described(name, &content), &content)
    }

    fn put_whole(&mut self, entry: &Entry, content: &[u8]) -> Result<(), BackupError> {
        self.put(entry.header()?.as_bytes())?;
        self.put(content)?;
        self.put(&[0; BLOCK][..padding(entry.size)])
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}
