//! A leaf never has the subject of a CA above it: CRLs and issuers are found by name.

use crate::sandbox::Sandbox;

#[test]
fn a_leaf_with_the_subject_of_any_ca_above_it_is_refused() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox
        .run("openssl", "req -new -newkey ec -nodes -subj /CN=rootCA")
        .words("-pkeyopt ec_paramgen_curve:P-256 -keyout their.key -out their.csr")
        .succeeds();
    for (options, subject) in [
        ("--cn intermediate2", "intermediate2"),
        ("--cn intermediate1", "intermediate1"),
        ("--cn rootCA", "rootCA"),
        ("--subject /CN=rootCA", "rootCA"),
        ("--csr their.csr", "rootCA"),
    ] {
        let before = sandbox.store_snapshot();
        let line = format!("issue --ca intermediate2 {options}");
        let refused = sandbox.pki(&line).ends_with(1);
        let said = refused.stderr.lines().next().unwrap();
        assert!(said.starts_with("error: "), "{refused}");
        assert!(
            said.contains(&format!("the subject CN={subject} belongs to the CA")),
            "{refused}"
        );
        before.assert_unchanged(&sandbox.path("pki"));
    }
    sandbox
        .pki("issue --ca intermediate2 --cn rootCA2")
        .succeeds();
}

#[test]
fn a_row_with_the_subject_of_the_root_is_refused() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("rows.csv", "cn\nfine\nrootCA\n");
    let before = sandbox.store_snapshot();
    let refused = sandbox
        .pki("issue --ca intermediate0 --from rows.csv")
        .ends_with(1);
    assert!(
        refused
            .stderr
            .contains("the subject CN=rootCA belongs to the CA"),
        "{refused}"
    );
    before.assert_unchanged(&sandbox.path("pki"));
}
