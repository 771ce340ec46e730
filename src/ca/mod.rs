//! The use cases: what can be done with a CA. The clock and the passphrases are handed in.

mod alias;
mod apply;
mod authority;
mod batch;
mod bundle;
mod certify;
mod check;
mod compromised;
mod cross;
mod draft;
mod error;
mod expiring;
mod export;
mod finding;
mod flaw;
mod foreign;
mod import;
mod install;
mod issue;
mod issuer;
mod kubernetes;
mod lifetime;
mod lineage;
mod lists;
mod notice;
mod owner;
mod parallel;
mod passphrases;
mod preflight;
mod previous;
mod renew;
mod renewal;
mod request;
mod revoke;
mod rollover;
mod select;
mod subjects;
mod succession;
mod verify;

pub use crate::x509::lint::Findings;
pub use apply::{
    Action, Application, Declaration, Entry, EntryFiles, Kind, Secrets, Step, WishedBundle,
    WishedCa, WishedList,
};
pub use authority::{NewCa, create_fixture_root, create_root, create_subordinate};
pub use batch::{Batch, DryRun, RowOutcome, TableRow, cost_of, last_batch, new_batch};
pub use bundle::{Bundle, BundleRequest, Changes, PlacedFile, bundle, write_bundle};
pub use certify::{CaRequest, certify_ca};
pub use check::{
    CHECK_RULES, CheckRequest, CheckRule, Checkup, Repair, Repaired, StoreFinding, check,
    octets_to_check, repair,
};
pub use compromised::is_compromised;
pub use cross::{CrossCertificate, cross_certificate, cross_certify};
pub use draft::{Content, Draft};
pub use error::{CaError, InputError, Misfit};
pub use expiring::{Expiring, expiring};
pub use export::{
    Destination, ExportFolder, ExportPlace, Exported, FileKind, GroupExport, KeyOutput, OpenExport,
    OpenFile, Strength,
};
pub use finding::{Level, RuleFinding};
pub use flaw::{Flaw, FlawError, UnknownFlaw, issue_flawed};
pub use foreign::{
    ForeignObject, Input, Size, UnreadCertificate, certificates_in, each_certificate_in, lists_in,
    read_certificates, request_in,
};
pub use import::{
    ImportError, ImportOutcome, ImportRequest, Imported, KeyProtection, Layout, OldList, Source,
    Tally, import,
};
pub use install::{Installed, install_ca};
pub use issue::{CsrNames, Issued, KeySource, LeafRequest, issue};
pub use issuer::{Issuer, Purpose};
pub use kubernetes::secret_name;
pub use lifetime::{End, Lifetime};
pub use lineage::{Lineage, Successors};
pub use lists::{
    Ahead, AheadRequest, Dating, Freshness, ListRequest, Origin, Place, Preview, Published,
    above_no_other, cas_read, chains_below, check_list, foreign_list, has_hash_names,
    judge_foreign_list, judge_published, preview_lists, publish_chain, publish_hash_names,
    publish_list, publish_pem, refuse_other_files, sign_ahead, write_foreign_list,
};
pub use notice::{Notice, RenewalNotice};
pub use owner::KeyOf;
pub use parallel::on_all_cores;
pub use passphrases::{
    Passphrases, ProtectedKey, Unlocked, check_for_java, passphrase_for, protection_for,
};
pub use preflight::{
    BundleFinding, Foreign, Form, Grammar, Hash, JudgedList, Key, Limit, ListForm, ListLimit,
    ListRules, PARTIES, RelyingParty, VerifyDepth, holds_for_lists, party,
};
pub use previous::NamingPrevious;
pub use renew::{Predecessor, Renewal, renew, supersede};
pub use renewal::{DueCa, RenewalError};
pub use request::{NewRequest, request_ca};
pub use revoke::{
    Outcome, Outcomes, Revocable, RowVerdict, Target, Verdict, find_all, issuing_ca, revoke,
    revoke_all,
};
pub use rollover::{RenewedCa, install_renewed, last_end, renew_ca, request_renewal, valid_of_key};
pub use select::{Selector, Status, certificate_of, select_one};
pub use succession::Succession;
pub use verify::{Checked, CheckedBy, Judgement, VerifyRequest, verify};
