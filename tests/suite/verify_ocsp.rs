//! `pki verify --ocsp` and `pki show` over OCSP responses that `openssl` made, and those of `pki ocsp`.

use expect_test::{Expect, expect};

use crate::normalise::normalised;
use crate::sandbox::Sandbox;
use crate::verify::{assert_says, report};

/// A server of intermediate0, a responder, and a client whose certificate is for no responses; `openssl` answers
/// from an index of intermediate0.
fn with_responders() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "issue --ca intermediate0 --cn site.test --profile server --out . --no-passphrase",
        "issue --ca intermediate0 --cn other.test --profile server --out . --no-passphrase",
        "issue --ca intermediate0 --cn responder --profile ocsp --out . --no-passphrase",
        "issue --ca intermediate0 --cn client --out . --no-passphrase",
        "issue --ca intermediate2 --cn elsewhere --profile ocsp --out . --no-passphrase",
        "export --ca intermediate0 --out .",
        "ocsp --ca intermediate0 --index index",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Has `openssl` write `NAME.der`: a response about a certificate.
fn respond(sandbox: &Sandbox, name: &str, about: &str, signer: &str, options: &str) {
    sandbox
        .run(
            "openssl",
            &format!(
                "ocsp -issuer intermediate0.crt -cert {about}.crt -reqout {name}.req -no_nonce"
            ),
        )
        .succeeds();
    sandbox
        .run(
            "openssl",
            &format!(
                "ocsp -index index -CA intermediate0.crt -rsigner {signer}.crt -rkey {signer}.key -reqin {name}.req -respout {name}.der {options}"
            ),
        )
        .succeeds();
}

/// Asserts that the certificate is not accepted with a response, and why.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, line: &str, why: Expect) {
    assert_says(sandbox.pki(&format!("verify site.test.crt {line}")), 3, why);
}

#[test]
fn responses_of_openssl_decide() {
    let sandbox = with_responders();
    respond(&sandbox, "good", "site.test", "responder", "-ndays 7");
    assert_says(
        sandbox.pki("verify site.test.crt --ocsp good.der"),
        0,
        expect![[r#"
            valid: CN=site.test, by intermediate0, rootCA
              expires                    [time]
              not revoked, by the store  CN=intermediate0
              not revoked, by OCSP       CN=site.test
        "#]],
    );
    let json = sandbox.pki("verify site.test.crt --ocsp good.der --format json");
    let json = json.succeeds().json();
    assert_eq!(json["revocation"][0]["checked_by"], "ocsp");
    sandbox
        .pki("revoke --ca intermediate0 --cn site.test --reason superseded")
        .succeeds();
    // The response decides about it, not the record.
    sandbox
        .pki("verify site.test.crt --ocsp good.der")
        .succeeds();
    sandbox
        .pki("ocsp --ca intermediate0 --index index")
        .succeeds();
    respond(&sandbox, "revoked", "site.test", "responder", "-ndays 7");
    assert_refused(
        &sandbox,
        "--ocsp revoked.der",
        expect![[r#"
            not valid: CN=site.test was revoked at [time] (superseded), serial [serial]
        "#]],
    );
    sandbox.write("index", "");
    respond(&sandbox, "unknown", "site.test", "responder", "-ndays 7");
    assert_refused(
        &sandbox,
        "--ocsp unknown.der",
        expect![[r#"
            not valid: CN=site.test may be revoked: the OCSP responder does not know it
        "#]],
    );
}

#[test]
fn a_response_by_others_or_for_another_time_is_not_relied_on() {
    let sandbox = with_responders();
    respond(&sandbox, "other", "other.test", "responder", "-ndays 7");
    assert_refused(
        &sandbox,
        "--ocsp other.der",
        expect![[r#"
            not valid: CN=site.test may be revoked: no OCSP response about it is given
        "#]],
    );
    for signer in ["client", "elsewhere"] {
        respond(&sandbox, signer, "site.test", signer, "-ndays 7");
        assert_refused(
            &sandbox,
            &format!("--ocsp {signer}.der"),
            expect![[r#"
                not valid: CN=site.test may be revoked: its OCSP response is not signed by CN=intermediate0 or a responder that CN=intermediate0 certified
            "#]],
        );
    }
    respond(&sandbox, "endless", "site.test", "responder", "");
    assert_refused(
        &sandbox,
        "--ocsp endless.der",
        expect![[r#"
            not valid: CN=site.test may be revoked: its OCSP response has no nextUpdate
        "#]],
    );
    respond(&sandbox, "good", "site.test", "responder", "-ndays 7");
    assert_refused(
        &sandbox,
        "--ocsp good.der --at 8d",
        expect![[r#"
            not valid: CN=site.test may be revoked: its OCSP response expired at [time]
        "#]],
    );
    sandbox.python("future_response.py").succeeds();
    assert_refused(
        &sandbox,
        "--ocsp future.der",
        expect![[r#"
        not valid: CN=site.test may be revoked: its OCSP response is not valid before [time]
    "#]],
    );
    let mut changed = std::fs::read(sandbox.path("good.der")).unwrap();
    // The last byte of the thisUpdate is among what is signed.
    let place = changed
        .windows(2)
        .rposition(|pair| pair == [0x18, 0x0f])
        .unwrap();
    changed[place + 15] ^= 1;
    sandbox.write("changed.der", &changed);
    assert_refused(
        &sandbox,
        "--ocsp changed.der",
        expect![[r#"
            not valid: CN=site.test may be revoked: the signature of its OCSP response is wrong
        "#]],
    );
}

#[test]
fn crls_say_what_responses_do_not() {
    let sandbox = with_responders();
    respond(&sandbox, "endless", "site.test", "responder", "");
    sandbox.pki("crl --out crls").succeeds();
    assert_says(
        sandbox.pki(
            "verify site.test.crt --ocsp endless.der --crl crls/intermediate0.crl --crl crls/rootCA.crl",
        ),
        0,
        expect![[r#"
            valid: CN=site.test, by intermediate0, rootCA
              expires                  [time]
              not revoked, by its CRL  CN=site.test, CN=intermediate0
              OCSP response not used   CN=site.test: its OCSP response has no nextUpdate
        "#]],
    );
    sandbox.pki("ocsp --out responses").succeeds();
    let of = |ca: &str| {
        let files = sandbox.names_in(&format!("responses/{ca}/staple"));
        let files = files.iter();
        let options = files.map(|name| format!(" --ocsp responses/{ca}/staple/{name}"));
        options.collect::<String>()
    };
    let (leaves, cas) = (of("intermediate0"), of("rootCA"));
    assert_says(
        sandbox.pki(&format!("verify site.test.crt{leaves}{cas}")),
        0,
        expect![[r#"
            valid: CN=site.test, by intermediate0, rootCA
              expires               [time]
              not revoked, by OCSP  CN=site.test, CN=intermediate0
        "#]],
    );
}

#[test]
fn what_is_no_answer_is_refused_and_shown() {
    let sandbox = with_responders();
    // unauthorized.
    sandbox.write("refused.der", [0x30, 3, 0x0a, 1, 6]);
    sandbox
        .pki("verify site.test.crt --ocsp refused.der")
        .refuses(
            1,
            "invalid-input",
            expect![[r#"
            error: refused.der is not a file of OCSP responses
            caused by: the responder did not answer: unauthorized
        "#]],
        );
    assert_says(
        sandbox.pki("show refused.der"),
        0,
        expect![[r#"
            ocsp response
              response status  unauthorized
        "#]],
    );
    let crt = sandbox.pki("verify site.test.crt --ocsp site.test.crt");
    crt.refuses(
        1,
        "invalid-input",
        expect![[r#"
            error: site.test.crt is not a file of OCSP responses
            caused by: its object 1 is "CERTIFICATE"
        "#]],
    );
    sandbox
        .pki("revoke --ca intermediate0 --cn site.test --reason keyCompromise")
        .succeeds();
    sandbox
        .pki("ocsp --ca intermediate0 --cn site.test --out .")
        .succeeds();
    let shown = report(sandbox.pki("show site.test.ocsp"), 0);
    let lines = shown
        .lines()
        .filter(|line| !line.contains("hash") && !line.contains("by key"));
    let shown: Vec<&str> = lines.collect();
    expect![[r#"
        ocsp response
          response status      successful
          responder id
          produced at          [time]
          responses
            cert id
              serial number     [serial]
            cert status        revoked
            revocation time    [time]
            revocation reason  keyCompromise
            this update        [time]
            next update        [time]
            single extensions  none
          response extensions  none
          signature algorithm  ecdsa-with-SHA256
          certs
            subject             CN=responder
            serial number       [serial]
            not after           [time]
            fingerprint sha256  [fingerprint]"#]]
    .assert_eq(&normalised(&shown.join("\n")));
    let json = sandbox
        .pki("show site.test.ocsp --format json")
        .succeeds()
        .json();
    assert_eq!(json["responses"][0]["cert_status"], "revoked");
    assert_eq!(json["responses"][0]["revocation_reason"], "keyCompromise");
}

crate::engine::also_in_a_database! {
    responses_of_openssl_decide, a_response_by_others_or_for_another_time_is_not_relied_on,
    crls_say_what_responses_do_not, what_is_no_answer_is_refused_and_shown,
}
