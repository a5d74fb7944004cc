//! A server with TLS and passwords, and the certificates for it.

mod certificates;
mod server;

use std::sync::OnceLock;

pub use certificates::{Authority, Certificate, Validity};
pub use server::{PASSWORD, TlsServer, free_port};

/// Returns the server with TLS that the tests of this process share.
pub fn tls_server() -> &'static TlsServer {
    static SERVER: OnceLock<TlsServer> = OnceLock::new();
    SERVER.get_or_init(TlsServer::start)
}
