//! Reading CRLs that anyone may have made.

use crate::asn1::{Element, Malformed, Reader, oid, parse_time, tag};
use crate::key::{KeyError, PublicKey, SignatureAlgorithm};
use crate::x509::certificate::algorithm_name;
use crate::x509::revocation::Reason;
use crate::x509::signed::Signed;
use crate::x509::{Extension, Name, Serial};
use time::OffsetDateTime;

/// A CRL that anyone may have made, read in place.
#[derive(Debug, Clone)]
pub(crate) struct Crl<'a> {
    der: &'a [u8],
    tbs: &'a [u8],
    version: u32,
    algorithm: &'a [u8],
    /// The same once more, under the signature; it has to be the same (section 5.1.1.2).
    inner_algorithm: &'a [u8],
    signature: &'a [u8],
    issuer: Name,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    entries: Option<Element<'a>>,
    extensions: Vec<Extension>,
}

/// The CRLReason that stands in delta CRLs alone.
const REMOVE_FROM_CRL: u8 = 8;

/// Entry of a CRL that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadEntry<'a> {
    /// The contents of userCertificate's INTEGER.
    pub(crate) serial: &'a [u8],
    pub(crate) revoked_at: OffsetDateTime,
    /// reasonCode; `None` if there is none, or one that is not defined.
    pub(crate) reason: Option<Reason>,
    /// invalidityDate; `None` if there is none, or one that RFC 5280 does not allow.
    pub(crate) invalidity_date: Option<OffsetDateTime>,
    /// Whether it takes back an entry of another CRL: reasonCode is removeFromCRL.
    pub(crate) removes: bool,
    /// Whether a critical extension is in it that is not one of these.
    pub(crate) has_unknown_critical: bool,
    /// Whether any critical extension is in it but certificateIssuer.
    pub(crate) has_critical: bool,
    /// Whether it is of a certificate of another CA: certificateIssuer is there.
    pub(crate) names_issuer: bool,
}

impl ReadEntry<'_> {
    /// Returns whether the entry is about this serial.
    pub(crate) fn is(&self, serial: &Serial) -> bool {
        self.serial().as_ref() == Some(serial)
    }

    /// The serial, if it is one that RFC 5280 allows.
    pub(crate) fn serial(&self) -> Option<Serial> {
        (self.serial.first()? & 0x80 == 0).then(|| Serial::from_magnitude(self.serial).ok())?
    }
}

impl<'a> Crl<'a> {
    /// Reads a CRL; the whole of `der` has to be it. Entries are read when they are asked for.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, Malformed> {
        let signed = Signed::from_der(der, "a CertificateList")?;
        let mut fields = signed.tbs.reader();
        let version = match fields.optional(tag::INTEGER)? {
            Some(version) => version.small()?.saturating_add(1),
            None => 1,
        };
        let inner_algorithm = fields.algorithm("a signature algorithm")?.whole;
        let issuer = Name::from_der(fields.expect(tag::SEQUENCE, "an issuer")?.whole)?;
        let this_update = parse_time(&fields.any()?)?;
        let is_time = |tag| matches!(tag, Some(tag::UTC_TIME | tag::GENERALIZED_TIME));
        let next_update = if is_time(fields.peek()) {
            Some(parse_time(&fields.any()?)?)
        } else {
            None
        };
        let entries = fields.optional(tag::SEQUENCE)?;
        let extensions = match fields.optional(tag::explicit(0))? {
            Some(wrapper) => Extension::decode_all(wrapper.content)?,
            None => Vec::new(),
        };
        fields.end()?;
        Ok(Self {
            der,
            tbs: signed.tbs.whole,
            version,
            algorithm: signed.algorithm,
            inner_algorithm,
            signature: signed.signature,
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
        })
    }

    pub(crate) fn der(&self) -> &'a [u8] {
        self.der
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn issuer(&self) -> &Name {
        &self.issuer
    }

    pub(crate) fn this_update(&self) -> OffsetDateTime {
        self.this_update
    }

    pub(crate) fn next_update(&self) -> Option<OffsetDateTime> {
        self.next_update
    }

    pub(crate) fn algorithm(&self) -> &'a [u8] {
        self.algorithm
    }

    pub(crate) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// cRLNumber, if there is one that fits 128 bits.
    pub(crate) fn number(&self) -> Option<u128> {
        let extension = self
            .extensions
            .iter()
            .find(|extension| extension.oid == oid::CRL_NUMBER)?;
        let magnitude = Reader::single(&extension.value).ok()?.unsigned().ok()?;
        (magnitude.len() <= 16).then(|| {
            magnitude
                .iter()
                .fold(0, |number, byte| number << 8 | u128::from(*byte))
        })
    }

    /// Returns whether there is a cRLNumber, of whatever size.
    pub(crate) fn has_number(&self) -> bool {
        let mut extensions = self.extensions.iter();
        extensions.any(|extension| extension.oid == oid::CRL_NUMBER)
    }

    pub(crate) fn entries(&self) -> Entries<'a> {
        Entries {
            reader: self
                .entries
                .map_or_else(|| Reader::new(&[]), |entries| entries.reader()),
        }
    }

    /// Checks whether the CRL was signed with this key.
    pub(crate) fn verify_signature(&self, key: &PublicKey) -> Result<(), KeyError> {
        if self.algorithm != self.inner_algorithm {
            return Err(KeyError::Signature("its two algorithms differ"));
        }
        match SignatureAlgorithm::from_der(self.algorithm)? {
            Some(algorithm) => algorithm.verify(key, self.tbs, self.signature),
            None => Err(KeyError::Unsupported {
                algorithm: algorithm_name(self.algorithm),
            }),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Entries<'a> {
    reader: Reader<'a>,
}

impl Entries<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// Goes past the next entry if it is about this serial. Nothing else of it is read: there may be millions.
    pub(crate) fn skip_if(&mut self, serial: &Serial) -> bool {
        let mut rest = self.reader;
        let number = rest
            .sequence("an entry")
            .and_then(|mut fields| fields.expect(tag::INTEGER, "a serial number")?.integer());
        let is_next = number.is_ok_and(|number| serial.is_integer(number));
        if is_next {
            self.reader = rest;
        }
        is_next
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<ReadEntry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let entry = read_entry(&mut self.reader);
        if entry.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(entry)
    }
}

fn read_entry<'a>(crl: &mut Reader<'a>) -> Result<ReadEntry<'a>, Malformed> {
    let mut fields = crl.sequence("an entry")?;
    let serial = fields.expect(tag::INTEGER, "a serial number")?.integer()?;
    let revoked_at = parse_time(&fields.any()?)?;
    let mut entry = ReadEntry {
        serial,
        revoked_at,
        reason: None,
        invalidity_date: None,
        removes: false,
        has_unknown_critical: false,
        has_critical: false,
        names_issuer: false,
    };
    if let Some(extensions) = fields.optional(tag::SEQUENCE)? {
        read_entry_extensions(extensions.reader(), &mut entry)?;
    }
    fields.end()?;
    Ok(entry)
}

/// A CRL may have a million entries, so nothing is kept of their extensions but what they say.
fn read_entry_extensions(mut crl: Reader<'_>, entry: &mut ReadEntry<'_>) -> Result<(), Malformed> {
    while !crl.is_empty() {
        let mut extension = crl.sequence("an Extension")?;
        let identifier = extension.expect(tag::OBJECT_IDENTIFIER, "an extension identifier")?;
        let critical = extension.optional(tag::BOOLEAN)?;
        let is_critical = critical.map_or(Ok(false), |critical| critical.boolean())?;
        let value = extension.expect(tag::OCTET_STRING, "an extension value")?;
        extension.end()?;
        let names_issuer = identifier.content == oid::CERTIFICATE_ISSUER.as_bytes();
        entry.names_issuer |= names_issuer;
        entry.has_critical |= is_critical && !names_issuer;
        if identifier.content == oid::REASON_CODE.as_bytes() {
            let code = Reader::single(value.content)?;
            if code.tag != tag::ENUMERATED {
                return Err(Malformed::Unexpected("a CRLReason"));
            }
            code.integer()?;
            entry.reason = code.content.first().copied().and_then(Reason::from_code);
            entry.removes = code.content == [REMOVE_FROM_CRL];
        } else if identifier.content == oid::INVALIDITY_DATE.as_bytes() {
            entry.invalidity_date = parse_time(&Reader::single(value.content)?).ok();
        } else {
            identifier.oid()?;
            entry.has_unknown_critical |= is_critical;
        }
    }
    Ok(())
}
