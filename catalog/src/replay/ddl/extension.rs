//! The objects of extensions: types by name, and the functions and operator classes that defaults
//! and indexes use.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::extension::types;
use crate::gap::GapKind;
use crate::replay::builtin;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{self, child, child_name};
use crate::{Name, TypeKind};

/// The known objects of one extension.
pub(crate) struct Members {
    /// Whether more than the types of the extension are known.
    pub(crate) is_known: bool,
    pub(crate) types: &'static [&'static str],
    pub(crate) functions: Vec<&'static str>,
    pub(crate) operator_classes: Vec<&'static str>,
}

/// Returns the members of an extension of PostgreSQL's distribution, or the types of a few other
/// well-known ones.
pub(crate) fn members(extension: &str) -> Members {
    let functions = builtin::functions_of(extension);
    let operator_classes: Vec<_> = builtin::classes_of(extension).collect();
    let holds_nothing = ["plpgsql", "pg_prewarm", "pg_buffercache", "pgstattuple"];
    Members {
        is_known: !functions.is_empty()
            || !operator_classes.is_empty()
            || holds_nothing.contains(&extension),
        types: types(extension),
        functions,
        operator_classes,
    }
}

pub(crate) fn create_extension(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let extension = child_name(node, SyntaxKind::EXTENSION).unwrap_or_default();
    if state.catalog().extensions.contains(&extension) {
        if tree::has(node, SyntaxKind::IF_NOT_EXISTS) {
            return Ok(());
        }
        let why = format!("there is an extension {extension} already");
        return Err(Refused::error(node, why)
            .hint("write IF NOT EXISTS, or remove the statement")
            .raises("duplicate_object"));
    }
    let schema = match child(node, SyntaxKind::EXTENSION_SCHEMA) {
        Some(schema) => tree::name(&schema),
        None => state.current_schema(node)?,
    };
    for name in types(&extension) {
        let name = Name {
            schema: schema.clone(),
            name: (*name).to_owned(),
        };
        state.add_external_type(name);
    }
    if extension == "postgis" {
        let name = Name {
            schema: schema.clone(),
            name: "spatial_ref_sys".to_owned(),
        };
        let why = "the extension postgis brings it, so it is left out; diesel print-schema shows it unless diesel.toml \
                   has it in except_tables";
        state.note_gap(GapKind::Table, name, None, why);
    }
    state.install_extension(extension, schema);
    Ok(())
}

/// Applies ALTER EXTENSION. `SET SCHEMA` moves the types. Other changes do not affect known
/// objects.
pub(crate) fn alter_extension(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let extension = child_name(node, SyntaxKind::EXTENSION_REF).unwrap_or_default();
    let Some(schema) = child(node, SyntaxKind::SET_SCHEMA)
        .and_then(|action| child_name(&action, SyntaxKind::SCHEMA_REF))
    else {
        return Ok(());
    };
    let members = types(&extension);
    let types: Vec<Name> = state
        .catalog()
        .types
        .values()
        .filter(|found| found.kind == TypeKind::External)
        .filter(|found| members.contains(&found.name.name.as_str()))
        .map(|found| found.name.clone())
        .collect();
    for name in types {
        let to = Name {
            schema: schema.clone(),
            name: name.name.clone(),
        };
        state.move_type(&name, to);
    }
    state.move_extension(extension, schema);
    Ok(())
}
