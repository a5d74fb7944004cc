//! CREATE and ALTER DOMAIN.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::data_type::child_type;
use crate::replay::state::expressions::Columns;
use crate::replay::state::objects::Object;
use crate::replay::syntax::clause::{collation, constraint, given_name};
use crate::replay::syntax::expression::expression;
use crate::replay::syntax::tree::{child, child_name, child_nodes, children, has, path, text};
use crate::{Constraint, ConstraintKind, Name, TypeKind};

pub(crate) fn create_domain(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let name_node = child(node, K::DOMAIN)
        .ok_or_else(|| Refused::new(node, "the domain's name is not given"))?;
    let domain = state.new_name(node, &name_node)?;
    let base = child_type(state, node)?.data_type;
    let default = child(node, K::DEFAULT_CONSTRAINT)
        .and_then(|clause| expression(&clause))
        .map(|default| state.as_stored(text(&default), Columns::Nothing));
    let of_base = match state
        .catalog()
        .types
        .get(&base.name)
        .map(|found| &found.kind)
    {
        Some(TypeKind::Domain { default, .. }) if base.dimensions == 0 => default.clone(),
        _ => None,
    };
    let kind = TypeKind::Domain {
        base,
        not_null: has(node, K::NOT_NULL_CONSTRAINT),
        default: default.or(of_base),
        checks: Vec::new(),
        collation: collation(node).map(|parts| state.find_collation(&parts)),
    };
    state.insert_type(node, domain.clone(), kind)?;
    for clause in children(node, K::CHECK_CONSTRAINT) {
        add_domain_check(state, &clause, &domain)?;
    }
    Ok(())
}

fn add_domain_check(state: &mut State, clause: &SyntaxNode, domain: &Name) -> Result<()> {
    let condition =
        expression(clause).ok_or_else(|| Refused::new(clause, "the condition is not given"))?;
    let name =
        given_name(clause).unwrap_or_else(|| state.free_constraint_name(domain, "", "check"));
    let kind = ConstraintKind::Check {
        expression: match state.catalog().types.get(domain).map(|found| &found.kind) {
            Some(TypeKind::Domain { base, .. }) => {
                state.as_stored(text(&condition), Columns::Value(base))
            }
            _ => text(&condition),
        },
        columns: Vec::new(),
        no_inherit: false,
    };
    let new = constraint(clause, name, kind);
    state.note_constraint(&new.name);
    let checks = checks(state, clause, domain)?;
    if checks.iter().any(|other| other.name == new.name) {
        let why = format!("the domain has a constraint {} already", new.name);
        return Err(Refused::new(clause, why).hint("give it another name"));
    }
    checks.push(new);
    Ok(())
}

fn checks<'s>(
    state: &'s mut State,
    node: &SyntaxNode,
    domain: &Name,
) -> Result<&'s mut Vec<Constraint>> {
    match state.type_mut(domain).map(|found| &mut found.kind) {
        Some(TypeKind::Domain { checks, .. }) => Ok(checks),
        _ => Err(Refused::new(
            node,
            format!("{} is not a domain", domain.name),
        )),
    }
}

pub(crate) fn alter_domain(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let reference =
        child(node, K::DOMAIN_REF).ok_or_else(|| Refused::new(node, "no domain is named"))?;
    let parts = path(&reference);
    let domain = state.find_own_type(&parts).ok_or_else(|| {
        Refused::new(node, format!("there is no domain {}", parts.join(".")))
            .hint("check the spelling, and whether an earlier migration creates it")
    })?;
    let Some(action) = child_nodes(node).find(|child| child.kind() != K::DOMAIN_REF) else {
        return Ok(());
    };
    match action.kind() {
        K::ADD_CONSTRAINT => {
            for clause in action.children() {
                match clause.kind() {
                    K::CHECK_CONSTRAINT => add_domain_check(state, &clause, &domain)?,
                    K::NOT_NULL_CONSTRAINT => domain_not_null(state, &action, &domain, true)?,
                    _ => {}
                }
            }
        }
        K::DROP_CONSTRAINT => {
            let name = child_name(&action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
            let checks = checks(state, &action, &domain)?;
            if checks.iter().any(|check| check.name == name) {
                let target = Object::DomainConstraint(domain, name);
                state.drop_objects(&action, &[target])?;
            } else if name == format!("{}_not_null", domain.name) {
                domain_not_null(state, &action, &domain, false)?;
            } else if !has(&action, K::IF_EXISTS) {
                let why = format!("the domain has no constraint {name}");
                return Err(Refused::new(&action, why));
            }
        }
        K::VALIDATE_CONSTRAINT | K::RENAME_CONSTRAINT => {
            let from = child_name(&action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
            let to = child_name(&action, K::CONSTRAINT_NAME);
            if let Some(to) = &to {
                state.note_constraint(to);
            }
            let checks = checks(state, &action, &domain)?;
            let check = checks.iter_mut().find(|check| check.name == from);
            let check = check.ok_or_else(|| {
                Refused::new(&action, format!("the domain has no constraint {from}"))
            })?;
            match to {
                Some(to) => check.name = to,
                None => check.validated = true,
            }
        }
        K::SET_DEFAULT => {
            let new = expression(&action).map(|default| text(&default));
            let new = new.map(|text| state.as_stored(text, Columns::Nothing));
            let new = new.filter(|text| !text.eq_ignore_ascii_case("null"));
            *domain_default(state, &action, &domain)? = new;
        }
        K::DROP_DEFAULT => *domain_default(state, &action, &domain)? = None,
        K::SET_NOT_NULL => domain_not_null(state, &action, &domain, true)?,
        K::DROP_NOT_NULL => domain_not_null(state, &action, &domain, false)?,
        K::DOMAIN_RENAME_TO => {
            let to = child_name(&action, K::DOMAIN).unwrap_or_default();
            let schema = domain.schema.clone();
            state.move_type(&domain, Name { schema, name: to });
        }
        K::SET_SCHEMA => {
            let schema = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
            let name = domain.name.clone();
            state.move_type(&domain, Name { schema, name });
        }
        K::OWNER_TO => {}
        kind => {
            let words = format!("{kind:?}").replace('_', " ");
            return Err(Refused::new(
                &action,
                format!("replay does not follow ALTER DOMAIN .. {words} yet"),
            ));
        }
    }
    Ok(())
}

fn domain_default<'s>(
    state: &'s mut State,
    node: &SyntaxNode,
    domain: &Name,
) -> Result<&'s mut Option<String>> {
    match state.type_mut(domain).map(|found| &mut found.kind) {
        Some(TypeKind::Domain { default, .. }) => Ok(default),
        _ => Err(Refused::new(
            node,
            format!("{} is not a domain", domain.name),
        )),
    }
}

fn domain_not_null(state: &mut State, node: &SyntaxNode, domain: &Name, new: bool) -> Result<()> {
    match state.type_mut(domain).map(|found| &mut found.kind) {
        Some(TypeKind::Domain { not_null, .. }) => {
            *not_null = new;
            Ok(())
        }
        _ => Err(Refused::new(
            node,
            format!("{} is not a domain", domain.name),
        )),
    }
}
