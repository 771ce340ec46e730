//! The file of a declaration, and where in it something is wrong.

use super::tables::{BundleTable, CaTable, CertificateTable, CrlTable, Defaults};
use crate::ca::{Input, LineStarts, ProfileTable};
use crate::cli::failure::Failure;
use serde::Deserialize;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text of a declaration.
pub(super) struct Source {
    path: PathBuf,
    text: String,
    lines: LineStarts,
}

/// A place in the text.
pub(super) type Place = Range<usize>;

/// Something in the file that has a name, and where it begins.
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) table: T,
}

/// Sections of the file, in its order.
#[derive(Default)]
pub(super) struct Sections {
    pub(super) fixture: bool,
    pub(super) defaults: Defaults,
    pub(super) profiles: Vec<Named<ProfileTable>>,
    pub(super) cas: Vec<Named<CaTable>>,
    pub(super) certificates: Vec<Named<CertificateTable>>,
    pub(super) lists: Vec<Named<CrlTable>>,
    pub(super) bundles: Vec<Named<BundleTable>>,
}

impl Source {
    /// Takes what was read from a file; a byte order mark is none of it.
    pub(super) fn new(input: &Input) -> Result<Self, Failure> {
        let path = input.path();
        let text = std::str::from_utf8(input.content()).map_err(|error| {
            Failure::plain(
                "invalid-input",
                format!("{} is not UTF-8: {error}", path.display()),
            )
        })?;
        let text = text.trim_start_matches('\u{feff}').to_owned();
        Ok(Self {
            path: path.to_owned(),
            lines: LineStarts::of(&text),
            text,
        })
    }

    /// A path as the file means it.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        match self.path.parent() {
            Some(folder) if self.path != Path::new("-") => folder.join(path),
            _ => path.to_owned(),
        }
    }

    /// Returns the failure of something at a place.
    pub(super) fn bad(&self, place: &Place, problem: impl Display) -> Failure {
        let (line, column) = self.lines.position(&self.text, place.start);
        let path = self.path.display();
        Failure::bad_row(format!("{path} line {line}, column {column}: {problem}"))
    }

    fn refused(&self, error: &toml::de::Error, place: &Place) -> Failure {
        let place = error.span().unwrap_or_else(|| place.clone());
        self.bad(&place, error.message().replace('\n', ", "))
    }

    /// Reads every table; each that can't be read is named.
    pub(super) fn sections(&self, problems: &mut Vec<Failure>) -> Sections {
        let mut sections = Sections::default();
        let root = match DeTable::parse(&self.text) {
            Ok(root) => root.into_inner(),
            Err(error) => {
                problems.push(self.refused(&error, &(0..0)));
                return sections;
            }
        };
        for (key, value) in in_order(root) {
            match key.get_ref().as_ref() {
                "defaults" => {
                    if let Some(defaults) = self.read(value, problems) {
                        sections.defaults = defaults;
                    }
                }
                "fixture" => sections.fixture = self.read(value, problems).unwrap_or_default(),
                "profile" => sections.profiles = self.named(value, problems),
                "ca" => sections.cas = self.named(value, problems),
                "certificate" => sections.certificates = self.named(value, problems),
                "crl" => sections.lists = self.named(value, problems),
                "bundle" => sections.bundles = self.named(value, problems),
                other => problems.push(self.bad(
                    &key.span(),
                    format!(
                        "unknown field `{other}`, expected one of `fixture`, `defaults`, `profile`, `ca`, `certificate`, `crl`, `bundle`"
                    ),
                )),
            }
        }
        sections
    }

    fn read<'de, T: Deserialize<'de>>(
        &self,
        value: Spanned<DeValue<'de>>,
        problems: &mut Vec<Failure>,
    ) -> Option<T> {
        let place = value.span();
        let read = T::deserialize(toml::de::ValueDeserializer::from(value));
        read.map_err(|error| problems.push(self.refused(&error, &place)))
            .ok()
    }

    /// The tables in a table, each under its name.
    fn named<'de, T: Deserialize<'de>>(
        &self,
        value: Spanned<DeValue<'de>>,
        problems: &mut Vec<Failure>,
    ) -> Vec<Named<T>> {
        let place = value.span();
        let DeValue::Table(tables) = value.into_inner() else {
            problems.push(self.bad(&place, "a declaration consists of named tables"));
            return Vec::new();
        };
        let mut named = Vec::new();
        for (key, value) in in_order(tables) {
            if let Some(table) = self.read(value, problems) {
                named.push(Named {
                    place: key.span(),
                    name: key.into_inner().into_owned(),
                    table,
                });
            }
        }
        named
    }
}

type Pair<'a> = (Spanned<toml::de::DeString<'a>>, Spanned<DeValue<'a>>);

/// Returns the tables of a section, in the order of the file.
fn in_order(table: DeTable<'_>) -> Vec<Pair<'_>> {
    let mut pairs: Vec<Pair<'_>> = table.into_iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}
