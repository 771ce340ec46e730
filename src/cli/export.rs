//! `pki export`.

use super::context::Context;
use super::failure::Failure;
use super::options::SelectorArgs;
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    CaError, Destination, Exported, InputError, KeyOutput, Notice, Parts, Selector, Status,
    Unlocked, protection_for, select_one,
};
use crate::key::{PrivateKey, Protection};
use crate::store::{Ca, CaName, Store};
use crate::x509::Certificate;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Give out a certificate with its chains and its key
///
/// Writes NAME.crt, NAME.chain.pem (the issuing CA up to the root), NAME.fullchain.pem (the certificate
/// first, without the root) and NAME.key (PKCS#8, encrypted). Without --cn and --serial it is the CA's
/// own certificate, and its key only with --key.
#[derive(Args)]
pub(super) struct ExportArgs {
    /// The CA that issued the certificate, or whose own it is
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    #[command(flatten)]
    selector: SelectorArgs,
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the files are called [default: the common name, or the CA's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Also write the certificate as DER
    #[arg(long)]
    der: bool,
    /// The CA's own key too
    #[arg(long, conflicts_with_all = ["cn", "serial"])]
    key: bool,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

/// What is to be exported, before its key is opened.
struct Subject {
    certificate: Certificate,
    issuers: Vec<Certificate>,
    name: String,
    key_path: PathBuf,
    key_label: String,
    key_file: Option<Zeroizing<Vec<u8>>>,
}

impl ExportArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let ca = store.ca(&self.ca)?;
        let mut notices = Vec::new();
        let subject = match self.selector.selector()? {
            Some(selector) => self.leaf(&store, &ca, &selector, context, &mut notices)?,
            None => self.authority(&store, &ca)?,
        };
        let destination = Destination {
            directory: self.out.clone(),
            name: subject.name.clone(),
            overwrite: self.force,
            der: self.der,
        };
        let parts = Parts {
            chains: !subject.issuers.is_empty(),
            key: subject.key_file.is_some(),
        };
        let open = destination.open(parts)?;
        let key = self.open_key(&subject, context)?;
        let key = key
            .as_ref()
            .map(|(key, protection)| KeyOutput { key, protection });
        let exported = open.write(&subject.certificate, &subject.issuers, key.as_ref())?;
        context.notices(notices);
        Ok(report(&self.ca, &subject, &exported))
    }

    fn leaf(
        &self,
        store: &Store,
        ca: &Ca,
        selector: &Selector,
        context: &Context,
        notices: &mut Vec<Notice>,
    ) -> Result<Subject, Failure> {
        let issuance = select_one(ca, selector, context.now, notices)?;
        let revoked = ca.revoked(&issuance.serial)?;
        let status = Status::of(&issuance, revoked.as_ref(), context.now);
        if status != Status::Valid {
            notices.push(Notice::ExportedInvalid {
                status: status.as_str(),
            });
        }
        let damaged = |error: crate::asn1::Malformed| CaError::Input {
            path: ca.path().to_owned(),
            expected: "a store whose records can be read",
            source: InputError::from(error),
        };
        let certificate = Certificate::from_der(&issuance.der).map_err(damaged)?;
        let key_file = ca.leaf_key_file(&issuance.serial)?;
        if key_file.is_none() {
            notices.push(if certificate.is_ca() {
                Notice::KeyOfCa
            } else {
                Notice::NoKeyToExport
            });
        }
        let mut issuers = vec![ca.certificate().clone()];
        issuers.extend(certificates_above(store, ca)?);
        if certificate == *ca.certificate() {
            issuers.clear();
        }
        Ok(Subject {
            certificate,
            issuers,
            name: self.name.clone().unwrap_or(issuance.cn),
            key_path: ca.leaf_key_path(&issuance.serial),
            key_label: format!("the key of {} {}", ca.name(), issuance.serial),
            key_file,
        })
    }

    fn authority(&self, store: &Store, ca: &Ca) -> Result<Subject, Failure> {
        if !self.key && self.passout.is_given() {
            return Err(Failure::usage(
                "--passout and --no-passphrase are about a key, and a CA's is only exported with --key",
            ));
        }
        let key_file = if self.key { ca.key_file()? } else { None };
        if self.key && key_file.is_none() {
            return Err(CaError::KeyElsewhere {
                ca: ca.name().clone(),
            }
            .into());
        }
        Ok(Subject {
            certificate: ca.certificate().clone(),
            issuers: certificates_above(store, ca)?,
            name: self.name.clone().unwrap_or_else(|| ca.name().to_string()),
            key_path: ca.key_path(),
            key_label: format!("the key of {}", ca.name()),
            key_file,
        })
    }

    fn open_key(
        &self,
        subject: &Subject,
        context: &Context,
    ) -> Result<Option<(PrivateKey, Protection)>, Failure> {
        let Some(content) = &subject.key_file else {
            return Ok(None);
        };
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.passout),
            Protecting::Export,
        )?;
        let key = Unlocked::new().open(
            &subject.key_path,
            &subject.key_label,
            content,
            &mut passphrases,
        )?;
        let protection = protection_for(
            &format!("the exported key of {}", subject.name),
            &mut passphrases,
        )?;
        Ok(Some((key, protection)))
    }
}

/// The certificates above a CA, up to its root.
fn certificates_above(store: &Store, ca: &Ca) -> Result<Vec<Certificate>, Failure> {
    Ok(store
        .ancestors(ca)?
        .iter()
        .map(|ancestor| ancestor.certificate().clone())
        .collect())
}

#[derive(Serialize)]
struct ExportReport {
    ca: String,
    serial: String,
    subject: String,
    fingerprint_sha256: String,
    files: BTreeMap<&'static str, String>,
}

fn report(ca: &CaName, subject: &Subject, exported: &Exported) -> Report {
    let report = ExportReport {
        ca: ca.to_string(),
        serial: subject
            .certificate
            .serial()
            .map(|serial| serial.to_string())
            .unwrap_or_default(),
        subject: subject.certificate.subject().to_string(),
        fingerprint_sha256: subject.certificate.fingerprint().to_string(),
        files: exported_files(exported),
    };
    let lines = exported
        .iter()
        .fold(Lines::default(), |lines, (kind, path)| {
            lines.row(kind, path.display())
        });
    let text = lines.under(&format!("exported {}", subject.certificate.subject()));
    Report::new(&report, text).committed("the files are written")
}

/// The files as the JSON reports name them.
pub(super) fn exported_files(exported: &Exported) -> BTreeMap<&'static str, String> {
    exported
        .iter()
        .map(|(kind, path)| (*kind, path.display().to_string()))
        .collect()
}
