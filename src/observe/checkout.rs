//! The span of a checkout: from the request for a session to the answer.

use std::panic::Location;
use std::time::{Duration, Instant};

use tracing::Span;
use tracing::field::Empty;

use super::metrics;
use crate::error::Error;

/// A checkout in progress.
#[must_use = "ends by `end`"]
pub(crate) struct Checkout {
    began: Instant,
    span: Span,
}

impl Checkout {
    /// Begins the span of a caller that asks for a session now.
    #[inline]
    pub(crate) fn begin(holder: &'static Location<'static>, now: Instant) -> Self {
        let span = tracing::debug_span!(
            target: "bowline::checkout",
            "checkout",
            db.system.name = "postgresql",
            code.file.path = holder.file(),
            code.line.number = holder.line(),
            bowline.wait_seconds = Empty,
            error.r#type = Empty,
        );
        Self { began: now, span }
    }

    /// Returns the span, if a subscriber wants it; the wait runs within it, since a connect may
    /// happen meanwhile.
    pub(crate) fn span(&self) -> Option<&Span> {
        (!self.span.is_disabled()).then_some(&self.span)
    }

    /// Ends the span; returns how long the caller waited, which is measured only if it had to.
    #[inline]
    pub(crate) fn end(self, has_waited: bool, failure: Option<&Error>) -> Duration {
        let is_recorded = !self.span.is_disabled();
        if !has_waited && !is_recorded && !metrics::IS_ON {
            return Duration::ZERO;
        }
        let waited = self.began.elapsed();
        if is_recorded {
            self.span
                .record("bowline.wait_seconds", waited.as_secs_f64());
            if let Some(error) = failure {
                self.span.record("error.type", error.kind().name());
            }
        }
        waited
    }
}
