//! The server with TLS and passwords that the run time is tested on, for the command too.

#[path = "../../../tests/it/connect/tls/certificates.rs"]
#[allow(dead_code, reason = "the run time's tests use more of it")]
mod certificates;
#[path = "../../../tests/it/connect/tls/server.rs"]
#[allow(dead_code, reason = "the run time's tests use more of it")]
mod server;

use std::sync::OnceLock;

pub(crate) use certificates::{Authority, Validity};
pub(crate) use server::{PASSWORD, TlsServer, free_port};

/// The server with TLS that the tests share.
pub(crate) fn tls_server() -> &'static TlsServer {
    static SERVER: OnceLock<TlsServer> = OnceLock::new();
    SERVER.get_or_init(TlsServer::start)
}
