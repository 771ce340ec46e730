//! CAs: created, requested and signed by CSR, installed, renewed, rekeyed, cross-signed, removed; their keys moved out.

mod create;
mod cross_sign;
mod csr;
pub(crate) mod error;
mod install;
mod move_key;
mod previous;
mod rekey;
mod remove;
mod renew;
mod sign_csr;

pub(crate) use create::{NewCa, create_fixture_root, create_root, create_subordinate};
pub(crate) use create::{ca_extensions, path_length_under};
pub(crate) use cross_sign::{CrossCertificate, cross_certificate, cross_certify};
pub(crate) use csr::{NewRequest, request_ca};
pub(crate) use install::{Above, above, are_of_one_ca, path_above};
pub(crate) use install::{Installed, install_ca};
pub(crate) use move_key::{Moved, move_key};
pub(crate) use previous::NamingPrevious;
pub(crate) use previous::{is_revoked, standing_certificates};
pub(crate) use rekey::Succession;
pub(crate) use remove::{check_removable, remove_ca, remove_pending_ca};
pub(crate) use renew::{
    RenewedCa, install_renewed, last_end, renew_ca, request_renewal, valid_of_key,
};
pub(crate) use sign_csr::{CaRequest, certify_ca};
