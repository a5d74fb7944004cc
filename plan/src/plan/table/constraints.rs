//! The constraints of a table, as the variants of an enum.

use bowline_catalog::{Constraint, ConstraintKind, Index, IndexKey, Relation};

use super::super::names::{distinct, type_name};
use super::super::views::is_view;
use super::ConstraintPlan;

/// Returns the variants of the enum of what can be violated.
pub(super) fn constraints(relation: &Relation) -> Vec<ConstraintPlan> {
    // A view has only the indexes of a materialized view.
    let of_constraints = relation
        .constraints
        .iter()
        .filter(|_| !is_view(relation))
        .map(|constraint| (constraint.name.clone(), definition(constraint)));
    let is_constraint = |index: &Index| {
        relation
            .constraints
            .iter()
            .any(|constraint| constraint.name == index.name)
    };
    let of_indexes = relation
        .indexes
        .iter()
        .filter(|index| index.unique && !is_constraint(index))
        .map(|index| (index.name.clone(), index_definition(index)));
    let named: Vec<(String, String)> = of_constraints.chain(of_indexes).collect();
    let prefix = format!("{}_", relation.name.name);
    let short: Vec<String> = named
        .iter()
        .map(|(name, _)| type_name(name.strip_prefix(&prefix).unwrap_or(name)))
        .collect();
    // Names that would collide are written in full. A number could move to another constraint when
    // one is added.
    let is_alone = |variant: &String| short.iter().filter(|other| *other == variant).count() == 1;
    let whole = named.iter().map(|(name, _)| type_name(name));
    let variants = distinct(short.iter().zip(whole).map(|(short, whole)| {
        if is_alone(short) {
            short.clone()
        } else {
            whole
        }
    }));
    variants
        .into_iter()
        .zip(named)
        .map(|(variant, (sql_name, definition))| ConstraintPlan {
            variant,
            sql_name,
            definition,
        })
        .collect()
}

fn definition(constraint: &Constraint) -> String {
    let (overlaps, period) = match constraint.temporal {
        true => (" WITHOUT OVERLAPS", "PERIOD "),
        false => ("", ""),
    };
    match &constraint.kind {
        ConstraintKind::PrimaryKey { columns } => {
            format!("PRIMARY KEY ({}{overlaps})", columns.join(", "))
        }
        ConstraintKind::Unique { columns, .. } => {
            format!("UNIQUE ({}{overlaps})", columns.join(", "))
        }
        ConstraintKind::Check { expression, .. } => format!("CHECK ({})", one_line(expression)),
        ConstraintKind::ForeignKey {
            columns,
            references,
            ..
        } => {
            let mut columns = columns.clone();
            if let Some(last) = columns.last_mut() {
                last.insert_str(0, period);
            }
            format!(
                "FOREIGN KEY ({}) REFERENCES {}",
                columns.join(", "),
                references.name
            )
        }
        ConstraintKind::Exclude { .. } => "EXCLUDE".to_owned(),
    }
}

fn index_definition(index: &Index) -> String {
    let keys: Vec<_> = index
        .keys
        .iter()
        .map(|key| match key {
            IndexKey::Column { name, .. } => name.clone(),
            IndexKey::Expression { text, .. } => one_line(text),
        })
        .collect();
    let predicate = index
        .predicate
        .as_deref()
        .map(|predicate| format!(" WHERE {}", one_line(predicate)))
        .unwrap_or_default();
    format!("UNIQUE ({}){predicate}", keys.join(", "))
}

/// Removes line breaks, for a comment of one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
