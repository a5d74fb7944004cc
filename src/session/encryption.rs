//! How a connection is encrypted, for who has to be sure.

use super::{Session, libpq};

/// How a connection is encrypted, in OpenSSL's names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encryption {
    /// Such as `TLSv1.3`.
    pub protocol: String,
    /// Such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

impl Session {
    /// How the connection is encrypted on its first way, which may lead to a pooler; `None` where it is not.
    ///
    /// Whether the server had to prove who it is, is a question of `sslmode`: see [`Config::parameters`](crate::Config::parameters).
    pub fn encryption(&self) -> Option<Encryption> {
        Some(Encryption {
            protocol: self.connection.encryption(c"protocol")?,
            cipher: self.connection.encryption(c"cipher")?,
        })
    }
}

/// The C libraries that connections are made by, with their versions: libpq, and OpenSSL where it is known.
pub fn client_libraries() -> Vec<String> {
    let version = libpq::libpq_version();
    let (major, minor) = (version / 10_000, version % 10_000);
    // The bundled one counts 18.6 as 180600, others as 180006.
    let minor = if minor < 100 { minor } else { minor / 100 };
    let libpq = format!("libpq {major}.{minor}");
    [Some(libpq), libpq::openssl_version()]
        .into_iter()
        .flatten()
        .collect()
}
