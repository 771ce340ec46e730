//! `pki ca rekey`: a CA with a new key that replaces another.

use super::cross_sign::CrossEntry;
use super::renew::ValidityArgs;
use crate::ca::{
    CaError, CrossCertificate, IssuanceError, Issuer, IssuerError, NewCa, Passphrases,
    ProtectedKey, Purpose, Session, Succession, create_root, create_subordinate, cross_certify,
    is_compromised, last_end, valid_of_key,
};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::options::{KeyUriArgs, SubjectArgs, UrlArgs};
use crate::cli::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use crate::cli::report::Report;
use crate::cli::root::MadeCa;
use crate::cli::steps::{self, Change, Step};
use crate::key::{Helpers, KeyType, Passphrase};
use crate::store::{Ca, CaName, Store};
use crate::x509::Serial;
use clap::Args;
use serde::Serialize;
use std::error::Error;
use time::OffsetDateTime;

/// Create a CA with a new key to replace another
///
/// The new CA has a name of its own and the same policy; roots are cross-signed. The old CA stays until all of
/// its certificates have expired. The report ends with the next steps and their times.
#[derive(Args)]
pub(super) struct CaRekeyArgs {
    /// The CA to replace
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    /// The new CA's name in the store, and by default its common name
    #[arg(long, value_name = "NAME")]
    name: CaName,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    validity: ValidityArgs,
    /// p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87 [default: as before]
    #[arg(long, value_name = "TYPE")]
    key_type: Option<KeyType>,
    #[command(flatten)]
    key_uri: KeyUriArgs,
    #[command(flatten)]
    urls: UrlArgs,
    /// Do not cross-sign the roots
    #[arg(long)]
    no_cross: bool,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

/// A CA in the place of another.
#[derive(Serialize)]
struct SucceededEntry {
    #[serde(flatten)]
    made: MadeCa,
    succeeds: String,
    cross: Vec<CrossEntry>,
    steps: Vec<Step>,
}

impl CaRekeyArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        rekeyed(&self, context)
    }
}

fn rekeyed(args: &CaRekeyArgs, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let old = store.ca(&args.ca)?;
    args.key_uri.check(&args.passout)?;
    store.check_free(&args.name)?;
    let mut notices = Vec::new();
    let new = succession(args)?.of(&old, &mut notices)?;
    let standing = Standing::of(&store, &old, context)?;
    let mut passphrases = NewKnown {
        user: UserPassphrases::with_new_cas(
            context,
            Some(&args.passin),
            Some(&args.passout),
            Protecting::NewCa,
        )?,
        new: new.name.clone(),
        protected: None,
    };
    passphrases
        .user
        .check_names(args.key_uri.with_pin(&new.name))?;
    let (made, cross) = match &old.record().parent {
        Some(parent) => {
            let mut session = Session::new(&store, &mut passphrases, context.now);
            let made = create_subordinate(&mut session, parent, &new);
            let made = made.map_err(|error| key_elsewhere(error, &new.name))?;
            notices.append(&mut session.notices);
            (made, Vec::new())
        }
        None => beside_root(args, &store, &old, &new, &mut passphrases, context)?,
    };
    context.notices(notices);
    Ok(succession_report(&old, &made, &cross, standing, context)
        .committed(format!("`pki show --ca {}` shows it", new.name)))
}

fn key_elsewhere(error: CaError, new: &CaName) -> Failure {
    match error {
        error @ CaError::Issuer(IssuerError::KeyElsewhere { .. }) => Failure::from(error).hint(format!(
            "`pki subordinate --name {new} --request FILE` makes its key and a CSR for the offline CA"
        )),
        other => other.into(),
    }
}

fn succession(args: &CaRekeyArgs) -> Result<Succession, Failure> {
    Ok(Succession {
        name: args.name.clone(),
        subject: args.subject.resolve()?,
        lifetime: args.validity.lifetime(),
        key_type: args.key_type,
        key_uri: args.key_uri.key_uri.clone(),
        crl_urls: args.urls.crl_url.clone(),
        ca_issuers_urls: args.urls.ca_issuers_url.clone(),
        ocsp_urls: args.urls.ocsp_url.clone(),
    })
}

/// A root beside another. That one's key is opened first, so that what hinders it shows before anything
/// is made.
fn beside_root(
    args: &CaRekeyArgs,
    store: &Store,
    old: &Ca,
    new: &NewCa,
    passphrases: &mut NewKnown,
    context: &Context,
) -> Result<(Ca, Vec<CrossCertificate>), Failure> {
    let now = context.now;
    let old = if args.no_cross {
        None
    } else {
        let purpose = Purpose::Certificates;
        let opened = Issuer::open(store, old.name(), purpose, passphrases, now);
        Some(opened.map_err(|error| {
            match error {
                error @ (CaError::Issuer(
                    IssuerError::KeyElsewhere { .. }
                    | IssuerError::CaUnusable { .. }
                    | IssuerError::RevokedCa { .. },
                )
                | CaError::Issuance(IssuanceError::CompromisedKey { .. })) => Failure::from(error)
                    .hint("--no-cross creates the new root without a cross-certificate"),
                other => other.into(),
            }
        })?)
    };
    let (made, notices) = create_root(&context.store, context.operator(), new, passphrases, now)?;
    context.notices(notices);
    let Some(old) = old else {
        return Ok((made, Vec::new()));
    };
    let name = made.name().clone();
    let crossed = Issuer::open(store, &name, Purpose::Certificates, passphrases, now)
        .and_then(|new| cross_certify(&old, &new, now));
    let (cross, notices) = crossed.map_err(|source| {
        let remedy = format!(
            "cross-sign the two with `pki ca cross-sign --ca {} --with {name}`",
            args.ca
        );
        Failure::after_commit(format!("the root {name}"), source, remedy)
    })?;
    context.notices(notices);
    Ok((made, cross))
}

/// State of a CA before another takes its place.
struct Standing<'a> {
    /// The CA above, and what it has issued to this one's key.
    parent: Option<(&'a CaName, Vec<Serial>)>,
    last_end: Option<OffsetDateTime>,
    is_compromised: bool,
    /// The CAs that have nothing to do with it.
    others: Vec<CaName>,
}

impl<'a> Standing<'a> {
    fn of(store: &Store, ca: &'a Ca, context: &Context) -> Result<Self, CaError> {
        let parent = match &ca.record().parent {
            Some(parent) => {
                let issuer = store.ca(parent)?;
                Some((
                    parent,
                    valid_of_key(&issuer, ca.certificate(), context.now)?,
                ))
            }
            None => None,
        };
        Ok(Self {
            parent,
            last_end: last_end(store, ca, context.now)?,
            is_compromised: is_compromised(store, ca)?,
            others: Self::others(store, ca)?,
        })
    }

    fn others(store: &Store, ca: &Ca) -> Result<Vec<CaName>, CaError> {
        let mut others = Vec::new();
        for other in store.cas()? {
            let ancestors = store.ancestors(&other)?;
            let mut path = std::iter::once(&other).chain(&ancestors);
            if path.all(|member| member.name() != ca.name()) {
                others.push(other.name().clone());
            }
        }
        Ok(others)
    }
}

fn succession_report(
    old: &Ca,
    new: &Ca,
    cross: &[CrossCertificate],
    standing: Standing<'_>,
    context: &Context,
) -> Report {
    let serial_by = |issuer: &Ca| {
        let cross = cross.iter().find(|cross| cross.issuer == *issuer.name());
        cross.map(|cross| cross.issuance.serial)
    };
    let Standing {
        parent,
        last_end,
        is_compromised,
        mut others,
    } = standing;
    others.push(new.name().clone());
    others.sort();
    let length = new.certificate().basic_constraints();
    let change = Change {
        old: old.name(),
        new: new.name(),
        parent,
        new_by_old: serial_by(old),
        old_by_new: serial_by(new),
        last_end,
        is_compromised,
        takes_cas: length.is_none_or(|basic| basic.path_length != Some(0)),
        remaining: others,
    };
    let entry = SucceededEntry {
        made: MadeCa::of(new),
        succeeds: old.name().to_string(),
        cross: CrossEntry::of(cross),
        steps: steps::in_store(steps::after_succession(&change), context),
    };
    let mut text =
        entry
            .made
            .lines()
            .under(&format!("created {} to replace {}", new.name(), old.name()));
    text.extend(entry.cross.iter().map(CrossEntry::line));
    text += &steps::text(&entry.steps);
    Report::new(&entry, text)
}

/// The passphrase of a key that was just made opens it again.
struct NewKnown {
    user: UserPassphrases,
    new: CaName,
    protected: Option<Passphrase>,
}

impl Passphrases for NewKnown {
    fn to_open(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        match &self.protected {
            Some(known) if key.ca == Some(&self.new) => Ok(known.clone()),
            _ => self.user.to_open(key),
        }
    }

    fn may_try_again(&mut self, key: ProtectedKey<'_>) -> bool {
        self.user.may_try_again(key)
    }

    fn to_protect(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        self.protected = self.user.to_protect(key)?;
        Ok(self.protected.clone())
    }

    fn helpers(&self) -> Helpers {
        self.user.helpers()
    }
}
