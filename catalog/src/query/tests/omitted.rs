//! INSERTs that leave out a required column.

use crate::query::Checker;
use crate::testing::replayed;

const TABLES: &str = "
    CREATE DOMAIN level AS integer DEFAULT 1;
    CREATE TABLE plain (id serial PRIMARY KEY, a text NOT NULL, b text, c text NOT NULL DEFAULT 'c',
        d integer GENERATED ALWAYS AS IDENTITY, e level NOT NULL,
        f text NOT NULL GENERATED ALWAYS AS ('f') STORED);
    CREATE TABLE filled (a text NOT NULL);
    CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill();
    CREATE VIEW plain_view AS SELECT * FROM plain;";

/// Returns the column that PostgreSQL would name.
fn omitted(sql: &str) -> Option<String> {
    let catalog = replayed(TABLES);
    let query = Checker::new(&catalog).check(sql);
    let query = query.unwrap_or_else(|fault| panic!("{sql}: {fault}"));
    let fault = query.omitted?;
    assert_eq!(fault.code, Some("23502"));
    Some(
        fault
            .message
            .split('"')
            .nth(1)
            .expect("a column")
            .to_owned(),
    )
}

#[test]
fn a_required_column_that_is_left_out_is_an_error() {
    for sql in [
        "INSERT INTO plain (b) VALUES ($1)",
        "INSERT INTO plain DEFAULT VALUES",
        "INSERT INTO plain VALUES (1)",
        "INSERT INTO plain (b) SELECT b FROM plain",
        "INSERT INTO plain (b) VALUES ('x') ON CONFLICT DO NOTHING RETURNING id",
        "WITH new AS (INSERT INTO plain (b) VALUES ('x') RETURNING id) SELECT id FROM new",
        "MERGE INTO plain USING filled ON plain.a = filled.a WHEN NOT MATCHED THEN INSERT (b) VALUES ('x')",
    ] {
        assert_eq!(omitted(sql).as_deref(), Some("a"), "{sql}");
    }
}

#[test]
fn columns_that_get_a_value_can_be_left_out() {
    for sql in [
        "INSERT INTO plain (a) VALUES ($1)",
        "INSERT INTO plain VALUES (1, 'a')",
        "INSERT INTO plain (a) SELECT 'x'",
        "MERGE INTO plain USING filled ON plain.a = filled.a WHEN NOT MATCHED THEN INSERT (a) VALUES ('x')",
        // A trigger may give the value.
        "INSERT INTO filled DEFAULT VALUES",
        "INSERT INTO plain_view (b) VALUES ('x')",
        "UPDATE plain SET b = 'x'",
    ] {
        assert_eq!(omitted(sql), None, "{sql}");
    }
}
