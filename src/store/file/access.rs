//! Access to a new file, and files that it may replace.

/// Readers of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The owner alone, whatever the umask: private keys, locks.
    Owner,
    /// As the umask says, but for writing the owner alone: the files of the store.
    Store,
    /// As the umask says: results outside of the store.
    Umask,
}

impl Access {
    pub(in crate::store) fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Store => 0o644,
            Self::Umask => 0o666,
        }
    }

    pub(super) fn directory_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Store => 0o755,
            Self::Umask => 0o777,
        }
    }
}

/// Choice of what a new file may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    /// A file, which the new one replaces.
    Replace,
}

impl Existing {
    pub(crate) fn unless(overwrite: bool) -> Self {
        if overwrite { Self::Replace } else { Self::Keep }
    }
}
