//! The number of rows that there can be: at most one if equalities bind a unique key.

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, TableId};
use super::types;
use crate::{ConstraintKind, RelationKind};

impl Analyzer<'_> {
    /// Records the equalities of a condition that holds for all rows of these tables.
    pub(super) fn bind(&mut self, condition: &Expr, tables: &[TableId]) {
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
        let mut single: Vec<TableId> = Vec::new();
        loop {
            let before = single.len();
            for table in tables {
                if !single.contains(table) && self.is_single(*table, tables, &single, &bindings) {
                    single.push(*table);
                }
            }
            if single.len() == tables.len() {
                return true;
            }
            if single.len() == before {
                return false;
            }
        }
    }

    fn is_single(
        &self,
        id: TableId,
        tables: &[TableId],
        single: &[TableId],
        bindings: &[(TableId, usize, Expr)],
    ) -> bool {
        let table = self.table(id);
        if table.is_single {
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
                *other == id && Some(*bound) == at && self.is_fixed(value, tables, single)
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
                && index.predicate.is_none()
                && index
                    .plain_columns()
                    .is_some_and(|columns| !columns.is_empty() && columns.iter().all(is_bound))
        })
    }

    /// Returns true if a value is the same for all rows, given tables that have one row.
    fn is_fixed(&self, value: &Expr, tables: &[TableId], single: &[TableId]) -> bool {
        let is_free = |table: &TableId| tables.contains(table) && !single.contains(table);
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
