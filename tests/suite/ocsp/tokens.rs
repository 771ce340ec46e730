//! CAs whose keys are in tokens of SoftHSM.

use super::assert_says;
use crate::sandbox::Sandbox;

fn with_clients_of_tokens() -> Sandbox {
    let sandbox = Sandbox::with_cas_in_tokens();
    for line in [
        "issue --ca intermediate0 --cn good --out out --no-passphrase",
        "issue --ca intermediate0 --cn revoked --out out --no-passphrase",
        "revoke --ca intermediate0 --cn revoked",
    ] {
        sandbox.token(line).succeeds();
    }
    sandbox
}

fn signs(options: &str, later: &str) {
    let sandbox = with_clients_of_tokens();
    sandbox
        .token(&format!("ocsp --out responses {options}"))
        .succeeds();
    for (cn, status) in [("good", "good"), ("revoked", "revoked")] {
        let serial = sandbox.serial_of_cn("intermediate0", cn);
        let staple = format!("responses/intermediate0/staple/{serial}.ocsp");
        assert_says(sandbox.respin(&staple, cn, "sha1"), status);
        let line = format!("ocsp --ca intermediate0 --cn {cn} --cert-id sha256 --out one {later}");
        sandbox.token(&line).succeeds();
        assert_says(
            sandbox.respin(&format!("one/{cn}.ocsp"), cn, "sha256"),
            status,
        );
    }
    sandbox.checked("--out responses", 0);
    sandbox.token("check").succeeds();
}

#[test]
fn a_responder_of_a_ca_in_a_token_signs() {
    signs("--no-passphrase", "--no-passphrase");
}

#[test]
fn a_responder_of_a_ca_in_a_token_has_its_own_passphrase() {
    let sandbox = with_clients_of_tokens();
    sandbox.write("responder.pass", "a passphrase\n");
    sandbox
        .token("ocsp --ca intermediate0 --out responses --passout file:responder.pass")
        .succeeds();
    let serial = sandbox.serial_of_cn("intermediate0", "good");
    let staple = format!("responses/intermediate0/staple/{serial}.ocsp");
    assert_says(sandbox.respin(&staple, "good", "sha1"), "good");
    // The token is not needed while the responder is valid.
    let again = "ocsp --ca intermediate0 --out responses --passin file:responder.pass";
    sandbox.pki(again).succeeds();
    assert_says(sandbox.respin(&staple, "good", "sha1"), "good");
}

#[test]
fn a_ca_in_a_token_signs_responses_itself() {
    signs("--by-ca", "--by-ca");
}

crate::engine::also_in_a_database! {
    a_responder_of_a_ca_in_a_token_signs, a_responder_of_a_ca_in_a_token_has_its_own_passphrase,
    a_ca_in_a_token_signs_responses_itself,
}
