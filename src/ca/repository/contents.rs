//! Contents of a repository, gathered from the store.

use crate::ca::authority::{cross_certificate, is_revoked, standing_certificates};
use crate::ca::crl::{Place, published_crl};
use crate::ca::error::CaError;
use crate::ca::repository::address::path_of;
use crate::ca::repository::error::RepositoryError;
use crate::ca::select::Status;
use crate::ca::trust_store::{BundleRequest, bundle};
use crate::store::{Ca, CaName, Issuance, Store};
use crate::x509::{Certificate, signed_data};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// Name of the trust store.
const TRUST_STORE: &str = "truststore.pem";

/// Repository to make.
pub(crate) struct RepositoryRequest {
    /// URL under which the directory is served; by default that of every URL in the certificates.
    pub(crate) base_url: Option<String>,
    /// Whether the page lists certificates of leaves that expire soon.
    pub(crate) with_issued: bool,
}

/// Type of a file, from which its media type follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileType {
    Certificate,
    Pkcs7,
    Crl,
    Pem,
    Page,
    Json,
    Text,
}

impl FileType {
    /// Returns the media type. Those of certificates, CRLs and PKCS #7 are what RFC 5280 sections 4.2.1.13 and
    /// 4.2.2.1 name.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Certificate => "application/pkix-cert",
            Self::Pkcs7 => "application/pkcs7-mime",
            Self::Crl => "application/pkix-crl",
            Self::Pem => "application/x-pem-file",
            Self::Page => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// A file of a repository.
pub(crate) struct RepositoryFile {
    pub(crate) file_type: FileType,
    pub(crate) content: Vec<u8>,
    /// The CA whose certificate or CRL it is.
    pub(crate) ca: Option<CaName>,
    /// URL or usual path that asks for it.
    source: String,
}

/// A CA as the repository shows it.
pub(crate) struct ShownCa {
    pub(crate) name: CaName,
    pub(crate) parent: Option<CaName>,
    pub(crate) certificate: Certificate,
    pub(crate) status: Status,
    pub(crate) crl: Option<ShownCrl>,
    /// Paths of its certificate, of its certificates as PKCS #7, and of its CRL.
    pub(crate) certificate_path: String,
    pub(crate) pkcs7_path: String,
    pub(crate) crl_path: Option<String>,
}

/// A CRL as the repository shows it.
pub(crate) struct ShownCrl {
    pub(crate) number: Option<u128>,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) entries: usize,
}

/// Freshness of a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrlState {
    Current,
    /// Less than a third of its time is left.
    ExpiresSoon,
    Expired,
}

impl ShownCrl {
    pub(crate) fn state(&self, now: OffsetDateTime) -> CrlState {
        let Some(next) = self.next_update else {
            return CrlState::Current;
        };
        if next <= now {
            CrlState::Expired
        } else if (next - now) * 3 < next - self.this_update {
            CrlState::ExpiresSoon
        } else {
            CrlState::Current
        }
    }
}

/// Files of a repository by path, and what its page shows.
pub(crate) struct Repository {
    pub(crate) files: BTreeMap<String, RepositoryFile>,
    pub(crate) cas: Vec<ShownCa>,
    /// CAs whose published CRL is not current: it has expired, or revocations are not in it.
    pub(crate) without_current_crl: Vec<CaName>,
    /// URLs in certificates that lead elsewhere.
    pub(crate) elsewhere: Vec<String>,
    /// Leaves that expire within 90 days, the soonest first; `None` if the page does not list them.
    pub(crate) expiring: Option<Vec<(CaName, Issuance)>>,
    pub(crate) base_url: Option<String>,
}

/// Gathers the certificates, CRLs and the trust store of a store.
pub(super) fn gathered(
    store: &Store,
    request: &RepositoryRequest,
    now: OffsetDateTime,
) -> Result<Repository, CaError> {
    let mut repository = Repository {
        files: BTreeMap::new(),
        cas: Vec::new(),
        elsewhere: Vec::new(),
        without_current_crl: Vec::new(),
        expiring: None,
        base_url: request.base_url.clone(),
    };
    let all = store.cas()?;
    for ca in &all {
        repository.add_ca(store, ca, &all, now)?;
    }
    let trust_store = bundle(store, &BundleRequest::default(), now)?;
    let pem: String = trust_store
        .certificates
        .iter()
        .map(Certificate::to_pem)
        .collect();
    repository.add(
        TRUST_STORE,
        FileType::Pem,
        pem.into_bytes(),
        None,
        TRUST_STORE,
    )?;
    if request.with_issued {
        repository.expiring = Some(expiring(store, now)?);
    }
    Ok(repository)
}

impl Repository {
    /// Adds the files of a CA, under their usual names and where its URLs lead.
    fn add_ca(
        &mut self,
        store: &Store,
        ca: &Ca,
        all: &[Ca],
        now: OffsetDateTime,
    ) -> Result<(), CaError> {
        let name = ca.name();
        let certificate = ca.certificate();
        let collected = collected(store, ca, all, now)?;
        let pkcs7 = signed_data::certificates_only(collected.iter().map(Certificate::der));
        let certificate_path = format!("ca/{name}.cer");
        let pkcs7_path = format!("ca/{name}.p7c");
        let der = certificate.der().to_vec();
        self.add(
            &certificate_path,
            FileType::Certificate,
            der.clone(),
            Some(name),
            &certificate_path,
        )?;
        self.add(
            &pkcs7_path,
            FileType::Pkcs7,
            pkcs7.clone(),
            Some(name),
            &pkcs7_path,
        )?;
        for url in &ca.record().ca_issuers_urls {
            let (file_type, content) = if url.to_ascii_lowercase().ends_with(".p7c") {
                (FileType::Pkcs7, &pkcs7)
            } else {
                (FileType::Certificate, &der)
            };
            self.add_at(url, file_type, content.clone(), name)?;
        }
        let crl = published_crl(ca, &published_in(store), now)?;
        let status = if is_revoked(store, ca, certificate)? {
            Status::Revoked
        } else {
            Status::of_certificate(certificate, now)
        };
        // An expired CA signs no CRL.
        if crl.is_none() && status != Status::Expired && ca.has_key()? {
            return Err(RepositoryError::NoCrl { ca: name.clone() }.into());
        }
        let mut crl_path = None;
        if let Some((crl, is_current)) = &crl {
            if !is_current && status != Status::Expired {
                self.without_current_crl.push(name.clone());
            }
            let path = format!("crl/{name}.crl");
            self.add(&path, FileType::Crl, crl.der().to_vec(), Some(name), &path)?;
            crl_path = Some(path);
            for url in &ca.record().crl_urls {
                self.add_at(url, FileType::Crl, crl.der().to_vec(), name)?;
            }
        }
        self.cas.push(ShownCa {
            name: name.clone(),
            parent: ca.record().parent.clone(),
            status,
            certificate: certificate.clone(),
            crl: crl.as_ref().map(|(published, _)| {
                let crl = published.crl();
                ShownCrl {
                    number: crl.number(),
                    this_update: crl.this_update(),
                    next_update: crl.next_update(),
                    entries: crl.entries().count(),
                }
            }),
            certificate_path,
            pkcs7_path,
            crl_path,
        });
        Ok(())
    }

    fn add_at(
        &mut self,
        url: &str,
        file_type: FileType,
        content: Vec<u8>,
        ca: &CaName,
    ) -> Result<(), RepositoryError> {
        let Some(path) = path_of(url, self.base_url.as_deref())? else {
            self.elsewhere.push(url.to_owned());
            return Ok(());
        };
        self.add(&path, file_type, content, Some(ca), url)
    }

    /// Adds a file that a URL or its usual path asks for; another one at the same path has to be the same.
    pub(super) fn add(
        &mut self,
        path: &str,
        file_type: FileType,
        content: Vec<u8>,
        ca: Option<&CaName>,
        url: &str,
    ) -> Result<(), RepositoryError> {
        let same_path = |there: &RepositoryFile| {
            let sources = [url, &there.source];
            let named = sources.into_iter().find(|source| source.contains("://"));
            RepositoryError::SamePath {
                path: path.to_owned(),
                url: named.unwrap_or(path).to_owned(),
            }
        };
        if let Some(there) = self.files.get(path) {
            return if there.content == content {
                Ok(())
            } else {
                Err(same_path(there))
            };
        }
        let is_above = |one: &str, other: &str| {
            other
                .strip_prefix(one)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let mut others = self.files.iter();
        if let Some((_, there)) =
            others.find(|(other, _)| is_above(path, other) || is_above(other, path))
        {
            return Err(same_path(there));
        }
        let file = RepositoryFile {
            file_type,
            content,
            ca: ca.cloned(),
            source: url.to_owned(),
        };
        self.files.insert(path.to_owned(), file);
        Ok(())
    }
}

/// Returns the certificates of a CA: those that are valid, and those that other roots issued to its key.
fn collected(
    store: &Store,
    ca: &Ca,
    all: &[Ca],
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, CaError> {
    let mut certificates = standing_certificates(store, ca, now)?;
    if ca.record().parent.is_none() {
        for other in all.iter().filter(|other| other.name() != ca.name()) {
            let cross = cross_certificate(other, ca.certificate(), now)?;
            let der = cross.and_then(|issuance| issuance.der);
            certificates.extend(der.and_then(|der| Certificate::from_der(&der).ok()));
        }
    }
    Ok(certificates)
}

fn published_in(store: &Store) -> Place {
    Place {
        directory: store.published_crls(),
        pem: false,
        overwrite: false,
    }
}

/// Leaves that are valid and expire within this time are on the page.
const SOON: Duration = Duration::days(90);

fn expiring(store: &Store, now: OffsetDateTime) -> Result<Vec<(CaName, Issuance)>, CaError> {
    let end = now.checked_add(SOON).unwrap_or(now);
    let cas = store.cas()?;
    let mut leaves = Vec::new();
    for ca in &cas {
        let found = crate::ca::renewal::expiring(store, std::slice::from_ref(ca), end, now)?;
        let live = found.into_iter().filter(|expiring| {
            expiring.is_of_a_leaf()
                && expiring.status(now).is_live()
                && expiring.renewed_by.is_none()
        });
        leaves.extend(live.map(|expiring| (ca.name().clone(), expiring.issuance)));
    }
    leaves.sort_by_key(|(_, issuance)| issuance.not_after);
    Ok(leaves)
}
