//! Metrics, through the facade `metrics`, with the feature of that name; without it these functions
//! do nothing.
//!
//! Names and labels are listed in `docs/OBSERVING.md`.
#![cfg_attr(
    not(feature = "metrics"),
    expect(unused_variables, reason = "nothing is counted")
)]

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "metrics")]
use metrics::{Unit, counter, gauge, histogram};

use super::{ServerAddress, StatementSpan};
use crate::error::{Error, Outcome};
use crate::no_session::PoolState;

#[cfg(feature = "metrics")]
const POOL: &str = "db.client.connection.pool.name";

/// Whether metrics are recorded at all.
pub(crate) const IS_ON: bool = cfg!(feature = "metrics");

/// Describes the metrics to the recorder.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    for (name, unit, meaning) in [
        (
            "db.client.operation.duration",
            Unit::Seconds,
            "Duration of a statement",
        ),
        (
            "db.client.response.returned_rows",
            Unit::Count,
            "Rows that a statement returned",
        ),
        (
            "db.client.connection.wait_time",
            Unit::Seconds,
            "Time that a caller waited for a session",
        ),
        (
            "db.client.connection.create_time",
            Unit::Seconds,
            "Time that a connect took",
        ),
    ] {
        metrics::describe_histogram!(name, unit, meaning);
    }
    #[cfg(feature = "metrics")]
    for (name, meaning) in [
        ("db.client.connection.count", "Open sessions of the pool"),
        (
            "db.client.connection.max",
            "The most sessions that the pool may open",
        ),
        (
            "db.client.connection.pending_requests",
            "Callers that wait for a session",
        ),
        ("bowline.pool.connecting", "Sessions that are being opened"),
    ] {
        metrics::describe_gauge!(name, Unit::Count, meaning);
    }
    #[cfg(feature = "metrics")]
    for (name, unit, meaning) in [
        (
            "bowline.statements",
            Unit::Count,
            "Statements, each of a tuple counted",
        ),
        (
            "bowline.transactions",
            Unit::Count,
            "Interactive transactions",
        ),
        ("bowline.round_trips", Unit::Count, "Pipelines sent"),
        ("bowline.sent_bytes", Unit::Bytes, "SQL and values sent"),
        ("bowline.received_bytes", Unit::Bytes, "Values received"),
        ("bowline.retries", Unit::Count, "Attempts after the first"),
        (
            "bowline.unknown_outcomes",
            Unit::Count,
            "Calls whose outcome is unknown",
        ),
        ("bowline.connections.opened", Unit::Count, "Sessions opened"),
        ("bowline.connections.closed", Unit::Count, "Sessions closed"),
    ] {
        metrics::describe_counter!(name, unit, meaning);
    }
}

/// Records the end of a statement, or of a tuple of statements.
pub(crate) fn statement(server: &ServerAddress, seen: &StatementSpan, failure: Option<&Error>) {
    #[cfg(feature = "metrics")]
    {
        let outcome = failure.map_or("ok", |failure| failure.kind().name());
        let database = || Arc::clone(&server.database);
        for function in seen.functions() {
            counter!(
                "bowline.statements",
                "db.namespace" => database(),
                "code.function.name" => function.unwrap_or(""),
                "outcome" => outcome,
            )
            .increment(1);
        }
        let function = seen.only_function().unwrap_or("");
        histogram!(
            "db.client.operation.duration",
            "db.namespace" => database(),
            "db.operation.name" => seen.operation(),
            "code.function.name" => function,
            "outcome" => outcome,
        )
        .record(seen.elapsed().as_secs_f64());
        histogram!(
            "db.client.response.returned_rows",
            "db.namespace" => database(),
            "code.function.name" => function,
        )
        .record(seen.returned_rows as f64);
        let count = |name: &'static str, number: usize| {
            counter!(name, "db.namespace" => database()).increment(number as u64);
        };
        count("bowline.round_trips", seen.round_trips as usize);
        count("bowline.sent_bytes", seen.sent_bytes);
        count("bowline.received_bytes", seen.received_bytes);
    }
}

/// Records the end of an interactive transaction.
pub(crate) fn transaction(server: &ServerAddress, outcome: Outcome) {
    #[cfg(feature = "metrics")]
    counter!(
        "bowline.transactions",
        "db.namespace" => Arc::clone(&server.database),
        "outcome" => super::outcome(outcome),
    )
    .increment(1);
}

/// Records the end of a checkout.
pub(crate) fn checkout(
    pool: impl FnOnce() -> Option<Arc<str>>,
    waited: Duration,
    failure: Option<&Error>,
) {
    #[cfg(feature = "metrics")]
    if let Some(pool) = pool() {
        histogram!(
            "db.client.connection.wait_time",
            POOL => pool,
            "outcome" => failure.map_or("ok", |failure| failure.kind().name()),
        )
        .record(waited.as_secs_f64());
    }
}

/// Counts a retry.
pub(crate) fn retried(class: &'static str) {
    #[cfg(feature = "metrics")]
    counter!("bowline.retries", "class" => class).increment(1);
}

/// Counts a call whose outcome is unknown.
pub(crate) fn unknown_outcome() {
    #[cfg(feature = "metrics")]
    counter!("bowline.unknown_outcomes").increment(1);
}

/// Records that a session was opened.
pub(crate) fn opened(server: &ServerAddress, took: Duration) {
    #[cfg(feature = "metrics")]
    {
        counter!("bowline.connections.opened", POOL => Arc::clone(&server.name)).increment(1);
        histogram!("db.client.connection.create_time", POOL => Arc::clone(&server.name))
            .record(took.as_secs_f64());
    }
}

/// Records that a session was closed.
pub(crate) fn closed(server: &ServerAddress, reason: &'static str) {
    #[cfg(feature = "metrics")]
    counter!(
        "bowline.connections.closed",
        POOL => Arc::clone(&server.name),
        "reason" => reason,
    )
    .increment(1);
}

/// Sets the gauges of a pool.
pub(crate) fn pool(name: &Arc<str>, state: PoolState) {
    #[cfg(feature = "metrics")]
    {
        let set = |metric: &'static str, number: u32| {
            gauge!(metric, POOL => Arc::clone(name)).set(number);
        };
        set("db.client.connection.max", state.max);
        set("db.client.connection.pending_requests", state.waiting);
        set("bowline.pool.connecting", state.connecting);
        for (kind, number) in [("idle", state.idle), ("used", state.in_use)] {
            gauge!(
                "db.client.connection.count",
                POOL => Arc::clone(name),
                "db.client.connection.state" => kind,
            )
            .set(number);
        }
    }
}
