//! Functions whose code certainly changes neither the catalog nor a setting, by its words.
//! Their code does not have to be parsed.

use bowline_sql::{Token, tokens};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::call::is_known;
use crate::replay::state::functions::{Called, Effect};
use crate::replay::syntax::tree::{below, name, string};

/// The words that begin a statement which may change the catalog or a setting, and those that
/// run a text. A column can have such a name; the code is parsed then.
const STATEMENTS: [&str; 34] = [
    "abort",
    "alter",
    "analyze",
    "call",
    "checkpoint",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "discard",
    "drop",
    "execute",
    "explain",
    "grant",
    "import",
    "listen",
    "load",
    "lock",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "start",
    "truncate",
    "vacuum",
];

/// Keywords that can stand before a parenthesis without a call.
const BEFORE_PARENTHESIS: [&str; 27] = [
    "all", "and", "any", "array", "as", "by", "case", "conflict", "elsif", "exists", "filter",
    "from", "if", "in", "not", "on", "or", "over", "return", "select", "some", "then", "trim",
    "using", "values", "when", "where",
];

/// Returns the effect of a function in PL/pgSQL or SQL, if its words suffice to know it.
pub(super) fn effect(definition: &SyntaxNode) -> Option<Effect> {
    let mut languages = below(definition, SyntaxKind::LANGUAGE_REF);
    let language = languages.next()?;
    let language = name(&language).to_ascii_lowercase();
    if !matches!(language.as_str(), "plpgsql" | "sql") {
        return None;
    }
    let option = below(definition, SyntaxKind::AS_FUNC_OPTION).next()?;
    let code = below(&option, SyntaxKind::LITERAL).next()?;
    let calls = calls_of_plain(&string(&code)?, language == "sql")?;
    Some(Effect {
        changes: false,
        calls,
    })
}

/// Returns the functions that code calls, or `None` if it may change something.
fn calls_of_plain(code: &str, is_sql: bool) -> Option<Vec<Called>> {
    let mut calls = Vec::new();
    let mut in_update = false;
    let mut before: Option<Token<'_>> = None;
    let mut tokens = tokens(code).peekable();
    while let Some(token) = tokens.next() {
        if token.is(";") || token.is_one_of(&["begin", "then", "else", "loop"]) {
            in_update = false;
        }
        in_update |= token.is_word("update");
        // `ON CONFLICT .. DO UPDATE` is no DO statement.
        let is_do = token.is_word("do")
            && !tokens
                .peek()
                .is_some_and(|next| next.is_one_of(&["nothing", "update"]));
        // SELECT INTO creates a table, except in PL/pgSQL.
        let is_select_into = is_sql
            && token.is_word("into")
            && !before.is_some_and(|before| before.is_one_of(&["insert", "merge"]));
        let is_set = token.is_word("set") && !in_update;
        if token.is_one_of(&STATEMENTS) || is_do || is_select_into || is_set {
            return None;
        }
        let is_called = tokens.peek().is_some_and(|next| next.is("("));
        // The columns of an INSERT follow its table.
        let is_table = before.is_some_and(|before| before.is_word("into"));
        if is_called
            && !is_table
            && !token.is_one_of(&BEFORE_PARENTHESIS)
            && let Some(name) = token.name()
        {
            if !is_known(&name) || name == "set_config" {
                return None;
            }
            calls.push(Called {
                name: name.into_owned(),
                is_known: true,
            });
        }
        before = Some(token);
    }
    Some(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_code_that_changes_nothing() {
        let plain = [
            "BEGIN NEW.at := now(); RETURN NEW; END",
            "BEGIN UPDATE t SET a = lower(b) WHERE id = NEW.id; RETURN NULL; END",
            "BEGIN INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2; END",
            "BEGIN IF (NEW.note = 'DROP TABLE t') THEN RETURN NULL; END IF; END",
        ];
        for code in plain {
            assert!(calls_of_plain(code, false).is_some(), "{code}");
        }
        let changing = [
            "BEGIN CREATE TABLE u (); END",
            "BEGIN EXECUTE 'DROP TABLE t'; END",
            "BEGIN UPDATE t SET a = 1; SET search_path = s; END",
            "BEGIN IF a THEN UPDATE t SET b = 1; END IF; SET search_path = s; END",
            "BEGIN PERFORM set_config('search_path', 's', false); END",
            "BEGIN PERFORM \"set_config\"('search_path', 's', false); END",
            "BEGIN PERFORM query_to_xml('DROP TABLE t', true, true, ''); END",
            "BEGIN PERFORM own_function(); END",
            "DO $$ BEGIN END $$",
        ];
        for code in changing {
            assert!(calls_of_plain(code, false).is_none(), "{code}");
        }
        assert!(calls_of_plain("SELECT 1 INTO u", true).is_none());
        assert!(calls_of_plain("INSERT INTO t (a) SELECT 1", true).is_some());
    }
}
