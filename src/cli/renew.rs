//! `pki renew`.

pub(super) mod args;

use super::context::Context;
use super::delivery::Delivery;
use super::failure::Failure;
use super::issue::CertificateEntry;
use super::output::{Format, write_json};
use super::passphrase::{Protecting, UserPassphrases};
use super::report::Report;
use crate::ca::{
    CaError, DueCa, Expiring, Issued, Issuer, Lineage, Predecessor, Purpose, Renewal, RenewalError,
    RenewalNotice, Successors, expiring, file_name, renew, select_one, supersede,
};
use crate::store::{Ca, CaName, Store};
use crate::x509::RecordedProfile;
pub(super) use args::RenewArgs;
use std::collections::BTreeMap;
use std::io::{self, Write};
use time::{Duration, OffsetDateTime};

#[derive(Default)]
struct Renewed {
    entries: Vec<CertificateEntry>,
    failures: Vec<Failure>,
}

impl RenewArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if self.name.is_some() && !self.out.is_given() {
            return Err(Failure::usage("--name needs --out"));
        }
        let store = context.open_store()?;
        let ca = store.ca(&self.ca)?;
        self.out.check(&ca)?;
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.out.passout),
            Protecting::Export,
        )?;
        if let Some(within) = self.expiring {
            return self.renew_expiring(&store, &ca, within, &mut passphrases, context);
        }
        let profiles = self.profiles.read(&store)?;
        let Some(selector) = self.selector()? else {
            return Err(Failure::usage(
                "one of --cn, --serial or --expiring is required",
            ));
        };
        let mut notices = Vec::new();
        let issuance = select_one(&ca, &selector, context.now, &mut notices)?;
        let before = Predecessor::new(&ca, issuance, &profiles, context.now, &mut notices)?;
        context.notices(notices);
        let mut issuer = self.open(&store, &mut passphrases, context)?;
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| file_name(&before.issuance));
        let has_key = before.has_key(&ca)?;
        let delivery = match self.out.open(&name, has_key)? {
            Some(files) => Some(Delivery::new(files, &name, has_key, &mut passphrases)?),
            None => None,
        };
        let renewal = self.renewal(None);
        let entry = self.renew_one(
            &mut issuer,
            &before,
            renewal,
            delivery,
            &mut passphrases,
            context,
        )?;
        let remedy = format!("`pki list --ca {}` shows it", self.ca);
        Ok(Report::new(&entry, entry.text()).committed(remedy))
    }

    fn open(
        &self,
        store: &Store,
        passphrases: &mut UserPassphrases,
        context: &Context,
    ) -> Result<Issuer, CaError> {
        Issuer::open(
            store,
            &self.ca,
            Purpose::Certificates,
            passphrases,
            context.now,
        )
    }

    /// Issues the successor, writes its files, and only then revokes the one before.
    fn renew_one(
        &self,
        issuer: &mut Issuer,
        before: &Predecessor,
        renewal: Renewal<'_>,
        delivery: Option<Delivery>,
        passphrases: &mut UserPassphrases,
        context: &Context,
    ) -> Result<CertificateEntry, Failure> {
        let issued = renew(issuer, before, renewal, passphrases, context.now)?;
        context.notices(&issued.notices);
        let files = match delivery {
            Some(delivery) => delivery
                .write(&issued, issuer.path())
                .map_err(|source| self.unfinished(&issued, before, true, source))?,
            None => BTreeMap::new(),
        };
        let superseded = self.supersede && {
            let (superseded, notices) = supersede(issuer.ca(), before, context.now)
                .map_err(|source| self.unfinished(&issued, before, false, source))?;
            context.notices(notices);
            if !superseded {
                let serial = before.issuance.serial;
                context.notice(RenewalNotice::NotSuperseded { serial });
            }
            superseded
        };
        let entry = CertificateEntry::new(&self.ca, &issued.issuance, files);
        Ok(entry.superseding(superseded))
    }

    fn renewal<'a>(&self, unless_renewed: Option<&'a mut Successors>) -> Renewal<'a> {
        Renewal {
            unless_renewed,
            lifetime: self.lifetime(),
            new_key: self.rekey,
        }
    }

    /// The successor stands, and something behind it failed.
    fn unfinished(
        &self,
        issued: &Issued,
        before: &Predecessor,
        lacks_files: bool,
        source: CaError,
    ) -> Failure {
        let Self { ca, .. } = self;
        let (serial, old) = (issued.issuance.serial, before.issuance.serial);
        let name = self.name.as_ref().map(|name| format!(" --name {name}"));
        let files = lacks_files.then(|| {
            let name = name.unwrap_or_default();
            format!("`pki export --ca {ca} --serial 0x{serial} --out DIR{name}` writes its files")
        });
        let revoke = self.supersede.then(|| {
            format!(
                "`pki revoke --ca {ca} --serial 0x{old} --reason superseded` revokes the old one"
            )
        });
        let remedies: Vec<String> = files.into_iter().chain(revoke).collect();
        let what = format!("the certificate {serial}");
        Failure::after_commit(what, source, remedies.join("; "))
    }

    /// Renews what is due, each by itself; the key is opened where there is something.
    fn renew_expiring(
        &self,
        store: &Store,
        ca: &Ca,
        within: Duration,
        passphrases: &mut UserPassphrases,
        context: &Context,
    ) -> Result<Report, Failure> {
        let end = context.after(within);
        let mut successors = Successors::from_now_on(ca)?;
        let due = Self::due(store, ca, end, context)?;
        if due.is_empty() {
            context.notice(format!("no certificate of {} is due", self.ca));
            return Ok(Report::stream(|_, _| Ok(())));
        }
        self.refuse_ending_ca(store, ca, end, context.now)?;
        let profiles = self.profiles.read(store)?;
        let mut issuer = self.open(store, passphrases, context)?;
        let mut renewed = Renewed::default();
        for Expiring { issuance, .. } in due {
            let before = Predecessor::unrevoked(ca, issuance, &profiles, context.now);
            let prepared = before.and_then(|before| {
                let delivery = self.deliver_beside_others(ca, &before, passphrases, context)?;
                Ok((before, delivery))
            });
            let entry = prepared
                .map_err(Failure::from)
                .and_then(|(before, delivery)| {
                    let renewal = self.renewal(Some(&mut successors));
                    self.renew_one(
                        &mut issuer,
                        &before,
                        renewal,
                        delivery,
                        passphrases,
                        context,
                    )
                });
            match entry {
                Ok(entry) => renewed.entries.push(entry),
                Err(failure) => match failure.ca_error() {
                    Some(CaError::Renewal(RenewalError::RenewedMeanwhile {
                        serial, by, ..
                    })) => {
                        let (serial, by) = (*serial, *by);
                        context.notice(RenewalNotice::RenewedMeanwhile { serial, by });
                    }
                    _ => renewed.failures.push(failure),
                },
            }
        }
        Ok(renewed.report(&self.ca))
    }

    /// Refuses to renew what would be due again at once.
    fn refuse_ending_ca(
        &self,
        store: &Store,
        ca: &Ca,
        end: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let until = ca.certificate().validity().not_after;
        if until > end || self.days.is_some() || self.not_after.is_some() {
            return Ok(());
        }
        let due = DueCa::up_from(store, ca, end, now)?;
        let ca = self.ca.clone();
        Err(RenewalError::CaEndsFirst { ca, until, due }.into())
    }

    /// The files for one of several, which take the place of no other certificate's.
    fn deliver_beside_others(
        &self,
        ca: &Ca,
        before: &Predecessor,
        passphrases: &mut UserPassphrases,
        context: &Context,
    ) -> Result<Option<Delivery>, CaError> {
        let serial = &before.issuance.serial;
        let has_key = before.has_key(ca)?;
        let lineage = Lineage::of(ca, &before.issuance, context.now)?;
        let opened = self.out.open_beside_others(&lineage, has_key);
        let opened = opened.map_err(|error| match error {
            error @ CaError::Renewal(_) => error,
            source => CaError::from(RenewalError::Files {
                ca: self.ca.clone(),
                serial: *serial,
                source: Box::new(source),
            }),
        })?;
        let Some((name, files)) = opened else {
            return Ok(None);
        };
        let delivery = Delivery::new(files, &name, has_key, passphrases)?;
        if name != file_name(&before.issuance) {
            let serial = *serial;
            context.notice(RenewalNotice::FilesCalled { serial, name });
        }
        Ok(Some(delivery))
    }

    /// Certificates that are valid, expire in time, and have no successor; CAs are renewed otherwise.
    fn due(
        store: &Store,
        ca: &Ca,
        end: OffsetDateTime,
        context: &Context,
    ) -> Result<Vec<Expiring>, Failure> {
        let found = expiring(store, std::slice::from_ref(ca), end, context.now)?;
        let mut due = Vec::new();
        for expiring in found {
            let is_done = expiring.renewed_by.is_some() || expiring.issuance.flaw.is_some();
            if !expiring.status(context.now).is_live() || is_done {
                continue;
            }
            if expiring.is_of_a_leaf() {
                due.push(expiring);
            } else if expiring.issuance.profile != RecordedProfile::Cross {
                context.notice(RenewalNotice::CaEnds {
                    subject: expiring.issuance.subject,
                    until: expiring.issuance.not_after,
                });
            }
        }
        Ok(due)
    }
}

impl Renewed {
    /// Returns an object a line; what failed is written behind it.
    fn report(self, ca: &CaName) -> Report {
        let Self { entries, failures } = self;
        let remedy = format!("`pki list --ca {ca} --expiring 30d` shows what is still due");
        let failure = Failure::of_several(failures, !entries.is_empty(), &remedy);
        let report = Report::stream(move |format, out| {
            let written = entries
                .iter()
                .try_for_each(|entry| write_entry(entry, format, out));
            written.map_err(Failure::output)
        })
        .committed(format!("`pki list --ca {ca}` shows them"));
        match failure {
            Some(failure) => report.failing(failure),
            None => report,
        }
    }
}

fn write_entry(entry: &CertificateEntry, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => out.write_all(entry.text().as_bytes()),
        Format::Json => {
            write_json(out, entry)?;
            writeln!(out)
        }
    }
}
