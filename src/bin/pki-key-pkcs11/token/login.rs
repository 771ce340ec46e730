//! Logins to a token, and what is kept of them.

use super::{Pool, Token};
use crate::message::Code;
use crate::problem::{Failure, Result};
use cryptoki::error::RvError;
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::types::AuthPin;
use std::sync::Arc;

/// Proof that was accepted, for sessions to come.
pub(crate) enum Credential {
    Pin(AuthPin),
    Pad,
}

impl Credential {
    pub(crate) fn pin(&self) -> Option<&AuthPin> {
        match self {
            Self::Pin(pin) => Some(pin),
            Self::Pad => None,
        }
    }
}

impl Token {
    /// Logs in, once. A token without a login needs none.
    pub(crate) fn log_in(&self, pin: &str) -> Result<()> {
        if !self.is_locked() {
            return self.check_session();
        }
        let credential = if pin.is_empty() && self.has_pad {
            Credential::Pad
        } else if pin.is_empty() {
            return Err(Failure::new(Code::PinWrong, "the PIN is empty"));
        } else {
            Credential::Pin(AuthPin::new(pin.into()))
        };
        self.with(|leased| {
            let outcome = leased.session.login(UserType::User, credential.pin());
            match outcome.map_err(Failure::from) {
                Err(failure) if failure.is(&[RvError::UserAlreadyLoggedIn]) => Ok(()),
                Err(failure) if failure.code() == Code::PinWrong => Err(self.wrong_pin(failure)),
                outcome => outcome,
            }
        })?;
        self.pool().credential = Some(Arc::new(credential));
        Ok(())
    }

    /// Says how many attempts are left, if the token does.
    fn wrong_pin(&self, failure: Failure) -> Failure {
        let Ok(info) = self.client.get_token_info(self.pool().slot) else {
            return failure;
        };
        let label = &self.identity.label;
        if info.user_pin_locked() {
            let message = format!("the PIN of the token {label} was wrong too often and is locked");
            return Failure::new(Code::PinLocked, message);
        }
        let left = if info.user_pin_final_try() {
            "; one attempt is left"
        } else if info.user_pin_count_low() {
            "; few attempts are left"
        } else {
            ""
        };
        Failure::new(
            Code::PinWrong,
            format!("the PIN of the token {label} is wrong{left}"),
        )
    }
}

/// Logs a new session in if the token was logged in to. A PIN that is no longer accepted is forgotten, so that
/// it locks nothing.
pub(super) fn log_in_again(session: &Session, pool: &mut Pool) -> Result<()> {
    let Some(credential) = pool.credential.clone() else {
        return Ok(());
    };
    if is_user(session)? {
        return Ok(());
    }
    let outcome = session.login(UserType::User, credential.pin());
    match outcome.map_err(Failure::from) {
        Err(failure) if failure.is(&[RvError::UserAlreadyLoggedIn]) => Ok(()),
        Err(failure) => {
            if matches!(failure.code(), Code::PinWrong | Code::PinLocked) {
                pool.credential = None;
            }
            Err(failure)
        }
        Ok(()) => Ok(()),
    }
}

pub(super) fn is_user(session: &Session) -> Result<bool> {
    let state = session.get_session_info()?.session_state();
    Ok(matches!(state, SessionState::RoUser | SessionState::RwUser))
}
