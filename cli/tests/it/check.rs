//! `bowline check --against`: the code of an older release on the schema of the migrations.

use crate::{Project, path};

const TABLES: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer NOT NULL, note text);
CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, at timestamptz NOT NULL);
";

const QUERIES: &str = "-- name: by_email :optional
SELECT * FROM users WHERE email = :email;

-- name: ages :many
SELECT age FROM users;

-- name: visit :affected
INSERT INTO visits (user_id, at) VALUES (:user_id, :at);
";

/// Returns a repository whose first commit is the release `v1`.
fn released() -> Project {
    let project = Project::new(&[
        ("migrations/1_tables/up.sql", TABLES),
        ("queries/users.sql", QUERIES),
    ]);
    project.git(&["init", "-q", "-b", "main"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "a"]);
    project.git(&["tag", "v1"]);
    project
}

fn checked(migration: &str) -> String {
    let project = released();
    project.write("migrations/2_later/up.sql", migration);
    project.printed(&["check", "--against", "v1"], &path())
}

#[test]
fn a_dropped_column_breaks_what_uses_it() {
    insta::assert_snapshot!(checked("ALTER TABLE users DROP COLUMN email;"), @"
    users.email is gone: 1 statement breaks
      by_email (queries/users.sql:1)
    error: 1 of 3 statements of v1 break on this schema
    exit 1
    ");
}

#[test]
fn each_kind_of_break_is_named() {
    insta::assert_snapshot!(
        checked(
            "ALTER TABLE users ALTER COLUMN age DROP NOT NULL;
             ALTER TABLE visits ADD COLUMN place text NOT NULL;"
        ), @r#"
    age can be NULL, which that release does not read: 2 statements break
      by_email (queries/users.sql:1)
      ages (queries/users.sql:4)
    null value in column "place" of relation "visits" violates not-null constraint: 1 statement breaks
      visit (queries/users.sql:7)
    note: no code of either release uses visits.place
    error: 3 of 3 statements of v1 break on this schema
    exit 1
    "#);
    insta::assert_snapshot!(
        checked(
            "ALTER TABLE users ALTER COLUMN age TYPE bigint;
             ALTER TABLE visits RENAME TO calls;"
        ), @"
    age is bigint and was integer: 2 statements break
      by_email (queries/users.sql:1)
      ages (queries/users.sql:4)
    visits is gone: 1 statement breaks
      visit (queries/users.sql:7)
    error: 3 of 3 statements of v1 break on this schema
    exit 1
    ");
}

#[test]
fn what_the_release_does_not_use_breaks_nothing() {
    for migration in [
        "ALTER TABLE users ADD COLUMN level integer;",
        "ALTER TABLE users ADD COLUMN level integer NOT NULL DEFAULT 1;",
        "ALTER TABLE users ALTER COLUMN note SET NOT NULL; CREATE INDEX ON users (note);",
        "CREATE TABLE others (id bigint PRIMARY KEY);",
    ] {
        let printed = checked(migration);
        assert!(
            printed.contains("3 statements of v1 work on this schema"),
            "{printed}"
        );
        assert!(printed.ends_with("exit 0"), "{printed}");
    }
}

#[test]
fn own_queries_that_break_too_hide_nothing() {
    let project = released();
    project.run_with(&["generate", "--offline"], &path());
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE users DROP COLUMN email;",
    );
    let printed = project.printed(&["check", "--against", "v1"], &path());
    assert!(printed.contains("users.email is gone"), "{printed}");
    assert!(
        printed.contains("error: 1 of 3 statements of v1 break on this schema"),
        "{printed}"
    );
}

#[test]
fn a_view_of_the_old_name_keeps_old_code_working() {
    let project = released();
    project.write(
        "queries/more.sql",
        "-- name: add :one\nINSERT INTO visits (user_id, at) VALUES (:user_id, :at) RETURNING id, at;\n",
    );
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "b"]);
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE visits RENAME TO calls;
         CREATE VIEW visits WITH (security_invoker = true) AS SELECT * FROM calls;",
    );
    project.write(
        "migrations/3_more/up.sql",
        "ALTER TABLE calls ADD COLUMN place text;",
    );
    let printed = project.printed(&["check", "--against", "HEAD"], &path());
    assert!(
        printed.contains("4 statements of HEAD work on this schema"),
        "{printed}"
    );
}

#[test]
fn columns_that_no_code_uses_are_listed() {
    let printed = checked("ALTER TABLE visits ADD COLUMN place text;");
    assert!(
        printed.contains("note: no code of either release uses visits.place"),
        "{printed}"
    );
    assert!(!printed.contains("uses users.note"), "{printed}");
}

#[test]
fn a_release_is_a_commit_a_folder_or_a_file() {
    let project = released();
    let saved = project.run_with(&["queries", "--json"], &path());
    let saved = String::from_utf8(saved.stdout).expect("text");
    let folder = released();
    project.write("saved.json", &saved);
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE users DROP COLUMN age;",
    );
    for against in [
        "v1",
        "main",
        "saved.json",
        &folder.path("").display().to_string(),
    ] {
        let printed = project.printed(&["check", "--against", against], &path());
        assert!(
            printed.contains("2 of 3 statements"),
            "{against}: {printed}"
        );
        assert!(printed.ends_with("exit 1"), "{against}: {printed}");
    }
    let printed = project.printed(&["check", "--against", "nowhere"], &path());
    assert!(
        printed.starts_with("error: git knows no commit nowhere"),
        "{printed}"
    );
    project.write("wrong.json", "{}");
    let printed = project.printed(&["check", "--against", "wrong.json"], &path());
    assert!(
        printed.starts_with("error: wrong.json is no list of queries"),
        "{printed}"
    );
}

#[test]
fn functions_of_a_release_are_checked_too() {
    let project = released();
    let generated = project.run_with(&["generate", "--offline"], &path());
    assert!(generated.status.success(), "{generated:?}");
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "b"]);
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE users DROP COLUMN note;",
    );
    let output = project.run_with(&["check", "--against", "main", "--json"], &path());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let breaks = report["breaks"].as_array().expect("a list");
    let named = |name: &str| breaks.iter().any(|found| found["function"] == name);
    assert!(named("User::find"), "{report}");
    assert!(!named("Visit::find"), "{report}");
    assert!(
        breaks.iter().all(|found| found["column"] == "users.note"),
        "{report}"
    );
}

#[test]
fn run_against_a_release_refuses_the_contracting_step() {
    let project = released();
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE users DROP COLUMN age;",
    );
    // No server is asked: nothing listens there.
    let url = "postgres://nobody@127.0.0.1:1/none";
    let arguments = ["migrate", "run", "--against", "v1", "--database-url", url];
    let printed = project.printed(&arguments, &path());
    assert!(printed.contains("users.age is gone"), "{printed}");
    assert!(printed.contains("nothing was run"), "{printed}");
    assert!(printed.ends_with("exit 1"), "{printed}");
}

#[test]
fn a_parameter_is_sent_with_its_type() {
    // There is no operator between text and uuid; an integer can be compared with a bigint.
    insta::assert_snapshot!(
        checked(
            "ALTER TABLE visits DROP CONSTRAINT visits_user_id_fkey;
             ALTER TABLE visits ALTER COLUMN user_id TYPE uuid USING gen_random_uuid();
             ALTER TABLE users ALTER COLUMN email TYPE varchar(9);"
        ), @r#"
    column "user_id" is of type uuid but expression is of type bigint: that release sends $1 as int8, and it is uuid now: 1 statement breaks
      visit (queries/users.sql:7)
    error: 1 of 3 statements of v1 break on this schema
    exit 1
    "#);
    let project = released();
    project.write(
        "queries/more.sql",
        "-- name: noted :many\nSELECT id FROM users WHERE note = :note;\n",
    );
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "b"]);
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE users ALTER COLUMN note TYPE uuid USING note::uuid;",
    );
    insta::assert_snapshot!(project.printed(&["check", "--against", "HEAD"], &path()), @"
    note is uuid and was text: 1 statement breaks
      by_email (queries/users.sql:1)
    operator does not exist: uuid = text: that release sends $1 as text, and it is uuid now: 1 statement breaks
      noted (queries/more.sql:1)
    error: 2 of 4 statements of HEAD break on this schema
    exit 1
    ");
    project.write(
        "migrations/2_later/up.sql",
        "ALTER TABLE visits ALTER COLUMN user_id TYPE integer;",
    );
    insta::assert_snapshot!(project.printed(&["check", "--against", "HEAD"], &path()), @"
    4 statements of HEAD work on this schema
    exit 0
    ");
}
