//! Lines and columns of places in a text.

/// Starts of the lines of a text.
pub(crate) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(crate) fn of(text: &str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes());
        Self(
            std::iter::once(0)
                .chain(newlines.map(|at| at + 1))
                .collect(),
        )
    }

    /// Returns the line and the column of a byte of the text, each from 1.
    pub(crate) fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let before = text.get(..at).unwrap_or(text);
        let line = self.0.partition_point(|begin| *begin <= before.len());
        let before = &before[self.0[line - 1]..];
        // Behind so many characters nobody counts them, and thousands of problems may be on one line.
        let column = match before.len() {
            0..=1000 => before.chars().count(),
            length => length,
        };
        (line, column + 1)
    }
}
