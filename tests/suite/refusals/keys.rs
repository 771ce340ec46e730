//! Keys in requests that nobody should trust: weak ones, known ones, odd ones.

use expect_test::expect;

use super::refusals;
use crate::sandbox::Sandbox;

refusals! { Sandbox::with_csrs();
    an_rsa_key_of_1024_bits: "issue --ca intermediate0 --csr csrs/rsa-1024.csr" => 1, "key-weak", expect![[r#"
        error: csrs/rsa-1024.csr is not a CSR that can be used
        caused by: the public key is weak: the RSA modulus has 1024 bits, fewer than 2048
    "#]];
    an_rsa_key_of_2047_bits: "issue --ca intermediate0 --csr csrs/rsa-2047.csr" => 1, "key-weak", expect![[r#"
        error: csrs/rsa-2047.csr is not a CSR that can be used
        caused by: the public key is weak: the RSA modulus has 2047 bits, fewer than 2048
    "#]];
    an_rsa_key_with_exponent_1: "issue --ca intermediate0 --csr csrs/rsa-exponent-1.csr" => 1, "key-weak", expect![[r#"
        error: csrs/rsa-exponent-1.csr is not a CSR that can be used
        caused by: the public key is weak: the RSA public exponent is 1, below 65537
    "#]];
    an_rsa_key_with_an_even_exponent: "issue --ca intermediate0 --csr csrs/rsa-exponent-2.csr" => 1, "key-weak", expect![[r#"
        error: csrs/rsa-exponent-2.csr is not a CSR that can be used
        caused by: the public key is weak: the RSA public exponent is even
    "#]];
    an_rsa_key_with_exponent_3: "issue --ca intermediate0 --csr csrs/rsa-exponent-3.csr" => 1, "key-weak", expect![[r#"
        error: csrs/rsa-exponent-3.csr is not a CSR that can be used
        caused by: the public key is weak: the RSA public exponent is 3, below 65537
    "#]];
    an_rsa_key_of_the_roca_kind: "issue --ca intermediate0 --csr csrs/rsa-roca.csr" => 1, "key-weak", expect![[r#"
        error: csrs/rsa-roca.csr is not a CSR that can be used
        caused by: the public key is weak: the RSA key has the ROCA fingerprint (CVE-2017-15361)
    "#]];
    a_key_on_secp256k1: "issue --ca intermediate0 --csr csrs/secp256k1.csr" => 1, "key-type-unsupported", expect![[r#"
        error: csrs/secp256k1.csr is not a CSR that can be used
        caused by: keys of type secp256k1 are not supported
    "#]];
    a_key_on_p224: "issue --ca intermediate0 --csr csrs/p224.csr" => 1, "key-type-unsupported", expect![[r#"
        error: csrs/p224.csr is not a CSR that can be used
        caused by: keys of type secp224r1 are not supported
    "#]];
    a_key_on_brainpool_p256: "issue --ca intermediate0 --csr csrs/brainpool.csr" => 1, "key-type-unsupported", expect![[r#"
        error: csrs/brainpool.csr is not a CSR that can be used
        caused by: keys of type 1.3.36.3.3.2.8.1.1.7 are not supported
    "#]];
    a_point_off_its_curve: "issue --ca intermediate0 --csr csrs/off-curve.csr" => 1, "invalid-key", expect![[r#"
        error: csrs/off-curve.csr is not a CSR that can be used
        caused by: the key's numbers are inconsistent: InvalidEncoding
    "#]];
    a_request_without_a_key: "issue --ca intermediate0 --csr csrs/empty-key.csr" => 1, "invalid-der", expect![[r#"
        error: csrs/empty-key.csr is not a certificate signing request (CSR)
        caused by: it is not DER: a BIT STRING with wrong unused bits
    "#]];
}
