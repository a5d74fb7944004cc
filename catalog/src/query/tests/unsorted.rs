//! ORDER BY a value that is the same for all rows.

use crate::query::Checker;
use crate::testing::replayed;

const TABLES: &str = "
    CREATE TABLE towns (id integer PRIMARY KEY, name text NOT NULL);
    CREATE FUNCTION pick(name text) RETURNS text LANGUAGE sql AS 'SELECT name';";

/// Returns the key that sorts nothing.
fn unsorted(sql: &str) -> Option<String> {
    let catalog = replayed(TABLES);
    let query = Checker::new(&catalog).check(sql);
    let query = query.unwrap_or_else(|fault| panic!("{sql}: {fault}"));
    let fault = query.without_omitted().err()?;
    assert!(fault.message.starts_with("ORDER BY a value"), "{fault}");
    Some(sql[fault.span].to_owned())
}

#[test]
fn an_order_by_a_value_for_all_rows_is_a_mistake() {
    for (sql, key) in [
        ("SELECT id FROM towns ORDER BY $1", "$1"),
        (
            "SELECT id FROM towns ORDER BY $1::text DESC NULLS LAST LIMIT 1",
            "$1::text",
        ),
        (
            "SELECT id FROM towns ORDER BY name, lower($1) COLLATE \"C\"",
            "lower($1) COLLATE \"C\"",
        ),
        ("SELECT id FROM towns ORDER BY 1 + 1", "1 + 1"),
        ("SELECT id FROM towns ORDER BY now(), id", "now()"),
        (
            "SELECT id FROM towns ORDER BY CASE WHEN $1 = 'name' THEN 1 ELSE 2 END",
            "CASE WHEN $1 = 'name' THEN 1 ELSE 2 END",
        ),
        (
            "SELECT t.id FROM (SELECT id FROM towns ORDER BY $1::int LIMIT 3) t",
            "$1::int",
        ),
    ] {
        assert_eq!(unsorted(sql).as_deref(), Some(key), "{sql}");
    }
}

#[test]
fn an_order_that_can_sort_is_accepted() {
    for sql in [
        "SELECT id FROM towns ORDER BY id",
        "SELECT id FROM towns ORDER BY 1",
        "SELECT id FROM towns ORDER BY random()",
        "SELECT id FROM towns ORDER BY random() * $1::float8, gen_random_uuid()",
        "SELECT id FROM towns ORDER BY pick($1)",
        "SELECT id FROM towns ORDER BY (SELECT $1::int)",
        "SELECT id FROM towns ORDER BY name = $1 DESC, name",
        "SELECT id FROM towns ORDER BY CASE $1 WHEN 'name' THEN name END, id",
        "SELECT count(*) FROM towns GROUP BY name ORDER BY count(*)",
        "SELECT id FROM towns ORDER BY row_number() OVER (ORDER BY name)",
        "SELECT id, (SELECT o.id FROM towns o ORDER BY towns.id LIMIT 1) AS other FROM towns",
        "SELECT array_agg(id ORDER BY $1::int) FROM towns",
    ] {
        assert_eq!(unsorted(sql), None, "{sql}");
    }
}
