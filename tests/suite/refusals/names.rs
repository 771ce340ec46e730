//! Names that would lie, leave their folder, or take over a terminal.

use super::refusals;
use crate::sandbox::{STORE, Sandbox};

refusals! { Sandbox::with_csrs();
    a_request_with_nul_in_its_common_name: "issue --ca intermediate0 --csr csrs/cn-nul.csr" => 1, "TBD";
    a_request_with_terminal_escapes: "issue --ca intermediate0 --csr csrs/cn-escape.csr" => 1, "TBD";
    a_request_with_pem_markers_in_its_name: "issue --ca intermediate0 --csr csrs/cn-newline.csr" => 1, "TBD";
    a_request_with_bidirectional_marks: "issue --ca intermediate0 --csr csrs/cn-bidi.csr" => 1, "TBD";
    a_request_with_a_common_name_of_65_characters: "issue --ca intermediate0 --csr csrs/cn-65.csr" => 1, "TBD";
    a_request_with_invalid_utf8: "issue --ca intermediate0 --csr csrs/cn-invalid-utf8.csr" => 1, "TBD";
    a_request_with_a_printable_string_that_is_not_one: "issue --ca intermediate0 --csr csrs/cn-printable-lie.csr" => 1, "TBD";
    a_request_with_an_empty_common_name: "issue --ca intermediate0 --csr csrs/cn-empty.csr" => 1, "TBD";
    a_request_without_any_name: "issue --ca intermediate0 --csr csrs/no-name.csr" => 1, "TBD";
    a_request_with_nul_in_a_host_name: "issue --ca intermediate0 --csr csrs/san-nul.csr" => 1, "TBD";
    a_request_with_pem_markers_in_a_host_name: "issue --ca intermediate0 --csr csrs/san-newline.csr" => 1, "TBD";
    a_request_with_a_space_in_a_host_name: "issue --ca intermediate0 --csr csrs/san-space.csr" => 1, "TBD";
    a_request_with_a_host_name_beyond_ascii: "issue --ca intermediate0 --csr csrs/san-not-ascii.csr" => 1, "TBD";
    a_request_with_an_empty_host_name: "issue --ca intermediate0 --csr csrs/san-empty.csr" => 1, "TBD";
    a_request_with_a_wildcard_inside: "issue --ca intermediate0 --csr csrs/san-inner-wildcard.csr" => 1, "TBD";
    a_request_with_an_address_of_five_octets: "issue --ca intermediate0 --csr csrs/san-ip-of-5.csr" => 1, "TBD";
    a_request_with_escapes_in_an_email_address: "issue --ca intermediate0 --csr csrs/san-escape-email.csr" => 1, "TBD";
    a_request_with_nul_in_a_uri: "issue --ca intermediate0 --csr csrs/san-nul-uri.csr" => 1, "TBD";
    a_request_with_an_empty_list_of_names: "issue --ca intermediate0 --csr csrs/san-no-names.csr" => 1, "TBD";

    a_request_named_like_a_path_going_out: "issue --ca intermediate0 --csr csrs/cn-path.csr --out out" => 1, "TBD";
    a_request_named_like_the_folder_above_going_out: "issue --ca intermediate0 --csr csrs/cn-dots.csr --out out" => 1, "TBD";
    a_request_named_like_an_option_going_out: "issue --ca intermediate0 --csr csrs/cn-option.csr --out out" => 1, "TBD";
    a_name_for_the_files_that_is_a_path: "issue --ca intermediate0 --cn client --name ../client --out out --no-passphrase" => 2, "TBD";

    a_ca_named_like_a_path: "root --name ../up --no-passphrase" => 2, "TBD";
    a_ca_named_like_the_folder_above: "root --name .. --no-passphrase" => 2, "TBD";
    a_ca_named_like_an_option: "root --name=-rf --no-passphrase" => 2, "TBD";
    a_ca_named_like_one_that_is_there: "root --name rootCA --no-passphrase" => 1, "TBD";
    a_ca_named_like_a_folder_of_the_store: "root --name crl --no-passphrase" => 1, "TBD";
    a_subordinate_named_like_one_that_is_there: "subordinate --ca rootCA --name intermediate0 --no-passphrase" => 1, "TBD";
    a_ca_to_issue_from_named_like_a_path: "issue --ca ../pki/rootCA --cn client" => 2, "TBD";

    a_server_without_any_name_a_client_could_ask_for: "issue --ca intermediate0 --profile server --subject /O=Example" => 1, "TBD";
    a_server_whose_common_name_is_no_host_name: "issue --ca intermediate0 --profile server --cn local_client!" => 1, "TBD";
    a_wildcard_inside_a_host_name: "issue --ca intermediate0 --cn w --san a.*.example.test" => 2, "TBD";
    a_wildcard_for_every_host: "issue --ca intermediate0 --cn w --san *" => 2, "TBD";
    an_address_that_is_none: "issue --ca intermediate0 --cn w --san ip:192.0.2.256" => 2, "TBD";
    a_subject_that_does_not_parse: "issue --ca intermediate0 --subject CN" => 2, "TBD";
    a_country_of_three_letters: "issue --ca intermediate0 --subject /C=JPN/CN=x" => 2, "TBD";
}

/// Each in `--cn`, where the shell can pass what a table of words cannot.
#[test]
fn control_characters_marks_and_overlong_names_in_the_arguments() {
    for (name, stderr) in [
        ("\u{1b}[2J\u{1b}]0;owned\u{7}", "TBD"),
        ("x\n-----END CERTIFICATE-----\n", "TBD"),
        ("good\u{202e}tset.live", "TBD"),
        (&"a".repeat(65), "TBD"),
        ("", "TBD"),
    ] {
        let sandbox = Sandbox::with_open_ca();
        let run = sandbox.pki("issue --ca intermediate0 --cn").arg(name);
        sandbox.refused(run, 2, stderr);
    }
}

#[test]
fn a_common_name_that_is_no_file_name_goes_out_under_a_name_that_is() {
    let sandbox = Sandbox::with_open_ca();
    for name in ["../../etc/x", "..", "-rf", "a/b", ".hidden"] {
        let issue = |options: &str| {
            let run = sandbox.pki("issue --ca intermediate0").words(options);
            run.arg(format!("--cn={name}"))
        };
        let before = sandbox.store_snapshot();
        let refused = issue("--out out --no-passphrase").ends_with(1);
        assert!(refused.stderr.contains("--name"), "{refused}");
        before.assert_unchanged(&sandbox.path(STORE));
        assert!(!sandbox.path("out").exists(), "{name}");
    }
    sandbox
        .pki("issue --ca intermediate0 --cn ../../etc/x --name x --out out --no-passphrase")
        .succeeds();
    assert!(sandbox.path("out/x.crt").is_file());
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
