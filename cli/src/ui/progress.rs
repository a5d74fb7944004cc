//! The progress of long work, as one line on a terminal: the current step and the time. It is not
//! written to logs and pipes.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::escape::one_line;

/// The progress line that is shown now. It is hidden while other output is printed.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The progress line; dropping it removes it.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows the current step.
    pub(crate) fn start(step: impl Into<Cow<'static, str>>) -> Self {
        let bar = ProgressBar::new_spinner();
        // If the template is invalid, the default one shows the step without the time.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(one_line(&step.into()));
        bar.enable_steady_tick(Duration::from_millis(100));
        *shown() = Some(bar.clone());
        Self(bar)
    }

    /// Shows the next step.
    pub(crate) fn now(&self, step: impl Into<Cow<'static, str>>) {
        self.0.set_message(one_line(&step.into()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *shown() = None;
        self.0.finish_and_clear();
    }
}

/// Hides the progress line, prints, and shows the line again under the printed text.
pub(super) fn without_progress<T>(print: impl FnOnce() -> T) -> T {
    let bar = shown().clone();
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
