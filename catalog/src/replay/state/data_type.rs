//! Resolves the type that a node names: one of the state, or one of PostgreSQL's built-in types.

use squawk_syntax::SyntaxNode;

use crate::name::SYSTEM_TYPES;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::tree::child;
use crate::replay::syntax::type_name::{TYPES, Written, built_in};
use crate::{DataType, Name};

/// The type of a column, and whether it was written as `serial`.
pub(crate) struct Typed {
    pub(crate) data_type: DataType,
    pub(crate) is_serial: bool,
}

/// Returns the type of a column or attribute.
pub(crate) fn read(state: &State, node: &SyntaxNode) -> Result<Typed> {
    let written = Written::new(node);
    let words = written.words.join(" ");
    let (name, is_serial) = match words.as_str() {
        "serial" | "serial4" => ("int4", true),
        "bigserial" | "serial8" => ("int8", true),
        "smallserial" | "serial2" => ("int2", true),
        other => (other, false),
    };
    let (mut modifiers, mut dimensions) = (written.modifiers, written.dimensions);
    let system = match built_in(name, &modifiers) {
        // `"char"` and `char` are different types.
        Some("bpchar") if (written.is_quoted || written.is_qualified) && name == "char" => {
            Some("char")
        }
        Some(name) if !written.is_quoted || name == words => Some(name),
        _ => None,
    };
    let name = match system {
        Some(name) => {
            if matches!(name, "bpchar" | "bit") && modifiers.is_empty() && words != "bpchar" {
                modifiers.push(1);
            }
            if name.starts_with("float") {
                modifiers.clear();
            }
            Name {
                schema: SYSTEM.to_owned(),
                name: name.to_owned(),
            }
        }
        None => match (
            state.find_type(&written.words),
            element(state, &written.words),
        ) {
            (Some(name), _) => name,
            (None, Some(name)) if dimensions == 0 => {
                dimensions = 1;
                name
            }
            _ => {
                return Err(Refused::new(node, format!("the type {words} is not known")).hint(
                    "create the type in an earlier migration, or create the extension that has it",
                ));
            }
        },
    };
    Ok(Typed {
        data_type: DataType {
            name,
            modifiers,
            fields: written.fields,
            dimensions,
        },
        is_serial,
    })
}

/// Returns the element type of an array that is written by PostgreSQL's internal name, such as
/// `_text`.
fn element(state: &State, words: &[String]) -> Option<Name> {
    let (last, schema) = words.split_last()?;
    let last = last.strip_prefix('_')?;
    if schema.is_empty()
        && let Some(name) = SYSTEM_TYPES.into_iter().find(|built_in| *built_in == last)
    {
        return Some(Name {
            schema: SYSTEM.to_owned(),
            name: name.to_owned(),
        });
    }
    state.find_type(&[schema, &[last.to_owned()]].concat())
}

/// Returns the type in the definition of a composite type or domain, which is one of the node's
/// children.
pub(crate) fn child_type(state: &State, node: &SyntaxNode) -> Result<Typed> {
    let found = TYPES.into_iter().find_map(|kind| child(node, kind));
    let found = found.ok_or_else(|| Refused::new(node, "no type is given"))?;
    read(state, &found)
}
