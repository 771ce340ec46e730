//! The object identifiers that `pki` writes or names.

use const_oid::ObjectIdentifier;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal, $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);)*

        /// The name that standards give an identifier, if `pki` knows it.
        pub(crate) fn name(oid: &ObjectIdentifier) -> Option<&'static str> {
            $(if *oid == $name { return Some($text); })*
            None
        }
    };
}

/// Returns the name that standards give an identifier, or the identifier in dots.
pub(crate) fn called(oid: &ObjectIdentifier) -> String {
    name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

identifiers! {
    // Keys and signatures: RFC 3279, 4055, 5480, 5758, 8410, 9881.
    EC_PUBLIC_KEY = "1.2.840.10045.2.1", "id-ecPublicKey";
    P256 = "1.2.840.10045.3.1.7", "secp256r1";
    P384 = "1.3.132.0.34", "secp384r1";
    P521 = "1.3.132.0.35", "secp521r1";
    SECP256K1 = "1.3.132.0.10", "secp256k1";
    P224 = "1.3.132.0.33", "secp224r1";
    P192 = "1.2.840.10045.3.1.1", "secp192r1";
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1", "rsaEncryption";
    RSASSA_PSS = "1.2.840.113549.1.1.10", "id-RSASSA-PSS";
    SHA1_WITH_RSA = "1.2.840.113549.1.1.5", "sha1WithRSAEncryption";
    SHA256_WITH_RSA = "1.2.840.113549.1.1.11", "sha256WithRSAEncryption";
    SHA384_WITH_RSA = "1.2.840.113549.1.1.12", "sha384WithRSAEncryption";
    SHA512_WITH_RSA = "1.2.840.113549.1.1.13", "sha512WithRSAEncryption";
    MD5_WITH_RSA = "1.2.840.113549.1.1.4", "md5WithRSAEncryption";
    SHA224_WITH_RSA = "1.2.840.113549.1.1.14", "sha224WithRSAEncryption";
    SHA3_256_WITH_RSA = "2.16.840.1.101.3.4.3.14", "id-rsassa-pkcs1-v1_5-with-sha3-256";
    SHA3_384_WITH_RSA = "2.16.840.1.101.3.4.3.15", "id-rsassa-pkcs1-v1_5-with-sha3-384";
    SHA3_512_WITH_RSA = "2.16.840.1.101.3.4.3.16", "id-rsassa-pkcs1-v1_5-with-sha3-512";
    ECDSA_WITH_SHA224 = "1.2.840.10045.4.3.1", "ecdsa-with-SHA224";
    ECDSA_WITH_SHA3_256 = "2.16.840.1.101.3.4.3.10", "id-ecdsa-with-sha3-256";
    ECDSA_WITH_SHA3_384 = "2.16.840.1.101.3.4.3.11", "id-ecdsa-with-sha3-384";
    ECDSA_WITH_SHA3_512 = "2.16.840.1.101.3.4.3.12", "id-ecdsa-with-sha3-512";
    ECDSA_WITH_SHA1 = "1.2.840.10045.4.1", "ecdsa-with-SHA1";
    ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2", "ecdsa-with-SHA256";
    ECDSA_WITH_SHA384 = "1.2.840.10045.4.3.3", "ecdsa-with-SHA384";
    ECDSA_WITH_SHA512 = "1.2.840.10045.4.3.4", "ecdsa-with-SHA512";
    ED25519 = "1.3.101.112", "id-Ed25519";
    ED448 = "1.3.101.113", "id-Ed448";
    X25519 = "1.3.101.110", "id-X25519";
    DSA = "1.2.840.10040.4.1", "id-dsa";
    ML_DSA_44 = "2.16.840.1.101.3.4.3.17", "id-ml-dsa-44";
    ML_DSA_65 = "2.16.840.1.101.3.4.3.18", "id-ml-dsa-65";
    ML_DSA_87 = "2.16.840.1.101.3.4.3.19", "id-ml-dsa-87";
    SHA1 = "1.3.14.3.2.26", "sha1";
    SHA256 = "2.16.840.1.101.3.4.2.1", "sha256";
    SHA384 = "2.16.840.1.101.3.4.2.2", "sha384";
    SHA512 = "2.16.840.1.101.3.4.2.3", "sha512";
    MGF1 = "1.2.840.113549.1.1.8", "id-mgf1";

    // Files of certificates: RFC 5652.
    SIGNED_DATA = "1.2.840.113549.1.7.2", "id-signedData";

    // Key encryption: RFC 8018.
    PBES2 = "1.2.840.113549.1.5.13", "PBES2";
    PBKDF2 = "1.2.840.113549.1.5.12", "PBKDF2";
    HMAC_SHA1 = "1.2.840.113549.2.7", "hmacWithSHA1";
    HMAC_SHA256 = "1.2.840.113549.2.9", "hmacWithSHA256";
    HMAC_SHA384 = "1.2.840.113549.2.10", "hmacWithSHA384";
    HMAC_SHA512 = "1.2.840.113549.2.11", "hmacWithSHA512";
    AES_128_CBC = "2.16.840.1.101.3.4.1.2", "aes128-CBC-PAD";
    AES_256_CBC = "2.16.840.1.101.3.4.1.42", "aes256-CBC-PAD";

    // Key encryption of old: RFC 8018 appendix A.3, RFC 7292 appendix C.
    PBE_MD2_DES = "1.2.840.113549.1.5.1", "pbeWithMD2AndDES-CBC";
    PBE_MD2_RC2 = "1.2.840.113549.1.5.4", "pbeWithMD2AndRC2-CBC";
    PBE_MD5_DES = "1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC";
    PBE_MD5_RC2 = "1.2.840.113549.1.5.6", "pbeWithMD5AndRC2-CBC";
    PBE_SHA1_DES = "1.2.840.113549.1.5.10", "pbeWithSHA1AndDES-CBC";
    PBE_SHA1_RC2 = "1.2.840.113549.1.5.11", "pbeWithSHA1AndRC2-CBC";
    PBE_SHA1_128_RC4 = "1.2.840.113549.1.12.1.1", "pbeWithSHAAnd128BitRC4";
    PBE_SHA1_40_RC4 = "1.2.840.113549.1.12.1.2", "pbeWithSHAAnd40BitRC4";
    PBE_SHA1_2_KEY_3DES = "1.2.840.113549.1.12.1.4", "pbeWithSHAAnd2-KeyTripleDES-CBC";
    PBE_SHA1_128_RC2 = "1.2.840.113549.1.12.1.5", "pbeWithSHAAnd128BitRC2-CBC";
    PBE_SHA1_40_RC2 = "1.2.840.113549.1.12.1.6", "pbeWithSHAAnd40BitRC2-CBC";

    // PKCS #12: RFC 7292, RFC 2985; the last is what Java's PKCS12KeyStore marks trust anchors with.
    PKCS7_DATA = "1.2.840.113549.1.7.1", "data";
    PKCS7_ENCRYPTED_DATA = "1.2.840.113549.1.7.6", "encryptedData";
    KEY_BAG = "1.2.840.113549.1.12.10.1.1", "keyBag";
    PKCS8_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2", "pkcs8ShroudedKeyBag";
    CERT_BAG = "1.2.840.113549.1.12.10.1.3", "certBag";
    X509_CERTIFICATE = "1.2.840.113549.1.9.22.1", "x509Certificate";
    FRIENDLY_NAME = "1.2.840.113549.1.9.20", "friendlyName";
    LOCAL_KEY_ID = "1.2.840.113549.1.9.21", "localKeyId";
    PBE_SHA1_3DES = "1.2.840.113549.1.12.1.3", "pbeWithSHAAnd3-KeyTripleDES-CBC";
    PBMAC1 = "1.2.840.113549.1.5.14", "PBMAC1";
    TRUSTED_KEY_USAGE = "2.16.840.1.113894.746875.1.1", "trustedKeyUsage";

    // Attribute types: RFC 4519, RFC 5280 appendix A, PKCS #9.
    COMMON_NAME = "2.5.4.3", "commonName";
    SURNAME = "2.5.4.4", "surname";
    SERIAL_NUMBER = "2.5.4.5", "serialNumber";
    COUNTRY_NAME = "2.5.4.6", "countryName";
    LOCALITY_NAME = "2.5.4.7", "localityName";
    STATE_OR_PROVINCE_NAME = "2.5.4.8", "stateOrProvinceName";
    STREET_ADDRESS = "2.5.4.9", "streetAddress";
    ORGANIZATION_NAME = "2.5.4.10", "organizationName";
    ORGANIZATIONAL_UNIT_NAME = "2.5.4.11", "organizationalUnitName";
    TITLE = "2.5.4.12", "title";
    DESCRIPTION = "2.5.4.13", "description";
    BUSINESS_CATEGORY = "2.5.4.15", "businessCategory";
    POSTAL_CODE = "2.5.4.17", "postalCode";
    NAME = "2.5.4.41", "name";
    GIVEN_NAME = "2.5.4.42", "givenName";
    INITIALS = "2.5.4.43", "initials";
    GENERATION_QUALIFIER = "2.5.4.44", "generationQualifier";
    DN_QUALIFIER = "2.5.4.46", "dnQualifier";
    PSEUDONYM = "2.5.4.65", "pseudonym";
    ORGANIZATION_IDENTIFIER = "2.5.4.97", "organizationIdentifier";
    USER_ID = "0.9.2342.19200300.100.1.1", "userId";
    DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25", "domainComponent";
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1", "emailAddress";
    UNSTRUCTURED_NAME = "1.2.840.113549.1.9.2", "unstructuredName";
    UNSTRUCTURED_ADDRESS = "1.2.840.113549.1.9.8", "unstructuredAddress";
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14", "extensionRequest";
    MICROSOFT_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14", "certExtensions";
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7", "challengePassword";

    // Extensions: RFC 5280 section 4.2 and 5.2, RFC 6960, RFC 7633, RFC 6962.
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14", "subjectKeyIdentifier";
    KEY_USAGE = "2.5.29.15", "keyUsage";
    PRIVATE_KEY_USAGE_PERIOD = "2.5.29.16", "privateKeyUsagePeriod";
    SUBJECT_ALT_NAME = "2.5.29.17", "subjectAltName";
    ISSUER_ALT_NAME = "2.5.29.18", "issuerAltName";
    BASIC_CONSTRAINTS = "2.5.29.19", "basicConstraints";
    CRL_NUMBER = "2.5.29.20", "cRLNumber";
    REASON_CODE = "2.5.29.21", "reasonCode";
    INVALIDITY_DATE = "2.5.29.24", "invalidityDate";
    DELTA_CRL_INDICATOR = "2.5.29.27", "deltaCRLIndicator";
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28", "issuingDistributionPoint";
    CERTIFICATE_ISSUER = "2.5.29.29", "certificateIssuer";
    NAME_CONSTRAINTS = "2.5.29.30", "nameConstraints";
    CRL_DISTRIBUTION_POINTS = "2.5.29.31", "cRLDistributionPoints";
    CERTIFICATE_POLICIES = "2.5.29.32", "certificatePolicies";
    ANY_POLICY = "2.5.29.32.0", "anyPolicy";
    POLICY_MAPPINGS = "2.5.29.33", "policyMappings";
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35", "authorityKeyIdentifier";
    POLICY_CONSTRAINTS = "2.5.29.36", "policyConstraints";
    EXT_KEY_USAGE = "2.5.29.37", "extKeyUsage";
    FRESHEST_CRL = "2.5.29.46", "freshestCRL";
    INHIBIT_ANY_POLICY = "2.5.29.54", "inhibitAnyPolicy";
    AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1", "authorityInfoAccess";
    SUBJECT_INFO_ACCESS = "1.3.6.1.5.5.7.1.11", "subjectInfoAccess";
    TLS_FEATURE = "1.3.6.1.5.5.7.1.24", "tlsFeature";
    OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5", "ocsp-nocheck";
    NETSCAPE_CERT_TYPE = "2.16.840.1.113730.1.1", "netscape-cert-type";
    NETSCAPE_COMMENT = "2.16.840.1.113730.1.13", "netscape-comment";

    // Access methods, key purposes, other names: RFC 5280 section 4.2, RFC 9598.
    OCSP = "1.3.6.1.5.5.7.48.1", "ocsp";
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1", "ocsp-basic";
    CA_ISSUERS = "1.3.6.1.5.5.7.48.2", "caIssuers";
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1", "serverAuth";
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2", "clientAuth";
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3", "codeSigning";
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4", "emailProtection";
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8", "timeStamping";
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9", "OCSPSigning";
    // Key purposes of RFC 4334, 4556, 4945, 9336, and of Microsoft.
    EAP_OVER_PPP = "1.3.6.1.5.5.7.3.13", "eapOverPPP";
    EAP_OVER_LAN = "1.3.6.1.5.5.7.3.14", "eapOverLAN";
    IPSEC_IKE = "1.3.6.1.5.5.7.3.17", "ipsecIKE";
    DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36", "documentSigning";
    PKINIT_CLIENT = "1.3.6.1.5.2.3.4", "pkinitClientAuth";
    PKINIT_KDC = "1.3.6.1.5.2.3.5", "pkinitKDC";
    SMARTCARD_LOGON = "1.3.6.1.4.1.311.20.2.2", "smartcardLogon";
    MICROSOFT_DOCUMENT_SIGNING = "1.3.6.1.4.1.311.10.3.12", "msDocumentSigning";
    REMOTE_DESKTOP = "1.3.6.1.4.1.311.54.1.2", "remoteDesktop";
    IPSEC_IKE_INTERMEDIATE = "1.3.6.1.5.5.8.2.2", "ipsecIKEIntermediate";
    CPS = "1.3.6.1.5.5.7.2.1", "cps";
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0", "anyExtendedKeyUsage";
    SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9", "SmtpUTF8Mailbox";
    USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3", "userPrincipalName";
    KERBEROS_PRINCIPAL = "1.3.6.1.5.2.2", "id-pkinit-san";
}
