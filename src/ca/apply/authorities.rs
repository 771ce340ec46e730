//! The CAs of a declaration: made where they are missing. One that is there can't be changed, so what
//! differs is refused.

use crate::ca::apply::declaration::{Application, WishedCa};
use crate::ca::apply::error::ApplyError;
use crate::ca::apply::kind::Kind;
use crate::ca::apply::step::{Action, Step};
use crate::ca::authority::{
    create_fixture_root, create_root, create_subordinate, path_length_under,
};
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::issuance::refuse_taken_subject;
use crate::ca::owner::SubjectOwner;
use crate::ca::passphrases::Passphrases;
use crate::ca::session::Session;
use crate::key::{KeyType, KeyUri};
use crate::store::{Ca, CaName, Store};
use crate::x509::comparison::ComparableName;

/// Plans the CAs; the error names every difference of those that exist.
pub(crate) fn plan(
    application: &Application<'_>,
    store: Option<&Store>,
) -> Result<Vec<Step>, CaError> {
    let mut steps = Vec::new();
    let mut differences = Vec::new();
    let mut subjects: Vec<(ComparableName, &CaName)> = Vec::new();
    for wished in &application.wishes.cas {
        let name = &wished.new.name;
        let existing = match store {
            Some(store) if !store.is_free(name)? => Some(store.ca(name)?),
            _ => None,
        };
        let action = if existing.is_some() {
            Action::Keep
        } else {
            Action::Make
        };
        let subject = &wished.new.subject;
        let comparable = ComparableName::of(subject);
        let same = subjects.iter().find(|(known, _)| *known == comparable);
        let taken = match (same, store) {
            (Some((_, other)), _) => Err(IssuanceError::SubjectOfCa {
                subject: subject.to_string(),
                owner: SubjectOwner::Ca((*other).clone()),
            }
            .into()),
            (None, Some(store)) if existing.is_none() => {
                refuse_taken_subject(store, subject, None, application.now)
            }
            (None, _) => Ok(()),
        };
        if action == Action::Make {
            taken.map_err(|error| error.about(Kind::Ca, name.as_str()))?;
        }
        subjects.push((comparable, name));
        if let (Some(ca), Some(store)) = (existing, store) {
            differences.extend(
                differences_of(store, &ca, wished)?
                    .into_iter()
                    .map(|difference| format!("{name}: {difference}")),
            );
        }
        steps.push(Step::new(action, Kind::Ca, name.as_str()).of_ca(wished.parent.as_ref()));
    }
    if differences.is_empty() {
        Ok(steps)
    } else {
        Err(ApplyError::OtherCas { differences }.into())
    }
}

/// Makes those that are missing.
pub(crate) fn make(
    application: &Application<'_>,
    plan: &[Step],
    passphrases: &mut dyn Passphrases,
    each: &mut dyn FnMut(Step),
) -> Result<(), CaError> {
    let Application {
        store,
        operator,
        wishes,
        now,
        ..
    } = application;
    let create_root = if wishes.fixture {
        create_fixture_root
    } else {
        create_root
    };
    let planned = plan.iter().filter(|step| step.kind == Kind::Ca);
    for (wished, step) in wishes.cas.iter().zip(planned) {
        let mut step = step.clone();
        if step.action == Action::Make {
            let made = match &wished.parent {
                None => create_root(store, operator.clone(), &wished.new, passphrases, *now),
                Some(parent) => Store::open(store, operator.clone())
                    .map_err(CaError::from)
                    .and_then(|store| {
                        let mut session = Session::new(&store, passphrases, *now);
                        let ca = create_subordinate(&mut session, parent, &wished.new)?;
                        Ok((ca, session.notices))
                    }),
            };
            let (ca, notices) = made.map_err(|error| error.about(Kind::Ca, &step.name))?;
            step = step
                .about(ca.certificate().serial().ok())
                .with_files(vec![("crt", ca.certificate_location().to_string().into())])
                .saying(notices);
        }
        each(step);
    }
    Ok(())
}

/// Differences of the store's CA from the declaration. Its validity is left out: it changes
/// with every renewal.
fn differences_of(store: &Store, ca: &Ca, wished: &WishedCa) -> Result<Vec<String>, CaError> {
    let WishedCa { parent, new } = wished;
    let certificate = ca.certificate();
    let record = ca.record();
    let mut differences = Vec::new();
    let mut compare = |what: &str, is: String, wished: String| {
        if is != wished {
            differences.push(format!("{what} is {is}, but {wished} in the file"));
        }
    };
    let above = |name: &Option<CaName>| {
        let name = name.as_ref().map(ToString::to_string);
        name.unwrap_or_else(|| "none".into())
    };
    compare("the parent", above(&record.parent), above(parent));
    compare(
        "the subject",
        certificate.subject().to_string(),
        new.subject.to_string(),
    );
    let own_type = certificate.public_key().algorithm().to_string();
    let key_type = match (new.key_type, &new.key_uri) {
        (Some(kind), _) => kind.to_string(),
        (None, None) => KeyType::default().to_string(),
        (None, Some(_)) => own_type.clone(),
    };
    compare("the key type", own_type, key_type);
    let place = |uri: &Option<KeyUri>| match uri {
        Some(uri) => uri.to_string(),
        None => "none".into(),
    };
    compare("key_uri", place(&record.key_uri), place(&new.key_uri));
    let length = |length: Option<u32>| length.map_or("none".into(), |length| length.to_string());
    let basic = certificate.basic_constraints();
    let wished_length = match &record.parent {
        Some(parent) => path_length_under(&store.ca(parent)?, new.path_length)?,
        None => new.path_length,
    };
    compare(
        "path_len",
        length(basic.and_then(|basic| basic.path_length)),
        length(wished_length),
    );
    // Constraints that can't be read are none that the file could mean.
    let constraints = certificate.name_constraints().unwrap_or_default();
    let wished = &new.constraints;
    for (field, is, wished) in [
        ("permit", &constraints.permitted, &wished.permitted),
        ("exclude", &constraints.excluded, &wished.excluded),
    ] {
        compare(field, listed(is), listed(wished));
    }
    for (field, is, wished) in [
        ("crl_url", &record.crl_urls, &new.crl_urls),
        (
            "ca_issuers_url",
            &record.ca_issuers_urls,
            &new.ca_issuers_urls,
        ),
        ("ocsp_url", &record.ocsp_urls, &new.ocsp_urls),
    ] {
        compare(field, listed(is), listed(wished));
    }
    Ok(differences)
}

fn listed(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}
