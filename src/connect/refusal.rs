//! The reasons why a connect fails, as a table: whether they last, and a hint.
//!
//! A server's refusal is found by its SQLSTATE. A failure in libpq itself (a certificate, a method
//! of authentication) has none, so it is found by libpq's text. That is in English: libpq
//! translates it only for a program that calls `setlocale`, and a Rust program does not.

use super::attempt::NO_ENCRYPTION;

/// One reason of a failed connect.
#[derive(Debug)]
pub(super) struct RefusalReason {
    /// The beginning of a SQLSTATE; empty for a message of libpq.
    code: &'static str,
    /// A part of the message.
    words: &'static str,
    /// Whether it lasts until a configuration is changed, so that another attempt cannot succeed.
    pub(super) permanent: bool,
    /// Whether it is about encryption, or about the server's proof of its identity.
    pub(super) tls: bool,
    /// Whether no server listens there.
    pub(super) no_server: bool,
    /// The hint; `HOST:PORT` in it stands for the address that was tried.
    pub(super) remedy: &'static str,
}

const fn permanent(words: &'static str, remedy: &'static str) -> RefusalReason {
    RefusalReason {
        code: "",
        words,
        permanent: true,
        tls: false,
        no_server: false,
        remedy,
    }
}

/// Returns a permanent reason about encryption or the server's identity.
const fn tls(words: &'static str, remedy: &'static str) -> RefusalReason {
    RefusalReason {
        tls: true,
        ..permanent(words, remedy)
    }
}

const fn temporary(words: &'static str, remedy: &'static str) -> RefusalReason {
    RefusalReason {
        permanent: false,
        ..permanent(words, remedy)
    }
}

/// Returns a temporary reason: no server listens there.
const fn no_server(words: &'static str, remedy: &'static str) -> RefusalReason {
    RefusalReason {
        no_server: true,
        ..temporary(words, remedy)
    }
}

/// Returns a permanent reason by a server's code and a part of its message.
const fn answer(code: &'static str, words: &'static str, remedy: &'static str) -> RefusalReason {
    RefusalReason {
        code,
        ..permanent(words, remedy)
    }
}

/// Returns a temporary reason by a server's code and a part of its message.
const fn passing(code: &'static str, words: &'static str, remedy: &'static str) -> RefusalReason {
    RefusalReason {
        code,
        ..temporary(words, remedy)
    }
}

/// The reasons by a server's code; the first match counts. If one code stands for several reasons,
/// the message of a server that speaks English tells them apart; the last entry of each code is for
/// other languages.
static BY_CODE: [RefusalReason; 20] = [
    answer(
        "28P01",
        "",
        "check the user and the password (in the connection string, in PGPASSWORD or in ~/.pgpass); the answer is the same for a role that does not exist; an administrator sets a new password: ALTER ROLE name PASSWORD '..'",
    ),
    answer(
        "28000",
        NO_ENCRYPTION,
        "set sslmode=require in the connection string if it is disable or allow: the server may accept encrypted connections only; else add `host DATABASE USER ADDRESS/32 scram-sha-256` to its pg_hba.conf, and reload it",
    ),
    answer(
        "28000",
        "no pg_hba.conf entry",
        "check the user, the database and the address in the message; if they are right, add `hostssl DATABASE USER ADDRESS/32 scram-sha-256` to the server's pg_hba.conf, and reload it: SELECT pg_reload_conf()",
    ),
    answer(
        "28000",
        "Peer authentication failed",
        "on this socket the server accepts an operating system user under the same name only: connect by TCP with a password (host=localhost), or run as that user",
    ),
    answer(
        "28000",
        "is not permitted to log in",
        "as an administrator: ALTER ROLE name LOGIN",
    ),
    answer(
        "28000",
        "does not exist",
        "check the user in the connection string (the default is the operating system user), or create the role: CREATE ROLE name LOGIN PASSWORD '..'",
    ),
    answer(
        "28000",
        "valid client certificate",
        "the server's pg_hba.conf requires a client certificate: name its file in sslcert, and that of its key in sslkey",
    ),
    answer(
        "28",
        "",
        "ask an administrator for access: the role has to exist and to have LOGIN, and the server's pg_hba.conf has to allow it from this address",
    ),
    answer(
        "3D000",
        "",
        "check the name of the database in the connection string (the default is the user's name), or create it: `bowline db create`",
    ),
    answer(
        "42501",
        "",
        "as an administrator: GRANT CONNECT ON DATABASE name TO role",
    ),
    answer(
        "42",
        "",
        "check the settings in the connection string's options, and in PGOPTIONS",
    ),
    answer(
        "22",
        "",
        "check the settings in the connection string's options, and in PGOPTIONS",
    ),
    answer(
        "0A000",
        "",
        "the server does not speak the protocol of PostgreSQL 15 or later",
    ),
    answer(
        "08P01",
        "unsupported startup parameter",
        "the server is probably a pooler such as PgBouncer: set Config::pooler(true), which does not use what poolers reject",
    ),
    passing(
        "53300",
        "too many connections for",
        "close some of its sessions, or raise the limit as an administrator: ALTER ROLE name CONNECTION LIMIT 20, or ALTER DATABASE name CONNECTION LIMIT 20",
    ),
    passing(
        "53300",
        "",
        "no connection is left: close sessions (SELECT * FROM pg_stat_activity lists them), lower Config::max_size, or raise max_connections on the server",
    ),
    passing(
        "57P03",
        "",
        "the server is starting, stopping or recovering: try again in a moment",
    ),
    passing(
        "57",
        "",
        "an administrator ended the connection: try again in a moment",
    ),
    passing(
        "55000",
        "",
        "check the name of the database: this one accepts no connections, like template0; else ALTER DATABASE name ALLOW_CONNECTIONS true",
    ),
    passing("", "", "check the server's log"),
];

/// The reasons by libpq's own message; the first match counts.
static BY_WORDS: [RefusalReason; 31] = [
    permanent(
        "no password supplied",
        "set a password in the connection string (postgres://user:password@..), in PGPASSWORD, or in ~/.pgpass, which must be readable by you only (chmod 0600)",
    ),
    tls(
        "does not support SSL, but SSL was required",
        "turn on ssl in the server's postgresql.conf, or set sslmode=disable in the connection string if you trust the network",
    ),
    tls(
        "certificate verify failed",
        "the server's certificate is from an authority that is not trusted here, is not valid now, or was revoked: `openssl s_client -starttls postgres -connect HOST:PORT` shows which; for a provider's own authority, download its certificate and name the file: sslrootcert=FILE; sslmode=require would encrypt without verifying the server",
    ),
    tls(
        "does not match host name",
        "connect by a name that is in the server's certificate; sslmode=verify-ca would check its authority only",
    ),
    tls(
        "host name must be specified",
        "set host, beside hostaddr, to the name that the server's certificate has to contain",
    ),
    tls(
        "root certificate file",
        "set sslrootcert to the certificate of the server's authority, or set sslrootcert=system for the authorities that the system trusts",
    ),
    tls(
        "could not load system root certificate paths",
        "install the system's certificates (Debian: ca-certificates), or set sslrootcert to that of the authority",
    ),
    permanent(
        "authentication method requirement",
        "the server asks for a method that require_auth does not allow; if it is the right server, check its pg_hba.conf",
    ),
    permanent(
        "channel binding",
        "channel_binding=require needs TLS and scram-sha-256: check the server's ssl and pg_hba.conf; if they are right, possible man-in-the-middle",
    ),
    permanent(
        "SCRAM-SHA-256-PLUS authentication over a non-SSL connection",
        "possible man-in-the-middle: the encryption was removed on the way",
    ),
    permanent(
        "server signature",
        "the server does not know the password, so it may not be the right server: check the host",
    ),
    permanent(
        "has group or world access",
        "make the file that sslkey names readable by you only: chmod 0600",
    ),
    permanent(
        "but not private key file",
        "name the file of the certificate's key in sslkey",
    ),
    permanent(
        "private key file",
        "check the files that sslcert and sslkey name: the key has to belong to the certificate",
    ),
    permanent("certificate file", "check the file that sslcert names"),
    permanent(
        "certificate required",
        "the server requires a client certificate: name its file in sslcert, and that of its key in sslkey",
    ),
    permanent(
        "alert unknown ca",
        "the server does not trust the authority of the certificate that sslcert names",
    ),
    permanent(
        "alert certificate",
        "the server rejects the certificate that sslcert names: it is not valid now, or was revoked",
    ),
    permanent("SSL error", "check the TLS settings of both sides"),
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
        "possible man-in-the-middle: unencrypted data arrived before TLS began",
    ),
    permanent(
        "expected authentication request from server",
        "is this a PostgreSQL server's port?",
    ),
    permanent(
        "SASL authentication mechanisms are supported",
        "check the server's pg_hba.conf: scram-sha-256 is supported here",
    ),
    permanent(
        "Permission denied",
        "this user has no permission for the folder of the server's socket",
    ),
    temporary(
        "session is read-only",
        "no server has the target_session_attrs that are set; after a failover, try again in a moment",
    ),
    temporary(
        "session is not read-only",
        "no server has the target_session_attrs that are set; after a failover, try again in a moment",
    ),
    temporary(
        "hot standby mode",
        "no server has the target_session_attrs that are set; after a failover, try again in a moment",
    ),
    temporary(
        "server closed the connection unexpectedly",
        "check the server's log: the server may be starting, or this is not the port of a PostgreSQL server",
    ),
    no_server(
        "No such file or directory",
        "is the server running, and is this the folder of its socket? a server in a container or on another machine is reached by host=NAME",
    ),
    no_server(
        "",
        "is the server running, and is this its address and port?",
    ),
];

/// The reason for parameters that libpq refuses before it tries a server.
pub(super) static UNREADABLE: RefusalReason = permanent(
    "",
    "check the connection string, the variables PG.., and the service file if a service is named",
);

/// Returns the reason for a SQLSTATE and the server's message.
pub(super) fn by_code(code: &str, message: &str) -> &'static RefusalReason {
    let [others @ .., last] = &BY_CODE;
    let found = others
        .iter()
        .find(|refusal| code.starts_with(refusal.code) && message.contains(refusal.words));
    found.unwrap_or(last)
}

/// Returns the reason for a message of libpq.
pub(super) fn by_words(message: &str) -> &'static RefusalReason {
    let [others @ .., last] = &BY_WORDS;
    let found = others
        .iter()
        .find(|refusal| message.contains(refusal.words));
    found.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permanent_and_temporary_reasons_differ() {
        for code in ["28P01", "28000", "3D000", "42501", "42704", "22023"] {
            assert!(by_code(code, "").permanent, "{code}");
        }
        for code in ["53300", "57P01", "57P03", "58030", "XX000", "08P01"] {
            assert!(!by_code(code, "").permanent, "{code}");
        }
    }

    #[test]
    fn each_reason_is_reached() {
        for refusal in &BY_WORDS {
            assert!(
                std::ptr::eq(by_words(refusal.words), refusal),
                "{refusal:?}"
            );
        }
        for refusal in &BY_CODE {
            let found = by_code(refusal.code, refusal.words);
            assert!(std::ptr::eq(found, refusal), "{refusal:?}");
        }
    }
}
