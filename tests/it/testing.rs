//! The test support of the library itself.

mod local_server;
mod sandbox;
