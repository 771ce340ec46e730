//! Issuing: from a draft that passed lint to a certificate that is recorded.

mod batch;
mod compromised;
mod draft;
mod issuer;
mod leaf;
mod lifetime;

pub use batch::{Batch, DryRun, RowOutcome, TableRow, cost_of, last_batch, new_batch};
pub use compromised::is_compromised;
pub(crate) use compromised::{CompromisedKeys, certified_too, key_of, refuse_compromised_cas};
pub use draft::{Content, Draft};
pub use issuer::{Issuer, Purpose};
pub use leaf::{CsrNames, Issued, KeySource, LeafRequest, issue};
pub(crate) use leaf::{
    DEFAULT_VALIDITY, InPlaceOf, content, issue_draft, issue_signed, leaf_extensions,
    may_be_certified, pointers, random_u64,
};
pub(crate) use lifetime::compare;
pub use lifetime::{End, Lifetime};
