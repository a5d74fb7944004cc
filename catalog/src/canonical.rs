//! The canonical form of a catalog, for tests that compare replay with a server.
//!
//! A server stores an expression as a tree. It writes the expression back with a cast on each
//! literal, with parentheses, and with its own names of operators. The canonical form has no casts
//! and no parentheses, and leaves out what only one of the two sides knows.

use super::attached::{Attached, Code};
use super::replay::tokens_of;
use super::routine::Body;
use super::{
    Catalog, Column, Constraint, ConstraintKind, Fill, Index, IndexKey, RelationKind, TypeKind,
};

impl Catalog {
    /// Returns the catalog in the canonical form.
    pub(crate) fn canonical(mut self) -> Self {
        for relation in self.relations.values_mut() {
            relation.columns.iter_mut().for_each(canonicalize_column);
            if relation.kind == RelationKind::Partition {
                // A partition shares the identity of its parent only from PostgreSQL 17 on.
                for column in &mut relation.columns {
                    if matches!(column.fill, Fill::Identity { .. }) {
                        column.fill = Fill::Nothing;
                    }
                }
            }
            relation
                .constraints
                .iter_mut()
                .for_each(canonicalize_constraint);
            relation.indexes.iter_mut().for_each(canonicalize_index);
            // Restoring a dump changes the order of constraints and of indexes.
            relation.constraints.sort_by(|a, b| a.name.cmp(&b.name));
            relation.indexes.sort_by(|a, b| a.name.cmp(&b.name));
            canonicalize_attached(&mut relation.attached);
            for text in [&mut relation.partition_by, &mut relation.partition_bound] {
                *text = text.as_deref().map(canonical);
            }
            if let Some(bound) = &mut relation.partition_bound {
                *bound = unquote_numbers(bound);
            }
        }
        for sequence in self.sequences.values_mut() {
            sequence.privileges.owner = None;
        }
        for privileges in self.schema_privileges.values_mut() {
            privileges.owner = None;
        }
        self.schema_privileges
            .retain(|_, privileges| !privileges.is_empty());
        for routine in &mut self.routines {
            routine.privileges.owner = None;
            for argument in &mut routine.arguments {
                argument.default = argument.default.as_deref().map(canonical);
            }
            if let Body::Sql(code) = &mut routine.body {
                code.search_path = None;
                code.text = None;
            }
        }
        for defined in self.types.values_mut() {
            if let TypeKind::Domain {
                checks, default, ..
            } = &mut defined.kind
            {
                checks.iter_mut().for_each(canonicalize_constraint);
                checks.sort_by(|a, b| a.name.cmp(&b.name));
                // For a type with a length, a server stores `DEFAULT NULL`, which is not a default.
                let text = default.as_deref().map(canonical);
                *default = text.filter(|text| text != "null");
            }
        }
        self
    }
}

/// Brings privileges, triggers and policies into the canonical form. Removes the queries of views
/// and the texts of rules: only a server can tell whether two of them mean the same.
fn canonicalize_attached(attached: &mut Attached) {
    attached.privileges.owner = None;
    attached.privileges.granted.sort();
    let canonicalize_code = |code: &mut Code| {
        code.search_path = None;
        code.text = code.text.as_deref().map(canonical);
    };
    if let Some(query) = &mut attached.query {
        query.search_path = None;
        query.text = None;
    }
    for trigger in &mut attached.triggers {
        trigger.condition.iter_mut().for_each(canonicalize_code);
    }
    for policy in &mut attached.policies {
        policy.using.iter_mut().for_each(canonicalize_code);
        policy.with_check.iter_mut().for_each(canonicalize_code);
    }
    for rule in &mut attached.rules {
        rule.definition.search_path = None;
        rule.definition.text = None;
    }
}

fn canonicalize_column(column: &mut Column) {
    match &mut column.fill {
        Fill::Default(text)
        | Fill::Generated {
            expression: text, ..
        } => *text = canonical(text),
        Fill::Nothing | Fill::Serial { .. } | Fill::Identity { .. } => {}
    }
    // A server keeps `DEFAULT NULL` of a type with a length, since it casts NULL to that type.
    if column.fill == Fill::Default("null".to_owned()) {
        column.fill = Fill::Nothing;
    }
    // Replay has no names of NOT NULL constraints.
    column.not_null_constraint = None;
    // PostgreSQL does not enforce how many dimensions an array has.
    column.data_type.dimensions = column.data_type.dimensions.min(1);
}

fn canonicalize_constraint(constraint: &mut Constraint) {
    if let ConstraintKind::Check {
        expression,
        columns,
        ..
    } = &mut constraint.kind
    {
        *expression = canonical(expression);
        columns.sort();
    }
}

fn canonicalize_index(index: &mut Index) {
    for key in &mut index.keys {
        if let IndexKey::Expression { text, .. } = key {
            *text = canonical(text);
        }
    }
    index.predicate = index.predicate.as_deref().map(canonical);
}

/// Returns the bound of a partition with its numbers unquoted, as replay has them. A server quotes
/// the numbers of `bigint` and other types, and writes `-1` where replay has `- 1`.
fn unquote_numbers(bound: &str) -> String {
    let words = bound.split(' ').map(|word| {
        let inner = word.trim_matches('\'');
        match inner.parse::<i64>() {
            Ok(_) => inner.replacen('-', "- ", 1),
            Err(_) => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns an expression without casts and parentheses, in PostgreSQL's spelling.
pub(crate) fn canonical(expression: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut tokens = tokens_of(expression).into_iter().peekable();
    while let Some(word) = tokens.next() {
        // A server adds the default schema if the bare name is ambiguous or means another function.
        if word == "public" && tokens.next_if(|next| next == ".").is_some() {
            continue;
        }
        // A server adds the default schema to a sequence that a temporary relation may hide.
        let word = word.replacen("'public.", "'", 1);
        let word = match word.to_ascii_lowercase().as_str() {
            "!=" => "<>".to_owned(),
            "current_timestamp" => "now".to_owned(),
            _ => word,
        };
        if word != "(" && word != ")" && word != "pg_catalog" {
            words.push(word);
        }
    }
    words
        .join(" ")
        .replace("pg_catalog . ", "")
        .replace(". ", "")
}
