//! `pki verify`.

use super::context::Context;
use super::failure::Failure;
use super::options::{certificates, input};
use super::passphrase::{FilePassinArgs, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    Checked, CheckedBy, Judgement, UnreadCertificate, VerifyRequest, crls_in, responses_in, verify,
};
use crate::store::{Store, StoreError};
use crate::x509::ocsp::OcspResponse;
use crate::x509::text::{Escaped, shortened};
use crate::x509::validity::{Moment, rfc3339};
use crate::x509::verify::{Hostname, PolicyInputs, Question, Refusal, called, serial_text};
use crate::x509::{Certificate, Crl, Profile};
use clap::Args;
use const_oid::ObjectIdentifier;
use serde::Serialize;
use std::path::PathBuf;

/// Verify a certificate; exit with 3 if it is not valid
///
/// Checks the path to a root: signatures, validity, constraints, purpose and revocation. The roots are those
/// of the store, or those of --bundle. Revocations come from the store's records, or from --crl and --ocsp.
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The certificate, PEM, DER or PKCS #12, with or without intermediate CAs after it; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Trust the self-signed certificates of this file instead of the store's; its other certificates are intermediates
    #[arg(long, value_name = "FILE")]
    bundle: Vec<PathBuf>,
    /// CRLs, PEM or DER, of every CA of the path, instead of the store's records; repeatable
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// OCSP response, DER or PEM, about the certificate or a CA of its path; repeatable. A CA without one is checked as without this option
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// Required purpose: client, server, peer, email, code-signing, ocsp, timestamp [default: any]
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<Profile>,
    /// Required host name or address
    #[arg(long, value_name = "NAME")]
    hostname: Option<Hostname>,
    /// Acceptable certificate policy, with --require-policy or if a CA requires policies; repeatable [default: any]
    #[arg(long, value_name = "OID")]
    policy: Vec<ObjectIdentifier>,
    /// Require a path that is valid for an acceptable certificate policy
    #[arg(long)]
    require_policy: bool,
    /// Ignore policy mappings of the CAs on the path
    #[arg(long)]
    inhibit_policy_mapping: bool,
    /// Do not accept anyPolicy of a CA on the path
    #[arg(long)]
    inhibit_any_policy: bool,
    /// Time of the verification: 2027-01-31, RFC 3339, or from now as in 30d [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<Moment>,
    #[command(flatten)]
    passin: FilePassinArgs,
}

#[derive(Serialize)]
struct VerifyReport {
    file: String,
    valid: bool,
    reason: Option<String>,
    subject: String,
    serial: String,
    at: String,
    purpose: Option<&'static str>,
    hostname: Option<String>,
    path: Vec<PathEntry>,
    revocation: Vec<RevocationEntry>,
    unread: Vec<UnreadEntry>,
}

/// Certificate that was left out.
#[derive(Serialize)]
struct UnreadEntry {
    file: String,
    number: usize,
    problem: String,
}

#[derive(Serialize)]
struct PathEntry {
    subject: String,
    fingerprint_sha256: String,
    not_after: String,
}

#[derive(Serialize)]
struct RevocationEntry {
    subject: String,
    serial: String,
    checked_by: &'static str,
    revoked_at: Option<String>,
    reason: Option<&'static str>,
    /// Reasons why CRLs and OCSP responses were not used.
    unused: Vec<String>,
}

impl VerifyArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let mut lists = Vec::new();
        for file in &self.crl {
            lists.extend(crls_in(&input(file)?)?);
        }
        let mut unread = Vec::new();
        let mut responses = Vec::new();
        for file in &self.ocsp {
            responses.extend(responses_in(&input(file)?)?);
        }
        let request = self.request(&lists, &responses, &mut unread, context)?;
        for UnreadCertificate {
            path,
            number,
            problem,
        } in &unread
        {
            let file = path.display();
            context.warning(format!(
                "certificate {number} in {file} is skipped: {problem}"
            ));
        }
        let store = self.store(context)?;
        let judgement = verify(store.as_ref(), &request)?;
        let data = self.data(&request, &judgement, &unread);
        let valid = judgement.refusal.is_none();
        Ok(Report::new(&data, text(&request.certificate, &judgement)).verdict(valid))
    }

    fn request<'a>(
        &self,
        lists: &'a [Vec<u8>],
        responses: &'a [Vec<u8>],
        unread: &mut Vec<UnreadCertificate>,
        context: &Context,
    ) -> Result<VerifyRequest<'a>, Failure> {
        let moment = self.at.unwrap_or(Moment::At(context.now));
        let time = moment.resolve(context.now).ok_or_else(|| {
            Failure::usage("--at is outside the years that a certificate can express")
        })?;
        let mut passphrases = UserPassphrases::of_file(context, &self.passin)?;
        let mut bundle = Vec::new();
        for file in &self.bundle {
            let all = certificates(file, &mut passphrases, context)?;
            bundle.extend(some_readable(all, unread)?);
        }
        // One that can't be read may be the root without which others are trusted.
        let trusts_intermediates = !self.bundle.is_empty() && unread.is_empty();
        let mut all = certificates(&self.file, &mut passphrases, context)?;
        let is_one = all.len() == 1;
        let first = all.remove(0);
        Ok(VerifyRequest {
            certificate: first.map_err(|unread| unread.into_error(is_one))?,
            beside: readable(all, unread),
            bundle: (!self.bundle.is_empty()).then_some(bundle),
            trusts_intermediates,
            crls: lists
                .iter()
                .map(|der| Crl::from_der(der).expect("it was read before"))
                .collect(),
            responses: responses
                .iter()
                .map(|der| OcspResponse::from_der(der).expect("it was read before"))
                .collect(),
            question: Question {
                time,
                purpose: self.purpose,
                hostname: self.hostname.clone(),
                policies: PolicyInputs {
                    acceptable: self.policy.clone(),
                    require_explicit: self.require_policy,
                    inhibit_mapping: self.inhibit_policy_mapping,
                    inhibit_any: self.inhibit_any_policy,
                },
            },
        })
    }

    /// Opens the store; it may be missing if the roots and the CRLs are given.
    fn store(&self, context: &Context) -> Result<Option<Store>, Failure> {
        if self.bundle.is_empty() {
            return context.open_store().map(Some);
        }
        match Store::open(&context.store, context.operator()) {
            Ok(store) => Ok(Some(store)),
            Err(StoreError::NoStore { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn data(
        &self,
        request: &VerifyRequest<'_>,
        judgement: &Judgement,
        unread: &[UnreadCertificate],
    ) -> VerifyReport {
        let VerifyRequest {
            certificate,
            question,
            ..
        } = request;
        VerifyReport {
            file: self.file.display().to_string(),
            valid: judgement.refusal.is_none(),
            reason: judgement.refusal.as_ref().map(why),
            subject: certificate.subject().to_string(),
            serial: serial_text(certificate),
            at: rfc3339(question.time),
            purpose: question.purpose.map(Profile::as_str),
            hostname: question.hostname.as_ref().map(ToString::to_string),
            path: judgement.path.iter().map(path_entry).collect(),
            revocation: judgement.revocation.iter().map(revocation_entry).collect(),
            unread: unread.iter().map(unread_entry).collect(),
        }
    }
}

type Each = Vec<Result<Certificate, UnreadCertificate>>;

/// Certificates that can be read; the others go to `unread`.
fn readable(all: Each, unread: &mut Vec<UnreadCertificate>) -> Vec<Certificate> {
    let keep = |each: Result<Certificate, _>| each.map_err(|left_out| unread.push(left_out)).ok();
    all.into_iter().filter_map(keep).collect()
}

/// Same as [`readable`]; a file without a certificate that can be read is refused.
fn some_readable(
    mut all: Each,
    unread: &mut Vec<UnreadCertificate>,
) -> Result<Vec<Certificate>, Failure> {
    if all.iter().all(Result::is_err) {
        let is_one = all.len() == 1;
        all.remove(0).map_err(|unread| unread.into_error(is_one))?;
    }
    Ok(readable(all, unread))
}

fn unread_entry(unread: &UnreadCertificate) -> UnreadEntry {
    UnreadEntry {
        file: unread.path.display().to_string(),
        number: unread.number,
        problem: unread.problem.to_string(),
    }
}

/// The reason in one line, which a name of any length does not make long.
fn why(refusal: &Refusal) -> String {
    shortened(&refusal.to_string()).into_owned()
}

fn path_entry(certificate: &Certificate) -> PathEntry {
    PathEntry {
        subject: certificate.subject().to_string(),
        fingerprint_sha256: certificate.fingerprint().to_string(),
        not_after: rfc3339(certificate.validity().not_after),
    }
}

fn revocation_entry(checked: &Checked) -> RevocationEntry {
    let (revoked_at, reason) = match &checked.refusal {
        Some(Refusal::Revoked {
            revoked_at, reason, ..
        }) => (Some(rfc3339(*revoked_at)), Some(reason.as_str())),
        _ => (None, None),
    };
    let crls = checked.unused.iter().map(ToString::to_string);
    let responses = checked.unused_responses.iter();
    let unused = crls.chain(responses.map(ToString::to_string));
    RevocationEntry {
        subject: checked.certificate.subject().to_string(),
        serial: serial_text(&checked.certificate),
        checked_by: match checked.checked_by {
            CheckedBy::Store => "store",
            CheckedBy::Crl => "list",
            CheckedBy::Ocsp => "ocsp",
            CheckedBy::None => "none",
        },
        revoked_at,
        reason,
        unused: unused.collect(),
    }
}

/// The verdict in one line; of a good one also until when, and what is behind it.
fn text(certificate: &Certificate, judgement: &Judgement) -> String {
    if let Some(refusal) = &judgement.refusal {
        return format!("not valid: {}\n", Escaped(&why(refusal)));
    }
    let ends = judgement.path.iter();
    let end = ends
        .map(|certificate| certificate.validity().not_after)
        .min();
    let mut lines = Lines::default().row_if("expires", end.map(rfc3339));
    for (label, checked_by) in [
        ("not revoked, by the store", CheckedBy::Store),
        ("not revoked, by its CRL", CheckedBy::Crl),
        ("not revoked, by OCSP", CheckedBy::Ocsp),
        ("revocation not checked", CheckedBy::None),
    ] {
        let all = judgement.revocation.iter();
        let of_these: Vec<String> = all
            .filter(|checked| checked.checked_by == checked_by)
            .map(|checked| called(&checked.certificate))
            .collect();
        if !of_these.is_empty() {
            lines = lines.row(label, shortened(&of_these.join(", ")));
        }
    }
    for checked in &judgement.revocation {
        for problem in &checked.unused {
            lines = lines.row("CRL not used", shortened(&problem.to_string()));
        }
        for problem in &checked.unused_responses {
            let problem = format!("{}: {problem}", called(&checked.certificate));
            lines = lines.row("OCSP response not used", shortened(&problem));
        }
    }
    lines.under(&shortened(&heading(certificate, judgement)))
}

fn heading(certificate: &Certificate, judgement: &Judgement) -> String {
    let subject = called(certificate);
    match &judgement.path[1..] {
        [] => format!("valid: {subject}, a trusted root"),
        issuers => {
            let short = |issuer: &Certificate| {
                let name = issuer.subject().common_name();
                name.unwrap_or_else(|| called(issuer))
            };
            let issuers: Vec<String> = issuers.iter().map(short).collect();
            format!("valid: {subject}, by {}", issuers.join(", "))
        }
    }
}
