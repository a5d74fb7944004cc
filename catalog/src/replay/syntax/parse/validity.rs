//! A quick check of a syntax tree, before squawk's validation.
//!
//! The validation of squawk 2.68 tries each node as 45 types, which takes longer than to parse it.
//! It finds errors in few kinds of nodes. A tree without such nodes, or with only plain ones of
//! them, needs no validation. All other trees are validated. A test compares both.

use bowline_sql::string_value;
use rowan::GreenNodeData;
use squawk_parser::{is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword};
use squawk_syntax::SyntaxKind;

use crate::replay::syntax::green::{all_tokens, first_token, has_below, kind, kinds, nodes};
use crate::replay::syntax::parse::is_certainly_parsed;
use crate::replay::syntax::tree::is_trivia;

/// Returns true if squawk's validation certainly finds no error in a tree that was parsed without
/// one. It also validates the strings that are bodies of SQL functions.
pub(crate) fn is_certainly_valid(root: &GreenNodeData) -> bool {
    is_plain(root, None, true)
        && all_tokens(root, &mut |kind, text| match kind {
            SyntaxKind::IDENT => !text.starts_with(['u', 'U']) || !text[1..].starts_with('&'),
            kind => kind != SyntaxKind::UESCAPE_KW,
        })
}

fn is_plain(node: &GreenNodeData, parent: Option<SyntaxKind>, is_last: bool) -> bool {
    if !has_no_error(node, parent, is_last) {
        return false;
    }
    let own = kind(node);
    let mut children = nodes(node).peekable();
    while let Some(child) = children.next() {
        if !is_plain(child, Some(own), children.peek().is_none()) {
            return false;
        }
    }
    true
}

/// Returns true if a node itself certainly has no error. `is_last` is true for the last child node
/// of the parent.
fn has_no_error(node: &GreenNodeData, parent: Option<SyntaxKind>, is_last: bool) -> bool {
    use SyntaxKind as K;
    let has = |wanted| kinds(node).any(|kind| kind == wanted);
    match kind(node) {
        K::ERROR
        | K::AGGREGATE
        | K::ATOMIC_BODY
        | K::CREATE_AGGREGATE
        | K::DISTINCT_ON
        | K::EXCEPT_TABLE_CLAUSE
        | K::JSON_ARRAY_FN
        | K::JSON_OBJECT_FN
        | K::NON_STANDARD_PARAM
        | K::PAREN_FROM_ITEM
        | K::PARTITION_FOR_VALUES_WITH
        | K::PERCENT_TYPE
        | K::RULE_STMT_LIST
        | K::SELECT_INTO
        | K::SET_COLUMN_LIST
        | K::STORAGE_MODE => false,
        K::ARG_LIST => parent == Some(K::CALL_EXPR) || nodes(node).all(is_plain_modifier),
        K::ARRAY_EXPR => !has(K::L_PAREN) && (has(K::ARRAY_KW) || parent == Some(K::ARRAY_EXPR)),
        K::BIN_EXPR => {
            !has(K::OVERLAPS_KW)
                && (!(has(K::IN_KW) || has(K::NOT_IN)) || nodes(node).last().is_some_and(is_list))
        }
        K::CALL_EXPR => is_plain_call(node, is_last && parent == Some(K::BIN_EXPR)),
        K::CREATE_FUNCTION | K::CREATE_PROCEDURE => is_plain_function(node),
        K::CREATE_TABLE => is_plain_table(node),
        K::CUSTOM_OP => u32::from(node.text_len()) <= 63,
        K::DO => nodes(node).count() == 1,
        K::FUNCTION_FROM_ITEM => !has(K::ONLY_KW),
        K::FUNCTION_SIG | K::PROCEDURE_SIG | K::ROUTINE_SIG => !has_below(node, K::PARAM_DEFAULT),
        K::FUNC_OPTION_LIST => has_each_option_once(node),
        K::JOIN_EXPR => nodes(node).any(is_plain_join),
        K::LITERAL => is_plain_literal(node),
        K::NAME_REF => parent == Some(K::CALL_EXPR) || !begins_with_keyword(node),
        K::PREFIX_EXPR => !has(K::CUSTOM_OP),
        K::RELATION_FROM_ITEM => !has(K::LATERAL_KW),
        K::SELECT => is_plain_select(node, parent),
        K::SELECT_CLAUSE => !has(K::DISTINCT_CLAUSE) || has(K::TARGET_LIST),
        K::SET_SINGLE_COLUMN => {
            let expressions = nodes(node).filter(|child| kind(child) == K::SET_EXPR);
            !expressions
                .flat_map(kinds)
                .any(|kind| kind == K::DEFAULT_KW)
        }
        K::SOURCE_FILE => are_separated(node),
        K::TABLE_NAME => !begins_with_keyword(node),
        K::TO_CONFIG_VALUE => has(K::DEFAULT_KW) || nodes(node).next().is_some(),
        _ => true,
    }
}

fn begins_with_keyword(node: &GreenNodeData) -> bool {
    first_token(node).is_some_and(|(kind, _)| is_type_func_name_keyword(kind))
}

/// Returns true for the list or subquery after IN.
fn is_list(node: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    match kind(node) {
        K::PAREN_EXPR => true,
        K::TUPLE_EXPR => nodes(node).next().is_some() && !kinds(node).any(|kind| kind == K::ROW_KW),
        _ => false,
    }
}

/// Returns true for a call of a function with a name of its own, or of COALESCE, GREATEST or LEAST
/// with arguments. ANY and ALL must follow an operator.
fn is_plain_call(node: &GreenNodeData, follows_operator: bool) -> bool {
    use SyntaxKind as K;
    let Some(callee) = nodes(node).next() else {
        return false;
    };
    match kind(callee) {
        K::ANY_FN | K::ALL_FN | K::SOME_FN => follows_operator,
        K::NAME_REF => match first_token(callee) {
            Some((K::COALESCE_KW | K::GREATEST_KW | K::LEAST_KW, _)) => {
                let lists = nodes(node).filter(|child| kind(child) == K::ARG_LIST);
                let mut arguments = lists.flat_map(kinds);
                arguments.any(|kind| kind == K::ARG)
            }
            Some((kind, _)) => !is_col_name_keyword(kind) && !is_reserved_keyword(kind),
            None => true,
        },
        _ => true,
    }
}

/// Returns true for a function with plain parameters and a string as body.
fn is_plain_function(node: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    nodes(node).all(|child| match kind(child) {
        K::RETURN_STMT | K::ATOMIC_BODY => false,
        K::PARAM_LIST => {
            let modes = [K::PARAM_VARIADIC, K::PARAM_OUT, K::PARAM_IN_OUT];
            !modes.into_iter().any(|mode| has_below(child, mode))
        }
        K::FUNC_OPTION_LIST => {
            let mut languages = nodes(child).filter(|it| kind(it) == K::LANGUAGE_FUNC_OPTION);
            let mut bodies = nodes(child).filter(|it| kind(it) == K::AS_FUNC_OPTION);
            !languages.any(is_sql) || bodies.all(is_plain_sql)
        }
        _ => true,
    })
}

fn is_sql(language: &GreenNodeData) -> bool {
    let name = last_token(language).unwrap_or_default();
    name.trim_matches(['\'', '"']).eq_ignore_ascii_case("sql")
}

/// Returns true if the string in the definition of an SQL function certainly has no error.
fn is_plain_sql(definition: &GreenNodeData) -> bool {
    let mut strings = Vec::new();
    all_tokens(definition, &mut |kind, text| {
        if !is_trivia(kind) && kind != SyntaxKind::AS_KW {
            strings.push(text);
        }
        true
    });
    match strings.as_slice() {
        [body] => string_value(body).is_some_and(|body| is_certainly_parsed(&body)),
        _ => false,
    }
}

fn last_token(node: &GreenNodeData) -> Option<&str> {
    let mut last = None;
    all_tokens(node, &mut |kind, text| {
        if !is_trivia(kind) {
            last = Some(text);
        }
        true
    });
    last
}

/// Returns true if each column has a type.
fn is_plain_table(node: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    let mut columns = nodes(node)
        .filter(|child| kind(child) == K::TABLE_ARG_LIST)
        .flat_map(nodes)
        .filter(|element| kind(element) == K::COLUMN);
    columns.all(|column| {
        kinds(column).any(|kind| {
            matches!(
                kind,
                K::ARRAY_TYPE
                    | K::BIT_TYPE
                    | K::BIT_VARYING_TYPE
                    | K::CHARACTER_TYPE
                    | K::DOUBLE_TYPE
                    | K::INTERVAL_TYPE
                    | K::PATH_TYPE
                    | K::TIME_TYPE
                    | K::TIMESTAMP_TYPE
                    | K::VARCHAR_TYPE
            )
        })
    })
}

/// Returns true if no option conflicts with another.
fn has_each_option_once(node: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    let mut seen = 0_u32;
    nodes(node).all(|option| {
        let group = match kind(option) {
            K::AS_FUNC_OPTION => 0,
            K::COST_FUNC_OPTION => 1,
            K::LANGUAGE_FUNC_OPTION => 2,
            K::IMMUTABLE | K::STABLE | K::VOLATILE => 3,
            K::PARALLEL_FUNC_OPTION => 4,
            K::ROWS_FUNC_OPTION => 5,
            K::SECURITY_DEFINER_FUNC_OPTION | K::SECURITY_INVOKER_FUNC_OPTION => 6,
            K::STRICT_FUNC_OPTION => 7,
            K::SET_FUNC_OPTION => return true,
            _ => return false,
        };
        let is_first = seen & (1 << group) == 0;
        seen |= 1 << group;
        is_first
    })
}

/// Returns true for a join with ON.
fn is_plain_join(node: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    let has = |wanted| kinds(node).any(|kind| kind == wanted);
    kind(node) == K::JOIN && has(K::ON_CLAUSE) && !has(K::NATURAL_KW) && !has(K::JOIN_CROSS)
}

/// Returns true for a literal of one token, which is neither DEFAULT nor a string with Unicode
/// escapes.
fn is_plain_literal(node: &GreenNodeData) -> bool {
    let mut kinds = kinds(node);
    let first = kinds.next();
    let is_plain = !matches!(
        first,
        None | Some(SyntaxKind::UNICODE_ESC_STRING | SyntaxKind::DEFAULT_KW)
    );
    is_plain && kinds.next().is_none()
}

/// Returns true for an argument of a type, such as the length of `varchar(30)`, that is a number.
fn is_plain_modifier(argument: &GreenNodeData) -> bool {
    use SyntaxKind as K;
    let mut values = argument.children();
    let value = values.next().and_then(rowan::NodeOrToken::into_node);
    kind(argument) == K::ARG
        && values.next().is_none()
        && value.is_some_and(|value| {
            kind(value) == K::LITERAL && kinds(value).all(|kind| kind == K::INT_NUMBER)
        })
}

/// Returns true for a query that begins with SELECT.
fn is_plain_select(node: &GreenNodeData, parent: Option<SyntaxKind>) -> bool {
    use SyntaxKind as K;
    let mut clauses = nodes(node).filter(|child| kind(child) != K::WITH_CLAUSE);
    let Some(first) = clauses
        .next()
        .filter(|first| kind(first) == K::SELECT_CLAUSE)
    else {
        return false;
    };
    match parent {
        Some(K::TUPLE_EXPR) => false,
        Some(K::PAREN_EXPR) => kinds(first).any(|kind| kind == K::TARGET_LIST),
        _ => true,
    }
}

/// Returns true if each statement but the last ends with a semicolon.
fn are_separated(file: &GreenNodeData) -> bool {
    let mut statements = nodes(file).peekable();
    while let Some(statement) = statements.next() {
        if statements.peek().is_some() && !ends_with_semicolon(statement) {
            return false;
        }
    }
    true
}

fn ends_with_semicolon(node: &GreenNodeData) -> bool {
    match node.children().last() {
        Some(rowan::NodeOrToken::Node(node)) => ends_with_semicolon(node),
        Some(rowan::NodeOrToken::Token(token)) => {
            SyntaxKind::from(token.kind().0) == SyntaxKind::SEMICOLON
        }
        None => false,
    }
}
