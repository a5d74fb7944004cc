//! The quick check of a syntax tree finds no fewer errors than squawk's validation.

use squawk_syntax::SourceFile;

use super::super::syntax::parse::{is_certainly_parsed, parse};
use super::fuzz::seeds;

/// An example of each error of squawk's validation, version 2.68.
const INVALID: [&str; 61] = [
    "SELECT 1 SELECT 2",
    "CREATE TABLE left (a int)",
    "CREATE TABLE t (a)",
    "CREATE TABLE t (a int, b)",
    "SELECT left FROM t",
    "SELECT coalesce()",
    "SELECT greatest()",
    "SELECT nullif(1)",
    "SELECT nullif(1, 2, 3)",
    "SELECT merge_action(1)",
    "SELECT setof(1)",
    "SELECT table(1)",
    "SELECT any(array[1])",
    "SELECT some(array[1]) = 1",
    "SELECT * FROM t WHERE all(array[1]) = a",
    "SELECT * FROM LATERAL t",
    "SELECT * FROM ONLY f()",
    "SELECT * FROM (t)",
    "SELECT * FROM (t AS u)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 END",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1' RETURN 1",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 SELECT 2 $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT FROM WHERE $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS 'SELECT left FROM t'",
    "CREATE FUNCTION f() RETURNS int AS $$ SELECT coalesce() $$ LANGUAGE \"sql\"",
    "CREATE PROCEDURE p() LANGUAGE sql AS $$ SELECT 1 SELECT 2 $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql STABLE IMMUTABLE AS ''",
    "CREATE FUNCTION f() RETURNS int STRICT CALLED ON NULL INPUT LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f() RETURNS int LEAKPROOF NOT LEAKPROOF LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f(VARIADIC a int[], b int) RETURNS int LANGUAGE plpgsql AS ''",
    "CREATE PROCEDURE p(VARIADIC a int[], OUT b int) LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f(OUT a int) RETURNS TABLE (b int) LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f(INOUT a int) RETURNS TABLE (b int) LANGUAGE plpgsql AS ''",
    "CREATE AGGREGATE a (OUT int) (sfunc = f, stype = int)",
    "CREATE AGGREGATE a (x int DEFAULT 1) (sfunc = f, stype = int)",
    "DROP FUNCTION f(a int DEFAULT 1)",
    "DROP PROCEDURE p(a int DEFAULT 1)",
    "DROP AGGREGATE a(x int DEFAULT 1)",
    "DO LANGUAGE plpgsql LANGUAGE plpgsql 'BEGIN END'",
    "DO LANGUAGE sql 'SELECT 1'",
    "SELECT DISTINCT FROM t",
    "SELECT DISTINCT ON () a FROM t",
    "FROM t SELECT a",
    "FROM t",
    "SELECT (SELECT FROM t)",
    "SELECT 1 UNION SELECT 2 INTO t",
    "CREATE VIEW v AS SELECT 1 INTO t",
    "SELECT a IN b FROM t",
    "SELECT a IN () FROM t",
    "SELECT (a, b, c) OVERLAPS (d, e)",
    "SELECT a OVERLAPS b",
    "SELECT * FROM a JOIN b",
    "SELECT * FROM a CROSS JOIN b USING (c)",
    "SELECT * FROM a NATURAL JOIN b USING (c)",
    "SELECT [1, 2]",
    "SELECT ARRAY(1, 2)",
    "SELECT 'a' 'b'",
    "SELECT 'a' /* c */\n'b'",
    "SELECT U&'\\zz'",
    "SELECT U&\"\\zz\"",
];

/// More examples, in statements that are not queries.
const MORE: [&str; 16] = [
    "SELECT a UESCAPE '!' FROM t",
    "SELECT U&'a' UESCAPE '+'",
    "INSERT INTO t VALUES (DEFAULT + 1)",
    "SELECT DEFAULT",
    "UPDATE t SET a[1] = DEFAULT",
    "UPDATE t SET a.b = DEFAULT",
    "UPDATE t SET () = (SELECT 1)",
    "SET search_path TO",
    "ALTER TABLE t ALTER a SET STORAGE quick",
    "CREATE TABLE t (a varchar(VARIADIC 1))",
    "CREATE TABLE t (a varchar(n => 1))",
    "CREATE TABLE t (a varchar(1 + 2))",
    "CREATE TABLE t PARTITION OF p FOR VALUES WITH (MODULUS 1)",
    "CREATE TABLE t PARTITION OF p FOR VALUES WITH (MODULUS 1, MODULUS 2)",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1 SELECT 2)",
    "SELECT JSON_ARRAY((SELECT 1), 2)",
];

#[test]
fn the_quick_check_accepts_nothing_that_squawk_refuses() {
    for text in INVALID.into_iter().chain(MORE) {
        let errors = SourceFile::parse(text).errors();
        assert!(
            errors.is_empty() || !is_certainly_parsed(text),
            "{text}\n{errors:?}"
        );
        assert_eq!(parse(text).is_err(), !errors.is_empty(), "{text}");
    }
    let refused = INVALID.into_iter().chain(MORE);
    let refused = refused.filter(|text| !SourceFile::parse(text).errors().is_empty());
    assert!(refused.count() > 70, "the examples are errors");
    for text in seeds() {
        let errors = SourceFile::parse(&text).errors();
        assert!(errors.is_empty() || !is_certainly_parsed(&text), "{text}");
    }
}

#[test]
fn most_statements_need_no_validation() {
    let seeds = seeds();
    let quick = seeds
        .iter()
        .filter(|text| is_certainly_parsed(text))
        .count();
    assert!(quick * 10 > seeds.len() * 8, "{quick} of {}", seeds.len());
}

/// The quick check follows one version of squawk. Another one may find more errors: compare its
/// validation.rs, and add them to the check and to the examples.
#[test]
fn the_quick_check_is_that_of_the_locked_version() {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let lock = std::fs::read_to_string(lock).expect("the workspace's lock file");
    assert!(lock.contains("name = \"squawk-syntax\"\nversion = \"2.68.0\""));
}
