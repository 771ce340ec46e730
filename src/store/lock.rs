//! Locks between processes: advisory, and gone with the process that held them.

use super::error::{FileError, StoreError};
use super::file::{self, Access};
use super::{Notice, Operator};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

/// Time after which a writer says that it waits, and after which it gives up.
const SAY_AFTER: Duration = Duration::from_secs(1);
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

/// Holders of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// A single process.
    Alone,
    /// All that want it so.
    Shared,
}

/// Lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock, with a notice, up to a minute.
    pub(crate) fn acquire(path: &Path, operator: &Operator) -> Result<Self, StoreError> {
        wait(open(path)?, Sharing::Alone, path, operator)
    }

    /// Waits for a lock on a directory that only its owner can open, alone or with others that want it so.
    pub(crate) fn of_directory(
        path: &Path,
        sharing: Sharing,
        operator: &Operator,
    ) -> Result<Self, StoreError> {
        let directory = File::open(path).map_err(FileError::of("open", path))?;
        file::keep_others_out(&directory).map_err(FileError::of("open", path))?;
        wait(directory, sharing, path, operator)
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_acquire(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = open(path)?;
        match try_lock(&file, Sharing::Alone) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(FileError::of("lock", path)(error).into()),
        }
    }
}

/// Opens a lock file, which others than its owner cannot open: a user who can open it can lock it. It stays when
/// a lock is released: removing it would let two processes each hold a lock on a file of that name.
fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let lock = match file::open_own(path, options.mode(Access::Owner.mode())) {
        // What changes nothing, as a backup, works here too: to be locked, it may be opened to be read.
        Err(error) if error.source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            file::open_own(path, OpenOptions::new().read(true)).map_err(|_| error)?
        }
        other => other?,
    };
    file::keep_others_out(&lock).map_err(FileError::of("open", path))?;
    Ok(lock)
}

fn wait(
    file: File,
    sharing: Sharing,
    path: &Path,
    operator: &Operator,
) -> Result<Lock, StoreError> {
    let receiver = wait_for_lock(file, sharing);
    let locked = receiver.recv_timeout(SAY_AFTER).or_else(|_| {
        operator.tell(&Notice::Waiting { path: path.into() });
        receiver.recv_timeout(GIVE_UP_AFTER.saturating_sub(SAY_AFTER))
    });
    match locked {
        Ok(locked) => Ok(Lock {
            _file: locked.map_err(FileError::of("lock", path))?,
        }),
        Err(_) => Err(StoreError::Locked {
            path: path.into(),
            seconds: GIVE_UP_AFTER.as_secs(),
        }),
    }
}

/// Sends the file when it is locked. If it is not free now a thread waits in the kernel, which hands the
/// lock over without a delay; a thread that waits in vain ends with the process.
fn wait_for_lock(file: File, sharing: Sharing) -> mpsc::Receiver<io::Result<File>> {
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more where a wait was given up.
    match try_lock(&file, sharing) {
        Ok(()) => drop(sender.send(Ok(file))),
        Err(TryLockError::Error(error)) => drop(sender.send(Err(error))),
        Err(TryLockError::WouldBlock) => drop(thread::spawn(move || {
            let locked = lock(&file, sharing).map(|()| file);
            drop(sender.send(locked));
        })),
    }
    receiver
}

/// Waits for a lock. A signal that the process survives ends no wait.
fn lock(file: &File, sharing: Sharing) -> io::Result<()> {
    loop {
        let locked = match sharing {
            Sharing::Alone => file.lock(),
            Sharing::Shared => file.lock_shared(),
        };
        match locked {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn try_lock(file: &File, sharing: Sharing) -> Result<(), TryLockError> {
    loop {
        let locked = match sharing {
            Sharing::Alone => file.try_lock(),
            Sharing::Shared => file.try_lock_shared(),
        };
        match locked {
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
