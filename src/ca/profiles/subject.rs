//! Subjects of profiles: a distinguished name with `{cn}` for the common name of the certificate.

use crate::x509::Name;
use crate::x509::name::NameError;
use std::fmt;

const COMMON_NAME: &str = "{cn}";

/// Characters that a distinguished name escapes, in either notation.
const SPECIAL: &[char] = &[',', '+', '"', '\\', '<', '>', ';', '=', '/', '#', ' '];

/// Template of a subject.
#[derive(Debug, Clone)]
pub(crate) struct SubjectTemplate(String);

impl SubjectTemplate {
    /// Takes a template whose subject can be made for some common name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.replace(COMMON_NAME, "").contains(['{', '}']) {
            return Err(format!(
                "{COMMON_NAME} is the only substitution in a subject: {text:?}"
            ));
        }
        if !text.contains(COMMON_NAME) {
            return Err(format!("the subject {text:?} has no {COMMON_NAME}"));
        }
        let template = Self(text.to_owned());
        template.filled("x").map_err(|error| error.to_string())?;
        Ok(template)
    }

    /// Returns the subject with a common name, which stays one value whatever characters it has.
    pub(crate) fn filled(&self, common_name: &str) -> Result<Name, NameError> {
        let mut escaped = String::with_capacity(common_name.len());
        for character in common_name.chars() {
            if SPECIAL.contains(&character) {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        Name::parse(&self.0.replace(COMMON_NAME, &escaped))
    }
}

impl fmt::Display for SubjectTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_adds_no_attribute() {
        for template in ["/O=Example/CN={cn}", "CN={cn},O=Example"] {
            let template = SubjectTemplate::parse(template).unwrap();
            for hostile in [
                "x", "a/CN=b", "a,OU=b", "a+OU=b", "#04", " a ", "a\\2Cb", "a\\", "{cn}",
            ] {
                let subject = template.filled(hostile).unwrap();
                assert_eq!(subject.common_name().as_deref(), Some(hostile));
                assert_eq!(subject.attributes().len(), 2, "{hostile}");
            }
        }
    }

    #[test]
    fn other_substitutions_and_names_that_are_none_are_refused() {
        for template in ["/CN={san}", "/CN={cn", "CN", "", "/O=a", "/C={cn}p"] {
            assert!(SubjectTemplate::parse(template).is_err(), "{template}");
        }
    }
}
