//! Profiles of a declaration.

use super::reader::Reader;
use super::source::Named;
use crate::ca::{CustomProfile, LeafProfile, ProfileTable};
use toml::Spanned;

impl Reader<'_> {
    pub(super) fn profile(&mut self, profile: Named<ProfileTable>) {
        let Named { name, place, table } = profile;
        match CustomProfile::new(&name, &place, table) {
            Ok(profile) => self.profiles.insert(profile),
            Err(problems) => {
                for problem in problems {
                    self.problem(&problem.place, &problem);
                }
            }
        }
    }

    pub(super) fn named_profile(&mut self, name: Option<&Spanned<String>>) -> Option<LeafProfile> {
        let Some(name) = name else {
            return Some(LeafProfile::default());
        };
        let found = self.profiles.find(name.get_ref());
        self.held(&name.span(), found)
    }
}
