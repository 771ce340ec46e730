//! Requests that are broken or forged.

use super::refusals;
use crate::sandbox::Sandbox;

refusals! { Sandbox::with_csrs();
    a_signature_of_another_subject: "issue --ca intermediate0 --csr csrs/bad-signature.csr" => 1, "TBD";
    an_empty_signature: "issue --ca intermediate0 --csr csrs/empty-signature.csr" => 1, "TBD";
    half_a_request: "issue --ca intermediate0 --csr csrs/truncated.csr" => 1, "TBD";
    a_request_with_a_byte_too_many: "issue --ca intermediate0 --csr csrs/trailing.csr" => 1, "TBD";
    a_request_of_version_8: "issue --ca intermediate0 --csr csrs/version-7.csr" => 1, "TBD";
    a_length_of_two_gigabytes: "issue --ca intermediate0 --csr csrs/huge-length.csr" => 1, "TBD";
    five_thousand_sequences_in_each_other: "issue --ca intermediate0 --csr csrs/deep.csr" => 1, "TBD";
    names_asked_for_twice: "issue --ca intermediate0 --csr csrs/san-twice.csr" => 1, "TBD";
    two_requests_in_one_file: "issue --ca intermediate0 --csr csrs/pem-two.csr" => 1, "TBD";
    a_request_without_its_end_marker: "issue --ca intermediate0 --csr csrs/pem-no-end.csr" => 1, "TBD";
    a_request_labelled_as_a_certificate: "issue --ca intermediate0 --csr csrs/pem-certificate.csr" => 1, "TBD";
    a_request_that_is_not_base64: "issue --ca intermediate0 --csr csrs/pem-not-base64.csr" => 1, "TBD";
    an_empty_file: "issue --ca intermediate0 --csr csrs/empty.csr" => 1, "TBD";
    a_file_that_is_not_there: "issue --ca intermediate0 --csr missing.csr" => 1, "TBD";
    a_folder_in_place_of_a_request: "issue --ca intermediate0 --csr csrs" => 1, "TBD";
    a_certificate_in_place_of_a_request: "issue --ca intermediate0 --csr pki/rootCA/ca.crt" => 1, "TBD";
    a_key_in_place_of_a_request: "issue --ca intermediate0 --csr pki/rootCA/ca.key" => 1, "TBD";
}
