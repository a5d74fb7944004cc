//! Where the server is, and how to behave towards it.
//!
//! Connection parameters are libpq's own (PostgreSQL manual, 32.1.2), whether they come from a URL, a
//! key=value string, the environment or the methods here; what none of them says, libpq decides as it
//! does for `psql`. No password is ever shown: not by `Debug`, not in an error.

mod parameters;
mod place;
mod typo;

pub(crate) use parameters::Parameters;
use typo::Typo;

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::deadline::A_YEAR;
use crate::error::{Error, Result};
use crate::migrations::Migrations;
use crate::retry::RetryPolicy;
use crate::wire::libpq;

/// Where the server is, and how to behave towards it.
///
/// ```
/// use std::time::Duration;
///
/// let config = bowline::Config::from_url("postgres://ann@db.example.com/bank")?
///     .max_size(20)
///     .call_timeout(Duration::from_secs(10));
/// # Ok::<(), bowline::Error>(())
/// ```
#[derive(Clone)]
pub struct Config {
    parameters: BTreeMap<String, String>,
    pub(crate) connect_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) checkout_timeout: Duration,
    pub(crate) max_size: u32,
    pub(crate) max_waiting: u32,
    pub(crate) max_lifetime: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) ping_after: Duration,
    pub(crate) leak_threshold: Duration,
    pub(crate) statement_cache: usize,
    pub(crate) pooler: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) slow_statement: Option<Duration>,
    pub(crate) explain_slow: bool,
    pub(crate) trust_views_and_operators: bool,
    pub(crate) migrations: Option<Migrations>,
    pub(crate) refuse_pending: bool,
    /// Whether the server is known to refuse to look whether its client is there; shared by clones.
    pub(crate) refuses_client_check: Arc<AtomicBool>,
}

impl Config {
    /// Nothing said: libpq's defaults, which are a local server and the name of the user.
    pub fn new() -> Self {
        Self {
            parameters: BTreeMap::new(),
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
            checkout_timeout: Duration::from_secs(5),
            max_size: 10,
            max_waiting: u32::MAX,
            max_lifetime: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
            ping_after: Duration::from_secs(30),
            leak_threshold: Duration::from_secs(5 * 60),
            statement_cache: 256,
            pooler: false,
            retry: RetryPolicy::default(),
            slow_statement: None,
            explain_slow: false,
            trust_views_and_operators: true,
            migrations: None,
            refuses_client_check: Arc::default(),
            refuse_pending: false,
        }
    }

    /// What `DATABASE_URL` says, and libpq's own variables (`PGHOST`, `PGUSER`, ..) for the rest.
    ///
    /// A file `.env` in the working directory or above it gives what the environment does not. Fails if
    /// the file cannot be read as such, or if neither says anything.
    pub fn from_env() -> Result<Self> {
        let file = dot_env()?;
        let variable = |name: &str| {
            env::var(name)
                .ok()
                .or_else(|| file.get(name).cloned())
                .filter(|value| !value.is_empty())
        };
        let url = variable("DATABASE_URL");
        let mut config = match &url {
            Some(url) if env::var("DATABASE_URL").as_ref() == Ok(url) => {
                Self::read(url, "DATABASE_URL")?
            }
            Some(url) => Self::read(url, "DATABASE_URL in the file .env")?,
            None => Self::new(),
        };
        let says_timeout = config.connect_timeout != Self::new().connect_timeout;
        let mut found = url.is_some();
        for (name, parameter) in ENVIRONMENT {
            let Some(value) = variable(name) else {
                continue;
            };
            found = true;
            config
                .parameters
                .entry(parameter.to_owned())
                .or_insert(value);
        }
        if let Some(limit) = variable("PGCONNECT_TIMEOUT").filter(|_| !says_timeout) {
            config.connect_timeout = seconds(&limit).ok_or_else(|| {
                Error::config(
                    "PGCONNECT_TIMEOUT is no number of seconds",
                    "set it to a whole number, or unset it",
                )
                .with_context(CONTEXT)
            })?;
        }
        if !found {
            return Err(Error::config(
                "DATABASE_URL is not set",
                "set it, in the environment or in a file .env: DATABASE_URL=postgres://user@host:5432/database",
            )
            .with_context(CONTEXT));
        }
        Ok(config)
    }

    /// What a URL (`postgres://..`) or a key=value string (`host=.. dbname=..`) says.
    ///
    /// Spaces around it do not count. The error says what is wrong with the string and shows nothing of it, since there
    /// may be a password in it.
    pub fn from_url(url: &str) -> Result<Self> {
        Self::read(url, "the connection string")
    }

    /// A connection string, by the name that an error is to call it.
    fn read(text: &str, name: &str) -> Result<Self> {
        let unreadable = |typo: Typo| {
            let what = format!("{name} cannot be read: {}", typo.what);
            Error::config(what, typo.remedy).with_context(CONTEXT)
        };
        // What a file or a shell hands over often ends with a line break.
        let text = text.trim();
        let parameters = libpq::parse_conninfo(text)
            .map_err(|libpq::InvalidConninfo| unreadable(typo::unreadable(text)))?;
        if let Some(typo) = typo::misread(text, &parameters) {
            return Err(unreadable(typo));
        }
        let mut config = Self {
            parameters: parameters.into_iter().collect(),
            ..Self::new()
        };
        // libpq heeds it only where it waits itself, which it does not do here.
        if let Some(limit) = config.parameters.remove("connect_timeout") {
            config.connect_timeout = seconds(&limit).ok_or_else(|| {
                unreadable(Typo {
                    what: "its connect_timeout is no number of seconds".to_owned(),
                    remedy: "write a whole number, connect_timeout=5, or leave it out".to_owned(),
                })
            })?;
        }
        Ok(config)
    }

    /// Any parameter of libpq's (PostgreSQL manual, 32.1.2); one that libpq does not know fails at connect.
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// The server's name or address, or the folder of its Unix socket.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.parameter("host", host)
    }

    /// The server's port.
    pub fn port(self, port: u16) -> Self {
        self.parameter("port", port.to_string())
    }

    /// The role to log in as.
    pub fn user(self, user: impl Into<String>) -> Self {
        self.parameter("user", user)
    }

    /// The role's password.
    pub fn password(self, password: impl Into<String>) -> Self {
        self.parameter("password", password)
    }

    /// The database.
    pub fn dbname(self, dbname: impl Into<String>) -> Self {
        self.parameter("dbname", dbname)
    }

    /// How long connecting may take in all, look-up of names included; 5 s unless set.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long one call may take, all its round trips and retries included; 30 s unless set.
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit;
        self
    }

    /// How long to wait for a session of the pool, one that has to connect first included; 5 s unless set.
    ///
    /// A server that is down is tried until then. [`Error::no_session`](crate::Error::no_session) says why there was none.
    pub fn checkout_timeout(mut self, limit: Duration) -> Self {
        self.checkout_timeout = limit;
        self
    }

    /// How many sessions the pool opens at most; 10 unless set. At least 1, and at most 262143, as a server has it.
    ///
    /// A session is opened only when somebody waits and none comes back in the meantime. When somebody is about to
    /// wait in vain, at most once a second, one more connection asks the server what the others do, and is closed.
    pub fn max_size(mut self, sessions: u32) -> Self {
        self.max_size = sessions.clamp(1, MAX_BACKENDS);
        self
    }

    /// How many callers may wait for a session to come back, because no more can be made; who comes after them fails
    /// at once. No limit unless set.
    pub fn max_waiting(mut self, callers: u32) -> Self {
        self.max_waiting = callers;
        self
    }

    /// How old a pooled session may grow; 30 minutes unless set, at least 1 s and at most a year.
    ///
    /// Each ends 0 to 10 % earlier, so that those made together do not end together; one that is in use then ends
    /// when it comes back.
    pub fn max_lifetime(mut self, limit: Duration) -> Self {
        self.max_lifetime = limit.clamp(Duration::from_secs(1), A_YEAR);
        self
    }

    /// How long a pooled session may be idle before it is closed; 10 minutes unless set, at least 1 s.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit.clamp(Duration::from_secs(1), A_YEAR);
        self
    }

    /// After how long idle a pooled session is asked whether it still answers, before it is handed out; 30 s unless set.
    ///
    /// That takes one round trip and at most 1 s. Before that only the socket is looked at, which shows a server
    /// that has closed the connection but not a network that has forgotten it.
    pub fn ping_after(mut self, idle: Duration) -> Self {
        self.ping_after = idle;
        self
    }

    /// After how long one warning (through `tracing`) names who still has a session; 5 minutes unless set.
    pub fn leak_threshold(mut self, held: Duration) -> Self {
        self.leak_threshold = held.min(A_YEAR);
        self
    }

    /// How many statements each session keeps prepared; 256 unless set, 0 for none. The one that is used least makes room.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }

    /// Whether a pooler in transaction mode stands in between (PgBouncer, say); not unless set.
    ///
    /// Then statements are not prepared under a name, and settings travel with each transaction instead of
    /// with the start. What needs a session of its own (LISTEN, locks of the session) is refused.
    pub fn pooler(mut self, pooler: bool) -> Self {
        self.pooler = pooler;
        self
    }

    /// How often and how patiently conflicts are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How long a statement may take before it is told as a `tracing` event of target `bowline::slow`; unset, none is.
    ///
    /// Counted from the encoding of its values to the reading of its answer, without the wait for a session.
    pub fn slow_statement(mut self, limit: Duration) -> Self {
        self.slow_statement = Some(limit);
        self
    }

    /// Whether the event of a slow statement has the server's plan for it; off unless set.
    ///
    /// It costs one more round trip after each slow statement, on the same session: `EXPLAIN` of the same SQL with the
    /// same values, which plans it again and does not run it. The plan quotes values in its conditions. It is asked for
    /// no longer than a second nor past the call's deadline, within a transaction in a savepoint, and not for streams,
    /// for what `EXPLAIN` does not take, nor in a transaction that has failed.
    pub fn explain_slow(mut self, explain: bool) -> Self {
        self.explain_slow = explain;
        self
    }

    /// Whether a query written by hand may count as one that only reads; on unless set.
    ///
    /// What only reads is run again when its answer is lost, and its failure has the outcome
    /// [`NotCommitted`](crate::Outcome::NotCommitted). Queries that were generated from tables always count. One written
    /// by hand counts if it locks no row, holds no word that writes, and calls only functions of PostgreSQL's own that
    /// do nothing but compute, such as `count` and `lower`. Where it matters, the server is asked whether the database
    /// has functions of the same names that write.
    ///
    /// Not looked into are views, operators, casts, policies of row level security, and functions written as if they
    /// were columns (`account.total`): they are trusted not to write. Turn this off for a database where one of them
    /// calls a function that writes. Then no query by hand counts as reading: a lost answer is looked into as for a
    /// write, and is [`Unknown`](crate::Outcome::Unknown) where it cannot be found out.
    pub fn trust_views_and_operators(mut self, trust: bool) -> Self {
        self.trust_views_and_operators = trust;
        self
    }

    /// The migrations that the program was built for, `MIGRATIONS` of the generated code: whether the database has run
    /// them is looked at once, by [`Config::open`], in one round trip.
    ///
    /// A `tracing` event of target `bowline::migrations` warns of those that have not run, and of those that have run
    /// and that the program does not know: in a rolling deploy the migrations of the new version run first. That they
    /// could not be asked for is a warning too.
    ///
    /// ```
    /// # fn open() -> bowline::Result<bowline::Database> {
    /// let config = bowline::Config::from_env()?.migrations(bank::MIGRATIONS);
    /// config.refuse_pending(true).open()
    /// # }
    /// ```
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = Some(migrations);
        self
    }

    /// Whether a database that has not run all of [`Config::migrations`] is refused, by [`ErrorKind::Config`](crate::ErrorKind::Config); unless set,
    /// a warning is all.
    pub fn refuse_pending(mut self, refuse: bool) -> Self {
        self.refuse_pending = refuse;
        self
    }

    /// The name by which `pg_stat_activity` and the server's log tell this program's sessions apart; the program's own
    /// unless set.
    pub fn application_name(self, name: impl Into<String>) -> Self {
        self.parameter("application_name", name)
    }
}

/// As many as a server takes at most (PostgreSQL's `MAX_BACKENDS`).
const MAX_BACKENDS: u32 = 0x3_FFFF;

/// libpq's variables that a `.env` may hold, with the parameters they stand for (PostgreSQL manual, 32.15).
const ENVIRONMENT: [(&str, &str); 28] = [
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

/// A number of seconds as libpq takes it, where 0 is no limit.
fn seconds(text: &str) -> Option<Duration> {
    const NO_LIMIT: u64 = 24 * 60 * 60;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(if seconds == 0 {
        NO_LIMIT
    } else {
        seconds
    }))
}

/// What the settings of a connection are read for, to stand behind "failed to".
const CONTEXT: &str = "failed to find the database";

/// What a file `.env` says, without touching the environment of the process, which other threads may be reading.
fn dot_env() -> Result<BTreeMap<String, String>> {
    let unreadable = || {
        // Which of those above the working directory it is, is what dotenvy does not say.
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

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Config {
    /// All but secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Config");
        for (name, value) in &self.parameters {
            out.field(
                name,
                if parameters::is_secret(name, value) {
                    &"***"
                } else {
                    value
                },
            );
        }
        out.field("connect_timeout", &self.connect_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("checkout_timeout", &self.checkout_timeout)
            .field("max_size", &self.max_size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let config = Config::from_url("postgres://ann:s3cretmarker@db/bank").expect("a good URL");
        assert!(!format!("{config:?}").contains("s3cretmarker"));
    }

    #[test]
    fn the_error_of_a_bad_url_shows_nothing_of_it() {
        let error =
            Config::from_url("postgres://ann:s3cret/marker@db:port/bank").expect_err("a bad URL");
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(
            !shown.contains("s3cret") && !shown.contains("marker"),
            "{shown}"
        );
    }

    #[test]
    fn a_connect_timeout_in_the_url_is_heeded() {
        let config = Config::from_url("postgres://db/bank?connect_timeout=3").expect("a good URL");
        assert_eq!(config.connect_timeout, Duration::from_secs(3));
        assert!(
            !config
                .connection_parameters()
                .expect("libpq takes them")
                .said
                .contains_key("connect_timeout")
        );
    }
}
