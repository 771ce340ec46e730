//! `pki show`.

mod pkcs12;

use super::context::Context;
use super::describe;
use super::failure::Failure;
use super::options::{
    SelectorArgs, check_belonging, input, refuse_shared_input, warn_of_missing_mac,
};
use super::output::{Format, write_json};
use super::passphrase::{FilePassinArgs, UserPassphrases};
use super::report::Report;
use crate::ca::{
    CaError, ForeignObject, Input, InputError, Status, certificate_of, foreign_crl, is_pkcs12,
    open_pkcs12, select_one,
};
use crate::key::PublicKey;
use crate::store::{Ca, CaName, Store};
use crate::x509::crl::ReadEntry;
use crate::x509::ocsp::OcspResponse;
use crate::x509::text::harmless_json;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, CertificationRequest, Crl, OCSP_RESPONSE_LABEL, Validity};
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Show a certificate of the store, or the contents of a file
///
/// A file may contain certificates, CSRs, CRLs, OCSP responses and keys in PEM or DER, or be PKCS #12; - is standard input. Of a
/// private key only the type is shown.
#[derive(Args)]
pub(super) struct ShowArgs {
    /// The file
    #[arg(value_name = "FILE", conflicts_with_all = ["ca", "cn", "serial"], required_unless_present = "ca")]
    file: Option<PathBuf>,
    /// A CA of the store: its own certificate, or with --cn or --serial one that it issued
    #[arg(long, value_name = "NAME")]
    ca: Option<CaName>,
    #[command(flatten)]
    selector: SelectorArgs,
    /// Show every entry of a CRL
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    passin: FilePassinArgs,
}

impl ShowArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        check_belonging(&[("--all", self.all, "a file", self.file.is_some())])?;
        match (&self.file, &self.ca) {
            (Some(file), _) if self.all => show_entries(file),
            (Some(file), _) => self.show_file(file, context),
            (None, Some(ca)) => self.show_stored(ca, context),
            (None, None) => Err(Failure::usage("a file or --ca is required")),
        }
    }

    fn show_file(&self, path: &Path, context: &Context) -> Result<Report, Failure> {
        let mut passphrases = UserPassphrases::of_file(context, &self.passin)?;
        refuse_shared_input(path, &passphrases, "the file")?;
        let input = input(path)?;
        if !is_pkcs12(&input) {
            return what_is_in(&input);
        }
        let mut file = open_pkcs12(&input, None, &mut passphrases)?;
        if !file.has_mac {
            warn_of_missing_mac(path, context);
        }
        let described = pkcs12::described(&mut file, &mut passphrases)?;
        let text: Vec<String> = described.iter().map(describe::text).collect();
        Ok(Report::new(&described, text.join("\n")).answer())
    }

    fn show_stored(&self, name: &CaName, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        if let (Some(waiting), None) = (store.pending(name)?, self.selector.selector()?) {
            let mut value = describe::request(waiting.request());
            value["ca"] = json!(name);
            let uri = &waiting.record().key_uri;
            value["key"] = json!(uri.as_ref().map_or("in the store", |_| "outside the store"));
            if let Some(uri) = uri {
                value["key_uri"] = json!(uri);
            }
            value["status"] = json!("pending, without a certificate");
            let text = describe::text(&value);
            value["status"] = json!("waiting");
            return Ok(Report::new(&value, text).answer());
        }
        let ca = store.ca(name)?;
        let Some(selector) = self.selector.selector()? else {
            let mut value = describe::certificate(ca.certificate());
            value["ca"] = json!(name);
            value["key"] = json!(match &ca.record().key_uri {
                Some(_) => "outside the store",
                None if ca.has_key()? => "in the store",
                None => "elsewhere",
            });
            if let Some(uri) = &ca.record().key_uri {
                value["key_uri"] = json!(uri);
            }
            value["status"] = json!(status_of(&store, &ca, context)?.as_str());
            return Ok(report(&value));
        };
        let mut notices = Vec::new();
        let issuance = select_one(&ca, &selector, context.now, &mut notices)?;
        context.notices(notices);
        let mut value = match issuance.der {
            Some(_) => describe::certificate(&certificate_of(&ca, &issuance)?),
            None => describe::record(&issuance),
        };
        value["ca"] = json!(name);
        value["profile"] = json!(issuance.profile);
        if let Some(flaw) = &issuance.flaw {
            value["flaw"] = json!(flaw);
        }
        let revoked = ca.revoked(&issuance.serial)?;
        value["status"] = json!(Status::of(&issuance, revoked.as_ref(), context.now).as_str());
        if let Some(revoked) = revoked {
            value["revoked_at"] = json!(rfc3339(revoked.revoked_at));
            value["reason"] = json!(revoked.reason.as_str());
        }
        let has_key = ca.leaf_key_file(&issuance.serial)?.is_some();
        value["key"] = json!(if has_key { "in the store" } else { "elsewhere" });
        Ok(report(&value))
    }
}

/// Status of a CA's own certificate; a CA that is not valid yet is reported with the time from which it signs.
fn status_of(store: &Store, ca: &Ca, context: &Context) -> Result<Status, Failure> {
    let Validity {
        not_before,
        not_after,
    } = ca.certificate().validity();
    let status = Status::at(not_before, not_after, context.now);
    if status == Status::NotYetValid {
        context.notice(format!(
            "{} can't sign yet: its certificate is not valid before {}",
            ca.name(),
            rfc3339(not_before)
        ));
    }
    // A CA whose parent is missing can be shown: `pki check` reports that.
    let above = store.ancestors(ca).unwrap_or_default();
    let revoked = match (above.first(), ca.certificate().serial()) {
        (Some(above), Ok(serial)) => above.revoked(&serial)?,
        _ => None,
    };
    Ok(revoked.map_or(status, |_| Status::Revoked))
}

fn report(value: &Value) -> Report {
    Report::new(value, describe::text(value)).answer()
}

/// Everything that is in a file.
pub(super) fn what_is_in(input: &Input) -> Result<Report, Failure> {
    let path = input.path();
    let objects = input.objects()?;
    let mut described = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        let value = describe_object(object).map_err(|source| CaError::Input {
            path: path.to_owned(),
            expected: "a file that can be shown",
            source: InputError::Other(format!(
                "object {} in it, {:?}: {source}",
                index + 1,
                object.label
            )),
        })?;
        described.push(value);
    }
    match described.as_slice() {
        [] => Err(Failure::plain(
            "invalid-input",
            format!(
                "no certificate, CSR, CRL or key found in {}",
                path.display()
            ),
        )
        .hint("give a file in PEM or DER")),
        [one] => Ok(report(one)),
        several => {
            let text: Vec<String> = several.iter().map(describe::text).collect();
            Ok(Report::new(&several, text.join("\n")).answer())
        }
    }
}

fn describe_object(object: &ForeignObject) -> Result<Value, InputError> {
    let ForeignObject {
        label,
        headers,
        der,
    } = object;
    Ok(match label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => describe::certificate(&Certificate::from_der(der)?),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            describe::request(&CertificationRequest::from_der(der)?)
        }
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => {
            describe::private_key(label, headers, der)?
        }
        "PUBLIC KEY" => {
            let mut value = json!({ "type": "public_key" });
            value["subject_public_key_info"] = describe::public_key(&PublicKey::from_spki(der)?);
            value
        }
        "X509 CRL" => describe::list(&Crl::from_der(der)?)?,
        OCSP_RESPONSE_LABEL => describe::ocsp(&OcspResponse::from_der(der)?),
        other => json!({ "type": other, "bytes": der.len() }),
    })
}

/// A list with its entries, which are written as they are read.
fn show_entries(path: &Path) -> Result<Report, Failure> {
    let der = foreign_crl(&input(path)?)?;
    Ok(Report::stream(move |format, out| {
        let list = Crl::from_der(&der).expect("it was read before");
        let mut value = describe::list(&list).expect("it was read before");
        if let Value::Object(fields) = &mut value {
            fields.shift_remove("entries");
        }
        let entries = list.entries().flatten();
        let written = match format {
            Format::Text => write_entry_lines(&value, entries, out),
            Format::Json => write_entry_objects(&value, entries, out),
        };
        written.map_err(Failure::output)
    })
    .answer())
}

fn write_entry_lines<'a>(
    list: &Value,
    entries: impl Iterator<Item = ReadEntry<'a>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(describe::text(list).as_bytes())?;
    writeln!(out, "  revoked certificates")?;
    for entry in entries {
        let serial = entry
            .serial()
            .map_or_else(|| describe::hex(entry.serial), |serial| serial.to_string());
        write!(out, "    {serial}  {}", rfc3339(entry.revoked_at))?;
        if let Some(reason) = entry.reason {
            write!(out, "  {reason}")?;
        }
        if let Some(date) = entry.invalidity_date {
            write!(out, "  invalid since {}", rfc3339(date))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The list's object, left open for the entries.
fn write_entry_objects<'a>(
    list: &Value,
    entries: impl Iterator<Item = ReadEntry<'a>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let object = harmless_json(list.to_string());
    write!(
        out,
        "{},\"revoked_certificates\":[",
        object.strip_suffix('}').unwrap_or(&object)
    )?;
    for (index, entry) in entries.enumerate() {
        write!(out, "{}", if index == 0 { "\n" } else { ",\n" })?;
        write_json(out, &describe::crl_entry(&entry))?;
    }
    writeln!(out, "\n]}}")
}
