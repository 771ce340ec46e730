//! Lines of requests, in memory that is wiped: some hold a PIN or a private key.

use std::io::{self, Read};
use zeroize::{Zeroize, Zeroizing};

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;

pub(crate) struct Lines<R> {
    from: R,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the buffer that are read, and of these the ones that were taken.
    filled: usize,
    taken: usize,
    /// Most bytes of a line.
    most: usize,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(from: R, most: usize) -> Self {
        Self {
            from,
            buffer: Zeroizing::new(vec![0; CHUNK]),
            filled: 0,
            taken: 0,
            most,
        }
    }

    /// Hands the next line to `work`, then wipes it; `None` at the end. A last line needs no line break.
    pub(crate) fn next<T>(&mut self, work: impl FnOnce(&[u8]) -> T) -> io::Result<Option<T>> {
        let mut searched = self.taken;
        let end = loop {
            let fresh = &self.buffer[searched..self.filled];
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                break searched + at;
            }
            searched = self.filled;
            if self.filled - self.taken > self.most {
                return Err(io::Error::other("a request is too long"));
            }
            if !self.read_more(&mut searched)? {
                if self.filled == self.taken {
                    return Ok(None);
                }
                break self.filled;
            }
        };
        let line = &mut self.buffer[self.taken..end];
        let value = work(line);
        line.zeroize();
        self.taken = self.filled.min(end + 1);
        Ok(Some(value))
    }

    /// Reads once; `false` at the end. Moves the bytes that are left to the beginning if there is no room.
    fn read_more(&mut self, searched: &mut usize) -> io::Result<bool> {
        if self.filled == self.buffer.len() {
            let left = self.filled - self.taken;
            let room = if left > self.buffer.len() / 2 {
                self.buffer.len() * 2
            } else {
                self.buffer.len()
            };
            let mut buffer = Zeroizing::new(vec![0; room]);
            buffer[..left].copy_from_slice(&self.buffer[self.taken..]);
            self.buffer = buffer;
            *searched -= self.taken;
            self.filled = left;
            self.taken = 0;
        }
        let count = loop {
            match self.from.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                count => break count?,
            }
        };
        self.filled += count;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lengths(text: &[u8], at_a_time: usize) -> Vec<usize> {
        let mut lines = Lines::new(Slow(text, at_a_time), 1 << 20);
        let mut lengths = Vec::new();
        while let Some(length) = lines.next(<[u8]>::len).unwrap() {
            lengths.push(length);
        }
        lengths
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let long = [vec![b'a'; 200_000], vec![b'\n'], vec![b'b'; 70_000]].concat();
        let mixed = [b"1\n\n333\n", &long[..], b"\nlast"].concat();
        for at_a_time in [1, 7, CHUNK, usize::MAX] {
            assert_eq!(lengths(&mixed, at_a_time), [1, 0, 3, 200_000, 70_000, 4]);
        }
        assert!(lengths(b"", 1).is_empty());
    }

    #[test]
    fn taken_lines_are_wiped() {
        let mut lines = Lines::new(&b"secret\nnext\n"[..], 100);
        lines.next(|line| assert_eq!(line, b"secret")).unwrap();
        assert_eq!(lines.buffer[..12], *b"\0\0\0\0\0\0\nnext\n");
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let endless = vec![b'a'; 300_000];
        let mut lines = Lines::new(&endless[..], 100_000);
        assert!(lines.next(|_| ()).is_err());
    }
}
