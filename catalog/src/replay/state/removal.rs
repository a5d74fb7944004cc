//! Removes objects from the state, with all their dependents.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::dependents::Dependency;
use crate::replay::state::objects::Object;
use crate::replay::syntax::clause::cascades;
use crate::{Fill, TypeKind};

impl State {
    /// Drops objects with their dependents. Without CASCADE, refuses where PostgreSQL does.
    pub(crate) fn drop_objects(&mut self, node: &SyntaxNode, targets: &[Object]) -> Result<()> {
        let dropped = self.dropped(targets);
        let obstacle = dropped
            .iter()
            .find(|(_, dependency)| **dependency == Dependency::Cascade);
        if let Some((object, _)) = obstacle.filter(|_| !cascades(node)) {
            return Err(
                Refused::error(node, format!("{object} depends on what this drops"))
                    .hint("drop that first, or add CASCADE"),
            );
        }
        dropped.keys().for_each(|object| self.remove_object(object));
        Ok(())
    }

    /// Removes objects with all their dependents.
    pub(crate) fn discard(&mut self, targets: &[Object]) {
        let dropped = self.dropped(targets);
        dropped.keys().for_each(|object| self.remove_object(object));
    }

    pub(crate) fn remove_object(&mut self, object: &Object) {
        match object {
            Object::Relation(name) => {
                self.catalog.relations.remove(name);
                self.views.remove(name);
                self.local_columns.forget_table(name);
                self.local_checks.forget_table(name);
                self.local_not_null.forget_table(name);
                self.not_null_names.forget_table(name);
                self.index_column_names.forget_table(name);
            }
            Object::Column(table, column) => {
                self.local_columns.forget(table, column);
                self.local_not_null.forget(table, column);
                self.not_null_names.forget(table, column);
                if let Some(relation) = self.catalog.relations.get_mut(table) {
                    relation.columns.retain(|other| other.name != *column);
                    let granted = &mut relation.attached.privileges.granted;
                    granted.retain(|privilege| privilege.column.as_ref() != Some(column));
                }
            }
            Object::Default(table, column) => {
                let columns = self.catalog.relations.get_mut(table);
                let column = columns
                    .and_then(|table| table.columns.iter_mut().find(|other| other.name == *column));
                if let Some(column) = column {
                    column.fill = Fill::Nothing;
                }
            }
            Object::Constraint(table, constraint) => {
                self.local_checks.forget(table, constraint);
                self.index_column_names.forget(table, constraint);
                if let Some(relation) = self.catalog.relations.get_mut(table) {
                    let has_index = relation
                        .constraints
                        .iter()
                        .any(|other| other.name == *constraint && other.kind.has_index());
                    relation
                        .constraints
                        .retain(|other| other.name != *constraint);
                    if has_index {
                        relation.indexes.retain(|index| index.name != *constraint);
                    }
                }
            }
            Object::Index(table, index) => {
                self.index_column_names.forget(table, index);
                if let Some(relation) = self.catalog.relations.get_mut(table) {
                    relation.indexes.retain(|other| other.name != *index);
                }
            }
            Object::Sequence(name) => {
                self.forget_gaps(name);
                self.catalog.sequences.remove(name);
            }
            Object::Collation(name) => {
                self.collations.remove(name);
            }
            Object::Type(name) => {
                self.catalog.types.remove(name);
            }
            Object::DomainConstraint(domain, constraint) => {
                if let Some(TypeKind::Domain { checks, .. }) = self
                    .catalog
                    .types
                    .get_mut(domain)
                    .map(|found| &mut found.kind)
                {
                    checks.retain(|check| check.name != *constraint);
                }
            }
            Object::Attribute(composite, attribute) => {
                if let Some(TypeKind::Composite { attributes }) = self
                    .catalog
                    .types
                    .get_mut(composite)
                    .map(|found| &mut found.kind)
                {
                    attributes.retain(|other| other.name != *attribute);
                }
            }
            Object::Function(_) => {}
            Object::Routine(name, arguments) => {
                if let Some(overloads) = self.functions.get_mut(&name.name) {
                    overloads.retain(|function| {
                        function.name != *name || function.argument_types != *arguments
                    });
                    if overloads.is_empty() {
                        self.functions.remove(&name.name);
                    }
                }
            }
            Object::Trigger(table, trigger) => {
                if let Some(relation) = self.catalog.relations.get_mut(table) {
                    let triggers = &mut relation.attached.triggers;
                    triggers.retain(|other| other.name != *trigger);
                }
            }
            Object::Policy(table, policy) => {
                if let Some(relation) = self.catalog.relations.get_mut(table) {
                    let policies = &mut relation.attached.policies;
                    policies.retain(|other| other.name != *policy);
                }
            }
        }
    }
}
