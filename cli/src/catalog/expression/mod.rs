//! Whether two texts are one expression: as an author wrote it, and as PostgreSQL writes it back.
//!
//! PostgreSQL adds parentheses and casts, and spells some constructs by others (`IN` as `= ANY`). Both texts
//! are read into a tree in which those are one; casts are left out, since the column decides the type.

mod lexer;
mod operand;
mod parser;
mod value;

use parser::Node;

/// Whether two expressions mean one thing, as far as their texts can say; what cannot be read is compared by its words.
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (parser::parse(left), parser::parse(right)) {
        (Some(left), Some(right)) => same(&left, &right),
        _ => words(left) == words(right),
    }
}

/// Whether an expression is NULL, which as a default is none.
pub(crate) fn is_null(text: &str) -> bool {
    matches!(parser::parse(text), Some(Node::Word(word)) if word == "null")
}

fn same(left: &Node, right: &Node) -> bool {
    match (left, right) {
        (Node::List(left), Node::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same(a, b))
        }
        (Node::Text(left), Node::Text(right)) => value::is_same(left, right),
        (Node::Text(text), Node::Word(word)) | (Node::Word(word), Node::Text(text)) => {
            value::is_boolean(text, word)
        }
        (Node::Text(text), Node::Number(number)) | (Node::Number(number), Node::Text(text)) => {
            value::is_number(text.trim()) && value::number(text.trim()) == *number
        }
        _ => left == right,
    }
}

/// The words of a text, without what PostgreSQL adds.
fn words(text: &str) -> Vec<String> {
    let tokens = lexer::lex(text).unwrap_or_default();
    let mut words = Vec::new();
    for token in tokens {
        match token {
            lexer::Token::Open | lexer::Token::Close => {}
            other => words.push(other.text()),
        }
    }
    words
}

#[cfg(test)]
mod tests;
