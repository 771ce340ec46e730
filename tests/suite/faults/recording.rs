//! A run of a program as the calls say it that changed files, on a [`Disk`] that knows what was synced.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::Run;
use crate::sandbox::Sandbox;

use super::disk::{Disk, Edit, Naming, Node, Place, ROOT, tree_of};

/// Every call with which a file can be changed, renamed or synced, and those that say which file it is.
/// What [`Player::plays`] does not know of them ends the test.
const CALLS: &str = "open,creat,openat,openat2,close,dup,dup2,dup3,fcntl,lseek,chdir,fchdir,\
                     write,writev,pwrite64,pwritev,pwritev2,copy_file_range,sendfile,splice,\
                     fallocate,truncate,ftruncate,rename,renameat,renameat2,link,linkat,symlink,\
                     symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,\
                     fchmodat,fsync,fdatasync,sync,syncfs,sync_file_range,io_uring_setup";

/// More bytes than any call writes.
const LONGEST: &str = "-f -xx -s 16777216 -o";

const STDOUT: i64 = 1;

/// A call that succeeded.
struct Call<'a> {
    name: &'a str,
    arguments: &'a str,
    result: i64,
    line: &'a str,
}

/// An open file.
#[derive(Clone)]
struct Open {
    node: Node,
    position: usize,
    appends: bool,
}

/// Takes the calls of a process, one by one.
pub(super) struct Player {
    pub(super) disk: Disk,
    /// What the process has said on standard output.
    pub(super) said: String,
    /// The exit code.
    pub(super) status: Option<i32>,
    folder: PathBuf,
    umask: u32,
    open: BTreeMap<i64, Open>,
}

/// Runs a program in a sandbox, and calls `after` behind each call that changed or synced something.
#[track_caller]
pub(super) fn play(sandbox: &Sandbox, words: &[&str], after: impl FnMut(&Player, &str)) -> Player {
    let played = play_on(Disk::of(sandbox.folder()), sandbox, words, after);
    assert_eq!(played.status, Some(0), "{words:?}");
    played
}

/// Same as [`play`], if the disk has not synced everything that is in the sandbox, for a program that may
/// fail.
#[track_caller]
pub(super) fn play_on(
    disk: Disk,
    sandbox: &Sandbox,
    words: &[&str],
    mut after: impl FnMut(&Player, &str),
) -> Player {
    let beside = Sandbox::new();
    let log = beside.path("strace.log");
    let run = sandbox
        .run("strace", LONGEST)
        .arg(&log)
        .arg("-e")
        .arg(format!("trace={CALLS}"));
    let run = words.iter().fold(run, Run::arg);
    let run = run
        // One change after the other: what two threads do at once has no order.
        .env("RAYON_NUM_THREADS", "1")
        .finish();
    let log = fs::read_to_string(log).unwrap();
    let mut player = Player {
        disk,
        said: String::new(),
        status: run.status,
        folder: sandbox.folder().canonicalize().unwrap(),
        umask: umask(),
        open: BTreeMap::new(),
    };
    for call in log.lines().filter_map(Call::parse) {
        if player.plays(&call) {
            after(&player, call.name);
        }
    }
    // Nothing got past the record.
    let is = tree_of(sandbox.folder());
    assert!(
        player.disk.seen() == is,
        "other files than the calls say: {words:?}"
    );
    player
}

fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    u32::from_str_radix(line.unwrap().trim(), 8).unwrap()
}

impl<'a> Call<'a> {
    /// `PID NAME(ARGUMENTS) = RESULT`, for calls that succeeded.
    fn parse(line: &'a str) -> Option<Self> {
        let (_, call) = line.split_once(' ')?;
        let call = call.trim_start();
        if call.starts_with("+++") || call.starts_with("---") {
            return None;
        }
        assert!(!call.contains("<unfinished"), "two threads at once: {call}");
        let (call, result) = call.rsplit_once(" = ")?;
        let result = result.split(' ').next()?.parse().ok()?;
        let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
        (result >= 0).then_some(Self {
            name,
            arguments,
            result,
            line,
        })
    }

    fn argument(&self, index: usize) -> &'a str {
        self.arguments.split(", ").nth(index).unwrap_or_default()
    }

    fn number(&self, index: usize) -> i64 {
        let text = self.argument(index);
        text.parse()
            .unwrap_or_else(|_| panic!("{text:?} in {}", self.line))
    }

    fn mode(&self, index: usize) -> u32 {
        u32::from_str_radix(self.argument(index), 8).unwrap()
    }

    /// The strings among the arguments, of which strace has every byte in hex.
    fn strings(&self) -> Vec<Vec<u8>> {
        let quoted = self.arguments.split('"').skip(1).step_by(2);
        assert!(!self.arguments.contains("\"..."), "cut: {}", self.name);
        let octets = |text: &str| {
            let pairs = text.split("\\x").skip(1);
            pairs
                .map(|pair| u8::from_str_radix(pair, 16).unwrap())
                .collect()
        };
        quoted.map(octets).collect()
    }

    fn path(&self, index: usize) -> String {
        String::from_utf8(self.strings().swap_remove(index)).unwrap()
    }
}

impl Player {
    /// Whether something is other than before: on the disk, or in what is durable.
    fn plays(&mut self, call: &Call<'_>) -> bool {
        match call.name {
            "close" => {
                self.open.remove(&call.number(0));
                false
            }
            "fcntl" => {
                if call.argument(1).starts_with("F_DUPFD") {
                    self.copy(call);
                }
                false
            }
            "dup" | "dup2" | "dup3" => {
                self.copy(call);
                false
            }
            "lseek" => {
                if let Some(open) = self.open.get_mut(&call.number(0)) {
                    open.position = usize::try_from(call.result).unwrap();
                }
                false
            }
            "openat" => self.open(call),
            "write" | "writev" | "pwrite64" => self.write(call),
            "ftruncate" | "fchmod" | "fsync" | "fdatasync" | "syncfs" => self.change(call),
            "rename" | "renameat" | "renameat2" => self.rename(call),
            "linkat" => self.link(call),
            "unlink" | "unlinkat" | "rmdir" | "mkdir" | "mkdirat" | "chmod" | "fchmodat" => {
                self.name(call)
            }
            _ => panic!("the record has a call that nobody plays: {}", call.line),
        }
    }

    fn copy(&mut self, call: &Call<'_>) {
        match self.open.get(&call.number(0)).cloned() {
            Some(open) => self.open.insert(call.result, open),
            None => self.open.remove(&call.result),
        };
    }

    /// A path of the sandbox, from the folder that the call says.
    fn path(&self, folder: &str, path: &str) -> Option<(Node, PathBuf)> {
        let path = Path::new(path);
        if path.is_absolute() {
            let inside = path.strip_prefix(&self.folder).ok()?;
            return Some((ROOT, inside.to_owned()));
        }
        if folder == "AT_FDCWD" {
            return Some((ROOT, path.to_owned()));
        }
        let open = self.open.get(&folder.parse().ok()?)?;
        Some((open.node, path.to_owned()))
    }

    fn place(&self, folder: &str, path: &str) -> Option<Place> {
        let (from, path) = self.path(folder, path)?;
        self.disk.place(from, &path)
    }

    fn open(&mut self, call: &Call<'_>) -> bool {
        self.open.remove(&call.result);
        let flags = call.argument(2);
        let path = call.path(0);
        let Some((from, inside)) = self.path(call.argument(0), &path) else {
            return false;
        };
        if flags.contains("O_TMPFILE") {
            // Seen when it gets its name.
            let node = self.disk.make_nameless(call.mode(3) & !self.umask);
            self.keep_open(call, node);
            return false;
        }
        let found = self.disk.node(from, &inside);
        let node = found.unwrap_or_else(|| {
            assert!(flags.contains("O_CREAT"), "{}", call.line);
            let place = self.disk.place(from, &inside).unwrap();
            self.disk.make(place, call.mode(3) & !self.umask, false)
        });
        let is_emptied = flags.contains("O_TRUNC") && self.disk.length(node) > 0;
        if is_emptied {
            self.disk.edit(node, Edit::Length(0));
        }
        self.keep_open(call, node);
        found.is_none() || is_emptied
    }

    fn keep_open(&mut self, call: &Call<'_>, node: Node) {
        let open = Open {
            node,
            position: 0,
            appends: call.argument(2).contains("O_APPEND"),
        };
        self.open.insert(call.result, open);
    }

    /// A name for an open file that has none, or another one for a file that has.
    fn link(&mut self, call: &Call<'_>) -> bool {
        let file = call.path(0);
        let node = if let Some(number) = file.strip_prefix("/proc/self/fd/") {
            self.open[&number.parse().unwrap()].node
        } else {
            let first = self.place(call.argument(0), &file).unwrap();
            self.disk.at(&first).unwrap()
        };
        let place = self.place(call.argument(2), &call.path(1)).unwrap();
        self.disk.rename(Naming::Add(place, node));
        true
    }

    fn write(&mut self, call: &Call<'_>) -> bool {
        let mut data = call.strings().concat();
        let written = usize::try_from(call.result).unwrap();
        data.truncate(written);
        let descriptor = call.number(0);
        let Some(open) = self.open.get_mut(&descriptor) else {
            if descriptor == STDOUT {
                self.said.push_str(&String::from_utf8_lossy(&data));
            }
            return descriptor == STDOUT;
        };
        let offset = if call.name == "pwrite64" {
            let offset = call.arguments.rsplit(", ").next().unwrap();
            offset.parse().unwrap()
        } else {
            if open.appends {
                open.position = self.disk.length(open.node);
            }
            open.position += written;
            open.position - written
        };
        self.disk.edit(open.node, Edit::Write { offset, data });
        true
    }

    /// What is said of an open file.
    fn change(&mut self, call: &Call<'_>) -> bool {
        let Some(node) = self.open.get(&call.number(0)).map(|open| open.node) else {
            return false;
        };
        match call.name {
            "fsync" => self.disk.sync(node),
            "fdatasync" => self.disk.sync_data(node),
            "syncfs" => self.disk.sync_all(),
            "fchmod" => self.disk.edit(node, Edit::Mode(call.mode(1))),
            _ => {
                let length = usize::try_from(call.number(1)).unwrap();
                self.disk.edit(node, Edit::Length(length));
            }
        }
        true
    }

    fn rename(&mut self, call: &Call<'_>) -> bool {
        let (from, to) = match call.name {
            "rename" => ("AT_FDCWD", "AT_FDCWD"),
            _ => (call.argument(0), call.argument(2)),
        };
        let (from, to) = (
            self.place(from, &call.path(0)),
            self.place(to, &call.path(1)),
        );
        let (Some(from), Some(to)) = (from, to) else {
            panic!("a rename across the sandbox's edge: {}", call.line);
        };
        let node = self.disk.at(&from).unwrap();
        let naming = if call.argument(4) == "RENAME_EXCHANGE" {
            let other = self.disk.at(&to).unwrap();
            Naming::Exchange((from, node), (to, other))
        } else {
            Naming::Move(from, to, node)
        };
        self.disk.rename(naming);
        true
    }

    /// What is said of one name.
    fn name(&mut self, call: &Call<'_>) -> bool {
        let has_folder = call.name.ends_with("at");
        let folder = if has_folder {
            call.argument(0)
        } else {
            "AT_FDCWD"
        };
        let mode = 1 + usize::from(has_folder);
        // What is beside the sandbox is not its own.
        let Some(place) = self.place(folder, &call.path(0)) else {
            return false;
        };
        let node = self.disk.at(&place);
        match call.name {
            "mkdir" | "mkdirat" => {
                self.disk.make(place, call.mode(mode) & !self.umask, true);
            }
            "chmod" | "fchmodat" => self.disk.edit(node.unwrap(), Edit::Mode(call.mode(mode))),
            _ => self.disk.rename(Naming::Remove(place, node.unwrap())),
        }
        true
    }
}
