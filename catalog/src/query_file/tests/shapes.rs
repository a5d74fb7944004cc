//! The texts that a query can have, checked against a schema.

use bowline_migrations::SqlFile;

use super::only;
use crate::Catalog;
use crate::query::{Checker, Rows};
use crate::query_file::Mistake;
use crate::replay;

const SCHEMA: &str = "CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes, name text NOT NULL, size bigint NOT NULL);";

fn catalog() -> Catalog {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    replay::replay([&file]).catalog
}

/// Returns what is wrong with a query: `[text] message`.
fn mistake(text: &str) -> String {
    let query = only(text);
    let catalog = catalog();
    match query.check(&Checker::new(&catalog)) {
        Err(Mistake { message, span, .. }) => format!("[{}] {message}", &text[span]),
        Ok(_) => "nothing".to_owned(),
    }
}

#[test]
fn a_column_is_null_if_it_is_without_a_condition() {
    let query = only(
        "-- name: a :many\n-- optional: parent, id\nSELECT parent, name FROM nodes WHERE parent = :parent AND id = :id AND size > :size;",
    );
    let catalog = catalog();
    let checked = query
        .check(&Checker::new(&catalog))
        .expect("it is accepted");
    let nullable: Vec<bool> = checked.query.columns.iter().map(|it| it.nullable).collect();
    assert_eq!(nullable, [true, false]);
    assert_eq!(checked.query.rows, Rows::Many);
    assert_eq!(checked.query.parameters.len(), 3);
    assert_eq!(
        query.template(&checked.query.sql),
        Ok(Some(
            "SELECT parent, name FROM nodes WHERE true{0: AND parent = $1}{1: AND id = $2} AND size > $3"
                .to_owned()
        ))
    );
}

#[test]
fn each_text_of_a_query_is_checked() {
    for (text, expected) in [
        (
            "-- name: a :affected\n-- optional: x\nDELETE FROM nodes WHERE id = :x;",
            "[x] a statement with DELETE has no optional conditions",
        ),
        (
            "-- name: a :affected\n-- optional: x\nUPDATE nodes SET size = 0 WHERE id = :x;",
            "[x] a statement with UPDATE has no optional conditions",
        ),
        (
            "-- name: a :many\n-- optional: x\nWITH d AS (DELETE FROM nodes WHERE size = 1 RETURNING id) SELECT id FROM d WHERE id = :x;",
            "[x] a statement with DELETE has no optional conditions",
        ),
        (
            "-- name: a :many\nSELECT id FROM nodes ORDER BY :order;",
            "[:order] ORDER BY a value that is the same for all rows sorts nothing",
        ),
        (
            "-- name: a :many\n-- order: up = id | down = sise DESC\nSELECT id FROM nodes ORDER BY :order;",
            "[sise DESC] column \"sise\" does not exist",
        ),
        (
            "-- name: a :many\n-- optional: x\nSELECT id FROM nodes WHERE id = :x AND sise = 1;",
            "[sise] column \"sise\" does not exist",
        ),
        (
            "-- name: a :many\n-- optional: x\n-- order: up = id\nSELECT DISTINCT name FROM nodes WHERE id = :x ORDER BY :order;",
            "[id] for SELECT DISTINCT, ORDER BY expressions must appear in select list",
        ),
        (
            "-- name: a :many\n-- optional: x\n-- order: up = id\nSELECT id FROM nodes WHERE id = :x ORDER BY :order;",
            "nothing",
        ),
    ] {
        assert_eq!(mistake(text), expected);
    }
}
