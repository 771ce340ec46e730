//! Where the files of other programs are.

use super::error::ImportError;
use crate::ca::CaError;
use crate::ca::foreign::Input;
use crate::store::FileError;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// Whose way of keeping a CA a folder follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `openssl ca`, as its manual and the usual guides have it.
    Openssl,
    /// easy-rsa, version 3.
    EasyRsa,
}

impl Layout {
    /// The name by which reports speak of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Openssl => "openssl",
            Self::EasyRsa => "easy-rsa",
        }
    }
}

/// Where a CA comes from: a folder, and files that are elsewhere.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose way it follows.
    pub layout: Layout,
    /// The folder.
    pub directory: PathBuf,
    /// The CA's certificate.
    pub certificate: Option<PathBuf>,
    /// The CA's key.
    pub key: Option<PathBuf>,
    /// The last list.
    pub list: Option<PathBuf>,
    /// The index of certificates.
    pub index: Option<PathBuf>,
}

/// The files of a CA.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) index: PathBuf,
    /// Certificates that it issued.
    pub(super) issued: Vec<PathBuf>,
    /// Where those are looked for, to be named.
    pub(super) issued_in: PathBuf,
    pub(super) serial: Option<PathBuf>,
    pub(super) crl_number: Option<PathBuf>,
    /// Whether its program numbers lists; easy-rsa does only where it is told to.
    pub(super) numbers_lists: bool,
    pub(super) lists: Vec<PathBuf>,
    /// Keys that may be those of certificates.
    pub(super) keys: Vec<PathBuf>,
}

/// What is looked for by one of several names.
struct Wanted {
    what: &'static str,
    option: &'static str,
    names: &'static [&'static str],
}

const OPENSSL_CERTIFICATE: Wanted = Wanted {
    what: "CA certificate",
    option: "--cert",
    names: &[
        "cacert.pem",
        "ca.crt",
        "ca.pem",
        "ca.cert.pem",
        "ca-cert.pem",
        "root-ca.crt",
        "sub-ca.crt",
        "certs/ca.cert.pem",
        "certs/ca.crt",
        "certs/cacert.pem",
        "certs/ca.pem",
        "certs/intermediate.cert.pem",
    ],
};

const OPENSSL_KEY: Wanted = Wanted {
    what: "CA key",
    option: "--key",
    names: &[
        "private/cakey.pem",
        "private/ca.key",
        "private/ca.key.pem",
        "private/ca-key.pem",
        "private/root-ca.key",
        "private/sub-ca.key",
        "private/intermediate.key.pem",
        "cakey.pem",
        "ca.key",
        "ca.key.pem",
        "ca-key.pem",
    ],
};

const EASY_RSA_CERTIFICATE: Wanted = Wanted {
    names: &["ca.crt"],
    ..OPENSSL_CERTIFICATE
};

const EASY_RSA_KEY: Wanted = Wanted {
    names: &["private/ca.key"],
    ..OPENSSL_KEY
};

const INDEX: Wanted = Wanted {
    what: "index of certificates",
    option: "--index",
    names: &["index.txt", "db/index", "db/index.txt"],
};

/// Where easy-rsa keeps certificates: valid ones, and those that it moved away.
const EASY_RSA_ISSUED: [&str; 7] = [
    "certs_by_serial",
    "issued",
    "revoked/certs_by_serial",
    "renewed/certs_by_serial",
    "renewed/issued",
    "expired",
    "expired/certs_by_serial",
];

/// Where it keeps their keys.
const EASY_RSA_KEYS: [&str; 4] = [
    "private",
    "revoked/private_by_serial",
    "renewed/private_by_serial",
    "renewed/private",
];

/// Lists that stand beside the certificate rather than in a folder of their own.
const LISTS: [&str; 4] = ["crl.pem", "ca.crl", "root-ca.crl", "sub-ca.crl"];

const CERTIFICATE_ENDINGS: [&str; 3] = ["pem", "crt", "cer"];
const LIST_ENDINGS: [&str; 3] = ["pem", "crl", "der"];

impl Places {
    pub(super) fn find(source: &Source) -> Result<Self, CaError> {
        if !is_folder(&source.directory)? {
            return Err(ImportError::NoFolder {
                directory: source.directory.clone(),
            }
            .into());
        }
        let root = root(source)?;
        let folder = Folder(&root);
        let (certificate, key) = match source.layout {
            Layout::Openssl => (&OPENSSL_CERTIFICATE, &OPENSSL_KEY),
            Layout::EasyRsa => (&EASY_RSA_CERTIFICATE, &EASY_RSA_KEY),
        };
        let index = folder.one(&INDEX, source.index.as_deref())?;
        let certificate = folder.one(certificate, source.certificate.as_deref())?;
        let key = folder.one(key, source.key.as_deref())?;
        let (issued, issued_in) = folder.issued(source.layout)?;
        let keys = match source.layout {
            Layout::Openssl => Vec::new(),
            Layout::EasyRsa => folder.files_in(&EASY_RSA_KEYS, &["key"])?,
        };
        let beside_index = index.parent().unwrap_or(Path::new("")).to_owned();
        let beside =
            |name: &str| existing([beside_index.join(name)]).map(|found| found.into_iter().next());
        Ok(Self {
            keys: keys.into_iter().filter(|path| *path != key).collect(),
            serial: beside("serial")?,
            crl_number: beside("crlnumber")?,
            numbers_lists: source.layout == Layout::Openssl,
            lists: folder.lists(source.list.as_deref(), &certificate)?,
            certificate,
            key,
            index,
            issued,
            issued_in,
        })
    }
}

/// The folder itself, or the one in it that its users give to their programs.
fn root(source: &Source) -> Result<PathBuf, FileError> {
    let usual = match source.layout {
        Layout::Openssl => "demoCA",
        Layout::EasyRsa => "pki",
    };
    let below = source.directory.join(usual);
    let indexes = |folder: &Path| existing(INDEX.names.iter().map(|name| folder.join(name)));
    let is_below = indexes(&source.directory)?.is_empty() && !indexes(&below)?.is_empty();
    Ok(if is_below {
        below
    } else {
        source.directory.clone()
    })
}

/// Those of these paths at which there is a file.
fn existing(paths: impl IntoIterator<Item = PathBuf>) -> Result<Vec<PathBuf>, FileError> {
    let mut existing = Vec::new();
    for path in paths {
        if found(&path)?.is_some_and(|found| found.is_file()) {
            existing.push(path);
        }
    }
    Ok(existing)
}

/// What is at a path, behind links.
fn found(path: &Path) -> Result<Option<Metadata>, FileError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(source) => Err(FileError {
            operation: "look at",
            path: path.to_owned(),
            source,
        }),
    }
}

fn is_folder(path: &Path) -> Result<bool, FileError> {
    Ok(found(path)?.is_some_and(|found| found.is_dir()))
}

struct Folder<'a>(&'a Path);

impl Folder<'_> {
    /// The one file that is meant.
    fn one(&self, wanted: &Wanted, given: Option<&Path>) -> Result<PathBuf, CaError> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        let places = wanted.names.iter().map(|name| self.0.join(name));
        let found = existing(places)?;
        let what = wanted.what;
        match found.as_slice() {
            [] => Err(ImportError::Missing {
                what,
                directory: self.0.to_owned(),
                looked_for: wanted.names.iter().map(PathBuf::from).collect(),
                option: Some(wanted.option),
            }
            .into()),
            [first, others @ ..] => {
                // They may be keys, which leave no copies in memory.
                let content = Input::read(first)?;
                for other in others {
                    if Input::read(other)?.content() != content.content() {
                        return Err(ImportError::Several {
                            what,
                            directory: self.0.to_owned(),
                            found,
                            option: wanted.option,
                        }
                        .into());
                    }
                }
                Ok(first.clone())
            }
        }
    }

    /// The certificates that it issued, and where a reader would look for them. openssl names them by
    /// their serial numbers; other files in their folder are somebody's copies.
    fn issued(&self, layout: Layout) -> Result<(Vec<PathBuf>, PathBuf), CaError> {
        if layout == Layout::EasyRsa {
            let files = self.files_in(&EASY_RSA_ISSUED, &CERTIFICATE_ENDINGS)?;
            return Ok((files, self.0.join(EASY_RSA_ISSUED[0])));
        }
        let usual = self.0.join("newcerts");
        let folder = if is_folder(&usual)? {
            "newcerts"
        } else {
            "certs"
        };
        let mut files = self.files_in(&[folder], &CERTIFICATE_ENDINGS)?;
        files.retain(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            stem.is_some_and(is_serial)
        });
        Ok((files, self.0.join(folder)))
    }

    fn lists(&self, given: Option<&Path>, certificate: &Path) -> Result<Vec<PathBuf>, CaError> {
        if let Some(given) = given {
            return Ok(vec![given.to_owned()]);
        }
        let mut lists = self.files_in(&["crl"], &LIST_ENDINGS)?;
        let mut beside: Vec<PathBuf> = LISTS.iter().map(|name| self.0.join(name)).collect();
        beside.push(certificate.with_extension("crl"));
        for path in existing(beside)? {
            if !lists.contains(&path) {
                lists.push(path);
            }
        }
        Ok(lists)
    }

    /// The files in these folders with one of these endings, sorted.
    fn files_in(&self, folders: &[&str], endings: &[&str]) -> Result<Vec<PathBuf>, CaError> {
        let mut files = Vec::new();
        for folder in folders.iter().map(|name| self.0.join(name)) {
            if !is_folder(&folder)? {
                continue;
            }
            let mut here = Vec::new();
            for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
                let path = entry.map_err(failed(&folder))?.path();
                let ending = path.extension().and_then(|ending| ending.to_str());
                if ending.is_some_and(|ending| endings.contains(&ending)) {
                    here.push(path);
                }
            }
            here.sort();
            files.append(&mut existing(here)?);
        }
        Ok(files)
    }
}

/// Whether openssl would name a certificate so: two digits an octet, in upper case. `ca.pem` is not one.
fn is_serial(stem: &str) -> bool {
    let digit = |octet: u8| octet.is_ascii_digit() || (b'A'..=b'F').contains(&octet);
    stem.len().is_multiple_of(2) && stem.bytes().all(digit)
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> FileError {
    move |source| FileError {
        operation: "read",
        path: path.to_owned(),
        source,
    }
}
