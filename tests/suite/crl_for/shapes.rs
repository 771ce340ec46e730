//! What `--for` writes, and what else it needs.

use expect_test::expect;

use super::{assert_done, assert_refused, settings};
use crate::normalise::normalised;
use crate::run::{assert_same, assert_text};
use crate::sandbox::Sandbox;
use crate::targets::rules;

/// The names in the folder of lists, without those of other CAs.
fn files_of(sandbox: &Sandbox, ca: &str) -> Vec<String> {
    let names = sandbox.names_in("pki/crl").into_iter();
    let of_ca = names.filter_map(|name| name.strip_prefix(ca).map(str::to_owned));
    of_ca.collect()
}

#[test]
fn each_target_gets_its_files() {
    for (target, files) in [
        ("alb", &[".crl", ".crl.pem"][..]),
        ("nlb", &[".crl", ".crl.pem"]),
        ("roles-anywhere", &[".crl", ".crl.pem"]),
        ("api-gateway", &[".crl"]),
        ("node", &[".crl", ".crl.pem"]),
        ("nginx", &[".chain.crl.pem", ".crl"]),
        ("haproxy", &[".chain.crl.pem", ".crl"]),
        ("apache", &[".chain.crl.pem", ".crl"]),
        ("postgres", &[".chain.crl.pem", ".crl"]),
        ("envoy", &[".chain.crl.pem", ".crl"]),
        ("java", &[".chain.crl.pem", ".crl"]),
        ("rustls", &[".chain.crl.pem", ".crl"]),
    ] {
        let sandbox = Sandbox::with_open_ca();
        assert_done(&sandbox, &format!("crl --for {target}"), &[]);
        assert_eq!(files_of(&sandbox, "intermediate0"), files, "{target}");
        assert_eq!(files_of(&sandbox, "rootCA"), files, "{target}");
        let checked = sandbox.pki(&format!("--format json crl --check --for {target}"));
        assert_eq!(rules(&checked.succeeds().json(), "error"), [""; 0]);
    }
}

#[test]
fn the_chain_is_the_list_of_the_ca_and_of_all_above_it() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.pki("crl --for nginx --to-pem").succeeds();
    let pem = |name: &str| sandbox.read(format!("pki/crl/{name}.pem"));
    let lists = ["intermediate2", "intermediate1", "rootCA"];
    let lists = lists.map(|ca| pem(&format!("{ca}.crl")));
    assert_same(&pem("intermediate2.chain.crl"), &lists.concat());
}

#[test]
fn the_settings_are_said_once_for_each_ca_that_none_is_below() {
    let sandbox = Sandbox::with_three_tiers();
    let folder = std::fs::canonicalize(sandbox.path("pki")).unwrap();
    let folder = format!("{}/crl", folder.display());
    for (line, said) in [
        (
            "nginx --ca intermediate2",
            &["ssl_crl DIR/intermediate2.chain.crl.pem;"][..],
        ),
        (
            "nginx",
            &[
                "for certificates of intermediate0: ssl_crl DIR/intermediate0.chain.crl.pem;",
                "for certificates of intermediate2: ssl_crl DIR/intermediate2.chain.crl.pem;",
            ],
        ),
        (
            "haproxy --ca intermediate2",
            &["crl-file DIR/intermediate2.chain.crl.pem"],
        ),
        (
            "apache --ca intermediate2",
            &[
                "SSLCARevocationCheck chain",
                "SSLCARevocationFile DIR/intermediate2.chain.crl.pem",
            ],
        ),
        (
            "apache --hash-names",
            &["SSLCARevocationCheck chain", "SSLCARevocationPath DIR"],
        ),
        (
            "postgres --ca intermediate2",
            &["ssl_crl_file = 'DIR/intermediate2.chain.crl.pem'"],
        ),
        ("postgres --hash-names", &["ssl_crl_dir = 'DIR'"]),
        (
            "envoy --ca intermediate2",
            &["crl: {filename: DIR/intermediate2.chain.crl.pem}"],
        ),
        (
            "node --ca intermediate2",
            &[
                "crl: ['DIR/intermediate2.crl.pem', 'DIR/intermediate1.crl.pem', 'DIR/rootCA.crl.pem'].map((file) => fs.readFileSync(file)),",
            ],
        ),
        ("alb", &[]),
        ("rustls", &[]),
    ] {
        let done = sandbox.pki(&format!("crl --for {line}")).succeeds();
        let lines = settings(&done).into_iter();
        let lines = lines.map(|line| line.replace(&folder, "DIR"));
        assert_eq!(lines.collect::<Vec<_>>(), said, "{done}");
    }
    assert_eq!(sandbox.pki("-q crl --for nginx").succeeds().stderr, "");
}

/// The lists of the CAs above are part of what is read: one that is not there is signed too, and one
/// that is good stays as it is.
#[test]
fn a_crl_above_that_is_due_is_signed_too() {
    let sandbox = Sandbox::with_three_tiers();
    let line = "crl --for nginx --ca intermediate2";
    let done = sandbox.pki(line).succeeds();
    let folder = sandbox.folder().display().to_string();
    assert_text(
        &normalised(&done.stderr).replace(&folder, "DIR"),
        expect![[r#"
            notice: nginx also needs the CRL of intermediate1, which is due
            notice: nginx also needs the CRL of rootCA, which is due
            notice: set in the configuration: ssl_crl DIR/pki/crl/intermediate2.chain.crl.pem;
        "#]],
    );
    let numbers =
        || ["intermediate2", "intermediate1", "rootCA"].map(|ca| sandbox.published(ca).number);
    assert_eq!(numbers(), [1, 1, 1]);
    sandbox.pki(line).succeeds();
    assert_eq!(numbers(), [2, 1, 1]);
    // For a load balancer the list of the CA is enough.
    sandbox
        .pki("crl --for alb --ca intermediate0 --out lists")
        .succeeds();
    assert_eq!(
        sandbox.names_in("lists"),
        ["intermediate0.crl", "intermediate0.crl.pem"]
    );
}

#[test]
fn a_crl_of_an_offline_ca_above_has_to_be_there_and_good() {
    let sandbox = Sandbox::with_open_ca();
    let key = sandbox.path("pki/rootCA/ca.key");
    sandbox
        .pki("crl --ca rootCA --days 30 --out made")
        .succeeds();
    std::fs::rename(&key, sandbox.path("root.key")).unwrap();
    for target in [
        "nginx", "haproxy", "apache", "postgres", "envoy", "node", "rustls", "java",
    ] {
        let line = format!("crl --for {target}");
        let report = assert_refused(&sandbox, &line, &["list-missing"]);
        assert_text(
            report["findings"][0]["message"].as_str().unwrap(),
            expect![[r#"
                CRL of rootCA not found at ./pki/crl/rootCA.crl
            "#]],
        );
        let checked = sandbox.pki(&format!("--format json crl --check --for {target}"));
        assert_eq!(
            rules(&checked.ends_with(3).json(), "error"),
            ["list-missing"]
        );
    }
    assert_done(&sandbox, "crl --for alb", &[]);
    sandbox.write(
        "pki/crl/rootCA.crl",
        std::fs::read(sandbox.path("made/rootCA.crl")).unwrap(),
    );
    for target in ["nginx", "node"] {
        assert_done(&sandbox, &format!("crl --for {target}"), &[]);
    }
    let pem = sandbox.read("pki/crl/rootCA.crl.pem");
    assert!(
        sandbox
            .read("pki/crl/intermediate0.chain.crl.pem")
            .ends_with(&pem)
    );
    let late = |line: &str| {
        let clock = sandbox
            .run("faketime", "-f +31d")
            .arg(env!("CARGO_BIN_EXE_pki"));
        clock.words("--format json").words(line)
    };
    let before = sandbox.store_snapshot();
    let refused = late("crl --for nginx").ends_with(1);
    assert_eq!(rules(&refused.json(), "error"), ["list-valid-now"]);
    before.assert_unchanged(&sandbox.path("pki"));
    let checked = late("crl --check --for nginx").ends_with(3);
    assert_eq!(rules(&checked.json(), "error"), ["list-valid-now"]);
}

#[test]
fn check_names_the_files_that_a_target_reads_and_are_not_there() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl").succeeds();
    let mut said = String::new();
    for target in ["alb", "nginx", "node"] {
        let checked = sandbox
            .pki(&format!("crl --check --ca intermediate0 --for {target}"))
            .ends_with(3);
        said += &normalised(&checked.stdout);
    }
    assert_text(
        &said,
        expect![[r#"
            intermediate0: fresh until [time]
            the set of CRLs does not fit AWS Application Load Balancer: 1 error
              error: list-missing  CRL of intermediate0 not found at ./pki/crl/intermediate0.crl.pem
            intermediate0: fresh until [time]
            rootCA: fresh until [time]
            the set of CRLs does not fit nginx: 1 error
              error: list-missing  CRL of intermediate0 not found at ./pki/crl/intermediate0.chain.crl.pem
            intermediate0: fresh until [time]
            rootCA: fresh until [time]
            the set of CRLs does not fit Node.js: 2 errors
              error: list-missing  CRL of intermediate0 not found at ./pki/crl/intermediate0.crl.pem
              error: list-missing  CRL of rootCA not found at ./pki/crl/rootCA.crl.pem
        "#]],
    );
    sandbox.pki("crl --check --for api-gateway").succeeds();
}

#[test]
fn the_text_has_every_list_and_the_note() {
    let sandbox = Sandbox::with_open_ca();
    let done = sandbox.pki("crl --for api-gateway --ca rootCA").succeeds();
    assert_text(
        &done.stderr,
        expect![[r#"
            notice: Amazon API Gateway: it does not check revocation itself: an authorizer reads the CRLs
        "#]],
    );
    assert_text(
        &normalised(&done.stdout),
        expect![[r#"
            signed the CRL of rootCA
              number       1
              entries      0
              next update  [time]
              der          ./pki/crl/rootCA.crl
        "#]],
    );
    let checked = sandbox
        .pki("crl --check --for api-gateway --ca rootCA")
        .succeeds();
    let verdict = "the set of CRLs fits Amazon API Gateway\n";
    assert!(checked.stdout.ends_with(verdict), "{checked}");
}

/// What else `pki crl` does, it does for a target too.
#[test]
fn a_list_that_is_good_or_was_signed_ahead_needs_no_key() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --for nginx --days 40").succeeds();
    sandbox
        .pki("crl --for nginx --ca rootCA --ahead 3 --every 30d")
        .succeeds();
    std::fs::rename(sandbox.path("pki/rootCA/ca.key"), sandbox.path("root.key")).unwrap();
    std::fs::rename(
        sandbox.path("pki/intermediate0/ca.key"),
        sandbox.path("i.key"),
    )
    .unwrap();
    let kept = assert_done(
        &sandbox,
        "crl --for nginx --if-needed --ca intermediate0",
        &[],
    );
    assert_eq!(kept["lists"][0]["signed"], false);
    let published = assert_done(&sandbox, "crl --for nginx --ca rootCA", &[]);
    assert_eq!(published["lists"][0]["number"], "2");
}

crate::engine::also_in_a_database! {
    the_chain_is_the_list_of_the_ca_and_of_all_above_it,
    check_names_the_files_that_a_target_reads_and_are_not_there, the_text_has_every_list_and_the_note,
}

crate::engine::soak_in_a_database! {
    each_target_gets_its_files,
}
