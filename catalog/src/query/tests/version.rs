//! Syntax and functions of a later version of PostgreSQL than that of the settings.

use bowline_migrations::SqlFile;

use crate::query::Checker;
use crate::replay;

const SCHEMA: &str = "
    CREATE TABLE t (id int PRIMARY KEY, doc jsonb, raw json, bytes bytea, at timestamptz);
    CREATE VIEW v AS SELECT id FROM t;
";

#[test]
fn syntax_of_a_later_version_is_refused_by_name() {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    let catalog = replay::replay([&file]).catalog;
    for (sql, came_with, code, what) in [
        ("SELECT any_value(id) FROM t", 16, "42883", "`any_value`"),
        ("SELECT casefold('A')", 18, "42883", "`casefold`"),
        ("SELECT uuidv7()", 18, "42883", "`uuidv7`"),
        (
            "SELECT random(1, 6)",
            17,
            "42883",
            "a function `random` that may be meant",
        ),
        (
            "SELECT max(bytes) FROM t",
            18,
            "42883",
            "a function `max` that may be meant",
        ),
        (
            "SELECT json_strip_nulls(raw, true) FROM t",
            18,
            "42883",
            "a function `json_strip_nulls` that may be meant",
        ),
        (
            "SELECT bytes::int FROM t",
            18,
            "42846",
            "the cast of bytea to integer",
        ),
        ("SELECT 1 FROM pg_stat_io", 16, "42P01", "`pg_stat_io`"),
        ("SELECT json_array(id) FROM t", 16, "42601", "`json_array`"),
        (
            "SELECT json_object('a': id) FROM t",
            16,
            "42601",
            "`json_object` with keys and values",
        ),
        (
            "SELECT json_arrayagg(id) FROM t",
            16,
            "42601",
            "`json_arrayagg`",
        ),
        (
            "SELECT json_value(doc, '$.a') FROM t",
            17,
            "42601",
            "`json_value`",
        ),
        (
            "SELECT 1 FROM t, JSON_TABLE(doc, '$[*]' COLUMNS (a int PATH '$')) j",
            17,
            "42601",
            "`json_table`",
        ),
        (
            "SELECT id FROM t WHERE '{}' IS JSON",
            16,
            "42601",
            "IS JSON",
        ),
        ("SELECT 0xff", 16, "42601", "this notation of numbers"),
        ("SELECT 1_000", 16, "42601", "this notation of numbers"),
        ("SELECT system_user", 16, "42601", "`system_user`"),
        (
            "SELECT a FROM (SELECT 1 AS a)",
            16,
            "42601",
            "a subquery in FROM without an alias",
        ),
        ("SELECT at AT LOCAL FROM t", 17, "42601", "AT LOCAL"),
        (
            "UPDATE t SET id = 2 RETURNING old.id",
            18,
            "42601",
            "`old` in RETURNING",
        ),
        (
            "UPDATE t SET id = 2 RETURNING WITH (OLD AS o) o.id",
            18,
            "42601",
            "WITH of RETURNING",
        ),
        (
            "MERGE INTO t USING t s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
            17,
            "42601",
            "WHEN NOT MATCHED BY SOURCE",
        ),
        (
            "MERGE INTO t USING t s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING t.id",
            17,
            "42601",
            "RETURNING of MERGE",
        ),
        (
            "MERGE INTO v USING t s ON v.id = s.id WHEN MATCHED THEN DELETE",
            17,
            "0A000",
            "MERGE into a view",
        ),
    ] {
        for version in [15, 16, 17, 18] {
            let checker = Checker::new(&catalog).for_version(Some(version));
            match checker.check(sql) {
                Ok(_) => assert!(version >= came_with, "{sql} for {version}"),
                Err(fault) => {
                    let expected = format!(
                        "{what} came with PostgreSQL {came_with}; the settings say {version}"
                    );
                    assert_eq!(
                        (fault.code, &*fault.message),
                        (Some(code), &*expected),
                        "{sql}"
                    );
                }
            }
        }
        Checker::new(&catalog)
            .check(sql)
            .expect("the newest version has it");
    }
}

#[test]
fn an_older_version_has_functions_with_fewer_arguments() {
    let catalog = crate::Catalog::default();
    let checker = Checker::new(&catalog).for_version(Some(15));
    for sql in [
        "SELECT json_strip_nulls('{}')",
        "SELECT json_object('{a,b}')",
        "SELECT pg_read_file('a')",
    ] {
        checker
            .check(sql)
            .unwrap_or_else(|fault| panic!("{sql}: {fault}"));
    }
}
