//! Sources of passphrases, and reading from them.

use crate::cli::context::Context;
use crate::cli::unavailable::unavailable;
use crate::key::Passphrase;
use crate::store::CaName;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Place that a passphrase is read from.
#[derive(Clone)]
pub(super) enum Source {
    Prompt,
    Env(String),
    File(PathBuf),
    Descriptor(u32),
    Stdin,
    Text(Zeroizing<String>),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "prompt" => Ok(Self::Prompt),
            None if text == "stdin" => Ok(Self::Stdin),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("fd", number)) => number
                .parse()
                .map(Self::Descriptor)
                .map_err(|_| "fd: needs a number".into()),
            Some(("pass", text)) => Ok(Self::Text(Zeroizing::new(text.to_owned()))),
            // The text itself may be the passphrase, so it is not repeated.
            _ => {
                Err("it is not one of prompt, env:VAR, file:PATH, fd:N, stdin or pass:TEXT".into())
            }
        }
    }
}

/// Splits `NAME=SRC`. No name of a CA has a colon, and every source that can hold an equals sign has one
/// before it.
pub(super) fn of_ca(text: &str) -> Result<(Option<CaName>, Source), String> {
    let named = text.split_once('=').filter(|(name, _)| !name.contains(':'));
    match named {
        None => Ok((None, text.parse()?)),
        Some((name, source)) => {
            // First what can be a passphrase: the name of the CA is repeated in errors.
            let source = source.parse()?;
            let name = name
                .parse()
                .map_err(|_| "this is not a valid CA name".to_owned())?;
            Ok((Some(name), source))
        }
    }
}

/// Variable with the path of the file that has the passphrase of one CA.
pub(super) fn variable_of(ca: &CaName) -> String {
    let suffix = ca.as_str().to_ascii_uppercase();
    let suffix = suffix.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    format!("PKI_PASSPHRASE_FILE_{suffix}")
}

/// File that a variable names, unless the variable is empty.
pub(super) fn file_in(name: &str) -> Option<Source> {
    let path = variable(name).filter(|path| !path.is_empty())?;
    Some(Source::File(OsStr::from_bytes(&path).into()))
}

/// Source that stands in for options that are not given.
pub(super) fn from_environment() -> Option<Source> {
    let passphrase = || variable("PKI_PASSPHRASE").filter(|value| !value.is_empty());
    file_in("PKI_PASSPHRASE_FILE")
        .or_else(|| passphrase().map(|_| Source::Env("PKI_PASSPHRASE".into())))
}

/// Descriptors that were read from: one reader each.
pub(super) type Descriptors = BTreeMap<u32, File>;

impl Source {
    /// The descriptor of which it takes the next line.
    pub(super) fn stream(&self) -> Option<u32> {
        match self {
            Self::Stdin => Some(0),
            Self::Descriptor(number) => Some(*number),
            _ => None,
        }
    }

    /// Reads a passphrase; nobody is asked for one.
    pub(super) fn read(
        &self,
        open: &mut Descriptors,
        context: &Context,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        let line = |place: &str, from: &mut dyn Read| {
            let line = first_line(from).map_err(|error| unread(place, &error))?;
            checked(without_mark(line, place, context), place)
        };
        match self {
            Self::Prompt => Err(unavailable("a prompt needs a terminal", None)),
            Self::Text(text) => checked(text.clone(), "pass:"),
            Self::Env(name) => {
                let bytes = variable(name)
                    .ok_or_else(|| unavailable(format!("the variable {name} is not set"), None))?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| unavailable(format!("the variable {name} is not UTF-8"), None))?;
                let text = Zeroizing::new(text.to_owned());
                checked(text, &format!("the variable {name}"))
            }
            Self::File(path) => {
                let place = format!("the file {}", path.display());
                let mut file = File::open(path).map_err(|error| unread(&place, &error))?;
                line(&place, &mut file)
            }
            Self::Descriptor(number) => {
                let place = format!("file descriptor {number}");
                let file = match open.entry(*number) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(duplicate(*number).map_err(|error| unread(&place, &error))?)
                    }
                };
                line(&place, file)
            }
            Self::Stdin => line("standard input", &mut Unbuffered),
        }
    }
}

fn unread(place: &str, error: &io::Error) -> Box<dyn Error + Send + Sync> {
    unavailable(format!("{place} can't be read: {error}"), None)
}

/// Removes a byte order mark, which other programs take for a part of the passphrase.
fn without_mark(line: Zeroizing<String>, place: &str, context: &Context) -> Zeroizing<String> {
    match line.strip_prefix('\u{feff}') {
        None => line,
        Some(rest) => {
            context.notice(format!(
                "{place} begins with a byte order mark (BOM), which is not part of the passphrase"
            ));
            Zeroizing::new(rest.to_owned())
        }
    }
}

/// A variable's value in memory that is wiped: asking whether there is one makes a copy of it too.
fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    std::env::var_os(name).map(|value| Zeroizing::new(value.into_encoded_bytes()))
}

/// A descriptor of our own for what one that was given leads to, at the same place in it.
fn duplicate(number: u32) -> io::Result<File> {
    let number = i32::try_from(number).map_err(|_| Errno::BADF)?;
    if is_opened_here(number) {
        return Err(Errno::BADF.into());
    }
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    // What is opened to ask may get the number that nothing had.
    if matches!(&own, Ok(own) if own.as_raw_fd() == number) {
        return Err(Errno::BADF.into());
    }
    match own.and_then(|own| pidfd_getfd(own, number, PidfdGetfdFlags::empty())) {
        Ok(duplicate) => Ok(duplicate.into()),
        Err(error @ Errno::BADF) => Err(error.into()),
        // Kernels before 5.6 do not have the call, and containers may forbid it.
        Err(_) => opened_again(number),
    }
}

/// Returns whether a descriptor is one of ours, as of a connection: those are closed on exec, and what is given to
/// this process has come through one.
fn is_opened_here(number: i32) -> bool {
    let flags = described(number, "flags:").and_then(|flags| u32::from_str_radix(&flags, 8).ok());
    flags.is_some_and(|flags| flags & OFlags::CLOEXEC.bits() != 0)
}

/// Returns a field of the kernel's description of a descriptor.
fn described(number: i32, field: &str) -> Option<String> {
    let described = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
    let value = described
        .lines()
        .find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().to_owned())
}

/// Opens once more what a descriptor leads to; of a regular file, from where the descriptor is.
fn opened_again(number: i32) -> io::Result<File> {
    let mut file = File::open(format!("/dev/fd/{number}"))?;
    if file.metadata()?.is_file() {
        let place = described(number, "pos:").and_then(|place| place.parse().ok());
        file.seek(SeekFrom::Start(place.unwrap_or(0)))?;
    }
    Ok(file)
}

/// Standard input, of which no more is taken than is asked for, and no copy is kept in a buffer: two
/// passphrases may be two lines.
pub(in crate::cli) struct Unbuffered;

impl Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// The first line, read byte by byte so that what follows stays for the next reader.
fn first_line(from: &mut dyn Read) -> io::Result<Zeroizing<String>> {
    const MOST: usize = 4096;
    let mut line = Zeroizing::new(Vec::with_capacity(MOST));
    let mut byte = [0];
    while from.read(&mut byte)? == 1 && byte[0] != b'\n' {
        if line.len() == MOST {
            return Err(io::Error::other("its first line is too long"));
        }
        line.push(byte[0]);
    }
    if matches!(line[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(io::Error::other("it is UTF-16: save it as UTF-8"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::Error::other("it is not UTF-8")),
    }
}

pub(super) fn checked(
    text: Zeroizing<String>,
    place: &str,
) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
    if text.is_empty() {
        return Err(unavailable(
            format!("the passphrase of {place} is empty"),
            None,
        ));
    }
    if text.contains('\0') {
        return Err(unavailable(
            format!("the passphrase of {place} contains a NUL"),
            Some("save the file as UTF-8"),
        ));
    }
    Ok(Passphrase::new(text))
}
