//! Trust stores: every CA certificate that a target needs, once.

mod alias;
pub(crate) mod error;
pub(crate) mod targets;

use crate::ca::authority::standing_certificates;
use crate::ca::error::CaError;
use crate::ca::foreign::error::InputError;
use crate::ca::foreign::{Input, certificates_in, read_certificates};
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::trust_store::alias::aliases;
use crate::ca::trust_store::error::TrustStoreError;
use crate::ca::trust_store::targets::{
    BundleFinding, Form, Judged, Level, Origin, RelyingParty, left_out,
};
use crate::key::pkcs12::{self, Pfx};
use crate::key::{KeyError, Passphrase};
use crate::store::file::{self, Access, Existing, Output, Staged, Stream, commit_all};
use crate::store::{Ca, CaName, Store};
use crate::x509::{Certificate, Fingerprint, path};
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

#[derive(Debug, Clone, Default)]
pub(crate) struct BundleRequest {
    /// CAs of the store; all of them if empty.
    pub(crate) cas: Vec<CaName>,
    /// Files of certificates that anyone may have made.
    pub(crate) files: Vec<PathBuf>,
    /// CA certificates of files that were read before.
    pub(crate) given: Vec<Certificate>,
    /// Target of the bundle.
    pub(crate) party: Option<&'static RelyingParty>,
}

/// CA certificates: each once, the path of each complete to its root, each issuer behind what it
/// issued.
pub(crate) struct Bundle {
    /// In the order in which they are written.
    pub(crate) certificates: Vec<Certificate>,
    party: Option<&'static RelyingParty>,
    names: HashMap<Fingerprint, CaName>,
    left_out: Vec<LeftOut>,
}

/// A previous certificate of a CA, which the target has no room for or whose path is not complete.
struct LeftOut {
    certificate: Certificate,
    /// Rule that the bundle would break with it.
    rule: &'static str,
}

/// Rule broken by certificates whose path is not complete.
const INCOMPLETE: &str = "issuer-missing";

/// Gathers a bundle. What a file's path lacks is taken from the store. Renewed CAs are in it with the
/// certificates before the one in force too, as long as they and their paths are valid, unless the target
/// takes the others alone.
pub(crate) fn bundle(
    store: &Store,
    request: &BundleRequest,
    now: OffsetDateTime,
) -> Result<Bundle, CaError> {
    let whole = gather(store, request, &|ca| standing_certificates(store, ca, now))?;
    let Some(error) = first_error(&whole.judge(now)) else {
        return Ok(whole);
    };
    let in_force = |ca: &Ca| Ok(vec![ca.certificates()?.swap_remove(0)]);
    match gather(store, request, &in_force) {
        Ok(smaller) if first_error(&smaller.judge(now)).is_none() => {
            let mut others = whole.certificates;
            others.retain(|certificate| !smaller.certificates.contains(certificate));
            let mut left_out = whole.left_out;
            left_out.extend(LeftOut::all(others, error));
            Ok(Bundle {
                left_out,
                ..smaller
            })
        }
        _ => Ok(whole),
    }
}

fn first_error(findings: &[BundleFinding]) -> Option<&'static str> {
    let mut errors = findings
        .iter()
        .filter(|finding| finding.level == Level::Error);
    errors.next().map(|finding| finding.rule)
}

/// Gathers a bundle; `of` returns the certificates of a CA.
fn gather(
    store: &Store,
    request: &BundleRequest,
    of: &dyn Fn(&Ca) -> Result<Vec<Certificate>, CaError>,
) -> Result<Bundle, CaError> {
    let named: Vec<Ca> = match request.cas.as_slice() {
        [] if request.is_alone() && request.has_others() => Vec::new(),
        [] => store.cas()?,
        names => names
            .iter()
            .map(|name| store.ca(name))
            .collect::<Result<_, _>>()?,
    };
    let mut wanted = request.given.clone();
    for path in &request.files {
        wanted.extend(ca_certificates(path)?);
    }
    let of_files = wanted.len();
    for ca in &named {
        if request.is_alone() {
            wanted.push(ca.certificate().clone());
            continue;
        }
        wanted.extend(of(ca)?);
        for above in store.ancestors(ca)? {
            wanted.extend(of(&above)?);
        }
    }
    if wanted.is_empty() {
        return Err(TrustStoreError::Empty.into());
    }
    if request.is_alone() {
        return Ok(Bundle {
            certificates: path::deduplicate(wanted),
            party: request.party,
            names: HashMap::new(),
            left_out: Vec::new(),
        });
    }
    let known = store.cas()?;
    let mut pool = Vec::new();
    let mut previous = HashSet::new();
    for ca in &known {
        let certificates = of(ca)?;
        previous.extend(certificates.iter().skip(1).map(Certificate::fingerprint));
        pool.extend(certificates);
    }
    let is_previous = |certificate: &Certificate| previous.contains(&certificate.fingerprint());
    let given = wanted.drain(..of_files).collect();
    let (certificates, lost) = complete(given, wanted, &pool, is_previous)?;
    let named = |ca: &Ca| (ca.certificate().fingerprint(), ca.name().clone());
    Ok(Bundle {
        certificates: path::issuers_last(&certificates),
        party: request.party,
        names: known.iter().map(named).collect(),
        left_out: LeftOut::all(lost, INCOMPLETE).collect(),
    })
}

/// Completes the paths of certificates that were given and those of CAs. Returns the complete set, and the
/// previous certificates of CAs that are left out: their path is not complete, as after their issuer's
/// certificate expired or was revoked.
fn complete(
    given: Vec<Certificate>,
    of_cas: Vec<Certificate>,
    pool: &[Certificate],
    is_previous: impl Fn(&Certificate) -> bool,
) -> Result<(Vec<Certificate>, Vec<Certificate>), CaError> {
    let at_hand = [given.as_slice(), &of_cas, pool].concat();
    if let Ok(whole) = path::complete(at_hand[..at_hand.len() - pool.len()].to_vec(), pool) {
        return Ok((whole, Vec::new()));
    }
    let lost = path::without_root(&at_hand).into_iter();
    let lost: HashSet<Fingerprint> = lost
        .filter(|certificate| is_previous(certificate))
        .map(Certificate::fingerprint)
        .collect();
    let (left_out, kept) = of_cas
        .into_iter()
        .partition(|certificate| lost.contains(&certificate.fingerprint()));
    let whole = path::complete([given, kept].concat(), pool)?;
    Ok((whole, path::deduplicate(left_out)))
}

impl LeftOut {
    fn all(certificates: Vec<Certificate>, rule: &'static str) -> impl Iterator<Item = Self> {
        let one = move |certificate| Self { certificate, rule };
        certificates.into_iter().map(one)
    }
}

impl BundleRequest {
    /// Returns whether certificates of files are in the bundle.
    fn has_others(&self) -> bool {
        !(self.files.is_empty() && self.given.is_empty())
    }

    /// Returns whether certificates are bundled without those above them.
    fn is_alone(&self) -> bool {
        Form::of(self.party) == Form::OneCertificate
    }
}

/// Reads a file of CA certificates; refuses leaves.
fn ca_certificates(path: &Path) -> Result<Vec<Certificate>, CaError> {
    only_cas(path, read_certificates(path)?)
}

/// Refuses certificates of a file that are no CA's.
pub(crate) fn only_cas(
    path: &Path,
    certificates: Vec<Certificate>,
) -> Result<Vec<Certificate>, CaError> {
    match certificates.iter().find_map(not_for_bundle) {
        Some(problem) => Err(TrustStoreError::NotACa {
            path: path.to_owned(),
            source: InputError::Other(problem),
        }
        .into()),
        None => Ok(certificates),
    }
}

/// Returns why a certificate can't be in a trust store: it is no CA's, verifiers can't read it, or its
/// signatures bind nothing.
fn not_for_bundle(certificate: &Certificate) -> Option<String> {
    let subject = certificate.subject();
    if let Some((extension, problem)) = certificate.broken_extension() {
        return Some(format!(
            "the {extension} of its certificate {subject} is malformed: {problem}"
        ));
    }
    if !certificate.is_ca() {
        return Some(format!("its certificate {subject} is not a CA certificate"));
    }
    let problem = certificate.public_key().check_order().err()?;
    Some(format!(
        "the key of its certificate {subject} is weak: {problem}"
    ))
}

/// A file of a bundle.
pub(crate) struct PlacedFile {
    pub(crate) path: PathBuf,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) content: Vec<u8>,
}

/// Difference between a bundle and the one it replaces.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) added: Vec<Certificate>,
    pub(crate) removed: Vec<Certificate>,
    pub(crate) kept: Vec<Certificate>,
}

impl Bundle {
    /// Judges the bundle by the general rules and by those of its target.
    pub(crate) fn judge(&self, now: OffsetDateTime) -> Vec<BundleFinding> {
        let files = self.parts().into_iter();
        let bytes: Vec<usize> = files.map(|(_, part)| to_pem(&part).len()).collect();
        let mut findings =
            Judged::new(&self.certificates, &bytes, now).findings(self.party, Origin::Made);
        let told = self.left_out.iter();
        findings.extend(told.map(|one| left_out(&one.certificate, one.rule)));
        findings
    }

    pub(crate) fn is_one_file(&self) -> bool {
        self.parts().len() == 1
    }

    /// Returns the aliases in a PKCS #12 trust store; `None` for other files.
    pub(crate) fn aliases(&self) -> Option<Vec<String>> {
        let is_named = Form::of(self.party) == Form::Pkcs12;
        is_named.then(|| aliases(&self.certificates, &self.names))
    }

    /// Number of CAs on the longest path.
    pub(crate) fn longest_path(&self) -> usize {
        let paths = path::paths_to_roots(&self.certificates);
        paths.iter().flatten().map(Vec::len).max().unwrap_or(0)
    }

    /// Returns the files to write; `out` is the first or only one. The passphrase is that of a
    /// PKCS #12 trust store; other files have none.
    pub(crate) fn files(
        &self,
        out: &Path,
        passphrase: Option<&Passphrase>,
    ) -> Result<Vec<PlacedFile>, CaError> {
        let parts = self.parts().into_iter();
        parts
            .map(|(mark, certificates)| {
                Ok(PlacedFile {
                    path: mark.map_or_else(|| out.to_owned(), |mark| marked(out, &mark)),
                    content: self.content(&certificates, passphrase)?,
                    certificates,
                })
            })
            .collect()
    }

    fn content(
        &self,
        certificates: &[Certificate],
        passphrase: Option<&Passphrase>,
    ) -> Result<Vec<u8>, CaError> {
        let Some(aliases) = self.aliases() else {
            return Ok(to_pem(certificates).into_bytes());
        };
        let passphrase = passphrase.ok_or(KeyUseError::Encoding(KeyError::Unprotected))?;
        let entries: Vec<(&str, &[u8])> = aliases
            .iter()
            .map(String::as_str)
            .zip(certificates.iter().map(Certificate::der))
            .collect();
        Ok(pkcs12::trust_store(&entries, passphrase).map_err(KeyUseError::Encoding)?)
    }

    /// Splits the certificates into files, each with a mark for its name.
    fn parts(&self) -> Vec<(Option<String>, Vec<Certificate>)> {
        let whole = || vec![(None, self.certificates.clone())];
        match Form::of(self.party) {
            Form::OneFile | Form::OneCertificate | Form::Pkcs12 => whole(),
            Form::AnchorsApart => {
                let all = self.certificates.iter().cloned();
                let (anchors, others): (Vec<_>, Vec<_>) =
                    all.partition(Certificate::is_self_signed);
                let mut parts = vec![(None, anchors)];
                if !others.is_empty() {
                    parts.push((Some("intermediates".to_owned()), others));
                }
                parts
            }
            Form::OneChainAFile => match path::chains(&self.certificates) {
                chains if chains.len() > 1 => (1..)
                    .zip(chains)
                    .map(|(number, chain): (u32, _)| (Some(number.to_string()), chain))
                    .collect(),
                _ => whole(),
            },
        }
    }
}

/// Turns `truststore.pem` into `truststore.MARK.pem`.
fn marked(out: &Path, mark: &str) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default();
    let mut name = stem.to_owned();
    name.push(".");
    name.push(mark);
    if let Some(extension) = out.extension() {
        name.push(".");
        name.push(extension);
    }
    out.with_file_name(name)
}

fn to_pem(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}

/// Writes a bundle to a new file, over another bundle, or with `overwrite` over any file, or to a pipe.
/// Returns the difference to the bundle that it replaced. A PKCS #12 trust store is told from a key
/// store by the passphrase that opens it.
pub(crate) fn write_bundle(
    store: &Store,
    files: &[PlacedFile],
    overwrite: bool,
    passphrase: Option<&Passphrase>,
) -> Result<Option<Changes>, CaError> {
    let mut before: Option<Vec<Certificate>> = None;
    let mut places = Vec::new();
    for PlacedFile { path, .. } in files {
        let place = Output::at(path)?;
        if let Output::File(file) = &place
            && file::stands(file)?
        {
            match bundle_at(file, passphrase) {
                Ok(Some(certificates)) if overwrite || !store.contains_file_of_ca(file) => {
                    before.get_or_insert_default().extend(certificates);
                }
                _ if overwrite => {}
                Err(error) => return Err(error),
                Ok(_) => return Err(would_replace(path, passphrase)),
            }
        }
        places.push(place);
    }
    let mut staged = Vec::new();
    for (PlacedFile { content, .. }, place) in files.iter().zip(places) {
        match place {
            Output::Stream(stream) => Stream::open(stream)?.write(content)?,
            Output::File(file) => {
                let mut file = Staged::new(&file, Access::Umask, Existing::Replace)?;
                file.fill(|file| file.write_all(content))?;
                staged.push(file);
            }
        }
    }
    commit_all(staged)?;
    Ok(before.map(|before| Changes::between(before, files)))
}

fn would_replace(path: &Path, passphrase: Option<&Passphrase>) -> CaError {
    CaError::WouldReplace {
        path: path.to_owned(),
        kind: match passphrase {
            Some(_) => "a trust store under this passphrase",
            None => "a bundle",
        },
    }
}

/// Reads the CA certificates of a file that holds nothing else; `None` for any other file.
fn bundle_at(
    path: &Path,
    passphrase: Option<&Passphrase>,
) -> Result<Option<Vec<Certificate>>, CaError> {
    if !file::is_regular(path)? {
        return Ok(None);
    }
    let input = Input::read(path)?;
    let certificates = match passphrase.and_then(|given| trust_store_in(&input, given)) {
        Some(certificates) => Ok(certificates),
        None => certificates_in(&input),
    };
    let cas = certificates.and_then(|certificates| only_cas(path, certificates));
    Ok(cas.ok())
}

/// Reads the certificates of a PKCS #12 file that the passphrase opens, if it has nothing else.
fn trust_store_in(input: &Input, passphrase: &Passphrase) -> Option<Vec<Certificate>> {
    let pfx = Pfx::from_der(input.content()).ok()?;
    let contents = pfx.open(Some(passphrase)).ok()?;
    let bags = contents.certificates.iter();
    let certificates = bags.map(|bag| Certificate::from_der(&bag.der));
    let certificates: Vec<Certificate> = certificates.collect::<Result<_, _>>().ok()?;
    (contents.others.is_empty() && !certificates.is_empty()).then_some(certificates)
}

impl Changes {
    fn between(before: Vec<Certificate>, files: &[PlacedFile]) -> Self {
        let after = files.iter().flat_map(|file| file.certificates.clone());
        let after = path::deduplicate(after.collect());
        let before = path::deduplicate(before);
        let was_there: HashSet<Fingerprint> = before.iter().map(Certificate::fingerprint).collect();
        let is_there: HashSet<Fingerprint> = after.iter().map(Certificate::fingerprint).collect();
        let (kept, added) = after
            .into_iter()
            .partition(|certificate| was_there.contains(&certificate.fingerprint()));
        let mut removed = before;
        removed.retain(|certificate| !is_there.contains(&certificate.fingerprint()));
        Self {
            added,
            removed,
            kept,
        }
    }
}

#[cfg(test)]
mod tests;
