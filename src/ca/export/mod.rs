//! Export of certificates and keys, as the files that servers and clients take.

mod csr;
pub(crate) mod error;
mod kubernetes;

use crate::ca::error::CaError;
use crate::ca::export::error::ExportError;
use crate::ca::file_name::WILDCARD;
use crate::ca::parallel::on_all_cores;
use crate::ca::passphrases::error::KeyUseError;
use crate::key::pkcs12::{self, Encryption, KeyEntry};
use crate::key::{KeyError, Passphrase, PrivateKey, Protection};
use crate::store::file::{self, Access, Existing, Group, Output, Staged, Stream};
use crate::store::{FileError, is_device_name};
use crate::x509::Certificate;
pub(crate) use csr::new_csr;
use kubernetes::TlsSecret;
pub(crate) use kubernetes::secret_name;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Directory and common name of files.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The directory; created if missing.
    pub(crate) directory: PathBuf,
    /// Common name of the files.
    pub(crate) name: String,
    /// Whether existing files may be replaced.
    pub(crate) overwrite: bool,
}

/// A private key to write, and its encryption.
pub(crate) struct KeyOutput<'a> {
    pub(crate) key: &'a PrivateKey,
    pub(crate) protection: &'a Protection,
    /// Passphrase of `protection`; a PKCS #12 file needs it.
    pub(crate) passphrase: Option<&'a Passphrase>,
}

/// Kinds of files of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// `NAME.crt`: the certificate.
    Certificate,
    /// `NAME.chain.pem`: its issuer up to the root.
    Chain,
    /// `NAME.fullchain.pem`: the certificate, then the CAs below the root.
    FullChain,
    /// `NAME.key`: the key.
    Key,
    /// `NAME.der`: the certificate as DER.
    Der,
    /// `NAME.p12`: the key, the certificate and the chain as PKCS #12.
    Pkcs12(Strength),
    /// `NAME.secret.yaml`: the same as the manifest of a Kubernetes Secret.
    Secret,
}

/// Encryption of a PKCS #12 file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// For current readers.
    Modern,
    /// For current readers, with the key in the form that Java reads.
    Java,
    /// For old readers.
    Compatible,
}

/// Files that are open and have no names yet: errors show before anything is issued.
pub(crate) struct OpenExport {
    name: String,
    files: Vec<(FileKind, Staged)>,
}

/// Kind and path of the files written, in the order of the documentation.
pub(crate) type Exported = Vec<(&'static str, PathBuf)>;

impl FileKind {
    /// Default files for a certificate of a CA.
    pub(crate) fn usual(has_issuers: bool, has_key: bool, der: bool) -> Vec<Self> {
        let chains = has_issuers.then_some([Self::Chain, Self::FullChain]);
        let mut kinds = vec![Self::Certificate];
        kinds.extend(chains.into_iter().flatten());
        kinds.extend(has_key.then_some(Self::Key));
        kinds.extend(der.then_some(Self::Der));
        kinds
    }

    /// Name of the kind in reports.
    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "crt",
            Self::Chain => "chain",
            Self::FullChain => "fullchain",
            Self::Key => "key",
            Self::Der => "der",
            Self::Pkcs12(_) => "p12",
            Self::Secret => "secret",
        }
    }

    /// Ending after `NAME.`.
    fn ending(self) -> &'static str {
        match self {
            Self::Chain => "chain.pem",
            Self::FullChain => "fullchain.pem",
            Self::Secret => "secret.yaml",
            Self::Certificate | Self::Key | Self::Der | Self::Pkcs12(_) => self.name(),
        }
    }

    fn access(self) -> Access {
        match self {
            Self::Certificate | Self::Chain | Self::FullChain | Self::Der => Access::Umask,
            Self::Key | Self::Pkcs12(_) | Self::Secret => Access::Owner,
        }
    }
}

impl Destination {
    pub(crate) fn file(&self, kind: FileKind) -> PathBuf {
        let name = format!("{}.{}", self.name, kind.ending());
        self.directory.join(name)
    }

    /// Returns the first file of these kinds that exists.
    pub(crate) fn in_place(&self, kinds: &[FileKind]) -> Result<Option<PathBuf>, CaError> {
        for kind in kinds {
            let path = self.file(*kind);
            if file::stands(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Opens a file of each kind.
    pub(crate) fn open(&self, kinds: &[FileKind]) -> Result<OpenExport, CaError> {
        check_name(&self.name)?;
        if kinds.contains(&FileKind::Secret) {
            secret_name(&self.name)?;
        }
        file::create_directories(&self.directory, Access::Umask)?;
        let existing = Existing::unless(self.overwrite);
        let stage = |kind: &FileKind| {
            let staged = Staged::new(&self.file(*kind), kind.access(), existing)?;
            Ok((*kind, staged))
        };
        let files: Result<_, FileError> = kinds.iter().map(stage).collect();
        Ok(OpenExport {
            name: self.name.clone(),
            files: files?,
        })
    }
}

/// Most bytes of a name: with the longest ending and that of a temporary file it stays below the 255 bytes that
/// file systems take.
const MOST: usize = 200;

/// Refuses a name that is not a plain file name on every system.
pub(crate) fn check_name(name: &str) -> Result<(), CaError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-%".contains(&byte);
    let rest = name.strip_prefix(WILDCARD).unwrap_or(name);
    let safe = rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '%')
        && name.len() <= MOST
        && name.bytes().all(allowed)
        && !name.ends_with('.')
        && !is_device_name(name);
    if safe {
        return Ok(());
    }
    let name = name.to_owned();
    Err(ExportError::FileName { name }.into())
}

impl OpenExport {
    /// Writes the certificate, its chains from `issuers` (its issuer first, the root last) and its
    /// key: all files or none.
    pub(crate) fn write(
        self,
        certificate: &Certificate,
        issuers: &[Certificate],
        key: Option<&KeyOutput<'_>>,
    ) -> Result<Exported, CaError> {
        let (exported, files) = self.filled(certificate, issuers, key)?;
        file::commit_all(files)?;
        Ok(exported)
    }

    fn filled(
        self,
        certificate: &Certificate,
        issuers: &[Certificate],
        key: Option<&KeyOutput<'_>>,
    ) -> Result<(Exported, Vec<Staged>), CaError> {
        let Self { name, files } = self;
        let contents = Contents {
            name: &name,
            certificate,
            issuers,
            key,
        };
        let mut exported = Exported::new();
        let mut written = Vec::new();
        for (kind, file) in files {
            exported.push((kind.name(), file.path().to_owned()));
            written.push(filled(file, &contents.of(kind)?)?);
        }
        Ok((exported, written))
    }
}

/// Directory for the files of many certificates.
#[derive(Debug, Clone)]
pub(crate) struct ExportPlace {
    /// The directory; created if missing.
    pub(crate) directory: PathBuf,
    /// Whether existing files may be replaced.
    pub(crate) overwrite: bool,
}

/// A directory that gets the files of many certificates, which become durable together.
pub(crate) struct ExportFolder {
    place: ExportPlace,
    group: Group,
}

/// A certificate whose files are written among those of others.
pub(crate) struct GroupExport<'a> {
    pub(crate) name: String,
    pub(crate) kinds: Vec<FileKind>,
    pub(crate) certificate: &'a Certificate,
    pub(crate) key: Option<KeyOutput<'a>>,
}

impl ExportPlace {
    /// Checks whether files of this name could be written now; nothing is changed.
    pub(crate) fn check(&self, name: &str, kinds: &[FileKind]) -> Result<(), CaError> {
        check_name(name)?;
        let existing = Existing::unless(self.overwrite);
        for kind in kinds {
            file::check_place(&self.path(name, *kind), existing)?;
        }
        Ok(())
    }

    pub(crate) fn open(self) -> Result<ExportFolder, CaError> {
        file::create_directories(&self.directory, Access::Umask)?;
        Ok(ExportFolder {
            group: Group::of(&self.directory)?,
            place: self,
        })
    }

    pub(crate) fn path(&self, name: &str, kind: FileKind) -> PathBuf {
        self.directory.join(format!("{name}.{}", kind.ending()))
    }

    /// Returns the files of a certificate, if all of them exist, and those without a key have the content that
    /// would be written.
    pub(crate) fn holding(
        &self,
        export: &GroupExport<'_>,
        issuers: &[Certificate],
    ) -> Result<Option<Exported>, CaError> {
        let contents = Contents {
            name: &export.name,
            certificate: export.certificate,
            issuers,
            key: None,
        };
        let mut exported = Exported::new();
        for kind in &export.kinds {
            let path = self.path(&export.name, *kind);
            let is_there = match kind.access() {
                Access::Owner => file::stands(&path)?,
                Access::Store | Access::Umask => {
                    let there = file::read_if_there(&path)?;
                    there.as_deref() == Some(contents.of(*kind)?.as_slice())
                }
            };
            if !is_there {
                return Ok(None);
            }
            exported.push((kind.name(), path));
        }
        Ok(Some(exported))
    }
}

impl ExportFolder {
    /// Returns the files of a certificate, if all of them exist, and the certificate in them is this one.
    pub(crate) fn with(&self, export: &GroupExport<'_>) -> Result<Option<Exported>, CaError> {
        let own = self.place.path(&export.name, FileKind::Certificate);
        let there = file::read_if_there(&own)?;
        if there.is_none_or(|there| there != export.certificate.to_pem().as_bytes()) {
            return Ok(None);
        }
        let mut exported = Exported::new();
        for kind in &export.kinds {
            let path = self.place.path(&export.name, *kind);
            if !file::stands(&path)? {
                return Ok(None);
            }
            exported.push((kind.name(), path));
        }
        Ok(Some(exported))
    }

    /// Makes the names of existing files durable.
    pub(crate) fn make_names_durable(&self) -> Result<(), CaError> {
        Ok(file::sync(&self.place.directory)?)
    }

    /// Writes the files of certificates with the same issuers: all of them or none.
    pub(crate) fn write(
        &self,
        exports: &[GroupExport<'_>],
        issuers: &[Certificate],
    ) -> Result<Vec<Exported>, CaError> {
        let filled = on_all_cores(exports.iter().collect(), |export| {
            self.fill(export, issuers)
        });
        let filled: Vec<(Exported, Vec<Staged>)> = filled.into_iter().collect::<Result<_, _>>()?;
        let (exported, files): (Vec<_>, Vec<_>) = filled.into_iter().unzip();
        let files = files.into_iter().flatten().collect();
        self.group.commit(files)?;
        Ok(exported)
    }

    fn fill(
        &self,
        export: &GroupExport<'_>,
        issuers: &[Certificate],
    ) -> Result<(Exported, Vec<Staged>), CaError> {
        let GroupExport {
            name,
            kinds,
            certificate,
            key,
        } = export;
        check_name(name)?;
        let existing = Existing::unless(self.place.overwrite);
        let stage = |kind: &FileKind| {
            let path = self.place.path(name, *kind);
            Ok((*kind, self.group.stage(&path, kind.access(), existing)?))
        };
        let files: Result<_, FileError> = kinds.iter().map(stage).collect();
        let open = OpenExport {
            name: name.clone(),
            files: files?,
        };
        open.filled(certificate, issuers, key.as_ref())
    }
}

/// File that is open and has no name yet, or a pipe. It is never one with a key.
pub(crate) enum OpenFile {
    /// A file, which does not follow symbolic links.
    Staged(Staged),
    /// A pipe, a device or an open file.
    Stream(Stream),
}

impl OpenFile {
    /// Opens a file; with `overwrite` it replaces an existing one.
    pub(crate) fn open(path: &Path, overwrite: bool) -> Result<Self, CaError> {
        if let Output::Stream(stream) = Output::at(path)? {
            return Ok(Self::Stream(Stream::open(stream)?));
        }
        let existing = Existing::unless(overwrite);
        Ok(Self::Staged(Staged::new(path, Access::Umask, existing)?))
    }

    /// Writes the content, and names the file.
    pub(crate) fn write(self, content: &[u8]) -> Result<(), CaError> {
        match self {
            Self::Staged(file) => Ok(filled(file, content)?.commit()?),
            Self::Stream(stream) => Ok(stream.write(content)?),
        }
    }
}

/// Content of the files.
struct Contents<'a> {
    name: &'a str,
    certificate: &'a Certificate,
    issuers: &'a [Certificate],
    key: Option<&'a KeyOutput<'a>>,
}

impl Contents<'_> {
    fn of(&self, kind: FileKind) -> Result<Zeroizing<Vec<u8>>, CaError> {
        let public = |text: String| Zeroizing::new(text.into_bytes());
        Ok(match kind {
            FileKind::Certificate => public(self.certificate.to_pem()),
            FileKind::Chain => public(pem_of(self.issuers)),
            FileKind::FullChain => public(self.full_chain()),
            FileKind::Der => Zeroizing::new(self.certificate.der().to_vec()),
            FileKind::Key => {
                let KeyOutput {
                    key, protection, ..
                } = self.key("key file")?;
                protection.to_pem(key).map_err(KeyUseError::Encoding)?
            }
            FileKind::Pkcs12(strength) => self.pkcs12(strength)?,
            FileKind::Secret => self.secret()?,
        })
    }

    /// Returns the key, or an error for a file that needs it.
    fn key(&self, what: &'static str) -> Result<&KeyOutput<'_>, CaError> {
        self.key.ok_or(ExportError::KeyNeeded { what }.into())
    }

    fn full_chain(&self) -> String {
        let below_root = &self.issuers[..self.issuers.len().saturating_sub(1)];
        self.certificate.to_pem() + &pem_of(below_root)
    }

    fn pkcs12(&self, strength: Strength) -> Result<Zeroizing<Vec<u8>>, CaError> {
        let KeyOutput {
            key,
            protection,
            passphrase,
        } = self.key("PKCS #12 file")?;
        let (Some(passphrase), Protection::Passphrase(derived)) = (passphrase, protection) else {
            return Err(KeyUseError::Encoding(KeyError::Unprotected).into());
        };
        let certificates: Vec<&[u8]> = std::iter::once(self.certificate)
            .chain(self.issuers)
            .map(Certificate::der)
            .collect();
        let entry = KeyEntry {
            name: self.name,
            key,
            for_java: strength == Strength::Java,
            certificates: &certificates,
        };
        let encryption = match strength {
            Strength::Modern | Strength::Java => Encryption::Modern(derived),
            Strength::Compatible => Encryption::Compatible,
        };
        let file = pkcs12::key_store(&entry, passphrase, encryption);
        Ok(file.map(Zeroizing::new).map_err(KeyUseError::Encoding)?)
    }

    fn secret(&self) -> Result<Zeroizing<Vec<u8>>, CaError> {
        let KeyOutput { key, .. } = self.key("Secret")?;
        let root = self.issuers.last().unwrap_or(self.certificate);
        let secret = TlsSecret {
            name: &secret_name(self.name)?,
            ca: &root.to_pem(),
            certificate: &self.full_chain(),
            key: &Protection::None
                .to_pem(key)
                .map_err(KeyUseError::Encoding)?,
        };
        Ok(secret.manifest())
    }
}

fn pem_of(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}

fn filled(mut file: Staged, content: &[u8]) -> Result<Staged, FileError> {
    match file.write_all(content) {
        Ok(()) => Ok(file),
        Err(source) => Err(FileError {
            operation: "write",
            path: file.path().to_owned(),
            source,
        }),
    }
}

/// Refuses a passphrase under which Java does not open a PKCS #12 file.
pub(crate) fn check_for_java(passphrase: &Passphrase) -> Result<(), CaError> {
    if passphrase.is_printable_ascii() {
        return Ok(());
    }
    Err(ExportError::NotTaken {
        party: "Java",
        what: "a passphrase with other characters than the printable ones of ASCII".into(),
    }
    .into())
}
