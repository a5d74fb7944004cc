//! Reads an expression as text: the columns, functions and types that it names.

use bowline_sql::Token;
use bowline_sql::quote::{self, identifier as quoted};
use squawk_syntax::{SyntaxKind, SyntaxNode, SyntaxToken};

use crate::replay::syntax::parse::parse_again;
use crate::replay::syntax::tree::{is_trivia, name, tokens, truncate};
use crate::replay::syntax::type_name;

/// Returns the first child that is an expression, which is any node except those of these kinds.
pub(crate) fn expression(node: &SyntaxNode) -> Option<SyntaxNode> {
    use SyntaxKind::{CONSTRAINT_NAME_CLAUSE, GENERATED_ALWAYS, STORED, VIRTUAL};
    node.children().find(|child| {
        !matches!(
            child.kind(),
            CONSTRAINT_NAME_CLAUSE | GENERATED_ALWAYS | STORED | VIRTUAL
        )
    })
}

/// Returns the columns that an expression names, each once, in the order of their first appearance.
pub(crate) fn columns_in(expression: &SyntaxNode) -> Vec<String> {
    let mut columns = Vec::new();
    for reference in expression.descendants().filter(is_column) {
        let column = name(&reference);
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// Returns the expression with a column renamed.
pub(crate) fn rename_in(expression: &str, from: &str, to: &str) -> String {
    let mut renamed = expression.to_owned();
    for range in references(expression, from).into_iter().rev() {
        renamed.replace_range(range, &quoted(to));
    }
    renamed
}

/// Returns true if an expression names this column.
pub(crate) fn mentions(expression: &str, column: &str) -> bool {
    !references(expression, column).is_empty()
}

/// Returns the positions where an expression names a column, and not a function, type or string.
fn references(expression: &str, column: &str) -> Vec<std::ops::Range<usize>> {
    const BEFORE: &str = "SELECT ";
    if !has_word(expression, column) {
        return Vec::new();
    }
    parse_again(&format!("{BEFORE}{expression}"))
        .descendants()
        .filter(|node| is_column(node) && name(node) == column)
        .filter_map(|node| {
            let range = node.text_range();
            let start = usize::from(range.start()).checked_sub(BEFORE.len())?;
            let end = usize::from(range.end()).checked_sub(BEFORE.len())?;
            (end <= expression.len()).then_some(start..end)
        })
        .collect()
}

fn is_column(node: &SyntaxNode) -> bool {
    let is_function = node.parent().is_some_and(|parent| {
        parent.kind() == SyntaxKind::CALL_EXPR && parent.children().next().as_ref() == Some(node)
    });
    node.kind() == SyntaxKind::NAME_REF && !is_function && !is_keyword(node)
}

/// Returns true if a name is a reserved word, such as `user`, which is not a column without quotes
/// or a table before it.
fn is_keyword(node: &SyntaxNode) -> bool {
    let Some(token) = tokens(node).next() else {
        return false;
    };
    let mut before = std::iter::successors(token.prev_token(), SyntaxToken::prev_token);
    let before = before.find(|token| !is_trivia(token.kind()));
    let is_behind_dot = before.is_some_and(|before| before.kind() == SyntaxKind::DOT);
    !is_behind_dot && is_reserved(token.text())
}

/// Returns true if a word without quotes cannot name a column.
pub(crate) fn is_reserved(word: &str) -> bool {
    let category = quote::category(&word.to_ascii_lowercase());
    category.is_some_and(|category| category != quote::Category::Column)
}

/// Returns true if an expression casts to a type of this name.
pub(crate) fn casts_to(expression: &str, data_type: &str) -> bool {
    if !has_word(expression, data_type) {
        return false;
    }
    parse_again(&format!("SELECT {expression}"))
        .descendants()
        .filter(|node| node.kind() == SyntaxKind::CAST_EXPR)
        .flat_map(|cast| cast.children().collect::<Vec<_>>())
        .any(|part| type_name::is_type(part.kind()) && name(&part) == data_type)
}

/// Returns true if a text contains an identifier, as a column, a type or a function.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    bowline_sql::tokens(text).any(|token| is_identifier(&token, word))
}

/// Returns true if a token is this identifier.
fn is_identifier(token: &Token<'_>, name: &str) -> bool {
    token.name().is_some_and(|own| truncate(&own) == name)
}

/// Returns true if an expression calls this function.
pub(crate) fn calls(expression: &str, function: &str) -> bool {
    let tokens: Vec<Token<'_>> = bowline_sql::tokens(expression).collect();
    tokens
        .windows(2)
        .any(|pair| is_identifier(&pair[0], function) && pair[1].is("("))
}

/// Returns the parts of a dotted name in a text.
pub(crate) fn words(text: &str) -> Vec<String> {
    let names = bowline_sql::tokens(text).filter_map(|token| token.name());
    names.map(|name| truncate(&name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_leaves_strings_and_longer_names_alone() {
        assert_eq!(
            rename_in("a > 'a' AND ab = \"a\"", "a", "new name"),
            "\"new name\" > 'a' AND ab = \"new name\""
        );
        assert!(!mentions("lower('email')", "email"));
    }

    #[test]
    fn a_column_renamed_to_a_reserved_word_is_quoted() {
        for word in ["user", "order", "current_date", "left", "values", "select"] {
            let renamed = rename_in(
                "state <> 'state' AND /* state */ state > f(state)",
                "state",
                word,
            );
            assert_eq!(
                renamed,
                format!("\"{word}\" <> 'state' AND /* state */ \"{word}\" > f(\"{word}\")")
            );
        }
        assert_eq!(rename_in("a > 0", "a", "name"), "name > 0");
    }

    #[test]
    fn a_keyword_is_a_column_only_in_quotes_or_after_a_dot() {
        let text = "\"user\" <> user AND t.user <> CURRENT_USER AND user > t.\"user\"";
        assert_eq!(
            rename_in(text, "user", "owner"),
            "owner <> user AND t.owner <> CURRENT_USER AND user > t.owner"
        );
        assert!(!mentions("session_user = 'ann'", "session_user"));
        assert!(mentions("\"session_user\" = 'ann'", "session_user"));
    }

    #[test]
    fn a_long_name_is_cut_at_the_border_of_a_character() {
        let name = format!("{}é", "x".repeat(62));
        assert_eq!(truncate(&name).len(), 62);
    }
}
