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
    only_comment: bool,
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
            // While an old overload exists, a call of the new one may be ambiguous, so it is
            // dropped first.
            let is_overload = expected.routines.iter().any(|new| new.name == old.name);
            let step = if is_overload && possible_dependents(actual, old).is_empty() {
                Step::DropRoutinesEarly
            } else {
                Step::DropRoutinesLate
            };
            script.drop(step, drop, &old.name, Dependencies::of_routine(old));
        }
        return;
    };
    if !only_comment && !replace(script, (expected, actual), &new, old.as_ref()) {
        return;
    }
    if only_comment || new.comment.is_some() {
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
            "the {kind} {signature} is not created, since the catalog lacks a part of its definition, which its migration has"
        ));
        // If a relation or type has the same name, the name stays usable: `not_created` is by name
        // only.
        if !expected.relations.contains_key(&new.name) && !expected.types.contains_key(&new.name) {
            script.not_created.insert(new.name.clone());
        }
        return false;
    };
    let unreplaceable = old.and_then(|old| Some((old, unreplaceable_part(old, new)?)));
    if let Some((old, what)) = unreplaceable {
        let dependents = possible_dependents(actual, old);
        if !dependents.is_empty() {
            script.note(format!(
                "the {kind} {signature} is not replaced, since CREATE OR REPLACE cannot {what}; DROP and CREATE can, \
                 once the objects that may use it are dropped: {}",
                dependents.join(", ")
            ));
            return false;
        }
        let drop = format!("DROP {} {signature}", old.kind.noun().to_uppercase());
        script.drop(
            Step::DropRoutinesEarly,
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

/// Returns the first difference between two routines that `CREATE OR REPLACE` cannot apply, after
/// "cannot".
fn unreplaceable_part(old: &Routine, new: &Routine) -> Option<&'static str> {
    let pairs = || old.arguments.iter().zip(&new.arguments);
    if old.kind != new.kind {
        Some("change its kind")
    } else if old.result != new.result || old.returns_set != new.returns_set {
        Some("change its result type")
    } else if old.arguments.len() != new.arguments.len()
        || pairs().any(|(a, b)| (a.mode, &a.name, &a.data_type) != (b.mode, &b.name, &b.data_type))
    {
        Some("change its arguments")
    } else if pairs().any(|(a, b)| a.default.is_some() && b.default.is_none()) {
        Some("remove the default of an argument")
    } else {
        None
    }
}

/// Returns the objects that may use a routine: those that name it or an overload of it, and those
/// whose text is not known.
fn possible_dependents(catalog: &Catalog, routine: &Routine) -> Vec<String> {
    let name = &routine.name.name;
    let mentions = |text: &str| bowline_sql::tokens(text).any(|token| token.is_name(name));
    let mut found: Vec<Subject> = Vec::new();
    for relation in catalog.relations.values() {
        dependents_in_relation(relation, &routine.name, &mentions, &mut found);
    }
    for defined in catalog.types.values() {
        if let TypeKind::Domain {
            default, checks, ..
        } = &defined.kind
        {
            let is_check = |check: &ConstraintKind| matches!(check, ConstraintKind::Check { expression, .. } if mentions(expression));
            if default.as_deref().is_some_and(mentions)
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
            Body::Sql(code) => code_may_use(code, &mentions),
            Body::Text(parts) => other.kind == RoutineKind::Aggregate && mentions(parts),
        };
        if other.signature() != routine.signature() && (calls || defaults.any(mentions)) {
            let signature = other.signature();
            found.push(Subject::Routine(other.kind, other.name.clone(), signature));
        }
    }
    found.iter().map(ToString::to_string).collect()
}

/// Returns true if code may use the routine. Unknown code may use anything.
fn code_may_use(code: &Code, mentions: &dyn Fn(&str) -> bool) -> bool {
    code.text.as_deref().is_none_or(mentions)
}

fn dependents_in_relation(
    relation: &Relation,
    routine: &Name,
    mentions: &dyn Fn(&str) -> bool,
    found: &mut Vec<Subject>,
) {
    let table = || relation.name.clone();
    for column in &relation.columns {
        if let Fill::Default(text)
        | Fill::Generated {
            expression: text, ..
        } = &column.fill
            && mentions(text)
        {
            found.push(Subject::Column(table(), column.name.clone()));
        }
    }
    for constraint in &relation.constraints {
        if matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if mentions(expression))
        {
            found.push(Subject::Constraint(table(), constraint.name.clone()));
        }
    }
    for index in &relation.indexes {
        let mut keys = index.keys.iter();
        if keys.any(|key| matches!(key, IndexKey::Expression { text, .. } if mentions(text)))
            || index.predicate.as_deref().is_some_and(mentions)
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
        .is_some_and(|code| code_may_use(code, mentions))
        || texts.into_iter().flatten().any(|text| mentions(text))
    {
        found.push(Subject::Relation(table()));
    }
    for trigger in triggers {
        let condition = trigger.condition.as_ref();
        if trigger.function == *routine
            || condition.is_some_and(|code| code_may_use(code, mentions))
        {
            found.push(Subject::Trigger(table(), trigger.name.clone()));
        }
    }
    for policy in policies {
        let mut codes = [&policy.using, &policy.with_check].into_iter().flatten();
        if codes.any(|code| code_may_use(code, mentions)) {
            found.push(Subject::Policy(table(), policy.name.clone()));
        }
    }
    for rule in rules {
        if code_may_use(&rule.definition, mentions) {
            found.push(Subject::Rule(table(), rule.name.clone()));
        }
    }
}
