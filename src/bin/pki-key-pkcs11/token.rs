//! Tokens: their sessions, and who is logged in.

mod login;

pub(crate) use login::Credential;

use crate::message::Code;
use crate::module::{fits, trimmed};
use crate::objects::{SigningKey, not_found, pin_required};
use crate::problem::{Failure, Result};
use crate::uri::Uri;
use cryptoki::context::{Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::Session;
use cryptoki::slot::{Limit, Slot, TokenInfo};
use login::{is_user, log_in_again};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Most sessions of a token, and requests that are worked on at a time.
pub(crate) const MOST_SESSIONS: u32 = 8;

/// Fields by which a token is found again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) label: String,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) serial: String,
}

impl Identity {
    pub(crate) fn of(info: &TokenInfo) -> Self {
        let field = |text| trimmed(text).to_owned();
        Self {
            label: field(info.label()),
            manufacturer: field(info.manufacturer_id()),
            model: field(info.model()),
            serial: field(info.serial_number()),
        }
    }

    pub(crate) fn fits(&self, uri: &Uri) -> bool {
        fits(uri.token.as_ref(), &self.label)
            && fits(uri.manufacturer.as_ref(), &self.manufacturer)
            && fits(uri.model.as_ref(), &self.model)
            && fits(uri.serial.as_ref(), &self.serial)
    }
}

pub(crate) struct Token {
    client: Pkcs11,
    pub(crate) identity: Identity,
    pub(crate) needs_login: bool,
    /// Whether the PIN is typed at the token.
    has_pad: bool,
    pool: Mutex<Pool>,
    returned: Condvar,
}

/// Sessions of a token.
struct Pool {
    slot: Slot,
    idle: Vec<Leased>,
    /// Number of sessions of this epoch, idle or not.
    open: usize,
    limit: usize,
    /// Number of times that all sessions were given up.
    epoch: u64,
    credential: Option<Arc<Credential>>,
}

impl Pool {
    /// Ends the epoch. Sessions that are in use are not closed later: a new one may have the same number.
    fn give_up_sessions(&mut self) {
        for leased in self.idle.drain(..) {
            let _ = leased.session.close();
        }
        self.open = 0;
        self.epoch += 1;
    }
}

/// Session, with the keys that were found in it by their URIs.
pub(crate) struct Leased {
    pub(crate) session: Session,
    pub(crate) keys: HashMap<String, SigningKey>,
    epoch: u64,
}

impl Token {
    pub(crate) fn new(client: Pkcs11, slot: Slot, identity: Identity, info: &TokenInfo) -> Self {
        let most = MOST_SESSIONS as usize;
        let limit = match info.max_session_count() {
            Limit::Max(count) => usize::try_from(count).map_or(most, |count| count.clamp(1, most)),
            Limit::Unavailable | Limit::Infinite => most,
        };
        Self {
            client,
            identity,
            needs_login: info.login_required(),
            has_pad: info.protected_authentication_path(),
            pool: Mutex::new(Pool {
                slot,
                idle: Vec::new(),
                open: 0,
                limit,
                epoch: 0,
                credential: None,
            }),
            returned: Condvar::new(),
        }
    }

    pub(crate) fn is_in(&self, slot: Slot) -> bool {
        self.pool().slot == slot
    }

    /// Returns whether its private keys are out of reach.
    pub(crate) fn is_locked(&self) -> bool {
        self.needs_login && self.credential().is_none()
    }

    pub(crate) fn credential(&self) -> Option<Arc<Credential>> {
        self.pool().credential.clone()
    }

    /// Says why no private key is found in a session.
    pub(crate) fn missing(&self, session: &Session) -> Failure {
        if self.is_locked() {
            return pin_required();
        }
        let is_user = is_user(session).unwrap_or(true);
        if self.needs_login && !is_user {
            // Somebody ended the login: renewing it may help.
            return Error::Pkcs11(RvError::UserNotLoggedIn, Function::FindObjects).into();
        }
        not_found()
    }

    /// Works with a session; once more if renewing it may help.
    pub(crate) fn with<T>(&self, work: impl Fn(&mut Leased) -> Result<T>) -> Result<T> {
        let epoch = self.pool().epoch;
        let mut leased = match self.lease() {
            Err(failure) if failure.lost_sessions() => {
                self.reopen(epoch, None)?;
                self.lease()?
            }
            leased => leased?,
        };
        let mut outcome = work(&mut leased);
        if let Err(failure) = &outcome
            && failure.is_stale()
        {
            leased = self.renewed(leased, failure)?;
            outcome = work(&mut leased);
        }
        let is_usable = !matches!(outcome, Err(Failure::Module(_)));
        self.give_back(leased, is_usable);
        outcome
    }

    /// Finds a token that was removed and is back, and logs in to it.
    fn check_session(&self) -> Result<()> {
        self.with(|leased| Ok(leased.session.get_session_info().map(drop)?))
    }

    /// Takes an idle session, opens one, or waits for one.
    fn lease(&self) -> Result<Leased> {
        let mut pool = self.pool();
        loop {
            if let Some(leased) = pool.idle.pop() {
                return Ok(leased);
            }
            if pool.open < pool.limit {
                match self.open(&mut pool) {
                    Err(failure) if failure.is(&[RvError::SessionCount]) && pool.open > 0 => {
                        pool.limit = pool.open;
                    }
                    opened => return opened,
                }
            } else {
                let waiting = self.returned.wait(pool);
                pool = waiting.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn open(&self, pool: &mut Pool) -> Result<Leased> {
        let session = self.client.open_ro_session_no_drop(pool.slot)?;
        if let Err(failure) = log_in_again(&session, pool) {
            let _ = session.close();
            return Err(failure);
        }
        pool.open += 1;
        Ok(Leased {
            session,
            keys: HashMap::new(),
            epoch: pool.epoch,
        })
    }

    fn give_back(&self, leased: Leased, is_usable: bool) {
        let mut pool = self.pool();
        if leased.epoch == pool.epoch {
            if is_usable {
                pool.idle.push(leased);
            } else {
                pool.open -= 1;
                let _ = leased.session.close();
            }
        }
        self.returned.notify_one();
    }

    /// Session for a second attempt, after a failure that is stale.
    fn renewed(&self, mut leased: Leased, failure: &Failure) -> Result<Leased> {
        if failure.lost_sessions() {
            self.reopen(leased.epoch, Some(leased.session))?;
            return self.lease();
        }
        leased.keys.clear();
        let login = log_in_again(&leased.session, &mut self.pool());
        match login {
            Ok(()) => Ok(leased),
            Err(failure) => {
                self.give_back(leased, false);
                Err(failure)
            }
        }
    }

    /// Gives up the sessions of an epoch, unless another thread did, and looks for the token again.
    fn reopen(&self, epoch: u64, last: Option<Session>) -> Result<()> {
        let mut pool = self.pool();
        if pool.epoch == epoch {
            let _ = last.map(Session::close);
            pool.give_up_sessions();
            self.returned.notify_all();
            pool.slot = self.present_slot(pool.slot)?;
        }
        Ok(())
    }

    /// Slot in which the token is now.
    fn present_slot(&self, before: Slot) -> Result<Slot> {
        let mut slots = self.client.get_slots_with_token()?;
        slots.sort_by_key(|slot| *slot != before);
        let is_here = |slot: &Slot| {
            let info = self.client.get_token_info(*slot);
            info.is_ok_and(|info| Identity::of(&info) == self.identity)
        };
        slots.into_iter().find(is_here).ok_or_else(|| {
            let message = format!("the token {} is not there", self.identity.label);
            Failure::new(Code::Absent, message)
        })
    }

    /// Works with a session that may write, and is logged in. No other session is in use meanwhile.
    pub(crate) fn with_writer<T>(&self, work: impl Fn(&Session) -> Result<T>) -> Result<T> {
        self.check_session()?;
        let writer = self.writer()?;
        work(&writer)
    }

    fn writer(&self) -> Result<Session> {
        let mut pool = self.pool();
        let mut writer = self.client.open_rw_session(pool.slot);
        if matches!(writer, Err(Error::Pkcs11(RvError::SessionCount, _))) {
            pool.give_up_sessions();
            writer = self.client.open_rw_session(pool.slot);
        }
        let writer = writer?;
        log_in_again(&writer, &mut pool)?;
        Ok(writer)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
