//! Behind a pooler in transaction mode (such as PgBouncer), each transaction may run on another
//! session of the server.
//!
//! So nothing is kept in the server's session: no named statements, no LISTEN, no locks of the
//! session. A pooler also refuses start-up options, so the settings of a transaction are sent with
//! it.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Session;
use bowline_sql::quote::literal;

use crate::command::Command;
use crate::command::control::Control;
use crate::command::prepared::PreparedStatements;
use crate::config::{Config, UTC};
use crate::error::{Error, Result};
use crate::sql_text::keywords::begins_transaction;
use crate::sql_text::read_only::Reads;
use crate::wire::libpq::Connection;

impl Config {
    /// Returns the query for the settings that a direct connection has from its start; `None`
    /// without a pooler.
    pub(crate) fn pooler_settings(&self) -> Option<Arc<str>> {
        if !self.is_pooled() {
            return None;
        }
        let calls: Vec<_> = self
            .settings()
            .iter()
            .map(|(name, value)| {
                format!(
                    "pg_catalog.set_config({}, {}, true)",
                    literal(name),
                    literal(value)
                )
            })
            .collect();
        Some(format!("SELECT {}", calls.join(", ")).into())
    }
}

/// The highest process id that Linux gives (`PID_MAX_LIMIT`); other systems stay far below it.
const HIGHEST_PROCESS: i32 = 1 << 22;

/// Fails if the connection goes through a pooler that the configuration does not name. This costs
/// no round trip.
///
/// A pooler that ignores the start-up options (`ignore_startup_parameters`) leaves another time
/// zone, which the server reports: the session would have other settings than was asked for. One
/// that takes them (PgBouncer from 1.20 on) makes up the process id, which is a random number.
/// CockroachDB does that too, and is no pooler.
pub(super) fn refuse_undeclared(config: &Config, connection: &Connection) -> Result<()> {
    if config.is_pooled() {
        return Ok(());
    }
    match connection.parameter_status(c"TimeZone") {
        Some(zone) if !zone.eq_ignore_ascii_case(UTC) && !config.sets_time_zone() => {
            return Err(Error::config(
                format!(
                    "unsupported startup parameter: options was ignored, so the time zone is {zone}, not {UTC}"
                ),
                "a pooler is between: set Config::pooler(true), or connect to the server itself",
            ));
        }
        _ => {}
    }
    let process = connection.backend_pid();
    let is_made_up = !(0..=HIGHEST_PROCESS).contains(&process);
    let is_declared = config.pooler.is_some();
    if is_made_up && !is_declared && connection.parameter_status(c"crdb_version").is_none() {
        return Err(Error::config(
            format!("a pooler or proxy is between: no server has the process id {process}"),
            "set Config::pooler(true), which uses nothing that a pooler in transaction mode lacks; \
             or pooler(false), if each connection keeps a session of the server",
        ));
    }
    Ok(())
}

/// Returns the memory of a new session's prepared statements.
///
/// Behind a pooler, other clients use the same session of the server: the names are those of this
/// client alone, so that one that the pooler does not know is an error, and never another client's
/// statement.
pub(super) fn prepared_statements(config: &Config) -> PreparedStatements {
    static CLIENTS: AtomicU64 = AtomicU64::new(0);
    let prepared = PreparedStatements::new(config.prepared_statements());
    if !config.is_pooled() {
        return prepared;
    }
    let moment = SystemTime::now().duration_since(UNIX_EPOCH);
    let moment = moment.map_or(0, |moment| moment.as_nanos());
    let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    prepared.with_prefix(format!("bowline_{process:x}_{moment:x}_{client:x}"))
}

impl Session {
    /// Sends no more statements under a name if the connection goes through a pooler: what the
    /// pooler has prepared would be found by its text, in a new session too.
    pub(super) fn stop_preparing_behind_pooler(&mut self) {
        if self.pooler.is_none() || !self.connection.prepared().is_enabled() {
            return;
        }
        self.connection.prepared_mut().stop();
        if !self.pooler_is_stale.swap(true, Ordering::Relaxed) {
            self.observer.stopped_preparing();
        }
    }

    /// Returns the query that is sent with each transaction behind a pooler; `None` for a direct
    /// connection.
    pub(crate) fn pooler_settings(&self) -> Option<&str> {
        self.pooler.as_deref()
    }

    /// Inserts the settings of a pooled transaction before its first statement; returns how many
    /// commands that are.
    ///
    /// The settings follow its BEGIN if it has one. A statement that cannot run in a transaction
    /// gets none.
    pub(super) fn insert_pooler_settings(&self, commands: &mut Vec<Command>) -> usize {
        let Some(settings) = &self.pooler else {
            return 0;
        };
        let begins = commands.iter().position(Command::begins_transaction);
        let place = match begins {
            Some(place) => place + 1,
            None if self.transaction_depth() > 0 => return 0,
            None if commands.iter().all(may_share_transaction) => 0,
            None => return 0,
        };
        // The settings end with the transaction.
        let settings = Command::plain(Arc::clone(settings)).with_reads(Reads::Yes);
        commands.insert(place, settings);
        1
    }
}

impl Session {
    /// Returns the SQL that is sent before a simple query: the deferred SQL, and after its BEGIN
    /// the settings of a pooled transaction.
    ///
    /// A `transactional` query gets the settings without a BEGIN too. A script may hold statements
    /// that cannot run in a transaction.
    pub(super) fn prefix_of_simple_query(&self, transactional: bool) -> String {
        let statements = self.prefix_statements(transactional).into_iter();
        statements.map(|sql| format!("{sql};")).collect()
    }

    /// As [`Session::prefix_of_simple_query`], as separate statements.
    pub(super) fn prefix_statements(&self, transactional: bool) -> Vec<Cow<'_, str>> {
        let deferred = self.transactions.deferred().iter();
        let mut parts: Vec<_> = deferred.map(Control::sql).collect();
        if let Some(settings) = &self.pooler {
            let begins = parts.iter().position(|sql| begins_transaction(sql));
            match begins {
                Some(place) => parts.insert(place + 1, (**settings).into()),
                None if transactional && self.transaction_depth() == 0 => {
                    parts.insert(0, (**settings).into());
                }
                None => {}
            }
        }
        parts
    }
}

/// Returns whether a statement may be part of a transaction, by its kind.
fn may_share_transaction(command: &Command) -> bool {
    command.text.is_query()
}
