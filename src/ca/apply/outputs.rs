//! The lists and trust stores of a declaration: published and written where something in them is new.

use crate::ca::apply::declaration::{Application, WishedBundle, WishedCrl};
use crate::ca::apply::error::ApplyError;
use crate::ca::apply::kind::Kind;
use crate::ca::apply::step::{Action, Step};
use crate::ca::crl::{
    CrlRequest, Origin, Outlook, chains_below, outlook, preview_crls, publish_chain, publish_crl,
    publish_pem, refuse_other_files, stands_durably,
};
use crate::ca::error::CaError;
use crate::ca::passphrases::Passphrases;
use crate::ca::session::Session;
use crate::ca::trust_store::targets::{BundleFinding, CrlForm, Level};
use crate::ca::trust_store::{Changes, PlacedFile, bundle, write_bundle};
use crate::store::file::{self, Access};
use crate::store::{Ca, Store};
use std::path::Path;

/// Plans CRLs and trust stores, after the steps that are planned so far.
pub(crate) fn plan(
    application: &Application<'_>,
    store: Option<&Store>,
    steps: &mut Vec<Step>,
) -> Result<(), CaError> {
    for wished in &application.wishes.crls {
        let action = planned_crl(application, store, wished, steps)?;
        steps.push(Step::new(action, Kind::Crl, wished.ca.as_str()));
    }
    let makes_ca = |step: &Step| step.kind == Kind::Ca && step.action == Action::Make;
    for wished in &application.wishes.bundles {
        let named = &wished.request.cas;
        let is_new = |step: &Step| {
            makes_ca(step)
                && (named.is_empty() || named.iter().any(|name| name.as_str() == step.name))
        };
        let action = match store {
            Some(store) if !steps.iter().any(is_new) => {
                let files = files_of(application, store, wished)?;
                if are_there(&files)? {
                    Action::Keep
                } else {
                    Action::Write
                }
            }
            _ => Action::Write,
        };
        steps.push(Step::new(action, Kind::Bundle, wished.name.as_str()));
    }
    Ok(())
}

fn planned_crl(
    application: &Application<'_>,
    store: Option<&Store>,
    wished: &WishedCrl,
    steps: &[Step],
) -> Result<Action, CaError> {
    let ca = match store {
        Some(store) if !store.is_free(&wished.ca)? => store.ca(&wished.ca)?,
        _ => return Ok(Action::Sign),
    };
    let is_revocation =
        |step: &Step| step.action == Action::Revoke && step.ca.as_ref() == Some(&wished.ca);
    if steps.iter().any(is_revocation) {
        return Ok(Action::Sign);
    }
    let Some(store) = store else {
        return Ok(Action::Sign);
    };
    refuse_other_files(&ca, &wished.request.place, wished.chain, false)?;
    let action = action_of(application, store, &ca, wished)?;
    let above = store.ancestors(&ca)?;
    let is_signed_above = |step: &Step| {
        step.kind == Kind::Crl
            && step.action == Action::Sign
            && above.iter().any(|above| above.name().as_str() == step.name)
    };
    Ok(match action {
        Action::Keep if wished.chain && steps.iter().any(is_signed_above) => Action::Write,
        action => action,
    })
}

/// Plans a CRL of an existing CA.
fn action_of(
    application: &Application<'_>,
    store: &Store,
    ca: &Ca,
    wished: &WishedCrl,
) -> Result<Action, CaError> {
    let request = &wished.request;
    Ok(
        match outlook(store, ca, request, wished.chain, application.now)? {
            Outlook::Stands => Action::Keep,
            Outlook::Written => Action::Write,
            Outlook::New => Action::Sign,
        },
    )
}

/// Publishes the lists that are not as they should be.
pub(crate) fn publish(
    application: &Application<'_>,
    store: &Store,
    passphrases: &mut dyn Passphrases,
    each: &mut dyn FnMut(Step),
) -> Result<(), CaError> {
    let mut session = Session::new(store, passphrases, application.now);
    for wished in &application.wishes.crls {
        let ca = store.ca(&wished.ca)?;
        let step = publish_one(application, &mut session, &ca, wished);
        each(step.map_err(|error| error.about(Kind::Crl, wished.ca.as_str()))?);
    }
    Ok(())
}

fn publish_one(
    application: &Application<'_>,
    session: &mut Session<'_>,
    ca: &Ca,
    wished: &WishedCrl,
) -> Result<Step, CaError> {
    let store = session.store;
    let WishedCrl { request, chain, .. } = wished;
    let place = &request.place;
    let step = |action| Step::new(action, Kind::Crl, ca.name().as_str());
    refuse_other_files(ca, place, *chain, false)?;
    let mut action = action_of(application, store, ca, wished)?;
    if action == Action::Keep {
        let mut files = vec![place.der(ca)];
        if place.wants_pem(ca)? {
            files.push(place.pem(ca));
        }
        if *chain {
            files.push(place.chain(ca));
        }
        stands_durably(ca, place, &files)?;
        return Ok(step(action));
    }
    publish_others(session, ca, request)?;
    let published = publish_crl(session, ca, request)?;
    let mut files = published.files;
    if *chain {
        files.push(("chain", publish_chain(store, ca, place)?));
    }
    if published.origin == Origin::Kept {
        action = Action::Write;
    } else {
        for below in chains_below(store, ca, place)? {
            publish_chain(store, &below, place)?;
        }
    }
    Ok(step(action).with_files(files).saying(published.notices))
}

/// Publishes the CRLs of the CAs above that a target needs; its rules are held to before any is signed.
fn publish_others(session: &mut Session<'_>, ca: &Ca, request: &CrlRequest) -> Result<(), CaError> {
    let store = session.store;
    let Some(party) = request.party else {
        return Ok(());
    };
    let chosen = [ca.clone()];
    let preview = preview_crls(store, &chosen, request, party, false, session.now)?;
    refuse_broken(format!("the CRL for {}", party.title), &preview.findings)?;
    for above in &preview.also {
        publish_crl(session, above, request)?;
    }
    if party.crls.form == CrlForm::PemOfPath {
        for above in store.ancestors(ca)? {
            publish_pem(&above, &request.place)?;
        }
    }
    Ok(())
}

fn refuse_broken(what: String, findings: &[BundleFinding]) -> Result<(), CaError> {
    let errors = findings
        .iter()
        .filter(|finding| finding.level == Level::Error);
    let rules: Vec<String> = errors.map(|finding| finding.message.clone()).collect();
    if rules.is_empty() {
        Ok(())
    } else {
        Err(ApplyError::RulesBroken { what, rules }.into())
    }
}

/// Writes the trust stores that are not as they should be.
pub(crate) fn write_bundles(
    application: &Application<'_>,
    store: &Store,
    each: &mut dyn FnMut(Step),
) -> Result<(), CaError> {
    for wished in &application.wishes.bundles {
        let step = write_one(application, store, wished);
        each(step.map_err(|error| error.about(Kind::Bundle, &wished.name))?);
    }
    Ok(())
}

fn write_one(
    application: &Application<'_>,
    store: &Store,
    wished: &WishedBundle,
) -> Result<Step, CaError> {
    let files = files_of(application, store, wished)?;
    let paths = files.iter().map(|file| ("pem", file.path.clone()));
    let step = |action| {
        Step::new(action, Kind::Bundle, wished.name.as_str()).with_files(paths.clone().collect())
    };
    if are_there(&files)? {
        file::sync(file::directory_of(&wished.out))?;
        return Ok(step(Action::Keep));
    }
    if let Some(folder) = wished
        .out
        .parent()
        .filter(|folder| *folder != Path::new(""))
    {
        file::create_directories(folder, Access::Umask)?;
    }
    let changes = write_bundle(store, &files, application.overwrite, None)?;
    let reason = changes.map(|Changes { added, removed, .. }| {
        format!("{} added, {} removed", added.len(), removed.len())
    });
    Ok(step(Action::Write).because(reason))
}

/// Files of a trust store, after it was held to the rules of its target.
fn files_of(
    application: &Application<'_>,
    store: &Store,
    wished: &WishedBundle,
) -> Result<Vec<PlacedFile>, CaError> {
    let made = bundle(store, &wished.request, application.now)?;
    refuse_broken("the bundle".into(), &made.judge(application.now))?;
    made.files(&wished.out, None)
}

fn are_there(files: &[PlacedFile]) -> Result<bool, CaError> {
    for PlacedFile { path, content, .. } in files {
        if file::read_if_there(path)?.as_ref() != Some(content) {
            return Ok(false);
        }
    }
    Ok(true)
}
