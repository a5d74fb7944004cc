//! `:name` and `$1`.

use proptest::prelude::*;

use super::super::{Mistake, Parameterized, parameters, read};
use super::{mistakes, only};

fn number(statement: &str) -> (Parameterized, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let sql = parameters::number(statement, 0, None, &mut mistakes);
    (sql, mistakes)
}

/// Statements, the text that is sent for each, and the names of `$1`, `$2`, ..
const TABLE: [(&str, &str, &[&str]); 43] = [
    ("SELECT :a", "SELECT $1", &["a"]),
    ("SELECT :a, :b, :a", "SELECT $1, $2, $1", &["a", "b"]),
    (
        "SELECT :a_1::int + :A::int",
        "SELECT $1::int + $2::int",
        &["a_1", "A"],
    ),
    (
        "SELECT -:a, (:b), :c;",
        "SELECT -$1, ($2), $3",
        &["a", "b", "c"],
    ),
    ("SELECT :größe", "SELECT $1", &["größe"]),
    ("WHERE a=:a AND b>=:b", "WHERE a=$1 AND b>=$2", &["a", "b"]),
    (
        "LIMIT :limit OFFSET :offset",
        "LIMIT $1 OFFSET $2",
        &["limit", "offset"],
    ),
    // Casts, also where a word or a parameter follows directly.
    (
        "SELECT a::text, :a::text, '1'::int, (1)::int",
        "SELECT a::text, $1::text, '1'::int, (1)::int",
        &["a"],
    ),
    (
        "SELECT a ::text, a:: text",
        "SELECT a ::text, a:: text",
        &[],
    ),
    (
        "SELECT :a::int[], x::numeric(10,2)",
        "SELECT $1::int[], x::numeric(10,2)",
        &["a"],
    ),
    // := and => of named arguments.
    (
        "SELECT f(a := :a, b:=1, c => :c)",
        "SELECT f(a := $1, b:=1, c => $2)",
        &["a", "c"],
    ),
    // Text in quotes and comments.
    (
        "SELECT ':a', 'it''s :a', \":a\" FROM t",
        "SELECT ':a', 'it''s :a', \":a\" FROM t",
        &[],
    ),
    (
        "SELECT E'\\':a', E'\\\\', :a",
        "SELECT E'\\':a', E'\\\\', $1",
        &["a"],
    ),
    (
        "SELECT U&':a', U&\":a\", B'1', X'f', N':a'",
        "SELECT U&':a', U&\":a\", B'1', X'f', N':a'",
        &[],
    ),
    (
        "SELECT $$ :a $$, $x$ :a $$ :b $x$, :c",
        "SELECT $$ :a $$, $x$ :a $$ :b $x$, $1",
        &["c"],
    ),
    (
        "SELECT 1 -- :a\n, /* :b /* :c */ :d */ :e",
        "SELECT 1 -- :a\n, /* :b /* :c */ :d */ $1",
        &["e"],
    ),
    ("SELECT 'a'\n':b', :c", "SELECT 'a'\n':b', $1", &["c"]),
    // Times and intervals have colons in strings only.
    (
        "SELECT time '12:30', :t::time",
        "SELECT time '12:30', $1::time",
        &["t"],
    ),
    // jsonb.
    ("WHERE d ? :k", "WHERE d ? $1", &["k"]),
    (
        "WHERE d ?| :keys AND d ?& :keys",
        "WHERE d ?| $1 AND d ?& $1",
        &["keys"],
    ),
    (
        "SELECT d -> :k ->> 'a', d #>> :path",
        "SELECT d -> $1 ->> 'a', d #>> $2",
        &["k", "path"],
    ),
    (
        "SELECT d || :d::jsonb, d - :k, d @> :d",
        "SELECT d || $1::jsonb, d - $2, d @> $1",
        &["d", "k"],
    ),
    (
        "WHERE d @? :p AND d @@ '$.a == 1'",
        "WHERE d @? $1 AND d @@ '$.a == 1'",
        &["p"],
    ),
    ("SELECT d['a'], d[:k]['b']", "", &[]),
    ("SELECT d[(:k)]['b']", "SELECT d[($1)]['b']", &["k"]),
    (
        "SELECT JSON_OBJECT('a' : 1, 'b' : :b)",
        "SELECT JSON_OBJECT('a' : 1, 'b' : $1)",
        &["b"],
    ),
    (
        "SELECT JSON_OBJECT('a':1)",
        "SELECT JSON_OBJECT('a':1)",
        &[],
    ),
    // Slices.
    (
        "SELECT a[1:2], a[:2], a[2:], a[:], :b",
        "SELECT a[1:2], a[:2], a[2:], a[:], $1",
        &["b"],
    ),
    (
        "SELECT a[1:n], a[m:n], a[f(1):n]",
        "SELECT a[1:n], a[m:n], a[f(1):n]",
        &[],
    ),
    (
        "SELECT a[b[1]:n], a[1:n][2:m]",
        "SELECT a[b[1]:n], a[1:n][2:m]",
        &[],
    ),
    (
        "SELECT a[1::int:n], a[\"x\":n]",
        "SELECT a[1::int:n], a[\"x\":n]",
        &[],
    ),
    (
        "SELECT a[1 : :n], a[: :n]",
        "SELECT a[1 : $1], a[: $1]",
        &["n"],
    ),
    (
        "SELECT a[:m : :n], a[:m:2]",
        "SELECT a[$1 : $2], a[$1:2]",
        &["m", "n"],
    ),
    (
        "SELECT a[(:m):(:n)], a[(:m) + 1]",
        "SELECT a[($1):($2)], a[($1) + 1]",
        &["m", "n"],
    ),
    (
        "SELECT a[1 + :n], a[f(:m)]",
        "SELECT a[1 + $1], a[f($2)]",
        &["n", "m"],
    ),
    (
        "SELECT a[CASE WHEN b THEN :n ELSE :m END]",
        "SELECT a[CASE WHEN b THEN $1 ELSE $2 END]",
        &["n", "m"],
    ),
    (
        "SELECT ARRAY[:a, :b], array[[:a],[:b]]",
        "SELECT ARRAY[$1, $2], array[[$1],[$2]]",
        &["a", "b"],
    ),
    (
        "SELECT ARRAY[:a][1:n], (ARRAY[b])[1:n]",
        "SELECT ARRAY[$1][1:n], (ARRAY[b])[1:n]",
        &["a"],
    ),
    (
        "SELECT ARRAY[a[1:n], :b]",
        "SELECT ARRAY[a[1:n], $1]",
        &["b"],
    ),
    // psql ends a name before a quote or a dollar.
    ("SELECT :e'x'", "SELECT $1'x'", &["e"]),
    ("SELECT :a$b", "SELECT $1$b", &["a"]),
    // Numbers.
    ("SELECT $1, $2 + $1", "SELECT $1, $2 + $1", &[]),
    ("SELECT : a, :; :)", "SELECT : a, :; :)", &[]),
];

#[test]
fn parameters_are_found_where_psql_finds_variables() {
    for (statement, sent, names) in TABLE {
        let (sql, mistakes) = number(statement.trim_end_matches(';'));
        if sent.is_empty() {
            assert_eq!(mistakes.len(), 1, "{statement}");
            continue;
        }
        assert_eq!(sql.text, sent, "{statement}");
        assert_eq!(sql.names, names, "{statement}");
        assert_eq!(mistakes, [], "{statement}");
    }
}

#[test]
fn notations_that_are_not_parameters_are_refused() {
    insta::assert_snapshot!(mistakes(
        "-- name: a\nSELECT :'x', :\"y\", ':z', a[:n], a[:n + 1], JSON_OBJECT('a':'b');\n-- name: b\nSELECT :x, $1;\n\
         -- name: c\nSELECT $2,\n  :x;"
    ), @r#"
    2:8 [:'x'] `:'x'` is psql's notation for a string (write :x, since a parameter needs no quotes)
    2:14 [:"y"] `:"y"` would be a name, and a parameter is a value (write the name itself: a query has the same tables and columns in each call)
    2:28 [:n] `[:n]` is a parameter for psql and a slice for PostgreSQL (write [(:n)] for the parameter, or [: n] for the slice)
    2:35 [:n] `[:n]` is a parameter for psql and a slice for PostgreSQL (write [(:n)] for the parameter, or [: n] for the slice)
    2:59 [:'b'] `:'b'` is psql's notation for a string (write :b, since a parameter needs no quotes)
    4:12 [$1] the statement has parameters with names and with numbers (write :name for all of them, or $1 for all of them)
    7:3 [:x] the statement has parameters with names and with numbers (write :name for all of them, or $1 for all of them)
    "#);
}

#[test]
fn a_parameter_has_the_name_that_is_written() {
    let query = only("-- name: a\n-- nullable: $2\nSELECT $3, $1");
    assert_eq!(query.sql.parameters(), 3);
    assert_eq!(query.parameter_name(1), "$2");
    assert!(query.is_nullable(1) && !query.is_nullable(0));
}

#[test]
fn a_position_of_the_sent_text_is_found_in_the_file() {
    let text = "-- name: a :many\nSELECT é, :account, b FROM :x WHERE :account";
    let query = only(text);
    let sent = &query.sql.text;
    let found = |part: &str| {
        let start = sent.find(part).expect("the part");
        let span = query.sql.positions.in_file(&(start..start + part.len()));
        &text[span]
    };
    assert_eq!(found("é"), "é");
    assert_eq!(found("$1"), ":account");
    assert_eq!(found("$1, b"), ":account, b");
    assert_eq!(found("b FROM $2"), "b FROM :x");
    assert_eq!(found("WHERE $1"), "WHERE :account");
    let end = query.sql.positions.in_file(&(sent.len()..sent.len()));
    assert_eq!(end, text.len()..text.len());
}

proptest! {
    #[test]
    fn every_text_can_be_read(text in "(-- name: a :one\n|-- row: |:[a-c]|[:;$1-3'\"\\[\\]()aé,/*\n -]|::|\\$\\$|ARRAY){0,40}") {
        let file = read(&text);
        for query in &file.queries {
            let sent = query.sql.text.len();
            for at in 0..=sent {
                let span = query.sql.positions.in_file(&(at..sent));
                prop_assert!(span.start <= span.end && span.end <= text.len());
            }
            for mistake in &query.mistakes {
                prop_assert!(text.get(mistake.span.clone()).is_some());
            }
        }
    }

    #[test]
    fn text_without_a_colon_does_not_change(text in "([;$1-3'\"\\[\\]()aé,/*\n -]|\\$\\$|ARRAY){0,40}") {
        prop_assert_eq!(number(&text).0.text, text);
    }
}
