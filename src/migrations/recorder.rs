//! Reads the SQL of a migration, which diesel's types reveal only when they run it on a connection.

use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, Instrumentation,
    InstrumentationEvent, SimpleConnection,
};
use diesel::migration::Migration;
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::{ConnectionError, ConnectionResult, Error, QueryResult};

/// Returns the SQL that a migration runs; `None` if it does anything other than run one string of
/// SQL.
pub(super) fn sql_of(migration: &dyn Migration<Pg>) -> diesel::migration::Result<Option<String>> {
    let mut recorder = Recorder::default();
    migration.run(&mut recorder)?;
    let mut texts = recorder.texts.into_iter();
    Ok(texts.next().filter(|_| texts.next().is_none()))
}

/// A connection without a server, which records the SQL that it is given to run.
#[derive(Default)]
struct Recorder {
    texts: Vec<String>,
    transactions: AnsiTransactionManager,
    instrumentation: NoInstrumentation,
}

#[derive(Default)]
struct NoInstrumentation;

impl Instrumentation for NoInstrumentation {
    fn on_connection_event(&mut self, _: InstrumentationEvent<'_>) {}
}

impl SimpleConnection for Recorder {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.texts.push(query.to_owned());
        Ok(())
    }
}

impl ConnectionSealed for Recorder {}

impl Connection for Recorder {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::BadConnection(UNSUPPORTED.to_owned()))
    }

    fn execute_returning_count<T>(&mut self, _: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        Err(Error::QueryBuilderError(UNSUPPORTED.into()))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut self.instrumentation
    }

    fn set_instrumentation(&mut self, _: impl Instrumentation) {}

    fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {}
}

const UNSUPPORTED: &str = "only the SQL of a migration can be run";
