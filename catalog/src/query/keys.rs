//! The unique keys of a query's rows: those of its tables, of its groups, of DISTINCT.

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, TableId};
use super::types;

impl Analyzer<'_> {
    /// Returns the keys of the rows with these values, each as positions of values.
    pub(super) fn unique_keys(
        &mut self,
        tables: &[TableId],
        values: &[Expr],
        is_grouped: bool,
        groups: Option<&[Expr]>,
        is_distinct: bool,
    ) -> Vec<Vec<usize>> {
        if self.objects.is_some() {
            return Vec::new();
        }
        let mut keys = Vec::new();
        if is_distinct {
            keys.push((0..values.len()).collect());
        }
        match groups {
            Some(groups) => {
                let position = |key: &Expr| values.iter().position(|value| value == key);
                let key: Option<Vec<usize>> = groups.iter().map(position).collect();
                keys.extend(key.filter(|key| !key.is_empty()));
            }
            None if is_grouped => {}
            None => {
                for table in tables {
                    keys.extend(self.keys_of_table(*table, tables, values));
                }
            }
        }
        keys
    }

    /// Returns the keys of a table whose columns are all among the values, if they decide the rows
    /// of the other tables too.
    fn keys_of_table(
        &mut self,
        id: TableId,
        tables: &[TableId],
        values: &[Expr],
    ) -> Vec<Vec<usize>> {
        let table = self.table(id);
        let mut candidates: Vec<Vec<usize>> = table.keys.to_vec();
        let relation = table.relation.as_ref();
        if let Some(relation) = relation.and_then(|it| self.catalog.relations.get(it)) {
            for index in relation.indexes.iter().filter(|index| index.unique) {
                let columns = index.plain_columns().unwrap_or_default();
                let position =
                    |name: &String| relation.columns.iter().position(|it| it.name == *name);
                let positions: Option<Vec<usize>> = columns.iter().map(position).collect();
                candidates.extend(positions.filter(|it| !it.is_empty()));
            }
        }
        let mut keys = Vec::new();
        for candidate in candidates {
            let is_column = |value: &Expr, at: usize| {
                let Kind::Var { table, column } = value.kind else {
                    return false;
                };
                table == id && column == at
            };
            let position = |at: &usize| values.iter().position(|value| is_column(value, *at));
            let Some(key) = candidate.iter().map(position).collect::<Option<Vec<_>>>() else {
                continue;
            };
            // With the key's columns fixed, one row must be left.
            let before = self.scope().bindings.len();
            for at in &candidate {
                let fixed = Expr::new(types::TEXT, Kind::Const(Some(String::new())), 0..0);
                self.scope().bindings.push((id, *at, fixed));
            }
            if self.are_single(tables) {
                keys.push(key);
            }
            self.scope().bindings.truncate(before);
        }
        keys
    }
}
