//! `Config`: the connection parameters of a database, and the settings of its pool.
//!
//! Connection parameters are libpq's own (PostgreSQL manual, 32.1.2). They come from a URL, a
//! key=value string, the environment or the methods here. For the rest, libpq's defaults apply, as
//! they do for `psql`. Neither `Debug` nor an error shows a password.

mod environment;
mod parameters;
mod pooler;
mod reader;
mod target;
mod typo;

use environment::{ENVIRONMENT, dot_env};
pub(crate) use parameters::{Parameters, UTC};
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

/// The connection parameters of a database, and the settings of its pool.
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
    pub(crate) pooler: Option<bool>,
    pub(crate) pooler_prepares: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) slow_statement: Option<Duration>,
    pub(crate) explain_slow: bool,
    pub(crate) trust_views_and_operators: bool,
    pub(crate) migrations: Option<Migrations>,
    pub(crate) refuse_pending: bool,
    pub(crate) database: Option<Arc<str>>,
    /// The parameters that sessions of a reader have in place of those of the database.
    reader_parameters: BTreeMap<String, String>,
    /// Whether its sessions are those of a reader, whose server need not take writes.
    pub(crate) is_reader: bool,
    /// Whether the server is known to refuse `client_connection_check_interval`; shared by clones.
    pub(crate) refuses_client_check: Arc<AtomicBool>,
    /// Whether the statements that the pooler has prepared are no longer right; shared by clones.
    pub(crate) pooler_is_stale: Arc<AtomicBool>,
}

impl Config {
    /// Returns a configuration of libpq's defaults: a local server, and the role named like the
    /// operating system user.
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
            pooler: None,
            pooler_prepares: false,
            pooler_is_stale: Arc::default(),
            retry: RetryPolicy::default(),
            slow_statement: None,
            explain_slow: false,
            trust_views_and_operators: true,
            migrations: None,
            reader_parameters: BTreeMap::new(),
            is_reader: false,
            refuses_client_check: Arc::default(),
            refuse_pending: false,
            database: None,
        }
    }

    /// Reads `DATABASE_URL`, and libpq's own variables (`PGHOST`, `PGUSER`, ..) for the rest.
    ///
    /// A file `.env` in the working directory or above it adds the variables that the environment
    /// does not have. Fails if the file cannot be read, or if neither sets any of these variables.
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
        let has_timeout = config.connect_timeout != Self::new().connect_timeout;
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
        if let Some(limit) = variable("PGCONNECT_TIMEOUT").filter(|_| !has_timeout) {
            config.connect_timeout = seconds(&limit).ok_or_else(|| {
                Error::config(
                    "PGCONNECT_TIMEOUT is not a number of seconds",
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

    /// Reads a URL (`postgres://..`) or a key=value string (`host=.. dbname=..`).
    ///
    /// Spaces around it are ignored. The error describes the fault and quotes nothing of the
    /// string, since it may hold a password.
    pub fn from_url(url: &str) -> Result<Self> {
        Self::read(url, "the connection string")
    }

    /// Reads a connection string; errors call it `name`.
    fn read(text: &str, name: &str) -> Result<Self> {
        let unreadable = |typo: Typo| {
            let what = format!("{name} cannot be read: {}", typo.what);
            Error::config(what, typo.remedy).with_context(CONTEXT)
        };
        // A string from a file or a shell often ends with a line break.
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
        // libpq uses it only in its blocking functions, which are not called here.
        if let Some(limit) = config.parameters.remove("connect_timeout") {
            config.connect_timeout = seconds(&limit).ok_or_else(|| {
                unreadable(Typo {
                    what: "its connect_timeout is not a number of seconds".to_owned(),
                    remedy: "write a whole number, connect_timeout=5, or leave it out".to_owned(),
                })
            })?;
        }
        Ok(config)
    }

    /// Sets any parameter of libpq (PostgreSQL manual, 32.1.2). Connecting fails if libpq does not
    /// know the parameter.
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the server's name or address, or the directory of its Unix socket.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.parameter("host", host)
    }

    /// Sets the server's port.
    pub fn port(self, port: u16) -> Self {
        self.parameter("port", port.to_string())
    }

    /// Sets the role to log in as.
    pub fn user(self, user: impl Into<String>) -> Self {
        self.parameter("user", user)
    }

    /// Sets the role's password.
    pub fn password(self, password: impl Into<String>) -> Self {
        self.parameter("password", password)
    }

    /// Sets the name of the database.
    pub fn dbname(self, dbname: impl Into<String>) -> Self {
        self.parameter("dbname", dbname)
    }

    /// Sets how long connecting may take in all, including the look-up of names; 5 s unless set.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long one call may take, including all its round trips and retries; 30 s unless set.
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit;
        self
    }

    /// Sets how long to wait for a session of the pool; 5 s unless set.
    ///
    /// The limit includes the time to open a new session. If the server is down, connecting is
    /// retried until then. [`Error::no_session`](crate::Error::no_session) says why no session was
    /// available.
    pub fn checkout_timeout(mut self, limit: Duration) -> Self {
        self.checkout_timeout = limit;
        self
    }

    /// Sets how many sessions the pool opens at most; 10 unless set. At least 1, and at most
    /// 262143, PostgreSQL's own limit.
    ///
    /// A session is opened only if a caller waits and no session is returned in the meantime.
    /// Shortly before a caller's wait times out, one more connection asks the server what the other
    /// sessions do. It is opened at most once a second, and closed afterwards.
    pub fn max_size(mut self, sessions: u32) -> Self {
        self.max_size = sessions.clamp(1, MAX_BACKENDS);
        self
    }

    /// Limits how many callers may wait for a session to be returned, when no more can be opened.
    /// Further callers fail at once. No limit unless set.
    pub fn max_waiting(mut self, callers: u32) -> Self {
        self.max_waiting = callers;
        self
    }

    /// Sets the longest lifetime of a pooled session; 30 minutes unless set, at least 1 s and at
    /// most a year.
    ///
    /// Each session ends 0 to 10 % earlier, so that sessions opened together do not end together. A
    /// session that is in use then is closed when it is returned.
    pub fn max_lifetime(mut self, limit: Duration) -> Self {
        self.max_lifetime = limit.clamp(Duration::from_secs(1), A_YEAR);
        self
    }

    /// Sets how long a pooled session may be idle before it is closed; 10 minutes unless set, at
    /// least 1 s.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit.clamp(Duration::from_secs(1), A_YEAR);
        self
    }

    /// Sets after how much idle time a session is pinged before it is handed out; 30 s unless set.
    ///
    /// The ping takes one round trip and at most 1 s. Before that time only the socket is checked.
    /// That detects a server that has closed the connection, but not a network that has dropped it.
    pub fn ping_after(mut self, idle: Duration) -> Self {
        self.ping_after = idle;
        self
    }

    /// Sets after how long a `tracing` warning names the holder of a session; 5 minutes unless set.
    /// There is one warning for each checkout.
    pub fn leak_threshold(mut self, held: Duration) -> Self {
        self.leak_threshold = held.min(A_YEAR);
        self
    }

    /// Sets how many statements each session keeps prepared; 256 unless set, 0 for none. When the
    /// cache is full, the statement that is used least is closed.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }

    /// Names a setting that calls have, by
    /// [`Database::with_setting`](crate::Database::with_setting).
    ///
    /// On every session its value is empty without a call that has it. Otherwise PostgreSQL does
    /// not know the name on a session before the first such call, `current_setting` fails or
    /// returns NULL there, and returns the empty value on later ones.
    pub fn local_setting(self, name: &str) -> Self {
        self.with_option(name, "")
    }

    /// Sets which failures are retried, how often, and after which pauses.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets after how long a statement is slow; a slow statement is reported as a `tracing` event
    /// of target `bowline::slow`. Unless set, there are no such events.
    ///
    /// The time runs from the encoding of the statement's values to the reading of its answer. It
    /// does not include the wait for a session.
    pub fn slow_statement(mut self, limit: Duration) -> Self {
        self.slow_statement = Some(limit);
        self
    }

    /// Sets whether the event of a slow statement includes the server's plan; off unless set.
    ///
    /// It costs one more round trip after each slow statement, on the same session: `EXPLAIN` of
    /// the same SQL with the same values. The statement is planned again and not run. The plan
    /// quotes values in its conditions. `EXPLAIN` may take up to a second, and not longer than the
    /// call's deadline. Within a transaction it runs in a savepoint.
    ///
    /// There is no plan for streams, for statements that `EXPLAIN` does not accept, and in a
    /// transaction that has failed.
    pub fn explain_slow(mut self, explain: bool) -> Self {
        self.explain_slow = explain;
        self
    }

    /// Sets whether a handwritten query may count as one that only reads; on unless set.
    ///
    /// A query that only reads is run again when its answer is lost. Its failure has the outcome
    /// [`NotCommitted`](crate::Outcome::NotCommitted). Queries that were generated from tables
    /// always count as reading. A handwritten query counts if it locks no row, contains no keyword
    /// that writes, and calls only PostgreSQL's own functions that merely compute, such as `count`
    /// and `lower`. Where it matters, the server is asked whether the database has functions of the
    /// same names that write.
    ///
    /// Views, operators, casts, policies of row-level security, and functions called as if they
    /// were columns (`account.total`) are not checked: they are assumed not to write. Turn this off
    /// for a database where one of them calls a function that writes. Then no handwritten query
    /// counts as reading. The outcome after a lost answer is then determined as for a write. If it
    /// cannot be determined, it is [`Unknown`](crate::Outcome::Unknown).
    pub fn trust_views_and_operators(mut self, trust: bool) -> Self {
        self.trust_views_and_operators = trust;
        self
    }

    /// Sets the migrations that the program was built for: `MIGRATIONS` of the generated code.
    ///
    /// [`Config::open`] checks once, in one round trip, whether the database has run them. A
    /// `tracing` event of target `bowline::migrations` warns of migrations that have not run. It
    /// also warns of migrations that have run and that the program does not know: in a rolling
    /// deploy, the migrations of the new version run first. If the check fails, that is a warning
    /// too.
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

    /// Sets whether a database that has not run all of [`Config::migrations`] is refused, by
    /// [`ErrorKind::Config`](crate::ErrorKind::Config). Unless set, there is only a warning.
    pub fn refuse_pending(mut self, refuse: bool) -> Self {
        self.refuse_pending = refuse;
        self
    }

    /// Names the database, as the setting `database` of `bowline.toml` does, for a program that
    /// opens several: a generated statement of another one is
    /// [`ErrorKind::Query`](crate::ErrorKind::Query), and nothing is sent.
    ///
    /// Statements of a package without that setting run on each handle, and so do diesel's own
    /// queries, SQL by hand and COPY. A handle without a name runs every statement.
    ///
    /// ```no_run
    /// # mod db { pub const DATABASE: &str = "ledger"; }
    /// let config = bowline::Config::from_url("postgres://ann@db.example.com/ledger")?;
    /// let ledger = config.serves(db::DATABASE).open()?;
    /// # Ok::<(), bowline::Error>(())
    /// ```
    pub fn serves(mut self, database: impl Into<Arc<str>>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Sets the name of this program's sessions in `pg_stat_activity` and in the server's log.
    /// Unless set, it is the name of the program.
    pub fn application_name(self, name: impl Into<String>) -> Self {
        self.parameter("application_name", name)
    }
}

/// The largest number of sessions that a server accepts (PostgreSQL's `MAX_BACKENDS`).
const MAX_BACKENDS: u32 = 0x3_FFFF;

/// Parses a number of seconds as libpq does: 0 means no limit.
fn seconds(text: &str) -> Option<Duration> {
    const NO_LIMIT: u64 = 24 * 60 * 60;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(if seconds == 0 {
        NO_LIMIT
    } else {
        seconds
    }))
}

/// The context of errors in connection settings, after "failed to".
const CONTEXT: &str = "failed to find the database";

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Config {
    /// Formats all parameters without secrets.
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
    fn a_connect_timeout_in_the_url_is_used() {
        let config = Config::from_url("postgres://db/bank?connect_timeout=3").expect("a good URL");
        assert_eq!(config.connect_timeout, Duration::from_secs(3));
        assert!(
            !config
                .connection_parameters()
                .expect("libpq takes them")
                .values
                .contains_key("connect_timeout")
        );
    }
}
