//! The attributes of composite types, and the tables made `OF` them.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{Refused, Result, missing};
use crate::replay::state::State;
use crate::replay::state::data_type::child_type;
use crate::replay::state::objects::Object;
use crate::replay::syntax::tree::{child_name, child_nodes, has, name};
use crate::{Column, DataType, Name, TypeKind};

pub(crate) fn attribute(state: &State, node: &SyntaxNode) -> Result<(String, DataType)> {
    let attribute = child_name(node, SyntaxKind::COMPOSITE_FIELD).unwrap_or_default();
    Ok((attribute, child_type(state, node)?.data_type))
}

/// Returns the columns of a table made `OF` a composite type.
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
        let why = format!("{} is no composite type", composite.name);
        return Err(Refused::new(node, why));
    };
    let columns = attributes
        .iter()
        .map(|(name, data_type)| Column::new(name.clone(), data_type.clone()));
    Ok(columns.collect())
}

pub(crate) fn alter_attribute(
    state: &mut State,
    part: &SyntaxNode,
    composite: &Name,
) -> Result<()> {
    use SyntaxKind as K;
    let new = if matches!(part.kind(), K::ADD_ATTRIBUTE | K::ALTER_ATTRIBUTE) {
        Some(child_type(state, part)?.data_type)
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
        return Err(Refused::new(
            part,
            "tables are made of this type, so PostgreSQL refuses this",
        )
        .do_this("say CASCADE"));
    }
    // What inherits from such a table has its columns too.
    let heirs = tables.iter().flat_map(|table| state.descendants(table));
    let with_heirs: Vec<Name> = heirs.chain(tables.iter().cloned()).collect();
    let attributes = attributes(state, part, composite)?;
    let position = |name: &String| attributes.iter().position(|(other, _)| other == name);
    match (part.kind(), names.as_slice(), new) {
        (K::ADD_ATTRIBUTE, [attribute], Some(data_type)) => {
            attributes.push((attribute.clone(), data_type.clone()));
            for table in with_heirs {
                let columns = &mut state.table(&table).columns;
                if !columns.iter().any(|own| own.name == *attribute) {
                    columns.push(Column::new(attribute.clone(), data_type.clone()));
                }
            }
        }
        (K::ALTER_ATTRIBUTE, [attribute], Some(data_type)) => {
            let place = position(attribute).ok_or_else(|| missing(part, attribute))?;
            attributes[place].1.clone_from(&data_type);
            for table in with_heirs {
                state.column_mut(part, &table, attribute)?.data_type = data_type.clone();
            }
        }
        (K::DROP_ATTRIBUTE, [attribute], _) => {
            let Some(place) = position(attribute) else {
                return if has(part, K::IF_EXISTS) {
                    Ok(())
                } else {
                    Err(missing(part, attribute))
                };
            };
            attributes.remove(place);
            let mut columns = Vec::new();
            for table in tables {
                columns.push(Object::Column(table.clone(), attribute.clone()));
                state.inherited_columns(&table, attribute, &mut columns);
            }
            state.drop_objects(part, &columns)?;
        }
        (K::RENAME_ATTRIBUTE, [from, to], _) => {
            let place = position(from).ok_or_else(|| missing(part, from))?;
            attributes[place].0.clone_from(to);
            for table in with_heirs {
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

fn attributes<'s>(
    state: &'s mut State,
    node: &SyntaxNode,
    composite: &Name,
) -> Result<&'s mut Vec<(String, DataType)>> {
    match state.type_mut(composite).map(|found| &mut found.kind) {
        Some(TypeKind::Composite { attributes }) => Ok(attributes),
        _ => {
            let why = format!("{} is no composite type", composite.name);
            Err(Refused::new(node, why))
        }
    }
}
