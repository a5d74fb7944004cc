//! CREATE and ALTER TYPE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::builtin;
use crate::replay::ddl::{composite, repeated};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::data_type;
use crate::replay::state::types::multirange_name;
use crate::replay::syntax::tree::{
    below, child, child_name, child_nodes, children, dotted, has, name, path, string,
};
use crate::{Attribute, DataType, Name, TypeKind};

pub(crate) fn create_type(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let name_node = child(node, K::TYPE_NAME)
        .ok_or_else(|| Refused::new(node, "the type's name is not given"))?;
    let type_name = state.new_name(node, &name_node)?;
    let kind = if let Some(labels) = child(node, K::ENUM_TYPE) {
        let labels = below(&labels, K::VARIANT);
        let labels: Vec<String> = labels.filter_map(|variant| string(&variant)).collect();
        repeated::are_labels(node, &labels)?;
        TypeKind::Enum { labels }
    } else if let Some(fields) = child(node, K::COMPOSITE_TYPE) {
        let fields = below(&fields, K::COMPOSITE_FIELD_DEF);
        let mut attributes: Vec<Attribute> = Vec::new();
        let mut declared = Vec::new();
        for field in fields {
            let attribute = composite::attribute(state, &field)?;
            repeated::is_first(&field, &declared, &attribute.name)?;
            declared.push(attribute.name.clone());
            attributes.push(attribute);
        }
        TypeKind::Composite { attributes }
    } else if let Some(range) = child(node, K::RANGE_TYPE) {
        let option = |name: &str| {
            below(&range, K::ATTRIBUTE_OPTION)
                .find(|option| child_name(option, K::ATTRIBUTE_NAME).as_deref() == Some(name))
                .and_then(|option| child(&option, K::ATTRIBUTE_VALUE))
        };
        let subtype = option("subtype")
            .ok_or_else(|| Refused::new(node, "the subtype of the range is not given"))?;
        let multirange = option("multirange_type_name").map(|value| name(&value));
        let named = |option_name: &str| {
            let value = option(option_name)?;
            Some(dotted(&value))
        };
        let function = |option_name: &str| {
            let parts = named(option_name)?;
            Some(state.find_function_name(&parts))
        };
        let collation = named("collation").filter(|parts| parts != &["default"]);
        let class = named("subtype_opclass").map(|parts| state.find_operator_class(&parts));
        let subtype = data_type::child_type(state, &subtype)?.data_type;
        let is_default = |class: &Name| {
            let base = state.base_type(&subtype).name.name;
            builtin::is_default_class(&class.name, "btree", Some(&base))
        };
        TypeKind::Range {
            operator_class: class.filter(|class| !is_default(class)),
            collation: collation.map(|parts| state.find_collation(&parts)),
            canonical: function("canonical"),
            subtype_diff: function("subtype_diff"),
            multirange: multirange.unwrap_or_else(|| multirange_name(&type_name.name)),
            // Modifiers after the subtype are not recorded.
            subtype: DataType {
                modifiers: Vec::new(),
                ..subtype
            },
        }
    } else {
        return Err(Refused::new(
            node,
            "replay does not follow base types written in C",
        ));
    };
    state.insert_type(node, type_name, kind)
}

pub(crate) fn alter_type(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let type_node =
        child(node, K::TYPE_NAME_REF).ok_or_else(|| Refused::new(node, "no type is named"))?;
    let parts = path(&type_node);
    let missing = || {
        Refused::new(node, format!("there is no type {}", parts.join(".")))
            .hint("check the spelling, and whether an earlier migration creates it")
    };
    let type_name = state.find_own_type(&parts).ok_or_else(missing)?;
    let Some(action) = child_nodes(node).find(|child| child.kind() != K::TYPE_NAME_REF) else {
        return Ok(());
    };
    match action.kind() {
        K::ADD_VALUE => add_value(state, &action, &type_name),
        K::RENAME_VALUE => {
            let given: Vec<_> = children(&action, K::LITERAL)
                .filter_map(|literal| string(&literal))
                .collect();
            let [from, to] = given.as_slice() else {
                return Err(Refused::new(node, "two labels are needed"));
            };
            repeated::is_label(&action, to)?;
            let known = labels(state, &action, &type_name)?;
            if known.contains(to) {
                let why = format!("the enum has a label {to} already");
                return Err(Refused::error(&action, why).raises("duplicate_object"));
            }
            let label = known.iter_mut().find(|label| *label == from);
            label
                .ok_or_else(|| Refused::new(&action, format!("the enum has no label {from}")))?
                .clone_from(to);
            state.rename_label(&action, &type_name, from, to)
        }
        K::TYPE_RENAME_TO => {
            let to = child_name(&action, K::TYPE_NAME).unwrap_or_default();
            state.move_type(
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
            state.move_type(
                &type_name,
                Name {
                    schema,
                    name: type_name.name.clone(),
                },
            );
            Ok(())
        }
        K::ALTER_TYPE_ATTRIBUTE_ACTION_LIST => child_nodes(&action)
            .try_for_each(|part| composite::alter_attribute(state, &part, &type_name)),
        K::RENAME_ATTRIBUTE => composite::alter_attribute(state, &action, &type_name),
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

fn add_value(state: &mut State, action: &SyntaxNode, type_name: &Name) -> Result<()> {
    use SyntaxKind as K;
    let label = child(action, K::LITERAL).and_then(|literal| string(&literal));
    let label = label.ok_or_else(|| Refused::new(action, "the label is not given"))?;
    let beside = |kind| {
        child(action, kind)
            .and_then(|position| child(&position, K::LITERAL))
            .and_then(|literal| string(&literal))
    };
    let (before, after) = (beside(K::BEFORE_VALUE), beside(K::AFTER_VALUE));
    let if_not_exists = has(action, K::IF_NOT_EXISTS);
    repeated::is_label(action, &label)?;
    let labels = labels(state, action, type_name)?;
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
    let position = match (&before, &after) {
        (Some(before), _) => labels.iter().position(|other| other == before),
        (None, Some(after)) => labels
            .iter()
            .position(|other| other == after)
            .map(|position| position + 1),
        (None, None) => Some(labels.len()),
    };
    let position = position.ok_or_else(|| {
        Refused::new(
            action,
            "the enum does not have the label that BEFORE or AFTER names",
        )
    })?;
    labels.insert(position, label);
    Ok(())
}

/// Returns the labels of an enum, mutably.
fn labels<'s>(
    state: &'s mut State,
    node: &SyntaxNode,
    type_name: &Name,
) -> Result<&'s mut Vec<String>> {
    match state.type_mut(type_name).map(|found| &mut found.kind) {
        Some(TypeKind::Enum { labels }) => Ok(labels),
        _ => Err(Refused::new(
            node,
            format!("{} is not an enum", type_name.name),
        )),
    }
}
