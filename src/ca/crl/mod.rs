//! Revocation lists: made of what is recorded, signed, and published in one step; now, or ahead of
//! the time for which they are.

mod chain;
mod check;
mod convert;
mod entries;
mod hash_names;
mod obstacles;
mod place;
mod presigned;
mod publish;
mod published;
mod recover;
mod sign;
mod target;

pub(crate) use chain::published;
pub use chain::{chains_below, holds_chain, publish_chain, publish_pem};
pub use check::{Freshness, check_list};
pub use convert::{foreign_list, judge_foreign_list, write_foreign_list};
pub(crate) use hash_names::holds_hash_names;
pub use hash_names::{has_hash_names, publish_hash_names};
pub use obstacles::refuse_other_files;
pub use place::Place;
pub use presigned::{Ahead, AheadRequest, sign_ahead};
pub(crate) use publish::stands_durably;
pub use publish::{ListRequest, Origin, Outlook, Published, outlook, publish_list};
pub(crate) use published::holds_as_pem;
pub use sign::Dating;
pub(crate) use sign::is_in_future;
pub use target::{Preview, above_no_other, cas_read, judge_published, preview_lists};
