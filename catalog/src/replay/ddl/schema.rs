//! CREATE and ALTER SCHEMA.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{setting, statement};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::schema::{elements, is_other_statement};
use crate::replay::syntax::tree::{below, child, child_name, child_names, has, name};

pub(crate) fn create_schema(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let named = below(node, K::SCHEMA).chain(below(node, K::ROLE)).next();
    let named = named.ok_or_else(|| Refused::new(node, "the schema's name is not given"))?;
    let schema = name(&named);
    if named.kind() == K::ROLE
        && ["current_user", "session_user", "current_role"].contains(&schema.as_str())
    {
        return Err(Refused::new(
            node,
            "the schema is named after the role that runs this, which is not known",
        )
        .hint("name the schema"));
    }
    let (elements, _) = elements(node);
    if let Some(other) = elements.iter().find(|element| is_other_statement(element)) {
        return Err(Refused::new(
            other,
            "PostgreSQL before 19 cannot create this object inside CREATE SCHEMA",
        )
        .hint("write CREATE SCHEMA alone, and this after it with the schema's name"));
    }
    if state.schemas().contains(&schema) {
        if has(node, K::IF_NOT_EXISTS) {
            return Ok(());
        }
        return Err(Refused::error(
            node,
            format!("there is a schema {schema} already"),
        ));
    }
    state.create_schema(&schema);
    if state.citus_has("citus.enable_schema_based_sharding") {
        state.distribute_schema(&schema);
    }
    setting::no_schema_of_role(state, node)?;
    schema_elements(state, &schema, elements)
}

/// Applies the elements of CREATE SCHEMA in PostgreSQL's order. A view may precede the table that
/// it reads.
fn schema_elements(state: &mut State, schema: &str, mut elements: Vec<SyntaxNode>) -> Result<()> {
    use SyntaxKind as K;
    elements.sort_by_key(|element| match element.kind() {
        K::CREATE_SEQUENCE => 0,
        K::CREATE_TABLE => 1,
        K::CREATE_VIEW => 2,
        K::CREATE_INDEX => 3,
        K::CREATE_TRIGGER => 4,
        _ => 5,
    });
    state.within_schema(schema, |state| {
        elements
            .iter()
            .try_for_each(|element| statement(state, element))
    })
}

pub(crate) fn alter_schema(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let Some(rename) = child(node, SyntaxKind::SCHEMA_RENAME_TO) else {
        return Ok(());
    };
    let from = child_names(node, SyntaxKind::SCHEMA_REF)
        .pop()
        .unwrap_or_default();
    let to = child_name(&rename, SyntaxKind::SCHEMA).unwrap_or_default();
    if !state.schemas().contains(&from) {
        return Err(Refused::new(node, format!("there is no schema {from}")));
    }
    state.rename_schema(&from, &to);
    setting::no_schema_of_role(state, node)
}

/// Refuses a search path that is set for a role or database. It applies from the next session on,
/// and changes the meaning of names.
pub(crate) fn later_settings(node: &SyntaxNode) -> Result<()> {
    if below(node, SyntaxKind::CONFIG_PARAMETER_REF)
        .map(|parameter| name(&parameter))
        .any(|name| name.eq_ignore_ascii_case("search_path"))
    {
        return Err(Refused::new(
            node,
            "this changes the search path of later sessions, which may run the later migrations",
        )
        .hint("set the search path in each file that needs it, and ignore this statement"));
    }
    Ok(())
}
