//! The number of rows that there can be: at most one if equalities bind a unique key.

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, TableId};
use super::scope::{Item, Scope};
use super::types;
use crate::replay::syntax::parse::parse;
use crate::replay::syntax::tree::{child, statements};
use crate::{ConstraintKind, Relation, RelationKind};
use squawk_syntax::SyntaxKind as K;

/// What is known of the tables of a query whose rows are counted.
#[derive(Default)]
struct Known {
    tables: Vec<TableId>,
    /// Those that have at most one row.
    single: Vec<TableId>,
    /// Columns that are equal to one value in all rows.
    fixed: Vec<(TableId, usize)>,
}

impl Analyzer<'_> {
    /// Records the equalities of a condition that holds for all rows of these tables.
    pub(super) fn bind(&mut self, condition: &Expr, tables: &[TableId]) {
        let reads_other = |it: &Expr| match &it.kind {
            Kind::Var { table, .. } | Kind::Row(table) => !tables.contains(table),
            Kind::Query(_) => true,
            _ => false,
        };
        let is_and = matches!(condition.kind, Kind::And(_));
        if !is_and && !condition.any(&mut |it| reads_other(it)) {
            self.scope().conditions.push(condition.clone());
        }
        match &condition.kind {
            Kind::And(all) => {
                for part in all {
                    self.bind(part, tables);
                }
            }
            Kind::Call(call) if call.is_operator && call.name == "=" => {
                if let [left, right] = call.arguments.as_slice() {
                    for (one, other) in [(left, right), (right, left)] {
                        if let Some((table, column)) = self.key_column(one)
                            && tables.contains(&table)
                            && is_stable(other)
                        {
                            self.seek((table, column), other);
                            let binding = (table, column, other.clone());
                            self.scope().bindings.push(binding);
                        }
                    }
                }
            }
            Kind::AnyOf {
                operator,
                left,
                array,
                all: false,
            } if operator == "=" => {
                if let Some((table, column)) = self.key_column(left)
                    && tables.contains(&table)
                {
                    self.seek((table, column), array);
                }
            }
            _ => {}
        }
    }

    /// Returns the column of a value that is a column, unchanged or converted so that different
    /// values stay different.
    fn key_column(&self, value: &Expr) -> Option<(TableId, usize)> {
        match &value.kind {
            Kind::Var { table, column } => Some((*table, *column)),
            Kind::Coerce(inner) => {
                let (from, to) = (self.types.base(inner.ty), self.types.base(value.ty));
                let keeps = from == to
                    || matches!(
                        (from, to),
                        (types::VARCHAR, types::TEXT)
                            | (types::INT2, types::INT4 | types::INT8)
                            | (types::INT4, types::INT8)
                    );
                keeps.then(|| self.key_column(inner)).flatten()
            }
            _ => None,
        }
    }

    /// Returns true if these tables have at most one row together.
    pub(super) fn are_single(&mut self, tables: &[TableId]) -> bool {
        if self.scope().has_full_join {
            return false;
        }
        let bindings = self.scope().bindings.clone();
        let mut partial: Vec<(TableId, String)> = Vec::new();
        for table in tables {
            let names = self.partial_indexes(*table, &bindings);
            partial.extend(names.into_iter().map(|name| (*table, name)));
        }
        let mut known = Known {
            tables: tables.to_vec(),
            ..Known::default()
        };
        loop {
            let before = (known.single.len(), known.fixed.len());
            for (table, column, value) in &bindings {
                let column = (*table, *column);
                if !known.fixed.contains(&column) && self.is_fixed(value, &known) {
                    known.fixed.push(column);
                }
            }
            for table in tables {
                if !known.single.contains(table)
                    && self.is_single(*table, &known, &bindings, &partial)
                {
                    known.single.push(*table);
                }
            }
            if known.single.len() == tables.len() {
                return true;
            }
            if (known.single.len(), known.fixed.len()) == before {
                return false;
            }
        }
    }

    fn is_single(
        &self,
        id: TableId,
        known: &Known,
        bindings: &[(TableId, usize, Expr)],
        partial: &[(TableId, String)],
    ) -> bool {
        let table = self.table(id);
        if table.is_single {
            return true;
        }
        let is_bound_at = |at: &usize| {
            bindings.iter().any(|(other, bound, value)| {
                *other == id && bound == at && self.is_fixed(value, known)
            })
        };
        if table.keys.iter().any(|key| key.iter().all(is_bound_at)) {
            return true;
        }
        let Some(name) = &table.relation else {
            return false;
        };
        let Some(relation) = self.catalog.relations.get(name) else {
            return false;
        };
        let has_keys = matches!(
            relation.kind,
            RelationKind::Table
                | RelationKind::PartitionedTable
                | RelationKind::Partition
                | RelationKind::MaterializedView
        );
        if !has_keys || (!table.is_only && self.has_children(name)) {
            return false;
        }
        let is_bound = |column: &String| {
            // An alias can rename the columns of the table, so the relation says which one it is.
            let at = relation.columns.iter().position(|it| it.name == *column);
            bindings.iter().any(|(other, bound, value)| {
                *other == id && Some(*bound) == at && self.is_fixed(value, known)
            })
        };
        relation.indexes.iter().any(|index| {
            let constraint = relation.constraints.iter().find(|it| {
                it.name == index.name
                    && matches!(
                        it.kind,
                        ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. }
                    )
            });
            let holds = constraint.is_none_or(|it| !it.deferrable && !it.temporal && it.enforced);
            index.unique
                && holds
                && !index.invalid
                && (index.predicate.is_none() || partial.contains(&(id, index.name.clone())))
                && index
                    .plain_columns()
                    .is_some_and(|columns| !columns.is_empty() && columns.iter().all(is_bound))
        })
    }

    /// Returns the partial unique indexes of a table whose conditions hold for all rows.
    fn partial_indexes(&mut self, id: TableId, bindings: &[(TableId, usize, Expr)]) -> Vec<String> {
        let catalog = self.catalog;
        let name = self.table(id).relation.as_ref();
        let relation = name.and_then(|name| catalog.relations.get(name));
        let (Some(relation), true) = (relation, self.objects.is_none()) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for index in relation.indexes.iter().filter(|index| index.unique) {
            let Some(predicate) = &index.predicate else {
                continue;
            };
            if self.scope().conditions.is_empty() {
                break;
            }
            let Some(predicate) = self.predicate(id, relation, predicate) else {
                continue;
            };
            let conditions = &self.scope().conditions;
            let is_bound = |it: &Expr| match &it.kind {
                Kind::IsNull { value, not: true } => match &value.kind {
                    Kind::Var { table, column } => bindings
                        .iter()
                        .any(|(other, at, _)| other == table && at == column),
                    _ => false,
                },
                _ => false,
            };
            let holds = |it: &Expr| conditions.contains(it) || is_bound(it);
            let all = match &predicate.kind {
                Kind::And(all) => all.iter().all(holds),
                _ => holds(&predicate),
            };
            if all {
                found.push(index.name.clone());
            }
        }
        found
    }

    /// Returns the condition of a partial index, on the columns of a table of the query.
    fn predicate(&mut self, id: TableId, relation: &Relation, written: &str) -> Option<Expr> {
        let file = parse(&format!("SELECT 1 WHERE {written}")).ok()?;
        let query = statements(&file).next()?;
        let value = child(&query, K::WHERE_CLAUSE)?.children().next()?;
        let columns = relation.columns.iter().zip(&self.table(id).columns);
        let columns = columns.enumerate().map(|(column, (declared, found))| {
            let kind = Kind::Var { table: id, column };
            (declared.name.clone(), Expr::new(found.ty, kind, 0..0))
        });
        let item = Item {
            alias: None,
            schema: None,
            table: Some(id),
            columns: columns.collect(),
            shows_columns: true,
            shows_alias: false,
            is_forbidden: false,
        };
        let reads = self.reads.clone();
        self.scopes.push(Scope {
            items: vec![item],
            ..Scope::default()
        });
        let value = self.value(&value);
        self.scopes.pop();
        self.reads = reads;
        value.ok()
    }

    /// Returns true if a value is the same for all rows, given what is known.
    ///
    /// A column that is equal to one value can still have several that PostgreSQL takes for equal,
    /// such as `'a'` and `'A'` of citext, so that an expression on it has several values.
    fn is_fixed(&self, value: &Expr, known: &Known) -> bool {
        let column = self.key_column(value);
        if column.is_some_and(|column| known.fixed.contains(&column)) {
            return true;
        }
        let is_free =
            |table: &TableId| known.tables.contains(table) && !known.single.contains(table);
        !value.any(&mut |it| match &it.kind {
            Kind::Var { table, .. } | Kind::Row(table) => is_free(table),
            Kind::Query(query) => query.outer.iter().any(|(_, outer)| {
                outer.any(&mut |it| match &it.kind {
                    Kind::Var { table, .. } | Kind::Row(table) => is_free(table),
                    _ => false,
                })
            }),
            _ => false,
        })
    }
}

/// Returns true if a value can change from row to row only with the columns that it contains.
/// Functions that are not in the list count as changing.
fn is_stable(value: &Expr) -> bool {
    const STABLE: [&str; 8] = [
        "cast",
        "lower",
        "upper",
        "now",
        "btrim",
        "trim",
        "current_setting",
        "md5",
    ];
    !value.any(&mut |it| match &it.kind {
        Kind::Call(call) => {
            call.returns_set
                || call.name == "collate"
                || !(call.is_operator || STABLE.contains(&call.name.as_str()))
        }
        Kind::Aggregate(_) | Kind::Default => true,
        _ => false,
    })
}
