//! `GnuTLS`'s certtool: a key, then a certificate by a template.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{Authority, KeyKind, command, first_line};
use crate::harness::{Contender, Round};

/// Name and version.
pub fn version() -> Result<String> {
    first_line("certtool --version")
}

/// A key and a client certificate.
pub fn issue(authority: &Authority) -> Contender {
    let authority = authority.clone();
    Contender::new(
        "certtool --generate-privkey, --generate-certificate",
        move |round| {
            let algorithm = match authority.kind {
                KeyKind::P256 => "--key-type ecdsa --curve secp256r1",
                KeyKind::Rsa2048 => "--key-type rsa --bits 2048",
            };
            let key = command(&format!(
                "certtool --generate-privkey {algorithm} --outfile client.key"
            ));
            let mut certificate = sign(&authority, round)?;
            certificate.args(["--load-privkey", "client.key"]);
            Ok(vec![key, certificate])
        },
    )
    .product_in(|_| "client.crt".to_owned())
}

/// A client certificate for an existing CSR.
pub fn sign_request(authority: &Authority, request: PathBuf) -> Contender {
    let authority = authority.clone();
    Contender::new("certtool --generate-certificate", move |round| {
        let mut certificate = sign(&authority, round)?;
        certificate.arg("--load-request").arg(&request);
        Ok(vec![certificate])
    })
    .product_in(|_| "client.crt".to_owned())
}

fn sign(authority: &Authority, round: &Round) -> Result<Command> {
    let name = round.common_name();
    let template = format!("cn = \"{name}\"\nexpiration_days = 365\nsigning_key\ntls_www_client\n");
    round.write("client.template", &template)?;
    let mut sign = command("certtool --generate-certificate --template client.template");
    sign.args(["--outfile", "client.crt"]);
    sign.arg("--load-ca-certificate")
        .arg(&authority.certificate);
    sign.arg("--load-ca-privkey").arg(&authority.key);
    Ok(sign)
}
