//! Binary operators by their precedence (manual, 4.1.6). The nesting of the tree is not used.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree::{is_trivia, tokens};

/// An operand, or the operator between two.
pub(crate) enum Piece {
    Operand(SyntaxNode),
    Operator(String),
}

/// Collects the operands and operators of an expression in their order in the text.
pub(crate) fn flatten(node: &SyntaxNode, pieces: &mut Vec<Piece>) {
    for part in node.children_with_tokens() {
        match part {
            squawk_syntax::SyntaxElement::Node(part) => match part.kind() {
                SyntaxKind::BIN_EXPR => flatten(&part, pieces),
                kind if is_operator_node(kind) => pieces.push(Piece::Operator(words(&part))),
                _ => pieces.push(Piece::Operand(part)),
            },
            squawk_syntax::SyntaxElement::Token(token) if is_trivia(token.kind()) => {}
            squawk_syntax::SyntaxElement::Token(token) => {
                pieces.push(Piece::Operator(token.text().to_ascii_lowercase()));
            }
        }
    }
}

fn is_operator_node(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::CUSTOM_OP
            | K::OP
            | K::OPERATOR_CALL
            | K::AT_TIME_ZONE
            | K::AT_LOCAL
            | K::IS_DISTINCT_FROM
            | K::IS_NOT_DISTINCT_FROM
            | K::IS_NOT
            | K::NOT_IN
            | K::NOT_LIKE
            | K::NOT_ILIKE
            | K::NOT_SIMILAR_TO
            | K::SIMILAR_TO
            | K::IS_JSON
            | K::IS_NOT_JSON
    )
}

/// Returns the operator's words in lower case: `||`, `at time zone`, `and`.
fn words(operator: &SyntaxNode) -> String {
    use SyntaxKind as K;
    match operator.kind() {
        K::CUSTOM_OP | K::OP => tokens(operator)
            .map(|token| token.text().to_owned())
            .collect(),
        K::OPERATOR_CALL => tokens(operator)
            .filter(|token| {
                !matches!(
                    token.kind(),
                    K::OPERATOR_KW | K::L_PAREN | K::R_PAREN | K::IDENT | K::DOT
                )
            })
            .map(|token| token.text().to_owned())
            .collect(),
        _ => {
            let all: Vec<_> = tokens(operator)
                .map(|token| token.text().to_ascii_lowercase())
                .collect();
            all.join(" ")
        }
    }
}

pub(crate) fn precedence(operator: &str) -> u8 {
    match operator {
        "or" => 1,
        "and" => 2,
        _ if operator.starts_with("is") => 4,
        "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" => 5,
        "like" | "ilike" | "in" | "similar to" | "not in" | "not like" | "not ilike"
        | "overlaps" => 6,
        "+" | "-" => 8,
        "*" | "/" | "%" => 9,
        "^" => 10,
        "at time zone" | "at local" => 11,
        _ => 7,
    }
}
