//! Behind a pooler in transaction mode (PgBouncer, say), where each transaction may run on another session
//! of the server's.
//!
//! So nothing is kept there: no named statements, no LISTEN, no locks of the session, no start-up options,
//! which a pooler refuses. What a transaction needs to be set travels with it.

use std::sync::Arc;

use super::Session;
use bowline_sql::quote::literal;

use crate::command::Command;
use crate::config::Config;
use crate::sql_text::keywords::begins_transaction;
use crate::sql_text::read_only::Reads;
use crate::sql_text::statement_kinds::query_kind;

impl Config {
    /// The query that sets what a direct connection has from its start; `None` unless there is a pooler.
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

impl Session {
    /// What travels with each transaction behind a pooler; `None` for a session of our own.
    pub(crate) fn pooler_settings(&self) -> Option<&str> {
        self.pooler.as_deref()
    }

    /// Puts the settings of a pooled transaction in front of its first statement; tells how many commands that are.
    ///
    /// Behind its BEGIN if it has one. A statement that must run alone goes without.
    pub(super) fn settle_in(&self, commands: &mut Vec<Command>) -> usize {
        let Some(settings) = &self.pooler else {
            return 0;
        };
        let begins = commands.iter().position(Command::begins_transaction);
        let place = match begins {
            Some(place) => place + 1,
            None if self.transaction_depth() > 0 => return 0,
            None if commands.iter().all(may_stand_with_others) => 0,
            None => return 0,
        };
        // They end with the transaction.
        let settings = Command::plain(Arc::clone(settings)).with_reads(Reads::Yes);
        commands.insert(place, settings);
        1
    }
}

impl Session {
    /// What travels in front of a simple query: what waits, and behind its BEGIN the settings of a pooled transaction.
    ///
    /// A query that is `transactional` gets them without a BEGIN too; a script may hold what must run alone.
    pub(super) fn in_front_of_a_query(&self, transactional: bool) -> String {
        let statements = self.statements_in_front(transactional).into_iter();
        statements.map(|sql| format!("{sql};")).collect()
    }

    /// The same, one by one.
    pub(super) fn statements_in_front(&self, transactional: bool) -> Vec<&str> {
        let mut parts: Vec<&str> = self
            .transactions
            .waiting()
            .iter()
            .map(AsRef::as_ref)
            .collect();
        if let Some(settings) = &self.pooler {
            let begins = parts.iter().position(|sql| begins_transaction(sql));
            match begins {
                Some(place) => parts.insert(place + 1, settings),
                None if transactional && self.transaction_depth() == 0 => parts.insert(0, settings),
                None => {}
            }
        }
        parts
    }
}

/// Returns whether a statement may be part of a transaction, by its kind.
fn may_stand_with_others(command: &Command) -> bool {
    query_kind(&command.sql).is_some()
}
