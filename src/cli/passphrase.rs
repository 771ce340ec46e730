//! Passphrases: `prompt`, `env:VAR`, `file:PATH`, `fd:N`, `stdin`, `pass:TEXT`.

use super::context::Context;
use super::interrupt;
use crate::ca::Passphrases;
use crate::key::Passphrase;
use crate::x509::text::Escaped;
use clap::Args;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Where a passphrase is read from.
#[derive(Clone)]
pub(super) enum Source {
    Prompt,
    Env(String),
    File(PathBuf),
    Descriptor(u32),
    Stdin,
    Text(Zeroizing<String>),
}

impl Source {
    /// The descriptor of which it takes the next line.
    fn stream(&self) -> Option<u32> {
        match self {
            Self::Stdin => Some(0),
            Self::Descriptor(number) => Some(*number),
            _ => None,
        }
    }
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
            _ => Err("it is none of prompt, env:VAR, file:PATH, fd:N, stdin and pass:TEXT".into()),
        }
    }
}

/// Clap repeats values that don't parse; a passphrase must not be repeated, so none fails to parse.
#[derive(Clone)]
pub(super) struct SourceText(Zeroizing<String>);

impl From<&str> for SourceText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

/// Opens keys of the store.
#[derive(Args)]
pub(super) struct PassinArgs {
    /// The passphrase that opens the key: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT
    #[arg(long, value_name = "SRC")]
    passin: Option<SourceText>,
}

impl PassinArgs {
    /// Whether it was said where the passphrase comes from.
    pub(super) fn is_given(&self) -> bool {
        self.passin.is_some()
    }
}

/// Protects keys that are new or leave the store.
#[derive(Args)]
pub(super) struct PassoutArgs {
    /// The passphrase for the new or exported key: as --passin
    #[arg(long, value_name = "SRC", conflicts_with = "no_passphrase")]
    passout: Option<SourceText>,
    /// Leave the new or exported key unencrypted
    #[arg(long)]
    no_passphrase: bool,
}

impl PassoutArgs {
    /// Whether anything was said about the key.
    pub(super) fn is_given(&self) -> bool {
        self.passout.is_some() || self.no_passphrase
    }

    /// Whether the key is to be left unencrypted.
    pub(super) fn is_none_wanted(&self) -> bool {
        self.no_passphrase
    }
}

/// Opens and protects PKCS #12 trust stores, which hold no key and are never without a passphrase.
#[derive(Args)]
pub(super) struct TrustStorePassphraseArgs {
    /// The passphrase that opens the PKCS #12 file of --check: prompt, env:VAR, file:PATH, fd:N, stdin, pass:TEXT
    #[arg(long, value_name = "SRC", requires = "check")]
    passin: Option<SourceText>,
    /// The passphrase for the PKCS #12 file that --for java writes: as --passin
    #[arg(long, value_name = "SRC", conflicts_with = "check")]
    passout: Option<SourceText>,
}

impl TrustStorePassphraseArgs {
    /// The option that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let passin = self.passin.as_ref().map(|_| "--passin");
        passin.or(self.passout.as_ref().map(|_| "--passout"))
    }
}

/// What the key is that gets protected: the environment speaks for keys of the store alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protecting {
    NewCa,
    Export,
    /// As an export, but never left unencrypted.
    Pkcs12,
}

/// The user's passphrases, from wherever the options say.
pub(super) struct UserPassphrases {
    passin: Option<Source>,
    passout: Option<Source>,
    no_passphrase: bool,
    protecting: Protecting,
    may_prompt: bool,
    streams: Rc<RefCell<Streams>>,
}

/// Descriptors that passphrases are read from, each a line.
#[derive(Default)]
struct Streams {
    /// One reader for each.
    open: BTreeMap<u32, File>,
    /// The source of --passin, until it is read, if --passout reads the same descriptor: its line is the
    /// first, whichever passphrase is needed first.
    first: Option<Source>,
    /// The passphrase of --passin, if it was read for the sake of --passout.
    kept: Option<Passphrase>,
}

/// Why there is no passphrase, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{fact}")]
pub(super) struct Unavailable {
    fact: String,
    pub(super) hint: Option<&'static str>,
}

fn unavailable(
    fact: impl Into<String>,
    hint: Option<&'static str>,
) -> Box<dyn Error + Send + Sync> {
    Box::new(Unavailable {
        fact: fact.into(),
        hint,
    })
}

const OPEN_WITH: &str = "give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE";
const PROTECT_CA_WITH: &str =
    "give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or say --no-passphrase";
const PROTECT_EXPORT_WITH: &str = "give one with --passout, or say --no-passphrase";
const PROTECT_PKCS12_WITH: &str = "give one with --passout";

impl UserPassphrases {
    pub(super) fn new(
        context: &Context,
        passin: Option<&PassinArgs>,
        passout: Option<&PassoutArgs>,
        protecting: Protecting,
    ) -> Result<Self, super::Failure> {
        let passin = passin.and_then(|args| args.passin.as_ref());
        let no_passphrase = passout.is_some_and(|args| args.no_passphrase);
        let passout = passout.and_then(|args| args.passout.as_ref());
        let passphrases = Self::of_sources(context, passin, passout, protecting)?;
        Ok(Self {
            no_passphrase,
            ..passphrases
        })
    }

    /// Those of a trust store.
    pub(super) fn of_trust_store(
        context: &Context,
        args: &TrustStorePassphraseArgs,
    ) -> Result<Self, super::Failure> {
        let TrustStorePassphraseArgs { passin, passout } = args;
        let protecting = Protecting::Pkcs12;
        Self::of_sources(context, passin.as_ref(), passout.as_ref(), protecting)
    }

    fn of_sources(
        context: &Context,
        passin: Option<&SourceText>,
        passout: Option<&SourceText>,
        protecting: Protecting,
    ) -> Result<Self, super::Failure> {
        let parse = |option: &str, text: Option<&SourceText>| {
            let parsed = text.map(|text| text.0.parse::<Source>()).transpose();
            parsed.map_err(|problem| {
                super::Failure::usage(format!("the value of {option} can't be used: {problem}"))
            })
        };
        let passin = parse("--passin", passin)?;
        let passout = parse("--passout", passout)?;
        for source in passin.iter().chain(&passout) {
            if matches!(source, Source::Text(_)) {
                context
                    .warning("a passphrase on the command line can be seen by others, as in `ps`");
            }
        }
        let stream = |source: &Option<Source>| source.as_ref().and_then(Source::stream);
        let is_shared = stream(&passin).is_some() && stream(&passin) == stream(&passout);
        let streams = Streams {
            first: passin.clone().filter(|_| is_shared),
            ..Streams::default()
        };
        Ok(Self {
            passin,
            passout,
            no_passphrase: false,
            protecting,
            may_prompt: !context.no_input
                && io::stdin().is_terminal()
                && io::stderr().is_terminal(),
            streams: Rc::new(RefCell::new(streams)),
        })
    }

    /// The same sources, for keys that leave the store.
    pub(super) fn for_exports(&self) -> Self {
        Self {
            passin: None,
            passout: self.passout.clone(),
            no_passphrase: self.no_passphrase,
            protecting: Protecting::Export,
            may_prompt: self.may_prompt,
            streams: self.streams.clone(),
        }
    }

    /// Whether a passphrase that opens a key would be asked for, and is not given.
    pub(super) fn would_ask_to_open(&self) -> bool {
        let given = self.passin.clone().or_else(from_environment);
        matches!(given, None | Some(Source::Prompt))
    }

    /// Whether one of them is to come from standard input.
    pub(super) fn read_standard_input(&self) -> bool {
        let sources = self.passin.iter().chain(&self.passout);
        sources
            .into_iter()
            .any(|source| matches!(source, Source::Stdin | Source::Descriptor(0)))
    }

    fn check_prompt(&self, hint: &'static str) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.may_prompt {
            return Ok(());
        }
        Err(unavailable(
            "it can't be asked for: there is no terminal, or --no-input was given",
            Some(hint),
        ))
    }

    /// Where the passphrase of a new or exported key comes from; nowhere, it is asked for.
    fn protecting_source(&self) -> (Option<Source>, &'static str) {
        let (environment, hint) = match self.protecting {
            Protecting::NewCa => (from_environment(), PROTECT_CA_WITH),
            Protecting::Export => (None, PROTECT_EXPORT_WITH),
            Protecting::Pkcs12 => (None, PROTECT_PKCS12_WITH),
        };
        let source = self.passout.clone().or(environment);
        let read = source.filter(|source| !matches!(source, Source::Prompt));
        (read, hint)
    }

    fn prompt(
        &self,
        question: &str,
        hint: &'static str,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        self.check_prompt(hint)?;
        let text =
            interrupt::at_prompt(|| rpassword::prompt_password(question).map(Zeroizing::new))?;
        checked(text, "the prompt")
    }

    fn prompt_twice(
        &self,
        key: &str,
        hint: &'static str,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        let first = self.prompt(&format!("Passphrase for {}: ", Escaped(key)), hint)?;
        let second = self.prompt("The same again: ", hint)?;
        if first != second {
            return Err(unavailable("the two passphrases are not the same", None));
        }
        Ok(first)
    }
}

impl UserPassphrases {
    fn read(&self, source: &Source) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        let failed = |place: &str, error: io::Error| {
            unavailable(format!("{place} can't be read: {error}"), None)
        };
        match source {
            Source::Prompt => Err(unavailable("it can only be asked for on a terminal", None)),
            Source::Text(text) => checked(text.clone(), "pass:"),
            Source::Env(name) => {
                let octets = variable(name)
                    .ok_or_else(|| unavailable(format!("the variable {name} is not set"), None))?;
                let text = std::str::from_utf8(&octets)
                    .map_err(|_| unavailable(format!("the variable {name} is not UTF-8"), None))?;
                let text = Zeroizing::new(text.to_owned());
                checked(text, &format!("the variable {name}"))
            }
            Source::File(path) => {
                let place = format!("the file {}", path.display());
                let file = File::open(path).map_err(|error| failed(&place, error))?;
                checked(
                    first_line(file).map_err(|error| failed(&place, error))?,
                    &place,
                )
            }
            Source::Descriptor(number) => {
                let place = format!("file descriptor {number}");
                let open = &mut self.streams.borrow_mut().open;
                let file = match open.entry(*number) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(duplicate(*number).map_err(|error| failed(&place, error))?)
                    }
                };
                checked(
                    first_line(file).map_err(|error| failed(&place, error))?,
                    &place,
                )
            }
            Source::Stdin => {
                let line =
                    first_line(Unbuffered).map_err(|error| failed("standard input", error))?;
                checked(line, "standard input")
            }
        }
    }

    /// The next passphrase for a key that is new or leaves the store.
    fn read_to_protect(&self, source: &Source) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        let first = self.streams.borrow_mut().first.take();
        if let Some(first) = first {
            let kept = self.read(&first)?;
            self.streams.borrow_mut().kept = Some(kept);
        }
        self.read(source)
    }
}

impl Passphrases for UserPassphrases {
    fn to_open(&mut self, key: &str) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        match self.passin.clone().or_else(from_environment) {
            Some(Source::Prompt) | None => {
                self.prompt(&format!("Passphrase for {}: ", Escaped(key)), OPEN_WITH)
            }
            Some(source) => {
                let kept = {
                    let mut streams = self.streams.borrow_mut();
                    streams.first = None;
                    streams.kept.take()
                };
                kept.map_or_else(|| self.read(&source), Ok)
            }
        }
    }

    fn to_protect(
        &mut self,
        key: &str,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        if self.no_passphrase {
            return Ok(None);
        }
        match self.protecting_source() {
            (None, hint) => self.prompt_twice(key, hint),
            (Some(source), _) => self.read_to_protect(&source),
        }
        .map(Some)
    }

    fn would_ask_to_protect(&mut self, _: &str) -> Result<bool, Box<dyn Error + Send + Sync>> {
        if self.no_passphrase {
            return Ok(false);
        }
        match self.protecting_source() {
            (None, hint) => self.check_prompt(hint).map(|()| true),
            (Some(source), _) => self.read_to_protect(&source).map(|_| false),
        }
    }
}

fn from_environment() -> Option<Source> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match set("PKI_PASSPHRASE_FILE") {
        Some(path) => Some(Source::File(OsStr::from_bytes(&path).into())),
        None => set("PKI_PASSPHRASE").map(|_| Source::Env("PKI_PASSPHRASE".into())),
    }
}

/// A variable's value in memory that is wiped: asking whether there is one makes a copy of it too.
fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    std::env::var_os(name).map(|value| Zeroizing::new(value.into_encoded_bytes()))
}

/// A descriptor of our own for what one that was given leads to, at the same place in it.
fn duplicate(number: u32) -> io::Result<File> {
    let number = i32::try_from(number).map_err(|_| Errno::BADF)?;
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

/// Opens once more what a descriptor leads to; of a regular file, from where the descriptor is.
fn opened_again(number: i32) -> io::Result<File> {
    let mut file = File::open(format!("/dev/fd/{number}"))?;
    if file.metadata()?.is_file() {
        let described = fs::read_to_string(format!("/proc/self/fdinfo/{number}"))?;
        let place = described.lines().find_map(|line| line.strip_prefix("pos:"));
        let place = place.and_then(|place| place.trim().parse().ok());
        file.seek(SeekFrom::Start(place.unwrap_or(0)))?;
    }
    Ok(file)
}

/// Standard input, of which no more is taken than is asked for, and no copy is kept in a buffer: two
/// passphrases may be two lines.
pub(super) struct Unbuffered;

impl Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// The first line, read octet by octet so that what follows stays for the next reader.
fn first_line(mut from: impl Read) -> io::Result<Zeroizing<String>> {
    const MOST: usize = 4096;
    let mut line = Zeroizing::new(Vec::with_capacity(MOST));
    let mut octet = [0];
    while from.read(&mut octet)? == 1 && octet[0] != b'\n' {
        if line.len() == MOST {
            return Err(io::Error::other("its first line is too long"));
        }
        line.push(octet[0]);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::Error::other("it is not UTF-8")),
    }
}

fn checked(
    text: Zeroizing<String>,
    place: &str,
) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
    if text.is_empty() {
        return Err(unavailable(
            format!("{place} gives an empty passphrase"),
            None,
        ));
    }
    if text.contains('\0') {
        return Err(unavailable(
            format!("{place} gives a passphrase with a NUL in it"),
            None,
        ));
    }
    Ok(Passphrase::new(text))
}
