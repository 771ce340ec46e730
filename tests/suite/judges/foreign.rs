//! `rcgen` as a foreign CA, and as the maker of foreign CSRs.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber, SignatureAlgorithm,
};
use time::{Duration, OffsetDateTime};

use super::contents::{self, Kind, Signed};
use super::run;
use crate::sandbox::Sandbox;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// Every algorithm of `rcgen` with keys that `pki` certifies.
const ALGORITHMS: [(&str, &SignatureAlgorithm); 4] = [
    ("p256", &rcgen::PKCS_ECDSA_P256_SHA256),
    ("p384", &rcgen::PKCS_ECDSA_P384_SHA384),
    ("p521", &rcgen::PKCS_ECDSA_P521_SHA512),
    ("ed25519", &rcgen::PKCS_ED25519),
];

fn params(name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::new(vec![format!("{name}.test")]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Foreign");
    params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(days);
    params.use_authority_key_identifier_extension = true;
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = params(name, 1000);
    params.subject_alt_names.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A leaf's certificate in PEM.
fn leaf(name: &str, issuer: &Issuer) -> String {
    let mut params = params(name, 100);
    params.serial_number = Some(SerialNumber::from(0x1234_u64));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, issuer).unwrap().pem()
}

#[test]
fn a_hierarchy_of_rcgen_is_verified_and_bundled() {
    let sandbox = Sandbox::new();
    for (kind, algorithm) in ALGORITHMS {
        let key = || KeyPair::generate_for(algorithm).unwrap();
        let root: Issuer = CertifiedIssuer::self_signed(ca("root"), key()).unwrap();
        let below: Issuer = CertifiedIssuer::signed_by(ca("below"), key(), &root).unwrap();
        sandbox.write("root.pem", root.pem());
        sandbox.write("leaf.pem", leaf("leaf", &below) + &below.pem());
        sandbox.write("crls.pem", crl(&root, &[]) + &crl(&below, &[]));
        let verify = "verify leaf.pem --bundle root.pem --purpose client";
        sandbox.pki(verify).succeeds();
        sandbox.pki(&format!("{verify} --crl crls.pem")).succeeds();
        sandbox.write("crls.pem", crl(&root, &[]) + &crl(&below, &[0x1234]));
        let revoked = format!("--format json {verify} --crl crls.pem");
        let revoked = sandbox.pki(&revoked).ends_with(3).json();
        assert_eq!(revoked["valid"], false, "{kind}");
        // Another root with the same name and another key.
        let other: Issuer = CertifiedIssuer::self_signed(ca("root"), key()).unwrap();
        sandbox.write("root.pem", other.pem());
        sandbox.pki(verify).ends_with(3);
        sandbox.write("cas.pem", below.pem() + &root.pem());
        sandbox.pki("bundle --check cas.pem").succeeds();
    }
    run(
        &sandbox,
        &["root --name rootCA --no-passphrase", "bundle --add cas.pem"],
    );
    let bundle = pem::parse_many(sandbox.read("truststore.pem")).unwrap();
    assert_eq!(bundle.len(), 3);
}

fn crl(issuer: &Issuer, serials: &[u64]) -> String {
    let now = OffsetDateTime::now_utc();
    let revoked = serials.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: now - Duration::hours(1),
        reason_code: Some(RevocationReason::Superseded),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: now - Duration::hours(1),
        next_update: now + Duration::days(7),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().pem().unwrap()
}

/// The CA goes on in `pki` with its key; what `pki` issues and signs below it fits rcgen's certificate.
#[test]
fn a_ca_of_rcgen_is_imported_and_goes_on() {
    let sandbox = Sandbox::new();
    for (kind, algorithm) in ALGORITHMS {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let old: Issuer = CertifiedIssuer::self_signed(ca(kind), key).unwrap();
        sandbox.write("old/ca.crt", old.pem());
        sandbox.write("old/ca.key", old.key().serialize_pem());
        sandbox.write("old/leaf.crt", leaf("leaf", &old));
        sandbox
            .pki(&format!("import --openssl old --name {kind} --certs old"))
            .words("--no-passphrase")
            .succeeds();
        let issue = format!("issue --ca {kind} --cn new --out {kind} --no-passphrase");
        sandbox.pki(&issue).succeeds();
        let spki = contents::spki(old.der());
        let new = pem::parse(sandbox.read(format!("{kind}/new.crt"))).unwrap();
        assert!(contents::signed_by(new.contents(), &spki), "{kind}");
        let revoke = format!("revoke --ca {kind} --cert old/leaf.crt");
        sandbox.pki(&revoke).succeeds();
        sandbox.pki(&format!("crl --ca {kind}")).succeeds();
        let crl = std::fs::read(sandbox.path(format!("pki/crl/{kind}.crl"))).unwrap();
        assert!(contents::is_encoded_again(Kind::Crl, &crl));
        assert_eq!(Signed::crl(&crl).is_signed_by(&spki), Some(true), "{kind}");
        sandbox.pki("verify old/leaf.crt").ends_with(3);
        sandbox.pki(&format!("verify {kind}/new.crt")).succeeds();
    }
}

#[test]
fn csrs_of_rcgen_are_certified() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["root --name rootCA --no-passphrase"]);
    for (kind, algorithm) in ALGORITHMS {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = params(kind, 100);
        params.use_authority_key_identifier_extension = false;
        let csr = params.serialize_request(&key).unwrap();
        sandbox.write("a.csr", csr.pem().unwrap());
        let issue = "issue --ca rootCA --profile server --csr a.csr --out out --name";
        sandbox.pki(issue).arg(kind).succeeds();
        let issued = pem::parse(sandbox.read(format!("out/{kind}.crt"))).unwrap();
        let (_, spki) = Signed::csr(csr.der());
        assert_eq!(contents::spki(issued.contents()), spki, "{kind}");
        let names = sandbox.pki(&format!("verify out/{kind}.crt --hostname {kind}.test"));
        names.succeeds();
        // Another name than the one that was signed.
        let mut der = csr.der().to_vec();
        let at = memchr::memmem::find(&der, kind.as_bytes()).unwrap();
        der[at] ^= 1;
        sandbox.write(
            "a.csr",
            pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der)),
        );
        sandbox.pki(issue).arg("changed").ends_with(1);
    }
}
