//! Locations of other programs' files.

use crate::ca::CaError;
use crate::ca::foreign::Input;
use crate::ca::import::error::{ImportError, SourceFile};
use crate::store::FileError;
use std::fs::Metadata;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Layout of a CA's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `openssl ca`, as in its manual and the usual guides.
    Openssl,
    /// easy-rsa, version 3 or 2.
    EasyRsa,
}

impl Layout {
    /// Name in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Openssl => "openssl",
            Self::EasyRsa => "easy-rsa",
        }
    }
}

/// Source of a CA: a directory, and files that are elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) layout: Layout,
    pub(crate) directory: PathBuf,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// The last CRL.
    pub(crate) crl: Option<PathBuf>,
    pub(crate) index: Option<PathBuf>,
    /// Directories with certificates that it issued.
    pub(crate) certificates: Vec<PathBuf>,
}

/// Files of a CA.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) certificate: PathBuf,
    /// `None` if the key is outside.
    pub(crate) key: Option<PathBuf>,
    /// `None` for a CA of which no index was kept, as `openssl x509 -req` keeps none.
    pub(crate) index: Option<PathBuf>,
    /// Certificates that it issued.
    pub(crate) issued: Vec<PathBuf>,
    /// Files of directories that may hold certificates that it issued, and other files.
    pub(crate) collected: Vec<PathBuf>,
    /// Directory of these, for messages.
    pub(crate) issued_in: PathBuf,
    pub(crate) serial: Option<PathBuf>,
    /// Files in which `openssl x509 -req` keeps the last serial number.
    pub(crate) last_serials: Vec<PathBuf>,
    /// Directory of `serial` and `crlnumber`, for messages.
    pub(crate) numbers_in: PathBuf,
    pub(crate) crl_number: Option<PathBuf>,
    /// Whether its program numbers CRLs; easy-rsa does only if it is configured.
    pub(crate) numbers_crls: bool,
    pub(crate) crls: Vec<PathBuf>,
    /// Keys that may be those of certificates.
    pub(crate) keys: Vec<PathBuf>,
}

/// A file with several usual names.
struct Wanted {
    what: SourceFile,
    names: &'static [&'static str],
}

const OPENSSL_CERTIFICATE: Wanted = Wanted {
    what: SourceFile::Certificate,
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
    what: SourceFile::Key,
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
    names: &["private/ca.key", "ca.key"],
    ..OPENSSL_KEY
};

const INDEX: Wanted = Wanted {
    what: SourceFile::Index,
    names: &["index.txt", "db/index", "db/index.txt"],
};

/// Directories in which easy-rsa keeps certificates: valid ones, and those that it moved away.
const EASY_RSA_ISSUED: [&str; 7] = [
    "certs_by_serial",
    "issued",
    "revoked/certs_by_serial",
    "renewed/certs_by_serial",
    "renewed/issued",
    "expired",
    "expired/certs_by_serial",
];

/// Directory in which easy-rsa 2 keeps everything: that of the CA's key.
const EASY_RSA_2: [&str; 1] = ["."];

/// Directories in which easy-rsa keeps keys of certificates.
const EASY_RSA_KEYS: [&str; 4] = [
    "private",
    "revoked/private_by_serial",
    "renewed/private_by_serial",
    "renewed/private",
];

/// CRLs beside the certificate, not in a directory of their own.
const CRLS: [&str; 4] = ["crl.pem", "ca.crl", "root-ca.crl", "sub-ca.crl"];

const CERTIFICATE_ENDINGS: [&str; 3] = ["pem", "crt", "cer"];
const CRL_ENDINGS: [&str; 3] = ["pem", "crl", "der"];

impl Places {
    /// Finds the files. The key is not among them if it is outside.
    pub(crate) fn find(source: &Source, has_key_file: bool) -> Result<Self, CaError> {
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
        let certificate = folder.one(certificate, source.certificate.as_deref())?;
        let key = if has_key_file {
            Some(folder.one(key, source.key.as_deref())?)
        } else {
            None
        };
        let index = folder.index(source)?;
        let is_flat = source.layout == Layout::EasyRsa && folder.is_flat()?;
        let (issued, issued_in) = folder.issued(source.layout, is_flat)?;
        let keys = match source.layout {
            Layout::Openssl => Vec::new(),
            Layout::EasyRsa if is_flat => folder.files_in(&EASY_RSA_2, &["key"])?,
            Layout::EasyRsa => folder.files_in(&EASY_RSA_KEYS, &["key"])?,
        };
        let numbers_in = match &index {
            Some(index) => index.parent().unwrap_or(Path::new("")).to_owned(),
            None => root.clone(),
        };
        let beside = |name: &str| file_at(numbers_in.join(name));
        let is_key = |path: &&PathBuf| Some(*path) == key.as_ref();
        Ok(Self {
            keys: keys.iter().filter(|path| !is_key(path)).cloned().collect(),
            serial: beside("serial")?,
            last_serials: last_serials(&certificate)?,
            crl_number: beside("crlnumber")?,
            numbers_crls: source.layout == Layout::Openssl && index.is_some(),
            crls: folder.crls(source.crl.as_deref(), &certificate)?,
            collected: collected(&source.certificates)?,
            certificate,
            key,
            index,
            issued,
            issued_in,
            numbers_in,
        })
    }
}

/// Finds the files that `openssl x509 -req -CA` writes beside the CA's certificate: `.srl` replaces the name's
/// last ending, and in older versions all endings.
fn last_serials(certificate: &Path) -> Result<Vec<PathBuf>, FileError> {
    let name = certificate
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    let mut places = vec![
        certificate.with_extension("srl"),
        certificate.with_file_name(format!("{stem}.srl")),
    ];
    places.dedup();
    existing(places)
}

/// Returns every file of these directories, sorted, without those in subdirectories.
fn collected(directories: &[PathBuf]) -> Result<Vec<PathBuf>, CaError> {
    let mut files = Vec::new();
    for directory in directories {
        if !is_folder(directory)? {
            return Err(ImportError::NoFolder {
                directory: directory.clone(),
            }
            .into());
        }
        files.extend(Folder(directory).files(|_| true)?);
    }
    Ok(files)
}

/// Returns the directory itself, or the usual one below it.
fn root(source: &Source) -> Result<PathBuf, FileError> {
    let usual: &[&str] = match source.layout {
        Layout::Openssl => &["demoCA"],
        Layout::EasyRsa => &["pki", "keys"],
    };
    let indexes = |folder: &Path| existing(INDEX.names.iter().map(|name| folder.join(name)));
    if indexes(&source.directory)?.is_empty() {
        for below in usual.iter().map(|name| source.directory.join(name)) {
            if !indexes(&below)?.is_empty() {
                return Ok(below);
            }
        }
    }
    Ok(source.directory.clone())
}

fn file_at(path: PathBuf) -> Result<Option<PathBuf>, FileError> {
    Ok(existing([path])?.pop())
}

/// Returns those of these paths at which there is a file.
fn existing(paths: impl IntoIterator<Item = PathBuf>) -> Result<Vec<PathBuf>, FileError> {
    let mut existing = Vec::new();
    for path in paths {
        if found(&path)?.is_some_and(|found| found.is_file()) {
            existing.push(path);
        }
    }
    Ok(existing)
}

/// Looks up a path, behind links.
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
    /// Returns the given file, or the one with a usual name.
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
            }
            .into()),
            [first, others @ ..] => {
                // They may be keys, of which no copies stay in memory.
                let content = Input::read(first)?;
                for other in others {
                    if Input::read(other)?.content() != content.content() {
                        return Err(ImportError::Several {
                            what,
                            directory: self.0.to_owned(),
                            found,
                        }
                        .into());
                    }
                }
                Ok(first.clone())
            }
        }
    }

    /// Returns the certificates that it issued, and their directory. openssl names them by their serial
    /// numbers; other files in the directory are copies.
    fn issued(&self, layout: Layout, is_flat: bool) -> Result<(Vec<PathBuf>, PathBuf), CaError> {
        if layout == Layout::EasyRsa && !is_flat {
            let files = self.files_in(&EASY_RSA_ISSUED, &CERTIFICATE_ENDINGS)?;
            return Ok((files, self.0.join(EASY_RSA_ISSUED[0])));
        }
        let mut folder = ".";
        for usual in ["newcerts", "certs"] {
            if !is_flat && is_folder(&self.0.join(usual))? {
                folder = usual;
                break;
            }
        }
        let mut files = self.files_in(&[folder], &CERTIFICATE_ENDINGS)?;
        files.retain(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            stem.is_some_and(is_serial)
        });
        let shown = match folder {
            "." => self.0.to_owned(),
            folder => self.0.join(folder),
        };
        Ok((files, shown))
    }

    /// Returns the index, and `None` for a CA of which none was kept. A directory that `openssl ca` or easy-rsa
    /// made has one: if it is missing, it was lost.
    fn index(&self, source: &Source) -> Result<Option<PathBuf>, CaError> {
        if let Some(given) = &source.index {
            let is_device = |found: Metadata| found.file_type().is_char_device();
            let is_none = found(given)?.is_some_and(is_device);
            return Ok((!is_none).then(|| given.clone()));
        }
        let error = match self.one(&INDEX, None) {
            Err(error @ CaError::Import(ImportError::Missing { .. })) => error,
            found => return found.map(Some),
        };
        let is_kept = source.layout == Layout::EasyRsa
            || is_folder(&self.0.join("newcerts"))?
            || !existing(["serial", "crlnumber"].map(|name| self.0.join(name)))?.is_empty();
        if is_kept { Err(error) } else { Ok(None) }
    }

    /// Returns whether the CA's key is beside its certificate, as in easy-rsa 2.
    fn is_flat(&self) -> Result<bool, FileError> {
        let is_there = |name: &str| Ok(!existing([self.0.join(name)])?.is_empty());
        Ok(is_there("ca.key")? && !is_there("private/ca.key")?)
    }

    fn crls(&self, given: Option<&Path>, certificate: &Path) -> Result<Vec<PathBuf>, CaError> {
        if let Some(given) = given {
            return Ok(vec![given.to_owned()]);
        }
        let mut crls = self.files_in(&["crl"], &CRL_ENDINGS)?;
        let mut beside: Vec<PathBuf> = CRLS.iter().map(|name| self.0.join(name)).collect();
        beside.push(certificate.with_extension("crl"));
        for path in existing(beside)? {
            if !crls.contains(&path) {
                crls.push(path);
            }
        }
        Ok(crls)
    }

    /// Returns the files in these directories with one of these endings, sorted.
    fn files_in(&self, folders: &[&str], endings: &[&str]) -> Result<Vec<PathBuf>, CaError> {
        let mut files = Vec::new();
        for folder in folders.iter().map(|name| match *name {
            "." => self.0.to_owned(),
            name => self.0.join(name),
        }) {
            if !is_folder(&folder)? {
                continue;
            }
            let is_meant = |path: &Path| {
                let ending = path.extension().and_then(|ending| ending.to_str());
                ending.is_some_and(|ending| endings.contains(&ending))
            };
            files.append(&mut Folder(&folder).files(is_meant)?);
        }
        Ok(files)
    }

    /// Returns the chosen files in it, sorted.
    fn files(&self, is_meant: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, CaError> {
        let mut here = Vec::new();
        for entry in std::fs::read_dir(self.0).map_err(failed(self.0))? {
            let path = entry.map_err(failed(self.0))?.path();
            if is_meant(&path) {
                here.push(path);
            }
        }
        here.sort();
        Ok(existing(here)?)
    }
}

/// Returns whether openssl names a certificate so: two digits per byte, in upper case. `ca.pem` is none.
fn is_serial(stem: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    stem.len().is_multiple_of(2) && stem.bytes().all(digit)
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> FileError {
    move |source| FileError {
        operation: "read",
        path: path.to_owned(),
        source,
    }
}
