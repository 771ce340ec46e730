//! Successors that do not last longer than what they follow.

use crate::run::assert_same;
use crate::sandbox::Sandbox;

/// The one that was issued later and expires sooner, or at the same second, is not called newer.
#[test]
fn a_successor_that_does_not_last_longer_is_not_newer() {
    let sandbox = Sandbox::with_open_ca();
    let issue = |end: &str| {
        let line = format!("--format json issue --ca intermediate0 --cn a --not-after {end}");
        let issued = sandbox.pki(&line).succeeds().json();
        issued["serial"].as_str().unwrap().to_owned()
    };
    let first = issue("60d");
    let end = |serial: &str| {
        let shown = sandbox
            .pki("--format json list --ca intermediate0")
            .succeeds();
        let all = shown.json();
        let mut all = all.as_array().unwrap().iter();
        let entry = all.find(|entry| entry["serial"] == serial).unwrap();
        entry["not_after"].as_str().unwrap().to_owned()
    };
    issue("30d");
    issue(&end(&first));
    let renewed = sandbox
        .pki("renew --ca intermediate0 --serial")
        .arg(format!("0x{first}"))
        .succeeds();
    assert_same(&renewed.stderr, "");
}

crate::engine::also_in_a_database! {
    a_successor_that_does_not_last_longer_is_not_newer,
}
