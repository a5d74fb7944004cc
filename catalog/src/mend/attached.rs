//! Triggers, policies, rules and the queries of views that are to become others.

use super::{Script, Step};
use crate::attached::{Code, Enabled};
use crate::compare::Subject;
use crate::definition::quoted;
use crate::{Catalog, Name, Relation, RelationKind};

/// A trigger, policy or rule as a script makes it.
struct Part {
    /// `None` if not all of it is known.
    create: Option<String>,
    enabled: Enabled,
    comment: Option<String>,
}

/// Drops a trigger, policy or rule, and makes it anew.
pub(super) fn part(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    subject: &Subject,
    is_comment: bool,
) {
    let (kind, table, name) = match subject {
        Subject::Trigger(table, name) => ("TRIGGER", table, name),
        Subject::Policy(table, name) => ("POLICY", table, name),
        Subject::Rule(table, name) => ("RULE", table, name),
        _ => return,
    };
    let (sql, own) = (table.sql(), quoted(name));
    let (new, old) = (of(expected, subject), of(actual, subject));
    if old.is_some() && !is_comment && expected.relations.contains_key(table) {
        script.push(Step::DropGuards, format!("DROP {kind} {own} ON {sql}"));
    }
    let Some(new) = new else { return };
    if !is_comment {
        let Some(create) = new.create else {
            script.beyond.push(format!(
                "{subject} is to be made: the catalog does not have all of it, a migration does"
            ));
            return;
        };
        script.push(Step::Guards, create);
        if new.enabled != Enabled::Origin {
            let action = new.enabled.sql();
            let alter = format!("ALTER TABLE {sql} {action} {kind} {own}");
            script.push(Step::Guards, alter);
        }
    }
    if is_comment || new.comment.is_some() {
        script.comment(&format!("{kind} {own} ON {sql}"), new.comment.as_ref());
    }
}

fn of(catalog: &Catalog, subject: &Subject) -> Option<Part> {
    let is_known = |code: &Option<Code>| code.as_ref().is_none_or(|code| code.text.is_some());
    let attached = |table: &Name| Some(&catalog.relations.get(table)?.attached);
    match subject {
        Subject::Trigger(table, name) => {
            let mut triggers = attached(table)?.triggers.iter();
            let own = triggers.find(|own| own.name == *name)?;
            Some(Part {
                create: is_known(&own.condition).then(|| own.sql(table)),
                enabled: own.enabled,
                comment: own.comment.clone(),
            })
        }
        Subject::Policy(table, name) => {
            let mut policies = attached(table)?.policies.iter();
            let own = policies.find(|own| own.name == *name)?;
            let is_known = is_known(&own.using) && is_known(&own.with_check);
            Some(Part {
                create: is_known.then(|| own.sql(table)),
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
                create: text.map(statement),
                enabled: own.enabled,
                comment: own.comment.clone(),
            })
        }
        _ => None,
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
