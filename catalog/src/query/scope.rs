//! The names that are visible at one position of a query.

use std::rc::Rc;

use crate::Name;

use super::composite::Composite;
use super::expr::{Expr, Span, TableId};
use super::form::Form;
use super::indexes::SortKey;
use super::locks::{Reach, Source};
use super::types::{self, TypeId};

/// A column of a relation. Values that come from it share it.
pub(super) type RelationColumn = Rc<(Name, String)>;

/// A window of the WINDOW clause.
#[derive(Debug, Clone)]
pub(super) struct NamedWindow {
    pub(super) name: String,
    /// Whether the frame of each row has the row itself.
    pub(super) holds_current_row: bool,
}

/// A source of rows: a table, a common table expression, a function or a subquery.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The relation, if it is one.
    pub(super) relation: Option<Name>,
    pub(super) columns: Vec<TableColumn>,
    /// The type of its rows.
    pub(super) row: TypeId,
    /// The outer joins that return rows without a match in this table; in these rows, its columns
    /// are NULL.
    pub(super) nulled_by: Vec<usize>,
    /// True if it has at most one row, whatever its keys.
    pub(super) is_single: bool,
    /// The unique keys of a query in FROM or of a view, by the positions of their columns.
    pub(super) keys: Rc<[Vec<usize>]>,
    /// True if it certainly has a row.
    pub(super) has_row: bool,
    /// `ONLY`.
    pub(super) is_only: bool,
    /// The depth of the query that reads it.
    pub(super) depth: usize,
    /// What a lock on its rows reaches.
    pub(super) reach: Reach,
    pub(super) source: Source,
    /// The name that OF of a lock uses.
    pub(super) alias: Option<String>,
    /// True if a condition may keep its rows from missing, and only the planner knows.
    pub(super) may_be_reduced: bool,
    /// True if it is on the side of an outer join whose rows can be missing, though none of its own
    /// is.
    pub(super) is_outer: bool,
    /// The schema and name of a system table.
    pub(super) system: Option<String>,
    /// True for the table that a recursive term reads from itself.
    pub(super) is_self: bool,
    /// True for a function that returns single values: its row is the value.
    pub(super) is_value: bool,
}

#[derive(Debug, Clone)]
pub(super) struct TableColumn {
    pub(super) name: String,
    pub(super) ty: TypeId,
    pub(super) nullable: bool,
    /// The column of a relation that the values are from.
    pub(super) origin: Option<RelationColumn>,
    /// The fields, if the values are rows that a query built.
    pub(super) composite: Option<Rc<Composite>>,
    pub(super) form: Form,
}

/// An item of FROM under its name, with its columns.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) alias: Option<String>,
    /// The schema, if the item is a relation without an alias.
    pub(super) schema: Option<String>,
    pub(super) table: Option<TableId>,
    pub(super) columns: Rc<[(String, Expr)]>,
    /// Whether bare column names are searched for here.
    pub(super) shows_columns: bool,
    /// Whether columns are found as `alias.column`.
    pub(super) shows_alias: bool,
    /// Whether it is on the left of a RIGHT or FULL JOIN. The right side must not refer to it.
    pub(super) is_forbidden: bool,
}

/// The result of an item of FROM: names by which its parts are reached, the columns of `*`.
#[derive(Debug, Clone, Default)]
pub(super) struct Joined {
    pub(super) items: Vec<Item>,
    pub(super) star: Vec<StarColumn>,
    pub(super) tables: Vec<TableId>,
}

/// A column that `*` stands for.
#[derive(Debug, Clone)]
pub(super) struct StarColumn {
    pub(super) name: String,
    pub(super) value: Expr,
    /// The alias to write before the name; `None` for the common column of a join.
    pub(super) alias: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) name: String,
    pub(super) columns: Vec<TableColumn>,
    pub(super) is_single: bool,
    pub(super) keys: Rc<[Vec<usize>]>,
    pub(super) has_row: bool,
    /// True if it writes and has no RETURNING.
    pub(super) has_no_result: bool,
    /// True within the recursive term that reads it.
    pub(super) is_self: bool,
    /// True if SEARCH or CYCLE add columns. A `*` of a subquery leaves them out.
    pub(super) has_computed: bool,
}

/// The names of one query.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) items: Vec<Item>,
    pub(super) star: Vec<StarColumn>,
    pub(super) common: Vec<Common>,
    /// Items to which only a LATERAL item can refer.
    pub(super) lateral: Vec<Item>,
    /// Whether the current item can refer to those of `lateral`.
    pub(super) is_lateral: bool,
    pub(super) has_aggregates: bool,
    pub(super) has_windows: bool,
    pub(super) has_full_join: bool,
    /// Equalities that hold for each row: a column, and what it equals.
    pub(super) bindings: Vec<(TableId, usize, Expr)>,
    /// The conditions that hold for each row.
    pub(super) conditions: Vec<Expr>,
    /// The columns that an equality binds, also to one of several values.
    pub(super) sought: Vec<(TableId, usize)>,
    /// The keys of ORDER BY.
    pub(super) order: Vec<SortKey>,
    /// The literals without a type among the keys of ORDER BY, DISTINCT ON and windows.
    pub(super) literal_keys: Vec<Expr>,
    pub(super) returns_set: bool,
    /// The columns of outer queries that are read here.
    pub(super) outer: Vec<(usize, Expr)>,
    /// True within the only row of an INSERT's VALUES, where a function may return a set.
    pub(super) is_single_row: bool,
    /// True if each row of the result is a group that has rows.
    pub(super) has_groups: bool,
    /// True if GROUP BY has several grouping sets.
    pub(super) has_sets: bool,
    /// The windows of OVER, which are analyzed after all other clauses.
    pub(super) over: Vec<squawk_syntax::SyntaxNode>,
    /// Names of windows.
    pub(super) windows: Vec<NamedWindow>,
    /// The current clause, if it forbids window functions but not aggregates.
    pub(super) no_window: Option<&'static str>,
    /// True within RETURNING of MERGE.
    pub(super) returns_of_merge: bool,
    /// The current clause, if it forbids both aggregates and window functions.
    pub(super) no_aggregate: Option<&'static str>,
}

/// The result of a query.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) value: Expr,
    /// If the column comes from a `*`: its index among the columns of the `*`, and its text. The
    /// text is empty if the `*` itself is sent.
    pub(super) of_star: Option<(usize, String)>,
    /// The end of an expression without AS, where a name can be added.
    pub(super) end: Option<usize>,
}

/// A query after its analysis.
#[derive(Debug, Clone)]
pub(super) struct Analyzed {
    pub(super) columns: Vec<ResultColumn>,
    pub(super) is_single: bool,
    /// The unique keys of its rows, by the positions of their columns.
    pub(super) keys: Rc<[Vec<usize>]>,
    pub(super) has_row: bool,
    pub(super) outer: Vec<(usize, Expr)>,
    /// True for a statement that returns no rows.
    pub(super) has_no_result: bool,
    /// What a lock on its rows reaches.
    pub(super) reach: Reach,
}

#[derive(Debug, Clone)]
pub(super) struct ResultColumn {
    pub(super) name: String,
    pub(super) ty: TypeId,
    pub(super) nullable: bool,
    pub(super) origin: Option<RelationColumn>,
    /// The expression, if it is a literal or parameter whose type is still open.
    pub(super) open: Option<Expr>,
    /// The fields, if the values are rows or arrays of rows.
    pub(super) composite: Option<Rc<Composite>>,
    pub(super) span: Span,
    pub(super) form: Form,
}

impl ResultColumn {
    pub(super) fn table_column(self) -> TableColumn {
        TableColumn {
            name: self.name,
            ty: self.ty,
            nullable: self.nullable,
            origin: self.origin,
            composite: self.composite,
            form: self.form,
        }
    }
}

impl Table {
    /// Returns a table that is not a relation: any number of rows, of the query at this depth.
    pub(super) fn of_records(columns: Vec<TableColumn>, depth: usize) -> Self {
        Self {
            relation: None,
            columns,
            row: types::RECORD,
            nulled_by: Vec::new(),
            is_single: false,
            keys: Rc::default(),
            has_row: false,
            is_only: false,
            depth,
            reach: Reach::default(),
            source: Source::default(),
            alias: None,
            may_be_reduced: false,
            is_outer: false,
            system: None,
            is_self: false,
            is_value: false,
        }
    }
}

impl Joined {
    pub(super) fn add(&mut self, other: Joined) {
        self.items.extend(other.items);
        self.star.extend(other.star);
        self.tables.extend(other.tables);
    }
}
