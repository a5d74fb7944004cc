//! `bowline queries`: the list of queries, and their types.

use crate::Project;

mod generated;
mod mistakes;

const ACCOUNTS: (&str, &str) = (
    "migrations/0001_accounts.sql",
    "CREATE TABLE accounts (id bigint PRIMARY KEY, name varchar(20) NOT NULL, tags text[]);",
);

#[test]
fn a_folder_without_query_files_is_an_error() {
    let project = Project::bare(&[ACCOUNTS]);
    insta::assert_snapshot!(project.printed(&["queries"], &[]), @r"
    error: queries has no query files
    hint: write SQL into a file such as queries/accounts.sql, each statement below a comment: -- name: list_accounts :many
    exit 1
    ");
}

#[test]
fn mistakes_in_headers_are_underlined() {
    let project = Project::bare(&[
        ACCOUNTS,
        (
            "queries/accounts.sql",
            "-- name: list :manny\nSELECT 1;\n\nSELECT 2,\n  3;\n\n-- name: find\n-- nulable: a\nSELECT :'a';\n",
        ),
    ]);
    insta::assert_snapshot!(project.printed(&["queries"], &[]), @r"
             file         | query |  rows   | reads | writes | indexes 
    ----------------------+-------+---------+-------+--------+---------
     queries/accounts.sql | list  | refused |       |        | 
     queries/accounts.sql |       | refused |       |        | 
     queries/accounts.sql | find  | refused |       |        | 
    error: unknown annotation `:manny`
     --> queries/accounts.sql:1:15
      |
    1 | -- name: list :manny
      |               ^^^^^^
      |
    help: it is one of :one, :optional, :many, :page, :affected, :exactly(1)

    error: the statement has no name
     --> queries/accounts.sql:4:1
      |
    4 | SELECT 2,
      | ^^^^^^^^^
      |
    help: write a comment above it: -- name: list_accounts :many

    error: unknown key `nulable` in the header
     --> queries/accounts.sql:8:4
      |
    8 | -- nulable: a
      |    ^^^^^^^
      |
    help: the keys are name, row, nullable, optional and order; a line of documentation does not begin with a lower-case word and a colon

    error: `:'a'` is psql's notation for a string
     --> queries/accounts.sql:9:8
      |
    9 | SELECT :'a';
      |        ^^^^
      |
    help: write :a, since a parameter needs no quotes

    error: 3 of 3 statements are refused
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["queries", "--json"], &[]), @r#"
    [
      {
        "name": "list",
        "file": "queries/accounts.sql",
        "line": 1,
        "sql": "SELECT 1",
        "refused": "unknown annotation `:manny`"
      },
      {
        "name": null,
        "file": "queries/accounts.sql",
        "line": 4,
        "sql": "",
        "refused": "the statement has no name"
      },
      {
        "name": "find",
        "file": "queries/accounts.sql",
        "line": 7,
        "sql": "SELECT :'a'",
        "refused": "unknown key `nulable` in the header"
      }
    ]
    error: unknown annotation `:manny`
     --> queries/accounts.sql:1:15
      |
    1 | -- name: list :manny
      |               ^^^^^^
      |
    help: it is one of :one, :optional, :many, :page, :affected, :exactly(1)

    error: the statement has no name
     --> queries/accounts.sql:4:1
      |
    4 | SELECT 2,
      | ^^^^^^^^^
      |
    help: write a comment above it: -- name: list_accounts :many

    error: unknown key `nulable` in the header
     --> queries/accounts.sql:8:4
      |
    8 | -- nulable: a
      |    ^^^^^^^
      |
    help: the keys are name, row, nullable, optional and order; a line of documentation does not begin with a lower-case word and a colon

    error: `:'a'` is psql's notation for a string
     --> queries/accounts.sql:9:8
      |
    9 | SELECT :'a';
      |        ^^^^
      |
    help: write :a, since a parameter needs no quotes

    error: 3 of 3 statements are refused
    exit 1
    "#);
}

#[test]
fn types_are_those_that_a_server_describes() {
    let project = Project::bare(&[
        (
            "migrations/0001_t.up.sql",
            "CREATE DOMAIN email AS varchar(100);
             CREATE SCHEMA other;
             CREATE TYPE other.\"Kind\" AS ENUM ('a');
             CREATE TABLE t (id int PRIMARY KEY, mail email, kind other.\"Kind\"[] NOT NULL, c \"char\", j json);",
        ),
        (
            "queries/t.sql",
            "-- name: GetIt :one\n-- nullable: mail\nSELECT *, now(), :mail::text || 'a' AS given, :id + 1 AS next FROM t WHERE id = :id OR mail = :mail;\n\
             -- name: add :exec\nINSERT INTO t (id, mail, kind) VALUES ($1, $2, $3);\n\
             -- name: wrong\nSELECT nothing FROM t;\n\
             -- name: all :one\nDELETE FROM t;\n",
        ),
    ]);
    insta::assert_snapshot!(project.printed(&["queries", "--json"], &[]), @r#"
    [
      {
        "name": "GetIt",
        "file": "queries/t.sql",
        "line": 1,
        "sql": "SELECT *, now(), $1::text || 'a' AS given, $2 + 1 AS next FROM t WHERE id = $2 OR mail = $1",
        "parameters": [
          {
            "name": "mail",
            "type": "text",
            "nullable": true
          },
          {
            "name": "id",
            "type": "integer",
            "nullable": false
          }
        ],
        "columns": [
          {
            "name": "id",
            "type": "integer",
            "nullable": false
          },
          {
            "name": "mail",
            "type": "character varying",
            "nullable": true
          },
          {
            "name": "kind",
            "type": "other.\"Kind\"[]",
            "nullable": false
          },
          {
            "name": "c",
            "type": "\"char\"",
            "nullable": true
          },
          {
            "name": "j",
            "type": "json",
            "nullable": true
          },
          {
            "name": "now",
            "type": "timestamp with time zone",
            "nullable": false
          },
          {
            "name": "given",
            "type": "text",
            "nullable": true
          },
          {
            "name": "next",
            "type": "integer",
            "nullable": false
          }
        ],
        "rows": "many",
        "texts": 1
      },
      {
        "name": "add",
        "file": "queries/t.sql",
        "line": 4,
        "sql": "INSERT INTO t (id, mail, kind) VALUES ($1, $2, $3)",
        "parameters": [
          {
            "name": "$1",
            "type": "integer",
            "nullable": false
          },
          {
            "name": "$2",
            "type": "email",
            "nullable": false
          },
          {
            "name": "$3",
            "type": "other.\"Kind\"[]",
            "nullable": false
          }
        ],
        "columns": [],
        "rows": "affected",
        "texts": 1
      },
      {
        "name": "wrong",
        "file": "queries/t.sql",
        "line": 6,
        "sql": "SELECT nothing FROM t",
        "refused": "column \"nothing\" does not exist"
      },
      {
        "name": "all",
        "file": "queries/t.sql",
        "line": 8,
        "sql": "DELETE FROM t",
        "parameters": [],
        "columns": [],
        "rows": "affected",
        "texts": 1
      }
    ]
    note: queries/t.sql:4: :exec is read as :affected
    note: queries/t.sql:8: the statement returns no rows, so it cannot be `:one`: write :affected or :exactly(1), or add RETURNING to the statement
    error[42703]: column "nothing" does not exist
     --> queries/t.sql:7:8
      |
    7 | SELECT nothing FROM t;
      |        ^^^^^^^
      |
    help: check the spelling, and whether a table in FROM has it

    error: 1 of 4 statements is refused
    exit 1
    "#);
}

#[test]
fn missing_annotations_are_written() {
    let text = "\u{feff}-- name: one\n-- Text.\nSELECT * FROM accounts WHERE id = :id;\n-- name: all\nSELECT name FROM accounts;\n\
         -- name: count\nSELECT count(*) FROM accounts;\n-- name: kept :one\nSELECT 1;\n-- name: remove\nDELETE FROM accounts;\n";
    let project = Project::bare(&[
        ACCOUNTS,
        ("queries/a.sql", text),
        ("queries/b.sql", "-- name: b :one\nSELECT 1;"),
    ]);
    insta::assert_snapshot!(project.printed(&["queries", "--fix"], &[]), @r"
    wrote   queries/a.sql
    4 annotations added
    exit 0
    ");
    let fixed = text
        .replace("name: one", "name: one :optional")
        .replace("name: all", "name: all :many")
        .replace("name: count", "name: count :one")
        .replace("name: remove", "name: remove :affected");
    assert_eq!(project.read("queries/a.sql"), fixed);
    assert_eq!(
        project.printed(&["queries", "--fix"], &[]),
        "0 annotations added\nexit 0"
    );
}

#[test]
fn a_folder_in_a_package_is_read_as_it_is() {
    let project = Project::bare(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("inner/migrations/1_a/up.sql", "CREATE TABLE t (a int);"),
        (
            "inner/queries/t.sql",
            "-- name: a :many\nSELECT a FROM t;\n",
        ),
    ]);
    let output = super::bowline(&project.path("inner"), &["queries"], &[]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("queries/t.sql | a     | many"),
        "{printed}"
    );
}

#[test]
fn an_unsupported_migration_refuses_only_its_tables() {
    let project = Project::bare(&[
        (
            "migrations/0001_a.sql",
            "CREATE TABLE a (id int); CREATE TABLE b (id int); ALTER TABLE b ALTER id TYPE nothing;",
        ),
        (
            "queries/all.sql",
            "-- name: of_a :many\nSELECT id FROM a;\n-- name: of_b :many\nSELECT id FROM b;\n",
        ),
    ]);
    let output = project.run(&["queries", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(listed[0]["columns"][0]["type"], "integer");
    let refused = listed[1]["refused"].as_str().unwrap_or_default();
    assert!(refused.contains("0001_a.sql:1"), "{refused}");
}

#[test]
fn whole_rows_have_the_type_that_the_text_gives_them() {
    let project = Project::bare(&[
        ACCOUNTS,
        (
            "queries/accounts.sql",
            "-- name: rows :many\nSELECT a, ARRAY(SELECT b FROM accounts b) AS list, s AS own\n  FROM accounts a, (SELECT 1 AS one) s;\n",
        ),
    ]);
    let printed = project.printed(&["queries", "--json"], &[]);
    let listed: serde_json::Value =
        serde_json::from_str(printed.trim_end_matches("exit 0")).expect("JSON");
    let columns = listed[0]["columns"].as_array().expect("columns").iter();
    let types: Vec<_> = columns.map(|column| column["type"].as_str()).collect();
    assert_eq!(
        types,
        [Some("accounts"), Some("accounts[]"), Some("record")]
    );
}

#[test]
fn a_feature_of_a_later_version_is_refused_by_name() {
    let project = Project::bare(&[
        ACCOUNTS,
        ("bowline.toml", "postgres = \"16\"\n"),
        (
            "queries/accounts.sql",
            "-- name: fold :many\nSELECT casefold(name) AS name FROM accounts;\n\n\
             -- name: any :one\nSELECT any_value(name) AS name FROM accounts;\n\n\
             -- name: before :many\nUPDATE accounts SET name = 'x' RETURNING old.name;\n",
        ),
    ]);
    insta::assert_snapshot!(project.printed(&["queries"], &[]), @r"
             file         | query  |    rows    |      reads      | writes | indexes 
    ----------------------+--------+------------+-----------------+--------+---------
     queries/accounts.sql | fold   | refused    |                 |        | 
     queries/accounts.sql | any    | one AnyRow | accounts (name) |        | 
     queries/accounts.sql | before | refused    |                 |        | 
    error[42883]: `casefold` came with PostgreSQL 18; the settings say 16
     --> queries/accounts.sql:2:8
      |
    2 | SELECT casefold(name) AS name FROM accounts;
      |        ^^^^^^^^^^^^^^
      |
    help: raise `postgres` in the settings if each server is of that version or newer

    error[42601]: `old` in RETURNING came with PostgreSQL 18; the settings say 16
     --> queries/accounts.sql:8:42
      |
    8 | UPDATE accounts SET name = 'x' RETURNING old.name;
      |                                          ^^^^^^^^
      |
    help: raise `postgres` in the settings if each server is of that version or newer

    error: 2 of 3 statements are refused
    exit 1
    ");
    project.write("bowline.toml", "postgres = \"18\"\n");
    let printed = project.printed(&["queries"], &[]);
    assert!(
        printed.ends_with("exit 0\n") || printed.ends_with("exit 0"),
        "{printed}"
    );
    project.write("bowline.toml", "postgres = \"9.6\"\n");
    insta::assert_snapshot!(project.printed(&["queries"], &[]), @r#"
    error: queries can be checked for PostgreSQL 15 to 18
     --> bowline.toml:1:1
      |
    1 | postgres = "9.6"
      | ^^^^^^^^

    error: the setting `postgres` has the unknown version "9.6"
    hint: write the oldest version that the program meets: postgres = "15"
    exit 1
    "#);
}

#[test]
fn the_texts_of_a_query_are_counted() {
    let project = Project::bare(&[
        ACCOUNTS,
        (
            "queries/accounts.sql",
            "-- name: search :many\n-- optional: id, name\n-- order: up = id | down = id DESC\n\
             SELECT id FROM accounts WHERE id = :id AND name = :name ORDER BY :order;\n",
        ),
    ]);
    let listed = project.printed(&["queries"], &[]);
    assert!(listed.contains(" many SearchRow, 8 texts "), "{listed}");
}

/// Returns the names of the rows' types, and the number of texts of a query, as generated.
#[test]
fn rows_and_texts_are_those_of_the_generated_code() {
    let project = Project::new(&[
        (
            "migrations/1_notes/up.sql",
            "CREATE TABLE notes (id int PRIMARY KEY, rank int, body text NOT NULL);",
        ),
        (
            "queries/notes.sql",
            "-- name: newest :page\n-- optional: body\n\
             -- order: old = id | ranked = rank, id\n\
             SELECT id, rank FROM notes WHERE body = :body ORDER BY :order;\n\
             -- name: whole :optional\nSELECT * FROM notes WHERE id = :id;\n\
             -- name: clear :affected\nDELETE FROM notes;\n",
        ),
    ]);
    let listed = project.printed(&["queries"], &[]);
    for rows in [
        " many NewestRow, 16 texts ",
        " optional Note ",
        " affected ",
    ] {
        assert!(listed.contains(rows), "{rows}: {listed}");
    }
    project.run(&["generate"]);
    let code = project.read("src/db/queries/notes.rs");
    let newest = code.split("pub fn whole").next().expect("a function");
    // Each template is two texts, with and without its condition.
    assert_eq!(newest.matches(": StaticSql = ").count(), 8, "{newest}");
    assert!(
        code.contains("pub fn newest") && code.contains("Query<Vec<NewestRow>>"),
        "{code}"
    );
}
