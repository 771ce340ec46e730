//! Commands that `pki` refuses: each with its exit code, error code and text, and a store that is the same to the
//! byte afterwards.

mod bundles;
mod constraints;
mod files;
mod issuers_names;
mod keys;
mod names;
mod requests;
mod unrecorded;
mod validity;

/// A test per refusal: `name: "arguments" => exit code, "error code", expect!["stderr"];`, run in the
/// sandbox that `$sandbox` makes.
macro_rules! refusals {
    ($sandbox:expr; $($name:ident: $line:literal => $status:literal, $code:literal, $said:expr;)+) => {
        $(#[test]
        fn $name() {
            let sandbox = $sandbox;
            sandbox.refused(sandbox.pki($line), $status, $code, $said);
        })+

        crate::engine::soak_in_a_database! { $($name,)+ }
    };
}
use refusals;
