//! Names that would lie, leave their folder, or take over a terminal.

use expect_test::expect;

use super::refusals;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

refusals! { Sandbox::with_csrs();
    a_request_with_nul_in_its_common_name: "issue --ca intermediate0 --csr csrs/cn-nul.csr" => 1, "invalid-subject", expect![[r#"
        error: invalid subject in csrs/cn-nul.csr
        caused by: the value of CN has unprintable characters: "good.test\u{0}.evil.test"
        hint: give another subject with --cn or --subject
    "#]];
    a_request_with_terminal_escapes: "issue --ca intermediate0 --csr csrs/cn-escape.csr" => 1, "invalid-subject", expect![[r#"
        error: invalid subject in csrs/cn-escape.csr
        caused by: the value of CN has unprintable characters: "\u{1b}[2J\u{1b}]0;owned\u{7}"
        hint: give another subject with --cn or --subject
    "#]];
    a_request_with_pem_markers_in_its_name: "issue --ca intermediate0 --csr csrs/cn-newline.csr" => 1, "invalid-subject", expect![[r#"
        error: invalid subject in csrs/cn-newline.csr
        caused by: the value of CN has unprintable characters: "x\u{a}-----END CERTIFICATE-----\u{a}-----BEGIN CERTIFICATE-----\u{a}"
        hint: give another subject with --cn or --subject
    "#]];
    a_request_with_bidirectional_marks: "issue --ca intermediate0 --csr csrs/cn-bidi.csr" => 1, "invalid-subject", expect![[r#"
        error: invalid subject in csrs/cn-bidi.csr
        caused by: the value of CN has unprintable characters: "good\u{202e}tset.live"
        hint: give another subject with --cn or --subject
    "#]];
    a_request_with_a_common_name_of_65_characters: "issue --ca intermediate0 --csr csrs/cn-65.csr" => 1, "invalid-subject", expect![[r#"
        error: invalid subject in csrs/cn-65.csr
        caused by: the value of CN has more than 64 characters: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        hint: give another subject with --cn or --subject
    "#]];
    a_request_with_invalid_utf8: "issue --ca intermediate0 --csr csrs/cn-invalid-utf8.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/cn-invalid-utf8.csr is not a certificate signing request (CSR)
        caused by: a string has bytes that its type does not allow
    "#]];
    a_request_with_an_empty_common_name: "issue --ca intermediate0 --csr csrs/cn-empty.csr" => 1, "invalid-subject", expect![[r#"
        error: invalid subject in csrs/cn-empty.csr
        caused by: the value of CN is empty: ""
        hint: give another subject with --cn or --subject
    "#]];
    a_request_without_any_name: "issue --ca intermediate0 --csr csrs/no-name.csr" => 1, "name-required", expect![[r#"
        error: the certificate has neither a subject nor a SAN
        hint: give a name with --cn, --subject or --san
    "#]];
    a_request_with_nul_in_a_host_name: "issue --ca intermediate0 --csr csrs/san-nul.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-nul.csr
        caused by: "good.test\u{0}.evil.test" is not a DNS name: it has unprintable characters
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_pem_markers_in_a_host_name: "issue --ca intermediate0 --csr csrs/san-newline.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-newline.csr
        caused by: "good.test\u{a}-----END CERTIFICATE-----" is not a DNS name: it has unprintable characters
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_a_space_in_a_host_name: "issue --ca intermediate0 --csr csrs/san-space.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-space.csr
        caused by: "good test" is not a DNS name: a label has characters other than letters, digits and hyphens
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_an_empty_host_name: "issue --ca intermediate0 --csr csrs/san-empty.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-empty.csr
        caused by: "" is not a DNS name: it has an empty label
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_a_wildcard_inside: "issue --ca intermediate0 --csr csrs/san-inner-wildcard.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-inner-wildcard.csr
        caused by: "a.*.example.test" is not a DNS name: * is only allowed as the whole first label
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_an_address_of_five_octets: "issue --ca intermediate0 --csr csrs/san-ip-of-5.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-ip-of-5.csr
        caused by: an IP address is neither 4 nor 16 bytes long
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_escapes_in_an_email_address: "issue --ca intermediate0 --csr csrs/san-escape-email.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-escape-email.csr
        caused by: "\u{1b}[2J@example.test" is not an e-mail address: the part before the @ has characters that are not allowed
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];
    a_request_with_nul_in_a_uri: "issue --ca intermediate0 --csr csrs/san-nul-uri.csr" => 1, "invalid-san", expect![[r#"
        error: invalid SAN in csrs/san-nul-uri.csr
        caused by: "https://good.test\u{0}.evil.test/" is not a URI: it has characters that a URI does not allow, or nothing after the scheme
        hint: use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test
    "#]];

    a_name_for_the_files_that_is_a_path: "issue --ca intermediate0 --cn client --name ../client --out out --no-passphrase" => 1, "invalid-file-name", expect![[r#"
        error: "../client" is not a safe file name
        hint: give a file name of letters, digits, '.', '_', '@', '+' and '-' with --name
    "#]];

    a_ca_named_like_a_path: "root --name ../up --no-passphrase" => 2, "usage", expect![[r#"
        error: invalid value '../up' for '--name <NAME>': "../up" is not a valid CA name: it must start with a letter or digit
    "#]];
    a_ca_named_like_the_folder_above: "root --name .. --no-passphrase" => 2, "usage", expect![[r#"
        error: invalid value '..' for '--name <NAME>': ".." is not a valid CA name: it must start with a letter or digit
    "#]];
    a_ca_named_like_an_option: "root --name=-rf --no-passphrase" => 2, "usage", expect![[r#"
        error: invalid value '-rf' for '--name <NAME>': "-rf" is not a valid CA name: it must start with a letter or digit
    "#]];
    a_ca_named_like_one_that_is_there: "root --name rootCA --no-passphrase" => 1, "ca-exists", expect![[r#"
        error: CA rootCA already exists in the store
        hint: choose another name with --name
    "#]];
    a_ca_named_like_a_folder_of_the_store: "root --name crl --no-passphrase" => 2, "usage", expect![[r#"
        error: invalid value 'crl' for '--name <NAME>': "crl" is not a valid CA name: the name is taken by the store or the operating system
    "#]];
    a_subordinate_named_like_one_that_is_there: "subordinate --ca rootCA --name intermediate0 --no-passphrase" => 1, "ca-exists", expect![[r#"
        error: CA intermediate0 already exists in the store
        hint: choose another name with --name
    "#]];
    a_ca_to_issue_from_named_like_a_path: "issue --ca ../pki/rootCA --cn client" => 2, "usage", expect![[r#"
        error: invalid value '../pki/rootCA' for '--ca <NAME>': "../pki/rootCA" is not a valid CA name: it must start with a letter or digit
    "#]];

    a_server_without_any_name_a_client_could_ask_for: "issue --ca intermediate0 --profile server --subject /O=Example" => 1, "san-required", expect![[r#"
        error: a certificate of profile server needs a host name or an IP address in its SANs
        hint: give it with --san
    "#]];
    a_server_whose_common_name_is_no_host_name: "issue --ca intermediate0 --profile server --cn local_client!" => 1, "san-required", expect![[r#"
        error: a certificate of profile server needs a host name or an IP address in its SANs
        hint: give it with --san
    "#]];
    a_wildcard_inside_a_host_name: "issue --ca intermediate0 --cn w --san a.*.example.test" => 1, "invalid-san", expect![[r#"
        error: invalid SAN
        caused by: "a.*.example.test" is not a DNS name: * is only allowed as the whole first label
    "#]];
    a_wildcard_for_every_host: "issue --ca intermediate0 --cn w --san *" => 1, "invalid-san", expect![[r#"
        error: invalid SAN
        caused by: "*" is not a DNS name: * is only allowed as the whole first label
    "#]];
    an_address_that_is_none: "issue --ca intermediate0 --cn w --san ip:192.0.2.256" => 1, "invalid-san", expect![[r#"
        error: invalid SAN
        caused by: "192.0.2.256" is not an IP address: it is neither IPv4 nor IPv6
    "#]];
    a_subject_that_does_not_parse: "issue --ca intermediate0 --subject CN" => 1, "invalid-subject", expect![[r#"
        error: invalid subject
        caused by: "CN" is not a distinguished name: write /C=JP/O=Example/CN=x or CN=x,O=Example,C=JP
    "#]];
    a_country_of_three_letters: "issue --ca intermediate0 --subject /C=JPN/CN=x" => 1, "invalid-subject", expect![[r#"
        error: invalid subject
        caused by: the value of C has more than 2 characters: "JPN"
    "#]];
}

/// Copied to the byte it would make a certificate that pkilint calls fatal.
#[test]
fn a_csr_with_an_invalid_printable_string_is_refused() {
    let sandbox = Sandbox::with_csrs();
    let issue = "issue --ca intermediate0 --csr csrs/cn-printable-lie.csr";
    sandbox.refused(
        sandbox.pki(issue),
        1,
        "invalid-subject",
        expect![[r#"
            error: invalid subject in csrs/cn-printable-lie.csr
            caused by: the value of CN has characters that PrintableString does not allow: "not@printable*"
            hint: give another subject with --cn or --subject
        "#]],
    );
}

#[test]
fn a_request_with_a_host_name_beyond_ascii_gets_it_in_a_labels() {
    let sandbox = Sandbox::with_csrs();
    let issue = "issue --ca intermediate0 --csr csrs/san-not-ascii.csr --out out";
    sandbox.pki(issue).succeeds();
    let names = sandbox.openssl_x509("out/client.crt", "-ext subjectAltName");
    assert_eq!(
        names,
        "X509v3 Subject Alternative Name: \n    DNS:xn--bcher-kva.test\n"
    );
}

/// Each in `--cn`, where the shell can pass what a table of words cannot.
#[test]
fn control_characters_marks_and_overlong_names_in_the_arguments() {
    let mut said = String::new();
    for name in [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "x\n-----END CERTIFICATE-----\n",
        "good\u{202e}tset.live",
        &"a".repeat(65),
        "",
    ] {
        let sandbox = Sandbox::with_open_ca();
        let run = sandbox.pki("issue --ca intermediate0 --cn").arg(name);
        said += &sandbox.refusal(run, 1, "invalid-subject");
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid subject
            caused by: the value of CN has unprintable characters: "\u{1b}[2J\u{1b}]0;owned\u{7}"
            error: invalid subject
            caused by: the value of CN has unprintable characters: "x\u{a}-----END CERTIFICATE-----\u{a}"
            error: invalid subject
            caused by: the value of CN has unprintable characters: "good\u{202e}tset.live"
            error: invalid subject
            caused by: the value of CN has more than 64 characters: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            error: invalid subject
            caused by: the value of CN is empty: ""
        "#]],
    );
}

#[test]
fn nothing_from_a_foreign_file_reaches_the_terminal_raw() {
    let sandbox = Sandbox::with_csrs();
    sandbox
        .run(
            "openssl",
            "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout k.pem -out c.pem",
        )
        .arg("-subj")
        .arg("/CN=\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}x")
        .arg("-utf8")
        .succeeds();
    for file in [
        "c.pem",
        "csrs/cn-escape.csr",
        "csrs/cn-newline.csr",
        "csrs/cn-bidi.csr",
    ] {
        let shown = sandbox.pki("show").arg(file).finish();
        for text in [&shown.stdout, &shown.stderr] {
            let raw =
                |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            assert!(!text.contains(raw), "{file}: {text:?}");
            let lines = text.lines();
            assert_eq!(
                lines.filter(|line| line.starts_with("-----")).count(),
                0,
                "{text}"
            );
        }
    }
}

crate::engine::also_in_a_database! {
    a_csr_with_an_invalid_printable_string_is_refused,
    a_request_with_a_host_name_beyond_ascii_gets_it_in_a_labels,
    nothing_from_a_foreign_file_reaches_the_terminal_raw,
}
