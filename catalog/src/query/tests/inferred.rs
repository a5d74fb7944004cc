//! The inference of a query: the columns that can be NULL, the number of rows, and the text that is
//! sent.

use bowline_migrations::SqlFile;

use crate::query::{Checker, Query, Rows};
use crate::{Catalog, replay};

const SCHEMA: &str = "
    CREATE TYPE status AS ENUM ('open', 'frozen');
    CREATE TABLE accounts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        username text NOT NULL UNIQUE,
        nick text,
        email text CHECK (email IS NOT NULL),
        balance numeric NOT NULL DEFAULT 0,
        status status NOT NULL DEFAULT 'open',
        tags text[] NOT NULL DEFAULT '{}',
        parent bigint REFERENCES accounts
    );
    CREATE TABLE transfers (
        id bigserial PRIMARY KEY,
        sender_id bigint NOT NULL REFERENCES accounts,
        receiver_id bigint NOT NULL REFERENCES accounts,
        amount numeric NOT NULL,
        note text,
        UNIQUE (sender_id, receiver_id)
    );
    CREATE TABLE logged (a int NOT NULL, b int);
    CREATE UNIQUE INDEX ON logged (a) WHERE b > 0;
    CREATE VIEW rich AS SELECT id, username, nick FROM accounts WHERE balance > 1000;
    CREATE VIEW named (number, login) AS SELECT id, username, nick FROM accounts;
    CREATE VIEW starred (number) AS SELECT * FROM logged;
";

fn catalog() -> Catalog {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    let replayed = replay::replay([&file]);
    assert!(replayed.refusals.is_empty(), "{:?}", replayed.refusals);
    replayed.catalog
}

fn check(catalog: &Catalog, sql: &str) -> Query {
    Checker::new(catalog)
        .check(sql)
        .unwrap_or_else(|fault| panic!("{sql}: {fault}"))
}

/// Returns the columns as text, with a question mark after each that can be NULL.
fn nulls(catalog: &Catalog, sql: &str) -> String {
    let columns = check(catalog, sql).columns.into_iter();
    let columns = columns.map(|it| format!("{}{}", it.name, if it.nullable { "?" } else { "" }));
    columns.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_column_is_not_null_only_where_it_cannot_be() {
    let catalog = catalog();
    for (sql, expected) in [
        ("SELECT id, nick, email FROM accounts", "id nick? email"),
        ("SELECT * FROM named", "number login nick?"),
        // The table may have got the columns of `*` later.
        ("SELECT * FROM starred", "number? b?"),
        (
            "SELECT string_agg(DISTINCT v, ',' ORDER BY v) AS a FROM (SELECT username::varchar(9) AS v FROM accounts) t",
            "a?",
        ),
        (
            "SELECT a.id, t.id AS t FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id",
            "id t?",
        ),
        (
            "SELECT a.id, t.id AS t FROM accounts a RIGHT JOIN transfers t ON t.sender_id = a.id",
            "id? t",
        ),
        (
            "SELECT a.id, t.id AS t FROM accounts a FULL JOIN transfers t ON t.sender_id = a.id",
            "id? t?",
        ),
        // A condition that requires a row of the other side makes the join an inner one.
        (
            "SELECT t.id FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id WHERE t.amount > 1",
            "id",
        ),
        (
            "SELECT t.note, t.id FROM accounts a LEFT JOIN transfers t ON true WHERE t.id IS NOT NULL",
            "note? id",
        ),
        (
            "SELECT t.id FROM accounts a LEFT JOIN transfers t ON true WHERE t.id IS NULL",
            "id?",
        ),
        (
            "SELECT t.id FROM accounts a LEFT JOIN transfers t ON true WHERE t.id = 1 OR a.id = 1",
            "id?",
        ),
        (
            "SELECT t.id FROM accounts a LEFT JOIN transfers t ON true WHERE t.id = 1 OR t.id = 2",
            "id",
        ),
        (
            "SELECT t.id FROM accounts a LEFT JOIN transfers t ON true WHERE NOT (t.id = 1)",
            "id",
        ),
        ("SELECT nick FROM accounts WHERE nick IS NOT NULL", "nick"),
        ("SELECT nick FROM accounts WHERE nick = $1", "nick"),
        (
            "SELECT nick FROM accounts WHERE nick IS DISTINCT FROM $1",
            "nick?",
        ),
        ("SELECT nick FROM accounts WHERE nick = ANY($1)", "nick"),
        ("SELECT nick FROM accounts WHERE nick <> ALL($1)", "nick?"),
        (
            "SELECT nick FROM accounts WHERE nick LIKE 'a%' AND balance > 1",
            "nick",
        ),
        (
            "SELECT coalesce(nick, username) AS n, coalesce(nick, note) AS m FROM accounts, transfers",
            "n m?",
        ),
        (
            "SELECT CASE WHEN nick IS NULL THEN 'x' ELSE nick END AS a, CASE WHEN id = 1 THEN 'x' END AS b FROM accounts",
            "a b?",
        ),
        (
            "SELECT count(*) AS n, sum(balance) AS s, max(id) AS m, count(nick) AS c FROM accounts",
            "n s? m? c",
        ),
        (
            "SELECT username || nick AS a, username || 'x' AS b, balance + 1 AS c FROM accounts",
            "a? b c",
        ),
        (
            "SELECT nullif(username, 'x') AS a, greatest(nick, username) AS b FROM accounts",
            "a? b",
        ),
        (
            "SELECT tags[1] AS a, array_length(tags, 1) AS b, cardinality(tags) AS c FROM accounts",
            "a? b? c",
        ),
        (
            "SELECT (SELECT username FROM accounts WHERE id = $1) AS a, EXISTS (SELECT 1) AS b, ARRAY(SELECT nick FROM accounts) AS c",
            "a? b c",
        ),
        ("SELECT (SELECT count(*) FROM transfers) AS a", "a"),
        (
            "SELECT nick IS NULL AS a, nick = 'x' AS b, id IN (1, 2) AS c, id IN (1, NULL) AS d FROM accounts",
            "a b? c d?",
        ),
        (
            "SELECT row_number() OVER () AS a, lag(id) OVER (ORDER BY id) AS b FROM accounts",
            "a b?",
        ),
        (
            "SELECT id FROM accounts UNION SELECT parent FROM accounts",
            "id?",
        ),
        (
            "SELECT parent FROM accounts EXCEPT SELECT id FROM accounts",
            "parent?",
        ),
        (
            "SELECT parent FROM accounts INTERSECT SELECT id FROM accounts",
            "parent",
        ),
        ("VALUES (1, NULL::text), (2, 'x')", "column1 column2?"),
        (
            "INSERT INTO accounts (username, email) VALUES ($1, $2) RETURNING id, nick, email",
            "id nick? email",
        ),
        (
            "UPDATE accounts SET nick = $1 WHERE nick IS NOT NULL RETURNING nick",
            "nick?",
        ),
        (
            "INSERT INTO rich (username) VALUES ($1) RETURNING username",
            "username",
        ),
        (
            "DELETE FROM accounts WHERE nick = 'x' RETURNING nick",
            "nick",
        ),
        (
            "WITH RECURSIVE up AS (SELECT id, parent, 1 AS depth FROM accounts UNION ALL SELECT a.id, a.parent, up.depth + 1 FROM accounts a JOIN up ON up.parent = a.id) SELECT * FROM up",
            "id parent? depth",
        ),
        ("SELECT * FROM rich", "id username nick?"),
        (
            "SELECT status, count(*) AS n FROM accounts GROUP BY ROLLUP (status)",
            "status? n",
        ),
        (
            "SELECT $1::text AS label, count(*) AS n, coalesce(sum(1), 0) AS s FROM accounts GROUP BY ROLLUP (1)",
            "label? n s",
        ),
        (
            "SELECT 'a' AS x, upper('a') AS u, count(*) AS n FROM accounts GROUP BY CUBE (x, u)",
            "x? u? n",
        ),
        (
            "SELECT g, u FROM generate_series(1, 3) g, unnest(ARRAY[1, NULL]) u",
            "g u?",
        ),
        (
            "SELECT now() AS a, current_date AS b, $1::int AS c",
            "a b c",
        ),
        (
            "SELECT a.username FROM accounts a JOIN transfers t USING (id)",
            "username",
        ),
        (
            "SELECT id FROM accounts a FULL JOIN transfers t USING (id)",
            "id?",
        ),
    ] {
        assert_eq!(nulls(&catalog, sql), expected, "{sql}");
    }
}

#[test]
fn a_bound_key_means_at_most_one_row() {
    use Rows::{Affected, Many, One, Optional};
    let catalog = catalog();
    for (sql, expected) in [
        ("SELECT * FROM accounts", Many),
        ("SELECT * FROM accounts WHERE id = $1", Optional),
        (
            "SELECT * FROM accounts WHERE $1 = id AND balance > 1",
            Optional,
        ),
        ("SELECT * FROM accounts WHERE id = $1 OR id = $2", Many),
        ("SELECT * FROM accounts WHERE id > $1", Many),
        ("SELECT * FROM accounts WHERE id = balance", Many),
        (
            "SELECT * FROM accounts WHERE username = lower($1)",
            Optional,
        ),
        ("SELECT * FROM accounts WHERE lower(username) = $1", Many),
        ("SELECT * FROM accounts WHERE id::text = $1", Many),
        (
            "SELECT * FROM accounts WHERE id = (random() * 5)::int",
            Many,
        ),
        ("SELECT * FROM transfers WHERE sender_id = $1", Many),
        (
            "SELECT * FROM transfers WHERE sender_id = $1 AND receiver_id = $2",
            Optional,
        ),
        ("SELECT * FROM logged WHERE a = $1", Many),
        (
            "SELECT * FROM transfers t JOIN accounts a ON a.id = t.sender_id WHERE t.id = $1",
            Optional,
        ),
        (
            "SELECT * FROM transfers t LEFT JOIN accounts a ON a.id = t.sender_id WHERE t.id = $1",
            Optional,
        ),
        (
            "SELECT * FROM transfers t JOIN accounts a ON a.id = t.sender_id WHERE a.id = $1",
            Many,
        ),
        (
            "SELECT * FROM accounts a LEFT JOIN transfers t ON t.id = $1",
            Many,
        ),
        ("SELECT * FROM accounts LIMIT 1", Optional),
        ("SELECT * FROM accounts LIMIT $1", Many),
        ("SELECT count(*) FROM accounts", One),
        (
            "SELECT count(*) FROM accounts HAVING count(*) > 1",
            Optional,
        ),
        ("SELECT count(*) FROM accounts GROUP BY status", Many),
        ("SELECT 1", One),
        ("SELECT 1 WHERE $1", Optional),
        ("SELECT generate_series(1, 3)", Many),
        ("VALUES (1)", One),
        ("VALUES (1), (2)", Many),
        ("SELECT id FROM accounts WHERE id = $1 UNION SELECT 1", Many),
        (
            "WITH a AS (SELECT * FROM accounts WHERE id = $1) SELECT * FROM a",
            Optional,
        ),
        ("INSERT INTO logged VALUES (1, 2)", Affected),
        ("INSERT INTO logged VALUES (1, 2) RETURNING a", One),
        ("INSERT INTO logged VALUES (1, 2), (3, 4) RETURNING a", Many),
        (
            "INSERT INTO accounts (username) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id",
            Optional,
        ),
        (
            "INSERT INTO accounts (username) VALUES ($1) ON CONFLICT (username) DO UPDATE SET nick = 'x' RETURNING id",
            One,
        ),
        ("UPDATE accounts SET nick = 'x' WHERE id = $1", Affected),
        (
            "UPDATE accounts SET nick = 'x' WHERE id = $1 RETURNING id",
            Optional,
        ),
        ("UPDATE accounts SET nick = 'x' RETURNING id", Many),
        (
            "DELETE FROM accounts WHERE username = $1 RETURNING *",
            Optional,
        ),
    ] {
        assert_eq!(check(&catalog, sql).rows, expected, "{sql}");
    }
}

#[test]
fn each_star_is_sent_as_its_columns() {
    let catalog = catalog();
    for (sql, expected) in [
        (
            "SELECT * FROM logged",
            "SELECT logged.a, logged.b FROM logged",
        ),
        (
            "SELECT l.*, 1 FROM logged AS l",
            "SELECT l.a, l.b, 1 FROM logged AS l",
        ),
        ("SELECT count(*) FROM logged", "SELECT count(*) FROM logged"),
        ("TABLE logged", "SELECT a, b FROM logged"),
        (
            "WITH x AS (SELECT * FROM logged) SELECT * FROM x",
            "WITH x AS (SELECT logged.a, logged.b FROM logged) SELECT x.a, x.b FROM x",
        ),
        (
            "SELECT * FROM logged l JOIN logged m USING (a)",
            "SELECT a, l.b, m.b FROM logged l JOIN logged m USING (a)",
        ),
        (
            "UPDATE logged SET b = 1 RETURNING *",
            "UPDATE logged SET b = 1 RETURNING logged.a, logged.b",
        ),
        (
            "SELECT * FROM unnest(ARRAY[1], ARRAY[2])",
            "SELECT * FROM unnest(ARRAY[1], ARRAY[2])",
        ),
    ] {
        assert_eq!(check(&catalog, sql).sql, expected);
    }
}

#[test]
fn keys_of_distinct_are_those_of_order_by() {
    let catalog = catalog();
    for (sql, code) in [
        (
            "SELECT DISTINCT id FROM accounts ORDER BY nick",
            Some("42P10"),
        ),
        ("SELECT DISTINCT id FROM accounts ORDER BY id", None),
        (
            "SELECT DISTINCT ON (id) nick FROM accounts ORDER BY nick, id",
            Some("42P10"),
        ),
        (
            "SELECT DISTINCT ON (id) nick FROM accounts ORDER BY id, nick",
            None,
        ),
        (
            "SELECT DISTINCT ON (id, nick) nick FROM accounts ORDER BY id",
            None,
        ),
        (
            "SELECT DISTINCT ON ((SELECT 1)) nick FROM accounts ORDER BY (SELECT 1)",
            None,
        ),
    ] {
        let fault = Checker::new(&catalog).check(sql).err();
        assert_eq!(fault.and_then(|fault| fault.code), code, "{sql}");
    }
}

#[test]
fn an_index_serves_a_search_or_an_order() {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: "CREATE TABLE t (id int PRIMARY KEY, a int, b int, at date);
               CREATE INDEX a_b ON t (a, b DESC);
               CREATE INDEX at ON t (at);
               CREATE INDEX partial ON t (b) WHERE a > 0;
               CREATE INDEX expression ON t ((a + 1));
               CREATE INDEX hashed ON t USING hash (b);
               CREATE TABLE u (id int PRIMARY KEY, t_id int);
               CREATE INDEX t_id ON u (t_id);"
            .to_owned(),
    };
    let catalog = replay::replay([&file]).catalog;
    for (sql, expected) in [
        ("SELECT 1 FROM t WHERE id = $1", "t_pkey"),
        ("SELECT 1 FROM t WHERE id = ANY ($1)", "t_pkey"),
        ("SELECT 1 FROM t WHERE a = 1 AND at > '2020-01-01'", "a_b"),
        ("SELECT 1 FROM t WHERE b = 1", "hashed"),
        ("SELECT 1 FROM t WHERE a > 1", ""),
        ("SELECT 1 FROM t WHERE a = b OR id = 1", ""),
        ("SELECT 1 FROM t WHERE a = b", ""),
        ("SELECT at FROM t ORDER BY at DESC LIMIT 1", "at"),
        ("SELECT at FROM t ORDER BY at DESC NULLS LAST", ""),
        ("SELECT 1 FROM t ORDER BY a, b DESC, id", "a_b"),
        ("SELECT 1 FROM t ORDER BY a DESC, b", "a_b"),
        ("SELECT 1 FROM t ORDER BY a, b", ""),
        ("SELECT 1 FROM t ORDER BY a, at", ""),
        (
            "SELECT 1 FROM t JOIN u ON u.t_id = t.id WHERE t.at = $1",
            "at t_id t_pkey",
        ),
        ("UPDATE t SET a = 1 WHERE id = 1", "t_pkey"),
        ("DELETE FROM u USING t WHERE u.t_id = t.id", "t_id t_pkey"),
        ("SELECT 1 FROM (SELECT * FROM t WHERE at = $1) s", "at"),
    ] {
        let query = check(&catalog, sql);
        let mut names: Vec<&str> = query
            .indexes
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), expected, "{sql}");
    }
    let written = check(&catalog, "UPDATE t SET a = 1, b = DEFAULT").assigns;
    let columns: Vec<&str> = written.iter().map(|(_, column)| column.as_str()).collect();
    assert_eq!(columns, ["a", "b"]);
}

#[test]
fn a_parameter_has_the_column_that_it_meets() {
    let catalog = catalog();
    for (sql, expected) in [
        ("SELECT 1 FROM accounts WHERE id = $1", "accounts.id"),
        ("SELECT 1 FROM accounts WHERE id = ANY($1)", "accounts.id"),
        ("SELECT 1 FROM accounts WHERE id IN ($1, 2)", "accounts.id"),
        (
            "INSERT INTO transfers (sender_id, receiver_id, amount) VALUES ($1, 1, 1)",
            "transfers.sender_id",
        ),
        ("UPDATE accounts SET parent = $1", "accounts.parent"),
        (
            "WITH a AS (SELECT id AS x FROM accounts) SELECT 1 FROM a WHERE a.x = $1",
            "accounts.id",
        ),
        (
            "SELECT 1 FROM transfers WHERE sender_id = $1 OR receiver_id = $1",
            "accounts.id",
        ),
        ("SELECT 1 FROM accounts WHERE id + 1 = $1", ""),
        (
            "SELECT 1 FROM accounts, transfers WHERE accounts.id = $1 AND transfers.id = $1",
            "",
        ),
    ] {
        let parameter = check(&catalog, sql).parameters.remove(0);
        let column = parameter
            .column
            .map(|(name, column)| format!("{}.{column}", name.name));
        assert_eq!(column.unwrap_or_default(), expected, "{sql}");
    }
}

#[test]
fn a_not_null_that_is_not_valid_proves_nothing() {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: "CREATE TABLE t (a int, b int, c int, d int, e int NOT NULL NO INHERIT);
               CREATE TABLE heir () INHERITS (t);
               ALTER TABLE t ADD CONSTRAINT a_set NOT NULL a NOT VALID;
               ALTER TABLE t ADD CONSTRAINT b_set NOT NULL b NOT VALID;
               ALTER TABLE t RENAME CONSTRAINT b_set TO b_is_set;
               ALTER TABLE t VALIDATE CONSTRAINT b_is_set;
               ALTER TABLE t ADD CONSTRAINT c_set NOT NULL c NOT VALID;
               ALTER TABLE t ALTER c SET NOT NULL;
               ALTER TABLE t ADD CONSTRAINT d_set NOT NULL d NOT VALID;
               ALTER TABLE t RENAME d TO f;"
            .to_owned(),
    };
    let replayed = replay::replay([&file]);
    assert!(replayed.refusals.is_empty(), "{:?}", replayed.refusals);
    let of = |table: &str| {
        nulls(
            &replayed.catalog,
            &format!("SELECT a, b, c, f, e FROM {table}"),
        )
    };
    assert_eq!(of("t"), "a? b c f? e?");
    // Rows of the heir are not among these.
    assert_eq!(of("ONLY t"), "a? b c f? e");
    assert_eq!(of("heir"), "a? b c f? e?");
}
