//! A limit on the nesting of SQL, since the parser and replay are recursive and the stack is
//! finite.

use bowline_sql::{Kind, Statement, statements};

/// The maximum nesting of brackets. Handwritten SQL has about ten levels.
const MAX_DEPTH: usize = 500;

/// The maximum nesting of function bodies, such as a `DO` within a `DO`.
const BODIES: usize = 16;

/// The stack size of replay. It suffices for [`MAX_DEPTH`] brackets and long chains of operators in
/// an unoptimised build.
pub(crate) const STACK: usize = 256 << 20;

/// The reason for refusing SQL whose brackets are nested too deeply.
pub(crate) const TOO_DEEP: &str = "brackets are nested too deeply";

/// Returns true if brackets are nested too deeply. Brackets in strings and comments do not count,
/// but those in function bodies do.
pub(crate) fn is_too_deep(text: &str) -> bool {
    may_be_too_deep(text) && is_too_deep_within(text, 0)
}

/// Returns false if a text has too few brackets, and too few quotes for bodies in bodies. A body in
/// dollar quotes has four signs of its own, and one in single quotes doubles those within it.
fn may_be_too_deep(text: &str) -> bool {
    const IN_DOLLARS: usize = BODIES / 2;
    let (mut brackets, mut dollars, mut quotes) = (0, 0, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b'$' => dollars += 1,
            b'\'' => quotes += 1,
            _ => {}
        }
    }
    brackets > MAX_DEPTH || dollars >= 4 * IN_DOLLARS || quotes >= 1 << (BODIES - IN_DOLLARS)
}

fn is_too_deep_within(text: &str, bodies: usize) -> bool {
    bodies > BODIES
        || statements(text).any(|statement| {
            let mut depth = 0_usize;
            let is_program = is_program(&statement);
            statement.tokens().any(|token| {
                if token.is("(") || token.is("[") {
                    depth += 1;
                } else if token.is(")") || token.is("]") {
                    depth = depth.saturating_sub(1);
                }
                let is_body =
                    token.kind() == Kind::String && (is_program || token.text().starts_with('$'));
                depth > MAX_DEPTH
                    || (is_body
                        && token
                            .value()
                            .is_some_and(|body| is_too_deep_within(&body, bodies + 1)))
            })
        })
}

/// Returns true if a string in this statement is code.
fn is_program(statement: &Statement<'_>) -> bool {
    let mut head = statement.tokens().take(4);
    match head.next() {
        Some(first) if first.is_word("create") => {
            head.any(|token| token.is_one_of(&["function", "procedure"]))
        }
        first => first.is_some_and(|first| first.is_word("do")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth))
    }

    #[test]
    fn brackets_are_counted_in_code_only() {
        let deep = nested(MAX_DEPTH + 1);
        for text in [
            deep.clone(),
            format!("/* don't */ {deep}"),
            format!("-- \"\n{deep}"),
            format!("SELECT '\\'; {deep}"),
            format!("SELECT $$'$$; {deep}"),
            format!("SELECT E'\\''; {deep}"),
            format!("/* /* */ ' */ {deep}"),
            format!("SELECT U&\"a'\"; {deep}"),
            format!("DO $$ BEGIN {deep}; END $$"),
            format!("DO 'BEGIN {deep}; END'"),
            format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS '{deep}'"),
            format!("DO $a$ BEGIN EXECUTE $b${deep}$b$; END $a$"),
            format!("SELECT ARRAY{}", "[".repeat(MAX_DEPTH + 1)),
        ] {
            assert!(is_too_deep(&text), "{}", &text[..40]);
        }
    }

    #[test]
    fn brackets_in_data_and_comments_do_not_count() {
        let deep = nested(MAX_DEPTH + 1);
        for text in [
            nested(MAX_DEPTH),
            format!("SELECT '{deep}'"),
            format!("-- {deep}"),
            format!("/* {deep} */"),
            format!("SELECT \"{deep}\""),
            format!("INSERT INTO t VALUES ('{}')", ":( ".repeat(2_000)),
        ] {
            assert!(!is_too_deep(&text), "{}", &text[..40]);
        }
    }

    #[test]
    fn bodies_in_bodies_end() {
        let mut text = "x".to_owned();
        for number in 0..1_000 {
            text = format!("$a{number}$ {text} $a{number}$");
        }
        assert!(is_too_deep(&text));
    }
}
