//! Conversion of CRLs that anyone may have made, from PEM to DER and back.

use crate::ca::error::CaError;
use crate::ca::foreign::error::InputError;
use crate::ca::foreign::{CRL_LABEL, Input};
use crate::ca::trust_store::targets::{BundleFinding, JudgedCrl, Level, RelyingParty, judge_crls};
use crate::store::file::{self, Access, Existing, Output, Stream};
use crate::x509::crl::Crl;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// Returns the DER of the one CRL in a file, PEM or DER, untouched.
pub(crate) fn foreign_crl(input: &Input) -> Result<Vec<u8>, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path().to_owned(),
        expected: "a certificate revocation list (CRL)",
        source,
    };
    let objects = input.objects()?;
    let [object] = objects.as_slice() else {
        return Err(wrong(InputError::Other(format!(
            "it holds {} objects",
            objects.len()
        ))));
    };
    if object.label != CRL_LABEL {
        return Err(wrong(InputError::Other(format!(
            "it holds {:?}",
            object.label
        ))));
    }
    let crl = Crl::from_der(&object.der).map_err(|error| wrong(error.into()))?;
    for entry in crl.entries() {
        entry.map_err(|error| wrong(error.into()))?;
    }
    Ok(object.der.to_vec())
}

/// Judges a CRL that [`foreign_crl`] read by a target's rules, now or `within` a time; with `file`, also
/// the form of its file.
pub(crate) fn judge_foreign_crl(
    path: &Path,
    der: &[u8],
    file: Option<&Input>,
    party: &RelyingParty,
    within: Option<Duration>,
    now: OffsetDateTime,
) -> Vec<BundleFinding> {
    let crl = Crl::from_der(der).expect("it was read before");
    let mut judged = JudgedCrl::read(path.display().to_string(), &crl);
    if let Some(file) = file {
        judged = judged.in_file(file.content());
    }
    let is_outside = judged.is_outside(now).is_some();
    let within = within.filter(|_| !is_outside);
    let soon = within.and_then(|within| judged.ends_within(within, Level::Error, now));
    let mut findings = judge_crls(&[judged], party, now);
    findings.extend(soon);
    findings.sort_by_key(|finding| finding.level);
    findings
}

/// Writes a CRL to a new file, over another CRL, or with `overwrite` over any file; or to a pipe.
pub(crate) fn write_foreign_crl(
    path: &Path,
    content: &[u8],
    overwrite: bool,
) -> Result<(), CaError> {
    let file = match Output::at(path)? {
        Output::Stream(stream) => return Ok(Stream::open(stream)?.write(content)?),
        Output::File(file) => file,
    };
    let may_go = || -> Result<bool, CaError> {
        Ok(file::is_regular(&file)? && (overwrite || foreign_crl(&Input::read(&file)?).is_ok()))
    };
    if file::stands(&file)? && !may_go()? {
        return Err(CaError::WouldReplace {
            path: path.to_owned(),
            kind: "a CRL",
        });
    }
    let existing = Existing::Replace;
    Ok(file::write(&file, Access::Umask, existing, content)?)
}
