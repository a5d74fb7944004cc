//! Views: which of their columns can be NULL, in a query and in RETURNING.

use bowline_migrations::SqlFile;

use crate::query::Checker;
use crate::replay;

/// A renamed table with a view of its old name, and what can lie between the two.
const SCHEMA: &str = "
    CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
        note text);
    ALTER TABLE users RENAME TO people;
    CREATE VIEW users AS SELECT * FROM people;
    ALTER TABLE people ADD COLUMN level integer NOT NULL DEFAULT 0;
    CREATE VIEW of_view (number, name) AS SELECT id, name FROM users WHERE note IS NOT NULL;
    CREATE VIEW noted AS SELECT id, note FROM people WHERE note IS NOT NULL;
    CREATE VIEW computed AS SELECT id, name || '!' AS loud, note FROM users;
    CREATE FUNCTION chosen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE VIEW triggered AS SELECT id, name FROM people;
    CREATE TRIGGER t INSTEAD OF INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION chosen();
    CREATE TABLE parts (a integer NOT NULL, b integer) PARTITION BY LIST (a);
    CREATE VIEW of_parts AS SELECT a, b FROM parts;
";

#[test]
fn what_a_view_returns_is_as_its_table_declares_it() {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    let replayed = replay::replay([&file]);
    assert_eq!(replayed.refusals, []);
    let checker = Checker::new(&replayed.catalog);
    for (sql, expected) in [
        ("SELECT * FROM users", "id name note?"),
        (
            "INSERT INTO users (name) VALUES ('a') RETURNING *",
            "id name note?",
        ),
        ("DELETE FROM of_view RETURNING *", "number name"),
        (
            "UPDATE of_view SET name = 'a' RETURNING number, name",
            "number name",
        ),
        // A row that is written need not satisfy the WHERE of the view.
        ("SELECT * FROM noted", "id note"),
        (
            "UPDATE noted SET note = NULL RETURNING id, note",
            "id note?",
        ),
        // Only a column that comes straight from the table is known.
        (
            "UPDATE computed SET note = 'a' RETURNING id, loud",
            "id loud?",
        ),
        // What a trigger returns is its own.
        (
            "INSERT INTO triggered (name) VALUES ('a') RETURNING id",
            "id?",
        ),
        ("INSERT INTO of_parts VALUES (1, 2) RETURNING *", "a b?"),
    ] {
        let query = checker
            .check(sql)
            .unwrap_or_else(|fault| panic!("{sql}: {fault}"));
        let columns = query.columns.into_iter();
        let columns =
            columns.map(|it| format!("{}{}", it.name, if it.nullable { "?" } else { "" }));
        assert_eq!(columns.collect::<Vec<_>>().join(" "), expected, "{sql}");
    }
}
