//! Changes of types.

use std::collections::BTreeSet;

use super::order::{Dependencies, Statement};
use super::{Script, Step, column};
use crate::compare::{Aspect, How, attributes, is_same_attribute};
use crate::definition::{list, literal, literals, quoted};
use crate::{Attribute, Catalog, DataType, Name, Type, TypeKind};

/// Creates, drops or changes a type.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    name: &Name,
    how: &How,
) {
    let sql = name.type_sql();
    let (new, old) = (expected.types.get(name), actual.types.get(name));
    match (new, old, how) {
        (Some(new), None, _) => create(script, new),
        (None, Some(old), _) => {
            let drop = format!("DROP {} {sql}", keyword(old));
            script.add(
                Statement::new(Step::DropRest, drop, Dependencies::of_type(old))
                    .dropping(name)
                    .also_dropping(multirange_name(old)),
            );
        }
        (Some(new), Some(_), how) if how.aspect() == Some(Aspect::Comment) => {
            script.comment_on(&format!("{} {sql}", keyword(new)), new.comment.as_ref());
        }
        (Some(new), Some(old), _) => alter(script, (expected, actual), new, old),
        (None, None, _) => {}
    }
}

/// Returns the name of the multirange type that is created and dropped with a range type.
pub(super) fn multirange_name(range: &Type) -> Option<Name> {
    let TypeKind::Range { multirange, .. } = &range.kind else {
        return None;
    };
    Some(Name {
        schema: range.name.schema.clone(),
        name: multirange.clone(),
    })
}

/// Returns the keyword after ALTER, DROP and COMMENT ON.
fn keyword(found: &Type) -> &'static str {
    match found.kind {
        TypeKind::Domain { .. } => "DOMAIN",
        _ => "TYPE",
    }
}

fn create(script: &mut Script, expected: &Type) {
    let sql = expected.name.type_sql();
    let dependencies = Dependencies::of_type(expected);
    match &expected.kind {
        TypeKind::Enum { labels } => {
            let create = format!("CREATE TYPE {sql} AS ENUM ({})", literals(labels));
            script.create(Step::Types, create, &expected.name, dependencies);
        }
        TypeKind::Composite { attributes: all } => {
            let create = format!("CREATE TYPE {sql} AS ({})", attributes(all));
            script.create(Step::Types, create, &expected.name, dependencies);
        }
        TypeKind::Range { subtype, .. } => {
            let mut options = vec![format!("SUBTYPE = {}", subtype.sql())];
            options.extend(expected.kind.range_options());
            // Without its schema, the multirange type would be in another schema than the range
            // type.
            options.extend(
                multirange_name(expected)
                    .map(|name| format!("MULTIRANGE_TYPE_NAME = {}", name.type_sql())),
            );
            let options = options.join(", ");
            let statement = format!("CREATE TYPE {sql} AS RANGE ({options})");
            script.add(
                Statement::new(Step::Types, statement, dependencies)
                    .creating([expected.name.clone()])
                    .creating(multirange_name(expected)),
            );
        }
        TypeKind::Domain {
            base,
            not_null,
            default,
            checks,
            collation,
        } => {
            let mut statement = format!("CREATE DOMAIN {sql} AS {}", base.sql());
            if let Some(collation) = collation {
                statement.push_str(&format!(" COLLATE {}", collation.sql()));
            }
            if let Some(default) = default {
                statement.push_str(&format!(" DEFAULT {default}"));
            }
            if *not_null {
                statement.push_str(" NOT NULL");
            }
            for check in checks.iter().filter(|check| check.validated) {
                let name = quoted(&check.name);
                statement.push_str(&format!(" CONSTRAINT {name} {}", check.sql(&[])));
            }
            script.create(Step::Types, statement, &expected.name, dependencies);
            for check in checks.iter().filter(|check| !check.validated) {
                let name = quoted(&check.name);
                let add = format!(
                    "ALTER DOMAIN {sql} ADD CONSTRAINT {name} {}",
                    check.sql(&[])
                );
                // CREATE DOMAIN accepts no NOT VALID. This is the first step after that of types.
                script.push(Step::Sequences, add);
            }
            for check in checks.iter().filter(|check| check.comment.is_some()) {
                let on = format!("CONSTRAINT {} ON DOMAIN {sql}", quoted(&check.name));
                script.comment_on(&on, check.comment.as_ref());
            }
        }
        TypeKind::External => script.note(format!("the type {sql} comes with an extension")),
    }
    if expected.comment.is_some() {
        script.comment_on(
            &format!("{} {sql}", keyword(expected)),
            expected.comment.as_ref(),
        );
    }
}

/// Changes a type, or adds a note if no statement can.
fn alter(
    script: &mut Script,
    (expected_catalog, actual_catalog): (&Catalog, &Catalog),
    expected: &Type,
    actual: &Type,
) {
    let sql = expected.name.type_sql();
    match (&expected.kind, &actual.kind) {
        (TypeKind::Enum { labels }, TypeKind::Enum { labels: old_labels }) => {
            alter_labels(script, &sql, labels, old_labels);
        }
        (TypeKind::Composite { .. }, TypeKind::Composite { .. })
            if keeps_attributes(script, actual_catalog, &expected.name) =>
        {
            // The type keeps its attributes, so `ALTER TABLE .. OF` this type fails for a table
            // with the expected columns.
            let typed = typed_tables(expected_catalog, &expected.name);
            if let TypeKind::Composite { attributes } = &expected.kind {
                let names = attributes.iter().map(|attribute| &attribute.name);
                keep_columns(script, &typed, names);
            }
            script.unattachable.extend(typed);
            let tables = list_typed_tables(expected_catalog, actual_catalog, &expected.name);
            let note = if tables.is_empty() {
                String::new()
            } else {
                format!("; its typed tables do not change either: {tables}")
            };
            let why = match has_column(actual_catalog, &expected.name) {
                true => {
                    "which PostgreSQL cannot change while a column has the type: \
                     create a new type, change the columns to it, and drop the old one"
                }
                false => "which cannot change while its typed tables cannot",
            };
            script.note(format!(
                "the composite type {sql} should have other attributes, {why}{note}"
            ));
        }
        (TypeKind::Composite { attributes }, TypeKind::Composite { attributes: old_attributes }) => {
            let names = |list: &[Attribute]| -> Vec<String> {
                list.iter().map(|attribute| attribute.name.clone()).collect()
            };
            let (expected_names, mut result) = (names(attributes), names(old_attributes));
            result.retain(|name| expected_names.contains(name));
            result.extend(
                expected_names
                    .iter()
                    .filter(|name| !names(old_attributes).contains(name))
                    .cloned(),
            );
            if result != expected_names {
                // `ALTER TABLE .. OF` requires the columns in the order of the attributes, so it
                // fails for a table with the expected order.
                let typed = typed_tables(expected_catalog, &expected.name);
                let is_not_yet_typed = |table: &Name| {
                    let table = actual_catalog.relations.get(table);
                    table.is_some_and(|table| table.of_type.as_ref() != Some(&expected.name))
                };
                script.unattachable.extend(typed.into_iter().filter(is_not_yet_typed));
                let tables = list_typed_tables(expected_catalog, actual_catalog, &expected.name);
                let note = if tables.is_empty() {
                    String::new()
                } else {
                    format!("; the columns of its typed tables differ from the expected order in the same way: {tables}")
                };
                script.note(format!(
                    "type {sql}: its attribute order should be {}, but PostgreSQL adds attributes at the end{note}",
                    list(&expected_names)
                ));
            }
            for attribute in old_attributes {
                if attributes.iter().all(|other| other.name != attribute.name) {
                    let name = quoted(&attribute.name);
                    script.push(
                        Step::Types,
                        format!("ALTER TYPE {sql} DROP ATTRIBUTE {name} CASCADE"),
                    );
                }
            }
            for attribute in attributes {
                let old = old_attributes.iter().find(|other| other.name == attribute.name);
                let (name, new) = (quoted(&attribute.name), attribute.type_sql());
                match old {
                    None => script.push(
                        Step::Types,
                        format!("ALTER TYPE {sql} ADD ATTRIBUTE {name} {new} CASCADE"),
                    ),
                    Some(old)
                        if !column::has_assignment_cast(&old.data_type, &attribute.data_type)
                            && !typed_tables(actual_catalog, &expected.name).is_empty() =>
                    {
                        let typed = typed_tables(expected_catalog, &expected.name);
                        keep_columns(script, &typed, [&attribute.name]);
                        script.unattachable.extend(typed);
                        script.note(format!(
                            "the attribute {name} of {sql} should have the type {new}, to which PostgreSQL cannot cast the columns of {}",
                            list_typed_tables(expected_catalog, actual_catalog, &expected.name)
                        ));
                    }
                    Some(old) if !is_same_attribute(old, attribute) => script.push(
                        Step::Types,
                        format!("ALTER TYPE {sql} ALTER ATTRIBUTE {name} TYPE {new} CASCADE"),
                    ),
                    Some(_) => {}
                }
            }
        }
        (
            TypeKind::Domain {
                base,
                not_null,
                default,
                collation,
                ..
            },
            TypeKind::Domain {
                base: old_base,
                not_null: old_not_null,
                collation: old_collation,
                ..
            },
        ) => {
            let collations = (collation.as_ref(), old_collation.as_ref());
            if !base.is_same(old_base) || collations.0.map(Name::sql) != collations.1.map(Name::sql) {
                script.note(format!(
                    "the domain {sql} should have another base type or collation, which PostgreSQL cannot change: create a new domain"
                ));
                return;
            }
            match container_column(actual_catalog, &expected.name) {
                Some((table, column)) if *not_null && !old_not_null => {
                    note_container(script, &expected.name, "NOT NULL", table, column);
                }
                _ => {
                    let null = if *not_null { "SET" } else { "DROP" };
                    script.push(Step::Types, format!("ALTER DOMAIN {sql} {null} NOT NULL"));
                }
            }
            let default = default
                .as_ref()
                .map_or("DROP DEFAULT".to_owned(), |default| {
                    format!("SET DEFAULT {default}")
                });
            script.push(Step::Types, format!("ALTER DOMAIN {sql} {default}"));
        }
        (TypeKind::Range { .. }, TypeKind::Range { .. }) => script.note(format!(
            "the range type {sql} should have another definition, which PostgreSQL cannot change: create a new type"
        )),
        _ => script.note(format!("the type {sql} should be of another kind: create a new type")),
    }
}

/// Returns the names of the typed tables of a composite type.
fn typed_tables(catalog: &Catalog, name: &Name) -> BTreeSet<Name> {
    let relations = catalog.relations.values();
    let typed = relations.filter(|relation| relation.of_type.as_ref() == Some(name));
    typed.map(|relation| relation.name.clone()).collect()
}

/// Returns a list of the typed tables of a composite type in either catalog, as text.
fn list_typed_tables(expected: &Catalog, actual: &Catalog, name: &Name) -> String {
    let mut tables = typed_tables(expected, name);
    tables.extend(typed_tables(actual, name));
    let names: Vec<String> = tables.iter().map(Name::sql).collect();
    names.join(", ")
}

/// Records columns of typed tables that keep their types.
fn keep_columns<'n>(
    script: &mut Script,
    tables: &BTreeSet<Name>,
    columns: impl IntoIterator<Item = &'n String>,
) {
    for column in columns {
        let kept = tables.iter().map(|table| (table.clone(), column.clone()));
        script.unchanged_columns.extend(kept);
    }
}

/// Returns true if a composite type cannot get other attributes: a column has the type, or a typed
/// table of it is blocked.
pub(super) fn keeps_attributes(script: &Script, actual: &Catalog, name: &Name) -> bool {
    let mut tables = typed_tables(actual, name).into_iter();
    has_column(actual, name) || tables.any(|table| script.blocked.contains(&table))
}

/// Returns true if a column of a table has the type, or an array of it.
fn has_column(catalog: &Catalog, name: &Name) -> bool {
    let mut relations = catalog.relations.values();
    relations.any(|relation| {
        let mut columns = relation.columns.iter();
        columns.any(|column| column.data_type.name == *name)
    })
}

/// Renames the labels of an enum, or adds labels.
fn alter_labels(script: &mut Script, sql: &str, labels: &[String], old_labels: &[String]) {
    let is_renamed = labels.len() == old_labels.len()
        && labels
            .iter()
            .zip(old_labels)
            .all(|(new, old)| new == old || !(old_labels.contains(new) || labels.contains(old)));
    if is_renamed {
        for (new, old) in labels
            .iter()
            .zip(old_labels)
            .filter(|(new, old)| new != old)
        {
            let (old, new) = (literal(old), literal(new));
            let rename = format!("ALTER TYPE {sql} RENAME VALUE {old} TO {new}");
            script.push(Step::Types, rename);
        }
        return;
    }
    let mut common = labels.to_vec();
    common.retain(|label| old_labels.contains(label));
    if common != old_labels {
        script.note(format!(
            "the enum {sql} has extra labels or another order, which PostgreSQL cannot change: create a new type, \
             change the columns to it, and drop the old one"
        ));
    }
    let mut previous: Option<&String> = None;
    for label in labels {
        if !old_labels.contains(label) {
            let position = match previous {
                Some(previous) => format!(" AFTER {}", literal(previous)),
                None => old_labels
                    .first()
                    .map_or(String::new(), |first| format!(" BEFORE {}", literal(first))),
            };
            let new = literal(label);
            script.push(
                Step::Types,
                format!("ALTER TYPE {sql} ADD VALUE {new}{position}"),
            );
            script.added_labels.push(label.clone());
        }
        previous = Some(label);
    }
}

/// Adds a note if a statement of the script uses an enum label that another one adds. PostgreSQL
/// refuses that within one transaction.
pub(super) fn note_new_labels(script: &mut Script) {
    let is_used = |label: &String| {
        let (literal, added) = (literal(label), format!("ADD VALUE {}", literal(label)));
        let mut statements = script.statements.iter();
        statements
            .any(|statement| statement.sql.contains(&literal) && !statement.sql.contains(&added))
    };
    if script.added_labels.iter().any(is_used) {
        script.note(
            "run each statement in a transaction of its own, as psql does: PostgreSQL cannot use a label of an enum in \
             the transaction that adds it"
                .to_owned(),
        );
    }
}

/// Returns a column with an array of the domain, or with a composite type that has it.
fn container_column<'c>(catalog: &'c Catalog, domain: &Name) -> Option<(&'c Name, &'c str)> {
    let has_domain = |found: &Type| match &found.kind {
        TypeKind::Composite { attributes } => {
            let mut attributes = attributes.iter();
            attributes.any(|attribute| attribute.data_type.name == *domain)
        }
        _ => false,
    };
    let contains = |data_type: &DataType| {
        let is_array = data_type.name == *domain && data_type.dimensions > 0;
        is_array || catalog.types.get(&data_type.name).is_some_and(has_domain)
    };
    let mut columns = catalog.relations.values().flat_map(|relation| {
        let columns = relation.columns.iter();
        columns.map(|column| (&relation.name, column))
    });
    let found = columns.find(|(_, column)| contains(&column.data_type));
    found.map(|(table, column)| (table, column.name.as_str()))
}

/// Adds a note about a part that a domain does not get. PostgreSQL adds no check and no NOT NULL to
/// a domain that the type of a column contains.
fn note_container(script: &mut Script, domain: &Name, part: &str, table: &Name, column: &str) {
    script.note(format!(
        "the domain {} does not get its {part}, which PostgreSQL cannot add while the type of {}.{} contains the domain",
        domain.sql(),
        table.sql(),
        quoted(column)
    ));
}

/// Drops, creates or replaces a check of a domain, or changes its comment.
pub(super) fn change_check(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    domain: &Name,
    name: &str,
    only_comment: bool,
) {
    let find_check = |catalog: &Catalog| {
        let found = catalog.types.get(domain)?;
        let TypeKind::Domain { checks, .. } = &found.kind else {
            return None;
        };
        checks.iter().find(|check| check.name == name).cloned()
    };
    let (sql, quoted_name) = (domain.type_sql(), quoted(name));
    let base_type = |catalog: &'_ Catalog| match catalog.types.get(domain).map(|found| &found.kind)
    {
        Some(TypeKind::Domain { base, .. }) => Some(base.clone()),
        _ => None,
    };
    if let (Some(new), Some(old)) = (base_type(expected), base_type(actual))
        && !new.is_same(&old)
    {
        // The note about the base type asks for a new domain, which then has the checks.
        return;
    }
    let container = container_column(actual, domain);
    let (expected, actual) = (find_check(expected), find_check(actual));
    if let (Some((table, column)), Some(_), false) = (container, &expected, only_comment) {
        note_container(
            script,
            domain,
            &format!("check {quoted_name}"),
            table,
            column,
        );
        return;
    }
    if !only_comment && actual.is_some() {
        script.push(
            Step::DropConstraints,
            format!("ALTER DOMAIN {sql} DROP CONSTRAINT {quoted_name}"),
        );
    }
    let Some(expected) = expected else { return };
    if !only_comment {
        script.push(
            Step::Types,
            format!(
                "ALTER DOMAIN {sql} ADD CONSTRAINT {quoted_name} {}",
                expected.sql(&[])
            ),
        );
    }
    if only_comment || expected.comment.is_some() {
        script.comment_on(
            &format!("CONSTRAINT {quoted_name} ON DOMAIN {sql}"),
            expected.comment.as_ref(),
        );
    }
}
