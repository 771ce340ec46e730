//! Subjects of CAs, which no other certificate gets.

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

fn with_cas() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name top --no-passphrase --cn Top_Authority",
        "root --name other --no-passphrase",
        "subordinate --ca top --name inter --no-passphrase",
        "subordinate --name pending --request pending.csr --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// A CSR of openssl, with a key of its own or the one in a file.
fn requests(sandbox: &Sandbox, file: &str, subject: &str, key: &str) {
    let run = sandbox
        .run("openssl", "req -new -utf8 -out")
        .arg(file)
        .arg("-subj")
        .arg(subject);
    let run = match key {
        "" => run.words("-nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout new.key"),
        key => run.words("-key").arg(key),
    };
    run.succeeds();
}

#[track_caller]
fn refuses(sandbox: &Sandbox, line: &str, subject: &str, owner: &str) {
    let before = sandbox.store_snapshot();
    let run = sandbox.pki(line).arg(subject).words("--format json");
    let refused = run.ends_with(1);
    let error = refused.error();
    let is_row = line.ends_with("--from") && error["code"] == "invalid-row";
    assert!(is_row || error["code"] == "subject-of-ca", "{refused}");
    assert!(refused.stderr.contains(owner), "{refused}");
    before.assert_unchanged(&sandbox.path("pki"));
}

#[test]
fn no_leaf_gets_the_subject_of_a_ca() {
    let sandbox = with_cas();
    for (subject, owner) in [
        ("/CN=Top_Authority", "the CA top"),
        ("/CN=top_AUTHORITY", "the CA top"),
        ("/CN=INTER", "the CA inter"),
        ("/CN= inter ", "the CA inter"),
        ("/CN=Other", "the CA other"),
        ("/CN=pending", "the CA pending"),
    ] {
        for ca in ["top", "inter", "other"] {
            refuses(
                &sandbox,
                &format!("issue --ca {ca} --subject"),
                subject,
                owner,
            );
        }
    }
    for subject in ["/CN=inter2", "/O=x/CN=inter", "/OU=inter", "/CN=int er"] {
        sandbox
            .pki("issue --ca other --subject")
            .arg(subject)
            .succeeds();
    }
}

#[test]
fn no_csr_table_or_declaration_gets_the_subject_of_a_ca() {
    let sandbox = with_cas();
    // PrintableString, UTF8String and T61String are one name.
    for (index, mask) in ["default", "utf8only", "pkix"].into_iter().enumerate() {
        let file = format!("{index}.csr");
        sandbox.write(
            "req.cnf",
            format!("[req]\nstring_mask = {mask}\ndistinguished_name = d\n[d]\n"),
        );
        sandbox
            .run(
                "openssl",
                "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
            )
            .words("-config req.cnf -keyout new.key -subj /CN=INTER -out")
            .arg(&file)
            .succeeds();
        refuses(&sandbox, "issue --ca other --csr", &file, "the CA inter");
        refuses(
            &sandbox,
            "subordinate --ca other --csr",
            &file,
            "the CA inter",
        );
    }
    sandbox.write("rows.csv", "cn\nfirst\niNTER\n");
    refuses(
        &sandbox,
        "issue --ca other --from",
        "rows.csv",
        "the CA inter",
    );
    sandbox.write(
        "pki.toml",
        "[certificate.a]\nca = \"other\"\ncn = \"INTER\"\n",
    );
    refuses(&sandbox, "apply", "pki.toml", "the CA inter");
    let mut said = String::new();
    for ca in [
        "[ca.new]\nsubject = \"/CN=INTER\"\n",
        "[ca.new]\n[ca.newer]\nparent = \"new\"\nsubject = \"/CN=New\"\n",
    ] {
        sandbox.write("pki.toml", ca);
        let run = sandbox.pki("apply pki.toml --no-passphrase");
        said += &sandbox.refusal(run, 1, "subject-of-ca");
    }
    assert_text(
        &said,
        expect![[r#"
            error: ca new can't be created
            caused by: the subject CN=INTER belongs to the CA inter
            hint: use another subject
            error: ca newer can't be created
            caused by: the subject CN=New belongs to the CA new
            hint: use another subject
        "#]],
    );
}

#[test]
fn no_new_ca_gets_the_subject_of_another() {
    let sandbox = with_cas();
    for line in [
        "root --name new --no-passphrase --subject",
        "subordinate --ca top --name new --no-passphrase --subject",
        "subordinate --name new --request new.csr --no-passphrase --subject",
        "ca rekey --ca other --name new --no-passphrase --subject",
    ] {
        refuses(&sandbox, line, "/CN=Inter", "the CA inter");
    }
}

#[test]
fn a_foreign_ca_on_record_keeps_its_subject_while_it_is_valid() {
    let sandbox = with_cas();
    requests(&sandbox, "theirs.csr", "/O=Partner/CN=Their CA", "");
    std::fs::rename(sandbox.path("new.key"), sandbox.path("their.key")).unwrap();
    sandbox
        .pki("subordinate --ca top --csr theirs.csr --out theirs.crt")
        .succeeds();
    let owner = |sandbox: &Sandbox| {
        let run = sandbox.run("openssl", "x509 -noout -serial -in theirs.crt");
        let shown = run.succeeds().stdout;
        let serial = shown.trim().trim_start_matches("serial=");
        format!("the CA certificate {serial} of top")
    };
    let owner = owner(&sandbox);
    refuses(
        &sandbox,
        "issue --ca other --subject",
        "/O=PARTNER/CN=their  ca",
        &owner,
    );
    refuses(
        &sandbox,
        "root --name new --no-passphrase --subject",
        "/O=partner/CN=Their CA",
        &owner,
    );
    // Its own key may be certified again, and another when it is revoked.
    requests(&sandbox, "same.csr", "/O=Partner/CN=Their CA", "their.key");
    sandbox
        .pki("subordinate --ca other --csr same.csr --out same.crt")
        .succeeds();
    requests(&sandbox, "new.csr", "/O=Partner/CN=Their CA", "");
    sandbox.pki("subordinate --ca other --csr new.csr").refuses(
        1,
        "subject-of-ca",
        expect![[r#"
            error: the subject CN=Their CA,O=Partner belongs to the CA certificate [serial] of other
            hint: use another subject: --cn or --subject
        "#]],
    );
    sandbox
        .pki("revoke --ca top --cert theirs.crt --reason superseded")
        .succeeds();
    sandbox
        .pki("revoke --ca other --cert same.crt --reason superseded")
        .succeeds();
    sandbox
        .pki("subordinate --ca other --csr new.csr --out new.crt")
        .succeeds();
}

/// Enough is issued behind it for the cache to be written, read, and lost again.
#[test]
fn a_foreign_ca_is_found_behind_many_leaves() {
    let sandbox = with_cas();
    requests(&sandbox, "theirs.csr", "/CN=Their CA", "");
    sandbox
        .pki("subordinate --ca top --csr theirs.csr --out theirs.crt")
        .succeeds();
    let rows: Vec<String> = (0..600).map(|row| format!("row{row}\n")).collect();
    sandbox.write("rows.csv", format!("cn\n{}", rows.concat()));
    sandbox.pki("issue --ca top --from rows.csv").succeeds();
    let refused = |sandbox: &Sandbox| {
        let refused = sandbox
            .pki("issue --ca other --cn")
            .arg("their ca")
            .ends_with(1);
        assert_text(
            &normalised(&refused.stderr),
            expect![[r#"
                error: the subject CN=their ca belongs to the CA certificate [serial] of top
                hint: use another subject: --cn or --subject
            "#]],
        );
    };
    refused(&sandbox);
    let cache = sandbox.path("pki/top/authorities.json");
    assert!(cache.exists());
    // What was issued since is looked at too.
    requests(&sandbox, "more.csr", "/CN=Another CA", "");
    sandbox
        .pki("subordinate --ca top --csr more.csr --out more.crt")
        .succeeds();
    sandbox
        .pki("issue --ca other --cn")
        .arg("another CA")
        .refuses(
            1,
            "subject-of-ca",
            expect![[r#"
                error: the subject CN=another CA belongs to the CA certificate [serial] of top
                hint: use another subject: --cn or --subject
            "#]],
        );
    sandbox.pki("check").succeeds();
    for content in [
        "",
        "{}",
        "{\"covers\":{\"length\":5,\"check\":\"\"},\"records\":[]}",
    ] {
        std::fs::write(&cache, content).unwrap();
        refused(&sandbox);
    }
    std::fs::remove_file(&cache).unwrap();
    refused(&sandbox);
}

#[test]
fn renewals_cross_certificates_and_installs_keep_their_subjects() {
    let sandbox = with_cas();
    for line in [
        "ca renew --ca top",
        "ca renew --ca inter",
        "ca cross-sign --ca top --with other",
        "subordinate --ca top --csr pending.csr --out pending.crt",
        "subordinate --name pending --install pending.crt",
        "ca renew --ca pending --request again.csr",
        "subordinate --ca top --csr again.csr --out again.crt",
        "ca renew --ca pending --install again.crt",
    ] {
        sandbox.pki(line).succeeds();
    }
}

crate::engine::also_in_a_database! {
    no_new_ca_gets_the_subject_of_another, a_foreign_ca_on_record_keeps_its_subject_while_it_is_valid,
    renewals_cross_certificates_and_installs_keep_their_subjects,
}

crate::engine::soak_in_a_database! {
    no_leaf_gets_the_subject_of_a_ca, no_csr_table_or_declaration_gets_the_subject_of_a_ca,
}
