//! Queries of generated code: SQL as a constant, with values that are encoded when they are bound.
//!
//! Nothing is rendered in a call. A session reads the properties of a text once, and prepares it at
//! its first use. Columns are named by the types of the schema module, so a change of the schema is
//! a compile error where it matters.

mod ahead;
mod column_values;
mod conditions;
mod given_keys;
mod graph;
mod inline;
mod nested_row;
mod output;
mod record;
mod row_key;
mod row_of;
mod static_sql;
mod table_row;
mod write_many;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType};
use diesel::{Column, Expression};

use super::{Answers, Encoder, Lockable, RowReader, RowStatement, Sealed, Statement};
use crate::command::columns::Columns;
use crate::command::text::{ColumnSet, Form, QueryText};
use crate::command::{Command, ExpectedRows, ReadAs};
use crate::error::Result;
use crate::page::Page;
use crate::sql_text::read_only::Reads;
use ahead::EncodedAhead;
use conditions::Conditions;
use graph::GraphPlan;

pub use column_values::{ColumnArrays, ColumnValues, GivenArrays, GivenColumns};
pub use graph::{
    Alias, Graph, GraphNode, GraphSql, Limit, Many, One, Optional, Relation, RelationSql, depth,
};
pub use inline::{As, CheckedQuery, CheckedStatement, ExactQuery, StructRow};
pub use nested_row::read_record;
pub use output::{Exactly, QueryOutput, RowsAffected, WasWritten};
pub use row_key::{KeyArrays, RowKey};
pub use row_of::RowOf;
pub use static_sql::StaticSql;
pub use table_row::{AnswerRow, Fields, TableRow};
pub use write_many::WriteMany;

/// A query of a generated function: `O` is its output, `A` its access ([`Read`] or [`Write`]).
///
/// `Query<Account>` returns exactly one row, `Query<Option<Account>>` one row or none, and
/// `Query<Vec<Account>>` all rows. Its values are encoded, so it borrows nothing.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct Query<O, A = Read> {
    sql: &'static StaticSql,
    /// The columns of the new row and of the changes, where the SQL has gaps for them.
    given: Option<Box<[Given; 2]>>,
    /// The conditions that are not left out, where the SQL has gaps for them.
    conditions: Conditions,
    /// The graph that is read in place of each row.
    graph: Option<&'static GraphPlan>,
    /// Whether the rows are read in the opposite order: those before a position.
    is_reversed: bool,
    values: EncodedAhead,
    output: PhantomData<fn() -> (O, A)>,
}

/// A query of a generated function that writes.
pub type WriteQuery<O> = Query<O, Write>;

/// Columns that a call gives values for.
#[derive(Debug, Clone, Default)]
struct Given {
    set: ColumnSet,
    /// The names of all columns that could be given.
    names: &'static [&'static str],
    /// The casts of their parameters; empty if there are none.
    casts: &'static [&'static str],
    /// The number of rows that have their values one after the other.
    rows: usize,
}

/// The access of a [`Query`] that only reads.
#[derive(Debug)]
pub enum Read {}

/// The access of a [`Query`] that writes.
#[derive(Debug)]
pub enum Write {}

impl<O, A> Query<O, A> {
    /// Returns a query of constant SQL, to which values are to be bound.
    #[doc(hidden)]
    pub fn new(sql: &'static StaticSql) -> Self {
        Self {
            sql,
            given: None,
            conditions: Conditions::default(),
            graph: None,
            is_reversed: false,
            values: EncodedAhead::default(),
            output: PhantomData,
        }
    }

    /// Binds the next value, as the type of a column.
    #[doc(hidden)]
    pub fn bind<C, T>(mut self, value: &T) -> Self
    where
        C: Column,
        Pg: HasSqlType<<C as Expression>::SqlType>,
        T: ToSql<<C as Expression>::SqlType, Pg> + ?Sized,
    {
        self.values.push::<C::SqlType, T>(value);
        self
    }

    /// Binds the next value, as an SQL type.
    #[doc(hidden)]
    pub fn bind_as<ST, T>(mut self, value: &T) -> Self
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        self.values.push::<ST, T>(value);
        self
    }

    /// Binds the next value, as an SQL type that has another OID in PostgreSQL, with the same
    /// bytes. The second OID is that of an array's elements.
    #[doc(hidden)]
    pub fn bind_with_oids<ST, T>(mut self, oids: (u32, Option<u32>), value: &T) -> Self
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        self.values.push_with_oids::<ST, T>(oids, value);
        self
    }

    /// Binds the next value, as the type of a column, unless it is NULL.
    #[doc(hidden)]
    pub fn bind_some<C, T>(self, value: &Option<T>) -> Self
    where
        C: Column,
        Pg: HasSqlType<<C as Expression>::SqlType>,
        T: ToSql<<C as Expression>::SqlType, Pg>,
    {
        match value {
            Some(value) => self.bind::<C, T>(value),
            None => self,
        }
    }

    /// Binds the next value, as an SQL type, unless it is NULL.
    #[doc(hidden)]
    pub fn bind_some_as<ST, T>(self, value: &Option<T>) -> Self
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg>,
    {
        match value {
            Some(value) => self.bind_as::<ST, T>(value),
            None => self,
        }
    }

    /// Binds the number of rows of a LIMIT.
    #[doc(hidden)]
    pub fn limit(mut self, rows: i64) -> Self {
        self.values.push::<BigInt, i64>(&rows);
        self
    }

    /// Binds the number of rows of a page, which can be those before a position.
    #[doc(hidden)]
    pub fn page<K>(mut self, page: &Page<K>) -> Self {
        self.is_reversed = page.is_backward();
        self.limit(page.limit)
    }

    /// Binds the columns of a row to insert, which fill the gap `{new}` of the SQL.
    #[doc(hidden)]
    pub fn new_row<V: ColumnValues>(mut self, row: &V) -> Self {
        let given = self.collect(row);
        self.given.get_or_insert_default()[0] = given;
        self
    }

    /// Binds the columns to change, which fill the gap `{changes}` of the SQL.
    #[doc(hidden)]
    pub fn changes<V: ColumnValues>(mut self, changes: &V) -> Self {
        let given = self.collect(changes);
        self.given.get_or_insert_default()[1] = given;
        self
    }

    /// Returns the same query with another output.
    fn returning<P>(self) -> Query<P, A> {
        Query {
            sql: self.sql,
            given: self.given,
            conditions: self.conditions,
            graph: self.graph,
            is_reversed: self.is_reversed,
            values: self.values,
            output: PhantomData,
        }
    }

    fn collect<V: ColumnValues>(&mut self, values: &V) -> Given {
        let mut given = GivenColumns::new(&mut self.values);
        values.collect(&mut given);
        Given {
            set: given.finish(),
            names: V::COLUMNS,
            casts: V::CASTS,
            rows: 1,
        }
    }

    /// Adds the command.
    fn push(&self, encoder: &mut Encoder<'_>) -> Result<()>
    where
        O: QueryOutput,
    {
        self.push_expecting(O::ROWS, encoder)
    }

    /// Adds the command, whose answer must have this number of rows.
    #[inline]
    fn push_expecting(&self, rows: ExpectedRows, encoder: &mut Encoder<'_>) -> Result<()>
    where
        O: QueryOutput,
    {
        if !self.sql.database.is_empty() {
            encoder.texts.check_database(self.sql.database)?;
        }
        let parameters = self.values.parameters(encoder.lookup)?;
        let constant = &self.sql.number;
        let (text, is_named) = match self.given.as_deref() {
            None if self.graph.is_some() || self.sql.has_conditions => {
                let sets = [self.conditions.set(), ColumnSet::default()];
                let form = Form {
                    graph: self.graph.map(|graph| (graph.id)()),
                    ..Form::default()
                };
                let QueryText { text, is_known } =
                    encoder
                        .texts
                        .of_composition(constant, sets, form, || self.composed());
                (text, is_known || !self.sql.has_conditions)
            }
            None => (encoder.texts.of_constant(constant, self.sql.sql), true),
            Some(given) => {
                let sets = given.each_ref().map(|given| given.set.clone());
                let compose = || self.sql.compose(given, parameters.len());
                let form = Form {
                    rows: given[0].rows,
                    ..Form::default()
                };
                let QueryText { text, is_known } =
                    encoder.texts.of_composition(constant, sets, form, compose);
                // It is prepared at its second use, since most compositions are rare.
                (text, is_known)
            }
        };
        let command = Command {
            parameters,
            is_named,
            is_diesels: true,
            rows,
            written: self.sql.written(),
            read_as: O::describe().map(ReadAs::new),
            path: encoder.lookup.path().clone(),
            names_types: encoder.lookup.take_has_looked_up(),
            function: Some(self.sql.function),
            text,
            sets: None,
            wrapped: None,
            reads: OnceCell::new(),
        };
        let may_write = self.graph.is_some_and(|graph| !graph.only_reads);
        if may_write {
            command.set_reads_if_unknown(Reads::No);
        } else if let Some(reads) = self.sql.reads(&command.text) {
            command.set_reads_if_unknown(reads);
        }
        encoder.commands.push(command);
        Ok(())
    }

    /// Returns the SQL with the conditions that are given, or that of the graph.
    fn composed(&self) -> String {
        let sql = if self.sql.has_conditions {
            Cow::Owned(self.conditions.compose(self.sql.sql))
        } else {
            Cow::Borrowed(self.sql.sql)
        };
        match self.graph {
            Some(graph) => (graph.compose)(&sql),
            None => sql.into_owned(),
        }
    }
}

impl<O, A> Sealed for Query<O, A> {}

impl<O: QueryOutput, A> Statement for Query<O, A> {
    type Output = O::Output;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.push(encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<O::Output> {
        let mut rows = O::decode(answers)?;
        if self.is_reversed {
            O::reverse(&mut rows);
        }
        Ok(rows)
    }
}

impl<R: AnswerRow, A> RowStatement for Query<Vec<R>, A> {
    type Row = R;

    fn reader() -> RowReader<R> {
        |row| R::read(&mut Fields::of(row)).map_err(crate::Error::decode)
    }

    fn describe(columns: &mut Columns) {
        R::describe(columns);
    }
}

impl<R: TableRow> Lockable for Query<R, Read> {}
impl<R: TableRow> Lockable for Query<Option<R>, Read> {}
impl<R: TableRow> Lockable for Query<Vec<R>, Read> {}
