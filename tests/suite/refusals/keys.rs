//! Keys in requests that nobody should trust: weak ones, known ones, odd ones.

use super::refusals;
use crate::sandbox::Sandbox;

refusals! { Sandbox::with_csrs();
    an_rsa_key_of_1024_bits: "issue --ca intermediate0 --csr csrs/rsa-1024.csr" => 1, "TBD";
    an_rsa_key_of_2047_bits: "issue --ca intermediate0 --csr csrs/rsa-2047.csr" => 1, "TBD";
    an_rsa_key_with_exponent_1: "issue --ca intermediate0 --csr csrs/rsa-exponent-1.csr" => 1, "TBD";
    an_rsa_key_with_an_even_exponent: "issue --ca intermediate0 --csr csrs/rsa-exponent-2.csr" => 1, "TBD";
    an_rsa_key_with_exponent_3: "issue --ca intermediate0 --csr csrs/rsa-exponent-3.csr" => 1, "TBD";
    an_rsa_key_of_the_roca_kind: "issue --ca intermediate0 --csr csrs/rsa-roca.csr" => 1, "TBD";
    a_key_on_secp256k1: "issue --ca intermediate0 --csr csrs/secp256k1.csr" => 1, "TBD";
    a_key_on_p224: "issue --ca intermediate0 --csr csrs/p224.csr" => 1, "TBD";
    a_key_on_brainpool_p256: "issue --ca intermediate0 --csr csrs/brainpool.csr" => 1, "TBD";
    a_point_off_its_curve: "issue --ca intermediate0 --csr csrs/off-curve.csr" => 1, "TBD";
    a_request_without_a_key: "issue --ca intermediate0 --csr csrs/empty-key.csr" => 1, "TBD";
}
