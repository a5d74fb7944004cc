//! Expressions as authors write them, and as a server prints them.

use bowline::testing::LocalServer;
use bowline::{Session, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use super::*;

/// Checks of the table in `TABLE`.
const CHECKS: [&str; 64] = [
    "n > 0",
    "n != 0 AND (n <> 5)",
    "n IN (1, 2, 3)",
    "n NOT IN (1, 2)",
    "n IN (7)",
    "name IN ('a', 'b')",
    "code NOT IN ('a', 'b')",
    "n BETWEEN 1 AND 5 AND m > 0",
    "n NOT BETWEEN -1 AND 5",
    "name LIKE 'a%'",
    "name NOT LIKE '%b' OR name ILIKE 'c_'",
    "name NOT ILIKE 'x'",
    "name LIKE 'a!%' ESCAPE '!'",
    "name SIMILAR TO '(a|b)%'",
    "name ~ '^[a-z]+$' AND name !~* 'x'",
    "name IS NOT NULL OR n ISNULL",
    "n NOTNULL",
    "ok IS TRUE OR NOT ok",
    "ok IS NOT DISTINCT FROM true",
    "n IS DISTINCT FROM m",
    "ok = 'yes'",
    "(n IS NULL) = (m IS NULL)",
    "num_nonnulls(n, m) = 1",
    "char_length(name) <= 20",
    "length(trim(name)) > 0",
    "length(trim(both from name)) > 0",
    "lower(name) = name",
    "substring(name from 1 for 2) = 'ab'",
    "substring(name, 1, 2) <> 'ab'",
    "position('@' in name) > 1",
    "left(name, 1) = 'a'",
    "extract(year from at) > 2000",
    "extract(isodow FROM day) < 6",
    "at > now() - interval '1 day'",
    "at > now() - interval '36 hours'",
    "at < timestamp with time zone '2026-01-01'",
    "day >= '2020-01-31'",
    "day >= DATE '2020-01-31'",
    "at AT TIME ZONE 'utc' > '2020-01-01 10:00'",
    "date_trunc('month', at) = at",
    "data ->> 'kind' = 'a' AND data ? 'b'",
    "data @> '{\"a\": 1}'",
    "jsonb_typeof(data) = 'object'",
    "data->'a'->>0 IS NOT NULL",
    "tags <@ ARRAY['a', 'b']",
    "tags <@ '{a, b}'",
    "cardinality(tags) > 0 AND tags[1] <> ''",
    "tags[1:2] = '{}'",
    "'a' = ANY (tags)",
    "n = ALL (ARRAY[1, 2])",
    "CASE WHEN ok THEN n > 0 ELSE m > 0 END",
    "CASE kind WHEN 'good' THEN n = 1 WHEN 'bad' THEN n = 2 END",
    "kind IN ('good', 'bad')",
    "kind <> 'good'::mood",
    "COALESCE(n, 0) + m * 2 - 1 > -5",
    "(n + m) * 2 > 4",
    "n % 2 = 0 AND n / 2 >= 1",
    "-n < 0",
    "price >= 0.00 AND price < 1e3",
    "price::int = CAST(price AS integer)",
    "name || '-' || code = 'x'",
    "(n, m) <> (1, 2)",
    "octet_length(name) > 0 and GREATEST(n, m) > least(n, 3)",
    "name COLLATE \"C\" > E'a\\n\\'b'",
];

const TABLE: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE a (n int, m int, name text, code varchar(9), ok boolean, at timestamptz, day date, data jsonb,
        tags text[], kind mood, price numeric(10, 2))";

#[derive(bowline::Row)]
struct Answer {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Returns the texts that the query reads after the statements, in a transaction that is rolled
/// back.
fn texts(statements: &str, query: &str) -> Vec<String> {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute(&format!("BEGIN; {statements}"))
        .expect("PostgreSQL takes the statements");
    let text = session
        .run(sql_query(query).all::<Answer>())
        .expect("an answer");
    session.batch_execute("ROLLBACK").expect("it is undone");
    text.into_iter().map(|row| row.text).collect()
}

#[test]
fn a_check_equals_the_servers_rewriting_of_it() {
    let checks: Vec<String> = CHECKS
        .iter()
        .enumerate()
        .map(|(number, check)| format!("ALTER TABLE a ADD CONSTRAINT c{number} CHECK ({check})"))
        .collect();
    let text = texts(
        &format!("{TABLE}; {}", checks.join(";")),
        "SELECT pg_get_expr(conbin, conrelid) AS text FROM pg_constraint WHERE conrelid = 'a'::regclass AND contype = 'c'
         ORDER BY substr(conname, 2)::int",
    );
    let wrong: Vec<_> = CHECKS
        .iter()
        .zip(&text)
        .filter(|(check, text)| !is_same(check, text))
        .map(|(check, text)| {
            format!(
                "{check}   {text}   {:?}   {:?}",
                parser::parse(check),
                parser::parse(text)
            )
        })
        .collect();
    assert_eq!(text.len(), CHECKS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Defaults with the type of their column.
const DEFAULTS: [(&str, &str); 41] = [
    ("int", "0"),
    ("int", "'5'"),
    ("int", "-1"),
    ("bigint", "+3"),
    ("numeric", "1.50"),
    ("float8", "1e3"),
    ("text", "''"),
    ("text", "'it''s'"),
    ("text", "E'a\\tb'"),
    ("text", "$$x$$"),
    ("text", "'true'"),
    ("varchar(10)", "'abc'"),
    ("char(3)", "'a'"),
    ("boolean", "false"),
    ("boolean", "'t'"),
    ("boolean", "'off'"),
    ("timestamptz", "now()"),
    ("timestamptz", "CURRENT_TIMESTAMP"),
    ("timestamp", "(now() at time zone 'utc')"),
    ("timestamp", "timezone('utc', now())"),
    ("timestamp", "'2020-01-01'"),
    ("timestamp", "'2020-01-01 00:00:01+00:00'"),
    ("bytea", "''"),
    ("bytea", "'a\\\\b\\001'"),
    ("bytea", "'\\xABCD'"),
    ("timestamp", "'2020-01-01T10:30:00'"),
    ("timestamptz", "'epoch'"),
    ("date", "current_date"),
    ("interval", "'1 hour'"),
    ("interval", "'1 year 2 months 3 days'"),
    ("interval", "interval '90 minutes'"),
    ("jsonb", "'{}'"),
    ("jsonb", "'{ \"a\":[1,  2]}'"),
    ("text[]", "'{}'"),
    ("text[]", "ARRAY[]::text[]"),
    ("int[]", "'{1, 2}'"),
    ("uuid", "gen_random_uuid()"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
    ("bit(3)", "B'101'"),
    ("mood", "'good'"),
    ("int", "nextval('public.steps')"),
];

#[test]
fn a_default_equals_the_servers_rewriting_of_it() {
    let columns: Vec<String> = DEFAULTS
        .iter()
        .enumerate()
        .map(|(number, (data_type, default))| format!("d{number} {data_type} DEFAULT {default}"))
        .collect();
    let text = texts(
        &format!(
            "SET LOCAL timezone = 'UTC'; CREATE SEQUENCE steps; {TABLE}; CREATE TABLE b ({})",
            columns.join(", ")
        ),
        "SELECT pg_get_expr(adbin, adrelid) AS text FROM pg_attrdef WHERE adrelid = 'b'::regclass ORDER BY adnum",
    );
    let wrong: Vec<_> = DEFAULTS
        .iter()
        .zip(&text)
        .filter(|((_, default), text)| !is_same(default, text))
        .map(|((_, default), text)| format!("{default}   {text}"))
        .collect();
    assert_eq!(text.len(), DEFAULTS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expressions_with_other_meanings_differ() {
    let defaults = DEFAULTS.iter().map(|(_, default)| *default);
    for texts in [CHECKS.to_vec(), defaults.collect()] {
        for (index, one) in texts.iter().enumerate() {
            for other in &texts[index + 1..] {
                // Casts are ignored, so constants of different types may be equal, such as `'t'`
                // and `'true'` as booleans.
                let is_boolean = |text: &&str| ["'t'", "'off'", "'true'"].contains(text);
                let is_expected = is_boolean(one)
                    || is_boolean(other)
                    || one.replace("both from ", "") == *other
                    || other.replace("both from ", "") == *one
                    || other.contains("timezone('utc'") && one.contains("at time zone")
                    || other.replace("DATE ", "") == *one;
                assert!(is_expected || !is_same(one, other), "{one}   {other}");
            }
        }
    }
}

#[test]
fn parentheses_that_change_the_meaning_count() {
    assert!(!is_same("a OR (b AND c)", "(a OR b) AND c"));
    assert!(!is_same("a - (b - c)", "a - b - c"));
    assert!(!is_same("NOT (a AND b)", "NOT a AND b"));
    assert!(is_same("((a)) and ((b) AND c)", "a AND b AND c"));
}

#[test]
fn parsing_any_text_ends() {
    for text in [
        "",
        "(",
        "'",
        "\"",
        "$a$",
        "a::",
        "::",
        "case",
        "- - -",
        "a b c",
        "[",
        "é🦀 ( '",
        "1e",
        "x'zz'",
        "/*",
    ] {
        assert!(is_same(text, text));
        is_same(text, "a");
    }
    // Neither text is SQL, and the two differ.
    assert!(!is_same("a;b 1 2", "a;b 1 3"));
    let deep = "(".repeat(100_000);
    is_same(&deep, "a");
    is_same(&"-".repeat(100_000), "a");
    is_same(&"NOT ".repeat(100_000), "a");
    is_same(&"1+".repeat(100_000), "a");
    is_same(&"1+".repeat(2_000), &"1-".repeat(2_000));
}

/// Words that are expressions by themselves. In quotes, or after the name of a table, they are
/// columns.
const KEYWORDS: [&str; 14] = [
    "user",
    "current_user",
    "session_user",
    "system_user",
    "current_role",
    "current_catalog",
    "current_schema",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "true",
    "null",
];

#[test]
fn a_column_differs_from_the_keyword_of_its_name() {
    for word in KEYWORDS {
        let (bare, quoted) = (format!("({word} > a)"), format!("(\"{word}\" > a)"));
        assert!(!is_same(&bare, &quoted), "{word}");
        assert!(!is_same(&bare, &format!("(t.{word} > a)")), "{word}");
        assert!(is_same(&quoted, &format!("t.{word} > (a)")), "{word}");
        assert!(
            is_same(&bare, &format!("({} > a)", word.to_uppercase())),
            "{word}"
        );
        // Texts that are not expressions are compared token by token.
        let (bound, other) = (
            format!("FOR VALUES FROM ({word})"),
            format!("FOR VALUES FROM (\"{word}\")"),
        );
        assert!(!is_same(&bound, &other), "{word}");
    }
    for word in ["name", "position", "values", "time", "n"] {
        assert!(
            is_same(&format!("{word} > 0"), &format!("(\"{word}\" > 0)")),
            "{word}"
        );
    }
    assert!(!is_same("\"coalesce\"(a, b)", "COALESCE(a, b)"));
    assert!(is_same("\"left\"(a, 1)", "left(a, 1)"));
}

#[test]
fn comments_strings_and_numbers_are_read_like_postgresql() {
    for (one, other) in [
        ("a /* x /* y */ ' */ > 0", "a > 0"),
        ("a > 0 -- it's", "a > 0"),
        ("a = 'x'\n'y'", "a = 'xy'"),
        ("a = U&'\\0061' || U&'!0062' UESCAPE '!'", "a = 'a' || 'b'"),
        ("U&\"\\0061\" > 0", "a > 0"),
        ("a = E'\\x41\\u0042'", "a = 'AB'"),
        ("a > 1_000", "a > 1000"),
        ("a > 0x1F", "a > 31"),
        ("a = $x$it's$x$", "a = 'it''s'"),
    ] {
        assert!(is_same(one, other), "{one}   {other}");
    }
    assert!(!is_same("a = 'x' /* 'y */", "a = 'y'"));
    assert!(!is_same("\"É\" > 0", "\"é\" > 0"));
}

#[test]
fn functions_of_two_schemas_differ() {
    assert!(!is_same("app.f(a)", "public.f(a)"));
    assert!(!is_same("a > app.f(1) + 2", "a > (other.f(1) + 2)"));
    assert!(is_same("app.f(a)", "\"app\".f((a))"));
    // A name without schema may be that of a function in any schema. PostgreSQL's own functions
    // need no schema.
    assert!(is_same("f(18)", "public.f(18)"));
    assert!(is_same("pg_catalog.lower(a)", "lower(a)"));
}
