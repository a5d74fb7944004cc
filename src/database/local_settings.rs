//! Settings of PostgreSQL that travel with each call, such as those that policies of row level
//! security read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Database;
use crate::command::control::Control;
use crate::error::{Error, Result};
use crate::sql_text::local_setting::LocalSchema;

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
    /// The value is bound, not written into the SQL.
    ///
    /// PostgreSQL does not remove a name at the end: after a call that had the setting, its value
    /// on the same session is empty. With [`Config::local_setting`](crate::Config::local_setting),
    /// it is empty on each session. A policy reads NULL and the empty value alike by `NULLIF`.
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

    /// Returns the database with a schema in which each call finds its tables: that of a tenant.
    ///
    /// Names without a schema are looked up in this one first, and in `public` if it does not have
    /// them: so the generated code for a table, with its enums, serves each schema that has the
    /// table. Names with a schema stay what they are. It travels with each call as a setting of
    /// [`Database::with_setting`] does, without a round trip, behind a pooler too. Statements and
    /// types are kept by schema.
    ///
    /// The name is not SQL: it is quoted. Calls fail with SQLSTATE 3F000 if the schema does not
    /// exist, and with 42501 if the role may not use it. A stream or COPY on the database and a
    /// session that is checked out are refused, since they would not have it.
    /// [`Database::migrate`] creates the tables in it.
    ///
    /// ```
    /// # use bank::Account;
    /// # use bowline::{Database, Result};
    /// # fn count(db: &Database) -> Result<i64> {
    /// let tenant = db.with_schema("tenant_7");
    /// tenant.run(Account::count())
    /// # }
    /// ```
    pub fn with_schema(&self, name: &str) -> Self {
        Self {
            local: self.local.with_schema(name),
            ..self.clone()
        }
    }

    /// Returns the schema of this database.
    pub(super) fn local_schema(&self) -> Option<&LocalSchema> {
        self.local.schema()
    }

    /// Fails if this database has a schema, for calls that would not have it.
    #[inline]
    pub(crate) fn refuse_schema(&self, what: &str) -> Result<()> {
        self.local
            .schema()
            .map_or(Ok(()), |schema| Err(without_schema(what, schema)))
    }
}

#[cold]
fn without_schema(what: &str, schema: &LocalSchema) -> Error {
    let name = &schema.name;
    Error::query(format!(
        "{what} of a database with the schema `{name}` would not have it"
    ))
    .with_hint("use the session of Database::transaction, which has it")
}

/// The settings of one handle of a database.
#[derive(Clone, Default)]
pub(super) struct LocalSettings {
    own: Arc<[Arc<(String, String)>]>,
    schema: Option<Arc<LocalSchema>>,
    /// What any handle of the same database had.
    seen: Arc<Mutex<Seen>>,
}

/// What handles of a database had, for calls within the transaction of a test.
#[derive(Default)]
struct Seen {
    names: BTreeSet<String>,
    has_schema: bool,
}

impl LocalSettings {
    /// Returns the settings with one more, or with another value of one.
    pub(super) fn with(&self, name: &str, value: String) -> Self {
        self.seen().names.insert(name.to_owned());
        let others = self.own.iter().filter(|other| other.0 != name).cloned();
        let new = Arc::new((name.to_owned(), value));
        Self {
            own: others.chain([new]).collect(),
            ..self.clone()
        }
    }

    /// Returns the settings with another schema.
    pub(super) fn with_schema(&self, name: &str) -> Self {
        self.seen().has_schema = true;
        Self {
            schema: Some(Arc::new(LocalSchema::new(name))),
            ..self.clone()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.schema.is_none()
    }

    /// Returns the schema of this handle, for its sessions.
    pub(super) fn shared_schema(&self) -> Option<Arc<LocalSchema>> {
        self.schema.clone()
    }

    /// Returns the schema of this handle.
    pub(super) fn schema(&self) -> Option<&LocalSchema> {
        self.schema.as_deref()
    }

    /// Returns what sets them until the transaction ends.
    ///
    /// A savepoint does not end them: within the transaction of a test, each call also removes the
    /// settings of earlier calls.
    pub(super) fn controls(&self, is_within: bool) -> Vec<Control> {
        if !is_within && self.is_empty() {
            return Vec::new();
        }
        let mut all = Vec::new();
        let mut has_schema = false;
        if is_within {
            let seen = self.seen();
            has_schema = seen.has_schema;
            let is_own = |name: &&String| self.own.iter().any(|own| own.0 == **name);
            let removed = seen.names.iter().filter(|name| !is_own(name));
            all.extend(removed.map(|name| Control::Setting((name.clone(), String::new()).into())));
        }
        all.extend(self.own.iter().cloned().map(Control::Setting));
        let none = || has_schema.then_some(Control::NoSchema);
        all.extend(self.schema.clone().map(Control::Schema).or_else(none));
        all
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LocalSettings {
    /// Formats the names only, since a value can be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.own.iter().map(|setting| &setting.0);
        let schema = self.schema.iter().map(|schema| &schema.path);
        f.debug_set().entries(names).entries(schema).finish()
    }
}
