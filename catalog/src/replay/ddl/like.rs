//! `LIKE .. INCLUDING`. The columns are copied at once, the rest after the table's own keys have
//! names.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{composite, repeated};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{self, child, child_nodes, is_arm_enabled};
use crate::{Column, Constraint, ConstraintKind, Fill, Name, Relation, RelationKind, Sequence};

/// The parts that a LIKE clause copies from its source table.
pub(crate) struct Like {
    source: Name,
    copied: Vec<SyntaxKind>,
}

const PROPERTIES: [SyntaxKind; 9] = [
    SyntaxKind::PROPERTY_COMMENTS,
    SyntaxKind::PROPERTY_COMPRESSION,
    SyntaxKind::PROPERTY_CONSTRAINTS,
    SyntaxKind::PROPERTY_DEFAULTS,
    SyntaxKind::PROPERTY_GENERATED,
    SyntaxKind::PROPERTY_IDENTITY,
    SyntaxKind::PROPERTY_INDEXES,
    SyntaxKind::PROPERTY_STATISTICS,
    SyntaxKind::PROPERTY_STORAGE,
];

impl Like {
    pub(crate) fn copies(&self, property: SyntaxKind) -> bool {
        self.copied.contains(&property) && is_arm_enabled(property)
    }
}

/// Adds the columns of the source table. `declared` has the names of the columns before it.
pub(crate) fn like_columns(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    declared: &mut Vec<String>,
) -> Result<Like> {
    use SyntaxKind as K;
    let reference =
        child(node, K::RELATION_NAME_REF).ok_or_else(|| Refused::new(node, "no table is named"))?;
    let mut copied = Vec::new();
    for option in child_nodes(node) {
        let Some(property) = option.children().next().map(|property| property.kind()) else {
            continue;
        };
        let properties: Vec<_> = if property == K::PROPERTY_ALL && is_arm_enabled(property) {
            PROPERTIES.to_vec()
        } else {
            vec![property]
        };
        match option.kind() {
            K::INCLUDING_PROPERTY => copied.extend(properties),
            K::EXCLUDING_PROPERTY => {
                copied.retain(|property| !properties.contains(property));
            }
            _ => {}
        }
    }
    let parts = tree::path(&reference);
    let source = state
        .candidates(&parts)
        .into_iter()
        .filter(|name| name != table)
        .find_map(|name| state.catalog().relations.get(&name).cloned());
    let missing = || {
        Refused::new(node, format!("there is no table {}", parts.join(".")))
            .hint("check the spelling, and whether an earlier migration creates it")
            .raises("undefined_table")
    };
    let source = match source {
        Some(source) => source,
        None => {
            let composite = state.find_own_type(&parts).ok_or_else(missing)?;
            let mut source = Relation::new(composite.clone(), RelationKind::Table);
            source.columns = composite::columns_of_type(state, node, &composite)?;
            source
        }
    };
    let like = Like {
        source: source.name.clone(),
        copied,
    };
    for column in &source.columns {
        repeated::is_first(node, declared, &column.name)?;
        declared.push(column.name.clone());
        let comment = column
            .comment
            .clone()
            .filter(|_| like.copies(K::PROPERTY_COMMENTS));
        let fill = match &column.fill {
            Fill::Default(_) if like.copies(K::PROPERTY_DEFAULTS) => column.fill.clone(),
            // The sequence still belongs to the source table.
            Fill::Serial { sequence } if like.copies(K::PROPERTY_DEFAULTS) => {
                Fill::from_sequence(sequence, false)
            }
            Fill::Identity { .. } if like.copies(K::PROPERTY_IDENTITY) => column.fill.clone(),
            Fill::Generated { .. } if like.copies(K::PROPERTY_GENERATED) => column.fill.clone(),
            _ => Fill::Nothing,
        };
        let is_identity = matches!(fill, Fill::Identity { .. });
        let data_type = column.data_type.name.name.clone();
        let copy = Column {
            fill,
            comment,
            ..column.clone()
        };
        let relation = state.table(table);
        relation.columns.retain(|other| other.name != copy.name);
        relation.columns.push(copy);
        if is_identity {
            state.insert_sequence(table, &column.name, &data_type, None)?;
            copy_sequence(state, &source.name, &column.name, table);
        }
        if column.not_null {
            state.set_not_null(table, &column.name, None);
        }
    }
    Ok(like)
}

/// Copies the options of the source table's identity sequence to the new one.
fn copy_sequence(state: &mut State, source: &Name, column: &str, table: &Name) {
    let old = state.shared_identity_sequence(source, column).cloned();
    let new = state.catalog().identity_sequence(table, column).cloned();
    let (Some(old), Some(new)) = (old, new) else {
        return;
    };
    // PostgreSQL copies the bounds, but neither the type, nor the comment, nor the privileges.
    let copy = Sequence {
        data_type: "int8".to_owned(),
        start: old.start,
        increment: old.increment,
        min: old.min,
        max: old.max,
        cache: old.cache,
        cycle: old.cycle,
        ..new
    };
    state.add_sequence(copy);
}

/// Copies checks and indexes, which get their names after the table's own.
pub(crate) fn like_indexes_and_checks(state: &mut State, like: &Like, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let Some(source) = state.catalog().relations.get(&like.source).cloned() else {
        return Ok(());
    };
    let comment = |comment: &Option<String>| {
        comment
            .clone()
            .filter(|_| like.copies(K::PROPERTY_COMMENTS))
    };
    if like.copies(K::PROPERTY_CONSTRAINTS) {
        for constraint in &source.constraints {
            if matches!(constraint.kind, ConstraintKind::Check { .. }) {
                let mut copy = constraint.clone();
                copy.comment = comment(&constraint.comment);
                // PostgreSQL validates the checks, because the new table is empty.
                copy.validated = copy.enforced;
                state.table(table).constraints.push(copy);
            }
        }
    }
    if like.copies(K::PROPERTY_INDEXES) {
        for index in &source.indexes {
            let constraint = source
                .constraints
                .iter()
                .find(|other| other.name == index.name && other.kind.has_index());
            let mut copy = index.clone();
            copy.comment = comment(&index.comment);
            // PostgreSQL copies the comment of the index, but not that of the constraint.
            let constraint = constraint.cloned().map(|constraint| Constraint {
                comment: None,
                ..constraint
            });
            state.clone_index(&like.source, table, copy, constraint);
        }
    }
    Ok(())
}
