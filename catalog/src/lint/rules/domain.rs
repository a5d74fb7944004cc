//! Constraints of domains.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::lint::rewrite::{self, Step, without};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::state::names::object_name;
use crate::replay::syntax::clause::given_name;
use crate::replay::syntax::tree::{child, has_below, path};
use crate::{Name, TypeKind};

/// `CREATE DOMAIN`.
pub(super) fn create(scope: &mut Scope<'_>) {
    let node = scope.node;
    let constraint = node.children().find(|child| {
        matches!(
            child.kind(),
            SyntaxKind::CHECK_CONSTRAINT | SyntaxKind::NOT_NULL_CONSTRAINT
        )
    });
    if let Some(constraint) = constraint {
        scope
            .report(
                &constraint,
                Rule::BanCreateDomainWithConstraint,
                "a change of this constraint reads each table that uses the domain",
            )
            .help("give the constraint to the columns");
    }
}

/// `ALTER DOMAIN .. ADD CONSTRAINT`.
pub(super) fn alter(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    let Some(action) = child(node, K::ADD_CONSTRAINT) else {
        return;
    };
    if has_below(&action, K::NOT_VALID) {
        return;
    }
    let Some(reference) = child(node, K::DOMAIN_REF) else {
        return;
    };
    let domain = scope.state.find_own_type(&path(&reference));
    let users: Vec<String> = match &domain {
        Some(domain) => scope
            .state
            .catalog()
            .relations
            .values()
            .filter(|relation| {
                let uses = |column: &crate::Column| column.data_type.name == *domain;
                scope.is_used(&relation.name) && relation.columns.iter().any(uses)
            })
            .map(|relation| rewrite::relation(&relation.name))
            .collect(),
        None => Vec::new(),
    };
    if domain.is_some() && users.is_empty() {
        return;
    }
    let name = domain.as_ref().map_or_else(
        || {
            path(&reference)
                .iter()
                .map(|part| identifier(part))
                .collect::<Vec<_>>()
                .join(".")
        },
        rewrite::relation,
    );
    let steps = action
        .children()
        .find(|clause| clause.kind() == K::CHECK_CONSTRAINT)
        .map(|clause| steps(scope, domain.as_ref(), &name, &clause))
        .unwrap_or_default();
    let tables = match users.is_empty() {
        true => "each table that uses the domain".to_owned(),
        false => users.join(", "),
    };
    scope
        .report(
            &action,
            Rule::BanAlterDomainWithAddConstraint,
            format!("all rows of {tables} are read while writers wait"),
        )
        .steps(steps);
}

fn steps(scope: &Scope<'_>, of: Option<&Name>, domain: &str, clause: &SyntaxNode) -> Vec<Step> {
    use SyntaxKind as K;
    // The name that PostgreSQL has chosen is that of the last check.
    let types = &scope.state.catalog().types;
    let chosen = match of.and_then(|of| types.get(of)).map(|found| &found.kind) {
        Some(TypeKind::Domain { checks, .. }) => checks.last().map(|check| check.name.clone()),
        _ => None,
    };
    let name = given_name(clause).or(chosen).unwrap_or_else(|| {
        let plain = child(scope.node, K::DOMAIN_REF).map(|reference| path(&reference));
        let plain = plain.and_then(|mut parts| parts.pop()).unwrap_or_default();
        object_name(&plain, "", "check")
    });
    let names: Vec<SyntaxNode> = clause
        .children()
        .filter(|child| child.kind() == K::CONSTRAINT_NAME_CLAUSE)
        .collect();
    let (name, body) = (identifier(&name), without(clause, &names));
    vec![
        Step::new(format!(
            "ALTER DOMAIN {domain} ADD CONSTRAINT {name} {body} NOT VALID;"
        )),
        Step::new(format!("ALTER DOMAIN {domain} VALIDATE CONSTRAINT {name};")),
    ]
}
