//! Work on all cores.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Maps many items, in their order; few are not worth another thread.
pub(crate) fn on_all_cores<T: Send, U: Send>(
    items: Vec<T>,
    each: impl Fn(T) -> U + Send + Sync,
) -> Vec<U> {
    const FEW: usize = 8;
    if items.len() <= FEW {
        return items.into_iter().map(each).collect();
    }
    items.into_par_iter().map(each).collect()
}
