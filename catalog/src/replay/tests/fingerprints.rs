//! A fingerprint covers the tokens of the parser, and nothing else.

use bowline_migrations::fingerprint;
use proptest::prelude::*;
use squawk_syntax::ast::AstNode as _;
use squawk_syntax::{SourceFile, SyntaxKind};

/// Marks that open and end strings and comments, and what could be mistaken for them.
fn marks() -> impl Strategy<Value = String> {
    let parts = [
        "'", "''", "\"", "\\", "$", "$a$", "$$", "--", "-", "/*", "*/", "/", "*", "\n", " ", "e",
        "E'", "a", "1", ".", "é", "x'", "U&'", "u&\"", "E'\\'", "E'a'\n", "'\\'", "--'\n", ";",
        "(", ")", "::", "@", "+",
    ];
    let part = prop::sample::select(parts.to_vec());
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

/// The parser's tokens and what stands between them: whether it is a gap, and its text.
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

/// Whether an escape string goes on in a later line, which the parser takes for another string without escapes.
fn goes_on(tokens: &[(bool, String)]) -> bool {
    let mut before = "";
    tokens
        .iter()
        .filter(|(is_gap, _)| !is_gap)
        .any(|(_, text)| {
            let goes_on =
                text.starts_with('\'') && before.starts_with(['e', 'E']) && before.ends_with('\'');
            before = text;
            goes_on
        })
}

/// A dollar and a name, which to the server are two tokens: the second may be the beginning of a string.
fn is_lone_dollar(text: &str) -> bool {
    text.starts_with('$') && !text[1..].contains('$')
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]
    #[test]
    fn what_the_parser_takes_for_a_gap_does_not_count_and_what_it_takes_for_a_token_does(text in marks()) {
        let tokens = tokens(&text);
        if goes_on(&tokens) || tokens.iter().any(|(_, text)| is_lone_dollar(text)) {
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
