//! Exports for those who take their keys in a file of a kind of their own:
//! PKCS #12, Java's key stores, AWS Certificate Manager, Kubernetes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::normalise::normalised;
use crate::run::{Run, Transcript, assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

const KEY_TYPES: [&str; 2] = ["p256", "rsa2048"];

/// A peer certificate for each of [`KEY_TYPES`], called as its key type, and a
/// file with [`PASSPHRASE`].
fn with_peers() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("passphrase", PASSPHRASE);
    for kind in KEY_TYPES {
        sandbox
            .pki("issue --ca intermediate0 --profile peer --san 127.0.0.1")
            .words(&format!("--cn {kind} --key-type {kind}"))
            .succeeds();
    }
    sandbox
}

/// [`with_peers`], and every certificate exported as `DIR/NAME.p12`, the folder
/// being called as the kind.
fn with_p12(kind: &str) -> Sandbox {
    let sandbox = with_peers();
    for name in KEY_TYPES {
        sandbox
            .pki("export --ca intermediate0 --passout file:passphrase")
            .words(&format!("--cn {name} --p12 {kind} --out {kind}"))
            .succeeds();
    }
    sandbox
}

/// Runs a check for both kinds and both key types: the sandbox, the kind, the
/// name, the file.
fn for_each_p12(check: impl Fn(&Sandbox, &str, &str, &str)) {
    for kind in ["modern", "compat"] {
        let sandbox = with_p12(kind);
        for name in KEY_TYPES {
            check(&sandbox, kind, name, &format!("{kind}/{name}.p12"));
        }
    }
}

/// `openssl pkcs12`, with the ciphers of yesterday where the file needs them.
fn openssl(sandbox: &Sandbox, kind: &str, file: &str, passphrase: &str) -> Run {
    let legacy = if kind == "compat" { "-legacy" } else { "" };
    let run = sandbox.run("openssl", &format!("pkcs12 {legacy} -in {file}"));
    run.arg("-passin").arg(format!("pass:{passphrase}"))
}

#[test]
fn openssl_shows_the_algorithms_and_rounds_of_every_part() {
    for_each_p12(|sandbox, kind, _, file| {
        let shown = openssl(sandbox, kind, file, PASSPHRASE).words("-info -noout");
        let shown = shown.succeeds();
        let (mac, cipher) = match kind {
            "modern" => (
                "sha256, Iteration 600000\nMAC length: 32",
                "PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256",
            ),
            _ => (
                "sha1, Iteration 100000\nMAC length: 20",
                "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 100000",
            ),
        };
        assert_same(
            &shown.stderr,
            &format!(
                "MAC: {mac}, salt length: 16\n\
                 PKCS7 Encrypted data: {cipher}\n\
                 Certificate bag\nCertificate bag\nCertificate bag\n\
                 PKCS7 Data\n\
                 Shrouded Keybag: {cipher}\n"
            ),
        );
    });
}

/// Every identifier and number of the file, of the safe in it, and of the
/// contents of the safe that is not encrypted, as they stand there.
#[test]
fn the_structure_is_that_of_rfc_7292_and_holds_nothing_else() {
    for_each_p12(|sandbox, kind, _, file| {
        let (cipher, rounds, mac) = match kind {
            "modern" => (
                "PBES2 PBKDF2 0927C0 hmacWithSHA256 aes-256-cbc",
                "0927C0",
                "sha256",
            ),
            _ => ("pbeWithSHA1And3-KeyTripleDES-CBC 0186A0", "0186A0", "sha1"),
        };
        let (pfx, safe) = parsed(sandbox, file, "");
        assert_eq!(pfx, format!("03 pkcs7-data {mac} {rounds}"), "{file}");
        let (contents, bags) = parsed(sandbox, file, &safe[0]);
        let certificates = format!("pkcs7-encryptedData 00 pkcs7-data {cipher}");
        assert_eq!(contents, format!("{certificates} pkcs7-data"), "{file}");
        // The last string is the safe of the key; those before are salts and vectors.
        let key = format!("{} {}", safe[0], bags.last().unwrap());
        let (bag, _) = parsed(sandbox, file, &key);
        assert_eq!(
            bag,
            format!("pkcs8ShroudedKeyBag {cipher} friendlyName localKeyID"),
            "{file}"
        );
    });
}

/// The OBJECTs and INTEGERs of a DER file, in its order, and the options with
/// which openssl looks into each of its OCTET STRINGs.
#[track_caller]
fn parsed(sandbox: &Sandbox, file: &str, within: &str) -> (String, Vec<String>) {
    let parsed = sandbox
        .run("openssl", "asn1parse -inform DER -in")
        .words(&format!("{file} {within}"))
        .succeeds();
    let (mut values, mut strings) = (Vec::new(), Vec::new());
    for line in parsed.stdout.lines() {
        let Some((place, value)) = line.split_once("prim: ") else {
            continue;
        };
        if value.starts_with("OCTET STRING") {
            let offset = place.trim().split(':').next().unwrap();
            strings.push(format!("-strparse {offset}"));
        } else if value.starts_with("OBJECT") || value.starts_with("INTEGER") {
            values.push(value.split(':').next_back().unwrap().trim().to_owned());
        }
    }
    (values.join(" "), strings)
}

#[test]
fn openssl_finds_key_certificate_and_chain_under_one_name() {
    for_each_p12(|sandbox, kind, name, file| {
        let opened = openssl(sandbox, kind, file, PASSPHRASE).words("-nodes");
        let opened = opened.succeeds().stdout;
        let subjects = opened.lines().filter(|line| line.starts_with("subject="));
        assert_eq!(
            subjects.collect::<Vec<_>>(),
            [
                &*format!("subject=CN = {name}"),
                "subject=CN = intermediate0",
                "subject=CN = rootCA"
            ]
        );
        // The certificate and the key have it, the CAs have not.
        let named = format!("    friendlyName: {name}\n");
        assert_eq!(opened.matches(&named).count(), 2, "{opened}");
        let ids = opened.lines().filter(|line| line.contains("localKeyID"));
        let ids = ids.collect::<Vec<_>>();
        assert_eq!(ids.len(), 2, "{opened}");
        assert_eq!(ids[0], ids[1]);
        sandbox.write("opened.pem", &opened);
        let of_key = sandbox.run("openssl", "pkey -pubout -in opened.pem");
        let of_certificate = sandbox.run("openssl", "x509 -pubkey -noout -in opened.pem");
        assert_eq!(of_key.succeeds().stdout, of_certificate.succeeds().stdout);

        let refused = openssl(sandbox, kind, file, "something else").ends_with(1);
        assert!(refused.stderr.contains("invalid password"), "{refused}");
    });
}

#[test]
fn certtool_takes_the_key_out_and_refuses_another_passphrase() {
    for_each_p12(|sandbox, _, _, file| {
        let open = |passphrase: &str| {
            let run = sandbox.run("certtool", "--p12-info --inder --infile");
            run.arg(file).arg("--password").arg(passphrase)
        };
        let shown = open(PASSPHRASE).succeeds();
        let of = |kind: &str| shown.stdout.matches(kind).count();
        assert_eq!(of("BEGIN CERTIFICATE"), 3, "{shown}");
        sandbox.write("shown.pem", &shown.stdout);
        let key = sandbox.run("certtool", "--key-info --infile shown.pem --password");
        let key = key.arg(PASSPHRASE).succeeds();
        assert!(key.stdout.contains(" PRIVATE KEY-----\n"), "{key}");
        assert!(!key.stdout.contains("ENCRYPTED"), "{key}");
        let refused = open("something else").ends_with(1);
        let mac = "verify_mac: The Message Authentication Code verification failed.\n";
        assert!(refused.stderr.starts_with(mac), "{refused}");
    });
}

#[test]
fn nss_imports_key_and_chain_with_the_passphrase_alone() {
    for_each_p12(|sandbox, _, name, file| {
        fs::create_dir(sandbox.path(format!("nss-{name}"))).unwrap();
        let certutil = |line: &str| {
            sandbox
                .run("certutil", line)
                .words(&format!("-d nss-{name}"))
        };
        certutil("-N --empty-password").succeeds();
        let import = |passphrase: &str| {
            let run = sandbox.run("pk12util", &format!("-d nss-{name} -i {file} -W"));
            run.arg(passphrase)
        };
        let refused = import("something else").finish();
        assert_ne!(refused.status, Some(0), "{refused}");
        assert!(
            refused.stderr.contains("SEC_ERROR_BAD_PASSWORD"),
            "{refused}"
        );
        import(PASSPHRASE).succeeds();
        let listed = certutil("-L").succeeds();
        let mut names = listed.stdout.lines().skip(4).map(str::split_whitespace);
        let first = names.next().unwrap().collect::<Vec<_>>();
        assert_eq!(
            first,
            [name, "u,u,u"],
            "a certificate with its key\n{listed}"
        );
        assert_eq!(
            names.next().unwrap().next(),
            Some("intermediate0"),
            "{listed}"
        );
        assert_eq!(names.next().unwrap().next(), Some("rootCA"), "{listed}");
        assert!(names.next().is_none(), "{listed}");
    });
}

#[test]
fn python_opens_key_and_chain_with_the_passphrase_alone() {
    for_each_p12(|sandbox, _, name, file| {
        let open = |passphrase: &str| {
            let run = sandbox.python("open_p12.py").arg(passphrase);
            run.arg(file).succeeds().stdout
        };
        assert_eq!(
            open(PASSPHRASE),
            format!("{file}: {name}, its key, CN=intermediate0, CN=rootCA\n")
        );
        assert_eq!(open("something else"), format!("{file}: refused\n"));
    });
}

#[test]
fn node_shakes_hands_with_it_and_refuses_another_passphrase() {
    for_each_p12(|sandbox, _, name, file| {
        let shake = |passphrase: &str| {
            let run = sandbox.node("pfx.js").arg(passphrase);
            run.arg("pki/rootCA/ca.crt").arg(file).finish()
        };
        let shaken = shake(PASSPHRASE);
        assert_eq!(
            shaken.stdout,
            format!("{name}, intermediate0, rootCA\n"),
            "{shaken}"
        );
        let refused = shake("something else");
        assert_eq!(refused.status, Some(1), "{refused}");
        assert!(refused.stderr.contains("mac verify failure"), "{refused}");
    });
}

/// `keytool` with a PKCS #12 file.
fn keytool(sandbox: &Sandbox, file: &str, passphrase: &str) -> Transcript {
    let run = sandbox.run("keytool", "-J-Duser.language=en -list -v -keystore");
    let run = run.arg(file).words("-storetype PKCS12 -storepass");
    run.arg(passphrase).finish()
}

/// What keytool says of entries and their chains.
fn entries(listed: &Transcript) -> Vec<&str> {
    let telling = ["Alias name: ", "Entry type: ", "Certificate chain length: "];
    let lines = listed.stdout.lines();
    lines
        .filter(|line| telling.iter().any(|start| line.starts_with(start)))
        .collect()
}

#[test]
fn java_finds_key_and_chain_with_the_passphrase_alone() {
    for_each_p12(|sandbox, _, name, file| {
        let listed = keytool(sandbox, file, PASSPHRASE);
        assert_eq!(
            entries(&listed),
            [
                &*format!("Alias name: {name}"),
                "Entry type: PrivateKeyEntry",
                "Certificate chain length: 3"
            ],
            "{listed}"
        );
    });
    let sandbox = with_p12("modern");
    let refused = keytool(&sandbox, "modern/p256.p12", "something else");
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(
        refused.stdout.contains("password was incorrect"),
        "{refused}"
    );
}

#[test]
fn a_passphrase_of_any_characters_opens_it_but_not_for_java() {
    let sandbox = with_peers();
    let passphrase = "gefährlich 密 🔑";
    sandbox.write("other.pass", passphrase);
    let line = "export --ca intermediate0 --cn p256 --passout file:other.pass --out out";
    for kind in ["modern", "compat"] {
        sandbox
            .pki(line)
            .words(&format!("--force --p12 {kind}"))
            .succeeds();
        openssl(&sandbox, kind, "out/p256.p12", passphrase)
            .words("-noout")
            .succeeds();
        let opened = sandbox.python("open_p12.py").arg(passphrase);
        let opened = opened.arg("out/p256.p12").succeeds();
        assert!(opened.stdout.contains("its key"), "{opened}");
    }
    sandbox
        .pki(line)
        .words("--for java --force --name java")
        .refuses(
            1,
            "target-unsupported",
            expect![[r#"
                error: Java does not accept a passphrase with other characters than the printable ones of ASCII
            "#]],
        );
    assert!(!sandbox.path("out/java.p12").exists());
}

#[track_caller]
fn assert_mode(sandbox: &Sandbox, file: &str, mode: u32) {
    let metadata = fs::metadata(sandbox.path(file)).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
}

/// What an export of `p256` into `out` says, as text and as JSON.
#[track_caller]
fn assert_says(options: &str, says: Expect, files: &Value) {
    let sandbox = with_peers();
    let line = format!("export --ca intermediate0 --cn p256 --out out {options}");
    let said = sandbox.pki(&line).succeeds();
    assert_text(&format!("{}{}", said.stdout, said.stderr), says);
    let names = files.as_object().unwrap().values();
    let mut names = names
        .map(|file| file.as_str().unwrap().to_owned())
        .collect::<Vec<_>>();
    names.sort();
    let written = sandbox.names_in("out").into_iter();
    assert_eq!(
        written
            .map(|name| format!("out/{name}"))
            .collect::<Vec<_>>(),
        names
    );
    for file in &names {
        let open = [".key", ".p12", ".yaml"]
            .iter()
            .any(|end| file.ends_with(end));
        assert_mode(&sandbox, file, if open { 0o600 } else { 0o644 });
    }
    let refused = sandbox.pki(&line).refusal(1, "file-exists");
    assert!(refused.contains(first_of(&said.stdout)), "{refused}");
    let json = sandbox
        .pki(&format!("--format json {line} --force"))
        .succeeds();
    let json = serde_json::from_str::<Value>(&normalised(&json.stdout)).unwrap();
    let expected = serde_json::json!({
        "ca": "intermediate0",
        "serial": "[serial]",
        "subject": "CN=p256",
        "fingerprint_sha256": "[fingerprint]",
        "files": files,
    });
    assert_eq!(json, expected);
}

/// The first file of a report.
fn first_of(stdout: &str) -> &str {
    let line = stdout.lines().nth(1).unwrap();
    line.split_whitespace().last().unwrap()
}

#[test]
fn a_modern_p12_stands_beside_the_usual_files() {
    assert_says(
        "--p12 modern --der --passout file:passphrase",
        expect![[r#"
            exported CN=p256
              crt        out/p256.crt
              chain      out/p256.chain.pem
              fullchain  out/p256.fullchain.pem
              key        out/p256.key
              der        out/p256.der
              p12        out/p256.p12
        "#]],
        &serde_json::json!({
            "crt": "out/p256.crt", "chain": "out/p256.chain.pem",
            "fullchain": "out/p256.fullchain.pem", "key": "out/p256.key",
            "der": "out/p256.der", "p12": "out/p256.p12",
        }),
    );
}

#[test]
fn a_compatible_p12_comes_with_a_notice() {
    assert_says(
        "--p12 compat --passout file:passphrase",
        expect![[r#"
            exported CN=p256
              crt        out/p256.crt
              chain      out/p256.chain.pem
              fullchain  out/p256.fullchain.pem
              key        out/p256.key
              p12        out/p256.p12
            notice: 3DES and SHA-1 in the .p12 file are weaker than --p12 modern: delete the file after the import
        "#]],
        &serde_json::json!({
            "crt": "out/p256.crt", "chain": "out/p256.chain.pem",
            "fullchain": "out/p256.fullchain.pem", "key": "out/p256.key", "p12": "out/p256.p12",
        }),
    );
}

#[test]
fn for_java_there_is_a_key_store_and_nothing_else() {
    assert_says(
        "--for java --passout file:passphrase",
        expect![[r#"
            exported CN=p256
              p12  out/p256.p12
        "#]],
        &serde_json::json!({ "p12": "out/p256.p12" }),
    );
}

#[test]
fn for_java_a_notice_names_keys_that_older_versions_lack() {
    let sandbox = with_peers();
    let mut said = String::new();
    for kind in ["ml-dsa-44", "ml-dsa-87", "p384"] {
        sandbox
            .pki("issue --ca intermediate0 --cn new --key-type")
            .arg(kind)
            .succeeds();
        let exported = sandbox
            .pki("export --ca intermediate0 --cn new --force --for java --out out")
            .words("--passout file:passphrase")
            .succeeds();
        said += &normalised(&exported.stderr);
    }
    assert_text(
        &said,
        expect![[r#"
            notice: Java reads ml-dsa-44 keys since version 24
            notice: 2 certificates have the common name "new"; using the newest valid one: [serial]
            notice: Java reads ml-dsa-87 keys since version 24
            notice: 3 certificates have the common name "new"; using the newest valid one: [serial]
        "#]],
    );
}

#[test]
fn for_kubernetes_there_is_a_manifest_and_nothing_else() {
    assert_says(
        "--for kubernetes --no-passphrase",
        expect![[r#"
            exported CN=p256
              secret  out/p256.secret.yaml
        "#]],
        &serde_json::json!({ "secret": "out/p256.secret.yaml" }),
    );
}

#[test]
fn for_acm_there_are_three_files() {
    assert_says(
        "--for acm --no-passphrase",
        expect![[r#"
            exported CN=p256
              crt    out/p256.crt
              chain  out/p256.chain.pem
              key    out/p256.key
        "#]],
        &serde_json::json!({
            "crt": "out/p256.crt", "chain": "out/p256.chain.pem", "key": "out/p256.key",
        }),
    );
}

#[test]
fn acm_gets_a_small_plain_key_without_trailing_spaces() {
    let sandbox = with_peers();
    let kinds = ["p256", "p384", "rsa2048", "rsa4096"];
    for kind in &kinds[1..] {
        let line = format!("issue --ca intermediate0 --cn of-{kind} --key-type {kind}");
        sandbox.pki(&line).succeeds();
        sandbox
            .pki("export --ca intermediate0 --for acm --no-passphrase --out acm --cn")
            .arg(format!("of-{kind}"))
            .succeeds();
        let key = sandbox.read(format!("acm/of-{kind}.key"));
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{key}");
        assert!(key.len() <= 5_120, "{kind}: {}", key.len());
    }
    for file in sandbox.names_in("acm") {
        let text = sandbox.read(format!("acm/{file}"));
        assert!(
            text.lines()
                .all(|line| line.trim_end() == line && !line.is_empty()),
            "{file}"
        );
    }
    // The chain alone leads from the certificate to the root, which is its last.
    let chain = sandbox.read("acm/of-p384.chain.pem");
    assert_eq!(
        chain,
        sandbox.read("pki/intermediate0/ca.crt") + &sandbox.read("pki/rootCA/ca.crt")
    );
    sandbox
        .run(
            "openssl",
            "verify -CAfile acm/of-p384.chain.pem acm/of-p384.crt",
        )
        .succeeds();
}

/// The manifest as a YAML parser reads it, and its entries as `DIR/ENTRY`.
#[track_caller]
fn manifest(sandbox: &Sandbox, file: &str) -> Value {
    let documents = sandbox
        .python("yaml_to_json.py")
        .arg(file)
        .succeeds()
        .json();
    let documents = documents.as_array().unwrap();
    assert_eq!(documents.len(), 1, "{documents:#?}");
    for (entry, base64) in documents[0]["data"].as_object().unwrap() {
        let decode = sandbox
            .run("openssl", "base64 -d -A")
            .stdin(base64.as_str().unwrap());
        sandbox.write(entry, decode.succeeds().stdout);
    }
    documents[0].clone()
}

#[test]
fn the_secret_is_yaml_and_serves_tls() {
    let sandbox = with_peers();
    sandbox
        .pki("export --ca intermediate0 --cn p256 --for kubernetes --no-passphrase --out out")
        .succeeds();
    let mut secret = manifest(&sandbox, "out/p256.secret.yaml");
    let data = secret.as_object_mut().unwrap().remove("data").unwrap();
    let expected = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "name": "p256" },
    });
    assert_eq!(secret, expected);
    let entries = data.as_object().unwrap().keys().collect::<Vec<_>>();
    assert_eq!(entries, ["ca.crt", "tls.crt", "tls.key"]);

    sandbox
        .pki("export --ca intermediate0 --cn p256 --no-passphrase --out usual")
        .succeeds();
    assert_eq!(sandbox.read("ca.crt"), sandbox.read("pki/rootCA/ca.crt"));
    assert_eq!(
        sandbox.read("tls.crt"),
        sandbox.read("usual/p256.fullchain.pem")
    );
    assert_eq!(sandbox.read("tls.key"), sandbox.read("usual/p256.key"));
}

#[test]
fn a_secret_s_name_is_always_text_and_what_kubernetes_takes() {
    let sandbox = with_peers();
    let export = |name: &str| {
        let line = "export --ca intermediate0 --cn p256 --for kubernetes --no-passphrase --out out";
        sandbox.pki(line).arg("--name").arg(name)
    };
    for (name, expected) in [
        ("12", "12"),
        ("null", "null"),
        ("WWW.Example.test", "www.example.test"),
    ] {
        export(name).succeeds();
        let secret = manifest(&sandbox, &format!("out/{name}.secret.yaml"));
        assert_eq!(secret["metadata"]["name"], expected);
    }
    let mut said = String::new();
    for name in ["a_b", "a+b", "a@b", "a..b", "a.-b", "a-"] {
        said += &export(name).refusal(1, "invalid-secret-name");
    }
    assert_text(
        &said,
        expect![[r#"
            error: "a_b" is not a valid name of a Kubernetes Secret
            hint: give a name of at most 253 lowercase letters, digits, '.' and '-' with --name
            error: "a+b" is not a valid name of a Kubernetes Secret
            hint: give a name of at most 253 lowercase letters, digits, '.' and '-' with --name
            error: "a@b" is not a valid name of a Kubernetes Secret
            hint: give a name of at most 253 lowercase letters, digits, '.' and '-' with --name
            error: "a..b" is not a valid name of a Kubernetes Secret
            hint: give a name of at most 253 lowercase letters, digits, '.' and '-' with --name
            error: "a.-b" is not a valid name of a Kubernetes Secret
            hint: give a name of at most 253 lowercase letters, digits, '.' and '-' with --name
            error: "a-" is not a valid name of a Kubernetes Secret
            hint: give a name of at most 253 lowercase letters, digits, '.' and '-' with --name
        "#]],
    );
    assert_eq!(sandbox.names_in("out").len(), 3);
}

#[test]
fn what_cannot_be_had_is_refused_and_leaves_no_file() {
    let sandbox = with_peers();
    sandbox
        .pki("issue --ca intermediate0 --cn ed25519 --key-type ed25519")
        .succeeds();
    let request = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout a.key -out a.csr -subj";
    sandbox
        .run("openssl", request)
        .arg("/CN=elsewhere")
        .succeeds();
    sandbox
        .pki("issue --ca intermediate0 --csr a.csr")
        .succeeds();
    let mut said = String::new();
    for (options, status, code) in [
        ("--cn p256 --p12 modern --no-passphrase", 2, "usage"),
        ("--cn p256 --p12 compat --no-passphrase", 2, "usage"),
        ("--cn p256 --for java --no-passphrase", 2, "usage"),
        ("--cn p256 --for acm --passout file:passphrase", 2, "usage"),
        ("--cn p256 --for kubernetes", 2, "usage"),
        ("--p12 modern --passout file:passphrase", 2, "usage"),
        ("--cn p256 --for java", 1, "passphrase-required"),
        (
            "--cn ed25519 --for acm --no-passphrase",
            1,
            "target-unsupported",
        ),
        (
            "--cn elsewhere --p12 modern --passout file:passphrase",
            1,
            "key-required",
        ),
        (
            "--cn elsewhere --for kubernetes --no-passphrase",
            1,
            "key-required",
        ),
    ] {
        let run = sandbox
            .pki("export --ca intermediate0 --out out")
            .words(options);
        said += &sandbox.refusal(run, status, code);
        let left = sandbox
            .path("out")
            .exists()
            .then(|| sandbox.names_in("out"));
        assert_eq!(left.unwrap_or_default(), Vec::<String>::new(), "{options}");
    }
    assert_text(
        &said,
        expect![[r#"
            error: --p12 writes a PKCS #12 file, which always has a passphrase
            hint: give one with --passout
            error: --p12 writes a PKCS #12 file, which always has a passphrase
            hint: give one with --passout
            error: --for java writes a PKCS #12 file, which always has a passphrase
            hint: give one with --passout
            error: ACM needs an unencrypted key, which --for acm writes only if asked
            hint: use --no-passphrase, and delete the key file after the import
            error: Kubernetes needs an unencrypted key, which --for kubernetes writes only if asked
            hint: use --no-passphrase, and delete the key file after the import
            error: --p12 and --for write a key; a CA's key is exported only with --key
            error: no passphrase given for the exported key of p256
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout
            error: ACM does not accept keys of type ed25519
            error: its key is not in the store, and PKCS #12 file needs it
            hint: the owner of the key can make it from the key and NAME.fullchain.pem; `pki export --ca NAME --key` exports a CA's key
            error: its key is not in the store, and Secret needs it
            hint: the owner of the key can make it from the key and NAME.fullchain.pem; `pki export --ca NAME --key` exports a CA's key
        "#]],
    );
}

crate::engine::also_in_a_database! {
    a_modern_p12_stands_beside_the_usual_files, a_compatible_p12_comes_with_a_notice,
    for_kubernetes_there_is_a_manifest_and_nothing_else, for_acm_there_are_three_files,
    the_secret_is_yaml_and_serves_tls, a_secret_s_name_is_always_text_and_what_kubernetes_takes,
}

crate::engine::soak_in_a_database! {
    openssl_shows_the_algorithms_and_rounds_of_every_part,
    the_structure_is_that_of_rfc_7292_and_holds_nothing_else,
    openssl_finds_key_certificate_and_chain_under_one_name,
    certtool_takes_the_key_out_and_refuses_another_passphrase,
    nss_imports_key_and_chain_with_the_passphrase_alone, python_opens_key_and_chain_with_the_passphrase_alone,
    node_shakes_hands_with_it_and_refuses_another_passphrase,
    acm_gets_a_small_plain_key_without_trailing_spaces, what_cannot_be_had_is_refused_and_leaves_no_file,
}
