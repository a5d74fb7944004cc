//! Changes of functions, procedures and aggregates.

use super::attached::within_path;
use super::order::Needs;
use super::{Script, Step, privilege};
use crate::attached::{Attached, Code};
use crate::compare::Subject;
use crate::routine::{Body, Routine, RoutineKind};
use crate::{Catalog, ConstraintKind, Fill, IndexKey, Name, Relation, TypeKind};

pub(super) fn mend(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (word, title): (&str, &str),
    is_comment: bool,
) {
    let find = |catalog: &Catalog| {
        let mut routines = catalog.routines.iter();
        routines.find(|own| own.title() == title).cloned()
    };
    let (new, old) = (find(expected), find(actual));
    let kind = word.to_uppercase();
    let Some(new) = new else {
        if let Some(old) = &old {
            let drop = format!("DROP {kind} {title}");
            script.remove(Step::DropRest, drop, &old.name, Needs::of_routine(old));
        }
        return;
    };
    if !is_comment && !replace(script, actual, &new, old.as_ref()) {
        return;
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("{kind} {title}"), new.comment.as_ref());
    }
}

/// Creates a routine, or replaces the old one. Returns false if no statement can do that.
fn replace(script: &mut Script, actual: &Catalog, new: &Routine, old: Option<&Routine>) -> bool {
    let (word, title) = (new.kind.word(), new.title());
    let Some(create) = new.sql() else {
        script.say(format!(
            "the {word} {title} is to be made: the catalog does not have all of it, a migration does"
        ));
        return false;
    };
    let obstacle = old.and_then(|old| Some((old, obstacle(old, new)?)));
    if let Some((old, why)) = obstacle {
        let users = users(actual, old);
        if !users.is_empty() {
            script.say(format!(
                "the {word} {title} is to be dropped and made anew, since {why}: first drop what uses it, which may be {}",
                users.join(", ")
            ));
            return false;
        }
        let drop = format!("DROP {} {title}", old.kind.word().to_uppercase());
        script.remove(Step::DropRoutines, drop, &old.name, Needs::of_routine(old));
    }
    // The body of a function may name objects that are created later.
    script.push(Step::Settings, "SET check_function_bodies = off");
    let create = match &new.body {
        Body::Sql(code) => within_path([code], create),
        Body::Text(_) => create,
    };
    script.make(Step::Routines, create, &new.name, Needs::of_routine(new));
    if old.is_none() || obstacle.is_some() {
        privilege::of_new(script, &format!("ROUTINE {title}"), &new.privileges);
    }
    true
}

/// Returns the reason for which `CREATE OR REPLACE` refuses the new form, if it does.
fn obstacle(old: &Routine, new: &Routine) -> Option<&'static str> {
    let pairs = || old.arguments.iter().zip(&new.arguments);
    if old.kind != new.kind {
        Some("it is of another kind")
    } else if old.result != new.result || old.returns_set != new.returns_set {
        Some("its result is another")
    } else if old.arguments.len() != new.arguments.len()
        || pairs().any(|(a, b)| (a.mode, &a.name, &a.data_type) != (b.mode, &b.name, &b.data_type))
    {
        Some("its arguments are others")
    } else if pairs().any(|(a, b)| a.default.is_some() && b.default.is_none()) {
        Some("CREATE OR REPLACE removes no default")
    } else {
        None
    }
}

/// Returns the objects that use a routine, or may use it. An object whose text is not known may use
/// it, and so may one that calls another routine of the same name.
fn users(catalog: &Catalog, routine: &Routine) -> Vec<String> {
    let name = &routine.name.name;
    let is_used = |text: &str| bowline_sql::tokens(text).any(|token| token.is_name(name));
    let mut found: Vec<Subject> = Vec::new();
    for relation in catalog.relations.values() {
        of_relation(relation, &routine.name, &is_used, &mut found);
    }
    for own in catalog.types.values() {
        if let TypeKind::Domain {
            default, checks, ..
        } = &own.kind
        {
            let is_check = |check: &ConstraintKind| matches!(check, ConstraintKind::Check { expression, .. } if is_used(expression));
            if default.as_deref().is_some_and(is_used)
                || checks.iter().any(|check| is_check(&check.kind))
            {
                found.push(Subject::Type(own.name.clone()));
            }
        }
    }
    for own in &catalog.routines {
        let mut defaults = own.arguments.iter().filter_map(|it| it.default.as_deref());
        let calls = match &own.body {
            Body::Sql(code) => code_uses(code, &is_used),
            Body::Text(parts) => own.kind == RoutineKind::Aggregate && is_used(parts),
        };
        if own.title() != routine.title() && (calls || defaults.any(is_used)) {
            let title = own.title();
            found.push(Subject::Routine(own.kind.word(), own.name.clone(), title));
        }
    }
    found.iter().map(ToString::to_string).collect()
}

fn code_uses(code: &Code, is_used: &dyn Fn(&str) -> bool) -> bool {
    code.text.as_deref().is_none_or(is_used)
}

fn of_relation(
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
    if query.as_ref().is_some_and(|code| code_uses(code, is_used))
        || texts.into_iter().flatten().any(|text| is_used(text))
    {
        found.push(Subject::Relation(table()));
    }
    for trigger in triggers {
        let condition = trigger.condition.as_ref();
        if trigger.function == *routine || condition.is_some_and(|code| code_uses(code, is_used)) {
            found.push(Subject::Trigger(table(), trigger.name.clone()));
        }
    }
    for policy in policies {
        let mut codes = [&policy.using, &policy.with_check].into_iter().flatten();
        if codes.any(|code| code_uses(code, is_used)) {
            found.push(Subject::Policy(table(), policy.name.clone()));
        }
    }
    for rule in rules {
        if code_uses(&rule.definition, is_used) {
            found.push(Subject::Rule(table(), rule.name.clone()));
        }
    }
}
