//! The attributes of composite types, and the tables made `OF` them.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::data_type::child_type;
use super::dependents::Object;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{child_name, has, name};
use crate::{Column, DataType, Name, TypeKind};

impl Replay {
    pub(super) fn attribute(&self, node: &SyntaxNode) -> Result<(String, DataType)> {
        let attribute = child_name(node, SyntaxKind::COMPOSITE_FIELD).unwrap_or_default();
        Ok((attribute, child_type(self, node)?.data_type))
    }

    pub(super) fn alter_attribute(&mut self, part: &SyntaxNode, composite: &Name) -> Result<()> {
        use SyntaxKind as K;
        if is_off(part.kind()) {
            return Ok(());
        }
        let new = if matches!(part.kind(), K::ADD_ATTRIBUTE | K::ALTER_ATTRIBUTE) {
            Some(child_type(self, part)?.data_type)
        } else {
            None
        };
        let names: Vec<String> = part
            .children()
            .filter(|child| matches!(child.kind(), K::COMPOSITE_FIELD | K::COMPOSITE_FIELD_REF))
            .filter(|child| !is_off(child.kind()))
            .map(|child| name(&child))
            .collect();
        let tables: Vec<Name> = self
            .catalog
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
        let heirs = tables.iter().flat_map(|table| self.descendants(table));
        let with_heirs: Vec<Name> = heirs.chain(tables.iter().cloned()).collect();
        let attributes = self.attributes(part, composite)?;
        let position = |name: &String| attributes.iter().position(|(other, _)| other == name);
        match (part.kind(), names.as_slice(), new) {
            (K::ADD_ATTRIBUTE, [attribute], Some(data_type)) => {
                attributes.push((attribute.clone(), data_type.clone()));
                for table in with_heirs {
                    let columns = &mut self.table(&table).columns;
                    if !columns.iter().any(|own| own.name == *attribute) {
                        columns.push(Column::new(attribute.clone(), data_type.clone()));
                    }
                }
            }
            (K::ALTER_ATTRIBUTE, [attribute], Some(data_type)) => {
                let place = position(attribute).ok_or_else(|| missing(part, attribute))?;
                attributes[place].1.clone_from(&data_type);
                for table in with_heirs {
                    self.column_mut(part, &table, attribute)?.data_type = data_type.clone();
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
                    self.inherited_columns(&table, attribute, &mut columns);
                }
                self.drop_objects(part, &columns)?;
            }
            (K::RENAME_ATTRIBUTE, [from, to], _) => {
                let place = position(from).ok_or_else(|| missing(part, from))?;
                attributes[place].0.clone_from(to);
                for table in with_heirs {
                    self.rename_column(&table, from, to);
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

    fn attributes(
        &mut self,
        node: &SyntaxNode,
        composite: &Name,
    ) -> Result<&mut Vec<(String, DataType)>> {
        match self
            .catalog
            .types
            .get_mut(composite)
            .map(|found| &mut found.kind)
        {
            Some(TypeKind::Composite { attributes }) => Ok(attributes),
            _ => {
                let why = format!("{} is no composite type", composite.name);
                Err(Refused::new(node, why))
            }
        }
    }
}

fn missing(node: &SyntaxNode, attribute: &str) -> Refused {
    Refused::new(node, format!("the type has no attribute {attribute}"))
        .do_this("look at the name and at the migrations before this one")
}
