//! Which conditions can be left out.

use super::*;

fn of(sql: &str, optional: &[usize]) -> String {
    match template(sql, optional, |number| format!(":p{}", number + 1)) {
        Ok(template) => template,
        Err(refused) => format!("{}: {}", &sql[refused.span.clone()], refused.message),
    }
}

#[test]
fn a_condition_is_a_whole_conjunct() {
    for (sql, expected) in [
        (
            "SELECT 1 FROM t WHERE a = $1 AND b = $2 ORDER BY a",
            "SELECT 1 FROM t WHERE true{0: AND a = $1}{1: AND b = $2} ORDER BY a",
        ),
        (
            "SELECT 1 FROM t WHERE c AND a BETWEEN 1 AND $1 AND b = $2",
            "SELECT 1 FROM t WHERE c{0: AND a BETWEEN 1 AND $1}{1: AND b = $2}",
        ),
        (
            "SELECT 1 FROM t WHERE CASE WHEN x AND y THEN a ELSE b END = $1 AND ($2 = b AND c)",
            "SELECT 1 FROM t WHERE true{0: AND CASE WHEN x AND y THEN a ELSE b END = $1} AND (true{1: AND $2 = b} AND c)",
        ),
        (
            "SELECT '{}' FROM t WHERE d AND EXISTS (SELECT FROM u WHERE u.a = t.a AND u.b = ANY ($1)) AND b = coalesce($2, '{1}') LIMIT 1",
            "SELECT '{{}}' FROM t WHERE d{0: AND EXISTS (SELECT FROM u WHERE u.a = t.a AND u.b = ANY ($1))}{1: AND b = coalesce($2, '{{1}}')} LIMIT 1",
        ),
        (
            "SELECT ARRAY(SELECT u FROM u WHERE u.b = $1) AS where, count(*) FILTER (WHERE q) FROM t WHERE a NOT IN ($2, 5) AND b IS NOT NULL",
            "SELECT ARRAY(SELECT u FROM u WHERE true{0: AND u.b = $1}) AS where, count(*) FILTER (WHERE q) FROM t WHERE true{1: AND a NOT IN ($2, 5)} AND b IS NOT NULL",
        ),
        (
            "SELECT 1 FROM t WHERE c AND (a = $1 OR b = $1) AND (b OR a = $2) IS NOT NULL",
            "$2: `:p2` is optional, and under an OR",
        ),
        (
            "SELECT 1 FROM t WHERE c AND (a = $1 OR b = $1) AND EXISTS (SELECT FROM u WHERE (x OR y) AND z = $2)",
            "SELECT 1 FROM t WHERE c{0: AND (a = $1 OR b = $1)}{1: AND EXISTS (SELECT FROM u WHERE (x OR y) AND z = $2)}",
        ),
        (
            "SELECT 1 FROM (SELECT a FROM t WHERE a = $1 OR b = $1) x, LATERAL (SELECT 1 FROM u WHERE u.a = $2) y",
            "SELECT 1 FROM (SELECT a FROM t WHERE true{0: AND (a = $1 OR b = $1)}) x, LATERAL (SELECT 1 FROM u WHERE true{1: AND u.a = $2}) y",
        ),
        (
            "WITH w AS NOT MATERIALIZED (SELECT a FROM t WHERE a = $1), v AS (SELECT a FROM t) ((SELECT 1 FROM w)) UNION ALL (SELECT 2 FROM v, (SELECT 1 FROM u WHERE b = $2) z)",
            "WITH w AS NOT MATERIALIZED (SELECT a FROM t WHERE true{0: AND a = $1}), v AS (SELECT a FROM t) ((SELECT 1 FROM w)) UNION ALL (SELECT 2 FROM v, (SELECT 1 FROM u WHERE true{1: AND b = $2}) z)",
        ),
        (
            "SELECT coalesce((SELECT sum(c) FROM u, v WHERE u.a = $1), 0), t.b IN (SELECT b FROM u WHERE d = $2) FROM t",
            "SELECT coalesce((SELECT sum(c) FROM u, v WHERE true{0: AND u.a = $1}), 0), t.b IN (SELECT b FROM u WHERE true{1: AND d = $2}) FROM t",
        ),
        (
            "SELECT 1 FROM t WHERE between = 1 AND a < $1 + $1 GROUP BY a HAVING b > $2",
            "$2: `:p2` is optional, and used outside of a WHERE",
        ),
    ] {
        assert_eq!(of(sql, &[0, 1]), expected);
    }
}

#[test]
fn a_part_of_a_condition_is_not_left_out() {
    for (sql, expected) in [
        (
            "SELECT 1 FROM t WHERE a = $1 OR b",
            "`:p1` is optional, and under an OR",
        ),
        (
            "SELECT 1 FROM t WHERE c AND (a = $1 OR b)",
            "`:p1` is optional, and under an OR",
        ),
        (
            "SELECT 1 FROM t WHERE NOT a = $1",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT 1 FROM t WHERE c AND NOT EXISTS (SELECT FROM u WHERE u.b = $1)",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT 1 FROM t WHERE a > $1 AND b < $1",
            "`:p1` is optional, and used in two conditions",
        ),
        (
            "SELECT $1 FROM t WHERE a > $1",
            "`:p1` is optional, and used outside of a WHERE",
        ),
        (
            "SELECT count(*) FILTER (WHERE a > $1) FROM t",
            "`:p1` is optional, and used outside of a WHERE",
        ),
        (
            "SELECT (SELECT name FROM u WHERE u.a = $1) FROM t",
            "`:p1` is optional, and in a subquery that returns one value",
        ),
        (
            "SELECT coalesce((SELECT count(*) FROM u WHERE u.a = $1 GROUP BY u.b), 0) FROM t",
            "`:p1` is optional, and in a subquery that returns one value",
        ),
        (
            "SELECT 1 FROM t JOIN u ON t.a IS NOT DISTINCT FROM (SELECT b FROM v WHERE c = $1)",
            "`:p1` is optional, and in a subquery that returns one value",
        ),
        (
            "SELECT ARRAY[(SELECT b FROM v WHERE c = $1)] FROM t",
            "`:p1` is optional, and in a subquery that returns one value",
        ),
        (
            "SELECT t.a + ((SELECT b FROM v WHERE c = $1)) FROM t",
            "`:p1` is optional, and in a subquery that returns one value",
        ),
        (
            "SELECT t.a = (SELECT b FROM (SELECT b FROM v WHERE c = $1) w) FROM t",
            "`:p1` is optional, and in a subquery that returns one value",
        ),
        (
            "SELECT NOT EXISTS (SELECT FROM u WHERE u.b = $1) FROM t",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT CASE WHEN NOT (t.c AND EXISTS (SELECT FROM u WHERE u.b = $1)) THEN 1 END FROM t",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT 1 FROM t JOIN u ON t.a NOT IN (SELECT b FROM v WHERE c = $1)",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT t.a > ALL (SELECT b FROM v WHERE c = $1) FROM t",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT a FROM t EXCEPT (SELECT a FROM u WHERE b = $1)",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT a FROM t EXCEPT SELECT a FROM u WHERE b = $1 ORDER BY a",
            "`:p1` is optional, and under a NOT",
        ),
        (
            "SELECT 1 FROM t WHERE a BETWEEN $1 AND $2",
            "the condition of `:p1`, which is optional, also has `:p2`",
        ),
    ] {
        assert_eq!(of(sql, &[0]), format!("$1: {expected}"), "{sql}");
    }
}
