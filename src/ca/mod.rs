//! Use cases of a CA. The clock and the passphrases are handed in.

mod apply;
mod authority;
mod by_time;
mod check;
mod crl;
mod error;
mod export;
mod file_name;
mod finding;
mod fixture;
mod foreign;
mod import;
mod issuance;
mod line_starts;
mod notice;
mod numbers;
mod ocsp;
mod outside_key;
mod owner;
mod parallel;
mod passphrase_change;
mod passphrases;
mod pkcs12;
mod profiles;
mod remedy;
mod renewal;
mod repository;
mod revocable;
mod revocation;
mod schema;
mod select;
mod session;
mod trust_store;
mod verify;

pub(crate) use apply::error::ApplyError;
pub(crate) use apply::{
    Action, Application, Declaration, Entry, EntryFiles, Kind, Secrets, Step, WishedBundle,
    WishedCa, WishedCrl,
};
pub(crate) use authority::error::{AuthorityError, Misfit};
pub(crate) use authority::{
    CaRequest, CrossCertificate, Installed, Moved, NamingPrevious, NewCa, NewRequest, RenewedCa,
    Succession, certify_ca, check_removable, create_fixture_root, create_root, create_subordinate,
    cross_certificate, cross_certify, install_ca, install_renewed, last_end, move_key, remove_ca,
    remove_pending_ca, renew_ca, request_ca, request_renewal, valid_of_key,
};
pub(crate) use by_time::ByTime;
pub(crate) use check::{
    CheckRequest, Checkup, Repair, Repaired, StoreFinding, bytes_to_check, check, repair,
};
pub(crate) use crl::error::CrlError;
pub(crate) use crl::{
    AheadRequest, CrlRequest, Dating, Freshness, Origin, Place, Published, above_no_other,
    cas_read, chains_below, check_crl, foreign_crl, has_hash_names, judge_foreign_crl,
    judge_published, preview_crls, publish_chain, publish_crl, publish_hash_names, publish_pem,
    refuse_other_files, refuse_other_files_early, sign_ahead, write_foreign_crl,
};
pub(crate) use error::CaError;
pub(crate) use export::error::ExportError;
pub(crate) use export::{
    Destination, ExportFolder, ExportPlace, Exported, FileKind, GroupExport, KeyOutput, OpenExport,
    OpenFile, Strength, check_for_java, new_csr,
};
pub(crate) use file_name::{file_name, safe_file_name};
pub(crate) use finding::{Level, RuleFinding};
pub(crate) use fixture::{Defect, DefectError, issue_defective};
pub(crate) use foreign::error::InputError;
pub(crate) use foreign::{
    ForeignObject, Input, Size, UnreadCertificate, certificates_in, crls_in, read_certificates,
    request_in, responses_in,
};
pub(crate) use import::{
    ImportError, ImportOutcome, ImportRequest, Imported, KeyProtection, Layout, OldCrl, Source,
    SourceFile, Tally, import,
};
pub(crate) use issuance::error::{IssuanceError, IssuerError};
pub(crate) use issuance::{
    Batch, CsrNames, DryRun, End, Issued, Issuer, KeySource, LeafRequest, Lifetime, Purpose,
    RowOutcome, TableRow, cost_of, is_compromised, issue, last_batch, new_batch,
};
pub(crate) use line_starts::LineStarts;
pub(crate) use notice::{CrlNotice, Notice, RenewalNotice};
pub(crate) use numbers::plural;
pub(crate) use ocsp::error::OcspError;
pub(crate) use ocsp::{
    OcspRequest, PublishedResponses, ResponseState, ResponsesCheck, SignerChoice, SingleCheck,
    SingleResponse, check_responses, check_single, is_answered_for, publish_responses,
    publish_single, write_index,
};
pub(crate) use owner::KeyOf;
pub(crate) use parallel::on_all_cores;
pub(crate) use passphrase_change::{change_passphrase, change_passphrase_of_file, key_file_of};
pub(crate) use passphrases::error::{KeyUseError, Secret};
pub(crate) use passphrases::{Passphrases, ProtectedKey, Unlocked, passphrase_for, protection_for};
pub(crate) use pkcs12::{Pkcs12File, certificate_file, is_pkcs12, open_pkcs12};
pub(crate) use profiles::error::{PlacedProblem, ProfileError};
pub(crate) use profiles::{
    Addition, CustomProfile, LeafProfile, ProfileTable, Profiles, add_profiles,
};
pub(crate) use remedy::Remedy;
pub(crate) use renewal::{
    DueCa, Expiring, Lineage, Predecessor, Renewal, RenewalError, Successors, expiring, renew,
    supersede,
};
pub(crate) use repository::error::RepositoryError;
pub(crate) use repository::{
    FetchError, Fetched, FileType, Replacement, Repository, RepositoryFile, RepositoryRequest,
    check_repository, repository, url_path, write_repository,
};
pub(crate) use revocation::error::RevocationError;
pub(crate) use revocation::{
    Outcome, Revocable, RowVerdict, Target, Verdict, find_all, issuing_ca, revoke, revoke_all,
};
pub(crate) use schema::named;
pub(crate) use select::error::SelectError;
pub(crate) use select::{Selector, Status, certificate_of, select_one};
pub(crate) use session::Session;
pub(crate) use trust_store::error::TrustStoreError;
pub(crate) use trust_store::targets::{
    BundleFinding, CrlForm, Foreign, Form, Grammar, PARTIES, RelyingParty, party,
};
pub(crate) use trust_store::{Bundle, BundleRequest, Changes, bundle, only_cas, write_bundle};
pub(crate) use verify::{Checked, CheckedBy, Judgement, VerifyRequest, verify};

#[cfg(test)]
mod testing;
