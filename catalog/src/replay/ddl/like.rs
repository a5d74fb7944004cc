//! `LIKE .. INCLUDING`. The columns are copied at once, the rest after the table's own keys have
//! names.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::composite;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{self, child, child_nodes, is_seen};
use crate::{Column, Constraint, ConstraintKind, Fill, Name, Relation, RelationKind, Sequence};

/// The parts that a LIKE clause copies from its source table.
pub(crate) struct Like {
    model: Name,
    taken: Vec<SyntaxKind>,
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
    pub(crate) fn takes(&self, property: SyntaxKind) -> bool {
        self.taken.contains(&property) && is_seen(property)
    }
}

pub(crate) fn like_columns(state: &mut State, node: &SyntaxNode, table: &Name) -> Result<Like> {
    use SyntaxKind as K;
    let reference =
        child(node, K::RELATION_NAME_REF).ok_or_else(|| Refused::new(node, "no table is named"))?;
    let mut taken = Vec::new();
    for option in child_nodes(node) {
        let Some(property) = option.children().next().map(|property| property.kind()) else {
            continue;
        };
        let these: Vec<_> = if property == K::PROPERTY_ALL && is_seen(property) {
            PROPERTIES.to_vec()
        } else {
            vec![property]
        };
        match option.kind() {
            K::INCLUDING_PROPERTY => taken.extend(these),
            K::EXCLUDING_PROPERTY => taken.retain(|property| !these.contains(property)),
            _ => {}
        }
    }
    let parts = tree::path(&reference);
    let model = state
        .candidates(&parts)
        .into_iter()
        .filter(|name| name != table)
        .find_map(|name| state.catalog().relations.get(&name).cloned());
    let missing = || {
        Refused::new(node, format!("there is no table {}", parts.join(".")))
            .do_this("look at the name and at the migrations before this one")
            .raises("undefined_table")
    };
    let model = match model {
        Some(model) => model,
        None => {
            let composite = state.find_own_type(&parts).ok_or_else(missing)?;
            let mut model = Relation::new(composite.clone(), RelationKind::Table);
            model.columns = composite::columns_of_type(state, node, &composite)?;
            model
        }
    };
    let like = Like {
        model: model.name.clone(),
        taken,
    };
    for column in &model.columns {
        let comment = column
            .comment
            .clone()
            .filter(|_| like.takes(K::PROPERTY_COMMENTS));
        let fill = match &column.fill {
            Fill::Default(_) if like.takes(K::PROPERTY_DEFAULTS) => column.fill.clone(),
            // The sequence still belongs to the source table.
            Fill::Serial { sequence } if like.takes(K::PROPERTY_DEFAULTS) => {
                Fill::from_sequence(sequence, false)
            }
            Fill::Identity { .. } if like.takes(K::PROPERTY_IDENTITY) => column.fill.clone(),
            Fill::Generated { .. } if like.takes(K::PROPERTY_GENERATED) => column.fill.clone(),
            _ => Fill::Nothing,
        };
        let is_identity = matches!(fill, Fill::Identity { .. });
        let data_type = column.data_type.name.name.clone();
        let own = Column {
            fill,
            comment,
            ..column.clone()
        };
        let relation = state.table(table);
        relation.columns.retain(|other| other.name != own.name);
        relation.columns.push(own);
        if is_identity {
            state.insert_sequence(table, &column.name, &data_type, None)?;
            copy_sequence(state, &model.name, &column.name, table);
        }
        if column.not_null {
            state.set_not_null(table, &column.name, None);
        }
    }
    Ok(like)
}

/// Copies the options of the source table's identity sequence to the new one.
fn copy_sequence(state: &mut State, model: &Name, column: &str, table: &Name) {
    let old = state.shared_identity_sequence(model, column).cloned();
    let new = state.catalog().identity_sequence(table, column).cloned();
    let (Some(old), Some(new)) = (old, new) else {
        return;
    };
    let copy = Sequence {
        // The bounds are copied, but the type is not.
        data_type: "int8".to_owned(),
        name: new.name.clone(),
        owner: new.owner,
        comment: None,
        ..old
    };
    state.add_sequence(copy);
}

/// Copies checks and indexes, which get their names after the table's own.
pub(crate) fn like_the_rest(state: &mut State, like: &Like, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let Some(model) = state.catalog().relations.get(&like.model).cloned() else {
        return Ok(());
    };
    let comment =
        |comment: &Option<String>| comment.clone().filter(|_| like.takes(K::PROPERTY_COMMENTS));
    if like.takes(K::PROPERTY_CONSTRAINTS) {
        for constraint in &model.constraints {
            if matches!(constraint.kind, ConstraintKind::Check { .. }) {
                let mut own = constraint.clone();
                own.comment = comment(&constraint.comment);
                // PostgreSQL validates the checks, because the new table is empty.
                own.validated = own.enforced;
                state.table(table).constraints.push(own);
            }
        }
    }
    if like.takes(K::PROPERTY_INDEXES) {
        for index in &model.indexes {
            let constraint = model
                .constraints
                .iter()
                .find(|other| other.name == index.name && other.kind.has_index());
            let mut own = index.clone();
            own.comment = comment(&index.comment);
            // PostgreSQL copies the comment of the index, but not that of the constraint.
            let constraint = constraint.cloned().map(|constraint| Constraint {
                comment: None,
                ..constraint
            });
            state.clone_index(&like.model, table, own, constraint);
        }
    }
    Ok(())
}
