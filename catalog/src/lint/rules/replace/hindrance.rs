//! Why a column cannot be replaced in steps, in words that say what to do.

use bowline_sql::quote::identifier;

use super::Replacement;
use crate::lint::rewrite;
use crate::lint::scope::Scope;
use crate::query::Checker;
use crate::{Catalog, Column, ConstraintKind, Fill, IndexKey, Relation, RelationKind};

/// Fails with the reason if the column cannot be replaced by a new one.
pub(super) fn check(
    scope: &Scope<'_>,
    replacement: &Replacement<'_>,
    before: &Relation,
    column: &Column,
) -> Result<(), String> {
    let reasons = [
        of_table(scope, before),
        of_column(scope, replacement, column),
        of_references(scope, replacement.old, before),
        of_generated_columns(replacement.old, before),
        of_expressions(scope, replacement, before),
    ];
    match reasons.into_iter().flatten().next() {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

fn of_table(scope: &Scope<'_>, table: &Relation) -> Option<String> {
    let name = rewrite::relation(&table.name);
    if table.kind == RelationKind::PartitionedTable || table.kind == RelationKind::Partition {
        return Some(format!(
            "each partition has the columns of {name}, and these steps replace that of one table"
        ));
    }
    let mut relations = scope.state.catalog().relations.values();
    let is_inherited = relations.any(|other| other.parents.contains(&table.name));
    if is_inherited || !table.parents.is_empty() {
        return Some(format!(
            "{name} inherits columns, or others inherit its own, and these steps replace that of one table"
        ));
    }
    table
        .primary_key()
        .is_none()
        .then(|| rewrite::no_key(&name))
}

fn of_column(scope: &Scope<'_>, replacement: &Replacement<'_>, column: &Column) -> Option<String> {
    let keeps_name = replacement.old == replacement.end;
    let name = identifier(replacement.old);
    match &column.fill {
        Fill::Generated { .. } => {
            return Some(format!(
                "{name} is generated, and a copy of it would be computed for all rows at once: add a plain column and a trigger that fills it"
            ));
        }
        Fill::Serial { .. } | Fill::Identity { .. } if !keeps_name => {
            return Some(format!(
                "{name} takes its values from a sequence, so programs cannot write the same value to two columns: rename it when no program is in use"
            ));
        }
        _ => {}
    }
    // A new column of a domain with a constraint writes all rows too.
    let domain = scope.state.checking_domain(&column.data_type)?;
    Some(format!(
        "a new column of the domain {}, which has a constraint, would write all rows at once: take the type below the domain, and its constraint as a CHECK that is NOT VALID at first",
        domain.sql()
    ))
}

/// Foreign keys that refer to the column.
fn of_references(scope: &Scope<'_>, column: &str, table: &Relation) -> Option<String> {
    let catalog: &Catalog = scope.start.map_or(scope.state.catalog(), |it| it.catalog());
    let mut found = Vec::new();
    for other in catalog.relations.values() {
        for constraint in &other.constraints {
            if let ConstraintKind::ForeignKey {
                references,
                referenced_columns,
                ..
            } = &constraint.kind
                && *references == table.name
                && referenced_columns.iter().any(|it| it == column)
            {
                let (name, of) = (identifier(&constraint.name), rewrite::relation(&other.name));
                found.push(format!("{name} of {of}"));
            }
        }
    }
    let (it, them) = match found.len() {
        0 => return None,
        1 => ("refers to it", "it"),
        _ => ("refer to it", "them"),
    };
    Some(format!(
        "{} {it}, and a foreign key cannot move to another column: drop {them} first, and add {them} again with `bowline new --safe` when the column is replaced; nothing checks {them} until then",
        found.join(", ")
    ))
}

fn of_generated_columns(column: &str, table: &Relation) -> Option<String> {
    let mut generated = table.columns.iter().filter_map(|other| match &other.fill {
        Fill::Generated { expression, .. } if names(expression, column) => Some(&other.name),
        _ => None,
    });
    let generated = identifier(generated.next()?);
    Some(format!(
        "the generated column {generated} is computed from {}: drop it first, and add it again when the column is replaced",
        identifier(column)
    ))
}

/// What PostgreSQL refuses with the new type, whether in steps or not.
fn of_expressions(
    scope: &Scope<'_>,
    replacement: &Replacement<'_>,
    table: &Relation,
) -> Option<String> {
    let catalog = scope.state.catalog();
    let checker = Checker::new(catalog);
    let from = table.name.sql();
    let refused = |what: &str, sql: &str| {
        let fault = checker.check(sql).err()?;
        fault.code?;
        Some(format!(
            "{what} is not valid for the new type ({}): drop it first, and add one that is",
            fault.message
        ))
    };
    let uses = |text: &str| names(text, replacement.end);
    let after = catalog.relations.get(&table.name)?;
    for constraint in &after.constraints {
        if let ConstraintKind::Check { expression, .. } = &constraint.kind
            && uses(expression)
        {
            let what = format!("the constraint {}", identifier(&constraint.name));
            let why = refused(&what, &format!("SELECT 1 FROM {from} WHERE ({expression})"));
            if why.is_some() {
                return why;
            }
        }
    }
    for index in &after.indexes {
        let what = format!("the index {}", identifier(&index.name));
        let keys = index.keys.iter().filter_map(|key| match key {
            IndexKey::Expression { text, .. } => Some(format!("SELECT ({text}) FROM {from}")),
            IndexKey::Column { .. } => None,
        });
        let predicate = index.predicate.iter();
        let predicate = predicate.map(|text| format!("SELECT 1 FROM {from} WHERE ({text})"));
        let mut all = keys.chain(predicate).filter(|sql| uses(sql));
        if let Some(why) = all.find_map(|sql| refused(&what, &sql)) {
            return Some(why);
        }
    }
    None
}

fn names(text: &str, column: &str) -> bool {
    bowline_sql::tokens(text).any(|token| token.is_name(column))
}
