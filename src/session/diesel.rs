//! diesel's connection traits, so that diesel code works on a [`Session`].

use std::vec;

use super::Session;
use super::transaction_manager::SessionTransactions;
use super::transactions::Transactions;
use crate::command::columns::{Describe, by_position_as_diesel};
use crate::command::{ExpectedRows, ReadAs};
use crate::config::Config;
use crate::error::Result;
use crate::observe::Span;
use crate::statement::{Answers, DieselQuery, Encoder, Sealed, Statement, render};
use crate::wire::answer::Answer;
use crate::wire::executor::block_on;
use crate::wire::row::SessionRow;
use diesel::RunQueryDsl as _;
use diesel::associations::HasTable;
use diesel::connection::{
    CacheSize, Connection, ConnectionSealed, Instrumentation, LoadConnection, SimpleConnection,
    TransactionManager as _,
};
use diesel::dsl::Update;
use diesel::expression::QueryMetadata;
use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection};
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::query_builder::{AsChangeset, AsQuery, IntoUpdateTarget};
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::{LoadQuery, UpdateAndFetchResults};
use diesel::r2d2::R2D2Connection;
use diesel::result::{ConnectionError, ConnectionResult, QueryResult};

/// Any query that diesel could run on a session is a statement, by
/// [`StatementDsl`](crate::StatementDsl).
impl<Q: diesel::RunQueryDsl<Session>> DieselQuery for Q {}

impl SimpleConnection for Session {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.run_script(query)?;
        Ok(())
    }
}

impl ConnectionSealed for Session {}

impl Connection for Session {
    type Backend = Pg;
    type TransactionManager = SessionTransactions;

    fn establish(database_url: &str) -> ConnectionResult<Self> {
        Config::from_url(database_url)
            .and_then(|config| Self::connect(&config))
            .map_err(|error| ConnectionError::BadConnection(error.to_string()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let answer = self.run_diesel(source, None)?;
        Ok(answer.map_or(0, |answer| answer.rows_affected()))
    }

    fn transaction_state(&mut self) -> &mut Transactions {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.observer.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.observer.set_instrumentation(instrumentation);
    }

    /// Enables or disables the cache. Any size but `Disabled` means up to
    /// [`Config::statement_cache`] statements: the cache stays bounded.
    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.connection
            .prepared_mut()
            .set_enabled(!matches!(size, CacheSize::Disabled));
    }
}

impl LoadConnection for Session {
    type Cursor<'conn, 'query> = LoadedRows;
    type Row<'conn, 'query> = SessionRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<LoadedRows>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let answer = self.run_diesel(&source, Some(by_position_as_diesel::<T::SqlType>))?;
        Ok(LoadedRows(
            answer
                .map(SessionRow::all)
                .map(Iterator::collect::<Vec<_>>)
                .unwrap_or_default()
                .into_iter(),
        ))
    }
}

/// `save_changes`: one round trip, the row as it is after the update.
impl<'b, Changes, Output> UpdateAndFetchResults<Changes, Output> for Session
where
    Changes: Copy + AsChangeset<Target = <Changes as HasTable>::Table> + IntoUpdateTarget,
    Update<Changes, Changes>: AsQuery + LoadQuery<'b, Self, Output>,
{
    fn update_and_fetch(&mut self, changes: Changes) -> QueryResult<Output> {
        diesel::update(changes).set(changes).get_result(self)
    }
}

/// The rows that a diesel query returned.
#[derive(Debug)]
pub struct LoadedRows(vec::IntoIter<SessionRow>);

impl Iterator for LoadedRows {
    type Item = QueryResult<SessionRow>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Ok)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl MigrationConnection for Session {
    fn setup(&mut self) -> QueryResult<usize> {
        diesel::sql_query(CREATE_MIGRATIONS_TABLE).execute(self)
    }
}

impl R2D2Connection for Session {
    fn ping(&mut self) -> QueryResult<()> {
        diesel::sql_query("SELECT 1").execute(self).map(drop)
    }

    fn is_broken(&mut self) -> bool {
        Session::is_broken(self) || SessionTransactions::is_broken_transaction_manager(self)
    }
}

/// Looks up types for diesel's own code, which asks a connection for the OIDs of types one at a
/// time.
impl PgMetadataLookup for Session {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let mut lookup = self.types.lookup();
        let known = lookup.lookup_type(type_name, schema);
        let misses = lookup.take_misses();
        if misses.is_empty()
            || block_on(self.look_up(&misses, self.limits.call_deadline())).is_err()
        {
            return known;
        }
        lookup.lookup_type(type_name, schema)
    }
}

impl Session {
    /// Runs a query as diesel does: any number of rows.
    fn run_diesel<T: QueryFragment<Pg> + QueryId>(
        &mut self,
        query: &T,
        describe: Option<Describe>,
    ) -> QueryResult<Option<Answer>> {
        let mode = self.mode();
        let mut statement = Borrowed(query, describe);
        let span = self.observer.begin_statement();
        let _entered = span.as_ref().map(Span::enter);
        let deadline = self.limits.call_deadline();
        let result = block_on(self.execute(&mut statement, mode, deadline));
        if let Some(slow) = self.observer.end_statement(result.as_ref().err()) {
            block_on(self.report_slow(slow, &mut statement, deadline));
        }
        Ok(result?.take_answers().next())
    }
}

/// A borrowed diesel query as a statement, and the columns from which its rows are read.
struct Borrowed<'q, T>(&'q T, Option<Describe>);

impl<T> Sealed for Borrowed<'_, T> {}

impl<T: QueryFragment<Pg> + QueryId> Statement for Borrowed<'_, T> {
    type Output = ();

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        let mut command = render(self.0, ExpectedRows::Any, encoder)?;
        command.read_as = self.1.map(ReadAs::new);
        encoder.commands.push(command);
        Ok(())
    }

    fn decode(&self, _: &mut Answers) -> Result<()> {
        Ok(())
    }
}
