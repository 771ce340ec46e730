//! Aliases of CAs in a PKCS #12 trust store.

use crate::store::CaName;
use crate::x509::{Certificate, Fingerprint};
use std::collections::{HashMap, HashSet};
use std::iter;

/// Characters of an alias that is made from a subject.
const MOST_CHARACTERS: usize = 64;

/// Returns an alias for each certificate: the CA's name if it is one of the store, else one made from the
/// subject. If another has that too, a part of the fingerprint follows, so that the same
/// certificates have the same aliases, in whatever order they come.
///
/// No two differ by capitals alone: to Java they would be one.
pub(crate) fn aliases(
    certificates: &[Certificate],
    names: &HashMap<Fingerprint, CaName>,
) -> Vec<String> {
    let mut wanted: HashMap<(bool, String), usize> = HashMap::new();
    let mut entries: Vec<Entry<'_>> = certificates
        .iter()
        .map(|certificate| Entry::of(certificate, names))
        .collect();
    for entry in &entries {
        *wanted.entry(entry.group()).or_default() += 1;
    }
    let mut taken = HashSet::new();
    // Names of the store come first, and so stay unchanged.
    for of_store in [true, false] {
        let entries = entries.iter_mut();
        for entry in entries.filter(|entry| entry.is_of_store == of_store) {
            let of_the_store = (true, entry.name.to_lowercase());
            let is_shared =
                wanted[&entry.group()] > 1 || (!of_store && wanted.contains_key(&of_the_store));
            let free = |alias: &String| taken.insert(alias.to_lowercase());
            entry.alias = entry.candidates(is_shared).find(free);
        }
    }
    let aliases = entries.into_iter().map(|entry| entry.alias);
    aliases
        .map(|alias| alias.expect("the candidates have no end"))
        .collect()
}

/// A certificate that gets an alias.
struct Entry<'a> {
    certificate: &'a Certificate,
    is_of_store: bool,
    name: String,
    alias: Option<String>,
}

impl<'a> Entry<'a> {
    fn of(certificate: &'a Certificate, names: &HashMap<Fingerprint, CaName>) -> Self {
        let of_store = names.get(&certificate.fingerprint());
        Self {
            certificate,
            is_of_store: of_store.is_some(),
            name: of_store.map_or_else(|| from_subject(certificate), ToString::to_string),
            alias: None,
        }
    }

    /// Key of a group with the same name to Java.
    fn group(&self) -> (bool, String) {
        (self.is_of_store, self.name.to_lowercase())
    }

    /// Possible aliases, the best first.
    fn candidates(&self, is_shared: bool) -> impl Iterator<Item = String> + use<> {
        let name = self.name.clone();
        let fingerprint = self.certificate.fingerprint().to_string();
        let marked = format!("{name}-{fingerprint:.16}");
        let plain = (!is_shared).then(|| name.clone());
        let numbered = (2..).map(move |number: u64| format!("{name}-{number}"));
        plain.into_iter().chain(iter::once(marked)).chain(numbered)
    }
}

/// Returns the common name, or else the whole subject, with unusual characters replaced.
fn from_subject(certificate: &Certificate) -> String {
    let subject = certificate.subject();
    let name = subject.common_name().unwrap_or_else(|| subject.to_string());
    let plain = |character: char| {
        let is_plain = character.is_alphanumeric() || "._- ".contains(character);
        if is_plain { character } else { '-' }
    };
    let alias: String = name
        .trim()
        .chars()
        .take(MOST_CHARACTERS)
        .map(plain)
        .collect();
    if alias.is_empty() {
        return "ca".to_owned();
    }
    alias
}
