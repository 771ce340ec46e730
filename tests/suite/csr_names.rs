//! Names that CSRs of devices ask for, and `--csr-names`, which replaces them.

use serde_json::Value;

use crate::run::{Run, assert_same};
use crate::sandbox::{STORE, Sandbox};

impl Sandbox {
    /// `pki issue` of the CSR `csrs/NAME.csr`, whose files get its name.
    fn issue_csr(&self, name: &str, options: &str) -> Run {
        self.pki("issue --ca intermediate0 --out out --force --csr")
            .words(&format!("csrs/{name}.csr --name {name}"))
            .words(options)
    }

    /// The subject of a certificate with the string types of its values, as openssl reads them.
    fn subject_types(&self, name: &str) -> String {
        let options = "-subject -nameopt sep_comma_plus,dn_rev,lname,show_type,utf8";
        let printed = self.openssl_x509(&format!("out/{name}.crt"), options);
        printed.replace("subject=", "").trim().to_owned()
    }

    fn sans(&self, name: &str) -> String {
        let printed = self.openssl_x509(&format!("out/{name}.crt"), "-ext subjectAltName");
        printed.lines().nth(1).unwrap_or_default().trim().to_owned()
    }
}

#[test]
fn subjects_of_devices_keep_their_bytes() {
    let sandbox = Sandbox::with_csrs();
    for (name, attribute) in [
        (
            "unstructured-ia5",
            "unstructuredName=IA5STRING:router@example.test",
        ),
        (
            "unstructured-printable",
            "unstructuredName=PRINTABLESTRING:router.example.test",
        ),
        ("unstructured-utf8", "unstructuredName=UTF8STRING:rüter"),
        (
            "unstructured-address",
            "unstructuredAddress=PRINTABLESTRING:192.0.2.1",
        ),
        ("unknown-ia5", "1.3.6.1.4.1.99999.7=IA5STRING:a@b"),
        ("unknown-numeric", "1.3.6.1.4.1.99999.7=NUMERICSTRING:12 3"),
        ("unknown-empty", "1.3.6.1.4.1.99999.7=PRINTABLESTRING:"),
        ("serial-numeric", "serialNumber=NUMERICSTRING:123 456"),
    ] {
        let name = format!("device-{name}");
        sandbox.issue_csr(&name, "").succeeds();
        let subject = format!("{attribute},organizationName=UTF8STRING:Example");
        assert_same(&sandbox.subject_types(&name), &subject);
        let bytes = |kind: &str, file: &str| {
            let printed = sandbox.run("openssl", &format!("{kind} -noout -subject -nameopt"));
            printed.words(&format!("dump_all,dump_der,sep_comma_plus -in {file}"))
        };
        let asked = bytes("req", &format!("csrs/{name}.csr")).succeeds();
        let issued = bytes("x509", &format!("out/{name}.crt")).succeeds();
        assert_same(&issued.stdout, &asked.stdout);
    }
}

/// Certificates get none of these string types (RFC 5280 section 4.1.2.4).
#[test]
fn old_string_types_are_written_as_new_ones() {
    let sandbox = Sandbox::with_csrs();
    for (name, attribute) in [
        ("unstructured-bmp", "unstructuredName=IA5STRING:rt"),
        ("cn-numeric", "commonName=UTF8STRING:42"),
        ("cn-bmp", "commonName=UTF8STRING:J日"),
        ("cn-universal", "commonName=UTF8STRING:x"),
    ] {
        let name = format!("device-{name}");
        sandbox.issue_csr(&name, "").succeeds();
        let subject = format!("{attribute},organizationName=UTF8STRING:Example");
        assert_same(&sandbox.subject_types(&name), &subject);
    }
}

#[test]
fn a_subject_that_cannot_be_issued_is_named_with_its_reason() {
    let sandbox = Sandbox::with_csrs();
    let of = "caused by: the value of 1.3.6.1.4.1.99999.7";
    for (name, cause) in [
        (
            "unknown-t61",
            format!("{of} has the string type TeletexString, which is not issued"),
        ),
        (
            "unknown-bmp",
            format!("{of} has the string type BMPString, which is not issued"),
        ),
        (
            "unknown-ia5-escape",
            format!("{of} has characters that can't be shown"),
        ),
        (
            "unknown-ia5-not-ascii",
            format!("{of} has characters outside IA5String"),
        ),
        (
            "unknown-numeric-letters",
            format!("{of} has characters outside NumericString"),
        ),
        (
            "serial-numeric-letters",
            "caused by: the value of serialNumber has characters outside NumericString".into(),
        ),
    ] {
        let before = sandbox.store_snapshot();
        let refused = sandbox
            .issue_csr(&format!("device-{name}"), "")
            .ends_with(1);
        let error = format!("error: the subject of csrs/device-{name}.csr can't be used\n{cause}");
        assert!(refused.stderr.starts_with(&error), "{error}\n{refused}");
        let hint = "hint: give another subject with --cn or --subject\n";
        assert!(refused.stderr.ends_with(hint), "{refused}");
        before.assert_unchanged(&sandbox.path(STORE));
        sandbox
            .issue_csr(&format!("device-{name}"), "--cn other")
            .succeeds();
    }
}

/// OpenSSL reads neither such a CSR nor such a certificate.
#[test]
fn a_visible_string_in_a_subject_is_refused_by_name() {
    let sandbox = Sandbox::with_csrs();
    for name in ["device-cn-visible", "device-unknown-visible"] {
        let read = sandbox.run("openssl", &format!("req -noout -in csrs/{name}.csr"));
        assert!(read.finish().status != Some(0), "{name}");
        let refused = sandbox.issue_csr(name, "").ends_with(1);
        let says = "caused by: a value in a name is a VisibleString, which OpenSSL can't read";
        assert!(refused.stderr.contains(says), "{refused}");
    }
}

#[test]
fn extensions_of_every_extension_request_count_together() {
    let sandbox = Sandbox::with_csrs();
    for name in [
        "microsoft",
        "both",
        "two",
        "two-values",
        "no-value",
        "unknown",
    ] {
        let name = format!("asks-{name}");
        let issued = sandbox.issue_csr(&name, "--profile server").succeeds();
        assert_same(&sandbox.sans(&name), "DNS:client, DNS:a.example.test");
        assert!(!issued.stderr.contains("311.2.1.14"), "{issued}");
        let asks_for_usage = ["asks-both", "asks-two", "asks-two-values"].contains(&&*name);
        assert_eq!(
            issued.stderr.contains("keyUsage"),
            asks_for_usage,
            "{issued}"
        );
        let shown = sandbox.pki(&format!("show csrs/{name}.csr")).succeeds();
        assert!(shown.stdout.contains("a.example.test"), "{shown}");
    }
    let ignored = sandbox.issue_csr("asks-unknown", "").succeeds();
    let notice = "asks for 1.3.6.1.4.1.99999.7, challengePassword, 1.3.6.1.4.1.99999.8, which";
    assert!(ignored.stderr.contains(notice), "{ignored}");
}

#[test]
fn an_extension_that_is_asked_for_twice_is_refused_by_name() {
    let sandbox = Sandbox::with_csrs();
    for name in ["same-in-both", "same-in-two-values", "same-in-two"] {
        let run = sandbox.issue_csr(&format!("asks-{name}"), "");
        let refused = format!(
            "error: csrs/asks-{name}.csr is not a certificate signing request (CSR)\n\
             caused by: the extension subjectAltName is in it twice\n"
        );
        sandbox.refused(run, 1, &refused);
    }
}

const ODD_SANS: [(&str, &str); 6] = [
    ("port", "\"dev.example.test:8443\" is not a DNS name: "),
    ("ip-as-dns", "\"10.0.0.7\" is not a DNS name: "),
    ("trailing-dot", "\"a.example.test.\" is not a DNS name: "),
    ("mac", "\"00:11:22:33:44:55\" is not a DNS name: "),
    ("user", "\"john.doe@example.test\" is not a DNS name: "),
    ("no-address", "an IP address has neither 4 nor 16 octets\n"),
];

#[test]
fn an_unusable_san_is_named_and_replaced() {
    let sandbox = Sandbox::with_csrs();
    for (name, cause) in ODD_SANS {
        let name = format!("san-{name}");
        for names in ["", "--csr-names add --cn x --san x.example.test"] {
            let before = sandbox.store_snapshot();
            let refused = sandbox.issue_csr(&name, names).ends_with(1);
            let error =
                format!("error: a SAN of csrs/{name}.csr can't be used\ncaused by: {cause}");
            assert!(refused.stderr.starts_with(&error), "{refused}");
            assert!(
                refused.stderr.contains("hint: --csr-names replace"),
                "{refused}"
            );
            before.assert_unchanged(&sandbox.path(STORE));
        }
        let replace = "--profile server --csr-names replace --san new.example.test";
        let issued = sandbox.issue_csr(&name, replace).succeeds();
        assert!(!issued.stderr.contains("ignored"), "{issued}");
        assert_same(&sandbox.sans(&name), "DNS:new.example.test");
        assert_eq!(sandbox.subject_types(&name), "");
    }
}

/// By default the SANs are those of the CSR and those that are given; a subject that is given replaces
/// that of the CSR.
#[test]
fn names_of_a_csr_are_added_or_replaced() {
    let sandbox = Sandbox::with_csrs();
    let given = "--profile server --subject /O=New/CN=new.example.test --san 192.0.2.1";
    for (options, sans, asks_for_subject) in [
        (
            "",
            "DNS:new.example.test, IP Address:192.0.2.1, DNS:a.example.test",
            true,
        ),
        (
            "--csr-names add",
            "DNS:new.example.test, IP Address:192.0.2.1, DNS:a.example.test",
            true,
        ),
        (
            "--csr-names replace",
            "DNS:new.example.test, IP Address:192.0.2.1",
            false,
        ),
    ] {
        let issued = sandbox.issue_csr("asks-two", &format!("{given} {options}"));
        let issued = issued.succeeds();
        assert_same(&sandbox.sans("asks-two"), sans);
        assert_same(
            &sandbox.subject_types("asks-two"),
            "commonName=UTF8STRING:new.example.test,organizationName=UTF8STRING:New",
        );
        let said = issued.stderr.contains("the subject CN=client,O=Example");
        assert_eq!(said, asks_for_subject, "{issued}");
    }
    // Whose key it is is proved all the same.
    let forged = sandbox.issue_csr("bad-signature", "--csr-names replace --cn x");
    forged.ends_with(1);
}

#[test]
fn names_of_a_csr_are_replaced_by_names() {
    let sandbox = Sandbox::with_csrs();
    for (line, error) in [
        (
            "--csr csrs/plain.csr --csr-names replace",
            "error: --csr-names replace needs names to replace those of the CSR\n\
             hint: give them with --cn, --subject or --san\n",
        ),
        (
            "--cn x --csr-names replace",
            "error: --csr-names is about the names of a CSR, and there is no --csr\n",
        ),
    ] {
        let run = sandbox.pki("issue --ca intermediate0").words(line);
        sandbox.refused(run, 2, error);
    }
    let run = sandbox.pki("issue --ca intermediate0 --cn x --csr csrs/plain.csr --csr-names drop");
    let refused = run.ends_with(2);
    let says = "\"drop\" is none of add and replace";
    assert!(refused.stderr.contains(says), "{refused}");
}

#[test]
fn the_names_of_all_csrs_of_a_table_are_replaced() {
    let sandbox = Sandbox::with_csrs();
    sandbox.write(
        "rows.csv",
        "cn,san,csr,name\n\
         a,,csrs/san-port.csr,a\n\
         ,b.example.test,csrs/bad-names.csr,b\n\
         c,,,c\n",
    );
    let issue = |options: &str| {
        let line = "issue --ca intermediate0 --from rows.csv --out out --no-passphrase";
        sandbox.pki(line).words(options)
    };
    let refused = issue("").ends_with(1);
    let row = "error: rows.csv line 2, column csr: a SAN of csrs/san-port.csr can't be used: ";
    assert!(refused.stderr.contains(row), "{refused}");
    assert!(
        refused.stderr.contains("hint: --csr-names replace"),
        "{refused}"
    );
    issue("--csr-names replace").succeeds();
    for (name, subject, sans) in [
        ("a", "commonName=UTF8STRING:a", ""),
        ("b", "", "DNS:b.example.test"),
        ("c", "commonName=UTF8STRING:c", ""),
    ] {
        assert_eq!(sandbox.subject_types(name), subject);
        let has_sans = sandbox.run("openssl", "x509 -noout -ext subjectAltName -in");
        let has_sans = has_sans.arg(format!("out/{name}.crt")).finish();
        assert!(has_sans.stdout.contains(sans), "{has_sans}");
        assert!(!has_sans.stdout.contains("8443"), "{has_sans}");
    }
    sandbox.write("none.csv", "cn,csr\n,csrs/plain.csr\n");
    let line = "issue --ca intermediate0 --from none.csv --csr-names replace";
    let refused = sandbox.pki(line).ends_with(1);
    assert!(
        refused.stderr.contains("neither a subject nor"),
        "{refused}"
    );
}

#[test]
fn a_declaration_replaces_the_names_of_a_csr() {
    let sandbox = Sandbox::with_csrs();
    let declare = |names: &str| {
        let text = format!(
            "[certificate.printer]\nca = \"intermediate0\"\ncsr = \"csrs/san-port.csr\"\n\
             profile = \"server\"\nout = \"out\"\nsan = [\"printer.example.test\"]\n{names}\n"
        );
        sandbox.write("pki.toml", text);
        sandbox.pki("apply pki.toml")
    };
    let refused = declare("").ends_with(1);
    assert!(
        refused
            .stderr
            .contains("hint: write csr_names = \"replace\""),
        "{refused}"
    );
    declare("csr_names = \"replace\"").succeeds();
    assert_same(
        &sandbox.sans("printer"),
        "DNS:printer, DNS:printer.example.test",
    );
    assert_same(
        &sandbox.subject_types("printer"),
        "commonName=UTF8STRING:printer",
    );
    let again = declare("csr_names = \"replace\"").succeeds();
    assert!(!again.stdout.contains("issued"), "{again}");
    let wrong = declare("csr_names = \"drop\"").ends_with(1);
    assert!(wrong.stderr.contains("none of add and replace"), "{wrong}");
}

#[test]
fn attributes_of_a_subject_are_written_by_their_identifiers() {
    let sandbox = Sandbox::with_open_ca();
    for (subject, expected) in [
        (
            "/1.2.840.113549.1.9.2=router",
            "unstructuredName=IA5STRING:router",
        ),
        (
            "unstructuredName=rüter,O=Example",
            "unstructuredName=UTF8STRING:rüter,organizationName=UTF8STRING:Example",
        ),
        (
            "/UNSTRUCTUREDADDRESS=192.0.2.1",
            "unstructuredAddress=UTF8STRING:192.0.2.1",
        ),
        (
            "CN=x+OID.1.3.6.1.4.1.99999.7=a,O=Example",
            "1.3.6.1.4.1.99999.7=UTF8STRING:a+commonName=UTF8STRING:x,organizationName=UTF8STRING:Example",
        ),
        ("/2.5.4.6=JP", "countryName=PRINTABLESTRING:JP"),
    ] {
        sandbox
            .pki("issue --ca intermediate0 --out out --force --no-passphrase --name x --subject")
            .arg(subject)
            .succeeds();
        let is = sandbox.subject_types("x");
        let (mut is, mut expected): (Vec<&str>, Vec<&str>) = (
            is.split([',', '+']).collect(),
            expected.split([',', '+']).collect(),
        );
        is.sort_unstable();
        expected.sort_unstable();
        assert_eq!(is, expected, "{subject}");
    }
    let listed = sandbox.pki("list --format json").succeeds().json();
    let subjects: Vec<&str> = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["subject"].as_str())
        .collect();
    assert!(
        subjects.contains(&"unstructuredName=router"),
        "{subjects:?}"
    );
}

#[test]
fn attribute_types_that_are_not_known_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    let hint = "hint: write its object identifier, as in /1.2.840.113549.1.9.2=router\n";
    for kind in [
        "deviceName",
        "1",
        "1.",
        "1.99.1",
        "3.1.1",
        "OID.",
        "1.2.x",
        "",
    ] {
        let run = sandbox.pki("issue --ca intermediate0 --subject");
        let error = format!(
            "error: the subject can't be used\n\
             caused by: {kind:?} is not the name of an attribute type that is known here\n{hint}"
        );
        sandbox.refused(run.arg(format!("/O=a/{kind}=b")), 1, &error);
    }
    for (subject, problem) in [
        (
            "/2.5.4.6=Japan",
            "the value of C has more than 2 characters",
        ),
        (
            "/1.3.6.1.4.1.99999.7=a\u{1b}",
            "the value of 1.3.6.1.4.1.99999.7 has characters that can't be shown",
        ),
        (
            "/unstructuredName=",
            "the value of unstructuredName is empty",
        ),
        ("1.3.6.1.4.1.99999.7=#0c0161", "is in the hexadecimal form"),
    ] {
        let run = sandbox
            .pki("issue --ca intermediate0 --subject")
            .arg(subject);
        let refused = run.ends_with(1);
        assert!(refused.stderr.contains(problem), "{refused}");
    }
}

const UNDERSCORE: &str = "a host name has no underscore (RFC 1123)";

#[test]
fn underscores_are_issued_to_clients_and_elsewhere_with_a_notice() {
    let sandbox = Sandbox::with_csrs();
    let issue = |options: &str| {
        let line = "issue --ca intermediate0 --out out --force --no-passphrase --name x";
        sandbox.pki(line).words(options).succeeds()
    };
    for (options, sans) in [
        ("--cn my_host --san my_host", "DNS:my_host"),
        ("--cn x --san _svc.example.test", "DNS:_svc.example.test"),
        ("--cn x --san *.my_zone.test", "DNS:*.my_zone.test"),
        (
            "--cn x --csr csrs/san-underscore.csr",
            "DNS:good.example.test, DNS:my_host.example.test",
        ),
    ] {
        let client = issue(options);
        assert!(!client.stderr.contains(UNDERSCORE), "{client}");
        assert_same(&sandbox.sans("x"), sans);
        for profile in ["server", "peer", "code-signing"] {
            let other = issue(&format!("{options} --profile {profile}"));
            let name = sans.rsplit(':').next().unwrap();
            assert!(other.stderr.contains(UNDERSCORE), "{other}");
            assert!(other.stderr.contains(&format!("dns:{name}")), "{other}");
            assert!(sandbox.sans("x").contains(sans), "{other}");
        }
    }
    // A common name becomes a SAN of a server if it has no other.
    issue("--cn my_host --profile server");
    assert_same(&sandbox.sans("x"), "DNS:my_host");
    let other = issue("--cn my_host --profile server --san www.example.test");
    assert_same(&sandbox.sans("x"), "DNS:www.example.test");
    assert_eq!(other.stderr, "");
    for san in [
        "uri:https://my_host/",
        "email:a@my_host",
        "-_a.test",
        "a_-.test",
        "_",
    ] {
        let run = sandbox
            .pki("issue --ca intermediate0 --cn x")
            .arg(format!("--san={san}"));
        let issued = run.finish().status == Some(0);
        assert_eq!(issued, san == "_", "{san}");
    }
}

/// The same verdict as openssl's, of wildcards too.
#[test]
fn host_names_with_underscores_are_verified_as_openssl_does() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --profile server --cn my_host --out out --no-passphrase")
        .words("--san my_host,_svc.example.test,*.example.test,*.my_zone.test --name x")
        .succeeds();
    sandbox.pki("bundle --out roots.pem").succeeds();
    for (host, is_valid) in [
        ("my_host", true),
        ("MY_HOST", true),
        ("_svc.example.test", true),
        ("svc.example.test", true),
        ("_other.example.test", false),
        ("a_b.example.test", false),
        ("a.my_zone.test", false),
        ("a_b.my_zone.test", false),
        ("my_host2", false),
    ] {
        let ours = sandbox
            .pki("verify out/x.crt --hostname")
            .arg(host)
            .finish();
        assert_eq!(ours.status, Some(if is_valid { 0 } else { 3 }), "{ours}");
        let theirs = sandbox.run("openssl", "verify -CAfile roots.pem -verify_hostname");
        let theirs = theirs.arg(host).arg("out/x.crt").finish();
        assert_eq!(theirs.status == Some(0), is_valid, "{theirs}");
    }
}

#[test]
fn name_constraints_hold_for_names_with_underscores() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("subordinate --ca rootCA --name limited --no-passphrase")
        .words("--permit dns:example.test --permit dns:my_zone.test --exclude dns:_x.example.test")
        .succeeds();
    for (san, is_allowed) in [
        ("my_host.example.test", true),
        ("_svc.my_zone.test", true),
        ("my_host.other.test", false),
        ("_x.example.test", false),
        ("a._x.example.test", false),
        ("my_example.test", false),
    ] {
        let run = sandbox.pki("issue --ca limited --cn x --out out --force --no-passphrase --san");
        let issued = run.arg(san).finish();
        assert_eq!(issued.status == Some(0), is_allowed, "{issued}");
        if is_allowed {
            let verified = sandbox.pki("verify out/x.crt --hostname").arg(san);
            verified.succeeds();
            let verify = "verify -CAfile pki/rootCA/ca.crt -untrusted pki/limited/ca.crt out/x.crt";
            sandbox.run("openssl", verify).succeeds();
        }
    }
}

/// What a table of JSON says of a certificate is what the certificate has.
#[test]
fn the_record_of_a_replaced_name_is_that_of_the_certificate() {
    let sandbox = Sandbox::with_csrs();
    let line = "--csr-names replace --cn x --san my_host --format json";
    let issued: Value = sandbox.issue_csr("san-port", line).succeeds().json();
    assert_eq!(issued["subject"], "CN=x");
    assert_eq!(issued["sans"], serde_json::json!(["dns:my_host"]));
    let record = sandbox.read("pki/intermediate0/issued.jsonl");
    assert!(!record.contains("8443"), "{record}");
}
