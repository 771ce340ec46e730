//! Certificate revocation lists (RFC 5280 section 5).
//!
//! A list is written into one buffer, entry by entry, and its headers in front of them afterwards:
//! what it costs in memory is its own size. It is read in place, entry by entry.

use super::extension::Extension;
use super::name::Name;
use super::revocation::Reason;
use super::serial::Serial;
use super::signed::Signed;
use crate::asn1::{Element, Encoder, Malformed, Reader, encode, encode_time, oid, parse_time, tag};
use crate::key::{KeyError, PrivateKey, PublicKey, SignatureAlgorithm};
use time::OffsetDateTime;

/// One entry of a list that is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// userCertificate.
    pub serial: &'a Serial,
    /// revocationDate.
    pub revoked_at: OffsetDateTime,
    /// reasonCode; left out where it is unspecified (section 5.3.1).
    pub reason: Reason,
    /// invalidityDate.
    pub invalidity_date: Option<OffsetDateTime>,
}

/// The fields of a list beside its entries.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// issuer: the bytes of the CA's subject.
    pub issuer: &'a Name,
    /// authorityKeyIdentifier: the CA's subject key identifier.
    pub key_identifier: &'a [u8],
    /// thisUpdate.
    pub this_update: OffsetDateTime,
    /// nextUpdate.
    pub next_update: OffsetDateTime,
    /// cRLNumber.
    pub number: u128,
}

/// Room in front of the entries for everything that precedes them, beside the issuer.
const HEADROOM: usize = 256;

/// A list in the making.
#[derive(Clone)]
pub struct ListBuilder {
    buffer: Vec<u8>,
    headroom: usize,
    entries: usize,
}

impl ListBuilder {
    /// Starts a list whose buffer is not moved until its entries take more than `octets`.
    pub fn with_capacity(issuer: &Name, octets: usize) -> Self {
        let headroom = HEADROOM + issuer.der().len();
        let mut buffer = Vec::with_capacity(2 * headroom + octets);
        buffer.resize(headroom, 0);
        Self {
            buffer,
            headroom,
            entries: 0,
        }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let mut encoder = Encoder::onto(std::mem::take(&mut self.buffer));
        encode_entry(&mut encoder, entry);
        self.buffer = encoder.into_bytes();
        self.entries += 1;
    }

    /// How many entries were added.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Octets that a list of these entries has at least.
    pub fn least_octets(&self) -> usize {
        self.buffer.len() - HEADROOM
    }

    /// Puts the headers around the entries and signs.
    pub fn sign(self, header: &Header<'_>, key: &PrivateKey) -> Result<Vec<u8>, KeyError> {
        let Self {
            mut buffer,
            headroom,
            entries,
        } = self;
        let Header {
            issuer,
            key_identifier,
            this_update,
            next_update,
            number,
        } = *header;
        let algorithm = key.signature_algorithm();
        let mut start = headroom;
        if entries > 0 {
            // An empty list has no revokedCertificates at all (section 5.1.2.6).
            let entries_length = buffer.len() - headroom;
            put_in_front(
                &mut buffer,
                &mut start,
                &header_of(tag::SEQUENCE, entries_length),
            );
        }
        let fields = encode(|tbs| {
            tbs.unsigned(&[1]); // v2
            algorithm.encode(tbs);
            tbs.raw(issuer.der());
            encode_time(tbs, this_update);
            encode_time(tbs, next_update);
        });
        put_in_front(&mut buffer, &mut start, &fields);
        buffer.extend_from_slice(&encode(|tbs| {
            tbs.explicit(0, |wrapper| {
                wrapper.sequence(|list| {
                    Extension::authority_key_identifier(key_identifier).encode(list);
                    Extension::crl_number(number).encode(list);
                });
            });
        }));
        let tbs_length = buffer.len() - start;
        put_in_front(
            &mut buffer,
            &mut start,
            &header_of(tag::SEQUENCE, tbs_length),
        );
        let signature = key.sign(&buffer[start..])?;
        buffer.extend_from_slice(&encode(|signed| {
            algorithm.encode(signed);
            signed.bit_string(&signature);
        }));
        let length = buffer.len() - start;
        put_in_front(&mut buffer, &mut start, &header_of(tag::SEQUENCE, length));
        buffer.drain(..start);
        Ok(buffer)
    }
}

fn header_of(tag: u8, length: usize) -> Vec<u8> {
    encode(|encoder| encoder.header(tag, length))
}

/// Writes `bytes` so that they end where the buffer's used part starts.
fn put_in_front(buffer: &mut [u8], start: &mut usize, bytes: &[u8]) {
    let end = *start;
    *start = end
        .checked_sub(bytes.len())
        .expect("the headroom was made for all headers");
    buffer[*start..end].copy_from_slice(bytes);
}

fn encode_entry(encoder: &mut Encoder, entry: &Entry<'_>) {
    let Entry {
        serial,
        revoked_at,
        reason,
        invalidity_date,
    } = entry;
    encoder.sequence(|fields| {
        serial.encode(fields);
        encode_time(fields, *revoked_at);
        if *reason == Reason::Unspecified && invalidity_date.is_none() {
            return;
        }
        fields.sequence(|extensions| {
            if *reason != Reason::Unspecified {
                extensions.sequence(|extension| {
                    extension.oid(&oid::REASON_CODE);
                    extension.primitive(tag::OCTET_STRING, &[tag::ENUMERATED, 1, reason.code()]);
                });
            }
            if let Some(date) = invalidity_date {
                let value = encode(|value| crate::asn1::encode_generalized_time(value, *date));
                Extension {
                    oid: oid::INVALIDITY_DATE,
                    critical: false,
                    value,
                }
                .encode(extensions);
            }
        });
    });
}

/// A list that anyone may have made, read in place.
#[derive(Debug, Clone)]
pub struct RevocationList<'a> {
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

/// The CRLReason that stands in delta lists alone.
const REMOVE_FROM_CRL: u8 = 8;

/// One entry of a list that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEntry<'a> {
    /// The contents of userCertificate's INTEGER.
    pub serial: &'a [u8],
    /// revocationDate.
    pub revoked_at: OffsetDateTime,
    /// reasonCode; `None` where there is none, or one that is not defined.
    pub reason: Option<Reason>,
    /// invalidityDate; `None` where there is none, or one that RFC 5280 does not allow.
    pub invalidity_date: Option<OffsetDateTime>,
    /// Whether it takes back an entry of another list: reasonCode is removeFromCRL.
    pub removes: bool,
    /// Whether a critical extension is in it that is not one of these.
    pub has_unknown_critical: bool,
    /// Whether any critical extension is in it but certificateIssuer.
    pub has_critical: bool,
    /// Whether it is of a certificate of another CA: certificateIssuer is there.
    pub names_issuer: bool,
}

impl ReadEntry<'_> {
    /// Whether the entry is about this serial.
    pub fn is(&self, serial: &Serial) -> bool {
        self.serial().as_ref() == Some(serial)
    }

    /// The serial, if it is one that RFC 5280 allows.
    pub fn serial(&self) -> Option<Serial> {
        (self.serial.first()? & 0x80 == 0).then(|| Serial::from_magnitude(self.serial).ok())?
    }
}

impl<'a> RevocationList<'a> {
    /// Reads a list; the whole of `der` has to be it. Entries are read when they are asked for.
    pub fn from_der(der: &'a [u8]) -> Result<Self, Malformed> {
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

    /// The bytes of the list.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The version, counted from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// thisUpdate.
    pub fn this_update(&self) -> OffsetDateTime {
        self.this_update
    }

    /// nextUpdate.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.next_update
    }

    /// The signature algorithm: an AlgorithmIdentifier.
    pub fn algorithm(&self) -> &'a [u8] {
        self.algorithm
    }

    /// Every extension of the list.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// cRLNumber, if there is one that fits 128 bits.
    pub fn number(&self) -> Option<u128> {
        let extension = self
            .extensions
            .iter()
            .find(|extension| extension.oid == oid::CRL_NUMBER)?;
        let magnitude = Reader::single(&extension.value).ok()?.unsigned().ok()?;
        (magnitude.len() <= 16).then(|| {
            magnitude
                .iter()
                .fold(0, |number, octet| number << 8 | u128::from(*octet))
        })
    }

    /// Whether there is a cRLNumber, of whatever size.
    pub fn has_number(&self) -> bool {
        let mut extensions = self.extensions.iter();
        extensions.any(|extension| extension.oid == oid::CRL_NUMBER)
    }

    /// The entries, in order.
    pub fn entries(&self) -> Entries<'a> {
        Entries {
            reader: self
                .entries
                .map_or_else(|| Reader::new(&[]), |entries| entries.reader()),
        }
    }

    /// Whether the list was signed with this key.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), KeyError> {
        if self.algorithm != self.inner_algorithm {
            return Err(KeyError::Inconsistent {
                reason: "the list names two signature algorithms".into(),
            });
        }
        match SignatureAlgorithm::from_der(self.algorithm)? {
            Some(algorithm) => algorithm.verify(key, self.tbs, self.signature),
            None => Err(KeyError::Unsupported {
                algorithm: super::certificate::algorithm_name(self.algorithm),
            }),
        }
    }
}

/// Reads entries one after the other.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    reader: Reader<'a>,
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

fn read_entry<'a>(list: &mut Reader<'a>) -> Result<ReadEntry<'a>, Malformed> {
    let mut fields = list.sequence("an entry")?;
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

/// A list may have a million entries, so nothing is kept of their extensions but what they say.
fn read_entry_extensions(mut list: Reader<'_>, entry: &mut ReadEntry<'_>) -> Result<(), Malformed> {
    while !list.is_empty() {
        let mut extension = list.sequence("an Extension")?;
        let identifier = extension.expect(tag::OBJECT_IDENTIFIER, "an extension's identifier")?;
        identifier.oid()?;
        let critical = extension.optional(tag::BOOLEAN)?;
        let is_critical = critical.map_or(Ok(false), |critical| critical.boolean())?;
        let value = extension.expect(tag::OCTET_STRING, "an extension's value")?;
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
            entry.has_unknown_critical |= is_critical;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyType;
    use ::time::macros::datetime;

    fn list(entries: &[Entry<'_>]) -> (Vec<u8>, PrivateKey, Name) {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let issuer = Name::from_common_name("ca").unwrap();
        let mut builder = ListBuilder::with_capacity(&issuer, 0);
        entries.iter().for_each(|entry| builder.push(entry));
        let header = Header {
            issuer: &issuer,
            key_identifier: &[1; 20],
            this_update: datetime!(2026-01-01 0:00 UTC),
            next_update: datetime!(2026-01-08 0:00 UTC),
            number: 300,
        };
        let der = builder.sign(&header, &key).unwrap();
        (der, key, issuer)
    }

    #[test]
    fn what_is_written_reads_back() {
        let serial = "0102030405060708090A".parse().unwrap();
        let entry = Entry {
            serial: &serial,
            revoked_at: datetime!(2025-12-31 1:02:03 UTC),
            reason: Reason::KeyCompromise,
            invalidity_date: Some(datetime!(2025-12-30 0:00 UTC)),
        };
        let plain = Entry {
            reason: Reason::Unspecified,
            invalidity_date: None,
            ..entry.clone()
        };
        let (der, key, issuer) = list(&[entry.clone(), plain]);
        let read = RevocationList::from_der(&der).unwrap();
        assert_eq!(
            (read.version(), read.number(), read.issuer()),
            (2, Some(300), &issuer)
        );
        assert!(read.verify_signature(key.public()).is_ok());
        let entries: Vec<_> = read.entries().map(Result::unwrap).collect();
        assert_eq!(entries.len(), 2);
        assert!(entries[0].is(&serial));
        assert_eq!(entries[0].revoked_at, entry.revoked_at);
        assert_eq!(entries[0].reason, Some(Reason::KeyCompromise));
        assert_eq!(entries[0].invalidity_date, entry.invalidity_date);
        assert_eq!(
            (entries[1].reason, entries[1].invalidity_date),
            (None, None)
        );
    }

    #[test]
    fn a_negative_serial_is_none() {
        let entry = |serial: &'static [u8]| ReadEntry {
            serial,
            revoked_at: datetime!(2026-01-01 0:00 UTC),
            reason: None,
            invalidity_date: None,
            removes: false,
            has_critical: false,
            names_issuer: false,
            has_unknown_critical: false,
        };
        for (serial, expected) in [
            (&[0x7f][..], Some("7F")),
            (&[0, 0xff], Some("FF")),
            (&[0xff], None),
            (&[0x80, 0], None),
            (&[0], None),
            (&[], None),
            (&[0x7f; 21], None),
        ] {
            let read = entry(serial).serial().map(|serial| serial.to_string());
            assert_eq!(read.as_deref(), expected, "{serial:x?}");
        }
    }

    #[test]
    fn every_reason_is_written_by_its_number_and_none_where_it_is_unspecified() {
        let serial = "01".parse().unwrap();
        for (reason, code) in [
            (Reason::Unspecified, None),
            (Reason::KeyCompromise, Some(1)),
            (Reason::CaCompromise, Some(2)),
            (Reason::AffiliationChanged, Some(3)),
            (Reason::Superseded, Some(4)),
            (Reason::CessationOfOperation, Some(5)),
            (Reason::CertificateHold, Some(6)),
            (Reason::PrivilegeWithdrawn, Some(9)),
            (Reason::AaCompromise, Some(10)),
        ] {
            for invalidity_date in [None, Some(datetime!(2025-12-30 0:00 UTC))] {
                let (der, ..) = list(&[Entry {
                    serial: &serial,
                    revoked_at: datetime!(2025-12-31 0:00 UTC),
                    reason,
                    invalidity_date,
                }]);
                // The extension of section 5.3.1, without what is in front of its number.
                let extension = [0x06, 3, 0x55, 0x1d, 0x15, 0x04, 3, 0x0a, 1];
                let at = memchr::memmem::find(&der, &extension);
                let written = at.map(|at| der[at + extension.len()]);
                assert_eq!(written, code, "{reason}");
                let read = RevocationList::from_der(&der).unwrap();
                let entry = read.entries().next().unwrap().unwrap();
                assert_eq!(entry.reason.unwrap_or_default(), reason);
                assert_eq!(entry.invalidity_date, invalidity_date);
            }
        }
    }

    #[test]
    fn a_signature_that_does_not_end_on_an_octet_is_read_and_verifies_under_no_key() {
        let (mut der, key, _) = list(&[]);
        let signature = Signed::from_der(&der, "").unwrap().signature.len();
        let (unused, last) = (der.len() - signature - 1, der.len() - 1);
        (der[unused], der[last]) = (3, der[last] & 0xf8);
        let read = RevocationList::from_der(&der).unwrap();
        assert!(read.verify_signature(key.public()).is_err());
        // Unused bits are zero.
        der[last] |= 1;
        assert!(RevocationList::from_der(&der).is_err());
        (der[unused], der[last]) = (8, 0);
        assert!(RevocationList::from_der(&der).is_err());
    }

    #[test]
    fn an_invalidity_date_that_is_not_allowed_is_left_out() {
        let serial = "01".parse().unwrap();
        let (mut der, ..) = list(&[Entry {
            serial: &serial,
            revoked_at: datetime!(2025-12-31 0:00 UTC),
            reason: Reason::KeyCompromise,
            invalidity_date: Some(datetime!(2025-12-30 1:02:03 UTC)),
        }]);
        let date = b"20251230010203Z";
        let at = memchr::memmem::find(&der, date).unwrap();
        der[at + date.len() - 3] = b'.';
        let entries: Vec<_> = RevocationList::from_der(&der).unwrap().entries().collect();
        let entry = entries[0].as_ref().unwrap();
        assert_eq!(entry.reason, Some(Reason::KeyCompromise));
        assert_eq!(entry.invalidity_date, None);
    }

    #[test]
    fn an_empty_list_has_no_list_of_entries() {
        let (der, ..) = list(&[]);
        let tbs = Reader::single(&der).unwrap().reader().any().unwrap();
        let tags: Vec<u8> = std::iter::successors(Some(tbs.reader()), |reader| {
            let mut next = *reader;
            next.any().ok().map(|_| next)
        })
        .filter_map(|reader| reader.peek())
        .collect();
        let expected = [
            tag::INTEGER,
            tag::SEQUENCE,
            tag::SEQUENCE,
            tag::UTC_TIME,
            tag::UTC_TIME,
            tag::explicit(0),
        ];
        assert_eq!(tags, expected);
    }

    #[test]
    fn a_list_that_names_two_algorithms_is_not_believed() {
        let (der, key, _) = list(&[]);
        let signed = Signed::from_der(&der, "a list").unwrap();
        let mut tbs = signed.tbs.whole.to_vec();
        let sha256 = oid::ECDSA_WITH_SHA256.as_bytes();
        let at = memchr::memmem::find(&tbs, sha256).unwrap();
        tbs[at..at + sha256.len()].copy_from_slice(oid::ECDSA_WITH_SHA384.as_bytes());
        let signature = key.sign(&tbs).unwrap();
        let forged = super::super::signed::assemble(&tbs, key.signature_algorithm(), &signature);
        let read = RevocationList::from_der(&forged).unwrap();
        assert!(read.verify_signature(key.public()).is_err());
    }

    #[test]
    fn a_list_that_is_cut_off_is_refused_at_every_octet() {
        let (der, ..) = list(&[]);
        assert!((0..der.len()).all(|length| RevocationList::from_der(&der[..length]).is_err()));
    }
}
