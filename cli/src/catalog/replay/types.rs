//! Enums, composites, ranges and domains.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::data_type::child_type;
use super::refusal::{Refused, Result};
use super::tree::{
    child, child_name, children, columns_in, expression, has, name, path, string, text,
};
use super::{Replay, data_type};
use crate::catalog::{Constraint, ConstraintKind, DataType, Name, Type, TypeKind};

impl Replay {
    pub(super) fn create_type(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let name_node = child(node, K::TYPE_NAME)
            .ok_or_else(|| Refused::new(node, "the type's name is not given"))?;
        let type_name = self.new_name(&name_node);
        let kind = if let Some(labels) = child(node, K::ENUM_TYPE) {
            let labels = labels
                .descendants()
                .filter(|child| child.kind() == K::VARIANT);
            TypeKind::Enum {
                labels: labels.filter_map(|variant| string(&variant)).collect(),
            }
        } else if let Some(fields) = child(node, K::COMPOSITE_TYPE) {
            let fields = fields
                .descendants()
                .filter(|child| child.kind() == K::COMPOSITE_FIELD_DEF);
            TypeKind::Composite {
                attributes: fields
                    .map(|field| self.attribute(&field))
                    .collect::<Result<_>>()?,
            }
        } else if let Some(range) = child(node, K::RANGE_TYPE) {
            let mut options = range
                .descendants()
                .filter(|child| child.kind() == K::ATTRIBUTE_OPTION);
            let subtype = options
                .find(|option| child_name(option, K::ATTRIBUTE_NAME).as_deref() == Some("subtype"));
            let value = subtype.and_then(|option| child(&option, K::ATTRIBUTE_VALUE));
            let value =
                value.ok_or_else(|| Refused::new(node, "the subtype of the range is not given"))?;
            TypeKind::Range {
                multirange: multirange_name(&type_name.name),
                subtype: child_type(self, &value)?.data_type,
            }
        } else {
            return Err(Refused::new(
                node,
                "replay does not follow base types written in C",
            ));
        };
        self.insert_type(node, type_name, kind)
    }

    pub(super) fn create_domain(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let name_node = child(node, K::DOMAIN)
            .ok_or_else(|| Refused::new(node, "the domain's name is not given"))?;
        let domain = self.new_name(&name_node);
        let base = child_type(self, node)?.data_type;
        let mut checks: Vec<Constraint> = Vec::new();
        for clause in children(node, K::CHECK_CONSTRAINT) {
            let condition = expression(&clause)
                .ok_or_else(|| Refused::new(&clause, "the condition is not given"))?;
            let given = child(&clause, K::CONSTRAINT_NAME_CLAUSE)
                .and_then(|given| child_name(&given, K::CONSTRAINT_NAME));
            let name = given.unwrap_or_else(|| {
                self.free_name(&domain, "", "check", |name| {
                    checks.iter().any(|check| check.name == name)
                })
            });
            let kind = ConstraintKind::Check {
                expression: text(&condition),
                columns: columns_in(&condition),
                no_inherit: false,
            };
            checks.push(Constraint {
                name,
                kind,
                deferrable: false,
                initially_deferred: false,
                validated: true,
                enforced: true,
                comment: None,
            });
        }
        let default = child(node, K::DEFAULT_CONSTRAINT)
            .and_then(|clause| expression(&clause))
            .map(|default| text(&default));
        let kind = TypeKind::Domain {
            base,
            not_null: has(node, K::NOT_NULL_CONSTRAINT),
            default,
            checks,
            collation: None,
        };
        self.insert_type(node, domain, kind)
    }

    fn insert_type(&mut self, node: &SyntaxNode, name: Name, kind: TypeKind) -> Result<()> {
        if self.catalog.types.contains_key(&name) {
            return Err(Refused::new(
                node,
                format!(
                    "there is a type {} already, so PostgreSQL refuses this",
                    name.name
                ),
            )
            .do_this("give it another name, or drop the earlier one first"));
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

    fn attribute(&self, node: &SyntaxNode) -> Result<(String, DataType)> {
        let attribute = child_name(node, SyntaxKind::COMPOSITE_FIELD).unwrap_or_default();
        Ok((attribute, data_type::child_type(self, node)?.data_type))
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
        let type_name = self.find_type(&parts).ok_or_else(missing)?;
        let Some(action) = node
            .children()
            .find(|child| !matches!(child.kind(), K::TYPE_NAME_REF))
        else {
            return Ok(());
        };
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
                Ok(())
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
            K::OWNER_TO => Ok(()),
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

    fn alter_attribute(&mut self, part: &SyntaxNode, type_name: &Name) -> Result<()> {
        use SyntaxKind as K;
        let new = if matches!(part.kind(), K::ADD_ATTRIBUTE | K::ALTER_ATTRIBUTE) {
            Some(child_type(self, part)?.data_type)
        } else {
            None
        };
        let names: Vec<String> = part
            .children()
            .filter(|child| matches!(child.kind(), K::COMPOSITE_FIELD | K::COMPOSITE_FIELD_REF))
            .map(|child| name(&child))
            .collect();
        let Some(TypeKind::Composite { attributes }) = self
            .catalog
            .types
            .get_mut(type_name)
            .map(|found| &mut found.kind)
        else {
            return Err(Refused::new(
                part,
                format!("{} is no composite type", type_name.name),
            ));
        };
        match (part.kind(), names.as_slice(), new) {
            (K::ADD_ATTRIBUTE, [attribute], Some(data_type)) => {
                attributes.push((attribute.clone(), data_type));
            }
            (K::ALTER_ATTRIBUTE, [attribute], Some(data_type)) => {
                attributes
                    .iter_mut()
                    .filter(|(other, _)| other == attribute)
                    .for_each(|(_, old)| old.clone_from(&data_type));
            }
            (K::DROP_ATTRIBUTE, [attribute], _) => {
                attributes.retain(|(other, _)| other != attribute);
            }
            (K::RENAME_ATTRIBUTE, [from, to], _) => {
                attributes
                    .iter_mut()
                    .filter(|(other, _)| other == from)
                    .for_each(|(old, _)| old.clone_from(to));
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

    /// Gives a type another name; columns follow it.
    fn move_type(&mut self, from: &Name, to: Name) {
        if let Some(mut moved) = self.catalog.types.remove(from) {
            moved.name = to.clone();
            self.catalog.types.insert(to.clone(), moved);
        }
        for relation in self.catalog.relations.values_mut() {
            for column in relation
                .columns
                .iter_mut()
                .filter(|column| column.data_type.name == *from)
            {
                column.data_type.name = to.clone();
            }
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
