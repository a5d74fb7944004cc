//! Views, triggers, policies and rules that block a change of a column. They are dropped before the
//! change and recreated after it.

use std::collections::BTreeSet;

use super::order::Dependencies;
use super::{Script, Step, attached, relation};
use crate::compare::{Aspect, Difference, How, Subject};
use crate::definition::quoted;
use crate::{Catalog, Name, Relation, RelationKind};

/// Returns true if the relation is a view or a materialized view.
pub(super) fn is_view(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::View | RelationKind::MaterializedView
    )
}

/// Returns the columns of tables that are dropped or that get another type or collation. Columns
/// of views are not among them.
pub(super) fn changed_columns<'d>(
    actual: &'d Catalog,
    differences: &'d [Difference],
) -> impl Iterator<Item = (&'d Name, &'d str)> {
    differences.iter().filter_map(|difference| {
        let Subject::Column(table, column) = &difference.subject else {
            return None;
        };
        let is_changed = match &difference.how {
            How::OnlyRight => true,
            How::OnlyLeft => false,
            How::Differs { aspect, .. } => matches!(aspect, Aspect::Type | Aspect::Collation),
        };
        let old = actual.relations.get(table)?;
        (is_changed && !is_view(old)).then_some((table, column.as_str()))
    })
}

/// Returns the views that are dropped and recreated. `ALTER VIEW` cannot drop a column or change
/// its type. A column that a view reads cannot change its type either.
pub(super) fn views_to_recreate(
    expected: &Catalog,
    actual: &Catalog,
    differences: &[Difference],
) -> BTreeSet<Name> {
    let mut recreated = BTreeSet::new();
    for difference in differences {
        let Some(name) = difference.subject.relation() else {
            continue;
        };
        let (Some(new), Some(old)) = (expected.relations.get(name), actual.relations.get(name))
        else {
            continue;
        };
        let aspect = difference.how.aspect();
        let is_column = matches!(difference.subject, Subject::Column(..));
        let is_recreated = old.kind != new.kind
            || (is_column && !matches!(aspect, Some(Aspect::Comment | Aspect::Default)))
            || aspect == Some(Aspect::ColumnOrder)
            || (aspect == Some(Aspect::Query) && old.kind == RelationKind::MaterializedView);
        if is_view(old) && is_recreated {
            recreated.insert(name.clone());
        }
    }
    let changed: Vec<(&Name, &str)> = changed_columns(actual, differences).collect();
    let dependencies = |view: &Relation| Dependencies::of_relation(view);
    for view in actual
        .relations
        .values()
        .filter(|relation| is_view(relation))
    {
        if changed
            .iter()
            .any(|(table, column)| may_read(view, table, column))
        {
            recreated.insert(view.name.clone());
        }
    }
    loop {
        let before = recreated.len();
        for view in actual
            .relations
            .values()
            .filter(|relation| is_view(relation))
        {
            if recreated
                .iter()
                .any(|other| dependencies(view).may_have(other))
            {
                recreated.insert(view.name.clone());
            }
        }
        if recreated.len() == before {
            return recreated;
        }
    }
}

/// Returns true if a view may read a column of a table.
pub(super) fn may_read(view: &Relation, table: &Name, column: &str) -> bool {
    let dependencies = Dependencies::of_relation(view);
    dependencies.may_have(table) && (dependencies.mentions(column) || may_read_all_columns(view))
}

/// Returns true if the query contains `*`, or is not known.
fn may_read_all_columns(view: &Relation) -> bool {
    let query = view.attached.query.as_ref();
    let text = query.and_then(|query| query.text.as_deref());
    text.is_none_or(|text| bowline_sql::tokens(text).any(|token| token.is("*")))
}

/// Drops and recreates the views. Recreates the triggers, policies and rules of the columns that
/// change.
pub(super) fn recreate(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    differences: &[Difference],
) {
    for name in script.recreated.clone() {
        let Some(old) = actual.relations.get(&name) else {
            continue;
        };
        let new = expected.relations.get(&name).filter(|new| is_view(new));
        if let Some(new) = new
            && !attached::create_or_replace_view(script, new)
        {
            script.note(format!(
                "{} is dropped and not created again, since the catalog lacks its definition, \
                 which its migration has",
                name.sql()
            ));
        }
        let keyword = match old.kind {
            RelationKind::MaterializedView => "MATERIALIZED VIEW",
            _ => "VIEW",
        };
        let drop = format!("DROP {keyword} {}", name.sql());
        script.drop(Step::DropViews, drop, &name, Dependencies::of_relation(old));
        if let Some(new) = new {
            relation::create_view_parts(script, expected, new);
        } else if let Some(new) = expected.relations.get(&name) {
            relation::create(script, expected, actual, new);
        }
    }
    for (table, column) in changed_columns(actual, differences) {
        recreate_attached(script, expected, actual, table, column);
    }
}

/// Recreates the triggers, policies and rules that read a changed column.
fn recreate_attached(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    column: &str,
) {
    let (Some(new), Some(old)) = (expected.relations.get(table), actual.relations.get(table))
    else {
        return;
    };
    let reads = |text: &str| {
        let mut tokens = bowline_sql::tokens(text);
        tokens.any(|token| token.is_name(column) || token.is("*"))
    };
    let quoted = quoted(column);
    let triggers = old.attached.triggers.iter();
    let triggers =
        triggers.filter(|trigger| reads(&trigger.sql(table)) || trigger.columns.contains(&quoted));
    let triggers = triggers.map(|trigger| Subject::Trigger(table.clone(), trigger.name.clone()));
    let policies = old.attached.policies.iter();
    let policies = policies.filter(|policy| reads(&policy.sql(table)));
    let policies = policies.map(|policy| Subject::Policy(table.clone(), policy.name.clone()));
    let rules = old.attached.rules.iter();
    let rules = rules.filter(|rule| reads(rule.definition.display_text()));
    let rules = rules.map(|rule| Subject::Rule(table.clone(), rule.name.clone()));
    let subjects: Vec<Subject> = triggers.chain(policies).chain(rules).collect();
    for subject in subjects {
        if attached::has(new, &subject) {
            attached::change(script, expected, actual, &subject, &How::OnlyRight);
        }
    }
}
