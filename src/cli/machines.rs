//! `pki subordinate` where the CA and the one above it are on different machines.

use super::context::Context;
use super::failure::Failure;
use super::options::{csr, input, is_standard_output};
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use super::root::{MadeCa, NewCaArgs};
use crate::ca::{
    CaRequest, Installed, NewRequest, OpenFile, Session, certificates_in, certify_ca, install_ca,
    request_ca,
};
use crate::store::{CaName, CaRecord, PendingCa};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// CSR to sign, its issuing CA, and the file for the certificate.
pub(super) struct Signing<'a> {
    pub(super) parent: &'a CaName,
    pub(super) csr: &'a Path,
    pub(super) out: Option<&'a Path>,
    pub(super) force: bool,
}

/// `--csr`.
pub(super) fn sign(
    signing: &Signing<'_>,
    new: &NewCaArgs,
    passin: &PassinArgs,
    context: &Context,
) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases = UserPassphrases::new(context, Some(passin), None, Protecting::NewCa)?;
    let asked = CaRequest {
        path: signing.csr.to_owned(),
        request: csr(signing.csr, &passphrases)?,
        subject: new.spec.subject.resolve()?,
        lifetime: new.spec.lifetime.lifetime(),
        path_length: new.spec.policy.path_len,
        constraints: new.spec.policy.constraints(),
    };
    // What hinders the file has to show before anything is issued.
    let out = signing.out.filter(|out| !is_standard_output(out));
    let file = out
        .map(|out| OpenFile::open(out, signing.force))
        .transpose()?;
    let mut session = Session::new(&store, &mut passphrases, context.now);
    let (certificate, issuance) = certify_ca(&mut session, signing.parent, &asked)?;
    context.notices(session.notices);
    let pem = certificate.to_pem();
    let remedy = format!(
        "`pki export --ca {} --serial 0x{} --out DIR` writes it",
        signing.parent, issuance.serial
    );
    let (Some(file), Some(out)) = (file, out) else {
        return Ok(Report::raw(pem).committed(remedy));
    };
    file.write(pem.as_bytes()).map_err(|source| {
        let what = format!("the certificate {}", issuance.serial);
        Failure::after_commit(what, source, remedy.clone())
    })?;
    let mut made = MadeCa::new(&certificate, out);
    made.parent = Some(signing.parent.to_string());
    let text = made.lines().under("signed the certificate of a CA");
    Ok(Report::new(&made, text).committed(remedy))
}

#[derive(Serialize)]
struct MadeRequest {
    ca: String,
    subject: String,
    key_type: String,
    request: String,
}

/// `--request`.
pub(super) fn request(
    name: &CaName,
    path: &Path,
    force: bool,
    new: NewCaArgs,
    passin: &PassinArgs,
    context: &Context,
) -> Result<Report, Failure> {
    let NewCaArgs { spec, passout } = new;
    let mut passphrases =
        UserPassphrases::with_new_cas(context, Some(passin), Some(&passout), Protecting::NewCa)?;
    passphrases.check_names(spec.key_uri.with_pin(name))?;
    let urls = spec.policy.urls;
    let new = NewRequest {
        record: CaRecord {
            crl_urls: urls.crl_url,
            ca_issuers_urls: urls.ca_issuers_url,
            ocsp_urls: urls.ocsp_url,
            key_uri: spec.key_uri.key_uri,
            ..CaRecord::of_root(name.clone())
        },
        subject: spec.subject.resolve()?,
        key_type: spec.key_type,
    };
    let to_file = !is_standard_output(path);
    let file = to_file.then(|| OpenFile::open(path, force)).transpose()?;
    let (store, operator) = (&context.store, context.operator());
    let (waiting, notices) = request_ca(store, operator, &new, &mut passphrases, context.now)?;
    context.notices(notices);
    let pem = waiting.request_pem();
    let remedy = format!("`pki subordinate --name {name} --request FILE` writes the CSR again");
    let Some(file) = file else {
        return Ok(Report::raw(pem).committed(remedy));
    };
    file.write(pem.as_bytes()).map_err(|source| {
        Failure::after_commit(format!("the CSR of {name}"), source, remedy.clone())
    })?;
    Ok(requested(&waiting, path).committed(remedy))
}

fn requested(waiting: &PendingCa, file: &Path) -> Report {
    let request = waiting.request();
    let made = MadeRequest {
        ca: waiting.name().to_string(),
        subject: request.subject().to_string(),
        key_type: request.public_key().algorithm().to_string(),
        request: file.display().to_string(),
    };
    let text = Lines::default()
        .row("subject", &made.subject)
        .row("key type", &made.key_type)
        .row("request", &made.request)
        .under(&format!(
            "CA {} is pending: its certificate is not installed yet",
            made.ca
        ));
    Report::new(&made, text)
}

/// `--install`.
pub(super) fn install(
    name: &CaName,
    file: &Path,
    chain: &[PathBuf],
    context: &Context,
) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let answer = certificates_in(&input(file)?)?;
    let mut above = Vec::new();
    for file in chain {
        above.extend(certificates_in(&input(file)?)?);
    }
    let installed = install_ca(&store, name, file, &answer, &above, context.now)?;
    context.notices(&installed.notices);
    Ok(report(&installed).committed(format!("`pki show --ca {name}` shows it")))
}

fn report(installed: &Installed) -> Report {
    let Installed {
        ca, path, added, ..
    } = installed;
    let names: Vec<String> = added.iter().map(ToString::to_string).collect();
    let root = path.last().map(|root| root.fingerprint().to_string());
    let mut made = MadeCa::of(ca);
    let text = made
        .lines()
        .row_if(
            "added",
            (!names.is_empty()).then(|| format!("{}, without keys", names.join(", "))),
        )
        .row_if("root SHA-256", root)
        .under(&format!("installed the certificate of {}", ca.name()));
    made.added = Some(names);
    Report::new(&made, text)
}
