//! Files that control transactions, or have commands of psql: every command refuses them with the
//! same error, before it runs anything.

use super::{server, without_times};
use crate::Project;

/// Returns a project with a valid migration, and one with this text.
fn project(up: &str, metadata: &str) -> Project {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
        ("migrations/1_a/down.sql", "DROP TABLE a;"),
        ("migrations/2_b/up.sql", up),
    ]);
    if !metadata.is_empty() {
        project.write("migrations/2_b/metadata.toml", metadata);
    }
    project
}

#[test]
fn every_command_refuses_transaction_control() {
    let project = project(
        "CREATE TABLE c (id int);\nROLLBACK;\nCREATE TABLE d (id int);\n",
        "",
    );
    let server = server();
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    let printed = |arguments: &[&str]| project.printed(arguments, &variables);
    let refusal = printed(&["migrate", "run"]);
    insta::assert_snapshot!(refusal, @r"
    error: this would undo what the file has done, and the migration would still be recorded as run
     --> migrations/2_b/up.sql:2:1
      |
    2 | ROLLBACK;
      | ^^^^^^^^

    error: migrations/2_b/up.sql cannot run as a migration
    hint: remove it, with the statements that it undoes
    exit 1
    ");
    assert_eq!(printed(&["generate"]), refusal);
    assert_eq!(printed(&["verify", "--database-url", &url]), refusal);
    assert_eq!(printed(&["catalog"]), refusal);
    // Nothing has run, not even the statements before it.
    let status = printed(&["migrate", "status", "--check"]);
    assert!(status.contains("2 migrations, 2 pending"), "{status}");
}

#[test]
fn a_down_that_ends_its_transaction_is_refused() {
    let project = project("CREATE TABLE b (id int);", "");
    project.write("migrations/1_a/down.sql", "DROP TABLE a;\nCOMMIT;\n");
    project.write("migrations/2_b/down.sql", "DROP TABLE b;");
    let server = server();
    let url = server.url("postgres");
    let printed = |arguments: &[&str]| project.printed(arguments, &[("DATABASE_URL", &url)]);
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    for command in [
        &["migrate", "revert", "-n", "2"][..],
        &["migrate", "to", "0"],
        &["verify", "--database-url", &url],
    ] {
        let refusal = printed(command);
        assert!(refusal.contains("migrations/1_a/down.sql:2:1"), "{refusal}");
        assert!(refusal.ends_with("exit 1"), "{refusal}");
    }
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn begin_and_commit_around_a_file_are_ignored() {
    let project = project(
        "BEGIN;\n\nCREATE TABLE b (id int PRIMARY KEY);\nSELECT 1/0;\nCOMMIT;\n",
        "",
    );
    project.write("migrations/2_b/down.sql", "BEGIN; DROP TABLE b; END;");
    let server = server();
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 1_a
    error[22012]: division by zero
     --> migrations/2_b/up.sql:4:1
      |
    4 | SELECT 1/0;
      | ^^^^^^^^^^^

    error: failed to run 2_b
    hint: no changes were applied; fix up.sql and run `bowline migrate` again
    exit 1
    ");
    project.write(
        "migrations/2_b/up.sql",
        "BEGIN;\nCREATE TABLE b (id int PRIMARY KEY);\nCOMMIT;\n",
    );
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 2_b
    2 migrations, 1 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "redo"]), @r"
    reverted 2_b
    ran 2_b
    exit 0
    ");
    assert!(printed(&["verify", "--database-url", &url]).ends_with("exit 0"));
    assert!(printed(&["generate"]).ends_with("exit 0"));
}

#[test]
fn an_open_transaction_is_refused() {
    let project = project(
        "CREATE TABLE c (x int);\nBEGIN;\nCREATE TABLE d (x int);\n",
        "run_in_transaction = false",
    );
    let server = server();
    let url = server.url("postgres");
    let printed = |arguments: &[&str]| project.printed(arguments, &[("DATABASE_URL", &url)]);
    let refusal = printed(&["migrate", "run"]);
    insta::assert_snapshot!(refusal, @r"
    error: this transaction does not end in the file, so it would be rolled back
     --> migrations/2_b/up.sql:2:1
      |
    2 | BEGIN;
      | ^^^^^

    error: migrations/2_b/up.sql cannot run as a migration
    hint: end it with COMMIT
    exit 1
    ");
    assert_eq!(printed(&["generate"]), refusal);
    assert_eq!(printed(&["verify", "--database-url", &url]), refusal);
}

/// The output of pg_dump 18 for two tables, without the settings that PostgreSQL 15 does not have.
const DUMP: &str = r"--
-- PostgreSQL database dump
--

\restrict 3mBLbZVlVYkRCVnJDSJkFHgQWFg0SFJxNJLD9AAmbU6BHYvbdtxOnSMEtR1WGeB

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'LATIN1';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE TABLE public.things (
    id bigint NOT NULL,
    name text NOT NULL
);

COMMENT ON TABLE public.things IS 'Déjà vu';

ALTER TABLE ONLY public.things
    ADD CONSTRAINT things_pkey PRIMARY KEY (id);

INSERT INTO public.things VALUES (1, 'COMMIT; \restrict');

\unrestrict 3mBLbZVlVYkRCVnJDSJkFHgQWFg0SFJxNJLD9AAmbU6BHYvbdtxOnSMEtR1WGeB

";

#[test]
fn a_dump_of_a_database_is_a_first_migration() {
    let dump = DUMP.replace("LATIN1", "UTF8");
    let project = Project::new(&[
        ("migrations/1_dump/up.sql", dump.as_str()),
        (
            "migrations/2_more/up.sql",
            "CREATE TABLE more (id int PRIMARY KEY);",
        ),
    ]);
    let server = server();
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 1_dump
    ran 2_more
    2 migrations, 2 run now
    exit 0
    ");
    assert!(printed(&["verify", "--database-url", &url]).ends_with("exit 0"));
    let generated = printed(&["generate", "--offline"]);
    assert!(generated.ends_with("exit 0"), "{generated}");
    assert!(
        project.read("src/db/schema.rs").contains("Déjà vu") || project.has("src/db/things.rs")
    );
    let drift = printed(&["drift"]);
    assert!(drift.ends_with("exit 0"), "{drift}");
}

#[test]
fn an_encoding_does_not_outlive_its_migration() {
    let project = Project::new(&[("migrations/1_dump/up.sql", DUMP)]);
    let server = server();
    let url = server.url("postgres");
    let printed = project.printed(&["verify", "--database-url", &url], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
}

#[test]
fn rows_for_psql_are_refused_by_name() {
    let project = project("COPY a (id) FROM stdin;\n1\n2\n\\.\n", "");
    let server = server();
    let url = server.url("postgres");
    let printed = |arguments: &[&str]| project.printed(arguments, &[("DATABASE_URL", &url)]);
    let refusal = printed(&["migrate", "run"]);
    insta::assert_snapshot!(refusal, @r"
    error: COPY .. FROM STDIN takes its rows from psql, which does not run migrations
     --> migrations/2_b/up.sql:1:1
      |
    1 | COPY a (id) FROM stdin;
      | ^^^^^^^^^^^^^^^^^^^^^^

    error: migrations/2_b/up.sql cannot run as a migration
    hint: write the rows as INSERT, as pg_dump does with --inserts
    exit 1
    ");
    assert_eq!(printed(&["generate"]), refusal);
    assert_eq!(printed(&["verify", "--database-url", &url]), refusal);
    project.write("migrations/2_b/up.sql", "\\connect other\nSELECT 1;\n");
    let refusal = printed(&["generate"]);
    assert!(
        refusal.contains("\\connect is a command of psql,"),
        "{refusal}"
    );
}

#[test]
fn a_checkout_with_other_line_breaks_is_the_same() {
    let project = Project::new(&[]);
    let text = "CREATE TABLE a (id int PRIMARY KEY);\n\
                CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND $$;\n";
    project.write("migrations/1_f/up.sql", &text.replace('\n', "\r\n"));
    let server = server();
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    for command in [&["migrate", "run"][..], &["generate"]] {
        let printed = project.printed(command, &variables);
        assert!(printed.ends_with("exit 0"), "{printed}");
    }
    project.write("migrations/1_f/up.sql", text);
    for command in [
        &["generate", "--check"][..],
        &["migrate", "status", "--check"],
        &["migrate", "run"],
        &["drift"],
    ] {
        let printed = project.printed(command, &variables);
        assert!(printed.ends_with("exit 0"), "{command:?}: {printed}");
    }
}

#[test]
fn bom_empty_and_flat_files_are_handled() {
    let project = project("", "");
    project.write(
        "migrations/1_a/up.sql",
        "\u{feff}CREATE TABLE a (id int PRIMARY KEY);",
    );
    project.write("migrations/3_flat.up.sql", "SELECT 1;");
    project.write("query.sql", "\u{feff}SELECT 1 AS one;");
    let server = server();
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    for command in [
        &["generate"][..],
        &["verify", "--database-url", &url],
        &["migrate", "status"],
        &["migrate", "run"],
        &["migrate", "status", "--check"],
        &["drift"],
        &["catalog"],
        &["schema"],
        &["new", "more"],
    ] {
        let answer = printed(command);
        assert!(answer.ends_with("exit 0"), "{command:?}: {answer}");
        let notes = answer
            .matches("migrations/3_flat.up.sql is ignored")
            .count();
        assert_eq!(notes, 1, "{command:?}: {answer}");
    }
    let answer = printed(&["sql", "-f", "query.sql"]);
    assert!(answer.starts_with(" one \n"), "{answer}");
}
