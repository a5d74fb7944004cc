//! Constraints of a table and of its children: adds and renames them.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result, has_already};
use crate::replay::state::State;
use crate::replay::state::objects::Object;
use crate::{Constraint, ConstraintKind, Name, RelationKind, expression};

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
        self.note_constraint(&new.name);
        self.table(table).constraints.push(new);
        Ok(())
    }

    /// Makes an inherited check the table's own too, if a new check is the same. Returns true if it
    /// is. A partition has no checks of its own that are inherited too.
    pub(crate) fn merges_check(&mut self, table: &Name, new: &Constraint) -> bool {
        let Some(relation) = self.catalog.relations.get(table) else {
            return false;
        };
        let is_same = |kind: &ConstraintKind| match (kind, &new.kind) {
            (
                ConstraintKind::Check {
                    expression: old, ..
                },
                ConstraintKind::Check {
                    expression: new,
                    no_inherit: false,
                    ..
                },
            ) => expression::is_same(old, new),
            _ => false,
        };
        let mut checks = relation.constraints.iter();
        let has_same = checks.any(|check| check.name == new.name && is_same(&check.kind));
        let merges = relation.kind != RelationKind::Partition
            && self.is_inherited_check(table, &new.name)
            && has_same
            && !self.is_local_check(table, &new.name);
        if merges {
            self.local_checks.note(table, &new.name, ());
        }
        merges
    }

    /// Returns true if a parent of a table passes on a check of this name.
    pub(crate) fn is_inherited_check(&self, table: &Name, check: &str) -> bool {
        let parents = self
            .catalog
            .relations
            .get(table)
            .map(|table| &table.parents);
        let parents = parents.into_iter().flatten();
        let parents = parents.filter_map(|parent| self.catalog.relations.get(parent));
        let mut constraints = parents.flat_map(|parent| &parent.constraints);
        constraints.any(|constraint| {
            let is_passed_on = matches!(
                constraint.kind,
                ConstraintKind::Check {
                    no_inherit: false,
                    ..
                }
            );
            is_passed_on && constraint.name == check
        })
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

    /// Adds the checks of children that exist only because the parent's check exists.
    pub(crate) fn inherited_checks(&self, table: &Name, check: &str, targets: &mut Vec<Object>) {
        let is_passed_on = |constraint: &Constraint| {
            constraint.name == check
                && matches!(
                    constraint.kind,
                    ConstraintKind::Check {
                        no_inherit: false,
                        ..
                    }
                )
        };
        for child in self.children(table) {
            let parents = child.parents.iter();
            let parents = parents.filter_map(|parent| self.catalog.relations.get(parent));
            let mut others = parents.filter(|parent| {
                !targets.contains(&Object::Constraint(parent.name.clone(), check.to_owned()))
            });
            let is_elsewhere = others.any(|parent| parent.constraints.iter().any(is_passed_on));
            let object = Object::Constraint(child.name.clone(), check.to_owned());
            let has_it = child.constraints.iter().any(is_passed_on);
            if has_it
                && !is_elsewhere
                && !targets.contains(&object)
                && !self.is_local_check(&child.name, check)
            {
                targets.push(object);
                self.inherited_checks(&child.name, check, targets);
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
            let mut columns = self.table(table).columns.iter_mut();
            let found = columns.find(|found| found.name == column);
            if let Some(constraint) = found.and_then(|found| found.not_null_constraint.as_mut()) {
                to.clone_into(&mut constraint.name);
            }
            return Ok(());
        }
        self.note_index(to);
        self.note_constraint(to);
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
