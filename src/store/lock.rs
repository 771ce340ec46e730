//! Locks between processes: advisory, and gone with the process that held them.

use super::Notice;
use super::Observer;
use super::error::{FileError, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a writer waits before it says so, and before it gives up.
const SAY_AFTER: Duration = Duration::from_secs(1);
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock, with a notice, up to a minute.
    pub(crate) fn acquire(path: &Path, observer: &Observer) -> Result<Self, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => wait(file, path, observer),
            Err(TryLockError::Error(error)) => Err(FileError::of("lock", path)(error).into()),
        }
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_acquire(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(FileError::of("lock", path)(error).into()),
        }
    }
}

/// The lock file stays when a lock is released: removing it would let two processes each hold a
/// lock on a file of that name.
fn open(path: &Path) -> Result<File, StoreError> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    Ok(opened.map_err(FileError::of("open", path))?)
}

/// A thread waits in the kernel, which hands the lock over without a delay; it ends with the process
/// where it waits in vain.
fn wait(file: File, path: &Path, observer: &Observer) -> Result<Lock, StoreError> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        let _ = sender.send(locked);
    });
    let locked = receiver.recv_timeout(SAY_AFTER).or_else(|_| {
        observer(&Notice::Waiting {
            path: path.to_owned(),
        });
        receiver.recv_timeout(GIVE_UP_AFTER.saturating_sub(SAY_AFTER))
    });
    match locked {
        Ok(locked) => Ok(Lock {
            _file: locked.map_err(FileError::of("lock", path))?,
        }),
        Err(_) => Err(StoreError::Locked {
            path: path.to_owned(),
            seconds: GIVE_UP_AFTER.as_secs(),
        }),
    }
}
