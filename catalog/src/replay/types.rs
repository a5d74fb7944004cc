//! CREATE and ALTER TYPE: enums and ranges; composites have a file of their own.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::data_type::child_type;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{below, child, child_name, children, has, name, path, string};
use crate::{DataType, Name, Type, TypeKind};

impl Replay {
    pub(super) fn create_type(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let name_node = child(node, K::TYPE_NAME)
            .ok_or_else(|| Refused::new(node, "the type's name is not given"))?;
        let type_name = self.new_name(node, &name_node)?;
        let kind = if let Some(labels) = child(node, K::ENUM_TYPE) {
            let labels = below(&labels, K::VARIANT);
            TypeKind::Enum {
                labels: labels.filter_map(|variant| string(&variant)).collect(),
            }
        } else if let Some(fields) = child(node, K::COMPOSITE_TYPE) {
            let fields = below(&fields, K::COMPOSITE_FIELD_DEF);
            TypeKind::Composite {
                attributes: fields
                    .map(|field| self.attribute(&field))
                    .collect::<Result<_>>()?,
            }
        } else if let Some(range) = child(node, K::RANGE_TYPE) {
            let option = |name: &str| {
                below(&range, K::ATTRIBUTE_OPTION)
                    .find(|option| child_name(option, K::ATTRIBUTE_NAME).as_deref() == Some(name))
                    .and_then(|option| child(&option, K::ATTRIBUTE_VALUE))
            };
            let subtype = option("subtype")
                .ok_or_else(|| Refused::new(node, "the subtype of the range is not given"))?;
            let multirange = option("multirange_type_name").map(|value| name(&value));
            TypeKind::Range {
                multirange: multirange.unwrap_or_else(|| multirange_name(&type_name.name)),
                // What stands in parentheses behind the subtype is not kept.
                subtype: DataType {
                    modifiers: Vec::new(),
                    ..child_type(self, &subtype)?.data_type
                },
            }
        } else {
            return Err(Refused::new(
                node,
                "replay does not follow base types written in C",
            ));
        };
        self.insert_type(node, type_name, kind)
    }

    pub(super) fn insert_type(
        &mut self,
        node: &SyntaxNode,
        name: Name,
        kind: TypeKind,
    ) -> Result<()> {
        let is_composite = matches!(kind, TypeKind::Composite { .. });
        if self.catalog.types.contains_key(&name)
            || self.catalog.relations.contains_key(&name)
            || (is_composite && self.has_relation(&name.schema, &name.name))
        {
            return Err(Refused::new(
                node,
                format!(
                    "there is a type {} already, so PostgreSQL refuses this",
                    name.name
                ),
            )
            .do_this("give it another name, or drop the earlier one first")
            .raises("duplicate_object"));
        }
        self.catalog.types.insert(
            name.clone(),
            Type {
                name,
                kind,
                comment: None,
            },
        );
        Ok(())
    }

    pub(super) fn alter_type(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let type_node =
            child(node, K::TYPE_NAME_REF).ok_or_else(|| Refused::new(node, "no type is named"))?;
        let parts = path(&type_node);
        let missing = || {
            Refused::new(node, format!("there is no type {}", parts.join(".")))
                .do_this("look at the name and at the migrations before this one")
        };
        let type_name = self.find_own_type(&parts).ok_or_else(missing)?;
        let Some(action) = node
            .children()
            .find(|child| !matches!(child.kind(), K::TYPE_NAME_REF))
        else {
            return Ok(());
        };
        if is_off(action.kind()) {
            return Ok(());
        }
        match action.kind() {
            K::ADD_VALUE => self.add_value(&action, &type_name),
            K::RENAME_VALUE => {
                let labels: Vec<_> = children(&action, K::LITERAL)
                    .filter_map(|literal| string(&literal))
                    .collect();
                let [from, to] = labels.as_slice() else {
                    return Err(Refused::new(node, "two labels are needed"));
                };
                let known = self.labels(&action, &type_name)?;
                let label = known.iter_mut().find(|label| *label == from);
                label
                    .ok_or_else(|| Refused::new(&action, format!("the enum has no label {from}")))?
                    .clone_from(to);
                self.rename_label(&action, &type_name, from, to)
            }
            K::TYPE_RENAME_TO => {
                let to = child_name(&action, K::TYPE_NAME).unwrap_or_default();
                self.move_type(
                    &type_name,
                    Name {
                        schema: type_name.schema.clone(),
                        name: to,
                    },
                );
                Ok(())
            }
            K::SET_SCHEMA => {
                let schema = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
                self.move_type(
                    &type_name,
                    Name {
                        schema,
                        name: type_name.name.clone(),
                    },
                );
                Ok(())
            }
            K::ALTER_TYPE_ATTRIBUTE_ACTION_LIST => action
                .children()
                .try_for_each(|part| self.alter_attribute(&part, &type_name)),
            K::RENAME_ATTRIBUTE => self.alter_attribute(&action, &type_name),
            K::OWNER_TO | K::SET_OPTIONS => Ok(()),
            kind => Err(Refused::new(
                &action,
                format!(
                    "replay does not follow ALTER TYPE .. {} yet",
                    format!("{kind:?}").replace('_', " ")
                ),
            )),
        }
    }

    fn add_value(&mut self, action: &SyntaxNode, type_name: &Name) -> Result<()> {
        use SyntaxKind as K;
        let label = child(action, K::LITERAL).and_then(|literal| string(&literal));
        let label = label.ok_or_else(|| Refused::new(action, "the label is not given"))?;
        let beside = |kind| {
            child(action, kind)
                .and_then(|place| child(&place, K::LITERAL))
                .and_then(|literal| string(&literal))
        };
        let (before, after) = (beside(K::BEFORE_VALUE), beside(K::AFTER_VALUE));
        let if_not_exists = has(action, K::IF_NOT_EXISTS);
        let labels = self.labels(action, type_name)?;
        if labels.contains(&label) {
            return if if_not_exists {
                Ok(())
            } else {
                Err(Refused::new(
                    action,
                    format!("the enum has a label {label} already"),
                ))
            };
        }
        let place = match (&before, &after) {
            (Some(before), _) => labels.iter().position(|other| other == before),
            (None, Some(after)) => labels
                .iter()
                .position(|other| other == after)
                .map(|place| place + 1),
            (None, None) => Some(labels.len()),
        };
        let place = place
            .ok_or_else(|| Refused::new(action, "the enum has no such label to stand beside"))?;
        labels.insert(place, label);
        Ok(())
    }

    /// Defaults hold the label itself, not its name.
    fn labels(&mut self, node: &SyntaxNode, type_name: &Name) -> Result<&mut Vec<String>> {
        match self
            .catalog
            .types
            .get_mut(type_name)
            .map(|found| &mut found.kind)
        {
            Some(TypeKind::Enum { labels }) => Ok(labels),
            _ => Err(Refused::new(node, format!("{} is no enum", type_name.name))),
        }
    }
}

/// The name that PostgreSQL gives to the multirange of a range.
fn multirange_name(range: &str) -> String {
    let name = match range.find("range") {
        Some(start) => format!("{}multi{}", &range[..start], &range[start..]),
        None => format!("{range}_multirange"),
    };
    super::tree::truncate(&name).to_owned()
}
