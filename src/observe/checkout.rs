//! The span of a checkout: from the request for a session to the answer.

use std::panic::Location;
use std::time::{Duration, Instant};

use tracing::Span;
use tracing::field::Empty;

use crate::error::Error;

/// A checkout in progress.
#[must_use = "ends by `end`"]
pub(crate) struct Checkout {
    began: Instant,
    span: Span,
}

impl Checkout {
    /// Begins the span of a caller that asks for a session.
    pub(crate) fn begin(holder: &'static Location<'static>) -> Self {
        let span = tracing::debug_span!(
            target: "bowline::checkout",
            "checkout",
            db.system.name = "postgresql",
            code.file.path = holder.file(),
            code.line.number = holder.line(),
            bowline.wait_seconds = Empty,
            error.r#type = Empty,
        );
        Self {
            began: Instant::now(),
            span,
        }
    }

    /// Returns the span, which is entered while a connect may happen.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Ends the span; returns how long the caller waited.
    pub(crate) fn end(self, failure: Option<&Error>) -> Duration {
        let waited = self.began.elapsed();
        self.span
            .record("bowline.wait_seconds", waited.as_secs_f64());
        if let Some(error) = failure {
            self.span.record("error.type", error.kind().name());
        }
        waited
    }
}
