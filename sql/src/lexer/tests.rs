use proptest::prelude::*;

use super::*;

fn all(text: &str) -> Vec<(Kind, &str)> {
    tokens_and_comments(text)
        .map(|token| (token.kind(), token.text()))
        .collect()
}

fn only(text: &str) -> Token<'_> {
    let mut found = tokens(text);
    found.next().expect("there is a token")
}

#[test]
fn each_token_has_its_kind() {
    use Kind::*;
    assert_eq!(
        all("SELECT \"a\",U&\"b\"::int4[1]->>'c' + $1*.5e-3 /* d /* e */ */ --f\n;"),
        [
            (Word, "SELECT"),
            (QuotedName, "\"a\""),
            (Punctuation, ","),
            (QuotedName, "U&\"b\""),
            (Punctuation, "::"),
            (Word, "int4"),
            (Punctuation, "["),
            (Number, "1"),
            (Punctuation, "]"),
            (Operator, "->>"),
            (String, "'c'"),
            (Operator, "+"),
            (Parameter, "$1"),
            (Operator, "*"),
            (Number, ".5e-3"),
            (Comment, "/* d /* e */ */"),
            (Comment, "--f"),
            (Punctuation, ";"),
        ]
    );
    for string in [
        "'a'",
        "E'a'",
        "n'a'",
        "B'1'",
        "x'f'",
        "u&'a'",
        "$$a$$",
        "$a_1$b$c$a_1$",
    ] {
        assert_eq!(all(string), [(String, string)]);
    }
}

#[test]
fn a_quote_or_dash_does_not_always_begin_a_token() {
    use Kind::*;
    assert_eq!(all("a$b$c"), [(Word, "a$b$c")]);
    assert_eq!(all("$"), [(Punctuation, "$")]);
    assert_eq!(all("ne'a'"), [(Word, "ne"), (String, "'a'")]);
    assert_eq!(all("@-- a"), [(Operator, "@"), (Comment, "-- a")]);
    assert_eq!(
        all("1..2"),
        [(Number, "1"), (Punctuation, ".."), (Number, "2")]
    );
    assert_eq!(all("*/"), [(Operator, "*/")]);
}

#[test]
fn words_ignore_case_and_quoted_names_are_no_keywords() {
    assert!(only("CoPy").is_word("copy"));
    assert!(!only("\"copy\"").is_word("copy"));
    assert!(only("Set").is_one_of(&["reset", "set"]));
    assert!(only("<=").is("<="));
    assert!(!only("'<='").is("<="));
}

#[test]
fn a_name_is_decoded_like_in_postgresql() {
    let name = |text| only(text).name().map(Cow::into_owned);
    assert_eq!(name("aBÉ"), Some("abÉ".to_owned()));
    assert_eq!(name("\"aB\"\"c\""), Some("aB\"c".to_owned()));
    assert_eq!(name("U&\"set\\005fconfig\""), Some("set_config".to_owned()));
    assert_eq!(
        name("u&\"a!005fb\" /* c */ UESCAPE '!'"),
        Some("a_b".to_owned())
    );
    assert_eq!(name("U&\"\\+01F600\""), Some("😀".to_owned()));
    assert_eq!(name("U&\"\\D83D\\DE00\""), Some("😀".to_owned()));
    assert_eq!(name("U&\"a\\\\b\""), Some("a\\b".to_owned()));
    for refused in [
        "U&\"\\00g1\"",
        "U&\"\\D83D\"",
        "U&\"\\0000\"",
        "\"a",
        "'a'",
        "1",
        "U&\"\\é\"",
    ] {
        assert_eq!(name(refused), None, "{refused}");
    }
}

#[test]
fn a_string_is_decoded_like_in_postgresql() {
    let value = |text| only(text).value().map(Cow::into_owned);
    for (text, held) in [
        ("'it''s'", "it's"),
        ("'\\n'", "\\n"),
        ("E'\\n\\'\\\\\\q'''", "\n'\\q'"),
        ("e'\\x41\\102\\u0043\\U00000044'", "ABCD"),
        ("E'\\xc3\\xa9'", "é"),
        ("E'\\uD83D\\uDE00'", "😀"),
        ("E'\\é\\x'", "éx"),
        ("U&'d!0061t\\' UESCAPE '!'", "dat\\"),
        ("$a$it's$$$a$", "it's$$"),
        ("$$$$", ""),
        ("n'é'", "é"),
        ("B'01'", "01"),
    ] {
        assert_eq!(value(text).as_deref(), Some(held), "{text}");
    }
    for refused in [
        "'a",
        "E'\\u00g0'",
        "E'\\377'",
        "E'\\0'",
        "$$a",
        "$a$b$$",
        "E'a\\",
        "a",
        "$$",
    ] {
        assert_eq!(value(refused), None, "{refused}");
    }
}

#[test]
fn a_string_continues_in_the_next_line() {
    let parts: Vec<_> = tokens("E'a' -- x\n '\\n' 'b'").collect();
    let continues: Vec<_> = parts.iter().map(Token::continues).collect();
    assert_eq!(continues, [false, true, false]);
    assert_eq!(parts[1].value().unwrap(), "\n");
    assert!(tokens("'a' /*\n*/ 'b'").all(|token| !token.continues()));
    assert!(tokens("$$a$$\n'b'").all(|token| !token.continues()));
}

#[test]
fn a_string_has_one_value_in_every_notation() {
    let value = |text| string_value(text);
    assert_eq!(value(" 'a' -- x\n 'b'\n'c' ").as_deref(), Some("abc"));
    assert_eq!(value("E'\\n'\n'\\t'").as_deref(), Some("\n\t"));
    assert_eq!(
        value("U&'!0061'\n'!0062' UESCAPE '!'").as_deref(),
        Some("ab")
    );
    assert_eq!(value("$x$a'b$x$").as_deref(), Some("a'b"));
    for other in [
        "'a' 'b'",
        "B'1'",
        "x'f'",
        "a",
        "'a' UESCAPE '!'",
        "'a'::text",
        "",
        "'a",
    ] {
        assert_eq!(value(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn tokens_and_white_space_make_up_the_text(text in "([-a'\"$/*\\\\ \\n.:e1&u;=+é(]|U&|E'|--|/\\*){0,24}") {
        let mut end = 0;
        for token in tokens_and_comments(&text) {
            prop_assert!(text[end..token.start()].trim_ascii().trim_matches('\x0b').is_empty());
            prop_assert!(token.end() > token.start());
            end = token.end();
        }
        prop_assert!(text[end..].trim_ascii().is_empty());
    }

    #[test]
    fn anything_can_be_read_and_decoded(text in "([\\PC]|[\\\\'\"0-9a-fUuxE&+$]|UESCAPE){0,24}") {
        for token in tokens_and_comments(&text) {
            let _ = (token.name(), token.value(), token.prefix());
        }
    }
}
