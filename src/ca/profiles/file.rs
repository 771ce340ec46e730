//! Files of profiles, and the one in the store.

use crate::ca::error::CaError;
use crate::ca::foreign::Input;
use crate::ca::foreign::error::called;
use crate::ca::line_starts::LineStarts;
use crate::ca::profiles::LeafProfile;
use crate::ca::profiles::custom::CustomProfile;
use crate::ca::profiles::error::{PlacedProblem, ProfileError};
use crate::ca::profiles::rule::ProfileProblem;
use crate::ca::profiles::table::ProfileTable;
use crate::store::Store;
use crate::x509::Profile;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Profiles that can be used beside those of `pki`, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profiles(BTreeMap<String, Arc<CustomProfile>>);

impl Profiles {
    /// Reads those of the store.
    pub(crate) fn of_store(store: &Store) -> Result<Self, CaError> {
        match store.profiles()? {
            Some(text) => Self::read(store.profiles_location().to_string(), &text),
            None => Ok(Self::default()),
        }
    }

    /// Reads those of a file.
    pub(crate) fn of_file(input: &Input) -> Result<Self, CaError> {
        let file = called(input.path()).to_string();
        let profiles = Self::read(file.clone(), input.content())?;
        if profiles.0.is_empty() {
            return Err(ProfileError::Empty { file }.into());
        }
        Ok(profiles)
    }

    fn read(file: String, content: &[u8]) -> Result<Self, CaError> {
        let text = String::from_utf8_lossy(content);
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
    pub(crate) fn names_in(store: &Path) -> Vec<String> {
        let text = Store::profiles_in(store).unwrap_or_default();
        let read = profiles_in(&String::from_utf8_lossy(&text));
        read.unwrap_or_default().names()
    }

    /// Puts other profiles before these.
    pub(crate) fn under(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Adds a profile, in the place of one with its name.
    pub(crate) fn insert(&mut self, profile: CustomProfile) {
        self.0.insert(profile.name().to_owned(), Arc::new(profile));
    }

    /// Finds a profile by name: one of `pki` in any case, or one of a file.
    pub(crate) fn find(&self, name: &str) -> Result<LeafProfile, ProfileError> {
        if let Ok(profile) = name.parse::<Profile>() {
            return Ok(LeafProfile::Known(profile));
        }
        match self.0.get(name) {
            Some(profile) => Ok(LeafProfile::Custom(profile.clone())),
            None => Err(ProfileError::NotFound {
                name: name.to_owned(),
                known: self.names(),
            }),
        }
    }

    /// Returns the profile of a file that has a name.
    pub(crate) fn custom(&self, name: &str) -> Option<&Arc<CustomProfile>> {
        self.0.get(name)
    }

    /// Returns the names of all that can be used, those of `pki` first.
    pub(crate) fn names(&self) -> Vec<String> {
        let known = Profile::ALL.into_iter().map(|profile| profile.to_string());
        known.chain(self.0.keys().cloned()).collect()
    }

    /// Returns those of files, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<CustomProfile>> {
        self.0.values()
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
        Self(BTreeMap::from([(
            profile.name().to_owned(),
            profile.clone(),
        )]))
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
        let (true, DeValue::Table(tables)) = (key.get_ref() == "profile", value.into_inner())
        else {
            problems.push(ProfileProblem {
                place: key.span(),
                rule: None,
                message: "the file has tables [profile.NAME], and nothing else".into(),
            });
            continue;
        };
        for (name, value) in tables {
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
        Ok((text, outcomes))
    })
}
