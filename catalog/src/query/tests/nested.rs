//! Whole rows among the results: their fields, and the text that names them.

use bowline_migrations::SqlFile;

use crate::query::{Checker, Column, Query};
use crate::{Catalog, replay};

const SCHEMA: &str = "
    CREATE DOMAIN code AS text CHECK (VALUE <> '');
    CREATE TYPE address AS (street text, city code);
    CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL, nick text, home address);
    CREATE TABLE transfers (
        id bigint PRIMARY KEY,
        sender_id bigint NOT NULL REFERENCES accounts,
        amount numeric NOT NULL,
        code code,
        codes code[]
    );
    CREATE FUNCTION first_account() RETURNS accounts LANGUAGE sql AS 'SELECT * FROM accounts';
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

/// Returns a column as text: `t: transfers(id, code?)`. An array with elements that can be NULL
/// ends in `[?]`.
fn shown(column: &Column) -> String {
    let mut text = column.name.clone();
    if let Some(row) = &column.row {
        let fields: Vec<String> = row.fields.iter().map(shown).collect();
        text = format!("{text}({})", fields.join(", "));
        if column.data_type.dimensions > 0 {
            text.push_str(if row.has_null_elements { "[?]" } else { "[]" });
        }
    }
    if column.nullable {
        text.push('?');
    }
    text
}

fn columns(catalog: &Catalog, sql: &str) -> String {
    let query = check(catalog, sql);
    let columns: Vec<String> = query.columns.iter().map(shown).collect();
    columns.join(", ")
}

#[test]
fn a_whole_row_has_the_fields_of_its_table() {
    let catalog = catalog();
    let transfer = "(id, sender_id, amount, code?, codes?)";
    for (sql, expected) in [
        ("SELECT t FROM transfers t", format!("t{transfer}")),
        (
            "SELECT transfers FROM transfers",
            format!("transfers{transfer}"),
        ),
        (
            "SELECT a.id, t FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id",
            format!("id, t{transfer}?"),
        ),
        (
            "SELECT a.id, t FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id WHERE t.id > 1",
            format!("id, t{transfer}"),
        ),
        (
            "SELECT a.id, ARRAY(SELECT t FROM transfers t WHERE t.sender_id = a.id) AS sent FROM accounts a",
            format!("id, sent{transfer}[]"),
        ),
        (
            "SELECT array_agg(t ORDER BY t.id) AS all FROM transfers t",
            format!("all{transfer}[]?"),
        ),
        (
            "SELECT a.id, array_agg(t) AS sent FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id GROUP BY a.id",
            format!("id, sent{transfer}[?]"),
        ),
        (
            "SELECT a.id, array_agg(t) FILTER (WHERE t.id IS NOT NULL) AS sent FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id GROUP BY a.id",
            format!("id, sent{transfer}[]?"),
        ),
        (
            "SELECT coalesce(array_agg(t), '{}') AS all FROM transfers t",
            format!("all{transfer}[]"),
        ),
        (
            "SELECT coalesce(array_agg(t), ARRAY[]::transfers[]) AS all FROM transfers t",
            format!("all{transfer}[]"),
        ),
        (
            "SELECT (SELECT t FROM transfers t ORDER BY id LIMIT 1) AS first",
            format!("first{transfer}?"),
        ),
        (
            "SELECT CASE WHEN t.amount > 1 THEN t END AS large, lag(t) OVER (ORDER BY t.id) AS before FROM transfers t",
            format!("large{transfer}?, before{transfer}?"),
        ),
        (
            "SELECT (ARRAY(SELECT t FROM transfers t))[1] AS first",
            format!("first{transfer}?"),
        ),
        (
            "SELECT t FROM transfers t UNION ALL SELECT NULL",
            format!("t{transfer}?"),
        ),
        (
            "WITH x AS (SELECT t FROM transfers t) SELECT x.t, (x.t).amount FROM x",
            format!("t{transfer}, amount?"),
        ),
        (
            "DELETE FROM transfers WHERE id = 1 RETURNING transfers",
            format!("transfers{transfer}"),
        ),
    ] {
        assert_eq!(columns(&catalog, sql), expected, "{sql}");
    }
}

#[test]
fn a_row_of_a_subquery_has_its_columns() {
    let catalog = catalog();
    for (sql, expected) in [
        (
            "SELECT s FROM (SELECT id, nick AS n FROM accounts) s",
            "s(id, n?)",
        ),
        (
            "SELECT a.id, ARRAY(SELECT s FROM (SELECT t.id, b AS receiver FROM transfers t JOIN accounts b ON b.id = t.sender_id) s) AS lines FROM accounts a",
            "id, lines(id, receiver(id, name, nick?, home?))[]",
        ),
        (
            "SELECT s FROM (SELECT a.id, ARRAY(SELECT t.id FROM transfers t) AS ids, ARRAY(SELECT x FROM (SELECT 1 AS one) x) AS rows FROM accounts a) s",
            "s(id, ids, rows(one)[])",
        ),
        (
            "SELECT * FROM (SELECT a.id, t FROM accounts a LEFT JOIN transfers t ON true) s",
            "id, t(id, sender_id, amount, code?, codes?)?",
        ),
        ("SELECT home FROM accounts", "home?"),
    ] {
        assert_eq!(columns(&catalog, sql), expected, "{sql}");
    }
}

#[test]
fn a_row_without_field_names_is_sent_unchanged() {
    let catalog = catalog();
    for sql in [
        "SELECT first_account() AS a",
        "SELECT ROW(1, 2) AS r",
        "SELECT max(t.id), t AS other FROM transfers t GROUP BY t",
        "WITH x AS (SELECT array_agg(t) AS ts FROM transfers t) SELECT x.ts, (x.ts)[1].id FROM x",
        "SELECT s FROM (SELECT 1 AS a, 2 AS a) s",
    ] {
        let query = check(&catalog, sql);
        assert_eq!(query.sql, sql);
        let columns = &query.columns;
        assert!(columns.iter().all(|it| it.row.is_none()), "{columns:?}");
    }
}

#[test]
fn sent_sql_names_each_field() {
    let catalog = catalog();
    for (sql, expected) in [
        (
            "SELECT t FROM transfers t ORDER BY t",
            "SELECT ROW(t.id, t.sender_id, t.amount, t.code::text, t.codes::text[]) AS t FROM transfers t ORDER BY t",
        ),
        (
            "SELECT a.id, a AS account FROM transfers t LEFT JOIN accounts a ON a.id = t.id",
            "SELECT a.id, CASE WHEN a IS DISTINCT FROM NULL THEN ROW(a.id, a.name, a.nick, a.home) END AS account FROM transfers t LEFT JOIN accounts a ON a.id = t.id",
        ),
        (
            "SELECT ARRAY(SELECT s FROM (SELECT id FROM accounts) s) AS ids",
            "SELECT ARRAY(SELECT ROW(s.id) AS s FROM (SELECT id FROM accounts) s) AS ids",
        ),
        (
            "SELECT * FROM (SELECT x, 1 AS one FROM (SELECT id FROM accounts) x) s",
            "SELECT s.x, s.one FROM (SELECT ROW(x.id) AS x, 1 AS one FROM (SELECT id FROM accounts) x) s",
        ),
        (
            "SELECT s.* FROM (SELECT id, home FROM accounts) s",
            "SELECT s.id, s.home FROM (SELECT id, home FROM accounts) s",
        ),
        (
            "SELECT coalesce(array_agg(t.*), '{}') FROM (SELECT 1 AS \"One\") t",
            "SELECT coalesce(array_agg(ROW(t.\"One\")), '{}'::record[]) AS \"coalesce\" FROM (SELECT 1 AS \"One\") t",
        ),
        // Rows that are not among the results are sent unchanged.
        (
            "SELECT to_jsonb(t) AS j FROM transfers t WHERE t IS NOT NULL AND EXISTS (SELECT t)",
            "SELECT to_jsonb(t) AS j FROM transfers t WHERE t IS NOT NULL AND EXISTS (SELECT t)",
        ),
    ] {
        assert_eq!(check(&catalog, sql).sql, expected);
    }
}
