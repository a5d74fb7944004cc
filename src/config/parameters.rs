//! The parameters that libpq gets: the user's, and defaults that are safer or fit better than
//! libpq's.

use std::collections::BTreeMap;
use std::env;
use std::net::IpAddr;
use std::path::Path;

use super::Config;
use crate::error::{Error, Result};
use crate::wire::libpq;

/// Connection parameters (PostgreSQL manual, 32.1.2), ready to connect by.
pub(crate) struct Parameters {
    /// The names and values that are passed to libpq.
    pub(crate) values: BTreeMap<String, String>,
    /// Whether the server's identity is verified because nothing sets `sslmode`.
    pub(crate) proof_by_default: bool,
    /// Whether a server on this machine is used because nothing names a host.
    pub(crate) here_by_default: bool,
    pub(crate) secrets: Vec<String>,
}

/// The time zone of each session.
pub(crate) const UTC: &str = "UTC";

/// The directory of the Unix socket on Debian, Fedora and related distributions.
const DISTRIBUTION_SOCKETS: &str = "/var/run/postgresql";

/// The settings that detect a connection that the network has dropped: after 25 s if it is idle,
/// after 15 s if data is being sent.
///
/// With libpq's defaults that takes two hours and a quarter of an hour. All values are in seconds,
/// except for the last, which is in milliseconds.
const DETECT_DROPPED_CONNECTION: [(&str, &str); 4] = [
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "15000"),
];

impl Config {
    /// Returns the parameters that a connection will have (PostgreSQL manual, 32.1.2). They include
    /// those that the environment, a service file, libpq and Bowline add. Secrets are shown as
    /// `***`.
    ///
    /// A password from a password file is not included. Does not connect.
    pub fn parameters(&self) -> Result<BTreeMap<String, String>> {
        let mut all = complete(&self.connection_parameters()?.values)?;
        for (name, value) in &mut all {
            if is_secret(name, value) {
                "***".clone_into(value);
            }
        }
        Ok(all)
    }

    /// Returns the parameters for libpq.
    ///
    /// libpq itself reads the service file and the environment. The host, the address and the port
    /// that result are then passed explicitly, so that host names can be looked up within the
    /// deadline.
    pub(crate) fn connection_parameters(&self) -> Result<Parameters> {
        let mut values = self.parameters.clone();
        let complete = complete(&values)?;
        let get = |name: &str| complete.get(name).filter(|value| !value.is_empty());
        if get("dbname").is_some_and(|dbname| is_conninfo(dbname)) {
            return Err(Error::config(
                "the name of the database is a connection string",
                "give it to Config::from_url, or in DATABASE_URL",
            ));
        }
        for name in ["host", "hostaddr", "port"] {
            if let Some(value) = get(name) {
                values.insert(name.to_owned(), value.clone());
            }
        }
        let here_by_default = get("host").is_none() && get("hostaddr").is_none();
        if here_by_default {
            // The bundled libpq looks in /tmp only.
            let port = get("port").map_or("5432", String::as_str);
            let socket = Path::new(DISTRIBUTION_SOCKETS).join(format!(".s.PGSQL.{port}"));
            if socket.exists() {
                values.insert("host".to_owned(), DISTRIBUTION_SOCKETS.to_owned());
            }
        }
        let is_elsewhere = [get("host"), get("hostaddr")]
            .into_iter()
            .flatten()
            .any(|hosts| !is_local(hosts));
        let proof_by_default = is_elsewhere && !has_sslmode(&self.parameters, &complete)?;
        if proof_by_default {
            values.insert("sslmode".to_owned(), "verify-full".to_owned());
            if get("sslrootcert").is_none() {
                values.insert("sslrootcert".to_owned(), "system".to_owned());
            }
        }
        for (name, value) in DETECT_DROPPED_CONNECTION {
            if get(name).is_none() {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        values.insert("client_encoding".to_owned(), "UTF8".to_owned());
        if self.is_pooled() {
            values.remove("options");
        } else {
            // The user's options come last, so they win.
            let options = get("options").map_or("", String::as_str);
            let options = format!("-c TimeZone=UTC {options}");
            values.insert("options".to_owned(), options.trim_end().to_owned());
        }
        if let Some(name) = program() {
            values
                .entry("fallback_application_name".to_owned())
                .or_insert(name);
        }
        let secrets = complete
            .into_iter()
            .filter(|(name, value)| is_secret(name, value))
            .map(|(_, secret)| secret)
            .collect();
        Ok(Parameters {
            values,
            proof_by_default,
            here_by_default,
            secrets,
        })
    }

    /// Returns the parameters with those that the service file, the environment and libpq's
    /// defaults add.
    pub(crate) fn complete_parameters(&self) -> Result<BTreeMap<String, String>> {
        complete(&self.parameters)
    }

    /// Returns the settings that a session has from its start, in the order in which they are set.
    ///
    /// `TimeZone` is UTC, because diesel reads and writes times without a zone as UTC.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let words = words(&self.options());
        let settings = words.iter().enumerate().filter_map(|(index, word)| {
            let setting = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
                Some("") => words.get(index + 1)?.as_str(),
                Some(setting) => setting,
                None => return None,
            };
            let (name, value) = setting.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        [("TimeZone".to_owned(), UTC.to_owned())]
            .into_iter()
            .chain(settings)
            .collect()
    }

    /// Returns whether the user's options set a time zone too, wherever they come from.
    pub(crate) fn sets_time_zone(&self) -> bool {
        let parameters = self.connection_parameters();
        let options = parameters.map(|all| all.values.get("options").cloned());
        let options = options.ok().flatten().unwrap_or_default();
        options.to_ascii_lowercase().matches("timezone").count() > 1
    }

    /// Returns the configuration with another search path.
    pub(crate) fn with_search_path(&self, path: &str) -> Self {
        self.clone().with_option("search_path", path)
    }

    /// Adds a setting that each session has from its start.
    pub(super) fn with_option(self, name: &str, value: &str) -> Self {
        let setting: String = format!("{name}={value}")
            .chars()
            .flat_map(|c| {
                let is_special = c == '\\' || c.is_ascii_whitespace();
                is_special.then_some('\\').into_iter().chain([c])
            })
            .collect();
        let options = format!("{} -c {setting}", self.options());
        self.parameter("options", options.trim_start())
    }

    /// Returns the command-line options that libpq passes to the server.
    fn options(&self) -> String {
        self.parameters
            .get("options")
            .cloned()
            .or_else(|| env::var("PGOPTIONS").ok())
            .unwrap_or_default()
    }
}

impl Parameters {
    /// Returns a message of libpq or of a server without the secrets that it may quote.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        // A shorter secret is likely to be a part of some other word.
        let secrets = self.secrets.iter().filter(|secret| secret.len() >= 4);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// Adds the parameters of the service file, the environment and libpq's defaults.
fn complete(values: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let parameters: Vec<_> = values.clone().into_iter().collect();
    libpq::complete_parameters(&parameters)
        .map(|complete| complete.into_iter().collect())
        .map_err(|refused| {
            let secrets = values.iter().filter(|(name, value)| is_secret(name, value));
            let shown = Parameters {
                values: BTreeMap::new(),
                proof_by_default: false,
                here_by_default: false,
                secrets: secrets.map(|(_, secret)| secret.clone()).collect(),
            };
            Error::config(
                shown.without_secrets(&refused),
                "check the connection string, the variables PG.., and the service file if a service is named",
            )
        })
}

/// Returns whether the user, the environment or a service file sets `sslmode`.
///
/// If nothing sets it, libpq fills in its default. The default depends on `sslrootcert`: with the
/// system's certificate authorities it is `verify-full`.
fn has_sslmode(
    values: &BTreeMap<String, String>,
    complete: &BTreeMap<String, String>,
) -> Result<bool> {
    let sslmode = |parameters: &BTreeMap<String, String>| parameters.get("sslmode").cloned();
    if values.contains_key("sslmode") || sslmode(complete).as_deref() == Some("verify-full") {
        return Ok(true);
    }
    let mut with_system = values.clone();
    with_system.insert("sslrootcert".to_owned(), "system".to_owned());
    let parameters: Vec<_> = with_system.into_iter().collect();
    let filled_in = libpq::fill_in_parameters(&parameters).map_err(Error::unavailable)?;
    Ok(sslmode(&filled_in.into_iter().collect()).as_deref() != Some("verify-full"))
}

/// Splits command-line options into words. A backslash keeps a space within its word (PostgreSQL
/// manual, 32.1.2).
fn words(options: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut letters = options.chars();
    while let Some(letter) = letters.next() {
        match (letter, words.last_mut()) {
            ('\\', Some(word)) => word.extend(letters.next()),
            (letter, _) if letter.is_whitespace() => words.push(String::new()),
            (letter, Some(word)) => word.push(letter),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns the file name of this program.
fn program() -> Option<String> {
    let path = env::args().next()?;
    Some(Path::new(&path).file_name()?.to_str()?.to_owned())
}

/// Returns whether every host is on this machine, where nobody can intercept the connection.
fn is_local(hosts: &str) -> bool {
    hosts.split(',').all(|host| {
        host.is_empty()
            || host.starts_with(['/', '@'])
            || host == "localhost"
            || host
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback())
    })
}

/// Returns whether libpq would read the name of a database as a whole connection string, which may
/// hold a password.
fn is_conninfo(dbname: &str) -> bool {
    dbname.starts_with("postgres://") || dbname.starts_with("postgresql://") || dbname.contains('=')
}

/// Returns whether a parameter holds a secret.
pub(super) fn is_secret(parameter: &str, value: &str) -> bool {
    match parameter {
        "password"
        | "sslpassword"
        | "oauth_client_secret"
        | "scram_client_key"
        | "scram_server_key" => true,
        "dbname" => is_conninfo(value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(config: &Config) -> BTreeMap<String, String> {
        config
            .connection_parameters()
            .expect("libpq takes them")
            .values
    }

    #[test]
    fn a_remote_server_has_to_prove_its_identity() {
        for elsewhere in [
            Config::new().host("db.example.com"),
            Config::new().host("192.0.2.1"),
            Config::new().host("localhost,db.example.com"),
            Config::new().parameter("hostaddr", "192.0.2.1"),
            Config::new()
                .host("localhost")
                .parameter("hostaddr", "192.0.2.1"),
        ] {
            let parameters = parameters(&elsewhere);
            assert_eq!(parameters["sslmode"], "verify-full", "{elsewhere:?}");
            assert_eq!(parameters["sslrootcert"], "system", "{elsewhere:?}");
        }
        for here in [
            Config::new(),
            Config::new().host("/tmp"),
            Config::new().host("localhost"),
            Config::new().host("127.0.0.9"),
            Config::new().parameter("hostaddr", "::1"),
        ] {
            assert!(!parameters(&here).contains_key("sslmode"), "{here:?}");
        }
    }

    #[test]
    fn an_explicit_sslmode_is_kept() {
        let elsewhere = Config::new().host("db.example.com");
        for sslmode in [
            "disable",
            "allow",
            "prefer",
            "require",
            "verify-ca",
            "verify-full",
        ] {
            let chosen = parameters(&elsewhere.clone().parameter("sslmode", sslmode));
            assert_eq!(chosen["sslmode"], sslmode);
            assert!(!chosen.contains_key("sslrootcert"));
        }
        let rooted = parameters(&elsewhere.parameter("sslrootcert", "/etc/ca.pem"));
        assert_eq!(
            (&*rooted["sslmode"], &*rooted["sslrootcert"]),
            ("verify-full", "/etc/ca.pem")
        );
    }

    #[test]
    fn the_name_of_a_database_is_no_connection_string() {
        for dbname in ["postgres://ann:s3cretmarker@db/x", "password=s3cretmarker"] {
            let config = Config::new().dbname(dbname);
            let error = config
                .connection_parameters()
                .map(|_| ())
                .expect_err("it is refused");
            assert!(!format!("{error} {error:?} {config:?}").contains("s3cretmarker"));
        }
    }

    #[test]
    fn options_become_settings_if_the_pooler_refuses_them() {
        let config = Config::new()
            .pooler(true)
            .parameter("options", "-c work_mem=8MB --search_path=a,\\ b -cjit=off");
        assert!(!parameters(&config).contains_key("options"));
        let settings = config.settings();
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            settings,
            [
                "TimeZone=UTC",
                "work_mem=8MB",
                "search_path=a, b",
                "jit=off"
            ]
        );
    }

    #[test]
    fn keepalive_has_short_defaults_unless_it_is_set() {
        let ours = parameters(&Config::new());
        assert_eq!(
            (&*ours["keepalives_idle"], &*ours["tcp_user_timeout"]),
            ("10", "15000")
        );
        let values = parameters(&Config::new().parameter("tcp_user_timeout", "0"));
        assert_eq!(values["tcp_user_timeout"], "0");
    }

    #[test]
    fn the_users_options_come_after_ours() {
        let parameters = parameters(&Config::new().parameter("options", "-c work_mem=8MB"));
        assert_eq!(parameters["options"], "-c TimeZone=UTC -c work_mem=8MB");
    }
}
