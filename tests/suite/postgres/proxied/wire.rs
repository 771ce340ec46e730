//! Proxy between `pki` and PostgreSQL that knows where the messages of the protocol begin and end, and disturbs one.
//!
//! The first message of a client has a length of four bytes and no type. All others have a type of one byte before
//! the length, which counts itself. Of consecutive rows of an answer, whose number grows with the store, the first
//! stands for all.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection ends before the message.
    Cut,
    /// The connection ends in the middle of the message.
    Truncate,
    /// The message is held until it is released.
    Delay,
}

/// One message, and what happens to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) sender: Sender,
    pub(super) index: usize,
    pub(super) fault: Fault,
}

/// Type of a message with a row of an answer.
const DATA_ROW: u8 = b'D';

/// Text of statements after which something may be committed.
const COMMITTING: [&[u8]; 3] = [b"SELECT pki.record", b"COMMIT", b"INSERT INTO pki.crl "];

/// Messages that pass through a proxy.
#[derive(Default)]
struct Passage {
    point: Option<Point>,
    from_client: AtomicUsize,
    from_server: AtomicUsize,
    has_struck: AtomicBool,
    may_commit: AtomicBool,
    is_over: AtomicBool,
    hold: Mutex<Hold>,
    changed: Condvar,
}

#[derive(Default)]
struct Hold {
    is_held: bool,
    is_released: bool,
}

pub(super) struct Proxy {
    pub(super) port: u16,
    passage: Arc<Passage>,
    serving: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port for connections to a server on another.
    pub(super) fn start(server: u16, point: Option<Point>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let passage = Arc::new(Passage {
            point,
            ..Passage::default()
        });
        let serving = {
            let passage = Arc::clone(&passage);
            thread::spawn(move || {
                while let Ok((client, _)) = listener.accept() {
                    if passage.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                    connect(&passage, &client, &server);
                }
            })
        };
        Self {
            port,
            passage,
            serving: Some(serving),
        }
    }

    /// Returns the number of messages of each side.
    pub(super) fn counts(&self) -> [(Sender, usize); 2] {
        let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        [
            (Sender::Client, count(&self.passage.from_client)),
            (Sender::Server, count(&self.passage.from_server)),
        ]
    }

    /// Returns whether the message of the point came.
    pub(super) fn has_struck(&self) -> bool {
        self.passage.has_struck.load(Ordering::SeqCst)
    }

    /// Returns whether the client sent a statement after which something may be committed.
    pub(super) fn may_commit(&self) -> bool {
        self.passage.may_commit.load(Ordering::SeqCst)
    }

    /// Returns whether the message of the point is being held.
    pub(super) fn is_holding(&self) -> bool {
        self.passage.hold.lock().unwrap().is_held
    }

    pub(super) fn release(&self) {
        self.passage.hold.lock().unwrap().is_released = true;
        self.passage.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.release();
        self.passage.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.serving.take().unwrap().join();
    }
}

/// Serves one connection until both sides have ended it.
fn connect(passage: &Passage, client: &TcpStream, server: &TcpStream) {
    for side in [client, server] {
        side.set_nodelay(true).unwrap();
    }
    thread::scope(|scope| {
        scope.spawn(|| pass(passage, Sender::Client, client, server));
        pass(passage, Sender::Server, server, client);
    });
}

/// Passes messages on to their end, or up to the point.
fn pass(passage: &Passage, sender: Sender, mut from: &TcpStream, mut to: &TcpStream) {
    let (mut is_first, mut is_row) = (sender == Sender::Client, false);
    while let Ok(message) = read_message(from, is_first) {
        let was_row = is_row;
        is_row = sender == Sender::Server && message[0] == DATA_ROW;
        is_first = false;
        let fault = if was_row && is_row {
            None
        } else {
            let index = passage.saw(sender, &message);
            passage.fault_at(sender, index)
        };
        let whole = message.len();
        let forwarded = match fault {
            None => whole,
            Some(Fault::Cut) => 0,
            Some(Fault::Truncate) => whole / 2,
            Some(Fault::Delay) => {
                passage.hold();
                whole
            }
        };
        if to.write_all(&message[..forwarded]).is_err() || forwarded < whole {
            break;
        }
    }
    // What arrived before the cut is read by the other side; nothing more arrives.
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Write);
    let _ = io::copy(&mut from, &mut io::sink());
}

fn read_message(mut from: &TcpStream, is_first: bool) -> io::Result<Vec<u8>> {
    let mut message = vec![0; if is_first { 4 } else { 5 }];
    from.read_exact(&mut message)?;
    let length: [u8; 4] = message[message.len() - 4..].try_into().unwrap();
    let head = message.len();
    message.resize(head - 4 + u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut message[head..])?;
    Ok(message)
}

impl Passage {
    /// Counts a message; returns its index.
    fn saw(&self, sender: Sender, message: &[u8]) -> usize {
        let count = match sender {
            Sender::Client => &self.from_client,
            Sender::Server => &self.from_server,
        };
        let has = |text: &&[u8]| message.windows(text.len()).any(|part| part == *text);
        if sender == Sender::Client && COMMITTING.iter().any(has) {
            self.may_commit.store(true, Ordering::SeqCst);
        }
        count.fetch_add(1, Ordering::SeqCst)
    }

    fn fault_at(&self, sender: Sender, index: usize) -> Option<Fault> {
        let point = self
            .point
            .filter(|point| point.sender == sender && point.index == index)?;
        self.has_struck.store(true, Ordering::SeqCst);
        Some(point.fault)
    }

    fn hold(&self) {
        let mut hold = self.hold.lock().unwrap();
        hold.is_held = true;
        while !hold.is_released {
            hold = self.changed.wait(hold).unwrap();
        }
    }
}
