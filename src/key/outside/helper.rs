//! Process of a key helper, and the requests that it works on.

use super::error::HelperError;
use super::message::{Answer, Command, MOST_ANSWERED, Request, VERSION};
use super::{Started, locked};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use zeroize::Zeroizing;

/// Start of the names of helpers.
const PREFIX: &str = "pki-key-";

/// Most sessions of one helper.
const MOST_SESSIONS: u32 = 256;

/// Last bytes of its standard error that an error repeats.
const LAST_WORDS: usize = 500;

/// Time that a helper has to end when its requests have.
const FAREWELL: Duration = Duration::from_secs(2);

/// Running helper.
pub(super) struct Helper {
    program: String,
    patience: Duration,
    pid: Pid,
    /// Disconnected when the process has ended.
    ended: Mutex<Receiver<()>>,
    /// Requests that are to be written; `None` when it is to end.
    lines: Mutex<Option<Sender<Zeroizing<Vec<u8>>>>>,
    shared: Arc<Shared>,
    sessions: usize,
}

/// State that the threads of a helper share.
#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// A request was answered.
    freed: Condvar,
    said: Mutex<VecDeque<u8>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    answers: HashMap<u64, Sender<Answer>>,
    /// Reason why no answer comes any more.
    ended: Option<End>,
}

#[derive(Clone)]
enum End {
    OfOutput,
    NotUnderstood(String),
}

impl Helper {
    /// Starts the helper of a scheme, and learns its version.
    pub(super) fn start(scheme: &str, started: &Started) -> Result<Self, HelperError> {
        let Started {
            directories,
            patience,
            secrets,
            ..
        } = started;
        let program = format!("{PREFIX}{scheme}");
        let mut places = directories.iter().map(|directory| directory.join(&program));
        let path = places.find(|path| path.is_file());
        let path = path.ok_or_else(|| HelperError::NotFound {
            program: program.clone(),
            directories: directories.clone(),
        })?;
        let mut command = process::Command::new(&path);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C ends a batch after the current group, which the helper has to sign.
            .process_group(0);
        for name in secrets {
            command.env_remove(name);
        }
        let spawned = command.spawn();
        let mut child = spawned.map_err(|source| HelperError::NotStarted {
            program: path,
            source,
        })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            unreachable!("all three are pipes");
        };
        let shared = Arc::new(Shared::default());
        let (sender, lines) = channel();
        thread::spawn(move || write_lines(&lines, stdin));
        let of_stderr = Arc::clone(&shared);
        let (saying, said) = channel::<()>();
        thread::spawn(move || {
            of_stderr.keep_last_words(stderr);
            drop(saying);
        });
        let of_reader = Arc::clone(&shared);
        let (reading, read) = channel::<()>();
        thread::spawn(move || {
            let end = of_reader.read_answers(stdout);
            // Its last words come before its end is known.
            if matches!(end, End::OfOutput) {
                let _ = said.recv_timeout(FAREWELL);
            }
            of_reader.end(end);
            drop(reading);
        });
        let pid = Pid::from_child(&child);
        let of_waiter = Arc::clone(&shared);
        let (running, ended) = channel::<()>();
        thread::spawn(move || {
            let _ = child.wait();
            drop(running);
            // A program that it started may hold its output open.
            let _ = read.recv_timeout(FAREWELL);
            of_waiter.end(End::OfOutput);
        });
        let mut helper = Self {
            program,
            patience: *patience,
            pid,
            ended: Mutex::new(ended),
            lines: Mutex::new(Some(sender)),
            shared,
            sessions: 1,
        };
        helper.greet()?;
        Ok(helper)
    }

    fn greet(&mut self) -> Result<(), HelperError> {
        let Answer {
            version, sessions, ..
        } = self.ask(Command::Hello { version: VERSION })?;
        let found = version.unwrap_or_default();
        if found != VERSION {
            return Err(HelperError::Version {
                program: self.program.clone(),
                found,
                known: VERSION,
            });
        }
        let sessions = sessions.unwrap_or(1).clamp(1, MOST_SESSIONS);
        self.sessions = usize::try_from(sessions).unwrap_or(1);
        Ok(())
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions
    }

    /// Sends a request when a session is free, and waits for the answer.
    pub(super) fn ask(&self, command: Command) -> Result<Answer, HelperError> {
        let (id, answer) = self.register()?;
        let line = line(&Request { id, command });
        // A helper that ended reads nothing; its end is the error.
        if let Some(lines) = &*locked(&self.lines) {
            let _ = lines.send(line);
        }
        let answered = answer.recv_timeout(self.patience);
        locked(&self.shared.waiting).answers.remove(&id);
        self.shared.freed.notify_one();
        match answered {
            Ok(answer) => self.checked(answer),
            Err(RecvTimeoutError::Disconnected) => Err(self.end()),
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                Err(HelperError::NoAnswer {
                    program: self.program.clone(),
                    seconds: self.patience.as_secs(),
                })
            }
        }
    }

    fn register(&self) -> Result<(u64, Receiver<Answer>), HelperError> {
        let waiting = locked(&self.shared.waiting);
        let is_full = |waiting: &mut Waiting| {
            waiting.ended.is_none() && waiting.answers.len() >= self.sessions
        };
        let free = self.shared.freed.wait_while(waiting, is_full);
        let mut waiting = free.unwrap_or_else(PoisonError::into_inner);
        if waiting.ended.is_some() {
            drop(waiting);
            return Err(self.end());
        }
        waiting.next += 1;
        let id = waiting.next;
        let (sender, answer) = channel();
        waiting.answers.insert(id, sender);
        Ok((id, answer))
    }

    fn checked(&self, answer: Answer) -> Result<Answer, HelperError> {
        match answer.error {
            None => Ok(answer),
            Some(problem) => Err(HelperError::Answered {
                program: self.program.clone(),
                code: problem.code,
                message: beginning(&problem.message),
            }),
        }
    }

    fn end(&self) -> HelperError {
        let ended = locked(&self.shared.waiting).ended.clone();
        match ended {
            Some(End::NotUnderstood(problem)) => self.not_understood(problem),
            _ => HelperError::Ended {
                program: self.program.clone(),
                said: self.shared.last_words(),
            },
        }
    }

    /// Kills it, and the programs that it started.
    fn kill(&self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    pub(super) fn not_understood(&self, problem: String) -> HelperError {
        HelperError::NotUnderstood {
            program: self.program.clone(),
            problem,
        }
    }
}

impl Drop for Helper {
    /// Lets it end. One that does not is killed, and so is what it started.
    fn drop(&mut self) {
        locked(&self.lines).take();
        let ended = locked(&self.ended);
        let _ = ended.recv_timeout(FAREWELL);
        self.kill();
        let _ = ended.recv_timeout(FAREWELL);
    }
}

impl Shared {
    /// Hands answers to those who wait for them, up to the first that is none.
    fn read_answers(&self, output: ChildStdout) -> End {
        let mut output = BufReader::new(output);
        let limit = u64::try_from(MOST_ANSWERED).unwrap_or(u64::MAX);
        let mut line = Vec::new();
        loop {
            line.clear();
            match output.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(1..) if line.ends_with(b"\n") => {}
                Ok(length) if length == MOST_ANSWERED => {
                    return End::NotUnderstood(format!(
                        "a line is longer than {MOST_ANSWERED} bytes"
                    ));
                }
                Ok(_) | Err(_) => return End::OfOutput,
            }
            let answer: Answer = match serde_json::from_slice(&line) {
                Ok(answer) => answer,
                Err(error) => return End::NotUnderstood(error.to_string()),
            };
            let Some(waiting) = locked(&self.waiting).answers.remove(&answer.id) else {
                return End::NotUnderstood(format!("nothing has the number {}", answer.id));
            };
            let _ = waiting.send(answer);
        }
    }

    fn end(&self, end: End) {
        let mut waiting = locked(&self.waiting);
        waiting.ended.get_or_insert(end);
        waiting.answers.clear();
        self.freed.notify_all();
    }

    fn keep_last_words(&self, mut output: ChildStderr) {
        let mut buffer = [0; 512];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            let mut said = locked(&self.said);
            said.extend(&buffer[..count]);
            let surplus = said.len().saturating_sub(LAST_WORDS);
            said.drain(..surplus);
        }
    }

    fn last_words(&self) -> String {
        let mut said = locked(&self.said);
        let text = String::from_utf8_lossy(said.make_contiguous());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Encodes a request. The buffer is long enough from the start: one that grows leaves copies of a PIN behind.
fn line(request: &Request) -> Zeroizing<Vec<u8>> {
    let secret = match &request.command {
        Command::Login { pin, .. } => pin.text().len(),
        Command::Import { pkcs8, .. } => pkcs8.text().len(),
        _ => 0,
    };
    // A control character becomes six bytes.
    let mut line = Zeroizing::new(Vec::with_capacity(8192 + 6 * secret));
    serde_json::to_writer(&mut *line, request).expect("a request is plain data");
    line.push(b'\n');
    line
}

fn write_lines(lines: &Receiver<Zeroizing<Vec<u8>>>, mut input: ChildStdin) {
    for line in lines {
        if input.write_all(&line).is_err() {
            return;
        }
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(LAST_WORDS).collect()
}
