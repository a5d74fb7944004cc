//! The indexes that can serve a query.

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, TableId};
use crate::{Index, IndexKey};

/// A key of ORDER BY.
#[derive(Debug, Clone)]
pub(super) struct SortKey {
    pub(super) value: Expr,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

impl Analyzer<'_> {
    /// Notes the indexes of these tables that can serve the current query: those whose first column
    /// is bound by an equality, and those whose order is that of ORDER BY.
    pub(super) fn note_indexes(&mut self, tables: &[TableId]) {
        for id in tables {
            let Some(name) = self.table(*id).relation.clone() else {
                continue;
            };
            let catalog = self.catalog;
            let Some(relation) = catalog.relations.get(&name) else {
                continue;
            };
            let position = |wanted: &String| {
                let mut columns = relation.columns.iter();
                columns.position(|column| column.name == *wanted)
            };
            for index in &relation.indexes {
                if self.serves(*id, index, &position) {
                    self.indexes.insert((name.clone(), index.name.clone()));
                }
            }
        }
    }

    fn serves(
        &self,
        table: TableId,
        index: &Index,
        position: &dyn Fn(&String) -> Option<usize>,
    ) -> bool {
        let is_ordered = index.method == "btree";
        if index.invalid || index.predicate.is_some() || !(is_ordered || index.method == "hash") {
            return false;
        }
        let Some(scope) = self.scopes.last() else {
            return false;
        };
        let is_bound = |key: &IndexKey| match key {
            IndexKey::Column { name, .. } => {
                let at = position(name);
                scope
                    .sought
                    .iter()
                    .any(|(other, column)| *other == table && Some(*column) == at)
            }
            IndexKey::Expression { .. } => false,
        };
        let bound = index.keys.iter().take_while(|key| is_bound(key)).count();
        if bound > 0 {
            return is_ordered || bound == index.keys.len();
        }
        is_ordered && is_in_order(&scope.order, index, table, position)
    }

    /// Notes that a column is bound by an equality.
    pub(super) fn seek(&mut self, column: (TableId, usize), value: &Expr) {
        // A comparison with a column of the same row does not bind the column.
        let is_own = value.any(&mut |it| match &it.kind {
            Kind::Var { table, .. } | Kind::Row(table) => *table == column.0,
            _ => false,
        });
        if !is_own {
            self.scope().sought.push(column);
        }
    }
}

/// Returns true if the keys of ORDER BY begin with those of an index, read forwards or backwards.
fn is_in_order(
    order: &[SortKey],
    index: &Index,
    table: TableId,
    position: &dyn Fn(&String) -> Option<usize>,
) -> bool {
    let mut backwards = None;
    let mut matched = 0;
    for (sorted, key) in order.iter().zip(&index.keys) {
        let IndexKey::Column { name, order } = key else {
            break;
        };
        let is_column = matches!(
            sorted.value.kind,
            Kind::Var { table: other, column } if other == table && Some(column) == position(name)
        );
        let flipped = sorted.descending != order.descending;
        if !is_column
            || order.collation.is_some()
            || order.operator_class.is_some()
            || (sorted.nulls_first != order.nulls_first) != flipped
            || *backwards.get_or_insert(flipped) != flipped
        {
            break;
        }
        matched += 1;
    }
    matched > 0 && (matched == order.len() || matched == index.keys.len())
}
