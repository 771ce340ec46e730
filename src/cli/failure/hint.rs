//! Hints: what to do about an error. They are worded here and nowhere else.

mod keys;
mod places;

use crate::ca::{
    ApplyError, AuthorityError, CaError, CrlError, DefectError, DueCa, ExportError, ImportError,
    InputError, IssuanceError, IssuerError, KeyOf, Misfit, ProfileError, RenewalError,
    RevocationError, SelectError, SourceFile, TrustStoreError,
};
use crate::store::CaName;
use crate::x509::name::NameError;
use crate::x509::path::IncompletePath;
use crate::x509::verify::Refusal;
use crate::x509::{Reason, Serial};
use keys::key_use_hint;
use places::{
    ENCRYPT_TRUST_STORE_ANEW, FIXTURE_STORE, RIGHT_PASSPHRASE, file_hint, is_into_store, ocsp_hint,
    passphrase_hint, repository_hint, store_hint,
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
        CaError::Ocsp(error) => Some(ocsp_hint(error).into()),
        CaError::TrustStore(error) => trust_store_hint(error),
        CaError::Export(error) => export_hint(error).map(Into::into),
        CaError::Select(error) => Some(select_hint(error)),
        CaError::Revocation(error) => revocation_hint(error),
        CaError::Renewal(error) => renewal_hint(error),
        CaError::Import(error) => import_hint(error),
        CaError::Defect(error) => Some(defect_hint(error).into()),
        CaError::Profile(error) => profile_hint(error),
        CaError::Repository(error) => Some(repository_hint(error)),
        CaError::Apply(ApplyError::OtherCas { .. }) => Some(
            "a CA can't change: restore its entry in the file, or give the new CA another name"
                .into(),
        ),
        CaError::Apply(ApplyError::RulesBroken { .. }) => None,
        CaError::Input { source, .. } => input_hint(source),
        CaError::WouldReplace { .. } => Some("use another file, or --force to replace it".into()),
        CaError::Entry { source, .. } => entry_hint(source),
        CaError::AfterCommit { remedy, .. } => remedy.as_ref().map(ToString::to_string),
        CaError::InPlace { .. } => {
            Some("run the command again, with --force if a file has to be replaced".into())
        }
    }
}

fn profile_hint(error: &ProfileError) -> Option<String> {
    Some(match error {
        ProfileError::NotFound { .. } => "`pki profile add FILE` adds profiles to the store".into(),
        ProfileError::Exists { .. } => {
            "replace it with --force, or give the new one another name".into()
        }
        ProfileError::Empty { .. } => "`pki profile --example` prints an example".into(),
        ProfileError::Broken { .. } => {
            "edit or remove the file; `pki check` names every problem in it".into()
        }
        ProfileError::Invalid { .. } | ProfileError::TooLarge => return None,
    })
}

fn issuer_hint(error: &IssuerError) -> Option<String> {
    Some(match error {
        IssuerError::KeyElsewhere { .. } => {
            "run the command on the machine with the key, or restore ca.key in the CA's directory"
                .into()
        }
        IssuerError::KeyOutside { .. } => {
            "use the tools of the token or service that has the key".into()
        }
        IssuerError::LeafPassphrase { .. } => {
            "give it with --passout, or use --no-passphrase".into()
        }
        IssuerError::KeyMismatch { uri: None, .. } => {
            "restore the key of ca.crt in the CA's directory".into()
        }
        IssuerError::KeyMismatch { uri: Some(uri), .. } => {
            format!(
                "another key is at {uri}: connect the right token, or restore the CA's key there"
            )
        }
        IssuerError::CaNotYetValid { .. } => {
            "check the clock, or wait until the CA's certificate is valid".into()
        }
        IssuerError::CaUnusable {
            to_renew: Some(ca), ..
        }
        | IssuerError::RevokedCa {
            to_renew: Some(ca), ..
        } => {
            format!("renew it: `pki ca renew --ca {ca}`")
        }
        IssuerError::RevokedCa { to_renew: None, .. } => {
            "issue from another CA; `pki ca rekey --ca NAME --name NEW` creates one with a new key"
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
            KeyOf::Request => "make a CSR with a new key".into(),
            KeyOf::Ca(ca) => new_key_for(ca),
        },
        IssuanceError::Nameless => "give a name with --cn, --subject or --san".into(),
        IssuanceError::NeedsAlternativeName { .. } => "give it with --san".into(),
        IssuanceError::TooManyNames { .. } => {
            "issue several certificates, each with some of the SANs".into()
        }
        IssuanceError::Validity { .. } => {
            "choose other times with --days, --not-before or --not-after".into()
        }
        IssuanceError::SubjectOfCa { .. } => "use another subject: --cn or --subject".into(),
        IssuanceError::OtherName { kind, profile } => {
            format!(
                "add \"{kind}\" to other_names of profile {profile}, or use a profile that has it"
            )
        }
        IssuanceError::ProfileSubject { .. } => "give one with --cn".into(),
        IssuanceError::ProfileKeyUsage { .. } => {
            "use another --key-type, or remove it from key_usage of the profile".into()
        }
        IssuanceError::ProfileDays { most, .. } => format!("use --days {most} or less"),
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
            "remove --cn, --subject, --key-type and the URLs to get the same CSR again, or choose another name".into()
        }
        AuthorityError::Misfit { ca, source, .. } => return misfit_hint(ca, source),
        AuthorityError::PathLength { ca, allowed, .. } => {
            let most = allowed.checked_sub(1)?;
            format!("use --path-len {most} or less, or another parent than {ca}")
        }
        AuthorityError::RevokedCa {
            reason: Reason::CertificateHold,
            ..
        } => "its parent CA can lift the hold: `pki revoke --ca NAME --serial S --release`".into(),
        AuthorityError::KeyOfOther { .. } => {
            "give the URI of a key that is not there yet; `pki ca renew` gives a CA another certificate".into()
        }
        AuthorityError::OtherKeyThere { .. } => {
            "give the URI of a key that is not there yet, or of the CA's own key".into()
        }
        AuthorityError::HasCasBelow { .. } => "remove those first".into(),
        AuthorityError::StillValid { ca, .. } => format!(
            "revoke its certificate first, if it has a parent CA, or keep {ca} until then"
        ),
        AuthorityError::RevokedCa { ca, .. } => new_key_for(ca),
        AuthorityError::NotARoot { .. } => {
            "a subordinate CA is trusted through its root; `pki bundle` writes the trust store".into()
        }
        AuthorityError::NameOfPredecessor { .. } => {
            "use another subject with --cn or --subject: verifiers that find issuers and CRLs by name would confuse the two".into()
        }
        AuthorityError::NoCrossCertificate { issuer, .. } => {
            format!("to cross-sign the roots: `pki ca cross-sign --ca {issuer} --with NAME`")
        }
    })
}

fn crl_hint(error: &CrlError) -> Option<String> {
    Some(match error {
        CrlError::PresignedOutdated { ca, .. } | CrlError::PresignedExpired { ca, .. } => {
            format!("sign new ones on the machine with the key: `pki crl --ca {ca} --ahead N --every 30d`")
        }
        CrlError::NextUpdate { .. } => "choose another time with --days or --next-update".into(),
        CrlError::LosesEntries { .. } => {
            "the store is older than the published CRL: restore the newest backup, or record them with `pki revoke`".into()
        }
        CrlError::NotPublished { ca, .. } => {
            format!("run `pki crl --ca {ca}` on the machine with its key")
        }
        CrlError::TooLarge { .. } => return None,
    })
}

fn trust_store_hint(error: &TrustStoreError) -> Option<String> {
    match error {
        TrustStoreError::Empty => Some(
            "create one with `pki root --name NAME`, or add certificates from files with --add"
                .into(),
        ),
        TrustStoreError::Incomplete(path) => path_hint(path),
        TrustStoreError::NotACa { .. } => {
            Some("a bundle contains only CA certificates; remove it".into())
        }
    }
}

fn export_hint(error: &ExportError) -> Option<&'static str> {
    match error {
        ExportError::FileName { .. } => {
            Some("give a file name of letters, digits, '.', '_', '@', '+' and '-' with --name")
        }
        ExportError::SecretName { .. } => {
            Some("give a name of at most 253 lowercase letters, digits, '.' and '-' with --name")
        }
        ExportError::KeyNeeded { .. } => Some(
            "the owner of the key can make it from the key and NAME.fullchain.pem; `pki export --ca NAME --key` exports a CA's key",
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
            "only its owner has it; `pki show --ca {ca} --serial S` shows the record, and `pki revoke` revokes it"
        ),
        SelectError::AmbiguousSerial { .. } => {
            "write 0x… for hexadecimal or dec:… for decimal".into()
        }
    }
}

fn revocation_hint(error: &RevocationError) -> Option<String> {
    Some(match error {
        RevocationError::NotOnRecord { ca, .. } => format!(
            "`pki list --ca {ca}` shows the record; `pki revoke --cert FILE` revokes a certificate that is not on record"
        ),
        RevocationError::NotIssuedBy {
            is_named: false, ..
        } => "remove --ca: the certificate identifies the CA".into(),
        RevocationError::IssuerNotFound { .. } => {
            "the certificate's issuer is not in the store; `pki tree` shows its CAs".into()
        }
        RevocationError::AnotherOnRecord { ca, serial, .. } => format!(
            "a CRL contains only serial numbers: `pki revoke --ca {ca} --serial 0x{serial}` revokes both certificates"
        ),
        RevocationError::OnlyAdopted { .. } => {
            "run the same command again: it revokes the certificate".into()
        }
        RevocationError::OwnCertificate { .. } => {
            "the parent CA revokes a CA; a root is removed from the trust stores".into()
        }
        RevocationError::SeveralLive { .. } => {
            "choose one with --serial, or all of them with --all".into()
        }
        RevocationError::InvalidityInFuture => {
            "use the time since which the key may be compromised".into()
        }
        RevocationError::NotIssuedBy { .. }
        | RevocationError::SerialUnusable { .. }
        | RevocationError::SignatureNotChecked { .. }
        | RevocationError::NotOnHold { .. } => return None,
    })
}

fn input_hint(error: &InputError) -> Option<String> {
    match error {
        InputError::Utf16 => Some("convert it: `iconv -f UTF-16 -t UTF-8 FILE`".into()),
        InputError::BareBase64 => {
            Some("decode it to DER with `base64 -d FILE`, or add the BEGIN and END lines".into())
        }
        InputError::Key(source) => {
            passphrase_hint(source, RIGHT_PASSPHRASE, ENCRYPT_TRUST_STORE_ANEW)
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
            "write csr_names = \"replace\", and give names with cn, subject and san".into()
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
            "use another out, or remove the link".into()
        }
        CaError::WouldReplace { .. } => "use another out or name, or --force to replace it".into(),
        error => return of(error),
    })
}

fn new_key_for(ca: &CaName) -> String {
    format!("create a new CA with a new key: `pki ca rekey --ca {ca} --name NAME`")
}

fn by_itself(ca: &CaName, serial: &Serial) -> String {
    format!("renew it alone: `pki renew --ca {ca} --serial 0x{serial} --out DIR --name NAME`")
}

fn renew_first(due: &[DueCa]) -> String {
    let command = |DueCa { ca, is_short }: &DueCa| {
        let days = if *is_short { " --days N" } else { "" };
        format!("`pki ca renew --ca {ca}{days}`")
    };
    let commands: Vec<String> = due.iter().map(command).collect();
    let longer = if due.iter().any(|due| due.is_short) {
        ", with N days that exceed that time"
    } else {
        ""
    };
    format!("first run {}{longer}", commands.join(", then "))
}

fn defect_hint(error: &DefectError) -> &'static str {
    match error {
        DefectError::NotHere { .. } => FIXTURE_STORE,
        DefectError::KeyElsewhere => "remove --csr to make the key here",
        DefectError::NoNames => "give the missing SANs with --san",
    }
}

fn renewal_hint(error: &RenewalError) -> Option<String> {
    Some(match error {
        RenewalError::NotALeaf { .. } => {
            "renew a CA's own certificate with `pki ca renew --ca NAME`".into()
        }
        RenewalError::ProfileNotFound { .. } => {
            "add it with `pki profile add FILE`, or name its file with --profiles".into()
        }
        RenewalError::Purposeless { ca, serial } => format!(
            "issue one with a purpose: `pki issue --ca {ca} --profile PROFILE`; `pki show --ca {ca} --serial 0x{serial}` shows the names"
        ),
        RenewalError::RevokedPredecessor {
            ca,
            serial,
            reason: Reason::CertificateHold,
        } => format!("`pki revoke --ca {ca} --serial 0x{serial} --release` lifts the hold"),
        RenewalError::Defective { .. } => "`pki issue` issues another certificate".into(),
        RenewalError::RevokedPredecessor { .. } => {
            "a revoked certificate can't be renewed; issue a new one with `pki issue`".into()
        }
        RenewalError::KeyOfRequest { ca, .. } => {
            format!(
                "make a CSR with the new key, and sign it with `pki issue --ca {ca} --csr FILE`"
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
            "install a certificate for the CSR that `pki subordinate --name {ca} --request FILE` writes"
        ),
        Misfit::OwnKey => format!(
            "install a certificate for the CSR that `pki ca renew --ca {ca} --request FILE` writes"
        ),
        Misfit::SubjectBytes | Misfit::KeyIdentifier => {
            "have it signed with the exact subject and key identifier of the CSR".into()
        }
        Misfit::Issuer { .. } => {
            "a CA can't change its parent; create a new CA with `pki subordinate`".into()
        }
        Misfit::Subject { .. } => {
            "have it signed with the subject of the CSR, or make a CSR with that subject under another name".into()
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
                "give the certificates of its issuing CAs, up to the root, with --chain".into()
            }
            _ => return None,
        },
        Misfit::Rules(_) => return None,
    })
}

fn import_hint(error: &ImportError) -> Option<String> {
    Some(match error {
        ImportError::Missing { what, .. } => format!(
            "name the directory that has it, or the file with {}",
            option_of(*what)
        ),
        ImportError::Several { what, .. } => {
            format!("choose one with {}", option_of(*what))
        }
        ImportError::KeyDoesNotFit { .. } => "give the matching ones with --cert, and --key or --key-uri".into(),
        ImportError::AlreadyHere { ca } => format!("`pki show --ca {ca}` shows it"),
        ImportError::HereWithoutKey { ca } => format!("--name {ca} gives it its key"),
        ImportError::NumbersUsedUp { .. } => {
            "create a new CA: this one can't issue another distinct certificate".into()
        }
        ImportError::SignatureNotChecked { .. } => {
            "sign the certificate again with the same key, as in `openssl x509 -in OLD -key KEY -sha256 -out NEW`, and give it with --cert".into()
        }
        ImportError::NoFolder { .. } => {
            "name the directory of the CA to import".into()
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
            "add that certificate of {issuer} with --add, or have {issuer} reissue the certificate below it"
        )),
        IncompletePath::Rootless { .. } => {
            Some("add the certificate of the root CA with --add".into())
        }
        IncompletePath::Unverifiable { .. }
        | IncompletePath::BrokenExtension { .. }
        | IncompletePath::TooManyKeys { .. }
        | IncompletePath::TooManyNamesakes { .. }
        | IncompletePath::TooLong { .. } => None,
    }
}

/// Hint for a CSR with a SAN that is not issued.
pub(in crate::cli) const REPLACE_CSR_NAMES: &str = "use --csr-names replace with names of your own, as in --csr-names replace --san www.example.test";
