//! `pki request`.

use super::context::Context;
use super::failure::Failure;
use super::options::SubjectArgs;
use super::passphrase::{PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{Destination, LeafRequest, new_csr};
use crate::key::KeyType;
use crate::x509::GeneralName;
use crate::x509::general_name::GeneralNameError;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Create a key and a CSR (certificate signing request)
///
/// Writes NAME.key (PKCS#8, encrypted) and NAME.csr, for `pki issue --csr` or any other CA to sign. It needs no
/// store, so the key never leaves the machine that uses it.
#[derive(Args)]
pub(super) struct RequestArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// SANs (subject alternative names): www.example.test, 10.0.0.1, a@example.test, https://…, or with a prefix dns: ip: email: uri:
    #[arg(long, value_name = "NAME,…")]
    san: Vec<String>,
    /// p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87 [default: p256]
    #[arg(long, value_name = "TYPE")]
    key_type: Option<KeyType>,
    /// The directory to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Name of the files [default: the common name, or the first SAN]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace existing files
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passout: PassoutArgs,
}

#[derive(Serialize)]
struct RequestReport {
    subject: String,
    sans: Vec<String>,
    key_type: String,
    files: BTreeMap<&'static str, String>,
}

impl RequestArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if !self.subject.is_given() && self.san.is_empty() {
            return Err(Failure::usage(
                "one of --cn, --subject or --san is required",
            ));
        }
        if self.out.as_os_str() == "-" {
            return Err(Failure::usage("--out has to be a directory here, not -"));
        }
        let names = self.san.iter().map(|list| GeneralName::parse_list(list));
        let names: Result<Vec<Vec<GeneralName>>, GeneralNameError> = names.collect();
        let names = names?.concat();
        let subject = self.subject.resolve()?;
        let name = self
            .name
            .unwrap_or_else(|| LeafRequest::name_of_files(subject.as_ref(), &names));
        let destination = Destination {
            directory: self.out,
            name,
            overwrite: self.force,
        };
        let mut passphrases =
            UserPassphrases::new(context, None, Some(&self.passout), Protecting::Export)?;
        let key_type = self.key_type.unwrap_or_default();
        let made = new_csr(
            subject.as_ref(),
            &names,
            key_type,
            &destination,
            &mut passphrases,
        )?;
        let (key, csr) = (
            made.key.display().to_string(),
            made.csr.display().to_string(),
        );
        let report = RequestReport {
            subject: made.request.subject().to_string(),
            sans: names.iter().map(ToString::to_string).collect(),
            key_type: key_type.to_string(),
            files: BTreeMap::from([("key", key), ("csr", csr)]),
        };
        let mut text = Lines::default()
            .row("subject", &report.subject)
            .row_if(
                "SANs",
                (!report.sans.is_empty()).then(|| report.sans.join(", ")),
            )
            .row("key type", &report.key_type)
            .row("key", &report.files["key"])
            .row("CSR", &report.files["csr"])
            .under("created a key and a CSR");
        text += "`pki issue --ca NAME --csr ";
        text += &report.files["csr"];
        text += "` issues its certificate\n";
        Ok(Report::new(&report, text).committed("the files are written"))
    }
}
