//! `pki ocsp`: its responses, and the programs that ask for them.

mod evidence;
mod faults;
mod index;
mod java;
mod monitor;
mod nginx;
mod openssl;
mod parallel;
mod paths;
mod responder;
mod stapling;
mod tokens;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;
use crate::server::Server;

/// nginx as a responder: the trees of both CAs under one URL.
const BOTH_TREES: &str = "types { }
        default_type application/ocsp-response;
        index index.html;
        location / { try_files /intermediate0$uri /intermediate0${uri}index.html /rootCA$uri /rootCA${uri}index.html =404; }";

/// nginx as a responder: the tree of each CA under its name.
const EACH_TREE: &str = "types { }
        default_type application/ocsp-response;";

impl Sandbox {
    /// `rootCA` over `intermediate0`, which issued `good`, `revoked` and the server `www.example.test`, all in `out/`.
    /// Nothing is revoked yet. The options are those of both CAs.
    fn with_clients(options: [&str; 2]) -> Self {
        let sandbox = Self::new();
        let [root, subordinate] = options;
        for line in [
            &format!("root --name rootCA --no-passphrase {root}"),
            &format!("subordinate --ca rootCA --name intermediate0 --no-passphrase {subordinate}"),
            "issue --ca intermediate0 --out out --cn good --no-passphrase",
            "issue --ca intermediate0 --out out --cn revoked --no-passphrase",
            "issue --ca intermediate0 --out out --cn www.example.test --profile server --no-passphrase",
        ] {
            sandbox.pki(line).succeeds();
        }
        sandbox
    }

    /// The same, with `revoked` on record.
    fn with_revoked_client() -> Self {
        let sandbox = Self::with_clients(["", ""]);
        sandbox
            .pki("revoke --ca intermediate0 --cn revoked --reason keyCompromise")
            .succeeds();
        sandbox
    }

    /// OpenSSL as it judges a response about a certificate of `intermediate0`, by the root alone.
    fn respin(&self, response: &str, leaf: &str, hash: &str) -> Run {
        self.run("openssl", "ocsp -CAfile pki/rootCA/ca.crt -respin")
            .arg(response)
            .words(&format!(
                "-{hash} -issuer pki/intermediate0/ca.crt -cert out/{leaf}.crt"
            ))
    }

    /// The serial number of the certificate with a common name.
    fn serial_of_cn(&self, ca: &str, cn: &str) -> String {
        let run = self.pki("list --format json --ca").arg(ca);
        let listed = run.words("--cn").arg(cn).succeeds().json();
        listed[0]["serial"].as_str().unwrap().to_owned()
    }

    /// The serial numbers of the responders of `intermediate0`, in the order of issuing.
    fn responders(&self) -> Vec<String> {
        let run = self.pki("list --ca intermediate0 --format json");
        let listed = run.succeeds().json();
        let listed = listed.as_array().unwrap().iter();
        let responders = listed.filter(|entry| entry["profile"] == "ocsp");
        responders
            .map(|entry| entry["serial"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Reads responses with a library.
    fn read_responses(&self, files: &[PathBuf]) -> Vec<Read> {
        let python = self.python("ocsp_responses.py");
        let read = files.iter().fold(python, Run::arg).succeeds();
        let lines = read.stdout.lines();
        lines
            .map(|line| {
                let fields: Vec<&str> = line.split(' ').collect();
                let field = |index: usize| fields[index].to_owned();
                Read {
                    hash: field(1),
                    serial: field(2),
                    status: field(3),
                    this_update: field(4),
                    next_update: field(5),
                    reason: field(7),
                }
            })
            .collect()
    }

    /// All files below a directory, sorted.
    fn files_below(&self, directory: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.path(directory)];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    directories.push(entry.path());
                } else {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        files
    }

    /// The report of `pki ocsp --check`, which ends with this exit code.
    #[track_caller]
    fn checked(&self, line: &str, status: i32) -> Value {
        let run = self.pki("ocsp --check --format json").words(line);
        run.ends_with(status).json()
    }
}

/// A response as a library reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    hash: String,
    serial: String,
    status: String,
    this_update: String,
    next_update: String,
    reason: String,
}

/// OpenSSL verified the response, and says this of the certificate.
#[track_caller]
fn assert_says(run: Run, status: &str) {
    let judged = run.succeeds();
    assert!(judged.stderr.contains("Response verify OK"), "{judged}");
    assert!(
        judged.stdout.contains(&format!(".crt: {status}\n")),
        "{judged}"
    );
}

/// curl as a client with a certificate; it ends with the status of the answer.
fn curl(sandbox: &Sandbox, server: &Server, client: &str) -> Transcript {
    sandbox
        .run("curl", "--silent --show-error --noproxy *")
        .words("--cacert pki/rootCA/ca.crt --write-out status:%{http_code}")
        .arg("--connect-to")
        .arg(format!("www.example.test:443:127.0.0.1:{}", server.port))
        .words(&format!("--cert out/{client}.fullchain.pem"))
        .words(&format!("--key out/{client}.key"))
        .arg("https://www.example.test/")
        .finish()
}

#[track_caller]
fn assert_let_in(sandbox: &Sandbox, server: &Server, client: &str) {
    let answer = curl(sandbox, server, client);
    assert_eq!(answer.status, Some(0), "{answer}");
    assert_eq!(answer.stdout, format!("hello {client}\nstatus:200"));
}

/// nginx answers 400.
#[track_caller]
fn assert_out(sandbox: &Sandbox, server: &Server, client: &str) {
    let answer = curl(sandbox, server, client);
    assert_eq!(answer.status, Some(0), "{answer}");
    let page = &answer.stdout;
    assert!(page.contains("The SSL certificate error"), "{answer}");
    assert!(page.ends_with("status:400"), "{answer}");
}

/// nginx that lets in clients with a certificate below the root, with these settings beside.
fn nginx_that_asks(sandbox: &Sandbox, settings: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../out/www.example.test.fullchain.pem;
        ssl_certificate_key ../out/www.example.test.key;
        ssl_client_certificate ../pki/rootCA/ca.crt;
        ssl_verify_client on;
        ssl_verify_depth 3;
        {settings}
        location / {{
            if ($ssl_client_s_dn ~ CN=(.*)) {{ return 200 \"hello $1\n\"; }}
        }}"
        ),
    )
}
