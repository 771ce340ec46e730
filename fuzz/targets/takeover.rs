//! The folders of other programs, as `pki import` reads them.

use super::objects::Known;
use super::store::{Place, observer};
use super::{NOW, harmless, said};
use pki::ca::{ImportRequest, KeyProtection, Layout, Source, import};
use pki::store::CaRecord;
use pki::x509::text::Escaped;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// The next number, of certificates and of lists.
const NEXT: &[u8] = b"1000\n";

/// A folder of `openssl ca` that issued nothing.
struct Folder {
    folder: TempDir,
    /// From which its key and certificate come.
    place: Place,
}

thread_local! {
    static FOLDER: Folder = Folder::new();
}

impl Folder {
    fn new() -> Self {
        let place = Place::new();
        let folder = TempDir::new().expect("there is room for a folder");
        for (file, from) in [("ca.crt", "ca.crt"), ("ca.key", "ca.key")] {
            let to = folder.path().join(file);
            fs::copy(place.in_ca(from), to).expect("a file is copied");
        }
        fs::create_dir(folder.path().join("newcerts")).expect("a folder is made");
        Self { folder, place }
    }

    /// Imports it, but for writing.
    fn import(&self, index: &[u8], serial: &[u8], crl_number: &[u8]) {
        for (file, content) in [
            ("index.txt", index),
            ("serial", serial),
            ("crlnumber", crl_number),
        ] {
            fs::write(self.folder.path().join(file), content).expect("a file is written");
        }
        let request = ImportRequest {
            record: CaRecord {
                name: "old".parse().expect("it is a name"),
                parent: None,
                crl_urls: Vec::new(),
                ca_issuers_urls: Vec::new(),
                ocsp_urls: Vec::new(),
                restored: None,
            },
            source: Source {
                layout: Layout::Openssl,
                directory: self.folder.path().to_owned(),
                certificate: None,
                key: None,
                list: None,
                index: None,
                certificates: Vec::new(),
            },
            chain: Vec::new(),
            protection: KeyProtection::AsBefore,
            partial: true,
            dry_run: true,
        };
        let nowhere: PathBuf = self.place.store().with_file_name("nowhere");
        match import(&nowhere, observer(), &request, &mut Known, NOW) {
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
}

/// `index.txt`.
pub fn openssl_index(data: &[u8]) {
    FOLDER.with(|folder| folder.import(data, NEXT, NEXT));
}

/// The file with the next serial number, or that with the next number of a list: the first octet says
/// which.
pub fn openssl_numbers(data: &[u8]) {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    FOLDER.with(|folder| {
        if which % 2 == 0 {
            folder.import(b"", data, NEXT);
        } else {
            folder.import(b"", NEXT, data);
        }
    });
}
