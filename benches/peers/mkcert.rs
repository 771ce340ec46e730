//! mkcert: key and certificate for a client, from the CA in the directory that `CAROOT` names.

use anyhow::Result;

use super::{Authority, KeyKind, command, first_line};
use crate::harness::Contender;

/// Name and version.
pub fn version() -> Result<String> {
    Ok(format!("mkcert {}", first_line("mkcert -version")?))
}

/// A key and a client certificate.
pub fn issue(authority: &Authority) -> Contender {
    let authority = authority.clone();
    Contender::new("mkcert -client", move |round| {
        let mut mkcert = command("mkcert -client -cert-file client.crt -key-file client.key");
        if authority.kind == KeyKind::P256 {
            mkcert.arg("-ecdsa");
        }
        mkcert.arg(round.common_name());
        mkcert.env("CAROOT", authority.directory());
        Ok(vec![mkcert])
    })
    .product_in(|_| "client.crt".to_owned())
}
