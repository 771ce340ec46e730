//! Files that anyone may have made.

pub(crate) mod error;

use crate::asn1::{Malformed, Reader, tag};
use crate::ca::error::CaError;
use crate::pem::{self, PemObject};
use crate::store::FileError;
use crate::x509::{Certificate, CertificationRequest, RevocationList, signed_data};
use error::InputError;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// PEM label of a CRL (RFC 7468 section 6).
pub(crate) const CRL_LABEL: &str = "X509 CRL";

/// One object in a file.
pub struct ForeignObject {
    /// PEM label; for DER, the label of its structure.
    pub label: String,
    /// Encapsulated header lines, which old encrypted keys have.
    pub headers: Vec<String>,
    /// Its DER.
    pub der: Zeroizing<Vec<u8>>,
}

/// A file's content, and its name in errors.
pub struct Input {
    path: PathBuf,
    content: Zeroizing<Vec<u8>>,
}

/// Kind of input from outside, by which its size is limited before there is a buffer for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A counter.
    Number,
    /// A key or a CSR.
    Single,
    /// A declaration, or certificates.
    Several,
    /// Anything: a CRL of ten million entries has 400 MiB.
    Any,
    /// Anything of which no size is known, such as standard input.
    Piped,
}

impl Size {
    /// Limit in bytes.
    fn most(self) -> u64 {
        match self {
            Self::Number => 4 << 10,
            Self::Single => 1 << 20,
            Self::Several => 16 << 20,
            Self::Any => 512 << 20,
            Self::Piped => 128 << 20,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Number => "4 KiB",
            Self::Single => "1 MiB",
            Self::Several => "16 MiB",
            Self::Any => "512 MiB",
            Self::Piped => "128 MiB, that of a pipe",
        }
    }
}

impl Input {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, CaError> {
        Self::read_of(Size::Any, path)
    }

    /// Reads a file of this size at most.
    pub fn read_of(size: Size, path: &Path) -> Result<Self, CaError> {
        let failed = |source| FileError {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
        let length = file.metadata().map_or(0, |found| found.len());
        Self::with_room(path, file, length, size)
    }

    /// Reads from anything; `path` is its name in errors.
    pub fn from_reader(path: &Path, from: impl Read) -> Result<Self, CaError> {
        Self::from_reader_of(Size::Any, path, from)
    }

    /// Reads this size at most from anything.
    pub fn from_reader_of(size: Size, path: &Path, from: impl Read) -> Result<Self, CaError> {
        Self::with_room(path, from, 0, size)
    }

    /// Reads content of about `length` bytes without moving it in memory; if it is longer, the old buffer is
    /// wiped: it may hold a key.
    fn with_room(
        path: &Path,
        mut from: impl Read,
        length: u64,
        size: Size,
    ) -> Result<Self, CaError> {
        const LEAST: usize = 4096;
        let size = match size {
            Size::Any if length == 0 => Size::Piped,
            size => size,
        };
        let failed = |source| FileError {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        let too_large = || {
            let problem = format!("it exceeds the limit of {}", size.in_words());
            failed(io::Error::new(io::ErrorKind::FileTooLarge, problem))
        };
        if length > size.most() {
            return Err(too_large().into());
        }
        let most = usize::try_from(size.most()).unwrap_or(usize::MAX);
        let room = usize::try_from(length).unwrap_or(usize::MAX);
        let mut content = wiped_room(room.clamp(LEAST, most) + 1).map_err(failed)?;
        loop {
            let room = content.capacity() - content.len();
            let some = &mut from.by_ref().take(room as u64);
            if some.read_to_end(&mut content).map_err(failed)? < room {
                break;
            }
            if content.len() > most {
                return Err(too_large().into());
            }
            let larger = wiped_room((2 * content.len()).min(most + 1));
            let mut larger = larger.map_err(failed)?;
            larger.extend_from_slice(&content);
            content = larger;
        }
        Ok(Self {
            path: path.to_owned(),
            content,
        })
    }

    /// Name in errors.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Content that is no secret: a CRL, a certificate.
    pub fn into_content(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.content)
    }

    /// Reads every object, PEM or DER.
    pub fn objects(&self) -> Result<Vec<ForeignObject>, CaError> {
        objects(&self.content).map_err(|source| CaError::Input {
            path: self.path.clone(),
            expected: "a file with certificates, requests, lists or keys",
            source,
        })
    }
}

/// Room for so many bytes, or an error if there is no memory for them.
fn wiped_room(bytes: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut room = Zeroizing::new(Vec::new());
    room.try_reserve_exact(bytes).map_err(io::Error::from)?;
    Ok(room)
}

pub(crate) fn objects(content: &[u8]) -> Result<Vec<ForeignObject>, InputError> {
    if content.is_empty() {
        return Err(InputError::Other("the file is empty".into()));
    }
    if pem::looks_like_pem(content) {
        let from_pem = |PemObject {
                            label,
                            headers,
                            der,
                            ..
                        }| ForeignObject {
            label,
            headers,
            der,
        };
        return Ok(pem::decode(content)?.into_iter().map(from_pem).collect());
    }
    let label = der_label(content).ok_or_else(|| why_not_der(content))?;
    Ok(vec![ForeignObject {
        label: label.into(),
        headers: Vec::new(),
        der: Zeroizing::new(content.to_vec()),
    }])
}

/// Returns the label of a DER structure, by the shape of its first fields.
fn der_label(der: &[u8]) -> Option<&'static str> {
    let mut outer = Reader::sequence_of(der, "").ok()?;
    let first = outer.any().ok()?;
    if first.tag == tag::INTEGER {
        return Some(match outer.peek() {
            Some(tag::OCTET_STRING) => "EC PRIVATE KEY",
            Some(tag::INTEGER) => "RSA PRIVATE KEY",
            // RFC 7292: no private key has this version.
            Some(tag::SEQUENCE) if first.content == [3] => "PKCS12",
            _ => "PRIVATE KEY",
        });
    }
    if first.tag == tag::OBJECT_IDENTIFIER {
        return Some("PKCS7");
    }
    if first.tag != tag::SEQUENCE {
        return None;
    }
    match outer.peek() {
        Some(tag::OCTET_STRING) => return Some("ENCRYPTED PRIVATE KEY"),
        Some(tag::BIT_STRING) => return Some("PUBLIC KEY"),
        _ => {}
    }
    let mut inner = first.reader();
    let mut tags = Vec::new();
    while let Ok(element) = inner.any() {
        tags.push((element.tag, element.content));
    }
    let numbered = usize::from(tags.first()?.0 == tag::INTEGER);
    match tags.first()?.0 {
        found if found == tag::explicit(0) => Some("CERTIFICATE"),
        // A CSR has version 0 and a subject; a v1 certificate a serial number, an algorithm and
        // an issuer; a CRL version 1, an algorithm, an issuer and a time.
        tag::INTEGER
            if tags.len() >= 6 && tags.get(3).is_some_and(|(tag, _)| *tag == tag::SEQUENCE) =>
        {
            Some("CERTIFICATE")
        }
        _ if is_time(tags.get(numbered + 2)?.0) => Some(CRL_LABEL),
        tag::INTEGER => Some("CERTIFICATE REQUEST"),
        _ => None,
    }
}

/// Returns why there is no object in a file without PEM markers.
fn why_not_der(content: &[u8]) -> InputError {
    // A text may start with the byte of a SEQUENCE, which is the digit 0.
    let in_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    let problem = if pem::is_utf16(content) {
        return InputError::Utf16;
    } else if pem::is_bare_base64(content) {
        return InputError::BareBase64;
    } else if content.first() != Some(&tag::SEQUENCE) || content.iter().all(in_text) {
        "it is neither PEM nor DER"
    } else {
        let mut reader = Reader::new(content);
        match reader.any() {
            Err(Malformed::Truncated) => {
                "it is cut off: it starts as DER, and ends before its length"
            }
            Err(_) => "it is neither PEM nor DER",
            Ok(_) if reader.is_empty() => "it is DER of another kind",
            Ok(_) => "it is DER that goes on after its end",
        }
    };
    InputError::Other(problem.into())
}

fn is_time(tag: u8) -> bool {
    tag == tag::UTC_TIME || tag == tag::GENERALIZED_TIME
}

pub(crate) fn is_certificate_label(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

/// Whether this is the PEM label of a file of certificates (RFC 7468 sections 8 and 9).
pub(crate) fn is_signed_data_label(label: &str) -> bool {
    matches!(label, "PKCS7" | "CMS")
}

/// Reads the certificates in a file, which may hold nothing else.
pub fn read_certificates(path: &Path) -> Result<Vec<Certificate>, CaError> {
    certificates_in(&Input::read(path)?)
}

/// Reads certificates, at least one; nothing else may be there.
pub fn certificates_in(input: &Input) -> Result<Vec<Certificate>, CaError> {
    let each = each_certificate_in(input)?;
    let is_one = each.len() == 1;
    let all: Result<Vec<_>, _> = each.into_iter().collect();
    all.map_err(|unread| unread.into_error(is_one))
}

/// Certificate of a file that can't be read.
#[derive(Debug)]
pub struct UnreadCertificate {
    pub path: PathBuf,
    /// Its place among the certificates of the file, from 1.
    pub number: usize,
    pub problem: Malformed,
}

impl UnreadCertificate {
    /// Refuses the whole file, in which it may be the only certificate.
    pub fn into_error(self, is_one: bool) -> CaError {
        let Self {
            path,
            number,
            problem,
        } = self;
        let source = if is_one {
            problem.into()
        } else {
            let problem = format!("certificate {number} in it can't be read: {problem}");
            InputError::Other(problem)
        };
        not_certificates(&path, source)
    }
}

fn not_certificates(path: &Path, source: InputError) -> CaError {
    CaError::Input {
        path: path.to_owned(),
        expected: "a file of certificates",
        source,
    }
}

/// Same as [`certificates_in`], with the reason instead of each certificate that can't be read.
pub fn each_certificate_in(
    input: &Input,
) -> Result<Vec<Result<Certificate, UnreadCertificate>>, CaError> {
    let wrong = |source| not_certificates(input.path(), source);
    let mut certificates: Vec<Result<Certificate, Malformed>> = Vec::new();
    for (index, object) in input.objects()?.into_iter().enumerate() {
        if is_signed_data_label(&object.label) {
            let all = signed_data::each_certificate(&object.der);
            certificates.extend(all.map_err(|error| wrong(error.into()))?);
            continue;
        }
        if !is_certificate_label(&object.label) {
            return Err(wrong(InputError::Other(format!(
                "object {} in it is {:?}",
                index + 1,
                object.label
            ))));
        }
        certificates.push(Certificate::from_der(&object.der));
    }
    if certificates.is_empty() {
        return Err(wrong(InputError::Other(
            "there is no certificate in it".into(),
        )));
    }
    let numbered = certificates.into_iter().enumerate();
    let named = numbered.map(|(index, certificate)| {
        certificate.map_err(|problem| UnreadCertificate {
            path: input.path().to_owned(),
            number: index + 1,
            problem,
        })
    });
    Ok(named.collect())
}

/// Reads the DER of CRLs, at least one; nothing else may be there.
pub fn lists_in(input: &Input) -> Result<Vec<Vec<u8>>, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path().to_owned(),
        expected: "a file of certificate revocation lists",
        source,
    };
    let mut lists = Vec::new();
    for (index, mut object) in input.objects()?.into_iter().enumerate() {
        if object.label != CRL_LABEL {
            return Err(wrong(InputError::Other(format!(
                "object {} in it is {:?}",
                index + 1,
                object.label
            ))));
        }
        RevocationList::from_der(&object.der).map_err(|error| wrong(error.into()))?;
        lists.push(std::mem::take(&mut *object.der));
    }
    if lists.is_empty() {
        return Err(wrong(InputError::Other("there is no list in it".into())));
    }
    Ok(lists)
}

/// Reads the one CSR. Other PEM objects, such as its key, are ignored.
pub fn request_in(input: &Input) -> Result<CertificationRequest, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path.clone(),
        expected: "a certificate signing request (CSR)",
        source,
    };
    let objects = objects(&input.content).map_err(wrong)?;
    let requests: Vec<&ForeignObject> = objects
        .iter()
        .filter(|object| object.label.ends_with("CERTIFICATE REQUEST"))
        .collect();
    match requests.as_slice() {
        [request] => {
            CertificationRequest::from_der(&request.der).map_err(|error| wrong(error.into()))
        }
        [] => {
            let labels = objects.iter().take(3).map(|it| format!("{:?}", it.label));
            let labels = labels.collect::<Vec<_>>().join(", ");
            Err(wrong(InputError::Other(format!("it holds {labels}"))))
        }
        requests => Err(wrong(InputError::Other(format!(
            "it holds {} CSRs",
            requests.len()
        )))),
    }
}
