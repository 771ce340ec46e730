//! Programs that check revocation let the good client in and refuse the
//! revoked one, by our lists for three tiers.

use std::fs;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use crate::hierarchy::for_p256_and_rsa;
use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;

const LISTS: &str = "pki/crl/intermediate2.chain.crl.pem";
const TIERS: [&str; 3] = ["rootCA", "intermediate1", "intermediate2"];

/// `rootCA` over `intermediate1` over `intermediate2`, which issued `good` and
/// `revoked` in `out/`; a trust store, and a list of each CA.
fn three_tiers(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::with_clients_below_three_tiers(key_type);
    for line in [
        "revoke --ca intermediate2 --cn revoked --reason keyCompromise",
        "bundle --out truststore.pem",
        "crl --to-pem --chain",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Exit code 0 for the good client; another for the revoked one, with these words.
#[track_caller]
fn assert_judges(run: impl Fn(&str) -> Run, refusal: &str) {
    run("good").succeeds();
    let refused: Transcript = run("revoked").finish();
    assert!(refused.status.is_some_and(|code| code != 0), "{refused}");
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains(refusal), "{refused}");
}

/// One line for each client on stdout.
#[track_caller]
fn assert_prints(run: Run, good: &str, revoked: &str) {
    let judged = run.succeeds();
    let lines = judged.stdout.lines().collect::<Vec<_>>();
    assert_eq!(lines, [good, revoked], "{judged}");
}

fn openssl_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let between = ["intermediate1", "intermediate2"];
    let between = between.map(|ca| sandbox.read(format!("pki/{ca}/ca.crt")));
    sandbox.write("between.pem", between.concat());
    let verify = |client: &str| {
        sandbox
            .run("openssl", "verify -crl_check_all -x509_strict -CAfile")
            .words("pki/rootCA/ca.crt -untrusted between.pem -CRLfile")
            .arg(LISTS)
            .arg(format!("out/{client}.crt"))
    };
    assert_judges(verify, "error 23 at 0 depth lookup: certificate revoked");
}

fn certtool_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let verify = |client: &str| {
        sandbox
            .run("certtool", "--verify --verify-profile medium")
            .words("--load-ca-certificate truststore.pem --load-crl")
            .arg(LISTS)
            .words(&format!("--infile out/{client}.crt"))
    };
    assert_judges(verify, "The certificate chain is revoked.");
}

fn strongswan_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let verify = |client: &str| {
        let run = sandbox.run("/usr/bin/pki", "--verify --in");
        let run = run.arg(format!("out/{client}.crt"));
        TIERS.iter().fold(run, |run, ca| {
            run.words(&format!("--cacert pki/{ca}/ca.crt --crl pki/crl/{ca}.crl"))
        })
    };
    assert_judges(verify, "certificate was revoked on ");
    let good = verify("good").succeeds();
    let said = format!("{}{}", good.stdout, good.stderr);
    // Of itself and of the two CAs below the root.
    let cleared = said.matches("certificate status is good").count();
    assert_eq!(cleared, TIERS.len(), "{good}");
}

fn java_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let run = sandbox
        .java("CheckPath.java")
        .arg("pki/rootCA/ca.crt")
        .arg(LISTS);
    assert_prints(
        run.words("out/good.fullchain.pem out/revoked.fullchain.pem"),
        "out/good.fullchain.pem: good",
        "out/revoked.fullchain.pem: REVOKED",
    );
}

fn python_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let run = sandbox.python("crl_handshake.py").arg("truststore.pem");
    assert_prints(
        run.arg(LISTS)
            .words("out/www.example.test out/good out/revoked"),
        "out/good: let in",
        "out/revoked: certificate revoked",
    );
}

/// Every certificate below the root has to have a list.
fn certvalidator_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let judge = |lists: &str| {
        let run = sandbox.python("crl_path.py");
        run.words("pki/rootCA/ca.crt out/good out/revoked")
            .words(lists)
    };
    let below_the_root = "pki/crl/intermediate1.crl pki/crl/intermediate2.crl";
    assert_prints(
        judge(below_the_root).arg("pki/crl/rootCA.crl"),
        "out/good: good",
        "out/revoked: RevokedError: key_compromise",
    );
    let unknown = "InsufficientRevinfoError";
    assert_prints(
        judge(below_the_root),
        &format!("out/good: {unknown}"),
        &format!("out/revoked: {unknown}"),
    );
}

/// Every certificate below the root has to have a list, and one that has not ended.
fn webpki_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let lists = TIERS.map(|ca| fs::read(sandbox.path(format!("pki/crl/{ca}.crl"))).unwrap());
    let owned = lists.iter().map(|list| {
        let list = OwnedCertRevocationList::from_der(list);
        CertRevocationList::from(list.unwrap())
    });
    let borrowed = lists.iter().map(|list| {
        let list = BorrowedCertRevocationList::from_der(list);
        CertRevocationList::from(list.unwrap())
    });
    for lists in [owned.collect::<Vec<_>>(), borrowed.collect()] {
        let judge = |client, lists| webpki_verdict(&sandbox, client, lists);
        assert_eq!(judge("good", &lists), Ok(()));
        assert_eq!(judge("revoked", &lists), Err(webpki::Error::CertRevoked));
        let without_the_root = judge("good", &lists[1..]);
        let unknown = webpki::Error::UnknownRevocationStatus;
        assert_eq!(without_the_root, Err(unknown));
    }
}

fn webpki_verdict(
    sandbox: &Sandbox,
    client: &str,
    lists: &[CertRevocationList<'_>],
) -> Result<(), webpki::Error> {
    let certificate = |file: String| CertificateDer::from_pem_file(sandbox.path(file)).unwrap();
    let [root, between @ ..] = TIERS.map(|ca| certificate(format!("pki/{ca}/ca.crt")));
    let client = certificate(format!("out/{client}.crt"));
    let lists = lists.iter().collect::<Vec<_>>();
    let revocation = RevocationOptionsBuilder::new(&lists)
        .unwrap()
        .with_depth(RevocationCheckDepth::Chain)
        .with_status_policy(UnknownStatusPolicy::Deny)
        .with_expiration_policy(ExpirationPolicy::Enforce)
        .build();
    EndEntityCert::try_from(&client)?
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[webpki::anchor_from_trusted_cert(&root)?],
            &between,
            UnixTime::now(),
            KeyUsage::client_auth(),
            Some(revocation),
            None,
        )
        .map(|_| ())
}

fn nss_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    std::fs::create_dir(sandbox.path("nss")).unwrap();
    let certutil = |line: &str| sandbox.run("certutil", "-d sql:nss").words(line);
    certutil("-N --empty-password").succeeds();
    for (ca, trust) in TIERS.into_iter().zip(["CT,C,C", ",,", ",,"]) {
        certutil("-A")
            .words(&format!("-n {ca} -t {trust} -i pki/{ca}/ca.crt"))
            .succeeds();
        sandbox
            .run("crlutil", "-I -d sql:nss -i")
            .arg(format!("pki/crl/{ca}.crl"))
            .succeeds();
    }
    let listed = sandbox.run("crlutil", "-L -d sql:nss").succeeds();
    for ca in TIERS {
        assert!(listed.stdout.contains(&format!("\n{ca} ")), "{listed}");
    }
    for client in ["good", "revoked"] {
        certutil("-A -t ,,")
            .words(&format!("-n {client} -i out/{client}.crt"))
            .succeeds();
    }
    assert_judges(
        |client| certutil("-V -u C -e -n").arg(client),
        "Peer's Certificate has been revoked.",
    );
}

for_p256_and_rsa! {
    openssl_judges
    certtool_judges
    strongswan_judges
    java_judges
    python_judges
    certvalidator_judges
    webpki_judges
    nss_judges
}

/// A subordinate that its root revoked takes all below it along.
#[test]
fn openssl_refuses_a_client_whose_ca_was_revoked() {
    let sandbox = three_tiers("p256");
    for line in [
        "revoke --ca rootCA --cert pki/intermediate1/ca.crt --reason cACompromise",
        "crl --chain",
    ] {
        sandbox.pki(line).succeeds();
    }
    let refused = sandbox
        .run("openssl", "verify -crl_check_all -x509_strict")
        .words("-CAfile truststore.pem -CRLfile")
        .arg(LISTS)
        .arg("out/good.crt")
        .finish();
    assert_ne!(refused.status, Some(0), "{refused}");
    let says = "error 23 at 2 depth lookup: certificate revoked";
    assert!(refused.stderr.contains(says), "{refused}");
}
