//! PKCS #12 trust stores that anyone may have made, as Java's key stores read them.

use crate::asn1::oid;
use crate::ca::foreign::Input;
use crate::ca::passphrases::open_with;
use crate::ca::trust_store::error::TrustStoreError;
use crate::ca::trust_store::targets::{BundleFinding, Foreign, called};
use crate::ca::{CaError, Passphrases, ProtectedKey};
use crate::key::pkcs12::{CertificateBag, Contents, Pfx};
use crate::key::{KeyError, Passphrase};
use crate::x509::Certificate;
use std::collections::HashSet;

impl Foreign {
    /// Opens the file, and takes its certificates.
    pub(crate) fn take_pkcs12(
        &mut self,
        input: &Input,
        passphrases: &mut dyn Passphrases,
    ) -> Result<(), CaError> {
        match self.contents(input, passphrases) {
            Ok(contents) => {
                self.take_contents(contents);
                Ok(())
            }
            Err(CaError::TrustStore(TrustStoreError::Unreadable {
                source: KeyError::Malformed(problem),
                ..
            })) => {
                self.found("well-formed", problem.to_string());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn contents(
        &mut self,
        input: &Input,
        passphrases: &mut dyn Passphrases,
    ) -> Result<Contents, CaError> {
        let failed = |source| {
            let path = input.path().to_owned();
            CaError::from(TrustStoreError::Unreadable { path, source })
        };
        let pfx = Pfx::from_der(input.content()).map_err(failed)?;
        if !pfx.has_mac() {
            self.found("mac-missing", "it has no MAC, so changes go unnoticed");
        }
        if !pfx.needs_passphrase() {
            return pfx.open(None).map_err(failed);
        }
        let label = format!("the trust store {}", input.path().display());
        let wanted = ProtectedKey::outside(&label);
        let open = |passphrase: &Passphrase| pfx.open(Some(passphrase));
        let (contents, passphrase) = open_with(wanted, passphrases, open)?.map_err(failed)?;
        if !passphrase.is_printable_ascii() {
            let message = "its passphrase has characters other than printable ASCII";
            self.found("ascii-passphrase", message);
        }
        Ok(contents)
    }

    fn take_contents(&mut self, contents: Contents) {
        for kind in contents.others {
            let name = oid::name(&kind).map_or_else(|| kind.to_string(), str::to_owned);
            self.found("only-certificates", format!("it contains a {name}"));
        }
        let mut aliases = HashSet::new();
        for (index, bag) in contents.certificates.into_iter().enumerate() {
            let certificate = match Certificate::from_der(&bag.der) {
                Ok(certificate) => certificate,
                Err(problem) => {
                    let message = format!("certificate {}: {problem}", index + 1);
                    self.found("well-formed", message);
                    continue;
                }
            };
            self.findings
                .extend(bag_findings(&certificate, &bag, &mut aliases));
            self.certificates.push(certificate);
            self.aliases.push(bag.alias);
        }
    }
}

/// Finds reasons why Java does not see a certificate, or sees another in its place.
fn bag_findings(
    certificate: &Certificate,
    bag: &CertificateBag,
    aliases: &mut HashSet<String>,
) -> Vec<BundleFinding> {
    let name = called(certificate);
    let mut findings = Vec::new();
    if !bag.is_trusted {
        let attribute = oid::TRUSTED_KEY_USAGE;
        let message = format!("{name} lacks the attribute {attribute}: Java ignores it");
        findings.push(BundleFinding::error("trust-attribute", message));
    }
    match &bag.alias {
        // Java compares without regard to case.
        Some(alias) if !aliases.insert(alias.to_lowercase()) => {
            let message = format!(
                "{name} has the same alias as another certificate: Java reads one of the two"
            );
            findings.push(BundleFinding::error("alias-once", message));
        }
        Some(_) => {}
        None => {
            let message = format!("{name} has no alias: Java generates one");
            findings.push(BundleFinding::warning("alias-missing", message));
        }
    }
    findings
}
