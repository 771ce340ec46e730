//! Hints about the store, files and keys.

use crate::key::KeyError;
use crate::store::file::Suspect;
use crate::store::{CaName, FileError, StoreError};
use rustix::io::Errno;
use std::io;

pub(super) fn store_hint(error: &StoreError) -> Option<String> {
    Some(match error {
        StoreError::NoStore { .. } => {
            "`pki root --name NAME` makes a store and a root CA in it; --store or PKI_STORE names another place".into()
        }
        StoreError::Undecided { .. } => {
            "see to the disk; what `pki list` shows then is what stands".into()
        }
        StoreError::NotAStore { .. } => "name an empty or new folder with --store".into(),
        StoreError::NotEmpty { .. } => "a backup is restored into a new or empty folder: name one with --store".into(),
        StoreError::BadArchive { .. } => "nothing was restored; what the command backup wrote is taken as it is, to the byte".into(),
        StoreError::NoFixtureStore { .. } => FIXTURE_STORE.into(),
        StoreError::Newer { .. } => "use the version of pki that wrote it, or a newer one".into(),
        StoreError::Damaged { .. } | StoreError::RevocationsLost { .. } => "`pki check` finds what else is damaged; restore the file from a backup; nothing was changed".into(),
        StoreError::NoSuchCa { known, .. } if known.is_empty() => "`pki root --name NAME` makes one".into(),
        StoreError::NoSuchCa { known, .. } => {
            let names: Vec<_> = known.iter().map(CaName::as_str).collect();
            format!("the store has {}", names.join(", "))
        }
        StoreError::CaPending { name } => format!(
            "`pki subordinate --name {name} --install CERT --chain FILE` installs it; --request FILE writes the request again"
        ),
        StoreError::NotPending { is_there: true, .. } => {
            "it has one; `pki tree` shows the CAs, and which of them wait".into()
        }
        StoreError::NotPending { name, .. } => format!(
            "`pki subordinate --name {name} --request FILE` makes its key and a request"
        ),
        StoreError::CaExists { .. } => "choose another name with --name".into(),
        StoreError::Locked { .. } => "try again when the other process is done; `fuser` on the file names it".into(),
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
        Some(Suspect::IntoStore) => return Some("name another --out, or remove the link".into()),
        Some(_) => {
            let hint = "find out who put it there; remove it, or put the file or directory itself in its place";
            return Some(hint.into());
        }
        None => {}
    }
    if error.source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return Some("symbolic links lead in a circle: remove one, or name another path".into());
    }
    match error.source.kind() {
        io::ErrorKind::NotADirectory => Some("name another folder".into()),
        io::ErrorKind::AlreadyExists => Some("give another place, or --force to replace it".into()),
        io::ErrorKind::PermissionDenied => {
            Some("check the permissions of the folder and of the file".into())
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("make room and try again".into())
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            Some("mount it so that it can be written, or name another place".into())
        }
        // The system says so; of what is too large to be read, nobody is to raise a limit.
        io::ErrorKind::FileTooLarge if error.source.raw_os_error().is_some() => {
            Some("raise the limit on the size of files: `ulimit -f`".into())
        }
        _ => None,
    }
}

pub(super) const FIXTURE_STORE: &str = "a store is one from its beginning or never: name a new folder with --store, and make its first root with --fixture";

/// Hints for encryption that is not supported.
const ENCRYPT_KEY_ANEW: &str = "encrypt it anew with `openssl pkcs8 -topk8`; what is older than 3DES needs `-provider legacy -provider default` there";
pub(super) const ENCRYPT_TRUST_STORE_ANEW: &str = "`keytool -importkeystore` writes one anew";

pub(super) const RIGHT_PASSPHRASE: &str =
    "give the right one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE";
/// The same of keys in a store, whose CAs may have passphrases of their own.
const RIGHT_PASSPHRASE_OF_CA: &str = "give the right one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or that of one CA with --passin NAME=SRC";

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
