//! The protocol: a request a line on standard input, an answer a line on standard output.
//!
//! Signatures are made in several threads, as many as are asked for at a time, and answered when they are
//! ready. Every other request waits for those before it, and those after it wait for it.

use crate::actions::answer;
use crate::devices::Devices;
use crate::lines::Lines;
use crate::message::{Answer, Code, Command, MOST_ANSWERED, MOST_SIGNED, Request};
use crate::problem::Failure;
use crate::token::MOST_SESSIONS;
use serde::Deserialize;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

/// Most bytes of a request: the longest message in base64, and what stands around it.
const MOST_ASKED: usize = MOST_SIGNED.div_ceil(3) * 4 + (64 << 10);

/// Answers requests until there are no more. `false` if an answer could not be written.
pub(crate) fn serve(devices: &Devices, from: impl Read, to: File) -> io::Result<bool> {
    let server = Server {
        devices,
        to: Mutex::new(to),
        is_broken: AtomicBool::new(false),
        queue: Mutex::default(),
        changed: Condvar::new(),
    };
    let mut lines = Lines::new(from, MOST_ASKED);
    thread::scope(|scope| {
        let outcome = server.read(&mut lines, scope);
        server.queue().is_closed = true;
        server.changed.notify_all();
        outcome
    })?;
    Ok(!server.is_broken.into_inner())
}

/// Signatures to make.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Request>,
    /// Number of requests that threads work on.
    working: usize,
    /// Number of threads, and of these the ones that wait for a request.
    threads: usize,
    idle: usize,
    is_closed: bool,
}

struct Server<'a> {
    devices: &'a Devices,
    to: Mutex<File>,
    is_broken: AtomicBool,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Server<'_> {
    fn read<'s>(
        &'s self,
        lines: &mut Lines<impl Read>,
        scope: &'s Scope<'s, '_>,
    ) -> io::Result<()> {
        while !self.is_broken.load(Ordering::Relaxed) {
            match lines.next(request) {
                Ok(None) => break,
                Ok(Some(Ok(request))) => self.take(request, scope),
                Ok(Some(Err(refusal))) => self.write(&refusal),
                Err(error) => {
                    // Nothing tells where the next request begins.
                    self.write(&refused(0, Code::Failed, &error.to_string()));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn take<'s>(&'s self, request: Request, scope: &'s Scope<'s, '_>) {
        let may_be_parallel = matches!(request.command, Command::Sign { .. });
        let mut queue = self.queue();
        if may_be_parallel {
            let most = MOST_SESSIONS as usize;
            queue = self.wait(queue, |queue| queue.waiting.len() >= most);
            queue.waiting.push_back(request);
            if queue.waiting.len() > queue.idle && queue.threads < most {
                queue.threads += 1;
                scope.spawn(|| self.work());
            }
            drop(queue);
            self.changed.notify_all();
        } else {
            drop(self.wait(queue, |queue| {
                queue.working > 0 || !queue.waiting.is_empty()
            }));
            self.write(&answer(self.devices, request));
        }
    }

    /// Makes signatures until the queue is closed and empty.
    fn work(&self) {
        loop {
            let mut queue = self.queue();
            queue.idle += 1;
            queue = self.wait(queue, |queue| queue.waiting.is_empty() && !queue.is_closed);
            queue.idle -= 1;
            let Some(request) = queue.waiting.pop_front() else {
                return;
            };
            queue.working += 1;
            drop(queue);
            self.changed.notify_all();
            self.write(&answer(self.devices, request));
            self.queue().working -= 1;
            self.changed.notify_all();
        }
    }

    fn write(&self, answer: &Answer) {
        let mut line = line_of(answer);
        if line.len() > MOST_ANSWERED {
            let message = "the answer is too long: make the key URI more specific";
            line = line_of(&refused(answer.id, Code::Failed, message));
        }
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        if to.write_all(&line).is_err() {
            self.is_broken.store(true, Ordering::Relaxed);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'q>(
        &self,
        queue: MutexGuard<'q, Queue>,
        condition: impl Fn(&Queue) -> bool,
    ) -> MutexGuard<'q, Queue> {
        let waited = self.changed.wait_while(queue, |queue| condition(queue));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

fn line_of(answer: &Answer) -> Vec<u8> {
    let mut line = serde_json::to_vec(answer).expect("answers have no maps");
    line.push(b'\n');
    line
}

/// Parses a request. An error says nothing of its contents, which may be a PIN.
fn request(line: &[u8]) -> Result<Request, Box<Answer>> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        id: u64,
        #[serde(default, rename = "do")]
        command: String,
    }
    const COMMANDS: [&str; 7] = [
        "hello", "login", "public", "generate", "import", "sign", "list",
    ];
    if let Ok(request) = serde_json::from_slice(line) {
        return Ok(request);
    }
    let Ok(Head { id, command }) = serde_json::from_slice(line) else {
        return Err(Box::new(refused(
            0,
            Code::Failed,
            "the line is not a request",
        )));
    };
    if command.is_empty() || COMMANDS.contains(&&command[..]) {
        let message = "the request is malformed, or lacks a field";
        return Err(Box::new(refused(id, Code::Failed, message)));
    }
    let message = format!("the command {command} is not supported");
    Err(Box::new(refused(id, Code::Unsupported, &message)))
}

fn refused(id: u64, code: Code, message: &str) -> Answer {
    Answer {
        id,
        error: Some(Failure::new(code, message).into_problem()),
        ..Answer::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Input;

    fn refusal(line: &str) -> (u64, Code) {
        let answer = request(line.as_bytes()).err().expect(line);
        (answer.id, answer.error.unwrap().code)
    }

    #[test]
    fn requests_of_every_kind_are_read() {
        let sign = r#"{"id":7,"do":"sign","key":"pkcs11:","algorithm":"ed25519","message":"AA=="}"#;
        let read = request(sign.as_bytes()).ok().unwrap();
        assert_eq!(read.id, 7);
        let Command::Sign { input, .. } = read.command else {
            panic!("a signature");
        };
        assert!(matches!(input, Input::Message(text) if text == "AA=="));
        for rest in [
            r#""hello","version":1"#,
            r#""login","key":"pkcs11:","pin":"1\u00222""#,
            r#""public","key":"pkcs11:""#,
            r#""generate","key":"pkcs11:","key_type":"p256""#,
            r#""import","key":"pkcs11:","pkcs8":"AA==""#,
            r#""list","key":"pkcs11:","of-a-later-version":[1]"#,
        ] {
            let line = format!(r#"{{"do":{rest},"id":1}}"#);
            assert!(request(line.as_bytes()).is_ok(), "{line}");
        }
    }

    #[test]
    fn lines_that_are_no_request_are_answered() {
        assert_eq!(refusal(""), (0, Code::Failed));
        assert_eq!(refusal("{"), (0, Code::Failed));
        assert_eq!(refusal("[]"), (0, Code::Failed));
        assert_eq!(refusal(r#"{"id":-1,"do":"hello"}"#), (0, Code::Failed));
        assert_eq!(refusal(r#"{"id":3}"#), (3, Code::Failed));
        assert_eq!(refusal(r#"{"id":3,"do":"hello"}"#), (3, Code::Failed));
        assert_eq!(refusal(r#"{"id":3,"do":"dance"}"#), (3, Code::Unsupported));
        let two = r#"{"id":3,"do":"sign","key":"","algorithm":""}"#;
        assert_eq!(refusal(two), (3, Code::Failed));
    }

    #[test]
    fn refusals_do_not_repeat_a_pin() {
        let line = r#"{"id":3,"do":"login","key":7,"pin":"hunter2"}"#;
        let answer = request(line.as_bytes()).err().unwrap();
        assert!(!answer.error.unwrap().message.contains("hunter2"));
    }
}
