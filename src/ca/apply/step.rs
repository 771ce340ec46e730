//! Steps: one for each thing that a declaration names.

use crate::ca::apply::kind::Kind;
use crate::ca::notice::Notice;
use crate::store::CaName;
use crate::x509::Serial;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: it is as it should be.
    Keep,
    Make,
    /// A certificate is issued where there was none.
    Issue,
    /// A certificate is issued because the entry says something else now.
    Reissue,
    /// A certificate is issued because the one before ends soon.
    Renew,
    /// Files are written; nothing is signed.
    Write,
    Revoke,
    Sign,
    /// Nothing, although no entry asks for it any more.
    Leave,
}

impl Action {
    /// The name by which reports speak of it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Make => "make",
            Self::Issue => "issue",
            Self::Reissue => "reissue",
            Self::Renew => "renew",
            Self::Write => "write",
            Self::Revoke => "revoke",
            Self::Sign => "sign",
            Self::Leave => "leave",
        }
    }

    /// Returns whether something changes.
    pub(crate) fn is_change(self) -> bool {
        !matches!(self, Self::Keep | Self::Leave)
    }

    /// Returns whether a certificate is issued.
    pub(crate) fn issues(self) -> bool {
        matches!(self, Self::Issue | Self::Reissue | Self::Renew)
    }
}

/// Step about one thing, done or planned.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    /// Name in the declaration.
    pub(crate) name: String,
    /// The CA of a certificate, or the one above a CA.
    pub(crate) ca: Option<CaName>,
    pub(crate) reason: Option<String>,
    pub(crate) serial: Option<Serial>,
    /// Kind and path of the files that there are of it.
    pub(crate) files: Vec<(&'static str, PathBuf)>,
    pub(crate) notices: Vec<Notice>,
}

impl Step {
    pub(crate) fn new(action: Action, kind: Kind, name: impl Into<String>) -> Self {
        Self {
            action,
            kind,
            name: name.into(),
            ca: None,
            reason: None,
            serial: None,
            files: Vec::new(),
            notices: Vec::new(),
        }
    }

    pub(crate) fn of_ca(self, ca: Option<&CaName>) -> Self {
        Self {
            ca: ca.cloned(),
            ..self
        }
    }

    pub(crate) fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }

    pub(crate) fn about(self, serial: Option<Serial>) -> Self {
        Self { serial, ..self }
    }

    pub(crate) fn with_files(self, files: Vec<(&'static str, PathBuf)>) -> Self {
        Self { files, ..self }
    }

    pub(crate) fn saying(self, notices: Vec<Notice>) -> Self {
        Self { notices, ..self }
    }
}
