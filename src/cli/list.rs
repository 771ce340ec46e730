//! `pki list`.

use super::columns::Table;
use super::context::Context;
use super::failure::Failure;
use super::issue::CertificateEntry;
use super::output::{Format, JsonArray};
use super::report::Report;
use crate::ca::{ByTime, Expiring, Status, expiring};
use crate::store::{Ca, CaName, Issuance, Revoked, Store, StoreError};
use crate::x509::validity::parse_duration;
use crate::x509::{GeneralName, Serial};
use clap::{Args, ValueEnum};
use std::collections::HashMap;
use std::io::Write;
use time::{Duration, OffsetDateTime};

/// List the issued certificates
///
/// In the order of issuing; any number of certificates takes little memory. With --expiring the first to
/// expire comes first, and the list includes CA certificates from other issuers.
#[derive(Args)]
pub(super) struct ListArgs {
    /// Only certificates of this CA; repeatable
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Only with this common name
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,
    /// Only with this SAN
    #[arg(long, value_name = "NAME")]
    san: Option<String>,
    /// Only with this status
    #[arg(long, value_enum)]
    status: Option<StatusFilter>,
    /// Only those that expire within this time, as in 30d, the soonest first; without revoked ones, unless --status revoked is given
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expiring: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFilter {
    Valid,
    Revoked,
    Expired,
    NotYetValid,
}

impl StatusFilter {
    fn status(self) -> Status {
        match self {
            Self::Valid => Status::Valid,
            Self::Revoked => Status::Revoked,
            Self::Expired => Status::Expired,
            Self::NotYetValid => Status::NotYetValid,
        }
    }
}

/// A duration from now, as options give it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a duration such as 30d, 12h or 1y".into())
}

/// Certificates of a CA for which only their own revocations are read.
const FEW: usize = 1000;

/// Conditions on a certificate to be listed.
struct Filter {
    cn: Option<String>,
    san: Option<String>,
    /// The statuses that are listed; all if there is none.
    statuses: Vec<Status>,
    now: OffsetDateTime,
}

/// Certificates of a CA that may be listed, and perhaps more.
struct Candidates<I> {
    issuances: I,
    /// Revocations of at least these certificates.
    revoked: HashMap<Serial, Revoked>,
}

impl ListArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let cas = self.selected(&store, context)?;
        let mut filter = self.filter(context)?;
        let Some(within) = self.expiring else {
            return Ok(
                Report::stream(move |format, out| write_list(&cas, &filter, format, out)).answer(),
            );
        };
        if filter.statuses == [Status::Expired] {
            return Err(Failure::usage(
                "--expiring and --status expired exclude each other",
            ));
        }
        if filter.statuses.is_empty() {
            filter.statuses = vec![Status::Valid, Status::NotYetValid];
        }
        let found = expiring(&store, &cas, context.after(within), context.now)?;
        Ok(
            Report::stream(move |format, out| write_expiring(&found, &filter, format, out))
                .answer(),
        )
    }

    /// A CA that waits for its certificate has issued nothing, and that is said.
    fn selected(&self, store: &Store, context: &Context) -> Result<Vec<Ca>, Failure> {
        let is_wanted = |name: &CaName| self.ca.is_empty() || self.ca.contains(name);
        let mut waiting = Vec::new();
        for ca in store.pending_cas()? {
            if is_wanted(ca.name()) {
                context.notice(format!(
                    "CA {} is pending: its certificate is not installed yet",
                    ca.name()
                ));
                waiting.push(ca.name().clone());
            }
        }
        if self.ca.is_empty() {
            return Ok(store.cas()?);
        }
        let issuing = self.ca.iter().filter(|name| !waiting.contains(name));
        Ok(issuing
            .map(|name| store.ca(name))
            .collect::<Result<_, _>>()?)
    }

    fn filter(&self, context: &Context) -> Result<Filter, Failure> {
        let san = self.san.as_deref().map(GeneralName::parse).transpose();
        Ok(Filter {
            cn: self.cn.clone(),
            san: san?.map(|name| name.to_string()),
            statuses: self.status.map(StatusFilter::status).into_iter().collect(),
            now: context.now,
        })
    }
}

impl Filter {
    fn candidates(
        &self,
        ca: &Ca,
    ) -> Result<Candidates<impl Iterator<Item = Result<Issuance, StoreError>> + use<>>, StoreError>
    {
        let mut all = match (&self.cn, &self.san) {
            (Some(cn), _) => ca.issuances_perhaps_named(cn)?,
            (None, Some(san)) => ca.issuances_mentioning(san)?,
            (None, None) => ca.issuances()?,
        };
        let first: Vec<_> = all.by_ref().take(FEW).collect();
        let revoked = if first.len() < FEW {
            let serials = first.iter().flatten().map(|issuance| issuance.serial);
            ca.revoked_among(&serials.collect())?
        } else {
            ca.all_revoked()?
        };
        let issuances = first.into_iter().chain(all);
        Ok(Candidates { issuances, revoked })
    }

    /// The certificate's status, if it is to be listed.
    fn admits(&self, issuance: &Issuance, revoked: Option<&Revoked>) -> Option<Status> {
        let status = Status::of(issuance, revoked, self.now);
        let admitted = self.cn.as_ref().is_none_or(|cn| *cn == issuance.cn)
            && self
                .san
                .as_ref()
                .is_none_or(|san| issuance.sans.contains(san))
            && (self.statuses.is_empty() || self.statuses.contains(&status));
        admitted.then_some(status)
    }
}

/// Writes every listed certificate in the order of issuing, across CAs.
fn write_list(
    cas: &[Ca],
    filter: &Filter,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut listing = Listing::begin(format, out);
    let written = list_each(cas, filter, &mut listing);
    listing.end(written)
}

fn list_each(cas: &[Ca], filter: &Filter, listing: &mut Listing<'_>) -> Result<(), Failure> {
    let candidates = cas.iter().map(|ca| filter.candidates(ca));
    let candidates = candidates.collect::<Result<Vec<_>, _>>()?;
    let candidates = candidates.into_iter();
    let (issuances, revoked): (Vec<_>, Vec<_>) = candidates
        .map(|candidates| (candidates.issuances, candidates.revoked))
        .unzip();
    // Earlier versions did not record the time.
    let time_of = |issuance: &Issuance| issuance.at.unwrap_or(issuance.not_before);
    for issuance in ByTime::new(issuances, time_of) {
        let (index, issuance) = issuance?;
        let revoked = revoked[index].get(&issuance.serial);
        if let Some(status) = filter.admits(&issuance, revoked) {
            let ca = cas[index].name();
            let entry = CertificateEntry::listed(ca, &issuance, Some((status, revoked)));
            listing.add(&entry)?;
        }
    }
    Ok(())
}

fn write_expiring(
    found: &[Expiring],
    filter: &Filter,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut listing = Listing::begin(format, out);
    let written = found.iter().try_for_each(|expiring| {
        let revoked = expiring.revoked.as_ref();
        let Some(status) = filter.admits(&expiring.issuance, revoked) else {
            return Ok(());
        };
        let standing = Some((status, revoked));
        let entry = CertificateEntry::listed(expiring.ca.name(), &expiring.issuance, standing);
        listing.add(&entry.renewed_by(expiring.renewed_by))
    });
    listing.end(written)
}

/// Certificates on standard output, as a table or an array.
struct Listing<'a> {
    out: &'a mut dyn Write,
    form: Form,
}

enum Form {
    Text(Table),
    Json(JsonArray),
}

impl<'a> Listing<'a> {
    fn begin(format: Format, out: &'a mut dyn Write) -> Self {
        let form = match format {
            Format::Text => Form::Text(Table::begin()),
            Format::Json => Form::Json(JsonArray::default()),
        };
        Self { out, form }
    }

    fn add(&mut self, entry: &CertificateEntry) -> Result<(), Failure> {
        let written = match &mut self.form {
            Form::Text(table) => table.add(entry.row(), self.out),
            Form::Json(array) => array.add(entry, self.out),
        };
        written.map_err(Failure::output)
    }

    /// Ends the output, complete or not.
    fn end(self, written: Result<(), Failure>) -> Result<(), Failure> {
        let ended = match self.form {
            Form::Json(array) => array.end(written.is_ok(), self.out),
            Form::Text(table) if written.is_ok() => table.end(self.out),
            Form::Text(table) => table.flush(self.out),
        };
        written.and_then(|()| ended.map_err(Failure::output))
    }
}
