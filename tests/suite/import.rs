//! `pki import`: CAs that openssl and easy-rsa made here and kept, taken over.

mod easy_rsa;
mod keys;
mod lists;
mod openssl;
mod own;
mod previous;
mod refusals;
mod renewed;
mod without_index;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;

/// The passphrase of the keys of openssl and easy-rsa.
pub(crate) const OLD: &str = "the old passphrase";

/// How `openssl ca` keeps a CA.
const CONFIGURATION: &str = "\
[ca]
default_ca = x
[x]
dir = old
database = $dir/index.txt
new_certs_dir = $dir/newcerts
certificate = $dir/cacert.pem
private_key = $dir/private/cakey.pem
serial = $dir/serial
crlnumber = $dir/crlnumber
crl_extensions = crl
default_md = sha256
default_crl_days = 30
default_days = 300
policy = any
unique_subject = no
string_mask = utf8only
[crl]
authorityKeyIdentifier = keyid
[client]
extendedKeyUsage = clientAuth
[server]
extendedKeyUsage = serverAuth
subjectAltName = DNS:www.example.test
[both]
extendedKeyUsage = serverAuth, clientAuth
[other]
extendedKeyUsage = clientAuth, emailProtection
[req]
prompt = no
distinguished_name = any
string_mask = utf8only
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = supplied
emailAddress = optional
";

/// Subjects that an index writes in ways of its own.
const SUBJECTS: [&str; 5] = [
    "/CN=plain",
    "/C=JP/O=Example\\/Branch/OU=one/OU=two/CN=a slash",
    "/O=Ünïcode 株式会社/CN=päul",
    "/O=a\\+b/CN=back\\\\x41slash/emailAddress=a@example.test",
    "/CN=first/CN=second, with a comma",
];

/// What `openssl ca -revoke` is told, and what lists say of it; every way that it knows.
const WAYS: [&str; 12] = [
    "",
    "-crl_reason unspecified",
    "-crl_reason keyCompromise",
    "-crl_reason CACompromise",
    "-crl_reason affiliationChanged",
    "-crl_reason superseded",
    "-crl_reason cessationOfOperation",
    "-crl_reason certificateHold",
    "-crl_reason removeFromCRL",
    "-crl_hold holdInstructionReject",
    "-crl_compromise 20260102030405Z",
    "-crl_CA_compromise 20250102030405Z",
];

impl Sandbox {
    pub(crate) fn old_ca(&self, line: &str) -> Run {
        self.run("openssl", "ca -batch -config old.cnf -passin")
            .arg(format!("pass:{OLD}"))
            .words(line)
    }

    /// `old/`: a CA of openssl that has issued nothing.
    fn with_empty_openssl_ca() -> Self {
        let sandbox = Self::new();
        sandbox.make_openssl_ca();
        sandbox
    }

    /// `old/`, beside whatever is in the folder.
    pub(crate) fn make_openssl_ca(&self) {
        self.write("old.cnf", CONFIGURATION);
        fs::create_dir_all(self.path("old/newcerts")).unwrap();
        fs::create_dir_all(self.path("old/private")).unwrap();
        self.write("old/index.txt", "");
        self.write("old/serial", "1000\n");
        self.write("old/crlnumber", "0F\n");
        self.run("openssl", "req -x509 -newkey ec -days 3650")
            .words("-pkeyopt ec_paramgen_curve:P-256 -addext keyUsage=critical,keyCertSign,cRLSign")
            .words("-keyout old/private/cakey.pem -out old/cacert.pem -passout")
            .arg(format!("pass:{OLD}"))
            .arg("-subj")
            .arg("/O=Old/CN=Old CA")
            .succeeds();
        self.run("openssl", "genpkey -algorithm EC -out leaf.key")
            .words("-pkeyopt ec_paramgen_curve:P-256")
            .succeeds();
    }

    pub(crate) fn request(&self, file: &str, subject: &str) {
        self.run(
            "openssl",
            "req -new -utf8 -config old.cnf -key leaf.key -out",
        )
        .words(&format!("{file} -subj"))
        .arg(subject)
        .succeeds();
    }

    /// `old/`: 200 certificates, of which 60 are revoked in every way, and some have expired.
    fn build_openssl_ca() -> Self {
        let sandbox = Self::with_empty_openssl_ca();
        sandbox.write(
            "old.cnf",
            CONFIGURATION.to_owned()
                + "[req]\nprompt = no\ndistinguished_name = any\nstring_mask = utf8only\n",
        );
        let mut requests = Vec::new();
        for (number, subject) in SUBJECTS.iter().enumerate() {
            sandbox.request(&format!("{number}.csr"), subject);
            requests.push(format!("{number}.csr"));
        }
        for (times, options) in [
            (20, "-extensions client"),
            (4, "-extensions server"),
            (4, "-extensions both -enddate 20550101000000Z"),
            (4, "-extensions other"),
            (
                8,
                "-extensions client -startdate 20200101000000Z -enddate 20210101000000Z",
            ),
        ] {
            sandbox
                .old_ca(&format!("-notext {options} -infiles"))
                .words(&vec![requests.join(" "); times].join(" "))
                .succeeds();
        }
        // Every third certificate, so that some of each kind are among them.
        for index in 0..60_usize {
            let serial = 0x1000 + index * 10 / 3;
            let way = WAYS[index % WAYS.len()];
            sandbox
                .old_ca(&format!("-revoke old/newcerts/{serial:X}.pem {way}"))
                .succeeds();
        }
        sandbox.old_ca("-updatedb").succeeds();
        sandbox.old_ca("-gencrl -out old/crl.pem").succeeds();
        sandbox
    }

    /// A copy of what [`Sandbox::build_openssl_ca`] makes once.
    fn with_openssl_ca() -> Self {
        static BUILT: OnceLock<Sandbox> = OnceLock::new();
        BUILT.get_or_init(Self::build_openssl_ca).copied()
    }

    fn copied(&self) -> Self {
        let copy = Self::new();
        let from = format!("{}/.", self.folder().display());
        copy.run("cp", "-a").arg(from).arg(".").succeeds();
        copy
    }

    fn import(&self, line: &str) -> Run {
        self.pki("import --name old --passin env:OLD")
            .env("OLD", OLD)
            .words(line)
    }

    #[track_caller]
    fn imported(&self, line: &str) -> Value {
        self.import("--format json").words(line).succeeds().json()
    }

    /// `pki` with the passphrase that the keys had.
    fn pki_old(&self, line: &str) -> Run {
        self.pki(line).env("PKI_PASSPHRASE", OLD)
    }

    /// What a library reads in a list.
    #[track_caller]
    fn entries(&self, file: &str) -> Vec<String> {
        let read = self.python("crl_entries.py").arg(file).succeeds();
        read.stdout.lines().map(str::to_owned).collect()
    }

    /// The refusal of an import: the rules that were broken, and a store that is as it was.
    #[track_caller]
    fn refused_import(&self, line: &str) -> (Vec<String>, Transcript) {
        let before = self.store_snapshot();
        let refused = self.import("--format json").words(line).ends_with(1);
        before.assert_unchanged(&self.path("pki"));
        (errors(&refused.json()), refused)
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file}: {text}");
        self.write(file, text.replacen(from, to, 1));
    }
}

/// The rules of findings that are errors.
fn errors(report: &Value) -> Vec<String> {
    rules(report, "error")
}

fn rules(report: &Value, level: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["level"] == level)
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

/// The lines of an index that start with a status.
fn lines_of(index: &str, status: &str) -> Vec<String> {
    let start = format!("{status}\t");
    let lines = index.lines().filter(|line| line.starts_with(&start));
    lines.map(str::to_owned).collect()
}

/// The field of an index that has the serial number.
fn serial_of(line: &str) -> String {
    line.split('\t').nth(3).unwrap().to_owned()
}

fn exists(sandbox: &Sandbox, path: impl AsRef<Path>) -> bool {
    sandbox.path(path).exists()
}
