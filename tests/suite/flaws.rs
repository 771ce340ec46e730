//! `pki issue --flaw`: what is wrong on purpose is wrong in one way, which openssl names; and it is issued in
//! fixture stores alone.

use std::fs;

use expect_test::expect;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::lint::assert_pkilint_finds_nothing;
use crate::normalise::normalised;
use crate::run::{Run, Transcript, assert_same, assert_text};
use crate::sandbox::{STORE, Sandbox, repository};

/// Defects that can be issued.
pub const FLAWS: [&str; 8] = [
    "expired",
    "not-yet-valid",
    "revoked",
    "wrong-purpose",
    "no-san",
    "other-ca",
    "weak-validity",
    "self-signed",
];

/// What issues a certificate in which openssl finds nothing wrong.
const SERVER: &str = "issue --ca intermediate0 --profile server --subject /O=Example/OU=Servers --san www.example.test --out out --no-passphrase";

/// A fixture store with a root and a subordinate, without passphrases.
fn fixture_store() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --fixture --no-passphrase",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Issues with [`SERVER`] and more words, as `out/NAME.crt`.
fn issue(sandbox: &Sandbox, name: &str, more: &str) -> Value {
    let run = sandbox.pki("--format json").words(SERVER);
    run.words(&format!("--name {name} {more}"))
        .succeeds()
        .json()
}

/// Everything that openssl can be asked about a server's certificate.
const EVERYTHING: &str = "-purpose sslserver -verify_hostname www.example.test -crl_check";

/// `openssl verify` of `out/NAME.crt` under the root, with our lists, and strictly.
fn verify(sandbox: &Sandbox, name: &str, checks: &str) -> Transcript {
    let run = sandbox.run("openssl", "verify -x509_strict -CAfile pki/rootCA/ca.crt");
    run.words("-untrusted pki/intermediate0/ca.crt -CRLfile lists.pem")
        .words(checks)
        .arg(format!("out/{name}.crt"))
        .finish()
}

/// Publishes the lists of both CAs, as openssl wants them.
fn publish(sandbox: &Sandbox) {
    sandbox.pki("crl --to-pem").succeeds();
    let lists = ["rootCA", "intermediate0"];
    let lists = lists.map(|ca| sandbox.read(format!("pki/crl/{ca}.crl.pem")));
    sandbox.write("lists.pem", lists.concat());
}

#[track_caller]
fn assert_passes(judged: &Transcript, name: &str) {
    assert_eq!(judged.status, Some(0), "{judged}");
    assert_same(&judged.stdout, &format!("out/{name}.crt: OK\n"));
    assert_same(&judged.stderr, "");
}

/// The one thing that openssl finds, word for word.
#[track_caller]
fn assert_fails(judged: &Transcript, name: &str, error: &str) {
    assert_eq!(judged.status, Some(2), "{judged}");
    let says =
        format!("O = Example, OU = Servers\n{error}\nerror out/{name}.crt: verification failed\n");
    assert_same(&judged.stderr, &says);
    assert_same(&judged.stdout, "");
}

/// With the flaw openssl says `error`, though nothing is said without it; and nothing with it either
/// where `checks` do not ask for it.
#[track_caller]
fn openssl_finds(flaw: &str, error: &str, checks: &str) {
    let sandbox = fixture_store();
    issue(&sandbox, "right", "");
    let issued = issue(&sandbox, flaw, &format!("--flaw {flaw}"));
    assert_eq!(issued["flaw"], flaw);
    publish(&sandbox);
    assert_passes(&verify(&sandbox, "right", EVERYTHING), "right");
    assert_fails(&verify(&sandbox, flaw, EVERYTHING), flaw, error);
    assert_passes(&verify(&sandbox, flaw, checks), flaw);
}

#[test]
fn openssl_finds_what_is_expired() {
    openssl_finds(
        "expired",
        "error 10 at 0 depth lookup: certificate has expired",
        &format!("{EVERYTHING} -no_check_time"),
    );
}

#[test]
fn openssl_finds_what_is_not_yet_valid() {
    openssl_finds(
        "not-yet-valid",
        "error 9 at 0 depth lookup: certificate is not yet valid",
        &format!("{EVERYTHING} -no_check_time"),
    );
}

#[test]
fn openssl_finds_what_is_revoked() {
    openssl_finds(
        "revoked",
        "error 23 at 0 depth lookup: certificate revoked",
        "-purpose sslserver -verify_hostname www.example.test",
    );
}

#[test]
fn openssl_finds_what_is_for_another_purpose() {
    openssl_finds(
        "wrong-purpose",
        "error 26 at 0 depth lookup: unsuitable certificate purpose",
        "-purpose sslclient -verify_hostname www.example.test -crl_check",
    );
}

#[test]
fn openssl_finds_what_has_no_alternative_name() {
    openssl_finds(
        "no-san",
        "error 62 at 0 depth lookup: hostname mismatch",
        "-purpose sslserver -crl_check",
    );
}

/// Who trusts a certificate itself asks nobody else.
const BY_ITSELF: &str = "-purpose sslserver -verify_hostname www.example.test -partial_chain";

#[test]
fn openssl_finds_what_another_ca_signed() {
    openssl_finds(
        "other-ca",
        "error 20 at 0 depth lookup: unable to get local issuer certificate",
        &format!("{BY_ITSELF} -CAfile out/other-ca.crt"),
    );
}

/// A list of its issuer, which is itself, there is none of.
#[test]
fn openssl_finds_what_signed_itself() {
    let sandbox = fixture_store();
    issue(&sandbox, "self-signed", "--flaw self-signed");
    publish(&sandbox);
    let checks = "-purpose sslserver -verify_hostname www.example.test";
    assert_fails(
        &verify(&sandbox, "self-signed", checks),
        "self-signed",
        "error 18 at 0 depth lookup: self-signed certificate",
    );
    let trusted = format!("{BY_ITSELF} -CAfile out/self-signed.crt");
    assert_passes(&verify(&sandbox, "self-signed", &trusted), "self-signed");
}

/// openssl has no limit: when the CAs have expired it is they that it finds.
#[test]
fn weak_validity_is_too_long_for_others_and_outlasts_its_ca() {
    let sandbox = fixture_store();
    issue(&sandbox, "right", "--days 40");
    issue(&sandbox, "weak-validity", "--flaw weak-validity");
    publish(&sandbox);
    assert_passes(
        &verify(&sandbox, "weak-validity", EVERYTHING),
        "weak-validity",
    );
    let line =
        "-f +15y openssl verify -CAfile pki/rootCA/ca.crt -untrusted pki/intermediate0/ca.crt";
    let later = |name: &str| {
        let run = sandbox.run("faketime", line);
        run.arg(format!("out/{name}.crt")).ends_with(2).stderr
    };
    let above = "CN = rootCA\nerror 10 at 2 depth lookup: certificate has expired\n\
                 CN = intermediate0\nerror 10 at 1 depth lookup: certificate has expired\n";
    assert_same(
        &later("weak-validity"),
        &format!("{above}error out/weak-validity.crt: verification failed\n"),
    );
    let leaf = "O = Example, OU = Servers\nerror 10 at 0 depth lookup: certificate has expired\n";
    assert!(later("right").contains(leaf));

    let found = |name: &str| {
        let lint = repository("target/test-tools/venv/bin/lint_cabf_serverauth_cert");
        let lint = Run::new(lint, sandbox.folder()).words("lint -t OV-FINAL-CERTIFICATE -f CSV");
        let report = lint.arg(format!("out/{name}.crt")).finish().stdout;
        report.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let with_both = found("right");
    assert!(with_both[0].starts_with("node_path,"), "{with_both:?}");
    let mut more = found("weak-validity");
    more.retain(|finding| !with_both.contains(finding));
    let [too_long] = more.as_slice() else {
        panic!("{more:?}");
    };
    let says = "Validity period of 18250 days, 0:00:01 exceeds maximum value";
    assert!(too_long.contains(says), "{too_long}");
}

/// What a rule of RFC 5280 says of the rest of it, judged by others.
#[test]
fn pkilint_finds_nothing_else_wrong() {
    let sandbox = fixture_store();
    let mut lines = Vec::new();
    for flaw in FLAWS {
        issue(&sandbox, flaw, &format!("--flaw {flaw}"));
        lines.push(format!("out/{flaw}.crt"));
    }
    assert_pkilint_finds_nothing(&sandbox, &lines);
}

#[test]
fn another_purpose_is_none_of_those_that_were_asked_for() {
    let sandbox = fixture_store();
    for (profile, wanted) in [
        ("client", "TLS Web Server Authentication"),
        ("server", "TLS Web Client Authentication"),
        ("peer", "Code Signing"),
        ("email", "TLS Web Client Authentication"),
        ("code-signing", "TLS Web Client Authentication"),
        ("ocsp", "TLS Web Client Authentication"),
        ("timestamp", "TLS Web Client Authentication"),
    ] {
        let line = "issue --ca intermediate0 --flaw wrong-purpose --out out --no-passphrase";
        let run = sandbox
            .pki(line)
            .words("--san a.example.test,email:a@example.test");
        run.words(&format!("--cn {profile} --profile {profile}"))
            .succeeds();
        let purposes = sandbox
            .run("openssl", "x509 -noout -ext extendedKeyUsage -in")
            .arg(format!("out/{profile}.crt"))
            .succeeds();
        let says = format!("X509v3 Extended Key Usage: \n    {wanted}\n");
        assert_same(&purposes.stdout, &says);
    }
}

/// With the issuer's name, and keys of its kind.
#[test]
fn another_ca_is_one_of_the_same_kind() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --fixture --no-passphrase --key-type p384 --subject /O=Example/CN=Root --permit dns:example.test",
        "issue --ca rootCA --profile server --cn www.example.test --flaw other-ca --out out --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let shown = sandbox.run(
        "openssl",
        "x509 -noout -issuer -text -in out/www.example.test.crt",
    );
    let shown = shown.succeeds().stdout;
    assert!(shown.contains("issuer=O = Example, CN = Root\n"), "{shown}");
    assert!(shown.contains("ecdsa-with-SHA384"), "{shown}");
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --profile server --cn www.evil.test --flaw other-ca"),
        1,
        "lint-failed",
        expect![[r#"
            error: the certificate fails lint
            caused by: CN=Root,O=Example does not allow it: dns:www.evil.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
        "#]],
    );
}

/// The seconds from now to a certificate's beginning, and to its end.
fn times(sandbox: &Sandbox, more: &str) -> (i64, i64) {
    let now = OffsetDateTime::now_utc();
    let issued = issue(sandbox, "timed", &format!("--force {more}"));
    let from_now = |field: &str| {
        let time = OffsetDateTime::parse(issued[field].as_str().unwrap(), &Rfc3339).unwrap();
        (time - now).whole_seconds()
    };
    (from_now("not_before"), from_now("not_after"))
}

#[test]
fn times_that_are_asked_for_are_taken() {
    const DAY: i64 = 24 * 60 * 60;
    let sandbox = fixture_store();
    for (more, begin, end) in [
        ("--flaw expired", -366, -1),
        ("--flaw expired --days 30", -31, -1),
        ("--flaw expired --not-after -10d", -375, -10),
        ("--flaw expired --not-before -10d", -10, -1),
        ("--flaw expired --not-before -10d --days 3", -10, -7),
        ("--flaw expired --not-before -10d --not-after -8d", -10, -8),
        ("--flaw not-yet-valid", 1825, 1825 + 365),
        ("--flaw not-yet-valid --days 3", 1825, 1828),
        ("--flaw not-yet-valid --not-before 7d", 7, 7 + 365),
        ("--flaw not-yet-valid --not-after 3000d", 1825, 3000),
        ("--flaw weak-validity", 0, 18250),
        ("--flaw weak-validity --days 5000", 0, 5000),
        (
            "--flaw weak-validity --not-before 1d --not-after 4000d",
            1,
            4000,
        ),
        ("--flaw revoked --days 3", 0, 3),
    ] {
        let (is_begin, is_end) = times(&sandbox, more);
        // A command takes its time, and the CA was made a little before.
        for (is, wanted) in [(is_begin, begin * DAY), (is_end, end * DAY)] {
            assert!(
                (wanted - 60..=wanted + 60).contains(&is),
                "{more}: {is} {wanted}"
            );
        }
    }
}

#[test]
fn times_that_leave_nothing_of_the_flaw_are_refused() {
    let sandbox = fixture_store();
    let mut said = String::new();
    for more in [
        "expired --not-after 1d",
        "expired --not-before -1d --days 3",
        "expired --not-before -1d --not-after -2d",
        "expired --days 4294967295",
        "not-yet-valid --not-before 0d",
        "not-yet-valid --not-before 5000d",
        "weak-validity --days 30",
        "weak-validity --not-before -30d",
    ] {
        let run = sandbox.pki("issue --ca intermediate0 --cn client --flaw");
        said += &sandbox.refusal(run.words(more), 1, "invalid-validity");
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid validity: notAfter [time] is in the future; an expired certificate needs one in the past
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notAfter [time] is in the future; an expired certificate needs one in the past
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notAfter [time] is not after notBefore [time]
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notAfter [time] is not after notBefore [time]
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notBefore [time] is in the past; a certificate that is not yet valid needs one in the future
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notAfter [time] does not exceed the CA's, [time]
            hint: choose other times with --days, --not-before or --not-after
            error: invalid validity: notBefore [time] is before the issuing CA's, [time]
            hint: choose other times with --days, --not-before or --not-after
        "#]],
    );
}

#[test]
fn what_can_have_no_such_flaw_is_refused() {
    let sandbox = fixture_store();
    sandbox
        .run(
            "openssl",
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        )
        .words("-nodes -keyout a.key -subj /CN=a -out a.csr")
        .succeeds();
    let mut said = String::new();
    for (line, status, code) in [
        (
            "issue --ca intermediate0 --csr a.csr --flaw self-signed",
            1,
            "key-required",
        ),
        (
            "issue --ca intermediate0 --cn client --flaw no-san",
            1,
            "san-required",
        ),
        (
            "issue --ca intermediate0 --san a.example.test --flaw no-san",
            1,
            "lint-failed",
        ),
        (
            "issue --ca intermediate0 --cn client --flaw odd",
            2,
            "usage",
        ),
        (
            "issue --ca intermediate0 --from a.csr --flaw expired",
            2,
            "usage",
        ),
    ] {
        said += &sandbox.refusal(sandbox.pki(line), status, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: a self-signed certificate needs its own private key, which a CSR does not contain
            hint: remove --csr to make the key here
            error: the certificate has no SAN even without the defect
            hint: give the missing SANs with --san
            error: the certificate fails lint
            caused by: neither a subject nor a SAN is given (alternative_names_stand_in_for_an_empty_subject, RFC 5280 4.2.1.6)
            error: invalid value 'odd' for '--flaw <NAME>': "odd" is not a defect; use expired, not-yet-valid, revoked, wrong-purpose, no-san, other-ca, weak-validity or self-signed
            error: the argument '--from <FILE.csv>' cannot be used with '--flaw <NAME>'
            hint: pki issue --ca <NAME> --from <FILE.csv> --format <FORMAT>
        "#]],
    );
}

#[test]
fn a_request_can_have_every_other_flaw() {
    let sandbox = fixture_store();
    sandbox
        .run(
            "openssl",
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        )
        .words("-nodes -keyout a.key -subj /CN=www.example.test -out a.csr")
        .succeeds();
    let own = sandbox.run("openssl", "req -in a.csr -noout -pubkey");
    let own = own.succeeds().stdout;
    for flaw in FLAWS.into_iter().filter(|flaw| *flaw != "self-signed") {
        let line = "issue --ca intermediate0 --profile server --csr a.csr --out out --name";
        let run = sandbox.pki(line).words(&format!("{flaw} --flaw {flaw}"));
        run.succeeds();
        let shown = sandbox.run("openssl", "x509 -noout -pubkey -in");
        let shown = shown.arg(format!("out/{flaw}.crt")).succeeds().stdout;
        assert_same(&shown, &own);
    }
}

/// Before a passphrase is asked for, before a file is made, and with the store as it was.
#[test]
fn no_other_store_has_flaws() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --passout pass:secret")
        .succeeds();
    let mut said = String::new();
    for flaw in FLAWS {
        let line = "issue --ca rootCA --profile server --cn www.example.test --out out --flaw";
        said += &sandbox.refusal(sandbox.pki(line).arg(flaw), 1, "fixture-store-required");
    }
    assert_text(
        &said,
        expect![[r#"
            error: certificates with the defect expired cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect not-yet-valid cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect revoked cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect wrong-purpose cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect no-san cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect other-ca cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect weak-validity cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
            error: certificates with the defect self-signed cannot be issued here
            caused by: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
        "#]],
    );
    assert!(!sandbox.path("out").exists());
    assert_eq!(sandbox.read("pki/store.json"), "{\"format\":1}\n");
}

#[test]
fn a_store_does_not_become_a_fixture_store() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.refused(
        sandbox.pki("root --name other --fixture --no-passphrase"),
        1,
        "fixture-store-required",
        expect![[r#"
            error: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
        "#]],
    );
    let tree = sandbox.pki("--format json tree").succeeds().json();
    assert_eq!(tree[0]["fixture"], false);
    assert_eq!(tree[0]["subordinates"][0]["fixture"], false);
    assert!(sandbox.pki("tree").succeeds().stdout.starts_with("rootCA"));
}

#[test]
fn a_fixture_store_stays_one_and_says_so() {
    const MARK: &str = "{\"format\":3,\"fixture\":true}\n";
    let sandbox = fixture_store();
    assert_eq!(sandbox.read("pki/store.json"), MARK);
    for line in [
        "root --name other --fixture --no-passphrase",
        "root --name another --no-passphrase",
        "subordinate --name waiting --request waiting.csr --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let tree = sandbox.pki("tree").succeeds().stdout;
    let first = "fixture store: its certificates may have defects\n";
    assert!(tree.starts_with(first), "{tree}");
    let tree = sandbox.pki("--format json tree").succeeds().json();
    let nodes = tree.as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    assert!(nodes.iter().all(|node| node["fixture"] == true), "{tree}");
    assert_eq!(nodes[2]["subordinates"][0]["fixture"], true);
    assert_eq!(sandbox.read("pki/store.json"), MARK);
}

/// A CA whose certificates are missing needs format 2, which is less.
#[test]
fn a_fixture_store_stays_one_when_a_ca_is_imported() {
    let sandbox = fixture_store();
    sandbox.make_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.request("a.csr", "/CN=a");
    sandbox.old_ca("-notext -infiles a.csr").succeeds();
    fs::remove_file(sandbox.path("old/newcerts/1000.pem")).unwrap();
    sandbox
        .pki("import --openssl old --name old --no-passphrase --partial")
        .succeeds();
    let line = "issue --ca old --cn a --flaw other-ca";
    let issued = sandbox.pki("--format json").words(line).succeeds().json();
    assert_eq!(issued["flaw"], "other-ca");
    assert_eq!(
        sandbox.read("pki/store.json"),
        "{\"format\":3,\"fixture\":true}\n"
    );
}

/// An older program would not see it.
#[test]
fn a_mark_in_an_older_format_is_damage() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("pki/store.json", "{\"format\":1,\"fixture\":true}\n");
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn client --flaw expired"),
        1,
        "store-damaged",
        expect![[r#"
            error: the store is damaged: ./pki/store.json is of a fixture store, which format 1 does not have
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
}

#[test]
fn a_defect_is_recorded_and_shown_with_the_certificate() {
    let sandbox = fixture_store();
    let issued = sandbox.pki("issue --ca intermediate0 --cn client --flaw revoked");
    let says = "issued a client certificate from intermediate0\n  \
                  serial   [serial]\n  \
                  subject  CN=client\n  \
                  flaw     revoked\n  \
                  expires  [time]\n\
                `pki export --ca intermediate0 --serial 0x[serial] --out DIR` writes its files\n";
    let issued = issued.succeeds();
    assert_same(&normalised(&issued.stdout), says);
    assert_eq!(issued.stderr, "");
    let record = sandbox.read("pki/intermediate0/issued.jsonl");
    let record = record.lines().last().unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    assert_eq!(record["flaw"], "revoked");

    let list = sandbox.pki("list --ca intermediate0").succeeds().stdout;
    assert!(list.ends_with(" CN=client (defect: revoked)\n"), "{list}");
    let list = sandbox.pki("--format json list --ca intermediate0");
    let list = list.succeeds().json();
    assert_eq!(list[0]["flaw"], "revoked");
    assert_eq!(list[0]["status"], "revoked");
    assert_eq!(list[0]["reason"], "unspecified");
    let show = sandbox
        .pki("show --ca intermediate0 --cn client")
        .succeeds();
    let line = |line: &str| line.split_whitespace().eq(["flaw", "revoked"]);
    assert!(show.stdout.lines().any(line), "{show}");
    let show = sandbox.pki("--format json show --ca intermediate0 --cn client");
    assert_eq!(show.succeeds().json()["flaw"], "revoked");
    // What has none says nothing of any.
    let right = sandbox.pki("--format json issue --ca intermediate0 --cn right");
    assert_eq!(right.succeeds().json().get("flaw"), None);
}

/// The CA has recorded also those that it did not sign: they can be revoked and exported as others.
#[test]
fn a_ca_answers_for_every_certificate_that_it_recorded() {
    let sandbox = fixture_store();
    for flaw in ["other-ca", "self-signed"] {
        let issued = issue(&sandbox, flaw, &format!("--flaw {flaw}"));
        let serial = issued["serial"].as_str().unwrap();
        let selected = format!("--ca intermediate0 --serial 0x{serial}");
        let export = sandbox.pki("export --out again --no-passphrase --name");
        export.arg(flaw).words(&selected).succeeds();
        assert_same(
            &sandbox.read(format!("again/{flaw}.crt")),
            &sandbox.read(format!("out/{flaw}.crt")),
        );
        let revoked = sandbox.pki("--format json revoke").words(&selected);
        assert_eq!(revoked.succeeds().json()["already"], json!(false));
    }
}

#[test]
fn what_is_wrong_on_purpose_is_not_renewed() {
    let sandbox = fixture_store();
    let issued = issue(&sandbox, "due", "--flaw wrong-purpose --days 5");
    let run = sandbox.pki("renew --ca intermediate0 --serial");
    sandbox.refused(
        run.arg(issued["serial"].as_str().unwrap()),
        1,
        "renewal-of-defect",
        expect![[r#"
            error: certificate [serial] of intermediate0 was issued with the defect wrong-purpose and cannot be renewed
            hint: `pki issue` issues another certificate
        "#]],
    );
    let run = sandbox.pki("renew --ca intermediate0 --expiring 30d");
    let before = sandbox.store_snapshot();
    let renewed = run.succeeds();
    assert_text(
        &renewed.stderr,
        expect![[r#"
            notice: no certificate of intermediate0 is due
        "#]],
    );
    before.assert_unchanged(&sandbox.path(STORE));
}

crate::engine::also_in_a_database! {
    openssl_finds_what_is_expired, openssl_finds_what_is_not_yet_valid, openssl_finds_what_is_revoked,
    openssl_finds_what_is_for_another_purpose, openssl_finds_what_has_no_alternative_name,
    openssl_finds_what_another_ca_signed, openssl_finds_what_signed_itself, pkilint_finds_nothing_else_wrong,
    another_purpose_is_none_of_those_that_were_asked_for, another_ca_is_one_of_the_same_kind,
    times_that_are_asked_for_are_taken, times_that_leave_nothing_of_the_flaw_are_refused,
    what_can_have_no_such_flaw_is_refused, a_request_can_have_every_other_flaw,
    a_store_does_not_become_a_fixture_store, a_fixture_store_stays_one_and_says_so,
    a_fixture_store_stays_one_when_a_ca_is_imported, a_defect_is_recorded_and_shown_with_the_certificate,
    a_ca_answers_for_every_certificate_that_it_recorded, what_is_wrong_on_purpose_is_not_renewed,
}

crate::engine::soak_in_a_database! {
    weak_validity_is_too_long_for_others_and_outlasts_its_ca, no_other_store_has_flaws,
}
