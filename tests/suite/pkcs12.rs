//! PKCS #12 files of other programs, read by show, import, bundle and verify.

use expect_test::expect;
use serde_json::Value;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// `a` under `intermediate0`, its files, and its passphrase in `passphrase`.
fn with_leaf() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn a --out . --no-passphrase")
        .succeeds();
    sandbox.write("passphrase", "a secret\n");
    sandbox
}

/// Makes `NAME.p12` of the key, the certificate and its chain.
fn export(sandbox: &Sandbox, name: &str, options: &str) {
    sandbox
        .run(
            "openssl",
            "pkcs12 -export -in a.crt -inkey a.key -certfile a.chain.pem",
        )
        .words(&format!(
            "-name alias -passout file:passphrase -out {name}.p12 {options}"
        ))
        .succeeds();
}

fn show(sandbox: &Sandbox, file: &str) -> Run {
    sandbox
        .pki("--format json show --no-input --passin file:passphrase")
        .arg(file)
}

/// Properties of a file, and the types of its contents.
fn summary(shown: &Value) -> String {
    let all = shown.as_array().unwrap();
    let file = &all[0];
    let kinds: Vec<&str> = all[1..]
        .iter()
        .map(|one| one["type"].as_str().unwrap())
        .collect();
    format!(
        "mac {}, passphrase {}, {}",
        file["mac"],
        file["passphrase"],
        kinds.join(", ")
    )
}

#[test]
fn every_supported_encryption_is_opened() {
    let sandbox = with_leaf();
    for cipher in [
        "AES-256-CBC",
        "AES-192-CBC",
        "AES-128-CBC",
        "DES-EDE3-CBC",
        "PBE-SHA1-3DES",
        "PBE-SHA1-2DES",
        "PBE-SHA1-RC2-40",
        "PBE-SHA1-RC2-128",
        "PBE-MD5-DES",
    ] {
        let options = format!("-legacy -certpbe {cipher} -keypbe {cipher}");
        export(&sandbox, cipher, &options);
        let shown = show(&sandbox, &format!("{cipher}.p12")).succeeds();
        assert_eq!(
            summary(&shown.json()),
            "mac true, passphrase \"given\", certificate, certificate, certificate, private_key",
            "{cipher}"
        );
        assert_eq!(shown.json()[1]["alias"], "alias");
        assert_eq!(
            shown.json()[1]["subject_public_key_info"],
            shown.json()[4]["subject_public_key_info"]
        );
    }
    for mac in ["sha1", "sha256", "sha384", "sha512"] {
        export(&sandbox, mac, &format!("-macalg {mac}"));
        show(&sandbox, &format!("{mac}.p12")).succeeds();
    }
    export(&sandbox, "rc4", "-legacy -certpbe PBE-SHA1-RC4-128");
    sandbox.refused(
        sandbox.pki("show rc4.p12 --passin file:passphrase"),
        1,
        "key-encryption-unsupported",
        expect![[r#"
            error: rc4.p12 is not a PKCS #12 file that can be opened
            caused by: its encryption is not supported: it is pbeWithSHAAnd128BitRC4
            hint: write a new one with `keytool -importkeystore` or `openssl pkcs12`
        "#]],
    );
}

#[test]
fn a_missing_mac_is_reported_and_plain_parts_need_no_passphrase() {
    let sandbox = with_leaf();
    let mut said = String::new();
    for (name, options) in [
        ("no-mac", "-nomac"),
        ("plain-certificates", "-nomac -certpbe NONE"),
        ("plain", "-nomac -certpbe NONE -keypbe NONE"),
    ] {
        export(&sandbox, name, options);
        let shown = show(&sandbox, &format!("{name}.p12")).succeeds();
        said += &shown.text_of_stderr();
        said += &summary(&shown.json());
        said += "\n";
    }
    assert_text(
        &said,
        expect![[r#"
        warning: no-mac.p12 has no MAC: changes to it go unnoticed
        mac false, passphrase "given", certificate, certificate, certificate, private_key
        warning: plain-certificates.p12 has no MAC: changes to it go unnoticed
        mac false, passphrase "given", certificate, certificate, certificate, private_key
        warning: plain.p12 has no MAC: changes to it go unnoticed
        mac false, passphrase "none", certificate, certificate, certificate, private_key
    "#]],
    );
    // Nothing is asked for where nothing is encrypted.
    sandbox.pki("show --no-input plain.p12").succeeds();
    export(&sandbox, "mac", "");
    sandbox.refused(
        sandbox.pki("show --no-input mac.p12"),
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the PKCS #12 file mac.p12
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE
        "#]],
    );
    sandbox.write("passphrase", "another\n");
    sandbox.refused(
        sandbox.pki("show mac.p12 --passin file:passphrase"),
        1,
        "passphrase-wrong",
        expect![[r#"
            error: mac.p12 is not a PKCS #12 file that can be opened
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE
        "#]],
    );
    sandbox.refused(
        sandbox.pki("show plain-certificates.p12 --passin file:passphrase"),
        1,
        "passphrase-wrong",
        expect![[r#"
            warning: plain-certificates.p12 has no MAC: changes to it go unnoticed
            error: plain-certificates.p12 is not a PKCS #12 file that can be opened
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE
        "#]],
    );
}

#[test]
fn a_ca_from_a_file_without_a_mac_is_a_finding() {
    let sandbox = with_leaf();
    sandbox
        .run("openssl", "pkcs12 -export -nomac -out root.p12")
        .words("-in pki/rootCA/ca.crt -inkey pki/rootCA/ca.key -passout file:passphrase")
        .succeeds();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let imported = sandbox
        .pki("--store new --format json import --openssl empty --name root")
        .words("--cert root.p12 --key root.p12 --passin file:passphrase")
        .succeeds()
        .json();
    let findings = imported["findings"].as_array().unwrap().iter();
    let rules: Vec<&Value> = findings.map(|finding| &finding["rule"]).collect();
    assert_eq!(rules, ["mac-missing", "index-missing", "serial-missing"]);
}

#[test]
fn files_beyond_the_limits_are_refused() {
    let sandbox = with_leaf();
    let certificate = sandbox.read("a.crt");
    for count in [4096, 4097, 30_000] {
        sandbox.write("many.pem", certificate.repeat(count));
        sandbox
            .run("openssl", "pkcs12 -export -nokeys -in many.pem")
            .words("-passout file:passphrase -out many.p12")
            .succeeds();
        let shown = show(&sandbox, "many.p12").finish();
        assert_eq!(shown.status, Some(i32::from(count > 4096)), "{count}");
        if count > 4096 {
            assert_eq!(shown.error()["code"], "invalid-key");
        }
    }
}

/// GnuTLS writes both forms of an empty passphrase: a BMPString with its NUL alone, and nothing.
#[test]
fn both_forms_of_an_empty_passphrase_are_opened_without_asking() {
    let sandbox = with_leaf();
    for form in ["empty", "null"] {
        sandbox
            .run(
                "certtool",
                "--to-p12 --outder --load-certificate a.crt --load-privkey a.key",
            )
            .words(&format!(
                "--p12-name a --{form}-password --outfile {form}.p12"
            ))
            .succeeds();
        let shown = sandbox
            .pki("--format json show --no-input")
            .arg(format!("{form}.p12"));
        assert_eq!(
            summary(&shown.succeeds().json()),
            "mac true, passphrase \"empty\", certificate, private_key",
            "{form}"
        );
    }
}

/// keytool makes a store with two CAs, each with its key.
#[test]
fn one_of_several_keys_is_imported_and_all_are_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("passphrase", "a secret\n");
    for (name, days) in [("one", 100), ("two", 200)] {
        sandbox
            .run("keytool", "-genkeypair -keystore both.p12 -storetype PKCS12 -keyalg EC")
            .words("-groupname secp256r1 -ext bc:c -ext ku:c=keyCertSign,cRLSign -storepass:file passphrase")
            .words(&format!("-alias {name} -dname CN={name} -validity {days}"))
            .succeeds();
    }
    let shown = show(&sandbox, "both.p12").succeeds().json();
    let aliases: Vec<&Value> = shown.as_array().unwrap()[1..]
        .iter()
        .map(|one| &one["alias"])
        .collect();
    assert_eq!(shown[0]["keys"], 2);
    assert_eq!(aliases.len(), 4, "{shown}");
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let imported = sandbox
        .pki("--format json import --openssl empty --name two --cert both.p12 --key both.p12")
        .words("--passin file:passphrase")
        .succeeds();
    let subject = imported.json()["subject"].clone();
    assert!(["CN=one", "CN=two"].contains(&subject.as_str().unwrap()));
    // Its keys stay under the passphrase of the file.
    sandbox
        .pki("issue --ca two --cn a --passin file:passphrase")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "pkey -noout -check -in pki/two/ca.key -passin file:passphrase",
        )
        .succeeds();
}

#[test]
fn a_ca_comes_from_pkcs12_with_its_key() {
    let sandbox = with_leaf();
    sandbox
        .run(
            "openssl",
            "pkcs12 -export -in pki/rootCA/ca.crt -inkey pki/rootCA/ca.key",
        )
        .words("-out root.p12 -passout file:passphrase")
        .succeeds();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let import = "--store new import --openssl empty --name root --cert root.p12 --key root.p12";
    sandbox
        .pki(import)
        .words("--passin file:passphrase")
        .succeeds();
    let both = ["new/root", "pki/rootCA"].map(|ca| sandbox.read(format!("{ca}/ca.crt")));
    assert_eq!(both[0], both[1]);
    let key = sandbox.read("new/root/ca.key");
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    // A file without a key.
    sandbox
        .run(
            "openssl",
            "pkcs12 -export -nokeys -in pki/rootCA/ca.crt -out no-key.p12",
        )
        .words("-passout file:passphrase")
        .succeeds();
    sandbox.refused(
        sandbox
            .pki("--store other import --openssl empty --name root --cert no-key.p12 --key no-key.p12")
            .words("--passin file:passphrase"),
        1,
        "ca-key-mismatch",
        expect![[r#"
            error: the key no-key.p12 does not match the certificate no-key.p12
            hint: give the matching ones with --cert, and --key or --key-uri
        "#]],
    );
}

#[test]
fn bundle_adds_and_verify_trusts_the_certificates_of_a_file() {
    let sandbox = with_leaf();
    sandbox
        .run(
            "openssl",
            "pkcs12 -export -nokeys -in a.chain.pem -out cas.p12 -passout file:passphrase",
        )
        .succeeds();
    sandbox.pki("bundle --out all.pem").succeeds();
    sandbox
        .pki("--store other root --name other --no-passphrase")
        .succeeds();
    sandbox
        .pki(
            "--store other bundle --ca other --add cas.p12 --passin file:passphrase --out more.pem",
        )
        .succeeds();
    let more = sandbox.read("more.pem");
    let all = sandbox.read("all.pem");
    for certificate in all.split_inclusive("-----END CERTIFICATE-----\n") {
        assert!(more.contains(certificate));
    }
    export(&sandbox, "a", "");
    let verify = "verify a.p12 --bundle cas.p12 --purpose client --passin file:passphrase";
    sandbox.pki(verify).succeeds();
    sandbox.pki("revoke --ca intermediate0 --cn a").succeeds();
    sandbox.pki(verify).ends_with(3);
    sandbox.refused(
        sandbox.pki("bundle --add a.p12 --passin file:passphrase --out x.pem"),
        1,
        "not-a-ca-certificate",
        expect![[r#"
            error: a.p12 can't be added to a bundle
            caused by: its certificate CN=a is not a CA certificate
            hint: a bundle contains only CA certificates; remove it
        "#]],
    );
    sandbox.refused(
        sandbox.pki("bundle --passin file:passphrase --out x.pem"),
        2,
        "usage",
        expect![[r#"
            error: --passin needs --add, or --check with --for java
        "#]],
    );
}

crate::engine::also_in_a_database! {
    every_supported_encryption_is_opened, a_missing_mac_is_reported_and_plain_parts_need_no_passphrase,
    a_ca_from_a_file_without_a_mac_is_a_finding, both_forms_of_an_empty_passphrase_are_opened_without_asking,
    a_ca_comes_from_pkcs12_with_its_key, bundle_adds_and_verify_trusts_the_certificates_of_a_file,
}

crate::engine::soak_in_a_database! {
    files_beyond_the_limits_are_refused, one_of_several_keys_is_imported_and_all_are_shown,
}
