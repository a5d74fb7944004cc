//! The connection to a server, in PostgreSQL's protocol: messages out, results in, by a deadline.
//!
//! Knows no session, no statement and no pool. From the bottom up: [`libpq`] (the C library behind safe
//! types), [`protocol`] (state machines for pipelines, simple queries, COPY, notifications, connecting and
//! cancelling), [`driver`] (waits for the socket), [`cancel`] (what happens when the time is over),
//! [`interrupt`] (giving up a call from another thread), [`answer`] and [`row`] (results).

pub(crate) mod answer;
pub(crate) mod cancel;
pub(crate) mod driver;
pub(crate) mod interrupt;
pub(crate) mod libpq;
pub(crate) mod notification;
pub(crate) mod protocol;
pub(crate) mod row;
