//! What stands in a sandbox, as `pki list` and openssl read it.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::faults::judge::ensure;
use crate::sandbox::Sandbox;

use super::facts::text;
use super::known::{Authority, List, Of};

/// A line of `pki list`.
pub(super) struct Entry {
    pub(super) ca: String,
    pub(super) serial: String,
    pub(super) cn: String,
    pub(super) profile: String,
    pub(super) fingerprint: String,
    pub(super) begins: String,
    pub(super) ends: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
}

impl Entry {
    pub(super) fn of(value: &Value) -> Self {
        let field = |name| text(value, name);
        Self {
            ca: field("ca"),
            serial: field("serial"),
            cn: field("subject").trim_start_matches("CN=").to_owned(),
            profile: field("profile"),
            fingerprint: field("fingerprint_sha256"),
            begins: field("not_before"),
            ends: field("not_after"),
            status: field("status"),
            reason: value["reason"].as_str().map(str::to_owned),
        }
    }

    pub(super) fn id(&self) -> Of {
        (self.ca.clone(), self.serial.clone())
    }
}

/// The CAs that have a folder in the store.
pub(super) fn names_of_cas(sandbox: &Sandbox) -> Vec<String> {
    let mut names = sandbox.names_in("pki");
    names.retain(|name| {
        !name.starts_with('.') && sandbox.path(format!("pki/{name}/ca.json")).exists()
    });
    names
}

/// A CA, with its list as it was known.
pub(super) fn authority(
    sandbox: &Sandbox,
    name: &str,
    before: Option<&Authority>,
) -> Result<Authority, String> {
    let file = sandbox.read(format!("pki/{name}/ca.crt"));
    if let Some(before) = before.filter(|before| before.file == file) {
        return Ok(before.clone());
    }
    let read = sandbox
        .run(
            "openssl",
            "x509 -noout -serial -dates -dateopt iso_8601 -in",
        )
        .arg(format!("pki/{name}/ca.crt"))
        .finish();
    let field = |label: &str| {
        let mut lines = read.stdout.lines();
        let value = lines.find_map(|line| line.strip_prefix(label));
        value
            .map(|value| value.replace(' ', "T"))
            .ok_or(format!("no {label} in {read}"))
    };
    let record: Value = serde_json::from_str(&sandbox.read(format!("pki/{name}/ca.json")))
        .map_err(|error| format!("ca.json of {name}: {error}"))?;
    Ok(Authority {
        above: record["parent"].as_str().map(str::to_owned),
        serial: field("serial=")?,
        begins: field("notBefore=")?,
        ends: field("notAfter=")?,
        list: before.and_then(|before| before.list.clone()),
        ahead: before.is_some_and(|before| before.ahead),
        list_floor: before
            .map(|before| before.list_floor.clone())
            .unwrap_or_default(),
        file,
    })
}

/// The published list of a CA, once openssl has verified its signature; `None` where there is none.
pub(super) fn list(
    sandbox: &Sandbox,
    ca: &str,
    before: Option<&List>,
) -> Result<Option<List>, String> {
    let file = format!("pki/crl/{ca}.crl");
    let Ok(der) = fs::read(sandbox.path(&file)) else {
        return Ok(None);
    };
    if let Some(before) = before.filter(|before| before.der == der) {
        return Ok(Some(before.clone()));
    }
    let proved = sandbox
        .run("openssl", "crl -noout -in")
        .words(&format!("{file} -CAfile pki/{ca}/ca.crt"))
        .finish();
    let is_good = proved.status == Some(0) && proved.stderr.contains("verify OK");
    ensure(is_good, || format!("{file} is no list of {ca}: {proved}"))?;
    let read = sandbox.list_in(&file);
    let count = read.serials.len();
    let list = List {
        der,
        number: read.number,
        this_update: read.this_update.replace(' ', "T"),
        next_update: read.next_update.replace(' ', "T"),
        serials: read.serials.into_iter().collect(),
    };
    ensure(list.serials.len() == count, || {
        format!("{file} has a serial number twice")
    })?;
    Ok(Some(list))
}

/// The DER of every list in a PEM file; `None` where there is no file.
pub(super) fn pem_lists(sandbox: &Sandbox, file: &str) -> Result<Option<Vec<Vec<u8>>>, String> {
    let Ok(content) = fs::read_to_string(sandbox.path(file)) else {
        return Ok(None);
    };
    let parts = content.split_inclusive("-----END X509 CRL-----\n");
    let decoded = parts.map(|part| {
        let body = part.strip_prefix("-----BEGIN X509 CRL-----\n");
        let body = body.and_then(|body| body.strip_suffix("-----END X509 CRL-----\n"));
        let body = body.ok_or_else(|| format!("{file} is not made of lists"))?;
        let der = STANDARD.decode(body.replace('\n', ""));
        der.map_err(|error| format!("{file}: {error}"))
    });
    decoded.collect::<Result<_, _>>().map(Some)
}
