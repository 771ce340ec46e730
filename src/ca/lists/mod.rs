//! Revocation lists: made of what is recorded, signed, and published in one step; now, or ahead of
//! the time for which they are.

mod ahead;
mod chain;
mod check;
mod convert;
mod entries;
mod place;
mod publish;
mod published;
mod sign;

pub use ahead::{Ahead, AheadRequest, sign_ahead};
pub use chain::{chains_below, publish_chain};
pub use check::{Freshness, check_list};
pub use convert::{foreign_list, write_foreign_list};
pub use place::Place;
pub use publish::{ListRequest, Origin, Published, publish_list};
