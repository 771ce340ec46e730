//! Reading archives.

use super::sums::Sums;
use super::{BLOCK, END, Entry, SUMS, WINDOW, padding};
use crate::store::error::{FileError, StoreError};
use crate::x509::Fingerprint;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tar::{EntryType, Header};

/// Bytes that are held in memory of what describes other entries.
const MOST_DESCRIPTION: u64 = 16 << 20;

/// First bytes of compressed files, and the programs that open them.
const COMPRESSED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
];

pub(in crate::store) struct Reader<R> {
    input: R,
    path: PathBuf,
    sums: Sums,
    /// The entry that was begun last, for errors.
    current: Option<String>,
}

/// Next part of an archive.
pub(in crate::store) enum Next {
    Entry(Entry),
    /// Hashes that are those of the files before.
    Checked,
    /// End of a whole archive.
    End,
}

impl<R: Read> Reader<R> {
    /// Begins to read one; `path` is what it is called.
    pub(in crate::store) fn new(input: R, path: &Path) -> Self {
        Self {
            input,
            path: path.to_owned(),
            sums: Sums::default(),
            current: None,
        }
    }

    /// Returns an error about the entry that was begun last.
    pub(in crate::store) fn bad(&self, problem: impl Into<String>) -> StoreError {
        StoreError::BadArchive {
            path: self.path.clone(),
            entry: self.current.clone(),
            problem: problem.into(),
        }
    }

    /// Returns an error about an entry that was read.
    pub(in crate::store) fn bad_entry(&self, name: &str, problem: impl Into<String>) -> StoreError {
        StoreError::BadArchive {
            path: self.path.clone(),
            entry: Some(name.to_owned()),
            problem: problem.into(),
        }
    }

    /// Reads the next entry; its content comes next.
    pub(in crate::store) fn next(&mut self) -> Result<Next, StoreError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        let entry = self.entry(&block)?;
        self.current = Some(entry.name.clone());
        if entry.name == END {
            self.end(&entry)?;
            return Ok(Next::End);
        }
        if entry.name.starts_with(SUMS) {
            self.compare(&entry)?;
            return Ok(Next::Checked);
        }
        Ok(Next::Entry(entry))
    }

    /// Reads the content of an entry that describes others.
    pub(in crate::store) fn description(&mut self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        let content = self.unsummed(entry)?;
        self.sums.add(entry, &Fingerprint::of(&content));
        Ok(content)
    }

    /// Hands the content of an entry on.
    pub(in crate::store) fn file(
        &mut self,
        entry: &Entry,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<io::Result<()>, StoreError> {
        let mut buffer = vec![0; WINDOW.min(usize::try_from(entry.size).unwrap_or(WINDOW))];
        let mut hash = Sha256::new();
        let mut left = entry.size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(WINDOW).min(WINDOW);
            self.fill(&mut buffer[..most])?;
            hash.update(&buffer[..most]);
            if let Err(error) = each(&buffer[..most]) {
                return Ok(Err(error));
            }
            left -= most as u64;
        }
        self.skip_padding(entry.size)?;
        self.sums.add(entry, &Fingerprint(hash.finalize().into()));
        Ok(Ok(()))
    }

    /// Reads a header, which has to be one that [`Writer`](super::Writer) writes.
    fn entry(&mut self, block: &[u8; BLOCK]) -> Result<Entry, StoreError> {
        let header = Header::from_byte_slice(block);
        if !has_its_sum(header) {
            return Err(self.not_a_header(block));
        }
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        self.current = Some(name.clone());
        let is_directory = match header.entry_type() {
            EntryType::Regular => false,
            EntryType::Directory => true,
            kind => return Err(self.bad(format!("is {}", named(kind)))),
        };
        let read = || {
            let entry = Entry {
                name,
                is_directory,
                mode: header.mode()?,
                modified: header.mtime()?,
                size: header.size()?,
            };
            let written = entry.header()?;
            Ok::<_, io::Error>((entry, written))
        };
        match read() {
            Ok((entry, written)) if written.as_bytes() == block => Ok(entry),
            _ => Err(self.bad("has a header that `pki backup` does not write")),
        }
    }

    fn not_a_header(&self, block: &[u8; BLOCK]) -> StoreError {
        if self.current.is_some() {
            return self.bad("is followed by something that is no header");
        }
        let compressed = COMPRESSED
            .iter()
            .find(|(magic, _)| block.starts_with(magic));
        match compressed {
            Some((_, program)) => self.bad(format!("it is compressed with {program}")),
            None => self.bad("it does not begin as a backup does"),
        }
    }

    /// Refuses hashes that are not those of the files that were read.
    fn compare(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let content = self.unsummed(entry)?;
        let is_empty = self.sums.count == 0;
        let (name, lines) = self.sums.close();
        if entry.name != name || is_empty {
            return Err(self.bad("is not what follows here"));
        }
        if content == lines {
            return Ok(());
        }
        let (found, read) = (
            content.split(|byte| *byte == b'\n'),
            lines.split(|byte| *byte == b'\n'),
        );
        let differing = read.zip(found).find(|(read, found)| read != found);
        let name = differing.and_then(|(read, _)| read.get(66..));
        let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.current = Some(name);
        }
        Err(self.bad("is not what was backed up"))
    }

    /// Refuses a last entry that is not about what was read, and anything behind it.
    fn end(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let content = self.unsummed(entry)?;
        if self.sums.count > 0 || content != self.sums.end() {
            return Err(self.bad("is about another archive"));
        }
        let mut marker = [0; 2 * BLOCK];
        self.fill(&mut marker)?;
        let mut rest = marker.to_vec();
        loop {
            if rest.iter().any(|byte| *byte != 0) {
                return Err(self.bad("is followed by something"));
            }
            rest.clear();
            let read = (&mut self.input).take(WINDOW as u64).read_to_end(&mut rest);
            if read.map_err(FileError::of("read", &self.path))? == 0 {
                return Ok(());
            }
        }
    }

    fn unsummed(&mut self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        if entry.is_directory || entry.size > MOST_DESCRIPTION {
            return Err(self.bad("is not what has this name in a backup"));
        }
        let mut content = Vec::new();
        let read = (&mut self.input).take(entry.size).read_to_end(&mut content);
        let read = read.map_err(FileError::of("read", &self.path))?;
        if (read as u64) < entry.size {
            return Err(self.cut());
        }
        self.skip_padding(entry.size)?;
        Ok(content)
    }

    fn skip_padding(&mut self, size: u64) -> Result<(), StoreError> {
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(size)];
        self.fill(rest)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(self.bad("is followed by something that is no header"));
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), StoreError> {
        match self.input.read_exact(buffer) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.cut()),
            Err(error) => Err(FileError::of("read", &self.path)(error).into()),
        }
    }

    fn cut(&self) -> StoreError {
        match self.current {
            Some(_) => self.bad("is where the archive breaks off"),
            None => self.bad("it breaks off at its beginning"),
        }
    }
}

/// Returns whether a header's sum is that of its bytes.
fn has_its_sum(header: &Header) -> bool {
    let mut again = header.clone();
    again.set_cksum();
    header
        .cksum()
        .is_ok_and(|sum| again.cksum().is_ok_and(|again| again == sum))
}

/// Names an entry that is neither a file nor a directory.
fn named(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        _ => "neither a file nor a directory",
    }
}
