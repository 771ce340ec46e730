//! Limit of the work that a key file of another program may ask for.

use super::KeyError;

/// Largest iteration count of a key derivation function that is run: some seconds of work.
const MOST_ITERATIONS: u32 = 10_000_000;

/// Refuses an iteration count over [`MOST_ITERATIONS`].
pub(super) fn limit_iterations(count: impl Into<u64>) -> Result<(), KeyError> {
    let count = count.into();
    if count > u64::from(MOST_ITERATIONS) {
        return Err(KeyError::Encryption {
            reason: format!("an iteration count of {count} is too high"),
        });
    }
    Ok(())
}
