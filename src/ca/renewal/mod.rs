//! Renewal of leaf certificates, and the certificates that expire soon.

mod error;
mod expiring;
mod lineage;
mod renew;

pub(crate) use error::{DueCa, RenewalError};
pub(crate) use expiring::{Expiring, expiring};
pub(crate) use lineage::{Lineage, Successors};
pub(crate) use renew::{Predecessor, Renewal, renew, supersede};
