//! Requests that are broken or forged.

use expect_test::expect;

use super::refusals;
use crate::sandbox::Sandbox;

refusals! { Sandbox::with_csrs();
    a_signature_of_another_subject: "issue --ca intermediate0 --csr csrs/bad-signature.csr" => 1, "invalid-signature", expect![[r#"
        error: csrs/bad-signature.csr is not a CSR that can be used
        caused by: the signature is invalid: it was not made with the key
    "#]];
    an_empty_signature: "issue --ca intermediate0 --csr csrs/empty-signature.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/empty-signature.csr is not a certificate signing request (CSR)
        caused by: it is not DER: a BIT STRING with wrong unused bits
    "#]];
    half_a_request: "issue --ca intermediate0 --csr csrs/truncated.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/truncated.csr is not a certificate signing request (CSR)
        caused by: it ends in the middle of a value
    "#]];
    a_request_with_a_byte_too_many: "issue --ca intermediate0 --csr csrs/trailing.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/trailing.csr is not a certificate signing request (CSR)
        caused by: it is not DER: bytes after the end
    "#]];
    a_length_of_two_gigabytes: "issue --ca intermediate0 --csr csrs/huge-length.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/huge-length.csr is not a certificate signing request (CSR)
        caused by: it ends in the middle of a value
    "#]];
    five_thousand_sequences_in_each_other: "issue --ca intermediate0 --csr csrs/deep.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/deep.csr is not a certificate signing request (CSR)
        caused by: it ends in the middle of a value
    "#]];
    names_asked_for_twice: "issue --ca intermediate0 --csr csrs/san-twice.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/san-twice.csr is not a certificate signing request (CSR)
        caused by: it has the extension subjectAltName twice
    "#]];
    two_requests_in_one_file: "issue --ca intermediate0 --csr csrs/pem-two.csr" => 1, "invalid-input", expect![[r#"
        error: csrs/pem-two.csr is not a certificate signing request (CSR)
        caused by: it has 2 CSRs
    "#]];
    a_request_without_its_end_marker: "issue --ca intermediate0 --csr csrs/pem-no-end.csr" => 1, "invalid-pem", expect![[r#"
        error: csrs/pem-no-end.csr is not a certificate signing request (CSR)
        caused by: line 1: CERTIFICATE REQUEST has no END marker; the file may be cut off
    "#]];
    a_request_labelled_as_a_certificate: "issue --ca intermediate0 --csr csrs/pem-certificate.csr" => 1, "invalid-input", expect![[r#"
        error: csrs/pem-certificate.csr is not a certificate signing request (CSR)
        caused by: it has only "CERTIFICATE"
    "#]];
    a_request_that_is_not_base64: "issue --ca intermediate0 --csr csrs/pem-not-base64.csr" => 1, "invalid-pem", expect![[r#"
        error: csrs/pem-not-base64.csr is not a certificate signing request (CSR)
        caused by: line 1: CERTIFICATE REQUEST is not base64 between its markers
    "#]];
    an_empty_file: "issue --ca intermediate0 --csr csrs/empty.csr" => 1, "invalid-input", expect![[r#"
        error: csrs/empty.csr is not a certificate signing request (CSR)
        caused by: the file is empty
    "#]];
    a_file_that_is_not_there: "issue --ca intermediate0 --csr missing.csr" => 1, "file-not-found", expect![[r#"
        error: could not read missing.csr
        caused by: No such file or directory (os error 2)
    "#]];
    a_folder_in_place_of_a_request: "issue --ca intermediate0 --csr csrs" => 1, "is-a-directory", expect![[r#"
        error: could not read csrs
        caused by: Is a directory (os error 21)
    "#]];
    a_certificate_in_place_of_a_request: "issue --ca intermediate0 --csr pki/rootCA/ca.crt" => 1, "invalid-input", expect![[r#"
        error: pki/rootCA/ca.crt is not a certificate signing request (CSR)
        caused by: it has only "CERTIFICATE"
    "#]];
    a_key_in_place_of_a_request: "issue --ca intermediate0 --csr pki/rootCA/ca.key" => 1, "invalid-input", expect![[r#"
        error: pki/rootCA/ca.key is not a certificate signing request (CSR)
        caused by: it has only "PRIVATE KEY"
    "#]];
}
