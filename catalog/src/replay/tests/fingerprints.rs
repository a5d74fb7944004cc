//! A fingerprint depends on the parser's tokens, and on nothing else.

use bowline_migrations::fingerprint;
use proptest::prelude::*;
use squawk_syntax::ast::AstNode as _;
use squawk_syntax::{SourceFile, SyntaxKind};

/// Characters that begin and end strings and comments, and characters that could be mistaken for
/// them.
fn marks() -> impl Strategy<Value = String> {
    let parts = [
        "'", "''", "\"", "\\", "$", "$a$", "$$", "--", "-", "/*", "*/", "/", "*", "\n", " ", "e",
        "E'", "a", "1", ".", "é", "x'", "U&'", "u&\"", "E'\\'", "E'a'\n", "'\\'", "--'\n", ";",
        "(", ")", "::", "@", "+",
    ];
    let part = prop::sample::select(parts.to_vec());
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

/// Returns the parser's tokens and the gaps between them, each with its text.
fn tokens(text: &str) -> Vec<(bool, String)> {
    let parse = SourceFile::parse(text);
    let tokens = parse.tree().syntax().descendants_with_tokens();
    let tokens = tokens.filter_map(|element| element.into_token());
    tokens
        .map(|token| {
            let is_gap = matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT);
            (is_gap, token.text().to_owned())
        })
        .collect()
}

/// Returns true if an escape string continues on a later line. The parser takes the continuation
/// for a string without escapes.
fn continues(tokens: &[(bool, String)]) -> bool {
    let mut before = "";
    tokens
        .iter()
        .filter(|(is_gap, _)| !is_gap)
        .any(|(_, text)| {
            let continues =
                text.starts_with('\'') && before.starts_with(['e', 'E']) && before.ends_with('\'');
            before = text;
            continues
        })
}

/// Returns true for a dollar sign and a name. The server reads two tokens, of which the second may
/// be the beginning of a string.
fn is_lone_dollar(text: &str) -> bool {
    text.starts_with('$') && !text[1..].contains('$')
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]
    #[test]
    fn white_space_does_not_count_and_tokens_do(text in marks()) {
        let tokens = tokens(&text);
        if continues(&tokens) || tokens.iter().any(|(_, text)| is_lone_dollar(text)) {
            return Ok(());
        }
        let bare: String = tokens
            .iter()
            .map(|(is_gap, text)| match is_gap {
                true if text.contains('\n') => "\n",
                true => " ",
                false => text,
            })
            .collect();
        prop_assert_eq!(fingerprint(&text), fingerprint(&bare), "{:?} {:?}", tokens, bare);
        for at in 0..tokens.len() {
            if tokens[at].0 {
                continue;
            }
            let without: String = tokens
                .iter()
                .enumerate()
                .map(|(other, (_, text))| if other == at { " " } else { text.as_str() })
                .collect();
            prop_assert_ne!(fingerprint(&text), fingerprint(&without), "{:?} without {}", tokens, at);
        }
    }
}
