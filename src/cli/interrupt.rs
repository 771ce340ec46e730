//! Ctrl-C and other signals that end a process, where more than the process is to be looked after.

use super::output::say;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_usize};
use signal_hook::low_level::{emulate_default_handler, pipe};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::thread;

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
        answer_at_once()?;
        NOTED.store(true, Ordering::SeqCst);
        if let Some(watch) = WATCH.get() {
            watch.ends_at_once.store(false, Ordering::SeqCst);
        }
        Ok(Self(flag))
    }

    /// Returns whether there was one.
    pub(super) fn came(&self) -> bool {
        let came = self.0.load(Ordering::Relaxed);
        if came {
            announce();
        }
        came
    }
}

/// Says that a signal came, although what it ends goes on for a while.
fn answer_at_once() -> io::Result<()> {
    let (mut wakes, wake) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        pipe::register(signal, wake.try_clone()?)?;
    }
    thread::Builder::new().spawn(move || {
        if wakes.read_exact(&mut [0]).is_ok() {
            announce();
        }
    })?;
    Ok(())
}

fn announce() {
    static ANNOUNCED: Once = Once::new();
    ANNOUNCED.call_once(|| {
        say("notice: stopping after the current group; interrupt again to stop at once\n");
    });
}

/// Whether [`Interrupt::noted`] was called.
static NOTED: AtomicBool = AtomicBool::new(false);

/// Signals since the first prompt: a handler stays, so that it has to do what the system does without one.
static WATCH: OnceLock<Watch> = OnceLock::new();

struct Watch {
    /// Whether a signal ends the process in its handler.
    ends_at_once: Arc<AtomicBool>,
    /// The last signal that came.
    came: Arc<AtomicUsize>,
    /// The terminal at which a passphrase is being typed, and its settings before.
    asking: Mutex<Option<(File, Termios)>>,
}

impl Watch {
    fn begin() -> io::Result<&'static Self> {
        if let Some(watch) = WATCH.get() {
            return Ok(watch);
        }
        let ends_at_once = Arc::new(AtomicBool::new(false));
        let came = Arc::new(AtomicUsize::new(0));
        let (mut wakes, wake) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGQUIT] {
            register_conditional_default(signal, ends_at_once.clone())?;
            register_usize(signal, came.clone(), signal.unsigned_abs() as usize)?;
            pipe::register(signal, wake.try_clone()?)?;
        }
        let watch = WATCH.get_or_init(|| Self {
            ends_at_once,
            came,
            asking: Mutex::new(None),
        });
        thread::Builder::new().spawn(move || {
            while wakes.read_exact(&mut [0]).is_ok() {
                watch.end_if_asking();
            }
        })?;
        Ok(watch)
    }

    fn asking(&self, terminal: Option<(File, Termios)>) -> Option<(File, Termios)> {
        let mut asking = self.asking.lock().expect("nothing panics that holds it");
        std::mem::replace(&mut *asking, terminal)
    }

    /// Ends the process as the signal does, if a passphrase is being typed.
    fn end_if_asking(&self) {
        if let Some((terminal, before)) = self.asking(None) {
            // What fails here leaves the terminal as it is; the process ends all the same.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
            let _ = io::stderr().write_all(b"\n");
            self.end();
        }
    }

    fn end(&self) {
        let signal = i32::try_from(self.came.load(Ordering::SeqCst)).unwrap_or(SIGTERM);
        let _ = emulate_default_handler(signal);
    }
}

/// Asks at the terminal, without echo. A signal that ends the process meanwhile leaves the terminal as it
/// was.
pub(super) fn at_prompt<T>(ask: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let terminal = File::open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let watch = Watch::begin()?;
    watch.asking(Some((terminal, before)));
    watch.ends_at_once.store(false, Ordering::SeqCst);
    let is_noted = NOTED.load(Ordering::SeqCst);
    if !is_noted && watch.came.load(Ordering::SeqCst) != 0 {
        // It came before there was a terminal to restore.
        watch.end_if_asking();
    }
    let answer = ask();
    watch.ends_at_once.store(!is_noted, Ordering::SeqCst);
    watch.asking(None);
    let is_interrupted =
        matches!(&answer, Err(error) if error.kind() == io::ErrorKind::Interrupted);
    if is_interrupted || !is_noted && watch.came.load(Ordering::SeqCst) != 0 {
        watch.end();
    }
    answer
}
