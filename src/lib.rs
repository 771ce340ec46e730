//! A private certificate authority: the library under the `pki` command.
//!
//! A module imports only those below it; `tests/suite/architecture.rs` checks this.
//!
//! * [`cli`]: options, passphrases, reports, errors and exit codes. The only module that prints, prompts
//!   or reads the clock.
//! * [`ca`]: the use cases. One way to a signing key, one order of steps.
//! * [`store`]: the directory with the CAs and what they issued. Every write to a file is in
//!   [`store::file`].
//! * [`x509`]: names, extensions, certificates, and lint.
//! * [`key`]: keys, their encryption, signatures.
//! * [`asn1`], [`pem`]: the encodings.
//!
//! docs/architecture.md says which module keeps which promise. Only [`cli::main`], the description of the
//! command line and `fuzzing` are public.

#![warn(unreachable_pub)]

mod asn1;
mod ca;
pub mod cli;
#[doc(hidden)]
pub mod fuzzing;
mod key;
mod pem;
mod store;
mod x509;
