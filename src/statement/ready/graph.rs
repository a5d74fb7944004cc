//! Graphs: rows with the rows that they are related to, read by one query.
//!
//! A graph is a struct of the program. Its first field is a row, and the other ones are named after
//! relations of that row's table. `#[derive(Graph)]` implements the traits here for it, and
//! [`Query::load`] turns a query of rows into one of graphs. All is read by one statement, so it is
//! one round trip and one snapshot.

mod sql;

use std::any::TypeId;
use std::marker::PhantomData;

use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::sql_types::{Array, Nullable};

use super::{AnswerRow, Fields, Query, Read, RowOf, TableRow};
use crate::command::columns::Columns;

pub use sql::{Alias, GraphSql, Limit};

/// A relation of a table's rows, as generated code declares it: `K` is [`One`], [`Optional`] or
/// [`Many`], and `T` is the table of the related rows.
///
/// `Issue::COMMENTS` is that of the comments of an issue. A field `comments` of a graph of issues
/// reads it.
#[derive(Debug)]
pub struct Relation<K, T> {
    sql: RelationSql,
    kind: PhantomData<fn() -> (K, T)>,
}

/// The kind of a relation to exactly one row.
#[derive(Debug)]
pub enum One {}

/// The kind of a relation to one row or none.
#[derive(Debug)]
pub enum Optional {}

/// The kind of a relation to any number of rows.
#[derive(Debug)]
pub enum Many {}

/// The SQL of a relation.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct RelationSql {
    /// The related rows `{t}`: `users AS {t}`. `{j}` is a join table. A brace in a name is written
    /// twice.
    pub from: &'static str,
    /// Which of them belong to a row `{p}`: `{t}.id = {p}.author_id`.
    pub condition: &'static str,
    /// The columns of the row that it compares.
    pub of: &'static [&'static str],
    /// The key of the related rows, which gives their order.
    pub key: &'static [&'static str],
    /// Whether the tables have no policies, which could call a function that writes.
    pub only_reads: bool,
}

impl<K, T> Relation<K, T> {
    #[doc(hidden)]
    pub const fn new(sql: RelationSql) -> Self {
        Self {
            sql,
            kind: PhantomData,
        }
    }
}

/// A graph: a row with the rows that it is related to. `#[derive(Graph)]` implements it.
///
/// A graph within itself would have no end, so it does not compile:
///
/// ```compile_fail,E0391
/// # use bank::{Account, Transfer};
/// # use bowline::Graph;
/// #[derive(Graph)]
/// struct Sender {
///     account: Account,
///     transfers_by_sender: Vec<Sent>,
/// }
///
/// #[derive(Graph)]
/// struct Sent {
///     transfer: Transfer,
///     sender: Sender,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a graph",
    note = "a struct whose first field is a row of a table is one by `#[derive(bowline::Graph)]`"
)]
pub trait Graph: GraphNode {}

/// A row of a table, or a graph of one: what a relation leads to.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a row of a table nor a graph",
    note = "a struct whose first field is a row of a table is a graph by `#[derive(bowline::Graph)]`"
)]
pub trait GraphNode: AnswerRow + FromSql<RowOf<Self>, Pg> + 'static {
    /// The row itself, or that of the graph's first field.
    type Row: TableRow;

    /// How many graphs are within each other. That of a graph within itself cannot be computed,
    /// so that does not compile.
    const DEPTH: usize;

    /// Whether all its tables have no policies.
    const ONLY_READS: bool;

    /// Adds the columns from which it is read.
    fn select(sql: &mut GraphSql, row: Alias);
}

impl<R: TableRow> GraphNode for R {
    type Row = R;
    const DEPTH: usize = 0;
    const ONLY_READS: bool = true;

    fn select(sql: &mut GraphSql, row: Alias) {
        sql.row::<R>(row);
    }
}

/// The table of a node's row.
type TableOf<N> = <<N as GraphNode>::Row as TableRow>::Table;

/// The field of a graph: a node, an `Option` or a `Vec` of nodes, by the kind of its relation.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit the relation of this name, which leads to `{K}` in `{T}`",
    label = "not what the relation leads to",
    note = "`One` is a row or a graph of it, `Optional` an `Option`, and `Many` a `Vec` of them"
)]
pub trait Related<K, T>: Sized {
    /// The row or graph that it holds.
    type Node: GraphNode;

    /// Whether the SQL returns an array.
    const IS_ARRAY: bool;

    /// Whether the SQL returns NULL where there is no row.
    const IS_OPTIONAL: bool = false;

    fn describe(columns: &mut Columns);

    fn read(fields: &mut Fields<'_>, name: &str) -> deserialize::Result<Self>;
}

impl<N: GraphNode> Related<One, TableOf<N>> for N {
    type Node = N;
    const IS_ARRAY: bool = false;

    fn describe(columns: &mut Columns) {
        columns.positional::<RowOf<N>>();
    }

    fn read(fields: &mut Fields<'_>, name: &str) -> deserialize::Result<Self> {
        fields.read_named::<RowOf<N>, Self>(name)
    }
}

impl<N: GraphNode> Related<Optional, TableOf<N>> for Option<N> {
    type Node = N;
    const IS_ARRAY: bool = false;
    const IS_OPTIONAL: bool = true;

    fn describe(columns: &mut Columns) {
        columns.positional::<Nullable<RowOf<N>>>();
    }

    fn read(fields: &mut Fields<'_>, name: &str) -> deserialize::Result<Self> {
        fields.read_named::<Nullable<RowOf<N>>, Self>(name)
    }
}

impl<N: GraphNode> Related<Many, TableOf<N>> for Vec<N> {
    type Node = N;
    const IS_ARRAY: bool = true;

    fn describe(columns: &mut Columns) {
        columns.positional::<Array<RowOf<N>>>();
    }

    fn read(fields: &mut Fields<'_>, name: &str) -> deserialize::Result<Self> {
        fields.read_named::<Array<RowOf<N>>, Self>(name)
    }
}

/// A field of a graph, with all that its relation and its type decide.
///
/// It is made by one function, so that a field that does not fit is one error.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct GraphField<F> {
    relation: RelationSql,
    is_array: bool,
    is_optional: bool,
    depth: usize,
    only_reads: bool,
    fields: &'static [&'static str],
    columns: &'static [&'static str],
    describe: fn(&mut Columns),
    select: fn(&mut GraphSql, Alias),
    read: fn(&mut Fields<'_>, &str) -> deserialize::Result<F>,
}

impl<K, T> Relation<K, T> {
    /// Returns the field of this type.
    #[doc(hidden)]
    #[must_use]
    pub const fn field<F: Related<K, T>>(&self) -> GraphField<F> {
        GraphField {
            relation: self.sql,
            is_array: F::IS_ARRAY,
            is_optional: F::IS_OPTIONAL,
            depth: <F::Node as GraphNode>::DEPTH,
            only_reads: self.sql.only_reads && <F::Node as GraphNode>::ONLY_READS,
            fields: <<F::Node as GraphNode>::Row as TableRow>::FIELDS,
            columns: <<F::Node as GraphNode>::Row as TableRow>::COLUMNS,
            describe: F::describe,
            select: <F::Node as GraphNode>::select,
            read: F::read,
        }
    }
}

impl<K, T> Relation<K, T> {
    /// Compiles if the related row has the field that the function reads. The compiler then names
    /// the field and the row, at the option of the graph.
    #[doc(hidden)]
    pub const fn require_field<F: Related<K, T>>(&self, _: fn(&<F::Node as GraphNode>::Row)) {}
}

impl<F> GraphField<F> {
    /// Returns the depth of its graphs.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Returns whether all its tables have no policies.
    #[must_use]
    pub const fn only_reads(&self) -> bool {
        self.only_reads
    }

    /// Adds its column.
    pub fn describe(&self, columns: &mut Columns) {
        (self.describe)(columns);
    }

    /// Reads its column.
    pub fn read(&self, fields: &mut Fields<'_>, name: &str) -> deserialize::Result<F> {
        (self.read)(fields, name)
    }

    /// Returns the column of a field by which the related rows are ordered.
    #[must_use]
    pub const fn order_by(&self, field: &str) -> &'static str {
        match position(self.fields, field) {
            Some(at) => self.columns[at],
            None => panic!("the related row has no field of this name to order by"),
        }
    }

    /// Checks that a row has the columns by which the relation is found.
    pub const fn require_columns(&self, row: &[&str]) {
        let mut at = 0;
        while at < self.relation.of.len() {
            assert!(
                position(row, self.relation.of[at]).is_some(),
                "the row of the graph lacks a column by which the relation is found: use the whole row"
            );
            at += 1;
        }
    }
}

/// Returns the depth of a graph with these graphs and rows in it. Each level is a subquery in the
/// one before, so more than eight are refused.
#[doc(hidden)]
#[must_use]
pub const fn depth(of_fields: &[usize]) -> usize {
    let mut deepest = 0;
    let mut at = 0;
    while at < of_fields.len() {
        if of_fields[at] > deepest {
            deepest = of_fields[at];
        }
        at += 1;
    }
    assert!(deepest < 8, "a graph has more than eight levels");
    deepest + 1
}

/// Returns the position of a name.
const fn position(names: &[&str], wanted: &str) -> Option<usize> {
    let mut at = 0;
    while at < names.len() {
        let (name, wanted) = (names[at].as_bytes(), wanted.as_bytes());
        let mut byte = 0;
        while byte < name.len() && byte < wanted.len() && name[byte] == wanted[byte] {
            byte += 1;
        }
        if byte == name.len() && byte == wanted.len() {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// How the query of a graph is derived from that of its rows.
#[derive(Debug)]
pub(super) struct GraphPlan {
    pub(super) id: fn() -> TypeId,
    pub(super) compose: fn(&str) -> String,
    pub(super) only_reads: bool,
}

/// Has the plan of a graph.
struct PlanOf<G>(PhantomData<G>);

impl<G: Graph> PlanOf<G> {
    const PLAN: &'static GraphPlan = &GraphPlan {
        id: TypeId::of::<G>,
        compose: sql::compose::<G>,
        only_reads: G::ONLY_READS,
    };
}

/// The output of a query of rows, each of which can become a graph `G`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a query of `{Self}` cannot load `{G}`",
    note = "the first field of the graph has to be the row that the query returns"
)]
pub trait LoadGraph<G> {
    /// The output with graphs in place of the rows.
    type Output;
}

impl<R: TableRow, G: GraphNode<Row = R>> LoadGraph<G> for R {
    type Output = G;
}

impl<R: TableRow, G: GraphNode<Row = R>> LoadGraph<G> for Option<R> {
    type Output = Option<G>;
}

impl<R: TableRow, G: GraphNode<Row = R>> LoadGraph<G> for Vec<R> {
    type Output = Vec<G>;
}

impl<O> Query<O, Read> {
    /// Returns the query with a graph in place of each row: the row with the rows that it is
    /// related to, in the same order. All are read by one statement, in one round trip.
    ///
    /// ```
    /// # use bank::{Account, AccountId, Transfer};
    /// # use bowline::{Database, Graph, Result};
    /// #[derive(Graph)]
    /// struct Statement {
    ///     account: Account,
    ///     #[graph(last = 10)]
    ///     transfers_by_sender: Vec<Transfer>,
    /// }
    ///
    /// # fn show(db: &Database, id: AccountId) -> Result<()> {
    /// let found = db.run(Account::find(id).load::<Statement>())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn load<G: Graph>(self) -> Query<O::Output, Read>
    where
        O: LoadGraph<G>,
    {
        let mut query = self.returning();
        query.graph = Some(PlanOf::<G>::PLAN);
        query
    }
}
