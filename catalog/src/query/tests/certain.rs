//! What is certain by other parts of a query: groups have rows, a condition makes an outer join an
//! inner one, a single row is always joined, a partial index holds.

use crate::query::{Checker, Rows};
use crate::testing::replayed;

const SCHEMA: &str = "
    CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, nick text, deleted_at date);
    CREATE UNIQUE INDEX ON customers (nick) WHERE deleted_at IS NULL;
    CREATE UNIQUE INDEX ON customers (name) WHERE name IS NOT NULL;
    CREATE TABLE orders (
        id int PRIMARY KEY, customer_id int NOT NULL, state text NOT NULL, note text
    );
    CREATE UNIQUE INDEX ON orders (customer_id) WHERE state = 'draft' AND note IS NULL;
    CREATE TABLE parents (kept int NOT NULL);
    CREATE TABLE children (of_child int NOT NULL) INHERITS (parents);
    ALTER TABLE children ALTER kept DROP NOT NULL;
    CREATE AGGREGATE own_max (int) (SFUNC = int4larger, STYPE = int);
";

/// Returns the columns of the result of each query, with a `?` after those that can be NULL.
fn nulls(sql: &str) -> String {
    let catalog = replayed(SCHEMA);
    let query = Checker::new(&catalog).check(sql).expect(sql);
    let columns = query.columns.iter();
    let shown = columns.map(|it| format!("{}{}", it.name, if it.nullable { "?" } else { "" }));
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_column_is_not_null_only_where_no_row_has_null() {
    for (sql, expected) in [
        (
            "SELECT o.tableoid, o.ctid FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
            "tableoid? ctid?",
        ),
        ("SELECT tableoid, ctid FROM orders", "tableoid ctid"),
        (
            "SELECT substring(name SIMILAR 'a' ESCAPE '#') AS s, substring(name, 'a') AS t, \
             substring(name, 1, 2) AS u FROM customers",
            "s? t? u",
        ),
        ("SELECT string_to_table(name, ',') AS a FROM customers", "a"),
        (
            "SELECT string_to_table(name, ',', 'x') AS a FROM customers",
            "a?",
        ),
        (
            "SELECT now()::time AS t, localtimestamp::time AS l, now()::timetz AS z, now()::date AS d",
            "t? l? z? d",
        ),
        ("SELECT kept FROM parents", "kept?"),
        ("SELECT kept FROM ONLY parents", "kept"),
        ("SELECT of_child FROM children", "of_child"),
        (
            "SELECT name, grouping(name) AS g, count(*) AS n FROM customers GROUP BY ROLLUP (name)",
            "name? g n",
        ),
        (
            "SELECT lag(id, 1, 0) OVER (ORDER BY id) AS a, lag(id) OVER (ORDER BY id) AS b, \
             lead(nick, 1, '') OVER (ORDER BY id) AS c, lag(id, $1, 0) OVER () AS d FROM customers",
            "a b? c? d?",
        ),
        (
            "SELECT first_value(name) OVER (ORDER BY id) AS a, last_value(nick) OVER () AS b, \
             first_value(name) OVER (ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS c, \
             first_value(name) OVER w AS d, first_value(name) OVER f AS e, \
             first_value(name) OVER (w) AS g FROM customers \
             WINDOW w AS (ORDER BY id), f AS (ORDER BY id ROWS 1 PRECEDING EXCLUDE CURRENT ROW)",
            "a b? c? d e? g",
        ),
        (
            "SELECT sum(id) OVER (ORDER BY id ROWS 2 PRECEDING) AS a, \
             sum(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND $1 FOLLOWING) AS b, \
             sum(id) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) AS c, \
             sum(id) OVER (ORDER BY id ROWS 1 PRECEDING EXCLUDE GROUP) AS d, \
             sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS e, \
             sum(id) OVER (ORDER BY id RANGE 1 PRECEDING) AS f, \
             sum(id) OVER (ORDER BY id RANGE UNBOUNDED PRECEDING EXCLUDE NO OTHERS) AS g \
             FROM customers",
            "a b c d? e? f? g",
        ),
        (
            "SELECT sum(id) OVER (PARTITION BY name) AS a, sum(id) FILTER (WHERE id > 1) OVER () AS b, \
             max(nick) OVER () AS c, sum(id) OVER (ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS d, \
             array_agg(nick) OVER (ORDER BY id) AS e, stddev(id) OVER () AS f FROM customers",
            "a b? c? d? e f?",
        ),
    ] {
        assert_eq!(nulls(sql), expected, "{sql}");
    }
}

#[test]
fn other_parts_of_a_query_make_a_column_certain() {
    for (sql, expected) in [
        (
            "SELECT max(id) AS m, sum(id) AS s, array_agg(note) AS a, max(note) AS n FROM orders GROUP BY state",
            "m s a n?",
        ),
        (
            "SELECT max(id) FILTER (WHERE note = 'x') AS m, stddev(id) AS d, own_max(id) AS o FROM orders GROUP BY state",
            "m? d? o?",
        ),
        ("SELECT max(id) AS m FROM orders", "m?"),
        ("SELECT max(id) AS m FROM orders GROUP BY ()", "m?"),
        (
            "SELECT max(id) AS m FROM orders GROUP BY ROLLUP (state)",
            "m?",
        ),
        (
            "SELECT max(o.id) AS m FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
            "m?",
        ),
        (
            "SELECT max(note) AS m, string_agg(note, nick) AS s FROM orders, customers WHERE note > 'a' GROUP BY state",
            "m s",
        ),
        (
            "SELECT (SELECT max(o.id) FROM orders o) AS m FROM orders GROUP BY state",
            "m?",
        ),
        // The second join finds a row, so the first one has found one too.
        (
            "SELECT o.id, x.name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id \
             LEFT JOIN customers x ON x.nick = o.note WHERE x.id > 1",
            "id name",
        ),
        (
            "SELECT o.note, x.nick FROM orders o LEFT JOIN customers x ON x.nick = o.note WHERE x.id > 1",
            "note nick",
        ),
        (
            "SELECT o.note, x.nick FROM orders o LEFT JOIN customers x ON x.nick = o.note WHERE o.id > 1",
            "note? nick?",
        ),
        (
            "SELECT x.n FROM customers c LEFT JOIN LATERAL \
             (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.id) x ON true",
            "n",
        ),
        (
            "SELECT x.n FROM customers c LEFT JOIN LATERAL \
             (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.id) x ON c.id > 1",
            "n?",
        ),
        (
            "SELECT x.n FROM customers c LEFT JOIN LATERAL \
             (SELECT count(*) AS n FROM orders o HAVING count(*) > 1) x ON true",
            "n?",
        ),
        (
            "SELECT note FROM orders WHERE note <> ALL (ARRAY['a', state])",
            "note",
        ),
    ] {
        assert_eq!(nulls(sql), expected, "{sql}");
    }
}

#[test]
fn a_partial_index_counts_with_its_condition() {
    let catalog = replayed(SCHEMA);
    for (sql, expected) in [
        ("SELECT * FROM customers WHERE nick = $1", Rows::Many),
        (
            "SELECT * FROM customers WHERE nick = $1 AND deleted_at IS NULL",
            Rows::Optional,
        ),
        (
            "SELECT * FROM customers WHERE nick = $1 AND deleted_at IS NOT NULL",
            Rows::Many,
        ),
        (
            "SELECT * FROM customers WHERE nick = $1 OR deleted_at IS NULL",
            Rows::Many,
        ),
        ("SELECT * FROM customers WHERE name = $1", Rows::Optional),
        (
            "SELECT * FROM orders WHERE customer_id = $1 AND state = 'draft' AND note IS NULL",
            Rows::Optional,
        ),
        (
            "SELECT * FROM orders WHERE customer_id = $1 AND state = 'draft'",
            Rows::Many,
        ),
        (
            "SELECT * FROM orders WHERE customer_id = $1 AND state = $2 AND note IS NULL",
            Rows::Many,
        ),
        (
            "SELECT * FROM orders o JOIN customers c ON c.nick = o.note AND c.deleted_at IS NULL WHERE o.id = $1",
            Rows::Optional,
        ),
        (
            "SELECT * FROM orders o, customers c WHERE c.nick = o.note AND o.id = $1 AND deleted_at IS NULL",
            Rows::Optional,
        ),
        (
            "SELECT * FROM orders a, orders b WHERE a.id = $1 AND b.customer_id = 1 AND a.state = 'draft' AND a.note IS NULL",
            Rows::Many,
        ),
    ] {
        let query = Checker::new(&catalog).check(sql).expect(sql);
        assert_eq!(query.rows, expected, "{sql}");
    }
}

#[test]
fn rows_of_a_subquery_have_the_keys_of_its_tables() {
    let catalog = replayed(&format!(
        "{SCHEMA} CREATE VIEW named AS SELECT id AS number, name FROM customers;
         CREATE VIEW totals AS SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id;"
    ));
    let checker = Checker::new(&catalog);
    for (sql, expected) in [
        (
            "SELECT 1 AS one FROM (SELECT id FROM orders) x WHERE id = 1",
            Rows::Optional,
        ),
        (
            "SELECT 1 AS one FROM (SELECT note FROM orders) x WHERE note = 'a'",
            Rows::Many,
        ),
        (
            "SELECT 1 AS one FROM (SELECT id + 0 AS id FROM orders) x WHERE id = 1",
            Rows::Many,
        ),
        (
            "SELECT 1 AS one FROM (SELECT o.id FROM orders o, customers) x WHERE id = 1",
            Rows::Many,
        ),
        (
            "SELECT 1 AS one FROM (SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id) x \
             WHERE id = 1",
            Rows::Optional,
        ),
        (
            "SELECT 1 AS one FROM (SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id) \
             x WHERE id = 1",
            Rows::Many,
        ),
        (
            "WITH x AS (SELECT id, name FROM customers) SELECT name FROM x WHERE id = $1",
            Rows::Optional,
        ),
        (
            "SELECT n FROM (SELECT state, count(*) AS n FROM orders GROUP BY state) x WHERE state = $1",
            Rows::Optional,
        ),
        (
            "SELECT n FROM (SELECT state, count(*) AS n FROM orders GROUP BY state, id) x \
             WHERE state = $1",
            Rows::Many,
        ),
        (
            "SELECT n FROM (SELECT state, count(*) AS n FROM orders GROUP BY ROLLUP (state)) x \
             WHERE state = $1",
            Rows::Many,
        ),
        (
            "SELECT 1 AS one FROM (SELECT DISTINCT state FROM orders) x WHERE state = $1",
            Rows::Optional,
        ),
        (
            "SELECT 1 AS one FROM (SELECT DISTINCT ON (id) state FROM orders) x WHERE state = $1",
            Rows::Many,
        ),
        (
            "SELECT 1 AS one FROM (SELECT id, generate_series(1, 2) FROM orders) x WHERE id = $1",
            Rows::Many,
        ),
        ("SELECT name FROM named WHERE number = $1", Rows::Optional),
        (
            "SELECT n FROM totals WHERE customer_id = $1",
            Rows::Optional,
        ),
        (
            "SELECT o.id FROM orders o JOIN totals t USING (customer_id) WHERE o.id = $1",
            Rows::Optional,
        ),
        (
            "WITH RECURSIVE x AS (SELECT id FROM orders UNION ALL SELECT id + 1 FROM x) \
             SELECT 1 AS one FROM x WHERE id = $1",
            Rows::Many,
        ),
        (
            "SELECT 1 AS one FROM (SELECT id FROM orders UNION ALL SELECT id FROM orders) x WHERE id = $1",
            Rows::Many,
        ),
    ] {
        assert_eq!(checker.check(sql).expect(sql).rows, expected, "{sql}");
    }
}
