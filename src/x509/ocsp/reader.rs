//! Reading responses that anyone may have made.

use super::{CertStatus, ReadCertId};
use crate::asn1::{Element, Malformed, Reader, oid, parse_time, tag};
use crate::key::{KeyError, PublicKey, SignatureAlgorithm};
use crate::x509::certificate::algorithm_name;
use crate::x509::{Certificate, Extension, Name, Reason};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use time::OffsetDateTime;

/// Most SingleResponses that are read: more than a responder gives at a time.
const MOST_SINGLES: usize = 10_000;

/// Most certificates beside a response that are read.
const MOST_CERTIFICATES: usize = 16;

/// Outcome of a request (OCSPResponseStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OcspStatus {
    Successful,
    MalformedRequest,
    InternalError,
    TryLater,
    SigRequired,
    Unauthorized,
}

impl OcspStatus {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Successful,
            1 => Self::MalformedRequest,
            2 => Self::InternalError,
            3 => Self::TryLater,
            5 => Self::SigRequired,
            6 => Self::Unauthorized,
            _ => return None,
        })
    }

    /// Returns the name of RFC 6960.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// An OCSPResponse (RFC 6960 section 4.2.1), read in place.
#[derive(Debug, Clone)]
pub(crate) struct OcspResponse<'a> {
    pub(crate) status: OcspStatus,
    /// The statements; `None` if the request was not answered.
    pub(crate) basic: Option<Basic<'a>>,
}

/// A BasicOCSPResponse.
#[derive(Debug, Clone)]
pub(crate) struct Basic<'a> {
    tbs: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    pub(crate) responder: ResponderId<'a>,
    pub(crate) produced_at: OffsetDateTime,
    pub(crate) singles: Vec<ReadSingle<'a>>,
    pub(crate) extensions: Vec<Extension>,
    /// Certificates beside it.
    pub(crate) certificates: Vec<Certificate>,
}

/// Name of the signer.
#[derive(Debug, Clone)]
pub(crate) enum ResponderId<'a> {
    Name(Name),
    /// SHA-1 of the key.
    KeyHash(&'a [u8]),
}

/// Statement about one certificate.
#[derive(Debug, Clone)]
pub(crate) struct ReadSingle<'a> {
    pub(crate) id: ReadCertId<'a>,
    pub(crate) status: CertStatus,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) extensions: Vec<Extension>,
}

impl<'a> OcspResponse<'a> {
    /// Reads a response; the whole of `der` has to be it.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Reader::sequence_of(der, "an OCSPResponse")?;
        let status = fields.expect(tag::ENUMERATED, "a responseStatus")?;
        let status = match status.integer()? {
            [code] => OcspStatus::from_code(*code),
            _ => None,
        };
        let status = status.ok_or(Malformed::Value("the responseStatus is not defined"))?;
        let bytes = fields.optional(tag::explicit(0))?;
        fields.end()?;
        let basic = match (status, bytes) {
            (OcspStatus::Successful, Some(bytes)) => Some(Basic::read(&bytes)?),
            (OcspStatus::Successful, None) => {
                return Err(Malformed::Value(
                    "a successful response has no responseBytes",
                ));
            }
            _ => None,
        };
        Ok(Self { status, basic })
    }
}

impl<'a> Basic<'a> {
    fn read(bytes: &Element<'a>) -> Result<Self, Malformed> {
        let mut bytes = Reader::sequence_of(bytes.content, "responseBytes")?;
        if bytes.oid("a responseType")? != oid::OCSP_BASIC {
            return Err(Malformed::Unexpected("a BasicOCSPResponse"));
        }
        let response = bytes.expect(tag::OCTET_STRING, "a response")?;
        bytes.end()?;
        let mut basic = Reader::sequence_of(response.content, "a BasicOCSPResponse")?;
        let tbs = basic.expect(tag::SEQUENCE, "the ResponseData")?;
        let algorithm = basic.algorithm("a signature algorithm")?.whole;
        let signature = basic
            .expect(tag::BIT_STRING, "a signature")?
            .whole_bytes()?;
        let certificates = match basic.optional(tag::explicit(0))? {
            Some(certificates) => read_certificates(&certificates)?,
            None => Vec::new(),
        };
        basic.end()?;
        let mut data = tbs.reader();
        if let Some(version) = data.optional(tag::explicit(0))?
            && Reader::single(version.content)?.small()? != 0
        {
            return Err(Malformed::Value("the version is not v1"));
        }
        let responder = ResponderId::read(&mut data)?;
        let produced_at = read_time(&mut data)?;
        let mut singles = data.sequence("the responses")?;
        let mut read = Vec::new();
        while !singles.is_empty() {
            if read.len() == MOST_SINGLES {
                return Err(Malformed::Value("it has more than 10,000 responses"));
            }
            read.push(ReadSingle::read(&mut singles)?);
        }
        let extensions = read_extensions(&mut data)?;
        data.end()?;
        Ok(Self {
            tbs: tbs.whole,
            algorithm,
            signature,
            responder,
            produced_at,
            singles: read,
            extensions,
            certificates,
        })
    }

    /// Checks whether it was signed with this key.
    pub(crate) fn verify_signature(&self, key: &PublicKey) -> Result<(), KeyError> {
        match SignatureAlgorithm::from_der(self.algorithm)? {
            Some(algorithm) => algorithm.verify(key, self.tbs, self.signature),
            None => Err(KeyError::Unsupported {
                algorithm: algorithm_name(self.algorithm),
            }),
        }
    }

    /// AlgorithmIdentifier of the signature.
    pub(crate) fn algorithm(&self) -> &'a [u8] {
        self.algorithm
    }
}

impl<'a> ResponderId<'a> {
    fn read(data: &mut Reader<'a>) -> Result<Self, Malformed> {
        if let Some(name) = data.optional(tag::explicit(1))? {
            return Ok(Self::Name(Name::from_der(name.content)?));
        }
        let key = data.expect(tag::explicit(2), "a responderID")?;
        let hash = Reader::single(key.content)?;
        if hash.tag != tag::OCTET_STRING {
            return Err(Malformed::Unexpected("a hash of a key"));
        }
        Ok(Self::KeyHash(hash.content))
    }

    /// Returns whether a certificate is that of the signer.
    pub(crate) fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => crate::x509::comparison::are_equal(name, certificate.subject()),
            Self::KeyHash(hash) => {
                let key = certificate.public_key().key_bytes();
                digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref() == *hash
            }
        }
    }
}

impl<'a> ReadSingle<'a> {
    fn read(responses: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut fields = responses.sequence("a SingleResponse")?;
        let id = ReadCertId::read(&mut fields)?;
        let status = read_status(&fields.any()?)?;
        let this_update = read_time(&mut fields)?;
        let next_update = match fields.optional(tag::explicit(0))? {
            Some(next) => Some(read_one_time(&next)?),
            None => None,
        };
        let extensions = read_extensions(&mut fields)?;
        fields.end()?;
        Ok(Self {
            id,
            status,
            this_update,
            next_update,
            extensions,
        })
    }
}

fn read_status(status: &Element<'_>) -> Result<CertStatus, Malformed> {
    const GOOD: u8 = tag::context(0);
    const REVOKED: u8 = tag::explicit(1);
    const UNKNOWN: u8 = tag::context(2);
    match (status.tag, status.content) {
        (GOOD, []) => Ok(CertStatus::Good),
        (UNKNOWN, []) => Ok(CertStatus::Unknown),
        (REVOKED, _) => {
            let mut info = status.reader();
            let at = read_time(&mut info)?;
            let reason = match info.optional(tag::explicit(0))? {
                Some(reason) => {
                    let code = Reader::single(reason.content)?;
                    if code.tag != tag::ENUMERATED {
                        return Err(Malformed::Unexpected("a CRLReason"));
                    }
                    match code.integer()? {
                        [code] => Reason::from_code(*code),
                        // One that is not defined says no more than none.
                        _ => None,
                    }
                }
                None => None,
            };
            info.end()?;
            Ok(CertStatus::Revoked {
                at,
                reason: reason.unwrap_or(Reason::Unspecified),
            })
        }
        _ => Err(Malformed::Unexpected("a certStatus")),
    }
}

/// Reads a GeneralizedTime. Fractions of seconds, which RFC 9919 forbids, are refused.
fn read_time(fields: &mut Reader<'_>) -> Result<OffsetDateTime, Malformed> {
    parse_time(&fields.expect(tag::GENERALIZED_TIME, "a GeneralizedTime")?)
}

fn read_one_time(wrapper: &Element<'_>) -> Result<OffsetDateTime, Malformed> {
    let mut reader = wrapper.reader();
    let time = read_time(&mut reader)?;
    reader.end()?;
    Ok(time)
}

fn read_extensions(fields: &mut Reader<'_>) -> Result<Vec<Extension>, Malformed> {
    match fields.optional(tag::explicit(1))? {
        Some(wrapper) => Extension::decode_all(wrapper.content),
        None => Ok(Vec::new()),
    }
}

fn read_certificates(wrapper: &Element<'_>) -> Result<Vec<Certificate>, Malformed> {
    let mut reader = Reader::sequence_of(wrapper.content, "certificates")?;
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        if certificates.len() == MOST_CERTIFICATES {
            return Err(Malformed::Value("it has more than 16 certificates"));
        }
        certificates.push(Certificate::from_der(reader.any()?.whole)?);
    }
    Ok(certificates)
}
