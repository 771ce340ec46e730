/* Verifies a certificate with Mbed TLS: mbedtls TRUST_STORE CRLS CHAIN */
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    mbedtls_x509_crt trusted, chain;
    mbedtls_x509_crl crls;
    mbedtls_x509_crt_init(&trusted);
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crl_init(&crls);
    if (mbedtls_x509_crt_parse_file(&trusted, argv[1]) != 0 ||
        mbedtls_x509_crl_parse_file(&crls, argv[2]) != 0 ||
        mbedtls_x509_crt_parse_file(&chain, argv[3]) != 0)
        return 2;
    uint32_t flags = 0;
    if (mbedtls_x509_crt_verify(&chain, &trusted, &crls, NULL, &flags, NULL, NULL) != 0) {
        char why[1024];
        mbedtls_x509_crt_verify_info(why, sizeof why, "", flags);
        printf("%s", why);
        return 1;
    }
    return 0;
}
