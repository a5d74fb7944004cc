//! Settings that affect names and literals, which are replayed or refused.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::setting::{self, Value};

/// Applies SET or RESET, also of a role.
pub(crate) fn set(state: &mut State, node: &SyntaxNode) -> Result<()> {
    if setting::discards_temporary(node) {
        state.forget_temporary();
    }
    match setting::changed(node) {
        Some((name, value)) => change(state, node, &name, value),
        None => Ok(()),
    }
}

/// Changes a setting. The name is in lower case.
pub(crate) fn change(state: &mut State, node: &SyntaxNode, name: &str, value: Value) -> Result<()> {
    match name {
        "all" => state.reset_settings(),
        "discard" => {
            state.set_role(None);
            state.reset_settings();
        }
        "search_path" => match value {
            Value::Items(schemas) => state.set_search_path(schemas),
            Value::Default => state.reset_search_path(),
            Value::Current => {}
        },
        "role" | "session_authorization" => match value {
            Value::Items(roles) => state.set_role(roles.into_iter().next()),
            Value::Default => state.set_role(None),
            Value::Current => {}
        },
        "timezone" | "datestyle" | "intervalstyle" | "lc_monetary" => match value {
            Value::Items(_) => state.note_literal_setting(name),
            Value::Default => state.forget_literal_setting(name),
            Value::Current => {}
        },
        "citus.shard_count" => match value {
            Value::Items(items) => {
                let shards = items.first().and_then(|count| count.trim().parse().ok());
                let unclear = || Refused::new(node, "the number of shards is not a plain number");
                state.set_shard_count(Some(shards.ok_or_else(unclear)?));
            }
            Value::Default => state.set_shard_count(None),
            Value::Current => {}
        },
        "citus.enable_schema_based_sharding"
        | "citus.allow_unsafe_constraints"
        | "citus.enable_unsafe_triggers" => match value {
            Value::Items(_) if !is_usual(name, &value) => state.switch_citus(name, true),
            Value::Items(_) | Value::Default => state.switch_citus(name, false),
            Value::Current => {}
        },
        name if setting::matters(name) && !is_usual(name, &value) => {
            return Err(Refused::new(
                node,
                format!("what later statements mean depends on the setting {name}"),
            )
            .hint("keep the default of the setting"));
        }
        _ => {}
    }
    no_schema_of_role(state, node)
}

/// Returns true if this is the default value of the setting.
fn is_usual(name: &str, value: &Value) -> bool {
    let Value::Items(items) = value else {
        return true;
    };
    let usual: &[&str] = match name {
        "standard_conforming_strings" | "array_nulls" => &["on", "true", "yes", "1"],
        "xmloption" => &["content"],
        "citus.shard_replication_factor" => &["1"],
        "plpgsql.variable_conflict" => &["error"],
        _ => &["off", "false", "no", "0"],
    };
    matches!(items.as_slice(), [only] if usual.contains(&only.to_ascii_lowercase().as_str()))
}

/// Refuses a search path in which `$user` names a schema, because it is not known whether the role
/// may use it.
pub(crate) fn no_schema_of_role(state: &State, node: &SyntaxNode) -> Result<()> {
    let Some(schema) = state.schema_of_role() else {
        return Ok(());
    };
    let why =
        format!("\"$user\" in the search path names the schema {schema}, if its role may use it");
    Err(Refused::new(node, why).hint("set the search path to the schemas themselves"))
}
