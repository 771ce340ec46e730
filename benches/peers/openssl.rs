//! OpenSSL's recipe: a key and a CSR by `req`, signed by `x509 -req` with an extension file, for
//! which alone the certificate gets extensions at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Authority, command, first_line};
use crate::harness::{Contender, Round};

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
    .certificate_in(|_| "client.crt".to_owned())
}

/// A client certificate for an existing CSR.
pub fn sign_request(authority: &Authority, request: PathBuf) -> Contender {
    let authority = authority.clone();
    Contender::new("openssl x509 -req", move |round| {
        Ok(vec![sign(&authority, round, request.clone())?])
    })
    .certificate_in(|_| "client.crt".to_owned())
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
