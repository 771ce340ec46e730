//! Process of a key helper, and the requests that it works on.

use super::error::HelperError;
use super::message::{Answer, Command, Request, VERSION};
use super::pipes::{End, FAREWELL, Input, Life, Output};
use super::{Started, locked};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Start of the names of helpers.
const PREFIX: &str = "pki-key-";

/// Most sessions of one helper.
const MOST_SESSIONS: u32 = 256;

/// Last bytes of its standard error that an error repeats.
const LAST_WORDS: usize = 500;

/// Longest time limit, which clocks can add.
const MOST_PATIENCE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Running helper.
pub(super) struct Helper {
    program: String,
    patience: Duration,
    pid: Pid,
    life: Life,
    /// `None` when it is to end.
    input: Mutex<Option<Input>>,
    waiting: Mutex<Waiting>,
    /// A request was answered.
    freed: Condvar,
    said: Arc<Mutex<VecDeque<u8>>>,
    /// Disconnected when its standard error has ended.
    silent: Mutex<Receiver<()>>,
    sessions: usize,
}

/// Threads that wait for an answer. One of them reads for all.
struct Waiting {
    next: u64,
    askers: HashMap<u64, Asker>,
    /// Standard output, unless a thread reads it.
    output: Option<Output>,
    /// Reason why no answer comes any more.
    ended: Option<End>,
}

struct Asker {
    word: Sender<Word>,
    /// Another thread reads for it.
    is_idle: bool,
}

enum Word {
    Answer(Answer),
    /// The thread that read has what it waited for.
    ReadOn,
}

/// Reason why a request has no answer.
enum Missed {
    Late,
    Ended,
}

impl Helper {
    /// Starts the helper of a scheme, and learns its version.
    pub(super) fn start(scheme: &str, started: &Started) -> Result<Self, HelperError> {
        let program = format!("{PREFIX}{scheme}");
        let directories = started.directories.iter();
        let mut places = directories.map(|directory| directory.join(&program));
        let path = places.find(|path| path.is_file());
        let path = path.ok_or_else(|| HelperError::NotFound {
            program: program.clone(),
            directories: started.directories.clone(),
        })?;
        let mut helper = Self::running(program, &path, started).map_err(|source| {
            let program = path;
            HelperError::NotStarted { program, source }
        })?;
        helper.greet()?;
        Ok(helper)
    }

    fn running(program: String, path: &Path, started: &Started) -> io::Result<Self> {
        let (life, alive) = io::pipe()?;
        let mut child = spawned(path, started)?;
        let pid = Pid::from_child(&child);
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            unreachable!("all three are pipes");
        };
        thread::spawn(move || {
            let _ = child.wait();
            drop(alive);
        });
        let said = Arc::default();
        let of_stderr = Arc::clone(&said);
        let (saying, silent) = channel::<()>();
        thread::spawn(move || {
            keep_last_words(stderr, &of_stderr);
            drop(saying);
        });
        Ok(Self {
            program,
            patience: started.patience.min(MOST_PATIENCE),
            pid,
            life: Life(life),
            input: Mutex::new(Some(Input::new(stdin)?)),
            waiting: Mutex::new(Waiting {
                next: 0,
                askers: HashMap::new(),
                output: Some(Output::new(stdout)),
                ended: None,
            }),
            freed: Condvar::new(),
            said,
            silent: Mutex::new(silent),
            sessions: 1,
        })
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
        let (id, word) = self.register()?;
        let line = line(&Request { id, command });
        let until = Instant::now() + self.patience;
        let answered = if self.write(&line, until) {
            self.answer(id, &word, until)
        } else {
            Err(Missed::Late)
        };
        locked(&self.waiting).leave(id);
        self.freed.notify_one();
        match answered {
            Ok(answer) => self.checked(answer),
            Err(Missed::Ended) => Err(self.end()),
            Err(Missed::Late) => {
                self.kill();
                Err(HelperError::NoAnswer {
                    program: self.program.clone(),
                    seconds: self.patience.as_secs(),
                })
            }
        }
    }

    fn register(&self) -> Result<(u64, Receiver<Word>), HelperError> {
        let waiting = locked(&self.waiting);
        let is_full = |waiting: &mut Waiting| {
            waiting.ended.is_none() && waiting.askers.len() >= self.sessions
        };
        let free = self.freed.wait_while(waiting, is_full);
        let mut waiting = free.unwrap_or_else(PoisonError::into_inner);
        if waiting.ended.is_some() {
            drop(waiting);
            return Err(self.end());
        }
        waiting.next += 1;
        let id = waiting.next;
        let (word, words) = channel();
        let is_idle = false;
        waiting.askers.insert(id, Asker { word, is_idle });
        Ok((id, words))
    }

    fn write(&self, line: &[u8], until: Instant) -> bool {
        match &mut *locked(&self.input) {
            Some(input) => input.write(line, &self.life, until),
            None => true,
        }
    }

    /// Waits for an answer, and reads those of the others meanwhile if no other thread does.
    fn answer(&self, id: u64, word: &Receiver<Word>, until: Instant) -> Result<Answer, Missed> {
        loop {
            let output = locked(&self.waiting).output_for(id);
            if let Some(output) = output {
                return self.read(output, id, until);
            }
            match word.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Word::Answer(answer)) => return Ok(answer),
                Ok(Word::ReadOn) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Missed::Ended),
                Err(RecvTimeoutError::Timeout) => return Err(Missed::Late),
            }
        }
    }

    /// Hands answers to those who wait for them, up to the own one, or the first line that is none.
    fn read(&self, mut output: Output, own: u64, until: Instant) -> Result<Answer, Missed> {
        let end = loop {
            let read = output.next(&self.life, until);
            let mut waiting = locked(&self.waiting);
            let answer = match read {
                Ok(Some(answer)) => answer,
                Ok(None) => {
                    waiting.output = Some(output);
                    return Err(Missed::Late);
                }
                Err(end) => break end,
            };
            let Some(asker) = waiting.askers.remove(&answer.id) else {
                let problem = format!("nothing has the number {}", answer.id);
                break End::NotUnderstood(problem);
            };
            if answer.id == own {
                waiting.output = Some(output);
                return Ok(answer);
            }
            let _ = asker.word.send(Word::Answer(answer));
        };
        // Its last words come before its end is known.
        if matches!(end, End::OfOutput) {
            let _ = locked(&self.silent).recv_timeout(FAREWELL);
        }
        let mut waiting = locked(&self.waiting);
        waiting.ended = Some(end);
        waiting.askers.clear();
        self.freed.notify_all();
        Err(Missed::Ended)
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
        let ended = locked(&self.waiting).ended.clone();
        match ended {
            Some(End::NotUnderstood(problem)) => self.not_understood(problem),
            _ => HelperError::Ended {
                program: self.program.clone(),
                said: self.last_words(),
            },
        }
    }

    fn last_words(&self) -> String {
        let mut said = locked(&self.said);
        let text = String::from_utf8_lossy(said.make_contiguous());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
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
        locked(&self.input).take();
        self.life.wait();
        self.kill();
        self.life.wait();
    }
}

impl Waiting {
    /// Returns the output for a request that is not answered, unless a thread reads it.
    fn output_for(&mut self, id: u64) -> Option<Output> {
        let asker = self.askers.get_mut(&id)?;
        asker.is_idle = self.output.is_none();
        self.output.take()
    }

    /// Ends a request. If no thread reads now, one that waits does.
    fn leave(&mut self, id: u64) {
        self.askers.remove(&id);
        let mut others = self.askers.values_mut();
        if self.output.is_some()
            && let Some(next) = others.find(|asker| asker.is_idle)
        {
            next.is_idle = false;
            let _ = next.word.send(Word::ReadOn);
        }
    }
}

fn spawned(path: &Path, started: &Started) -> io::Result<Child> {
    let mut command = process::Command::new(path);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C ends a batch after the current group, which the helper has to sign.
        .process_group(0);
    for name in &started.secrets {
        command.env_remove(name);
    }
    command.spawn()
}

fn keep_last_words(mut output: ChildStderr, said: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 512];
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        let mut said = locked(said);
        said.extend(&buffer[..count]);
        let surplus = said.len().saturating_sub(LAST_WORDS);
        said.drain(..surplus);
    }
}

/// Encodes a request. The buffer is long enough from the start: one that grows leaves copies of a PIN behind.
fn line(request: &Request) -> Zeroizing<Vec<u8>> {
    let secret = match &request.command {
        Command::Login { key, pin } => key.len() + pin.text().len(),
        Command::Import { key, pkcs8 } => key.len() + pkcs8.text().len(),
        _ => 0,
    };
    // A control character becomes six bytes.
    let mut line = Zeroizing::new(Vec::with_capacity(8192 + 6 * secret));
    serde_json::to_writer(&mut *line, request).expect("a request is plain data");
    line.push(b'\n');
    line
}

fn beginning(text: &str) -> String {
    text.chars().take(LAST_WORDS).collect()
}
