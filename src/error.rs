//! Why a call failed, grouped by what the caller does next.
//!
//! One variant for each thing to do, whatever layer failed; the facts are the same in all of them and
//! are asked by method. Texts fit after "failed to", on one line.

mod build;
mod diesel;
mod server;
mod shown;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::constraint::Constraint;
use crate::no_session::NoSession;
use crate::sqlstate::{SqlState, SqlStateClass as Class};

pub use server::ServerError;
use shown::Shown;
#[doc(hidden)]
pub use shown::is_hidden;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed, by what the caller can do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No row, or fewer than were asked for: answer "not there".
    NotFound(Report),
    /// More rows than were asked for: the query selects by something that is not unique.
    TooManyRows(Report),
    /// The data broke a constraint and will break it again: [`Error::constraint`] says which.
    Constraint(Report),
    /// Concurrent transactions won, as often as was tried: try again later.
    Conflict(Report),
    /// The deadline passed: see [`Error::outcome`] before trying again.
    Timeout(Report),
    /// The server or a connection to it could not be had, or was lost: see [`Error::outcome`].
    Unavailable(Report),
    /// The query can never work as it is: mend it.
    Query(Report),
    /// The answer does not fit the Rust type: mend the type.
    Decode(Report),
    /// A setting is missing or wrong: mend it.
    Config(Report),
}

/// What became of the work of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing of it is in the database.
    NotCommitted,
    /// All of it is in the database; the failure came after.
    Committed,
    /// It may be either: the connection was lost while the commit was under way. Or it is a part: SQL that commits by
    /// itself (COMMIT in a script, CALL, CREATE INDEX CONCURRENTLY) failed, or something behind it did.
    Unknown,
}

/// The facts of a failure.
pub struct Report(Box<Facts>);

#[derive(Clone)]
struct Facts {
    outcome: Outcome,
    /// What was about to be done, where that is more than the variant says.
    intent: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
    server: Option<Arc<ServerError>>,
    no_session: Option<Box<NoSession>>,
    hint: Option<Cow<'static, str>>,
    sql: Option<Arc<str>>,
    place: Option<Place>,
    row: Option<u64>,
    attempts: u32,
    /// Whether types of the statement were looked up by name, so that their OIDs may be out of date.
    rests_on_types: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Which statement of those that travelled together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub number: usize,
    /// How many there were.
    pub of: usize,
}

impl Error {
    /// What became of the work.
    pub fn outcome(&self) -> Outcome {
        self.facts().outcome
    }

    /// The server's code, where the server answered.
    pub fn sqlstate(&self) -> Option<SqlState> {
        self.server().map(|server| server.sqlstate)
    }

    /// Whether connecting is in vain until somebody changes a setting, here or on the server.
    ///
    /// Such are a wrong password, a database that does not exist, a certificate that does not hold. A server
    /// that is down, starting or full is none, nor is a deadline that passed.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Config(_))
    }

    /// The one line message: ours where there is one, else the server's.
    pub fn message(&self) -> &str {
        match (&*self.facts().message, self.server()) {
            ("", Some(server)) => &server.message,
            (message, _) => message,
        }
    }

    /// The server's detail; it often quotes the data at fault, so it is not part of the text.
    pub fn detail(&self) -> Option<&str> {
        self.server()?.detail.as_deref()
    }

    /// What to do, by the server or by us.
    pub fn hint(&self) -> Option<&str> {
        self.server()
            .and_then(|server| server.hint.as_deref())
            .or(self.facts().hint.as_deref())
    }

    /// Where in [`Error::sql`], in characters, the first being 1.
    pub fn position(&self) -> Option<usize> {
        self.server()?.position
    }

    /// The SQL at fault, with placeholders in the place of values.
    pub fn sql(&self) -> Option<&str> {
        self.facts().sql.as_deref()
    }

    /// Which of the statements that travelled together failed; `None` where one went alone.
    pub fn place(&self) -> Option<Place> {
        self.facts().place
    }

    /// Which row of a COPY is at fault, counted from 1.
    pub fn row(&self) -> Option<u64> {
        self.facts().row
    }

    /// How often the work was tried.
    pub fn attempts(&self) -> u32 {
        self.facts().attempts
    }

    /// All that the server said, where it answered.
    pub fn server(&self) -> Option<&ServerError> {
        self.facts().server.as_deref()
    }

    /// The violated constraint of one table, as a value to match on; `None` for any other failure.
    pub fn constraint<C: Constraint>(&self) -> Option<C> {
        let server = self.server()?;
        let here = server.table.as_deref() == Some(C::TABLE)
            && server.schema.as_deref() == Some(C::SCHEMA);
        C::from_name(server.constraint.as_deref().filter(|_| here)?)
    }

    /// The name of the violated constraint or unique index.
    pub fn constraint_name(&self) -> Option<&str> {
        self.server()?.constraint.as_deref()
    }

    /// Why the pool gave no session; `None` for any other failure, and where connecting failed for good.
    pub fn no_session(&self) -> Option<&NoSession> {
        self.facts().no_session.as_deref()
    }

    pub(crate) fn shared_server(&self) -> Option<&Arc<ServerError>> {
        self.facts().server.as_ref()
    }

    /// The message as a sentence of its own, for who tells it within another.
    pub(crate) fn told(&self) -> String {
        match &self.facts().intent {
            Some(intent) => format!("could not {intent}: {}", self.message()),
            None => self.message().to_owned(),
        }
    }

    /// The variant's name, for those who count.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::TooManyRows(_) => "too_many_rows",
            Self::Constraint(_) => "constraint",
            Self::Conflict(_) => "conflict",
            Self::Timeout(_) => "timeout",
            Self::Unavailable(_) => "unavailable",
            Self::Query(_) => "query",
            Self::Decode(_) => "decode",
            Self::Config(_) => "config",
        }
    }

    /// The same failure, to be told to another who waits for the same thing.
    pub(crate) fn again(&self) -> Self {
        let facts = self.facts();
        let variant = match self {
            Self::NotFound(_) => Self::NotFound,
            Self::TooManyRows(_) => Self::TooManyRows,
            Self::Constraint(_) => Self::Constraint,
            Self::Conflict(_) => Self::Conflict,
            Self::Timeout(_) => Self::Timeout,
            Self::Unavailable(_) => Self::Unavailable,
            Self::Query(_) => Self::Query,
            Self::Decode(_) => Self::Decode,
            Self::Config(_) => Self::Config,
        };
        variant(Report(Box::new(facts.clone())))
    }

    /// The same facts as another variant.
    pub(crate) fn reclassify(self, variant: fn(Report) -> Self) -> Self {
        variant(self.into_report())
    }

    fn facts(&self) -> &Facts {
        match self {
            Self::NotFound(r)
            | Self::TooManyRows(r)
            | Self::Constraint(r)
            | Self::Conflict(r)
            | Self::Timeout(r)
            | Self::Unavailable(r)
            | Self::Query(r)
            | Self::Decode(r)
            | Self::Config(r) => &r.0,
        }
    }

    fn facts_mut(&mut self) -> &mut Facts {
        match self {
            Self::NotFound(r)
            | Self::TooManyRows(r)
            | Self::Constraint(r)
            | Self::Conflict(r)
            | Self::Timeout(r)
            | Self::Unavailable(r)
            | Self::Query(r)
            | Self::Decode(r)
            | Self::Config(r) => &mut r.0,
        }
    }

    fn into_report(self) -> Report {
        match self {
            Self::NotFound(r)
            | Self::TooManyRows(r)
            | Self::Constraint(r)
            | Self::Conflict(r)
            | Self::Timeout(r)
            | Self::Unavailable(r)
            | Self::Query(r)
            | Self::Decode(r)
            | Self::Config(r) => r,
        }
    }

    /// What the caller was about to do, to stand after "failed to".
    fn intent(&self) -> &str {
        if let Some(intent) = &self.facts().intent {
            return intent;
        }
        match self {
            Self::NotFound(_) => "find the row",
            Self::TooManyRows(_) => "find a single row",
            Self::Constraint(_) => "keep a constraint",
            Self::Conflict(_) => "win against concurrent transactions",
            Self::Timeout(_) => "finish in time",
            Self::Unavailable(_) => "use the server",
            Self::Query(_) => "run the query",
            Self::Decode(_) => "read the answer",
            Self::Config(_) => "open the database",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        write!(f, "{}: {}", self.intent(), Shown(self.message()))?;
        if let Some(state) = self.sqlstate() {
            write!(f, " (SQLSTATE {state})")?;
        }
        if let Some(Place { number, of }) = facts.place {
            write!(f, ", in statement {number} of {of}")?;
        }
        if let Some(row) = facts.row {
            write!(f, ", in row {row}")?;
        }
        if facts.attempts > 1 {
            write!(f, ", tried {} times", facts.attempts)?;
        }
        match facts.outcome {
            Outcome::NotCommitted => Ok(()),
            Outcome::Committed => f.write_str("; the work is committed"),
            Outcome::Unknown => f.write_str("; whether the work is committed is not known"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.facts().source.as_deref().map(|source| source as _)
    }
}

impl Report {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Facts {
            message: message.into(),
            ..Facts::default()
        }))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            outcome: Outcome::NotCommitted,
            intent: None,
            message: Cow::Borrowed(""),
            server: None,
            no_session: None,
            hint: None,
            sql: None,
            place: None,
            row: None,
            attempts: 1,
            rests_on_types: false,
            source: None,
        }
    }
}

impl fmt::Debug for Report {
    /// Only what is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.0;
        let mut out = f.debug_struct("Report");
        if let Some(server) = &facts.server {
            out.field("server", server);
        }
        // Where it was, of what was not connected to: what a `main` that returns an error prints is this.
        if let Some(intent) = &facts.intent {
            out.field("intent", intent);
        }
        if !facts.message.is_empty() {
            out.field("message", &facts.message);
        }
        out.field("outcome", &facts.outcome);
        if let Some(hint) = &facts.hint {
            out.field("hint", hint);
        }
        if let Some(sql) = &facts.sql {
            out.field("sql", sql);
        }
        if let Some(place) = &facts.place {
            out.field("place", place);
        }
        if let Some(row) = &facts.row {
            out.field("row", row);
        }
        if facts.attempts > 1 {
            out.field("attempts", &facts.attempts);
        }
        if let Some(source) = &facts.source {
            out.field("source", source);
        }
        out.finish()
    }
}
