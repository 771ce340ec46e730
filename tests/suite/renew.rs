//! Certificates in the place of others: what stays, what is new, and what is refused.

mod batch;
mod sooner;

use std::collections::BTreeSet;
use std::fs;
use std::thread;

use expect_test::expect;
use serde_json::Value;

use crate::hierarchy::{PROFILES, Zoo, for_p256_and_rsa};
use crate::lint::assert_pkilint_finds_nothing;
use crate::normalise::normalised;
use crate::run::{Transcript, assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

impl Sandbox {
    /// A field of a certificate as openssl prints it.
    #[track_caller]
    pub(crate) fn openssl_x509(&self, file: &str, what: &str) -> String {
        let line = format!("x509 -noout -in {file} {what}");
        self.run("openssl", &line).succeeds().stdout
    }

    /// The one certificate with this serial, as `pki list` has it.
    #[track_caller]
    fn entry(&self, serial: &str) -> Value {
        let all = self.pki("--format json list").succeeds().json();
        let mut all = all.as_array().unwrap().clone();
        all.retain(|entry| entry["serial"] == serial);
        assert_eq!(all.len(), 1, "{serial}");
        all.remove(0)
    }

    /// What a run of `pki --format json` made.
    #[track_caller]
    fn makes(&self, line: &str) -> Value {
        self.pki(&format!("--format json {line}")).succeeds().json()
    }
}

fn serial(entry: &Value) -> String {
    entry["serial"].as_str().unwrap().to_owned()
}

/// What has to stay, in every profile.
const STAYS: &str = "-subject -nameopt RFC2253,show_type -pubkey -ext \
                     subjectAltName,keyUsage,extendedKeyUsage,basicConstraints,\
                     subjectKeyIdentifier,authorityKeyIdentifier";

fn a_renewed_leaf_of_every_profile_is_as_the_one_before(key_type: &str) {
    let zoo = Zoo::of(key_type);
    let sandbox = &zoo.sandbox;
    let mut lines = Vec::new();
    for (profile, _) in PROFILES {
        let name = format!("{profile}.example.test");
        let line = format!("renew --ca intermediate0 --cn {name} --out again --no-passphrase");
        sandbox.pki(&line).succeeds();
        let (old, new) = (format!("leaves/{name}.crt"), format!("again/{name}.crt"));
        let [before, now] = [&old, &new].map(|file| sandbox.openssl_x509(file, STAYS));
        assert_same(&now, &before);
        let [before, now] = [&old, &new].map(|file| sandbox.openssl_x509(file, "-serial"));
        assert_ne!(before, now);
        sandbox
            .run("openssl", "verify -x509_strict -CAfile")
            .words(&format!(
                "{} -untrusted {} {new}",
                Zoo::ROOT,
                Zoo::SUBORDINATE
            ))
            .succeeds();
        let chain = sandbox.read(&new) + &sandbox.read(format!("again/{name}.chain.pem"));
        sandbox.write("chain.pem", chain);
        let line = format!(
            "--verify --load-ca-certificate {} --infile chain.pem",
            Zoo::ROOT
        );
        let judged = sandbox.run("certtool", &line).succeeds();
        assert!(
            judged
                .stdout
                .contains("Chain verification output: Verified."),
            "{judged}"
        );
        lines.extend([new.clone(), format!("{} {new}", Zoo::SUBORDINATE)]);
    }
    assert_pkilint_finds_nothing(sandbox, &lines);
}

fn with_a_new_key_all_else_stays(key_type: &str) {
    let sandbox = Sandbox::with_open_ca();
    let kind = format!("--key-type {key_type} --out out --no-passphrase");
    sandbox
        .pki("issue --ca intermediate0 --cn www.example.test --profile server")
        .words(&kind)
        .succeeds();
    sandbox
        .pki("renew --ca intermediate0 --cn www.example.test --rekey --out again --no-passphrase")
        .succeeds();
    let [old, new] = ["out", "again"].map(|folder| {
        let file = |end: &str| format!("{folder}/www.example.test.{end}");
        let certified = sandbox.openssl_x509(&file("crt"), "-pubkey");
        let key = sandbox.run("openssl", "pkey -pubout -in").arg(file("key"));
        assert_eq!(key.succeeds().stdout, certified);
        let text = sandbox
            .run("openssl", "x509 -noout -text -in")
            .arg(file("crt"));
        let text = text.succeeds().stdout;
        let kind = |line: &&str| line.contains("Public-Key:") || line.contains("Algorithm:");
        let kinds: Vec<String> = text.lines().filter(kind).map(str::to_owned).collect();
        let names = sandbox.openssl_x509(&file("crt"), "-subject -ext subjectAltName,keyUsage");
        (certified, kinds, names)
    });
    assert_ne!(old.0, new.0);
    assert_eq!((old.1, old.2), (new.1, new.2));
}

for_p256_and_rsa!(
    a_renewed_leaf_of_every_profile_is_as_the_one_before
    with_a_new_key_all_else_stays
);

#[test]
fn what_is_said_and_what_the_json_has() {
    let sandbox = Sandbox::with_open_ca();
    let line = "issue --ca intermediate0 --cn www.example.test --profile server --days 30";
    let old = sandbox.makes(line);
    let renewed = sandbox
        .pki("renew --ca intermediate0 --cn www.example.test --supersede --out out --no-passphrase")
        .succeeds();
    assert_same(&renewed.stderr, "");
    assert_text(
        &normalised(&renewed.stdout),
        expect![[r#"
            issued a server certificate from intermediate0
              serial     [serial]
              renews     [serial], which is revoked now
              subject    CN=www.example.test
              SANs       dns:www.example.test
              expires    [time]
              chain      out/www.example.test.chain.pem
              crt        out/www.example.test.crt
              fullchain  out/www.example.test.fullchain.pem
              key        out/www.example.test.key
        "#]],
    );
    let entry = sandbox.entry(&serial(&old));
    assert_eq!(entry["reason"], "superseded", "{entry}");
    let new = sandbox.makes("renew --ca intermediate0 --cn www.example.test");
    let stays = ["ca", "subject", "sans", "profile"];
    assert!(stays.iter().all(|field| new[field] == old[field]), "{new}");
    assert_eq!(new["superseded"], false);
    let before = sandbox.entry(new["renews"].as_str().unwrap());
    assert_eq!(before["renews"], old["serial"], "{before}");
    assert_eq!(before["status"], "valid", "{before}");
}

/// The subject in the string types that the one before had, and in its order.
#[test]
fn the_subject_stays_to_the_byte() {
    let sandbox = Sandbox::with_open_ca();
    let issue = "issue --ca intermediate0 --out out --name x --no-passphrase --subject";
    let subject = "/C=JP/DC=test/O=Beispiel GmbH, München/OU=a/OU=b/CN=_x";
    sandbox.pki(issue).arg(subject).succeeds();
    sandbox
        .pki("renew --ca intermediate0 --cn _x --out again --name x --no-passphrase")
        .succeeds();
    let [old, new] = ["out/x.crt", "again/x.crt"].map(|file| {
        let dump = format!("asn1parse -in {file} -i");
        let dump = sandbox.run("openssl", &dump).succeeds().stdout;
        let names = dump.lines().filter(|line| line.contains("STRING   "));
        let names = names.filter_map(|line| line.split_once(": ").map(|(_, name)| name.to_owned()));
        names.take(14).collect::<Vec<_>>()
    });
    assert_eq!(old, new);
    assert!(
        old.iter().any(|part| part.contains("UTF8STRING")),
        "{old:?}"
    );
}

/// The key of a protected CA's leaf is opened by the CA's passphrase, and stays under it.
#[test]
fn the_key_stays_encrypted_in_the_store() {
    let sandbox = Sandbox::new();
    for line in ["root --name rootCA", "issue --ca rootCA --cn localclient"] {
        sandbox.with_passphrase(line).succeeds();
    }
    let renew = sandbox.with_passphrase("--format json renew --ca rootCA --cn localclient");
    let new = renew.succeeds().json();
    let file = |entry: &Value| format!("pki/rootCA/keys/{}.key", entry["serial"].as_str().unwrap());
    let old = format!("pki/rootCA/keys/{}.key", new["renews"].as_str().unwrap());
    let public = |file: &str| {
        let line = format!("pkey -pubout -in {file} -passin");
        let key = sandbox
            .run("openssl", &line)
            .arg(format!("pass:{PASSPHRASE}"));
        key.succeeds().stdout
    };
    assert_eq!(public(&old), public(&file(&new)));
    let [old, new] = [old, file(&new)].map(|file| sandbox.read(file));
    assert!(
        new.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        "{new}"
    );
    assert_ne!(old, new, "an initialization vector twice");
    let wrong = sandbox.pki("-q renew --ca rootCA --cn localclient");
    sandbox.refused(
        wrong.env("PKI_PASSPHRASE", "wrong"),
        1,
        "passphrase-wrong",
        expect![[r#"
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
        "#]],
    );
}

#[test]
fn a_certificate_from_a_csr_is_renewed_and_never_rekeyed() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -subj /CN=theirs",
        )
        .words("-keyout theirs.key -out theirs.csr")
        .succeeds();
    let line = "issue --ca intermediate0 --csr theirs.csr --out out";
    sandbox.pki(line).succeeds();
    let line = "renew --ca intermediate0 --cn theirs --out again";
    sandbox.pki(line).succeeds();
    assert_eq!(
        sandbox.names_in("again"),
        ["theirs.chain.pem", "theirs.crt", "theirs.fullchain.pem"]
    );
    let [old, new] = ["out", "again"]
        .map(|folder| sandbox.openssl_x509(&format!("{folder}/theirs.crt"), "-pubkey"));
    assert_eq!(old, new);
    sandbox.refused(
        sandbox.pki("-q renew --ca intermediate0 --cn theirs --rekey"),
        1,
        "key-not-in-store",
        expect![[r#"
            error: the key of certificate [serial] of intermediate0 was made outside the store, so a new key has to be made there too
            hint: make a CSR with the new key, and sign it with `pki issue --ca intermediate0 --csr FILE`
        "#]],
    );
}

#[test]
fn it_is_valid_as_long_as_the_one_before_and_inside_the_ca() {
    let at = "2026-02-01 12:00:00";
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --days 100",
        "issue --ca rootCA --cn a --not-after 2026-02-11T18:00:00Z",
    ] {
        sandbox.pki_at(at, line).succeeds();
    }
    let ends = |transcript: Transcript| transcript.json()["not_after"].clone();
    let line = "--format json renew --ca rootCA --cn a";
    let later = "2026-02-10 00:00:00";
    let renewed = sandbox.pki_at(later, line).succeeds();
    assert_eq!(ends(renewed), "2026-02-20T06:00:00Z");
    let nearly = "2026-05-10 00:00:00";
    let shortened = sandbox.pki_at(nearly, line).succeeds();
    assert_text(
        &normalised(&shortened.stderr),
        expect![[r#"
            {"notice":"2 certificates have the common name \"a\"; using the newest, since none is valid: [serial]"}
            {"notice":"the validity is cut to the CA's: [time]"}
        "#]],
    );
    assert_eq!(ends(shortened), "2026-05-12T12:00:00Z");
    let beyond = sandbox.pki_at(nearly, "-q renew --ca rootCA --cn a --days 30");
    sandbox.refused(
        beyond,
        1,
        "invalid-validity",
        expect![[r#"
            error: invalid validity: notAfter [time] exceeds the issuing CA's, [time]
            hint: choose other times with --days, --not-before or --not-after
        "#]],
    );
}

#[test]
fn what_has_expired_is_renewed_and_not_revoked() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "issue --ca rootCA --cn a --days 10",
    ] {
        sandbox.pki_at("2026-02-01 12:00:00", line).succeeds();
    }
    let renewed = sandbox
        .pki_at(
            "2026-03-01 12:00:00",
            "--format json renew --ca rootCA --cn a --supersede",
        )
        .succeeds();
    assert_text(
        &normalised(&renewed.text_of_stderr()),
        expect![[r#"
            notice: [serial] has expired, so it is not revoked
        "#]],
    );
}

#[test]
fn what_is_revoked_has_no_successor() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for (cn, reason) in [("leaked", "keyCompromise"), ("held", "certificateHold")] {
        sandbox.issued("intermediate0", cn);
        let revoke = format!("revoke --ca intermediate0 --cn {cn} --reason {reason}");
        sandbox.pki(&revoke).succeeds();
        for rekey in ["", "--rekey"] {
            let renew = format!("renew --ca intermediate0 --cn {cn} {rekey}");
            said += &sandbox.refusal(sandbox.pki(&renew), 1, "renewal-of-revoked");
        }
    }
    assert_text(
        &said,
        expect![[r#"
            error: certificate [serial] of intermediate0 is revoked (keyCompromise)
            hint: a revoked certificate can't be renewed; issue a new one with `pki issue`
            error: certificate [serial] of intermediate0 is revoked (keyCompromise)
            hint: a revoked certificate can't be renewed; issue a new one with `pki issue`
            error: certificate [serial] of intermediate0 is revoked (certificateHold)
            hint: `pki revoke --ca intermediate0 --serial 0x[serial] --release` lifts the hold
            error: certificate [serial] of intermediate0 is revoked (certificateHold)
            hint: `pki revoke --ca intermediate0 --serial 0x[serial] --release` lifts the hold
        "#]],
    );
}

/// It was renewed with the same key before that became known to others.
#[test]
fn a_compromised_key_is_not_certified_again() {
    let sandbox = Sandbox::with_open_ca();
    let old = sandbox.issued("intermediate0", "a");
    sandbox.pki("renew --ca intermediate0 --cn a").succeeds();
    sandbox
        .pki("revoke --ca intermediate0 --reason keyCompromise --serial")
        .arg(format!("0x{old}"))
        .succeeds();
    sandbox.refused(
        sandbox.pki("-q renew --ca intermediate0 --cn a"),
        1,
        "key-compromised",
        expect![[r#"
            error: the key is compromised: certificate [serial] of intermediate0, which has it too, is revoked for that
            hint: renew it with a new key: --rekey
        "#]],
    );
    sandbox
        .pki("renew --ca intermediate0 --cn a --rekey")
        .succeeds();
}

#[test]
fn of_several_the_newest_is_taken_and_a_newer_one_is_spoken_of() {
    let sandbox = Sandbox::with_open_ca();
    let first = sandbox.issued("intermediate0", "a");
    let line = "--format json issue --ca intermediate0 --cn a --days 500";
    let second = serial(&sandbox.pki(line).succeeds().json());
    let renewed = sandbox
        .pki("--format json renew --ca intermediate0 --cn a")
        .succeeds();
    assert_eq!(renewed.json()["renews"], second.as_str(), "{renewed}");
    assert_text(
        &normalised(&renewed.text_of_stderr()),
        expect![[r#"
            notice: 2 certificates have the common name "a"; using the newest valid one: [serial]
        "#]],
    );
    let line = format!("--format json renew --ca intermediate0 --serial 0x{first}");
    let renewed = sandbox.pki(&line).succeeds();
    assert_eq!(renewed.json()["renews"], first.as_str(), "{renewed}");
    assert_text(
        &normalised(&renewed.text_of_stderr()),
        expect![[r#"
            notice: [serial] was renewed before: [serial] has the same names and expires [time]
        "#]],
    );
}

#[test]
fn where_the_files_can_t_be_written_the_old_one_stays_valid() {
    let sandbox = Sandbox::with_open_ca();
    let old = sandbox.issued("intermediate0", "a");
    sandbox.write("out/a.crt", "mine");
    let renew = "renew --ca intermediate0 --cn a --supersede --out out --no-passphrase";
    sandbox.refused(
        sandbox.pki(renew),
        1,
        "file-exists",
        expect![[r#"
            error: could not create out/a.crt
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    assert_eq!(sandbox.entry(&old)["status"], "valid");
    sandbox.pki(renew).arg("--force").succeeds();
    assert_eq!(sandbox.entry(&old)["status"], "revoked");
}

#[test]
fn a_ca_s_certificate_is_not_renewed_as_a_leaf() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.refused(
        sandbox.pki("renew --ca rootCA --cn intermediate0"),
        1,
        "renewal-of-ca",
        expect![[r#"
            error: certificate [serial] of rootCA has profile subordinate and is not a leaf
            hint: renew a CA's own certificate with `pki ca renew --ca NAME`
        "#]],
    );
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "a");
    let mut said = String::new();
    for line in ["", "--cn a --name b", "--cn a --force"] {
        let run = sandbox.pki("renew --ca intermediate0").words(line);
        said += &sandbox.refusal(run, 2, "usage");
    }
    assert_text(
        &said,
        expect![[r#"
            error: one of --cn, --serial or --expiring is required
            error: --name needs --out
            error: --force needs --out
        "#]],
    );
}

/// Certificates that end in 10, 20 and 40 days, a request's among them, and a CA.
fn with_ends() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -subj /CN=theirs",
        )
        .words("-keyout theirs.key -out theirs.csr")
        .succeeds();
    for line in [
        "issue --ca intermediate0 --cn twenty --days 20",
        "issue --ca intermediate0 --csr theirs.csr --days 40",
        "issue --ca intermediate0 --cn ten --days 10",
        "issue --ca intermediate0 --cn gone --days 5",
        "revoke --ca intermediate0 --cn gone",
        "subordinate --ca intermediate0 --name below --days 15 --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

fn names(transcript: &Transcript) -> Vec<String> {
    let entries = transcript.json();
    let entries = entries.as_array().unwrap().iter();
    let name = |entry: &Value| entry["subject"].as_str().unwrap().to_owned();
    entries.map(name).collect()
}

#[test]
fn what_ends_soon_is_listed_the_soonest_first() {
    let sandbox = with_ends();
    let list = |options: &str| sandbox.pki(&format!("--format json list {options}"));
    let listed = |options: &str| names(&list(options).succeeds());
    assert_eq!(
        listed("--expiring 30d"),
        ["CN=ten", "CN=below", "CN=twenty"]
    );
    assert_eq!(
        listed("--expiring 60d --ca intermediate0 --status valid"),
        ["CN=ten", "CN=below", "CN=twenty", "CN=theirs"]
    );
    assert_eq!(listed("--expiring 30d --status revoked"), ["CN=gone"]);
    assert_eq!(listed("--expiring 30d --cn twenty"), ["CN=twenty"]);
    assert_eq!(listed("--expiring 30d --ca rootCA"), Vec::<String>::new());
    assert_eq!(
        listed("--expiring 20y").len(),
        6,
        "the root and the CA below are among them"
    );
    let both = list("--expiring 30d --status expired").ends_with(2);
    assert_eq!(both.error()["code"], "usage", "{both}");
    let table = sandbox.pki("list --expiring 30d").succeeds();
    assert_text(
        &normalised(&table.stdout),
        expect![[r#"
            STATUS        EXPIRES              PROFILE        CA               SERIAL               SUBJECT
            valid         [time] client         intermediate0    [serial]   CN=ten
            valid         [time] subordinate    intermediate0    [serial]   CN=below
            valid         [time] client         intermediate0    [serial]   CN=twenty
        "#]],
    );
}

/// Nobody's journal has them.
#[test]
fn cas_from_elsewhere_end_too() {
    let sandbox = Sandbox::new();
    for line in [
        "--store vault root --name rootCA --no-passphrase --days 20",
        "subordinate --name inter0 --request inter0.csr --no-passphrase",
        "--store vault subordinate --ca rootCA --csr inter0.csr --out inter0.crt --days 10",
        "subordinate --name inter0 --install inter0.crt --chain vault/rootCA/ca.crt",
    ] {
        sandbox.pki(line).succeeds();
    }
    let soon = sandbox.pki("--format json list --expiring 30d").succeeds();
    assert_eq!(names(&soon), ["CN=inter0", "CN=rootCA"]);
    let profiles = [&soon.json()[0]["profile"], &soon.json()[1]["profile"]];
    assert_eq!(profiles, ["subordinate", "root"]);
    assert_eq!(
        names(&sandbox.pki("--format json list").succeeds()),
        [""; 0]
    );
}

#[test]
fn what_is_due_is_renewed_once_and_each_by_itself() {
    let sandbox = with_ends();
    let renew = "--format json renew --ca intermediate0 --days 90 --expiring";
    let first = sandbox.pki(renew).arg("30d").succeeds();
    let made: Vec<Value> = first
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let subjects: Vec<&Value> = made.iter().map(|entry| &entry["subject"]).collect();
    assert_eq!(subjects, ["CN=ten", "CN=twenty"]);
    assert_text(
        &normalised(&first.text_of_stderr()),
        expect![[r#"
            notice: the certificate of the CA CN=below expires at [time]; `pki ca renew --ca NAME` renews it
        "#]],
    );
    let before = sandbox.store_snapshot();
    let again = sandbox.pki(&format!("-q {renew} 30d")).succeeds();
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", ""));
    before.assert_unchanged(&sandbox.path("pki"));
    let listed = sandbox.pki("list --expiring 30d --cn ten").succeeds();
    let mark = format!("(renewed by {})", made[0]["serial"].as_str().unwrap());
    assert!(listed.stdout.contains(&mark), "{listed}");
}

#[test]
fn one_that_can_t_be_renewed_does_not_keep_the_others() {
    let sandbox = with_ends();
    let renew = "renew --ca intermediate0 --days 90 --expiring 60d --rekey";
    let renewed = sandbox.pki(&format!("-q {renew}")).ends_with(4);
    assert_eq!(
        renewed.stdout.matches("issued a client").count(),
        2,
        "{renewed}"
    );
    assert_text(
        &normalised(&renewed.stderr),
        expect![[r#"
            error: the key of certificate [serial] of intermediate0 was made outside the store, so a new key has to be made there too
            hint: make a CSR with the new key, and sign it with `pki issue --ca intermediate0 --csr FILE`
        "#]],
    );
    // Now it alone is left, and nothing is changed.
    let alone = sandbox.pki(&format!("-q {renew}")).ends_with(1);
    assert_eq!(alone.stdout, "", "{alone}");
}

#[test]
fn files_of_what_is_due_take_the_place_of_the_old_ones() {
    let sandbox = with_ends();
    let line = "renew --ca intermediate0 --days 90 --expiring 30d --out out --no-passphrase";
    sandbox.pki(line).succeeds();
    for name in ["ten", "twenty"] {
        sandbox
            .run("openssl", "verify -x509_strict -CAfile pki/rootCA/ca.crt")
            .words(&format!("-untrusted out/{name}.chain.pem out/{name}.crt"))
            .succeeds();
        assert!(sandbox.path(format!("out/{name}.key")).exists());
    }
}

#[test]
fn a_ca_that_expires_first_renews_nothing_due_at_once() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --days 20",
        "issue --ca rootCA --cn a --days 10",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox.refused(
        sandbox.pki("-q renew --ca rootCA --expiring 30d"),
        1,
        "ca-expires-first",
        expect![[r#"
            error: rootCA itself expires within that time, at [time]
            hint: first run `pki ca renew --ca rootCA --days N`, with N days that exceed that time
        "#]],
    );
}

/// Where nothing is due no key is opened, so that cron needs no passphrase.
#[test]
fn where_nothing_is_due_no_passphrase_is_needed() {
    let sandbox = Sandbox::new();
    for line in ["root --name rootCA", "issue --ca rootCA --cn a"] {
        sandbox.with_passphrase(line).succeeds();
    }
    let line = "--no-input renew --ca rootCA --expiring 30d";
    let nothing = sandbox.pki(line).succeeds();
    assert_text(
        &nothing.stderr,
        expect![[r#"
            notice: no certificate of rootCA is due
        "#]],
    );
}

#[test]
fn eight_processes_that_renew_one_certificate_make_eight() {
    const PROCESSES: usize = 8;
    let sandbox = Sandbox::with_open_ca();
    let old = sandbox.issued("intermediate0", "a");
    let line = format!("--format json renew --ca intermediate0 --serial 0x{old}");
    let made: BTreeSet<String> = thread::scope(|scope| {
        let run = || serial(&sandbox.pki(&line).succeeds().json());
        let all: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(run)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(made.len(), PROCESSES);
    let keys = fs::read_dir(sandbox.path("pki/intermediate0/keys")).unwrap();
    assert_eq!(keys.count(), PROCESSES + 1);
    for serial in made {
        assert_eq!(sandbox.entry(&serial)["renews"], old.as_str());
    }
}

crate::engine::also_in_a_database! {
    what_is_said_and_what_the_json_has, the_subject_stays_to_the_byte,
    a_certificate_from_a_csr_is_renewed_and_never_rekeyed,
    it_is_valid_as_long_as_the_one_before_and_inside_the_ca, what_has_expired_is_renewed_and_not_revoked,
    a_compromised_key_is_not_certified_again, of_several_the_newest_is_taken_and_a_newer_one_is_spoken_of,
    a_ca_s_certificate_is_not_renewed_as_a_leaf, cas_from_elsewhere_end_too,
    one_that_can_t_be_renewed_does_not_keep_the_others, a_ca_that_expires_first_renews_nothing_due_at_once,
    eight_processes_that_renew_one_certificate_make_eight,
}

crate::engine::soak_in_a_database! {
    the_key_stays_encrypted_in_the_store, what_is_revoked_has_no_successor,
    where_the_files_can_t_be_written_the_old_one_stays_valid, what_makes_no_sense_is_a_usage_error,
    what_ends_soon_is_listed_the_soonest_first, what_is_due_is_renewed_once_and_each_by_itself,
    files_of_what_is_due_take_the_place_of_the_old_ones, where_nothing_is_due_no_passphrase_is_needed,
}
