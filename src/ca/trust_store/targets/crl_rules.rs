//! Rules of targets for CRLs: the form of files, and the kinds of limits.

use crate::ca::foreign::CRL_LABEL;
use crate::ca::trust_store::targets::limits::with_commas;
use crate::ca::trust_store::targets::{Grammar, Level};
use crate::pem;
use std::fmt;

/// Rules of a target for the CRLs that it reads.
#[derive(Debug)]
pub(crate) struct CrlRules {
    pub(crate) form: CrlForm,
    /// Whether it reads DER besides PEM.
    pub(crate) reads_der: bool,
    /// Source of its rules about CRLs; empty if it is that of its other rules.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "docs/targets.md is generated from it")
    )]
    pub(crate) source: &'static str,
    /// Limits, besides the kinds of keys and signatures that it takes anyway.
    pub(crate) limits: &'static [(Level, CrlLimit)],
    /// Quoting of file names in its configuration.
    pub(crate) grammar: Grammar,
    /// Lines of its configuration that name the file FILE, or files FILE, FILE.
    pub(crate) settings: &'static [&'static str],
    /// Lines that name DIRECTORY, in which CRLs have the names that OpenSSL looks for; empty if it reads
    /// no such directory.
    pub(crate) folder_settings: &'static [&'static str],
    /// Note for its users.
    pub(crate) note: Option<&'static str>,
}

/// Form of the files with CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrlForm {
    /// It reads none.
    None,
    /// DER, of the CAs that were chosen.
    Der,
    /// PEM, a CRL per file, of the CAs that were chosen.
    Pem,
    /// PEM, a CRL per file, of every CA of the path.
    PemOfPath,
    /// A PEM file with the CRL of every CA of the path.
    Chain,
}

impl CrlForm {
    /// Returns whether the CRL of every CA of a path is needed.
    pub(crate) fn is_of_path(self) -> bool {
        matches!(self, Self::PemOfPath | Self::Chain)
    }

    /// Returns whether each CRL is a PEM file of its own.
    pub(crate) fn has_pem_files(self) -> bool {
        matches!(self, Self::Pem | Self::PemOfPath)
    }

    pub(crate) fn is_pem(self) -> bool {
        self.has_pem_files() || self == Self::Chain
    }

    /// Bytes of the file with a CRL of as many bytes, if each CRL is a file.
    pub(crate) fn file_bytes(self, bytes: usize) -> usize {
        match self {
            Self::None | Self::Der => bytes,
            Self::Pem | Self::PemOfPath | Self::Chain => pem::encoded_length(CRL_LABEL, bytes),
        }
    }
}

/// A limit of a target for CRLs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CrlLimit {
    /// CRLs.
    Lists(usize),
    /// Entries of all CRLs together.
    Entries(usize),
    /// Bytes of a CRL's file.
    FileBytes(usize),
    /// Certificates of the path under a CRL's CA, with a leaf and the root.
    Depth(usize),
    Version2,
    NextUpdate,
    /// CRLs are numbered.
    Number,
    /// An issuingDistributionPoint has a fullName.
    FullName,
}

impl CrlLimit {
    /// Name of the rule.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Lists(_) => "list-count",
            Self::Entries(_) => "entry-count",
            Self::FileBytes(_) => "list-octets",
            Self::Depth(_) => "path-depth",
            Self::Version2 => "list-version",
            Self::NextUpdate => "next-update",
            Self::Number => "list-number",
            Self::FullName => "distribution-point",
        }
    }
}

/// The limit in words, as in "at most 30 CRLs".
impl fmt::Display for CrlLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (most, what) = match self {
            Self::Lists(most) => (most, "CRLs"),
            Self::Entries(most) => (most, "entries in all CRLs together"),
            Self::FileBytes(most) => (most, "bytes per file"),
            Self::Depth(most) => (most, "certificates per path, including leaf and root"),
            Self::Version2 => return f.write_str("version 2"),
            Self::NextUpdate => return f.write_str("a nextUpdate"),
            Self::Number => return f.write_str("a cRLNumber"),
            Self::FullName => return f.write_str("an issuingDistributionPoint with a fullName"),
        };
        write!(f, "at most {} {what}", with_commas(*most))
    }
}
