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
