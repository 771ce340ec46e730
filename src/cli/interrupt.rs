//! Ctrl-C and SIGTERM, for commands that stop at the next place where nothing is half done.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the user wants the command to stop.
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on one signal is noted, and the next ends the process.
    pub(super) fn noted() -> io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            register_conditional_default(signal, flag.clone())?;
            register(signal, flag.clone())?;
        }
        Ok(Self(flag))
    }

    /// Whether there was one.
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
