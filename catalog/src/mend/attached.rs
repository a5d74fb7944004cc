//! Triggers, policies, rules, functions and the queries of views that are to become others.

use super::{Script, Step};
use crate::attached::{Attached, Enabled};
use crate::definition::quoted;
use crate::{Catalog, Name, Relation, RelationKind};

fn attached<'c>(catalog: &'c Catalog, table: &Name) -> Option<&'c Attached> {
    Some(&catalog.relations.get(table)?.attached)
}

pub(super) fn trigger(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    is_comment: bool,
) {
    let find = |catalog| {
        let attached: &Attached = attached(catalog, table)?;
        attached.triggers.iter().find(|own| own.name == name)
    };
    let (sql, own) = (table.sql(), quoted(name));
    let (new, old) = (find(expected), find(actual));
    if old.is_some() && !is_comment && expected.relations.contains_key(table) {
        script.push(Step::DropGuards, format!("DROP TRIGGER {own} ON {sql}"));
    }
    let Some(new) = new else { return };
    if !is_comment {
        if new
            .condition
            .as_ref()
            .is_some_and(|code| code.text.is_none())
        {
            script.beyond.push(format!(
                "the condition of the trigger {own} of {sql} is not known: a migration has it"
            ));
            return;
        }
        script.push(Step::Guards, new.sql(table));
        if new.enabled != Enabled::Origin {
            let action = new.enabled.sql();
            let alter = format!("ALTER TABLE {sql} {action} TRIGGER {own}");
            script.push(Step::Guards, alter);
        }
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("TRIGGER {own} ON {sql}"), new.comment.as_ref());
    }
}

pub(super) fn policy(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    is_comment: bool,
) {
    let find = |catalog| {
        let attached: &Attached = attached(catalog, table)?;
        attached.policies.iter().find(|own| own.name == name)
    };
    let (sql, own) = (table.sql(), quoted(name));
    let (new, old) = (find(expected), find(actual));
    if old.is_some() && !is_comment && expected.relations.contains_key(table) {
        script.push(Step::DropGuards, format!("DROP POLICY {own} ON {sql}"));
    }
    let Some(new) = new else { return };
    if !is_comment {
        let mut codes = [&new.using, &new.with_check].into_iter().flatten();
        if codes.any(|code| code.text.is_none()) {
            script.beyond.push(format!(
                "an expression of the policy {own} of {sql} is not known: a migration has it"
            ));
            return;
        }
        script.push(Step::Guards, new.sql(table));
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("POLICY {own} ON {sql}"), new.comment.as_ref());
    }
}

pub(super) fn rule(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    is_comment: bool,
) {
    let find = |catalog| {
        let attached: &Attached = attached(catalog, table)?;
        attached.rules.iter().find(|own| own.name == name)
    };
    let (sql, own) = (table.sql(), quoted(name));
    let (new, old) = (find(expected), find(actual));
    if old.is_some() && !is_comment && expected.relations.contains_key(table) {
        script.push(Step::DropGuards, format!("DROP RULE {own} ON {sql}"));
    }
    let Some(new) = new else { return };
    if !is_comment {
        let Some(text) = &new.definition.text else {
            script.beyond.push(format!(
                "what the rule {own} of {sql} does is not known: a migration has it"
            ));
            return;
        };
        script.push(Step::Guards, text.trim_end().trim_end_matches(';'));
        if new.enabled != Enabled::Origin {
            let action = new.enabled.sql();
            script.push(
                Step::Guards,
                format!("ALTER TABLE {sql} {action} RULE {own}"),
            );
        }
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("RULE {own} ON {sql}"), new.comment.as_ref());
    }
}

pub(super) fn routine(
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
        script.push(Step::DropRest, format!("DROP {kind} {title}"));
        return;
    };
    if !is_comment {
        let Some(create) = new.sql() else {
            script.beyond.push(format!(
                "the {word} {title} is to be made: the catalog does not have all of it, a migration does"
            ));
            return;
        };
        // A function may name what is made after it.
        script.push(Step::Settings, "SET check_function_bodies = off");
        let is_replaced = old.as_ref().is_none_or(|old| {
            old.kind == new.kind
                && old.result == new.result
                && old.returns_set == new.returns_set
                && old.arguments.len() == new.arguments.len()
                && old.arguments.iter().zip(&new.arguments).all(|(a, b)| {
                    (a.mode, &a.name, &a.data_type) == (b.mode, &b.name, &b.data_type)
                })
        });
        if !is_replaced {
            script.push(Step::DropRest, format!("-- {word} {title}: drop it first, with what rests on it, since its arguments or its result are others"));
        }
        script.push(Step::Routines, create);
        if old.is_none() {
            let on = format!("ROUTINE {title}");
            super::privilege::of_new(script, &on, &new.privileges);
        }
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("{kind} {title}"), new.comment.as_ref());
    }
}

/// `CREATE VIEW`, in place of one that is there or not; false where its query is not known.
pub(super) fn view(script: &mut Script, relation: &Relation, is_there: bool) -> bool {
    let sql = relation.name.sql();
    let Some(query) = &relation.attached.query else {
        return false;
    };
    let Some(text) = &query.text else {
        return false;
    };
    // Names in it mean what they mean in the default path.
    if query
        .search_path
        .as_deref()
        .is_some_and(|path| path != ["public"])
    {
        return false;
    }
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
    if relation.kind == RelationKind::MaterializedView {
        if is_there {
            let drop = format!("DROP MATERIALIZED VIEW {sql}");
            script.push(Step::DropViews, drop);
        }
        let create = format!("CREATE MATERIALIZED VIEW {sql}{columns} AS {text}");
        script.push(Step::Views, create);
    } else {
        let create = format!("CREATE OR REPLACE VIEW {sql}{columns}{options} AS {text}");
        script.push(Step::Views, create);
    }
    true
}

/// What `ALTER TABLE` says of row level security.
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
