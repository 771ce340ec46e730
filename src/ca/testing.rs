//! A store with a root, for unit tests.

use crate::ca::authority::{NewCa, create_root, create_subordinate};
use crate::ca::crl::{CrlRequest, Dating, Place, Published, publish_crl};
use crate::ca::error::CaError;
use crate::ca::issuance::{End, Issuer, KeySource, LeafRequest, Lifetime, Purpose, issue};
use crate::ca::passphrases::{Passphrases, ProtectedKey};
use crate::ca::revocation::{Outcomes, Target, Verdict, revoke};
use crate::ca::select::Selector;
use crate::ca::session::Session;
use crate::key::{KeyType, Passphrase};
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, Issuance, Operator, Store};
use crate::x509::crl::Crl;
use crate::x509::serial::SerialReadings;
use crate::x509::{Certificate, Name, NameConstraints, Profile, Reason, Serial};
use std::error::Error;
use std::path::PathBuf;
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// Time at which the root is made.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

pub(crate) const DAY: Duration = Duration::DAY;

/// Leaves all keys unencrypted.
pub(crate) struct NoPassphrases;

impl Passphrases for NoPassphrases {
    fn to_open(&mut self, _: ProtectedKey<'_>) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        Err("there is none".into())
    }

    fn to_protect(
        &mut self,
        _: ProtectedKey<'_>,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }
}

/// A store in a temporary directory.
pub(crate) struct TestStore {
    pub(crate) directory: TempDir,
    pub(crate) store: Store,
    pub(crate) root: Ca,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pki");
        let new = new_ca("rootCA");
        let operator = Operator::new(NOW, |_| {});
        let address = path.into();
        let root = create_root(&address, operator.clone(), &new, &mut NoPassphrases, NOW).unwrap();
        Self {
            store: Store::open(&address, operator).unwrap(),
            root: root.0,
            directory,
        }
    }

    /// Writes a file beside the store.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        file::write(&path, Access::Umask, Existing::Replace, content.as_ref()).unwrap();
        path
    }

    /// Makes a CA under the root.
    pub(crate) fn subordinate(&self, name: &str) -> Ca {
        let new = new_ca(name);
        let parent = self.root.name();
        create_subordinate(
            &mut Session::new(&self.store, &mut NoPassphrases, NOW),
            parent,
            &new,
        )
        .unwrap()
    }

    pub(crate) fn issuer(&self, now: OffsetDateTime) -> Issuer {
        let (store, name) = (&self.store, self.root.name());
        Issuer::open(store, name, Purpose::Certificates, &mut NoPassphrases, now).unwrap()
    }

    /// Issues a client certificate of the root.
    pub(crate) fn issue(&self, cn: &str, days: u32, now: OffsetDateTime) -> Issuance {
        let request = LeafRequest {
            subject: Some(Name::parse(&format!("/CN={cn}")).unwrap()),
            alternative_names: Vec::new(),
            profile: Profile::Client.into(),
            lifetime: Lifetime {
                end: Some(End::Days(days)),
                ..Lifetime::default()
            },
            key: KeySource::Generate(KeyType::P256),
        };
        issue(&self.issuer(now), request, now).unwrap().issuance
    }

    pub(crate) fn revoke(
        &self,
        serial: Serial,
        reason: Reason,
        now: OffsetDateTime,
    ) -> Result<Outcomes, CaError> {
        let verdict = Verdict::Revoke {
            reason,
            invalidity_date: None,
        };
        self.decide(serial, verdict, now)
    }

    pub(crate) fn decide(
        &self,
        serial: Serial,
        verdict: Verdict,
        now: OffsetDateTime,
    ) -> Result<Outcomes, CaError> {
        let readings = SerialReadings {
            first: serial,
            other: None,
        };
        let target = Target::Selected(Selector::Serial(serial.to_string(), readings));
        revoke(&self.store, &self.root, &target, verdict, now)
    }

    pub(crate) fn crl_request(&self) -> CrlRequest {
        CrlRequest {
            place: Place {
                directory: self.directory.path().join("published"),
                pem: false,
                overwrite: false,
            },
            end: None,
            if_needed: false,
            dating: Dating::NotBack,
            party: None,
        }
    }

    pub(crate) fn publish(&self, request: &CrlRequest, now: OffsetDateTime) -> Published {
        publish_crl(
            &mut Session::new(&self.store, &mut NoPassphrases, now),
            &self.root,
            request,
        )
        .unwrap()
    }

    /// Serial numbers on the published CRL.
    pub(crate) fn published(&self, request: &CrlRequest) -> Vec<Serial> {
        let der = std::fs::read(request.place.der(&self.root)).unwrap();
        let crl = Crl::from_der(&der).unwrap();
        crl.entries()
            .map(|entry| entry.unwrap().serial().unwrap())
            .collect()
    }
}

fn new_ca(name: &str) -> NewCa {
    NewCa {
        name: name.parse().unwrap(),
        subject: Name::parse(&format!("/CN={name}")).unwrap(),
        lifetime: Lifetime::default(),
        length: None,
        key_type: None,
        usual_type: KeyType::P256,
        key_uri: None,
        path_length: None,
        constraints: NameConstraints::default(),
        crl_urls: Vec::new(),
        ca_issuers_urls: Vec::new(),
        ocsp_urls: Vec::new(),
    }
}

/// The certificate of a record.
pub(crate) fn certificate(issuance: &Issuance) -> Certificate {
    Certificate::from_der(issuance.der.as_deref().unwrap()).unwrap()
}
