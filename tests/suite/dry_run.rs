//! `--dry-run` of tables: everything is checked, and nothing is changed.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

#[test]
fn a_table_is_checked_and_nothing_is_issued() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn,days\na,30\nb,30\n");
    let before = sandbox.store_snapshot();
    let line = "issue --ca intermediate0 --from rows.csv --out out --dry-run";
    let checked = sandbox.pki(line).succeeds();
    assert_text(
        &checked.stdout,
        expect![[r#"
            would issue 2 certificates from intermediate0
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
    assert!(!sandbox.path("out").exists());
    let json = sandbox.pki(line).arg("--format").arg("json").succeeds();
    assert_eq!(json.json()["rows"], 2);
}

#[test]
fn invalid_rows_fail_as_without_it() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn,days\na,0\nb,30\n");
    let before = sandbox.store_snapshot();
    let mut said = String::new();
    for options in ["", "--keep-going"] {
        let line = format!("issue --ca intermediate0 --from rows.csv --dry-run {options}");
        let run = sandbox.pki(line.trim()).ends_with(1);
        said += &(run.stdout + &run.stderr);
    }
    assert_text(
        &said,
        expect![[r#"
            error: rows.csv line 2, column days: "0" is not a number of days
            hint: nothing was issued; --keep-going leaves these rows out
            would issue 1 certificate from intermediate0
              invalid  1
            error: rows.csv line 2, column days: "0" is not a number of days
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

#[test]
fn a_table_of_revocations_is_checked_and_nothing_is_revoked() {
    let sandbox = Sandbox::with_open_ca();
    let issue = "--format json issue --ca intermediate0 --cn a";
    let issued = sandbox.pki(issue).succeeds().json();
    let serial = issued["serial"].as_str().unwrap();
    sandbox.write("rows.csv", format!("serial,reason\n{serial},superseded\n"));
    let before = sandbox.store_snapshot();
    let line = "revoke --ca intermediate0 --from rows.csv --dry-run";
    assert_text(
        &sandbox.pki(line).succeeds().stdout,
        expect![[r#"
            would revoke 1 certificate of intermediate0
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

#[test]
fn options_without_the_one_that_they_belong_to_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn a --out . --no-passphrase")
        .succeeds();
    let before = sandbox.store_snapshot();
    let mut said = String::new();
    for line in [
        "issue --ca intermediate0 --cn b --dry-run",
        "issue --ca intermediate0 --csr a.csr --resume",
        "issue --ca intermediate0 --san b.example.test --keep-going",
        "revoke --ca intermediate0 --cn a --dry-run",
        "revoke --cert a.crt --keep-going",
        "revoke --ca intermediate0 --serial 01 --all",
        "crl --ca intermediate0 --to-der",
        "crl --if-needed --within 3d",
        "crl --in a.crl --to-pem --every 3d",
        "show --ca intermediate0 --all",
        "ca renew --ca intermediate0 --days 30 --chain a.crt",
        "ca renew --ca intermediate0 --days 30 --force",
    ] {
        let run = sandbox.pki(line).ends_with(2);
        said += run.stderr.lines().next().unwrap();
        said += "\n";
    }
    assert_text(
        &said,
        expect![[r#"
        error: --dry-run needs --from
        error: --resume needs --from
        error: --keep-going needs --from
        error: --dry-run needs --from
        error: --keep-going needs --from
        error: the argument '--serial <S>' cannot be used with '--all'
        error: --to-der needs --in
        error: --within needs --check
        error: --every needs --ahead
        error: --all needs a file
        error: --chain needs --install
        error: --force needs --request
    "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

crate::engine::also_in_a_database! {
    a_table_is_checked_and_nothing_is_issued, invalid_rows_fail_as_without_it,
    a_table_of_revocations_is_checked_and_nothing_is_revoked,
    options_without_the_one_that_they_belong_to_are_refused,
}
