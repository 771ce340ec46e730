//! `pki verify` over what openssl made: every refusal, word for word, and the
//! same verdict as `openssl verify` gives.

mod acceptances;
mod unreadable;

use std::fs;

use expect_test::{Expect, expect};

use crate::run::{Run, Transcript, assert_text};
use crate::sandbox::Sandbox;
use crate::verify::{assert_says, report};

const CA: &str = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n";
const CLIENT: &str =
    "basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n";
const HOST: &str = "basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\n\
                    subjectAltName=DNS:www.example.test\n";

impl Sandbox {
    /// `FILE.crt` for the key `KEY.key`, which is made where there is none: a certificate of
    /// `subject` by the CA whose files are `issuer`'s, or by itself.
    fn certify_key(&self, file: &str, key: &str, subject: &str, issuer: &str, extensions: &str) {
        self.certify_with("-days 30", file, key, subject, issuer, extensions);
    }

    /// The same with options of `openssl req`.
    fn certify_with(
        &self,
        options: &str,
        file: &str,
        key: &str,
        subject: &str,
        issuer: &str,
        extensions: &str,
    ) {
        let key = format!("{key}.key");
        if !self.path(&key).exists() {
            self.run(
                "openssl",
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out",
            )
            .arg(&key)
            .succeeds();
        }
        self.write(
            "made.cnf",
            format!(
                "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n[x]\nsubjectKeyIdentifier=hash\n\
                 authorityKeyIdentifier=keyid\n{extensions}"
            ),
        );
        let made = self
            .run(
                "openssl",
                "req -x509 -new -utf8 -config made.cnf -extensions x",
            )
            .words(options)
            .words(&format!("-key {key} -out {file}.crt -subj"))
            .arg(format!("/CN={subject}"));
        let made = if issuer == file {
            made
        } else {
            made.words(&format!("-CA {issuer}.crt -CAkey {issuer}.key"))
        };
        made.succeeds();
    }

    fn certify(&self, name: &str, issuer: &str, extensions: &str) {
        self.certify_key(name, name, name, issuer, extensions);
    }

    /// `FILE.crl.pem`, a list by `ca`, with rows of `openssl ca`'s index and extensions of the list.
    fn list_by(&self, file: &str, ca: &str, rows: &str, extensions: &str) {
        self.write("index.txt", rows);
        self.write("crlnumber", "07\n");
        self.write(
            "list.cnf",
            format!(
                "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ncrlnumber=crlnumber\n\
                 default_md=sha256\ndefault_crl_days=7\ncrl_extensions=x\n[x]\n\
                 authorityKeyIdentifier=keyid\n{extensions}\n[users]\nonlyuser=TRUE\n[cas]\nonlyCA=TRUE\n[reasons]\nonlysomereasons=keyCompromise\n"
            ),
        );
        self.run("openssl", "ca -gencrl -config list.cnf")
            .words(&format!(
                "-cert {ca}.crt -keyfile {ca}.key -out {file}.crl.pem"
            ))
            .succeeds();
    }

    /// A row of `openssl ca`'s index that revokes `NAME.crt`.
    fn revoked_row(&self, name: &str, reason: &str) -> String {
        let serial = self
            .run("openssl", "x509 -noout -serial -in")
            .arg(format!("{name}.crt"))
            .succeeds();
        let serial = serial
            .stdout
            .trim()
            .trim_start_matches("serial=")
            .to_owned();
        format!("R\t360101000000Z\t260102000000Z,{reason}\t{serial}\tunknown\t/CN={name}\n")
    }

    /// One file of several.
    fn joined(&self, file: &str, parts: &[&str]) {
        let parts = parts.iter().map(|part| self.read(part));
        self.write(file, parts.collect::<String>());
    }
}

/// `root`, `sub` under it, and `leaf`, a client; a list of each CA, on which is nothing.
fn chain() -> Sandbox {
    chain_with(CA, CA, CLIENT)
}

fn chain_with(root: &str, sub: &str, leaf: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certify("root", "root", root);
    sandbox.certify("sub", "root", sub);
    sandbox.certify("leaf", "sub", leaf);
    for ca in ["root", "sub"] {
        sandbox.list_by(ca, ca, "", "");
    }
    sandbox.joined("lists.pem", &["root.crl.pem", "sub.crl.pem"]);
    sandbox
}

/// `pki verify` and `openssl verify` over the same files; `leaf.crt` under `root.crt`, of whom
/// `lists.pem` has the lists, unless `options` say otherwise.
struct Case<'a> {
    sandbox: &'a Sandbox,
    leaf: &'a str,
    others: &'a [&'a str],
    pki: &'a str,
    openssl: &'a str,
}

impl<'a> Case<'a> {
    fn of(sandbox: &'a Sandbox) -> Self {
        Self {
            sandbox,
            leaf: "leaf.crt",
            others: &["sub.crt"],
            pki: "",
            openssl: "",
        }
    }

    fn pki_run(&self) -> Run {
        let run = self.sandbox.pki("verify --bundle root.crt --crl lists.pem");
        let bundles = self.others.iter();
        let run = bundles.fold(run, |run, file| run.arg("--bundle").arg(file));
        run.words(self.pki).arg(self.leaf)
    }

    fn openssl_run(&self) -> Transcript {
        let run = self
            .sandbox
            .run("openssl", "verify -x509_strict -crl_check_all");
        let run = run
            .words("-CAfile root.crt -CRLfile lists.pem")
            .words(self.openssl);
        let run = self
            .others
            .iter()
            .fold(run, |run, file| run.arg("-untrusted").arg(file));
        run.arg(self.leaf).finish()
    }

    /// Both say yes.
    #[track_caller]
    fn both_accept(&self) {
        let openssl = self.openssl_run();
        assert_eq!(openssl.status, Some(0), "{openssl}");
        let accepted = self.pki_run().succeeds();
        assert!(accepted.stdout.starts_with("valid: "), "{accepted}");
    }

    /// Requires that both refuse, and returns the report of `pki`.
    #[track_caller]
    fn refusal(&self) -> String {
        let openssl = self.openssl_run();
        assert!(openssl.status.is_some_and(|code| code != 0), "{openssl}");
        report(self.pki_run(), 3)
    }

    #[track_caller]
    fn both_refuse(&self, said: Expect) {
        assert_text(&self.refusal(), said);
    }
}

#[test]
fn a_good_chain_in_pem_and_der_with_its_lists() {
    let sandbox = chain();
    let case = Case::of(&sandbox);
    case.both_accept();
    assert_says(
        case.pki_run(),
        0,
        expect![[r#"
            valid: CN=leaf, by sub, root
              expires                  [time]
              not revoked, by its CRL  CN=leaf, CN=sub
        "#]],
    );
    for (purpose, flag) in [("client", "sslclient"), ("server", "sslserver")] {
        let case = Case {
            pki: &format!("--purpose {purpose}"),
            openssl: &format!("-purpose {flag}"),
            ..Case::of(&sandbox)
        };
        match purpose {
            "client" => case.both_accept(),
            _ => case.both_refuse(expect![[r#"
                not valid: CN=leaf is not for server: its extKeyUsage is clientAuth
            "#]]),
        }
    }
    for line in [
        "x509 -outform DER -in leaf.crt -out leaf.der",
        "x509 -outform DER -in root.crt -out root.der",
        "x509 -outform DER -in sub.crt -out sub.der",
        "crl -outform DER -in root.crl.pem -out root.crl",
        "crl -outform DER -in sub.crl.pem -out sub.crl",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    let der = "verify leaf.der --bundle root.der --bundle sub.der --crl sub.crl --crl root.crl";
    sandbox.pki(der).succeeds();
    sandbox.joined("full.pem", &["leaf.crt", "sub.crt", "root.crt"]);
    sandbox.pki("verify full.pem --bundle root.crt").succeeds();
    // A root that comes with the certificate vouches for nothing.
    sandbox.certify("other", "other", CA);
    assert_says(
        sandbox.pki("verify full.pem --bundle other.crt"),
        3,
        expect![[r#"
            not valid: CN=root is self-signed and is not a trusted root
        "#]],
    );
}

#[test]
fn the_end_that_is_told_is_the_earliest_of_the_path() {
    let sandbox = chain();
    sandbox.certify_with("-days 20", "sub", "sub", "sub", "root", CA);
    let enddate = |file: &str| {
        let run = sandbox.run("openssl", "x509 -noout -enddate -dateopt iso_8601 -in");
        let line = run.arg(file).succeeds().stdout;
        line.trim()
            .trim_start_matches("notAfter=")
            .replace(' ', "T")
    };
    assert_ne!(enddate("sub.crt"), enddate("leaf.crt"));
    let said = Case::of(&sandbox).pki_run().succeeds();
    let line = format!("  {:23}  {}\n", "expires", enddate("sub.crt"));
    assert!(said.stdout.contains(&line), "{said}");
}

#[test]
fn every_time() {
    let sandbox = chain();
    let now = sandbox.run("date", "+%s").succeeds().stdout;
    let now: i64 = now.trim().parse().unwrap();
    let mut said = String::new();
    for days in [-1, 8, 31] {
        let case = Case {
            pki: &format!("--at {days}d"),
            openssl: &format!("-attime {}", now + days * 86_400),
            ..Case::of(&sandbox)
        };
        said += &case.refusal();
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=leaf is not valid before [time]
            not valid: CN=leaf may be revoked: the CRL of CN=sub expired at [time]
            not valid: CN=leaf expired at [time]
        "#]],
    );
}

#[test]
fn every_way_not_to_reach_the_root() {
    let sandbox = chain();
    let case = Case::of(&sandbox);
    Case {
        others: &[],
        ..case
    }
    .both_refuse(expect![[r#"
        not valid: the issuer of CN=leaf is missing: CN=sub
    "#]]);
    sandbox.certify_key("other-sub", "other-sub", "sub", "root", CA);
    Case {
        others: &["other-sub.crt"],
        ..Case::of(&sandbox)
    }
    .both_refuse(expect![[r#"
            not valid: the issuer of CN=leaf is missing: the given CN=sub has another key
        "#]]);
    sandbox
        .run("openssl", "x509 -outform DER -in leaf.crt -out leaf.der")
        .succeeds();
    let mut forged = fs::read(sandbox.path("leaf.der")).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    sandbox.write("forged.der", forged);
    Case {
        leaf: "forged.der",
        ..Case::of(&sandbox)
    }
    .both_refuse(expect![[r#"
        not valid: CN=leaf is not signed with the key of CN=sub
    "#]]);
    sandbox.certify("alone", "alone", CLIENT);
    Case {
        leaf: "alone.crt",
        ..Case::of(&sandbox)
    }
    .both_refuse(expect![[r#"
        not valid: CN=alone is self-signed and is not a trusted root
    "#]]);
    sandbox.certify("below", "leaf", CLIENT);
    let case = Case {
        leaf: "below.crt",
        others: &["leaf.crt", "sub.crt"],
        ..Case::of(&sandbox)
    };
    case.both_refuse(expect![[r#"
        not valid: CN=leaf, which signed CN=below, is not a CA certificate
    "#]]);
}

#[test]
fn every_ca_that_may_not() {
    let no_cert_sign = "basicConstraints=critical,CA:true\nkeyUsage=critical,cRLSign\n";
    let sandbox = chain_with(CA, no_cert_sign, CLIENT);
    Case::of(&sandbox).both_refuse(expect![[r#"
        not valid: the keyUsage of CN=sub lacks keyCertSign, but it signed CN=leaf
    "#]]);

    let no_crl_sign = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n";
    let sandbox = chain_with(CA, no_crl_sign, CLIENT);
    Case::of(&sandbox).both_refuse(
        expect![[r#"
            not valid: CN=leaf may be revoked: the keyUsage of CN=sub lacks cRLSign, so its CRL is not valid
        "#]],
    );

    let for_servers = format!("{CA}extendedKeyUsage=serverAuth\n");
    let sandbox = chain_with(CA, &for_servers, CLIENT);
    Case {
        pki: "--purpose client",
        openssl: "-purpose sslclient",
        ..Case::of(&sandbox)
    }
    .both_refuse(expect![[r#"
        not valid: CN=sub is not for client: its extKeyUsage is serverAuth
    "#]]);

    let agreement = CLIENT.replace("digitalSignature", "keyEncipherment");
    let sandbox = chain_with(CA, CA, &agreement);
    Case {
        pki: "--purpose client",
        openssl: "-purpose sslclient",
        ..Case::of(&sandbox)
    }
    .both_refuse(expect![[r#"
        not valid: CN=leaf is not for client: its keyUsage is keyEncipherment
    "#]]);

    let broken = CLIENT.replace("extendedKeyUsage=clientAuth", "2.5.29.37=DER:05:00");
    Case::of(&chain_with(CA, CA, &broken)).both_refuse(expect![[r#"
            not valid: the extKeyUsage of CN=leaf is malformed: an ExtKeyUsageSyntax is expected
        "#]]);

    let unknown = format!("{CLIENT}1.2.3.4=critical,ASN1:NULL\n");
    let sandbox = chain_with(CA, CA, &unknown);
    Case::of(&sandbox).both_refuse(expect![[r#"
        not valid: CN=leaf has a critical extension that is not supported: 1.2.3.4
    "#]]);
}

#[test]
fn path_lengths() {
    let none_below = CA.replace("CA:true", "CA:true,pathlen:0");
    let one_below = CA.replace("CA:true", "CA:true,pathlen:1");
    Case::of(&chain_with(&one_below, &none_below, CLIENT)).both_accept();
    Case::of(&chain_with(&none_below, CA, CLIENT)).both_refuse(expect![[r#"
        not valid: CN=root allows 0 CAs below it, but 1 are between it and CN=leaf
    "#]]);
}

#[test]
fn name_constraints() {
    let mut said = String::new();
    for (constraints, allowed) in [
        ("permitted;DNS:example.test", true),
        ("excluded;DNS:example.org", true),
        ("permitted;DNS:example.org", false),
        ("excluded;DNS:example.test", false),
        ("permitted;dirName:sect", false),
    ] {
        let constrained =
            format!("{CA}nameConstraints=critical,{constraints}\n[sect]\nO=Example\n");
        let sandbox = chain_with(CA, &constrained, HOST);
        if allowed {
            Case::of(&sandbox).both_accept();
        } else {
            said += &Case::of(&sandbox).refusal();
        }
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=sub does not allow CN=leaf: dns:www.example.test is not in a permitted subtree: dns:example.org
            not valid: CN=sub does not allow CN=leaf: dns:www.example.test is in the excluded subtree dns:example.test
            not valid: CN=sub does not allow CN=leaf: dirname:CN=leaf is not in a permitted subtree: dirname:O=Example
        "#]],
    );
}

/// The rules here find the name inside the subtree, and leave its letters alone.
#[test]
fn what_the_second_judge_alone_refuses_is_told() {
    let constrained = format!("{CA}nameConstraints=critical,permitted;DNS:example.test\n");
    let odd = HOST.replace("www.example", "a b.example");
    assert_says(
        Case::of(&chain_with(CA, &constrained, &odd)).pki_run(),
        3,
        expect![[r#"
            not valid: rustls-webpki rejects the path of CN=leaf: a SAN is not a host name
        "#]],
    );
}

#[test]
fn hosts() {
    let sandbox = chain_with(CA, CA, HOST);
    Case {
        pki: "--hostname www.example.test --purpose server",
        openssl: "-verify_hostname www.example.test -purpose sslserver",
        ..Case::of(&sandbox)
    }
    .both_accept();
    Case {
        pki: "--hostname example.test",
        openssl: "-verify_hostname example.test",
        ..Case::of(&sandbox)
    }
    .both_refuse(expect![[r#"
        not valid: CN=leaf is not for the host example.test: it has dns:www.example.test
    "#]]);
}

#[test]
fn every_revocation() {
    let mut said = String::new();
    for reason in ["keyCompromise", "certificateHold", "unspecified"] {
        let sandbox = chain();
        let row = sandbox.revoked_row("leaf", reason);
        sandbox.list_by("sub", "sub", &row, "");
        sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
        said += &Case::of(&sandbox).refusal();
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=leaf was revoked at [time] (keyCompromise), serial [serial]
            not valid: CN=leaf was revoked at [time] (certificateHold), serial [serial]
            not valid: CN=leaf was revoked at [time] (unspecified), serial [serial]
        "#]],
    );
    let sandbox = chain();
    let row = sandbox.revoked_row("sub", "CACompromise");
    sandbox.list_by("root", "root", &row, "");
    sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
    Case::of(&sandbox).both_refuse(expect![[r#"
        not valid: CN=sub was revoked at [time] (cACompromise), serial [serial]
    "#]]);
    // Taken back, as delta lists do: openssl does not count it either.
    let row = sandbox.revoked_row("sub", "removeFromCRL");
    sandbox.list_by("root", "root", &row, "");
    sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
    Case::of(&sandbox).both_accept();
}

#[test]
fn every_list_that_can_not_be_asked() {
    let sandbox = chain();
    sandbox.joined("lists.pem", &["sub.crl.pem"]);
    Case::of(&sandbox).both_refuse(expect![[r#"
        not valid: CN=sub may be revoked: no CRL of CN=root is given
    "#]]);
    // The right name, and another key.
    sandbox.certify_key("other", "other", "root", "other", CA);
    sandbox.list_by("other", "other", "", "");
    sandbox.joined("lists.pem", &["sub.crl.pem", "other.crl.pem"]);
    Case::of(&sandbox).both_refuse(expect![[r#"
        not valid: CN=sub may be revoked: the CRL of CN=root is not signed with its key
    "#]]);
    // Beside the right one it does no harm.
    sandbox.joined(
        "lists.pem",
        &["other.crl.pem", "sub.crl.pem", "root.crl.pem"],
    );
    Case::of(&sandbox).both_accept();
    sandbox.list_by("root", "root", "", "1.2.3.4=critical,ASN1:NULL");
    sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
    Case::of(&sandbox).both_refuse(
        expect![[r#"
            not valid: CN=sub may be revoked: the CRL of CN=root has a critical extension that is not supported: 1.2.3.4
        "#]],
    );
}

/// openssl knows delta CRLs; here they are refused rather than half understood.
#[test]
fn delta_crls_are_refused() {
    let sandbox = chain();
    sandbox.list_by("sub", "sub", "", "2.5.29.27=critical,ASN1:INTEGER:1");
    sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
    assert_says(
        Case::of(&sandbox).pki_run(),
        3,
        expect![[r#"
            not valid: CN=leaf may be revoked: the CRL of CN=sub covers only some of its certificates: it has deltaCRLIndicator
        "#]],
    );
}

#[test]
fn a_crl_counts_for_the_kind_of_certificate_in_its_scope() {
    let sandbox = chain();
    let scope = |section: &str| format!("issuingDistributionPoint=critical,@{section}");
    sandbox.list_by("sub", "sub", "", &scope("users"));
    sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
    Case::of(&sandbox).both_accept();
    let mut said = String::new();
    for (section, issuer) in [("cas", "sub"), ("users", "root")] {
        for ca in ["sub", "root"] {
            let scope = if ca == issuer {
                scope(section)
            } else {
                String::new()
            };
            sandbox.list_by(ca, ca, "", &scope);
        }
        sandbox.joined("lists.pem", &["sub.crl.pem", "root.crl.pem"]);
        said += &Case::of(&sandbox).refusal();
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=leaf may be revoked: the CRL of CN=sub covers only some of its certificates: it has issuingDistributionPoint
            not valid: CN=sub may be revoked: the CRL of CN=root covers only some of its certificates: it has issuingDistributionPoint
        "#]],
    );
}

/// A CA that changed its key: two certificates of one name, in either order, each with its list.
#[test]
fn of_two_cas_with_one_name_the_right_one_is_found() {
    let sandbox = chain();
    sandbox.certify_key("new-sub", "new-sub", "sub", "root", CA);
    sandbox.certify_key("new-leaf", "new-leaf", "new-leaf", "new-sub", CLIENT);
    sandbox.list_by("new-sub", "new-sub", "", "");
    sandbox.joined(
        "lists.pem",
        &["sub.crl.pem", "new-sub.crl.pem", "root.crl.pem"],
    );
    for leaf in ["leaf.crt", "new-leaf.crt"] {
        for others in [&["sub.crt", "new-sub.crt"], &["new-sub.crt", "sub.crt"]] {
            Case {
                leaf,
                others,
                ..Case::of(&sandbox)
            }
            .both_accept();
        }
    }
    // Without key identifiers only the signature tells.
    let plain =
        |text: &str| format!("{text}subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n");
    for (file, issuer, extensions) in [
        ("sub", "root", CA),
        ("new-sub", "root", CA),
        ("leaf", "sub", CLIENT),
    ] {
        let subject = if file == "leaf" { "leaf" } else { "sub" };
        sandbox.certify_key(file, file, subject, issuer, &plain(extensions));
    }
    let verify = "verify leaf.crt --bundle root.crt --crl lists.pem";
    let run = sandbox
        .pki(verify)
        .words("--bundle new-sub.crt --bundle sub.crt");
    run.succeeds();
    assert_says(
        sandbox.pki(verify).words("--bundle new-sub.crt"),
        3,
        expect![[r#"
            not valid: CN=leaf is not signed with the key of CN=sub
        "#]],
    );
}

/// Two CAs that certify each other, with a root above them and without.
#[test]
fn a_ring_of_cross_certificates_has_an_end() {
    let sandbox = chain();
    sandbox.certify("other-root", "other-root", CA);
    sandbox.certify_key("other", "other", "other", "other-root", CA);
    sandbox.certify_key("sub-by-other", "sub", "sub", "other", CA);
    sandbox.certify_key("other-by-sub", "other", "other", "sub", CA);
    let ring = ["sub-by-other.crt", "other-by-sub.crt"];
    let without = sandbox.pki("verify leaf.crt --bundle other-root.crt");
    let without = ring
        .iter()
        .fold(without, |run, file| run.arg("--bundle").arg(file));
    assert_says(
        without,
        3,
        expect![[r#"
            not valid: CN=leaf has no trusted root: its CAs only certify each other
        "#]],
    );
    Case {
        others: &["sub.crt", "sub-by-other.crt", "other-by-sub.crt"],
        ..Case::of(&sandbox)
    }
    .both_accept();
    // openssl takes the first issuer that it meets; here each is tried.
    let reverse = &["other-by-sub.crt", "sub-by-other.crt", "sub.crt"];
    Case {
        others: reverse,
        ..Case::of(&sandbox)
    }
    .pki_run()
    .succeeds();
}

/// Layers of CAs, each of which has a certificate of every one above: more than two thousand paths.
#[test]
fn a_maze_of_cross_certificates_has_an_end() {
    let sandbox = Sandbox::new();
    sandbox.certify("root", "root", CA);
    let mut bundle = sandbox.read("root.crt");
    let mut above = vec!["root".to_owned()];
    for layer in 0..8 {
        let names = [0, 1, 2].map(|number| format!("ca{layer}-{number}"));
        for name in &names {
            for issuer in &above {
                sandbox.certify_key(name, name, name, issuer, CA);
                bundle += &sandbox.read(format!("{name}.crt"));
            }
        }
        above = names.to_vec();
    }
    sandbox.certify("leaf", &above[0], CLIENT);
    sandbox.write("maze.pem", bundle);
    let verify = sandbox.pki("verify leaf.crt --bundle maze.pem");
    let found = verify.succeeds();
    assert!(
        found.stdout.starts_with("valid: CN=leaf, by ca7-0, ca6-"),
        "{found}"
    );
    assert_says(
        sandbox.pki("verify leaf.crt --bundle maze.pem --purpose server"),
        3,
        expect![[r#"
            not valid: CN=leaf has too many or too long paths, and none of those checked is valid
        "#]],
    );
}

#[test]
fn signatures_that_bind_nothing_or_can_not_be_judged_are_told() {
    let sandbox = Sandbox::new();
    let mut said = String::new();
    // Whether the root is its own issuer can't be told under secp256k1 and ed448 either, so nothing trusts it.
    for (name, kind, digest) in [
        ("sha1", "RSA -pkeyopt rsa_keygen_bits:2048", "-sha1"),
        ("short", "RSA -pkeyopt rsa_keygen_bits:1024", "-sha256"),
        ("md5", "RSA -pkeyopt rsa_keygen_bits:2048", "-md5"),
        ("k1", "EC -pkeyopt ec_paramgen_curve:secp256k1", "-sha256"),
        ("ed448", "ED448", ""),
    ] {
        sandbox
            .run("openssl", "genpkey -algorithm")
            .words(kind)
            .words(&format!("-out {name}.key"))
            .succeeds();
        sandbox.certify(name, name, CA);
        let options = format!("-days 30 {digest}");
        sandbox.certify_with(&options, "leaf", "leaf", "leaf", name, CLIENT);
        let run = sandbox.pki("verify leaf.crt --bundle");
        said += &report(run.arg(format!("{name}.crt")), 3);
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: the signature of CN=leaf is not secure: it uses sha1WithRSAEncryption
            not valid: the signature of CN=leaf is not secure: it uses rsa1024
            not valid: the signature of CN=leaf can't be verified: md5WithRSAEncryption is not supported
            not valid: the signature of CN=leaf can't be verified: secp256k1 is not supported
            not valid: the signature of CN=leaf can't be verified: id-Ed448 is not supported
        "#]],
    );
}

#[test]
fn a_certificate_of_version_1_is_told() {
    let sandbox = chain();
    for line in [
        "req -new -key leaf.key -subj /CN=old -out old.csr",
        "x509 -req -in old.csr -CA sub.crt -CAkey sub.key -CAcreateserial -out old.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    assert_says(
        Case {
            leaf: "old.crt",
            ..Case::of(&sandbox)
        }
        .pki_run(),
        3,
        expect![[r#"
            not valid: CN=old is of version 1, which has no extensions
        "#]],
    );
}

#[test]
fn names_from_outside_do_not_steer_the_terminal() {
    let sandbox = Sandbox::new();
    sandbox.certify_key("evil", "evil", "a\u{1b}[2J\u{202e}b", "evil", CLIENT);
    assert_says(
        sandbox.pki("--store nowhere verify evil.crt --bundle evil.crt"),
        0,
        expect![[r#"
            valid: CN=a\1B[2J\E2\80\AEb, a trusted root
              expires  [time]
        "#]],
    );
    sandbox.certify("root", "root", CA);
    let said = sandbox
        .pki("--format json verify evil.crt --bundle root.crt")
        .ends_with(3);
    let reason = "CN=a\\1B[2J\\E2\\80\\AEb is self-signed and is not a trusted root";
    assert_eq!(said.json()["reason"], reason);
}
