//! `Statement`: a query, and how to read its answer, as a value.
//!
//! A statement holds a finished diesel query. It is encoded by reference, as often as a retry needs,
//! and knows no connection: sessions run it. Several statements in a tuple or a `Vec` are one
//! statement, travel together and are one transaction.

mod compose;
mod lock;
mod query;
mod sql;

use crate::command::Command;
use crate::command::columns::Columns;
use crate::command::text::Texts;
use crate::command::types::{TypeLookup, TypeName};
use crate::error::{Error, Result};
use crate::sql_text::search_path::SearchPathKey;
use crate::wire::answer::Answer;
use crate::wire::row::SessionRow;

pub use crate::chunks::chunks;
pub use compose::{BoxedStatement, Map, Named, Unprepared};
pub use lock::RowLock;
#[doc(hidden)]
pub use query::DieselQuery;
pub use query::StatementDsl;
pub(crate) use query::render;
#[doc(hidden)]
pub use sql::row_value;
pub use sql::{DefaultSqlType, Row, Sql, sql_query};

/// A query and how to read its answer.
///
/// Made from any diesel query by [`StatementDsl`], by generated functions, or from others: tuples of up
/// to twelve statements and `Vec`s of statements are statements. It is run by
/// [`Database::run`](crate::Database::run), [`Session::run`](crate::Session::run) or an
/// [`Executor`](crate::Executor), all or nothing. The trait is sealed.
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
    /// What running it gives.
    type Output;

    /// The same statement with its output changed by `f`, which runs after the commit.
    fn map<T, F>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Output) -> T,
    {
        Map::new(self, f)
    }

    /// The same statement under the name of the function that made it, by which spans, slow-statement events and
    /// metrics tell it apart.
    ///
    /// Generated functions give theirs, such as `Account::get`. A statement that has a name keeps it. Nothing is sent
    /// to the server.
    fn named(self, function: &'static str) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(self, function, false)
    }

    /// The same statement, never prepared under a name.
    ///
    /// Others are: a diesel query whose SQL its values do not change at its first use, any other query when its SQL
    /// comes back, up to [`Config::statement_cache`](crate::Config::statement_cache) in a session. PostgreSQL may then
    /// use one plan for all values from the sixth time on; leave that out where a plan should follow the values.
    fn unprepared(self) -> Unprepared<Self>
    where
        Self: Sized,
    {
        Unprepared::new(self)
    }

    /// The same for a generated query that the catalog knows to only read: all its relations are tables.
    #[doc(hidden)]
    fn named_read(self, function: &'static str) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(self, function, true)
    }

    /// The same statement without its type, for functions that return one of several and for lists of different ones.
    fn boxed<'a>(self) -> BoxedStatement<'a, Self::Output>
    where
        Self: Sized + 'a,
    {
        Box::new(self)
    }

    /// The same query, locking the rows it reads against all other writers and lockers until the transaction ends
    /// (`FOR UPDATE`).
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
    /// Fails for what is not a query that reads, and on the server for rows that stand for no single row of a table,
    /// such as those of a `GROUP BY`.
    fn for_update(self) -> RowLock<Self>
    where
        Self: Sized,
    {
        RowLock::new(self, "FOR UPDATE")
    }

    /// As [`Statement::for_update`], but others may still refer to the rows by foreign key (`FOR NO KEY UPDATE`).
    fn for_no_key_update(self) -> RowLock<Self>
    where
        Self: Sized,
    {
        RowLock::new(self, "FOR NO KEY UPDATE")
    }

    /// Locks the rows against writers only; others may lock them in the same way (`FOR SHARE`).
    fn for_share(self) -> RowLock<Self>
    where
        Self: Sized,
    {
        RowLock::new(self, "FOR SHARE")
    }

    /// Locks the rows against being deleted and against changes of their keys (`FOR KEY SHARE`).
    fn for_key_share(self) -> RowLock<Self>
    where
        Self: Sized,
    {
        RowLock::new(self, "FOR KEY SHARE")
    }

    #[doc(hidden)]
    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()>;

    #[doc(hidden)]
    fn decode(&self, answers: &mut Answers) -> Result<Self::Output>;
}

/// A statement of one query that gives any number of rows: what `.all::<T>()` makes.
///
/// Its rows can be read as they arrive, by [`Session::stream`](crate::Session::stream).
pub trait RowStatement: Statement {
    /// What a row becomes.
    type Row;

    #[doc(hidden)]
    fn reader() -> fn(&SessionRow) -> Result<Self::Row>;

    /// The columns that a row is read from.
    #[doc(hidden)]
    fn describe(columns: &mut Columns);
}

/// Reads one row.
pub(crate) type RowReader<T> = fn(&SessionRow) -> Result<T>;

/// Keeps the trait closed, so that it can grow.
#[doc(hidden)]
pub trait Sealed {}

/// Collects the commands of a statement.
#[doc(hidden)]
#[derive(Debug)]
pub struct Encoder<'t> {
    pub(crate) commands: Vec<Command>,
    pub(crate) lookup: TypeLookup,
    pub(crate) texts: &'t mut Texts,
}

impl<'t> Encoder<'t> {
    pub(crate) fn new(lookup: TypeLookup, texts: &'t mut Texts) -> Self {
        Self {
            commands: Vec::new(),
            lookup,
            texts,
        }
    }

    /// The commands, or the types that have to be looked up before they can be made.
    pub(crate) fn finish(mut self, encoded: Result<()>) -> Result<Encoded> {
        let misses = self.lookup.take_misses();
        if misses.is_empty() {
            encoded.map(|()| Encoded::Commands(self.commands))
        } else {
            Ok(Encoded::Misses(misses))
        }
    }
}

/// What encoding gave.
#[derive(Debug)]
pub(crate) enum Encoded {
    Commands(Vec<Command>),
    Misses(Vec<(SearchPathKey, TypeName)>),
}

/// The answers to the commands of a statement, in their order.
#[doc(hidden)]
#[derive(Debug)]
pub struct Answers {
    answers: std::vec::IntoIter<Answer>,
    taken: usize,
}

impl Answers {
    pub(crate) fn new(answers: Vec<Answer>) -> Self {
        Self {
            answers: answers.into_iter(),
            taken: 0,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Answer> {
        self.taken += 1;
        self.answers
            .next()
            .ok_or_else(|| Error::decode("the server gave fewer answers than there were commands"))
    }

    /// How many were taken so far: the number of the command whose answer is being read.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }
}
