//! What a relying party reads of revocation lists: in which files, and the kinds of limits.

use crate::ca::trust_store::targets::limits::with_commas;
use crate::ca::trust_store::targets::{Grammar, Level};
use crate::pem;
use std::fmt;

/// What a relying party reads of revocation lists.
#[derive(Debug)]
pub struct ListRules {
    /// In which files it wants them.
    pub form: ListForm,
    /// Whether it reads DER beside PEM.
    pub reads_der: bool,
    /// Where its rules about lists are written; empty where all of its rules are.
    pub source: &'static str,
    /// What it holds them to, beside the kinds of keys and signatures that it takes anyway.
    pub limits: &'static [(Level, ListLimit)],
    /// How its configuration writes the names of files.
    pub grammar: Grammar,
    /// Lines of its configuration that name the file FILE, or files FILE, FILE.
    pub settings: &'static [&'static str],
    /// Lines that name FOLDER, where lists have the names that OpenSSL looks for; empty where it reads
    /// no such folder.
    pub folder_settings: &'static [&'static str],
    /// What its users have to know.
    pub note: Option<&'static str>,
}

/// In which files lists are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// It reads none.
    None,
    /// DER, of the CAs that were chosen.
    Der,
    /// PEM, a list a file, of the CAs that were chosen.
    Pem,
    /// PEM, a list a file, of every CA of the path.
    PemOfPath,
    /// One PEM file with the list of every CA of the path.
    Chain,
}

impl ListForm {
    /// Whether the list of every CA of a path is needed.
    pub fn is_of_path(self) -> bool {
        matches!(self, Self::PemOfPath | Self::Chain)
    }

    /// Whether each list is a PEM file of its own.
    pub fn has_pem_files(self) -> bool {
        matches!(self, Self::Pem | Self::PemOfPath)
    }

    /// Whether lists are PEM, in files of whatever kind.
    pub fn is_pem(self) -> bool {
        self.has_pem_files() || self == Self::Chain
    }

    /// Octets of the file with a list of as many octets, where a list is a file.
    pub(crate) fn file_octets(self, octets: usize) -> usize {
        match self {
            Self::None | Self::Der => octets,
            Self::Pem | Self::PemOfPath | Self::Chain => pem::encoded_length("X509 CRL", octets),
        }
    }
}

/// One limit of a relying party for the lists that it reads.
#[derive(Debug, Clone, Copy)]
pub enum ListLimit {
    /// Lists.
    Lists(usize),
    /// Entries of all lists together.
    Entries(usize),
    /// Octets of a list's file.
    FileOctets(usize),
    /// Certificates of the path under a list's CA, with a leaf and the root.
    Depth(usize),
    /// Lists are of version 2.
    Version2,
    /// Lists say when the next one comes.
    NextUpdate,
    /// Lists are numbered.
    Number,
    /// An issuingDistributionPoint has a fullName.
    FullName,
}

impl ListLimit {
    /// The name of the rule.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Lists(_) => "list-count",
            Self::Entries(_) => "entry-count",
            Self::FileOctets(_) => "list-octets",
            Self::Depth(_) => "path-depth",
            Self::Version2 => "list-version",
            Self::NextUpdate => "next-update",
            Self::Number => "list-number",
            Self::FullName => "distribution-point",
        }
    }
}

/// The limit in words, as in "at most 30 lists".
impl fmt::Display for ListLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (most, what) = match self {
            Self::Lists(most) => (most, "lists"),
            Self::Entries(most) => (most, "entries in all lists together"),
            Self::FileOctets(most) => (most, "octets a file"),
            Self::Depth(most) => (most, "certificates a path, with leaf and root"),
            Self::Version2 => return f.write_str("version 2"),
            Self::NextUpdate => return f.write_str("a nextUpdate"),
            Self::Number => return f.write_str("a cRLNumber"),
            Self::FullName => return f.write_str("an issuingDistributionPoint has a fullName"),
        };
        write!(f, "at most {} {what}", with_commas(*most))
    }
}
