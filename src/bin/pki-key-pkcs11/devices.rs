//! Modules and tokens that requests name by URIs.

use crate::message::Code;
use crate::module::{Module, path_for};
use crate::objects::{ambiguous_key, find_keys, not_found, pin_required};
use crate::problem::{Failure, Result};
use crate::token::Token;
use crate::uri::Uri;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Token that holds the key of a URI.
pub(crate) struct Holder {
    pub(crate) token: Arc<Token>,
    pub(crate) uri: Uri,
}

pub(crate) struct Devices {
    /// Module for URIs that name none.
    default: Option<PathBuf>,
    modules: Mutex<HashMap<PathBuf, Arc<Module>>>,
    /// Holders that were found, by the text of the URI.
    holders: Mutex<HashMap<String, Arc<Holder>>>,
}

impl Devices {
    pub(crate) fn new(default: Option<PathBuf>) -> Self {
        Self {
            default,
            modules: Mutex::default(),
            holders: Mutex::default(),
        }
    }

    /// Returns the tokens that a URI fits; there is at least one.
    pub(crate) fn tokens(&self, uri: &Uri) -> Result<Vec<Arc<Token>>> {
        let path = path_for(uri, self.default.as_deref())?;
        let tokens = self.module(path)?.tokens(uri)?;
        if tokens.is_empty() {
            let message = "no token that fits the key URI is there";
            return Err(Failure::new(Code::Absent, message));
        }
        Ok(tokens)
    }

    /// Returns the tokens of the module that a URI names, also those that it does not fit.
    pub(crate) fn all_tokens(&self, uri: &Uri) -> Result<Vec<Arc<Token>>> {
        self.tokens(&Uri {
            module_path: uri.module_path.clone(),
            module_name: uri.module_name.clone(),
            ..Uri::default()
        })
    }

    fn module(&self, path: PathBuf) -> Result<Arc<Module>> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(&path) {
            return Ok(module.clone());
        }
        let module = Arc::new(Module::load(&path)?);
        modules.insert(path, module.clone());
        Ok(module)
    }

    /// Returns the one token that a URI fits. A PIN goes to no other, and a key is made in no other.
    pub(crate) fn token(&self, uri: &Uri) -> Result<Arc<Token>> {
        let mut tokens = self.tokens(uri)?;
        match tokens.len() {
            1 => Ok(tokens.remove(0)),
            several => {
                let message = format!("the key URI fits {several} tokens: add ;serial= or ;token=");
                Err(Failure::new(Code::KeyAmbiguous, message))
            }
        }
    }

    /// Returns the token that holds the key of a URI; a token that is the only one is not searched.
    pub(crate) fn holder(&self, text: &str) -> Result<Arc<Holder>> {
        let holders = || self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(holder) = holders().get(text) {
            return Ok(holder.clone());
        }
        let uri = Uri::parse(text)?;
        let token = match &self.tokens(&uri)?[..] {
            [token] => token.clone(),
            several => searched(several, &uri)?,
        };
        let holder = Arc::new(Holder { token, uri });
        holders().insert(text.to_owned(), holder.clone());
        Ok(holder)
    }

    /// Looks for the holder anew next time: another token may fit.
    pub(crate) fn forget(&self, text: &str) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.remove(text);
    }

    pub(crate) fn finish(self) {
        drop(self.holders);
        let modules = self.modules.into_inner();
        for (_, module) in modules.unwrap_or_else(PoisonError::into_inner) {
            if let Some(module) = Arc::into_inner(module) {
                module.finish();
            }
        }
    }
}

/// The one token of several that has a key which fits.
fn searched(tokens: &[Arc<Token>], uri: &Uri) -> Result<Arc<Token>> {
    let mut holders = Vec::new();
    for token in tokens {
        let count = token.with(|leased| Ok(find_keys(&leased.session, uri)?.len()))?;
        holders.extend(std::iter::repeat_n(token, count));
    }
    match holders[..] {
        [token] => Ok(token.clone()),
        [] if tokens.iter().any(|token| token.is_locked()) => Err(pin_required()),
        [] => Err(not_found()),
        [first, ..] if holders.iter().all(|other| Arc::ptr_eq(first, other)) => Ok(first.clone()),
        _ => Err(ambiguous_key(holders.len())),
    }
}
