//! Differences between the types of two catalogs.

use std::collections::BTreeMap;

use super::{Aspect, Found, Subject};
use crate::definition::{literals, quoted};
use crate::expression::is_same;
use crate::{Attribute, Catalog, Constraint, ConstraintKind, Name, Type, TypeKind};

pub(super) fn compare(found: &mut Found, left: &Catalog, right: &Catalog) {
    // The types of extensions are not compared.
    let compared = |catalog: &Catalog| -> BTreeMap<Name, Type> {
        let types = catalog.types.iter();
        types
            .filter(|(_, found)| found.kind != TypeKind::External)
            .map(|(name, found)| (name.clone(), found.clone()))
            .collect()
    };
    found.each(
        &compared(left),
        &compared(right),
        |name| Subject::Type(name.clone()),
        kind,
    );
}

fn kind(found: &mut Found, subject: &Subject, left: &Type, right: &Type) {
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
    match (&left.kind, &right.kind) {
        (TypeKind::Enum { labels }, TypeKind::Enum { labels: other }) => {
            found.differs(subject, Aspect::Labels, literals(labels), literals(other));
        }
        (TypeKind::Composite { attributes }, TypeKind::Composite { attributes: other }) => {
            let is_same = attributes.len() == other.len()
                && attributes
                    .iter()
                    .zip(other)
                    .all(|(a, b)| is_same_attribute(a, b));
            if !is_same {
                let sql = self::attributes;
                found.record(
                    subject,
                    Aspect::Attributes,
                    (sql(attributes), sql(other)),
                    false,
                );
            }
        }
        (
            TypeKind::Range {
                subtype,
                multirange,
                ..
            },
            TypeKind::Range {
                subtype: other,
                multirange: other_multirange,
                ..
            },
        ) => {
            found.differs(subject, Aspect::Subtype, subtype.sql(), other.sql());
            found.differs(
                subject,
                Aspect::Multirange,
                quoted(multirange),
                quoted(other_multirange),
            );
            found.differs(
                subject,
                Aspect::Options,
                range_options(&left.kind),
                range_options(&right.kind),
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
                found.record(subject, Aspect::BaseType, (base.sql(), other.sql()), false);
            }
            let nullable = |not_null: bool| if not_null { "NOT NULL" } else { "NULL" }.to_owned();
            found.differs(
                subject,
                Aspect::Nullability,
                nullable(*not_null),
                nullable(*other_not_null),
            );
            found.expression(
                subject,
                Aspect::Default,
                default.as_deref(),
                other_default.as_deref(),
            );
            let collation_of = |collation: &Option<Name>| {
                let collation = collation.as_ref();
                collation.map_or("the type's".to_owned(), Name::sql)
            };
            found.differs(
                subject,
                Aspect::Collation,
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
        (one, other) => found.differs(subject, Aspect::Kind, noun(one), noun(other)),
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
        found.record(
            subject,
            Aspect::Definition,
            (left.sql(&[]), right.sql(&[])),
            true,
        );
    }
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

pub(crate) fn is_same_attribute(one: &Attribute, other: &Attribute) -> bool {
    let collation = |attribute: &Attribute| attribute.collation.as_ref().map(Name::sql);
    one.name == other.name
        && one.data_type.is_same(&other.data_type)
        && collation(one) == collation(other)
}

pub(crate) fn attributes(attributes: &[Attribute]) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|attribute| format!("{} {}", quoted(&attribute.name), attribute.type_sql()))
        .collect();
    attributes.join(", ")
}

/// Returns the options of a range type as text: `COLLATION = "C", SUBTYPE_DIFF = float8mi`.
fn range_options(kind: &TypeKind) -> String {
    match kind.range_options().as_slice() {
        [] => "none".to_owned(),
        options => options.join(", "),
    }
}

fn noun(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Enum { .. } => "an enum",
        TypeKind::Domain { .. } => "a domain",
        TypeKind::Composite { .. } => "a composite type",
        TypeKind::Range { .. } => "a range",
        TypeKind::External => "a type of an extension",
    }
    .to_owned()
}
