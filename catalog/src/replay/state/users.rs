//! The objects whose expressions use another object.

use crate::replay::state::State;
use crate::replay::state::dependents::Dependency;
use crate::replay::state::expressions::Columns;
use crate::replay::state::objects::Object;
use crate::routine::Body;
use crate::{ConstraintKind, Fill, IndexKey, Relation, Type, TypeKind};

impl State {
    /// Adds the objects with an expression for which the predicate returns true. The predicate also
    /// gets the columns that the expression can name.
    pub(crate) fn users(
        &self,
        is_used: impl Fn(&str, Columns<'_>) -> bool,
        found: &mut Vec<(Object, Dependency)>,
    ) {
        for relation in self.catalog.relations.values() {
            users_in_table(relation, &is_used, found);
            users_attached(relation, &is_used, found);
        }
        for data_type in self.catalog.types.values() {
            users_in_domain(data_type, &is_used, found);
        }
        for function in self.functions.values().flatten() {
            let routine = function.routine.iter();
            let arguments = routine.clone().flat_map(|own| &own.arguments);
            let defaults = arguments.filter_map(|argument| argument.default.as_deref());
            // PostgreSQL records what a body uses if it stores the body as a tree.
            let bodies = routine.filter_map(|own| match &own.body {
                Body::Sql(code) => code.text.as_deref(),
                Body::Text(_) => None,
            });
            if defaults
                .chain(bodies)
                .any(|text| is_used(text, Columns::Nothing))
            {
                let routine =
                    Object::Routine(function.name.clone(), function.argument_types.clone());
                found.push((routine, Dependency::Cascade));
            }
        }
    }
}

/// Adds the parts of a table whose expressions use the object. The key of a partitioned table
/// belongs to the table itself.
fn users_in_table(
    relation: &Relation,
    is_used: &impl Fn(&str, Columns<'_>) -> bool,
    found: &mut Vec<(Object, Dependency)>,
) {
    let name = || relation.name.clone();
    let is_used = |text: &str| is_used(text, Columns::Table(&relation.name));
    if relation.partition_by.as_deref().is_some_and(is_used) {
        found.push((Object::Relation(name()), Dependency::Cascade));
    }
    for column in &relation.columns {
        match &column.fill {
            Fill::Default(text) if is_used(text) => {
                let object = Object::Default(name(), column.name.clone());
                found.push((object, Dependency::Cascade));
            }
            Fill::Generated { expression, .. } if is_used(expression) => {
                let object = Object::Column(name(), column.name.clone());
                found.push((object, Dependency::Cascade));
            }
            _ => {}
        }
    }
    for constraint in &relation.constraints {
        if let ConstraintKind::Check { expression, .. } = &constraint.kind
            && is_used(expression)
        {
            let object = Object::Constraint(name(), constraint.name.clone());
            found.push((object, Dependency::Cascade));
        }
    }
    for index in &relation.indexes {
        let in_key = index
            .keys
            .iter()
            .any(|key| matches!(key, IndexKey::Expression { text, .. } if is_used(text)));
        if in_key || index.predicate.as_deref().is_some_and(is_used) {
            found.push((relation.object_of_index(&index.name), Dependency::Cascade));
        }
    }
}

/// Adds the policies and triggers of a table whose conditions use the object.
fn users_attached(
    relation: &Relation,
    is_used: &impl Fn(&str, Columns<'_>) -> bool,
    found: &mut Vec<(Object, Dependency)>,
) {
    let name = || relation.name.clone();
    for policy in &relation.attached.policies {
        let codes = [&policy.using, &policy.with_check].into_iter().flatten();
        let mut texts = codes.filter_map(|code| code.text.as_deref());
        if texts.any(|text| is_used(text, Columns::Table(&relation.name))) {
            let policy = Object::Policy(name(), policy.name.clone());
            found.push((policy, Dependency::Cascade));
        }
    }
    for trigger in &relation.attached.triggers {
        let condition = trigger.condition.as_ref();
        let text = condition.and_then(|code| code.text.as_deref());
        if text.is_some_and(|text| is_used(text, Columns::OldAndNew(&relation.name))) {
            let trigger = Object::Trigger(name(), trigger.name.clone());
            found.push((trigger, Dependency::Cascade));
        }
    }
}

/// Adds a domain whose default uses the object, or else its checks that do.
fn users_in_domain(
    data_type: &Type,
    is_used: &impl Fn(&str, Columns<'_>) -> bool,
    found: &mut Vec<(Object, Dependency)>,
) {
    let TypeKind::Domain {
        base,
        default,
        checks,
        ..
    } = &data_type.kind
    else {
        return;
    };
    let name = || data_type.name.clone();
    let default = default.as_deref();
    if default.is_some_and(|text| is_used(text, Columns::Nothing)) {
        found.push((Object::Type(name()), Dependency::Cascade));
    }
    for check in checks {
        if let ConstraintKind::Check { expression, .. } = &check.kind
            && is_used(expression, Columns::Value(base))
        {
            let object = Object::DomainConstraint(name(), check.name.clone());
            found.push((object, Dependency::Cascade));
        }
    }
}
