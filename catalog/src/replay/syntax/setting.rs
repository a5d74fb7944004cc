//! Settings that SET, RESET and `set_config` change.

use rowan::GreenNodeData;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::green;
use crate::replay::syntax::routine::{callee, calls_in};
use crate::replay::syntax::tree::{below, child, child_nodes, has, name, path, string, text};

/// The new value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Default,
    /// The session's current value, which stays.
    Current,
    Items(Vec<String>),
}

/// The settings that affect how a name, a literal or an EXECUTE is read, or whether DDL succeeds.
const RELEVANT: [&str; 22] = [
    "search_path",
    "role",
    "session_authorization",
    "timezone",
    "datestyle",
    "intervalstyle",
    "lc_monetary",
    "standard_conforming_strings",
    "quote_all_identifiers",
    "array_nulls",
    "transform_null_equals",
    "xmloption",
    "default_transaction_read_only",
    "transaction_read_only",
    "plpgsql.variable_conflict",
    "citus.shard_count",
    "citus.shard_replication_factor",
    "citus.enable_schema_based_sharding",
    "citus.allow_unsafe_constraints",
    "citus.enable_unsafe_triggers",
    "all",
    "discard",
];

/// Returns true if replay must track this setting. The name is in lower case.
pub(crate) fn matters(setting: &str) -> bool {
    RELEVANT.contains(&setting)
}

/// Returns the setting that a statement changes, in lower case, and its new value. `all` stands for
/// all settings. `discard` stands for all settings and the role.
pub(crate) fn changed(node: &SyntaxNode) -> Option<(String, Value)> {
    use SyntaxKind as K;
    let first = |kind| below(node, kind).next();
    let named = |setting: &str, value| Some((setting.to_owned(), value));
    match node.kind() {
        K::RESET_ROLE => return named("role", Value::Default),
        K::RESET_SESSION_AUTH => return named("session_authorization", Value::Default),
        // DISCARD ALL also resets the role, which RESET ALL does not.
        K::DISCARD if first(K::DISCARD_ALL).is_some() => return named("discard", Value::Default),
        K::SET_ROLE => {
            let is_none = first(K::SET_ROLE_NONE).is_some();
            let role = first(K::ROLE_REF).map(|role| name(&role));
            let role = role.or_else(|| first(K::LITERAL).and_then(|role| string(&role)));
            return named(
                "role",
                role.filter(|_| !is_none).map_or(Value::Default, one),
            );
        }
        K::SET_SESSION_AUTH => {
            let is_default = first(K::SET_SESSION_AUTH_DEFAULT).is_some();
            let role = first(K::ROLE_REF).map(|role| name(&role));
            let role = role.or_else(|| first(K::LITERAL).and_then(|role| string(&role)));
            let value = role.filter(|_| !is_default).map_or(Value::Default, one);
            return named("session_authorization", value);
        }
        K::SET | K::RESET => {}
        _ => return None,
    }
    if first(K::RESET_TIME_ZONE).is_some() {
        return named("timezone", Value::Default);
    }
    if let Some(zone) = first(K::SET_TIME_ZONE) {
        let is_default = has(&zone, K::DEFAULT_KW) || has(&zone, K::LOCAL_KW);
        let value = if is_default {
            Value::Default
        } else {
            one(text(&zone))
        };
        return named("timezone", value);
    }
    if let Some(schema) = first(K::SET_SCHEMA_VALUE) {
        let schema = first(K::LITERAL)
            .and_then(|literal| string(&literal))
            .unwrap_or_else(|| text(&schema));
        return named("search_path", one(schema));
    }
    if let Some(option) = first(K::SET_XML_OPTION) {
        let last = text(&option)
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_lowercase();
        return named("xmloption", one(last));
    }
    let Some(parameter) = first(K::CONFIG_PARAMETER_REF) else {
        return (node.kind() == K::RESET).then(|| ("all".to_owned(), Value::Default));
    };
    let setting = path(&parameter).join(".").to_ascii_lowercase();
    if node.kind() == K::RESET {
        return Some((setting, Value::Default));
    }
    if first(K::FROM_CURRENT).is_some() {
        return Some((setting, Value::Current));
    }
    let items = first(K::TO_CONFIG_VALUE).map(|value| items(&value));
    Some((setting, items.unwrap_or(Value::Default)))
}

/// Returns true if a statement drops all temporary tables.
pub(crate) fn discards_temporary(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    let mut targets = below(node, K::DISCARD_ALL).chain(below(node, K::DISCARD_TEMP));
    node.kind() == K::DISCARD && targets.next().is_some()
}

fn one(value: String) -> Value {
    Value::Items(vec![value])
}

/// Reads the values after TO.
fn items(value: &SyntaxNode) -> Value {
    let items = child_nodes(value).map(|item| match item.kind() {
        SyntaxKind::CONFIG_VALUE_NAME => name(&item),
        _ => string(&item).unwrap_or_else(|| text(&item)),
    });
    let items: Vec<String> = items.collect();
    if has(value, SyntaxKind::DEFAULT_KW) || items == ["default"] {
        return Value::Default;
    }
    Value::Items(items)
}

/// Returns true if a call of `set_config` may change a setting that matters.
pub(crate) fn is_changed_by(call: &SyntaxNode) -> bool {
    let is_set_config = callee(call).last().is_some_and(|name| name == "set_config");
    is_set_config
        && arguments(call)
            .first()
            .and_then(string)
            .is_none_or(|setting| matters(&setting.to_ascii_lowercase()))
}

/// Returns true if a node below changes a setting that matters.
pub(crate) fn is_changed_in(node: &SyntaxNode) -> bool {
    if !names_a_change(&node.green()) {
        return false;
    }
    node.descendants()
        .filter_map(|inner| changed(&inner))
        .any(|(setting, _)| matters(&setting))
        || calls_in(node).any(|call| is_changed_by(&call))
}

/// Returns true if there is a word below a node with which a setting can be changed.
fn names_a_change(node: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    let is_other = |kind, text: &str| {
        let is_word = matches!(kind, K::SET_KW | K::RESET_KW | K::DISCARD_KW);
        !is_word && !text.trim_matches('"').eq_ignore_ascii_case("set_config")
    };
    !green::all_tokens(node, &mut |kind, text| is_other(kind, text))
}

/// Returns the arguments of a call.
pub(crate) fn arguments(call: &SyntaxNode) -> Vec<SyntaxNode> {
    let list = child(call, SyntaxKind::ARG_LIST);
    let arguments = list.iter().flat_map(SyntaxNode::children);
    let inner = arguments.map(|argument| match argument.kind() {
        SyntaxKind::ARG => argument.children().next().unwrap_or(argument),
        _ => argument,
    });
    inner.collect()
}
