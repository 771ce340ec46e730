//! A key and a CSR for a CA elsewhere: nothing of them comes into a store.

use crate::ca::error::CaError;
use crate::ca::export::Destination;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, protection_for};
use crate::key::{KeyType, PrivateKey};
use crate::pem;
use crate::store::file::{self, Access, Existing, Staged};
use crate::x509::extension::Extension;
use crate::x509::{CertificationRequest, GeneralName, Name};
use std::io::Write as _;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Files with a new key and the CSR for it.
pub(crate) struct NewCsr {
    pub(crate) request: CertificationRequest,
    pub(crate) key: PathBuf,
    pub(crate) csr: PathBuf,
}

/// Writes `NAME.key` (PKCS#8) and `NAME.csr` (PKCS#10, RFC 2986), both or none. The SANs are in an
/// extensionRequest (RFC 2985 section 5.4.2).
pub(crate) fn new_csr(
    subject: Option<&Name>,
    names: &[GeneralName],
    key_type: KeyType,
    destination: &Destination,
    passphrases: &mut dyn Passphrases,
) -> Result<NewCsr, CaError> {
    let empty = Name::empty();
    let subject = subject.unwrap_or(&empty);
    if subject.is_empty() && names.is_empty() {
        return Err(IssuanceError::Nameless.into());
    }
    super::check_name(&destination.name)?;
    let key_path = destination
        .directory
        .join(format!("{}.key", destination.name));
    let csr_path = destination
        .directory
        .join(format!("{}.csr", destination.name));
    file::create_directories(&destination.directory, Access::Umask)?;
    let existing = Existing::unless(destination.overwrite);
    let mut key_file = Staged::new(&key_path, Access::Owner, existing)?;
    let mut csr_file = Staged::new(&csr_path, Access::Umask, existing)?;
    let label = format!("the key of {}", destination.name);
    let protection = protection_for(ProtectedKey::outside(&label), passphrases)?;

    let key = PrivateKey::generate(key_type).map_err(KeyUseError::Randomness)?;
    let extensions =
        (!names.is_empty()).then(|| Extension::subject_alt_name(names, subject.is_empty()));
    let der = CertificationRequest::create(&key, subject, extensions.as_slice())
        .map_err(KeyUseError::Signing)?;
    let request = CertificationRequest::from_der(&der).expect("what was just written reads back");
    request.verify().map_err(KeyUseError::Verification)?;
    let key_pem: Zeroizing<Vec<u8>> = protection.to_pem(&key).map_err(KeyUseError::Encoding)?;
    let csr_pem = pem::encode("CERTIFICATE REQUEST", &der);
    for (staged, content) in [
        (&mut key_file, key_pem.as_slice()),
        (&mut csr_file, csr_pem.as_bytes()),
    ] {
        let path = staged.path().to_owned();
        let written = staged.write_all(content);
        written.map_err(crate::store::FileError::of("write", &path))?;
    }
    file::commit_all(vec![key_file, csr_file])?;
    Ok(NewCsr {
        request,
        key: key_path,
        csr: csr_path,
    })
}
