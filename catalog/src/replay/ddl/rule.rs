//! CREATE, ALTER and DROP RULE, and the rule actions of ALTER TABLE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::attached::{Enabled, Rule};
use crate::replay::ddl::on_table::on_table;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{self, below, child, child_name, has, text};

/// Returns true if a rule is on SELECT.
pub(crate) fn makes_a_view(rule: &SyntaxNode) -> bool {
    let event = below(rule, SyntaxKind::RULE_EVENT).next();
    event.is_some_and(|event| {
        tree::tokens(&event).any(|token| token.kind() == SyntaxKind::SELECT_KW)
    })
}

/// Applies an action such as `ENABLE RULE`.
pub(crate) fn enable_rule(state: &mut State, action: &SyntaxNode, table: &Name) {
    use SyntaxKind as K;
    let enabled = match action.kind() {
        K::DISABLE_RULE => Enabled::Never,
        K::ENABLE_REPLICA_RULE => Enabled::Replica,
        K::ENABLE_ALWAYS_RULE => Enabled::Always,
        _ => Enabled::Origin,
    };
    let named = child_name(action, K::RULE_REF);
    let rules = state.table(table).attached.rules.iter_mut();
    for rule in rules.filter(|rule| Some(&rule.name) == named.as_ref()) {
        rule.enabled = enabled;
    }
}

pub(crate) fn create_rule(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let on = child(node, K::RULE_ON).unwrap_or_else(|| node.clone());
    let table = on_table(state, &on)?;
    let rule_name = child_name(node, K::RULE).unwrap_or_default();
    let definition = state.code(text(node).trim_end_matches(';').trim_end().to_owned());
    let mut rule = Rule {
        name: rule_name.clone(),
        definition,
        enabled: Enabled::Origin,
        comment: None,
    };
    let rules = &mut state.table(&table).attached.rules;
    if let Some(earlier) = rules.iter_mut().find(|other| other.name == rule_name) {
        if !has(node, K::OR_REPLACE) {
            let why = format!("there is a rule {rule_name} already");
            return Err(Refused::error(node, why).raises("duplicate_object"));
        }
        rule.comment = earlier.comment.take();
        rule.enabled = earlier.enabled;
        *earlier = rule;
    } else {
        rules.push(rule);
        rules.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(())
}

pub(crate) fn alter_rule(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let table = on_table(state, node)?;
    let from = child_name(node, K::RULE_REF).unwrap_or_default();
    let to = child(node, K::RULE_RENAME_TO).and_then(|rename| child_name(&rename, K::RULE));
    let rules = &mut state.table(&table).attached.rules;
    let rule = rules.iter_mut().find(|other| other.name == from);
    let rule = rule.ok_or_else(|| {
        Refused::new(node, format!("there is no rule {from}")).raises("undefined_object")
    })?;
    rule.name = to.unwrap_or_default();
    rule.definition.text = None;
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

pub(crate) fn drop_rule(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let rule_name = child_name(node, K::RULE_REF).unwrap_or_default();
    let is_lenient = has(node, K::IF_EXISTS);
    let table = match on_table(state, node) {
        Ok(table) => table,
        Err(_) if is_lenient => return Ok(()),
        Err(refused) => return Err(refused),
    };
    let rules = &mut state.table(&table).attached.rules;
    rules.retain(|other| other.name != rule_name);
    Ok(())
}
