//! Archives: POSIX tar, of regular files and directories alone, whose content is bound by digests.
//!
//! Behind every [`GROUP`] files, and behind the last, stands a file of their SHA-256 hashes, as `sha256sum`
//! writes it; the last entry of all says how many files there are. That way an archive is written and
//! read in one go, and neither takes more memory the more there is. What is read has to be what was
//! written here, to the byte: two programs that read a header in two ways can't be played off against
//! each other.

use super::error::{FileError, StoreError};
use crate::x509::Fingerprint;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tar::{EntryType, Header};

/// Bytes of a header, of which what a file holds is filled up to a multiple.
const BLOCK: usize = 512;

/// Bytes that are copied at a time.
const WINDOW: usize = 256 * 1024;

/// Files whose hashes stand together.
const GROUP: usize = 1000;

/// What the directory with the files of hashes is called.
const SUMS: &str = "sums/";

/// The last entry.
const END: &str = "end.json";

/// Bytes that are held in memory of what describes other entries.
const MOST_DESCRIPTION: u64 = 16 << 20;

/// How compressed files begin, and what opens them.
const COMPRESSED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
];

/// What an entry's header says.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its path in the archive.
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) mode: u32,
    /// Seconds since 1970.
    pub(super) modified: u64,
    pub(super) size: u64,
}

impl Entry {
    /// The header: that of nobody's file, so that it says nothing of the machine.
    fn header(&self) -> io::Result<Header> {
        let mut header = Header::new_ustar();
        header.set_path(&self.name)?;
        header.set_entry_type(if self.is_directory {
            EntryType::Directory
        } else {
            EntryType::Regular
        });
        header.set_mode(self.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.modified);
        header.set_size(self.size);
        header.set_cksum();
        Ok(header)
    }
}

/// The last entry's content.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    /// How many files the archive has, without those that describe others.
    files: u64,
    /// How many bytes they have.
    #[serde(rename = "octets")]
    bytes: u64,
}

/// Hashes of files, in lines as `sha256sum` writes them.
#[derive(Default)]
struct Sums {
    lines: String,
    count: usize,
    /// How many groups were before.
    groups: u64,
    files: u64,
    bytes: u64,
}

impl Sums {
    fn add(&mut self, entry: &Entry, hash: &Fingerprint) {
        writeln!(self.lines, "{hash}  {}", entry.name).expect("a String takes everything");
        self.count += 1;
        self.files += 1;
        self.bytes += entry.size;
    }

    /// The name of the file in which they come to stand, and its content; the next group begins.
    fn close(&mut self) -> (String, Vec<u8>) {
        self.groups += 1;
        self.count = 0;
        let lines = std::mem::take(&mut self.lines);
        (self.name(), lines.into_bytes())
    }

    fn name(&self) -> String {
        format!("{SUMS}{:06}.sha256", self.groups)
    }

    fn end(&self) -> Vec<u8> {
        let end = End {
            files: self.files,
            bytes: self.bytes,
        };
        let mut json = serde_json::to_vec(&end).expect("numbers are plain data");
        json.push(b'\n');
        json
    }
}

/// Why an archive was not written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the archive is written to does not take it.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl From<FileError> for BackupError {
    fn from(error: FileError) -> Self {
        Self::Store(error.into())
    }
}

/// An archive that is being written.
pub(super) struct Writer<'a> {
    out: &'a mut dyn Write,
    sums: Sums,
    written: u64,
    modified: u64,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Begins one; what describes other entries has this time.
    pub(super) fn new(out: &'a mut dyn Write, modified: u64) -> Self {
        Self {
            out,
            sums: Sums::default(),
            written: 0,
            modified,
            buffer: vec![0; WINDOW],
        }
    }

    /// Adds a directory.
    pub(super) fn directory(&mut self, entry: &Entry) -> Result<(), BackupError> {
        self.put(entry.header()?.as_bytes())
    }

    /// Adds a file that is held in memory.
    pub(super) fn whole(&mut self, entry: &Entry, content: &[u8]) -> Result<(), BackupError> {
        self.put_whole(entry, content)?;
        self.summed(entry, &Fingerprint::of(content))
    }

    /// Adds the file that says what the archive is.
    pub(super) fn description(&mut self, name: &str, content: &[u8]) -> Result<(), BackupError> {
        self.whole(&self.described(name.to_owned(), content), content)
    }

    /// Adds as much of a file as its entry says, which is read from `path`; `each` sees what is read.
    pub(super) fn file(
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

    /// Adds what makes the archive whole, and says how many files it has, and how many bytes it is.
    pub(super) fn finish(mut self) -> Result<(u64, u64), BackupError> {
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

/// Bytes between a file's last one and the next header.
fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).expect("less than a block");
    (BLOCK - over) % BLOCK
}

/// An archive that is being read.
pub(super) struct Reader<R> {
    input: R,
    path: PathBuf,
    sums: Sums,
    /// The entry that was begun last, for errors.
    current: Option<String>,
}

/// What comes next in an archive.
pub(super) enum Next {
    /// A file or directory.
    Entry(Entry),
    /// Hashes, which are those of the files before.
    Checked,
    /// The end: all that the archive ever had was read.
    End,
}

impl<R: Read> Reader<R> {
    /// Begins to read one; `path` is what it is called.
    pub(super) fn new(input: R, path: &Path) -> Self {
        Self {
            input,
            path: path.to_owned(),
            sums: Sums::default(),
            current: None,
        }
    }

    /// An error about the entry that was begun last.
    pub(super) fn bad(&self, problem: impl Into<String>) -> StoreError {
        StoreError::BadArchive {
            path: self.path.clone(),
            entry: self.current.clone(),
            problem: problem.into(),
        }
    }

    /// An error about an entry that was read.
    pub(super) fn bad_entry(&self, name: &str, problem: impl Into<String>) -> StoreError {
        StoreError::BadArchive {
            path: self.path.clone(),
            entry: Some(name.to_owned()),
            problem: problem.into(),
        }
    }

    /// The next entry, whose content comes next.
    pub(super) fn next(&mut self) -> Result<Next, StoreError> {
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

    /// The content of an entry that describes others.
    pub(super) fn description(&mut self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        let content = self.unsummed(entry)?;
        self.sums.add(entry, &Fingerprint::of(&content));
        Ok(content)
    }

    /// Hands the content of an entry on.
    pub(super) fn file(
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

    /// What a header says, where it is one that [`Writer`] writes.
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

    /// Hashes have to be those of the files that were read.
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

    /// The last entry has to be about what was read, and nothing may follow.
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

/// Whether a header's sum is that of its bytes.
fn has_its_sum(header: &Header) -> bool {
    let mut again = header.clone();
    again.set_cksum();
    header
        .cksum()
        .is_ok_and(|sum| again.cksum().is_ok_and(|again| again == sum))
}

/// What an entry is that is neither a file nor a directory.
fn named(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        _ => "neither a file nor a folder",
    }
}
