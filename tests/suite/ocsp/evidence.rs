//! Evidence against a certificate that `pki verify --ocsp` must not overlook, and files that `pki ocsp` must not replace.

use std::fs;

use crate::sandbox::Sandbox;

/// A leaf whose responses of before and after its revocation are `before.der` and `after.der`; the first lasts longer.
fn revoked_between() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    sandbox
        .pki("issue --ca intermediate0 --cn leaf --out . --no-passphrase")
        .succeeds();
    respond(&sandbox, "before", 30);
    sandbox
        .pki("revoke --ca intermediate0 --cn leaf --reason keyCompromise")
        .succeeds();
    respond(&sandbox, "after", 1);
    sandbox.pki("crl --out crls").succeeds();
    sandbox
}

fn respond(sandbox: &Sandbox, name: &str, days: u32) {
    sandbox
        .pki(&format!(
            "ocsp --ca intermediate0 --cn leaf --out {name} --days {days}"
        ))
        .succeeds();
}

#[track_caller]
fn assert_invalid(sandbox: &Sandbox, options: &str) {
    let run = sandbox.pki(&format!("verify leaf.crt {options} --format json"));
    let report = run.ends_with(3).json();
    assert_eq!(report["valid"], false, "{report}");
}

#[test]
fn a_newer_response_that_expired_is_not_overlooked() {
    let sandbox = revoked_between();
    let both = ["before", "after"].map(|name| format!("--ocsp {name}/leaf.ocsp"));
    sandbox
        .pki(&format!("verify leaf.crt {} --at 3d", both[0]))
        .succeeds();
    assert_invalid(&sandbox, &format!("{} --at 3d", both.join(" ")));
    // In the same second the worse one counts, whatever the order.
    assert_invalid(&sandbox, &both.join(" "));
    assert_invalid(&sandbox, &format!("{} {}", both[1], both[0]));
}

#[test]
fn a_crl_that_is_given_counts_beside_a_good_response() {
    let sandbox = revoked_between();
    assert_invalid(
        &sandbox,
        "--ocsp before/leaf.ocsp --crl crls/intermediate0.crl --crl crls/rootCA.crl",
    );
}

#[test]
fn a_revoked_responder_vouches_for_nothing() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox
        .pki("issue --ca intermediate0 --cn leaf --out . --no-passphrase")
        .succeeds();
    respond(&sandbox, "responses", 7);
    sandbox
        .pki("verify leaf.crt --ocsp responses/leaf.ocsp")
        .succeeds();
    sandbox
        .pki("revoke --ca intermediate0 --reason keyCompromise --cn")
        .arg("intermediate0 OCSP responder")
        .succeeds();
    sandbox.pki("crl --out crls").succeeds();
    assert_invalid(&sandbox, "--ocsp responses/leaf.ocsp");
    // The CRL is about the leaf, too, and says that it is not revoked.
    let run = sandbox.pki(
        "verify leaf.crt --ocsp responses/leaf.ocsp --crl crls/intermediate0.crl --crl crls/rootCA.crl --format json",
    );
    assert_eq!(run.succeeds().json()["revocation"][0]["checked_by"], "list");
}

#[test]
fn the_response_of_a_ca_that_expired_leaves_it_unchecked_no_more() {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "issue --ca intermediate0 --cn leaf --out . --no-passphrase",
        "export --ca rootCA --out .",
        "ocsp --ca intermediate0 --cn leaf --out . --days 30",
        "ocsp --ca rootCA --out responses --days 1",
    ] {
        sandbox.pki(line).succeeds();
    }
    let root = sandbox.names_in("responses/rootCA/staple");
    let options: Vec<String> = root
        .iter()
        .map(|name| format!("--ocsp responses/rootCA/staple/{name}"))
        .collect();
    fs::rename(sandbox.path("pki"), sandbox.path("elsewhere")).unwrap();
    let verify = |at: &str| {
        sandbox.pki(&format!(
            "verify leaf.fullchain.pem --bundle rootCA.crt --ocsp leaf.ocsp {} {at}",
            options.join(" ")
        ))
    };
    verify("").succeeds();
    verify("--at 3d").ends_with(3);
}

#[test]
fn an_index_replaces_nothing_but_an_index() {
    let sandbox = Sandbox::with_three_tiers();
    let key = "pki/rootCA/ca.key";
    let before = sandbox.read(key);
    sandbox
        .pki(&format!("ocsp --ca rootCA --index {key}"))
        .refusal(1, "file-foreign");
    assert_eq!(sandbox.read(key), before);
    sandbox.write("index.attr", "my own notes\n");
    let line = "ocsp --ca rootCA --index index";
    sandbox.pki(line).refusal(1, "file-foreign");
    sandbox.pki(&format!("{line} --force")).succeeds();
    sandbox.pki(line).succeeds();
}

#[test]
fn files_that_are_no_responses_stay() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.pki("ocsp --ca rootCA --out responses").succeeds();
    for name in ["Makefile", "staple/.ocsp", "staple/README"] {
        let path = format!("responses/rootCA/{name}");
        sandbox.write(&path, "precious");
        sandbox
            .pki("ocsp --ca rootCA --out responses")
            .refusal(1, "file-foreign");
        assert_eq!(sandbox.read(&path), "precious");
        fs::remove_file(sandbox.path(&path)).unwrap();
    }
}

#[test]
fn a_responder_that_was_renewed_with_its_key_goes_on() {
    let sandbox = Sandbox::with_three_tiers();
    let line = "ocsp --ca intermediate0 --out responses";
    sandbox.pki("issue --ca intermediate0 --cn leaf").succeeds();
    sandbox.pki(line).succeeds();
    sandbox
        .pki("renew --ca intermediate0 --cn")
        .arg("intermediate0 OCSP responder")
        .succeeds();
    sandbox.pki(&format!("{line} --if-needed")).succeeds();
    let kept = sandbox.pki(&format!("{line} --if-needed --format json"));
    assert_eq!(kept.succeeds().json()[0]["signed"], 0);
    sandbox.pki(&format!("{line} --check")).succeeds();
}

#[test]
fn a_name_of_any_length_has_a_responder() {
    let sandbox = Sandbox::new();
    let name = "n".repeat(64);
    for line in [
        format!("root --name {name} --cn short --no-passphrase"),
        format!("ocsp --ca {name} --out responses"),
        format!("ocsp --ca {name} --out responses --check"),
    ] {
        sandbox.pki(&line).succeeds();
    }
}

/// Nothing is left to sign: a nightly run succeeds, although the CA can't sign.
#[test]
fn a_ca_without_unexpired_certificates_needs_no_signer() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name old --days 1 --no-passphrase")
        .succeeds();
    let in_two_days = |line: &str| {
        let run = sandbox.run("faketime", "-f +2d");
        run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
    };
    let run = in_two_days("ocsp --ca old --out responses --if-needed --format json");
    assert_eq!(run.succeeds().json()[0]["certificates"], 0);
}

crate::engine::also_in_a_database! {
    a_newer_response_that_expired_is_not_overlooked, a_crl_that_is_given_counts_beside_a_good_response,
    a_revoked_responder_vouches_for_nothing, an_index_replaces_nothing_but_an_index,
    files_that_are_no_responses_stay, a_responder_that_was_renewed_with_its_key_goes_on,
    a_name_of_any_length_has_a_responder, a_ca_without_unexpired_certificates_needs_no_signer,
}
