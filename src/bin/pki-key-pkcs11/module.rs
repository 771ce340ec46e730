//! PKCS #11 modules: which one, loaded and initialized once.

use crate::message::Code;
use crate::problem::{Failure, Result, name_of};
use crate::token::{Identity, Token};
use crate::uri::Uri;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::{Slot, TokenInfo};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Directory of the system's libraries. Modules are in it, or one or two directories below.
const LIBRARIES: [&str; 3] = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];

/// Module that offers the tokens of all modules that the system knows.
const PROXY: &str = "p11-kit-proxy";

/// Returns the path of the module: the URI's, else `otherwise`, else p11-kit's.
pub(crate) fn path_for(uri: &Uri, otherwise: Option<&Path>) -> Result<PathBuf> {
    let absent = |message: String| Failure::new(Code::InvalidUri, message);
    match (&uri.module_path, &uri.module_name) {
        (Some(path), Some(name)) if path.is_dir() => file_named(name, std::slice::from_ref(path))
            .ok_or_else(|| absent(format!("{} has no module {name}", path.display()))),
        (Some(path), _) => Ok(path.clone()),
        (None, Some(name)) => installed(name)
            .ok_or_else(|| absent(format!("the PKCS #11 module {name} is not installed"))),
        (None, None) => match otherwise {
            Some(path) => named(path),
            None => installed(PROXY).ok_or_else(|| {
                absent(
                    "no PKCS #11 module is named: add ?module-path=/PATH/OF/THE/MODULE.so to the key URI, \
                     or set PKI_PKCS11_MODULE"
                        .into(),
                )
            }),
        },
    }
}

/// Path, or name without a slash, that the user gave.
fn named(given: &Path) -> Result<PathBuf> {
    match given.to_str() {
        Some(name) if !name.contains('/') => installed(name).ok_or_else(|| {
            let message = format!("the PKCS #11 module {name} is not installed");
            Failure::new(Code::Failed, message)
        }),
        _ => Ok(given.to_owned()),
    }
}

fn installed(name: &str) -> Option<PathBuf> {
    let directories = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries.map(|entry| entry.path()).collect();
        found.retain(|path| path.is_dir());
        found.sort();
        found
    };
    LIBRARIES.iter().map(Path::new).find_map(|libraries| {
        let below = directories(libraries);
        let modules = below.iter().map(|path| path.join("pkcs11"));
        let all: Vec<_> = std::iter::once(libraries.into())
            .chain(below.iter().cloned())
            .chain(modules)
            .collect();
        file_named(name, &all)
    })
}

/// File of a module in the first directory that has it.
fn file_named(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let names = [format!("{name}.so"), format!("lib{name}.so")];
    let candidates = directories
        .iter()
        .flat_map(|directory| names.iter().map(|name| directory.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}

type Present = (Slot, Identity, TokenInfo);

/// Loaded module.
pub(crate) struct Module {
    client: Pkcs11,
    tokens: Mutex<Vec<Arc<Token>>>,
}

impl Module {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let failed = |why: String| {
            let message = format!("the PKCS #11 module {} {why}", path.display());
            Failure::new(Code::Failed, message)
        };
        if !path.is_file() {
            let message = format!("the PKCS #11 module {} is not a file", path.display());
            return Err(Failure::new(Code::InvalidUri, message));
        }
        let client = Pkcs11::new(path).map_err(|error| match error {
            Error::LibraryLoading(error) => failed(format!("cannot be loaded: {error}")),
            error => failed(format!("cannot be loaded: {error}")),
        })?;
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match client.initialize(arguments) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(Error::Pkcs11(value, _)) => {
                let name = name_of(value);
                return Err(failed(format!("cannot be initialized: {name}")));
            }
            Err(error) => return Err(failed(format!("cannot be initialized: {error}"))),
        }
        Ok(Self {
            client,
            tokens: Mutex::default(),
        })
    }

    /// Returns the initialized tokens that a URI fits.
    pub(crate) fn tokens(&self, uri: &Uri) -> Result<Vec<Arc<Token>>> {
        if !self.library_fits(uri)? {
            return Ok(Vec::new());
        }
        let (present, unreadable) = self.present()?;
        let fitting = present
            .iter()
            .filter(|(slot, identity, _)| self.slot_fits(*slot, uri) && identity.fits(uri));
        let mut known = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = fitting.map(|(slot, identity, info)| {
            let alike = present.iter().filter(|(_, other, _)| other == identity);
            let is_unique = alike.count() == 1;
            let is_same = |token: &&Arc<Token>| {
                token.identity == *identity && (is_unique || token.is_in(*slot))
            };
            let same = known.iter().find(is_same);
            same.cloned().unwrap_or_else(|| {
                let new = Token::new(self.client.clone(), *slot, identity.clone(), info);
                known.push(Arc::new(new));
                known[known.len() - 1].clone()
            })
        });
        let tokens: Vec<_> = tokens.collect();
        match unreadable {
            Some(failure) if tokens.is_empty() => Err(failure),
            _ => Ok(tokens),
        }
    }

    /// Initialized tokens, and why one of them cannot be used. A token that is removed meanwhile is not there.
    fn present(&self) -> Result<(Vec<Present>, Option<Failure>)> {
        let (mut present, mut unreadable) = (Vec::new(), None);
        for slot in self.client.get_slots_with_token()? {
            match self.client.get_token_info(slot) {
                Ok(info) if info.token_initialized() => {
                    present.push((slot, Identity::of(&info), info));
                }
                Ok(_) | Err(Error::Pkcs11(..)) => {}
                // A clock that is not as the standard has it, for one.
                Err(error) => {
                    let message = format!(
                        "the PKCS #11 module gives malformed information of the token in slot {slot}: {error}"
                    );
                    unreadable = Some(Failure::new(Code::Unsupported, message));
                }
            }
        }
        Ok((present, unreadable))
    }

    fn library_fits(&self, uri: &Uri) -> Result<bool> {
        let wanted = [
            &uri.library_manufacturer,
            &uri.library_description,
            &uri.library_version,
        ];
        if wanted.iter().all(|wanted| wanted.is_none()) {
            return Ok(true);
        }
        let info = self.client.get_library_info()?;
        let version = info.library_version().to_string();
        let major = info.library_version().major().to_string();
        let is_version = |wanted: &[u8]| {
            wanted == version.as_bytes()
                || info.library_version().minor() == 0 && wanted == major.as_bytes()
        };
        Ok(
            fits(uri.library_manufacturer.as_ref(), info.manufacturer_id())
                && fits(uri.library_description.as_ref(), info.library_description())
                && uri.library_version.as_deref().is_none_or(is_version),
        )
    }

    fn slot_fits(&self, slot: Slot, uri: &Uri) -> bool {
        if uri.slot_id.is_some_and(|id| id != slot.id()) {
            return false;
        }
        if uri.slot_description.is_none() && uri.slot_manufacturer.is_none() {
            return true;
        }
        self.client.get_slot_info(slot).is_ok_and(|info| {
            fits(uri.slot_description.as_ref(), info.slot_description())
                && fits(uri.slot_manufacturer.as_ref(), info.manufacturer_id())
        })
    }

    /// Ends all sessions and the use of the module.
    pub(crate) fn finish(self) {
        drop(self.tokens);
        let _ = self.client.clone().finalize();
        // The library stays loaded until the process ends: some modules have handlers that run at its end.
        std::mem::forget(self.client);
    }
}

/// Returns whether a field of fixed length is the one that a URI asks for.
pub(crate) fn fits(wanted: Option<&Vec<u8>>, field: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == trimmed(field).as_bytes())
}

/// Text of a field of fixed length. Some modules fill it with NUL.
pub(crate) fn trimmed(field: &str) -> &str {
    field.trim_end_matches([' ', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_the_uri_comes_first() {
        let uri = Uri {
            module_path: Some("/of/the/uri.so".into()),
            ..Uri::default()
        };
        let other = Path::new("/other.so");
        assert_eq!(
            path_for(&uri, Some(other)).unwrap(),
            Path::new("/of/the/uri.so")
        );
        assert_eq!(path_for(&Uri::default(), Some(other)).unwrap(), other);
    }

    #[test]
    fn a_module_that_is_not_installed_is_named() {
        let uri = Uri {
            module_name: Some("no-such-module".into()),
            ..Uri::default()
        };
        let problem = path_for(&uri, None).unwrap_err().into_problem();
        assert_eq!(problem.code, Code::InvalidUri);
        assert!(problem.message.contains("no-such-module"));
    }

    #[test]
    fn fields_are_compared_without_their_padding() {
        assert!(fits(None, "anything"));
        assert!(fits(Some(&b"root".to_vec()), "root  \0"));
        assert!(!fits(Some(&b"root".to_vec()), "roots"));
        assert!(fits(Some(&Vec::new()), "   "));
    }
}
