//! The connection to a server, in PostgreSQL's protocol: sends messages and receives results by a
//! deadline.
//!
//! It is independent of sessions, statements and pools. From the bottom up: [`libpq`] (the C
//! library behind safe types), [`protocol`] (state machines for pipelines, simple queries, COPY,
//! notifications, connecting and cancelling), `reactor` (waits of tasks), [`executor`] (runs
//! futures for callers that block), [`driver`] (waits for the socket), [`cancel`] (cancels after
//! the deadline), [`interrupt`] (giving up a call from another thread), [`answer`] and [`row`]
//! (results), `test_driver` (has the tests of one driver run the other).

pub(crate) mod answer;
pub(crate) mod cancel;
pub(crate) mod driver;
pub(crate) mod executor;
pub(crate) mod interrupt;
pub(crate) mod libpq;
pub(crate) mod notification;
pub(crate) mod parameters;
pub(crate) mod protocol;
#[cfg(feature = "tokio")]
pub(crate) mod reactor;
pub(crate) mod row;
#[cfg(all(feature = "tokio", feature = "testing", debug_assertions))]
pub(crate) mod test_driver;
