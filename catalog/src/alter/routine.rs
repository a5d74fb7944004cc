//! Changes of functions, procedures and aggregates.

use super::attached::with_search_path;
use super::order::Dependencies;
use super::{Script, Step, privilege};
use crate::attached::{Attached, Code};
use crate::compare::Subject;
use crate::routine::{Body, Routine, RoutineKind};
use crate::{Catalog, ConstraintKind, Fill, IndexKey, Name, Relation, TypeKind};

/// Creates, drops or replaces a routine, or changes its comment.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (kind, signature): (RoutineKind, &str),
    is_comment: bool,
) {
    let find = |catalog: &Catalog| {
        let mut routines = catalog.routines.iter();
        routines
            .find(|routine| routine.signature() == signature)
            .cloned()
    };
    let (new, old) = (find(expected), find(actual));
    let keyword = kind.noun().to_uppercase();
    let Some(new) = new else {
        if let Some(old) = &old {
            let drop = format!("DROP {keyword} {signature}");
            // With an old overload, the call of a new one may be ambiguous.
            let is_overload = expected.routines.iter().any(|new| new.name == old.name);
            let step = if is_overload && users(actual, old).is_empty() {
                Step::DropRoutines
            } else {
                Step::DropOldRoutines
            };
            script.drop(step, drop, &old.name, Dependencies::of_routine(old));
        }
        return;
    };
    if !is_comment && !replace(script, (expected, actual), &new, old.as_ref()) {
        return;
    }
    if is_comment || new.comment.is_some() {
        script.comment_on(&format!("{keyword} {signature}"), new.comment.as_ref());
    }
}

/// Creates a routine, or replaces the old one. Returns false if no statement can do that.
fn replace(
    script: &mut Script,
    (expected, actual): (&Catalog, &Catalog),
    new: &Routine,
    old: Option<&Routine>,
) -> bool {
    let (kind, signature) = (new.kind.noun(), new.signature());
    let Some(create) = new.sql() else {
        script.note(format!(
            "the {kind} {signature} is not created, since the catalog lacks a part of its definition: copy it from its migration"
        ));
        // A relation or type of this name is another object.
        if !expected.relations.contains_key(&new.name) && !expected.types.contains_key(&new.name) {
            script.not_created.insert(new.name.clone());
        }
        return false;
    };
    let unreplaceable = old.and_then(|old| Some((old, unreplaceable_part(old, new)?)));
    if let Some((old, what)) = unreplaceable {
        let users = users(actual, old);
        if !users.is_empty() {
            script.note(format!(
                "the {kind} {signature} is not replaced, since CREATE OR REPLACE cannot change {what}: drop it and \
                 create it again, after dropping the objects that may use it: {}",
                users.join(", ")
            ));
            return false;
        }
        let drop = format!("DROP {} {signature}", old.kind.noun().to_uppercase());
        script.drop(
            Step::DropRoutines,
            drop,
            &old.name,
            Dependencies::of_routine(old),
        );
    }
    // The body of a function may name objects that are created later.
    script.push(Step::Settings, "SET check_function_bodies = off");
    let create = match &new.body {
        Body::Sql(code) => with_search_path([code], create),
        Body::Text(_) => create,
    };
    script.create(
        Step::Routines,
        create,
        &new.name,
        Dependencies::of_routine(new),
    );
    if old.is_none() || unreplaceable.is_some() {
        privilege::grant_all(script, &format!("ROUTINE {signature}"), &new.privileges);
    }
    true
}

/// Returns the difference between two routines that `CREATE OR REPLACE` cannot make.
fn unreplaceable_part(old: &Routine, new: &Routine) -> Option<&'static str> {
    let pairs = || old.arguments.iter().zip(&new.arguments);
    if old.kind != new.kind {
        Some("its kind")
    } else if old.result != new.result || old.returns_set != new.returns_set {
        Some("its result type")
    } else if old.arguments.len() != new.arguments.len()
        || pairs().any(|(a, b)| (a.mode, &a.name, &a.data_type) != (b.mode, &b.name, &b.data_type))
    {
        Some("its arguments")
    } else if pairs().any(|(a, b)| a.default.is_some() && b.default.is_none()) {
        Some("an argument that loses its default")
    } else {
        None
    }
}

/// Returns the objects that may use a routine: those that name it or an overload of it, and those
/// whose text is not known.
fn users(catalog: &Catalog, routine: &Routine) -> Vec<String> {
    let name = &routine.name.name;
    let is_used = |text: &str| bowline_sql::tokens(text).any(|token| token.is_name(name));
    let mut found: Vec<Subject> = Vec::new();
    for relation in catalog.relations.values() {
        users_in_relation(relation, &routine.name, &is_used, &mut found);
    }
    for defined in catalog.types.values() {
        if let TypeKind::Domain {
            default, checks, ..
        } = &defined.kind
        {
            let is_check = |check: &ConstraintKind| matches!(check, ConstraintKind::Check { expression, .. } if is_used(expression));
            if default.as_deref().is_some_and(is_used)
                || checks.iter().any(|check| is_check(&check.kind))
            {
                found.push(Subject::Type(defined.name.clone()));
            }
        }
    }
    for other in &catalog.routines {
        let mut defaults = other
            .arguments
            .iter()
            .filter_map(|argument| argument.default.as_deref());
        let calls = match &other.body {
            Body::Sql(code) => code_may_use(code, &is_used),
            Body::Text(parts) => other.kind == RoutineKind::Aggregate && is_used(parts),
        };
        if other.signature() != routine.signature() && (calls || defaults.any(is_used)) {
            let signature = other.signature();
            found.push(Subject::Routine(other.kind, other.name.clone(), signature));
        }
    }
    found.iter().map(ToString::to_string).collect()
}

fn code_may_use(code: &Code, is_used: &dyn Fn(&str) -> bool) -> bool {
    code.text.as_deref().is_none_or(is_used)
}

fn users_in_relation(
    relation: &Relation,
    routine: &Name,
    is_used: &dyn Fn(&str) -> bool,
    found: &mut Vec<Subject>,
) {
    let table = || relation.name.clone();
    for column in &relation.columns {
        if let Fill::Default(text)
        | Fill::Generated {
            expression: text, ..
        } = &column.fill
            && is_used(text)
        {
            found.push(Subject::Column(table(), column.name.clone()));
        }
    }
    for constraint in &relation.constraints {
        if matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if is_used(expression))
        {
            found.push(Subject::Constraint(table(), constraint.name.clone()));
        }
    }
    for index in &relation.indexes {
        let mut keys = index.keys.iter();
        if keys.any(|key| matches!(key, IndexKey::Expression { text, .. } if is_used(text)))
            || index.predicate.as_deref().is_some_and(is_used)
        {
            found.push(Subject::Index(table(), index.name.clone()));
        }
    }
    let Attached {
        query,
        triggers,
        policies,
        rules,
        ..
    } = &relation.attached;
    let texts = [&relation.partition_by, &relation.partition_bound];
    if query
        .as_ref()
        .is_some_and(|code| code_may_use(code, is_used))
        || texts.into_iter().flatten().any(|text| is_used(text))
    {
        found.push(Subject::Relation(table()));
    }
    for trigger in triggers {
        let condition = trigger.condition.as_ref();
        if trigger.function == *routine || condition.is_some_and(|code| code_may_use(code, is_used))
        {
            found.push(Subject::Trigger(table(), trigger.name.clone()));
        }
    }
    for policy in policies {
        let mut codes = [&policy.using, &policy.with_check].into_iter().flatten();
        if codes.any(|code| code_may_use(code, is_used)) {
            found.push(Subject::Policy(table(), policy.name.clone()));
        }
    }
    for rule in rules {
        if code_may_use(&rule.definition, is_used) {
            found.push(Subject::Rule(table(), rule.name.clone()));
        }
    }
}
