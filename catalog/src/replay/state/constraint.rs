//! Constraints of a table and of its children: adds and renames them.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result, has_already};
use crate::replay::state::State;
use crate::{Constraint, ConstraintKind, Name};

impl State {
    pub(crate) fn push_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        new: Constraint,
    ) -> Result<()> {
        let constraints = &self.table(table).constraints;
        if constraints.iter().any(|other| other.name == new.name) {
            return Err(has_already(node, table, &new.name));
        }
        self.table(table).constraints.push(new);
        Ok(())
    }

    /// Adds a check to the children of a table. A child that already has the check keeps it when
    /// the parent's check is dropped.
    pub(crate) fn inherit_check(&mut self, table: &Name, check: &Constraint) {
        for child in self.descendants(table) {
            let relation = self.table(&child);
            if relation
                .constraints
                .iter()
                .any(|constraint| constraint.name == check.name)
            {
                self.local_checks.note(&child, &check.name, ());
            } else {
                relation.constraints.push(check.clone());
            }
        }
    }

    /// Returns true if a child keeps this check when the parent's check is dropped.
    pub(crate) fn is_local_check(&self, child: &Name, check: &str) -> bool {
        self.local_checks.has(child, check)
    }

    /// Renames a constraint: a key together with its index, a check also in the children.
    pub(crate) fn rename_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        from: &str,
        to: &str,
    ) -> Result<()> {
        if let Some(column) = self.not_null_column(table, from) {
            self.not_null_names.note(table, &column, to.to_owned());
            return Ok(());
        }
        self.local_checks.rename(table, from, to);
        self.index_column_names.rename(table, from, to);
        let relation = self.table(table);
        let constraint = relation
            .constraints
            .iter_mut()
            .find(|constraint| constraint.name == from);
        let missing = || Refused::new(node, format!("{} has no constraint {from}", table.name));
        let constraint = constraint.ok_or_else(missing)?;
        to.clone_into(&mut constraint.name);
        let has_index = constraint.kind.has_index();
        let is_check = matches!(constraint.kind, ConstraintKind::Check { .. });
        if has_index {
            let indexes = relation.indexes.iter_mut();
            for index in indexes.filter(|index| index.name == from) {
                to.clone_into(&mut index.name);
            }
        }
        if is_check {
            for child in self.descendants(table) {
                let constraints = self.table(&child).constraints.iter_mut();
                for constraint in constraints.filter(|constraint| constraint.name == from) {
                    to.clone_into(&mut constraint.name);
                }
            }
        }
        Ok(())
    }
}
