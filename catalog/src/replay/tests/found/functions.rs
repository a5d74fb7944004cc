//! Functions of one name: overloads, and several schemas.

use super::agree;

const ONE: &str = "RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END'";

fn histories_agree(histories: &[&[&str]]) {
    for history in histories {
        let statements: Vec<String> = history.iter().map(|sql| sql.replace("ONE", ONE)).collect();
        agree(&statements.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn a_call_keeps_the_function_found_at_its_creation() {
    histories_agree(&[
        &[
            "CREATE SCHEMA z1",
            "CREATE FUNCTION f(int) ONE",
            "ALTER FUNCTION f(int) SET SCHEMA z1",
            "CREATE FUNCTION f(int) ONE",
            "CREATE TABLE t (a int DEFAULT f(7), CHECK (f(1) > a))",
            "ALTER FUNCTION f(int) RENAME TO g",
        ],
        &[
            "CREATE SCHEMA z1",
            "SET search_path TO z1, public",
            "CREATE FUNCTION f(int) ONE",
            "CREATE FUNCTION public.f(int) ONE",
            "CREATE FUNCTION public.g(int) ONE",
            "CREATE FUNCTION h(a int DEFAULT f(3), b int DEFAULT g(4)) ONE",
            "CREATE DOMAIN public.d AS int DEFAULT f(4) CHECK (f(VALUE) > g(5))",
            "CREATE TABLE public.t (a int DEFAULT f(7), b int GENERATED ALWAYS AS (f(a) + g(a)) STORED,
                CHECK (f(a) > public.f(a)), EXCLUDE (f(a) WITH =) WHERE (f(a) > 1))",
            "CREATE INDEX ON public.t (f(a)) WHERE f(b) > 2",
            "CREATE TABLE public.p (a int) PARTITION BY RANGE (f(a))",
            "CREATE POLICY own ON public.t USING (f(a) > 0) WITH CHECK (g(a) > 0)",
            "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER touched BEFORE UPDATE ON public.t FOR EACH ROW
                WHEN (f(new.a) > g(old.a)) EXECUTE FUNCTION public.touch()",
            "ALTER TABLE public.t ALTER b SET NOT NULL",
            "SET search_path TO public",
            "ALTER FUNCTION f(int) RENAME TO f2",
            "ALTER FUNCTION z1.f(int) RENAME TO f3",
            "ALTER SCHEMA z1 RENAME TO z2",
        ],
    ]);
}

#[test]
fn a_dropped_function_drops_its_callers() {
    histories_agree(&[
        &[
            "CREATE SCHEMA z1",
            "CREATE TABLE t1 (id int)",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE FUNCTION f(int) ONE",
            "CREATE INDEX ON t1 (f(7)) WHERE f(1) > 0",
            "ALTER FUNCTION f(int) SET SCHEMA z1",
            "DROP SCHEMA z1 CASCADE",
        ],
        &[
            "CREATE FUNCTION f(int) ONE",
            "CREATE FUNCTION f(text) ONE",
            "CREATE FUNCTION f(int, int) ONE",
            "CREATE FUNCTION g(a int DEFAULT f(3), b int DEFAULT f('x'::text)) ONE",
            "CREATE DOMAIN d AS int DEFAULT f(4)",
            "CREATE DOMAIN e AS text CHECK (f(VALUE) > 0)",
            "CREATE DOMAIN h AS int CHECK (f(VALUE) > 0)",
            "CREATE TABLE t (a int DEFAULT f(7), b text, c d, g int GENERATED ALWAYS AS (f(a)) STORED,
                CONSTRAINT a CHECK (f(a) > 1), CONSTRAINT b CHECK (f(b) > 1), CONSTRAINT c CHECK (f(1, 2) > 1))",
            "CREATE INDEX a ON t (f(a))",
            "CREATE INDEX b ON t (f(b))",
            "CREATE POLICY a ON t USING (f(a) > 0)",
            "CREATE POLICY b ON t USING (f(b) > 0)",
            "CREATE TABLE p (a int) PARTITION BY RANGE (f(a))",
            "CREATE VIEW v AS SELECT f(a) FROM t",
            "CREATE VIEW w AS SELECT f(b) FROM t",
            "DROP FUNCTION f(int) CASCADE",
        ],
    ]);
}

#[test]
fn a_later_overload_does_not_change_earlier_calls() {
    histories_agree(&[&[
        "CREATE FUNCTION f(numeric) ONE",
        "CREATE TABLE t (a int DEFAULT f(7), b numeric, CHECK (f(a + 1) > f(b)))",
        "CREATE INDEX i ON t (f(a))",
        "CREATE FUNCTION f(int) ONE",
        "CREATE TABLE u (a int DEFAULT f(7))",
        "ALTER FUNCTION f(int) RENAME TO g",
        "CREATE FUNCTION f(bigint) ONE",
        "DROP FUNCTION f(bigint) CASCADE",
        "ALTER FUNCTION f(numeric) RENAME TO h",
        "DROP FUNCTION g(int) CASCADE",
    ]]);
}

#[test]
fn a_called_function_is_found_by_the_search_path() {
    histories_agree(&[
        &[
            "CREATE SCHEMA z1",
            "CREATE FUNCTION h() RETURNS int LANGUAGE plpgsql AS
                $$ BEGIN CREATE TABLE t1 (a int); RETURN 1; END $$",
            "ALTER FUNCTION h() SET SCHEMA z1",
            "CREATE FUNCTION h() RETURNS int LANGUAGE plpgsql AS
                $$ BEGIN CREATE TABLE t2 (a int); RETURN 1; END $$",
            "CREATE FUNCTION h(int) RETURNS int LANGUAGE plpgsql AS
                $$ BEGIN CREATE TABLE t3 (a int); RETURN 1; END $$",
            "SELECT h()",
            "SELECT h(1)",
            "SELECT z1.h()",
        ],
        &[
            "CREATE TABLE t (a int)",
            "CREATE VIEW v (p) AS SELECT a FROM t",
            "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE made (a int); END $$",
            "CREATE TABLE u AS SELECT * FROM v",
            "CALL p()",
        ],
    ]);
}

#[test]
fn a_dropped_function_drops_callers_parsed_with_it() {
    agree(&[
        "CREATE FUNCTION h() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$",
        "CREATE FUNCTION k() RETURNS int RETURN h()",
        "CREATE FUNCTION l() RETURNS int LANGUAGE sql AS 'SELECT h()'",
        "CREATE FUNCTION m() RETURNS int BEGIN ATOMIC SELECT k(); END",
        "DROP ROUTINE h() CASCADE",
    ]);
}

#[test]
fn a_renamed_function_keeps_the_names_of_index_columns() {
    agree(&[
        "CREATE FUNCTION f0(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        "CREATE TABLE t (a int) PARTITION BY LIST (a)",
        "CREATE INDEX ON t (f0(a))",
        "ALTER FUNCTION f0(int) RENAME TO f1",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)",
        "CREATE INDEX ON t (f1(a))",
    ]);
}

#[test]
fn a_function_moved_to_its_own_schema_keeps_its_calls() {
    agree(&[
        "CREATE SCHEMA z1",
        "CREATE TABLE r (x bigint)",
        "CREATE TABLE t (id int)",
        "CREATE FUNCTION f(r r) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        "CREATE INDEX ON t (f(7)) WHERE f(1) > 0",
        "ALTER FUNCTION f(int) SET SCHEMA public",
        "ALTER FUNCTION f(int) SET SCHEMA z1",
    ]);
}
