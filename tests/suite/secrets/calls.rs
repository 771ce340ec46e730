//! Every command that handles a passphrase or a key, with all that it passes to the system.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::{PASSPHRASE, Sandbox};

use super::{EXPORT, Secret, files_under, passphrases};

/// One behind the other.
const COMMANDS: [&str; 19] = [
    "root --name rootCA",
    "subordinate --ca rootCA --name intermediate0",
    "subordinate --name waiting --request waiting.csr",
    "issue --ca intermediate0 --cn client --out out --passout file:export.pass",
    "issue --ca intermediate0 --from table.csv --out many --passout file:export.pass",
    "issue --ca intermediate0 --csr theirs.csr --out theirs",
    "export --ca intermediate0 --cn client --out modern --der --p12 modern --passout file:export.pass",
    "export --ca intermediate0 --cn client --out compat --p12 compat --passout file:export.pass",
    "export --ca intermediate0 --cn client --out java --for java --passout file:export.pass",
    "export --ca intermediate0 --cn client --out kubernetes --for kubernetes --no-passphrase",
    "export --ca intermediate0 --cn client --out acm --for acm --no-passphrase",
    "export --ca intermediate0 --key --out key --passout file:export.pass",
    "bundle --for java --out trust.p12 --passout file:export.pass",
    "renew --ca intermediate0 --cn client --rekey --out renewed --passout file:export.pass",
    "ca renew --ca rootCA",
    "import --openssl old --name old --passin file:old.pass --passout file:ca.pass",
    "apply pki.toml --passout file:ca.pass",
    "revoke --ca intermediate0 --cn client --all",
    "crl --chain",
];

/// The files with a key that is not encrypted, since who takes them takes no other: base64 of PEM, and PEM.
const PLAIN: [&str; 2] = ["kubernetes/client.secret.yaml", "acm/client.key"];

/// What somebody else gave us.
const FOREIGN: [&str; 5] = ["old/", "leaf.key", "ca.pass", "export.pass", "old.pass"];

const CALLS: &str = "trace=open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,sendto,\
    sendmsg,sendmmsg,sendfile,memfd_create,execve,execveat,fork,vfork,clone,clone3";

/// A call, with the strings in it as they were passed.
struct Call(Vec<u8>);

impl Call {
    fn read(line: &str) -> Self {
        let mut octets = Vec::with_capacity(line.len() / 3);
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once("\\x") {
            octets.extend_from_slice(before.as_bytes());
            octets.push(u8::from_str_radix(&behind[..2], 16).unwrap());
            rest = &behind[2..];
        }
        octets.extend_from_slice(rest.as_bytes());
        Self(octets)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    fn is(&self, names: &[&str]) -> bool {
        let text = self.text();
        let name = text.split_once('(').map_or("", |(name, _)| name);
        names.contains(&name.rsplit(' ').next().unwrap_or(name))
    }
}

/// All calls of all commands.
fn traced() -> (Sandbox, Vec<(&'static str, Vec<Call>)>) {
    let sandbox = Sandbox::with_passphrase_files();
    sandbox.make_openssl_ca();
    sandbox.request("theirs.csr", "/CN=theirs");
    sandbox.write("table.csv", "cn\none\ntwo\n");
    let declared = "[ca.applied]\n[certificate.declared]\nca = \"applied\"\nout = \"applied\"\n";
    sandbox.write("pki.toml", declared);
    let script = "umask 000; exec strace -f -y -xx -s 1000000 -e \"$@\"";
    let mut all = Vec::new();
    for line in COMMANDS {
        sandbox
            .run("sh", "-c")
            .arg(script)
            .words(&format!("sh {CALLS} -o trace"))
            .arg(env!("CARGO_BIN_EXE_pki"))
            .words(line)
            .env("PKI_PASSPHRASE_FILE", "ca.pass")
            .succeeds();
        let calls: Vec<Call> = sandbox.read("trace").lines().map(Call::read).collect();
        assert!(calls.iter().any(|call| call.is(&["write"])), "{line}");
        all.push((line, calls));
    }
    fs::remove_file(sandbox.path("trace")).unwrap();
    (sandbox, all)
}

/// In one go, since making all of it takes longer than looking at it.
#[test]
fn secrets_are_in_no_system_call_and_key_files_are_private() {
    let (sandbox, all) = traced();
    let mut secrets = passphrases();
    secrets.extend(sandbox.secrets_of_store());
    // Four roots and subordinates and one that waits, three leaves and their successor, and a declared one.
    assert!(secrets.len() >= 3 + 10, "{}", secrets.len());
    for (line, calls) in &all {
        no_secret_passes(line, calls, &secrets);
        starts_no_process(line, calls);
        keys_are_private_from_the_first(line, calls);
    }
    no_file_holds_a_secret(&sandbox, &secrets);
    keys_are_encrypted_as_they_have_to_be(&sandbox);
}

#[track_caller]
fn no_secret_passes(line: &str, calls: &[Call], secrets: &[Secret]) {
    let mut plain = 0;
    for call in calls {
        for secret in secrets.iter().filter(|secret| secret.is_in(&call.0)) {
            let text = call.text();
            assert!(
                text.contains("/acm/.client.key.part>"),
                "{line}: {}: {text}",
                secret.name
            );
            plain += 1;
        }
    }
    // The search finds what is there.
    assert_eq!(plain, usize::from(line.contains("--for acm")), "{line}");
}

#[track_caller]
fn starts_no_process(line: &str, calls: &[Call]) {
    let programs = calls.iter().filter(|call| call.is(&["execve", "execveat"]));
    assert_eq!(programs.count(), 1, "{line} starts a program");
    let hidden = ["fork", "vfork", "memfd_create"];
    assert!(!calls.iter().any(|call| call.is(&hidden)), "{line}");
    for call in calls.iter().filter(|call| call.is(&["clone", "clone3"])) {
        assert!(
            call.text().contains("CLONE_THREAD"),
            "{line}: {}",
            call.text()
        );
    }
}

/// tang, acme.sh and certbot had keys that everyone could read, if only for a moment.
#[track_caller]
fn keys_are_private_from_the_first(line: &str, calls: &[Call]) {
    let created: Vec<String> = calls
        .iter()
        .map(Call::text)
        .filter(|text| text.contains("O_CREAT") || text.contains("O_TMPFILE"))
        .collect();
    let is_new = |text: &String| text.contains("O_EXCL") || text.contains("O_TMPFILE");
    let is_private = |text: &String| is_new(text) && text.contains(", 0600)");
    for text in &created {
        let holds_a_key = [".key", ".p12", ".secret.yaml"]
            .iter()
            .any(|part| text.contains(part));
        let is_trust_store = text.contains("trust.p12");
        assert!(
            !holds_a_key || is_trust_store || is_private(text),
            "{line}: {text}"
        );
    }
    for call in calls
        .iter()
        .filter(|call| call.is(&["write", "pwrite64", "writev"]))
    {
        let text = call.text();
        if !text.contains("PRIVATE KEY") {
            continue;
        }
        let file = text.split(['<', '>']).nth(1).unwrap();
        let its = created.iter().find(|creation| {
            if creation.contains("O_TMPFILE") {
                // Shown as its number in its folder.
                return creation.contains(&format!("<{file}>"));
            }
            let relative = creation.split('"').nth(1).unwrap();
            file.ends_with(relative.trim_start_matches("./"))
        });
        assert!(its.is_some_and(is_private), "{line}: {file}: {its:?}");
    }
}

#[track_caller]
fn no_file_holds_a_secret(sandbox: &Sandbox, secrets: &[Secret]) {
    for file in files_under(sandbox.folder()) {
        let name = file
            .strip_prefix(sandbox.folder())
            .unwrap()
            .to_str()
            .unwrap();
        assert!(
            !name.contains(".part") && !name.contains(".new-"),
            "{name} is left over"
        );
        if FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
            continue;
        }
        let content = fs::read(&file).unwrap();
        for secret in secrets.iter().filter(|secret| secret.is_in(&content)) {
            assert!(PLAIN.contains(&name), "{} is in {name}", secret.name);
        }
        let holds_a_key = memchr::memmem::find(&content, b"PRIVATE KEY").is_some();
        if PLAIN.contains(&name) || holds_a_key || name.ends_with("client.p12") {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}");
        }
    }
}

/// easy-rsa wrote keys anew with a weak cipher (CVE-2024-13454).
#[track_caller]
fn keys_are_encrypted_as_they_have_to_be(sandbox: &Sandbox) {
    let mut keys = 0;
    let mut stores = 0;
    for file in files_under(sandbox.folder()) {
        let name = file
            .strip_prefix(sandbox.folder())
            .unwrap()
            .to_str()
            .unwrap();
        if FOREIGN.iter().any(|foreign| name.starts_with(foreign)) || PLAIN.contains(&name) {
            continue;
        }
        let end = file.extension().and_then(OsStr::to_str);
        if end == Some("key") {
            keys += 1;
            let parsed = sandbox
                .run("openssl", "asn1parse -in")
                .arg(&file)
                .succeeds()
                .stdout;
            for part in [
                "PBES2",
                "PBKDF2",
                ":0927C0",
                "hmacWithSHA256",
                "aes-256-cbc",
            ] {
                assert!(parsed.contains(part), "{name}: {parsed}");
            }
        } else if end == Some("p12") && !name.starts_with("compat/") {
            stores += 1;
            let pass = format!("pass:{EXPORT}");
            let info = sandbox.run("openssl", "pkcs12 -info -nokeys -nocerts -passin");
            let info = info.arg(pass).arg("-in").arg(&file).succeeds().stderr;
            assert!(
                info.contains("MAC: sha256, Iteration 600000"),
                "{name}: {info}"
            );
            for bag in info.lines().filter(|line| line.contains("PBES2")) {
                let strong = "PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256";
                assert!(bag.ends_with(strong), "{name}: {info}");
            }
            assert!(
                info.contains("PBES2") && !info.contains("pbeWithSHA"),
                "{name}: {info}"
            );
        }
    }
    // Of each CA and each certificate in the store, and of seven exports.
    assert!(keys >= 10 + 7, "{keys}");
    assert_eq!(stores, 3);
    // Nothing of this needs the passphrase; that it is the right one does.
    sandbox
        .run(
            "openssl",
            "pkey -noout -check -in key/intermediate0.key -passin file:export.pass",
        )
        .succeeds();
    sandbox
        .run("openssl", "pkey -noout -check -in pki/old/ca.key -passin")
        .arg(format!("pass:{PASSPHRASE}"))
        .succeeds();
}
