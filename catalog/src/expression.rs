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
        _ => same_words(left, right),
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
        // A server names the schema where the bare name means another function, or several.
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

/// Whether two texts say the same in the same words, but for brackets and the spelling of values: bounds of
/// partitions, for instance, are no expressions.
fn same_words(left: &str, right: &str) -> bool {
    use lexer::Token;
    let words = |text: &str| {
        let mut tokens = lexer::lex(text)?;
        tokens.retain(|token| !matches!(token, Token::Open | Token::Close));
        Some(tokens)
    };
    // What cannot be cut into words is the same only letter by letter.
    let (Some(left), Some(right)) = (words(left), words(right)) else {
        return left.trim() == right.trim();
    };
    let same = |(left, right): (&Token, &Token)| match (left, right) {
        (Token::Text(left), Token::Text(right)) => value::is_same(left, right),
        (Token::Text(text), Token::Number(number)) | (Token::Number(number), Token::Text(text)) => {
            value::is_number(text.trim()) && value::number(text.trim()) == value::number(number)
        }
        // A reserved word in quotes is another name than without.
        (Token::Word(left), Token::Quoted(right)) | (Token::Quoted(left), Token::Word(right)) => {
            left == right && !lexer::is_reserved(left)
        }
        (left, right) => left.text() == right.text(),
    };
    left.len() == right.len() && left.iter().zip(&right).all(same)
}

#[cfg(test)]
mod tests;
