//! `bowline verify`, on a server.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};

use crate::Project;
use crate::scratch::{Scratch, cargo_environment, checkout};

/// Returns the output of verify on a private server, and checks that no database is left there.
fn verified(project: &Project, arguments: &[&str]) -> String {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let printed = project.printed(
        &[&["verify", "--database-url", &url], arguments].concat(),
        &[],
    );
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let databases = sql_query("SELECT 1 FROM pg_database WHERE datname LIKE 'bowline%'").affected();
    assert_eq!(session.run(databases).expect("an answer"), 0);
    let number = server.version();
    let number = number.split_whitespace().next().unwrap_or_default();
    printed.replace(&format!("PostgreSQL {number}"), "PostgreSQL [version]")
}

#[test]
fn migrations_are_run_up_down_and_up() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x');",
        ),
        ("migrations/1_a/down.sql", "DROP TABLE a;"),
        (
            "migrations/2_b/up.sql",
            "ALTER TABLE a RENAME name TO title; CREATE INDEX ON a (title);",
        ),
        (
            "migrations/2_b/down.sql",
            "DROP INDEX a_title_idx; ALTER TABLE a RENAME title TO name;",
        ),
        (
            "migrations/3_c/up.sql",
            "INSERT INTO a (title) VALUES ('y');",
        ),
    ]);
    insta::assert_snapshot!(verified(&project, &[]), @r"
    note: 1 migration without a down.sql
    3 migrations verified on PostgreSQL [version]
    exit 0
    ");
    insta::assert_snapshot!(verified(&project, &["--json"]), @r#"
    {
      "server": "PostgreSQL [version]",
      "migrations": 3,
      "compared": true,
      "queries": 0,
      "findings": []
    }
    note: 1 migration without a down.sql
    3 migrations verified on PostgreSQL [version]
    exit 0
    "#);
}

#[test]
fn a_down_that_does_not_revert_is_a_finding() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id serial PRIMARY KEY, name text NOT NULL, code int UNIQUE);",
        ),
        ("migrations/1_a/down.sql", "DROP TABLE a;"),
        (
            "migrations/2_b/up.sql",
            "ALTER TABLE a DROP COLUMN code; CREATE TABLE b (id int);",
        ),
        (
            "migrations/2_b/down.sql",
            "ALTER TABLE a ADD COLUMN code bigint;",
        ),
        ("migrations/3_c/up.sql", "CREATE TYPE mood AS ENUM ('a');"),
        ("migrations/3_c/down.sql", "DROP TYPE moods;"),
        ("migrations/4_d/up.sql", "DROP TABLE b;"),
        ("migrations/4_d/down.sql", "CREATE TABLE b (id int);"),
    ]);
    insta::assert_snapshot!(verified(&project, &[]), @r#"
    2_b: column a.code differs in its type: int4 in the schema before it, int8 in the schema after its down.sql
    2_b: constraint a_code_key of a is in the schema before it, but not in the schema after its down.sql
    2_b: index a_code_key of a is in the schema before it, but not in the schema after its down.sql
    2_b: relation b is in the schema after its down.sql, but not in the schema before it
    error[42704]: type "moods" does not exist
     --> migrations/3_c/down.sql:1:11
      |
    1 | DROP TYPE moods;
      |           ^^^^^
    failed to revert 3_c
    error: 5 findings on PostgreSQL [version]
    exit 1
    "#);
    assert!(verified(&project, &["--up-only"]).ends_with("exit 0"));
}

#[test]
fn ignored_statements_are_compared() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
        (
            "migrations/2_b/up.sql",
            "-- bowline: ignore\nALTER TABLE a ADD COLUMN name text;",
        ),
        (
            "migrations/3_c/up.sql",
            "CREATE TABLE c (id int PRIMARY KEY);",
        ),
    ]);
    insta::assert_snapshot!(verified(&project, &[]), @r"
    2_b: column a.name is in PostgreSQL [version], but not in the migrations as read
    note: 3 migrations without a down.sql
    error: 1 finding on PostgreSQL [version]
    exit 1
    ");
}

#[test]
fn the_server_prepares_generated_statements() {
    let table =
        "CREATE TABLE a (id serial PRIMARY KEY, name text NOT NULL, \"{new}\" text UNIQUE);";
    let project = Project::new(&[("migrations/1_a/up.sql", table)]);
    project.run(&["generate"]);
    let verified_once = verified(&project, &[]);
    assert!(verified_once.ends_with("exit 0"), "{verified_once}");
    project.write(
        "migrations/2_b/up.sql",
        "-- bowline: ignore\nALTER TABLE a DROP COLUMN name;",
    );
    project.run(&["generate"]);
    let refused = verified(&project, &[]);
    for function in ["find", "get", "list", "insert", "insert_many", "update"] {
        let sentence = format!("the server refuses A::{function}: column \"name\"");
        assert!(refused.contains(&sentence), "{sentence}\n{refused}");
    }
    assert!(!refused.contains("A::delete"), "{refused}");
}

#[test]
fn the_server_prepares_the_queries_of_the_sources() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
        (
            "src/lib.rs",
            "pub fn f() {\n    let _ = bowline::query!(\"SELECT id FROM a WHERE id = $1\", 1);\n    let _ = query!(\"SELECT b FROM a\");\n}\n",
        ),
    ]);
    insta::assert_snapshot!(verified(&project, &["--up-only"]), @r#"
    the server refuses the query in src/lib.rs:3: column "b" does not exist (SQLSTATE 42703)
    note: 1 query not checked: `bowline generate` and the compiler say why
    error: 1 finding on PostgreSQL [version]
    exit 1
    "#);
}

/// The statement that is ignored makes the server's tables differ from those of the files.
#[test]
fn what_is_inferred_of_queries_is_compared() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TYPE mood AS ENUM ('sad', 'ok');
             CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood mood NOT NULL, n int NOT NULL UNIQUE, note text);
             CREATE TABLE b (id bigint PRIMARY KEY, a_id int NOT NULL REFERENCES a, tags mood[]);
             CREATE TABLE c (id int PRIMARY KEY, mood mood NOT NULL CONSTRAINT one_each UNIQUE);",
        ),
        (
            "queries/a.sql",
            "-- name: named :many\nSELECT a.name AS who, b.tags, a.note FROM a JOIN b ON b.a_id = a.id;
-- name: by_number :optional\n-- nullable: note\nSELECT a.id, b AS whole FROM a LEFT JOIN b ON b.id = a.id WHERE a.n = :n AND (:note::text IS NULL OR a.note = :note);
-- name: numbers :many\nSELECT n FROM a WHERE mood = :mood;
-- name: with_mood :optional\nSELECT id FROM c WHERE mood = :mood;
-- name: add :one\nINSERT INTO a (name, mood, n) VALUES (:name, 'ok', :n) RETURNING id, mood;
-- name: clear :affected\nDELETE FROM b;
-- name: sleepers :one\nSELECT count(*) FROM pg_stat_activity;
",
        ),
        (
            "src/lib.rs",
            "pub fn f() {\n    let _ = query!(\"SELECT name FROM a WHERE n = $1\", 1);\n}\n",
        ),
    ]);
    insta::assert_snapshot!(verified(&project, &["--up-only"]), @"
    8 queries checked on PostgreSQL [version]
    1 migration verified on PostgreSQL [version]
    exit 0
    ");
    project.write(
        "migrations/2_b/up.sql",
        "-- bowline: ignore\nALTER TABLE a ALTER name DROP NOT NULL, ALTER n TYPE bigint;
         -- bowline: ignore\nALTER TABLE c DROP CONSTRAINT one_each;",
    );
    insta::assert_snapshot!(verified(&project, &["--up-only"]), @"
    2_b: column a.n differs in its type: int4 in the migrations as read, int8 in PostgreSQL [version]
    2_b: column a.name differs in its nullability: NOT NULL in the migrations as read, NULL in PostgreSQL [version]
    2_b: constraint one_each of c is in the migrations as read, but not in PostgreSQL [version]
    2_b: index one_each of c is in the migrations as read, but not in PostgreSQL [version]
    queries/a.sql:1: on generated rows column who is NULL, and NOT NULL was inferred
    queries/a.sql:3: the server says that $1 is bigint, and integer was inferred
    queries/a.sql:6: the server says that column n is bigint, and integer was inferred
    queries/a.sql:8: on generated rows it returns 2 rows, and at most one was inferred
    queries/a.sql:10: the server says that $2 is bigint, and integer was inferred
    the query in src/lib.rs:2: the server says that $1 is bigint, and integer was inferred
    error: 10 findings on PostgreSQL [version]
    exit 1
    ");
}

#[test]
fn other_spellings_of_values_are_no_findings() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (at timestamptz, day date, code text, id int) PARTITION BY RANGE (at);
         CREATE TABLE a_1 PARTITION OF a FOR VALUES FROM ('2023-08-01') TO ('2023-09-01T10:00:00Z');
         CREATE TABLE a_2 PARTITION OF a FOR VALUES FROM ('2024-01-01 00:00') TO (MAXVALUE) PARTITION BY LIST (code);
         CREATE TABLE a_3 PARTITION OF a_2 FOR VALUES IN ('x', 'y', NULL);
         CREATE TABLE b (id bigint, day date) PARTITION BY RANGE (id, day);
         CREATE TABLE b_1 PARTITION OF b FOR VALUES FROM ('1', MINVALUE) TO (0010, '2020-1-1');
         CREATE INDEX ON a_1 (id) WHERE at = '294247-01-10T04:00:54.775Z';",
    )]);
    insta::assert_snapshot!(verified(&project, &[]), @r"
    note: 1 migration without a down.sql
    1 migration verified on PostgreSQL [version]
    exit 0
    ");
}

#[test]
fn a_down_that_commits_and_fails_is_a_finding() {
    let project = Project::new(&[
        ("migrations/1_a/up.sql", "CREATE TABLE a (id int);"),
        (
            "migrations/1_a/down.sql",
            "BEGIN; DROP TABLE a; COMMIT; DROP TABLE nowhere;",
        ),
        ("migrations/1_a/metadata.toml", "run_in_transaction = false"),
        ("migrations/2_b/up.sql", "CREATE TABLE b (id int);"),
        ("migrations/2_b/down.sql", "DROP TABLE b;"),
    ]);
    insta::assert_snapshot!(verified(&project, &[]), @r#"
    error[42P01]: table "nowhere" does not exist
     --> migrations/1_a/down.sql:1:41
      |
    1 | BEGIN; DROP TABLE a; COMMIT; DROP TABLE nowhere;
      |                                         ^^^^^^^
    failed to revert 1_a
    error: 1 finding on PostgreSQL [version]
    exit 1
    "#);
}

#[test]
fn migrations_of_sqlx_can_name_its_table() {
    let project = Project::bare(&[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\n",
        ),
        (
            "migrations/1_a.sql",
            "CREATE TABLE notes (id bigint PRIMARY KEY);",
        ),
        (
            "migrations/2_b.sql",
            "DELETE FROM _sqlx_migrations WHERE version = 9;",
        ),
    ]);
    let printed = verified(&project, &[]);
    assert!(printed.contains("2 migrations verified"), "{printed}");
}

#[test]
fn a_missing_role_of_a_dump_gets_a_hint() {
    let dump = "CREATE TABLE a (id int PRIMARY KEY);\nALTER TABLE a OWNER TO app;\n";
    let project = Project::new(&[("migrations/1_a/up.sql", dump)]);
    insta::assert_snapshot!(verified(&project, &[]), @r#"
    error[42704]: role "app" does not exist
     --> migrations/1_a/up.sql:2:24
      |
    2 | ALTER TABLE a OWNER TO app;
      |                        ^^^

    error: failed to run 1_a
    hint: no changes were applied; roles belong to the server: create the role app there first, or remove it from up.sql (pg_dump --no-owner --no-privileges writes no roles)
    exit 1
    "#);
}

#[test]
fn unknown_statements_are_not_verified() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "DO $$ BEGIN IF current_setting('port')::int > 0 THEN CREATE TABLE a (id int); END IF; END $$;",
    )]);
    let printed = verified(&project, &["--up-only"]);
    assert!(
        printed.starts_with("note: statements that cannot be followed are not compared\n"),
        "{printed}"
    );
    let end = "1 migration ran on PostgreSQL [version]; the schema read from them was not compared\nexit 0";
    assert!(printed.ends_with(end), "{printed}");
}

/// Creates a package with generated code.
fn package(name: &str, up: &str) -> Scratch {
    let package = Scratch::new(name);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nbowline = {{ path = {:?} }}\n\
         diesel = {{ version = \"2.3.14\", default-features = false, features = [\"postgres_backend\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n",
        checkout().display()
    );
    package.write("Cargo.toml", &manifest);
    let lock = std::fs::read_to_string(checkout().join("Cargo.lock")).expect("the versions");
    package.write("Cargo.lock", &lock);
    package.write("src/lib.rs", "mod db;\nmod schema;\n");
    package.write("migrations/1_shop/up.sql", up);
    let generated = package.bowline(&["generate"], &[]);
    assert!(generated.ends_with("exit 0"), "{generated}");
    package
}

/// Returns the variables of the command that compiles a program: also those by which cargo is
/// found, which the tests of other commands hide.
fn program_environment() -> Vec<(&'static str, String)> {
    let programs = [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
    ];
    let programs = programs
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .chain([("CARGO", env!("CARGO").to_owned())]);
    cargo_environment().into_iter().chain(programs).collect()
}

/// Returns output without the version of the server.
fn without_version(server: &LocalServer, printed: &str) -> String {
    let number = server.version();
    let number = number.split_whitespace().next().unwrap_or_default();
    printed.replace(&format!("PostgreSQL {number}"), "PostgreSQL [version]")
}

/// The tracker has types of its own, pages in several orders, views and two schemas.
#[test]
fn each_function_of_the_tracker_is_called() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let environment = program_environment();
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let url = server.url("postgres");
    let verify = ["verify", "--functions", "--database-url", &url];
    let folder = checkout().join("examples/tracker");
    let output = crate::bowline(&folder, &verify, &environment);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    assert!(!printed.contains("is not called"), "{printed}");
    let called = printed
        .lines()
        .find_map(|line| line.split_once(" functions called"));
    let called: usize = called.expect(&printed).0.parse().expect("a number");
    assert!(called > 200, "{printed}");
}

#[test]
fn each_function_is_called_on_the_server() {
    let package = package(
        "verify_functions",
        "CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, at point);
         CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers,
             even bigint NOT NULL CHECK (even > 500));
         CREATE INDEX ON orders (customer_id, id);",
    );
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let environment = program_environment();
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let verified = |package: &Scratch| {
        let url = server.url("postgres");
        let verify = ["verify", "--functions", "--database-url", &url];
        without_version(&server, &package.bowline(&verify, &environment))
    };
    let printed = verified(&package);
    let first = printed.lines().next().unwrap_or_default();
    assert_eq!(first, "note: 1 migration without a down.sql", "{printed}");
    // Its check refuses each number that is made up.
    let refused = "note: Order::insert did not succeed with made-up values: ";
    assert!(printed.contains(refused), "{printed}");
    assert!(
        printed.contains(" functions called on PostgreSQL [version]\n"),
        "{printed}"
    );
    assert!(printed.ends_with("exit 0"), "{printed}");
    // A function that the server refuses: the code is that of another table.
    let path = package.path("src/db/orders.rs");
    let code = std::fs::read_to_string(&path).expect("the code");
    let wrong = code.replace(
        "SELECT count(*) FROM orders",
        "SELECT count(*) FROM order_s",
    );
    assert_ne!(code, wrong);
    std::fs::write(path, wrong).expect("a file");
    let printed = verified(&package);
    let refused = "the server refuses Order::count: relation \"order_s\" does not exist";
    assert!(printed.contains(refused), "{printed}");
    assert!(printed.ends_with("exit 1"), "{printed}");
}
