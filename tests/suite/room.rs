//! A file system of its own, in memory, with as much room as a test gives it.
//!
//! It is mounted in a namespace that a shell keeps open, where no other process sees it, and is gone with
//! that shell: when the test ends, however it ends, the shell's input ends too.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::fs::statvfs;
use rustix::process::geteuid;
use tempfile::TempDir;

use crate::sandbox::Sandbox;

/// What a file grows by.
pub(crate) const PAGE: u64 = 4096;

/// More than any command needs here.
const PAGES: u64 = 2048;
const INODES: u64 = 1024;

pub(crate) struct Room {
    shell: Child,
    answers: BufReader<ChildStdout>,
    mounted_on: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        let mounted_on = TempDir::new().unwrap();
        // Whoever is not root is so in a namespace of users, where that is allowed.
        let options: &[&str] = if geteuid().is_root() {
            &["--mount"]
        } else {
            &["--user", "--map-root-user", "--mount"]
        };
        let mut shell = Command::new("unshare")
            .args(options)
            .args(["--propagation", "private", "sh"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(shell.stdout.take().unwrap());
        let mut room = Self {
            shell,
            answers,
            mounted_on,
        };
        let path = room.mounted_on.path().display().to_string();
        let size = PAGES * PAGE;
        room.tell(&format!(
            "mount -t tmpfs -o mode=700,size={size},nr_inodes={INODES} room {path}"
        ));
        room
    }

    /// Has the shell in the namespace do something.
    fn tell(&mut self, line: &str) {
        let input = self.shell.stdin.as_mut().unwrap();
        writeln!(input, "{line} && echo done || echo failed").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n", "{line}");
    }

    /// Its root, as a process outside of the namespace reaches it.
    fn root(&self) -> PathBuf {
        let inside = self.mounted_on.path().strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.shell.id())).join(inside)
    }

    /// An empty sandbox in it.
    pub(crate) fn sandbox(&self) -> Sandbox {
        Sandbox::new_in(&self.root())
    }

    /// Leaves room for so many pages, until [`Room::has_room`].
    pub(crate) fn leave_pages(&self, pages: u64) {
        let free = statvfs(self.root()).unwrap().f_bfree;
        let mut filling = File::create(self.root().join("filling")).unwrap();
        let zeros = vec![0; usize::try_from(PAGE * (free - pages)).unwrap()];
        filling.write_all(&zeros).unwrap();
        assert_eq!(statvfs(self.root()).unwrap().f_bfree, pages);
    }

    /// Leaves so many files that can be made, until [`Room::has_room`].
    pub(crate) fn leave_inodes(&self, inodes: u64) {
        let folder = self.root().join("filling");
        fs::create_dir(&folder).unwrap();
        let free = statvfs(self.root()).unwrap().f_ffree;
        for number in inodes..free {
            File::create(folder.join(number.to_string())).unwrap();
        }
        assert_eq!(statvfs(self.root()).unwrap().f_ffree, inodes);
    }

    /// Makes the file system read-only.
    ///
    /// A process that another test has just forked holds this process's files open until its exec, and the
    /// kernel refuses to remount while a file is open for writing: so try again, a thousand times at most.
    pub(crate) fn be_read_only(&mut self) {
        let path = self.mounted_on.path().display().to_string();
        self.tell(&format!(
            "n=0; until mount -o remount,ro {path} || [ $n = 1000 ]; do n=$((n+1)); done; [ $n -lt 1000 ]"
        ));
    }

    /// There is room again, and it can be written.
    pub(crate) fn has_room(&mut self) {
        let path = self.mounted_on.path().display().to_string();
        self.tell(&format!("mount -o remount,rw {path}"));
        let filling = self.root().join("filling");
        if filling.is_dir() {
            fs::remove_dir_all(filling).unwrap();
        } else if filling.exists() {
            fs::remove_file(filling).unwrap();
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
