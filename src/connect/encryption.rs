//! The encryption of a connection, and the C libraries that connections use.

use crate::wire::libpq::{self, Connection};

/// The encryption of a connection, in OpenSSL's names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encryption {
    /// The version of the protocol, such as `TLSv1.3`.
    pub protocol: String,
    /// The cipher suite, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

impl Encryption {
    /// Returns the encryption of a connection; `None` if it has none.
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
