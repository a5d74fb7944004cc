//! GROUP BY: which columns can be read outside of aggregates (parse_agg.c).

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, TableId};
use super::fault::Fault;

impl Analyzer<'_> {
    /// Checks that an expression has only one value in each group.
    pub(super) fn check_grouped(&self, value: &Expr, groups: &[Expr]) -> Result<()> {
        let depth = self.scopes.len() - 1;
        self.check_at(value, groups, depth)
    }

    fn check_at(&self, value: &Expr, groups: &[Expr], depth: usize) -> Result<()> {
        if groups.contains(value) {
            return Ok(());
        }
        match &value.kind {
            Kind::Aggregate(aggregate) if aggregate.depth == depth => {
                let direct = aggregate.arguments.iter().take(aggregate.direct);
                return direct
                    .into_iter()
                    .try_for_each(|it| self.check_at(it, groups, depth));
            }
            Kind::Aggregate(aggregate) if aggregate.depth > depth => return Ok(()),
            Kind::Var { table, column } => {
                let found = self.table(*table);
                if found.depth != depth || self.is_determined(*table, groups) {
                    return Ok(());
                }
                let name = &found.columns[*column].name;
                let alias = self.alias_of(*table);
                let message = format!(
                    "column \"{alias}{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
                );
                return Err(Fault::error("42803", value.span.clone(), message)
                    .hint("add it to GROUP BY, or use min(), max() or another aggregate"));
            }
            Kind::Row(table) => {
                let found = self.table(*table);
                if found.depth != depth || self.is_determined(*table, groups) {
                    return Ok(());
                }
                let count = found.columns.len();
                for column in 0..count {
                    let column = Expr::new(
                        found.columns[column].ty,
                        Kind::Var {
                            table: *table,
                            column,
                        },
                        value.span.clone(),
                    );
                    self.check_at(&column, groups, depth)?;
                }
                return Ok(());
            }
            Kind::Grouping(all) => {
                if all.iter().all(|it| groups.contains(it)) {
                    return Ok(());
                }
                let message = "arguments to GROUPING must be grouping expressions of the associated query level";
                return Err(Fault::error("42803", value.span.clone(), message));
            }
            Kind::Query(query) => {
                for (of, outer) in &query.outer {
                    if *of == depth {
                        self.check_at(outer, groups, depth)?;
                    }
                }
            }
            _ => {}
        }
        let mut fault = None;
        value.each(&mut |child| {
            if fault.is_none() {
                fault = self.check_at(child, groups, depth).err();
            }
        });
        fault.map_or(Ok(()), Err)
    }

    fn alias_of(&self, table: TableId) -> String {
        let items = self.scopes.iter().flat_map(|scope| &scope.items);
        let mut found = items.filter(|item| item.table == Some(table));
        let alias = found.find_map(|item| item.alias.clone());
        alias.map(|alias| format!("{alias}.")).unwrap_or_default()
    }

    /// Returns true if the groups have the primary key of a table.
    fn is_determined(&self, id: TableId, groups: &[Expr]) -> bool {
        let table = self.table(id);
        // Some grouping sets may lack the key.
        if self
            .scopes
            .get(table.depth)
            .is_some_and(|scope| scope.has_sets)
        {
            return false;
        }
        let relation = table
            .relation
            .as_ref()
            .and_then(|it| self.catalog.relations.get(it));
        let Some(relation) = relation else {
            return false;
        };
        let Some(key) = relation.primary_key() else {
            return false;
        };
        let is_deferrable = relation.constraints.iter().any(|constraint| {
            constraint.deferrable
                && matches!(constraint.kind, crate::ConstraintKind::PrimaryKey { .. })
        });
        !is_deferrable
            && key.iter().all(|column| {
                groups.iter().any(|group| match &group.kind {
                    Kind::Var { table, column: at } => {
                        *table == id
                            && relation
                                .columns
                                .get(*at)
                                .is_some_and(|it| it.name == *column)
                    }
                    _ => false,
                })
            })
    }
}
