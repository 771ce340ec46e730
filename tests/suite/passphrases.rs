//! Where passphrases come from, and where they and private keys never go.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Child;

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, STORE, Sandbox};

/// A root under [`PASSPHRASE`].
fn with_protected_root() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    sandbox.write("right.pass", format!("{PASSPHRASE}\nnot this line\n"));
    sandbox.write("wrong.pass", "something else\n");
    sandbox
}

#[test]
fn every_source_of_the_contract_opens_a_key() {
    let sandbox = with_protected_root();
    let line = "issue --ca rootCA --cn client --passin";
    let quiet = [
        sandbox.pki(line).arg("file:right.pass"),
        sandbox
            .pki(line)
            .arg("env:VARIABLE")
            .env("VARIABLE", PASSPHRASE),
        sandbox
            .pki(line)
            .arg("stdin")
            .stdin(format!("{PASSPHRASE}\n")),
        from_descriptor_3(&sandbox, "issue --ca rootCA --cn client --passin fd:3"),
        sandbox
            .pki("issue --ca rootCA --cn client")
            .env("PKI_PASSPHRASE", PASSPHRASE),
        sandbox
            .pki("issue --ca rootCA --cn client")
            .env("PKI_PASSPHRASE_FILE", "right.pass"),
    ];
    for run in quiet {
        let issued = run.succeeds();
        assert_eq!(issued.stderr, "", "{issued}");
    }
}

/// The shell opens the file before it becomes `pki`.
fn from_descriptor_3(sandbox: &Sandbox, line: &str) -> Run {
    let script = "exec 3<right.pass; exec \"$@\"";
    let run = sandbox.run("sh", "-c").arg(script).arg("sh");
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
}

#[test]
fn a_passphrase_in_the_arguments_works_with_a_warning() {
    let sandbox = with_protected_root();
    let issued = sandbox
        .pki("issue --ca rootCA --cn client --passin")
        .arg(format!("pass:{PASSPHRASE}"))
        .succeeds();
    assert!(issued.stderr.contains("can be seen by others"), "{issued}");
    assert!(!issued.stderr.contains(PASSPHRASE), "{issued}");
}

#[test]
fn an_option_goes_before_the_environment() {
    let sandbox = with_protected_root();
    sandbox
        .pki("issue --ca rootCA --cn client --passin file:right.pass")
        .env("PKI_PASSPHRASE", "something else")
        .succeeds();
}

#[test]
fn a_new_ca_takes_its_passphrase_from_the_environment_too() {
    let sandbox = with_protected_root();
    sandbox
        .run(
            "openssl",
            "pkey -noout -check -passin file:right.pass -in pki/rootCA/ca.key",
        )
        .succeeds();
}

/// No process other than `pki` is started, and no system call that passes data
/// out of it carries a passphrase; strace sees all of them.
#[test]
fn no_system_call_passes_on_a_passphrase_or_a_private_key() {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    sandbox.write("export.pass", "for the export\n");
    let mut traces = String::new();
    for (n, line) in [
        "issue --ca rootCA --cn client --out out --passout file:export.pass",
        "export --ca rootCA --cn client --out again --p12 compat --passout file:export.pass",
    ]
    .iter()
    .enumerate()
    {
        let trace = format!("trace-{n}");
        let calls = "trace=write,writev,pwrite64,sendto,sendmsg,execve,memfd_create";
        sandbox
            .run("strace", "-f -xx -s 1000000 -e")
            .words(&format!("{calls} -o {trace}"))
            .arg(env!("CARGO_BIN_EXE_pki"))
            .words(line)
            .env("PKI_PASSPHRASE", PASSPHRASE)
            .succeeds();
        traces.push_str(&sandbox.read(trace));
    }
    let written = traces.matches("write(").count();
    assert!(written > 0, "strace saw nothing");
    assert_eq!(traces.matches("execve(").count(), 2, "pki starts programs");

    let scalar = private_scalar(&sandbox, "out/client.key");
    for secret in [PASSPHRASE.as_bytes(), b"for the export", &scalar] {
        assert!(
            !traces.contains(&as_strace_prints(secret)),
            "a secret got out"
        );
    }
    // The search finds what is there: certificates are no secret.
    let marker = as_strace_prints(b"BEGIN CERTIFICATE");
    assert!(traces.contains(&marker), "the search finds nothing");
}

fn as_strace_prints(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\x{byte:02x}").unwrap();
        text
    })
}

/// The private number of a P-256 key.
fn private_scalar(sandbox: &Sandbox, file: &str) -> Vec<u8> {
    let printed = sandbox
        .run("openssl", "pkey -noout -text -passin file:export.pass -in")
        .arg(file)
        .succeeds();
    let (_, after) = printed
        .stdout
        .split_once("priv:")
        .expect("openssl prints it");
    let (number, _) = after.split_once("pub:").expect("the public part follows");
    let digits = number
        .split([':', ' ', '\n'])
        .filter(|part| !part.is_empty());
    let bytes = digits.map(|byte| u8::from_str_radix(byte, 16).unwrap());
    bytes.collect()
}

/// A `pki` that has been stopped in its work: it waits for a lock that we hold.
struct Waiting {
    process: Child,
    /// Unlocked when it is closed.
    _lock: fs::File,
}

impl Waiting {
    fn of(sandbox: &Sandbox, run: Run) -> Self {
        let lock = fs::File::create(sandbox.path("pki/rootCA/lock")).unwrap();
        lock.lock().unwrap();
        let mut process = run.env("PKI_PASSPHRASE", PASSPHRASE).spawn();
        let mut notice = String::new();
        BufReader::new(process.stderr.take().unwrap())
            .read_line(&mut notice)
            .unwrap();
        assert!(notice.contains("waiting"), "{notice}");
        Self {
            process,
            _lock: lock,
        }
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.process.id())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_process_with_a_key_leaves_no_core_and_outlives_a_file_size_limit() {
    const SIGXFSZ: u32 = 25;
    let sandbox = with_protected_root();
    let waiting = Waiting::of(&sandbox, sandbox.pki("issue --ca rootCA --cn client"));

    let limits = fs::read_to_string(waiting.proc("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core = core.unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");

    let status = fs::read_to_string(waiting.proc("status")).unwrap();
    let signals = |field: &str| {
        let bits = status.lines().find_map(|line| line.strip_prefix(field));
        u64::from_str_radix(bits.unwrap().trim(), 16).unwrap()
    };
    let handled = signals("SigIgn:") | signals("SigCgt:");
    assert!(handled & (1 << (SIGXFSZ - 1)) != 0, "{status}");
}

/// The kernel gives `/proc/PID` to root where a process may not be dumped or
/// traced. Under root that shows nothing, so `pki` is run as somebody else.
#[test]
fn a_process_with_a_key_cannot_be_looked_into_by_others_of_its_user() {
    const NOBODY: u32 = 65_534;
    let sandbox = with_protected_root();
    let binary = sandbox.path("pki-binary");
    fs::copy(env!("CARGO_BIN_EXE_pki"), &binary).unwrap();
    let run = if fs::metadata(sandbox.folder()).unwrap().uid() == 0 {
        give(sandbox.folder(), NOBODY);
        let to_nobody = format!("--reuid {NOBODY} --regid {NOBODY} --clear-groups");
        sandbox.run("setpriv", &to_nobody).arg(binary)
    } else {
        Run::new(binary, sandbox.folder())
    };
    let waiting = Waiting::of(&sandbox, run.words("issue --ca rootCA --cn client"));
    let environment = fs::metadata(waiting.proc("environ")).unwrap();
    assert_eq!(environment.uid(), 0, "others of its user can read it");
}

fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

#[test]
fn a_wrong_passphrase_is_said_at_once_and_names_the_key() {
    let sandbox = with_protected_root();
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn client --passin file:wrong.pass"),
        1,
        "error: the key ./pki/rootCA/ca.key can't be used\n\
         caused by: the passphrase is wrong\n\
         hint: give the right one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE\n",
    );
}

const CANNOT_ASK: &str = "error: there is no passphrase for the key of rootCA\n\
    caused by: it can't be asked for: there is no terminal, or --no-input was given\n\
    hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE\n";

#[test]
fn without_a_terminal_nothing_is_asked_and_the_options_are_named() {
    let sandbox = with_protected_root();
    sandbox.refused(sandbox.pki("issue --ca rootCA --cn client"), 1, CANNOT_ASK);
    sandbox.refused(
        sandbox.pki("--no-input issue --ca rootCA --cn client"),
        1,
        CANNOT_ASK,
    );
    sandbox.refused(sandbox.pki("root --name another"), 1, "error: there is no passphrase for the new key of another\n\
         caused by: it can't be asked for: there is no terminal, or --no-input was given\n\
         hint: give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or say --no-passphrase\n");
}

#[test]
fn a_new_key_is_not_left_unencrypted_by_an_empty_passphrase() {
    let sandbox = with_protected_root();
    sandbox.write("empty.pass", "\n");
    for (source, input) in [("file:empty.pass", ""), ("stdin", ""), ("env:EMPTY", "")] {
        let run = sandbox.pki("root --name another --passout").arg(source);
        let before = sandbox.store_snapshot();
        let refused = run.env("EMPTY", input).stdin(input).ends_with(1);
        assert!(refused.stderr.contains("empty"), "{refused}");
        before.assert_unchanged(&sandbox.path(STORE));
    }
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let sandbox = with_protected_root();
    let line = "issue --ca rootCA --cn client --passin";
    sandbox.refused(sandbox.pki(line).arg("env:NOT_SET"), 1, "error: there is no passphrase for the key of rootCA\ncaused by: the variable NOT_SET is not set\n");
    sandbox.refused(
        sandbox.pki(line).arg("file:missing.pass"),
        1,
        "error: there is no passphrase for the key of rootCA\ncaused by: the file missing.pass can't be read: No such file or directory (os error 2)\n",
    );
    sandbox.refused(
        sandbox.pki(line).arg("fd:77"),
        1,
        "error: there is no passphrase for the key of rootCA\ncaused by: file descriptor 77 can't be read: No such file or directory (os error 2)\n",
    );
    sandbox.refused(sandbox.pki(line).arg("vault:x"), 2, "error: the value of --passin can't be used: it is none of prompt, env:VAR, file:PATH, fd:N, stdin and pass:TEXT\n");
}
