//! Certificates, CSRs and CRLs, and the files that they are in.

use super::{FEW_ITERATIONS, Known, NOW, harmless, said};
use crate::ca::{
    Foreign, Input, PARTIES, VerifyRequest, certificates_in, foreign_crl, judge_foreign_crl,
};
use crate::cli::reading;
use crate::key::pkcs12::Pfx;
use crate::pem::{decode, encode};
use crate::x509::lint::{Candidate, lint};
use crate::x509::verify::{Question, judge};
use crate::x509::{Certificate, CertificationRequest, Crl};
use std::path::Path;
use std::slice;
use time::Duration;

const FILE: &str = "hostile";

fn input(content: &[u8]) -> Input {
    Input::from_reader(Path::new(FILE), content).expect("memory can be read")
}

/// A PEM set: as many objects as there are BEGIN markers, or an error; each is the same when it is
/// written and read again.
pub fn pem(data: &[u8]) {
    let objects = match decode(data) {
        Ok(objects) => objects,
        Err(error) => return said(&error),
    };
    let marker = b"-----BEGIN ";
    let markers = data.windows(marker.len()).filter(|found| found == marker);
    assert_eq!(objects.len(), markers.count());
    for object in objects {
        let again = decode(encode(&object.label, &object.der).as_bytes());
        let again = again.expect("what is written is read");
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].label, object.label);
        assert_eq!(*again[0].der, *object.der);
    }
}

/// A certificate's DER: the bytes are kept, as DER and as PEM; everything in it can be shown, and be
/// judged by every rule.
pub fn certificate(data: &[u8]) {
    let certificate = match Certificate::from_der(data) {
        Ok(certificate) => certificate,
        Err(error) => return said(&error),
    };
    assert_eq!(certificate.der(), data);
    let text = certificate.to_pem();
    let read = certificates_in(&input(text.as_bytes())).expect("what is written is read");
    assert_eq!(read, slice::from_ref(&certificate));
    shown(text.as_bytes());
    for issuers in [&[], slice::from_ref(&certificate)] {
        lint(&Candidate {
            certificate: &certificate,
            issuers,
        });
    }
    let question = Question::at(NOW);
    let path = [certificate.clone(), certificate];
    if let Err(refusal) = judge(&path[..1], &question).and_then(|()| judge(&path, &question)) {
        said(&refusal);
    }
}

/// A CSR's DER.
pub fn request(data: &[u8]) {
    let request = match CertificationRequest::from_der(data) {
        Ok(request) => request,
        Err(error) => return said(&error),
    };
    assert_eq!(request.der(), data);
    if let Err(error) = request.verify() {
        said(&error);
    }
    if let Err(error) = request.public_key().check_certifiable() {
        said(&error);
    }
    if let Err(error) = request.subject_alt_names() {
        said(&error);
    }
    shown(encode("CERTIFICATE REQUEST", data).as_bytes());
}

/// A CRL, DER or PEM: converted there and back it is the same, and every target can judge it.
pub fn list(data: &[u8]) {
    let der = match foreign_crl(&input(data)) {
        Ok(der) => der,
        Err(error) => return said(&error),
    };
    let text = encode("X509 CRL", &der);
    let again = foreign_crl(&input(text.as_bytes())).expect("what is written is read");
    assert_eq!(again, der);
    let crl = Crl::from_der(&der).expect("it was read before");
    for entry in crl.entries() {
        let entry = entry.expect("it was read before");
        if let Some(serial) = entry.serial() {
            assert!(entry.is(&serial));
        }
    }
    shown(text.as_bytes());
    for party in PARTIES {
        let within = Some(Duration::hours(24));
        for finding in judge_foreign_crl(Path::new(FILE), &der, None, party, within, NOW) {
            assert!(!finding.message.is_empty());
        }
    }
}

/// PKCS #7.
pub fn signed_data(data: &[u8]) {
    match crate::x509::signed_data::certificates(data) {
        Ok(certificates) => certificates
            .iter()
            .for_each(|certificate| assert!(!certificate.der().is_empty())),
        Err(error) => said(&error),
    }
}

/// Any file, as `pki show` reads it.
pub fn show(data: &[u8]) {
    shown(data);
}

fn shown(content: &[u8]) {
    match reading::shown(Path::new(FILE), content) {
        Ok(shown) => {
            harmless(&shown.text);
            let json = serde_json::to_string(&shown.json).expect("it is plain data");
            let read: serde_json::Value = serde_json::from_str(&json).expect("JSON is read");
            assert_eq!(read, shown.json);
        }
        Err(refused) => harmless(&refused.to_string()),
    }
}

/// Any file as a trust store, judged by the general rules and for a target that its bytes choose.
pub fn bundle(data: &[u8]) {
    if Pfx::from_der(data).is_ok_and(|pfx| pfx.iterations() > FEW_ITERATIONS) {
        return;
    }
    let input = input(data);
    let sum = data.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    let chosen = &PARTIES[sum % PARTIES.len()];
    for party in [None, Some(chosen)] {
        let foreign = match Foreign::read(&input, party, &mut Known) {
            Ok(foreign) => foreign,
            Err(error) => {
                said(&error);
                continue;
            }
        };
        for finding in foreign.judge(party, NOW) {
            assert!(!finding.message.is_empty());
        }
    }
}

/// A file whose first certificate is verified with the others, the self-signed of which are trusted.
pub fn verify(data: &[u8]) {
    let mut certificates = match certificates_in(&input(data)) {
        Ok(certificates) => certificates.into_iter(),
        Err(error) => return said(&error),
    };
    let request = VerifyRequest {
        certificate: certificates.next().expect("there is at least one"),
        beside: Vec::new(),
        bundle: Some(certificates.collect()),
        crls: Vec::new(),
        responses: Vec::new(),
        trusts_intermediates: true,
        question: Question::at(NOW),
    };
    let judgement = crate::ca::verify(None, &request).expect("no store is asked");
    match judgement.refusal {
        Some(refusal) => said(&refusal),
        None => assert!(!judgement.path.is_empty()),
    }
}

/// Returns whether `pki` takes this certificate into a trust store or as a CA.
pub fn takes_certificate(der: &[u8]) -> bool {
    Certificate::from_der(der).is_ok_and(|certificate| certificate.broken_extension().is_none())
}

/// Returns whether `pki` issues for this CSR, as far as its encoding goes.
pub fn takes_csr(der: &[u8]) -> bool {
    CertificationRequest::from_der(der).is_ok_and(|csr| csr.subject_alt_names().is_ok())
}

/// Returns whether `pki` converts this CRL.
pub fn takes_crl(der: &[u8]) -> bool {
    foreign_crl(&input(der)).is_ok()
}

/// Returns the objects of a file with their PEM labels, if it can be read.
pub fn objects_in(content: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let objects = input(content).objects().ok()?;
    let objects = objects.into_iter();
    Some(
        objects
            .map(|object| (object.label, object.der.to_vec()))
            .collect(),
    )
}
