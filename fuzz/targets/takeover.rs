//! Directories of other programs, as `pki import` reads them.

use super::store::Place;
use std::fs;
use tempfile::TempDir;

/// Next number, of certificates and of CRLs.
const NEXT: &[u8] = b"1000\n";

/// Directory of an `openssl ca` that issued nothing.
struct Directory {
    directory: TempDir,
    /// Store that its key and certificate come from.
    place: Place,
}

thread_local! {
    static DIRECTORY: Directory = Directory::new();
}

impl Directory {
    fn new() -> Self {
        let place = Place::new();
        let directory = TempDir::new().expect("a directory is made");
        for file in ["ca.crt", "ca.key"] {
            let to = directory.path().join(file);
            fs::copy(place.in_ca(file), to).expect("a file is copied");
        }
        fs::create_dir(directory.path().join("newcerts")).expect("a directory is made");
        Self { directory, place }
    }

    fn import(&self, index: &[u8], serial: &[u8], crl_number: &[u8]) {
        for (file, content) in [
            ("index.txt", index),
            ("serial", serial),
            ("crlnumber", crl_number),
        ] {
            fs::write(self.directory.path().join(file), content).expect("a file is written");
        }
        let nowhere = self.place.store().with_file_name("nowhere");
        pki::fuzzing::import::openssl(self.directory.path(), &nowhere);
    }
}

/// `index.txt`.
pub fn openssl_index(data: &[u8]) {
    DIRECTORY.with(|directory| directory.import(data, NEXT, NEXT));
}

/// File with the next serial number, or with the next CRL number, by the first byte.
pub fn openssl_numbers(data: &[u8]) {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    DIRECTORY.with(|directory| {
        if which % 2 == 0 {
            directory.import(b"", data, NEXT);
        } else {
            directory.import(b"", NEXT, data);
        }
    });
}
