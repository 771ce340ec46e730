//! Passphrases of their own for the CAs of one store, and files that hold them.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

/// A root and an intermediate CA with different passphrases, each in a file.
fn two_passphrases() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("root.pass", "the root's\n");
    sandbox.write("int.pass", "the intermediate's\n");
    sandbox.write("wrong.pass", "nobody's\n");
    sandbox
        .pki("root --name rootCA --passout file:root.pass")
        .succeeds();
    sandbox
        .pki("subordinate --ca rootCA --name intermediate0 --passin file:root.pass --passout file:int.pass")
        .succeeds();
    sandbox
}

fn with(run: Run, variables: &[(&str, &str)]) -> Run {
    let set = |run: Run, (name, value): &(&str, &str)| run.env(name, value);
    variables.iter().fold(run, set)
}

/// Whether openssl opens a key with the passphrase in a file.
fn opens(sandbox: &Sandbox, key: &str, passphrase: &str) -> bool {
    let run = sandbox.run("openssl", "pkey -noout -in").arg(key);
    let run = run.arg("-passin").arg(format!("file:{passphrase}"));
    run.finish().status == Some(0)
}

const BOTH: &str = "--passin rootCA=file:root.pass --passin intermediate0=file:int.pass";

#[test]
fn every_command_opens_each_ca_with_its_own_passphrase() {
    let prepared = two_passphrases();
    prepared
        .pki("issue --ca intermediate0 --cn kept --passin file:int.pass")
        .succeeds();
    prepared.write("rows.csv", "cn,profile\nrow,client\n");
    prepared.write(
        "pki.toml",
        "[ca.rootCA]\n[ca.intermediate0]\nparent = \"rootCA\"\n[certificate.one]\nca = \"rootCA\"\n\
         profile = \"client\"\n[certificate.two]\nca = \"intermediate0\"\nprofile = \"client\"\n",
    );
    for line in [
        "crl --to-pem --chain",
        "crl --ca rootCA --ahead 2 --every 30d",
        "issue --ca intermediate0 --cn new",
        "issue --ca intermediate0 --from rows.csv",
        "subordinate --ca rootCA --name other --no-passphrase",
        "renew --ca intermediate0 --cn kept",
        "ca renew --ca intermediate0",
        "ca renew --ca rootCA",
        "export --ca intermediate0 --cn kept --out out --no-passphrase",
        "export --ca rootCA --key --out out --no-passphrase",
        "check --keys",
        "apply pki.toml",
    ] {
        let sandbox = prepared.copy();
        sandbox.pki(line).words(BOTH).succeeds();
        let sandbox = prepared.copy();
        let variables = [
            ("PKI_PASSPHRASE_FILE_ROOTCA", "root.pass"),
            ("PKI_PASSPHRASE_FILE_INTERMEDIATE0", "int.pass"),
        ];
        with(sandbox.pki(line), &variables).succeeds();
    }
}

/// Each source alone opens the key, and so it does beside wrong ones of those behind it.
#[test]
fn the_source_of_a_ca_goes_before_those_of_all() {
    let sandbox = two_passphrases();
    let line = |right: usize, given: usize| {
        let file = |place: usize| {
            if place == right {
                "int.pass"
            } else {
                "wrong.pass"
            }
        };
        let mut run = sandbox.pki("crl --ca intermediate0");
        if given == 0 {
            let source = format!("intermediate0=file:{}", file(0));
            run = run.arg("--passin").arg(source);
        }
        if given <= 1 {
            run = run.env("PKI_PASSPHRASE_FILE_INTERMEDIATE0", file(1));
        }
        if given <= 2 {
            run = run.arg("--passin").arg(format!("file:{}", file(2)));
        }
        run.env("PKI_PASSPHRASE_FILE", file(3))
    };
    for place in 0..4 {
        line(place, place).succeeds();
        if place < 3 {
            line(place + 1, place).refuses(1, "passphrase-wrong", expect![[r#"
                error: key ./pki/intermediate0/ca.key cannot be used
                caused by: the passphrase is wrong
                hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
            "#]]);
        }
    }
}

#[test]
fn an_option_for_another_ca_opens_nothing_here() {
    let sandbox = two_passphrases();
    sandbox.refused(
        sandbox.pki("issue --ca rootCA --cn x --passin intermediate0=file:root.pass"),
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE; for one CA alone with --passin NAME=SRC or PKI_PASSPHRASE_FILE_NAME
        "#]],
    );
}

#[test]
fn an_equals_sign_may_be_part_of_a_source() {
    let sandbox = two_passphrases();
    fs::copy(sandbox.path("root.pass"), sandbox.path("rootCA=b")).unwrap();
    let absolute = sandbox.path("rootCA=b").display().to_string();
    for source in [
        "file:rootCA=b".to_owned(),
        format!("file:{absolute}"),
        format!("rootCA=file:{absolute}"),
        "pass:the root's".to_owned(),
    ] {
        let run = sandbox.pki("crl --ca rootCA --passin").arg(source);
        run.succeeds();
    }
    sandbox
        .pki("root --name other --passout pass:a=b")
        .succeeds();
    sandbox.pki("crl --ca other --passin pass:a=b").succeeds();
}

#[test]
fn a_name_that_is_no_ca_is_refused() {
    let sandbox = two_passphrases();
    sandbox.refused(
        sandbox.pki("crl --passin rootCa=file:root.pass --passin file:int.pass"),
        1,
        "ca-not-found",
        expect![[r#"
            error: CA rootCa not found in the store
            hint: the store has intermediate0, rootCA
        "#]],
    );
    // Not even one that the command makes, as its new key is not opened.
    sandbox.refused(
        sandbox
            .pki("subordinate --ca rootCA --name new --no-passphrase --passin new=file:root.pass"),
        1,
        "ca-not-found",
        expect![[r#"
            error: CA new not found in the store
            hint: the store has intermediate0, rootCA
        "#]],
    );
}

#[test]
fn a_source_may_be_given_once_for_each_ca() {
    let sandbox = two_passphrases();
    let mut said = String::new();
    for options in [
        "--passin file:root.pass --passin stdin",
        "--passin rootCA=file:root.pass --passin stdin --passin rootCA=stdin",
    ] {
        said += &sandbox.pki("crl").words(options).refusal(2, "usage");
    }
    assert_text(
        &said,
        expect![[r#"
            error: --passin is given twice without a CA's name
            hint: --passin NAME=SRC gives the passphrase of one CA
            error: --passin is given twice for rootCA
            hint: --passin NAME=SRC gives the passphrase of one CA
        "#]],
    );
}

#[test]
fn a_value_that_may_be_a_passphrase_is_not_repeated() {
    let sandbox = two_passphrases();
    for value in [
        "hunter2",
        "hunter2=hunter2",
        "hunter2=",
        "hunter2 x=file:root.pass",
        "hunter2=fd:hunter2",
        "=hunter2",
    ] {
        let refused = sandbox.pki("crl --passin").arg(value).ends_with(2);
        assert!(!refused.stderr.contains("hunter2"), "{value}: {refused}");
    }
}

#[test]
fn a_variable_that_two_cas_have_is_refused_and_names_both() {
    let sandbox = two_passphrases();
    for name in ["web-1", "web.1", "web1"] {
        let run = sandbox.pki("root --no-passphrase --name").arg(name);
        run.succeeds();
    }
    for name in ["web-1", "web.1"] {
        let key = format!("pki/{name}/ca.key");
        let run = sandbox.run("openssl", "pkcs8 -topk8 -passout file:root.pass -in");
        run.arg(&key).arg("-out").arg("new.key").succeeds();
        fs::rename(sandbox.path("new.key"), sandbox.path(&key)).unwrap();
    }
    let variable = "PKI_PASSPHRASE_FILE_WEB_1";
    let run = |line: &str| sandbox.pki(line).env(variable, "root.pass");
    let mut said = String::new();
    for name in ["web-1", "web.1"] {
        let issue = run("issue --cn x --ca").arg(name);
        said += &sandbox.refusal(issue, 1, "passphrase-required");
        let named = format!("{name}=file:root.pass");
        run("crl --passin")
            .arg(named)
            .arg("--ca")
            .arg(name)
            .succeeds();
        // A variable that is empty is not set.
        let unset = sandbox.pki("crl --passin file:root.pass").env(variable, "");
        unset.arg("--ca").arg(name).succeeds();
    }
    assert_text(
        &said,
        expect![[r#"
            error: no passphrase given for the key of web-1
            caused by: the variable PKI_PASSPHRASE_FILE_WEB_1 fits several CAs: web-1, web.1
            hint: unset it, and give the passphrase of each with --passin NAME=SRC
            error: no passphrase given for the key of web.1
            caused by: the variable PKI_PASSPHRASE_FILE_WEB_1 fits several CAs: web-1, web.1
            hint: unset it, and give the passphrase of each with --passin NAME=SRC
        "#]],
    );
    // Of the others it is none.
    run("crl --ca web1").succeeds();
    run("crl --ca rootCA --passin file:root.pass").succeeds();
    let refused = run("root --name WEB_1").ends_with(1);
    assert!(refused.stderr.contains("WEB_1"), "{refused}");
    assert!(!sandbox.path("pki/WEB_1").exists());
}

#[test]
fn a_new_ca_takes_its_own_variable() {
    let sandbox = two_passphrases();
    let variables = [
        ("PKI_PASSPHRASE_FILE_ROOTCA", "root.pass"),
        ("PKI_PASSPHRASE_FILE_A_B_2", "int.pass"),
        ("PKI_PASSPHRASE_FILE", "wrong.pass"),
    ];
    with(
        sandbox.pki("subordinate --ca rootCA --name a.b-2"),
        &variables,
    )
    .succeeds();
    assert!(opens(&sandbox, "pki/a.b-2/ca.key", "int.pass"));
    with(sandbox.pki("crl --ca a.b-2"), &variables).succeeds();
    let given = "subordinate --ca rootCA --name a-b.2 --passout file:root.pass";
    with(sandbox.pki(given), &variables).succeeds();
    assert!(opens(&sandbox, "pki/a-b.2/ca.key", "root.pass"));
    // Keys that leave the store take no variable.
    let export = "issue --ca rootCA --cn leaf --out out";
    let refused = with(sandbox.pki(export), &variables).ends_with(1);
    assert!(refused.stderr.contains("--passout"), "{refused}");
}

#[test]
fn apply_and_import_take_options_for_cas_that_they_make() {
    let sandbox = two_passphrases();
    sandbox.write("pki.toml", "[ca.first]\n[ca.second]\nparent = \"first\"\n");
    let made = "--store new apply pki.toml --passout file:root.pass --passin first=file:root.pass";
    sandbox.pki(made).succeeds();
    sandbox
        .pki("--store other apply pki.toml --passout file:root.pass --passin third=stdin")
        .refuses(
            1,
            "ca-not-found",
            expect![[r#"
                error: CA third not found in the store
                hint: create one with `pki --store other root --name NAME`
            "#]],
        );
    assert!(!sandbox.path("other").exists());

    sandbox
        .run(
            "openssl",
            "req -x509 -newkey rsa:2048 -subj /CN=old -days 30 -passout file:int.pass",
        )
        .words("-addext keyUsage=critical,keyCertSign,cRLSign -keyout cakey.pem -out cacert.pem")
        .succeeds();
    fs::create_dir_all(sandbox.path("old/private")).unwrap();
    fs::rename(
        sandbox.path("cakey.pem"),
        sandbox.path("old/private/cakey.pem"),
    )
    .unwrap();
    fs::rename(sandbox.path("cacert.pem"), sandbox.path("old/cacert.pem")).unwrap();
    sandbox.write("old/index.txt", "");
    sandbox.write("old/serial", "01\n");
    sandbox
        .pki("import --openssl old --name old --passin old=file:int.pass --passin file:wrong.pass")
        .succeeds();
    assert!(opens(&sandbox, "pki/old/ca.key", "int.pass"));
}

/// Lines are in the order of the options, whichever key is opened first.
#[test]
fn lines_of_one_descriptor_are_in_the_order_of_the_options() {
    let sandbox = two_passphrases();
    for (lines, options) in [
        (
            "the root's\nthe intermediate's\n",
            "--passin rootCA=stdin --passin intermediate0=stdin",
        ),
        (
            "the intermediate's\nthe root's\n",
            "--passin intermediate0=stdin --passin rootCA=fd:0",
        ),
        (
            "the intermediate's\nthe root's\n",
            "--passin stdin --passin rootCA=stdin",
        ),
    ] {
        sandbox.pki("crl").words(options).stdin(lines).succeeds();
    }
    // That of --passout is behind them, and unused lines are passed over.
    sandbox
        .pki("issue --ca intermediate0 --cn leaf --out out --passout stdin")
        .words("--passin rootCA=stdin --passin intermediate0=stdin")
        .stdin("the root's\nthe intermediate's\nthe leaf's\n")
        .succeeds();
    sandbox.write("leaf.pass", "the leaf's\n");
    assert!(opens(&sandbox, "out/leaf.key", "leaf.pass"));
}

#[test]
fn check_opens_the_keys_whose_passphrase_is_given() {
    let sandbox = two_passphrases();
    let keys = |options: &str, variables: &[(&str, &str)]| {
        let run = sandbox.pki("--format json check").words(options);
        with(run, variables).succeeds().json()["keys"].as_u64()
    };
    assert_eq!(keys("", &[]), Some(0));
    assert_eq!(keys("--passin rootCA=file:root.pass", &[]), Some(1));
    assert_eq!(
        keys("", &[("PKI_PASSPHRASE_FILE_ROOTCA", "root.pass")]),
        Some(1)
    );
    assert_eq!(keys(BOTH, &[]), Some(2));
    let lacking = "check --keys --passin rootCA=file:root.pass";
    let refused = sandbox.pki(lacking).ends_with(1);
    assert!(refused.stderr.contains("intermediate0"), "{refused}");
}

/// UTF-16 as Windows writes it, with a byte order mark and without, in both orders.
fn utf16(text: &str, mark: bool, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some('\u{feff}');
    let text: String = mark.into_iter().chain(text.chars()).collect();
    text.encode_utf16().flat_map(order).collect()
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_passphrase() {
    let sandbox = two_passphrases();
    let marked = "\u{feff}the root's";
    let mut said = String::new();
    for (name, content) in [
        ("bom.pass", marked.to_owned()),
        ("windows.pass", format!("{marked}\r\nmore\r\n")),
    ] {
        sandbox.write(name, content);
        let run = sandbox.pki("crl --ca rootCA --passin");
        let signed = run.arg(format!("file:{name}")).succeeds();
        said += &signed.stderr;
    }
    assert_text(
        &said,
        expect![[r#"
            notice: the file bom.pass begins with a byte order mark (BOM), which is not part of the passphrase
            notice: the file windows.pass begins with a byte order mark (BOM), which is not part of the passphrase
        "#]],
    );
    let run = sandbox.pki("crl --ca rootCA --passin stdin");
    run.stdin(marked).succeeds();
    sandbox
        .pki("root --name other --passout file:windows.pass")
        .succeeds();
    assert!(opens(&sandbox, "pki/other/ca.key", "root.pass"));
    sandbox.write("nothing.pass", "\u{feff}\r\n");
    let refused = sandbox.pki("crl --ca rootCA --passin file:nothing.pass");
    refused.refuses(1, "passphrase-required", expect![[r#"
        notice: the file nothing.pass begins with a byte order mark (BOM), which is not part of the passphrase
        error: no passphrase given for the key of rootCA
        caused by: the passphrase of the file nothing.pass is empty
    "#]]);
}

#[test]
fn a_passphrase_file_in_utf_16_is_refused_by_that_name() {
    let sandbox = two_passphrases();
    let before: Snapshot = sandbox.store_snapshot();
    let mut said = BTreeSet::new();
    for (mark, order) in [
        (true, u16::to_le_bytes as fn(u16) -> [u8; 2]),
        (true, u16::to_be_bytes),
        (false, u16::to_le_bytes),
        (false, u16::to_be_bytes),
    ] {
        sandbox.write("u16.pass", utf16("the root's\r\n", mark, order));
        for option in [
            "issue --ca rootCA --cn x --passin",
            "root --name other --passout",
        ] {
            let run = sandbox.pki(option).arg("file:u16.pass");
            said.insert(run.refusal(1, "passphrase-required"));
        }
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: no passphrase given for the key of rootCA
            caused by: the file u16.pass can't be read: it is UTF-16: save it as UTF-8
            error: no passphrase given for the key of rootCA
            caused by: the passphrase of the file u16.pass contains a NUL
            hint: save the file as UTF-8
            error: no passphrase given for the new key of other
            caused by: the file u16.pass can't be read: it is UTF-16: save it as UTF-8
            error: no passphrase given for the new key of other
            caused by: the passphrase of the file u16.pass contains a NUL
            hint: save the file as UTF-8
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

crate::engine::also_in_a_database! {
    the_source_of_a_ca_goes_before_those_of_all, an_option_for_another_ca_opens_nothing_here,
    an_equals_sign_may_be_part_of_a_source, a_name_that_is_no_ca_is_refused,
    a_source_may_be_given_once_for_each_ca, a_value_that_may_be_a_passphrase_is_not_repeated,
    a_new_ca_takes_its_own_variable, apply_and_import_take_options_for_cas_that_they_make,
    lines_of_one_descriptor_are_in_the_order_of_the_options, check_opens_the_keys_whose_passphrase_is_given,
    a_byte_order_mark_is_no_part_of_a_passphrase, a_passphrase_file_in_utf_16_is_refused_by_that_name,
}

crate::engine::soak_in_a_database! {
    every_command_opens_each_ca_with_its_own_passphrase,
}
