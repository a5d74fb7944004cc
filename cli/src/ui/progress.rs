//! One line on a terminal for work that takes long: what is done now, and for how long. Logs and pipes do not see it.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::escape::one_line;

/// The line that is shown now; what else is printed is printed apart from it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The line, gone when this is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows what is done now, until dropped.
    pub(crate) fn start(doing: impl Into<Cow<'static, str>>) -> Self {
        let bar = ProgressBar::new_spinner();
        // A template that is wrong leaves the default one, which says the same.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(one_line(&doing.into()));
        bar.enable_steady_tick(Duration::from_millis(100));
        *shown() = Some(bar.clone());
        Self(bar)
    }

    /// Something else is done now.
    pub(crate) fn now(&self, doing: impl Into<Cow<'static, str>>) {
        self.0.set_message(one_line(&doing.into()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *shown() = None;
        self.0.finish_and_clear();
    }
}

/// Prints without the line, which comes back below.
pub(super) fn apart<T>(print: impl FnOnce() -> T) -> T {
    let bar = shown().clone();
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
