//! Network namespaces: one of the servers, and one of each host, which reaches the servers over a link of its own.
//!
//! A shell keeps the first open, and its children the others. They are gone with that shell: when the test ends,
//! however it ends, the shell's input ends too. Nothing in them has a name that others see.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::geteuid;

/// Hosts beside the servers.
pub(super) const HOSTS: usize = 2;

pub(super) struct Network {
    shell: Child,
    answers: BufReader<ChildStdout>,
    /// Process ids of what keeps the namespaces of hosts open.
    hosts: Vec<String>,
}

impl Network {
    pub(super) fn new() -> Self {
        // Another user than root keeps its id in a namespace of users, where that is allowed.
        let options: &[&str] = if geteuid().is_root() {
            &["--net"]
        } else {
            &["--user", "--map-current-user", "--keep-caps", "--net"]
        };
        let mut shell = Command::new("unshare")
            .args(options)
            .arg("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(shell.stdout.take().unwrap());
        let mut network = Self {
            shell,
            answers,
            hosts: Vec::new(),
        };
        network.tell("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && echo done");
        for host in 0..HOSTS {
            network.add(host);
        }
        network
    }

    fn add(&mut self, host: usize) {
        let id = self.tell(
            "unshare --net setpriv --pdeathsig KILL sh -c 'echo $$; exec sleep infinity' </dev/null &",
        );
        let within = format!("nsenter --target {id} --net ip");
        let (server, own) = (server_address(host), host_address(host));
        let line = [
            format!("ip link add link{host} type veth peer name uplink netns {id}"),
            format!("ip address add {server}/30 dev link{host}"),
            format!("ip link set link{host} up"),
            format!("{within} address add {own}/30 dev uplink"),
            format!("{within} link set uplink up"),
            "echo done".to_owned(),
        ];
        assert_eq!(self.tell(&line.join(" && ")), "done");
        self.hosts.push(id);
    }

    /// Has the shell in the namespace do something that prints a line.
    #[track_caller]
    fn tell(&mut self, line: &str) -> String {
        let input = self.shell.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// Returns the program, with its arguments, that starts another in the namespace of the servers.
    pub(super) fn entrance_of_servers(&self) -> Vec<String> {
        entrance(&self.shell.id().to_string())
    }

    pub(super) fn entrance_of_host(&self, host: usize) -> Vec<String> {
        entrance(&self.hosts[host])
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn entrance(id: &str) -> Vec<String> {
    let mut words = vec!["nsenter", "--target", id, "--net"];
    if !geteuid().is_root() {
        words.extend(["--user", "--preserve-credentials"]);
    }
    words.push("--");
    words.into_iter().map(str::to_owned).collect()
}

/// Returns the address of the servers for a host; of a range for documentation.
pub(super) fn server_address(host: usize) -> String {
    address(host, 1)
}

pub(super) fn host_address(host: usize) -> String {
    address(host, 2)
}

fn address(host: usize, side: usize) -> String {
    format!("198.51.100.{}", 4 * host + side)
}
