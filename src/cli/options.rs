//! Options that several commands share: subjects, names, times.

use super::Failure;
use super::context::Context;
use super::passphrase::{PassoutArgs, Unbuffered, UserPassphrases};
use crate::ca::{
    CaError, CsrNames, End, Input, KeySource, LeafProfile, Lifetime, Profiles, Selector, Size,
    UnreadCertificate, certificate_file, request_in,
};
use crate::key::{KeyType, KeyUri};
use crate::store::{CaName, Store};
use crate::x509::serial::SerialReadings;
use crate::x509::validity::Moment;
use crate::x509::{
    Certificate, CertificationRequest, GeneralName, Name, NameConstraints, Profile, Serial, Subtree,
};
use clap::Args;
use std::path::{Path, PathBuf};

/// Options for a subject.
#[derive(Args)]
pub(super) struct SubjectArgs {
    /// The common name
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,
    /// The whole subject: /C=JP/O=Example/CN=x or CN=x,O=Example,C=JP
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
}

impl SubjectArgs {
    pub(super) fn new(cn: Option<String>, subject: Option<String>) -> Self {
        Self { cn, subject }
    }

    /// Returns whether anything was said about it.
    pub(super) fn is_given(&self) -> bool {
        self.cn.is_some() || self.subject.is_some()
    }

    /// The subject; a common name given beside a subject without one goes to its end.
    pub(super) fn resolve(&self) -> Result<Option<Name>, Failure> {
        let name = match (&self.subject, &self.cn) {
            (None, None) => return Ok(None),
            (None, Some(cn)) => Name::from_common_name(cn),
            (Some(subject), None) => Name::parse(subject),
            (Some(subject), Some(cn)) => {
                let name = Name::parse(subject)?;
                match name.common_name() {
                    Some(own) if own == *cn => return Ok(Some(name)),
                    Some(_) => {
                        return Err(Failure::usage(
                            "the common names of --subject and --cn differ",
                        ));
                    }
                    None => name.with_common_name(cn),
                }
            }
        };
        Ok(Some(name?))
    }
}

/// Option for the place of a CA's key.
#[derive(Args, Default)]
pub(super) struct KeyUriArgs {
    /// The CA's key outside the store: pkcs11:… (RFC 7512), or NAME:… for pki-key-NAME
    ///
    /// A key that is there is taken; otherwise it is generated there.
    #[arg(long, value_name = "URI")]
    pub(super) key_uri: Option<KeyUri>,
}

impl KeyUriArgs {
    pub(super) fn is_given(&self) -> bool {
        self.key_uri.is_some()
    }

    /// Returns the name of a new CA if it has a PIN.
    pub(super) fn with_pin<'a>(&self, name: &'a CaName) -> &'a [CaName] {
        if self.is_given() {
            std::slice::from_ref(name)
        } else {
            &[]
        }
    }

    /// Refuses a passphrase for a key that is not in the store.
    pub(super) fn check(&self, passout: &PassoutArgs) -> Result<(), Failure> {
        if self.is_given() && passout.is_given() {
            return Err(Failure::usage(
                "--passout and --no-passphrase are for keys in the store, not with --key-uri",
            )
            .hint("give the PIN of the token or service with --passin"));
        }
        Ok(())
    }
}

/// Options for a validity.
#[derive(Args)]
pub(super) struct LifetimeArgs {
    /// Days of validity [default: 3650 for a CA, 365 for a leaf]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "not_after")]
    days: Option<u32>,
    /// Expiry: 2027-01-31, RFC 3339, or from now as in 90d, 12h, 1y
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    not_after: Option<Moment>,
    /// Start of the validity [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    not_before: Option<Moment>,
}

impl LifetimeArgs {
    pub(super) fn new(
        days: Option<u32>,
        not_after: Option<Moment>,
        not_before: Option<Moment>,
    ) -> Self {
        Self {
            days,
            not_after,
            not_before,
        }
    }

    pub(super) fn lifetime(&self) -> Lifetime {
        let end = self.days.map(End::Days).or(self.not_after.map(End::At));
        Lifetime {
            not_before: self.not_before,
            end,
        }
    }
}

/// Options for the constraints and URLs of a CA.
#[derive(Args)]
pub(super) struct PolicyArgs {
    /// Largest number of CAs in a path below it
    #[arg(long, value_name = "N")]
    pub(super) path_len: Option<u32>,
    /// Permitted names, and no others of their type: dns:example.test, ip:10.0.0.0/8, email:, uri:, dirname:
    #[arg(long, value_name = "SUBTREE")]
    pub(super) permit: Vec<Subtree>,
    /// Excluded names
    #[arg(long, value_name = "SUBTREE")]
    pub(super) exclude: Vec<Subtree>,
    #[command(flatten)]
    pub(super) urls: UrlArgs,
}

/// URLs that go into the certificates of a CA.
#[derive(Args)]
#[allow(clippy::struct_field_names, reason = "they are called as the options")]
pub(super) struct UrlArgs {
    /// URL of its CRL, for the certificates that it issues
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) crl_url: Vec<String>,
    /// URL of its certificate, for the certificates that it issues
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) ca_issuers_url: Vec<String>,
    /// URL of its OCSP responder, for the certificates that it issues
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) ocsp_url: Vec<String>,
}

impl PolicyArgs {
    pub(super) fn constraints(&self) -> NameConstraints {
        NameConstraints {
            permitted: self.permit.clone(),
            excluded: self.exclude.clone(),
        }
    }
}

/// RFC 5280 section 4.2.1.13 knows http and ldap; what reads these files fetches http.
pub(super) fn http_url(text: &str) -> Result<String, String> {
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https" | "ldap")) {
        return Err("it has to start with http://, https:// or ldap://".into());
    }
    GeneralName::uri(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.problem)
}

/// One certificate among those that a CA issued.
#[derive(Args)]
pub(super) struct SelectorArgs {
    /// The certificate's common name
    #[arg(long, value_name = "NAME", conflicts_with = "serial")]
    cn: Option<String>,
    /// The certificate's serial number: hex, or dec:…
    #[arg(long, value_name = "S")]
    serial: Option<String>,
}

impl SelectorArgs {
    /// Returns whether a certificate was named.
    pub(super) fn is_given(&self) -> bool {
        self.cn.is_some() || self.serial.is_some()
    }

    /// The certificate that was named.
    pub(super) fn selector(&self) -> Result<Option<Selector>, Failure> {
        match (&self.serial, &self.cn) {
            (Some(text), _) => {
                readings(text).map(|readings| Some(Selector::Serial(text.clone(), readings)))
            }
            (None, Some(cn)) => Ok(Some(Selector::CommonName(cn.clone()))),
            (None, None) => Ok(None),
        }
    }
}

/// Readings of a serial number's text.
pub(super) fn readings(text: &str) -> Result<SerialReadings, Failure> {
    Serial::readings(text).map_err(|error| Failure::usage(error.to_string()))
}

/// Reads a file; - is standard input.
pub(super) fn input(path: &Path) -> Result<Input, Failure> {
    input_of(Size::Any, path)
}

/// Reads what is in a file of this size at most; - is standard input.
pub(super) fn input_of(size: Size, path: &Path) -> Result<Input, Failure> {
    if path == Path::new("-") {
        return Ok(Input::from_reader_of(size, path, Unbuffered)?);
    }
    Ok(Input::read_of(size, path)?)
}

/// Reads the certificates in PEM, DER, PKCS #7 or PKCS #12; - is standard input.
pub(super) fn certificates(
    path: &Path,
    passphrases: &mut UserPassphrases,
    context: &Context,
) -> Result<Vec<Result<Certificate, UnreadCertificate>>, Failure> {
    refuse_shared_input(path, passphrases, "the file")?;
    let file = certificate_file(&input(path)?, passphrases)?;
    if file.lacks_mac {
        warn_of_missing_mac(path, context);
    }
    Ok(file.certificates)
}

/// Refuses to read a file and its passphrase from standard input.
pub(super) fn refuse_shared_input(
    path: &Path,
    passphrases: &UserPassphrases,
    what: &str,
) -> Result<(), Failure> {
    if path == Path::new("-") && passphrases.read_standard_input() {
        return Err(Failure::usage(format!(
            "standard input can't give both {what} and a passphrase"
        ))
        .hint("give the passphrase with file:PATH, fd:N or env:VAR"));
    }
    Ok(())
}

pub(super) fn warn_of_missing_mac(path: &Path, context: &Context) {
    let path = path.display();
    context.warning(format!("{path} has no MAC: changes to it go unnoticed"));
}

/// Reads the CSR in a file; - is standard input, if no passphrase is to come from there.
pub(super) fn csr(
    path: &Path,
    passphrases: &UserPassphrases,
) -> Result<CertificationRequest, Failure> {
    refuse_shared_input(path, passphrases, "the CSR")?;
    Ok(request_in(&input_of(Size::Single, path)?)?)
}

/// Returns the source of a leaf's key: the CSR, if there is one, or a new key.
pub(super) fn key_source(
    csr: Option<(PathBuf, CertificationRequest)>,
    names: CsrNames,
    key_type: KeyType,
) -> KeySource {
    match csr {
        Some((path, request)) => KeySource::Request {
            path,
            request: Box::new(request),
            names,
        },
        None => KeySource::Generate(key_type),
    }
}

/// Reads the CSR in a file that a table or a declaration names.
pub(super) fn named_csr(path: &Path) -> Result<CertificationRequest, CaError> {
    request_in(&Input::read_of(Size::Single, path)?)
}

/// Options for the profile of a leaf.
#[derive(Args)]
pub(super) struct ProfileChoice {
    /// client, server, peer, email, code-signing, ocsp, timestamp, or one of your own (pki profile)
    #[arg(long, value_name = "PROFILE", default_value = "client")]
    pub(super) profile: String,
    #[command(flatten)]
    pub(super) file: ProfilesArgs,
}

impl ProfileChoice {
    /// Finds the profile; files are read only if it is none of pki's.
    pub(super) fn find(&self, store: &Store) -> Result<LeafProfile, Failure> {
        if let Ok(known) = self.profile.parse::<Profile>() {
            return Ok(known.into());
        }
        Ok(self.file.read(store)?.find(&self.profile)?)
    }
}

/// Option for a file of profiles.
#[derive(Args)]
pub(super) struct ProfilesArgs {
    /// Use the profiles of this file in place of the store's
    #[arg(long, value_name = "FILE.toml")]
    profiles: Option<PathBuf>,
}

impl ProfilesArgs {
    /// Reads the profiles of the file, or those of the store.
    pub(super) fn read(&self, store: &Store) -> Result<Profiles, Failure> {
        Ok(match &self.profiles {
            Some(path) => Profiles::of_file(&Input::read_of(Size::Single, path)?)?,
            None => Profiles::of_store_if_needed(store),
        })
    }
}

/// Option, whether it is given, the option that it belongs to, and whether that one is given.
pub(super) type Belonging<'a> = (&'a str, bool, &'a str, bool);

/// Refuses options without the one that they belong to. clap's `requires` is not enough: it lets an option pass if the
/// other one conflicts with a third that is given, and the option would be ignored.
pub(super) fn check_belonging(options: &[Belonging<'_>]) -> Result<(), Failure> {
    for (option, is_given, owner, is_owner_given) in options {
        if *is_given && !is_owner_given {
            return Err(Failure::usage(format!("{option} needs {owner}")));
        }
    }
    Ok(())
}

/// Returns whether a result goes to standard output: under `-`, or under the names that the system has for it.
pub(super) fn is_standard_output(path: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| path == Path::new(name))
}
