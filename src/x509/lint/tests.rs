//! A certificate for each rule, which breaks that rule and no other.

mod chain;

use super::RULES;
use crate::asn1::oid;
use crate::key::SignatureAlgorithm;
use crate::x509::extension::key_usage::{CRL_SIGN, DIGITAL_SIGNATURE, KEY_CERT_SIGN};
use crate::x509::{Extension, GeneralName};
use chain::*;
use const_oid::ObjectIdentifier;
use time::macros::datetime;

/// The rule, a certificate that breaks none, and the change by which it breaks that rule.
type Case = (&'static str, fn() -> Chain, fn(&mut Chain));

const OF_FIELDS: &[Case] = &[
    ("version_is_3", leaf, |c| c.certificate.version = version(1)),
    ("version_is_3", leaf, |c| {
        c.certificate.version = version(3);
    }),
    ("version_is_3", leaf, |c| c.certificate.version = Vec::new()),
    ("serial_is_positive_and_at_most_20_octets", leaf, |c| {
        c.certificate.serial = vec![0];
    }),
    ("serial_is_positive_and_at_most_20_octets", leaf, |c| {
        c.certificate.serial = vec![0x80];
    }),
    ("serial_is_positive_and_at_most_20_octets", leaf, |c| {
        c.certificate.serial = vec![0x7f; 21];
    }),
    ("serial_is_positive_and_at_most_20_octets", leaf, |c| {
        c.certificate.serial = [&[0][..], &[0xff; 20]].concat();
    }),
    ("signature_algorithms_are_the_same", leaf, |c| {
        c.certificate.inner_algorithm = SignatureAlgorithm::EcdsaSha384.to_der();
    }),
    ("signature_algorithms_are_the_same", leaf, |c| {
        c.certificate.outer_algorithm = SignatureAlgorithm::RsaSha256.to_der();
    }),
    ("signature_does_not_rest_on_sha1", leaf, |c| {
        c.certificate.inner_algorithm = algorithm(oid::ECDSA_WITH_SHA1);
        c.certificate.outer_algorithm = algorithm(oid::ECDSA_WITH_SHA1);
    }),
    ("signature_does_not_rest_on_sha1", leaf, |c| {
        c.certificate.inner_algorithm = SignatureAlgorithm::RsaSha1.to_der();
        c.certificate.outer_algorithm = SignatureAlgorithm::RsaSha1.to_der();
    }),
    ("signature_does_not_rest_on_sha1", leaf, |c| {
        c.certificate.inner_algorithm = algorithm(oid::MD5_WITH_RSA);
        c.certificate.outer_algorithm = algorithm(oid::MD5_WITH_RSA);
    }),
    ("validity_runs_forward", leaf, |c| {
        c.certificate.not_before = utc_or_generalized(datetime!(2027-01-01 0:00:01 UTC));
        c.certificate.not_after = utc_or_generalized(datetime!(2027-01-01 0:00 UTC));
    }),
    ("times_are_utc_through_2049", leaf, |c| {
        c.certificate.not_after = generalized(datetime!(2030-01-01 0:00 UTC));
    }),
    ("times_are_utc_through_2049", leaf, |c| {
        c.certificate.not_before = generalized(datetime!(2026-01-01 0:00 UTC));
    }),
    ("times_are_utc_through_2049", root, |c| {
        c.certificate.not_after = generalized(datetime!(2049-12-31 23:59:59 UTC));
    }),
    ("subject_of_a_ca_is_not_empty", ca, |c| {
        c.certificate.subject = empty_name();
        let names = alternative_names(&[host("ca.example.test")], true);
        c.certificate.set(names);
    }),
    ("subject_attributes_are_within_their_bounds", leaf, |c| {
        let pair = (oid::COMMON_NAME, "x".repeat(65));
        c.certificate.subject = utf8_name(&[pair]);
    }),
    ("subject_attributes_are_within_their_bounds", leaf, |c| {
        let pair = (oid::COUNTRY_NAME, "JPN".to_owned());
        c.certificate.subject = utf8_name(&[pair]);
    }),
    ("public_key_is_strong", leaf, |c| {
        c.certificate.public_key = short_rsa_key();
    }),
];

const OF_EXTENSIONS: &[Case] = &[
    ("only_known_extensions_are_critical", leaf, |c| {
        c.certificate
            .set(raw(oid::CERTIFICATE_POLICIES, true, &[0x30, 0]));
    }),
    ("only_known_extensions_are_critical", leaf, |c| {
        let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");
        c.certificate.set(raw(unknown, true, &[5, 0]));
    }),
    ("only_known_extensions_are_critical", ca, |c| {
        c.certificate
            .extension(oid::AUTHORITY_KEY_IDENTIFIER)
            .critical = true;
    }),
    ("basic_constraints_are_critical", leaf, |c| {
        c.certificate.remove(oid::BASIC_CONSTRAINTS);
    }),
    ("basic_constraints_are_critical", leaf, |c| {
        c.certificate.extension(oid::BASIC_CONSTRAINTS).critical = false;
    }),
    ("basic_constraints_are_critical", ca, |c| {
        c.certificate.extension(oid::BASIC_CONSTRAINTS).critical = false;
    }),
    ("basic_constraints_are_critical", leaf, |c| {
        c.certificate
            .set(raw(oid::BASIC_CONSTRAINTS, true, &[5, 0]));
    }),
    ("path_length_is_only_in_cas", leaf, |c| {
        let with_length = raw(oid::BASIC_CONSTRAINTS, true, &[0x30, 3, 2, 1, 0]);
        c.certificate.set(with_length);
    }),
    ("key_usage_is_critical", leaf, |c| {
        c.certificate.remove(oid::KEY_USAGE);
    }),
    ("key_usage_is_critical", leaf, |c| {
        c.certificate.extension(oid::KEY_USAGE).critical = false;
    }),
    ("key_usage_is_critical", ca, |c| {
        c.certificate.extension(oid::KEY_USAGE).critical = false;
    }),
    ("key_usage_is_critical", leaf, |c| {
        c.certificate.set(raw(oid::KEY_USAGE, true, &[3, 1, 0]));
    }),
    ("key_usage_is_critical", leaf, |c| {
        c.certificate.set(raw(oid::KEY_USAGE, true, &[4, 1, 0x80]));
    }),
    ("cas_sign_certificates_and_lists", ca, |c| {
        c.certificate.set(Extension::key_usage(KEY_CERT_SIGN));
    }),
    ("cas_sign_certificates_and_lists", ca, |c| {
        let usage = DIGITAL_SIGNATURE | CRL_SIGN;
        c.certificate.set(Extension::key_usage(usage));
    }),
    ("leaves_do_not_sign_certificates", leaf, |c| {
        let usage = DIGITAL_SIGNATURE | KEY_CERT_SIGN;
        c.certificate.set(Extension::key_usage(usage));
    }),
    ("leaves_do_not_sign_certificates", leaf, |c| {
        let usage = DIGITAL_SIGNATURE | CRL_SIGN;
        c.certificate.set(Extension::key_usage(usage));
    }),
    ("leaves_have_a_purpose", leaf, |c| {
        c.certificate.remove(oid::EXT_KEY_USAGE);
    }),
    ("leaves_have_a_purpose", leaf, |c| {
        c.certificate
            .set(raw(oid::EXT_KEY_USAGE, false, &[0x30, 0]));
    }),
    ("leaves_have_a_purpose", ca, |c| {
        c.certificate.set(raw(oid::EXT_KEY_USAGE, false, &[5, 0]));
    }),
    ("no_leaf_has_every_purpose", leaf, |c| {
        let purposes = [oid::ANY_EXTENDED_KEY_USAGE];
        c.certificate.set(Extension::extended_key_usage(&purposes));
    }),
    ("no_leaf_has_every_purpose", leaf, |c| {
        let purposes = [oid::CLIENT_AUTH, oid::ANY_EXTENDED_KEY_USAGE];
        c.certificate.set(Extension::extended_key_usage(&purposes));
    }),
    ("subject_key_identifier_is_there", leaf, |c| {
        c.certificate.remove(oid::SUBJECT_KEY_IDENTIFIER);
    }),
    ("subject_key_identifier_is_there", leaf, |c| {
        c.certificate.set(Extension::subject_key_identifier(&[]));
    }),
    ("time_stamping_is_alone_and_critical", leaf, |c| {
        let purposes = [oid::TIME_STAMPING, oid::CLIENT_AUTH];
        c.certificate.set(Extension::extended_key_usage(&purposes));
        c.certificate.extension(oid::EXT_KEY_USAGE).critical = true;
    }),
    ("time_stamping_is_alone_and_critical", leaf, |c| {
        let purposes = [oid::TIME_STAMPING];
        c.certificate.set(Extension::extended_key_usage(&purposes));
        c.certificate.extension(oid::EXT_KEY_USAGE).critical = false;
    }),
];

const OF_NAMES: &[Case] = &[
    ("alternative_names_are_well_formed", leaf, |c| {
        let twisted = [host("a.example.test"), host("b..example.test")];
        c.certificate.set(alternative_names(&twisted, false));
    }),
    ("alternative_names_are_well_formed", leaf, |c| {
        let upper_case = [host("WWW.example.test")];
        c.certificate.set(alternative_names(&upper_case, false));
    }),
    ("alternative_names_are_well_formed", leaf, |c| {
        // An x400Address.
        let other = [GeneralName::Other(vec![0xa3, 0])];
        c.certificate.set(alternative_names(&other, false));
    }),
    ("alternative_names_are_well_formed", leaf, |c| {
        c.certificate.set(alternative_names(&[], false));
    }),
    (
        "alternative_names_stand_in_for_an_empty_subject",
        leaf,
        |c| c.certificate.subject = empty_name(),
    ),
    (
        "alternative_names_stand_in_for_an_empty_subject",
        leaf,
        |c| {
            c.certificate.subject = empty_name();
            let names = alternative_names(&[host("a.example.test")], false);
            c.certificate.set(names);
        },
    ),
    (
        "alternative_names_stand_in_for_an_empty_subject",
        leaf,
        |c| {
            let names = alternative_names(&[host("a.example.test")], true);
            c.certificate.set(names);
        },
    ),
    ("name_constraints_are_only_in_cas_and_critical", leaf, |c| {
        c.certificate.set(constraints(&["dns:example.test"], &[]));
    }),
    ("name_constraints_are_only_in_cas_and_critical", ca, |c| {
        c.certificate.set(constraints(&["dns:example.test"], &[]));
        c.certificate.extension(oid::NAME_CONSTRAINTS).critical = false;
    }),
    ("name_constraints_are_only_in_cas_and_critical", ca, |c| {
        c.certificate.set(constraints(&[], &[]));
    }),
    ("name_constraints_are_only_in_cas_and_critical", ca, |c| {
        // An address constraint whose mask has a hole.
        let holes = [
            0x30, 0x0e, 0xa0, 0x0c, 0x30, 0x0a, 0x87, 8, 10, 0, 0, 0, 255, 0, 255, 0,
        ];
        c.certificate.set(raw(oid::NAME_CONSTRAINTS, true, &holes));
    }),
];

const OF_ISSUERS: &[Case] = &[
    ("issuer_is_the_subject_of_the_ca", leaf, |c| {
        c.certificate.issuer = name("/CN=root");
    }),
    ("issuer_is_the_subject_of_the_ca", leaf, |c| {
        c.certificate.issuer = printable_name();
    }),
    ("issuer_is_the_subject_of_the_ca", root, |c| {
        c.certificate.issuer = name("/CN=other");
    }),
    ("authority_key_identifier_is_that_of_the_ca", leaf, |c| {
        c.certificate.remove(oid::AUTHORITY_KEY_IDENTIFIER);
    }),
    ("authority_key_identifier_is_that_of_the_ca", leaf, |c| {
        // That of the CA above the issuer.
        c.certificate
            .set(Extension::authority_key_identifier(&[1; 20]));
    }),
    ("authority_key_identifier_is_that_of_the_ca", leaf, |c| {
        c.issuers[0].remove(oid::SUBJECT_KEY_IDENTIFIER);
    }),
    ("authority_key_identifier_is_that_of_the_ca", root, |c| {
        c.certificate
            .set(Extension::authority_key_identifier(&[2; 20]));
    }),
    ("issuer_may_sign_certificates", leaf, |c| {
        c.issuers[0].set(basic_constraints(false, None));
    }),
    ("issuer_may_sign_certificates", leaf, |c| {
        c.issuers[0].set(Extension::key_usage(CRL_SIGN));
    }),
    ("validity_is_inside_that_of_the_ca", leaf, |c| {
        c.certificate.not_before = utc_or_generalized(datetime!(2025-12-31 23:59:59 UTC));
    }),
    ("validity_is_inside_that_of_the_ca", leaf, |c| {
        c.certificate.not_after = utc_or_generalized(datetime!(2036-01-01 0:00 UTC));
    }),
    ("path_lengths_are_held", ca, |c| {
        c.issuers[0].set(basic_constraints(true, Some(0)));
    }),
    ("path_lengths_are_held", ca, |c| {
        c.issuers[0].set(basic_constraints(true, Some(1)));
        c.certificate.set(basic_constraints(true, Some(1)));
    }),
    ("path_lengths_are_held", below_the_ca, |c| {
        c.issuers[0].set(basic_constraints(true, Some(0)));
    }),
    ("path_lengths_are_held", below_the_ca, |c| {
        c.issuers[1].set(basic_constraints(true, Some(1)));
    }),
    ("purposes_are_inside_those_of_the_cas", leaf, |c| {
        let purposes = [oid::CODE_SIGNING];
        c.issuers[0].set(Extension::extended_key_usage(&purposes));
    }),
    ("policies_are_inside_those_of_the_cas", leaf, |c| {
        c.issuers[1].set(policy("1.2.3"));
        c.certificate.set(policy("1.2.4"));
    }),
    ("names_are_inside_the_constraints", leaf, |c| {
        c.issuers[0].set(constraints(&["dns:example.test"], &[]));
        let names = alternative_names(&[host("www.other.test")], false);
        c.certificate.set(names);
    }),
    ("names_are_inside_the_constraints", leaf, |c| {
        c.issuers[1].set(constraints(&[], &["dirname:/CN=leaf"]));
    }),
    ("names_are_inside_the_constraints", leaf, |c| {
        c.issuers[1].set(raw(oid::NAME_CONSTRAINTS, true, &[5, 0]));
    }),
];

fn policy(identifier: &str) -> Extension {
    let identifier = ObjectIdentifier::new_unwrap(identifier);
    Extension::certificate_policies(&[(identifier, None)])
}

/// A CA below the one that `ca` gives, whose path length allows it.
fn below_the_ca() -> Chain {
    let mut chain = leaf();
    chain.issuers[0].set(basic_constraints(true, None));
    chain.certificate.set(basic_constraints(true, None));
    let usage = Extension::key_usage(KEY_CERT_SIGN | CRL_SIGN);
    chain.certificate.set(usage);
    chain
}

fn cases() -> impl Iterator<Item = &'static Case> {
    let tables = [OF_FIELDS, OF_EXTENSIONS, OF_NAMES, OF_ISSUERS];
    tables.into_iter().flatten()
}

#[test]
fn each_rule_alone_finds_what_breaks_it_alone() {
    for (number, (rule, sound, change)) in cases().enumerate() {
        let mut chain = sound();
        assert_eq!(chain.broken_rules(), [""; 0], "{rule} ({number})");
        change(&mut chain);
        assert_eq!(chain.broken_rules(), [*rule], "case {number}");
    }
}

#[test]
fn every_rule_has_a_certificate_that_breaks_it() {
    for rule in RULES {
        assert!(
            cases().any(|(name, ..)| *name == rule.name),
            "{}",
            rule.name
        );
    }
    for (name, ..) in cases() {
        assert!(RULES.iter().any(|rule| rule.name == *name), "{name}");
    }
}

/// A certificate that breaks no rule, and a change that lets it stand at the edge of one.
type Edge = (fn() -> Chain, fn(&mut Chain));

const SOUND: &[Edge] = &[
    (leaf, |c| c.certificate.serial = vec![0x7f; 20]),
    (leaf, |c| c.certificate.serial = vec![0, 0x80]),
    (leaf, |c| {
        let issuer = ca().certificate;
        c.certificate.not_before = issuer.not_before;
        c.certificate.not_after = issuer.not_after;
    }),
    (leaf, |c| {
        let moment = utc_or_generalized(datetime!(2027-01-01 0:00 UTC));
        c.certificate.not_before = moment.clone();
        c.certificate.not_after = moment;
    }),
    (root, |c| {
        c.certificate.not_after = generalized(datetime!(2050-01-01 0:00 UTC));
    }),
    (leaf, |c| {
        c.certificate.subject = utf8_name(&[(oid::COMMON_NAME, "x".repeat(64))]);
    }),
    (leaf, |c| {
        c.certificate.subject = empty_name();
        let names = alternative_names(&[host("*.example.test")], true);
        c.certificate.set(names);
    }),
    (leaf, |c| {
        let purposes = [oid::TIME_STAMPING];
        c.certificate.set(Extension::extended_key_usage(&purposes));
    }),
    (ca, |c| {
        let purposes = [oid::CLIENT_AUTH];
        c.certificate.set(Extension::extended_key_usage(&purposes));
    }),
    (leaf, |c| {
        c.issuers[0].remove(oid::SUBJECT_KEY_IDENTIFIER);
        c.certificate.remove(oid::AUTHORITY_KEY_IDENTIFIER);
    }),
    (root, |c| {
        c.certificate
            .set(Extension::authority_key_identifier(&[1; 20]));
    }),
    (leaf, |c| c.issuers[0].remove(oid::KEY_USAGE)),
    (ca, |c| c.issuers[0].set(basic_constraints(true, Some(1)))),
    (below_the_ca, |c| {
        c.issuers[0].set(basic_constraints(true, Some(1)));
        c.issuers[1].set(basic_constraints(true, Some(2)));
    }),
    (leaf, |c| {
        c.issuers[0].set(constraints(&["dns:example.test"], &["dns:other.test"]));
        let names = alternative_names(&[host("www.example.test")], false);
        c.certificate.set(names);
    }),
    (ca, |c| {
        c.certificate.set(constraints(&[], &["ip:10.0.0.0/8"]));
    }),
    (leaf, |c| {
        c.issuers[0].set(Extension::extended_key_usage(&[oid::CODE_SIGNING]));
        c.certificate
            .set(Extension::extended_key_usage(&[oid::OCSP_SIGNING]));
    }),
    (leaf, |c| {
        c.issuers[0].set(policy("2.5.29.32.0"));
        c.certificate.set(policy("1.2.4"));
    }),
    (leaf, |c| {
        let upn = GeneralName::parse("upn:a@example.test").unwrap();
        let rid = GeneralName::parse("rid:1.2.3").unwrap();
        c.certificate.set(alternative_names(&[upn, rid], false));
    }),
];

#[test]
fn certificates_at_the_edge_of_the_rules_break_none() {
    for (number, (sound, change)) in SOUND.iter().enumerate() {
        let mut chain = sound();
        change(&mut chain);
        assert_eq!(chain.broken_rules(), [""; 0], "case {number}");
    }
}
