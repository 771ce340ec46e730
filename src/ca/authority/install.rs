//! Installing the certificate that somebody else's CA made of a request of ours.

use crate::ca::authority::error::{AuthorityError, Misfit};
use crate::ca::error::CaError;
use crate::ca::issuance::{refuse_compromised_cas, refuse_taken_subject};
use crate::ca::notice::Notice;
use crate::ca::owner::KeyOf;
use crate::ca::remedy::Remedy;
use crate::ca::verify::{VerifyRequest, verify};
use crate::store::{Ca, CaName, CaRecord, Change, Installation, Material, Store, Uninstalled};
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};
use crate::x509::lint::{Candidate, Finding, Findings, lint};
use crate::x509::verify::Question;
use crate::x509::{Certificate, Name};
use std::path::Path;
use time::OffsetDateTime;

/// Rules that a certificate may break and be of use: the CA issues what keeps them, and relying
/// parties take its path.
const BEARABLE: [&str; 10] = [
    "serial_is_positive_and_at_most_20_octets",
    "times_are_utc_through_2049",
    "subject_attributes_are_within_their_bounds",
    "basic_constraints_are_critical",
    "key_usage_is_critical",
    "subject_key_identifier_is_there",
    "alternative_names_are_well_formed",
    "authority_key_identifier_is_that_of_the_ca",
    "validity_is_inside_that_of_the_ca",
    "name_constraints_are_only_in_cas_and_critical",
];

/// CA whose certificate was installed.
pub(crate) struct Installed {
    /// The CA, which issues from now on.
    pub(crate) ca: Ca,
    /// Its certificate and those above it, the root last.
    pub(crate) path: Vec<Certificate>,
    /// The CAs that came into the store with it, without their keys, the highest first.
    pub(crate) added: Vec<CaName>,
    pub(crate) notices: Vec<Notice>,
}

/// Installs the certificate of a CA that waits for it, after proof that it is one with which the CA
/// can issue. `answer` has the certificate and perhaps some above it, `chain` the others; what lacks is
/// taken from the store.
pub(crate) fn install_ca(
    store: &Store,
    name: &CaName,
    file: &Path,
    answer: &[Certificate],
    chain: &[Certificate],
    now: OffsetDateTime,
) -> Result<Installed, CaError> {
    let installation = store.reserve_installation(name)?;
    let waiting = installation.pending();
    let misfit = |source: Misfit| {
        CaError::from(AuthorityError::Misfit {
            path: file.to_owned(),
            ca: name.clone(),
            source,
        })
    };
    let request = waiting.request();
    let key = request.public_key().spki();
    let certificate = certificate_for(key, request.subject(), answer).map_err(misfit)?;
    may_act_as_ca(certificate).map_err(misfit)?;
    let beside = [answer, chain].concat();
    let path = path_above(Some(installation.store()), certificate, beside, now)?.map_err(misfit)?;
    let notices = hold_to_rules(&path).map_err(misfit)?;
    refuse_compromised_cas(
        installation.store(),
        &[(KeyOf::Request, request.public_key())],
    )?;
    refuse_taken_subject(
        installation.store(),
        certificate.subject(),
        Some(request.public_key()),
        now,
    )?;
    let (ca, added) = write(&installation, &path)?;
    Ok(Installed {
        ca,
        path,
        added,
        notices,
    })
}

/// The certificate that is about our key, in whatever order they came.
pub(crate) fn certificate_for<'a>(
    key: &[u8],
    subject: &Name,
    answer: &'a [Certificate],
) -> Result<&'a Certificate, Misfit> {
    let certificate = answer
        .iter()
        .find(|certificate| certificate.public_key().spki() == key)
        .ok_or(Misfit::Key)?;
    if !is_same_name(certificate.subject(), subject) {
        return Err(Misfit::Subject {
            asked: subject.to_string(),
            found: certificate.subject().to_string(),
        });
    }
    Ok(certificate)
}

/// Returns whether two names have the same values, which a CA may have written anew in another string type.
fn is_same_name(one: &Name, other: &Name) -> bool {
    let values = |name: &Name| {
        let attributes = name.attributes().into_iter();
        let value = attributes.map(|attribute| {
            let der = attribute.text.is_none().then_some(attribute.der);
            (attribute.rdn, attribute.kind, attribute.text, der)
        });
        value.collect::<Vec<_>>()
    };
    one == other || values(one) == values(other)
}

pub(crate) fn may_act_as_ca(certificate: &Certificate) -> Result<(), Misfit> {
    if !certificate.is_ca() {
        return Err(Misfit::NotACa);
    }
    let usage = certificate.key_usage().unwrap_or(0);
    for (bit, missing) in [(KEY_CERT_SIGN, "keyCertSign"), (CRL_SIGN, "cRLSign")] {
        if usage & bit == 0 {
            return Err(Misfit::KeyUsage { missing });
        }
    }
    Ok(())
}

/// The certificate and those above it, as `pki verify` finds them; whoever installs vouches for the
/// root.
pub(crate) fn path_above(
    store: Option<&Store>,
    certificate: &Certificate,
    beside: Vec<Certificate>,
    now: OffsetDateTime,
) -> Result<Result<Vec<Certificate>, Misfit>, CaError> {
    let mut bundle = beside;
    for ca in store.map_or_else(|| Ok(Vec::new()), Store::cas)? {
        bundle.push(ca.certificate().clone());
    }
    let request = VerifyRequest {
        certificate: certificate.clone(),
        beside: Vec::new(),
        bundle: Some(bundle),
        crls: Vec::new(),
        responses: Vec::new(),
        trusts_intermediates: false,
        question: Question::at(now),
    };
    let judgement = verify(store, &request)?;
    Ok(match judgement.refusal {
        Some(refusal) => Err(Misfit::Path(Box::new(refusal))),
        None => Ok(judgement.path),
    })
}

/// Lints a path: what does not forbid it is a notice.
pub(crate) fn hold_to_rules(path: &[Certificate]) -> Result<Vec<Notice>, Misfit> {
    let findings = lint(&Candidate {
        certificate: &path[0],
        issuers: &path[1..],
    });
    let (bearable, grave): (Vec<Finding>, Vec<Finding>) = findings
        .into_iter()
        .partition(|finding| BEARABLE.contains(&finding.rule));
    if !grave.is_empty() {
        return Err(Misfit::Rules(Findings(grave)));
    }
    if bearable.is_empty() {
        return Ok(Vec::new());
    }
    let findings = Findings(bearable);
    Ok(vec![Notice::Imperfect { findings }])
}

/// Adds the CAs above that the store does not have, and gives the CA its certificate.
fn write(
    installation: &Installation<'_>,
    path: &[Certificate],
) -> Result<(Ca, Vec<CaName>), CaError> {
    let waiting = installation.pending();
    let Above { missing, parent } = above(installation.store(), &path[1..], |_| false)?;
    let own = CaRecord {
        parent,
        ..waiting.record().clone()
    };
    let key = waiting.key_file()?;
    let without_keys = missing.iter().map(|(record, certificate)| Material {
        record,
        certificate,
        key_pem: None,
        serial_counter: 0,
        issued: &[],
        change: Some(Change::Installed),
        history: None,
    });
    let with_key = Material {
        record: &own,
        certificate: &path[0],
        key_pem: key.as_ref().map(|pem| pem.as_slice()),
        serial_counter: 0,
        issued: &[],
        change: Some(Change::Installed),
        history: None,
    };
    let all: Vec<Material<'_>> = without_keys.chain([with_key]).collect();
    let ca = installation.install(&all).map_err(uninstalled)?;
    let added = missing.into_iter().map(|(record, _)| record.name);
    Ok((ca, added.collect()))
}

/// The CAs above the one that waits.
pub(crate) struct Above<'a> {
    /// Certificates that the store does not have, the highest first.
    pub(crate) missing: Vec<(CaRecord, &'a Certificate)>,
    /// The one directly above.
    pub(crate) parent: Option<CaName>,
}

/// Finds them in the store, and names for the others, of which some are taken by what is not there yet.
pub(crate) fn above<'a>(
    store: &Store,
    issuers: &'a [Certificate],
    is_reserved: impl Fn(&CaName) -> bool,
) -> Result<Above<'a>, CaError> {
    let known = store.cas()?;
    let mut missing: Vec<(CaRecord, &Certificate)> = Vec::new();
    let mut parent: Option<CaName> = None;
    for certificate in issuers.iter().rev() {
        let itself = known.iter().find(|ca| ca.certificate() == certificate);
        let renewed = || {
            let mut known = known.iter();
            known.find(|ca| are_of_one_ca(ca.certificate(), certificate))
        };
        if let Some(ca) = itself.or_else(renewed) {
            parent = Some(ca.name().clone());
            continue;
        }
        let is_taken = |name: &CaName| {
            is_reserved(name) || missing.iter().any(|(record, _)| record.name == *name)
        };
        let name = free_name(store, certificate, is_taken)?;
        missing.push((record(name.clone(), parent), certificate));
        parent = Some(name);
    }
    Ok(Above { missing, parent })
}

/// Returns whether one certificate is the renewal of the other: a second CA of that key would know nothing of what
/// the first one revokes.
pub(crate) fn are_of_one_ca(one: &Certificate, other: &Certificate) -> bool {
    one.subject() == other.subject()
        && one.issuer() == other.issuer()
        && one.public_key().spki() == other.public_key().spki()
}

fn record(name: CaName, parent: Option<CaName>) -> CaRecord {
    CaRecord {
        parent,
        ..CaRecord::of_root(name)
    }
}

fn uninstalled(error: Uninstalled) -> CaError {
    let Uninstalled { added, source } = error;
    if added.is_empty() {
        return source.into();
    }
    let names: Vec<&str> = added.iter().map(CaName::as_str).collect();
    CaError::after_commit(names.join(", "), Remedy::InstallAgain, source)
}

/// Returns a free name for a CA from elsewhere: its common name, with hyphens for characters that a name
/// can't have, and a number behind it if another CA has that name.
fn free_name(
    store: &Store,
    certificate: &Certificate,
    is_taken: impl Fn(&CaName) -> bool,
) -> Result<CaName, CaError> {
    let base = base_name(&certificate.subject().common_name().unwrap_or_default());
    let mut number = 1_u64;
    loop {
        let candidate = match number {
            1 => base.clone(),
            _ => format!("{base}-{number}"),
        };
        if let Ok(name) = candidate.parse::<CaName>()
            && !is_taken(&name)
            && store.is_free(&name)?
        {
            return Ok(name);
        }
        number += 1;
    }
}

/// A text that is a CA's name, now or with a number behind it.
fn base_name(common_name: &str) -> String {
    const LONGEST: usize = 40;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let text: String = common_name
        .chars()
        .map(|character| if allowed(character) { character } else { '-' })
        .take(LONGEST)
        .collect();
    let text = text
        .trim_start_matches(['.', '_', '-'])
        .trim_end_matches('-');
    match text {
        "" => "CA".to_owned(),
        // The store and the operating system keep some names for themselves.
        text if text.parse::<CaName>().is_err() => format!("CA-{text}"),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::ca::authority::install::*;
    use crate::x509::lint::RULES;

    #[test]
    fn every_rule_that_may_be_broken_is_one() {
        for name in BEARABLE {
            assert!(RULES.iter().any(|rule| rule.name == name), "{name}");
        }
    }

    #[test]
    fn a_common_name_becomes_the_name_of_a_ca() {
        for (common_name, name) in [
            ("rootCA", "rootCA"),
            ("Example Root CA, 2026", "Example-Root-CA--2026"),
            ("../../etc/x", "etc-x"),
            ("-rf", "rf"),
            ("", "CA"),
            ("根", "CA"),
            ("crl", "CA-crl"),
            ("con.x", "CA-con.x"),
            ("\u{1b}[2J", "2J"),
        ] {
            assert_eq!(base_name(common_name), name);
        }
        let long = base_name(&"x".repeat(100));
        assert_eq!(long.len(), 40);
        assert!(
            format!("{}-2", base_name("a.chain"))
                .parse::<CaName>()
                .is_ok()
        );
    }
}
