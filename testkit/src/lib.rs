//! Tools for Bowline's tests, examples and benchmarks. This package is not published.
//!
//! [`Proxy`] forwards between a program and its server, counts round trips and causes faults.
//! [`FakeServer`] sends the bytes that a test defines. [`PgBouncer`] and [`tls::TlsServer`] are the
//! real programs with settings for tests. [`Recorder`] records spans and events.

pub mod fake_server;
mod latency;
mod pgbouncer;
mod proxy;
pub mod recorder;
pub mod tls;

pub use fake_server::FakeServer;
pub use latency::Latency;
pub use pgbouncer::PgBouncer;
pub use proxy::{Direction, Ending, Message, Passed, Proxy};
pub use recorder::Recorder;
