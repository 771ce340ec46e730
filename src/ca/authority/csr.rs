//! Pending CAs: a key and a CSR, for a certificate from elsewhere.

use crate::ca::authority::create::{WantedKey, new_key, protected, refuse_key_of_other};
use crate::ca::authority::error::AuthorityError;
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::issuance::{refuse_compromised_cas, refuse_taken_subject};
use crate::ca::notice::Notice;
use crate::ca::owner::KeyOf;
use crate::ca::passphrases::Passphrases;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::remedy::Remedy;
use crate::key::KeyType;
use crate::store::{Address, CaRecord, Operator, PendingCa, Store, StoreError};
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};
use crate::x509::extension::{BasicConstraints, Extension};
use crate::x509::{CertificationRequest, Name};
use time::OffsetDateTime;

/// CA to make a CSR for.
pub(crate) struct NewRequest {
    /// Its name, and the URLs for what it issues.
    pub(crate) record: CaRecord,
    /// Its subject; `None` for its name as common name.
    pub(crate) subject: Option<Name>,
    pub(crate) key_type: Option<KeyType>,
}

/// Makes the key and the CSR in the store at `address`, and the store if there is none. For a CA that is
/// pending already it is the same CSR again.
pub(crate) fn request_ca(
    address: &Address,
    operator: Operator,
    new: &NewRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<(PendingCa, Vec<Notice>), CaError> {
    let name = &new.record.name;
    let subject = match &new.subject {
        Some(subject) => subject.clone(),
        None => Name::from_common_name(name.as_str())?,
    };
    Store::check_place(address)?;
    match Store::open(address, operator.clone()) {
        Ok(store) => {
            if let Some(waiting) = store.pending(name)? {
                refuse_other(&waiting, new)?;
                let key = waiting.request().public_key();
                refuse_compromised_cas(&store, &[(KeyOf::Request, key)])?;
                store.make_names_durable()?;
                return Ok((waiting, vec![Notice::SameRequest { ca: name.clone() }]));
            }
            store.check_free(name)?;
            refuse_taken_subject(&store, &subject, None, now)?;
        }
        Err(StoreError::NoStore { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if subject.is_empty() {
        return Err(IssuanceError::Nameless.into());
    }
    let mut notices = Vec::new();
    let wanted = WantedKey {
        kind: new.key_type,
        usual: KeyType::default(),
        uri: new.record.key_uri.as_ref(),
    };
    let key = new_key(name, wanted, passphrases, &mut notices)?;
    if let Ok(store) = Store::open(address, operator.clone()) {
        refuse_key_of_other(&store, &key)?;
    }
    let extensions = [
        Extension::basic_constraints(BasicConstraints {
            ca: true,
            path_length: None,
        }),
        Extension::key_usage(KEY_CERT_SIGN | CRL_SIGN),
        Extension::subject_key_identifier(&key.public().key_identifier()),
    ];
    let der =
        CertificationRequest::create(&key, &subject, &extensions).map_err(KeyUseError::Signing)?;
    let request = CertificationRequest::from_der(&der).expect("what was just written reads back");
    request.verify().map_err(KeyUseError::Verification)?;
    let key_pem = protected(name, &key, passphrases)?;

    let store = Store::open_or_create(address, operator)?;
    let reserved = store.reserve_ca(name)?;
    refuse_taken_subject(&store, &subject, None, now)?;
    let give_up = |error: StoreError| {
        // Files that can't be removed now are removed by the next command.
        let _ = reserved.give_up();
        CaError::from(error)
    };
    reserved
        .stage_request(
            &new.record,
            &der,
            key_pem.as_ref().map(|pem| pem.as_slice()),
        )
        .map_err(give_up)?;
    let waiting = reserved.finish_request().map_err(|unfinished| {
        if !unfinished.has_its_name {
            return give_up(unfinished.source);
        }
        let what = format!("the CSR of {name}");
        CaError::after_commit(what, Remedy::WriteCsrAgain, unfinished.source)
    })?;
    Ok((waiting, notices))
}

/// Refuses options that differ from the CSR that was made before.
fn refuse_other(waiting: &PendingCa, new: &NewRequest) -> Result<(), CaError> {
    let other = |problem: String| {
        Err(AuthorityError::OtherRequest {
            ca: waiting.name().clone(),
            problem,
        }
        .into())
    };
    let request = waiting.request();
    if let Some(subject) = &new.subject
        && subject != request.subject()
    {
        return other(format!("its subject is {}", request.subject()));
    }
    let kind = request.public_key().algorithm().to_string();
    if new.key_type.is_some_and(|asked| asked.to_string() != kind) {
        return other(format!("its key is {kind}"));
    }
    let CaRecord {
        name: _,
        parent: _,
        crl_urls,
        ca_issuers_urls,
        ocsp_urls,
        key_uri,
        keys: _,
        restored: _,
    } = &new.record;
    let made = waiting.record();
    if key_uri.is_some() && *key_uri != made.key_uri {
        return other(match &made.key_uri {
            Some(uri) => format!("its key is {uri}"),
            None => "its key is in the store".into(),
        });
    }
    let differ = |asked: &[String], made: &[String]| !asked.is_empty() && asked != made;
    if differ(crl_urls, &made.crl_urls)
        || differ(ca_issuers_urls, &made.ca_issuers_urls)
        || differ(ocsp_urls, &made.ocsp_urls)
    {
        return other("its URLs are others".into());
    }
    Ok(())
}
