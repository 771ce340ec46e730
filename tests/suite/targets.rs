//! Trust stores against the rules of those who read them: each rule where it
//! is just held and where it is just broken, by its name. OpenSSL makes the
//! certificates.

mod every;
mod general;
mod java;
mod kinds;
mod limits;
mod live;
mod shapes;
mod text;

use std::fmt::Write as _;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A CA certificate that OpenSSL is to make.
#[derive(Clone)]
struct Authority {
    name: String,
    /// The name of the CA that issued it; none for a root.
    issuer: Option<String>,
    /// What `openssl genpkey` makes; those of one kind share one key.
    key: &'static str,
    options: String,
    basic_constraints: &'static str,
    key_usage: &'static str,
    extensions: String,
}

const P256: &str = "EC -pkeyopt ec_paramgen_curve:P-256";
const P384: &str = "EC -pkeyopt ec_paramgen_curve:P-384";
const P521: &str = "EC -pkeyopt ec_paramgen_curve:P-521";
const ED25519: &str = "ED25519";
const RSA_2048: &str = "RSA -pkeyopt rsa_keygen_bits:2048";

fn root(name: &str) -> Authority {
    Authority {
        name: name.to_owned(),
        issuer: None,
        key: P256,
        options: String::new(),
        basic_constraints: "critical, CA:TRUE",
        key_usage: "critical, keyCertSign, cRLSign",
        extensions: String::new(),
    }
}

impl Authority {
    fn under(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    fn key(mut self, kind: &'static str) -> Self {
        self.key = kind;
        self
    }

    fn options(mut self, options: &str) -> Self {
        write!(self.options, " {options}").unwrap();
        self
    }

    fn extension(mut self, line: &str) -> Self {
        writeln!(self.extensions, "{line}").unwrap();
        self
    }

    fn basic_constraints(mut self, value: &'static str) -> Self {
        self.basic_constraints = value;
        self
    }

    fn key_usage(mut self, value: &'static str) -> Self {
        self.key_usage = value;
        self
    }
}

/// As many roots.
fn roots(count: usize) -> Vec<Authority> {
    (0..count)
        .map(|number| root(&format!("r{number}")))
        .collect()
}

/// As many CAs, each under the one before, the root first.
fn chain(count: usize) -> Vec<Authority> {
    let below = |number: usize| root(&format!("c{number}")).under(&format!("c{}", number - 1));
    std::iter::once(root("c0"))
        .chain((1..count).map(below))
        .collect()
}

/// Makes the certificates, and gives them as PEM.
#[track_caller]
fn make(sandbox: &Sandbox, authorities: &[Authority]) -> String {
    authorities
        .iter()
        .map(|authority| make_one(sandbox, authority))
        .collect()
}

#[track_caller]
fn make_one(sandbox: &Sandbox, authority: &Authority) -> String {
    let key = key_file(sandbox, authority.key);
    let Authority {
        name,
        issuer,
        options,
        basic_constraints,
        key_usage,
        extensions,
        ..
    } = authority;
    sandbox.write(
        "ca.cnf",
        format!(
            "[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ca\nstring_mask = utf8only\n\
             [dn]\nCN = {name}\n[ca]\nbasicConstraints = {basic_constraints}\nkeyUsage = {key_usage}\n\
             subjectKeyIdentifier = hash\n{extensions}"
        ),
    );
    let line =
        format!("req -x509 -new -config ca.cnf -key {key} -out {name}.crt -days 365 {options}");
    let mut run = sandbox.run("openssl", &line);
    if let Some(issuer) = issuer {
        run = run.words(&format!("-CA {issuer}.crt -CAkey {key}"));
    }
    run.succeeds();
    sandbox.read(format!("{name}.crt"))
}

#[track_caller]
fn key_file(sandbox: &Sandbox, kind: &str) -> String {
    let name = kind.replace([' ', ':'], "");
    let file = format!("{name}.key");
    if !sandbox.path(&file).exists() {
        let line = format!("genpkey -algorithm {kind} -out {file}");
        sandbox.run("openssl", &line).succeeds();
    }
    file
}

/// Names of the targets that `pki bundle --for` takes.
fn targets() -> Vec<String> {
    let program = pki::cli::command();
    let bundle = program.find_subcommand("bundle").unwrap();
    let target = bundle
        .get_arguments()
        .find(|arg| arg.get_long() == Some("for"));
    let values = target.unwrap().get_possible_values();
    values
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect()
}

/// The names of the rules that a report found broken, by level.
pub(crate) fn rules(report: &Value, level: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["level"] == level);
    let mut rules = findings
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect::<Vec<_>>();
    rules.sort();
    rules.dedup();
    rules
}

/// Judges a file, and requires these errors and no others, and the exit code that goes with them.
#[track_caller]
fn assert_judged(sandbox: &Sandbox, target: &str, pem: impl AsRef<[u8]>, errors: &[&str]) -> Value {
    sandbox.write("judged.pem", pem);
    let line = format!("--format json bundle --check judged.pem {target}");
    let status = if errors.is_empty() { 0 } else { 3 };
    let judged = sandbox.pki(&line).finish();
    assert_eq!(judged.status, Some(status), "{judged}");
    let report = judged.json();
    assert_eq!(rules(&report, "error"), errors, "{judged}");
    report
}

/// A test a line: what is judged for whom, and the rules that it breaks.
macro_rules! judged {
    ($($name:ident: $target:literal, $authorities:expr => $errors:expr;)+) => {
        $(#[test]
        fn $name() {
            let sandbox = Sandbox::new();
            let authorities: Vec<Authority> = $authorities.into();
            let pem = make(&sandbox, &authorities);
            let target = format!("--for {}", $target);
            assert_judged(&sandbox, &target, pem, &$errors);
        })+
    };
}
use judged;
