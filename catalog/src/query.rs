//! The types of a query: its parameters, its columns, which of them can be NULL, and how many rows
//! there can be.
//!
//! A [`Checker`] reads a query as PostgreSQL does (manual, chapter 10), with a catalog in place of
//! a server. It answers exactly, or it refuses with a [`Fault`]. It never answers that a column is
//! NOT NULL if the column can be NULL.
//!
//! Replay uses the same analysis for views, and for tables that are created from a query:
//! `describe` gives their columns with modifiers and collations (`value_form`), and what they
//! depend on. Its state is read through a trait (`objects`).

mod aggregates;
mod alias;
mod analyzer;
mod apply;
mod arguments;
mod assign;
mod brackets;
mod calls;
mod candidate;
mod choice;
mod clause;
mod coerce;
mod collation;
mod comparison;
mod composite;
mod conflict;
mod construct;
pub(crate) mod describe;
mod expr;
mod expression;
mod fault;
mod field;
mod form;
mod from;
mod function;
mod grammar;
mod grouping;
mod indexes;
mod join;
mod keys;
mod literal;
mod locks;
mod memo;
mod merge;
mod names;
mod no_function;
mod nulls;
pub(crate) mod objects;
mod omitted;
mod operator;
mod options;
mod ordering;
mod overloads;
mod polymorphic;
mod raw;
mod recursion;
mod relation;
mod returning;
mod rows;
mod sample;
mod scope;
mod search_cycle;
mod select;
mod set_operation;
mod shards;
mod signature;
mod similar;
mod special_form;
mod statement;
mod sub_query;
mod table_function;
mod target;
mod total;
mod type_name;
mod types;
mod unknown;
mod unsorted;
mod value_form;
mod values;
mod version;
mod view;
mod window;
mod with;
mod with_clause;
mod write;

pub(crate) use aggregates::may_aggregate;
pub use fault::Fault;
pub use shards::Shards;
pub use view::ViewColumn;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::{Catalog, DataType, Name, Relation};

/// Checks queries against one catalog.
pub struct Checker<'a> {
    catalog: &'a Catalog,
    path: Rc<[String]>,
    version: Option<u32>,
    /// The results of earlier queries that later ones need too.
    memo: RefCell<Option<memo::Memo<'a>>>,
}

/// The versions of PostgreSQL that queries can be checked for.
pub const VERSIONS: std::ops::RangeInclusive<u32> = crate::replay::builtin::VERSIONS;

/// A query that PostgreSQL accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The text to send: each `*` that reaches the result is written as its columns.
    pub sql: String,
    /// The parameters, `$1` first.
    pub parameters: Vec<Parameter>,
    /// The columns of the result. There are none for a statement that returns no rows.
    pub columns: Vec<Column>,
    /// The number of rows of the result.
    pub rows: Rows,
    /// The columns that the query reads, by relation.
    pub reads: BTreeSet<(Name, String)>,
    /// The relations that the query writes.
    pub writes: BTreeSet<Name>,
    /// The columns that the query gives values to, by relation.
    pub assigns: BTreeSet<(Name, String)>,
    /// The indexes that can serve the query, by relation: their first column is bound by an
    /// equality, or their order is that of ORDER BY.
    pub indexes: BTreeSet<(Name, String)>,
    /// The shards of Citus that the query asks; `None` if Citus distributes no table.
    pub shards: Option<Shards>,
    /// A mistake in a statement that PostgreSQL accepts: a required column has no value, which is
    /// an error for each new row, or ORDER BY sorts nothing.
    pub omitted: Option<Fault>,
}

/// A parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The type that PostgreSQL gives to the parameter. It can be a domain.
    pub data_type: DataType,
    /// The column that the parameter is compared with or assigned to, if its values are those of
    /// one column: an id.
    pub column: Option<(Name, String)>,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name, which need not be unique.
    pub name: String,
    /// The type. For a domain it is the domain itself, although a server describes the column by
    /// the base type.
    pub data_type: DataType,
    /// True if a row can hold NULL here.
    pub nullable: bool,
    /// The column of a table or view that the values are from.
    pub column: Option<(Name, String)>,
    /// The fields, if the values are rows or arrays of rows, and each field is sent by its name.
    pub row: Option<Row>,
    /// The comment of the expression's column, if it has one.
    pub comment: Option<String>,
}

/// The rows that a column of a result holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The fields, in their order.
    pub fields: Vec<Column>,
    /// True if an element of an array of rows can be NULL.
    pub has_null_elements: bool,
}

/// The number of rows of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rows {
    /// The statement returns no rows. It answers with a count.
    Affected,
    /// Exactly one.
    One,
    /// One or none.
    Optional,
    /// Any number.
    Many,
}

impl Query {
    /// Returns the query.
    ///
    /// # Errors
    ///
    /// The one in `omitted`.
    pub fn without_omitted(self) -> Result<Self, Fault> {
        match self.omitted {
            None => Ok(self),
            Some(fault) => Err(fault),
        }
    }
}

impl<'a> Checker<'a> {
    /// Creates a checker of queries that are sent to a database with this catalog. Bare names are
    /// searched for in `public`.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            path: Rc::new(["public".to_owned()]),
            version: None,
            memo: RefCell::new(None),
        }
    }

    /// Refuses queries that need a later version of PostgreSQL than this one. `None` is the newest
    /// version that is known.
    #[must_use]
    pub fn for_version(self, version: Option<u32>) -> Self {
        Self {
            version,
            memo: RefCell::new(None),
            ..self
        }
    }

    /// Returns the columns of a view or materialized view, as its query makes them; `None` for
    /// another relation, or if it is not known what PostgreSQL makes of the query.
    ///
    /// The rows of a materialized view can be older than what the catalog says of its tables.
    pub fn view_columns(&self, name: &Name) -> Option<Vec<ViewColumn>> {
        let memo = self.memo.take();
        let memo = memo.unwrap_or_else(|| memo::Memo::new(self.catalog, self.version));
        let mut analyzer = analyzer::Analyzer::new(self.catalog, Rc::clone(&self.path), memo, &[]);
        let view = analyzer.view(name);
        self.memo.replace(Some(analyzer.into_memo()));
        view.map(|view| view.columns.clone())
    }

    /// Returns the columns of a table that are NOT NULL, and of which a query can read NULL all the
    /// same: the constraint is not validated, or a table that inherits the column has no such
    /// constraint.
    pub fn not_null_with_nulls(&self, relation: &Relation) -> Vec<String> {
        let declared = relation.columns.iter().filter(|column| column.not_null);
        let declared: Vec<&str> = declared.map(|column| column.name.as_str()).collect();
        let memo = self.memo.take();
        let memo = memo.unwrap_or_else(|| memo::Memo::new(self.catalog, self.version));
        let mut analyzer = analyzer::Analyzer::new(self.catalog, Rc::clone(&self.path), memo, &[]);
        let columns = analyzer.columns_of(relation, false);
        self.memo.replace(Some(analyzer.into_memo()));
        let nullable = columns.iter().filter(|column| column.nullable);
        let nullable = nullable.filter(|column| declared.contains(&column.name.as_str()));
        nullable.map(|column| column.name.clone()).collect()
    }

    /// Checks one statement with parameters `$1`, `$2`, ..
    ///
    /// # Errors
    ///
    /// A [`Fault`] if PostgreSQL refuses the statement, or if it is not known what PostgreSQL would
    /// answer.
    pub fn check(&self, sql: &str) -> Result<Query, Fault> {
        self.check_with(sql, &[])
    }

    /// Checks one statement. `nullable` says for each parameter, `$1` first, whether NULL can be
    /// given.
    ///
    /// # Errors
    ///
    /// As for [`Checker::check`].
    pub fn check_with(&self, sql: &str, nullable: &[bool]) -> Result<Query, Fault> {
        statement::check(
            self.catalog,
            &self.path,
            self.version,
            &self.memo,
            sql,
            nullable,
        )
    }
}

#[cfg(test)]
mod tests;
