//! PKCS #12 files that anyone may have made: certificates and keys under a passphrase.

use crate::ca::error::CaError;
use crate::ca::foreign::error::InputError;
use crate::ca::foreign::{Input, UnreadCertificate, each_certificate_in, not_certificates};
use crate::ca::passphrases::{Passphrases, ProtectedKey, open_with};
use crate::key::pkcs12::{Contents, NamedKey, Pfx};
use crate::key::{KeyError, Passphrase};
use crate::store::CaName;
use crate::x509::{self, Certificate};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Label of a PKCS #12 file among other objects.
pub(crate) const PKCS12_LABEL: &str = "PKCS12";

/// Opened PKCS #12 file.
pub(crate) struct Pkcs12File {
    /// Whether a MAC shows that the file is as it was made.
    pub(crate) has_mac: bool,
    pub(crate) contents: Contents,
    /// The passphrase that opened it; `None` if it needs none. An empty one is one.
    pub(crate) passphrase: Option<Passphrase>,
    path: PathBuf,
}

/// Most bytes of a file.
const MOST_BYTES: usize = 16 << 20;

/// Returns whether a file is PKCS #12.
pub(crate) fn is_pkcs12(input: &Input) -> bool {
    pfx_in(input).is_some()
}

/// Returns the DER of a file that is PKCS #12, or PEM of one.
fn pfx_in(input: &Input) -> Option<Zeroizing<Vec<u8>>> {
    let mut objects = x509::objects(input.content()).ok()?;
    let [object] = objects.as_mut_slice() else {
        return None;
    };
    (object.label == PKCS12_LABEL).then(|| std::mem::take(&mut object.der))
}

/// Opens a PKCS #12 file; its passphrase is asked for if it needs one that is not empty. `ca` is the CA whose key is
/// expected in it.
pub(crate) fn open_pkcs12(
    input: &Input,
    ca: Option<&CaName>,
    passphrases: &mut dyn Passphrases,
) -> Result<Pkcs12File, CaError> {
    let path = input.path();
    let failed = |source| unopened(path, source);
    let der = pfx_in(input).unwrap_or_default();
    if der.len() > MOST_BYTES {
        let problem = InputError::Other("it exceeds 16 MiB".into());
        return Err(not_opened(path, problem));
    }
    let pfx = Pfx::from_der(&der).map_err(failed)?;
    let (contents, passphrase) = if !pfx.needs_passphrase() {
        (pfx.open(None).map_err(failed)?, None)
    } else if let Some((contents, empty)) = pfx.open_without() {
        (contents, Some(empty))
    } else {
        let open = |passphrase: &Passphrase| pfx.open(Some(passphrase));
        let (contents, given) = asked(path, ca, passphrases, open)?;
        (contents, Some(given))
    };
    Ok(Pkcs12File {
        has_mac: pfx.has_mac(),
        contents,
        passphrase,
        path: path.to_owned(),
    })
}

/// Opens something of a file with a passphrase that the user gives.
fn asked<T>(
    path: &Path,
    ca: Option<&CaName>,
    passphrases: &mut dyn Passphrases,
    open: impl Fn(&Passphrase) -> Result<T, KeyError>,
) -> Result<(T, Passphrase), CaError> {
    let label = format!("the PKCS #12 file {}", path.display());
    let wanted = ca.map_or_else(
        || ProtectedKey::outside(&label),
        |ca| ProtectedKey::of(ca, &label),
    );
    open_with(wanted, passphrases, open)?.map_err(|source| unopened(path, source))
}

impl Pkcs12File {
    /// Reads its certificates; each that can't be read is named.
    pub(crate) fn certificates(&self) -> Vec<Result<Certificate, UnreadCertificate>> {
        let bags = self.contents.certificates.iter().zip(1..);
        bags.map(|(bag, number)| {
            Certificate::from_der(&bag.der).map_err(|problem| UnreadCertificate {
                path: self.path.clone(),
                number,
                problem,
            })
        })
        .collect()
    }

    /// Returns the error of something in it.
    pub(crate) fn unusable(&self, source: KeyError) -> CaError {
        unopened(&self.path, source)
    }

    /// Decrypts its keys. In a file that is not encrypted otherwise, they may still need a passphrase.
    pub(crate) fn keys(
        &mut self,
        ca: Option<&CaName>,
        passphrases: &mut dyn Passphrases,
    ) -> Result<Vec<NamedKey>, CaError> {
        let contents = &self.contents;
        if self.passphrase.is_some() || !contents.has_encrypted_keys() {
            let keys = contents.keys(self.passphrase.as_ref());
            return keys.map_err(|source| unopened(&self.path, source));
        }
        for empty in Passphrase::empty() {
            if let Ok(keys) = contents.keys(Some(&empty)) {
                self.passphrase = Some(empty);
                return Ok(keys);
            }
        }
        let open = |passphrase: &Passphrase| contents.keys(Some(passphrase));
        let (keys, passphrase) = asked(&self.path, ca, passphrases, open)?;
        self.passphrase = Some(passphrase);
        Ok(keys)
    }
}

fn unopened(path: &Path, source: KeyError) -> CaError {
    not_opened(path, source.into())
}

fn not_opened(path: &Path, source: InputError) -> CaError {
    CaError::Input {
        path: path.to_owned(),
        expected: "a PKCS #12 file that can be opened",
        source,
    }
}

/// Certificates of a file, and whether it is a PKCS #12 file without a MAC.
pub(crate) struct CertificateFile {
    pub(crate) certificates: Vec<Result<Certificate, UnreadCertificate>>,
    pub(crate) lacks_mac: bool,
}

/// Reads the certificates in PEM, DER, PKCS #7 or PKCS #12, at least one.
pub(crate) fn certificate_file(
    input: &Input,
    passphrases: &mut dyn Passphrases,
) -> Result<CertificateFile, CaError> {
    if !is_pkcs12(input) {
        return Ok(CertificateFile {
            certificates: each_certificate_in(input)?,
            lacks_mac: false,
        });
    }
    let file = open_pkcs12(input, None, passphrases)?;
    let certificates = file.certificates();
    if certificates.is_empty() {
        let problem = InputError::Other("it has no certificate".into());
        return Err(not_certificates(input.path(), problem));
    }
    Ok(CertificateFile {
        certificates,
        lacks_mac: !file.has_mac,
    })
}
