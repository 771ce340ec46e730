//! `pki issue`.

mod batch;
mod check;
pub(super) mod rows;

use super::columns::{Row, piped};
use super::context::Context;
use super::delivery::{Delivery, OutArgs, protection_of};
use super::failure::Failure;
use super::options::{LifetimeArgs, ProfileChoice, SubjectArgs, check_belonging, csr, key_source};
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    CsrNames, Defect, Issuer, KeySource, LeafRequest, Purpose, Status, issue, issue_defective,
};
use crate::key::KeyType;
use crate::store::{CaName, Issuance, Revoked, Store};
use crate::x509::general_name::GeneralNameError;
use crate::x509::text::Escaped;
use crate::x509::validity::rfc3339;
use crate::x509::{Fingerprint, GeneralName, RecordedProfile, Serial};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Issue a certificate and record it in the store
///
/// The key is made here and kept in the store, or stays with the owner of a CSR (--csr). With --out the
/// command also writes the owner's files, as `pki export` does. If the CA's key is outside the store, --passout
/// protects the stored key too, and needs no --out. A client certificate has no SAN unless --san
/// gives one; some verifiers, such as pyca/cryptography, reject clients without one.
#[derive(Args)]
pub(super) struct IssueArgs {
    /// The issuing CA
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    /// Issue many from a CSV table with a header of these columns: cn, san, profile, days, key_type, csr, name; - is standard input
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["cn", "subject", "san", "csr", "name"])]
    from: Option<PathBuf>,
    /// Issue the valid rows of --from even if others are invalid
    #[arg(long)]
    keep_going: bool,
    /// With --from: check the table, print what would be issued, and issue nothing
    #[arg(long)]
    dry_run: bool,
    /// Continue the last interrupted run of the same table
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    profile: ProfileChoice,
    /// SANs (subject alternative names): a.test, 10.0.0.1, a@b.test, https://…, or with a prefix dns: ip: email: uri: upn: krb5: rid: dirname: other:
    #[arg(long, value_name = "NAME,…")]
    san: Vec<String>,
    #[command(flatten)]
    lifetime: LifetimeArgs,
    /// p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87 [default: p256]
    #[arg(long, value_name = "TYPE", conflicts_with = "csr")]
    key_type: Option<KeyType>,
    /// Issue for a CSR: its public key, subject and SANs; - is standard input
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// add: use the SANs of the CSR, and its subject if no other is given; replace: use only --cn, --subject and --san [default: add]
    #[arg(long, value_name = "USE")]
    csr_names: Option<CsrNames>,
    /// Issue with a defect, in a fixture store: expired, not-yet-valid, revoked, wrong-purpose, no-san, other-ca, weak-validity, self-signed
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    flaw: Option<Defect>,
    #[command(flatten)]
    passin: PassinArgs,
    /// Name of the files [default: the common name, or the first SAN]
    #[arg(long, value_name = "NAME", requires = "out")]
    name: Option<String>,
    #[command(flatten)]
    out: OutArgs,
}

impl IssueArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if let Some(path) = &self.from {
            return batch::run(&self, path, context);
        }
        check_belonging(&[
            ("--keep-going", self.keep_going, "--from", false),
            ("--dry-run", self.dry_run, "--from", false),
            ("--resume", self.resume, "--from", false),
        ])?;
        if !self.subject.is_given() && self.san.is_empty() && self.csr.is_none() {
            return Err(Failure::usage(
                "one of --cn, --subject, --san, --csr or --from is required",
            )
            .hint("`pki issue --ca NAME --cn NAME` issues a client certificate"));
        }
        self.check_csr_names()?;
        let store = context.open_store()?;
        self.out.check(&store.ca(&self.ca)?)?;
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.out.passout),
            Protecting::Export,
        )?;
        let request = self.request(&store, &passphrases)?;
        if let Some(flaw) = self.flaw {
            flaw.check(&store, &request.key)?;
        }
        let name = self.file_name(&request);
        let has_key = matches!(request.key, KeySource::Generate(_));
        let files = self.out.open(&name, has_key)?;
        let mut issuer = Issuer::open(
            &store,
            &self.ca,
            Purpose::Certificates,
            &mut passphrases,
            context.now,
        )?;
        context.detail(format!("opened the key of {}", self.ca));
        let delivery = match files {
            Some(files) => Some(Delivery::new(files, &name, has_key, &mut passphrases)?),
            None => None,
        };
        if has_key && issuer.has_key_outside() {
            if let Some(delivery) = &delivery {
                issuer.protect_leaf_keys(delivery.protection());
            } else {
                let label = format!("the key of {name}");
                issuer.protect_leaf_keys(&protection_of(&label, &mut passphrases)?);
            }
        }
        let issued = match self.flaw {
            Some(flaw) => issue_defective(&issuer, request, flaw, None, context.now)?,
            None => issue(&issuer, request, context.now)?,
        };
        context.notices(&issued.notices);
        let remedy = self.fetch_with(&issued.issuance);
        let is_in_store_alone = delivery.is_none();
        let files = match delivery {
            Some(delivery) => delivery.write(&issued, issuer.path()).map_err(|source| {
                let what = format!("the certificate {}", issued.issuance.serial);
                Failure::after_commit(what, source, remedy.clone())
            })?,
            None => BTreeMap::new(),
        };
        let entry = CertificateEntry::new(&self.ca, &issued.issuance, files);
        let mut text = entry.text();
        if is_in_store_alone {
            text += &context.commands(&format!("{remedy}\n"));
        }
        Ok(Report::new(&entry, text).committed(remedy))
    }

    /// Refuses names of a CSR without one, or replaced by none.
    fn check_csr_names(&self) -> Result<(), Failure> {
        match self.csr_names {
            Some(_) if self.csr.is_none() => Err(Failure::usage("--csr-names needs --csr")),
            Some(CsrNames::Replace) if !self.subject.is_given() && self.san.is_empty() => {
                Err(Failure::usage("--csr-names replace needs names")
                    .hint("give them with --cn, --subject or --san"))
            }
            _ => Ok(()),
        }
    }

    /// Use of the names of CSRs.
    fn csr_names(&self) -> CsrNames {
        self.csr_names.unwrap_or_default()
    }

    fn request(
        &self,
        store: &Store,
        passphrases: &UserPassphrases,
    ) -> Result<LeafRequest, Failure> {
        let names = self.san.iter().map(|list| GeneralName::parse_list(list));
        let names: Result<Vec<Vec<GeneralName>>, GeneralNameError> = names.collect();
        let csr = match &self.csr {
            Some(path) => Some((path.clone(), csr(path, passphrases)?)),
            None => None,
        };
        let key = key_source(csr, self.csr_names(), self.key_type.unwrap_or_default());
        Ok(LeafRequest {
            subject: self.subject.resolve()?,
            alternative_names: names?.concat(),
            profile: self.profile.find(store)?,
            lifetime: self.lifetime.lifetime(),
            key,
        })
    }

    /// Base name of the files.
    fn file_name(&self, request: &LeafRequest) -> String {
        self.name.clone().unwrap_or_else(|| request.file_name())
    }

    fn fetch_with(&self, issuance: &Issuance) -> String {
        let name = self
            .name
            .as_ref()
            .map(|name| format!(" --name {name}"))
            .unwrap_or_default();
        format!(
            "`pki export --ca {} --serial 0x{} --out DIR{name}` writes its files",
            self.ca, issuance.serial
        )
    }
}

/// A certificate as `issue` and `list` report it.
#[derive(Serialize)]
pub(super) struct CertificateEntry {
    ca: String,
    serial: String,
    subject: String,
    sans: Vec<String>,
    profile: RecordedProfile,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_hash: Option<String>,
    not_before: String,
    not_after: String,
    /// `null` where the CA was imported without the certificate.
    fingerprint_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renews: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    already: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaw: Option<String>,
}

impl CertificateEntry {
    pub(super) fn new(
        ca: &CaName,
        issuance: &Issuance,
        files: BTreeMap<&'static str, String>,
    ) -> Self {
        Self {
            files: Some(files),
            ..Self::listed(ca, issuance, None)
        }
    }

    /// As it stands in a list.
    pub(super) fn listed(
        ca: &CaName,
        issuance: &Issuance,
        standing: Option<(Status, Option<&Revoked>)>,
    ) -> Self {
        let revoked = standing.and_then(|(_, revoked)| revoked);
        Self {
            ca: ca.to_string(),
            serial: issuance.serial.to_string(),
            subject: issuance.subject.clone(),
            sans: issuance.sans.clone(),
            profile: issuance.profile.clone(),
            profile_hash: issuance.profile_hash.clone(),
            not_before: rfc3339(issuance.not_before),
            not_after: rfc3339(issuance.not_after),
            fingerprint_sha256: issuance
                .der
                .as_ref()
                .map(|der| Fingerprint::of(der).to_string()),
            files: None,
            status: standing.map(|(status, _)| status.as_str()),
            revoked_at: revoked.map(|revoked| rfc3339(revoked.revoked_at)),
            reason: revoked.map(|revoked| revoked.reason.as_str()),
            renews: issuance.renews.map(|serial| serial.to_string()),
            renewed_by: None,
            superseded: None,
            row: None,
            already: None,
            flaw: issuance.flaw.clone(),
        }
    }

    /// As one of those of a table; whether an earlier run issued it.
    pub(super) fn of_row(self, number: u64, already: bool) -> Self {
        Self {
            row: Some(number),
            already: Some(already),
            ..self
        }
    }

    /// With what was issued in its place.
    pub(super) fn renewed_by(self, successor: Option<Serial>) -> Self {
        Self {
            renewed_by: successor.map(|serial| serial.to_string()),
            ..self
        }
    }

    /// With what became of the one before.
    pub(super) fn superseding(self, superseded: bool) -> Self {
        Self {
            superseded: Some(superseded),
            ..self
        }
    }

    /// Returns the line of a batch.
    pub(super) fn line(&self) -> String {
        piped(&self.row())
    }

    /// Returns the cells of a table.
    pub(super) fn row(&self) -> Row {
        let of_row = self
            .already
            .map(|already| if already { "already" } else { "issued" });
        let status = self.status.or(of_row).unwrap_or_default();
        let mut subject = Escaped(&self.subject).to_string();
        if !self.sans.is_empty() {
            write!(subject, " [{}]", Escaped(&self.sans.join(", ")))
                .expect("a String takes everything");
        }
        if let Some(flaw) = &self.flaw {
            write!(subject, " (defect: {})", Escaped(flaw)).expect("a String takes everything");
        }
        if let Some(successor) = &self.renewed_by {
            write!(subject, " (renewed by {successor})").expect("a String takes everything");
        }
        [
            status.to_owned(),
            self.not_after.clone(),
            self.profile.to_string(),
            self.ca.clone(),
            self.serial.clone(),
            subject,
        ]
    }

    pub(super) fn text(&self) -> String {
        let renews = self.renews.as_ref().map(|before| {
            let revoked = self.superseded.unwrap_or_default();
            format!(
                "{before}{}",
                if revoked {
                    ", which is revoked now"
                } else {
                    ""
                }
            )
        });
        let names = (!self.sans.is_empty()).then(|| self.sans.join(", "));
        let mut lines = Lines::default()
            .row("serial", &self.serial)
            .row_if("renews", renews)
            .row("subject", &self.subject)
            .row_if("SANs", names)
            .row_if("flaw", self.flaw.as_ref())
            .row("expires", &self.not_after);
        for (kind, path) in self.files.iter().flatten() {
            lines = lines.row(kind, path);
        }
        lines.under(&format!(
            "issued a {} certificate from {}",
            self.profile, self.ca
        ))
    }
}
