//! Refused revocations of certificates that are not on record.

use expect_test::expect;

use crate::sandbox::Sandbox;

use super::refusals;

/// What is refused leaves no record of the certificate.
fn with_every_refusal() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.signed_elsewhere("lost", "-set_serial 0x79");
    sandbox
        .pki("--store other root --name intermediate0 --no-passphrase")
        .succeeds();
    let issue = "--store other issue --ca intermediate0 --cn theirs --out out --no-passphrase";
    sandbox.pki(issue).succeeds();
    sandbox
        .run("openssl", "req -x509 -key pki/rootCA/ca.key -days 30")
        .words("-subj /CN=rootCA -out again.crt -addext subjectKeyIdentifier=none")
        .words("-addext authorityKeyIdentifier=none")
        .succeeds();
    sandbox.signed_elsewhere("twin", "-set_serial 0x80");
    sandbox.pki("revoke --cert twin.crt").succeeds();
    sandbox.signed_elsewhere("second", "-set_serial 0x80");
    sandbox
}

refusals! {
    with_every_refusal();

    a_hold_of_an_unrecorded_certificate: "revoke --ca intermediate0 --cert lost.crt --release" => 1,
        "certificate-not-found",
        expect![[r#"
            error: no certificate that is in lost.crt found for intermediate0
            hint: `pki list --ca intermediate0` shows what it has issued
        "#]];
    an_invalidity_date_in_the_future: "revoke --cert lost.crt --invalidity-date 2099-01-01" => 1,
        "invalidity-date-in-future",
        expect![[r#"
            error: the invalidity date is in the future
            hint: use the time since which the key may be compromised
        "#]];
    a_certificate_of_no_ca_of_the_store: "revoke --cert out/theirs.crt" => 1,
        "issuer-not-found",
        expect![[r#"
            error: no CA of the store issued the certificate out/theirs.crt
            hint: the certificate's issuer is not in the store; `pki tree` shows its CAs
        "#]];
    a_certificate_of_another_ca_of_that_name: "revoke --ca intermediate0 --cert out/theirs.crt" => 1,
        "not-issued-by-ca",
        expect![[r#"
            error: intermediate0 did not issue the certificate out/theirs.crt
            hint: remove --ca: the certificate identifies the CA
        "#]];
    another_certificate_of_a_roots_own_key: "revoke --cert again.crt" => 1,
        "own-certificate",
        expect![[r#"
            error: rootCA cannot revoke its own certificate
            hint: the parent CA revokes a CA; a root is removed from the trust stores
        "#]];
    a_second_certificate_with_the_serial_number: "revoke --cert second.crt" => 1,
        "serial-in-use",
        expect![[r#"
            error: intermediate0 has another certificate with the serial number 80 on record; it differs from second.crt
            hint: a CRL contains only serial numbers: `pki revoke --ca intermediate0 --serial 0x80` revokes both certificates
        "#]];
    an_unknown_serial_number: "revoke --ca intermediate0 --serial 0x79" => 1,
        "certificate-not-found",
        expect![[r#"
            error: certificate 79 of intermediate0 not found
            hint: `pki list --ca intermediate0` shows the record; `pki revoke --cert FILE` revokes a certificate that is not on record
        "#]];
    a_file_without_a_certificate: "revoke --cert lost.key" => 1,
        "invalid-input",
        expect![[r#"
            error: lost.key is not a file of certificates
            caused by: its object 1 is "PRIVATE KEY"
        "#]];
}
