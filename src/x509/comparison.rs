//! Comparison of names (RFC 5280 section 7.1).

use super::name::{Name, NameAttribute};
use super::text::is_deceptive;
use const_oid::ObjectIdentifier;

/// A name in a form in which names that are equal to relying parties are the same: RDNs, which are sets of
/// attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ComparableName(Vec<Vec<(ObjectIdentifier, Value)>>);

impl ComparableName {
    pub(crate) fn of(name: &Name) -> Self {
        let attributes = name.attributes();
        let rdns = attributes.chunk_by(|one, next| one.rdn == next.rdn);
        let set = |rdn: &[NameAttribute]| {
            let mut set: Vec<_> = rdn
                .iter()
                .map(|attribute| (attribute.kind, Value::of(attribute)))
                .collect();
            set.sort();
            set
        };
        Self(rdns.map(set).collect())
    }

    /// Returns whether the name begins with the RDNs of another.
    pub(crate) fn starts_with(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }
}

/// Returns whether two names are one (section 7.1).
pub(crate) fn are_equal(one: &Name, other: &Name) -> bool {
    one == other || ComparableName::of(one) == ComparableName::of(other)
}

/// An attribute's value, without what makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Text(String),
    Der(Vec<u8>),
}

impl Value {
    /// Text of any string type is compared without regard to case, outer and repeated spaces
    /// (section 7.1), and characters that can't be seen (RFC 4518 section 2.2).
    fn of(attribute: &NameAttribute) -> Self {
        let Some(text) = &attribute.text else {
            return Self::Der(attribute.der.clone());
        };
        let seen: String = text
            .chars()
            .filter(|character| character.is_whitespace() || !is_deceptive(*character))
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .collect();
        let words: Vec<&str> = seen.split_whitespace().collect();
        Self::Text(words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparable(text: &str) -> ComparableName {
        ComparableName::of(&Name::parse(text).expect("it is a name"))
    }

    #[test]
    fn names_match_regardless_of_case_and_spaces_but_not_order() {
        for (one, other) in [
            ("/O=Example Org/CN=Straße", "/O=EXAMPLE  org/CN=STRASSE"),
            ("/CN=a b", "/CN=\\ A B\\ "),
            ("/DC=test/DC=example", "/DC=TEST/DC=Example"),
            ("/CN=x+UID=u", "/UID=U+CN=X"),
        ] {
            assert_eq!(comparable(one), comparable(other), "{one} {other}");
        }
        for (one, other) in [
            ("/O=a/CN=b", "/CN=b/O=a"),
            ("/CN=ab", "/CN=a b"),
            ("/CN=a", "/OU=a"),
            ("/CN=a/CN=a", "/CN=a"),
            ("/CN=x+UID=u", "/CN=x/UID=u"),
        ] {
            assert_ne!(comparable(one), comparable(other), "{one} {other}");
        }
    }
}
