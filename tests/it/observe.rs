//! Spans, events, metrics, activity.

mod activity;
#[cfg(feature = "metrics")]
mod counting;
mod spans;
