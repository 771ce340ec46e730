//! The profiles of the store.

use crate::ca::check::finding::StoreFinding;
use crate::ca::check::rule::PROFILES_INVALID;
use crate::ca::error::CaError;
use crate::ca::profiles::Profiles;
use crate::ca::profiles::error::ProfileError;
use crate::store::Store;

/// Reads the profiles of the store; none if they can't be used.
pub(crate) fn check_profiles(store: &Store) -> (Profiles, Vec<StoreFinding>) {
    let error = match Profiles::of_store(store) {
        Ok(profiles) => return (profiles, Vec::new()),
        Err(error) => error,
    };
    let location = store.profiles_location();
    let broken = |message: String| PROFILES_INVALID.broken(message).at(&location);
    let findings = match error {
        CaError::Profile(ProfileError::Invalid { problems, .. }) => {
            let findings = problems
                .iter()
                .map(|placed| broken(format!("{location} {placed}")).in_line(placed.line));
            findings.collect()
        }
        error => vec![broken(error.to_string())],
    };
    (Profiles::default(), findings)
}
