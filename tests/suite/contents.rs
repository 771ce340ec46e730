//! The contents of certificates, CRLs and CSRs, whole, as openssl reads them. The clock stands at
//! [`NOW`], so that all but keys, signatures and random bits is known beforehand.

use crate::run::{Run, assert_same};
use crate::sandbox::Sandbox;

mod authorities;
mod encodings;
mod leaves;
mod lists;
mod names;
mod requests;
mod serials;

/// The moment at which everything here is made.
const NOW: &str = "2026-03-01 12:00:00";

/// Same time as openssl writes it.
const NOW_IN_TEXT: &str = "Mar  1 12:00:00 2026 GMT";

/// URLs of a CA: two of its CRL, one of its OCSP responder, one of its certificate.
const URLS: &str = "--crl-url http://one.test/a.crl --crl-url http://two.test/b.crl \
                    --ocsp-url http://ocsp.test/o --ca-issuers-url http://ca.test/c.crt";

/// [`URLS`] in a certificate below that CA.
const POINTERS: &str = "X509v3 CRL Distribution Points:
    Full Name:
      URI:http://one.test/a.crl
      URI:http://two.test/b.crl
Authority Information Access:
    OCSP - URI:http://ocsp.test/o
    CA Issuers - URI:http://ca.test/c.crt
";

/// The key identifiers of a certificate and of its issuer.
const KEY_IDENTIFIERS: &str = "X509v3 Subject Key Identifier:
    [own key]
X509v3 Authority Key Identifier:
    [issuer's key]
";

impl Sandbox {
    /// `pki` at [`NOW`].
    fn pki_now(&self, line: &str) -> Run {
        self.pki_at(NOW, line)
    }

    /// The leftmost 160 bits of the SHA-256 hash of a certificate's key (RFC 7093, method 1), as openssl
    /// computes it.
    #[track_caller]
    fn key_identifier(&self, certificate: &str) -> String {
        let parsed = self.run("openssl", "asn1parse -in").arg(certificate);
        let parsed = parsed.succeeds().stdout;
        let key = parsed.lines().find(|line| line.contains(": BIT STRING"));
        let offset = key.unwrap().split(':').next().unwrap().trim();
        self.run("openssl", "asn1parse -noout -out key.bits -in")
            .arg(certificate)
            .words(&format!("-strparse {offset}"))
            .succeeds();
        let digest = self.run("openssl", "dgst -sha256 -c key.bits").succeeds();
        let (_, digest) = digest.stdout.trim().rsplit_once(' ').unwrap();
        digest[..20 * 3 - 1].to_uppercase()
    }

    /// openssl's text of a certificate without key and signature. Random bits of the serial and key
    /// identifiers are replaced by what they are; empty lines, and spaces at the end, are left out.
    #[track_caller]
    fn contents(&self, certificate: &str, issuer: &str) -> String {
        let printed = self
            .run("openssl", "x509 -noout -text -certopt no_pubkey,no_sigdump")
            .words("-nameopt RFC2253,show_type,-esc_msb,utf8 -in")
            .arg(certificate)
            .succeeds();
        let serial = self.run("openssl", "x509 -noout -serial -in");
        let serial = serial.arg(certificate).succeeds().stdout;
        let serial = colons(serial.trim().trim_start_matches("serial=")).to_lowercase();
        let random = &serial[serial.len() - (8 * 3 - 1)..];
        assert_ne!(random, "00:00:00:00:00:00:00:00");
        // The own key first: a root's identifier is both.
        let replaced = printed
            .stdout
            .replace(random, "[random]")
            .replace(&self.key_identifier(certificate), "[own key]")
            .replace(&self.key_identifier(issuer), "[issuer's key]");
        without_empty_lines(&replaced)
    }

    #[track_caller]
    fn assert_contents(&self, certificate: &str, issuer: &str, expected: &Expected<'_>) {
        assert_same(&self.contents(certificate, issuer), &expected.text());
    }
}

/// `01A0` as `01:A0`.
fn colons(hex: &str) -> String {
    let pairs: Vec<_> = hex.as_bytes().chunks(2).collect();
    let pairs = pairs.iter().map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.collect::<Vec<_>>().join(":")
}

fn without_empty_lines(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.map(|line| format!("{line}\n")).collect();
    lines.concat()
}

/// A certificate as openssl has to print it.
struct Expected<'a> {
    /// The serial in front of its 64 random bits.
    counter: &'a str,
    algorithm: &'a str,
    issuer: &'a str,
    not_before: &'a str,
    not_after: &'a str,
    subject: &'a str,
    extensions: String,
}

impl Expected<'_> {
    fn text(&self) -> String {
        let Self {
            counter,
            algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            extensions,
        } = self;
        let space = if subject.is_empty() { "" } else { " " };
        let extensions = extensions.lines();
        let extensions: Vec<_> = extensions
            .map(|line| format!("            {line}\n"))
            .collect();
        let extensions = extensions.concat();
        format!(
            "Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number:
            {counter}:[random]
        Signature Algorithm: {algorithm}
        Issuer: {issuer}
        Validity
            Not Before: {not_before}
            Not After : {not_after}
        Subject:{space}{subject}
        X509v3 extensions:
{extensions}"
        )
    }
}
