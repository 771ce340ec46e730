//! OpenSSL's recipe: a key and a CSR by `req`, signed by `x509 -req` with an extension file, for
//! which alone the certificate gets extensions at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use time::OffsetDateTime;
use time::macros::format_description;

use super::{Authority, command, first_line, output};
use crate::harness::{Contender, Round};
use crate::store::revocations::Revocation;

const EXTENSIONS: &str = "\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

/// Name and version.
pub fn version() -> Result<String> {
    let line = first_line("openssl version")?;
    Ok(line.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

/// A key and a client certificate.
pub fn issue(authority: &Authority) -> Contender {
    let authority = authority.clone();
    let algorithm = authority.kind.openssl_arguments();
    Contender::new("openssl req, openssl x509 -req", move |round| {
        let name = round.common_name();
        let line = format!("openssl req -new {algorithm} -nodes -subj /CN={name}");
        let mut request = command(&line);
        request.args(["-keyout", "client.key", "-out", "client.csr"]);
        Ok(vec![request, sign(&authority, round, "client.csr".into())?])
    })
    .product_in(|_| "client.crt".to_owned())
}

/// A client certificate for an existing CSR.
pub fn sign_request(authority: &Authority, request: PathBuf) -> Contender {
    let authority = authority.clone();
    Contender::new("openssl x509 -req", move |round| {
        Ok(vec![sign(&authority, round, request.clone())?])
    })
    .product_in(|_| "client.crt".to_owned())
}

fn sign(authority: &Authority, round: &Round, request: PathBuf) -> Result<Command> {
    round.write("client.ext", EXTENSIONS)?;
    let mut sign = command("openssl x509 -req -days 365 -extfile client.ext -out client.crt");
    sign.arg("-in").arg(request);
    sign.arg("-CA").arg(&authority.certificate);
    sign.arg("-CAkey").arg(&authority.key);
    Ok(sign)
}

/// Refuses a certificate that is not good for a TLS client under one of the CAs.
pub fn verify_client(cas: &Path, certificate: &str) -> Result<()> {
    let mut openssl = command("openssl verify -x509_strict -purpose sslclient")
        .arg("-CAfile")
        .arg(cas)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = openssl.stdin.take().context("the pipe was asked for")?;
    stdin.write_all(certificate.as_bytes())?;
    drop(stdin);
    let output = openssl.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "openssl verify: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Writes the index of a CA that has revoked all of these.
pub fn revoke_all(authority: &Authority, revocations: &[Revocation]) -> Result<()> {
    let directory = authority.directory();
    let mut index = BufWriter::new(File::create(directory.join("index.txt"))?);
    for Revocation { serial, at, until } in revocations {
        let (at, until) = (utc_time(*at)?, utc_time(*until)?);
        writeln!(
            index,
            "R\t{until}\t{at},keyCompromise\t{serial}\tunknown\t/CN={serial}"
        )?;
    }
    index.flush()?;
    fs::write(directory.join("crlnumber"), "01\n")?;
    Ok(fs::write(
        directory.join("ca.cnf"),
        configuration(directory),
    )?)
}

/// Writes the index of a CA that has issued so many certificates, all of them valid.
pub fn issue_all(authority: &Authority, count: u32) -> Result<()> {
    let directory = authority.directory();
    let mut index = BufWriter::new(File::create(directory.join("index.txt"))?);
    for serial in 1..=count {
        writeln!(
            index,
            "V\t351231235959Z\t\t{serial:08X}\tunknown\t/CN=device-{serial}"
        )?;
    }
    index.flush()?;
    fs::write(directory.join("crlnumber"), "01\n")?;
    Ok(fs::write(
        directory.join("ca.cnf"),
        configuration(directory),
    )?)
}

/// One look at the index: how the certificate with a serial number stands.
pub fn status(authority: &Authority, serial: u32) -> Contender {
    let authority = authority.clone();
    Contender::new("openssl ca -status", move |_| {
        let line = format!(
            "openssl ca -config '{}' -cert '{}' -keyfile '{}' -status {serial:08X}",
            authority.directory().join("ca.cnf").display(),
            authority.certificate.display(),
            authority.key.display(),
        );
        // It ends with 1 whatever it finds.
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{line}; true")]);
        Ok(vec![shell])
    })
    .weighed()
}

fn configuration(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "[ca]\ndefault_ca = x\n[x]\ndatabase = {directory}/index.txt\ncrlnumber = {directory}/crlnumber\n\
         default_md = sha256\ndefault_crl_days = 7\ncrl_extensions = e\n\
         [e]\nauthorityKeyIdentifier = keyid\n"
    )
}

fn utc_time(time: OffsetDateTime) -> Result<String> {
    let format = format_description!("[year repr:last_two][month][day][hour][minute][second]Z");
    Ok(time.format(format)?)
}

/// A list of all that is revoked, as PEM and as DER.
pub fn list(authority: &Authority) -> Contender {
    let authority = authority.clone();
    Contender::new("openssl ca -gencrl, openssl crl -outform DER", move |_| {
        let mut list = command("openssl ca -gencrl -out list.crl.pem");
        list.arg("-config")
            .arg(authority.directory().join("ca.cnf"));
        list.arg("-cert").arg(&authority.certificate);
        list.arg("-keyfile").arg(&authority.key);
        let convert = command("openssl crl -in list.crl.pem -outform DER -out list.crl");
        Ok(vec![list, convert])
    })
    .product_from(|round| entries(&round.directory().join("list.crl")))
    .weighed()
}

/// How many entries a list has.
pub fn entries(list: &Path) -> Result<String> {
    let text = output(command("openssl crl -noout -text -in").arg(list))?;
    let entries = text.lines().filter(|line| line.contains("Serial Number:"));
    Ok(entries.count().to_string())
}
