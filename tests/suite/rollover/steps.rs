//! The commands that are printed for what comes next: whole, for this store, and possible.

use expect_test::expect;

use super::AT;
use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::{Sandbox, repository};

impl Sandbox {
    /// The steps that a command prints, as JSON: when, and the commands.
    #[track_caller]
    fn steps(&self, line: &str) -> Vec<(String, Vec<String>)> {
        let made = self.pki("--format json").words(line).succeeds().json();
        let steps = made["steps"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let step = |step: &serde_json::Value| {
            let commands = step["commands"].as_array().unwrap().iter();
            (text(&step["when"]), commands.map(text).collect())
        };
        steps.map(step).collect()
    }
}

#[test]
fn when_a_ca_goes_the_others_stay_in_the_trust_store() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name inter0 --no-passphrase",
        "subordinate --ca inter0 --name below --no-passphrase",
        "root --name other --no-passphrase",
        "subordinate --ca other --name otherInter --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let line = "ca rekey --ca inter0 --name inter1 --no-passphrase";
    let steps = sandbox.steps(line);
    let bundle =
        "pki bundle --ca inter1 --ca other --ca otherInter --ca rootCA --out truststore.pem";
    assert_eq!(steps.last().unwrap().1[0], bundle);
    let written = sandbox.pki(bundle.strip_prefix("pki ").unwrap()).succeeds();
    assert_text(
        &normalised(&written.stdout),
        expect![[r#"
            wrote 4 certificates to truststore.pem; the first expires at [time]
              1  CN=inter1, expires [time]
              2  CN=rootCA, expires [time]
              3  CN=otherInter, expires [time]
              4  CN=other, expires [time]
        "#]],
    );
}

#[test]
fn below_a_root_with_path_length_0_no_ca_is_advised() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --no-passphrase --path-len 0")
        .succeeds();
    let line = "-q ca rekey --ca rootCA --name root2 --no-passphrase";
    let steps = sandbox.steps(line);
    assert_eq!(steps[1].1, ["pki issue --ca root2 --cn NAME"]);
    sandbox.pki("issue --ca root2 --cn NAME").succeeds();
}

/// A CA's certificate that nobody here has recorded is relied on, too.
#[test]
fn a_ca_from_elsewhere_keeps_its_parent_until_it_expires() {
    let sandbox = super::elsewhere::two_machines();
    let listed = sandbox.pki("--format json list --expiring 20y --ca rootCA");
    let listed = listed.succeeds().json();
    let inter0 = listed.as_array().unwrap().iter();
    let mut inter0 = inter0.filter(|entry| entry["subject"] == "CN=inter0,O=Example");
    let end = inter0.next().unwrap()["not_after"]
        .as_str()
        .unwrap()
        .to_owned();
    let line = "ca rekey --ca rootCA --name root2 --no-cross --no-passphrase";
    let steps = sandbox.steps(line);
    let times: Vec<&str> = steps.iter().map(|(when, _)| when.as_str()).collect();
    assert_eq!(
        times,
        [
            "now",
            "when every relying party has it",
            &format!("until {end}"),
            &end
        ]
    );
}

/// A name with all that a shell would take for its own.
#[test]
fn commands_name_the_store_where_it_is_not_the_usual_one() {
    const STORE: &str = "it's $HOME; here";
    const WORD: &str = r"'it'\''s $HOME; here'";
    let sandbox = Sandbox::new();
    let pki = |line: &str| sandbox.pki("--store").arg(STORE).words(line);
    pki("root --name rootCA --no-passphrase").succeeds();
    let renewed = pki("ca renew --ca rootCA").succeeds();
    let command = format!("pki --store {WORD} bundle --out truststore.pem");
    assert!(
        renewed.stdout.contains(&format!("\n       {command}\n")),
        "{renewed}"
    );
    let program = repository(env!("CARGO_BIN_EXE_pki"));
    let line = command.replacen("pki", &program.display().to_string(), 1);
    sandbox.run("sh", "-c").arg(line).succeeds();
}

#[test]
fn hints_and_notices_name_the_store_too() {
    let sandbox = Sandbox::new();
    for line in [
        "--store other root --name rootCA --no-passphrase",
        "--store other subordinate --ca rootCA --name below --no-passphrase --days 5",
    ] {
        sandbox.pki(line).succeeds();
    }
    let refused = sandbox.pki("renew --ca rootCA --cn a");
    refused.env("PKI_STORE", "other").refuses(
        1,
        "certificate-not-found",
        expect![[r#"
            error: no certificate with CN "a" found for rootCA
            hint: `pki --store other list --ca rootCA` shows what it has issued
        "#]],
    );
    let said = sandbox
        .pki("--store other renew --ca rootCA --expiring 10d")
        .succeeds();
    assert_text(
        &normalised(&said.stderr),
        expect![[r#"
            notice: the certificate of the CA CN=below expires at [time]; `pki --store other ca renew --ca NAME` renews it
            notice: no certificate of rootCA is due
        "#]],
    );
    let mut said = String::new();
    for usual in ["pki", "./pki"] {
        let refused = sandbox.pki("list").words("--store").arg(usual);
        said += &refused.refusal(1, "store-not-found");
    }
    assert_text(
        &said,
        expect![[r#"
            error: no store found at pki
            hint: create one with `pki root --name NAME`, or name an existing store with --store or PKI_STORE
            error: no store found at ./pki
            hint: create one with `pki root --name NAME`, or name an existing store with --store or PKI_STORE
        "#]],
    );
}

#[test]
fn an_offline_root_is_not_told_to_request_a_certificate() {
    let sandbox = super::elsewhere::two_machines();
    sandbox.refused(
        sandbox.pki("ca renew --ca rootCA"),
        1,
        "key-not-in-store",
        expect![[r#"
            error: the key of rootCA is not in the store
            hint: run the same command on the machine with the root's key; then install the certificate here: `pki ca renew --ca rootCA --install CERT`
        "#]],
    );
}

#[test]
fn what_is_advised_where_a_ca_ends_first_helps() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --days 400",
        "subordinate --ca rootCA --name inter0 --no-passphrase --days 400",
        "issue --ca inter0 --cn a --days 390",
    ] {
        sandbox.pki_at(AT, line).succeeds();
    }
    let late = "2027-02-20 12:00:00";
    let due = "-q renew --ca inter0 --expiring 30d";
    sandbox.refused(
        sandbox.pki_at(late, due),
        1,
        "ca-expires-first",
        expect![[r#"
            error: inter0 itself expires within that time, at [time]
            hint: first run `pki ca renew --ca rootCA`, then `pki ca renew --ca inter0`
        "#]],
    );
    for line in ["ca renew --ca rootCA", "ca renew --ca inter0", due] {
        sandbox.pki_at(late, line).succeeds();
    }
}

/// Nothing of a CA whose key others have can wait until it ends.
#[test]
fn what_is_said_of_a_ca_in_the_place_of_one_that_is_compromised() {
    let (sandbox, _) = Sandbox::with_renewed_ca();
    for line in [
        "issue --ca inter0 --cn a",
        "-q revoke --ca rootCA --cert pki/inter0/ca.crt --reason keyCompromise",
    ] {
        sandbox.pki(line).succeeds();
    }
    let line = "ca rekey --ca inter0 --name inter1 --no-passphrase";
    let made = sandbox.pki(line).succeeds();
    let steps = made.stdout.find("next\n").unwrap();
    assert_text(
        &normalised(&made.stdout[steps..]),
        expect![[r#"
            next
              1. now: replace inter0 with inter1 in the trust stores, and publish its CRL
                   pki bundle --ca inter1 --ca rootCA --out truststore.pem
                   pki crl --ca inter1
              2. now: have rootCA revoke the certificates of the key of inter0
                   pki revoke --ca rootCA --serial 0x[serial] --reason keyCompromise
                   pki crl --ca rootCA
              3. now: issue from inter1 what inter0 issued: an attacker with its key can issue the same
                   pki issue --ca inter1 --cn NAME
        "#]],
    );
}

crate::engine::also_in_a_database! {
    when_a_ca_goes_the_others_stay_in_the_trust_store, below_a_root_with_path_length_0_no_ca_is_advised,
    a_ca_from_elsewhere_keeps_its_parent_until_it_expires,
    an_offline_root_is_not_told_to_request_a_certificate, what_is_advised_where_a_ca_ends_first_helps,
    what_is_said_of_a_ca_in_the_place_of_one_that_is_compromised,
}
