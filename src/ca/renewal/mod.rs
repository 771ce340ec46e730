//! Renewal of leaf certificates, and the certificates that expire soon.

mod error;
mod expiring;
mod lineage;
mod renew;

pub use error::{DueCa, RenewalError};
pub use expiring::{Expiring, expiring};
pub use lineage::{Lineage, Successors};
pub(crate) use renew::kind_of;
pub use renew::{Predecessor, Renewal, renew, supersede};
