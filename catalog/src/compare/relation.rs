//! Differences between two tables or views of the same name.

use std::collections::BTreeMap;

use super::{Aspect, Found, Subject};
use crate::definition::list;
use crate::expression::{is_null, is_same};
use crate::{
    Column, Constraint, ConstraintKind, Fill, Index, IndexKey, KeyOrder, Name, Relation,
    RelationKind,
};

pub(super) fn compare(found: &mut Found, subject: &Subject, left: &Relation, right: &Relation) {
    found.differs(subject, Aspect::Kind, kind(left.kind), kind(right.kind));
    let names = |names: &[Name]| {
        let names: Vec<String> = names.iter().map(Name::sql).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    found.differs(
        subject,
        Aspect::Parents,
        names(&left.parents),
        names(&right.parents),
    );
    let of_type = |relation: &Relation| {
        relation
            .of_type
            .as_ref()
            .map_or("none".to_owned(), Name::sql)
    };
    found.differs(subject, Aspect::Type, of_type(left), of_type(right));
    found.expression(
        subject,
        Aspect::PartitionKey,
        left.partition_by.as_deref(),
        right.partition_by.as_deref(),
    );
    found.expression(
        subject,
        Aspect::PartitionBound,
        left.partition_bound.as_deref(),
        right.partition_bound.as_deref(),
    );
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
    columns(found, subject, left, right);
    super::attached::compare(found, subject, left, right);
    let table = &left.name;
    found.each(
        &by_name(&left.constraints, |constraint| &constraint.name),
        &by_name(&right.constraints, |constraint| &constraint.name),
        |name| Subject::Constraint(table.clone(), (*name).to_owned()),
        |found, subject, a, b| constraint(found, subject, (a, &left.indexes), (b, &right.indexes)),
    );
    found.each(
        &by_name(&left.indexes, |index| &index.name),
        &by_name(&right.indexes, |index| &index.name),
        |name| Subject::Index(table.clone(), (*name).to_owned()),
        |found, subject, a, b| index(found, subject, table, a, b),
    );
}

fn by_name<'a, T>(items: &'a [T], name: impl Fn(&'a T) -> &'a String) -> BTreeMap<&'a str, &'a T> {
    items
        .iter()
        .map(|item| (name(item).as_str(), item))
        .collect()
}

fn kind(kind: RelationKind) -> String {
    match kind {
        RelationKind::Table => "a table",
        RelationKind::PartitionedTable => "a partitioned table",
        RelationKind::Partition => "a partition",
        RelationKind::View => "a view",
        RelationKind::MaterializedView => "a materialized view",
        RelationKind::ForeignTable => "a foreign table",
    }
    .to_owned()
}

fn columns(found: &mut Found, subject: &Subject, left: &Relation, right: &Relation) {
    let table = &left.name;
    found.each(
        &by_name(&left.columns, |column| &column.name),
        &by_name(&right.columns, |column| &column.name),
        |name| Subject::Column(table.clone(), (*name).to_owned()),
        |found, subject, left, right| column(found, subject, left, right),
    );
    // The order of the columns that both relations have.
    let common = |relation: &Relation, other: &Relation| {
        let names = relation.columns.iter().map(|column| &column.name);
        let names = names.filter(|name| other.columns.iter().any(|column| column.name == **name));
        list(&names.cloned().collect::<Vec<_>>())
    };
    found.differs(
        subject,
        Aspect::ColumnOrder,
        common(left, right),
        common(right, left),
    );
}

fn column(found: &mut Found, subject: &Subject, left: &Column, right: &Column) {
    if !left.data_type.is_same(&right.data_type) {
        found.record(
            subject,
            Aspect::Type,
            (left.data_type.sql(), right.data_type.sql()),
            false,
        );
    }
    let nullable = |column: &Column| if column.not_null { "NOT NULL" } else { "NULL" }.to_owned();
    found.differs(
        subject,
        Aspect::Nullability,
        nullable(left),
        nullable(right),
    );
    let collation = |column: &Column| {
        column
            .collation
            .as_ref()
            .map_or("the type's".to_owned(), Name::sql)
    };
    found.differs(
        subject,
        Aspect::Collation,
        collation(left),
        collation(right),
    );
    // Replay and servers before PostgreSQL 18 do not have this constraint.
    if let (Some(left), Some(right)) = (&left.not_null_constraint, &right.not_null_constraint) {
        found.differs(subject, Aspect::NotNullConstraint, left.sql(), right.sql());
    }
    if !same_fill(&left.fill, &right.fill) {
        let texts = (left.fill.sql(), right.fill.sql());
        found.record(subject, Aspect::Default, texts, true);
        if let Some(last) = found.0.last_mut() {
            last.is_undecided = is_evaluated_when_set(left) || is_evaluated_when_set(right);
        }
    }
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

/// Returns true if a default such as `'now'` is evaluated when it is set. PostgreSQL stores the
/// time of that statement, which differs between databases.
pub(super) fn is_evaluated_when_set(column: &Column) -> bool {
    const TYPES: [&str; 5] = ["date", "time", "timetz", "timestamp", "timestamptz"];
    const WORDS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];
    let Fill::Default(text) = &column.fill else {
        return false;
    };
    let first = bowline_sql::tokens(text).next();
    let value = first.as_ref().and_then(|token| token.value());
    TYPES.contains(&column.data_type.name.name.as_str())
        && value.is_some_and(|value| {
            let value = value.to_lowercase();
            let mut words = value.split(|c: char| !c.is_alphabetic());
            words.any(|word| WORDS.contains(&word))
        })
}

pub(crate) fn same_fill(left: &Fill, right: &Fill) -> bool {
    match (left, right) {
        (Fill::Default(left), Fill::Default(right)) => is_same(left, right),
        // A default of NULL means no default.
        (Fill::Default(default), Fill::Nothing) | (Fill::Nothing, Fill::Default(default)) => {
            is_null(default)
        }
        (
            Fill::Generated { expression, stored },
            Fill::Generated {
                expression: other,
                stored: other_stored,
            },
        ) => stored == other_stored && is_same(expression, other),
        _ => left == right,
    }
}

fn constraint(
    found: &mut Found,
    subject: &Subject,
    (left, left_indexes): (&Constraint, &[Index]),
    (right, right_indexes): (&Constraint, &[Index]),
) {
    // Two checks are the same if their expressions mean the same.
    let same_check = match (&left.kind, &right.kind) {
        (
            ConstraintKind::Check {
                expression,
                no_inherit,
                ..
            },
            ConstraintKind::Check {
                expression: other,
                no_inherit: other_inherit,
                ..
            },
        ) => no_inherit == other_inherit && is_same(expression, other),
        // The elements of an exclusion constraint are compared with its index.
        (ConstraintKind::Exclude { operators }, ConstraintKind::Exclude { operators: other }) => {
            operators == other
        }
        _ => false,
    };
    let texts = (left.sql(left_indexes), right.sql(right_indexes));
    if same_check {
        let state = |constraint: &Constraint| {
            (
                constraint.deferrable,
                constraint.initially_deferred,
                constraint.validated,
                constraint.enforced,
            )
        };
        if state(left) != state(right) {
            found.record(subject, Aspect::Definition, texts, true);
        }
    } else if texts.0 != texts.1 {
        found.record(subject, Aspect::Definition, texts, true);
    }
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

fn index(found: &mut Found, subject: &Subject, table: &Name, left: &Index, right: &Index) {
    let same_key = |(left, right): (&IndexKey, &IndexKey)| match (left, right) {
        (
            IndexKey::Expression { text, order },
            IndexKey::Expression {
                text: other,
                order: other_order,
            },
        ) => same_order(order, other_order) && is_same(text, other),
        (
            IndexKey::Column { name, order },
            IndexKey::Column {
                name: other,
                order: other_order,
            },
        ) => name == other && same_order(order, other_order),
        _ => false,
    };
    let same_predicate = match (&left.predicate, &right.predicate) {
        (Some(left), Some(right)) => is_same(left, right),
        (one, other) => one == other,
    };
    let is_same = left.keys.len() == right.keys.len()
        && left.keys.iter().zip(&right.keys).all(same_key)
        && same_predicate
        && (
            left.unique,
            left.nulls_not_distinct,
            &left.method,
            &left.included,
        ) == (
            right.unique,
            right.nulls_not_distinct,
            &right.method,
            &right.included,
        );
    if !is_same {
        found.record(
            subject,
            Aspect::Definition,
            (left.sql(table), right.sql(table)),
            true,
        );
    }
    let state = |index: &Index| if index.invalid { "invalid" } else { "valid" }.to_owned();
    found.differs(subject, Aspect::Validity, state(left), state(right));
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

fn same_order(left: &KeyOrder, right: &KeyOrder) -> bool {
    let names = |order: &KeyOrder| {
        let sql = |name: &Option<Name>| name.as_ref().map(Name::sql);
        (sql(&order.collation), sql(&order.operator_class))
    };
    (left.descending, left.nulls_first) == (right.descending, right.nulls_first)
        && names(left) == names(right)
}
