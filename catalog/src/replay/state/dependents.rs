//! Dependencies between objects, as in `pg_depend`, and DROP, which follows them.
//!
//! Dependencies are not recorded. They are computed from the catalog, so a rename or a change of
//! type cannot leave an outdated one.

use std::collections::BTreeMap;

use crate::attached::Code;
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::state::functions::Returned;
use crate::replay::state::objects::Object;
use crate::replay::syntax::expression::{calls, casts_to, has_word, mentions};
use crate::{ConstraintKind, DataType, Fill, Name, Relation, RelationKind, TypeKind};

/// Whether a dependent is dropped automatically, or only with CASCADE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependency {
    Silent,
    Cascade,
}

impl State {
    pub(crate) fn dropped(&self, targets: &[Object]) -> BTreeMap<Object, Dependency> {
        let mut dropped: BTreeMap<Object, Dependency> = targets
            .iter()
            .map(|target| (target.clone(), Dependency::Silent))
            .collect();
        let mut open = targets.to_vec();
        while let Some(object) = open.pop() {
            for (dependent, dependency) in self.dependents(&object) {
                match dropped.get_mut(&dependent) {
                    Some(known) => {
                        if dependency == Dependency::Silent {
                            *known = dependency;
                        }
                    }
                    None => {
                        dropped.insert(dependent.clone(), dependency);
                        open.push(dependent);
                    }
                }
            }
        }
        dropped
    }

    /// Returns the objects that use an object, each with what DROP needs for it.
    pub(crate) fn dependents(&self, object: &Object) -> Vec<(Object, Dependency)> {
        let mut found = Vec::new();
        match object {
            Object::Relation(name) => self.of_relation(name, &mut found),
            Object::Column(table, column) => self.of_column(table, column, &mut found),
            Object::Constraint(table, constraint) => {
                self.references_to_key(table, constraint, &mut found);
            }
            Object::Index(table, index) => self.references_to_key(table, index, &mut found),
            Object::Sequence(sequence) => {
                for table in self.catalog.relations.values() {
                    let columns = table.columns.iter();
                    let users = columns.filter(|column| column.fill.uses_sequence(sequence));
                    found.extend(users.map(|column| {
                        let default = Object::Default(table.name.clone(), column.name.clone());
                        (default, Dependency::Cascade)
                    }));
                }
            }
            Object::Collation(name) => self.of_collation(name, &mut found),
            Object::Type(name) => self.of_type(name, &mut found),
            Object::Function(function) => {
                self.users(|text, _| calls(text, function), &mut found);
                let views = self.views.iter();
                let views = views.filter(|(_, uses)| calls(&uses.text, function));
                found.extend(
                    views.map(|(view, _)| (Object::Relation(view.clone()), Dependency::Cascade)),
                );
            }
            Object::Routine(name, arguments) => self.of_routine(name, arguments, &mut found),
            Object::Default(..)
            | Object::DomainConstraint(..)
            | Object::Attribute(..)
            | Object::Trigger(..)
            | Object::Policy(..) => {}
        }
        found
    }

    fn of_relation(&self, name: &Name, found: &mut Vec<(Object, Dependency)>) {
        let Some(relation) = self.catalog.relations.get(name) else {
            return;
        };
        let columns = relation.columns.iter();
        found.extend(columns.map(|column| {
            let column = Object::Column(name.clone(), column.name.clone());
            (column, Dependency::Silent)
        }));
        let constraints = relation.constraints.iter();
        found.extend(constraints.map(|constraint| {
            let constraint = Object::Constraint(name.clone(), constraint.name.clone());
            (constraint, Dependency::Silent)
        }));
        let indexes = relation.indexes.iter();
        found.extend(indexes.map(|index| {
            let index = Object::Index(name.clone(), index.name.clone());
            (index, Dependency::Silent)
        }));
        self.of_type(name, found);
        for trigger in &relation.attached.triggers {
            let trigger = Object::Trigger(name.clone(), trigger.name.clone());
            found.push((trigger, Dependency::Silent));
        }
        for policy in &relation.attached.policies {
            let policy = Object::Policy(name.clone(), policy.name.clone());
            found.push((policy, Dependency::Silent));
        }
        self.attached_that_name(name, found);
        for other in self.catalog.relations.values() {
            if other.parents.contains(name) {
                let dependency = if other.kind == RelationKind::Partition {
                    Dependency::Silent
                } else {
                    Dependency::Cascade
                };
                found.push((Object::Relation(other.name.clone()), dependency));
            }
        }
        let views = self
            .views
            .iter()
            .filter(|(_, uses)| uses.relations.contains(name));
        found.extend(views.map(|(view, _)| (Object::Relation(view.clone()), Dependency::Cascade)));
    }

    /// Adds the dependents of one overload: its triggers and its callers.
    fn of_routine(
        &self,
        name: &Name,
        arguments: &[DataType],
        found: &mut Vec<(Object, Dependency)>,
    ) {
        if arguments.is_empty() {
            for relation in self.catalog.relations.values() {
                let triggers = relation.attached.triggers.iter();
                for trigger in triggers.filter(|trigger| trigger.function == *name) {
                    let trigger = Object::Trigger(relation.name.clone(), trigger.name.clone());
                    found.push((trigger, Dependency::Cascade));
                }
            }
        }
        let calls_it =
            |text: &str, columns: Columns<'_>| self.calls_function(text, columns, name, arguments);
        self.users(calls_it, found);
        let function = (name.clone(), arguments.to_vec());
        let views = self.views.iter();
        let views = views.filter(|(_, uses)| uses.functions.contains(&function));
        found.extend(views.map(|(view, _)| (Object::Relation(view.clone()), Dependency::Cascade)));
    }

    /// Adds the triggers and policies of other tables that name this table.
    fn attached_that_name(&self, table: &Name, found: &mut Vec<(Object, Dependency)>) {
        for other in self.catalog.relations.values() {
            for trigger in &other.attached.triggers {
                if trigger.referenced.as_ref() == Some(table) && other.name != *table {
                    let trigger = Object::Trigger(other.name.clone(), trigger.name.clone());
                    found.push((trigger, Dependency::Silent));
                }
            }
            for policy in &other.attached.policies {
                let mut codes = [&policy.using, &policy.with_check].into_iter().flatten();
                let names_it = codes.any(|code| {
                    let text = code.text.as_deref().unwrap_or_default();
                    has_word(text, "select") && has_word(text, &table.name)
                });
                if names_it && other.name != *table {
                    let policy = Object::Policy(other.name.clone(), policy.name.clone());
                    found.push((policy, Dependency::Cascade));
                }
            }
        }
    }

    /// Adds the triggers and policies of a table that name its column.
    fn attached_of_column(
        &self,
        table: &Relation,
        column: &str,
        found: &mut Vec<(Object, Dependency)>,
    ) {
        let names_it = |code: &Option<Code>| {
            let text = code.as_ref().and_then(|code| code.text.as_deref());
            text.is_some_and(|text| mentions(text, column))
        };
        for trigger in &table.attached.triggers {
            let is_of_it = trigger.columns.iter().any(|name| name == column);
            if is_of_it || names_it(&trigger.condition) {
                let trigger = Object::Trigger(table.name.clone(), trigger.name.clone());
                found.push((trigger, Dependency::Cascade));
            }
        }
        for policy in &table.attached.policies {
            if names_it(&policy.using) || names_it(&policy.with_check) {
                let policy = Object::Policy(table.name.clone(), policy.name.clone());
                found.push((policy, Dependency::Cascade));
            }
        }
    }

    fn of_column(&self, table: &Name, column: &str, found: &mut Vec<(Object, Dependency)>) {
        let Some(relation) = self.catalog.relations.get(table) else {
            return;
        };
        found.push((
            Object::Default(table.clone(), column.to_owned()),
            Dependency::Silent,
        ));
        for constraint in &relation.constraints {
            if constraint.kind.names(column) {
                found.push((
                    Object::Constraint(table.clone(), constraint.name.clone()),
                    Dependency::Silent,
                ));
            }
        }
        for index in relation.indexes.iter().filter(|index| index.names(column)) {
            found.push((relation.object_of_index(&index.name), Dependency::Silent));
        }
        for other in &relation.columns {
            if let Fill::Generated { expression, .. } = &other.fill
                && mentions(expression, column)
            {
                found.push((
                    Object::Column(table.clone(), other.name.clone()),
                    Dependency::Cascade,
                ));
            }
        }
        self.attached_of_column(relation, column, found);
        let sequences = self.catalog.sequences.values();
        let owned = sequences.filter(|sequence| sequence.is_owned_by(table, column));
        found.extend(owned.map(|owned| (Object::Sequence(owned.name.clone()), Dependency::Silent)));
        for other in self.catalog.relations.values() {
            for constraint in &other.constraints {
                if let ConstraintKind::ForeignKey {
                    references,
                    referenced_columns,
                    ..
                } = &constraint.kind
                    && references == table
                    && referenced_columns.iter().any(|other| other == column)
                {
                    let object = Object::Constraint(other.name.clone(), constraint.name.clone());
                    found.push((object, Dependency::Cascade));
                }
            }
        }
        let used = (table.clone(), column.to_owned());
        let views = self
            .views
            .iter()
            .filter(|(_, uses)| uses.columns.contains(&used));
        found.extend(views.map(|(view, _)| (Object::Relation(view.clone()), Dependency::Cascade)));
    }

    /// Adds the foreign keys that depend on this key or unique index.
    fn references_to_key(&self, table: &Name, key: &str, found: &mut Vec<(Object, Dependency)>) {
        let Some(relation) = self.catalog.relations.get(table) else {
            return;
        };
        for other in self.catalog.relations.values() {
            for constraint in &other.constraints {
                if let ConstraintKind::ForeignKey {
                    references,
                    referenced_columns,
                    ..
                } = &constraint.kind
                    && references == table
                    && relation.referenced_index(referenced_columns, constraint.temporal)
                        == Some(key)
                {
                    let object = Object::Constraint(other.name.clone(), constraint.name.clone());
                    found.push((object, Dependency::Cascade));
                }
            }
        }
    }

    pub(crate) fn of_type(&self, name: &Name, found: &mut Vec<(Object, Dependency)>) {
        let multirange = match self.catalog.types.get(name).map(|found| &found.kind) {
            Some(TypeKind::Range { multirange, .. }) => Some(Name {
                schema: name.schema.clone(),
                name: multirange.clone(),
            }),
            _ => None,
        };
        let is_it = |other: &Name| other == name || Some(other) == multirange.as_ref();
        for relation in self.catalog.relations.values() {
            let is_view = matches!(
                relation.kind,
                RelationKind::View | RelationKind::MaterializedView
            );
            if relation.of_type.as_ref().is_some_and(is_it) {
                found.push((Object::Relation(relation.name.clone()), Dependency::Cascade));
            }
            for column in &relation.columns {
                if is_it(&column.data_type.name) {
                    let object = if is_view {
                        Object::Relation(relation.name.clone())
                    } else {
                        Object::Column(relation.name.clone(), column.name.clone())
                    };
                    found.push((object, Dependency::Cascade));
                }
            }
        }
        for other in self.catalog.types.values() {
            let object = || Object::Type(other.name.clone());
            match &other.kind {
                TypeKind::Domain { base, .. } if is_it(&base.name) => {
                    found.push((object(), Dependency::Cascade));
                }
                TypeKind::Range { subtype, .. } if is_it(&subtype.name) => {
                    found.push((object(), Dependency::Cascade));
                }
                TypeKind::Composite { attributes } => {
                    for attribute in attributes {
                        if is_it(&attribute.data_type.name) {
                            let object =
                                Object::Attribute(other.name.clone(), attribute.name.clone());
                            found.push((object, Dependency::Cascade));
                        }
                    }
                }
                _ => {}
            }
        }
        self.users(|text, _| casts_to(text, &name.name), found);
        for function in self.functions.values().flatten() {
            let is_result = match &function.result {
                Returned::One { data_type, .. } => is_it(&data_type.name),
                Returned::Columns { columns, .. } => {
                    columns.iter().any(|(_, data_type)| is_it(&data_type.name))
                }
                Returned::Nothing | Returned::Unknown => false,
            };
            if is_result
                || function
                    .argument_types
                    .iter()
                    .any(|given| is_it(&given.name))
            {
                let routine =
                    Object::Routine(function.name.clone(), function.argument_types.clone());
                found.push((routine, Dependency::Cascade));
            }
        }
        let views = self
            .views
            .iter()
            .filter(|(_, uses)| uses.types.contains(name));
        found.extend(views.map(|(view, _)| (Object::Relation(view.clone()), Dependency::Cascade)));
    }
}
