//! Statements that consist of one diesel query.

use std::marker::PhantomData;
use std::sync::Arc;

use diesel::deserialize::{self, FromSqlRow};
use diesel::expression::QueryMetadata;
use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AsQuery, QueryBuilder, QueryFragment, QueryId};
use diesel::query_dsl::CompatibleType;

use super::{Answers, Encoder, RowReader, RowStatement, Sealed, Statement};
use crate::command::columns::{Columns, Describe, by_position};
use crate::command::row_count::wrong_count;
use crate::command::text::QueryText;
use crate::command::{Command, ExpectedRows, ReadAs};
use crate::error::{Error, Result};
use crate::sql_text::search_path::SearchPathChange;
use crate::wire::parameters::Parameters;
use crate::wire::row::SessionRow;

/// Turns any diesel query into a [`Statement`]: any query that diesel's `RunQueryDsl` could run.
pub trait StatementDsl: Sized {
    /// Returns a statement that reads all rows as `T`.
    fn all<T>(self) -> Rows<Self::Query, Typed<Self::SqlType>, T, All>
    where
        Self: AsQuery,
    {
        Rows::new(self.as_query())
    }

    /// Returns a statement that reads exactly one row as `T`.
    ///
    /// Any other number of rows is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) or
    /// [`ErrorKind::TooManyRows`](crate::ErrorKind::TooManyRows), and nothing is committed.
    fn one<T>(self) -> Rows<Self::Query, Typed<Self::SqlType>, T, One>
    where
        Self: AsQuery,
    {
        Rows::new(self.as_query())
    }

    /// Returns a statement that reads one row or none as `T`.
    ///
    /// More than one row is [`ErrorKind::TooManyRows`](crate::ErrorKind::TooManyRows), and nothing
    /// is committed.
    fn optional<T>(self) -> Rows<Self::Query, Typed<Self::SqlType>, T, Optional>
    where
        Self: AsQuery,
    {
        Rows::new(self.as_query())
    }

    /// Returns a statement whose output is the number of rows it wrote.
    fn affected(self) -> Affected<Self>
    where
        Self: QueryFragment<Pg>,
    {
        Affected {
            query: self,
            rows: ExpectedRows::Any,
        }
    }

    /// Returns a statement that must write or read exactly this many rows.
    ///
    /// Any other number is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) or
    /// [`ErrorKind::TooManyRows`](crate::ErrorKind::TooManyRows), and nothing is committed.
    ///
    /// The server counts the rows in the same round trip. For `MERGE` and SQL that begins with
    /// `WITH`, the client counts them, and the commit takes a second round trip. For a table with
    /// rules, PostgreSQL refuses such a count.
    fn exactly(self, rows: u32) -> Affected<Self>
    where
        Self: QueryFragment<Pg>,
    {
        Affected {
            query: self,
            rows: ExpectedRows::Exactly(rows.into()),
        }
    }
}

/// A query that diesel could run on a [`Session`](crate::Session): any type with
/// `RunQueryDsl<Session>`.
///
/// Separates [`StatementDsl`] from the session, so that statements hold no connection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no query that diesel can run on a `bowline::Session`"
)]
pub trait DieselQuery {}

impl<Q: DieselQuery> StatementDsl for Q {}

/// A query that returns rows; created by [`StatementDsl`] and by [`Sql`](super::Sql).
#[derive(Debug)]
pub struct Rows<Q, R, T, N> {
    query: Q,
    read: Read<R, T, N>,
}

/// The way a row is read: by the SQL types of a query, or by the Rust type for handwritten SQL.
#[doc(hidden)]
pub trait Reading<T> {
    /// Adds the columns from which a row is read.
    fn describe(columns: &mut Columns);

    /// Reads a row.
    fn read(row: &SessionRow) -> deserialize::Result<T>;
}

/// The reading of rows by the SQL types of a diesel query.
#[doc(hidden)]
#[derive(Debug)]
pub struct Typed<ST>(PhantomData<fn() -> ST>);

impl<ST, T> Reading<T> for Typed<ST>
where
    ST: CompatibleType<T, Pg>,
    T: FromSqlRow<ST::SqlType, Pg>,
    Pg: QueryMetadata<ST::SqlType>,
{
    fn describe(columns: &mut Columns) {
        by_position::<ST::SqlType>(columns);
    }

    fn read(row: &SessionRow) -> deserialize::Result<T> {
        T::build_from_row(row)
    }
}

/// A marker with three types: `R` reads a row, `T` is the type of a row, `N` is the number of rows.
type Read<R, T, N> = PhantomData<fn() -> (R, T, N)>;

impl<Q, R, T, N> Rows<Q, R, T, N> {
    pub(super) fn new(query: Q) -> Self {
        Self {
            query,
            read: PhantomData,
        }
    }
}

/// All rows.
#[derive(Debug)]
pub enum All {}

/// Exactly one row.
#[derive(Debug)]
pub enum One {}

/// One row or none.
#[derive(Debug)]
pub enum Optional {}

impl<Q, R, T, N> Sealed for Rows<Q, R, T, N> {}

impl<Q, R, T> Statement for Rows<Q, R, T, All>
where
    Q: QueryFragment<Pg> + QueryId,
    R: Reading<T>,
{
    type Output = Vec<T>;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        push(&self.query, ExpectedRows::Any, Some(R::describe), encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<Vec<T>> {
        let number = answers.taken() + 1;
        SessionRow::all(answers.next()?)
            .map(|row| read::<T, R>(&row, number))
            .collect()
    }
}

impl<Q, R, T> RowStatement for Rows<Q, R, T, All>
where
    Q: QueryFragment<Pg> + QueryId,
    R: Reading<T>,
{
    type Row = T;

    fn reader() -> RowReader<T> {
        |row| R::read(row).map_err(Error::decode)
    }

    fn describe(columns: &mut Columns) {
        R::describe(columns);
    }
}

impl<Q, R, T> Statement for Rows<Q, R, T, One>
where
    Q: QueryFragment<Pg> + QueryId,
    R: Reading<T>,
{
    type Output = T;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        push(&self.query, ExpectedRows::One, Some(R::describe), encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<T> {
        let number = answers.taken() + 1;
        let mut rows = SessionRow::all(answers.next()?);
        match (rows.len(), rows.next()) {
            (1, Some(row)) => read::<T, R>(&row, number),
            (found, _) => Err(wrong_count(1, found)),
        }
    }
}

impl<Q, R, T> Statement for Rows<Q, R, T, Optional>
where
    Q: QueryFragment<Pg> + QueryId,
    R: Reading<T>,
{
    type Output = Option<T>;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        push(
            &self.query,
            ExpectedRows::AtMostOne,
            Some(R::describe),
            encoder,
        )
    }

    fn decode(&self, answers: &mut Answers) -> Result<Option<T>> {
        let number = answers.taken() + 1;
        let mut rows = SessionRow::all(answers.next()?);
        match (rows.len(), rows.next()) {
            (0, _) => Ok(None),
            (1, Some(row)) => read::<T, R>(&row, number).map(Some),
            (found, _) => Err(wrong_count(1, found)),
        }
    }
}

/// A query whose output is the number of rows it wrote; created by [`StatementDsl`].
#[derive(Debug)]
pub struct Affected<Q> {
    query: Q,
    rows: ExpectedRows,
}

impl<Q> Sealed for Affected<Q> {}

impl<Q: QueryFragment<Pg> + QueryId> Statement for Affected<Q> {
    type Output = usize;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        push(&self.query, self.rows, None, encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<usize> {
        let answer = answers.next()?;
        let found = match self.rows {
            // The wrapped query is a SELECT of the count.
            ExpectedRows::Exactly(rows) if answer.column_count() > 0 => {
                usize::try_from(rows).unwrap_or(usize::MAX)
            }
            _ => answer.rows_affected(),
        };
        Ok(found)
    }
}

/// SQL with more values is not prepared: an INSERT has another SQL for each number of rows, so few
/// texts come back.
const MAX_VALUES: usize = 100;

/// Blanks that reserve memory for SQL of the usual length.
const ROOM: &str = match std::str::from_utf8(&[b' '; 192]) {
    Ok(blanks) => blanks,
    Err(_) => "",
};

/// Adds the command of a query; `describe` adds the columns from which its rows are read.
fn push<Q: QueryFragment<Pg> + QueryId + ?Sized>(
    query: &Q,
    rows: ExpectedRows,
    describe: Option<Describe>,
    encoder: &mut Encoder<'_>,
) -> Result<()> {
    let mut command = render(query, rows, encoder)?;
    command.read_as = describe.map(ReadAs::new);
    encoder.commands.push(command);
    Ok(())
}

/// Returns the command of a diesel query.
///
/// If the type of a SELECT decides its SQL, a session renders the SQL once. Its values are
/// collected each time.
///
/// Other queries are rendered each time: an array of rows to insert has one ID whatever its rows
/// are.
pub(crate) fn render<Q>(query: &Q, rows: ExpectedRows, encoder: &mut Encoder<'_>) -> Result<Command>
where
    Q: QueryFragment<Pg> + QueryId + ?Sized,
{
    let lookup = &mut *encoder.lookup;
    let parameters = Parameters::collect(|collector| query.collect_binds(collector, lookup, &Pg))?;
    // The answer can depend on the values.
    let is_diesels = query.is_safe_to_cache_prepared(&Pg)?;
    let id = Q::query_id().filter(|_| is_diesels);
    let known = id.and_then(|id| encoder.texts.of_query(id));
    let (text, is_named) = match known {
        Some(text) => (text, true),
        None => {
            let mut builder = PgQueryBuilder::default();
            // A builder cannot reserve memory. Blanks at the beginning reserve it, and are cut off
            // afterwards, so that the text does not grow piece by piece.
            builder.push_sql(ROOM);
            query.to_sql(&mut builder, &Pg)?;
            let rendered = builder.finish();
            let sql = rendered.get(ROOM.len()..).unwrap_or_default();
            let QueryText { text, is_known } = encoder.texts.of_sql(sql);
            if let Some(id) = id {
                encoder.texts.cache_query(id, &text);
            }
            // diesel does not prepare a query whose type does not decide its SQL. Here the query is
            // prepared once the same SQL is run again.
            let comes_back = is_known
                && parameters.len() <= MAX_VALUES
                && text.is_query()
                && !text.leaves_state();
            (text, is_diesels || comes_back)
        }
    };
    let path = Arc::clone(lookup.path());
    let names_types = lookup.take_has_looked_up();
    let sets = text
        .may_change_path()
        .then(|| {
            let values: Vec<_> = parameters
                .values()
                .map(|value| value.map(<[u8]>::to_vec))
                .collect();
            SearchPathChange::of(text.sql(), &values)
        })
        .flatten();
    if let Some(change) = &sets {
        lookup.change(change);
    }
    Ok(Command {
        parameters,
        is_named,
        is_diesels,
        rows,
        path,
        names_types,
        sets: sets.map(Box::new),
        ..Command::of(text)
    })
}

fn read<T, R: Reading<T>>(row: &SessionRow, number: usize) -> Result<T> {
    R::read(row).map_err(|error| Error::decode(error).with_statement(number, number))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use diesel::query_builder::AstPass;
    use diesel::result::QueryResult;

    use super::*;
    use crate::command::text::TextCache;
    use crate::command::types::TypeLookup;

    /// A fragment whose values decide its SQL in one case, although its type is its id.
    struct Picky(Option<&'static str>);

    impl QueryFragment<Pg> for Picky {
        fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            if self.0.is_some() {
                pass.unsafe_to_cache_prepared();
            }
            pass.push_sql(self.0.unwrap_or("SELECT 1"));
            Ok(())
        }
    }

    impl QueryId for Picky {
        type QueryId = Self;

        const HAS_STATIC_QUERY_ID: bool = true;
    }

    fn rendered(query: Picky, texts: &mut TextCache) -> Arc<str> {
        let mut lookup = TypeLookup::new(Arc::default(), Default::default());
        let mut encoder = Encoder::new(&mut lookup, texts, Vec::new());
        let command = render(&query, ExpectedRows::Any, &mut encoder).expect("SQL");
        Arc::clone(command.sql())
    }

    #[test]
    fn sql_that_depends_on_values_is_not_reused() {
        let texts = &mut TextCache::default();
        let constant = rendered(Picky(None), texts);
        assert_eq!(&*rendered(Picky(Some("SELECT 2")), texts), "SELECT 2");
        assert!(Arc::ptr_eq(&constant, &rendered(Picky(None), texts)));
    }
}
