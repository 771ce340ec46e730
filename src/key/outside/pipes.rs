//! Pipes to a helper and from it. Nothing waits for one longer than it may.

use super::message::{Answer, MOST_ANSWERED};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

/// Time that a helper has to end when its requests have, and its last output to arrive when it has ended.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// Bytes read at a time.
const CHUNK: usize = 8 << 10;

/// Reason why no answer comes any more.
#[derive(Clone)]
pub(super) enum End {
    OfOutput,
    NotUnderstood(String),
}

/// Pipe that is closed when the process of a helper has ended.
pub(super) struct Life(pub(super) PipeReader);

impl Life {
    /// Waits for the end of the process.
    pub(super) fn wait(&self) {
        ready(&mut [self.poll()], Instant::now() + FAREWELL);
    }

    fn poll(&self) -> PollFd<'_> {
        PollFd::new(&self.0, PollFlags::IN)
    }
}

/// Standard input of a helper.
pub(super) struct Input(ChildStdin);

impl Input {
    pub(super) fn new(pipe: ChildStdin) -> io::Result<Self> {
        // A helper that reads nothing must not hang `pki`.
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        Ok(Self(pipe))
    }

    /// Writes a request; `false` if it is too late. A helper that ended reads nothing: its end is the error.
    pub(super) fn write(&mut self, mut line: &[u8], life: &Life, until: Instant) -> bool {
        while !line.is_empty() {
            match self.0.write(line) {
                Ok(count) => line = &line[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut pipes = [PollFd::new(&self.0, PollFlags::OUT), life.poll()];
                    if !ready(&mut pipes, until) {
                        return false;
                    }
                    if !pipes[1].revents().is_empty() {
                        return true;
                    }
                }
                Err(_) => return true,
            }
        }
        true
    }
}

/// Standard output of a helper.
pub(super) struct Output {
    pipe: ChildStdout,
    /// Bytes that are read and belong to no answer yet.
    read: Vec<u8>,
}

impl Output {
    pub(super) fn new(pipe: ChildStdout) -> Self {
        let read = Vec::new();
        Self { pipe, read }
    }

    /// Reads an answer; `None` if it is too late.
    pub(super) fn next(&mut self, life: &Life, until: Instant) -> Result<Option<Answer>, End> {
        loop {
            let length = memchr::memchr(b'\n', &self.read);
            if length.unwrap_or(self.read.len()) >= MOST_ANSWERED {
                let problem = format!("a line is longer than {MOST_ANSWERED} bytes");
                return Err(End::NotUnderstood(problem));
            }
            if let Some(length) = length {
                let answer = serde_json::from_slice::<Answer>(&self.read[..length]);
                self.read.drain(..=length);
                let problem = |error: serde_json::Error| End::NotUnderstood(error.to_string());
                return answer.map(Some).map_err(problem);
            }
            if !self.is_ready(life, until)? {
                return Ok(None);
            }
            self.read_more()?;
        }
    }

    /// Waits for bytes, or for the end of them.
    fn is_ready(&self, life: &Life, until: Instant) -> Result<bool, End> {
        let own = || PollFd::new(&self.pipe, PollFlags::IN);
        let mut pipes = [own(), life.poll()];
        if !ready(&mut pipes, until) {
            return Ok(false);
        }
        // A program that the helper started may hold its output open.
        let is_left = pipes[0].revents().is_empty();
        if is_left && !ready(&mut [own()], until.min(Instant::now() + FAREWELL)) {
            return Err(End::OfOutput);
        }
        Ok(true)
    }

    fn read_more(&mut self) -> Result<(), End> {
        let mut chunk = [0; CHUNK];
        match self.pipe.read(&mut chunk) {
            Ok(count @ 1..) => self.read.extend(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return Err(End::OfOutput),
        }
        Ok(())
    }
}

/// Waits until one of the pipes is ready or closed; `false` if it is too late.
fn ready(pipes: &mut [PollFd<'_>], until: Instant) -> bool {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        match poll(pipes, left.as_ref()) {
            Ok(count) => return count > 0,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    fn started(script: &str) -> Child {
        let mut command = Command::new("sh");
        let command = command.args(["-c", script]).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).spawn().unwrap()
    }

    fn ended(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(200)
    }

    #[test]
    fn a_helper_that_reads_nothing_hangs_no_request() {
        let mut child = started("exec sleep 600");
        let (life, alive) = io::pipe().unwrap();
        let life = Life(life);
        let mut input = Input::new(child.stdin.take().unwrap()).unwrap();
        let request = vec![b' '; 1 << 20];
        assert!(!input.write(&request, &life, soon()));
        // Of a process that ended, nothing is waited for.
        drop(alive);
        let begun = Instant::now();
        assert!(input.write(&request, &life, begun + FAREWELL));
        assert!(begun.elapsed() < FAREWELL);
        ended(child);
    }

    #[test]
    fn an_answer_that_does_not_end_hangs_no_request() {
        let mut child =
            started(r#"printf '{"id":1}\n{"id":2}\n{"id":'; read go; echo 3}; exec sleep 600"#);
        let (life, _alive) = io::pipe().unwrap();
        let life = Life(life);
        let mut output = Output::new(child.stdout.take().unwrap());
        let mut next = |until| {
            let answer = output.next(&life, until);
            answer.map_err(|_| "the end").unwrap()
        };
        let later = || Instant::now() + Duration::from_secs(60);
        assert_eq!(next(later()).unwrap().id, 1);
        assert_eq!(next(later()).unwrap().id, 2);
        assert!(next(soon()).is_none());
        let mut input = Input::new(child.stdin.take().unwrap()).unwrap();
        assert!(input.write(b"go\n", &life, later()));
        assert_eq!(next(later()).unwrap().id, 3);
        ended(child);
    }

    #[test]
    fn only_an_object_is_an_answer() {
        for line in ["null", "", "x"] {
            let mut child = started(&format!("echo '{line}'"));
            let (life, _alive) = io::pipe().unwrap();
            let mut output = Output::new(child.stdout.take().unwrap());
            let answer = output.next(&Life(life), Instant::now() + FAREWELL);
            assert!(matches!(answer, Err(End::NotUnderstood(_))), "{line}");
            child.wait().unwrap();
        }
    }
}
