//! Settings of PostgreSQL that travel with each call, such as those that policies of row level
//! security read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Database;
use crate::sql_text::local_setting::set_locally;

impl Database {
    /// Returns the database with a setting that each call has, such as one that policies of row
    /// level security read.
    ///
    /// The value is set as by `SET LOCAL`: it ends with the transaction, so no other call has it,
    /// and a pooler between can be in transaction mode. It takes no round trip, and the statements
    /// stay prepared. It applies to statements that are run, to transactions and to units of work.
    /// A stream or a COPY on a database with settings is refused: open a transaction around it. A
    /// session that is checked out does not have the setting.
    ///
    /// PostgreSQL does not remove a name at the end: after a call that had the setting, its value
    /// on the same session is empty. A policy reads both alike by `NULLIF`.
    ///
    /// ```
    /// # use bowline::{sql_query, Database, Result, StatementDsl as _};
    /// # fn orders(db: &Database, user: i64) -> Result<i64> {
    /// // CREATE POLICY own ON orders
    /// //     USING (user_id = NULLIF(current_setting('app.user_id', true), '')::bigint);
    /// let of_user = db.with_setting("app.user_id", user);
    /// of_user.run(sql_query("SELECT count(*) FROM orders").one::<i64>())
    /// # }
    /// ```
    pub fn with_setting(&self, name: &str, value: impl ToString) -> Self {
        Self {
            local: self.local.with(name, value.to_string()),
            ..self.clone()
        }
    }
}

/// The settings of one handle of a database.
#[derive(Clone, Default)]
pub(super) struct LocalSettings {
    own: Arc<[(String, String)]>,
    /// The names that any handle of the same database had.
    names: Arc<Mutex<BTreeSet<String>>>,
}

impl LocalSettings {
    /// Returns the settings with one more, or with another value of one.
    pub(super) fn with(&self, name: &str, value: String) -> Self {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned());
        drop(names);
        let others = self.own.iter().filter(|(other, _)| other != name).cloned();
        Self {
            own: others.chain([(name.to_owned(), value)]).collect(),
            names: Arc::clone(&self.names),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Returns the SQL that sets them until the transaction ends.
    ///
    /// A savepoint does not end them: within the transaction of a test, each call also removes the
    /// settings of earlier calls.
    pub(super) fn sql(&self, is_within: bool) -> Vec<Arc<str>> {
        if !is_within && self.is_empty() {
            return Vec::new();
        }
        let mut all: Vec<(String, String)> = Vec::new();
        if is_within {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            let is_own = |name: &&String| self.own.iter().any(|(own, _)| own == *name);
            let removed = names.iter().filter(|name| !is_own(name));
            all.extend(removed.map(|name| (name.clone(), String::new())));
        }
        all.extend(self.own.iter().cloned());
        let all = all.iter();
        all.map(|(name, value)| set_locally(name, value).into())
            .collect()
    }
}

impl fmt::Debug for LocalSettings {
    /// Formats the names only, since a value can be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.own.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}
