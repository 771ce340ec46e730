//! CAs: created, requested and signed by CSR, installed, renewed, rekeyed, cross-signed.

mod create;
mod cross_sign;
mod csr;
pub(crate) mod error;
mod install;
mod previous;
mod rekey;
mod renew;
mod sign_csr;

pub use create::{NewCa, create_fixture_root, create_root, create_subordinate};
pub(crate) use create::{ca_extensions, path_length_under};
pub use cross_sign::{CrossCertificate, cross_certificate, cross_certify};
pub use csr::{NewRequest, request_ca};
pub(crate) use install::{Above, above, are_of_one_ca, path_above};
pub use install::{Installed, install_ca};
pub use previous::NamingPrevious;
pub(crate) use previous::standing_certificates;
pub use rekey::Succession;
pub use renew::{RenewedCa, install_renewed, last_end, renew_ca, request_renewal, valid_of_key};
pub use sign_csr::{CaRequest, certify_ca};
