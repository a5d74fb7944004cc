//! Types that are to become others.

use super::{Script, Step};
use crate::compare::{How, attributes};
use crate::definition::{literal, literals, quoted};
use crate::{Catalog, Name, Type, TypeKind};

pub(super) fn mend(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    name: &Name,
    how: &How,
) {
    let sql = name.sql();
    let (expected, actual) = (expected.types.get(name), actual.types.get(name));
    match (expected, actual, how) {
        (Some(expected), None, _) => create(script, expected),
        (None, Some(actual), _) => {
            let word = word(actual);
            script.push(Step::DropRest, format!("DROP {word} {sql}"));
        }
        (Some(expected), Some(_), How::Differs { aspect, .. }) if *aspect == "its comment" => {
            script.comment(
                &format!("{} {sql}", word(expected)),
                expected.comment.as_ref(),
            );
        }
        (Some(expected), Some(actual), _) => alter(script, expected, actual),
        (None, None, _) => {}
    }
}

fn word(found: &Type) -> &'static str {
    match found.kind {
        TypeKind::Domain { .. } => "DOMAIN",
        _ => "TYPE",
    }
}

fn create(script: &mut Script, expected: &Type) {
    let sql = expected.name.sql();
    match &expected.kind {
        TypeKind::Enum { labels } => {
            script.push(
                Step::Types,
                format!("CREATE TYPE {sql} AS ENUM ({})", literals(labels)),
            );
        }
        TypeKind::Composite { attributes: list } => {
            script.push(
                Step::Types,
                format!("CREATE TYPE {sql} AS ({})", attributes(list)),
            );
        }
        TypeKind::Range {
            subtype,
            multirange,
        } => {
            let multirange = quoted(multirange);
            script.push(
                Step::Types,
                format!(
                    "CREATE TYPE {sql} AS RANGE (SUBTYPE = {}, MULTIRANGE_TYPE_NAME = {multirange})",
                    subtype.sql()
                ),
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
                statement.push_str(&format!(" COLLATE {}", quoted(collation)));
            }
            if let Some(default) = default {
                statement.push_str(&format!(" DEFAULT {default}"));
            }
            if *not_null {
                statement.push_str(" NOT NULL");
            }
            for check in checks {
                let name = quoted(&check.name);
                statement.push_str(&format!(" CONSTRAINT {name} {}", check.sql(&[])));
            }
            script.push(Step::Types, statement);
        }
        TypeKind::External => script
            .beyond
            .push(format!("the type {sql} comes with an extension")),
    }
    if expected.comment.is_some() {
        script.comment(
            &format!("{} {sql}", word(expected)),
            expected.comment.as_ref(),
        );
    }
}

fn alter(script: &mut Script, expected: &Type, actual: &Type) {
    let sql = expected.name.sql();
    match (&expected.kind, &actual.kind) {
        (TypeKind::Enum { labels }, TypeKind::Enum { labels: there }) => {
            if !there.iter().all(|label| labels.contains(label)) {
                script.beyond.push(format!(
                    "the enum {sql} has labels that it should not have, and PostgreSQL takes none away: make a new type, \
                     change the columns to it, drop the old one"
                ));
            }
            let mut before = None;
            for label in labels {
                if !there.contains(label) {
                    let place = match before {
                        Some(before) => format!("AFTER {}", literal(before)),
                        None => there
                            .first()
                            .map_or(String::new(), |first| format!("BEFORE {}", literal(first))),
                    };
                    let label = literal(label);
                    script.push(
                        Step::Types,
                        format!("ALTER TYPE {sql} ADD VALUE {label} {place}"),
                    );
                }
                before = Some(label);
            }
        }
        (TypeKind::Composite { attributes }, TypeKind::Composite { attributes: there }) => {
            for (name, _) in there {
                if attributes.iter().all(|(other, _)| other != name) {
                    let name = quoted(name);
                    script.push(
                        Step::Types,
                        format!("ALTER TYPE {sql} DROP ATTRIBUTE {name} CASCADE"),
                    );
                }
            }
            for (name, data_type) in attributes {
                let own = there.iter().find(|(other, _)| other == name);
                let (name, new) = (quoted(name), data_type.sql());
                match own {
                    None => script.push(
                        Step::Types,
                        format!("ALTER TYPE {sql} ADD ATTRIBUTE {name} {new} CASCADE"),
                    ),
                    Some((_, own)) if !own.is_same(data_type) => script.push(
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
                ..
            },
            TypeKind::Domain { base: there, .. },
        ) => {
            if !base.is_same(there) {
                script.beyond.push(format!(
                    "the domain {sql} has another base type, which PostgreSQL does not change: make a new domain"
                ));
            }
            let null = if *not_null { "SET" } else { "DROP" };
            script.push(Step::Types, format!("ALTER DOMAIN {sql} {null} NOT NULL"));
            let default = default
                .as_ref()
                .map_or("DROP DEFAULT".to_owned(), |default| {
                    format!("SET DEFAULT {default}")
                });
            script.push(Step::Types, format!("ALTER DOMAIN {sql} {default}"));
        }
        _ => script
            .beyond
            .push(format!("the type {sql} is of another kind: make a new one")),
    }
}

/// A check of a domain.
pub(super) fn check(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    domain: &Name,
    name: &str,
    is_comment: bool,
) {
    let of = |catalog: &Catalog| {
        let found = catalog.types.get(domain)?;
        let TypeKind::Domain { checks, .. } = &found.kind else {
            return None;
        };
        checks.iter().find(|check| check.name == name).cloned()
    };
    let (sql, quoted_name) = (domain.sql(), quoted(name));
    let (expected, actual) = (of(expected), of(actual));
    if !is_comment && actual.is_some() {
        script.push(
            Step::DropConstraints,
            format!("ALTER DOMAIN {sql} DROP CONSTRAINT {quoted_name}"),
        );
    }
    let Some(expected) = expected else { return };
    if !is_comment {
        script.push(
            Step::Types,
            format!(
                "ALTER DOMAIN {sql} ADD CONSTRAINT {quoted_name} {}",
                expected.sql(&[])
            ),
        );
    }
    if is_comment || expected.comment.is_some() {
        script.comment(
            &format!("CONSTRAINT {quoted_name} ON DOMAIN {sql}"),
            expected.comment.as_ref(),
        );
    }
}
