//! The operands and operators of an expression in the order of the text, without the nesting of the
//! syntax tree.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

use super::{Span, span_of};
use crate::replay::syntax::tree::{is_trivia, seen, tokens};

/// An operand, or a word or sign between two.
#[derive(Debug)]
pub(super) enum Piece {
    Operand(SyntaxNode),
    Sign(String, Span),
}

/// Returns true for an expression of operands and operators.
pub(super) fn is_operator(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::BIN_EXPR | K::PREFIX_EXPR | K::POSTFIX_EXPR | K::BETWEEN_EXPR
    )
}

/// Lists the operands and signs of an expression in the order of the text.
pub(super) fn flatten(node: &SyntaxNode, pieces: &mut Vec<Piece>) {
    use SyntaxKind as K;
    if !is_operator(node.kind()) {
        pieces.push(Piece::Operand(node.clone()));
        return;
    }
    for part in node.children_with_tokens() {
        match part {
            SyntaxElement::Node(part) => match seen(part.kind()) {
                kind if is_operator(kind) => flatten(&part, pieces),
                K::CUSTOM_OP | K::OP => {
                    let sign = tokens(&part).map(|token| token.text().to_owned()).collect();
                    pieces.push(Piece::Sign(sign, span_of(&part)));
                }
                K::OPERATOR_CALL => {
                    let is_sign = |kind| {
                        !matches!(
                            kind,
                            K::OPERATOR_KW | K::L_PAREN | K::R_PAREN | K::IDENT | K::DOT
                        )
                    };
                    let signs = tokens(&part).filter(|token| is_sign(token.kind()));
                    let sign: String = signs.map(|token| token.text().to_owned()).collect();
                    pieces.push(Piece::Sign(format!("operator {sign}"), span_of(&part)));
                }
                K::IS_DISTINCT_FROM
                | K::IS_NOT_DISTINCT_FROM
                | K::IS_NOT
                | K::IS_NORMALIZED
                | K::IS_NOT_NORMALIZED
                | K::IS_JSON
                | K::IS_NOT_JSON
                | K::NOT_IN
                | K::NOT_LIKE
                | K::NOT_ILIKE
                | K::NOT_SIMILAR_TO
                | K::SIMILAR_TO
                | K::AT_TIME_ZONE
                | K::AT_LOCAL
                | K::SYMMETRIC => {
                    let words: Vec<String> = tokens(&part)
                        .map(|token| token.text().to_ascii_lowercase())
                        .collect();
                    pieces.push(Piece::Sign(words.join(" "), span_of(&part)));
                }
                _ => pieces.push(Piece::Operand(part)),
            },
            SyntaxElement::Token(token) if is_trivia(token.kind()) => {}
            SyntaxElement::Token(token) => {
                let range = token.text_range();
                let span = range.start().into()..range.end().into();
                pieces.push(Piece::Sign(token.text().to_ascii_lowercase(), span));
            }
        }
    }
}
