//! Why a server could not be had: what it means, whether it lasts, and what to do, as data.
//!
//! A server's refusal is told by its SQLSTATE. What libpq refuses by itself (a certificate, a way to
//! authenticate) has none, so it is told by libpq's words; they are English, since libpq translates them
//! only for a program that calls `setlocale`, and one written in Rust does not.

/// One reason not to be connected.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The beginning of a SQLSTATE, or a part of libpq's message.
    sign: &'static str,
    /// Whether it stays as it is until somebody changes something, so that trying again is in vain.
    pub(super) permanent: bool,
    /// Whether it is about encryption, or about the server's proof of who it is.
    pub(super) tls: bool,
    pub(super) remedy: &'static str,
}

const fn permanent(sign: &'static str, remedy: &'static str) -> Refusal {
    Refusal {
        sign,
        permanent: true,
        tls: false,
        remedy,
    }
}

/// Permanent too.
const fn tls(sign: &'static str, remedy: &'static str) -> Refusal {
    Refusal {
        tls: true,
        ..permanent(sign, remedy)
    }
}

const fn temporary(sign: &'static str, remedy: &'static str) -> Refusal {
    Refusal {
        sign,
        permanent: false,
        tls: false,
        remedy,
    }
}

/// What a server says, by its code; the first that fits counts.
static BY_CODE: [Refusal; 11] = [
    permanent(
        "28P01",
        "look at the user and at the password: in the connection string, in PGPASSWORD, or in ~/.pgpass",
    ),
    permanent(
        "28",
        "ask for access: the role has to exist and be allowed to log in, and the server's pg_hba.conf has to let it in from here",
    ),
    permanent("3D000", "look at the database's name, or create it"),
    permanent(
        "42501",
        "the role needs the privilege CONNECT on the database",
    ),
    permanent(
        "42",
        "look at the settings in the connection string's options, and in PGOPTIONS",
    ),
    permanent(
        "22",
        "look at the settings in the connection string's options, and in PGOPTIONS",
    ),
    permanent(
        "0A000",
        "the server does not speak the protocol of PostgreSQL 15 or later",
    ),
    temporary(
        "53300",
        "no connection is left: close sessions, lower Config::max_size, or raise max_connections on the server",
    ),
    temporary(
        "57P03",
        "the server is starting, stopping or recovering: try again in a moment",
    ),
    temporary(
        "57",
        "an administrator ended the connection: try again in a moment",
    ),
    temporary("", "look at the server's log"),
];

/// What libpq says by itself; the first that fits counts.
static BY_WORDS: [Refusal; 30] = [
    permanent(
        "no password supplied",
        "give a password: in the connection string, in PGPASSWORD, or in ~/.pgpass, which only you may be able to read",
    ),
    tls(
        "does not support SSL, but SSL was required",
        "turn on ssl in the server's postgresql.conf; or, if nobody can listen on the way there, say sslmode=disable in the connection string",
    ),
    tls(
        "certificate verify failed",
        "the server's certificate is by an authority that is not trusted here, or is not valid now, or was taken back (openssl s_client -starttls postgres -connect HOST:PORT shows it): give its authority's certificate in sslrootcert; sslmode=require would encrypt without knowing to whom",
    ),
    tls(
        "does not match host name",
        "connect by a name that stands in the server's certificate; sslmode=verify-ca would check its authority only",
    ),
    tls(
        "host name must be specified",
        "say in host which name the server's certificate has to hold, beside hostaddr",
    ),
    tls(
        "root certificate file",
        "give the certificate of the server's authority in sslrootcert, or sslrootcert=system for those that the system trusts",
    ),
    tls(
        "could not load system root certificate paths",
        "install the system's certificates (Debian: ca-certificates), or give the authority's in sslrootcert",
    ),
    permanent(
        "authentication method requirement",
        "the server asks for what require_auth does not allow; if it is the right server, look at its pg_hba.conf",
    ),
    permanent(
        "channel binding",
        "channel_binding=require holds only with TLS and scram-sha-256: look at the server's ssl and pg_hba.conf; if they are right, somebody stands in between",
    ),
    permanent(
        "SCRAM-SHA-256-PLUS authentication over a non-SSL connection",
        "somebody stands between here and the server, and took the encryption away",
    ),
    permanent(
        "server signature",
        "the server does not know the password, so it may not be the server: look at the host",
    ),
    permanent(
        "has group or world access",
        "the key is secret: chmod 0600 the file that sslkey names",
    ),
    permanent(
        "but not private key file",
        "put the certificate's key where sslkey says, or say where it is",
    ),
    permanent(
        "private key file",
        "look at the files that sslcert and sslkey name: the key has to be the certificate's",
    ),
    permanent("certificate file", "look at the file that sslcert names"),
    permanent(
        "certificate required",
        "the server asks for a certificate: name one in sslcert, and its key in sslkey",
    ),
    permanent(
        "alert unknown ca",
        "the server does not trust the authority of the certificate that sslcert names",
    ),
    permanent(
        "alert certificate",
        "the server does not take the certificate that sslcert names: it is not valid now, or was taken back",
    ),
    permanent("SSL error", "look at both sides' settings of TLS"),
    permanent(
        "response to SSL negotiation",
        "is this a PostgreSQL server's port?",
    ),
    permanent(
        "server sent an error response during SSL exchange",
        "is this a PostgreSQL server's port?",
    ),
    permanent(
        "unencrypted data after SSL response",
        "somebody stands between here and the server, and puts words in its mouth",
    ),
    permanent(
        "expected authentication request from server",
        "is this a PostgreSQL server's port?",
    ),
    permanent(
        "SASL authentication mechanisms are supported",
        "look at the server's pg_hba.conf: scram-sha-256 is understood here",
    ),
    permanent(
        "Permission denied",
        "the folder of the server's socket is closed to this user",
    ),
    temporary(
        "session is read-only",
        "no server is as target_session_attrs asks; after a failover one may be, in a moment",
    ),
    temporary(
        "session is not read-only",
        "no server is as target_session_attrs asks; after a failover one may be, in a moment",
    ),
    temporary(
        "hot standby mode",
        "no server is as target_session_attrs asks; after a failover one may be, in a moment",
    ),
    temporary(
        "server closed the connection unexpectedly",
        "look at the server's log; it may be starting, or this is not a PostgreSQL server's port",
    ),
    temporary(
        "",
        "is the server running, and is this its address and port?",
    ),
];

/// What libpq refuses before it looks for a server.
pub(super) static UNREADABLE: Refusal = permanent(
    "",
    "look at the connection string, and at the service file if it names a service",
);

/// By a SQLSTATE.
pub(super) fn by_code(code: &str) -> &'static Refusal {
    let [others @ .., last] = &BY_CODE;
    let found = others.iter().find(|refusal| code.starts_with(refusal.sign));
    found.unwrap_or(last)
}

/// By libpq's words.
pub(super) fn by_words(said: &str) -> &'static Refusal {
    let [others @ .., last] = &BY_WORDS;
    let found = others.iter().find(|refusal| said.contains(refusal.sign));
    found.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_as_it_is_is_told_from_what_may_pass() {
        for code in ["28P01", "28000", "3D000", "42501", "42704", "22023"] {
            assert!(by_code(code).permanent, "{code}");
        }
        for code in ["53300", "57P01", "57P03", "58030", "XX000", "08P01"] {
            assert!(!by_code(code).permanent, "{code}");
        }
    }

    #[test]
    fn each_sign_is_reached() {
        for refusal in &BY_WORDS {
            assert!(std::ptr::eq(by_words(refusal.sign), refusal), "{refusal:?}");
        }
        for refusal in BY_CODE.iter().filter(|refusal| refusal.sign.len() == 5) {
            assert!(std::ptr::eq(by_code(refusal.sign), refusal), "{refusal:?}");
        }
    }
}
