//! Rules for trust stores and CRLs: the general ones, and the limits of the target that they are for.

mod crl_rules;
mod crls;
mod general;
mod grammar;
mod limits;
mod pkcs12;
mod read;
mod table;
mod text;

pub(crate) use crate::ca::finding::{Level, RuleFinding as BundleFinding};
pub(crate) use crl_rules::{CrlForm, CrlLimit, CrlRules};
pub(crate) use crls::JudgedCrl;
pub(crate) use crls::{judge_crls, missing_crl, outdated_crl, too_many_bytes};
pub(crate) use general::left_out;
pub(crate) use grammar::Grammar;
pub(crate) use limits::{Hash, Key, Limit};
pub(crate) use read::Foreign;
pub(crate) use table::{Form, PARTIES, RelyingParty, party};

use crate::x509::Certificate;
use crate::x509::path::{IncompletePath, paths_to_roots};
use std::collections::HashSet;
use time::OffsetDateTime;

/// Certificates to judge, and their paths.
pub(crate) struct Judged<'a> {
    /// In the order of the files.
    certificates: &'a [Certificate],
    /// Size of each file.
    files: &'a [usize],
    /// Path of each certificate to a root, itself first.
    paths: Vec<Result<Vec<usize>, IncompletePath>>,
    now: OffsetDateTime,
}

/// Origin of a file: made here, in the form of its target, or elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Made,
    Foreign,
}

impl<'a> Judged<'a> {
    pub(crate) fn new(
        certificates: &'a [Certificate],
        files: &'a [usize],
        now: OffsetDateTime,
    ) -> Self {
        Self {
            certificates,
            files,
            paths: paths_to_roots(certificates),
            now,
        }
    }

    /// Returns errors first.
    pub(crate) fn findings(
        &self,
        party: Option<&RelyingParty>,
        origin: Origin,
    ) -> Vec<BundleFinding> {
        let mut findings = general::check(self);
        findings.extend(general::paths(self, party));
        if let Some(party) = party {
            let limits = party.limits.iter();
            findings.extend(limits.flat_map(|(level, limit)| limit.check(*level, self)));
            if origin == Origin::Foreign {
                findings.extend(party.form.check(self));
            }
        }
        findings.sort_by_key(|finding| finding.level);
        findings
    }

    fn is_root(&self, node: usize) -> bool {
        self.paths[node].as_ref().is_ok_and(|path| path.len() == 1)
    }

    /// Number of different certificates; 0 if some path has no root.
    fn distinct(&self) -> usize {
        if self.paths.iter().any(Result::is_err) {
            return 0;
        }
        let fingerprints = self.certificates.iter().map(Certificate::fingerprint);
        fingerprints.collect::<HashSet<_>>().len()
    }

    /// Number of CAs on the longest path to a root.
    fn longest_path(&self) -> usize {
        let lengths = self.paths.iter().flatten().map(Vec::len);
        lengths.max().unwrap_or(0)
    }
}

/// Names a certificate in findings.
fn called(certificate: &Certificate) -> String {
    if certificate.subject().is_empty() {
        format!("the certificate {}", certificate.fingerprint())
    } else {
        certificate.subject().to_string()
    }
}

#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;
