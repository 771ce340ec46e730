//! Hints about the store, published files and keys.

use crate::ca::{OcspError, RepositoryError};
use crate::key::KeyError;
use crate::store::file::Suspect;
use crate::store::{CaName, FileError, Found, StoreError};
use rustix::io::Errno;
use std::io;

pub(super) fn store_hint(error: &StoreError) -> Option<String> {
    Some(match error {
        StoreError::NoStore { .. } => {
            "create one with `pki root --name NAME`, or name an existing store with --store or PKI_STORE".into()
        }
        StoreError::Undecided { source, .. } if source.is::<postgres::Error>() => {
            "the connection was lost; `pki list` shows which records exist".into()
        }
        StoreError::Undecided { .. } => {
            "check the disk; then `pki list` shows which records exist".into()
        }
        StoreError::Address(_) => "write it as postgres://USER@HOST/DATABASE?sslrootcert=FILE".into(),
        StoreError::Connection { .. } => "check the URL, and that the server accepts the user".into(),
        StoreError::Tls { .. } => {
            "name the CA of the server with sslrootcert=FILE; without TLS, sslmode=disable".into()
        }
        StoreError::Unsuitable { .. } => "change the settings of the server, the database or the user".into(),
        StoreError::NotInDatabase { .. } => "nothing was changed; use a store in a directory for this".into(),
        StoreError::Overtaken { .. } => "nothing was changed; run the command again".into(),
        StoreError::LeaseLost { .. } => "no CRL was published; run the command again".into(),
        StoreError::Database { .. } | StoreError::Randomness => return None,
        StoreError::NotAStore { found, path } => match found {
            Found::File => "use a directory: name it with --store or PKI_STORE, or run pki in another directory".into(),
            Found::EasyRsa => format!("to import it: pki --store DIR import --easy-rsa {path} --name NAME"),
            Found::Files => "use an empty or new directory with --store".into(),
        },
        StoreError::NotEmpty { .. } => "a backup is restored into a new or empty directory: use another --store".into(),
        StoreError::BadArchive { .. } => "nothing was restored; use the file exactly as the command backup wrote it".into(),
        StoreError::NoFixtureStore { .. } => FIXTURE_STORE.into(),
        StoreError::Newer { .. } => "use the version of pki that wrote it, or a newer one".into(),
        StoreError::Damaged { .. } | StoreError::RevocationsLost { .. } => "nothing was changed; restore the file from a backup; `pki check` finds other damage".into(),
        StoreError::NoSuchCa { known, .. } if known.is_empty() => "create one with `pki root --name NAME`".into(),
        StoreError::NoSuchCa { known, .. } => {
            let names: Vec<_> = known.iter().map(CaName::as_str).collect();
            format!("the store has {}", names.join(", "))
        }
        StoreError::CaPending { name } => format!(
            "`pki subordinate --name {name} --install CERT --chain FILE` installs it; --request FILE writes the CSR again"
        ),
        StoreError::NotPending { is_there: true, .. } => {
            "its certificate is installed; `pki tree` shows which CAs are pending".into()
        }
        StoreError::NotPending { name, .. } => format!(
            "`pki subordinate --name {name} --request FILE` makes its key and a CSR"
        ),
        StoreError::CaExists { .. } => "choose another name with --name".into(),
        StoreError::KeysChanged { .. } => "nothing was changed; run the command again with the new passphrase".into(),
        StoreError::CaRemoved { .. } => "its name is not used again; `pki log` shows its records".into(),
        StoreError::Locked { .. } => "try again when the other process is done; `fuser` with the file shows it".into(),
        StoreError::SerialsUsedUp { .. } | StoreError::CrlNumbersUsedUp { .. } => {
            "make a new CA".into()
        }
        StoreError::File(error) => return file_hint(error),
    })
}

pub(super) fn is_into_store(error: &FileError) -> bool {
    matches!(suspect(error), Some(Suspect::IntoStore))
}

fn suspect(error: &FileError) -> Option<&Suspect> {
    error.source.get_ref()?.downcast_ref()
}

pub(super) fn file_hint(error: &FileError) -> Option<String> {
    match suspect(error) {
        Some(Suspect::IntoStore) => return Some("use another --out, or remove the link".into()),
        Some(_) => {
            let hint = "find out who created the link; remove it, or replace it with the file or directory itself";
            return Some(hint.into());
        }
        None => {}
    }
    if error.source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return Some("the symbolic links form a loop: remove one, or use another path".into());
    }
    match error.source.kind() {
        io::ErrorKind::NotADirectory => Some("use another directory".into()),
        io::ErrorKind::AlreadyExists => Some("use another place, or --force to replace it".into()),
        io::ErrorKind::PermissionDenied => {
            Some("check the permissions of the directory and the file".into())
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space and try again".into())
        }
        io::ErrorKind::ResourceBusy => Some("run the command again when it is done".into()),
        io::ErrorKind::ReadOnlyFilesystem => Some("mount it writable, or use another place".into()),
        // The system says so; of what is too large to be read, nobody is to raise a limit.
        io::ErrorKind::FileTooLarge if error.source.raw_os_error().is_some() => {
            Some("raise the limit on the size of files: `ulimit -f`".into())
        }
        _ => None,
    }
}

pub(super) const FIXTURE_STORE: &str = "a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture";

/// Hints for encryption that is not supported.
const ENCRYPT_KEY_ANEW: &str = "encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`";
pub(super) const ENCRYPT_TRUST_STORE_ANEW: &str =
    "write a new one with `keytool -importkeystore` or `openssl pkcs12`";

pub(super) const RIGHT_PASSPHRASE: &str =
    "give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE";
/// The same of keys in a store, whose CAs may have passphrases of their own.
const RIGHT_PASSPHRASE_OF_CA: &str = "give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC";

pub(super) fn key_hint(error: &KeyError) -> Option<String> {
    passphrase_hint(error, RIGHT_PASSPHRASE_OF_CA, ENCRYPT_KEY_ANEW)
}

pub(super) fn passphrase_hint(
    error: &KeyError,
    right_passphrase: &str,
    encrypt_anew: &str,
) -> Option<String> {
    match error {
        KeyError::WrongPassphrase => Some(right_passphrase.into()),
        KeyError::Encryption { .. } => Some(encrypt_anew.to_owned()),
        _ => None,
    }
}

pub(super) fn ocsp_hint(error: &OcspError) -> &'static str {
    match error {
        OcspError::Expired { .. } => "`pki renew` issues its successor",
        OcspError::NoResponder { .. } => "run the command where the CA's key is",
        OcspError::RevokedCa { .. } => "sign with the CA's key: --by-ca",
        OcspError::SamePath { .. } => {
            "answer for this CA with `openssl ocsp`, which reads what --index writes"
        }
        OcspError::Foreign { .. } => "use another directory, or move these files away",
        OcspError::NotADirectory { .. } => "use another directory",
    }
}

pub(super) fn repository_hint(error: &RepositoryError) -> String {
    match error {
        RepositoryError::NoCrl { ca } => format!("sign one: `pki crl --ca {ca}`"),
        RepositoryError::SamePath { .. } => {
            "replace one of the CAs with one that has other URLs: `pki ca rekey --crl-url … --ca-issuers-url …`"
                .into()
        }
        RepositoryError::UnusablePath { .. } => {
            "publish this file by hand, or give the CA another URL".into()
        }
        RepositoryError::Foreign { .. } => "use another directory, or move these files away".into(),
        RepositoryError::NotADirectory { .. } => "use another directory".into(),
    }
}
