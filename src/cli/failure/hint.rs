//! Hints: what to do about an error. They are worded here and nowhere else.

mod places;

use crate::ca::{
    ApplyError, AuthorityError, CaError, CrlError, DefectError, DueCa, ExportError, ImportError,
    InputError, IssuanceError, IssuerError, KeyOf, KeyUseError, Misfit, RenewalError,
    RevocationError, SelectError, SourceFile, TrustStoreError,
};
use crate::cli::unavailable::Unavailable;
use crate::store::CaName;
use crate::x509::name::NameError;
use crate::x509::path::IncompletePath;
use crate::x509::verify::Refusal;
use crate::x509::{Reason, Serial};
use places::{
    ENCRYPT_TRUST_STORE_ANEW, FIXTURE_STORE, RIGHT_PASSPHRASE, file_hint, is_into_store, key_hint,
    passphrase_hint, store_hint,
};

/// Returns the hint of an error, if it has one.
pub(super) fn of(error: &CaError) -> Option<String> {
    match error {
        CaError::Store(error) => store_hint(error),
        CaError::File(error) => file_hint(error),
        CaError::Key(error) => key_use_hint(error),
        CaError::Issuer(error) => issuer_hint(error),
        CaError::Issuance(error) => issuance_hint(error),
        CaError::Authority(error) => authority_hint(error),
        CaError::Crl(error) => crl_hint(error),
        CaError::TrustStore(error) => trust_store_hint(error),
        CaError::Export(error) => export_hint(error).map(Into::into),
        CaError::Select(error) => Some(select_hint(error)),
        CaError::Revocation(error) => revocation_hint(error),
        CaError::Renewal(error) => renewal_hint(error),
        CaError::Import(error) => import_hint(error),
        CaError::Defect(error) => Some(defect_hint(error).into()),
        CaError::Apply(ApplyError::OtherCas { .. }) => Some(
            "a CA stays what it was made as: change the file, or give the new one another name"
                .into(),
        ),
        CaError::Apply(ApplyError::RulesBroken { .. }) => None,
        CaError::Input { source, .. } => input_hint(source).map(Into::into),
        CaError::WouldReplace { .. } => Some("give another file, or --force to replace it".into()),
        CaError::Entry { source, .. } => entry_hint(source),
        CaError::AfterCommit { remedy, .. } => remedy.as_ref().map(ToString::to_string),
        CaError::InPlace { .. } => {
            Some("run the command again, with --force where it would not replace a file".into())
        }
    }
}

fn key_use_hint(error: &KeyUseError) -> Option<String> {
    match error {
        KeyUseError::Unusable { source, .. } => key_hint(source),
        KeyUseError::NoPassphrase { source, .. } => source
            .downcast_ref::<Unavailable>()?
            .hint
            .map(str::to_owned),
        KeyUseError::Randomness(_)
        | KeyUseError::Signing(_)
        | KeyUseError::Encoding(_)
        | KeyUseError::Verification(_) => None,
    }
}

fn issuer_hint(error: &IssuerError) -> Option<String> {
    Some(match error {
        IssuerError::KeyElsewhere { .. } => {
            "run the command where the key is, or put the key back as ca.key in the CA's folder"
                .into()
        }
        IssuerError::KeyMismatch { .. } => {
            "put the key back that belongs to ca.crt in the CA's folder".into()
        }
        IssuerError::CaNotYetValid { .. } => {
            "check the clock, or wait: a CA signs nothing before its certificate is valid".into()
        }
        IssuerError::CaUnusable {
            to_renew: Some(ca), ..
        }
        | IssuerError::RevokedCa {
            to_renew: Some(ca), ..
        } => {
            format!(
                "`pki renew --ca {ca} --self` gives {ca} a certificate that does not name the old certificate of the CA above it"
            )
        }
        IssuerError::RevokedCa { to_renew: None, .. } => {
            "issue from another CA; `pki renew --ca NAME --self --rekey` makes one with a new key"
                .into()
        }
        IssuerError::CaUnusable { to_renew: None, .. } => return None,
    })
}

fn issuance_hint(error: &IssuanceError) -> Option<String> {
    Some(match error {
        IssuanceError::Subject(NameError::UnknownType { .. }) => {
            "write its object identifier, as in /1.2.840.113549.1.9.2=router".into()
        }
        IssuanceError::CsrSubject { .. } => "give another subject with --cn or --subject".into(),
        IssuanceError::CsrSan { .. } => REPLACE_CSR_NAMES.into(),
        IssuanceError::CompromisedKey { whose, .. } => match whose {
            KeyOf::Leaf => "renew it with a new key: --rekey".into(),
            KeyOf::Request => "make a request with a new key".into(),
            KeyOf::Ca(ca) => new_key_for(ca),
        },
        IssuanceError::Nameless => "give --cn, --subject or --san".into(),
        IssuanceError::NeedsAlternativeName { .. } => "give it with --san".into(),
        IssuanceError::TooManyNames { .. } => {
            "issue several certificates, each with some of the SANs".into()
        }
        IssuanceError::Validity { .. } => {
            "choose other times with --days, --not-before or --not-after".into()
        }
        IssuanceError::SubjectOfCa { .. } => "use another subject: --cn or --subject".into(),
        IssuanceError::Lint { .. }
        | IssuanceError::Subject(_)
        | IssuanceError::AlternativeName(_) => return None,
        IssuanceError::UnmakeableKey { .. } => {
            "renew it with the same key, or issue with another kind of key".into()
        }
    })
}

fn authority_hint(error: &AuthorityError) -> Option<String> {
    Some(match error {
        AuthorityError::OtherRequest { .. } => {
            "leave --cn, --subject, --key-type and the URLs out for the same request again, or choose another name".into()
        }
        AuthorityError::Misfit { ca, source, .. } => return misfit_hint(ca, source),
        AuthorityError::PathLength { ca, allowed, .. } => {
            let most = allowed.checked_sub(1)?;
            format!("give --path-len {most} or less, or make it under another CA than {ca}")
        }
        AuthorityError::RevokedCa {
            reason: Reason::CertificateHold,
            ..
        } => "the CA above it lifts the hold: `pki revoke --ca NAME --serial S --release`".into(),
        AuthorityError::RevokedCa { ca, .. } => new_key_for(ca),
        AuthorityError::NotARoot { .. } => {
            "a CA under another is trusted through its root; `pki bundle` has what that takes".into()
        }
        AuthorityError::NameOfPredecessor { .. } => {
            "give another one with --cn or --subject: who looks issuers and lists up by name alone would confuse the two".into()
        }
        AuthorityError::NoCrossCertificate { issuer, .. } => {
            format!("`pki renew --ca {issuer} --self --cross NAME` has the two certify each other")
        }
    })
}

fn crl_hint(error: &CrlError) -> Option<String> {
    Some(match error {
        CrlError::PresignedOutdated { ca, .. } | CrlError::PresignedExpired { ca, .. } => {
            format!("sign new ones where the key is: `pki crl --ca {ca} --ahead N --every 30d`")
        }
        CrlError::NextUpdate { .. } => "choose another time with --days or --next-update".into(),
        CrlError::LosesEntries { .. } => {
            "the store is older than the published list: restore its newest backup, or record them with `pki revoke`".into()
        }
        CrlError::NotPublished { ca, .. } => {
            format!("`pki crl --ca {ca}` where its key is makes one")
        }
        CrlError::TooLarge { .. } => return None,
    })
}

fn trust_store_hint(error: &TrustStoreError) -> Option<String> {
    match error {
        TrustStoreError::Empty => {
            Some("`pki root --name NAME` makes one, and --add takes certificates from files".into())
        }
        TrustStoreError::Incomplete(path) => path_hint(path),
        TrustStoreError::NotACa { .. } => {
            Some("a bundle holds CA certificates alone; leave it out".into())
        }
        TrustStoreError::Unreadable { source, .. } => {
            passphrase_hint(source, RIGHT_PASSPHRASE, ENCRYPT_TRUST_STORE_ANEW)
        }
    }
}

fn export_hint(error: &ExportError) -> Option<&'static str> {
    match error {
        ExportError::FileName { .. } => {
            Some("give a name of letters, digits, '.', '_', '@', '+' and '-' with --name")
        }
        ExportError::SecretName { .. } => {
            Some("give a name of at most 253 lowercase letters, digits, '.' and '-' with --name")
        }
        ExportError::KeyNeeded { .. } => Some(
            "who has the key makes it of that and of NAME.fullchain.pem; a CA's key is exported with `pki export --ca NAME --key`",
        ),
        ExportError::NotTaken { .. } => None,
    }
}

fn select_hint(error: &SelectError) -> String {
    match error {
        SelectError::NotFound { ca, .. } => {
            format!("`pki list --ca {ca}` shows what it has issued")
        }
        SelectError::WithoutCertificate { ca, .. } => format!(
            "who it was issued to has it; `pki show --ca {ca} --serial S` shows what is known of it, and `pki revoke` revokes it"
        ),
        SelectError::AmbiguousSerial { .. } => "write 0x… for hex or dec:… for decimal".into(),
    }
}

fn revocation_hint(error: &RevocationError) -> Option<String> {
    Some(match error {
        RevocationError::NotOnRecord { ca, .. } => format!(
            "`pki list --ca {ca}` shows what is on record; `pki revoke --cert FILE` revokes a certificate that is not"
        ),
        RevocationError::NotIssuedBy {
            is_named: false, ..
        } => "leave --ca out: the CA is found by the certificate".into(),
        RevocationError::IssuerNotFound { .. } => {
            "`pki tree` shows the CAs of the store; the certificate's issuer is none of them".into()
        }
        RevocationError::AnotherOnRecord { ca, serial, .. } => format!(
            "a CRL names serial numbers alone: `pki revoke --ca {ca} --serial 0x{serial}` revokes both certificates"
        ),
        RevocationError::OnlyAdopted { .. } => {
            "run the same command again: it revokes the certificate".into()
        }
        RevocationError::OwnCertificate { .. } => {
            "a CA is revoked by the CA above it; a root is taken out of the trust stores".into()
        }
        RevocationError::SeveralLive { .. } => {
            "name one with --serial, or all of them with --all".into()
        }
        RevocationError::InvalidityInFuture => {
            "give the time from which the key was suspect".into()
        }
        RevocationError::NotIssuedBy { .. }
        | RevocationError::SerialUnusable { .. }
        | RevocationError::SignatureNotChecked { .. }
        | RevocationError::NotOnHold { .. } => return None,
    })
}

fn input_hint(error: &InputError) -> Option<&'static str> {
    match error {
        InputError::Utf16 => Some("convert it: `iconv -f UTF-16 -t UTF-8 FILE`"),
        InputError::BareBase64 => {
            Some("decode it to DER with `base64 -d FILE`, or add the two lines")
        }
        _ => None,
    }
}

/// Returns the hint of an entry of a declaration, whose fields are called as options are.
fn entry_hint(error: &CaError) -> Option<String> {
    Some(match error {
        CaError::Issuance(IssuanceError::NeedsAlternativeName { .. }) => {
            "give it with san, or with cn".into()
        }
        CaError::Issuance(IssuanceError::CsrSubject { .. }) => {
            "give another with cn or subject".into()
        }
        CaError::Issuance(IssuanceError::CsrSan { .. }) => {
            "write csr_names = \"replace\", and the names with cn, subject and san".into()
        }
        CaError::Issuance(IssuanceError::Validity { .. }) => {
            "choose other times with days, not_before or not_after".into()
        }
        CaError::Issuance(IssuanceError::SubjectOfCa { .. }) => "use another subject".into(),
        CaError::Crl(CrlError::NextUpdate { .. }) => {
            "choose another time with days or next_update".into()
        }
        CaError::Authority(AuthorityError::PathLength { allowed, .. }) => {
            let most = allowed.checked_sub(1)?;
            format!("write path_len = {most} or less, or another parent")
        }
        CaError::File(error) if is_into_store(error) => {
            "write another out, or remove the link".into()
        }
        CaError::WouldReplace { .. } => {
            "write another out or name, or have it replaced with --force".into()
        }
        error => return of(error),
    })
}

fn new_key_for(ca: &CaName) -> String {
    format!(
        "a new key in its place gets a certificate: `pki renew --ca {ca} --self --rekey --name NAME`"
    )
}

fn by_itself(ca: &CaName, serial: &Serial) -> String {
    format!("`pki renew --ca {ca} --serial 0x{serial} --out DIR --name NAME` renews it by itself")
}

fn renew_first(due: &[DueCa]) -> String {
    let command = |DueCa { ca, is_short }: &DueCa| {
        let days = if *is_short { " --days N" } else { "" };
        format!("`pki renew --ca {ca} --self{days}`")
    };
    let commands: Vec<String> = due.iter().map(command).collect();
    let longer = if due.iter().any(|due| due.is_short) {
        ", with N days that go beyond that time"
    } else {
        ""
    };
    format!("first comes {}{longer}", commands.join(", then "))
}

fn defect_hint(error: &DefectError) -> &'static str {
    match error {
        DefectError::NotHere { .. } => FIXTURE_STORE,
        DefectError::KeyElsewhere => "leave --csr out, and the key is made here",
        DefectError::NoNames => "give the names that it lacks with --san",
    }
}

fn renewal_hint(error: &RenewalError) -> Option<String> {
    Some(match error {
        RenewalError::NotALeaf { .. } => {
            "a CA's own certificate is renewed with `pki renew --ca NAME --self`".into()
        }
        RenewalError::Purposeless { ca, serial } => format!(
            "`pki show --ca {ca} --serial 0x{serial}` shows it; `pki issue --ca {ca} --profile PROFILE` with its names, or with --csr, issues one with a purpose"
        ),
        RenewalError::RevokedPredecessor {
            ca,
            serial,
            reason: Reason::CertificateHold,
        } => format!("`pki revoke --ca {ca} --serial 0x{serial} --release` lifts the hold"),
        RenewalError::Defective { .. } => "`pki issue` issues another certificate".into(),
        RenewalError::RevokedPredecessor { .. } => {
            "what is revoked has no successor; `pki issue` issues a new certificate".into()
        }
        RenewalError::KeyOfRequest { ca, .. } => {
            format!(
                "make a request with the new key, and sign it with `pki issue --ca {ca} --csr FILE`"
            )
        }
        RenewalError::Files { ca, serial, source } => match &**source {
            CaError::Export(ExportError::FileName { .. }) => by_itself(ca, serial),
            source => return of(source),
        },
        RenewalError::FilesOfOther { ca, serial, .. } => by_itself(ca, serial),
        RenewalError::RenewedMeanwhile { .. } => return None,
        RenewalError::CaEndsFirst { due, .. } => renew_first(due),
    })
}

fn misfit_hint(ca: &CaName, misfit: &Misfit) -> Option<String> {
    Some(match misfit {
        Misfit::Key => format!(
            "install what was made of the request that `pki subordinate --name {ca} --request FILE` writes"
        ),
        Misfit::OwnKey => format!(
            "install what was made of the request that `pki renew --ca {ca} --self --request FILE` writes"
        ),
        Misfit::SubjectBytes | Misfit::KeyIdentifier => {
            "have it signed with the subject and the key identifier of the request, copied and not written anew".into()
        }
        Misfit::Issuer { .. } => {
            "a CA stays under the one that issued it; under another it is a new CA: `pki subordinate`".into()
        }
        Misfit::Subject { .. } => {
            "have it signed with the subject of the request, or make a request with that subject under another name".into()
        }
        Misfit::NotACa | Misfit::KeyUsage { .. } => {
            "have it signed as a CA: basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign".into()
        }
        Misfit::Path(refusal) => match **refusal {
            Refusal::MissingIssuer { .. }
            | Refusal::OtherKey { .. }
            | Refusal::OtherCertificate { .. }
            | Refusal::Untrusted { .. }
            | Refusal::Rootless { .. } => {
                "give the certificates of all CAs above it, up to the root, with --chain".into()
            }
            _ => return None,
        },
        Misfit::Rules(_) => return None,
    })
}

fn import_hint(error: &ImportError) -> Option<String> {
    Some(match error {
        ImportError::Missing { what, .. } => format!(
            "name the folder that has it, or the file with {}",
            option_of(*what)
        ),
        ImportError::Several { what, .. } => {
            format!("say which one is meant with {}", option_of(*what))
        }
        ImportError::KeyDoesNotFit { .. } => "name the right ones with --cert and --key".into(),
        ImportError::AlreadyHere { ca } => format!("`pki show --ca {ca}` shows it"),
        ImportError::HereWithoutKey { ca } => format!("--name {ca} gives it its key"),
        ImportError::NumbersUsedUp { .. } => {
            "make a new CA; this one can issue nothing more that could be told apart".into()
        }
        ImportError::SignatureNotChecked { .. } => {
            "sign the certificate anew with the same key, as with `openssl x509 -in OLD -key KEY -sha256 -out NEW`, and name it with --cert".into()
        }
        ImportError::NoFolder { .. } => {
            "name the folder in which the other program keeps the CA".into()
        }
        ImportError::NotACa { .. } => return None,
    })
}

fn option_of(file: SourceFile) -> &'static str {
    match file {
        SourceFile::Certificate => "--cert",
        SourceFile::Key => "--key",
        SourceFile::Index => "--index",
    }
}

fn path_hint(path: &IncompletePath) -> Option<String> {
    match path {
        IncompletePath::MissingIssuer { issuer, .. } => {
            Some(format!("add the certificate of {issuer} with --add"))
        }
        IncompletePath::OtherCertificate { issuer, .. } => Some(format!(
            "add that certificate of {issuer} with --add, or have {issuer} issue the one below it again"
        )),
        IncompletePath::Rootless { .. } => {
            Some("add the certificate of the root above with --add".into())
        }
        IncompletePath::Unverifiable { .. }
        | IncompletePath::BrokenExtension { .. }
        | IncompletePath::TooManyKeys { .. }
        | IncompletePath::TooManyNamesakes { .. }
        | IncompletePath::TooLong { .. } => None,
    }
}

/// Hint for a CSR with a SAN that is not issued.
pub(in crate::cli) const REPLACE_CSR_NAMES: &str = "--csr-names replace ignores the names of the CSR: give others with --cn, --subject or --san, as in --csr-names replace --san www.example.test";
