//! The message of the compiler for diesel's own calls on a type of asynchronous code.
//!
//! diesel's connection traits are implemented under a condition that never holds, since only a
//! trait of our own can have a message. `for<'a>` keeps the compiler from checking it early.

use std::iter::Empty;

use super::{AsyncDatabase, AsyncSession};
use crate::wire::row::SessionRow;
use diesel::connection::{
    CacheSize, Connection, ConnectionSealed, Instrumentation, LoadConnection, SimpleConnection,
    TransactionManager, TransactionManagerStatus,
};
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::{ConnectionError, ConnectionResult, QueryResult};

/// A connection on which diesel's own calls may block; nothing implements it.
#[diagnostic::on_unimplemented(
    message = "diesel's own calls block the thread, so `{Self}` does not take them",
    label = "not a connection of diesel",
    note = "make a statement of the query and await it: `.run(query.all::<Row>()).await`; also `.one()`, `.optional()` and `.affected()`, by `use bowline::StatementDsl as _`",
    note = "or run the blocking code on a thread for such code: `db.blocking(|db| ..).await`, with `query.load(&mut *db.session()?)` in it"
)]
pub trait BlockingConnection<'a> {
    #[doc(hidden)]
    fn never<T>(&self) -> T;
}

/// The transactions of a type without them.
#[derive(Debug)]
pub enum NoTransactions {}

macro_rules! without_blocking_calls {
    ($Type:ty) => {
        impl SimpleConnection for $Type
        where
            for<'a> Self: BlockingConnection<'a>,
        {
            fn batch_execute(&mut self, _: &str) -> QueryResult<()> {
                self.never()
            }
        }

        impl ConnectionSealed for $Type where for<'a> Self: BlockingConnection<'a> {}

        impl Connection for $Type
        where
            for<'a> Self: BlockingConnection<'a>,
        {
            type Backend = Pg;
            type TransactionManager = NoTransactions;

            fn establish(_: &str) -> ConnectionResult<Self> {
                let why = "asynchronous code has no blocking connection";
                Err(ConnectionError::BadConnection(why.to_owned()))
            }

            fn execute_returning_count<T>(&mut self, _: &T) -> QueryResult<usize>
            where
                T: QueryFragment<Pg> + QueryId,
            {
                self.never()
            }

            fn transaction_state(&mut self) -> &mut () {
                self.never()
            }

            fn instrumentation(&mut self) -> &mut dyn Instrumentation {
                self.never()
            }

            fn set_instrumentation(&mut self, _: impl Instrumentation) {
                self.never()
            }

            fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {
                self.never()
            }
        }

        impl LoadConnection for $Type
        where
            for<'a> Self: BlockingConnection<'a>,
        {
            type Cursor<'conn, 'query> = Empty<QueryResult<SessionRow>>;
            type Row<'conn, 'query> = SessionRow;

            fn load<'conn, 'query, T>(
                &'conn mut self,
                _: T,
            ) -> QueryResult<Empty<QueryResult<SessionRow>>>
            where
                T: Query + QueryFragment<Pg> + QueryId + 'query,
                Pg: QueryMetadata<T::SqlType>,
            {
                self.never()
            }
        }

        impl TransactionManager<$Type> for NoTransactions
        where
            for<'a> $Type: BlockingConnection<'a>,
        {
            type TransactionStateData = ();

            fn begin_transaction(connection: &mut $Type) -> QueryResult<()> {
                connection.never()
            }

            fn rollback_transaction(connection: &mut $Type) -> QueryResult<()> {
                connection.never()
            }

            fn commit_transaction(connection: &mut $Type) -> QueryResult<()> {
                connection.never()
            }

            fn transaction_manager_status_mut(
                connection: &mut $Type,
            ) -> &mut TransactionManagerStatus {
                connection.never()
            }
        }
    };
}

without_blocking_calls!(AsyncSession);
without_blocking_calls!(AsyncDatabase);
