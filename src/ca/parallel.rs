//! Work on all cores.

use rayon::ThreadPoolBuilder;
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

/// Same as [`on_all_cores`], on so many threads: they wait for answers.
pub(crate) fn on_threads<T: Send, U: Send>(
    count: usize,
    items: Vec<T>,
    each: impl Fn(T) -> U + Send + Sync,
) -> Vec<U> {
    let pool = ThreadPoolBuilder::new().num_threads(count).build();
    match pool {
        Ok(pool) => pool.install(|| items.into_par_iter().map(each).collect()),
        Err(_) => on_all_cores(items, each),
    }
}
