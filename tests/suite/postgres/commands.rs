//! The commands on a store in a database, judged by openssl and psql.

use super::Site;
use crate::sandbox::PASSPHRASE;

#[test]
fn a_chain_is_made_listed_exported_and_verified() {
    let site = Site::with_cas();
    let serial = site.issue("localclient");
    site.pki("export --ca intermediate0 --cn localclient --out out --passout env:PKI_PASSPHRASE")
        .succeeds();
    site.pki("export --ca rootCA --out root").succeeds();
    let verified = site.sandbox.run(
        "openssl",
        "verify -CAfile root/rootCA.crt -untrusted out/localclient.chain.pem out/localclient.crt",
    );
    assert_eq!(verified.succeeds().stdout, "out/localclient.crt: OK\n");
    site.sandbox
        .run("openssl", "pkey -in out/localclient.key -passin")
        .arg(format!("pass:{PASSPHRASE}"))
        .words("-noout")
        .succeeds();
    let listed = site.pki("--format json list").succeeds().json();
    let subjects = listed.as_array().unwrap().iter();
    let subjects: Vec<_> = subjects
        .map(|entry| entry["subject"].as_str().unwrap())
        .collect();
    assert_eq!(
        subjects,
        ["CN=rootCA", "CN=intermediate0", "CN=localclient"]
    );
    let shown = site.pki("--format json show --ca intermediate0 --cn localclient");
    assert!(shown.succeeds().stdout.contains(&serial));
    let tree = site.pki("tree").succeeds().stdout;
    assert!(tree.contains("└─ intermediate0"), "{tree}");
    let verdict = site.pki("verify out/localclient.crt").succeeds().stdout;
    assert!(verdict.contains("valid"), "{verdict}");
    site.pki("bundle --out bundle.pem").succeeds();
    let count = site
        .sandbox
        .read("bundle.pem")
        .matches("BEGIN CERT")
        .count();
    assert_eq!(count, 2);
    assert_eq!(
        site.psql("SELECT count(*), count(DISTINCT serial) FROM pki.certificate"),
        "3|3"
    );
}

#[test]
fn what_is_revoked_is_on_the_crl_and_numbers_have_no_gaps() {
    let site = Site::with_cas();
    for cn in ["a", "b", "c"] {
        site.issue(cn);
    }
    for cn in ["a", "b"] {
        site.pki(&format!("revoke --ca intermediate0 --cn {cn}"))
            .succeeds();
    }
    let again = site
        .pki("--format json revoke --ca intermediate0 --cn a")
        .succeeds();
    assert_eq!(again.json()["already"], true);
    for number in ["1", "2"] {
        let signed = site
            .pki("--format json crl --ca intermediate0 --out crl")
            .succeeds();
        assert_eq!(
            signed.json()[0]["number"].to_string().trim_matches('"'),
            number
        );
        assert_eq!(signed.json()[0]["entries"], 2);
    }
    let text = site.sandbox.run(
        "openssl",
        "crl -inform DER -in crl/intermediate0.crl -noout -text",
    );
    assert_eq!(text.succeeds().stdout.matches("Serial Number:").count(), 2);
    let kept = site
        .pki("--format json crl --ca intermediate0 --out crl --if-needed")
        .succeeds();
    assert_eq!(kept.json()[0]["signed"], false);
    assert_eq!(
        site.psql("SELECT string_agg(number::text, ',' ORDER BY number) FROM pki.revocation"),
        "1,2"
    );
    assert_eq!(
        site.psql("SELECT lease IS NULL FROM pki.crl_counter ORDER BY ca LIMIT 1"),
        "t"
    );
}

#[test]
fn holds_are_lifted_and_presigned_crls_are_published_in_turn() {
    let site = Site::with_cas();
    site.issue("a");
    site.pki("revoke --ca intermediate0 --cn a --reason certificateHold")
        .succeeds();
    site.pki("revoke --ca intermediate0 --cn a --release")
        .succeeds();
    let signed = site
        .pki("--format json crl --ca intermediate0 --ahead 3 --every 7d --out crl")
        .succeeds();
    assert_eq!(signed.json()[0]["entries"], 0);
    assert_eq!(site.psql("SELECT count(*) FROM pki.presigned_crl"), "3");
    let again = site
        .pki("--format json crl --ca intermediate0 --out crl")
        .succeeds();
    assert_eq!(again.json()[0]["number"], signed.json()[0]["number"]);
    site.pki("revoke --ca intermediate0 --cn a").succeeds();
    site.pki("crl --ca intermediate0 --out crl").succeeds();
    assert_eq!(site.psql("SELECT count(*) FROM pki.presigned_crl"), "0");
}

#[test]
fn renewing_a_leaf_and_the_cas_keeps_what_was_issued_valid() {
    let site = Site::with_cas();
    let first = site.issue("a");
    let renewed = site
        .pki("--format json renew --ca intermediate0 --cn a")
        .succeeds();
    assert_eq!(renewed.json()["renews"], first.as_str());
    site.pki("ca renew --ca intermediate0").succeeds();
    site.pki("ca renew --ca rootCA").succeeds();
    site.pki("ca rekey --ca intermediate0 --name intermediate1")
        .succeeds();
    site.issue("b");
    site.pki("export --ca intermediate0 --cn a --out out --no-passphrase")
        .succeeds();
    let verdict = site.pki("verify out/a.crt").succeeds().stdout;
    assert!(verdict.contains("valid"), "{verdict}");
    assert_eq!(
        site.psql("SELECT count(*) FROM pki.previous_certificate"),
        "2"
    );
    site.pki("root --name other").succeeds();
    site.pki("ca cross-sign --ca rootCA --with other")
        .succeeds();
    site.pki("revoke --ca rootCA --cn intermediate1").succeeds();
    site.pki("ca remove --ca intermediate1 --backup removed.tar")
        .succeeds();
    site.pki("subordinate --ca rootCA --name intermediate1")
        .refusal(1, "ca-removed");
    assert_eq!(
        site.psql("SELECT state FROM pki.ca WHERE name = 'intermediate1'"),
        "removed"
    );
}

#[test]
fn a_pending_ca_gets_its_certificate_from_a_ca_elsewhere() {
    let site = Site::with_cas();
    site.pki("subordinate --name waiting --request waiting.csr")
        .succeeds();
    assert!(site.pki("tree").succeeds().stdout.contains("pending"));
    site.pki("subordinate --ca rootCA --csr waiting.csr --out waiting.crt")
        .succeeds();
    site.pki("subordinate --name waiting --install waiting.crt")
        .succeeds();
    site.pki("issue --ca waiting --cn below").succeeds();
    site.pki("subordinate --name waiting --request again.csr")
        .refusal(1, "ca-exists");
}

#[test]
fn a_table_is_issued_and_resumed_without_repeating_a_row() {
    let site = Site::with_cas();
    let rows: Vec<String> = (0..300).map(|number| format!("client{number}")).collect();
    site.sandbox
        .write("table.csv", format!("cn\n{}\n", rows.join("\n")));
    site.pki("issue --ca intermediate0 --from table.csv")
        .succeeds();
    let again = site
        .pki("issue --ca intermediate0 --from table.csv --resume")
        .succeeds();
    assert_eq!(again.stdout.matches("already").count(), 300);
    assert_eq!(
        site.psql(
            "SELECT count(*), count(DISTINCT serial) FROM pki.certificate WHERE row IS NOT NULL"
        ),
        "300|300"
    );
    assert_eq!(site.psql("SELECT count(*) FROM pki.leaf_key"), "300");
}

#[test]
fn a_declaration_is_applied_once() {
    let site = Site::new();
    let example = site.sandbox.pki("apply --example").succeeds().stdout;
    site.sandbox.write("hierarchy.toml", example);
    site.pki("apply hierarchy.toml --passout env:PKI_PASSPHRASE")
        .succeeds();
    let first = site.psql("SELECT count(*) FROM pki.certificate");
    site.pki("apply hierarchy.toml --passout env:PKI_PASSPHRASE")
        .succeeds();
    assert_eq!(site.psql("SELECT count(*) FROM pki.certificate"), first);
}

#[test]
fn profiles_responses_and_the_log_come_from_the_database() {
    let site = Site::with_cas();
    let example = site.sandbox.pki("profile --example").succeeds().stdout;
    site.sandbox.write("profiles.toml", example);
    site.pki("profile add profiles.toml").succeeds();
    assert!(site.pki("profile list").succeeds().stdout.contains("ipsec"));
    site.issue("a");
    site.pki("revoke --ca intermediate0 --cn a").succeeds();
    site.pki("ocsp --out ocsp").succeeds();
    let log = site.pki("log").succeeds().stdout;
    for event in ["issued", "revoked"] {
        assert!(log.contains(event), "{log}");
    }
}

#[test]
fn a_new_passphrase_opens_all_keys_and_the_one_before_none() {
    let site = Site::with_cas();
    site.issue("a");
    site.pki("passphrase --ca intermediate0 --passout env:NEW")
        .env("NEW", "another long passphrase")
        .succeeds();
    site.pki("issue --ca intermediate0 --cn b")
        .refusal(1, "passphrase-wrong");
    site.pki("export --ca intermediate0 --cn a --out out --no-passphrase --passin env:NEW")
        .env("NEW", "another long passphrase")
        .succeeds();
    assert!(
        site.pki("log")
            .succeeds()
            .stdout
            .contains("passphrase-changed")
    );
}

#[test]
fn a_check_finds_what_was_changed_behind_its_back() {
    let site = Site::with_cas();
    for cn in ["a", "b"] {
        site.issue(cn);
        site.pki(&format!("revoke --ca intermediate0 --cn {cn}"))
            .succeeds();
    }
    site.pki("crl").succeeds();
    site.pki("check").succeeds();
    let codes = |site: &Site| {
        let checked = site.pki("--format json check").ends_with(3);
        checked.stdout
    };
    site.psql("UPDATE pki.revocation SET record = replace(record, 'unspecified', 'superseded') WHERE number = 1");
    assert!(codes(&site).contains("journal-chain"), "{}", codes(&site));
    site.psql("UPDATE pki.serial_counter SET counter = 0");
    assert!(codes(&site).contains("counter-behind"), "{}", codes(&site));
}

#[test]
fn lost_revocations_are_damage_and_no_crl_is_made() {
    let site = Site::with_cas();
    site.issue("a");
    site.pki("revoke --ca intermediate0 --cn a").succeeds();
    site.pki("crl --ca intermediate0 --out crl").succeeds();
    site.psql("DELETE FROM pki.revocation; UPDATE pki.revocation_end SET number = 0, \"check\" = repeat('0', 32)");
    std::fs::remove_file(site.sandbox.path("crl/intermediate0.crl")).unwrap();
    site.pki("crl --ca intermediate0 --out crl")
        .refusal(1, "revocations-lost");
}

#[test]
fn a_ca_is_imported_and_a_fixture_store_made() {
    let site = Site::new();
    site.sandbox.write("demoCA/index.txt", "");
    site.sandbox.write("demoCA/serial", "05\n");
    site.sandbox.write("demoCA/crlnumber", "07\n");
    site.sandbox.write("demoCA/private/none", "");
    site.sandbox
        .run(
            "openssl",
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1000 -subj /CN=old \
             -keyout demoCA/private/cakey.pem -out demoCA/cacert.pem",
        )
        .succeeds();
    site.pki("import --openssl demoCA --name old").succeeds();
    site.pki("issue --ca old --cn new").succeeds();
    let signed = site
        .pki("--format json crl --ca old --out crl")
        .succeeds()
        .json();
    let number = signed[0]["number"].to_string();
    assert!(
        number.trim_matches('"').parse::<u32>().unwrap() >= 7,
        "{number}"
    );
    site.pki("check").succeeds();
    site.pki("root --name fixture --fixture")
        .refusal(1, "fixture-store-required");
    let site = Site::new();
    site.pki("root --name flawed --fixture").succeeds();
    site.pki("issue --ca flawed --cn late --flaw expired")
        .succeeds();
}
