//! What differs between the types of two catalogs.

use std::collections::BTreeMap;

use super::{Found, Subject};
use crate::definition::{literals, quoted};
use crate::expression::is_same;
use crate::{Catalog, Constraint, ConstraintKind, DataType, Name, Type, TypeKind};

pub(super) fn compare(found: &mut Found, left: &Catalog, right: &Catalog) {
    // Which types an extension brings is the extension's matter.
    let own = |catalog: &Catalog| -> BTreeMap<Name, Type> {
        let types = catalog.types.iter();
        types
            .filter(|(_, found)| found.kind != TypeKind::External)
            .map(|(name, found)| (name.clone(), found.clone()))
            .collect()
    };
    found.each(
        &own(left),
        &own(right),
        |name| Subject::Type(name.clone()),
        kind,
    );
}

fn kind(found: &mut Found, subject: &Subject, left: &Type, right: &Type) {
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
    match (&left.kind, &right.kind) {
        (TypeKind::Enum { labels }, TypeKind::Enum { labels: other }) => {
            found.differs(
                subject,
                "the list of its labels",
                literals(labels),
                literals(other),
            );
        }
        (TypeKind::Composite { attributes }, TypeKind::Composite { attributes: other }) => {
            let is_same = attributes.len() == other.len()
                && attributes
                    .iter()
                    .zip(other)
                    .all(|(a, b)| a.0 == b.0 && a.1.is_same(&b.1));
            if !is_same {
                let sql = self::attributes;
                found.noted(
                    subject,
                    "the list of its attributes",
                    sql(attributes),
                    sql(other),
                );
            }
        }
        (
            TypeKind::Range {
                subtype,
                multirange,
            },
            TypeKind::Range {
                subtype: other,
                multirange: other_multirange,
            },
        ) => {
            found.differs(subject, "its subtype", subtype.sql(), other.sql());
            found.differs(
                subject,
                "its multirange",
                quoted(multirange),
                quoted(other_multirange),
            );
        }
        (
            TypeKind::Domain {
                base,
                not_null,
                default,
                checks,
                collation,
            },
            TypeKind::Domain {
                base: other,
                not_null: other_not_null,
                default: other_default,
                checks: other_checks,
                collation: other_collation,
            },
        ) => {
            if !base.is_same(other) {
                found.noted(subject, "its base type", base.sql(), other.sql());
            }
            let nullable = |not_null: bool| if not_null { "NOT NULL" } else { "NULL" }.to_owned();
            found.differs(
                subject,
                "its nullability",
                nullable(*not_null),
                nullable(*other_not_null),
            );
            found.expression(
                subject,
                "its default",
                default.as_deref(),
                other_default.as_deref(),
            );
            let collation_of = |collation: &Option<String>| {
                collation.as_deref().map_or("the type's".to_owned(), quoted)
            };
            found.differs(
                subject,
                "its collation",
                collation_of(collation),
                collation_of(other_collation),
            );
            let by_name = |checks: &[Constraint]| -> BTreeMap<String, Constraint> {
                checks
                    .iter()
                    .map(|check| (check.name.clone(), check.clone()))
                    .collect()
            };
            found.each(
                &by_name(checks),
                &by_name(other_checks),
                |name| Subject::DomainCheck(left.name.clone(), name.clone()),
                check,
            );
        }
        (one, other) => found.differs(subject, "its kind", word(one), word(other)),
    }
}

fn check(found: &mut Found, subject: &Subject, left: &Constraint, right: &Constraint) {
    let is_same = match (&left.kind, &right.kind) {
        (
            ConstraintKind::Check { expression, .. },
            ConstraintKind::Check {
                expression: other, ..
            },
        ) => is_same(expression, other) && left.validated == right.validated,
        _ => false,
    };
    if !is_same {
        found.noted(subject, "it", left.sql(&[]), right.sql(&[]));
    }
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

pub(crate) fn attributes(attributes: &[(String, DataType)]) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|(name, data_type)| format!("{} {}", quoted(name), data_type.sql()))
        .collect();
    attributes.join(", ")
}

fn word(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Enum { .. } => "an enum",
        TypeKind::Domain { .. } => "a domain",
        TypeKind::Composite { .. } => "a composite type",
        TypeKind::Range { .. } => "a range",
        TypeKind::External => "a type of an extension",
    }
    .to_owned()
}
