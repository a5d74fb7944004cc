//! The attributes of composite types, and the typed tables of those types.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::index_collation;
use crate::replay::refusal::{Refused, Result, missing};
use crate::replay::state::State;
use crate::replay::state::data_type::child_type;
use crate::replay::state::objects::Object;
use crate::replay::syntax::clause::collation;
use crate::replay::syntax::tree::{child_name, child_nodes, has, name};
use crate::{Attribute, Column, Name, TypeKind};

pub(crate) fn attribute(state: &State, node: &SyntaxNode) -> Result<Attribute> {
    Ok(Attribute {
        name: child_name(node, SyntaxKind::COMPOSITE_FIELD).unwrap_or_default(),
        data_type: child_type(state, node)?.data_type,
        collation: collation(node).map(|parts| state.find_collation(&parts)),
    })
}

/// Returns the columns of a typed table.
pub(crate) fn columns_of_type(
    state: &State,
    node: &SyntaxNode,
    composite: &Name,
) -> Result<Vec<Column>> {
    let Some(TypeKind::Composite { attributes }) = state
        .catalog()
        .types
        .get(composite)
        .map(|found| &found.kind)
    else {
        let why = format!("{} is not a composite type", composite.name);
        return Err(Refused::new(node, why));
    };
    Ok(attributes.iter().map(Attribute::column).collect())
}

pub(crate) fn alter_attribute(
    state: &mut State,
    part: &SyntaxNode,
    composite: &Name,
) -> Result<()> {
    use SyntaxKind as K;
    let new = if matches!(part.kind(), K::ADD_ATTRIBUTE | K::ALTER_ATTRIBUTE) {
        let collation = collation(part).map(|parts| state.find_collation(&parts));
        Some((child_type(state, part)?.data_type, collation))
    } else {
        None
    };
    let names: Vec<String> = child_nodes(part)
        .filter(|child| matches!(child.kind(), K::COMPOSITE_FIELD | K::COMPOSITE_FIELD_REF))
        .map(|child| name(&child))
        .collect();
    let tables: Vec<Name> = state
        .catalog()
        .relations
        .values()
        .filter(|relation| relation.of_type.as_ref() == Some(composite))
        .map(|relation| relation.name.clone())
        .collect();
    if !tables.is_empty() && !has(part, K::CASCADE) {
        return Err(Refused::error(part, "typed tables use this type").hint("add CASCADE"));
    }
    // The children of a typed table have its columns too.
    let descendants = tables.iter().flat_map(|table| state.descendants(table));
    let with_descendants: Vec<Name> = descendants.chain(tables.iter().cloned()).collect();
    let attributes = attributes(state, part, composite)?;
    let position = |name: &String| attributes.iter().position(|other| other.name == *name);
    match (part.kind(), names.as_slice(), new) {
        (K::ADD_ATTRIBUTE | K::RENAME_ATTRIBUTE, [.., new], _) if position(new).is_some() => {
            let why = format!("{} has an attribute {new} already", composite.name);
            return Err(Refused::error(part, why).raises("duplicate_column"));
        }
        (K::ADD_ATTRIBUTE, [attribute], Some((data_type, collation))) => {
            let added = Attribute {
                name: attribute.clone(),
                data_type,
                collation,
            };
            attributes.push(added.clone());
            for table in with_descendants {
                let columns = &mut state.table(&table).columns;
                if !columns.iter().any(|column| column.name == *attribute) {
                    columns.push(added.column());
                }
            }
        }
        (K::ALTER_ATTRIBUTE, [attribute], Some((data_type, collation))) => {
            let at = position(attribute).ok_or_else(|| missing(part, attribute))?;
            attributes[at].data_type.clone_from(&data_type);
            attributes[at].collation.clone_from(&collation);
            for table in with_descendants {
                let implied = index_collation::implied_collations(state, &table, attribute);
                let column = state.column_mut(part, &table, attribute)?;
                column.data_type.clone_from(&data_type);
                column.collation.clone_from(&collation);
                index_collation::collate_indexes(state, &table, attribute, &implied);
            }
        }
        (K::DROP_ATTRIBUTE, [attribute], _) => {
            let Some(at) = position(attribute) else {
                return if has(part, K::IF_EXISTS) {
                    Ok(())
                } else {
                    Err(missing(part, attribute))
                };
            };
            attributes.remove(at);
            let mut columns = Vec::new();
            for table in tables {
                columns.push(Object::Column(table.clone(), attribute.clone()));
                state.inherited_columns(&table, attribute, &mut columns);
            }
            state.drop_objects(part, &columns)?;
        }
        (K::RENAME_ATTRIBUTE, [from, to], _) => {
            let at = position(from).ok_or_else(|| missing(part, from))?;
            attributes[at].name.clone_from(to);
            for table in with_descendants {
                state.rename_column(&table, from, to);
            }
        }
        _ => {
            return Err(Refused::new(
                part,
                "replay does not follow this change of a composite type yet",
            ));
        }
    }
    Ok(())
}

impl Attribute {
    /// Returns the column of a typed table.
    pub(crate) fn column(&self) -> Column {
        Column {
            collation: self.collation.clone(),
            ..Column::new(self.name.clone(), self.data_type.clone())
        }
    }
}

fn attributes<'s>(
    state: &'s mut State,
    node: &SyntaxNode,
    composite: &Name,
) -> Result<&'s mut Vec<Attribute>> {
    match state.type_mut(composite).map(|found| &mut found.kind) {
        Some(TypeKind::Composite { attributes }) => Ok(attributes),
        _ => {
            let why = format!("{} is not a composite type", composite.name);
            Err(Refused::new(node, why))
        }
    }
}
