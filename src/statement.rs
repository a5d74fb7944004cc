//! `Statement`: a value that holds a query and the way its answer is read.
//!
//! A statement holds a finished diesel query. It is encoded by reference, so a retry can encode it
//! again. It holds no connection: sessions run it. Several statements in a tuple or a `Vec` are one
//! statement. They are sent together, in one transaction.

mod compose;
mod lock;
mod position;
mod query;
mod read;
pub(crate) mod ready;
mod sql;

use crate::command::Command;
use crate::command::columns::Columns;
use crate::command::text::TextCache;
use crate::command::types::{TypeLookup, TypeName};
use crate::error::{Error, Result};
use crate::sql_text::search_path::SearchPathKey;
use crate::wire::answer::Answer;
use crate::wire::row::SessionRow;

pub use crate::chunks::chunks;
pub use crate::page::InvalidPosition;
pub use compose::{BoxedStatement, Map, Named, Unprepared};
pub use lock::{Lockable, RowLock};
#[doc(hidden)]
pub use query::DieselQuery;
pub use query::StatementDsl;
pub(crate) use query::render;
pub use read::ReadStatement;
pub use ready::{
    CheckedQuery, CheckedStatement, ExactQuery, Exactly, Graph, Many, One, Optional, Query,
    QueryOutput, Read, Relation, RowsAffected, WasWritten, Write, WriteMany, WriteQuery,
};
#[doc(hidden)]
pub use sql::row_value;
pub use sql::{DefaultSqlType, Row, Sql, sql_query};

/// A query and the way its answer is read.
///
/// [`StatementDsl`] turns any diesel query into a statement, and generated functions return
/// statements. Tuples of up to twelve statements and `Vec`s of statements are statements too. A
/// statement is run by [`Database::run`](crate::Database::run),
/// [`Session::run`](crate::Session::run) or an [`Executor`](crate::Executor), all or nothing. The
/// trait is sealed.
#[must_use = "a statement does nothing until it is run"]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a statement",
    label = "not a statement",
    note = "a query of diesel's becomes one by `.all::<T>()`, `.one::<T>()`, `.optional::<T>()` or `.affected()` of \
            `bowline::StatementDsl`",
    note = "a tuple of up to 12 statements is one; for more use a `Vec`, with `.boxed()` where their types differ, or nest \
            tuples"
)]
pub trait Statement: Sealed {
    /// The type of the value that running the statement returns.
    type Output;

    /// Returns the statement with its output changed by `f`, which runs after the commit.
    fn map<T, F>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Output) -> T,
    {
        Map::new(self, f)
    }

    /// Returns the statement under the name of the function that created it.
    ///
    /// Spans, slow-statement events and metrics show this name. Generated functions set their own,
    /// such as `Account::get`. A statement that has a name keeps it. The name is not sent to the
    /// server.
    fn named(self, function: &'static str) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(self, function, false)
    }

    /// Returns the statement, which then never becomes a named prepared statement.
    ///
    /// Other queries become named prepared statements, up to
    /// [`Config::statement_cache`](crate::Config::statement_cache) in a session. If the values of a
    /// diesel query do not change its SQL, it is prepared at its first use. Any other query is
    /// prepared when a session runs the same SQL again.
    ///
    /// From the sixth execution on, PostgreSQL may use a generic plan for a named prepared
    /// statement. Use this method where the plan should depend on the parameter values.
    fn unprepared(self) -> Unprepared<Self>
    where
        Self: Sized,
    {
        Unprepared::new(self)
    }

    /// Names the statement as [`Statement::named`] does, for a generated query that is known to
    /// only read: all its relations are tables.
    #[doc(hidden)]
    fn named_read(self, function: &'static str) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(self, function, true)
    }

    /// Returns the statement without its type, for functions that return one of several statements
    /// and for lists of different ones.
    fn boxed<'a>(self) -> BoxedStatement<'a, Self::Output>
    where
        Self: Sized + Send + 'a,
    {
        Box::new(self)
    }

    /// Returns the query, which then locks the rows it reads (`FOR UPDATE`).
    ///
    /// The lock excludes all other writers and lockers until the transaction ends.
    ///
    /// ```
    /// # use bank::{Account, AccountChanges, AccountId};
    /// # use bowline::{Database, Result, Statement as _};
    /// # fn double(db: &Database, id: AccountId) -> Result<Account> {
    /// db.transaction(|tx| {
    ///     let account = tx.run(Account::get(id).for_update())?;
    ///     let balance = Some(account.balance * 2);
    ///     tx.run(Account::update(id, AccountChanges { balance, ..Default::default() }))
    /// })
    /// # }
    /// ```
    ///
    /// A generated function that writes or counts has no such method. Other statements fail if they
    /// are not a query. The server refuses a query in which a row is not one row of a table, such
    /// as a query with `GROUP BY`.
    fn for_update(self) -> RowLock<Self>
    where
        Self: Sized + Lockable,
    {
        RowLock::new(self, "FOR UPDATE")
    }

    /// Locks the rows as [`Statement::for_update`] does, but other transactions may still refer to
    /// them by foreign key (`FOR NO KEY UPDATE`).
    fn for_no_key_update(self) -> RowLock<Self>
    where
        Self: Sized + Lockable,
    {
        RowLock::new(self, "FOR NO KEY UPDATE")
    }

    /// Locks the rows against writers only; other transactions may lock them in the same way (`FOR
    /// SHARE`).
    fn for_share(self) -> RowLock<Self>
    where
        Self: Sized + Lockable,
    {
        RowLock::new(self, "FOR SHARE")
    }

    /// Locks the rows against being deleted and against changes of their keys (`FOR KEY SHARE`).
    fn for_key_share(self) -> RowLock<Self>
    where
        Self: Sized + Lockable,
    {
        RowLock::new(self, "FOR KEY SHARE")
    }

    #[doc(hidden)]
    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()>;

    #[doc(hidden)]
    fn decode(&self, answers: &mut Answers) -> Result<Self::Output>;
}

/// A statement of one query that returns any number of rows, as `.all::<T>()` creates it.
///
/// [`Session::stream`](crate::Session::stream) reads its rows as they arrive.
pub trait RowStatement: Statement {
    /// The type as which each row is read.
    type Row;

    #[doc(hidden)]
    fn reader() -> fn(&SessionRow) -> Result<Self::Row>;

    /// Adds the columns from which a row is read.
    #[doc(hidden)]
    fn describe(columns: &mut Columns);
}

/// Reads one row.
pub(crate) type RowReader<T> = fn(&SessionRow) -> Result<T>;

/// A supertrait that keeps [`Statement`] closed, so that methods can be added to it.
#[doc(hidden)]
pub trait Sealed {}

/// A collector of the commands of a statement.
#[doc(hidden)]
#[derive(Debug)]
pub struct Encoder<'t> {
    pub(crate) commands: Vec<Command>,
    pub(crate) lookup: &'t mut TypeLookup,
    pub(crate) texts: &'t mut TextCache,
}

impl<'t> Encoder<'t> {
    /// Returns an encoder; `commands` is an empty vector for the commands.
    pub(crate) fn new(
        lookup: &'t mut TypeLookup,
        texts: &'t mut TextCache,
        commands: Vec<Command>,
    ) -> Self {
        Self {
            commands,
            lookup,
            texts,
        }
    }

    /// Returns the commands, or the types that have to be looked up before the statement can be
    /// encoded.
    pub(crate) fn finish(self, encoded: Result<()>) -> Result<Encoded> {
        let misses = self.lookup.take_misses();
        if misses.is_empty() {
            encoded.map(|()| Encoded::Commands(self.commands))
        } else {
            Ok(Encoded::Misses(misses))
        }
    }
}

/// The result of encoding a statement.
#[derive(Debug)]
pub(crate) enum Encoded {
    Commands(Vec<Command>),
    Misses(Vec<(SearchPathKey, TypeName)>),
}

/// The answers to the commands of a statement, in their order.
#[doc(hidden)]
#[derive(Debug)]
pub struct Answers {
    /// Those that were taken are [`Answer::Done`].
    answers: Vec<Answer>,
    first: usize,
    taken: usize,
}

impl Answers {
    /// Returns the answers from `first` on.
    pub(crate) fn new(answers: Vec<Answer>, first: usize) -> Self {
        Self {
            answers,
            first,
            taken: 0,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Answer> {
        let next = self.answers.get_mut(self.first + self.taken);
        self.taken += 1;
        match next {
            Some(answer) => Ok(std::mem::replace(answer, Answer::Done(0))),
            None => Err(Error::decode(
                "the server gave fewer answers than there were commands",
            )),
        }
    }

    /// Returns the vector of the answers, for its memory.
    pub(crate) fn into_memory(self) -> Vec<Answer> {
        self.answers
    }

    /// Returns the number of answers taken so far, which is the number of the command whose answer
    /// is being read.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }
}
