//! cfssl: key and certificate in a JSON document. Taking them out of it, which is another program's
//! work (cfssljson), is not on the clock.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Authority, KeyKind, command, output};
use crate::harness::{Contender, Round};

/// Name and version.
pub fn version() -> Result<String> {
    let said = output(&mut command("cfssl version"))?;
    let version = said.lines().find_map(|line| line.strip_prefix("Version:"));
    Ok(format!(
        "cfssl {}",
        version.context("cfssl does not tell its version")?.trim()
    ))
}

/// A key and a client certificate.
pub fn issue(authority: &Authority) -> Contender {
    let authority = authority.clone();
    Contender::new("cfssl gencert", move |round| {
        let key = match authority.kind {
            KeyKind::P256 => json!({ "algo": "ecdsa", "size": 256 }),
            KeyKind::Rsa2048 => json!({ "algo": "rsa", "size": 2048 }),
        };
        let request = json!({ "CN": round.common_name(), "key": key });
        round.write("request.json", &request.to_string())?;
        let mut gencert = sign("gencert", &authority, round)?;
        gencert.arg("request.json");
        Ok(vec![gencert])
    })
    .product_from(certificate)
}

/// A client certificate for an existing CSR.
pub fn sign_request(authority: &Authority, request: PathBuf) -> Contender {
    let authority = authority.clone();
    Contender::new("cfssl sign", move |round| {
        let mut sign = sign("sign", &authority, round)?;
        sign.arg(&request);
        Ok(vec![sign])
    })
    .product_from(certificate)
}

fn sign(verb: &str, authority: &Authority, round: &Round) -> Result<Command> {
    let usages = ["digital signature", "client auth"];
    let profile = json!({ "expiry": "8760h", "usages": usages });
    let config = json!({ "signing": { "profiles": { "client": profile } } });
    round.write("config.json", &config.to_string())?;
    let mut sign = command("cfssl");
    sign.args([verb, "-config", "config.json", "-profile", "client"]);
    sign.arg("-ca").arg(&authority.certificate);
    sign.arg("-ca-key").arg(&authority.key);
    Ok(sign)
}

fn certificate(round: &Round) -> Result<String> {
    let answer: Value = serde_json::from_str(&round.read("0.out")?)?;
    Ok(answer["cert"]
        .as_str()
        .context("there is no certificate in it")?
        .to_owned())
}
