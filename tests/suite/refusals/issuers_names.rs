//! A leaf never has the subject of a CA above it: CRLs and issuers are found by name.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

#[test]
fn a_leaf_with_the_subject_of_any_ca_above_it_is_refused() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox
        .run("openssl", "req -new -newkey ec -nodes -subj /CN=rootCA")
        .words("-pkeyopt ec_paramgen_curve:P-256 -keyout their.key -out their.csr")
        .succeeds();
    let mut said = String::new();
    for options in [
        "--cn intermediate2",
        "--cn intermediate1",
        "--cn rootCA",
        "--subject /CN=rootCA",
        "--csr their.csr",
    ] {
        let run = sandbox.pki(&format!("issue --ca intermediate2 {options}"));
        said += &sandbox.refusal(run, 1, "subject-of-ca");
    }
    assert_text(
        &said,
        expect![[r#"
            error: the subject CN=intermediate2 belongs to the CA intermediate2
            hint: use another subject: --cn or --subject
            error: the subject CN=intermediate1 belongs to the CA intermediate1
            hint: use another subject: --cn or --subject
            error: the subject CN=rootCA belongs to the CA rootCA
            hint: use another subject: --cn or --subject
            error: the subject CN=rootCA belongs to the CA rootCA
            hint: use another subject: --cn or --subject
            error: the subject CN=rootCA belongs to the CA rootCA
            hint: use another subject: --cn or --subject
        "#]],
    );
    sandbox
        .pki("issue --ca intermediate2 --cn rootCA2")
        .succeeds();
}

#[test]
fn a_row_with_the_subject_of_the_root_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn\nfine\nrootCA\n");
    let run = sandbox.pki("issue --ca intermediate0 --from rows.csv");
    sandbox.refused(
        run,
        1,
        "invalid-row",
        expect![[r#"
            error: rows.csv line 3, column cn: the subject CN=rootCA belongs to the CA rootCA
            hint: nothing was issued; --keep-going leaves these rows out
        "#]],
    );
}

crate::engine::also_in_a_database! {
    a_leaf_with_the_subject_of_any_ca_above_it_is_refused, a_row_with_the_subject_of_the_root_is_refused,
}
