//! Which conditions can be left out.

use super::*;

fn of(sql: &str, optional: &[usize]) -> String {
    let name = |number| format!(":p{}", number + 1);
    let template = template(sql, optional, name);
    match template.and_then(|it| check_rows(sql, optional, name).map(|()| it)) {
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

#[test]
fn a_condition_left_out_never_means_fewer_rows() {
    for (sql, expected) in [
        (
            "SELECT v.id FROM v LEFT JOIN (SELECT * FROM l WHERE l.copy = $1) x ON x.b = v.b WHERE x.id IS NULL",
            "$1: `:p1` is optional, and on the nullable side of an outer join",
        ),
        (
            "SELECT 1 FROM (SELECT a FROM t WHERE a = $1) x NATURAL FULL OUTER JOIN v",
            "$1: `:p1` is optional, and on the nullable side of an outer join",
        ),
        (
            "SELECT 1 FROM v, ((SELECT a FROM t WHERE a = $1) x RIGHT JOIN u ON true) JOIN w ON true",
            "$1: `:p1` is optional, and on the nullable side of an outer join",
        ),
        (
            "SELECT 1 FROM v LEFT JOIN u JOIN (SELECT a FROM t WHERE a = $1) x ON true ON true",
            "$1: `:p1` is optional, and on the nullable side of an outer join",
        ),
        (
            "SELECT 1 FROM v LEFT JOIN (u JOIN (SELECT a FROM t WHERE a = $1) x ON true) ON true",
            "$1: `:p1` is optional, and on the nullable side of an outer join",
        ),
        (
            "WITH bad AS (SELECT b FROM l WHERE c = $1) SELECT v.id FROM v WHERE v.b NOT IN (SELECT b FROM bad)",
            "bad: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "WITH bad(b) AS MATERIALIZED (SELECT b FROM l WHERE c = $1), more AS (SELECT * FROM bad) SELECT v.id FROM v WHERE NOT EXISTS (SELECT FROM u, more)",
            "more: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "WITH w AS (SELECT b FROM l WHERE c = $1) SELECT id FROM v LEFT JOIN w ON w.b = v.b WHERE w.b IS NULL",
            "w: `:p1` is optional, and on the nullable side of an outer join",
        ),
        (
            "WITH w AS (SELECT b FROM l WHERE c = $1) SELECT id FROM v WHERE (SELECT count(*) FROM w) < 5",
            "count: `:p1` is optional, and in a part of the query with an aggregate",
        ),
        (
            "WITH w AS (SELECT b FROM l WHERE c = $1) SELECT id FROM v WHERE (b IN (SELECT b FROM w)) IS NOT TRUE",
            "w: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "WITH w AS (SELECT b FROM l WHERE c = $1) SELECT id FROM v WHERE c = b IN (SELECT b FROM w)",
            "w: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "WITH w AS (SELECT b FROM l WHERE c = $1) SELECT id FROM v WHERE b NOT IN (TABLE w)",
            "w: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "SELECT id FROM v JOIN u ON EXISTS (SELECT FROM l WHERE c = $1)",
            "$1: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "SELECT a FROM (SELECT a FROM t WHERE b = $1 ORDER BY a LIMIT 5) x WHERE a > 3",
            "LIMIT: `:p1` is optional, and in a part of the query with LIMIT",
        ),
        (
            "SELECT a FROM (SELECT DISTINCT ON (b) a FROM t WHERE b = $1) x WHERE a > 3",
            "ON: `:p1` is optional, and in a part of the query with DISTINCT ON",
        ),
        (
            "SELECT a FROM (SELECT a, count(*) FROM t WHERE b = $1 GROUP BY a) x WHERE count < 3",
            "GROUP: `:p1` is optional, and in a part of the query with GROUP BY",
        ),
        (
            "SELECT a FROM (SELECT coalesce(max(a), 1) AS a FROM t WHERE b = $1) x WHERE a < 3",
            "max: `:p1` is optional, and in a part of the query with an aggregate",
        ),
        (
            "SELECT a FROM (SELECT my_total(a) AS a FROM t WHERE b = $1) x WHERE a < 3",
            "my_total: `:p1` is optional, and in a part of the query with an aggregate",
        ),
        (
            "SELECT a FROM (SELECT a, row_number() OVER (ORDER BY a) AS n FROM t WHERE b = $1) x WHERE n < 3",
            "OVER: `:p1` is optional, and in a part of the query with a window function",
        ),
        (
            "SELECT a, count(*) FROM t WHERE b = $1 GROUP BY a HAVING count(*) < 5",
            "HAVING: `:p1` is optional, and in a query with HAVING",
        ),
        (
            "SELECT count(*) FROM t WHERE b = $1 UNION SELECT 5",
            "count: `:p1` is optional, and in a part of the query with an aggregate",
        ),
        (
            "SELECT DISTINCT EXISTS (SELECT FROM u WHERE b = $1) FROM t",
            "$1: `:p1` is optional, and in a subquery of which more rows could mean fewer of the query",
        ),
        (
            "SELECT a FROM t WHERE b = $1 LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
            "NO: `:p1` is optional, and in a query that locks rows",
        ),
        (
            "WITH w AS (SELECT b FROM l WHERE c = $1) SELECT id FROM v JOIN w USING (b) WHERE b IN (SELECT w.b FROM u, w) AND EXISTS (SELECT FROM w) AND lower(a) = ANY (SELECT a FROM w)",
            "WITH w AS (SELECT b FROM l WHERE true{0: AND c = $1}) SELECT id FROM v JOIN w USING (b) WHERE b IN (SELECT w.b FROM u, w) AND EXISTS (SELECT FROM w) AND lower(a) = ANY (SELECT a FROM w)",
        ),
        (
            "WITH RECURSIVE w AS (SELECT a FROM t WHERE a = $1 UNION ALL SELECT t.a FROM t JOIN w ON t.b = w.a) SELECT a, (SELECT count(*) FROM w) FROM w LIMIT 5",
            "WITH RECURSIVE w AS (SELECT a FROM t WHERE true{0: AND a = $1} UNION ALL SELECT t.a FROM t JOIN w ON t.b = w.a) SELECT a, (SELECT count(*) FROM w) FROM w LIMIT 5",
        ),
        (
            "SELECT a, count(*) FROM (SELECT lower(a) AS a FROM t WHERE b = $1) x LEFT JOIN u USING (a) GROUP BY a HAVING count(*) >= 2 ORDER BY a",
            "SELECT a, count(*) FROM (SELECT lower(a) AS a FROM t WHERE true{0: AND b = $1}) x LEFT JOIN u USING (a) GROUP BY a HAVING count(*) >= 2 ORDER BY a",
        ),
        (
            "SELECT ARRAY(SELECT l FROM (SELECT a FROM u WHERE b = $1 ORDER BY a LIMIT 3) l) FROM t UNION ALL SELECT '{}'",
            "SELECT ARRAY(SELECT l FROM (SELECT a FROM u WHERE true{0: AND b = $1} ORDER BY a LIMIT 3) l) FROM t UNION ALL SELECT '{{}}'",
        ),
    ] {
        assert_eq!(of(sql, &[0]), expected, "{sql}");
    }
}
