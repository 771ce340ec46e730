//! `pki help` and the manual pages.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// Sections that every page has, in the order of man-pages(7).
const SECTIONS: [&str; 7] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "SEE ALSO",
];

#[test]
fn groff_formats_every_page_without_a_warning() {
    let sandbox = Sandbox::new();
    let made = sandbox.pki("man man1").succeeds();
    for page in made.stdout.lines() {
        let formatted = sandbox.run("groff", "-k -man -Tutf8 -P-cbou -ww").arg(page);
        let formatted = formatted.succeeds();
        assert_eq!(formatted.stderr, "", "{page}");
        let mut lines = formatted.stdout.lines();
        for section in SECTIONS {
            assert!(lines.any(|line| line == section), "{page}: {section}");
        }
    }
}

#[test]
fn a_page_of_a_command_has_examples_and_references() {
    let sandbox = Sandbox::new();
    sandbox.pki("man man1").succeeds();
    let page = "-k -man -Tutf8 -P-cbou man1/pki-tree.1";
    let formatted = sandbox.run("groff", page).succeeds();
    let behind = formatted.stdout.split("EXIT STATUS").nth(1).unwrap();
    assert_text(
        behind,
        expect![[r#"

                   0      Done.

                   1      Failed; nothing was changed.

                   2      The command line is wrong.

                   3      A check failed: verify, check, crl --check or bundle --check.

                   4      The store was changed, but a later step failed; the message says
                          how to complete it.

            ENVIRONMENT
                   PKI_STORE
                          Directory of the store, if --store is not given.

                   PKI_PASSPHRASE_FILE
                          File  whose first line is the passphrase of CA keys, if --passin
                          is not given; for a new CA also instead of --passout.

                   PKI_PASSPHRASE_FILE_NAME
                          The same for the key of the CA NAME: in upper case, every  other
                          character as _.

                   PKI_PASSPHRASE
                          The passphrase itself. Other processes of the same user can read
                          it.

                   NO_COLOR
                          If set, nothing is coloured.

            FILES
                   ./pki  The store, unless --store or PKI_STORE names another.

                   ./pki/NAME
                          A CA: its certificate, its encrypted key,  and  the  records  of
                          what it issued and revoked.

                   ./pki/crl
                          The published CRLs, unless --out names another directory.

            EXAMPLES
                   pki tree

                   pki --format json tree

            SEE ALSO
                   pki(1)



                                                 tree                          pki-tree(1)
        "#]],
    );
}

#[test]
fn help_of_a_command_is_that_of_its_option() {
    let sandbox = Sandbox::new();
    for command in ["issue", "crl", "ca renew", "ca"] {
        let asked = sandbox.pki(&format!("help {command}")).succeeds();
        let option = sandbox.pki(&format!("{command} --help")).succeeds();
        assert_eq!(asked.stdout, option.stdout, "{command}");
    }
}
