//! CREATE and ALTER DOMAIN.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::constraint::{constraint, given_name};
use super::data_type::child_type;
use super::dependents::Object;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::table::collation;
use super::tree::{child, child_name, children, expression, has, path, text};
use crate::{Constraint, ConstraintKind, Name, TypeKind};

impl Replay {
    pub(super) fn create_domain(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let name_node = child(node, K::DOMAIN)
            .ok_or_else(|| Refused::new(node, "the domain's name is not given"))?;
        let domain = self.new_name(node, &name_node)?;
        let base = child_type(self, node)?.data_type;
        let default = child(node, K::DEFAULT_CONSTRAINT)
            .and_then(|clause| expression(&clause))
            .map(|default| text(&default));
        let of_base = match self.catalog.types.get(&base.name).map(|found| &found.kind) {
            Some(TypeKind::Domain { default, .. }) if base.dimensions == 0 => default.clone(),
            _ => None,
        };
        let kind = TypeKind::Domain {
            base,
            not_null: has(node, K::NOT_NULL_CONSTRAINT),
            default: default.or(of_base),
            checks: Vec::new(),
            collation: collation(node),
        };
        self.insert_type(node, domain.clone(), kind)?;
        for clause in children(node, K::CHECK_CONSTRAINT) {
            self.add_domain_check(&clause, &domain)?;
        }
        Ok(())
    }

    fn add_domain_check(&mut self, clause: &SyntaxNode, domain: &Name) -> Result<()> {
        let condition =
            expression(clause).ok_or_else(|| Refused::new(clause, "the condition is not given"))?;
        let name =
            given_name(clause).unwrap_or_else(|| self.free_constraint_name(domain, "", "check"));
        let kind = ConstraintKind::Check {
            expression: text(&condition),
            columns: Vec::new(),
            no_inherit: false,
        };
        let new = constraint(clause, name, kind);
        let checks = self.checks(clause, domain)?;
        if checks.iter().any(|other| other.name == new.name) {
            let why = format!("the domain has a constraint {} already", new.name);
            return Err(Refused::new(clause, why).do_this("give it another name"));
        }
        checks.push(new);
        Ok(())
    }

    fn checks(&mut self, node: &SyntaxNode, domain: &Name) -> Result<&mut Vec<Constraint>> {
        match self
            .catalog
            .types
            .get_mut(domain)
            .map(|found| &mut found.kind)
        {
            Some(TypeKind::Domain { checks, .. }) => Ok(checks),
            _ => Err(Refused::new(node, format!("{} is no domain", domain.name))),
        }
    }

    pub(super) fn alter_domain(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let reference =
            child(node, K::DOMAIN_REF).ok_or_else(|| Refused::new(node, "no domain is named"))?;
        let parts = path(&reference);
        let domain = self.find_own_type(&parts).ok_or_else(|| {
            Refused::new(node, format!("there is no domain {}", parts.join(".")))
                .do_this("look at the name and at the migrations before this one")
        })?;
        let Some(action) = node.children().find(|child| child.kind() != K::DOMAIN_REF) else {
            return Ok(());
        };
        if is_off(action.kind()) {
            return Ok(());
        }
        match action.kind() {
            K::ADD_CONSTRAINT => {
                for clause in action.children() {
                    match clause.kind() {
                        K::CHECK_CONSTRAINT => self.add_domain_check(&clause, &domain)?,
                        K::NOT_NULL_CONSTRAINT => self.domain_not_null(&action, &domain, true)?,
                        _ => {}
                    }
                }
            }
            K::DROP_CONSTRAINT => {
                let name = child_name(&action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
                let checks = self.checks(&action, &domain)?;
                if checks.iter().any(|check| check.name == name) {
                    let target = Object::DomainConstraint(domain, name);
                    self.drop_objects(&action, &[target])?;
                } else if name == format!("{}_not_null", domain.name) {
                    self.domain_not_null(&action, &domain, false)?;
                } else if !has(&action, K::IF_EXISTS) {
                    let why = format!("the domain has no constraint {name}");
                    return Err(Refused::new(&action, why));
                }
            }
            K::VALIDATE_CONSTRAINT | K::RENAME_CONSTRAINT => {
                let from = child_name(&action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
                let to = child_name(&action, K::CONSTRAINT_NAME);
                let checks = self.checks(&action, &domain)?;
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
                let new = new.filter(|text| !text.eq_ignore_ascii_case("null"));
                *self.domain_default(&action, &domain)? = new;
            }
            K::DROP_DEFAULT => *self.domain_default(&action, &domain)? = None,
            K::SET_NOT_NULL => self.domain_not_null(&action, &domain, true)?,
            K::DROP_NOT_NULL => self.domain_not_null(&action, &domain, false)?,
            K::DOMAIN_RENAME_TO => {
                let to = child_name(&action, K::DOMAIN).unwrap_or_default();
                let schema = domain.schema.clone();
                self.move_type(&domain, Name { schema, name: to });
            }
            K::SET_SCHEMA => {
                let schema = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
                let name = domain.name.clone();
                self.move_type(&domain, Name { schema, name });
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

    fn domain_default(&mut self, node: &SyntaxNode, domain: &Name) -> Result<&mut Option<String>> {
        match self
            .catalog
            .types
            .get_mut(domain)
            .map(|found| &mut found.kind)
        {
            Some(TypeKind::Domain { default, .. }) => Ok(default),
            _ => Err(Refused::new(node, format!("{} is no domain", domain.name))),
        }
    }

    fn domain_not_null(&mut self, node: &SyntaxNode, domain: &Name, new: bool) -> Result<()> {
        match self
            .catalog
            .types
            .get_mut(domain)
            .map(|found| &mut found.kind)
        {
            Some(TypeKind::Domain { not_null, .. }) => {
                *not_null = new;
                Ok(())
            }
            _ => Err(Refused::new(node, format!("{} is no domain", domain.name))),
        }
    }
}
