//! Revocation lists: made of what is recorded, signed, and published in one step; now, or ahead of
//! the time for which they are.

mod ahead;
mod chain;
mod check;
mod convert;
mod entries;
mod hashed;
mod obstacles;
mod place;
mod publish;
mod published;
mod recover;
mod sign;
mod target;

pub use ahead::{Ahead, AheadRequest, sign_ahead};
pub(in crate::ca) use chain::published;
pub use chain::{chains_below, holds_chain, publish_chain, publish_pem};
pub use check::{Freshness, check_list};
pub use convert::{foreign_list, judge_foreign_list, write_foreign_list};
pub(in crate::ca) use hashed::holds_hash_names;
pub use hashed::{has_hash_names, publish_hash_names};
pub use obstacles::refuse_other_files;
pub use place::Place;
pub(super) use publish::stands_durably;
pub use publish::{ListRequest, Origin, Outlook, Published, outlook, publish_list};
pub(in crate::ca) use published::holds_as_pem;
pub use sign::Dating;
pub(in crate::ca) use sign::is_in_future;
pub use target::{Preview, above_no_other, cas_read, judge_published, preview_lists};
