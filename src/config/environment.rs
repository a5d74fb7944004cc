//! The environment of the process, and the file `.env` that adds to it.

use std::collections::BTreeMap;
use std::env;

use super::CONTEXT;
use crate::error::{Error, Result};

/// The variables of libpq that a `.env` may set, with the parameters they stand for (PostgreSQL
/// manual, 32.15).
pub(super) const ENVIRONMENT: [(&str, &str); 28] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGSERVICE", "service"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLCERTMODE", "sslcertmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLSNI", "sslsni"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGKRBSRVNAME", "krbsrvname"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
];
/// Reads the file `.env` without changing the environment of the process, which other threads may
/// be reading.
pub(super) fn dot_env() -> Result<BTreeMap<String, String>> {
    let unreadable = || {
        // dotenvy does not report which file it found, in the working directory or above it.
        let here = env::current_dir().unwrap_or_default();
        let mut files = here.ancestors().map(|folder| folder.join(".env"));
        let file = files.find(|file| file.is_file()).unwrap_or_default();
        Error::config(
            format!("{} cannot be read", file.display()),
            "each line is to read NAME=value, with a value that holds a space, a # or a $ in quotes: NAME='a value'",
        )
        .with_context(CONTEXT)
    };
    match dotenvy::dotenv_iter() {
        Ok(lines) => lines.collect::<Result<_, _>>().map_err(|_| unreadable()),
        Err(error) if error.not_found() => Ok(BTreeMap::new()),
        Err(_) => Err(unreadable()),
    }
}
