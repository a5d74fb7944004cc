//! The fingerprint of a migration: a number that changes when its SQL changes.

use bowline_sql::{Kind, tokens_and_comments};

/// Returns the fingerprint of SQL: the 64-bit FNV-1a hash of its tokens.
///
/// Comments and white space between tokens are not hashed. The exceptions are `-- bowline:`
/// comments, which change the generated code. Everything else is hashed, even where PostgreSQL
/// ignores the difference, such as the case of a keyword. Comments within a string, such as the
/// body of a function, are hashed too. CR LF is hashed as LF.
///
/// Each token is hashed as it is written, followed by the byte FF. A `-- bowline:` comment is
/// hashed as the byte FE, the text after the colon, and the byte FF. Neither byte occurs in UTF-8.
pub fn fingerprint(sql: &str) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for token in tokens_and_comments(sql) {
        if token.kind() == Kind::Comment {
            let Some(text) = directive(token.text()) else {
                continue;
            };
            hash.add(&[0xfe]);
            hash.add(text.as_bytes());
        } else {
            add_text(&mut hash, token.text());
        }
        hash.add(&[0xff]);
    }
    hash.0
}

/// Returns the fingerprint of a query file: the hash of its tokens and comments.
///
/// Comments are hashed, since the headers of the queries are comments. White space between tokens
/// is not, except the line breaks that separate comments.
pub fn query_fingerprint(sql: &str) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for token in tokens_and_comments(sql) {
        if token.kind() == Kind::Comment {
            hash.add(&[0xfe]);
        }
        add_text(&mut hash, token.text().trim_end());
        hash.add(&[0xff]);
    }
    hash.0
}

/// Returns the hash of a text that is not SQL.
pub(crate) fn text_fingerprint(text: &str) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    add_text(&mut hash, text);
    hash.0
}

/// Hashes a text with LF for each CR LF. git may write CR LF on checkout, also within strings.
fn add_text(hash: &mut Fnv, text: &str) {
    for (number, line) in text.split("\r\n").enumerate() {
        if number > 0 {
            hash.add(b"\n");
        }
        hash.add(line.as_bytes());
    }
}

/// Returns the text of a `-- bowline:` comment, as replay reads it; `None` for other comments.
fn directive(comment: &str) -> Option<&str> {
    let text = comment.strip_prefix("--")?.trim();
    Some(text.strip_prefix("bowline:")?.trim())
}

/// An FNV-1a hasher. Its result is the same in all versions of Rust, unlike that of the standard
/// library's hasher.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn same(a: &str, b: &str) {
        assert_eq!(fingerprint(a), fingerprint(b), "{a:?} and {b:?}");
    }

    #[track_caller]
    fn differ(a: &str, b: &str) {
        assert_ne!(fingerprint(a), fingerprint(b), "{a:?} and {b:?}");
    }

    #[test]
    fn generated_code_has_these_fingerprints() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("SELECT 1;"), 0x5e51_e1c4_6235_7ef0);
    }

    #[test]
    fn comments_and_white_space_do_not_count() {
        same("SELECT 1;", "\u{c}\n SELECT/* a */1 -- b\r\n;\n--");
        same("a=b", "a = b");
        same("a /* x /* y */ z */ b", "a b");
        same("f(1,2)", "f ( 1 , 2 )");
        same("a::int", "a :: int");
        same("a.b", "a . b");
    }

    #[test]
    fn all_kinds_of_line_breaks_count_the_same() {
        for sql in [
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT 1;\n\n$$;\n-- bowline: ignore\nSELECT 'a\nb';",
            "SELECT E'a\n\\\nb', \"a\nb\"",
            "SELECT 'a'\n'b'",
        ] {
            same(sql, &sql.replace('\n', "\r\n"));
        }
        differ("SELECT 'a\rb'", "SELECT 'a\nb'");
        differ("SELECT 'a\nb'", "SELECT 'a\n\nb'");
    }

    #[test]
    fn tokens_stay_separate() {
        differ("ab", "a b");
        differ("SELECT 12", "SELECT 1 2");
        differ("a < = b", "a <= b");
        differ("'a' 'b'", "'a'' ''b'");
        differ("b '01'", "b'01'");
        differ("u & 'a'", "u&'a'");
    }

    #[test]
    fn comments_of_a_query_file_count() {
        let a = "-- name: a :one\nSELECT 1;";
        let b = query_fingerprint(a);
        assert_eq!(b, query_fingerprint("-- name: a :one\r\n\n  SELECT 1 ;\n"));
        assert_ne!(b, query_fingerprint("-- name: a :many\nSELECT 1;"));
        assert_ne!(b, query_fingerprint("-- name: a :one\n-- b\nSELECT 1;"));
        assert_ne!(b, query_fingerprint("-- name: a :one\nSELECT 2;"));
    }

    #[test]
    fn quoted_text_counts_as_a_whole() {
        differ("SELECT 'a b'", "SELECT 'a  b'");
        differ("SELECT '--a'", "SELECT '--b'");
        differ("SELECT 'it''s /* a */'", "SELECT 'it''s /* b */'");
        differ(r#"SELECT "a -- b""#, r#"SELECT "a -- c""#);
        differ(r#"SELECT "a"" -- b""#, r#"SELECT "a"" -- c""#);
        differ("DO $$ -- a $$", "DO $$ -- b $$");
        differ("DO $x$ $$ -- a $x$", "DO $x$ $$ -- b $x$");
        differ(r"SELECT E'\' -- a'", r"SELECT E'\' -- b'");
        same(r"SELECT '\' -- a", r"SELECT '\' -- b");
        same(r"SELECT ne'\' -- a", r"SELECT ne'\' -- b");
    }

    #[test]
    fn a_string_continued_in_the_next_line_keeps_its_kind() {
        differ("E'a'\n'\\' -- b'", "E'a'\n'\\' -- c'");
        differ("E'a' -- more\n'\\' -- b'", "E'a' -- more\n'\\' -- c'");
        same("E'a' '\\' -- b", "E'a' '\\' -- c");
        same("E'a' /*\n*/ '\\' -- b", "E'a' '\\' -- c");
        same("E'a';\n'\\' -- b", "E'a';\n'\\' -- c");
    }

    #[test]
    fn a_dollar_in_a_name_or_parameter_begins_no_string() {
        same("a$b$ -- c", "a$b$ -- d");
        same("$1 -- $1", "$1");
        same("a $ -- b", "a $");
        differ("$1$ -- a", "$1$ b");
        same("1$$ a $$ -- b", "1$$ a $$ -- c");
    }

    #[test]
    fn a_comment_ends_an_operator() {
        same("1 +-- a\n1", "1 + 1");
        same("1 @/* a */1", "1 @ 1");
        same("a =-1", "a = - 1");
        differ("a @-1", "a @ - 1");
    }

    #[test]
    fn a_bowline_comment_counts() {
        differ("-- bowline: ignore\nSELECT 1", "SELECT 1");
        differ(
            "-- bowline: ALTER TABLE a;\nSELECT 1",
            "-- bowline: ALTER TABLE b;\nSELECT 1",
        );
        differ("-- bowline: a\nb", "a b");
        same(
            "--bowline:ignore\nSELECT 1",
            " --  bowline:  ignore \r\n SELECT 1",
        );
        same("-- about bowline: a\nSELECT 1", "SELECT 1");
        same("/* bowline: ignore */ SELECT 1", "SELECT 1");
    }

    #[test]
    fn an_unterminated_token_counts_to_the_end() {
        for open in ["'", "\"", "$$", "$a$", "E'"] {
            differ(&format!("{open} -- a"), &format!("{open} -- b"));
        }
        same("a /* b", "a /* c");
    }

    /// Generates tokens whose meaning does not depend on the tokens around them.
    fn token() -> impl Strategy<Value = String> {
        let text = "[a-z' \\n\"$;/*-]{0,6}";
        prop_oneof![
            "[a-zA-Z_é][a-zA-Z_0-9$é]{0,5}",
            "[0-9]{1,4}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?",
            "0x[0-9a-f]{1,3}",
            "\\$[0-9]{1,2}",
            Just("::".to_owned()),
            Just(":=".to_owned()),
            "[\\[\\](),;:.]",
            prop::sample::select(vec![
                "+", "-", "<=", "<>", "=>", "||", "@-", "->>", "!~~*", "?|"
            ])
            .prop_map(str::to_owned),
            text.prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
            text.prop_map(|text| format!("\"{}\"", text.replace('"', "\"\""))),
            text.prop_map(|text| format!("E'{}'", text.replace('\'', "\\'"))),
            text.prop_map(|text| format!("$q${}$q$", text.replace('$', ""))),
            "b'[01]{0,3}'",
            text.prop_map(|text| format!("U&'{}'", text.replace('\'', "''"))),
        ]
    }

    /// Generates white space and comments, to write between two tokens.
    fn gap() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[ \\t\\n\\r\\f]{1,3}",
            "--[ a-z'\"$/*]{0,6}\\n",
            "/\\*[ a-z'\"$-]{0,6}\\*/",
            "/\\*[a-z]{0,2}/\\*[a-z'-]{0,3}\\*/[a-z]{0,2}\\*/",
        ];
        // The space separates the token from the gap: `-` before `--` would be another token.
        prop::collection::vec(part, 0..4).prop_map(|parts| format!(" {}", parts.concat()))
    }

    proptest! {
        #[test]
        fn no_comment_or_white_space_between_tokens_changes_it(
            parts in prop::collection::vec((token(), gap(), gap()), 1..12)
        ) {
            let with = |gap: fn(&(String, String, String)) -> &str| -> String {
                // The comma separates strings, since a second string could continue the first.
                parts.iter().map(|part| format!("{}{},", part.0, gap(part))).collect()
            };
            prop_assert_eq!(fingerprint(&with(|part| &part.1)), fingerprint(&with(|part| &part.2)));
        }

        #[test]
        fn another_token_changes_it(
            parts in prop::collection::vec((token(), gap()), 1..12), at: prop::sample::Index, other in token()
        ) {
            let text = |parts: &[(String, String)]| -> String {
                parts.iter().map(|(token, gap)| format!("{token}{gap},")).collect()
            };
            let mut changed = parts.clone();
            let at = at.index(parts.len());
            prop_assume!(parts[at].0 != other);
            changed[at].0 = other;
            prop_assert_ne!(fingerprint(&text(&parts)), fingerprint(&text(&changed)));
            changed.remove(at);
            prop_assert_ne!(fingerprint(&text(&parts)), fingerprint(&text(&changed)));
        }

        #[test]
        fn any_text_has_a_fingerprint(text in "\\PC*") {
            fingerprint(&text);
        }
    }
}
