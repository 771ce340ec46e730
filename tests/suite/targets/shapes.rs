//! What `--for` writes, what it refuses to write, and what a new bundle changes.

use expect_test::expect;

use super::rules;
use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

#[test]
fn a_bundle_that_breaks_a_limit_is_not_written() {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "subordinate --ca intermediate2 --name intermediate3 --no-passphrase",
        "bundle --ca intermediate2 --for alb --out truststore.pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    let before = sandbox.read("truststore.pem");
    let line = "bundle --ca intermediate3 --for alb --out truststore.pem";
    let refused = sandbox.pki(line).ends_with(1);
    assert_text(
        &refused.stdout,
        expect![[r#"
            the bundle does not fit AWS Application Load Balancer: 1 error
              error: path-depth  the longest path, including a leaf, has 5 certificates; the limit is 4
        "#]],
    );
    assert_text(
        &refused.stderr,
        expect![[r#"
            error: nothing was written: the bundle breaks rules of the target
            hint: choose other CAs with --ca, or fix the findings
        "#]],
    );
    assert_eq!(sandbox.read("truststore.pem"), before);
    let report = sandbox.pki("--format json").words(line).ends_with(1).json();
    assert_eq!(rules(&report, "error"), ["path-depth"]);
    assert!(report["file"].is_null());
}

#[test]
fn a_warning_stops_nothing_and_is_said() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --days 20 --no-passphrase")
        .succeeds();
    let written = sandbox.pki("--format json bundle --for alb").succeeds();
    assert_text(
        &normalised(&written.text_of_stderr()),
        expect![[r#"
            warning: CN=rootCA expires at [time] (ends-soon)
        "#]],
    );
    assert_eq!(rules(&written.json(), "warning"), ["ends-soon"]);
    sandbox.read("truststore.pem");
}

#[test]
fn what_a_bundle_changes_about_the_one_in_its_place_is_said() {
    let sandbox = Sandbox::with_three_tiers();
    let first = sandbox.pki("--format json bundle --ca intermediate0");
    assert!(first.succeeds().json()["changes"].is_null());
    let changed = sandbox
        .pki("--format json bundle --ca intermediate1")
        .succeeds();
    let report = changed.json();
    let subjects = |which: &str| {
        let entries = report["changes"][which].as_array().unwrap().iter();
        entries
            .map(|entry| entry["subject"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects("added"), ["CN=intermediate1"]);
    assert_eq!(subjects("removed"), ["CN=intermediate0"]);
    assert_eq!(subjects("kept"), ["CN=rootCA"]);
    let text = sandbox.pki("bundle --ca intermediate0").succeeds().stdout;
    let labels = text.lines().skip(1).map(|line| {
        let words = line.split_whitespace().take(2).collect::<Vec<_>>();
        words.join(" ")
    });
    assert_eq!(
        labels.collect::<Vec<_>>(),
        [
            "1 CN=intermediate0,",
            "2 CN=rootCA,",
            "added CN=intermediate0,",
            "removed CN=intermediate1,",
            "kept CN=rootCA,"
        ]
    );
}

/// The subjects of a file, as openssl reads them.
#[track_caller]
fn subjects(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let line = format!("storeutl -noout -text -certs {file}");
    let printed = sandbox.run("openssl", &line).succeeds();
    let names = printed.stdout.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("Subject: CN=")?;
        Some(name.to_owned())
    });
    names.collect()
}

#[test]
fn gcp_gets_anchors_and_intermediates_apart() {
    let sandbox = Sandbox::with_three_tiers();
    let line = "--format json bundle --for gcp --out trust/anchors.pem";
    std::fs::create_dir(sandbox.path("trust")).unwrap();
    let report = sandbox.pki(line).succeeds().json();
    let files = ["trust/anchors.pem", "trust/anchors.intermediates.pem"];
    assert_eq!(report["files"], serde_json::json!(files));
    assert_eq!(subjects(&sandbox, files[0]), ["rootCA"]);
    assert_eq!(
        subjects(&sandbox, files[1]),
        ["intermediate0", "intermediate2", "intermediate1"]
    );
    for file in files {
        let check = format!("bundle --for gcp --check {file}");
        sandbox.pki(&check).succeeds();
    }
    sandbox.pki("bundle --for gcp --out -").refuses(
        2,
        "usage",
        expect![[r#"
            error: --out - is one file, but the bundle has several: give the name of the first
        "#]],
    );
}

#[test]
fn azure_gets_a_chain_a_file() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.pki("bundle --for azure --out chain.pem").succeeds();
    assert_eq!(sandbox.names_in("."), ["chain.1.pem", "chain.2.pem", "pki"]);
    assert_eq!(
        subjects(&sandbox, "chain.1.pem"),
        ["intermediate0", "rootCA"]
    );
    assert_eq!(
        subjects(&sandbox, "chain.2.pem"),
        ["intermediate2", "intermediate1", "rootCA"]
    );
    for file in ["chain.1.pem", "chain.2.pem"] {
        let check = format!("bundle --for azure --check {file}");
        sandbox.pki(&check).succeeds();
    }
}

#[test]
fn iot_gets_the_one_certificate_that_was_named() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("bundle --for iot --ca intermediate0")
        .succeeds();
    assert_eq!(subjects(&sandbox, "truststore.pem"), ["intermediate0"]);
    let all = sandbox.pki("--format json bundle --for iot").ends_with(1);
    assert_eq!(rules(&all.json(), "error"), ["certificate-count"]);
}

#[test]
fn servers_are_told_of_long_paths_where_they_have_to_be() {
    let sandbox = Sandbox::with_three_tiers();
    let notice = |target: &str, ca: &str| {
        let line = format!("bundle --for {target} --ca {ca} --out {target}.pem");
        sandbox.pki(&line).succeeds().stderr
    };
    assert_text(
        &notice("nginx", "intermediate2"),
        expect![[r#"
            notice: configure the server for paths of this length: ssl_verify_depth 2;
        "#]],
    );
    assert_eq!(notice("nginx", "intermediate0"), "");
    assert_text(
        &notice("apache", "intermediate0"),
        expect![[r#"
            notice: configure the server for paths of this length: SSLVerifyDepth 2
        "#]],
    );
    assert_eq!(notice("haproxy", "intermediate2"), "");
}

#[test]
fn gcp_takes_paths_of_ten_and_no_longer() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name c1 --no-passphrase").succeeds();
    for number in 2..=10 {
        let above = number - 1;
        let line = format!("subordinate --ca c{above} --name c{number} --no-passphrase");
        sandbox.pki(&line).succeeds();
    }
    sandbox.pki("bundle --for gcp --ca c9").succeeds();
    let longer = sandbox
        .pki("--format json bundle --for gcp --ca c10")
        .ends_with(1);
    assert_eq!(rules(&longer.json(), "error"), ["path-depth"]);
}
