//! `pki crl --on-change`: a command for each CA whose CRL changed.

use std::fs;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// Notes its environment, and fails without the CRL, or with a passphrase.
const NOTE: &str = r#"echo said
    test -s "$PKI_CRL" && ! env | grep -q ^PKI_PASSPHRASE || exit 9
    echo "$PKI_CA $PKI_CRL_NUMBER ${PKI_CRL#"$PWD"/} ${PKI_CRL_PEM#"$PWD"/}" >> noted"#;

/// Signs CRLs; returns what the command noted.
fn noted(sandbox: &Sandbox, options: &str) -> String {
    let _ = fs::remove_file(sandbox.path("noted"));
    let run = sandbox.pki("crl").words(options);
    let run = run.arg("--on-change").arg(NOTE);
    let run = run
        .env("PKI_PASSPHRASE", "secret")
        .env("PKI_PASSPHRASE_FILE_ROOTCA", "a");
    let done = run.succeeds();
    assert!(!done.stdout.contains("said"), "{done}");
    fs::read_to_string(sandbox.path("noted")).unwrap_or_default()
}

#[test]
fn it_runs_once_for_each_ca_whose_crl_changed() {
    let sandbox = Sandbox::with_open_ca();
    assert_text(
        &noted(&sandbox, "--chain"),
        expect![[r#"
            intermediate0 1 pki/crl/intermediate0.crl 
            rootCA 1 pki/crl/rootCA.crl 
        "#]],
    );
    assert_eq!(noted(&sandbox, "--if-needed"), "");
    sandbox.issued("intermediate0", "a");
    let revoke = "revoke --ca intermediate0 --cn a";
    sandbox.pki(revoke).succeeds();
    assert_text(
        &noted(&sandbox, "--if-needed --to-pem"),
        expect![[r#"
            intermediate0 2 pki/crl/intermediate0.crl pki/crl/intermediate0.crl.pem
        "#]],
    );
}

#[test]
fn a_command_that_fails_is_exit_code_4() {
    let sandbox = Sandbox::with_open_ca();
    let run = sandbox
        .pki("crl --on-change")
        .arg("test $PKI_CA = rootCA || exit 7");
    let failed = run.ends_with(4);
    assert_text(
        &failed.stderr,
        expect![[r#"
            error: the --on-change command failed for intermediate0: exit status: 7
            hint: the CRL is published; run the command again by hand
        "#]],
    );
    let run = sandbox.pki("--format json crl --on-change").arg("exit 7");
    let error = run.ends_with(4).error();
    assert_eq!(error["code"], "on-change-failed", "{error}");
    for ca in ["rootCA", "intermediate0"] {
        assert!(sandbox.path(format!("pki/crl/{ca}.crl")).exists());
    }
}

#[test]
fn it_does_not_run_if_a_file_is_missing() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("pki/crl/intermediate0.chain.crl.pem", "not a CRL");
    let run = sandbox
        .pki("crl --chain --on-change")
        .arg("echo $PKI_CA >> noted");
    run.finish();
    let noted = fs::read_to_string(sandbox.path("noted")).unwrap_or_default();
    assert!(!noted.contains("intermediate0"), "{noted}");
}

crate::engine::also_in_a_database! {
    a_command_that_fails_is_exit_code_4,
}
