//! CAs that are renewed: under the same key, and by another CA in their place. Relying parties that
//! know the old one, the new one or both accept what either issued.

mod compromised;
mod elsewhere;
mod servers;
mod steps;

use std::fs;

use expect_test::expect;

use crate::hierarchy::for_p256_and_rsa;
use crate::lint::assert_pkilint_finds_nothing;
use crate::normalise::normalised;
use crate::run::{assert_same, assert_text};
use crate::sandbox::Sandbox;

/// What has to stay in a CA's certificate under the same key.
const STAYS: &str = "-subject -nameopt RFC2253,show_type -pubkey -ext \
                     basicConstraints,keyUsage,nameConstraints,subjectKeyIdentifier,\
                     crlDistributionPoints,authorityKeyIdentifier";

impl Sandbox {
    /// `rootCA` over `inter0`, constrained, over `www.example.test` in `out/`; their certificates are
    /// in `old/` too.
    fn with_constrained_ca(key_type: &str) -> Self {
        let sandbox = Self::new();
        let kind = format!("--no-passphrase --key-type {key_type}");
        for line in [
            "root --name rootCA --days 1000 --crl-url http://pki.example.test/rootCA.crl",
            "subordinate --ca rootCA --name inter0 --days 500 --path-len 0 --permit dns:example.test --crl-url http://pki.example.test/inter0.crl",
            "issue --ca inter0 --cn www.example.test --profile server --days 100 --out out",
        ] {
            sandbox.pki(line).words(&kind).succeeds();
        }
        for ca in ["rootCA", "inter0"] {
            let pem = sandbox.read(format!("pki/{ca}/ca.crt"));
            sandbox.write(&format!("old/{ca}.crt"), pem);
        }
        sandbox
    }

    /// openssl and GnuTLS accept a leaf of the server profile by these.
    #[track_caller]
    fn both_verify(&self, root: &str, untrusted: &str, leaf: &str) {
        self.run("openssl", "verify -x509_strict -purpose sslserver -CAfile")
            .words(&format!("{root} -untrusted {untrusted} {leaf}"))
            .succeeds();
        let chain = self.read(leaf) + &self.read(untrusted);
        self.write("chain.pem", chain);
        let line = format!("--verify --load-ca-certificate {root} --infile chain.pem");
        let judged = self.run("certtool", &line).succeeds();
        let verified = judged
            .stdout
            .contains("Chain verification output: Verified.");
        assert!(verified, "{judged}");
    }

    #[track_caller]
    fn openssl_refuses(&self, root: &str, untrusted: &str, leaf: &str) {
        self.run("openssl", "verify -x509_strict -CAfile")
            .words(&format!("{root} -untrusted {untrusted} {leaf}"))
            .ends_with(2);
    }
}

fn under_the_same_key_all_that_was_issued_stays_valid(key_type: &str) {
    let sandbox = Sandbox::with_constrained_ca(key_type);
    for line in [
        "ca renew --ca rootCA --days 2000",
        "ca renew --ca inter0 --days 1500",
        "issue --ca inter0 --cn new.example.test --profile server --days 1200 --out out --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let leaf = "out/www.example.test.crt";
    for root in ["old/rootCA.crt", "pki/rootCA/ca.crt"] {
        for ca in ["old/inter0.crt", "pki/inter0/ca.crt"] {
            sandbox.both_verify(root, ca, leaf);
        }
        sandbox.both_verify(root, "pki/inter0/ca.crt", "out/new.example.test.crt");
    }
    let mut lines = Vec::new();
    for ca in ["rootCA", "inter0"] {
        let (old, new) = (format!("old/{ca}.crt"), format!("pki/{ca}/ca.crt"));
        let [before, now] = [&old, &new].map(|file| sandbox.openssl_x509(file, STAYS));
        assert_same(&now, &before);
        let [before, now] = [&old, &new].map(|file| sandbox.openssl_x509(file, "-serial"));
        assert_ne!(before, now);
        lines.push(new);
    }
    lines.push("pki/rootCA/ca.crt pki/inter0/ca.crt".to_owned());
    lines.push("old/rootCA.crt pki/inter0/ca.crt".to_owned());
    lines.push(format!("pki/inter0/ca.crt {leaf}"));
    assert_pkilint_finds_nothing(&sandbox, &lines);
    // A list that was signed before, and one signed since, are those of either certificate.
    sandbox.pki("crl").succeeds();
    for ca in ["old/inter0.crt", "pki/inter0/ca.crt"] {
        let line = format!("crl -noout -in pki/crl/inter0.crl -CAfile {ca}");
        let read = sandbox.run("openssl", &line).succeeds();
        assert!(read.stderr.contains("verify OK"), "{read}");
    }
}

fn another_root_and_the_old_one_certify_each_other(key_type: &str) {
    let sandbox = Sandbox::with_constrained_ca(key_type);
    for line in [
        "ca rekey --ca rootCA --name root2 --no-passphrase",
        "subordinate --ca root2 --name inter2 --no-passphrase --path-len 0 --crl-url http://pki.example.test/inter2.crl",
        "issue --ca inter2 --cn new.example.test --profile server --out out --no-passphrase",
        "export --ca inter2 --cn new.example.test --via rootCA --out via --no-passphrase",
        "export --ca inter0 --cn www.example.test --via root2 --out via --no-passphrase",
        "bundle --out both.pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    let (old, new) = ("pki/rootCA/ca.crt", "pki/root2/ca.crt");
    let (leaf, new_leaf) = ("out/www.example.test.crt", "out/new.example.test.crt");
    // As ever: each by its own root, and both by both.
    sandbox.both_verify(old, "out/www.example.test.chain.pem", leaf);
    sandbox.both_verify(new, "out/new.example.test.chain.pem", new_leaf);
    for leaf in [leaf, new_leaf] {
        let line = format!("verify -x509_strict -CAfile both.pem {leaf}");
        sandbox.run("openssl", &line).succeeds();
    }
    // Across: only with the certificate between them.
    let full_chain = |name: &str| {
        let text = sandbox.read(format!("via/{name}.fullchain.pem"));
        let (_, chain) = text.split_once("-----END CERTIFICATE-----\n").unwrap();
        sandbox.write(&format!("via/{name}.sent.pem"), chain);
        format!("via/{name}.sent.pem")
    };
    sandbox.openssl_refuses(old, "out/new.example.test.chain.pem", new_leaf);
    sandbox.both_verify(old, &full_chain("new.example.test"), new_leaf);
    sandbox.both_verify(new, &full_chain("www.example.test"), leaf);
    // Who trusts the new root takes the longer chain, too.
    sandbox.both_verify(new, &full_chain("new.example.test"), new_leaf);
    let mut lines = vec![new.to_owned()];
    for (issuer, subject) in [("rootCA", "root2"), ("root2", "rootCA")] {
        let file = format!("cross/{subject}.crt");
        let line = format!("export --ca {issuer} --cn {subject} --out cross --force");
        sandbox.pki(&line).succeeds();
        lines.push(file.clone());
        lines.push(format!("pki/{issuer}/ca.crt {file}"));
    }
    assert_pkilint_finds_nothing(&sandbox, &lines);
}

for_p256_and_rsa!(
    under_the_same_key_all_that_was_issued_stays_valid
    another_root_and_the_old_one_certify_each_other
);

/// Times that are the same in every run, for whole transcripts.
const AT: &str = "2026-02-01 12:00:00";

fn at_a_time() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --days 1000",
        "subordinate --ca rootCA --name inter0 --no-passphrase --days 500",
        "issue --ca inter0 --cn a --days 100",
        "issue --ca inter0 --cn gone --days 200",
        "revoke --ca inter0 --cn gone",
    ] {
        sandbox.pki_at(AT, line).succeeds();
    }
    sandbox
}

#[test]
fn what_is_said_of_a_renewed_root() {
    let sandbox = at_a_time();
    let renewed = sandbox.pki_at("2027-02-01 12:00:00", "ca renew --ca rootCA");
    let renewed = renewed.succeeds();
    assert_same(&renewed.stderr, "");
    assert_text(
        &normalised(&renewed.stdout).replace("[time]", "T"),
        expect![[r#"
            renewed the certificate of rootCA
              subject      CN=rootCA
              serial       [serial]
              key type     p256
              expires      T
              certificate  ./pki/rootCA/ca.crt
              renews       [serial]
              previous     ./pki/rootCA/previous/[fingerprint].crt
            next
              1. now: put the new certificate of rootCA into trust stores; certificates of rootCA are valid under either
                   pki bundle --out truststore.pem
              2. T: the previous certificate expires: relying parties without the new one reject certificates below it
        "#]],
    );
    assert!(
        renewed.stdout.contains("  2. 2028-10-28T12:00:00Z:"),
        "{renewed}"
    );
    assert!(
        renewed.stdout.contains("expires      2029-10-28T12:00:00Z"),
        "{renewed}"
    );
    let previous = sandbox.names_in("pki/rootCA/previous");
    let kept = format!("show pki/rootCA/previous/{}", previous[0]);
    let kept = sandbox.pki(&kept).succeeds();
    assert!(kept.stdout.contains("2028-10-28T12:00:00Z"), "{kept}");
}

#[test]
fn what_is_said_of_a_ca_in_the_place_of_another() {
    let sandbox = at_a_time();
    let line = "ca rekey --ca inter0 --name inter1 --no-passphrase";
    let renewed = sandbox.pki_at("2026-03-01 12:00:00", line).succeeds();
    assert_same(&renewed.stderr, "");
    let serials = normalised(&renewed.stdout);
    let (before, rest) = serials.split_once("--serial 0x").unwrap();
    let (_, after) = rest.split_once(' ').unwrap();
    assert_text(
        &format!("{before}--serial 0x… {after}"),
        expect![[r#"
            created inter1 to replace inter0
              issuer       rootCA
              subject      CN=inter1
              serial       [serial]
              key type     p256
              expires      [time]
              certificate  ./pki/inter1/ca.crt
            next
              1. now: add inter1 to the trust stores, keep inter0, and publish its CRL
                   pki bundle --out truststore.pem
                   pki crl --ca inter1
              2. when every relying party has it: issue from inter1, no longer from inter0
                   pki issue --ca inter1 --cn NAME
              3. until [time]: keep publishing CRLs of inter0 for the certificates that it issued
                   pki crl --ca inter0
              4. [time]: all certificates of inter0 have expired: remove it from the trust stores, and have rootCA revoke it
                   pki bundle --ca inter1 --ca rootCA --out truststore.pem
                   pki revoke --ca rootCA --serial 0x… --reason superseded
                   pki crl --ca rootCA
        "#]],
    );
    // The end of the last that is relied on: the one that lasts longer is revoked.
    assert!(
        renewed.stdout.contains("  4. 2026-05-12T12:00:00Z:"),
        "{renewed}"
    );
}

/// The commands of the steps are commands, and do what they are to.
#[test]
fn the_steps_are_followed_to_their_end() {
    let sandbox = at_a_time();
    let line = "--format json ca rekey --ca rootCA --name root2 --no-passphrase";
    let made = sandbox.pki_at(AT, line).succeeds().json();
    assert_eq!(made["succeeds"], "rootCA");
    let issuers: Vec<&str> = made["cross"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cross| cross["ca"].as_str().unwrap())
        .collect();
    assert_eq!(issuers, ["rootCA", "root2"]);
    let steps = made["steps"].as_array().unwrap();
    let times: Vec<&str> = steps
        .iter()
        .map(|step| step["when"].as_str().unwrap())
        .collect();
    assert_eq!(
        times,
        [
            "now",
            "now",
            "when every relying party has it",
            "until 2027-06-16T12:00:00Z",
            "2027-06-16T12:00:00Z"
        ]
    );
    sandbox.pki_at(AT, "issue --ca root2 --cn NAME").succeeds();
    for step in steps {
        for command in step["commands"].as_array().unwrap() {
            let command = command.as_str().unwrap().strip_prefix("pki ").unwrap();
            let open = match command.split(' ').next() {
                Some("export" | "subordinate") => " --no-passphrase",
                _ => "",
            };
            let line = format!("{command}{open}").replace("DIR", "out");
            sandbox.pki_at(AT, &line).succeeds();
        }
    }
    let certificates = sandbox.read("truststore.pem");
    assert_eq!(certificates.matches("BEGIN CERTIFICATE").count(), 1);
    let list = sandbox.list_in("pki/crl/root2.crl");
    assert_eq!(list.serials.len(), 1, "the old root's, by the new one");
}

#[test]
fn a_cross_certificate_that_is_revoked_leads_nowhere() {
    let sandbox = Sandbox::with_constrained_ca("p256");
    for line in [
        "ca rekey --ca rootCA --name root2 --no-passphrase",
        "issue --ca root2 --cn new.example.test --profile server --out out --no-passphrase",
        "export --ca root2 --cn new.example.test --via rootCA --out via --no-passphrase",
        "revoke --ca rootCA --cn root2 --reason cACompromise",
        "crl --ca rootCA --ca root2 --to-pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    let lists = sandbox.read("pki/crl/rootCA.crl.pem") + &sandbox.read("pki/crl/root2.crl.pem");
    sandbox.write("lists.pem", lists);
    let judged = sandbox
        .run(
            "openssl",
            "verify -x509_strict -crl_check_all -CRLfile lists.pem -CAfile",
        )
        .words(
            "pki/rootCA/ca.crt -untrusted via/new.example.test.chain.pem via/new.example.test.crt",
        )
        .ends_with(2);
    assert!(judged.stderr.contains("certificate revoked"), "{judged}");
    sandbox.refused(
        sandbox.pki(
            "export --ca root2 --cn new.example.test --via rootCA --out again --no-passphrase",
        ),
        1,
        "cross-certificate-not-found",
        expect![[r#"
            error: rootCA has no cross-certificate for the key of CN=root2
            hint: to cross-sign the roots: `pki ca cross-sign --ca rootCA --with NAME`
        "#]],
    );
    sandbox.refused(
        sandbox.pki("ca cross-sign --ca rootCA --with root2"),
        1,
        "key-compromised",
        expect![[r#"
            error: the key of root2 is compromised: certificate [serial] of rootCA, which has it too, is revoked for that
            hint: create a new CA with a new key: `pki ca rekey --ca root2 --name NAME`
        "#]],
    );
}

#[test]
fn roots_that_certify_each_other_already_do_not_do_so_twice() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name one --no-passphrase --path-len 1 --days 100",
        "root --name two --no-passphrase --path-len 1 --days 200",
        "subordinate --ca one --name below --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let line = "--format json ca cross-sign --ca one --with two";
    let first = sandbox.pki(line).succeeds();
    assert_text(
        &first.text_of_stderr(),
        expect![[r#"
            notice: relying parties that trust only one accept at most 0 CAs below two
            notice: relying parties that trust only two accept at most 0 CAs below one
        "#]],
    );
    let before = sandbox.store_snapshot();
    let again = sandbox.pki(line).succeeds();
    assert_eq!(first.json(), again.json());
    before.assert_unchanged(&sandbox.path("pki"));
    let cross = &first.json()["cross"];
    assert_eq!(cross[0]["not_after"], cross[1]["not_after"], "inside both");
    sandbox.refused(
        sandbox.pki("ca cross-sign --ca one --with below"),
        1,
        "not-a-root",
        expect![[r#"
            error: below is not a root, and only roots are cross-signed
            hint: a subordinate CA is trusted through its root; `pki bundle` writes the trust store
        "#]],
    );
    sandbox.refused(
        sandbox.pki("ca cross-sign --ca one --with one"),
        2,
        "usage",
        expect![[r#"
            error: --with has to name another root than --ca
        "#]],
    );
}

/// Each under a passphrase of its own.
#[test]
fn a_new_root_has_its_own_passphrase_and_the_old_policy() {
    let sandbox = Sandbox::new();
    sandbox
        .with_passphrase("root --name rootCA --cn Old --path-len 2 --key-type p384 --permit dns:example.test --days 400")
        .words("--crl-url http://pki.example.test/rootCA.crl --crl-url http://pki.example.test/list --ocsp-url http://ocsp.example.test")
        .succeeds();
    sandbox.write("new.pass", "another passphrase");
    let renewed = sandbox
        .with_passphrase("ca rekey --ca rootCA --name root2 --cn New --passout file:new.pass")
        .succeeds();
    assert_text(
        &normalised(&renewed.stderr),
        expect![[r#"
            notice: relying parties that trust only rootCA accept at most 1 CAs below root2
            notice: relying parties that trust only root2 accept at most 1 CAs below rootCA
            notice: the old CA's http://pki.example.test/list is not copied; set new URLs with --crl-url and --ca-issuers-url
        "#]],
    );
    let key = "pkey -noout -in pki/root2/ca.key -passin file:new.pass";
    sandbox.run("openssl", key).succeeds();
    let record: serde_json::Value =
        serde_json::from_str(&sandbox.read("pki/root2/ca.json")).unwrap();
    assert_eq!(
        record["crl_urls"],
        serde_json::json!(["http://pki.example.test/root2.crl"])
    );
    assert_eq!(
        record["ocsp_urls"],
        serde_json::json!(["http://ocsp.example.test"])
    );
    let what = "-ext basicConstraints,nameConstraints,keyUsage";
    let [old, new] =
        ["rootCA", "root2"].map(|ca| sandbox.openssl_x509(&format!("pki/{ca}/ca.crt"), what));
    assert_same(&new, &old);
    let text = sandbox.openssl_x509("pki/root2/ca.crt", "-text");
    assert!(
        text.contains("NIST CURVE: P-384") && text.contains("Subject: CN = New"),
        "{text}"
    );
}

#[test]
fn the_subject_of_the_old_ca_is_refused_for_another_key() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.refused(
        sandbox.pki("ca rekey --ca rootCA --name root2 --cn rootCA --no-passphrase"),
        1,
        "subject-of-ca",
        expect![[r#"
            error: CN=rootCA is already the subject of rootCA, which has another key
            hint: use another subject with --cn or --subject: verifiers that find issuers and CRLs by name would confuse the two
        "#]],
    );
    sandbox.refused(
        sandbox.pki("ca rekey --ca rootCA --name intermediate0 --no-passphrase"),
        1,
        "ca-exists",
        expect![[r#"
            error: CA intermediate0 already exists in the store
            hint: choose another name with --name
        "#]],
    );
    sandbox.refused(
        sandbox.pki("ca rekey --ca rootCA --name rootCA --no-passphrase"),
        1,
        "ca-exists",
        expect![[r#"
            error: CA rootCA already exists in the store
            hint: choose another name with --name
        "#]],
    );
}

#[test]
fn a_root_that_has_expired_is_renewed() {
    let sandbox = Sandbox::new();
    sandbox
        .pki_at(AT, "root --name rootCA --no-passphrase --days 10")
        .succeeds();
    let late = "2026-03-01 12:00:00";
    sandbox.refused(
        sandbox.pki_at(late, "issue --ca rootCA --cn a"),
        1,
        "ca-unusable",
        expect![[r#"
            error: rootCA cannot sign this: CN=rootCA expired at [time]
        "#]],
    );
    let renewed = sandbox.pki_at(late, "ca renew --ca rootCA").succeeds();
    assert!(!renewed.stdout.contains("  2. "), "{renewed}");
    sandbox.pki_at(late, "issue --ca rootCA --cn a").succeeds();
}

#[test]
fn a_ca_that_was_taken_back_is_not_renewed() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("revoke --ca rootCA --cn intermediate0 --reason cACompromise")
        .succeeds();
    sandbox.refused(
        sandbox.pki("ca renew --ca intermediate0"),
        1,
        "ca-revoked",
        expect![[r#"
            error: the certificate of intermediate0 is revoked (cACompromise)
            hint: create a new CA with a new key: `pki ca rekey --ca intermediate0 --name NAME`
        "#]],
    );
}

#[test]
fn a_ca_lasts_no_longer_than_the_one_above() {
    let sandbox = Sandbox::with_constrained_ca("p256");
    sandbox.refused(
        sandbox.pki("ca renew --ca inter0 --days 2000"),
        1,
        "invalid-validity",
        expect![[r#"
            error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
            hint: choose other times with --days, --not-before or --not-after
        "#]],
    );
}

/// Its own old certificate a root can take back as little as its own new one.
#[test]
fn a_root_does_not_revoke_what_it_was() {
    let sandbox = Sandbox::with_open_ca();
    let renewed = sandbox.pki("--format json ca renew --ca rootCA").succeeds();
    let old = renewed.json()["renews"].as_str().unwrap().to_owned();
    let revoke = format!("revoke --ca rootCA --serial 0x{old}");
    sandbox.refused(
        sandbox.pki(&revoke),
        1,
        "own-certificate",
        expect![[r#"
            error: rootCA cannot revoke its own certificate
            hint: the parent CA revokes a CA; a root is removed from the trust stores
        "#]],
    );
}

#[test]
fn four_at_once_renew_a_ca_four_times() {
    let sandbox = Sandbox::with_open_ca();
    let line = "ca renew --ca intermediate0";
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| sandbox.pki(line).succeeds());
        }
    });
    assert_eq!(sandbox.names_in("pki/intermediate0/previous").len(), 4);
    let issued = sandbox.read("pki/rootCA/issued.jsonl");
    assert_eq!(issued.matches("\"profile\":\"subordinate\"").count(), 5);
    let now = sandbox.read("pki/intermediate0/ca.crt");
    for previous in sandbox.names_in("pki/intermediate0/previous") {
        let path = sandbox.path(format!("pki/intermediate0/previous/{previous}"));
        assert_ne!(fs::read_to_string(path).unwrap(), now);
    }
}

crate::engine::also_in_a_database! {
    what_is_said_of_a_renewed_root, what_is_said_of_a_ca_in_the_place_of_another,
    the_steps_are_followed_to_their_end, roots_that_certify_each_other_already_do_not_do_so_twice,
    a_new_root_has_its_own_passphrase_and_the_old_policy,
    the_subject_of_the_old_ca_is_refused_for_another_key, a_root_that_has_expired_is_renewed,
    a_ca_that_was_taken_back_is_not_renewed, a_ca_lasts_no_longer_than_the_one_above,
    a_root_does_not_revoke_what_it_was, four_at_once_renew_a_ca_four_times,
}

crate::engine::soak_in_a_database! {
    a_cross_certificate_that_is_revoked_leads_nowhere,
}
