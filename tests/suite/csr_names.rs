//! Names that CSRs of devices ask for, and `--csr-names`, which replaces them.

use expect_test::expect;
use serde_json::Value;

use crate::normalise::normalised;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::Sandbox;

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
    let mut said = String::new();
    for name in [
        "unknown-t61",
        "unknown-bmp",
        "unknown-ia5-escape",
        "unknown-ia5-not-ascii",
        "unknown-numeric-letters",
        "serial-numeric-letters",
    ] {
        let run = sandbox.issue_csr(&format!("device-{name}"), "");
        said += &sandbox.refusal(run, 1, "invalid-subject");
        sandbox
            .issue_csr(&format!("device-{name}"), "--cn other")
            .succeeds();
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid subject in csrs/device-unknown-t61.csr
            caused by: the value of 1.3.6.1.4.1.99999.7 has the string type TeletexString, which is not issued: "router"
            hint: give another subject with --cn or --subject
            error: invalid subject in csrs/device-unknown-bmp.csr
            caused by: the value of 1.3.6.1.4.1.99999.7 has the string type BMPString, which is not issued: "r"
            hint: give another subject with --cn or --subject
            error: invalid subject in csrs/device-unknown-ia5-escape.csr
            caused by: the value of 1.3.6.1.4.1.99999.7 has unprintable characters: "\u{1b}[2J"
            hint: give another subject with --cn or --subject
            error: invalid subject in csrs/device-unknown-ia5-not-ascii.csr
            caused by: the value of 1.3.6.1.4.1.99999.7 has characters that IA5String does not allow: "ü"
            hint: give another subject with --cn or --subject
            error: invalid subject in csrs/device-unknown-numeric-letters.csr
            caused by: the value of 1.3.6.1.4.1.99999.7 has characters that NumericString does not allow: "12a"
            hint: give another subject with --cn or --subject
            error: invalid subject in csrs/device-serial-numeric-letters.csr
            caused by: the value of serialNumber has characters that NumericString does not allow: "12a"
            hint: give another subject with --cn or --subject
        "#]],
    );
}

/// OpenSSL reads neither such a CSR nor such a certificate.
#[test]
fn a_visible_string_in_a_subject_is_refused_by_name() {
    let sandbox = Sandbox::with_csrs();
    let mut said = String::new();
    for name in ["device-cn-visible", "device-unknown-visible"] {
        let read = sandbox.run("openssl", &format!("req -noout -in csrs/{name}.csr"));
        assert!(read.finish().status != Some(0), "{name}");
        said += &sandbox.issue_csr(name, "").refusal(1, "invalid-der");
    }
    assert_text(
        &said,
        expect![[r#"
            error: csrs/device-cn-visible.csr is not a certificate signing request (CSR)
            caused by: a value in a name is a VisibleString, which OpenSSL can't read
            error: csrs/device-unknown-visible.csr is not a certificate signing request (CSR)
            caused by: a value in a name is a VisibleString, which OpenSSL can't read
        "#]],
    );
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
    assert_text(
        &normalised(&ignored.stderr),
        expect![[r#"
            notice: the CSR also requests 1.3.6.1.4.1.99999.7, challengePassword, 1.3.6.1.4.1.99999.8, which is ignored
        "#]],
    );
}

#[test]
fn an_extension_that_is_asked_for_twice_is_refused_by_name() {
    let sandbox = Sandbox::with_csrs();
    let mut said = String::new();
    for name in ["same-in-both", "same-in-two-values", "same-in-two"] {
        let run = sandbox.issue_csr(&format!("asks-{name}"), "");
        said += &sandbox.refusal(run, 1, "invalid-der");
    }
    assert_text(
        &said,
        expect![[r#"
            error: csrs/asks-same-in-both.csr is not a certificate signing request (CSR)
            caused by: it has the extension subjectAltName twice
            error: csrs/asks-same-in-two-values.csr is not a certificate signing request (CSR)
            caused by: it has the extension subjectAltName twice
            error: csrs/asks-same-in-two.csr is not a certificate signing request (CSR)
            caused by: it has the extension subjectAltName twice
        "#]],
    );
}

const ODD_SANS: [&str; 6] = [
    "port",
    "ip-as-dns",
    "trailing-dot",
    "mac",
    "user",
    "no-address",
];

#[test]
fn an_unusable_san_is_named_and_replaced() {
    let sandbox = Sandbox::with_csrs();
    let mut said = String::new();
    for name in ODD_SANS {
        let name = format!("san-{name}");
        for names in ["", "--csr-names add --cn x --san x.example.test"] {
            let run = sandbox.issue_csr(&name, names);
            said += &sandbox.refusal(run, 1, "invalid-san");
        }
        let replace = "--profile server --csr-names replace --san new.example.test";
        let issued = sandbox.issue_csr(&name, replace).succeeds();
        assert!(!issued.stderr.contains("ignored"), "{issued}");
        assert_same(&sandbox.sans(&name), "DNS:new.example.test");
        assert_eq!(sandbox.subject_types(&name), "");
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid SAN in csrs/san-port.csr
            caused by: "dev.example.test:8443" is not a DNS name: a label has characters other than letters, digits and hyphens
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-port.csr
            caused by: "dev.example.test:8443" is not a DNS name: a label has characters other than letters, digits and hyphens
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-ip-as-dns.csr
            caused by: "10.0.0.7" is not a DNS name: its last label is a number, as in an IP address
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-ip-as-dns.csr
            caused by: "10.0.0.7" is not a DNS name: its last label is a number, as in an IP address
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-trailing-dot.csr
            caused by: "a.example.test." is not a DNS name: it has an empty label
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-trailing-dot.csr
            caused by: "a.example.test." is not a DNS name: it has an empty label
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-mac.csr
            caused by: "00:11:22:33:44:55" is not a DNS name: a label has characters other than letters, digits and hyphens
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-mac.csr
            caused by: "00:11:22:33:44:55" is not a DNS name: a label has characters other than letters, digits and hyphens
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-user.csr
            caused by: "john.doe@example.test" is not a DNS name: a label has characters other than letters, digits and hyphens
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-user.csr
            caused by: "john.doe@example.test" is not a DNS name: a label has characters other than letters, digits and hyphens
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-no-address.csr
            caused by: an IP address is neither 4 nor 16 bytes long
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
            error: invalid SAN in csrs/san-no-address.csr
            caused by: an IP address is neither 4 nor 16 bytes long
            hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
        "#]],
    );
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
        let said = issued.stderr.contains("CN=client,O=Example");
        assert_eq!(said, asks_for_subject, "{issued}");
    }
    // Whose key it is is proved all the same.
    let forged = sandbox.issue_csr("bad-signature", "--csr-names replace --cn x");
    forged.ends_with(1);
}

#[test]
fn names_of_a_csr_are_replaced_by_names() {
    let sandbox = Sandbox::with_csrs();
    let mut said = String::new();
    for line in [
        "--csr csrs/plain.csr --csr-names replace",
        "--cn x --csr-names replace",
    ] {
        let run = sandbox.pki("issue --ca intermediate0").words(line);
        said += &sandbox.refusal(run, 2, "usage");
    }
    let run = sandbox.pki("issue --ca intermediate0 --cn x --csr csrs/plain.csr --csr-names drop");
    said += &sandbox.refusal(run, 2, "usage");
    assert_text(
        &said,
        expect![[r#"
            error: --csr-names replace needs names
            hint: give them with --cn, --subject or --san
            error: --csr-names needs --csr
            error: invalid value 'drop' for '--csr-names <USE>': "drop" is not supported; use add or replace
        "#]],
    );
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
    issue("").refuses(1, "invalid-row", expect![[r#"
        error: rows.csv line 2, column csr: invalid SAN in csrs/san-port.csr: "dev.example.test:8443" is not a DNS name: a label has characters other than letters, digits and hyphens
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
        error: rows.csv line 3, column csr: invalid subject in csrs/bad-names.csr: the value of CN has more than 64 characters: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        hint: nothing was issued; --keep-going leaves these rows out
    "#]]);
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
    sandbox.pki(line).refuses(
        1,
        "invalid-row",
        expect![[r#"
        error: none.csv line 2, column cn: the certificate has neither a subject nor a SAN
        hint: nothing was issued
    "#]],
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
    declare("").refuses(1, "invalid-san", expect![[r#"
        error: certificate printer can't be created
        caused by: invalid SAN in csrs/san-port.csr
        caused by: "dev.example.test:8443" is not a DNS name: a label has characters other than letters, digits and hyphens
        hint: write csr_names = "replace", and give names with cn, subject and san
    "#]]);
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
    declare("csr_names = \"drop\"").refuses(
        1,
        "invalid-row",
        expect![[r#"
            error: pki.toml line 7, column 13: "drop" is not supported; use add or replace
            hint: nothing was changed
        "#]],
    );
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
    let mut said = String::new();
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
        said += &sandbox.refusal(run.arg(format!("/O=a/{kind}=b")), 1, "invalid-subject");
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid subject
            caused by: "deviceName" is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "1" is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "1." is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "1.99.1" is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "3.1.1" is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "OID." is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "1.2.x" is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
            error: invalid subject
            caused by: "" is not a known attribute type
            hint: write its object identifier, as in /1.2.840.113549.1.9.2=router
        "#]],
    );
    let mut said = String::new();
    for subject in [
        "/2.5.4.6=Japan",
        "/1.3.6.1.4.1.99999.7=a\u{1b}",
        "/unstructuredName=",
        "1.3.6.1.4.1.99999.7=#0c0161",
    ] {
        let run = sandbox
            .pki("issue --ca intermediate0 --subject")
            .arg(subject);
        said += &run.refusal(1, "invalid-subject");
    }
    assert_text(
        &said,
        expect![[r##"
            error: invalid subject
            caused by: the value of C has more than 2 characters: "Japan"
            error: invalid subject
            caused by: the value of 1.3.6.1.4.1.99999.7 has unprintable characters: "a\u{1b}"
            error: invalid subject
            caused by: the value of unstructuredName is empty: ""
            error: invalid subject
            caused by: the value of 1.3.6.1.4.1.99999.7 is in the hexadecimal form, which is not supported (write \# for a leading #): "#0c0161"
        "##]],
    );
}

const UNDERSCORE: &str = "a host name has no underscore (RFC 1123)";

#[test]
fn underscores_are_issued_to_clients_else_with_a_notice() {
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
