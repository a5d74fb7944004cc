//! The error of a failed call.
//!
//! [`Error`] has one [`ErrorKind`] for each action that a caller can take next, whichever layer
//! failed. All kinds have the same facts, which methods return.

mod build;
mod diesel;
mod display;
mod facts;
mod kind;
mod server;
mod shard;
mod shown;

pub use crate::constraint::Constraint;
use crate::no_session::NoSession;
use crate::sqlstate::SqlState;

pub(crate) use diesel::NO_ROW;
use facts::Facts;
pub use facts::StatementIndex;
pub use kind::{ErrorKind, Outcome};
pub use server::ServerError;
#[doc(hidden)]
pub use shown::is_hidden;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a failed call.
///
/// Match on [`Error::kind`] to decide what to do, and on [`Error::constraint`] for a violated
/// constraint.
///
/// `Display` is one sentence, for logs and for `anyhow`. It holds placeholders in place of values;
/// the server's [`detail`](Error::detail), which quotes data, is not part of it. `Debug` adds the
/// cause and the hint on the same line, since a `main` that returns an error prints it; `{:#?}`
/// shows all facts.
pub struct Error(Box<Facts>);

/// An error is part of every `Result` of this crate, so it is as small as a pointer.
const _: () = assert!(size_of::<Error>() == size_of::<usize>());

impl Error {
    /// Returns what the caller can do next.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the outcome of the work.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns the server's SQLSTATE, if the server answered.
    pub fn sqlstate(&self) -> Option<SqlState> {
        self.server().map(|server| server.sqlstate)
    }

    /// Returns true if connecting cannot succeed without a change of a setting, here or on the
    /// server.
    ///
    /// Such are a wrong password, a database that does not exist and a certificate that is not
    /// valid. Outages and timeouts are not permanent.
    pub fn is_permanent(&self) -> bool {
        self.kind() == ErrorKind::Config
    }

    /// Returns the message on one line: Bowline's if there is one, else the server's.
    pub fn message(&self) -> &str {
        match (&*self.0.message, self.server()) {
            ("", Some(server)) => &server.message,
            (message, _) => message,
        }
    }

    /// Returns the server's detail. It often quotes the data at fault, so `Display` leaves it out.
    pub fn detail(&self) -> Option<&str> {
        self.server()?.detail.as_deref()
    }

    /// Returns the hint, of the server or of Bowline.
    pub fn hint(&self) -> Option<&str> {
        self.server()
            .and_then(|server| server.hint.as_deref())
            .or(self.0.hint.as_deref())
    }

    /// Returns the position of the fault in [`Error::sql`], in characters; the first is 1.
    pub fn position(&self) -> Option<usize> {
        self.server()?.position
    }

    /// Returns the SQL at fault, with placeholders in place of values.
    pub fn sql(&self) -> Option<&str> {
        self.0.sql.as_deref()
    }

    /// Returns the index of the failed statement in a tuple or `Vec`; `None` if it was sent alone.
    pub fn statement_index(&self) -> Option<StatementIndex> {
        self.0.statement_index
    }

    /// Returns the row of a COPY at fault, counted from 1.
    pub fn row(&self) -> Option<u64> {
        self.0.row
    }

    /// Returns the number of attempts at the work.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns all fields of the server's error, where the server answered.
    pub fn server(&self) -> Option<&ServerError> {
        self.0.server.as_deref()
    }

    /// Returns the violated constraint of one table, as a value to match on; `None` for any other
    /// failure.
    ///
    /// On Citus a shard of the table has violated its own constraint, both with the number of the
    /// shard after their names, and shortened by a hash where they would be too long; that is the
    /// table's constraint too. Citus passes on only the text of a worker's error, so there the
    /// names are read from the text, and [`Error::constraint_name`] is `None`.
    pub fn constraint<C: Constraint>(&self) -> Option<C> {
        let server = self.server()?;
        if let Some(context) = &server.context
            && shard::is_of_worker(server, context)
        {
            return shard::constraint_in(&server.message);
        }
        // Code for tables of `public` serves those of another schema too.
        let is_of_schema = server.schema.as_deref() == Some(C::SCHEMA)
            || server.is_in_local_schema && C::SCHEMA == "public" && !C::IS_QUALIFIED;
        let table = server.table.as_deref().filter(|_| is_of_schema)?;
        let name = server.constraint.as_deref()?;
        if table == C::TABLE {
            return C::from_name(name);
        }
        let suffix = shard::suffix(table)?;
        if !shard::is_of_shard(table, C::TABLE, suffix) {
            return None;
        }
        let mut all = C::ALL.iter().copied();
        let of_table = all.find(|one| shard::is_of_shard(name, one.name(), suffix));
        // A check has the same name on each shard.
        of_table.or_else(|| C::from_name(name))
    }

    /// Returns the name of the violated constraint or unique index.
    pub fn constraint_name(&self) -> Option<&str> {
        self.server()?.constraint.as_deref()
    }

    /// Returns the reason why the pool had no session; `None` for any other failure, and for a
    /// permanent one.
    pub fn no_session(&self) -> Option<&NoSession> {
        self.0.no_session.as_deref()
    }
}
