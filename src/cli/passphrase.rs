//! Passphrases: `prompt`, `env:VAR`, `file:PATH`, `fd:N`, `stdin`, `pass:TEXT`.

mod args;
mod source;

use super::context::Context;
use super::failure::Failure;
use super::interrupt;
use super::terminal::discard_input;
use super::unavailable::unavailable;
use crate::ca::{Passphrases, ProtectedKey, Secret};
use crate::key::{Helpers, Passphrase};
use crate::store::{CaName, Store, StoreError};
use crate::x509::text::Escaped;
use args::SourceText;
pub(super) use args::{FilePassinArgs, PassinArgs, PassoutArgs, TrustStorePassphraseArgs};
pub(super) use source::Unbuffered;
use source::{Descriptors, Source};
use std::cell::RefCell;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::rc::Rc;
use zeroize::Zeroizing;

/// Kind of a key to protect: the environment gives passphrases for keys of the store alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protecting {
    NewCa,
    Export,
    /// A token or service, which has a PIN.
    Token,
    /// As an export, but never left unencrypted.
    Pkcs12,
}

/// Least characters of a new passphrase that is typed.
const LEAST_TYPED: usize = 8;

/// Number of times that a passphrase can be typed.
const ATTEMPTS: usize = 3;

/// The user's passphrases, from wherever the options say.
pub(super) struct UserPassphrases {
    passout: Option<Source>,
    no_passphrase: bool,
    protecting: Protecting,
    may_prompt: bool,
    context: Context,
    helpers: Helpers,
    /// Number of wrong passphrases that were typed.
    wrong: usize,
    shared: Rc<RefCell<Shared>>,
}

/// Options --passin, and descriptors that passphrases are read from, each a line.
#[derive(Default)]
struct Shared {
    open: Descriptors,
    given: Vec<Given>,
}

struct Given {
    /// The CA that it is for alone.
    ca: Option<CaName>,
    source: Source,
    /// Whether its line was read.
    was_read: bool,
    /// Its passphrase, if it was read before it was needed, or is that of one CA.
    kept: Option<Passphrase>,
}

impl Shared {
    /// Reads the passphrases of the first options --passin that read the descriptor, if that was not
    /// done: lines are in the order of the options, whichever passphrase is needed first, and that of
    /// --passout is behind them.
    fn read_before(&mut self, end: usize, stream: Option<u32>, context: &Context) -> Read<()> {
        let Self { open, given } = self;
        let same = |given: &&mut Given| stream.is_some() && given.source.stream() == stream;
        for earlier in given[..end].iter_mut().filter(same) {
            if !earlier.was_read {
                earlier.kept = Some(earlier.source.read(open, context)?);
                earlier.was_read = true;
            }
        }
        Ok(())
    }

    /// Reads the passphrase of an option --passin; that of one CA stays the same.
    fn read(&mut self, index: usize, context: &Context) -> Read<Passphrase> {
        self.read_before(index, self.given[index].source.stream(), context)?;
        let Self { open, given } = self;
        let given = &mut given[index];
        let passphrase = match given.kept.take() {
            Some(kept) => kept,
            None => given.source.read(open, context)?,
        };
        given.was_read = true;
        given.kept = given.ca.as_ref().map(|_| passphrase.clone());
        Ok(passphrase)
    }
}

type Read<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Place that the passphrase of a key comes from.
enum Origin {
    /// The option --passin with this index.
    Option(usize),
    Variable(Source),
    Prompt,
}

const OPEN_WITH: &str = "give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE";
const OPEN_CA_WITH: &str = "give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE; for one CA alone with --passin NAME=SRC or PKI_PASSPHRASE_FILE_NAME";
const PROTECT_CA_WITH: &str =
    "give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or use --no-passphrase";
const OPEN_EACH_WITH: &str = "unset it, and give the passphrase of each with --passin NAME=SRC";
const PROTECT_EACH_WITH: &str = "unset it, and give the new passphrase with --passout";
const PROTECT_EXPORT_WITH: &str = "give one with --passout, or use --no-passphrase";
const PROTECT_PKCS12_WITH: &str = "give one with --passout";

fn given_for_files(passin: Option<&SourceText>) -> Result<Vec<Given>, Failure> {
    let source = passin.map(|text| parsed("--passin", text)).transpose()?;
    let given = source.into_iter().map(|source| Given::new(None, source));
    Ok(given.collect())
}

impl UserPassphrases {
    /// Returns the passphrases of a command that works with the CAs of the store.
    pub(super) fn new(
        context: &Context,
        passin: Option<&PassinArgs>,
        passout: Option<&PassoutArgs>,
        protecting: Protecting,
    ) -> Result<Self, Failure> {
        let passphrases = Self::with_new_cas(context, passin, passout, protecting)?;
        passphrases.check_names(&[])?;
        Ok(passphrases)
    }

    /// Returns the passphrases of a command that makes CAs and opens their keys: it has to call [`Self::check_names`].
    pub(super) fn with_new_cas(
        context: &Context,
        passin: Option<&PassinArgs>,
        passout: Option<&PassoutArgs>,
        protecting: Protecting,
    ) -> Result<Self, Failure> {
        let passin = passin.map_or(&[][..], |args| &args.passin);
        let no_passphrase = passout.is_some_and(|args| args.no_passphrase);
        let passout = passout.and_then(|args| args.passout.as_ref());
        let parse = |text: &SourceText| {
            let (ca, source) =
                source::of_ca(&text.0).map_err(|problem| unusable("--passin", &problem))?;
            Ok(Given::new(ca, source))
        };
        let given = passin
            .iter()
            .map(parse)
            .collect::<Result<Vec<_>, Failure>>()?;
        for (index, twice) in given.iter().enumerate() {
            if given[..index].iter().any(|given| given.ca == twice.ca) {
                let whose = twice.ca.as_ref();
                let whose =
                    whose.map_or_else(|| "without a CA's name".into(), |ca| format!("for {ca}"));
                return Err(Failure::usage(format!("--passin is given twice {whose}"))
                    .hint("--passin NAME=SRC gives the passphrase of one CA"));
            }
        }
        let passphrases = Self::of_sources(context, given, passout, protecting)?;
        Ok(Self {
            no_passphrase,
            ..passphrases
        })
    }

    /// Returns the passphrases of a trust store.
    pub(super) fn of_trust_store(
        context: &Context,
        args: &TrustStorePassphraseArgs,
    ) -> Result<Self, Failure> {
        let TrustStorePassphraseArgs { passin, passout } = args;
        let given = given_for_files(passin.as_ref())?;
        Self::of_sources(context, given, passout.as_ref(), Protecting::Pkcs12)
    }

    /// Returns the passphrases that open files.
    pub(super) fn of_file(context: &Context, args: &FilePassinArgs) -> Result<Self, Failure> {
        let given = given_for_files(args.passin.as_ref())?;
        Self::of_sources(context, given, None, Protecting::Export)
    }

    fn of_sources(
        context: &Context,
        given: Vec<Given>,
        passout: Option<&SourceText>,
        protecting: Protecting,
    ) -> Result<Self, Failure> {
        let passout = passout.map(|text| parsed("--passout", text)).transpose()?;
        for source in given.iter().map(|given| &given.source).chain(&passout) {
            if matches!(source, Source::Text(_)) {
                context.warning(
                    "others can see a passphrase on the command line, for example with `ps`",
                );
            }
        }
        let shared = Shared {
            given,
            ..Shared::default()
        };
        Ok(Self {
            passout,
            no_passphrase: false,
            protecting,
            may_prompt: !context.no_input
                && io::stdin().is_terminal()
                && io::stderr().is_terminal(),
            helpers: Context::helpers()?,
            context: context.clone(),
            wrong: 0,
            shared: Rc::new(RefCell::new(shared)),
        })
    }

    /// Refuses an option --passin for a CA that is neither in the store nor one of the new ones.
    pub(super) fn check_names(&self, new: &[CaName]) -> Result<(), Failure> {
        let shared = self.shared.borrow();
        let mut names = shared.given.iter().filter_map(|given| given.ca.as_ref());
        if names.clone().next().is_none() {
            return Ok(());
        }
        let known = Store::ca_names_in(&self.context.store)?;
        let unknown = names.find(|name| !known.contains(name) && !new.contains(name));
        let Some(name) = unknown.cloned() else {
            return Ok(());
        };
        Err(StoreError::NoSuchCa { name, known }.into())
    }

    /// The same sources, for keys that leave the store.
    pub(super) fn for_exports(&self) -> Self {
        Self {
            passout: self.passout.clone(),
            protecting: Protecting::Export,
            context: self.context.clone(),
            helpers: self.helpers.clone(),
            shared: self.shared.clone(),
            ..*self
        }
    }

    /// Returns whether one of them is to come from standard input.
    pub(super) fn read_standard_input(&self) -> bool {
        let shared = self.shared.borrow();
        let passin = shared.given.iter().map(|given| &given.source);
        let mut sources = passin.chain(&self.passout);
        sources.any(|source| source.stream() == Some(0))
    }

    fn check_prompt(&self, hint: &'static str) -> Read<()> {
        if self.may_prompt {
            return Ok(());
        }
        Err(unavailable(
            "no prompt is possible: there is no terminal, or --no-input is set",
            Some(hint),
        ))
    }

    /// The place that the passphrase of an existing key comes from: the option for its CA, the CA's own
    /// variable, the option for all, the variables for all, the user.
    fn origin(&self, ca: Option<&CaName>) -> Read<Origin> {
        let shared = self.shared.borrow();
        let option = |ca: Option<&CaName>| {
            let mut given = shared.given.iter();
            let index = given.position(|given| given.ca.as_ref() == ca)?;
            Some(match shared.given[index].source {
                Source::Prompt => Origin::Prompt,
                _ => Origin::Option(index),
            })
        };
        if let Some(own) = ca.and_then(|ca| option(Some(ca))) {
            return Ok(own);
        }
        if let Some(own) = self.own_variable(ca, OPEN_EACH_WITH)? {
            return Ok(Origin::Variable(own));
        }
        let all = option(None).or_else(|| source::from_environment().map(Origin::Variable));
        Ok(all.unwrap_or(Origin::Prompt))
    }

    /// The file that the variable of one CA names. A variable that several CAs have is refused.
    fn own_variable(&self, ca: Option<&CaName>, hint: &'static str) -> Read<Option<Source>> {
        let Some(ca) = ca else {
            return Ok(None);
        };
        let variable = source::variable_of(ca);
        let Some(file) = source::file_in(&variable) else {
            return Ok(None);
        };
        let known = Store::ca_names_in(&self.context.store)?;
        let mut same: Vec<&str> = known
            .iter()
            .filter(|other| source::variable_of(other) == variable)
            .map(CaName::as_str)
            .collect();
        if !same.contains(&ca.as_str()) {
            same.push(ca.as_str());
        }
        match same[..] {
            [_] => Ok(Some(file)),
            _ => Err(unavailable(
                format!(
                    "the variable {variable} fits several CAs: {}",
                    same.join(", ")
                ),
                Some(hint),
            )),
        }
    }

    /// Source of the passphrase of a new or exported key; without one it is asked for.
    fn protecting_source(&self, ca: Option<&CaName>) -> Read<(Option<Source>, &'static str)> {
        let hint = match self.protecting {
            Protecting::NewCa => PROTECT_CA_WITH,
            Protecting::Export | Protecting::Token => PROTECT_EXPORT_WITH,
            Protecting::Pkcs12 => PROTECT_PKCS12_WITH,
        };
        let mut source = self.passout.clone();
        if source.is_none() && self.protecting == Protecting::NewCa {
            source = self
                .own_variable(ca, PROTECT_EACH_WITH)?
                .or_else(source::from_environment);
        }
        let read = source.filter(|source| !matches!(source, Source::Prompt));
        Ok((read, hint))
    }

    fn prompt(&self, question: &str, hint: &'static str) -> Read<Zeroizing<String>> {
        self.check_prompt(hint)?;
        let ask = || {
            if discard_input()? {
                self.context
                    .notice("input that was typed before the prompt is discarded");
            }
            rpassword::prompt_password(question).map(Zeroizing::new)
        };
        Ok(interrupt::at_prompt(ask)?)
    }

    /// Asks for a new passphrase, twice; one that cannot be used is asked for again.
    fn prompt_twice(&self, key: &str, hint: &'static str) -> Read<Passphrase> {
        let question = format!("Passphrase for {}: ", Escaped(key));
        let mut attempt = 1;
        loop {
            let first = self.prompt(&question, hint)?;
            let problem = if first.chars().count() < LEAST_TYPED {
                format!("a new passphrase needs at least {LEAST_TYPED} characters")
            } else if *self.prompt("The same again: ", hint)? != *first {
                "the two passphrases differ".into()
            } else {
                return source::checked(first, "the prompt");
            };
            if attempt == ATTEMPTS {
                return Err(unavailable(problem, None));
            }
            self.context.warning(format!("{problem}: try again"));
            attempt += 1;
        }
    }

    /// The next passphrase for a key that is new or leaves the store.
    fn read_to_protect(&self, source: &Source) -> Read<Passphrase> {
        let mut shared = self.shared.borrow_mut();
        let end = shared.given.len();
        shared.read_before(end, source.stream(), &self.context)?;
        source.read(&mut shared.open, &self.context)
    }
}

impl Given {
    fn new(ca: Option<CaName>, source: Source) -> Self {
        Self {
            ca,
            source,
            was_read: false,
            kept: None,
        }
    }
}

fn parsed(option: &str, text: &SourceText) -> Result<Source, Failure> {
    text.0
        .parse()
        .map_err(|problem: String| unusable(option, &problem))
}

fn unusable(option: &str, problem: &str) -> Failure {
    Failure::usage(format!("the value of {option} can't be used: {problem}"))
}

impl Passphrases for UserPassphrases {
    fn to_open(&mut self, key: ProtectedKey<'_>) -> Read<Passphrase> {
        let is_of_new_place = key.secret == Secret::Pin && self.protecting == Protecting::Token;
        let origin = match &self.passout {
            Some(Source::Prompt) if is_of_new_place => Origin::Prompt,
            Some(pin) if is_of_new_place => return self.read_to_protect(pin),
            _ => self.origin(key.ca)?,
        };
        match origin {
            Origin::Prompt => {
                let secret = match key.secret {
                    Secret::Passphrase => "Passphrase",
                    Secret::Pin => "PIN",
                };
                let question = format!("{secret} for {}: ", Escaped(key.label));
                let is_of_ca = key.ca.is_some();
                let text =
                    self.prompt(&question, if is_of_ca { OPEN_CA_WITH } else { OPEN_WITH })?;
                source::checked(text, "the prompt")
            }
            Origin::Option(index) => self.shared.borrow_mut().read(index, &self.context),
            Origin::Variable(source) => {
                source.read(&mut self.shared.borrow_mut().open, &self.context)
            }
        }
    }

    fn may_try_again(&mut self, key: ProtectedKey<'_>) -> bool {
        let is_typed = matches!(self.origin(key.ca), Ok(Origin::Prompt));
        self.wrong += 1;
        let may = is_typed && self.wrong < ATTEMPTS;
        if may {
            let secret = key.secret;
            self.context
                .warning(format!("the {secret} is wrong: try again"));
        }
        may
    }

    fn is_given(&self, ca: &CaName) -> bool {
        let shared = self.shared.borrow();
        let is_option = |given: &Given| given.ca.as_ref().is_none_or(|named| named == ca);
        shared.given.iter().any(is_option) || !matches!(self.origin(Some(ca)), Ok(Origin::Prompt))
    }

    fn to_protect(&mut self, key: ProtectedKey<'_>) -> Read<Option<Passphrase>> {
        if self.no_passphrase {
            return Ok(None);
        }
        match self.protecting_source(key.ca)? {
            (None, hint) => self.prompt_twice(key.label, hint),
            (Some(source), _) => self.read_to_protect(&source),
        }
        .map(Some)
    }

    fn would_ask_to_protect(&mut self, key: ProtectedKey<'_>) -> Read<bool> {
        if self.no_passphrase {
            return Ok(false);
        }
        match self.protecting_source(key.ca)? {
            (None, hint) => self.check_prompt(hint).map(|()| true),
            (Some(source), _) => self.read_to_protect(&source).map(|_| false),
        }
    }

    fn helpers(&self) -> Helpers {
        self.helpers.clone()
    }
}
