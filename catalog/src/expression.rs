//! Comparison of expressions: the text of an author with the text that PostgreSQL writes back.
//!
//! PostgreSQL adds parentheses and casts, and replaces some constructs (`IN` by `= ANY`). Both
//! texts are parsed into trees in which these forms are equal. Casts are left out, since the column
//! decides the type.

mod lexer;
mod operand;
mod parser;
mod value;

use parser::Node;

/// Returns true if two expressions mean the same, as far as their texts show. A text that cannot be
/// parsed is compared token by token.
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (parser::parse(left), parser::parse(right)) {
        (Some(left), Some(right)) => same(&left, &right),
        _ => same_words(left, right),
    }
}

/// Returns true if an expression is NULL. As a default, NULL means no default.
pub(crate) fn is_null(text: &str) -> bool {
    matches!(parser::parse(text), Some(Node::Word(word)) if word == "null")
}

fn same(left: &Node, right: &Node) -> bool {
    match (left, right) {
        (Node::List(left), Node::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same(a, b))
        }
        (Node::Text(left), Node::Text(right)) => value::is_same(left, right),
        // A server adds the schema if the bare name is ambiguous or means another function.
        (Node::Function { name, .. }, Node::Word(word))
        | (Node::Word(word), Node::Function { name, .. }) => name == word,
        (Node::Text(text), Node::Word(word)) | (Node::Word(word), Node::Text(text)) => {
            value::is_boolean(text, word)
        }
        (Node::Text(text), Node::Number(number)) | (Node::Number(number), Node::Text(text)) => {
            value::is_number(text.trim()) && value::number(text.trim()) == *number
        }
        _ => left == right,
    }
}

/// Returns true if two texts have the same tokens, apart from parentheses and the spelling of
/// values. The bounds of partitions, for instance, are not expressions.
fn same_words(left: &str, right: &str) -> bool {
    use lexer::Token;
    let words = |text: &str| {
        let mut tokens = lexer::lex(text)?;
        tokens.retain(|token| !matches!(token, Token::Open | Token::Close));
        Some(tokens)
    };
    // Texts that cannot be split into tokens must be equal character by character.
    let (Some(left), Some(right)) = (words(left), words(right)) else {
        return left.trim() == right.trim();
    };
    let same = |(left, right): (&Token, &Token)| match (left, right) {
        (Token::Text(left), Token::Text(right)) => value::is_same(left, right),
        (Token::Text(text), Token::Number(number)) | (Token::Number(number), Token::Text(text)) => {
            value::is_number(text.trim()) && value::number(text.trim()) == value::number(number)
        }
        // A quoted reserved word is a name, unlike the word without quotes.
        (Token::Word(left), Token::Quoted(right)) | (Token::Quoted(left), Token::Word(right)) => {
            left == right && !lexer::is_reserved(left)
        }
        (left, right) => left.text() == right.text(),
    };
    left.len() == right.len() && left.iter().zip(&right).all(same)
}

#[cfg(test)]
mod tests;
