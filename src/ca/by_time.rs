//! Records of several journals, merged by time.

use time::OffsetDateTime;

/// Iterators merged by time, each item with the number of its iterator. Within one the order stays, also if its
/// times go back.
pub(crate) struct ByTime<I: Iterator, F> {
    sources: Vec<Source<I>>,
    time_of: F,
}

struct Source<I: Iterator> {
    items: I,
    next: Option<I::Item>,
    time: OffsetDateTime,
}

impl<T, E, I, F> ByTime<I, F>
where
    I: Iterator<Item = Result<T, E>>,
    F: Fn(&T) -> OffsetDateTime,
{
    /// Merges iterators; `time_of` returns the time of an item.
    pub(crate) fn new(iterators: impl IntoIterator<Item = I>, time_of: F) -> Self {
        let sources = iterators.into_iter().map(|items| {
            let mut source = Source {
                items,
                next: None,
                time: OffsetDateTime::UNIX_EPOCH,
            };
            source.advance(&time_of);
            source
        });
        Self {
            sources: sources.collect(),
            time_of,
        }
    }
}

impl<T, E, I, F> Iterator for ByTime<I, F>
where
    I: Iterator<Item = Result<T, E>>,
    F: Fn(&T) -> OffsetDateTime,
{
    type Item = Result<(usize, T), E>;

    fn next(&mut self) -> Option<Self::Item> {
        let sources = self.sources.iter_mut().enumerate();
        let left = sources.filter(|(_, source)| source.next.is_some());
        let (index, source) = left.min_by_key(|(_, source)| source.time)?;
        let item = source.advance(&self.time_of)?;
        Some(item.map(|item| (index, item)))
    }
}

impl<T, E, I: Iterator<Item = Result<T, E>>> Source<I> {
    /// Takes the next item, and reads the one after it.
    fn advance(&mut self, time_of: &impl Fn(&T) -> OffsetDateTime) -> Option<I::Item> {
        let following = self.items.next();
        if let Some(Ok(item)) = &following {
            self.time = self.time.max(time_of(item));
        }
        std::mem::replace(&mut self.next, following)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_merged_by_time_and_keep_their_order() {
        let time = |second: &i64| OffsetDateTime::from_unix_timestamp(*second).unwrap();
        let journals = [vec![1, 5, 3, 9], vec![2, 4, 6], vec![]];
        let journals = journals.map(|seconds| seconds.into_iter().map(Ok::<i64, ()>));
        let merged = ByTime::new(journals, time).map(Result::unwrap);
        let merged: Vec<(usize, i64)> = merged.collect();
        let expected = [(0, 1), (1, 2), (1, 4), (0, 5), (0, 3), (1, 6), (0, 9)];
        assert_eq!(merged, expected);
    }
}
