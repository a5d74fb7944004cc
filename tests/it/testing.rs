//! The test support of the library itself.

mod asynchronous;
mod databases;
mod kept_sessions;
mod local_server;
mod sandbox;
