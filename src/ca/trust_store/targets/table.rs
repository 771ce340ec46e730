//! Table of targets: programs and services that read trust stores and CRLs, with their limits.

mod libraries;
mod servers;
mod services;

use crate::ca::trust_store::targets::Level;
use crate::ca::trust_store::targets::{BundleFinding, CrlForm, CrlRules, Grammar, Judged, Limit};

/// A program or service that reads trust stores.
#[derive(Debug)]
pub(crate) struct RelyingParty {
    /// Name on the command line.
    pub(crate) name: &'static str,
    /// Name in messages and docs.
    pub(crate) title: &'static str,
    /// Source of its rules.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "docs/targets.md is generated from it")
    )]
    pub(crate) source: &'static str,
    pub(crate) form: Form,
    /// Whether it takes lines that start with `#`, and have no `-`, beside the certificates.
    pub(crate) comments: bool,
    pub(crate) limits: &'static [(Level, Limit)],
    /// Setting for the length of paths, if it needs one.
    pub(crate) verify_depth: Option<VerifyDepth>,
    /// Rules for CRLs.
    pub(crate) crls: CrlRules,
    /// Notes for its users.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "docs/targets.md is generated from it")
    )]
    pub(crate) notes: &'static [&'static str],
}

/// Form of the files with certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A PEM file.
    OneFile,
    /// A PEM file of one certificate, whose issuer need not be there.
    OneCertificate,
    /// A PEM file for each CA that has no other below it, with all above it.
    OneChainAFile,
    /// A PEM file of roots, and one of the others.
    AnchorsApart,
    Pkcs12,
}

/// A server's setting for the length of paths.
#[derive(Debug)]
pub(crate) struct VerifyDepth {
    pub(crate) setting: &'static str,
    /// Text after the number.
    pub(crate) end: &'static str,
    /// Value if it is not set.
    pub(crate) default: usize,
    /// Whether the root counts.
    pub(crate) counts_root: bool,
}

impl VerifyDepth {
    /// Returns the line that a server needs for paths of as many CAs, if it needs one.
    pub(crate) fn line(&self, cas: usize) -> Option<String> {
        let depth = cas - usize::from(!self.counts_root && cas > 0);
        let line = || format!("{} {depth}{}", self.setting, self.end);
        (depth > self.default).then(line)
    }
}

pub(crate) fn party(name: &str) -> Option<&'static RelyingParty> {
    PARTIES.iter().find(|party| party.name == name)
}

/// Base of most rows.
pub(super) const NO_CRLS: CrlRules = CrlRules {
    form: CrlForm::None,
    reads_der: false,
    source: "",
    limits: &[],
    grammar: Grammar::DoubleQuotes,
    settings: &[],
    folder_settings: &[],
    note: None,
};
pub(super) const CRLS_OF_PATH: CrlRules = CrlRules {
    form: CrlForm::Chain,
    ..NO_CRLS
};

/// Base of the rows.
pub(super) const PLAIN: RelyingParty = RelyingParty {
    name: "",
    title: "",
    source: "",
    form: Form::OneFile,
    comments: false,
    limits: &[],
    verify_depth: None,
    crls: NO_CRLS,
    notes: &[],
};

/// Every target; a new target is a new row.
pub(crate) const PARTIES: &[RelyingParty] = &[
    services::ALB,
    services::NLB,
    services::API_GATEWAY,
    services::CLOUDFRONT,
    services::ROLES_ANYWHERE,
    services::IOT,
    services::GCP,
    services::AZURE,
    services::CLOUDFLARE,
    servers::NGINX,
    servers::HAPROXY,
    servers::APACHE,
    servers::ENVOY,
    libraries::NODE,
    servers::POSTGRES,
    libraries::JAVA,
    libraries::RUSTLS,
    servers::MOSQUITTO,
    servers::OPENVPN,
    servers::MARIADB,
    servers::STUNNEL,
    servers::DOVECOT,
    servers::OPENLDAP,
    servers::LIGHTTPD,
    servers::REDIS,
    servers::CADDY,
    libraries::GO,
    libraries::WOLFSSL,
    libraries::MBEDTLS,
    libraries::ERLANG,
];

impl Form {
    /// Returns the form for a target; one file without a target.
    pub(crate) fn of(party: Option<&RelyingParty>) -> Self {
        party.map_or(Self::OneFile, |party| party.form)
    }

    /// Finds how a file that was made elsewhere differs from this form.
    pub(crate) fn check(self, judged: &Judged<'_>) -> Option<BundleFinding> {
        let count = judged.certificates.len();
        let roots = (0..count).filter(|node| judged.is_root(*node)).count();
        match self {
            Self::OneFile | Self::OneCertificate | Self::Pkcs12 => None,
            Self::AnchorsApart => (roots > 0 && roots < count).then(|| {
                let message = format!("{roots} of {count} certificates are roots; put roots and others into separate files");
                BundleFinding::error("anchors-apart", message)
            }),
            // A broken path, or a certificate that is there twice, is another finding.
            Self::OneChainAFile => (judged.longest_path() < judged.distinct()).then(|| {
                let message = format!("the {count} certificates are not one chain; put each chain into its own file");
                BundleFinding::error("one-chain", message)
            }),
        }
    }
}
