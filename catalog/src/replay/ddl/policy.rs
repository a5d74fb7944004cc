//! CREATE, ALTER and DROP POLICY, and the row-level security actions of ALTER TABLE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::attached::Policy;
use crate::replay::ddl::on_table::on_table;
use crate::replay::ddl::precondition;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::syntax::tree::{self, below, child, child_name, has, name, text};

/// Applies an action such as `ENABLE ROW LEVEL SECURITY`.
pub(crate) fn row_security(state: &mut State, action: &SyntaxNode, table: &Name) {
    use SyntaxKind as K;
    let attached = &mut state.table(table).attached;
    match action.kind() {
        K::ENABLE_RLS => attached.row_security = true,
        K::DISABLE_RLS => attached.row_security = false,
        K::FORCE_RLS => attached.force_row_security = true,
        _ => attached.force_row_security = false,
    }
}

pub(crate) fn create_policy(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let on = child(node, K::ON_TABLE).unwrap_or_else(|| node.clone());
    let table = on_table(state, &on)?;
    let policy_name = child_name(node, K::POLICY).unwrap_or_default();
    let kind = child(node, K::AS_POLICY_TYPE).and_then(|kind| tree::tokens(&kind).last());
    let command = child(node, K::POLICY_COMMAND)
        .and_then(|command| tree::tokens(&command).last())
        .map(|word| word.text().to_ascii_uppercase());
    for kind in [K::USING_EXPR_CLAUSE, K::WITH_CHECK_EXPR_CLAUSE] {
        if let Some(expression) = child(node, kind).and_then(|it| it.children().next()) {
            precondition::names_columns(state, &expression, &table)?;
        }
    }
    let expression = |kind: SyntaxKind| {
        let clause = child(node, kind)?;
        let text = text(&clause.children().next()?);
        Some(state.code(state.as_stored(text, Columns::Table(&table))))
    };
    let policy = Policy {
        name: policy_name.clone(),
        permissive: kind.is_none_or(|kind| !kind.text().eq_ignore_ascii_case("restrictive")),
        command: command.unwrap_or_else(|| "ALL".to_owned()),
        roles: roles(node)?.unwrap_or_default(),
        using: expression(K::USING_EXPR_CLAUSE),
        with_check: expression(K::WITH_CHECK_EXPR_CLAUSE),
        comment: None,
    };
    let policies = &mut state.table(&table).attached.policies;
    if policies.iter().any(|other| other.name == policy_name) {
        let why = format!("there is a policy {policy_name} already");
        return Err(Refused::error(node, why).raises("duplicate_object"));
    }
    policies.push(policy);
    policies.sort_by(|a, b| a.name.cmp(&b.name));
    state.forget_part(&table, &policy_name);
    Ok(())
}

pub(crate) fn alter_policy(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let on = child(node, K::ON_TABLE).unwrap_or_else(|| node.clone());
    let table = on_table(state, &on)?;
    let policy_name = child_name(node, K::POLICY_REF).unwrap_or_default();
    let roles = roles(node)?;
    let expression = |kind: SyntaxKind| {
        let clause = below(node, kind).next()?;
        let text = text(&clause.children().next()?);
        Some(state.code(state.as_stored(text, Columns::Table(&table))))
    };
    let (using, check) = (
        expression(K::USING_EXPR_CLAUSE),
        expression(K::WITH_CHECK_EXPR_CLAUSE),
    );
    let policies = &mut state.table(&table).attached.policies;
    let policy = policies.iter_mut().find(|other| other.name == policy_name);
    let policy = policy.ok_or_else(|| {
        Refused::new(node, format!("there is no policy {policy_name}")).raises("undefined_object")
    })?;
    if let Some(rename) = child(node, K::POLICY_RENAME_TO) {
        policy.name = child_name(&rename, K::POLICY).unwrap_or_default();
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(());
    }
    if let Some(roles) = roles {
        policy.roles = roles;
    }
    if using.is_some() {
        policy.using = using;
    }
    if check.is_some() {
        policy.with_check = check;
    }
    Ok(())
}

pub(crate) fn drop_policy(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let policy_name = child_name(node, K::POLICY_REF).unwrap_or_default();
    let is_lenient = has(node, K::IF_EXISTS);
    let table = match on_table(state, node) {
        Ok(table) => table,
        Err(_) if is_lenient => return Ok(()),
        Err(refused) => return Err(refused),
    };
    let policies = &mut state.table(&table).attached.policies;
    let before = policies.len();
    policies.retain(|other| other.name != policy_name);
    let was_removed = policies.len() < before;
    if !was_removed && !is_lenient && !state.has_part_gap(&table, &policy_name) {
        return Err(
            Refused::new(node, format!("there is no policy {policy_name}"))
                .raises("undefined_object"),
        );
    }
    state.forget_part(&table, &policy_name);
    Ok(())
}

/// Returns the roles of a policy, which are empty for `PUBLIC`. Returns `None` if there is no TO
/// clause.
fn roles(node: &SyntaxNode) -> Result<Option<Vec<String>>> {
    use SyntaxKind as K;
    let Some(clause) = below(node, K::POLICY_ROLES).next() else {
        return Ok(None);
    };
    let mut roles = Vec::new();
    for role in below(&clause, K::ROLE_REF) {
        if below(&role, K::ROLE_NAME_REF).next().is_none() {
            return Err(Refused::new(&role, "the role of this policy is not known"));
        }
        roles.push(name(&role));
    }
    if roles.iter().any(|role| role == "public") {
        roles.clear();
    }
    roles.sort();
    roles.dedup();
    Ok(Some(roles))
}
