//! Directories of other programs, as `pki import` reads them.

use super::store::operator;
use super::{Known, NOW, harmless, said};
use crate::ca::{ImportRequest, KeyProtection, Layout, Source, import};
use crate::store::CaRecord;
use crate::x509::text::Escaped;
use std::path::Path;

/// Imports a directory of `openssl ca` into a store that does not exist, without writing.
pub fn openssl(directory: &Path, nowhere: &Path) {
    let request = ImportRequest {
        record: CaRecord::of_root("old".parse().expect("it is a name")),
        source: Source {
            layout: Layout::Openssl,
            directory: directory.to_owned(),
            certificate: None,
            key: None,
            crl: None,
            index: None,
            certificates: Vec::new(),
        },
        chain: Vec::new(),
        protection: KeyProtection::AsBefore,
        partial: true,
        dry_run: true,
    };
    match import(&nowhere.into(), operator(), &request, &mut Known, NOW) {
        Ok(imported) => {
            assert!(Some(imported.next_serial) > imported.highest_serial);
            for finding in imported.findings {
                harmless(&Escaped(&finding.message).to_string());
            }
        }
        Err(error) => said(&error),
    }
    assert!(!nowhere.exists());
}
