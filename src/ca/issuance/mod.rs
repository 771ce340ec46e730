//! Issuing: from a draft that passed lint to a certificate that is recorded.

mod asked;
mod batch;
mod compromised;
mod draft;
pub(crate) mod error;
mod issue;
mod issuer;
mod leaf;
mod lifetime;
mod standing;
mod subjects;

pub(crate) use asked::check_names;
pub(crate) use batch::{Batch, DryRun, RowOutcome, TableRow, cost_of, last_batch, new_batch};
pub(crate) use compromised::is_compromised;
pub(crate) use compromised::{CompromisedKeys, certified_too, key_of, refuse_compromised_cas};
pub(crate) use draft::{Content, Draft};
pub(crate) use draft::{Intended, kind_of};
pub(crate) use issue::{References, Steps, self_issue};
pub(crate) use issuer::{Issuer, open_leaf_key};
pub(crate) use leaf::{CsrNames, Issued, KeySource, LeafRequest, issue};
pub(crate) use leaf::{
    InPlaceOf, Signer, check_key_usage, check_length, content, issue_draft, issue_signed_by,
    leaf_extensions, may_be_certified, pointers,
};
pub(crate) use lifetime::compare;
pub(crate) use lifetime::{End, Lifetime};
pub(crate) use standing::{Purpose, check_standing};
pub(crate) use subjects::refuse_taken_subject;
