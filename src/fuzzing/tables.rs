//! Tables and declarations.

use super::{NOW, harmless};
use crate::cli::reading::{self, Refused};
use std::path::Path;

fn rows<T>(rows: Result<Vec<Result<T, Refused>>, Refused>) {
    let refused = match rows {
        Ok(rows) => rows.into_iter().filter_map(Result::err).collect(),
        Err(refused) => vec![refused],
    };
    for refused in refused {
        harmless(&refused.to_string());
    }
}

/// `pki issue --from`.
pub fn certificate_table(data: &[u8]) {
    rows(reading::certificate_rows(Path::new("table.csv"), data));
}

/// `pki revoke --from`.
pub fn revocation_table(data: &[u8]) {
    rows(reading::revocation_rows(Path::new("table.csv"), data, NOW));
}

/// `pki apply`.
pub fn declaration(data: &[u8]) {
    if let Err(refused) = reading::declaration(Path::new("declaration.toml"), data, NOW) {
        harmless(&refused.to_string());
    }
}
