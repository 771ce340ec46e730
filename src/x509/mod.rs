//! X.509 certificates, CSRs and CRLs (RFC 5280): no input or output, no clock.

#![allow(missing_docs)]

pub(crate) mod attribute;
pub(crate) mod certificate;
pub(crate) mod comparison;
pub(crate) mod constraints;
pub(crate) mod crl;
pub(crate) mod extension;
pub(crate) mod general_name;
pub(crate) mod lint;
pub(crate) mod name;
mod name_hash;
mod objects;
pub(crate) mod ocsp;
pub(crate) mod path;
pub(crate) mod profile;
mod recorded_profile;
pub(crate) mod request;
pub(crate) mod revocation;
pub(crate) mod serial;
pub(crate) mod signed;
pub(crate) mod signed_data;
pub(crate) mod text;
pub(crate) mod validity;
pub(crate) mod verify;

pub(crate) use certificate::{Certificate, Fingerprint, TbsCertificate, Unnumbered};
pub(crate) use constraints::{NameConstraints, Subtree};
pub(crate) use crl::Crl;
pub(crate) use extension::Extension;
pub(crate) use general_name::GeneralName;
pub(crate) use name::Name;
pub(crate) use objects::{
    NoObjects, OCSP_RESPONSE_LABEL, is_certificate_label, is_signed_data_label, objects,
};
pub(crate) use profile::Profile;
pub(crate) use recorded_profile::RecordedProfile;
pub(crate) use request::CertificationRequest;
pub(crate) use revocation::Reason;
pub(crate) use serial::Serial;
pub(crate) use validity::Validity;
