//! Behind a pooler in transaction mode (such as PgBouncer), each transaction may run on another
//! session of the server.
//!
//! So nothing is kept in the server's session: no named statements, no LISTEN, no locks of the
//! session. A pooler also refuses start-up options, so the settings of a transaction are sent with
//! it.

use std::borrow::Cow;
use std::sync::Arc;

use super::Session;
use bowline_sql::quote::literal;

use crate::command::Command;
use crate::command::control::Control;
use crate::config::{Config, UTC};
use crate::error::{Error, Result};
use crate::sql_text::keywords::begins_transaction;
use crate::sql_text::read_only::Reads;
use crate::wire::libpq::Connection;

impl Config {
    /// Returns the query for the settings that a direct connection has from its start; `None`
    /// without a pooler.
    pub(crate) fn pooler_settings(&self) -> Option<Arc<str>> {
        if !self.pooler {
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

/// Fails if a pooler has ignored the start-up options (`ignore_startup_parameters`): the session
/// would have other settings than was asked for. The
/// server reports its time zone, so this costs nothing.
pub(super) fn refuse_ignored_options(config: &Config, connection: &Connection) -> Result<()> {
    if config.pooler {
        return Ok(());
    }
    match connection.parameter_status(c"TimeZone") {
        Some(zone) if !zone.eq_ignore_ascii_case(UTC) && !config.sets_time_zone() => {
            Err(Error::config(
                format!(
                    "unsupported startup parameter: options was ignored, so the time zone is {zone}, not {UTC}"
                ),
                "a pooler is between: set Config::pooler(true), or connect to the server itself",
            ))
        }
        _ => Ok(()),
    }
}

impl Session {
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
