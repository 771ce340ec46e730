//! Files of profiles, and the one in the store.

use crate::ca::error::CaError;
use crate::ca::foreign::Input;
use crate::ca::foreign::error::{InputError, called};
use crate::ca::line_starts::LineStarts;
use crate::ca::profiles::LeafProfile;
use crate::ca::profiles::custom::{CustomProfile, MOST_PROBLEMS};
use crate::ca::profiles::error::{PlacedProblem, ProfileError};
use crate::ca::profiles::rule::ProfileProblem;
use crate::ca::profiles::table::ProfileTable;
use crate::pem;
use crate::store::{Address, Store};
use crate::x509::Profile;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Most profiles of a file.
const MOST_PROFILES: usize = 1000;

/// Most bytes of the file in the store.
const MOST_BYTES: usize = 1 << 20;

/// Tables of a declaration, which a file of profiles may be: they are passed over.
const OF_DECLARATIONS: [&str; 6] = ["fixture", "defaults", "ca", "certificate", "crl", "bundle"];

/// Profiles that can be used beside those of `pki`, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profiles {
    custom: BTreeMap<String, Arc<CustomProfile>>,
    /// Why those of the store can't be used.
    broken: Option<String>,
}

impl Profiles {
    /// Reads those of the store.
    pub(crate) fn of_store(store: &Store) -> Result<Self, CaError> {
        match store.profiles()? {
            Some(text) => Self::read(store.profiles_location().to_string(), &text),
            None => Ok(Self::default()),
        }
    }

    /// Reads those of the store; if they can't be used, that is an error when one is looked for.
    pub(crate) fn of_store_if_needed(store: &Store) -> Self {
        Self::of_store(store).unwrap_or_else(|error| Self {
            broken: Some(match &error {
                CaError::Profile(ProfileError::Invalid { file, problems }) => {
                    match problems.as_slice() {
                        [first, ..] => format!("{file} {first}"),
                        [] => file.clone(),
                    }
                }
                error => error.to_string(),
            }),
            custom: BTreeMap::new(),
        })
    }

    /// Reads those of a file.
    pub(crate) fn of_file(input: &Input) -> Result<Self, CaError> {
        let file = called(input.path()).to_string();
        let profiles = Self::read(file.clone(), input.content())?;
        if profiles.custom.is_empty() {
            return Err(ProfileError::Empty { file }.into());
        }
        Ok(profiles)
    }

    fn read(file: String, content: &[u8]) -> Result<Self, CaError> {
        let text = std::str::from_utf8(content).map_err(|error| CaError::Input {
            path: PathBuf::from(&file),
            expected: "a file of profiles",
            source: if pem::is_utf16(content) {
                InputError::Utf16
            } else {
                InputError::Other(format!("it is not UTF-8: {error}"))
            },
        })?;
        let text = text.trim_start_matches('\u{feff}');
        profiles_in(text).map_err(|problems| {
            let starts = LineStarts::of(text);
            let placed = problems.into_iter().map(|problem| {
                let (line, column) = starts.position(text, problem.place.start);
                PlacedProblem {
                    line,
                    column,
                    problem,
                }
            });
            let problems = placed.collect();
            ProfileError::Invalid { file, problems }.into()
        })
    }

    /// Reads those of a store that may not be one, for completions.
    pub(crate) fn names_in(store: &Address) -> Vec<String> {
        let text = Store::profiles_in(store).unwrap_or_default();
        let read = profiles_in(&String::from_utf8_lossy(&text));
        read.unwrap_or_default().names()
    }

    /// Puts other profiles before these.
    pub(crate) fn under(mut self, others: Self) -> Self {
        self.custom.extend(others.custom);
        self
    }

    /// Adds a profile, in the place of one with its name.
    pub(crate) fn insert(&mut self, profile: CustomProfile) {
        self.custom
            .insert(profile.name().to_owned(), Arc::new(profile));
    }

    /// Finds a profile by name: one of `pki` in any case, or one of a file.
    pub(crate) fn find(&self, name: &str) -> Result<LeafProfile, ProfileError> {
        if let Ok(profile) = name.parse::<Profile>() {
            return Ok(LeafProfile::Known(profile));
        }
        match (self.custom.get(name), &self.broken) {
            (Some(profile), _) => Ok(LeafProfile::Custom(profile.clone())),
            (None, Some(problem)) => Err(ProfileError::Broken {
                problem: problem.clone(),
            }),
            (None, None) => Err(ProfileError::NotFound {
                name: name.to_owned(),
                known: self.names(),
            }),
        }
    }

    /// Returns the profile of a file that has a name.
    pub(crate) fn custom(&self, name: &str) -> Option<&Arc<CustomProfile>> {
        self.custom.get(name)
    }

    /// Returns the names of all that can be used, those of `pki` first.
    pub(crate) fn names(&self) -> Vec<String> {
        let known = Profile::ALL.into_iter().map(|profile| profile.to_string());
        known.chain(self.custom.keys().cloned()).collect()
    }

    /// Returns those of files, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<CustomProfile>> {
        self.custom.values()
    }

    /// Writes them as a file has them.
    fn to_toml(&self) -> String {
        #[derive(serde::Serialize)]
        struct File<'a> {
            profile: BTreeMap<&'a str, &'a ProfileTable>,
        }
        let tables = self.iter().map(|profile| (profile.name(), profile.table()));
        let file = File {
            profile: tables.collect(),
        };
        toml::to_string(&file).expect("a profile is plain data")
    }

    /// Writes one as a file has it.
    pub(crate) fn toml_of(profile: &Arc<CustomProfile>) -> String {
        Self {
            custom: BTreeMap::from([(profile.name().to_owned(), profile.clone())]),
            broken: None,
        }
        .to_toml()
    }
}

/// Reads the profiles in a text, or all that is wrong with them.
pub(crate) fn profiles_in(text: &str) -> Result<Profiles, Vec<ProfileProblem>> {
    let unreadable = |error: &toml::de::Error, place: std::ops::Range<usize>| ProfileProblem {
        place: error.span().unwrap_or(place),
        rule: None,
        message: error.message().replace('\n', ", "),
    };
    let root = DeTable::parse(text).map_err(|error| vec![unreadable(&error, 0..0)])?;
    let (mut profiles, mut problems) = (Profiles::default(), Vec::new());
    for (key, value) in root.into_inner() {
        let place = value.span();
        if OF_DECLARATIONS.contains(&key.get_ref().as_ref()) {
            continue;
        }
        let (true, DeValue::Table(tables)) = (key.get_ref() == "profile", value.into_inner())
        else {
            problems.push(ProfileProblem {
                place: key.span(),
                rule: None,
                message: "the file has tables [profile.NAME], and nothing else".into(),
            });
            continue;
        };
        if tables.len() > MOST_PROFILES {
            problems.push(ProfileProblem {
                place: key.span(),
                rule: None,
                message: format!(
                    "the file has {} profiles; at most {MOST_PROFILES} are supported",
                    tables.len()
                ),
            });
            continue;
        }
        for (name, value) in tables {
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
            let table = toml::de::ValueDeserializer::from(value);
            match ProfileTable::deserialize(table) {
                Ok(table) => match CustomProfile::new(name.get_ref(), &name.span(), table) {
                    Ok(profile) => profiles.insert(profile),
                    Err(found) => problems.extend(found),
                },
                Err(error) => problems.push(unreadable(&error, place.clone())),
            }
        }
    }
    problems.sort_by_key(|problem| problem.place.start);
    if problems.is_empty() {
        Ok(profiles)
    } else {
        Err(problems)
    }
}

/// Outcome of adding a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addition {
    Added,
    /// One of its name differed.
    Replaced,
    /// The store had it.
    Already,
}

/// Adds the profiles of a file to those of the store. One of the same name that differs is replaced, or is an error.
pub(crate) fn add_profiles(
    store: &Store,
    input: &Input,
    overwrite: bool,
) -> Result<Vec<(Arc<CustomProfile>, Addition)>, CaError> {
    let new = Profiles::of_file(input)?;
    store.change_profiles(|| {
        let before = Profiles::of_store(store)?;
        let mut outcomes = Vec::new();
        for profile in new.iter() {
            let outcome = match before.custom(profile.name()) {
                None => Addition::Added,
                Some(known) if known.hash() == profile.hash() => Addition::Already,
                Some(_) if overwrite => Addition::Replaced,
                Some(_) => {
                    let name = profile.name().to_owned();
                    return Err(ProfileError::Exists { name }.into());
                }
            };
            outcomes.push((profile.clone(), outcome));
        }
        let is_change = |(_, outcome): &(_, Addition)| *outcome != Addition::Already;
        let changed = outcomes.iter().any(is_change);
        let text = changed.then(|| before.under(new.clone()).to_toml());
        if text.as_ref().is_some_and(|text| text.len() > MOST_BYTES) {
            return Err(ProfileError::TooLarge.into());
        }
        Ok((text, outcomes))
    })
}
