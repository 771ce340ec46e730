//! Certificates in a PKCS #7 file (`.p7b`): a SignedData that nobody signed (RFC 5652 section 5.1).

use super::Certificate;
use crate::asn1::{Malformed, Reader, oid, sequence, tag};

/// Encodes certificates as a SignedData without content and signers: a certs-only message (RFC 5272 section 4.1),
/// which caIssuers may lead to (RFC 5280 section 4.2.2.1).
pub(crate) fn certificates_only<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    const VERSION: [u8; 1] = [1];
    let mut certificates: Vec<&[u8]> = certificates.collect();
    // DER has the elements of a SET OF in order.
    certificates.sort_unstable();
    sequence(|info| {
        info.oid(&oid::SIGNED_DATA);
        info.explicit(0, |content| {
            content.sequence(|signed| {
                signed.unsigned(&VERSION);
                signed.constructed(tag::SET, |_| {});
                signed.sequence(|content| content.oid(&oid::PKCS7_DATA));
                signed.constructed(tag::explicit(0), |set| {
                    certificates.iter().for_each(|der| set.raw(der));
                });
                signed.constructed(tag::SET, |_| {});
            });
        });
    })
}

/// The certificates of a ContentInfo with a SignedData. Its CRLs and signers are not looked at;
/// certificates of kinds that are no longer used are passed over.
pub(crate) fn certificates(der: &[u8]) -> Result<Vec<Certificate>, Malformed> {
    each_certificate(der)?.into_iter().collect()
}

/// Same as [`certificates`], with the reason instead of each certificate that can't be read.
pub(crate) fn each_certificate(
    der: &[u8],
) -> Result<Vec<Result<Certificate, Malformed>>, Malformed> {
    let mut content_info = Reader::sequence_of(der, "a ContentInfo")?;
    let kind = content_info.expect(tag::OBJECT_IDENTIFIER, "a content type")?;
    if kind.oid()? != oid::SIGNED_DATA {
        return Err(Malformed::Unexpected("a SignedData"));
    }
    let content = content_info.expect(tag::explicit(0), "a SignedData")?;
    content_info.end()?;
    let mut signed_data = Reader::sequence_of(content.content, "a SignedData")?;
    signed_data.expect(tag::INTEGER, "a version")?;
    signed_data.expect(tag::SET, "digest algorithms")?;
    signed_data.expect(tag::SEQUENCE, "an encapsulated content")?;
    let Some(set) = signed_data.optional(tag::explicit(0))? else {
        return Ok(Vec::new());
    };
    let mut reader = set.reader();
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        let element = reader.any()?;
        if element.tag == tag::SEQUENCE {
            certificates.push(Certificate::from_der(element.whole));
        }
    }
    Ok(certificates)
}
