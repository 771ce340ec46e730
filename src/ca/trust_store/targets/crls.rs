//! Judgement of CRLs by the rules of a target.

use crate::asn1::{Malformed, Reader, oid, tag};
use crate::ca::trust_store::targets::limits::{over, with_commas};
use crate::ca::trust_store::targets::{
    BundleFinding, CrlForm, CrlLimit, CrlRules, Level, Limit, RelyingParty,
};
use crate::key::SignatureAlgorithm;
use crate::pem;
use crate::x509::certificate::algorithm_name;
use crate::x509::extension::key_usage::CRL_SIGN;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Crl};
use const_oid::ObjectIdentifier;
use time::{Duration, OffsetDateTime};

/// A CRL to judge: an existing one, or one that is about to be signed, of which less is known.
#[derive(Debug, Clone)]
pub(crate) struct JudgedCrl {
    /// Its name in findings.
    called: String,
    /// Certificate of its CA, if known.
    certificate: Option<Certificate>,
    /// Number of CAs on the path from its CA to the root, if known.
    path: Option<usize>,
    signature: Option<SignatureAlgorithm>,
    signature_name: String,
    entries: usize,
    /// Bytes of its DER; of one that is not signed yet, at least.
    bytes: usize,
    /// Fields of an existing CRL.
    read: Option<ReadFields>,
}

#[derive(Debug, Clone)]
struct ReadFields {
    version: u32,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    is_numbered: bool,
    is_delta: bool,
    /// issuingDistributionPoint.
    scope: Option<Scope>,
    /// Whether its extensions, or those of its entries, make it an indirect CRL.
    is_indirect: bool,
    /// A critical extension that is not processed, of the CRL or of an entry.
    critical: Option<String>,
    /// Form of its file, as far as it matters.
    file: Option<FileForm>,
}

/// Problem of the file of a CRL that is read as PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileForm {
    Der,
    ByteOrderMark,
}

/// Content of an issuingDistributionPoint (RFC 5280 section 5.2.5).
#[derive(Debug, Clone, Copy, Default)]
struct Scope {
    /// Whether it has a distributionPoint.
    has_point: bool,
    /// Whether the distributionPoint is a fullName.
    has_full_name: bool,
    /// Certificates or reasons that it is restricted to.
    only: Option<&'static str>,
    is_indirect: bool,
}

impl JudgedCrl {
    /// Takes an existing CRL.
    pub(crate) fn read(called: impl Into<String>, crl: &Crl<'_>) -> Self {
        let extension = |wanted| {
            let mut all = crl.extensions().iter();
            all.find(|extension| extension.oid == wanted)
        };
        let signature = SignatureAlgorithm::from_der(crl.algorithm());
        let scope = extension(oid::ISSUING_DISTRIBUTION_POINT);
        let scope = scope.map(|point| Scope::from_der(&point.value));
        let mut entries = crl.entries().filter_map(Result::ok);
        let is_indirect =
            scope.is_some_and(|scope| scope.is_indirect) || entries.any(|entry| entry.names_issuer);
        Self {
            called: called.into(),
            certificate: None,
            path: None,
            signature: signature.ok().flatten(),
            signature_name: algorithm_name(crl.algorithm()),
            entries: crl.entries().count(),
            bytes: crl.der().len(),
            read: Some(ReadFields {
                version: crl.version(),
                this_update: crl.this_update(),
                next_update: crl.next_update(),
                is_numbered: extension(oid::CRL_NUMBER).is_some(),
                is_delta: extension(oid::DELTA_CRL_INDICATOR).is_some(),
                scope,
                is_indirect,
                critical: unprocessed(crl),
                file: None,
            }),
        }
    }

    /// Takes a CRL that the key of this certificate is to sign.
    pub(crate) fn to_be_signed(
        called: impl Into<String>,
        certificate: &Certificate,
        entries: usize,
        bytes: usize,
    ) -> Self {
        let signature = SignatureAlgorithm::of_key(certificate.public_key()).ok();
        let identifier = signature.map(SignatureAlgorithm::to_der);
        Self {
            called: called.into(),
            certificate: None,
            path: None,
            signature,
            signature_name: identifier.map_or_else(String::new, |der| algorithm_name(&der)),
            entries,
            bytes,
            read: None,
        }
    }

    /// Adds its CA, and the number of CAs on the path, itself and the root among them.
    #[must_use]
    pub(crate) fn of(mut self, certificate: &Certificate, path: usize) -> Self {
        self.certificate = Some(certificate.clone());
        self.path = Some(path);
        self
    }
}

impl Scope {
    fn from_der(value: &[u8]) -> Self {
        Self::read(value).unwrap_or(Self {
            only: Some("it has an issuingDistributionPoint that can't be read"),
            ..Self::default()
        })
    }

    fn read(value: &[u8]) -> Result<Self, Malformed> {
        let mut scope = Self::default();
        let mut fields = Reader::sequence_of(value, "an IssuingDistributionPoint")?;
        while !fields.is_empty() {
            let field = fields.any()?;
            // Each BOOLEAN is FALSE by default; one that says so leaves the scope as it is.
            let is_true = field.content != [0];
            match field.tag {
                found if found == tag::explicit(0) => {
                    scope.has_point = true;
                    scope.has_full_name = field.reader().peek() == Some(tag::explicit(0));
                }
                found if found == tag::context(1) && is_true => {
                    scope.only = Some("it covers only end-entity certificates");
                }
                found if found == tag::context(2) && is_true => {
                    scope.only = Some("it covers only CA certificates");
                }
                found if found == tag::context(3) => {
                    scope.only = Some("it covers only some reasons");
                }
                found if found == tag::context(4) => scope.is_indirect = is_true,
                found if found == tag::context(5) && is_true => {
                    scope.only = Some("it covers only attribute certificates");
                }
                _ => {}
            }
        }
        Ok(scope)
    }
}

/// Returns the first critical extension that readers do not process. OpenSSL processes these three in a CRL,
/// and in an entry the certificateIssuer alone; a critical reasonCode makes it refuse the CRL.
fn unprocessed(crl: &Crl<'_>) -> Option<String> {
    const PROCESSED: [ObjectIdentifier; 3] = [
        oid::ISSUING_DISTRIBUTION_POINT,
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::DELTA_CRL_INDICATOR,
    ];
    let mut own = crl.extensions().iter();
    let own = own.find(|extension| extension.critical && !PROCESSED.contains(&extension.oid));
    if let Some(extension) = own {
        return Some(extension_name(&extension.oid));
    }
    let mut entries = crl.entries().filter_map(Result::ok);
    let entry = entries.find(|entry| entry.has_critical)?;
    let serial = entry
        .serial()
        .map_or_else(String::new, |serial| format!(" of {serial}"));
    Some(format!("one in an entry{serial}"))
}

fn extension_name(identifier: &ObjectIdentifier) -> String {
    oid::name(identifier).map_or_else(|| identifier.to_string(), str::to_owned)
}

/// Judges CRLs that go to a target together. Returns errors first.
pub(crate) fn judge_crls(
    crls: &[JudgedCrl],
    party: &RelyingParty,
    now: OffsetDateTime,
) -> Vec<BundleFinding> {
    if party.crls.form == CrlForm::None {
        return vec![unsupported(party)];
    }
    let mut findings = Vec::new();
    for crl in crls {
        findings.extend(crl.is_outside(now));
        findings.extend(crl.signer_may());
        findings.extend(crl.is_partial());
        findings.extend(crl.is_not_pem(party));
    }
    for (level, limit) in party.crls.limits {
        let messages = limit.messages(crls, party).into_iter();
        findings.extend(messages.map(|message| BundleFinding::new(*level, limit.rule(), message)));
    }
    for (level, limit) in party.limits {
        let messages = crls.iter().filter_map(|crl| crl.algorithm(limit));
        findings.extend(messages.map(|message| BundleFinding::new(*level, limit.rule(), message)));
    }
    findings.sort_by_key(|finding| finding.level);
    findings
}

pub(crate) fn missing_crl(message: impl Into<String>) -> BundleFinding {
    BundleFinding::error("list-missing", message)
}

pub(crate) fn outdated_crl(message: impl Into<String>) -> BundleFinding {
    BundleFinding::warning("list-outdated", message)
}

fn unsupported(party: &RelyingParty) -> BundleFinding {
    let instead = party.crls.note.map(|note| format!(": {note}"));
    let message = format!(
        "{} reads no CRLs{}",
        party.title,
        instead.unwrap_or_default()
    );
    BundleFinding::error("lists-unsupported", message)
}

/// Returns the size of the file with a CRL of as many bytes of DER, and the target's limit, if it exceeds
/// the limit.
pub(crate) fn too_many_bytes(party: &RelyingParty, bytes: usize) -> Option<(usize, usize)> {
    let bytes = party.crls.form.file_bytes(bytes);
    let limits = party.crls.limits.iter();
    limits
        .filter_map(|(level, limit)| match limit {
            CrlLimit::FileBytes(most) if *level == Level::Error => Some(*most),
            _ => None,
        })
        .find(|most| bytes > *most)
        .map(|most| (bytes, most))
}

impl JudgedCrl {
    /// Finds a CRL that has expired, or has not begun.
    pub(crate) fn is_outside(&self, now: OffsetDateTime) -> Option<BundleFinding> {
        let read = self.read.as_ref()?;
        let called = &self.called;
        let message = match read.next_update {
            Some(end) if now > end => format!("{called} expired at {}", rfc3339(end)),
            _ if now < read.this_update => {
                format!("{called} is not valid before {}", rfc3339(read.this_update))
            }
            _ => return None,
        };
        Some(BundleFinding::error("list-valid-now", message))
    }

    /// Finds a CRL that expires within a time.
    pub(crate) fn ends_within(
        &self,
        within: Duration,
        level: Level,
        now: OffsetDateTime,
    ) -> Option<BundleFinding> {
        let end = self.read.as_ref()?.next_update?;
        (end - now < within).then(|| {
            let message = format!("{} expires at {}", self.called, rfc3339(end));
            BundleFinding::new(level, "list-ends-soon", message)
        })
    }

    /// Adds the form of its file, which a target may not read.
    #[must_use]
    pub(crate) fn in_file(mut self, content: &[u8]) -> Self {
        if let Some(read) = &mut self.read {
            read.file = match content {
                content if !pem::looks_like_pem(content) => Some(FileForm::Der),
                [0xef, 0xbb, 0xbf, ..] => Some(FileForm::ByteOrderMark),
                _ => None,
            };
        }
        self
    }

    /// Finds CRLs that every target refuses or misreads: one that does not cover all that its CA issued, or
    /// has a critical extension.
    fn is_partial(&self) -> Vec<BundleFinding> {
        let Some(read) = &self.read else {
            return Vec::new();
        };
        let called = &self.called;
        let error =
            |rule, problem: String| BundleFinding::error(rule, format!("{called}: {problem}"));
        let mut findings = Vec::new();
        if read.is_delta {
            let problem = "it is a delta CRL, which has only changes";
            findings.push(error("delta-list", problem.into()));
        }
        if read.is_indirect {
            let problem = "it is an indirect CRL, which has entries of other CAs";
            findings.push(error("indirect-list", problem.into()));
        }
        if let Some(problem) = read.scope.and_then(|scope| scope.only) {
            findings.push(error("partial-list", problem.into()));
        } else if read.scope.is_some_and(|scope| scope.has_point) {
            let message = format!(
                "{called}: it covers only certificates that name its issuingDistributionPoint as their CRL distribution point"
            );
            findings.push(BundleFinding::warning("partial-list", message));
        }
        if let Some(extension) = &read.critical {
            let problem = format!("it has a critical extension that is not processed: {extension}");
            findings.push(error("critical-extension", problem));
        }
        findings
    }

    fn is_not_pem(&self, party: &RelyingParty) -> Option<BundleFinding> {
        let file = self.read.as_ref()?.file?;
        let CrlRules {
            form, reads_der, ..
        } = party.crls;
        let (called, title) = (&self.called, party.title);
        let message = match file {
            FileForm::Der if form.is_pem() && !reads_der => {
                format!("{called} is DER, but {title} reads PEM")
            }
            FileForm::ByteOrderMark if form.is_pem() => {
                format!("{called} begins with a byte order mark, so its PEM is not found")
            }
            _ => return None,
        };
        Some(BundleFinding::error("list-pem", message))
    }

    /// Returns the validity of an existing CRL with a nextUpdate.
    pub(crate) fn validity(&self) -> Option<Duration> {
        let read = self.read.as_ref()?;
        Some(read.next_update? - read.this_update)
    }

    /// Finds a CA that may not sign CRLs: readers that check the full chain refuse them (RFC 5280 section 6.3.3).
    fn signer_may(&self) -> Option<BundleFinding> {
        let certificate = self.certificate.as_ref()?;
        let usage = certificate.key_usage().unwrap_or(CRL_SIGN);
        (usage & CRL_SIGN == 0).then(|| {
            let subject = certificate.subject();
            let message = format!("the keyUsage of {subject} lacks cRLSign");
            BundleFinding::error("crl-sign", message)
        })
    }

    /// Returns how its CA's key, or its signature, breaks a limit.
    fn algorithm(&self, limit: &Limit) -> Option<String> {
        let key = self.certificate.as_ref().and_then(|certificate| {
            let subject = certificate.subject().to_string();
            limit.key_problem(&subject, certificate.public_key().algorithm())
        });
        key.or_else(|| {
            limit.hash_problem(&self.called, self.signature, || self.signature_name.clone())
        })
    }
}

impl CrlLimit {
    fn messages(&self, crls: &[JudgedCrl], party: &RelyingParty) -> Vec<String> {
        let each = |check: &dyn Fn(&JudgedCrl) -> Option<String>| {
            crls.iter().filter_map(check).collect::<Vec<_>>()
        };
        let each_read = |check: &dyn Fn(&ReadFields) -> Option<&'static str>| {
            each(&|crl| {
                let problem = check(crl.read.as_ref()?)?;
                Some(format!("{} {problem}", crl.called))
            })
        };
        match *self {
            Self::Lists(most) => {
                let count = crls.len();
                Vec::from_iter(over(count, most, &format!("there are {count} CRLs")))
            }
            Self::Entries(most) => {
                let count = crls.iter().map(|crl| crl.entries).sum();
                let together = with_commas(count);
                let message = format!("the CRLs have {together} entries together");
                Vec::from_iter(over(count, most, &message))
            }
            Self::FileBytes(most) => each(&|crl| {
                let bytes = party.crls.form.file_bytes(crl.bytes);
                let at_least = if crl.read.is_none() { "at least " } else { "" };
                let shown = with_commas(bytes);
                over(
                    bytes,
                    most,
                    &format!("{} has {at_least}{shown} bytes", crl.called),
                )
            }),
            Self::Depth(most) => each(&|crl| {
                let depth = crl.path? + 1;
                let message = format!("{} is for paths of {depth} certificates", crl.called);
                over(depth, most, &message)
            }),
            Self::Version2 => each_read(&|read| (read.version != 2).then_some("is of version 1")),
            Self::NextUpdate => {
                each_read(&|read| read.next_update.is_none().then_some("has no nextUpdate"))
            }
            Self::Number => each_read(&|read| (!read.is_numbered).then_some("has no cRLNumber")),
            Self::FullName => each_read(&|read| {
                let problem = "has an issuingDistributionPoint without a fullName";
                (!read.scope?.has_full_name).then_some(problem)
            }),
        }
    }
}
