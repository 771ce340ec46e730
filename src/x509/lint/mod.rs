//! Rules that a certificate is held to before it is signed with a CA's key.
//!
//! One function a rule, named after what it demands; each gives `None`, or what is wrong. The
//! numbers are sections of RFC 5280 unless another document is named.

mod extensions;
mod fields;
mod issuer;
#[cfg(test)]
mod tests;

use super::certificate::Certificate;
use std::fmt;

/// A certificate to be judged, and the path above it.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) certificate: &'a Certificate,
    /// Its issuer, the issuer's issuer, and so on up to the root; empty for a root.
    pub(crate) issuers: &'a [Certificate],
}

impl<'a> Candidate<'a> {
    /// The certificate's issuer; a root is its own.
    fn issuer(&self) -> &'a Certificate {
        self.issuers.first().unwrap_or(self.certificate)
    }
}

/// A rule: its name, the section that it serves, and its check.
pub(crate) struct Rule {
    /// The rule's name, in words joined by underscores.
    pub(crate) name: &'static str,
    /// The document and section that demand it.
    pub(crate) section: &'static str,
    check: fn(&Candidate<'_>) -> Option<String>,
}

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) section: &'static str,
    pub(crate) message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.message, self.rule, self.section)
    }
}

macro_rules! rules {
    ($($module:ident :: $rule:ident, $section:literal;)*) => {
        &[$(Rule { name: stringify!($rule), section: $section, check: $module::$rule }),*]
    };
}

/// Findings of the rules, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl std::error::Error for Findings {}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            write!(f, "{}{finding}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

pub(crate) const RULES: &[Rule] = rules! {
    fields::version_is_3, "RFC 5280 4.1.2.1";
    fields::serial_is_positive_and_at_most_20_octets, "RFC 5280 4.1.2.2";
    fields::signature_algorithms_are_the_same, "RFC 5280 4.1.1.2";
    fields::signature_does_not_rest_on_sha1, "RFC 9155";
    fields::validity_runs_forward, "RFC 5280 4.1.2.5";
    fields::times_are_utc_through_2049, "RFC 5280 4.1.2.5";
    fields::subject_of_a_ca_is_not_empty, "RFC 5280 4.1.2.6";
    fields::subject_attributes_are_within_their_bounds, "RFC 5280 A.1";
    fields::public_key_is_strong, "RFC 5280 4.1.2.7";
    extensions::only_known_extensions_are_critical, "RFC 5280 4.2";
    extensions::basic_constraints_are_critical, "RFC 5280 4.2.1.9";
    extensions::path_length_is_only_in_cas, "RFC 5280 4.2.1.9";
    extensions::key_usage_is_critical, "RFC 5280 4.2.1.3";
    extensions::cas_sign_certificates_and_lists, "RFC 5280 4.2.1.3";
    extensions::leaves_do_not_sign_certificates, "RFC 5280 4.2.1.9";
    extensions::leaves_have_a_purpose, "RFC 5280 4.2.1.12";
    extensions::no_leaf_has_every_purpose, "RFC 5280 4.2.1.12";
    extensions::subject_key_identifier_is_there, "RFC 5280 4.2.1.2";
    extensions::alternative_names_are_well_formed, "RFC 5280 4.2.1.6";
    extensions::alternative_names_stand_in_for_an_empty_subject, "RFC 5280 4.2.1.6";
    extensions::name_constraints_are_only_in_cas_and_critical, "RFC 5280 4.2.1.10";
    extensions::time_stamping_is_alone_and_critical, "RFC 3161 2.3";
    issuer::issuer_is_the_subject_of_the_ca, "RFC 5280 4.1.2.4";
    issuer::authority_key_identifier_is_that_of_the_ca, "RFC 5280 4.2.1.1";
    issuer::issuer_may_sign_certificates, "RFC 5280 6.1.4";
    issuer::validity_is_inside_that_of_the_ca, "RFC 5280 6.1.3";
    issuer::path_lengths_are_held, "RFC 5280 6.1.4";
    issuer::names_are_inside_the_constraints, "RFC 5280 6.1.3";
    issuer::purposes_are_inside_those_of_the_cas, "RFC 5280 4.2.1.12";
    issuer::policies_are_inside_those_of_the_cas, "RFC 5280 6.1.3";
};

/// Everything that is wrong with a certificate.
pub(crate) fn lint(candidate: &Candidate<'_>) -> Vec<Finding> {
    RULES
        .iter()
        .filter_map(|rule| {
            let message = (rule.check)(candidate)?;
            Some(Finding {
                rule: rule.name,
                section: rule.section,
                message,
            })
        })
        .collect()
}
