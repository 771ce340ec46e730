//! Reading a trust store that anyone may have made: as much of it as there is, and what is odd.

use crate::asn1::{Malformed, Reader};
use crate::ca::foreign::{
    ForeignObject, Input, is_certificate_label, is_signed_data_label, objects,
};
use crate::ca::remedy::Remedy;
use crate::ca::trust_store::targets::{BundleFinding, Form, Judged, Origin, RelyingParty, text};
use crate::ca::{CaError, Passphrases};
use crate::pem;
use crate::x509::{Certificate, signed_data};
use time::OffsetDateTime;

/// What a PKCS #12 file is called among other objects.
const PKCS12: &str = "PKCS12";

/// How a key store in the form that was Java's own begins.
const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];

const CONVERT_JKS: &str = "it is a JKS key store: `keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype pkcs12` makes PKCS #12 of it";

/// A trust store that anyone may have made.
pub struct Foreign {
    /// The certificates in it, in its order.
    pub certificates: Vec<Certificate>,
    /// What a PKCS #12 trust store calls each of them; empty for other files.
    pub aliases: Vec<Option<String>>,
    /// What was odd about the others, and about its form.
    pub(crate) findings: Vec<BundleFinding>,
    octets: usize,
}

impl Foreign {
    /// Reads what there is. A passphrase is asked for where the party takes PKCS #12, and the file
    /// turns out to be it.
    pub fn read(
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
            octets: content.len(),
        };
        match objects(content) {
            Ok(objects) if takes_pkcs12 && is_pkcs12(&objects) => {
                foreign.take_pkcs12(input, passphrases)?;
                return Ok(foreign);
            }
            Ok(objects) => foreign.take_all(&objects),
            Err(_) if content.starts_with(JKS) => foreign.found("readable", CONVERT_JKS),
            Err(problem) => foreign.found("readable", problem.to_string()),
        }
        if takes_pkcs12 {
            foreign.found("pkcs12", "it is no PKCS #12 trust store");
        } else if pem::looks_like_pem(content) {
            foreign.findings.extend(text::check(content, party));
        } else if !foreign.certificates.is_empty() {
            foreign.found("pem", "it is DER, and not PEM");
        }
        Ok(foreign)
    }

    /// Everything that is wrong with it.
    pub fn judge(&self, party: Option<&RelyingParty>, now: OffsetDateTime) -> Vec<BundleFinding> {
        let files = [self.octets];
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
            // OpenSSL's own kind: a certificate, and behind it what it is trusted for.
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
            PKCS12 => {
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

fn is_pkcs12(objects: &[ForeignObject]) -> bool {
    matches!(objects, [object] if object.label == PKCS12)
}
