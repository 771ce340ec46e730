//! CAs of easy-rsa and openssl that are renewed here: what they issued names the serial number of the
//! certificate before.

use expect_test::expect;

use super::OLD;
use crate::normalise::normalised;
use crate::run::{Transcript, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};
use crate::server::Server;

/// The CA of easy-rsa, imported and renewed. `bob` is a client of before and `new` one of after; `alice` and
/// `gone` are revoked ones. Their files and the server's are in `out/`, the bundle is `truststore.pem`.
fn renewed_easy_rsa_ca() -> Sandbox {
    let sandbox = Sandbox::with_easy_rsa_ca();
    sandbox.imported("--easy-rsa easy/pki");
    for line in [
        "ca renew --ca old --days 7300",
        "issue --ca old --cn new --out out --no-passphrase",
        "issue --ca old --cn gone --out out --no-passphrase",
        "export --ca old --cn alice --out out --no-passphrase",
        "export --ca old --cn bob --out out --no-passphrase",
        "export --ca old --cn www.example.test --out out --no-passphrase",
        "revoke --ca old --cn gone",
        "crl --to-pem",
        "bundle --for nginx --out truststore.pem",
    ] {
        sandbox.pki_old(line).succeeds();
    }
    sandbox
}

fn previous_of(sandbox: &Sandbox) -> String {
    let names = sandbox.names_in("pki/old/previous");
    assert_eq!(names.len(), 1, "{names:?}");
    format!("pki/old/previous/{}", names[0])
}

/// curl, which accepts the server by a file; it ends with the status of the answer.
fn curl(sandbox: &Sandbox, server: &Server, roots: &str, client: &str) -> Transcript {
    let to = format!("www.example.test:443:127.0.0.1:{}", server.port);
    sandbox
        .run("curl", "--silent --show-error --noproxy * --write-out")
        .arg("status:%{http_code}")
        .words(&format!("--cacert {roots} --connect-to"))
        .arg(to)
        .words(&format!("--cert out/{client}.crt --key out/{client}.key"))
        .arg("https://www.example.test/")
        .finish()
}

#[track_caller]
fn assert_greets(answer: &Transcript, client: &str) {
    assert_eq!(answer.status, Some(0), "{answer}");
    let greeting = format!("{client}\nstatus:200");
    assert!(answer.stdout.contains(&greeting), "{answer}");
}

fn nginx(sandbox: &Sandbox, roots: &str) -> Server {
    Server::nginx(
        sandbox,
        &format!(
            "ssl_certificate ../out/www.example.test.crt;
        ssl_certificate_key ../out/www.example.test.key;
        ssl_client_certificate ../{roots};
        ssl_crl ../pki/crl/old.crl.pem;
        ssl_verify_client on;
        location / {{ return 200 \"hello $ssl_client_s_dn\\n\"; }}"
        ),
    )
}

#[test]
fn openssl_accepts_old_and_new_certificates_by_the_bundle() {
    let sandbox = renewed_easy_rsa_ca();
    let verify = |roots: &str, client: &str| {
        let line = format!(
            "verify -crl_check -CRLfile pki/crl/old.crl.pem -CAfile {roots} out/{client}.crt"
        );
        let judged = sandbox.run("openssl", &line).finish();
        judged.status == Some(0)
    };
    let old_alone = previous_of(&sandbox);
    for (client, by_old, by_new, by_both) in [
        ("bob", true, false, true),
        ("www.example.test", true, false, true),
        ("new", true, true, true),
        ("alice", false, false, false),
        ("gone", false, false, false),
    ] {
        assert_eq!(verify(&old_alone, client), by_old, "{client}");
        assert_eq!(verify("pki/old/ca.crt", client), by_new, "{client}");
        assert_eq!(verify("truststore.pem", client), by_both, "{client}");
        // By the store, and by the bundle.
        let status = if by_both { 0 } else { 3 };
        for with in ["", "--bundle truststore.pem"] {
            let line = format!("verify out/{client}.crt {with} --crl pki/crl/old.crl");
            sandbox.pki(&line).ends_with(status);
        }
    }
    let check = sandbox.pki_old("--format json check").finish().json();
    let findings = check["findings"].to_string();
    assert!(!findings.contains("issuer-certificate"), "{findings}");
}

#[test]
fn nginx_lets_in_old_and_new_clients_and_refuses_the_revoked() {
    let sandbox = renewed_easy_rsa_ca();
    let server = nginx(&sandbox, "truststore.pem");
    for client in ["bob", "new"] {
        let answer = curl(&sandbox, &server, "truststore.pem", client);
        assert_greets(&answer, &format!("hello CN={client}"));
    }
    for client in ["alice", "gone"] {
        let answer = curl(&sandbox, &server, "truststore.pem", client);
        assert!(answer.stdout.ends_with("status:400"), "{answer}");
    }
    drop(server);
    // With the new certificate alone the old clients are out.
    let server = nginx(&sandbox, "pki/old/ca.crt");
    let answer = curl(&sandbox, &server, "truststore.pem", "new");
    assert_greets(&answer, "hello CN=new");
    let answer = curl(&sandbox, &server, "truststore.pem", "bob");
    assert!(answer.stdout.ends_with("status:400"), "{answer}");
}

#[test]
fn node_lets_in_old_and_new_clients_and_refuses_the_revoked() {
    let sandbox = renewed_easy_rsa_ca();
    let files = [
        "out/www.example.test.crt",
        "out/www.example.test.key",
        "truststore.pem",
        "pki/crl/old.crl.pem",
    ];
    let server = Server::node(&sandbox, "crl-server.js", &files);
    for client in ["bob", "new"] {
        let answer = curl(&sandbox, &server, "truststore.pem", client);
        assert_greets(&answer, &format!("hello {client}"));
    }
    for client in ["alice", "gone"] {
        let answer = curl(&sandbox, &server, "truststore.pem", client);
        assert_ne!(answer.status, Some(0), "{answer}");
    }
    server.assert_logs("refused: CERT_REVOKED");
}

#[test]
fn java_lets_in_old_and_new_clients_and_refuses_the_revoked() {
    let sandbox = renewed_easy_rsa_ca();
    sandbox.write("passphrase", PASSPHRASE);
    for line in [
        "export --ca old --cn www.example.test --for java --out java",
        "bundle --for java",
    ] {
        let run = sandbox.pki_old(line).words("--passout file:passphrase");
        run.succeeds();
    }
    let stores = ["java/www.example.test.p12", "truststore.p12", PASSPHRASE];
    let server = Server::java(&sandbox, "MutualServer.java", &stores);
    for client in ["bob", "new"] {
        let answer = curl(&sandbox, &server, "truststore.pem", client);
        assert_greets(&answer, &format!("hello CN={client}"));
    }
    let old_alone = previous_of(&sandbox);
    let judged = |root: &str| {
        let run = sandbox
            .java("CheckPath.java")
            .arg(root)
            .arg("pki/crl/old.crl.pem");
        let run = run.words("out/bob.crt out/new.crt out/alice.crt out/gone.crt");
        run.succeeds().stdout
    };
    assert_eq!(
        judged(&old_alone),
        "out/bob.crt: good\nout/new.crt: good\nout/alice.crt: REVOKED\nout/gone.crt: REVOKED\n"
    );
    let by_new = judged("pki/old/ca.crt");
    assert!(by_new.contains("out/new.crt: good\n"), "{by_new}");
    assert!(!by_new.contains("out/bob.crt: good\n"), "{by_new}");
    assert!(by_new.contains("out/gone.crt: REVOKED\n"), "{by_new}");
}

#[test]
fn a_renewal_counts_what_names_the_certificate_before() {
    let sandbox = Sandbox::with_easy_rsa_ca();
    sandbox.imported("--easy-rsa easy/pki");
    let renewed = sandbox.pki_old("--format json ca renew --ca old --days 7300");
    let renewed = renewed.succeeds();
    // Of seven certificates two are revoked.
    let naming = &renewed.json()["naming_previous"];
    assert_eq!((&naming["leaves"], &naming["cas"]), (&5.into(), &0.into()));
    let warning = renewed.text_of_stderr();
    assert_text(
        &normalised(&warning),
        expect![[r#"
            warning: 5 leaves of old name the serial number of its previous certificate: they verify only with that one, until [time] at the latest; renew with `pki renew --ca old --cn NAME`
        "#]],
    );
    // The certificates last 825 days, and their CA longer.
    let list = sandbox
        .pki("--format json list --ca old --status valid")
        .succeeds()
        .json();
    let entries = list.as_array().unwrap().iter();
    let leaves = entries.filter(|entry| entry["profile"] != "root");
    let last = leaves
        .map(|entry| entry["not_after"].as_str().unwrap())
        .max();
    assert_eq!(naming["until"].as_str(), last);
    // Successors name no serial number.
    for cn in ["locked", "www.example.test"] {
        let line = format!("renew --ca old --cn {cn} --supersede --days 30");
        sandbox.pki_old(&line).succeeds();
    }
    let again = sandbox.pki_old("--format json ca renew --ca old --days 7301");
    let again = again.succeeds();
    assert_eq!(again.json()["naming_previous"]["leaves"], 3, "{again}");
    // Both certificates before are in the bundle.
    let bundle = sandbox.pki("--format json bundle --out all.pem").succeeds();
    assert_eq!(bundle.json()["certificates"].as_array().unwrap().len(), 3);
    assert!(!bundle.stderr.contains("another certificate"), "{bundle}");
    for line in ["out --cn carol", "out --cn bob"] {
        let line = format!("export --ca old --no-passphrase --force --out {line}");
        sandbox.pki_old(&line).succeeds();
    }
    let line = "verify -CAfile all.pem out/carol.crt out/bob.crt";
    sandbox.run("openssl", line).succeeds();
}

#[test]
fn a_renewal_is_silent_if_nothing_names_the_old_certificate() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name inter0 --no-passphrase",
        "issue --ca inter0 --cn a",
    ] {
        sandbox.pki(line).succeeds();
    }
    for ca in ["rootCA", "inter0"] {
        let renewed = sandbox.pki(&format!("--format json ca renew --ca {ca}"));
        let renewed = renewed.succeeds();
        assert!(!renewed.stderr.contains("warning"), "{renewed}");
        assert!(renewed.json()["naming_previous"].is_null(), "{renewed}");
    }
    let bundle = sandbox
        .pki("--format json bundle --out t.pem")
        .succeeds()
        .json();
    assert_eq!(bundle["certificates"].as_array().unwrap().len(), 4);
    assert_eq!(bundle["findings"].as_array().unwrap().len(), 0, "{bundle}");
}

#[test]
fn a_certificate_before_that_was_revoked_is_in_no_bundle() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name inter0 --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let renewed = sandbox.pki("--format json ca renew --ca inter0");
    let before = renewed.succeeds().json()["renews"].clone();
    let bundled = || {
        let bundle = sandbox.pki("--format json bundle --out t.pem").succeeds();
        bundle.json()["certificates"].as_array().unwrap().len()
    };
    assert_eq!(bundled(), 3);
    let line = format!(
        "revoke --ca rootCA --serial 0x{} --reason superseded",
        before.as_str().unwrap()
    );
    sandbox.pki(&line).succeeds();
    assert_eq!(bundled(), 2);
}

/// A CA of openssl that expires in 30 days, with a certificate of 300 days that names it by serial number.
fn short_lived_ca() -> Sandbox {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.write(
        "aki.cnf",
        "extendedKeyUsage = clientAuth\nauthorityKeyIdentifier = keyid, issuer:always\n",
    );
    sandbox
        .run(
            "openssl",
            "req -x509 -key old/private/cakey.pem -days 30 -passin",
        )
        .arg(format!("pass:{OLD}"))
        .words("-addext keyUsage=critical,keyCertSign,cRLSign -out old/cacert.pem -subj")
        .arg("/O=Old/CN=Old CA")
        .succeeds();
    sandbox.request("a.csr", "/CN=a");
    sandbox
        .old_ca("-notext -days 300 -extfile aki.cnf -in a.csr -out a.crt")
        .succeeds();
    sandbox.imported("--openssl old");
    sandbox
}

#[test]
fn an_expired_previous_certificate_is_in_no_bundle() {
    let sandbox = short_lived_ca();
    let renewed = sandbox.pki_old("--format json ca renew --ca old --days 900");
    let renewed = renewed.succeeds().json();
    assert_eq!(renewed["naming_previous"]["leaves"], 1, "{renewed}");
    let rules_at = |moment: &str| {
        let check = sandbox.pki_at(moment, "--format json check");
        let check = check.env("PKI_PASSPHRASE", OLD).finish();
        check.json()["findings"].to_string()
    };
    let bundled_at = |moment: &str| {
        let bundle = sandbox.pki_at(moment, "--format json bundle --out t.pem");
        let bundle = bundle.succeeds().json();
        bundle["certificates"].as_array().unwrap().len()
    };
    let verified_at = |moment: &str| sandbox.pki_at(moment, "verify a.crt").finish();
    assert_eq!(bundled_at("+1d"), 2);
    assert_eq!(verified_at("+1d").status, Some(0));
    assert!(!rules_at("+1d").contains("issuer-certificate"));
    assert_eq!(bundled_at("+40d"), 1);
    let judged = verified_at("+40d");
    assert_eq!(judged.status, Some(3), "{judged}");
    let findings = rules_at("+40d");
    assert!(findings.contains("issuer-certificate"), "{findings}");
    // An expired certificate is nobody's concern.
    assert!(!rules_at("+400d").contains("issuer-certificate"));
    sandbox.pki_old("revoke --ca old --cn a").succeeds();
    assert!(!rules_at("+40d").contains("issuer-certificate"));
}

/// IAM Roles Anywhere takes two certificates, and a renewed root with a CA below it has three.
#[test]
fn a_target_without_room_gets_the_certificates_in_force() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name inter0 --no-passphrase",
        "ca renew --ca rootCA",
    ] {
        sandbox.pki(line).succeeds();
    }
    let bundle = sandbox.pki("--format json bundle --for roles-anywhere --out t.pem");
    let bundle = bundle.succeeds();
    let report = bundle.json();
    assert_eq!(report["certificates"].as_array().unwrap().len(), 2);
    assert_eq!(
        report["findings"][0]["rule"], "previous-left-out",
        "{bundle}"
    );
    let bundle = sandbox.pki("--format json bundle --for azure --out chains.pem");
    let files = bundle.succeeds().json()["files"].clone();
    assert_eq!(
        files.as_array().unwrap().len(),
        2,
        "a chain, and the root before alone"
    );
}

/// A CA below another one names the certificate of that one's before its renewal.
#[test]
fn a_ca_below_keeps_the_chain_to_the_certificate_that_it_names() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.write("aki.cnf", "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid, issuer:always\n");
    sandbox
        .pki("subordinate --name below --request below.csr --no-passphrase")
        .succeeds();
    sandbox
        .old_ca("-notext -days 900 -extfile aki.cnf -in below.csr -out below.crt")
        .succeeds();
    sandbox.imported("--openssl old");
    let line = "subordinate --name below --install below.crt --chain old/cacert.pem";
    sandbox.pki(line).succeeds();
    let renewed = sandbox.pki_old("--format json ca renew --ca old --days 5000");
    let renewed = renewed.succeeds();
    let naming = &renewed.json()["naming_previous"];
    assert_eq!(
        (&naming["leaves"], &naming["cas"]),
        (&0.into(), &1.into()),
        "{renewed}"
    );
    for line in [
        "issue --ca below --cn a --out out --no-passphrase",
        "bundle --out t.pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    for roots in ["t.pem", "old/cacert.pem"] {
        let line = format!("verify -CAfile {roots} -untrusted out/a.chain.pem out/a.crt");
        sandbox.run("openssl", &line).succeeds();
    }
    sandbox.pki("verify out/a.crt").succeeds();
    let check = sandbox.pki_old("--format json check").finish().json();
    assert!(
        !check["findings"].to_string().contains("ca-path"),
        "{check}"
    );
    // Renewed in its turn, it names no serial number any more.
    sandbox.pki_old("ca renew --ca below").succeeds();
    sandbox.pki_old("ca renew --ca below").succeeds();
    let line = "verify -CAfile pki/old/ca.crt -untrusted pki/below/ca.crt out/a.crt";
    sandbox.run("openssl", line).succeeds();
}

crate::engine::also_in_a_database! {
    a_renewal_is_silent_if_nothing_names_the_old_certificate,
    a_certificate_before_that_was_revoked_is_in_no_bundle,
    a_target_without_room_gets_the_certificates_in_force,
}

crate::engine::soak_in_a_database! {
    openssl_accepts_old_and_new_certificates_by_the_bundle,
    a_renewal_counts_what_names_the_certificate_before, an_expired_previous_certificate_is_in_no_bundle,
    a_ca_below_keeps_the_chain_to_the_certificate_that_it_names,
}
