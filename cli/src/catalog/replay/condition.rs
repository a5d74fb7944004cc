//! Conditions of PL/pgSQL that the catalog can answer: whether a type, table or column is there.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::tree::{child, name, path, string, text};
use super::{PUBLIC, Replay};
use crate::catalog::Name;

/// What a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(is_true: bool) -> Self {
        if is_true { Self::True } else { Self::False }
    }
}

impl Replay {
    pub(super) fn truth(&self, node: &SyntaxNode) -> Truth {
        use SyntaxKind as K;
        match node.kind() {
            K::PLPGSQL_EXPR | K::TARGET_LIST | K::TARGET | K::PAREN_EXPR => {
                let mut children = node.children();
                match (children.next(), children.next()) {
                    (Some(only), None) => self.truth(&only),
                    _ => Truth::Unknown,
                }
            }
            K::LITERAL => match text(node).to_ascii_lowercase().as_str() {
                "true" => Truth::True,
                "false" => Truth::False,
                _ => Truth::Unknown,
            },
            K::PREFIX_EXPR if starts_with_not(node) => {
                match node.children().last().map(|inner| self.truth(&inner)) {
                    Some(Truth::True) => Truth::False,
                    Some(Truth::False) => Truth::True,
                    _ => Truth::Unknown,
                }
            }
            K::CALL_EXPR => child(node, K::EXISTS_FN)
                .and_then(|exists| child(&exists, K::SELECT))
                .and_then(|query| self.is_listed(&query))
                .map_or(Truth::Unknown, Truth::from),
            _ => Truth::Unknown,
        }
    }

    /// Whether a query of a system catalog by name finds anything.
    fn is_listed(&self, query: &SyntaxNode) -> Option<bool> {
        use SyntaxKind as K;
        let from = child(query, K::FROM_CLAUSE)?;
        let mut items = from.children();
        let relation = path(&child(&items.next()?, K::RELATION_NAME_REF)?).pop()?;
        if items.next().is_some() {
            return None;
        }
        let condition = child(query, K::WHERE_CLAUSE)?.children().next()?;
        let mut equal = Vec::new();
        equalities(&condition, &mut equal)?;
        let value = |column: &str| {
            let found = equal.iter().find(|(name, _)| name == column);
            found.map(|(_, value)| value.clone())
        };
        let knows_only = |columns: &[&str]| {
            equal
                .iter()
                .all(|(column, _)| columns.contains(&column.as_str()))
        };
        let relations = || self.catalog.relations.values();
        match relation.as_str() {
            "pg_type" if knows_only(&["typname"]) => {
                let wanted = value("typname")?;
                let own = self.catalog.types.keys().any(|name| name.name == wanted);
                Some(own || relations().any(|relation| relation.name.name == wanted))
            }
            "pg_class" if knows_only(&["relname"]) => {
                let wanted = value("relname")?;
                let schemas = self.schemas.iter();
                Some(
                    schemas
                        .clone()
                        .any(|schema| self.has_relation(schema, &wanted)),
                )
            }
            "pg_indexes" if knows_only(&["indexname", "schemaname", "tablename"]) => {
                let wanted = Name {
                    schema: value("schemaname").unwrap_or_else(|| PUBLIC.to_owned()),
                    name: value("indexname")?,
                };
                Some(self.find_index(&wanted).is_some())
            }
            "pg_constraint" if knows_only(&["conname"]) => {
                let wanted = value("conname")?;
                Some(relations().any(|relation| {
                    relation
                        .constraints
                        .iter()
                        .any(|constraint| constraint.name == wanted)
                }))
            }
            "pg_extension" if knows_only(&["extname"]) => {
                Some(self.catalog.extensions.contains(&value("extname")?))
            }
            "schemata" if knows_only(&["schema_name"]) => {
                Some(self.schemas.contains(&value("schema_name")?))
            }
            "pg_namespace" if knows_only(&["nspname"]) => {
                Some(self.schemas.contains(&value("nspname")?))
            }
            "tables" | "columns" | "pg_tables" => {
                let schema = value("table_schema").or_else(|| value("schemaname"));
                let table = value("table_name").or_else(|| value("tablename"))?;
                let column = value("column_name");
                let known = [
                    "table_schema",
                    "schemaname",
                    "table_name",
                    "tablename",
                    "column_name",
                ];
                if !knows_only(&known) || (column.is_none() && relation == "columns") {
                    return None;
                }
                Some(relations().any(|relation| {
                    relation.name.name == table
                        && schema
                            .as_ref()
                            .is_none_or(|schema| *schema == relation.name.schema)
                        && column.as_ref().is_none_or(|wanted| {
                            relation.columns.iter().any(|column| column.name == *wanted)
                        })
                }))
            }
            _ => None,
        }
    }
}

fn starts_with_not(node: &SyntaxNode) -> bool {
    super::tree::tokens(node)
        .next()
        .is_some_and(|token| token.kind() == SyntaxKind::NOT_KW)
}

/// The columns that a condition of AND sets equal to strings; `None` if it says anything else.
fn equalities(node: &SyntaxNode, found: &mut Vec<(String, String)>) -> Option<()> {
    use SyntaxKind as K;
    if node.kind() == K::PAREN_EXPR {
        return equalities(&node.children().next()?, found);
    }
    if node.kind() != K::BIN_EXPR {
        return None;
    }
    let operands: Vec<_> = node
        .children()
        .filter(|child| !matches!(child.kind(), K::OP | K::CUSTOM_OP))
        .collect();
    let [left, right] = operands.as_slice() else {
        return None;
    };
    let says = |kind| {
        node.children_with_tokens()
            .any(|child| child.kind() == kind)
    };
    if says(K::AND_KW) {
        equalities(left, found)?;
        return equalities(right, found);
    }
    let is_column = matches!(left.kind(), K::NAME_REF | K::FIELD_EXPR);
    let is_equal = super::tree::tokens(node).any(|token| token.text() == "=");
    let literal = match right.kind() {
        K::LITERAL => string(right),
        K::CAST_EXPR => right.children().next().and_then(|inner| string(&inner)),
        _ => None,
    };
    if !is_column || !is_equal {
        return None;
    }
    found.push((name(left), literal?));
    Some(())
}
