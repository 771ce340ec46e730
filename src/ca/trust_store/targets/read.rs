//! Trust stores that anyone may have made: as much of them as can be read, with findings.

use crate::asn1::{Malformed, Reader};
use crate::ca::foreign::{
    ForeignObject, Input, is_certificate_label, is_signed_data_label, objects,
};
use crate::ca::pkcs12::{PKCS12_LABEL, is_pkcs12};
use crate::ca::remedy::Remedy;
use crate::ca::trust_store::targets::{BundleFinding, Form, Judged, Origin, RelyingParty, text};
use crate::ca::{CaError, Passphrases};
use crate::pem;
use crate::x509::{Certificate, signed_data};
use time::OffsetDateTime;

/// First bytes of a JKS key store.
const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];

const CONVERT_JKS: &str = "it is a JKS key store: `keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype pkcs12` converts it to PKCS #12";

/// A trust store that anyone may have made.
pub(crate) struct Foreign {
    /// In the order of the file.
    pub(crate) certificates: Vec<Certificate>,
    /// Aliases in a PKCS #12 trust store; empty for other files.
    pub(crate) aliases: Vec<Option<String>>,
    /// Findings about other objects, and about the form.
    pub(crate) findings: Vec<BundleFinding>,
    bytes: usize,
}

impl Foreign {
    /// Reads a trust store. A passphrase is asked for if the target takes PKCS #12, and the file
    /// is PKCS #12.
    pub(crate) fn read(
        input: &Input,
        party: Option<&RelyingParty>,
        passphrases: &mut dyn Passphrases,
    ) -> Result<Self, CaError> {
        let content = input.content();
        let takes_pkcs12 = party.is_some_and(|party| party.form == Form::Pkcs12);
        let mut foreign = Self {
            certificates: Vec::new(),
            aliases: Vec::new(),
            findings: Vec::new(),
            bytes: content.len(),
        };
        match objects(content) {
            Ok(_) if takes_pkcs12 && is_pkcs12(input) => {
                foreign.take_pkcs12(input, passphrases)?;
                return Ok(foreign);
            }
            Ok(objects) => foreign.take_all(&objects),
            Err(_) if content.starts_with(JKS) => foreign.found("readable", CONVERT_JKS),
            Err(problem) => foreign.found("readable", problem.to_string()),
        }
        if takes_pkcs12 {
            foreign.found("pkcs12", "it is not a PKCS #12 trust store");
        } else if pem::looks_like_pem(content) {
            foreign.findings.extend(text::check(content, party));
        } else if !foreign.certificates.is_empty() {
            foreign.found("pem", "it is DER, not PEM");
        }
        Ok(foreign)
    }

    pub(crate) fn judge(
        &self,
        party: Option<&RelyingParty>,
        now: OffsetDateTime,
    ) -> Vec<BundleFinding> {
        let files = [self.bytes];
        let judged = Judged::new(&self.certificates, &files, now);
        let mut findings = self.findings.clone();
        findings.extend(judged.findings(party, Origin::Foreign));
        findings.sort_by_key(|finding| finding.level);
        findings
    }

    pub(crate) fn found(&mut self, rule: &'static str, message: impl Into<String>) {
        self.findings.push(BundleFinding::error(rule, message));
    }

    fn take_all(&mut self, objects: &[ForeignObject]) {
        for (index, object) in objects.iter().enumerate() {
            let called = format!("object {}", index + 1);
            match self.take(object, &called) {
                Ok(()) => {}
                Err(problem) => self.found("well-formed", format!("{called}: {problem}")),
            }
        }
    }

    fn take(&mut self, object: &ForeignObject, called: &str) -> Result<(), Malformed> {
        let ForeignObject { label, der, .. } = object;
        match label.as_str() {
            label if is_certificate_label(label) => {
                self.certificates.push(Certificate::from_der(der)?);
            }
            // OpenSSL's own kind: a certificate, then its trust settings.
            "TRUSTED CERTIFICATE" => {
                let certificate = Reader::new(der).any()?.whole;
                self.certificates.push(Certificate::from_der(certificate)?);
                let message = format!("{called} is {label:?}, which only OpenSSL reads");
                self.found("certificate-label", message);
            }
            label if is_signed_data_label(label) => {
                self.certificates.extend(signed_data::certificates(der)?);
                self.found("only-certificates", format!("{called} is PKCS #7"));
            }
            PKCS12_LABEL => {
                let finding =
                    BundleFinding::error("only-certificates", format!("{called} is PKCS #12"));
                self.findings
                    .push(finding.with_remedy(Remedy::CheckForJava));
            }
            label => self.found("only-certificates", format!("{called} is {label:?}")),
        }
        Ok(())
    }
}
