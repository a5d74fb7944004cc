//! The kind of a statement, by its keywords.
//!
//! The first words answer most questions, so the cost does not depend on the length of the SQL.

use bowline_sql::{Kind, Statement, Token, Tokens, statements, tokens};

/// The direction of the data of a COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyDirection {
    In,
    Out,
}

/// Returns the first word of a statement, past comments, semicolons and opening parentheses.
pub(crate) fn first_word(sql: &str) -> Option<Token<'_>> {
    let first = tokens(sql).find(|token| !token.is(";") && !token.is("("))?;
    (first.kind() == Kind::Word).then_some(first)
}

/// Returns the first word in upper case, for spans; empty if a statement does not begin with a
/// word.
pub(crate) fn operation(sql: &str) -> String {
    first_word(sql).map_or_else(String::new, |word| word.text().to_ascii_uppercase())
}

/// Returns whether the first word is one of these, which are in lower case.
pub(crate) fn begins_with(sql: &str, words: &[&str]) -> bool {
    first_word(sql).is_some_and(|word| word.is_one_of(words))
}

/// Returns whether there is nothing but white space, comments and semicolons.
pub(crate) fn is_empty(sql: &str) -> bool {
    tokens(sql).all(|token| token.is(";"))
}

/// Returns whether it begins a transaction.
pub(crate) fn begins_transaction(sql: &str) -> bool {
    let mut tokens = statement(sql);
    match tokens.next() {
        Some(first) if first.is_word("start") => is_next(&mut tokens, "transaction"),
        first => first.is_some_and(|first| first.is_word("begin")),
    }
}

/// Returns whether it ends a transaction.
pub(crate) fn ends_transaction(sql: &str) -> bool {
    let mut tokens = statement(sql);
    let Some(first) = tokens.next() else {
        return false;
    };
    if first.is_word("prepare") {
        is_next(&mut tokens, "transaction")
    } else if first.is_word("rollback") {
        let mut next = tokens.next();
        if next.is_some_and(|token| token.is_one_of(&["work", "transaction"])) {
            next = tokens.next();
        }
        !next.is_some_and(|token| token.is_word("to"))
    } else {
        first.is_one_of(&["commit", "end", "abort"])
    }
}

/// Returns whether PostgreSQL runs it outside of a transaction only.
pub(crate) fn cannot_run_in_transaction(sql: &str) -> bool {
    let mut tokens = statement(sql);
    let Some(first) = tokens.next() else {
        return false;
    };
    let alone = ["database", "tablespace", "system", "subscription"];
    first.is_one_of(&["vacuum", "cluster"])
        || (first.is_one_of(&["create", "drop", "reindex", "alter"])
            && (tokens
                .clone()
                .next()
                .is_some_and(|second| second.is_one_of(&alone))
                || tokens.any(|token| token.is_word("concurrently"))))
}

/// Returns whether it may commit a part of its work and fail afterwards: a procedure may, and so
/// may a block that commits or calls one.
pub(crate) fn may_commit_and_fail(sql: &str) -> bool {
    let mut tokens = statement(sql);
    match tokens.next() {
        Some(first) if first.is_word("do") => tokens
            .filter(|token| token.kind() == Kind::String)
            .any(|body| {
                // A string whose value is unknown may contain anything.
                body.value().is_none_or(|body| {
                    let body = body.to_ascii_uppercase();
                    body.contains("COMMIT") || body.contains("CALL")
                })
            }),
        first => first.is_some_and(|first| first.is_word("call")),
    }
}

/// Returns the direction of a COPY from or to the client; `None` for any other statement.
///
/// The grammar accepts both STDIN and STDOUT after both FROM and TO.
pub(crate) fn copy_direction(sql: &str) -> Option<CopyDirection> {
    let mut tokens = statement(sql);
    if !tokens.next()?.is_word("copy") {
        return None;
    }
    let mut depth = 0_usize;
    let mut last: Option<Token<'_>> = None;
    for token in tokens {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is_one_of(&["stdin", "stdout"]) {
            match last {
                Some(last) if last.is_word("from") => return Some(CopyDirection::In),
                Some(last) if last.is_word("to") => return Some(CopyDirection::Out),
                _ => {}
            }
        }
        last = Some(token);
    }
    None
}

/// Returns whether it contains a keyword that writes rows: the query of a COPY may write, with
/// RETURNING.
pub(crate) fn may_write(sql: &str) -> bool {
    tokens(sql).any(|token| token.is_one_of(&["insert", "update", "delete", "merge"]))
}

/// Returns the only statement of this SQL; `None` if there are several, or none.
pub(crate) fn only_statement(sql: &str) -> Option<Statement<'_>> {
    let mut all = statements(sql);
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// Returns the tokens of the first statement.
fn statement(sql: &str) -> Tokens<'_> {
    let mut tokens = tokens(sql);
    loop {
        let before = tokens.clone();
        match tokens.next() {
            Some(token) if token.is(";") || token.is("(") => {}
            _ => return before,
        }
    }
}

fn is_next(tokens: &mut Tokens<'_>, word: &str) -> bool {
    tokens.next().is_some_and(|token| token.is_word(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_comes_after_comments_and_brackets() {
        for sql in [
            " -- all\n /* a /* b */ c */ ((select 1))",
            ";; select",
            "\u{b}(/* x */ SeLecT",
        ] {
            assert!(begins_with(sql, &["select"]), "{sql}");
            assert_eq!(operation(sql), "SELECT");
        }
        for sql in ["/* open", "", "-- a", "\"select\" 1", "'select'"] {
            assert_eq!(operation(sql), "", "{sql}");
        }
    }

    #[test]
    fn commands_that_begin_or_end_transactions_are_found() {
        for sql in ["BEGIN", ";begin work", "START /* a */ TRANSACTION"] {
            assert!(begins_transaction(sql), "{sql}");
        }
        assert!(!begins_transaction("START"));
        for sql in [
            "COMMIT",
            "/* now */ end work",
            ";commit",
            "ROLLBACK",
            "ROLLBACK AND CHAIN",
            "ROLLBACK /* to */ WORK -- to\n;",
            "abort",
            "PREPARE/**/TRANSACTION 'x'",
        ] {
            assert!(ends_transaction(sql), "{sql}");
        }
        for sql in [
            "ROLLBACK TO s",
            "ROLLBACK /* x */ TO s",
            "ROLLBACK WORK TO SAVEPOINT s",
            "PREPARE p AS SELECT 1",
            "SELECT 'COMMIT'",
            "SAVEPOINT commit",
            "\"commit\"",
        ] {
            assert!(!ends_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn statements_that_refuse_a_transaction_are_found() {
        for sql in [
            "VACUUM t",
            ";create index concurrently i on t (x)",
            "DROP /* a */ DATABASE x",
        ] {
            assert!(cannot_run_in_transaction(sql), "{sql}");
        }
        for sql in [
            "CREATE INDEX i ON t (x)",
            "CREATE INDEX \"concurrently\" ON t (x)",
            "COMMENT ON TABLE t IS 'CONCURRENTLY'",
            "UPDATE t SET x = 1",
        ] {
            assert!(!cannot_run_in_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn only_a_procedure_or_a_block_may_commit_and_fail() {
        for sql in [
            "CALL p()",
            "; call p()",
            "DO $$ BEGIN COMMIT; END $$",
            "DO 'begin call p(); end'",
            "DO E'BEGIN \\x43OMMIT; END'",
            "DO LANGUAGE plpgsql $x$ begin commit; end $x$",
        ] {
            assert!(may_commit_and_fail(sql), "{sql}");
        }
        for sql in ["DO $$ BEGIN END $$", "SELECT 'CALL'", "DO -- commit\n ''"] {
            assert!(!may_commit_and_fail(sql), "{sql}");
        }
    }

    #[test]
    fn only_a_copy_from_or_to_the_client_is_found() {
        for sql in [
            "copy t (a) from stdin;",
            "COPY t FROM /* x */ STDIN",
            ";COPY t FROM STDIN",
            "COPY t FROM -- x\n STDIN WITH (FORMAT csv)",
            "COPY\"from\"FROM STDIN",
            "COPY t(a)FROM STDOUT",
        ] {
            assert_eq!(copy_direction(sql), Some(CopyDirection::In), "{sql}");
        }
        for sql in [
            "COPY (SELECT 1)TO STDOUT",
            "/* a */ COPY (SELECT ')' FROM t) TO /* x */ STDOUT",
            "COPY t TO STDIN",
        ] {
            assert_eq!(copy_direction(sql), Some(CopyDirection::Out), "{sql}");
        }
        for sql in [
            "COPY t FROM '/tmp/x'",
            "COPY t TO PROGRAM 'cat'",
            "SELECT 'COPY FROM STDIN'",
            "COPY (SELECT 1 FROM stdin) TO '/tmp/x'",
            "COPY t TO 'x' -- FROM STDIN",
        ] {
            assert_eq!(copy_direction(sql), None, "{sql}");
        }
    }
}
