//! The shards of Citus that a query asks, and the queries that Citus refuses.
//!
//! Citus sends a query to one shard if each distributed table in it is bound to the same value of
//! the distribution column. Otherwise it may ask all shards. It refuses a query whose rows it would
//! have to bring together from several nodes: joins and correlated subqueries between tables that
//! are not joined on their distribution columns. The rules here are those that were seen on a
//! cluster; what they do not cover counts as [`Shards::All`].

mod sets;

use std::collections::{BTreeMap, BTreeSet};

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use self::sets::Sets;
use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, TableId};
use crate::replay::syntax::routine::{callee, calls_in};
use crate::replay::syntax::tree::{has, has_below};
use crate::{Distribution, DistributionKind, Fill, Name, Relation, RelationKind};

/// The shards that a query asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shards {
    /// It names no table whose rows are in shards.
    None,
    /// All its rows are in one shard.
    One,
    /// It may ask all shards.
    All,
    /// Citus refuses it, for this reason.
    Refused(String),
}

/// What the analysis notes for this.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Whether Citus distributes a table of the catalog. Nothing is noted if not.
    is_on: bool,
    levels: Vec<Level>,
    /// Values that an UPDATE gives to columns.
    updated: Vec<(TableId, usize, Expr)>,
    refused: Option<String>,
    inserts_one: Option<bool>,
}

impl Noted {
    pub(super) fn new(is_on: bool) -> Self {
        Self {
            is_on,
            ..Self::default()
        }
    }
}

/// The tables that one query joins.
#[derive(Debug)]
struct Level {
    tables: Vec<TableId>,
    /// The tables of outer queries that it refers to.
    outer: Vec<TableId>,
    bindings: Vec<(TableId, usize, Expr)>,
}

/// A distributed table in a query.
struct Occurrence {
    table: TableId,
    column: Option<usize>,
    group: Option<u32>,
    /// The value that binds its distribution column.
    bound: Option<Value>,
}

/// A value that is the same for all rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Parameter(usize),
    Literal(String),
    /// The value of another kind of table that is bound to nothing yet.
    Open(TableId, usize),
}

const NOT_JOINED: &str = "complex joins are only supported when all distributed tables are \
                          co-located and joined on their distribution columns";

/// Functions that return another value at each call. Citus refuses them in UPDATE and DELETE.
const VOLATILE: [&str; 12] = [
    "random",
    "random_normal",
    "gen_random_uuid",
    "uuidv4",
    "uuidv7",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "setval",
    "currval",
];

impl Analyzer<'_> {
    /// Notes the tables that the current query joins, and what binds their columns.
    pub(super) fn note_level(&mut self, tables: &[TableId]) {
        if !self.shards.is_on {
            return;
        }
        let Some(scope) = self.scopes.last() else {
            return;
        };
        let mut outer = Vec::new();
        for (_, value) in &scope.outer {
            value.any(&mut |it| {
                if let Kind::Var { table, .. } | Kind::Row(table) = &it.kind {
                    outer.push(*table);
                }
                false
            });
        }
        let level = Level {
            tables: tables.to_vec(),
            outer,
            bindings: scope.bindings.clone(),
        };
        self.shards.levels.push(level);
    }

    /// Notes the value that an UPDATE gives to a column.
    pub(super) fn note_updated(&mut self, table: TableId, column: usize, value: &Expr) {
        if self.shards.is_on {
            self.shards.updated.push((table, column, value.clone()));
        }
    }

    /// Notes an INSERT of rows that are written in the statement.
    pub(super) fn note_inserted(&mut self, relation: &Name, rows: &[Vec<(usize, Expr)>]) {
        if !self.shards.is_on {
            return;
        }
        let Some((found, distribution)) = self.distributed(relation) else {
            return;
        };
        let is_sharded = distribution.kind.is_sharded();
        let mut refused = None;
        let column = column_of(found, distribution);
        let is_given = column.is_some_and(|at| {
            let mut given = rows.iter().flatten();
            given.any(|(column, _)| *column == at)
        });
        let fill = column
            .and_then(|at| found.columns.get(at))
            .map(|it| &it.fill);
        if column.is_some() && !is_given && fill == Some(&Fill::Nothing) {
            refused = Some("cannot perform an INSERT without a partition column value");
        }
        let mut values = rows.iter().flatten();
        if values.any(|(at, value)| Some(*at) == column && matches!(value.kind, Kind::Const(None)))
        {
            refused = Some("cannot perform an INSERT with NULL in the partition column");
        }
        let is_query = |value: &Expr| value.any(&mut |it| matches!(it.kind, Kind::Query(_)));
        if rows.iter().flatten().any(|(_, value)| is_query(value)) {
            refused = Some("subqueries are not supported within INSERT queries");
        }
        if let Some(why) = refused {
            self.shards.refused.get_or_insert_with(|| why.to_owned());
        }
        if is_sharded {
            let is_one = rows.len() <= 1 && (is_given || column.is_none());
            self.shards.inserts_one = Some(is_one && self.shards.inserts_one.is_none());
        }
    }

    fn distributed(&self, relation: &Name) -> Option<(&Relation, &Distribution)> {
        let catalog = self.catalog;
        let found = catalog.relations.get(relation)?;
        Some((found, found.distribution.as_ref()?))
    }

    /// Returns the distributed table that a table of the query is.
    fn sharded(&self, table: TableId) -> Option<(&Relation, &Distribution)> {
        let name = self.table(table).relation.as_ref()?;
        let found = self.distributed(name)?;
        found.1.kind.is_sharded().then_some(found)
    }

    fn is_reference(&self, table: TableId) -> bool {
        let name = self.table(table).relation.as_ref();
        let found = name.and_then(|name| self.distributed(name));
        found.is_some_and(|(_, found)| found.kind == DistributionKind::Reference)
    }

    /// Returns the shards that the statement asks; `None` if Citus distributes no table.
    pub(super) fn shards_of(&mut self, statement: &SyntaxNode) -> Option<Shards> {
        if !self.shards.is_on {
            return None;
        }
        let noted = std::mem::take(&mut self.shards);
        let occurrences = self.occurrences(&noted.levels);
        if let Some(why) = noted.refused.clone() {
            return Some(Shards::Refused(why));
        }
        if let Some(why) = self.write_refused(statement, &noted, &occurrences) {
            return Some(Shards::Refused(why));
        }
        let writes_shards = self.writes.iter().any(|name| {
            let found = self.distributed(name);
            found.is_some_and(|(_, found)| found.kind.is_sharded())
        });
        if occurrences.is_empty() && !writes_shards {
            return Some(Shards::None);
        }
        let is_bound = |found: &Occurrence| found.column.is_none() || found.bound.is_some();
        let values: BTreeSet<_> = occurrences.iter().map(|found| &found.bound).collect();
        let groups: BTreeSet<_> = occurrences.iter().map(|found| found.group).collect();
        let has_view = self.tables.iter().any(|table| {
            let name = table.relation.as_ref();
            let found = name.and_then(|name| self.catalog.relations.get(name));
            found.is_some_and(|found| found.kind == RelationKind::View)
        });
        let is_one = match noted.inserts_one {
            Some(is_one) => is_one && occurrences.is_empty(),
            None => {
                !occurrences.is_empty()
                    && occurrences.iter().all(is_bound)
                    && values.len() == 1
                    && groups.len() == 1
                    && (groups.iter().all(Option::is_some) || occurrences.len() == 1)
            }
        };
        if is_one && !has_view {
            return Some(Shards::One);
        }
        if let Some(why) = self.join_refused(&noted.levels, &occurrences) {
            return Some(Shards::Refused(why));
        }
        let has_bound = occurrences.iter().any(is_bound);
        if !has_bound && !occurrences.is_empty() && statement.kind() == K::SELECT {
            let why = clause_refused(statement);
            if let Some(why) = why.filter(|_| noted.levels.len() == 1 || is_recursive(statement)) {
                return Some(Shards::Refused(why.to_owned()));
            }
        }
        Some(Shards::All)
    }

    fn occurrences(&self, levels: &[Level]) -> Vec<Occurrence> {
        let mut found = Vec::new();
        for level in levels {
            let bound = bound_in(level);
            for table in &level.tables {
                let Some((relation, distribution)) = self.sharded(*table) else {
                    continue;
                };
                let column = column_of(relation, distribution);
                found.push(Occurrence {
                    table: *table,
                    column,
                    group: distribution.group,
                    bound: column.and_then(|column| bound.get(&(*table, column)).cloned()),
                });
            }
        }
        found
    }

    /// Returns why Citus refuses an UPDATE or DELETE.
    fn write_refused(
        &self,
        statement: &SyntaxNode,
        noted: &Noted,
        occurrences: &[Occurrence],
    ) -> Option<String> {
        for (table, column, value) in &noted.updated {
            let Some((relation, distribution)) = self.sharded(*table) else {
                continue;
            };
            if column_of(relation, distribution) != Some(*column) {
                continue;
            }
            let is_itself = matches!(
                &value.kind,
                Kind::Var { table: of, column: at } if of == table && at == column
            );
            let found = occurrences.iter().find(|found| found.table == *table);
            let bound = found.and_then(|found| found.bound.clone());
            let is_same = bound.is_some() && value_of(value) == bound;
            if !is_itself && !is_same {
                return Some("modifying the partition value of rows is not allowed".to_owned());
            }
        }
        let is_write = matches!(statement.kind(), K::UPDATE | K::DELETE);
        let target = self.writes.first().and_then(|name| self.distributed(name));
        let (_, distribution) = target.filter(|_| is_write && self.writes.len() == 1)?;
        let mut calls = calls_in(statement);
        let volatile = calls.find_map(|call| {
            let name = callee(&call).pop()?;
            VOLATILE.contains(&name.as_str()).then_some(name)
        });
        if let Some(name) = volatile.filter(|_| distribution.kind != DistributionKind::Local) {
            return Some(format!(
                "functions used in UPDATE and DELETE queries on distributed tables must not be \
                 VOLATILE ({name})"
            ));
        }
        if distribution.kind == DistributionKind::Reference
            && noted
                .levels
                .first()
                .is_some_and(|level| level.tables.len() > 1)
            && occurrences.iter().any(|found| found.bound.is_none())
        {
            let first = noted.levels.iter().find(|level| level.tables.len() > 1)?;
            let joins = first
                .tables
                .iter()
                .any(|table| self.sharded(*table).is_some());
            return joins.then(|| {
                "only reference tables may be queried when targeting a reference table with multi \
                 shard UPDATE/DELETE queries with multiple tables"
                    .to_owned()
            });
        }
        None
    }

    /// Returns why Citus refuses a join or a correlated subquery: rows of distributed tables meet
    /// that are not joined on their distribution columns.
    fn join_refused(&self, levels: &[Level], occurrences: &[Occurrence]) -> Option<String> {
        // A reference table outside, and a distributed one in a subquery that refers to it.
        for level in levels {
            let outer_is_reference = level.outer.iter().any(|table| self.is_reference(*table));
            let around = levels.iter().find(|around| {
                let mut outer = level.outer.iter();
                outer.any(|table| around.tables.contains(table))
            });
            let around_is_sharded = around.is_some_and(|around| {
                let mut tables = around.tables.iter();
                tables.any(|table| self.sharded(*table).is_some())
            });
            let is_unbound = |table: &TableId| {
                let mut found = occurrences.iter();
                found.any(|found| found.table == *table && found.bound.is_none())
            };
            if outer_is_reference && !around_is_sharded && level.tables.iter().any(is_unbound) {
                return Some(
                    "correlated subqueries are not supported when the FROM clause contains a \
                     reference table"
                        .to_owned(),
                );
            }
        }
        // Tables that meet: those of one query, and of the subqueries that refer to it.
        let mut meeting = Sets::default();
        let mut joined = Sets::default();
        for level in levels {
            let sharded = level.tables.iter().chain(&level.outer);
            let sharded: Vec<TableId> = sharded
                .copied()
                .filter(|table| self.sharded(*table).is_some())
                .collect();
            let own = level
                .tables
                .iter()
                .any(|table| self.sharded(*table).is_some());
            if let Some(first) = sharded.first().filter(|_| own) {
                sharded
                    .iter()
                    .for_each(|table| meeting.join(*first, *table));
            }
            for (table, column, value) in &level.bindings {
                let Kind::Var {
                    table: other,
                    column: at,
                } = &stripped(value).kind
                else {
                    continue;
                };
                let is_key = |table: TableId, column: usize| {
                    let mut found = occurrences.iter();
                    found.any(|found| found.table == table && found.column == Some(column))
                };
                if is_key(*table, *column) && is_key(*other, *at) {
                    joined.join(*table, *other);
                }
            }
        }
        for (index, one) in occurrences.iter().enumerate() {
            for other in &occurrences[index + 1..] {
                if one.table == other.table || !meeting.are_together(one.table, other.table) {
                    continue;
                }
                let is_same_value = one.bound.is_some() && one.bound == other.bound;
                let is_joined = joined.are_together(one.table, other.table) || is_same_value;
                let is_colocated = one.group.is_some() && one.group == other.group;
                let is_single = one.column.is_none() || other.column.is_none();
                if !is_colocated || !(is_joined || is_single) {
                    return Some(NOT_JOINED.to_owned());
                }
            }
        }
        None
    }
}

/// Returns the position of the distribution column.
fn column_of(relation: &Relation, distribution: &Distribution) -> Option<usize> {
    let name = distribution.column.as_ref()?;
    relation
        .columns
        .iter()
        .position(|column| column.name == *name)
}

/// Returns the values that bind columns, by the equalities of one query.
fn bound_in(level: &Level) -> BTreeMap<(TableId, usize), Value> {
    let mut bound: BTreeMap<(TableId, usize), Value> = BTreeMap::new();
    loop {
        let before = bound.len();
        for (table, column, value) in &level.bindings {
            if bound.contains_key(&(*table, *column)) {
                continue;
            }
            let found = match value_of(value) {
                Some(Value::Open(table, column)) => bound.get(&(table, column)).cloned(),
                found => found,
            };
            if let Some(found) = found {
                bound.insert((*table, *column), found);
            }
        }
        if bound.len() == before {
            return bound;
        }
    }
}

/// Returns a value without the conversions around it.
fn stripped(value: &Expr) -> &Expr {
    match &value.kind {
        Kind::Coerce(inner) => stripped(inner),
        _ => value,
    }
}

fn value_of(value: &Expr) -> Option<Value> {
    match &stripped(value).kind {
        Kind::Param(number) => Some(Value::Parameter(*number)),
        Kind::Const(Some(text)) => Some(Value::Literal(text.clone())),
        Kind::Var { table, column } => Some(Value::Open(*table, *column)),
        _ => None,
    }
}

fn is_recursive(statement: &SyntaxNode) -> bool {
    let clause = statement
        .children()
        .find(|part| part.kind() == K::WITH_CLAUSE);
    clause.is_some_and(|clause| has(&clause, K::RECURSIVE_KW))
}

/// Returns why Citus refuses a SELECT that asks several shards.
fn clause_refused(statement: &SyntaxNode) -> Option<&'static str> {
    if is_recursive(statement) {
        return Some(
            "recursive CTEs are only supported when they contain a filter on the distribution \
             column",
        );
    }
    if statement
        .children()
        .any(|part| part.kind() == K::LOCKING_CLAUSE)
    {
        return Some(
            "could not run distributed query with FOR UPDATE/SHARE commands: only with an equality \
             filter on the distribution column",
        );
    }
    let sets = [K::GROUPING_SETS, K::GROUPING_ROLLUP, K::GROUPING_CUBE];
    if sets.into_iter().any(|kind| has_below(statement, kind)) {
        return Some("could not run distributed query with GROUPING SETS, CUBE, or ROLLUP");
    }
    None
}
