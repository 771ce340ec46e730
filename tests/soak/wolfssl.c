/* Verifies a certificate with wolfSSL: wolfssl TRUST_STORE CERTIFICATE CRL... */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    wolfSSL_Init();
    WOLFSSL_CERT_MANAGER *manager = wolfSSL_CertManagerNew();
    if (wolfSSL_CertManagerLoadCA(manager, argv[1], NULL) != WOLFSSL_SUCCESS ||
        wolfSSL_CertManagerEnableCRL(manager, WOLFSSL_CRL_CHECKALL) != WOLFSSL_SUCCESS)
        return 2;
    for (int i = 3; i < argc; i++)
        if (wolfSSL_CertManagerLoadCRLFile(manager, argv[i], WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
            return 2;
    int verdict = wolfSSL_CertManagerVerify(manager, argv[2], WOLFSSL_FILETYPE_PEM);
    if (verdict != WOLFSSL_SUCCESS) {
        printf("%s\n", wolfSSL_ERR_reason_error_string(verdict));
        return 1;
    }
    return 0;
}
