//! Debian's minica (there is another program of that name): RSA keys only.

use anyhow::Result;

use super::{Authority, command, output};
use crate::harness::{Contender, Round};

/// Name and version; the program has no option that tells it.
pub fn version() -> Result<String> {
    let package = output(&mut command(
        "dpkg-query --show --showformat=${Version} minica",
    ))?;
    Ok(format!("minica {package}"))
}

/// A key and a client certificate.
pub fn issue(authority: &Authority) -> Contender {
    let authority = authority.clone();
    Contender::new("minica -type client", move |round| {
        let mut minica = command("minica -type client -key-size 2048");
        minica.arg("-ca-cert").arg(&authority.certificate);
        minica.arg("-ca-key").arg(&authority.key);
        minica.arg(round.common_name());
        Ok(vec![minica])
    })
    .product_in(|round: &Round| format!("{}.crt", round.common_name()))
}
