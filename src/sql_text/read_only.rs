//! Determines from the text of a query whether it only reads.
//!
//! Work that only reads can be repeated when its answer is lost, and leaves nothing to commit.
//! PostgreSQL does not report in advance whether a query writes, since any function may. So a query
//! counts as reading if generated code, which knows the catalog, says so. It also counts if it
//! locks no row, contains no keyword that writes, and calls only PostgreSQL's own functions that
//! are known to write nothing. A name is presumed to mean PostgreSQL's own function until an
//! outcome depends on that. Then the server is asked ([`shadowed`]), on another session.
//!
//! Views, operators, casts, and functions called as if they were columns are trusted; see
//! [`Config::trust_views_and_operators`](crate::Config::trust_views_and_operators).

use std::fmt::Write as _;

use bowline_sql::{Kind, Token, quote, tokens};

use super::functions::{MAYBE_FUNCTIONS, NO_FUNCTIONS, READ_ONLY};
use super::keywords::first_word;
use super::statement_kinds::{QueryKind, StatementKind};

/// Whether a statement only reads; the least certain comes first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reads {
    /// It may write.
    #[default]
    No,
    /// It only reads if the names of its functions mean PostgreSQL's own.
    IfBuiltIn,
    Yes,
}

/// The length up to which queries are examined; longer ones are assumed to write.
const MAX_LENGTH: usize = 64 * 1024;

/// Returns whether a statement only reads, by its text.
pub(crate) fn reads(sql: &str) -> Reads {
    let Some(first) = first_word(sql).filter(|_| sql.len() <= MAX_LENGTH) else {
        return Reads::No;
    };
    if first.is_word("show") {
        return Reads::Yes;
    }
    let kind = StatementKind::of_word(&first).and_then(|kind| kind.query);
    if !matches!(kind, Some(QueryKind::Rows | QueryKind::With)) {
        return Reads::No;
    }
    let mut least = Reads::Yes;
    let mut before = PrecedingTokens::default();
    let mut all = tokens(sql);
    while let Some(token) = all.next() {
        if before.ends_with_name() && token.is_word("uescape") {
            // It belongs to the name before: `U&"a" UESCAPE '!' (`.
            all.next();
            continue;
        }
        if token.is("(") {
            least = least.min(before.call());
        } else if before.writes_by(&token) {
            least = Reads::No;
        }
        if least == Reads::No {
            break;
        }
        before.push(token);
    }
    least
}

/// Returns whether a call of a function only reads, by the name of the function alone.
pub(crate) fn reads_by_call(name: &str) -> Reads {
    if READ_ONLY.binary_search(&name).is_ok() || MAYBE_FUNCTIONS.contains(&name) {
        Reads::IfBuiltIn
    } else {
        Reads::No
    }
}

/// The tokens before the current one, the nearest first.
#[derive(Default)]
struct PrecedingTokens<'a>([Option<Token<'a>>; 4]);

impl<'a> PrecedingTokens<'a> {
    fn push(&mut self, token: Token<'a>) {
        self.0.rotate_right(1);
        self.0[0] = Some(token);
    }

    fn is_one_of(&self, index: usize, words: &[&str]) -> bool {
        self.0[index].is_some_and(|token| token.is_one_of(words))
    }

    fn ends_with_name(&self) -> bool {
        self.0[0].is_some_and(|token| token.kind() == Kind::QuotedName)
    }

    fn is(&self, index: usize, text: &str) -> bool {
        self.0[index].is_some_and(|token| token.is(text))
    }

    /// Returns whether the next token is a word that writes, or that locks rows behind FOR.
    fn writes_by(&self, next: &Token<'_>) -> bool {
        next.is_one_of(&["insert", "update", "delete", "merge", "into"])
            || (self.is_one_of(0, &["for"]) && next.is_one_of(&["no", "key", "share"]))
    }

    /// Returns whether an opening parenthesis behind these tokens only reads: it may call a
    /// function.
    fn call(&self) -> Reads {
        let Some(name) =
            self.0[0].filter(|token| matches!(token.kind(), Kind::Word | Kind::QuotedName))
        else {
            return Reads::Yes;
        };
        let Some(name_of_token) = name.name() else {
            return Reads::No;
        };
        let is_known = READ_ONLY.binary_search(&&*name_of_token).is_ok();
        if self.is(1, ".") {
            let is_built_in = self.0[2].is_some_and(|schema| schema.is_name("pg_catalog"));
            return if is_built_in && is_known && !self.is(3, ".") {
                Reads::Yes
            } else {
                Reads::No
            };
        }
        // The type of a cast with its length, the columns of an alias or of a WITH query.
        if self.is(1, "::") || self.is_one_of(1, &["as", "with", "recursive"]) {
            return Reads::Yes;
        }
        if name.kind() == Kind::Word
            && (name.is_one_of(NO_FUNCTIONS)
                || (name.is_word("by") && self.is_one_of(1, &["group", "order", "partition"]))
                || (name.is_word("varying")
                    && self.is_one_of(1, &["bit", "char", "character", "nchar"]))
                || (name.is_word("zone") && self.is_one_of(1, &["time"])))
        {
            return Reads::Yes;
        }
        reads_by_call(&name_of_token)
    }
}

/// Returns the query for whether a name in the lists may mean a function of the database that
/// writes.
///
/// Overloads count, so that neither the search path nor the types of arguments matter.
pub(crate) fn shadowed() -> String {
    let mut names = String::new();
    for (index, name) in READ_ONLY.iter().chain(MAYBE_FUNCTIONS).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a String does not fail.
        write!(names, "{comma}{}", quote::literal(name)).ok();
    }
    format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc \
         WHERE pronamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid \
         AND proname OPERATOR(pg_catalog.=) ANY (ARRAY[{names}]::pg_catalog.name[]) \
         AND (provolatile OPERATOR(pg_catalog.=) 'v' OR EXISTS (SELECT FROM pg_catalog.pg_aggregate AS a \
         JOIN pg_catalog.pg_proc AS f ON f.oid OPERATOR(pg_catalog.=) \
         ANY (ARRAY[a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggmfinalfn]::pg_catalog.oid[]) \
         WHERE a.aggfnoid OPERATOR(pg_catalog.=) pg_proc.oid AND f.provolatile OPERATOR(pg_catalog.=) 'v'))) \
         AS shadowed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Reads, queries: &[&str]) {
        for sql in queries {
            assert_eq!(reads(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_query_without_calls_only_reads() {
        check(
            Reads::Yes,
            &[
                r#"SELECT "accounts"."id" FROM "accounts" WHERE (("accounts"."id" = $1) AND ("a"."b" = ANY($2))) LIMIT $3"#,
                "/* pay(1) */ ((select 1)) -- pay(2)",
                "VALUES (1, 'pay(3)'), (2, $$pay(4)$$)",
                "TABLE accounts",
                "SHOW work_mem",
                "WITH a (x) AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a AS t (x, y) WHERE x IN (1) AND NOT EXISTS (SELECT)",
                "SELECT x::numeric(10, 2), CAST(y AS character varying(3)), z::money(1) FROM t GROUP BY (x) ORDER BY (y)",
                "SELECT pg_catalog.lower(x), \"pg_catalog\".\"lower\"(x), coalesce(x, (y)) AT TIME ZONE ('utc') FROM t",
                "SELECT substring FROM t WHERE x BETWEEN (1) AND (2) UNION ALL (SELECT ROW(1, 2))",
            ],
        );
    }

    #[test]
    fn known_names_are_presumed_to_be_postgresqls_own() {
        check(
            Reads::IfBuiltIn,
            &[
                "SELECT count(*) FROM t",
                "SELECT LOWER(x), \"upper\"(x) FROM t",
                "SELECT sum(x) FILTER (WHERE y > 0) OVER (PARTITION BY (z)) FROM a JOIN (SELECT 1) b ON (true)",
                "SELECT * FROM generate_series(1, 3) AS s (n)",
            ],
        );
    }

    #[test]
    fn all_other_sql_may_write() {
        check(
            Reads::No,
            &[
                "SELECT U&\"p!0061y\" UESCAPE '!' (2)",
                "SELECT pay(2)",
                "SELECT pay (2)",
                "SELECT /* a */ \"pay\" -- (\n (2)",
                "SELECT \"Lower\"(x)",
                "SELECT app.lower(x)",
                "SELECT bank.pg_catalog.lower(x)",
                "SELECT * FROM t, LATERAL pay(x)",
                "SELECT x OPERATOR(app.+) y",
                "SELECT nextval('s'), now()",
                "SELECT set_config('a.b', 'c', true)",
                "SELECT pg_advisory_xact_lock(1)",
                "SELECT by(1), over",
                "SELECT treat(x AS t)",
                "SELECT * FROM t FOR UPDATE",
                "SELECT * FROM t FOR NO KEY UPDATE",
                "SELECT * FROM t for /* a */ share",
                "SELECT * FROM t FOR KEY SHARE",
                "SELECT * INTO u FROM t",
                "WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a",
                "WITH a AS (MERGE INTO t USING u ON (true) WHEN MATCHED THEN DELETE) SELECT 1",
                "EXPLAIN ANALYZE SELECT 1",
                "EXECUTE p",
                "CALL p()",
                "INSERT INTO t VALUES (1)",
                "",
                "\"select\"",
                "SELECT U&\"pa\\0079\"(2)",
            ],
        );
        assert_eq!(
            reads(&format!("SELECT {}", "1,".repeat(MAX_LENGTH))),
            Reads::No
        );
    }
}
