//! Changes of triggers, policies, rules and the queries of views.

use super::order::{Dependencies, Statement};
use super::{Script, Step, inheritance};
use crate::attached::{Code, Enabled};
use crate::compare::{Aspect, How, Subject};
use crate::definition::{list, quoted};
use crate::{Catalog, Name, Relation, RelationKind};

/// The parts of a trigger, policy or rule that the script needs.
struct Definition {
    /// The `CREATE` statement; `None` if the catalog lacks a part of it.
    create: Option<String>,
    enabled: Enabled,
    comment: Option<String>,
}

/// Drops and recreates a trigger, policy or rule, or changes its state or comment alone.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    subject: &Subject,
    how: &How,
) {
    let only_comment = how.aspect() == Some(Aspect::Comment);
    let (kind, table, name) = match subject {
        Subject::Trigger(table, name) => ("TRIGGER", table, name),
        Subject::Policy(table, name) => ("POLICY", table, name),
        Subject::Rule(table, name) => ("RULE", table, name),
        _ => return,
    };
    let (sql, quoted_name) = (table.sql(), quoted(name));
    let (new, old) = (find(expected, subject), find(actual, subject));
    if how.aspect() == Some(Aspect::State) {
        // A partition that is detached loses the triggers of its parent.
        if let Some(state) = enabled_state(expected, subject) {
            match new {
                Some(_) => {
                    let action = state.sql();
                    let alter = format!("ALTER TABLE {sql} {action} {kind} {quoted_name}");
                    script.push(Step::States, alter);
                }
                None => set_inherited_state(script, expected, table, name, state),
            }
        }
        return;
    }
    if !only_comment && has_name_of_constraint(expected, subject) {
        script.note(format!(
            "{subject} is not created, since a constraint of {sql} has the same name"
        ));
        return;
    }
    if old.is_some() && !only_comment && expected.relations.contains_key(table) {
        script.push(
            Step::DropAttached,
            format!("DROP {kind} {quoted_name} ON {sql}"),
        );
    }
    let Some(new) = new else { return };
    if !only_comment {
        let Some(create) = new.create else {
            script.note(format!(
                "{subject} is not created, since the catalog lacks a part of its definition, which its migration has"
            ));
            return;
        };
        script.add(Statement::of_text(Step::Attached, create).making_part(table, name));
        if new.enabled != Enabled::Origin {
            let action = new.enabled.sql();
            let alter = format!("ALTER TABLE {sql} {action} {kind} {quoted_name}");
            script.push(Step::States, alter);
        }
    }
    if only_comment || new.comment.is_some() {
        script.comment_on(
            &format!("{kind} {quoted_name} ON {sql}"),
            new.comment.as_ref(),
        );
    }
}

/// Returns true for a constraint trigger with the name of a constraint of its table. PostgreSQL
/// lets one of them be renamed so, but does not create them so.
fn has_name_of_constraint(catalog: &Catalog, subject: &Subject) -> bool {
    let Subject::Trigger(table, name) = subject else {
        return false;
    };
    let relation = catalog.relations.get(table);
    relation.is_some_and(|relation| {
        let mut triggers = relation.attached.triggers.iter();
        triggers.any(|trigger| trigger.name == *name && trigger.is_constraint)
            && inheritance::find_constraint(relation, name).is_some()
    })
}

/// Returns true if a relation has this trigger, policy or rule.
pub(super) fn has(relation: &Relation, subject: &Subject) -> bool {
    let attached = &relation.attached;
    match subject {
        Subject::Trigger(_, name) => attached
            .triggers
            .iter()
            .any(|trigger| trigger.name == *name),
        Subject::Policy(_, name) => attached.policies.iter().any(|policy| policy.name == *name),
        Subject::Rule(_, name) => attached.rules.iter().any(|rule| rule.name == *name),
        _ => false,
    }
}

/// Returns the state of a trigger or rule, if the catalog has it. A trigger that a partition has
/// from its parent has the parent's state, unless the catalog lists another.
fn enabled_state(catalog: &Catalog, subject: &Subject) -> Option<Enabled> {
    if let Some(definition) = find(catalog, subject) {
        return Some(definition.enabled);
    }
    let Subject::Trigger(table, name) = subject else {
        return None;
    };
    let relation = catalog.relations.get(table)?;
    let mut inherited = relation.attached.inherited_triggers.iter();
    if let Some(trigger) = inherited.find(|trigger| trigger.name == *name) {
        return Some(trigger.enabled);
    }
    let parent = relation.parents.first()?;
    enabled_state(catalog, &Subject::Trigger(parent.clone(), name.clone()))
}

/// Sets the state of a trigger that a partition has from its parent. There is none if that of the
/// parent is left out.
pub(super) fn set_inherited_state(
    script: &mut Script,
    expected: &Catalog,
    table: &Name,
    trigger: &str,
    state: Enabled,
) {
    let (sql, action) = (table.sql(), state.sql());
    let alter = format!("ALTER TABLE {sql} {action} TRIGGER {}", quoted(trigger));
    let mut alter = Statement::of_text(Step::States, alter);
    for ancestor in ancestors(expected, table) {
        alter.dependencies.add(ancestor);
    }
    script.add(alter);
}

/// Returns the first parent of a table, that parent's first parent, and so on.
fn ancestors<'c>(catalog: &'c Catalog, table: &Name) -> impl Iterator<Item = &'c Name> {
    let parent = |table: &Name| catalog.relations.get(table)?.parents.first();
    std::iter::successors(parent(table), move |table| parent(table))
}

/// Returns the definition of a trigger, policy or rule, if the catalog has it.
fn find(catalog: &Catalog, subject: &Subject) -> Option<Definition> {
    let is_known = |code: &Option<Code>| code.as_ref().is_none_or(|code| code.text.is_some());
    let attached = |table: &Name| Some(&catalog.relations.get(table)?.attached);
    match subject {
        Subject::Trigger(table, name) => {
            let mut triggers = attached(table)?.triggers.iter();
            let trigger = triggers.find(|trigger| trigger.name == *name)?;
            Some(Definition {
                create: is_known(&trigger.condition)
                    .then(|| with_search_path(&trigger.condition, trigger.sql(table))),
                enabled: trigger.enabled,
                comment: trigger.comment.clone(),
            })
        }
        Subject::Policy(table, name) => {
            let mut policies = attached(table)?.policies.iter();
            let policy = policies.find(|policy| policy.name == *name)?;
            let is_known = is_known(&policy.using) && is_known(&policy.with_check);
            Some(Definition {
                create: is_known.then(|| {
                    let codes = policy.using.iter().chain(&policy.with_check);
                    with_search_path(codes, policy.sql(table))
                }),
                enabled: Enabled::Origin,
                comment: policy.comment.clone(),
            })
        }
        Subject::Rule(table, name) => {
            let mut rules = attached(table)?.rules.iter();
            let rule = rules.find(|rule| rule.name == *name)?;
            let text = rule.definition.text.as_deref();
            let statement = |text: &str| text.trim_end().trim_end_matches(';').to_owned();
            Some(Definition {
                create: text.map(|text| with_search_path([&rule.definition], statement(text))),
                enabled: rule.enabled,
                comment: rule.comment.clone(),
            })
        }
        _ => None,
    }
}

/// Creates or replaces a view. Returns false if the catalog lacks its query.
pub(super) fn create_or_replace_view(script: &mut Script, relation: &Relation) -> bool {
    let sql = relation.name.sql();
    let Some(query) = &relation.attached.query else {
        return false;
    };
    let Some(text) = &query.text else {
        return false;
    };
    let names: Vec<String> = relation
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    let columns = match names.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    let options = match relation.attached.options.as_slice() {
        [] => String::new(),
        options => format!(" WITH ({})", options.join(", ")),
    };
    let text = text.trim().trim_end_matches(';');
    let dependencies = Dependencies::of_relation(relation);
    if relation.kind == RelationKind::MaterializedView {
        let create = format!("CREATE MATERIALIZED VIEW {sql}{columns} AS {text}");
        let create = with_search_path([query], create);
        script.create(Step::Views, create, &relation.name, dependencies);
    } else {
        let create = format!("CREATE OR REPLACE VIEW {sql}{columns}{options} AS {text}");
        let create = with_search_path([query], create);
        script.create(Step::Views, create, &relation.name, dependencies);
    }
    true
}

/// Returns the statement between a SET and a RESET of the search path, so that the names of its
/// code mean what they meant to the author. Under the default search path, it returns the bare
/// statement.
pub(super) fn with_search_path<'c>(
    codes: impl IntoIterator<Item = &'c Code>,
    statement: String,
) -> String {
    let mut paths = codes
        .into_iter()
        .filter_map(|code| code.search_path.as_deref());
    let Some(path) = paths.find(|path| *path != ["public"]) else {
        return statement;
    };
    let path = match path {
        [] => "''".to_owned(),
        path => list(path),
    };
    // The object's own name has no schema if it is in `public`, so the path includes `public`.
    format!("SET search_path TO {path}, public;\n{statement};\nRESET search_path")
}

/// Changes the options of a view.
pub(super) fn change_options(script: &mut Script, new: &Relation, old: &Relation) {
    let sql = new.name.sql();
    let name_of = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let kept: Vec<String> = new
        .attached
        .options
        .iter()
        .map(|option| name_of(option))
        .collect();
    let names = old.attached.options.iter().map(|option| name_of(option));
    let removed: Vec<String> = names.filter(|option| !kept.contains(option)).collect();
    if !removed.is_empty() {
        script.push(
            Step::Views,
            format!("ALTER VIEW {sql} RESET ({})", removed.join(", ")),
        );
    }
    if !new.attached.options.is_empty() {
        let options = new.attached.options.join(", ");
        script.push(Step::Views, format!("ALTER VIEW {sql} SET ({options})"));
    }
}

/// Enables or disables row level security with `ALTER TABLE`.
pub(super) fn set_row_security(script: &mut Script, relation: &Relation) {
    let (sql, attached) = (relation.name.sql(), &relation.attached);
    let enable = if attached.row_security {
        "ENABLE"
    } else {
        "DISABLE"
    };
    let force = if attached.force_row_security {
        "FORCE"
    } else {
        "NO FORCE"
    };
    let alter =
        format!("ALTER TABLE {sql} {enable} ROW LEVEL SECURITY, {force} ROW LEVEL SECURITY");
    script.push(Step::Attached, alter);
}
