//! Rekeying a CA: another CA, under another name, with the policy of the one before.

use crate::ca::authority::create::NewCa;
use crate::ca::authority::error::AuthorityError;
use crate::ca::authority::renew::path_length;
use crate::ca::error::CaError;
use crate::ca::issuance::Lifetime;
use crate::ca::issuance::kind_of;
use crate::ca::notice::{Notice, RenewalNotice};
use crate::key::{KeyType, KeyUri};
use crate::store::{Ca, CaName, CaRecord, StoreError};
use crate::x509::Name;

/// Differences of a CA's successor from that CA.
pub(crate) struct Succession {
    pub(crate) name: CaName,
    /// Its subject; `None` for its name.
    pub(crate) subject: Option<Name>,
    /// Its validity; as long as that of the one before by default.
    pub(crate) lifetime: Lifetime,
    /// Type of its key; `None` for the same, or that of the key at `key_uri`.
    pub(crate) key_type: Option<KeyType>,
    /// Place of its key outside the store.
    pub(crate) key_uri: Option<KeyUri>,
    pub(crate) crl_urls: Vec<String>,
    pub(crate) ca_issuers_urls: Vec<String>,
    pub(crate) ocsp_urls: Vec<String>,
}

impl Succession {
    /// Returns the CA to create. Values that are not given are those of the CA before. In the last part
    /// of its URLs the new name replaces the old one; URLs without it would lead to the old CRL.
    pub(crate) fn of(self, before: &Ca, notices: &mut Vec<Notice>) -> Result<NewCa, CaError> {
        let certificate = before.certificate();
        let subject = match self.subject {
            Some(subject) => subject,
            None => Name::from_common_name(self.name.as_str())?,
        };
        if subject == *certificate.subject() {
            return Err(AuthorityError::NameOfPredecessor {
                subject: subject.to_string(),
                ca: before.name().clone(),
            }
            .into());
        }
        let constraints = certificate.name_constraints();
        let constraints = constraints.map_err(|error| {
            StoreError::damaged(before.certificate_location(), error.to_string())
        })?;
        let validity = certificate.validity();
        let CaRecord {
            crl_urls,
            ca_issuers_urls,
            ocsp_urls,
            ..
        } = before.record();
        let (old, new) = (before.name(), &self.name);
        let mut renamed = |asked: Vec<String>, known: &[String]| {
            if !asked.is_empty() {
                return asked;
            }
            let mut urls = Vec::new();
            for url in known {
                match renamed_url(url, old, new) {
                    Some(url) => urls.push(url),
                    None => notices.push(RenewalNotice::UrlLeftOut { url: url.clone() }.into()),
                }
            }
            urls
        };
        Ok(NewCa {
            subject,
            lifetime: self.lifetime,
            length: Some(validity.not_after - validity.not_before),
            usual_type: match kind_of(certificate) {
                Ok(kind) => kind,
                // A key of another type is asked for, or may be there already.
                Err(_) if self.key_type.is_some() || self.key_uri.is_some() => KeyType::default(),
                Err(error) => return Err(error),
            },
            key_type: self.key_type,
            key_uri: self.key_uri,
            path_length: path_length(certificate),
            constraints,
            crl_urls: renamed(self.crl_urls, crl_urls),
            ca_issuers_urls: renamed(self.ca_issuers_urls, ca_issuers_urls),
            // A responder speaks for many CAs.
            ocsp_urls: if self.ocsp_urls.is_empty() {
                ocsp_urls.clone()
            } else {
                self.ocsp_urls
            },
            name: self.name,
        })
    }
}

/// `http://pki.example.test/OLD.crl` as `http://pki.example.test/NEW.crl`; `None` where the name is not
/// there.
fn renamed_url(url: &str, old: &CaName, new: &CaName) -> Option<String> {
    let (folder, file) = url.rsplit_once('/')?;
    let rest = file.strip_prefix(old.as_str())?;
    (rest.is_empty() || rest.starts_with('.')).then(|| format!("{folder}/{new}{rest}"))
}

#[cfg(test)]
mod tests {
    use crate::ca::authority::rekey::*;

    #[test]
    fn a_url_follows_the_name_in_its_last_part_alone() {
        let name = |text: &str| text.parse::<CaName>().expect("it is a name");
        let renamed = |url: &str| renamed_url(url, &name("old"), &name("new"));
        for (url, becomes) in [
            ("http://pki.test/old.crl", Some("http://pki.test/new.crl")),
            ("http://old/old", Some("http://old/new")),
            ("http://pki.test/older.crl", None),
            ("http://old/list.crl", None),
        ] {
            assert_eq!(renamed(url).as_deref(), becomes);
        }
    }
}
