//! pkilint finds nothing to say about what `pki` makes.

use crate::hierarchy::{Zoo, for_every_key_type};
use crate::sandbox::Sandbox;

/// Lints each line's certificate, or its issuer and subject as a chain.
#[track_caller]
pub(crate) fn assert_pkilint_finds_nothing(sandbox: &Sandbox, lines: &[String]) {
    let input = lines.join("\n");
    let report = sandbox.python("lint.py").stdin(input).succeeds();
    assert_eq!(report.stdout, format!("{} linted\n", lines.len()));
}

fn pkilint_finds_nothing_in_a_hierarchy_of(key_type: &str) {
    let zoo = Zoo::of(key_type);
    let mut lines = zoo
        .certificates()
        .map(str::to_owned)
        .chain([format!("{} {}", Zoo::ROOT, Zoo::SUBORDINATE)])
        .collect::<Vec<_>>();
    for leaf in &zoo.leaves {
        lines.push(format!("{} {leaf}", Zoo::SUBORDINATE));
    }
    assert_pkilint_finds_nothing(&zoo.sandbox, &lines);
}

for_every_key_type!(pkilint_finds_nothing_in_a_hierarchy_of);

/// But a wildcard: RFC 5280's syntax of host names, which pkilint holds to, has none.
#[test]
fn pkilint_finds_nothing_in_certificates_that_use_every_option() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --subject /C=JP/O=Example/OU=a/OU=b/CN=Root --not-after 2055-01-01 --path-len 2",
        "subordinate --ca rootCA --name constrained --no-passphrase --subject CN=Constrained,O=Example,DC=example,DC=test --path-len 0 --crl-url http://crl.example.test/constrained.crl --permit dns:example.test --permit email:example.test --permit ip:192.0.2.0/24 --permit uri:.example.test --exclude dns:secret.example.test",
        "issue --ca constrained --subject CN=every_thing,OU=b,OU=a,O=Example,C=JP --profile peer --san dns:www.example.test,ip:192.0.2.9,email:someone@example.test,uri:https://www.example.test/x --out out --name everything --no-passphrase",
        "issue --ca constrained --profile server --san nameless.example.test --out out --name nameless --no-passphrase",
        "issue --ca constrained --cn bücher.example.test --profile server --san bücher.example.test --out out --name idn --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let (root, constrained) = ("pki/rootCA/ca.crt", "pki/constrained/ca.crt");
    let mut lines = vec![
        root.to_owned(),
        constrained.to_owned(),
        format!("{root} {constrained}"),
    ];
    for leaf in ["everything", "nameless", "idn"] {
        lines.push(format!("out/{leaf}.crt"));
        lines.push(format!("{constrained} out/{leaf}.crt"));
    }
    assert_pkilint_finds_nothing(&sandbox, &lines);
}

/// Without this, a driver that lints nothing would please every test above.
#[test]
fn pkilint_as_it_is_run_here_finds_what_is_wrong() {
    let sandbox = Sandbox::new();
    sandbox
        .run(
            "openssl",
            "req -x509 -newkey rsa:2048 -nodes -subj /CN=plain -days 30",
        )
        .words("-keyout plain.key -out plain.crt -addext basicConstraints=CA:TRUE")
        .succeeds();
    let report = sandbox.python("lint.py").stdin("plain.crt").ends_with(1);
    assert!(report.stdout.contains("(ERROR)"), "{report}");
    assert!(report.stdout.ends_with("1 linted\n"), "{report}");
}
