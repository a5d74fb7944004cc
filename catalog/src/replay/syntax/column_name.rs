//! The name of a column that has no alias (`FigureColname` of PostgreSQL).

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree::{begins_with_between, child, is_query, name};
use crate::replay::syntax::type_name::{self, stored_name};

/// Returns the column name of a JSON or XML function that has a syntax of its own.
pub(crate) fn function_column_name(kind: SyntaxKind) -> Option<&'static str> {
    use SyntaxKind as K;
    Some(match kind {
        K::JSON_OBJECT_FN => "json_object",
        K::JSON_ARRAY_FN => "json_array",
        K::JSON_OBJECT_AGG_FN => "json_objectagg",
        K::JSON_ARRAY_AGG_FN => "json_arrayagg",
        K::JSON_SCALAR_FN => "json_scalar",
        K::JSON_FN => "json",
        K::JSON_QUERY_FN => "json_query",
        K::JSON_VALUE_FN => "json_value",
        K::JSON_SERIALIZE_FN => "json_serialize",
        K::JSON_EXISTS_FN => "json_exists",
        K::XML_EXISTS_FN => "xmlexists",
        K::XML_ELEMENT_FN => "xmlelement",
        K::XML_FOREST_FN => "xmlforest",
        K::XML_PI_FN => "xmlpi",
        K::XML_ROOT_FN => "xmlroot",
        K::XML_PARSE_FN => "xmlparse",
        K::XML_SERIALIZE_FN => "xmlserialize",
        _ => return None,
    })
}

/// Returns the name that PostgreSQL gives to a column of this expression.
pub(crate) fn column_name(expression: &SyntaxNode) -> String {
    column_name_with(expression, &|_| None)
}

/// Returns the name that PostgreSQL gives to a column of this expression. `first` returns the name
/// of the first column of a query within it, where more is known than the syntax.
pub(crate) fn column_name_with(expression: &SyntaxNode, first: FirstColumn) -> String {
    find_name(expression, first).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// Returns the name that PostgreSQL gives to an index column of this expression.
pub(crate) fn index_column_name(expression: &SyntaxNode) -> String {
    find_name(expression, &|_| None).map_or_else(|| "expr".to_owned(), |(name, _)| name)
}

/// A function that returns the name of the first column of a query, if it is known.
pub(crate) type FirstColumn<'a> = &'a dyn Fn(&SyntaxNode) -> Option<String>;

/// The strength of a name. The weak name of a cast or CASE yields to a strong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Weak,
    Strong,
}

fn find_name(node: &SyntaxNode, known: FirstColumn) -> Option<(String, Strength)> {
    use SyntaxKind as K;
    let strong = |name: &str| Some((name.to_owned(), Strength::Strong));
    let first = || node.children().next();
    if node
        .next_sibling()
        .is_some_and(|next| begins_with_between(&next))
    {
        return None;
    }
    match node.kind() {
        kind if is_query(kind) => name_of_query(node, known),
        K::NAME_REF => Some((name(node), Strength::Strong)),
        K::FIELD_EXPR => Some((
            node.children().last().map(|field| name(&field))?,
            Strength::Strong,
        )),
        K::PAREN_EXPR => {
            let inner = first()?;
            if is_query(inner.kind()) {
                name_of_query(&inner, known)
            } else {
                find_name(&inner, known)
            }
        }
        K::INDEX_EXPR | K::SLICE_EXPR | K::COLLATE => find_name(&first()?, known),
        K::ARRAY_EXPR => strong("array"),
        K::TUPLE_EXPR => strong("row"),
        K::CASE_EXPR => {
            let otherwise = child(node, K::ELSE_CLAUSE).and_then(|clause| clause.children().next());
            match otherwise.and_then(|otherwise| find_name(&otherwise, known)) {
                Some((name, Strength::Strong)) => Some((name, Strength::Strong)),
                _ => Some(("case".to_owned(), Strength::Weak)),
            }
        }
        K::CAST_EXPR => {
            let is_type = |part: &SyntaxNode| type_name::is_type(part.kind());
            let inner = node
                .children()
                .find(|part| !is_type(part) && part.kind() != K::COLON_COLON);
            match inner.and_then(|inner| find_name(&inner, known)) {
                Some((name, Strength::Strong)) => Some((name, Strength::Strong)),
                _ => {
                    let data_type = node.children().find(is_type)?;
                    Some((stored_name(&data_type), Strength::Weak))
                }
            }
        }
        K::POSTFIX_EXPR if child(node, K::IS_NORMALIZED).is_some() => strong("is_normalized"),
        K::BIN_EXPR => {
            let has = |kind| node.children().any(|part| part.kind() == kind);
            let overlaps = node
                .children_with_tokens()
                .any(|part| part.kind() == K::OVERLAPS_KW);
            if has(K::AT_TIME_ZONE) || has(K::AT_LOCAL) {
                strong("timezone")
            } else if overlaps {
                strong("overlaps")
            } else {
                None
            }
        }
        K::CALL_EXPR => {
            let callee = first()?;
            match callee.kind() {
                K::NAME_REF | K::FIELD_EXPR => find_name(&callee, known),
                K::EXISTS_FN => strong("exists"),
                K::EXTRACT_FN => strong("extract"),
                K::SUBSTRING_FN => strong("substring"),
                K::POSITION_FN => strong("position"),
                K::OVERLAY_FN => strong("overlay"),
                K::TRIM_FN => {
                    let has = |kind| callee.children().any(|part| part.kind() == kind);
                    strong(if has(K::TRIM_LEADING) {
                        "ltrim"
                    } else if has(K::TRIM_TRAILING) {
                        "rtrim"
                    } else {
                        "btrim"
                    })
                }
                K::COLLATION_FOR_FN => strong("pg_collation_for"),
                kind => function_column_name(kind).and_then(strong),
            }
        }
        _ => None,
    }
}

/// Returns the name of the only column of a subquery.
fn name_of_query(query: &SyntaxNode, known: FirstColumn) -> Option<(String, Strength)> {
    use SyntaxKind as K;
    if let Some(name) = known(query) {
        return Some((name, Strength::Strong));
    }
    match query.kind() {
        K::PAREN_SELECT | K::PAREN_EXPR | K::COMPOUND_SELECT => {
            let is_part = |part: &SyntaxNode| is_query(part.kind()) || part.kind() == K::PAREN_EXPR;
            name_of_query(&query.children().find(is_part)?, known)
        }
        K::VALUES => Some(("column1".to_owned(), Strength::Strong)),
        _ => {
            let list = child(&child(query, K::SELECT_CLAUSE)?, K::TARGET_LIST)?;
            let target = list.children().next()?;
            match child(&target, K::AS_NAME) {
                Some(alias) => Some((name(&alias), Strength::Strong)),
                // Whatever its name is, it is one.
                None => {
                    let expression = target.children().next()?;
                    Some((column_name(&expression), Strength::Strong))
                }
            }
        }
    }
}
