//! A private certificate authority: the library under the `pki` command.
//!
//! Every module knows only those below it; `tests/suite/architecture.rs` holds them to that.
//!
//! * [`cli`]: options, passphrases, reports, errors and exit codes. The only one that prints, prompts
//!   or looks at the clock.
//! * [`ca`]: the use cases. One way to a signing key, one order of steps.
//! * [`store`]: the folder with the CAs and what they issued. Every write to a file is in
//!   [`store::file`].
//! * [`x509`]: names, extensions, certificates, and the rules that they are held to.
//! * [`key`]: keys, their encryption, signatures.
//! * [`asn1`], [`pem`]: the encodings.
//!
//! docs/architecture.md says which of them keeps which promise. Only [`cli::main`], the description of the
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
