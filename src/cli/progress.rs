//! Progress of a command, drawn on a terminal alone.

use super::context::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, gone when this is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of as many rows as there are.
    pub(super) fn of_rows(context: &Context, doing: &'static str, rows: u64) -> Self {
        let template = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
        Self::new(context, doing, rows, template)
    }

    /// Of as many bytes as there are.
    pub(super) fn of_bytes(context: &Context, doing: &'static str, bytes: u64) -> Self {
        let template = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {eta}";
        Self::new(context, doing, bytes, template)
    }

    fn new(context: &Context, doing: &'static str, length: u64, template: &str) -> Self {
        let target = if context.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::with_draw_target(Some(length), target);
        bar.set_style(style.expect("the template is right"));
        bar.set_message(doing);
        Self(bar)
    }

    /// So many more are done.
    pub(super) fn advance(&self, rows: usize) {
        self.0.inc(rows as u64);
    }

    /// So many bytes more are done.
    pub(super) fn advance_bytes(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Writes to standard output or error in between.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
