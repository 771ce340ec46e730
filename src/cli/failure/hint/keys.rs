//! Hints about keys, in the store and outside.

use super::places::key_hint;
use crate::ca::KeyUseError;
use crate::cli::unavailable::Unavailable;
use crate::key::{Code, HelperError, KeyError};

pub(super) fn key_use_hint(error: &KeyUseError) -> Option<String> {
    match error {
        KeyUseError::Unusable { source, .. } => key_hint(source),
        KeyUseError::NotThere { .. } => Some(
            "check the URI with the tools of the token or service; `pki show --ca NAME` shows it"
                .into(),
        ),
        KeyUseError::OtherType { .. } => Some(
            "leave out --key-type to take the key, or give the URI of a key that is not there yet"
                .into(),
        ),
        KeyUseError::NoPassphrase { source, .. } => source
            .downcast_ref::<Unavailable>()?
            .hint
            .map(str::to_owned),
        KeyUseError::Outside { source, .. } | KeyUseError::Signing(source) => {
            outside_hint(source).map(str::to_owned)
        }
        KeyUseError::Randomness(_) | KeyUseError::Encoding(_) | KeyUseError::Verification(_) => {
            None
        }
    }
}

fn outside_hint(error: &KeyError) -> Option<&'static str> {
    Some(match error {
        KeyError::Helper(error) => match (error, error.code()) {
            (HelperError::NotFound { .. }, _) => {
                "install it in libexec/pki beside the directory of pki, or name its directory in PKI_KEY_HELPERS"
            }
            (HelperError::NoAnswer { .. }, _) => {
                "run the command again; PKI_KEY_TIMEOUT=SECONDS allows more time"
            }
            (_, Some(Code::PinWrong)) => {
                "give the correct PIN with --passin, or for one CA with --passin NAME=SRC; tokens lock after a few wrong ones"
            }
            (_, Some(Code::PinLocked)) => "unlock the token with its own tools",
            (_, Some(Code::Absent)) => {
                "connect the token, or start the service, and run the command again"
            }
            (_, Some(Code::Busy)) => "run the command again when no other program uses the token",
            (_, Some(Code::KeyAmbiguous)) => {
                "add attributes to the URI, such as id, until it fits one key"
            }
            (_, Some(Code::KeyExists)) => "give the URI of a key that is not there yet",
            _ => return None,
        },
        _ => return None,
    })
}
