//! X.509 certificates, CSRs and CRLs (RFC 5280): no input or output, no clock.

#![allow(missing_docs)]

pub mod attribute;
pub mod certificate;
pub mod comparison;
pub mod constraints;
pub mod crl;
pub mod extension;
pub mod general_name;
pub mod lint;
pub mod name;
mod name_hash;
mod objects;
pub mod path;
pub mod profile;
mod recorded_profile;
pub mod request;
pub mod revocation;
pub mod serial;
pub mod signed;
pub mod signed_data;
pub mod text;
pub mod validity;
pub mod verify;

pub use certificate::{Certificate, Fingerprint, TbsCertificate, Unnumbered};
pub use constraints::{NameConstraints, Subtree};
pub use crl::Crl;
pub use extension::Extension;
pub use general_name::GeneralName;
pub use name::Name;
pub use objects::{NoObjects, is_certificate_label, is_signed_data_label, objects};
pub use profile::Profile;
pub use recorded_profile::RecordedProfile;
pub use request::CertificationRequest;
pub use revocation::Reason;
pub use serial::Serial;
pub use validity::Validity;
