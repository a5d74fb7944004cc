//! Changes of triggers, policies, rules and the queries of views.

use super::order::Needs;
use super::{Script, Step};
use crate::attached::{Code, Enabled};
use crate::compare::{How, STATE, Subject};
use crate::definition::{list, quoted};
use crate::{Catalog, Name, Relation, RelationKind};

/// The expected form of a trigger, policy or rule.
struct Part {
    /// The `CREATE` statement; `None` if the catalog lacks a part of it.
    create: Option<String>,
    enabled: Enabled,
    comment: Option<String>,
}

/// Drops and recreates a trigger, policy or rule, or changes its state or comment alone.
pub(super) fn part(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    subject: &Subject,
    how: &How,
) {
    let aspect = match how {
        How::Differs { aspect, .. } => *aspect,
        _ => "",
    };
    let is_comment = aspect == "its comment";
    let (kind, table, name) = match subject {
        Subject::Trigger(table, name) => ("TRIGGER", table, name),
        Subject::Policy(table, name) => ("POLICY", table, name),
        Subject::Rule(table, name) => ("RULE", table, name),
        _ => return,
    };
    let (sql, own) = (table.sql(), quoted(name));
    let (new, old) = (of(expected, subject), of(actual, subject));
    if aspect == STATE {
        let action = state(expected, subject).sql();
        let alter = format!("ALTER TABLE {sql} {action} {kind} {own}");
        script.push(Step::States, alter);
        return;
    }
    if old.is_some() && !is_comment && expected.relations.contains_key(table) {
        script.push(Step::DropGuards, format!("DROP {kind} {own} ON {sql}"));
    }
    let Some(new) = new else { return };
    if !is_comment {
        let Some(create) = new.create else {
            script.say(format!(
                "{subject} is to be made: the catalog does not have all of it, a migration does"
            ));
            return;
        };
        script.push(Step::Guards, create);
        if new.enabled != Enabled::Origin {
            let action = new.enabled.sql();
            let alter = format!("ALTER TABLE {sql} {action} {kind} {own}");
            script.push(Step::States, alter);
        }
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("{kind} {own} ON {sql}"), new.comment.as_ref());
    }
}

/// Returns true if a relation has this trigger, policy or rule.
pub(super) fn has(relation: &Relation, subject: &Subject) -> bool {
    let attached = &relation.attached;
    match subject {
        Subject::Trigger(_, name) => attached.triggers.iter().any(|own| own.name == *name),
        Subject::Policy(_, name) => attached.policies.iter().any(|own| own.name == *name),
        Subject::Rule(_, name) => attached.rules.iter().any(|own| own.name == *name),
        _ => false,
    }
}

/// Returns the state of a trigger or rule. A partition's trigger without an entry has the state of
/// its parent's.
fn state(catalog: &Catalog, subject: &Subject) -> Enabled {
    let own = of(catalog, subject).map(|own| own.enabled);
    let inherited = || {
        let Subject::Trigger(table, name) = subject else {
            return None;
        };
        let relation = catalog.relations.get(table)?;
        let mut noted = relation.attached.inherited_triggers.iter();
        if let Some(own) = noted.find(|own| own.name == *name) {
            return Some(own.enabled);
        }
        let parent = relation.parents.first()?;
        Some(state(
            catalog,
            &Subject::Trigger(parent.clone(), name.clone()),
        ))
    };
    own.or_else(inherited).unwrap_or_default()
}

fn of(catalog: &Catalog, subject: &Subject) -> Option<Part> {
    let is_known = |code: &Option<Code>| code.as_ref().is_none_or(|code| code.text.is_some());
    let attached = |table: &Name| Some(&catalog.relations.get(table)?.attached);
    match subject {
        Subject::Trigger(table, name) => {
            let mut triggers = attached(table)?.triggers.iter();
            let own = triggers.find(|own| own.name == *name)?;
            Some(Part {
                create: is_known(&own.condition)
                    .then(|| within_path(&own.condition, own.sql(table))),
                enabled: own.enabled,
                comment: own.comment.clone(),
            })
        }
        Subject::Policy(table, name) => {
            let mut policies = attached(table)?.policies.iter();
            let own = policies.find(|own| own.name == *name)?;
            let is_known = is_known(&own.using) && is_known(&own.with_check);
            Some(Part {
                create: is_known.then(|| {
                    let codes = own.using.iter().chain(&own.with_check);
                    within_path(codes, own.sql(table))
                }),
                enabled: Enabled::Origin,
                comment: own.comment.clone(),
            })
        }
        Subject::Rule(table, name) => {
            let mut rules = attached(table)?.rules.iter();
            let own = rules.find(|own| own.name == *name)?;
            let text = own.definition.text.as_deref();
            let statement = |text: &str| text.trim_end().trim_end_matches(';').to_owned();
            Some(Part {
                create: text.map(|text| within_path([&own.definition], statement(text))),
                enabled: own.enabled,
                comment: own.comment.clone(),
            })
        }
        _ => None,
    }
}

/// Creates or replaces a view. Returns false if the catalog lacks its query.
pub(super) fn view(script: &mut Script, relation: &Relation) -> bool {
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
    let needs = Needs::of_relation(relation);
    if relation.kind == RelationKind::MaterializedView {
        let create = format!("CREATE MATERIALIZED VIEW {sql}{columns} AS {text}");
        let create = within_path([query], create);
        script.make(Step::Views, create, &relation.name, needs);
    } else {
        let create = format!("CREATE OR REPLACE VIEW {sql}{columns}{options} AS {text}");
        let create = within_path([query], create);
        script.make(Step::Views, create, &relation.name, needs);
    }
    true
}

/// Returns the statement with the search path under which the names of its code were looked up. The
/// statement stays as it is if that is the default search path.
pub(super) fn within_path<'c>(
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
pub(super) fn options(script: &mut Script, new: &Relation, old: &Relation) {
    let sql = new.name.sql();
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let kept: Vec<String> = new.attached.options.iter().map(|own| name(own)).collect();
    let there = old.attached.options.iter().map(|own| name(own));
    let gone: Vec<String> = there.filter(|own| !kept.contains(own)).collect();
    if !gone.is_empty() {
        script.push(
            Step::Views,
            format!("ALTER VIEW {sql} RESET ({})", gone.join(", ")),
        );
    }
    if !new.attached.options.is_empty() {
        let options = new.attached.options.join(", ");
        script.push(Step::Views, format!("ALTER VIEW {sql} SET ({options})"));
    }
}

/// Enables or disables row level security with `ALTER TABLE`.
pub(super) fn row_security(script: &mut Script, relation: &Relation) {
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
    script.push(Step::Guards, alter);
}
