//! `bowline generate` with query files.

use crate::Project;
use crate::generate::with_a_server;

const ACCOUNTS: (&str, &str) = (
    "migrations/1_accounts/up.sql",
    "CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL);",
);

const RENAMED: (&str, &str) = (
    "migrations/2_rename/up.sql",
    "ALTER TABLE accounts RENAME name TO username;",
);

fn project(files: &[(&str, &str)]) -> Project {
    Project::new(&[&[ACCOUNTS], files].concat())
}

fn generate(project: &Project) -> String {
    project.printed(&["generate", "--offline"], &[])
}

#[test]
fn a_migration_that_breaks_a_query_is_named() {
    let project = project(&[(
        "queries/accounts.sql",
        "-- name: by_name :many\nSELECT id, name\n  FROM accounts\n WHERE name = :name;\n",
    )]);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 0"), "{printed}");
    project.write(RENAMED.0, RENAMED.1);
    project.write(
        "migrations/3_more/up.sql",
        "CREATE TABLE more (id int PRIMARY KEY);",
    );
    insta::assert_snapshot!(generate(&project), @r#"
    error[42703]: column "name" does not exist
     --> queries/accounts.sql:2:12
      |
    2 | SELECT id, name
      |            ^^^^
      |
    note: the query is accepted without this migration
     --> migrations/2_rename/up.sql:1:1
      |
    1 | ALTER TABLE accounts RENAME name TO username;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    help: check the spelling, and whether a table in FROM has it

    error: no code can be generated: 1 mistake in the query files
    exit 1
    "#);
}

#[test]
fn mistakes_of_all_files_are_shown_together() {
    let project = project(&[
        (
            "queries/a.sql",
            "-- name: none\nSELECT id FROM accounts;\n-- name: many :many\nDELETE FROM accounts;\n\
             -- name: rows :affected\nDELETE FROM accounts RETURNING id;\n-- name: Camel :one\nSELECT 1 AS a;\n\
             -- name: unnamed :one\nSELECT 1, 2;\n-- name: twice :one\nSELECT 1 AS a, 2 AS a;\n\
             -- name: span :one\nSELECT pg_notify('a', 'b') AS span;\n-- name: at :one\nSELECT now() + :span::interval AS at;\n\
             -- name: x :one\n-- row: Account\nSELECT id FROM accounts;\n-- name: y :one\n-- row: Pair\nSELECT 1 AS a, 2 AS b;\n\
             -- name: z :one\n-- row: Pair\nSELECT 1 AS a, 2::bigint AS b;\n-- name: whole :many\nSELECT ROW(id, name) AS pair FROM accounts;\n",
        ),
        (
            "queries/b.sql",
            "SELECT 1;\n-- name: b :one\n-- order: id\nSELECT :\"x\";\n",
        ),
    ]);
    insta::assert_snapshot!(generate(&project), @r#"
    error: `none` does not say how many rows it returns
     --> queries/a.sql:1:10
      |
    1 | -- name: none
      |          ^^^^
      |
    help: write -- name: none :many, or run `bowline queries --fix`

    error: the statement returns no rows, so it cannot be `:many`
     --> queries/a.sql:3:15
      |
    3 | -- name: many :many
      |               ^^^^^
      |
    help: write :affected or :exactly(1), or add RETURNING to the statement

    error: the statement returns rows, so it cannot be `:affected`
     --> queries/a.sql:5:15
      |
    5 | -- name: rows :affected
      |               ^^^^^^^^^
      |
    help: write :many

    error: `Camel` is not the name of a function in Rust
     --> queries/a.sql:7:10
      |
    7 | -- name: Camel :one
      |          ^^^^^
      |
    help: write -- name: camel

    error: column 1 of `unnamed` has no name
     --> queries/a.sql:9:10
      |
    9 | -- name: unnamed :one
      |          ^^^^^^^
      |
    help: name it in the SQL with AS

    error: two columns of `twice` have the name a
      --> queries/a.sql:11:10
       |
    11 | -- name: twice :one
       |          ^^^^^
       |
    help: give one of them another name with AS

    error: column span of `span` has type void, for which there is no Rust type
      --> queries/a.sql:13:10
       |
    13 | -- name: span :one
       |          ^^^^
       |
    help: cast it in the SQL to a type that Rust has, such as span::text

    error: the columns of `x` are not those of `Account`, the row type of accounts
      --> queries/a.sql:18:9
       |
    18 | -- row: Account
       |         ^^^^^^^
       |
    help: return each column of the table in its order, or choose another name

    error: the columns of `z` are not those of `y`, which has the row type `Pair` too
      --> queries/a.sql:24:9
       |
    24 | -- row: Pair
       |         ^^^^
       |
    help: column b is i32 in one and i64 in the other

    error: column pair of `whole` has type record, for which there is no Rust type
      --> queries/a.sql:26:10
       |
    26 | -- name: whole :many
       |          ^^^^^
       |
    help: the fields of pair cannot be named where it is sent: write the row of a table, or of a subquery, such as ARRAY(SELECT t FROM transfers t)

    error: the statement has no name
     --> queries/b.sql:1:1
      |
    1 | SELECT 1;
      | ^^^^^^^^
      |
    help: write a comment above it: -- name: list_accounts :many

    error: this is no order
     --> queries/b.sql:3:4
      |
    3 | -- order: id
      |    ^^^^^
      |
    help: write a name and what stands after ORDER BY, without parameters: -- order: richest = balance DESC, id | newest = created_at DESC, id

    error: `:"x"` would be a name, and a parameter is a value
     --> queries/b.sql:4:8
      |
    4 | SELECT :"x";
      |        ^^^^
      |
    help: write the name itself: a query has the same tables and columns in each call

    error: no code can be generated: 13 mistakes in the query files
    exit 1
    "#);
    assert!(!project.has("src/db/mod.rs"));
}

#[test]
fn the_files_of_queries_come_and_go() {
    let project = project(&[
        (
            "queries/a.sql",
            "-- name: a :one\nSELECT count(*) FROM accounts;\n",
        ),
        ("queries/b.sql", "-- name: b :exec\nDELETE FROM accounts;\n"),
    ]);
    insta::assert_snapshot!(generate(&project), @r"
    note: queries/b.sql:1: :exec is sqlc's word for :affected
    wrote   src/db/accounts.rs
    wrote   src/db/mod.rs
    wrote   src/db/queries/a.rs
    wrote   src/db/queries/b.rs
    wrote   src/db/queries/mod.rs
    wrote   src/db/schema.rs
    6 files, 6 changed
    exit 0
    ");
    let check = || project.printed(&["generate", "--offline", "--check"], &[]);
    assert_eq!(
        check(),
        "note: queries/b.sql:1: :exec is sqlc's word for :affected\n6 files are up to date\nexit 0"
    );
    project.write(
        "queries/b.sql",
        "-- name: b :affected\n-- All.\nDELETE FROM accounts;\n",
    );
    insta::assert_snapshot!(check(), @r#"
    src/db/mod.rs
    @@ -12,5 +12,5 @@
         queries = {
             "a.sql" => 0x64c94c9595d22763,
    -        "b.sql" => 0x02958e6ad556acde,
    +        "b.sql" => 0x6871e2dfda47dd8d,
         },
         schema = {

    src/db/queries/b.rs
    @@ -4,5 +4,5 @@
     use bowline::__generated::StaticSql;
     
    -/// Runs `b` of `queries/b.sql`.
    +/// All.
     pub fn b() -> bowline::WriteQuery<bowline::statement::RowsAffected> {
         static SQL: StaticSql = StaticSql {

    error: the generated code does not match the migrations and query files
    hint: run `bowline generate` and commit the result
    exit 1
    "#);
    std::fs::remove_dir_all(project.path("queries")).expect("the folder");
    insta::assert_snapshot!(generate(&project), @r"
    wrote   src/db/mod.rs
    removed src/db/queries/a.rs
    removed src/db/queries/b.rs
    removed src/db/queries/mod.rs
    3 files, 4 changed
    exit 0
    ");
    assert!(!project.has("src/db/queries"));
    assert!(!project.read("src/db/mod.rs").contains("queries"));
}

#[test]
fn two_files_in_one_module_are_refused() {
    let query = "-- name: a :one\nSELECT 1 AS a;\n";
    let project = project(&[("queries/a-b.sql", query), ("queries/A_b.sql", query)]);
    insta::assert_snapshot!(generate(&project), @r"
    error: the queries of queries/A_b.sql and queries/a-b.sql would be in one module
    hint: rename one of the files
    exit 1
    ");
}

#[test]
fn the_folder_is_a_setting() {
    let project = project(&[
        ("bowline.toml", "queries = \"sql\"\n"),
        (
            "sql/a.sql",
            "-- name: a :one\nSELECT count(*) FROM accounts;\n",
        ),
    ]);
    let printed = generate(&project);
    assert!(printed.contains("wrote   src/db/queries/a.rs"), "{printed}");
    assert!(
        project
            .read("src/db/mod.rs")
            .contains("queries_folder = \"sql\",")
    );
}

#[test]
fn a_server_is_asked_for_types_that_are_not_inferred() {
    let project = project(&[(
        "queries/accounts.sql",
        "-- name: coordinate :one\nSELECT ('(1,2)'::point)[0] AS x, name FROM accounts WHERE id = :id;\n",
    )]);
    let refused = generate(&project);
    assert!(
        refused.contains("subscripts of this type are not inferred") && refused.ends_with("exit 1"),
        "{refused}"
    );
    let variables = with_a_server();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let printed = project.printed(&["generate"], &variables);
    assert!(
        printed.starts_with(
            "note: queries/accounts.sql:1: the types of `coordinate` are from PostgreSQL "
        ) && printed.ends_with("exit 0"),
        "{printed}"
    );
    let code = project.read("src/db/queries/accounts.rs");
    for part in [
        "pub x: Option<f64>,",
        "pub name: Option<String>,",
        "id: i64",
    ] {
        assert!(code.contains(part), "{part}: {code}");
    }
}
