//! What `pki` refuses: each with its exact words and exit code, and a store
//! that is the same to the byte afterwards.

mod bundles;
mod constraints;
mod files;
mod issuers_names;
mod keys;
mod names;
mod requests;
mod unrecorded;
mod validity;

/// A test per refusal: `name: "arguments" => exit code, "stderr";`, run in the
/// sandbox that `$sandbox` makes.
macro_rules! refusals {
    ($sandbox:expr; $($name:ident: $line:literal => $status:literal, $stderr:literal;)+) => {
        $(#[test]
        fn $name() {
            let sandbox = $sandbox;
            sandbox.refused(sandbox.pki($line), $status, $stderr);
        })+
    };
}
use refusals;
