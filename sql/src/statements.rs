//! The statements of a text.

use crate::lexer::{Kind, Token, Tokens, tokens};

/// A statement of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Statement<'a> {
    /// Returns the text from the first token to the last, without the semicolon.
    ///
    /// Comments before and after the statement are not included.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Returns the start of the statement in the whole text, in bytes.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Returns the tokens of the statement. Their positions are relative to its start.
    pub fn tokens(&self) -> Tokens<'a> {
        tokens(self.text)
    }
}

/// Splits a text at its semicolons, as psql does.
///
/// A semicolon in parentheses, or between BEGIN ATOMIC and END in the body of a function, does not
/// split. Without a token between two semicolons there is no statement.
pub fn statements(text: &str) -> Statements<'_> {
    Statements {
        text,
        tokens: tokens(text),
    }
}

/// Returns the first word of the first statement, if the statement begins with a word.
pub fn first_word(text: &str) -> Option<Token<'_>> {
    let first = tokens(text).find(|token| !token.is(";"))?;
    (first.kind() == Kind::Word).then_some(first)
}

/// An iterator over the statements of a text.
#[derive(Debug, Clone)]
pub struct Statements<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
}

impl<'a> Iterator for Statements<'a> {
    type Item = Statement<'a>;

    fn next(&mut self) -> Option<Statement<'a>> {
        let mut depth = Depth::default();
        let mut extent: Option<(usize, usize)> = None;
        for token in self.tokens.by_ref() {
            if token.is(";") && depth.is_top() {
                if extent.is_some() {
                    break;
                }
                continue;
            }
            depth.pass(&token);
            let start = extent.map_or(token.start(), |(start, _)| start);
            extent = Some((start, token.end()));
        }
        let (start, end) = extent?;
        Some(Statement {
            text: &self.text[start..end],
            start,
        })
    }
}

/// The nesting of a token in parentheses and in the body of an SQL function.
#[derive(Debug, Default)]
struct Depth<'a> {
    parentheses: usize,
    /// The number of open blocks: BEGIN ATOMIC, and each CASE in it, up to the END.
    blocks: usize,
    words: usize,
    head: Head,
    last: Option<Token<'a>>,
}

/// The beginning of a statement.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Head {
    #[default]
    Open,
    /// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
    Routine,
    Other,
}

impl<'a> Depth<'a> {
    fn is_top(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn pass(&mut self, token: &Token<'a>) {
        if self.head == Head::Open {
            self.head = self.head(token);
        }
        if token.is("(") {
            self.parentheses += 1;
        } else if token.is(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        } else if self.head == Head::Routine && self.parentheses == 0 {
            self.block(token);
        }
        self.last = Some(*token);
    }

    fn head(&mut self, token: &Token<'_>) -> Head {
        self.words += 1;
        let is_expected = match self.words {
            1 => token.is_word("create"),
            2 => token.is_one_of(&["or", "function", "procedure"]),
            3 => token.is_word("replace"),
            4 => token.is_one_of(&["function", "procedure"]),
            _ => false,
        };
        match is_expected {
            true if token.is_one_of(&["function", "procedure"]) => Head::Routine,
            true => Head::Open,
            false => Head::Other,
        }
    }

    fn block(&mut self, token: &Token<'_>) {
        let last_is = |word| self.last.is_some_and(|last| last.is_word(word));
        // After AS and after a dot, any word is a name.
        if self.blocks > 0 && (last_is("as") || self.last.is_some_and(|last| last.is("."))) {
            return;
        }
        // CASE also ends with END.
        let opens = (token.is_word("atomic") && last_is("begin"))
            || (self.blocks > 0 && token.is_word("case"));
        if opens {
            self.blocks += 1;
        } else if token.is_word("end") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        statements(text).map(|statement| statement.text()).collect()
    }

    #[test]
    fn semicolons_split() {
        assert_eq!(texts("a; b;;c"), ["a", "b", "c"]);
        assert_eq!(texts("; /* x */ ; -- y"), [""; 0]);
        assert_eq!(
            texts("/* a */ SELECT 1 /* b */ + 2 -- c\n;"),
            ["SELECT 1 /* b */ + 2"]
        );
    }

    #[test]
    fn a_semicolon_within_a_token_or_body_does_not_split() {
        assert_eq!(texts("SELECT ';', \"a;b\", $$;$$; b").len(), 2);
        assert_eq!(
            texts("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); b").len(),
            2
        );
        assert_eq!(texts("a /* ; /* ; */ ; */ b -- ;\n; c").len(), 2);
    }

    #[test]
    fn the_body_of_a_function_is_not_split() {
        let function = "CREATE OR REPLACE FUNCTION f(a int) RETURNS int \
            BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN 1 END; SELECT (CASE a WHEN 1 THEN 2 END) AS end; END";
        assert_eq!(
            texts(&format!("{function}; SELECT 1")),
            [function, "SELECT 1"]
        );
        let procedure = "create procedure begin() begin atomic insert into t values (1); end";
        assert_eq!(texts(&format!("{procedure};b")), [procedure, "b"]);
    }

    #[test]
    fn begin_at_the_start_of_a_statement_is_a_transaction() {
        assert_eq!(texts("BEGIN; a; END; b"), ["BEGIN", "a", "END", "b"]);
        assert_eq!(texts("CREATE TABLE begin (a int); b").len(), 2);
    }

    #[test]
    fn a_statement_has_its_position() {
        let text = " ;é; SELECT 1";
        let all: Vec<_> = statements(text).collect();
        assert_eq!((all[0].start(), all[0].text()), (2, "é"));
        assert_eq!(&text[all[1].start()..], "SELECT 1");
    }

    #[test]
    fn the_first_word_comes_after_comments_and_semicolons() {
        let word = |text| first_word(text).map(|token| token.text().to_owned());
        assert_eq!(word("; /* a */ ;-- b\n Copy t"), Some("Copy".to_owned()));
        assert_eq!(word("(SELECT 1)"), None);
        assert_eq!(word("\"copy\" t"), None);
        assert_eq!(word(" -- a"), None);
    }

    proptest! {
        #[test]
        fn statements_hold_every_token_but_semicolons(text in "(begin|atomic|end|create|function|[-a'\"$/*();.\\n ]|--){0,16}") {
            let inside: usize = statements(&text).map(|statement| statement.tokens().count()).sum();
            let splits = inside_splits(&text);
            prop_assert_eq!(inside + splits, tokens(&text).count());
        }
    }

    /// Returns the number of semicolons that belong to no statement.
    fn inside_splits(text: &str) -> usize {
        let ranges: Vec<_> = statements(text)
            .map(|statement| statement.start()..statement.start() + statement.text().len())
            .collect();
        tokens(text)
            .filter(|token| {
                token.is(";") && !ranges.iter().any(|range| range.contains(&token.start()))
            })
            .count()
    }
}
