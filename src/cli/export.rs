//! `pki export`.

use super::context::Context;
use super::failure::Failure;
use super::options::SelectorArgs;
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    AuthorityError, CaError, Destination, ExportError, Exported, FileKind, KeyOutput, KeyUseError,
    ProtectedKey, Selector, Status, Strength, Unlocked, certificate_of, check_for_java,
    cross_certificate, file_name, key_file_of, passphrase_for, select_one,
};
use crate::key::{Passphrase, PrivateKey, Protection, PublicKeyAlgorithm};
use crate::store::{Ca, CaName, Journal, Location, Store};
use crate::x509::Certificate;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Export a certificate with its chains and its key
///
/// Writes NAME.crt, NAME.chain.pem (the issuing CA up to the root), NAME.fullchain.pem (the certificate
/// first, without the root) and NAME.key (PKCS#8, encrypted). Without --cn and --serial it exports the CA's
/// own certificate, and the CA's key only with --key.
#[derive(Args)]
pub(super) struct ExportArgs {
    /// The CA that issued the certificate, or the CA to export
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    #[command(flatten)]
    selector: SelectorArgs,
    /// The directory to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the files [default: the common name or the first SAN; of a CA its name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Also write the certificate as DER
    #[arg(long)]
    der: bool,
    /// Also write NAME.p12: PKCS #12 with the key, the certificate and its chain
    #[arg(long, value_name = "KIND")]
    p12: Option<Pkcs12Kind>,
    /// The target: write the files that it reads instead of the usual ones
    #[arg(long = "for", value_name = "TARGET", conflicts_with_all = ["der", "p12"])]
    party: Option<Party>,
    /// End the chain at this root, through its cross-certificate for the other root
    #[arg(long, value_name = "ROOT")]
    via: Option<CaName>,
    /// Also export the CA's own key
    #[arg(long, conflicts_with_all = ["cn", "serial"])]
    key: bool,
    /// Replace existing files
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

/// Encryption of a PKCS #12 file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pkcs12Kind {
    /// AES-256 and SHA-256: OpenSSL 3, Windows since 10 1709, Java 17, NSS
    Modern,
    /// 3DES and SHA-1: older readers, and the key chains of Apple
    Compat,
}

/// Target of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Party {
    /// AWS Certificate Manager: NAME.crt, NAME.chain.pem, and NAME.key without a passphrase
    Acm,
    /// NAME.secret.yaml, a manifest of type kubernetes.io/tls
    Kubernetes,
    /// NAME.p12, a key store
    Java,
}

/// A key that was opened, and how it is to be written.
struct OpenKey {
    key: PrivateKey,
    protection: Protection,
    passphrase: Option<Passphrase>,
}

/// Certificate to export, before its key is opened.
struct Subject {
    certificate: Certificate,
    issuers: Vec<Certificate>,
    name: String,
    key_path: Location,
    key_label: String,
    key_file: Option<Zeroizing<Vec<u8>>>,
    /// Whether its CA's key is outside the store, so that keys of leaves have passphrases of their own.
    is_ca_outside: bool,
}

impl ExportArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        self.check_passphrase_options()?;
        let store = context.open_store()?;
        let ca = store.ca(&self.ca)?;
        let mut notices = Vec::new();
        let mut subject = match self.selector.selector()? {
            Some(selector) => self.leaf(&store, &ca, &selector, context, &mut notices)?,
            None => self.authority(&store, &ca)?,
        };
        if let Some(root) = &self.via {
            subject.go_on_to(&store.ca(root)?, context)?;
        }
        let destination = Destination {
            directory: self.out.clone(),
            name: subject.name.clone(),
            overwrite: self.force,
        };
        let open = destination.open(&self.kinds(&subject)?)?;
        let key = self.open_key(&subject, context)?;
        let key = key.as_ref().map(|open| KeyOutput {
            key: &open.key,
            protection: &open.protection,
            passphrase: open.passphrase.as_ref(),
        });
        if self.p12 == Some(Pkcs12Kind::Compat) {
            notices.push("3DES and SHA-1 in the .p12 file are weaker than --p12 modern: delete the file after the import".into());
        }
        let algorithm = subject.certificate.public_key().algorithm();
        if self.party == Some(Party::Java) && is_ml_dsa(algorithm) {
            notices.push(format!("Java reads {algorithm} keys since version 24"));
        }
        store.make_names_durable()?;
        let exported = open.write(&subject.certificate, &subject.issuers, key.as_ref())?;
        context.notices(notices);
        Ok(report(&self.ca, &subject, &exported))
    }

    /// A key leaves without encryption only where the user said so, and a PKCS #12 file never does.
    fn check_passphrase_options(&self) -> Result<(), Failure> {
        if let Some(option) = self
            .pkcs12_option()
            .filter(|_| self.passout.is_none_wanted())
        {
            return Err(Failure::usage(format!(
                "{option} writes a PKCS #12 file, which always has a passphrase"
            ))
            .hint("give one with --passout"));
        }
        let wants_plain = match self.party {
            Some(Party::Acm) => Some(("acm", "ACM")),
            Some(Party::Kubernetes) => Some(("kubernetes", "Kubernetes")),
            _ => None,
        };
        if let Some((party, name)) = wants_plain.filter(|_| !self.passout.is_none_wanted()) {
            return Err(Failure::usage(format!(
                "{name} needs an unencrypted key, which --for {party} writes only if asked"
            ))
            .hint("use --no-passphrase, and delete the key file after the import"));
        }
        let wants_key = self.party.is_some() || self.p12.is_some();
        if wants_key && !self.key && !self.selector.is_given() {
            return Err(Failure::usage(
                "--p12 and --for write a key; a CA's key is exported only with --key",
            ));
        }
        Ok(())
    }

    /// The option that asks for a PKCS #12 file.
    fn pkcs12_option(&self) -> Option<&'static str> {
        match self.party {
            Some(Party::Java) => Some("--for java"),
            _ => self.p12.map(|_| "--p12"),
        }
    }

    /// The files that are wanted; what nobody would take is refused before a key is opened.
    fn kinds(&self, subject: &Subject) -> Result<Vec<FileKind>, CaError> {
        let has_key = subject.key_file.is_some();
        let needed = |what| has_key.then_some(()).ok_or(ExportError::KeyNeeded { what });
        let chain = (!subject.issuers.is_empty()).then_some(FileKind::Chain);
        Ok(match self.party {
            Some(Party::Acm) => {
                needed("import into ACM")?;
                check_acm(&subject.certificate)?;
                let files = [Some(FileKind::Certificate), chain, Some(FileKind::Key)];
                files.into_iter().flatten().collect()
            }
            Some(Party::Kubernetes) => {
                needed("Secret")?;
                vec![FileKind::Secret]
            }
            Some(Party::Java) => {
                needed("key store")?;
                vec![FileKind::Pkcs12(Strength::Java)]
            }
            None => {
                let mut kinds = FileKind::usual(chain.is_some(), has_key, self.der);
                if let Some(kind) = self.p12 {
                    needed("PKCS #12 file")?;
                    kinds.push(FileKind::Pkcs12(match kind {
                        Pkcs12Kind::Modern => Strength::Modern,
                        Pkcs12Kind::Compat => Strength::Compatible,
                    }));
                }
                kinds
            }
        })
    }

    fn leaf(
        &self,
        store: &Store,
        ca: &Ca,
        selector: &Selector,
        context: &Context,
        notices: &mut Vec<String>,
    ) -> Result<Subject, Failure> {
        let mut selected = Vec::new();
        let issuance = select_one(ca, selector, context.now, &mut selected)?;
        notices.extend(selected.iter().map(ToString::to_string));
        ca.make_durable(Journal::Issued)?;
        let revoked = ca.revoked(&issuance.serial)?;
        let status = Status::of(&issuance, revoked.as_ref(), context.now);
        if status != Status::Valid {
            notices.push(format!("the certificate is {}", status.as_str()));
        }
        let certificate = certificate_of(ca, &issuance)?;
        let key_file = ca.leaf_key_file(&issuance.serial)?;
        if key_file.is_none() {
            notices.push(if certificate.is_ca() {
                "the certificate is a CA's; `pki export --ca NAME --key` exports its key".into()
            } else {
                "the key was not made here, so it can't be exported".into()
            });
        }
        let named = ca.clone().named_by(&certificate)?;
        let mut issuers = vec![named.certificate().clone()];
        issuers.extend(certificates_above(store, &named)?);
        if certificate.is_self_signed() {
            issuers.clear();
        }
        Ok(Subject {
            certificate,
            issuers,
            name: self.name.clone().unwrap_or_else(|| file_name(&issuance)),
            key_path: ca.leaf_key_location(&issuance.serial),
            key_label: format!("the key of {} {}", ca.name(), issuance.serial),
            key_file,
            is_ca_outside: ca.record().key_uri.is_some(),
        })
    }

    fn authority(&self, store: &Store, ca: &Ca) -> Result<Subject, Failure> {
        if !self.key && self.passout.is_given() {
            return Err(Failure::usage(
                "--passout and --no-passphrase need a key; a CA's key is exported only with --key",
            ));
        }
        let key_file = self.key.then(|| key_file_of(ca)).transpose()?;
        Ok(Subject {
            certificate: ca.certificate().clone(),
            issuers: certificates_above(store, ca)?,
            name: self.name.clone().unwrap_or_else(|| ca.name().to_string()),
            key_path: ca.key_location(),
            key_label: format!("the key of {}", ca.name()),
            key_file,
            is_ca_outside: ca.record().key_uri.is_some(),
        })
    }

    fn open_key(&self, subject: &Subject, context: &Context) -> Result<Option<OpenKey>, Failure> {
        let Some(content) = &subject.key_file else {
            return Ok(None);
        };
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.passout),
            match self.pkcs12_option() {
                Some(_) => Protecting::Pkcs12,
                None => Protecting::Export,
            },
        )?;
        let wanted = if subject.is_ca_outside {
            ProtectedKey::outside(&subject.key_label)
        } else {
            ProtectedKey::of(&self.ca, &subject.key_label)
        };
        let path = &subject.key_path;
        let key = Unlocked::new().open(path, wanted, content, &mut passphrases)?;
        let label = format!("the exported key of {}", subject.name);
        let passphrase = passphrase_for(ProtectedKey::outside(&label), &mut passphrases)?;
        if self.party == Some(Party::Java) {
            passphrase.as_ref().map_or(Ok(()), check_for_java)?;
        }
        let protection = match &passphrase {
            Some(passphrase) => Protection::new(passphrase).map_err(KeyUseError::Encoding)?,
            None => Protection::None,
        };
        Ok(Some(OpenKey {
            key,
            protection,
            passphrase,
        }))
    }
}

impl Subject {
    /// Has the chain end in another root, which has certified the key of the one at its end.
    fn go_on_to(&mut self, other: &Ca, context: &Context) -> Result<(), Failure> {
        let Some(root) = self.issuers.pop() else {
            return Err(Failure::usage("--via needs a chain, and a root has none"));
        };
        let cross = cross_certificate(other, &root, context.now)?;
        let cross = cross.ok_or_else(|| {
            CaError::from(AuthorityError::NoCrossCertificate {
                issuer: other.name().clone(),
                subject: root.subject().to_string(),
            })
        })?;
        let cross = certificate_of(other, &cross)?;
        self.issuers.extend([cross, other.certificate().clone()]);
        Ok(())
    }
}

fn is_ml_dsa(algorithm: PublicKeyAlgorithm) -> bool {
    use PublicKeyAlgorithm::{MlDsa44, MlDsa65, MlDsa87};
    matches!(algorithm, MlDsa44 | MlDsa65 | MlDsa87)
}

/// Checks whether AWS Certificate Manager imports a certificate with such a key. None of those is more than
/// the 5,120 bytes that a key may have.
fn check_acm(certificate: &Certificate) -> Result<(), CaError> {
    match certificate.public_key().algorithm() {
        PublicKeyAlgorithm::Ec(_) | PublicKeyAlgorithm::Rsa { .. } => Ok(()),
        other => Err(ExportError::NotTaken {
            party: "ACM",
            what: format!("keys of type {other}"),
        }
        .into()),
    }
}

/// The certificates above a CA, up to its root.
fn certificates_above(store: &Store, ca: &Ca) -> Result<Vec<Certificate>, Failure> {
    Ok(store
        .ancestors(ca)?
        .iter()
        .map(|ancestor| ancestor.certificate().clone())
        .collect())
}

#[derive(Serialize)]
struct ExportReport {
    ca: String,
    serial: String,
    subject: String,
    fingerprint_sha256: String,
    files: BTreeMap<&'static str, String>,
}

fn report(ca: &CaName, subject: &Subject, exported: &Exported) -> Report {
    let report = ExportReport {
        ca: ca.to_string(),
        serial: subject
            .certificate
            .serial()
            .map(|serial| serial.to_string())
            .unwrap_or_default(),
        subject: subject.certificate.subject().to_string(),
        fingerprint_sha256: subject.certificate.fingerprint().to_string(),
        files: exported_files(exported),
    };
    let lines = exported
        .iter()
        .fold(Lines::default(), |lines, (kind, path)| {
            lines.row(kind, path.display())
        });
    let text = lines.under(&format!("exported {}", subject.certificate.subject()));
    Report::new(&report, text).committed("the files are written")
}

/// The files as the JSON reports name them.
pub(super) fn exported_files(exported: &Exported) -> BTreeMap<&'static str, String> {
    exported
        .iter()
        .map(|(kind, path)| (*kind, path.display().to_string()))
        .collect()
}
