//! How a connection is encrypted, and by which C libraries.

use crate::wire::libpq::{self, Connection};

/// How a connection is encrypted, in OpenSSL's names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encryption {
    /// Such as `TLSv1.3`.
    pub protocol: String,
    /// Such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

impl Encryption {
    /// Returns how a connection is encrypted, or `None` if it is not.
    pub(crate) fn of(connection: &Connection) -> Option<Self> {
        Some(Self {
            protocol: connection.encryption(c"protocol")?,
            cipher: connection.encryption(c"cipher")?,
        })
    }
}

/// Returns the versions of the C libraries that connections use: libpq, and OpenSSL if it is known.
pub fn client_libraries() -> Vec<String> {
    let version = libpq::libpq_version();
    let (major, minor) = (version / 10_000, version % 10_000);
    // The bundled libpq reports 18.6 as 180600, others as 180006.
    let minor = if minor < 100 { minor } else { minor / 100 };
    let libpq = format!("libpq {major}.{minor}");
    [Some(libpq), libpq::openssl_version()]
        .into_iter()
        .flatten()
        .collect()
}
