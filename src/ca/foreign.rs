//! Files that anyone may have made.

pub(crate) mod error;

use crate::asn1::Malformed;
use crate::ca::error::CaError;
pub(crate) use crate::pem::PemObject as ForeignObject;
use crate::store::FileError;
use crate::x509::ocsp::OcspResponse;
use crate::x509::{
    self, Certificate, CertificationRequest, Crl, NoObjects, OCSP_RESPONSE_LABEL, signed_data,
};
pub(crate) use crate::x509::{is_certificate_label, is_signed_data_label};
use error::InputError;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// PEM label of a CRL (RFC 7468 section 6).
pub(crate) const CRL_LABEL: &str = "X509 CRL";

/// A file's content, and its name in errors.
pub(crate) struct Input {
    path: PathBuf,
    content: Zeroizing<Vec<u8>>,
}

/// Kind of input from outside, by which its size is limited before there is a buffer for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
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
            Self::Piped => "128 MiB for a pipe",
        }
    }
}

impl Input {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, CaError> {
        Self::read_of(Size::Any, path)
    }

    /// Reads a file of this size at most.
    pub(crate) fn read_of(size: Size, path: &Path) -> Result<Self, CaError> {
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
    pub(crate) fn from_reader(path: &Path, from: impl Read) -> Result<Self, CaError> {
        Self::from_reader_of(Size::Any, path, from)
    }

    /// Reads this size at most from anything.
    pub(crate) fn from_reader_of(
        size: Size,
        path: &Path,
        from: impl Read,
    ) -> Result<Self, CaError> {
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
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Content that is no secret: a CRL, a certificate.
    pub(crate) fn into_content(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.content)
    }

    /// Reads every object, PEM or DER.
    pub(crate) fn objects(&self) -> Result<Vec<ForeignObject>, CaError> {
        objects(&self.content).map_err(|source| CaError::Input {
            path: self.path.clone(),
            expected: "a file with certificates, CSRs, CRLs or keys",
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
    x509::objects(content).map_err(|error| match error {
        NoObjects::Pem(error) => InputError::Pem(error),
        NoObjects::Utf16 => InputError::Utf16,
        NoObjects::BareBase64 => InputError::BareBase64,
        error => InputError::Other(error.to_string()),
    })
}

/// Reads the certificates in a file, which may hold nothing else.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, CaError> {
    certificates_in(&Input::read(path)?)
}

/// Reads certificates, at least one; nothing else may be there.
pub(crate) fn certificates_in(input: &Input) -> Result<Vec<Certificate>, CaError> {
    let each = each_certificate_in(input)?;
    let is_one = each.len() == 1;
    let all: Result<Vec<_>, _> = each.into_iter().collect();
    all.map_err(|unread| unread.into_error(is_one))
}

/// Certificate of a file that can't be read.
#[derive(Debug)]
pub(crate) struct UnreadCertificate {
    pub(crate) path: PathBuf,
    /// Its place among the certificates of the file, from 1.
    pub(crate) number: usize,
    pub(crate) problem: Malformed,
}

impl UnreadCertificate {
    /// Refuses the whole file, in which it may be the only certificate.
    pub(crate) fn into_error(self, is_one: bool) -> CaError {
        let Self {
            path,
            number,
            problem,
        } = self;
        let source = if is_one {
            problem.into()
        } else {
            let problem = format!("its certificate {number} can't be read: {problem}");
            InputError::Other(problem)
        };
        not_certificates(&path, source)
    }
}

pub(crate) fn not_certificates(path: &Path, source: InputError) -> CaError {
    CaError::Input {
        path: path.to_owned(),
        expected: "a file of certificates",
        source,
    }
}

/// Same as [`certificates_in`], with the reason instead of each certificate that can't be read.
pub(crate) fn each_certificate_in(
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
                "its object {} is {:?}",
                index + 1,
                object.label
            ))));
        }
        certificates.push(Certificate::from_der(&object.der));
    }
    if certificates.is_empty() {
        return Err(wrong(InputError::Other("it has no certificate".into())));
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
pub(crate) fn crls_in(input: &Input) -> Result<Vec<Vec<u8>>, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path().to_owned(),
        expected: "a file of CRLs",
        source,
    };
    let mut crls = Vec::new();
    for (index, mut object) in input.objects()?.into_iter().enumerate() {
        if object.label != CRL_LABEL {
            return Err(wrong(InputError::Other(format!(
                "its object {} is {:?}",
                index + 1,
                object.label
            ))));
        }
        Crl::from_der(&object.der).map_err(|error| wrong(error.into()))?;
        crls.push(std::mem::take(&mut *object.der));
    }
    if crls.is_empty() {
        return Err(wrong(InputError::Other("it has no CRL".into())));
    }
    Ok(crls)
}

/// Reads the DER of OCSP responses, at least one, each with an answer; nothing else may be there.
pub(crate) fn responses_in(input: &Input) -> Result<Vec<Vec<u8>>, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path().to_owned(),
        expected: "a file of OCSP responses",
        source,
    };
    let mut responses = Vec::new();
    for (index, mut object) in input.objects()?.into_iter().enumerate() {
        if object.label != OCSP_RESPONSE_LABEL {
            return Err(wrong(InputError::Other(format!(
                "its object {} is {:?}",
                index + 1,
                object.label
            ))));
        }
        let read = OcspResponse::from_der(&object.der).map_err(|error| wrong(error.into()))?;
        if read.basic.is_none() {
            return Err(wrong(InputError::Other(format!(
                "the responder did not answer: {}",
                read.status.as_str()
            ))));
        }
        responses.push(std::mem::take(&mut *object.der));
    }
    if responses.is_empty() {
        return Err(wrong(InputError::Other("it has no OCSP response".into())));
    }
    Ok(responses)
}

/// Reads the one CSR. Other PEM objects, such as its key, are ignored.
pub(crate) fn request_in(input: &Input) -> Result<CertificationRequest, CaError> {
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
            Err(wrong(InputError::Other(format!("it has only {labels}"))))
        }
        requests => Err(wrong(InputError::Other(format!(
            "it has {} CSRs",
            requests.len()
        )))),
    }
}
