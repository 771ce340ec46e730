//! CRLs: signed, now or ahead of the time for which they are, and published.

mod chain;
mod check;
mod convert;
mod entries;
pub(crate) mod error;
mod hash_names;
mod issue;
mod obstacles;
mod output;
mod place;
mod presigned;
mod publish;
mod published;
mod recover;
mod request;
mod state;
mod target;
mod times;

pub(crate) use chain::published;
pub(crate) use chain::{chains_below, publish_chain, publish_pem};
pub(crate) use check::{Freshness, check_crl, published_crl};
pub(crate) use convert::{foreign_crl, judge_foreign_crl, write_foreign_crl};
pub(crate) use hash_names::holds_hash_names;
pub(crate) use hash_names::{has_hash_names, publish_hash_names};
pub(crate) use obstacles::{refuse_other_files, refuse_other_files_early};
pub(crate) use place::Place;
pub(crate) use presigned::Ahead;
pub(crate) use publish::stands_durably;
pub(crate) use publish::{Outlook, outlook, publish_crl, sign_ahead};
pub(crate) use published::{PublishedCrl, holds_as_pem, is_crl_of};
pub(crate) use request::{AheadRequest, CrlRequest, Origin, Published};
pub(crate) use target::{above_no_other, cas_read, judge_published, preview_crls};
pub(crate) use times::Dating;
pub(crate) use times::is_in_future;

#[cfg(test)]
mod tests;
