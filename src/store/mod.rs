//! The store: a directory with the CAs, what they issued, and what they revoked.
//!
//! What it promises: a serial number is reserved durably before it is used and never again; a
//! record is durable when the call that makes it returns; what is damaged is reported and never
//! taken for new. Readers take no lock.
//!
//! # Format
//! * 1: `store.json`; per CA `ca.json`, `ca.crt`, `ca.key`, `serial`, `crlnumber`,
//!   `issued.jsonl`, `revoked.jsonl`, `crls.jsonl`, `keys/`, `lock`; published CRLs in `crl/`;
//!   per CA that waits for its certificate a directory `.waiting-NAME`, and per CA whose certificate was
//!   renewed a directory `previous` in its own.
//! * 2: lines of `issued.jsonl` may lack `der`. A store becomes one of format 2 when a CA comes into it
//!   of which certificates are missing, and is one of format 1 until then.
//! * 3: `fixture` in `store.json`, and `flaw` in lines of `issued.jsonl`. A store has format 3 from its
//!   beginning, where it is made as a fixture store, or never.

mod addition;
mod archive;
mod authorities;
mod backup;
mod ca;
mod counter;
mod error;
pub mod file;
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
mod material;
mod name;
mod notice;
mod output;
mod pending;
mod previous;
mod record;
mod repair;
mod replacement;
mod restore;
mod revocations;
mod serial_filter;
mod staging;
mod standing;

pub use addition::Uninstalled;
pub use archive::BackupError;
pub use backup::{BackedUp, Snapshot};
pub use ca::Ca;
pub use error::{FileError, StoreError};
pub use handle::Store;
pub use history::{ForeignCrl, History};
pub use inspection::SeenCa;
pub use inventory::{Item, What};
pub use issuances::Issuances;
pub use issuing::{LeafKeys, LockedBatches, LockedCa};
pub use journal::LineProblem;
pub use kind::{Counter, Journal};
pub use layout::Leftover;
pub use location::Location;
pub use material::Material;
pub use name::{CaName, is_device_name};
pub use notice::{Notice, Observer};
pub use pending::{Installation, PendingCa};
pub use record::{
    BatchId, BatchRow, BriefIssuance, CaRecord, Coverage, EntryId, Issuance, Revoked, SignedCrl,
    TableId, WishId,
};
pub use repair::StoreRepair;
pub use replacement::Replaced;
pub use restore::{RestoreError, Restored};
pub use revocations::{LockedCrls, LockedRevocations};
pub use staging::{ReservedCa, Unfinished};
pub use standing::{RevocationChange, Standing};
