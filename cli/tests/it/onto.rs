//! `bowline check --onto`: the migrations of two branches.

use crate::{Project, path};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text, age int);";

/// A branch and main, each with one migration after those of both.
fn branches(here: (&str, &str), there: (&str, &str)) -> Project {
    let project = Project::new(&[("migrations/1_users/up.sql", USERS)]);
    project.git(&["init", "-q", "-b", "main"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "a"]);
    project.git(&["checkout", "-q", "-b", "branch"]);
    project.git(&["checkout", "-q", "main"]);
    project.write(&format!("migrations/{}/up.sql", there.0), there.1);
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "there"]);
    project.git(&["checkout", "-q", "branch"]);
    project.write(&format!("migrations/{}/up.sql", here.0), here.1);
    project
}

fn checked(here: &str, there: &str) -> String {
    let project = branches(("2_here", here), ("3_there", there));
    project.printed(&["check", "--onto", "main"], &path())
}

#[test]
fn branches_that_commute_are_said_to() {
    insta::assert_snapshot!(
        checked("ALTER TABLE users ADD COLUMN a int;", "ALTER TABLE users ADD COLUMN b int;"), @"
    note: the columns of relation users have another order in databases that run main first
    1 new migration here, 1 new migration in main: they commute
    exit 0
    ");
    insta::assert_snapshot!(checked("CREATE TABLE a (id int);", "CREATE INDEX ON users (age);"), @"
    1 new migration here, 1 new migration in main: they commute
    exit 0
    ");
    let project = branches(("2_here", "SELECT 1;"), ("3_there", "SELECT 2;"));
    // What is not committed counts.
    project.write(
        "migrations/4_more/up.sql",
        "DO $$ BEGIN EXECUTE version(); END $$;",
    );
    insta::assert_snapshot!(project.printed(&["check", "--onto", "main"], &path()), @"
    note: 4_more: the text that this executes is known only when it runs, so less is known of what it changes
    2 new migrations here, 1 new migration in main: they commute
    exit 0
    ");
    insta::assert_snapshot!(project.printed(&["check", "--onto", "HEAD"], &path()), @"
    note: 4_more: the text that this executes is known only when it runs, so less is known of what it changes
    2 new migrations here, 0 new migrations in HEAD: they commute
    exit 0
    ");
}

#[test]
fn the_object_in_dispute_is_named_with_its_migrations() {
    insta::assert_snapshot!(
        checked(
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 1;",
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 2;",
        ), @"
    column users.age differs in its default: 1 in the schema where main runs first, 2 in the schema where this branch runs first
      this branch: 2_here
      main: 3_there
    error: 1 new migration here, 1 new migration in main: they do not commute
    hint: rebase on main, give the migrations of this branch later versions, and write them for the schema that main leaves
    exit 1
    ");
    insta::assert_snapshot!(
        checked("ALTER TABLE users DROP COLUMN name;", "CREATE INDEX ON users (name);"), @"
    line 1 of 3_there fails where this branch runs first: users has no column name
      main: 3_there
    error: 1 new migration here, 1 new migration in main: they do not commute
    hint: rebase on main, give the migrations of this branch later versions, and write them for the schema that main leaves
    exit 1
    ");
    insta::assert_snapshot!(checked("CREATE TABLE a (id int);", "CREATE TABLE a (id bigint);"), @"
    line 1 of 2_here fails where main runs first: there is a relation a already, so PostgreSQL refuses this
      this branch: 2_here
    line 1 of 3_there fails where this branch runs first: there is a relation a already, so PostgreSQL refuses this
      main: 3_there
    error: 1 new migration here, 1 new migration in main: they do not commute
    hint: rebase on main, give the migrations of this branch later versions, and write them for the schema that main leaves
    exit 1
    ");
    let project = branches(
        (
            "2_here",
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 1;",
        ),
        (
            "3_there",
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 2;",
        ),
    );
    insta::assert_snapshot!(project.printed(&["check", "--onto", "main", "--json"], &path()), @r#"
    {
      "commutes": false,
      "disputes": [
        {
          "object": "column users.age",
          "why": "column users.age differs in its default: 1 in the schema where main runs first, 2 in the schema where this branch runs first",
          "here": [
            "2_here"
          ],
          "there": [
            "3_there"
          ]
        }
      ],
      "reordered": [],
      "not_followed": [],
      "here": [
        "2_here"
      ],
      "there": [
        "3_there"
      ]
    }
    error: 1 new migration here, 1 new migration in main: they do not commute
    hint: rebase on main, give the migrations of this branch later versions, and write them for the schema that main leaves
    exit 1
    "#);
}

#[test]
fn versions_edits_and_wrong_names_are_told() {
    let project = branches(("2_a", "SELECT 1;"), ("2_b", "SELECT 2;"));
    insta::assert_snapshot!(project.printed(&["check", "--onto", "main"], &path()), @"
    error: 2_a of this branch and 2_b of main have one version, 2
    hint: give one of them a later version by renaming its folder
    exit 1
    ");
    // The same migration on both, as after a cherry-pick.
    project.write("migrations/2_a/up.sql", "SELECT 2;");
    project.write("migrations/1_users/up.sql", "CREATE TABLE users (id int);");
    insta::assert_snapshot!(project.printed(&["check", "--onto", "main"], &path()), @"
    note: 1_users was edited in this branch; it is replayed as it was before
    0 new migrations here, 1 new migration in main: they commute
    exit 0
    ");
    insta::assert_snapshot!(project.printed(&["check", "--onto", "nothing"], &path()), @"
    error: git knows no commit nothing
    hint: fetch it first, or name another one: a branch, a tag, a commit
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["check"], &path()), @"
    error: the following required arguments were not provided:
      <--against <REF|DIR|FILE>|--onto <REF>>

    Usage: bowline check <--against <REF|DIR|FILE>|--onto <REF>>

    For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn generate_writes_over_conflict_markers() {
    let project = Project::new(&[("migrations/1_users/up.sql", USERS)]);
    assert!(project.run(&["generate", "--offline"]).status.success());
    let files = ["src/db/mod.rs", "src/db/schema.rs", "src/db/users.rs"];
    let right: Vec<String> = files.iter().map(|file| project.read(file)).collect();
    for (file, text) in files.iter().zip(&right) {
        // As git leaves them, from the first line on.
        project.write(
            file,
            &format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> branch\n"),
        );
    }
    insta::assert_snapshot!(project.printed(&["generate", "--offline"], &[]), @"
    wrote   src/db/mod.rs
    wrote   src/db/schema.rs
    wrote   src/db/users.rs
    3 files, 3 changed
    exit 0
    ");
    for (file, text) in files.iter().zip(&right) {
        assert_eq!(project.read(file), *text, "{file}");
    }
    project.write(
        "migrations/2_a/up.sql",
        "<<<<<<< HEAD\nSELECT 1;\n=======\nSELECT 2;\n>>>>>>> branch\n",
    );
    insta::assert_snapshot!(project.printed(&["generate", "--offline"], &[]), @"
    error: the SQL cannot be parsed: expected command, found L_ANGLE
     --> migrations/2_a/up.sql:1:1
      |
    1 | <<<<<<< HEAD
      | ^
      |
    help: fix the statement; PostgreSQL refuses it too

    error: 1 statement cannot be followed
    exit 1
    ");
}
