//! The store: a directory with the CAs, what they issued, and what they revoked.
//!
//! Promises: a serial number is reserved durably before it is used and never again; a
//! record is durable when the call that makes it returns; damage is reported and never
//! taken for a new store. Readers take no lock.
//!
//! # Format
//! * 1: `store.json`; per CA `ca.json`, `ca.crt`, `ca.key`, `serial`, `crlnumber`,
//!   `issued.jsonl`, `revoked.jsonl`, `crls.jsonl`, `keys/`, `lock`; published CRLs in `crl/`;
//!   per pending CA a directory `.waiting-NAME`, and per CA whose certificate was
//!   renewed a directory `previous` in its own; `profiles.toml` if profiles were added.
//! * 2: lines of `issued.jsonl` may lack `der`. A store gets format 2 when a CA is imported without some of
//!   its certificates.
//! * 3: `fixture` in `store.json`, and `flaw` in lines of `issued.jsonl`. A store has format 3 from the
//!   beginning or never.
//! * 4: removed CAs, and generations of keys.
//! * 5: `key_uri` in `ca.json`. A store gets format 5 with its first CA whose key is outside the store.

mod addition;
mod address;
mod archive;
mod authorities;
mod backup;
mod ca;
mod compromises;
mod counter;
mod database;
mod error;
pub(crate) mod file;
mod format;
mod handle;
mod history;
mod inspection;
mod inventory;
mod issuances;
mod issuing;
mod journal;
mod kind;
mod layout;
mod location;
mod lock;
mod log;
mod material;
mod moved_key;
mod name;
mod new_keys;
mod notice;
mod operator;
mod output;
mod pending;
mod place;
mod previous;
mod profiles;
mod record;
mod removal;
mod repair;
mod replacement;
mod restore;
mod revocations;
mod serial_filter;
mod staging;
mod standing;
mod transfer;

pub(crate) use addition::Uninstalled;
pub(crate) use address::Address;
pub(crate) use archive::BackupError;
pub(crate) use backup::{BackedUp, Snapshot};
pub(crate) use ca::Ca;
pub(crate) use database::DatabaseUrl;
pub(crate) use error::{FileError, Found, StoreError};
pub(crate) use handle::Store;
pub(crate) use history::{ForeignCrl, History};
pub(crate) use inspection::SeenCa;
pub(crate) use inventory::{Item, What};
pub(crate) use issuances::RenewalMark;
pub(crate) use issuing::{LeafKeys, LockedBatches, LockedCa};
pub(crate) use journal::LineProblem;
pub(crate) use kind::{Counter, Journal};
pub(crate) use layout::Leftover;
pub(crate) use location::Location;
pub(crate) use log::{Event, Log, LogEntry};
pub(crate) use material::Material;
pub(crate) use name::{CaName, is_device_name};
pub(crate) use new_keys::ChangedKeys;
pub(crate) use notice::Notice;
pub(crate) use operator::Operator;
pub(crate) use pending::{Installation, PendingCa};
pub(crate) use record::{
    BatchId, BatchRow, BriefIssuance, CaRecord, Change, Coverage, EntryId, Issuance, Revoked,
    SignedCrl, TableId, WishId,
};
pub(crate) use repair::StoreRepair;
pub(crate) use replacement::Replaced;
pub(crate) use restore::{RestoreError, Restored};
pub(crate) use revocations::{LockedCrls, LockedRevocations};
pub(crate) use staging::{ReservedCa, Unfinished};
pub(crate) use standing::{RevocationChange, Standing};
pub(crate) use transfer::LocalCopy;
