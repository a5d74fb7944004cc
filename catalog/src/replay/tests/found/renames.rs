//! Renames of objects that expressions use.

use super::*;

#[test]
fn a_renamed_label_is_renamed_in_expressions_too() {
    agree(&[
        "CREATE TYPE e AS ENUM ('x', 'y')",
        "CREATE TABLE t (a e DEFAULT 'x', b text DEFAULT 'x', CHECK (a <> 'x'), CHECK (b <> 'x' OR 'x' = a))",
        "CREATE INDEX ON t (b) WHERE a = 'x'::e",
        "CREATE DOMAIN d AS e DEFAULT 'x' CHECK (VALUE <> 'x')",
        "ALTER TYPE e RENAME VALUE 'x' TO 'it''s'",
    ]);
    assert_eq!(
        show(
            "CREATE TYPE e AS ENUM ('x'); CREATE TABLE t (a e, CHECK (a IN ('x'))); ALTER TYPE e RENAME VALUE 'x' TO 'y';"
        ),
        "enum e: y\nt: a e?\n  t_a_check: check a IN ('y')\n"
    );
}

#[test]
fn a_renamed_label_is_renamed_in_arrays_too() {
    agree(&[
        "CREATE TYPE e AS ENUM ('a', 'b', 'c d')",
        "CREATE DOMAIN d AS e[] DEFAULT '{a}' CHECK (VALUE <> '{a,b}')",
        "CREATE DOMAIN one AS e DEFAULT 'a'",
        "CREATE FUNCTION f(x e DEFAULT 'a', y e[] DEFAULT '{b,a}') RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE t (x e[] DEFAULT '{a,NULL,\"c d\"}', y e[] DEFAULT ARRAY['b', 'a']::e[], z d, o one DEFAULT 'a',
            w text[] DEFAULT '{a}', v text DEFAULT 'a', n int, m e[][] DEFAULT '{{a,b},{b,a}}'::e[], s e,
            g boolean GENERATED ALWAYS AS (x @> '{a}'::e[] OR s = 'a') STORED,
            CHECK (x <> '{a,b}'), CHECK (s = ANY ('{a,b}'::e[])), CHECK (s = ANY (ARRAY['a'::e, 'b'::e])), CHECK (w <> '{a}' AND x && '{a}'))",
        "CREATE INDEX ON t (n) WHERE x @> '{a}' AND s <> ALL ('{a,b}')",
        "CREATE INDEX ON t ((ARRAY['a', 'b']::e[] = x))",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW WHEN (new.s = 'a') EXECUTE FUNCTION touch()",
        "CREATE POLICY own ON t USING (s = 'a' AND v = 'a')",
        "ALTER TYPE e RENAME VALUE 'a' TO 'it''s x'",
        "ALTER TYPE e RENAME VALUE 'c d' TO 'e'",
    ]);
}

#[test]
fn a_string_that_may_be_a_renamed_label_is_refused() {
    let shown = show(
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (x e, CHECK (CASE x WHEN 'a' THEN true END));
         ALTER TYPE e RENAME VALUE 'a' TO 'c';",
    );
    assert!(shown.contains("means this label is not known"), "{shown}");
}

#[test]
fn a_call_of_an_ambiguous_name_includes_the_schema() {
    agree(&[
        "CREATE FUNCTION f0(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f1(int, text DEFAULT 'x') RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2'",
        "CREATE FUNCTION g(a int DEFAULT f0(3)) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 3'",
        "CREATE TABLE t (a int DEFAULT f0(18), b int GENERATED ALWAYS AS (f0(a)) STORED, CHECK (f0(a) > 0))",
        "CREATE INDEX ON t ((f0(a) + 1)) WHERE f0(a) > 2",
        "CREATE DOMAIN d AS int DEFAULT f0(4) CHECK (f0(VALUE) > 5)",
        "ALTER FUNCTION f0(int) RENAME TO f1",
        "CREATE FUNCTION upper(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE u (a int DEFAULT upper(1), b text DEFAULT upper('x'))",
    ]);
}

#[test]
fn a_call_that_became_ambiguous_includes_the_schema() {
    agree(&[
        "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE t (a int DEFAULT f(18), CHECK (f(a) > 0))",
        "CREATE FUNCTION f(int, text DEFAULT 'x') RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2'",
        "CREATE FUNCTION f(int, VARIADIC int[]) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2'",
    ]);
}
