//! `pki list`.

use super::context::Context;
use super::failure::Failure;
use super::issue::CertificateEntry;
use super::report::{Format, Report};
use crate::ca::Status;
use crate::store::{Ca, CaName, Issuance, Revoked, Store};
use crate::x509::GeneralName;
use crate::x509::text::Escaped;
use crate::x509::validity::{parse_duration, rfc3339};
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// List the certificates that were issued
///
/// In the order of issuing; read and written as it goes, whatever their number.
#[derive(Args)]
pub(super) struct ListArgs {
    /// Only what this CA issued; repeatable
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Only with this common name
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,
    /// Only with this alternative name
    #[arg(long, value_name = "NAME")]
    san: Option<String>,
    /// Only with this status
    #[arg(long, value_enum)]
    status: Option<StatusFilter>,
    /// Only valid ones that expire within this time, as in 30d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expiring: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFilter {
    Valid,
    Revoked,
    Expired,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a duration such as 30d, 12h or 1y".into())
}

/// What a certificate has to be to be listed.
struct Filter {
    cn: Option<String>,
    san: Option<String>,
    status: Option<Status>,
    expires_before: Option<OffsetDateTime>,
    now: OffsetDateTime,
}

impl ListArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let cas = self.selected(&store, context)?;
        let filter = self.filter(context)?;
        Ok(Report::stream(move |format, out| {
            write_list(&cas, &filter, format, out)
        }))
    }

    /// A CA that waits for its certificate has issued nothing, and that is said.
    fn selected(&self, store: &Store, context: &Context) -> Result<Vec<Ca>, Failure> {
        let is_wanted = |name: &CaName| self.ca.is_empty() || self.ca.contains(name);
        let mut waiting = Vec::new();
        for ca in store.waiting_cas()? {
            if is_wanted(ca.name()) {
                context.notice(format!("{} waits for its certificate", ca.name()));
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
            san: san
                .map_err(crate::ca::CaError::from)?
                .map(|name| name.to_string()),
            status: self.status.map(|status| match status {
                StatusFilter::Valid => Status::Valid,
                StatusFilter::Revoked => Status::Revoked,
                StatusFilter::Expired => Status::Expired,
            }),
            expires_before: self.expiring.map(|within| {
                context
                    .now
                    .checked_add(within)
                    .unwrap_or(PrimitiveDateTime::MAX.assume_utc())
            }),
            now: context.now,
        })
    }
}

impl Filter {
    /// The certificate's status, if it is to be listed.
    fn admits(&self, issuance: &Issuance, revoked: Option<&Revoked>) -> Option<Status> {
        let status = Status::of(issuance, revoked, self.now);
        let admitted = self.cn.as_ref().is_none_or(|cn| *cn == issuance.cn)
            && self
                .san
                .as_ref()
                .is_none_or(|san| issuance.sans.contains(san))
            && self.status.is_none_or(|wanted| wanted == status)
            && self
                .expires_before
                .is_none_or(|end| status == Status::Valid && issuance.not_after <= end);
        admitted.then_some(status)
    }
}

fn write_list(
    cas: &[Ca],
    filter: &Filter,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let written = |result: io::Result<()>| result.map_err(Failure::output);
    let mut first = true;
    written(if format == Format::Json {
        write!(out, "[")
    } else {
        Ok(())
    })?;
    for ca in cas {
        let all_revoked = ca.all_revoked()?;
        for issuance in ca.issuances()? {
            let issuance = issuance?;
            let revoked = all_revoked.get(&issuance.serial);
            let Some(status) = filter.admits(&issuance, revoked) else {
                continue;
            };
            written(match format {
                Format::Json => write_json(out, ca, &issuance, (status, revoked), first),
                Format::Text => write_line(out, ca, &issuance, status, first),
            })?;
            first = false;
        }
    }
    written(match format {
        Format::Json => writeln!(out, "{}]", if first { "" } else { "\n" }),
        Format::Text => Ok(()),
    })
}

fn write_json(
    out: &mut dyn Write,
    ca: &Ca,
    issuance: &Issuance,
    standing: (Status, Option<&Revoked>),
    first: bool,
) -> io::Result<()> {
    let entry = CertificateEntry::listed(ca.name(), issuance, Some(standing));
    write!(out, "{}", if first { "\n  " } else { ",\n  " })?;
    serde_json::to_writer(out, &entry).map_err(io::Error::from)
}

fn write_line(
    out: &mut dyn Write,
    ca: &Ca,
    issuance: &Issuance,
    status: Status,
    first: bool,
) -> io::Result<()> {
    if first {
        writeln!(
            out,
            "{:8} {:20} {:14} {:16} {:20} SUBJECT",
            "STATUS", "VALID UNTIL", "PROFILE", "CA", "SERIAL"
        )?;
    }
    let until = rfc3339(issuance.not_after);
    let subject = Escaped(&issuance.subject);
    let (name, serial) = (ca.name(), issuance.serial.to_string());
    write!(
        out,
        "{status:8} {until:20} {:14} {name:16} {serial:20} {subject}",
        issuance.profile
    )?;
    if !issuance.sans.is_empty() {
        write!(out, " [{}]", Escaped(&issuance.sans.join(", ")))?;
    }
    writeln!(out)
}
