use super::reader::OcspStatus;
use super::*;
use crate::key::{KeyType, PrivateKey};
use crate::x509::{Certificate, Serial};
use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use time::macros::datetime;

/// Examples of RFC 9919, appendix B.
const ROOT: &str = "MIICKTCCAYqgAwIBAgIBATAKBggqhkjOPQQDBDA4MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxEzARBgNVBAMMCklzc3VpbmcgQ0EwHhcNMjQwMzI5MTM0ODM4WhcNMjUwMzI5MTM0ODM4WjA4MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxEzARBgNVBAMMCklzc3VpbmcgQ0EwgZswEAYHKoZIzj0CAQYFK4EEACMDgYYABAHQ/XJXqEx0f1YldcBzhdvr8vUr6lgIPbgv3RUx2KrjzIdf8C/3+i2iYNjrYtbS9dZJJ44yFzagYoy7swMItuYY2wD2KtIExkYDWbyBiriWG/Dw/A7FquikKBc85W8A3psVfB5cgsZPVi/K3vxKTCj200LPPvYW/ILTO3KFySHyvzb92KNCMEAwHQYDVR0OBBYEFI7CFAlgduqQOOk5rhttUsQXfZ++MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMEA4GMADCBiAJCANlgNm6mhhsBqYs1+QkmwZzqs7/ELOBn27K8vFIJeqzbW4IZIuKNIU4EwbE2NTvGsk1r6oVKhmfaK7wogMBCOcNCAkIBZbbaspmRuDsdkqMeV2qX1PEw/rmFbhbUUqpidVlfy1x2TxTyCsa6QX2FciQ/1xynp8OLMohxQ2Dd0l58Vkufi2A=";
const REQUEST: &str = "MGEwXzBdMFswWTANBglghkgBZQMEAgEFAAQgOplGd1aAc6cHv95QGGNF5M1hNNsIXrqh0QQl8DtvCOoEIEdKbKMB8j3J9/cHhwThx/X8lucWdfbtiC56tlw/WEVDAgQBqvAN";
const RESPONSE: &str = "MIIDjgoBAKCCA4cwggODBgkrBgEFBQcwAQEEggN0MIIDcDCBsKIWBBQK46D+ndQldpi163Lrygznvz318RgPMjAyNDAzMjkxMzQ4MzhaMIGEMIGBMFkwDQYJYIZIAWUDBAIBBQAEIDqZRndWgHOnB7/eUBhjReTNYTTbCF66odEEJfA7bwjqBCBHSmyjAfI9yff3B4cE4cf1/JbnFnX27YguerZcP1hFQwIEAarwDYAAGA8yMDI0MDMzMDEzNDgzOFqgERgPMjAyNDA0MDYxMzQ4MzhaMAoGCCqGSM49BAMDA2kAMGYCMQCQhPNMOvmZ1gZ2dOfmn69HlPHrAezVzXkSBZduV5yvBbdEu+21pWIfpHBX/dz0TssCMQD5VN8n/9IDHqIy1BGXfKEskzK4l86ef9mw2atx5jbso2ztXT2Vzjd137jMhJsV2zqgggJCMIICPjCCAjowggGboAMCAQICAQEwCgYIKoZIzj0EAwQwODELMAkGA1UEBhMCWFgxFDASBgNVBAoMC0NlcnRzICdyIFVzMRMwEQYDVQQDDApJc3N1aW5nIENBMB4XDTI0MDMyOTEzNDgzOFoXDTI1MDMyOTEzNDgzOFowPDELMAkGA1UEBhMCWFgxFDASBgNVBAoMC0NlcnRzICdyIFVzMRcwFQYDVQQDDA5PQ1NQIFJlc3BvbmRlcjB2MBAGByqGSM49AgEGBSuBBAAiA2IABFsJAbiFIyluuRnVD/oanLN0vE1AlYYoK/7KEbHZWtu1RzSvVwv4K3IozyJrz0wl3bz+Oxo605Qw7/dj4daNLhUdkXILd5W1jaazRjlhOo+5tajaSMZ0cRf5kZ6EJPN+yKN1MHMwHQYDVR0OBBYEFArjoP6d1CV2mLXrcuvKDOe/PfXxMB8GA1UdIwQYMBaAFI7CFAlgduqQOOk5rhttUsQXfZ++MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMJMAoGCCqGSM49BAMEA4GMADCBiAJCAYM7xi8t5dWcismjaZFkDsr7btGUqCpo8gwtzzideND6ZVk28KEW9D2qVSinMI73J8uuMIljWcWxA9HtJ3TLabOvAkIBcQLJM5D5i5JRsPmw2QkPa9+3CpJwz6k/TzhkIsW+PXrB43EipUnpEPRWm272GofmjVrRYaWPFsWQylBLFh1zSf0=";

fn bytes(text: &str) -> Vec<u8> {
    BASE64.decode(text).unwrap()
}

#[test]
fn the_request_of_the_rfc_is_made_from_its_root() {
    let root = Certificate::from_der(&bytes(ROOT)).unwrap();
    let issuer = IssuerId::of(&root, CertIdHash::Sha256);
    let serial = Serial::from_magnitude(&27_979_789_u32.to_be_bytes()).unwrap();
    assert_eq!(issuer.path(&serial), REQUEST);
}

#[test]
fn the_response_of_the_rfc_reads_and_verifies() {
    let der = bytes(RESPONSE);
    let response = OcspResponse::from_der(&der).unwrap();
    assert_eq!(response.status, OcspStatus::Successful);
    let basic = response.basic.unwrap();
    let [single] = &basic.singles[..] else {
        panic!("it has one response");
    };
    assert_eq!(single.status, CertStatus::Good);
    assert_eq!(single.this_update, datetime!(2024-03-30 13:48:38 UTC));
    assert_eq!(single.next_update, Some(datetime!(2024-04-06 13:48:38 UTC)));
    let [responder] = &basic.certificates[..] else {
        panic!("it has one certificate");
    };
    assert!(basic.responder.is(responder));
    basic.verify_signature(responder.public_key()).unwrap();
    let root = Certificate::from_der(&bytes(ROOT)).unwrap();
    assert!(basic.verify_signature(root.public_key()).is_err());
}

#[test]
fn what_is_signed_reads_back() {
    let root = Certificate::from_der(&bytes(ROOT)).unwrap();
    let responder = Responder::new(PrivateKey::generate(KeyType::P256).unwrap(), None);
    let serial = Serial::from_magnitude(&[0x80, 1]).unwrap();
    let at = datetime!(2026-11-30 12:00 UTC);
    for hash in CertIdHash::ALL {
        let issuer = IssuerId::of(&root, hash);
        for status in [
            CertStatus::Good,
            CertStatus::Unknown,
            CertStatus::Revoked {
                at,
                reason: Reason::Unspecified,
            },
            CertStatus::Revoked {
                at,
                reason: Reason::KeyCompromise,
            },
        ] {
            let single = SingleStatus {
                serial: &serial,
                status,
                this_update: at,
                next_update: datetime!(2052-01-01 0:00 UTC),
            };
            let der = sign_response(&responder, &issuer, &single).unwrap();
            let basic = OcspResponse::from_der(&der).unwrap().basic.unwrap();
            let read = &basic.singles[0];
            assert_eq!(read.status, status);
            assert!(issuer.is_of(&read.id, &serial));
            assert_eq!(
                (read.this_update, read.next_update),
                (at, Some(single.next_update))
            );
            assert_eq!(basic.produced_at, at);
            let public = responder.key().public();
            basic.verify_signature(public).unwrap();
            // No bit of what is signed can change.
            let place = der.len() - 20;
            let mut changed = der.clone();
            changed[place] ^= 1;
            let read = OcspResponse::from_der(&changed);
            let is_wrong = read
                .ok()
                .and_then(|read| read.basic)
                .is_none_or(|basic| basic.verify_signature(public).is_err());
            assert!(is_wrong);
        }
    }
}

#[test]
fn what_is_cut_or_continued_is_refused() {
    let der = bytes(RESPONSE);
    for length in 0..der.len() {
        assert!(OcspResponse::from_der(&der[..length]).is_err());
    }
    let continued = [&der[..], &[0]].concat();
    assert!(OcspResponse::from_der(&continued).is_err());
    let refused = OcspResponse::from_der(&[0x30, 3, 0x0a, 1, 6]).unwrap();
    assert_eq!(refused.status, OcspStatus::Unauthorized);
    assert!(refused.basic.is_none());
    for code in [0, 4, 7] {
        assert!(OcspResponse::from_der(&[0x30, 3, 0x0a, 1, code]).is_err());
    }
}
