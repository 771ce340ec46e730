//! PKCS #12 trust stores that anyone may have made, as Java's key stores read them.

use crate::asn1::oid;
use crate::ca::foreign::Input;
use crate::ca::foreign::error::InputError;
use crate::ca::pkcs12::open_pkcs12;
use crate::ca::trust_store::targets::{BundleFinding, Foreign, called};
use crate::ca::{CaError, Passphrases};
use crate::key::KeyError;
use crate::key::pkcs12::{CertificateBag, Contents};
use crate::x509::Certificate;
use std::collections::HashSet;

impl Foreign {
    /// Opens the file, and takes its certificates.
    pub(crate) fn take_pkcs12(
        &mut self,
        input: &Input,
        passphrases: &mut dyn Passphrases,
    ) -> Result<(), CaError> {
        let file = match open_pkcs12(input, None, passphrases) {
            Err(CaError::Input {
                source: InputError::Key(KeyError::Malformed(problem)),
                ..
            }) => {
                self.found("well-formed", problem.to_string());
                return Ok(());
            }
            opened => opened?,
        };
        if !file.has_mac {
            self.found("mac-missing", "it has no MAC, so changes go unnoticed");
        }
        let passphrase = file.passphrase.as_ref();
        if passphrase.is_some_and(|passphrase| !passphrase.is_printable_ascii()) {
            let message = "its passphrase has characters other than printable ASCII";
            self.found("ascii-passphrase", message);
        }
        self.take_contents(file.contents);
        Ok(())
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
